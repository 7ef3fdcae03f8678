# The few commands of the project; CONTRIBUTING.md says more.
GO ?= go

.PHONY: help setup test check race cover cross wasm fuzz mutate bench build

# Seconds that each fuzz target gets in make fuzz.
FUZZ_SECONDS ?= 60

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-7s %s\n", $$1, $$2 }' Makefile

test: setup check race cover cross wasm ## install what is missing, and pass every check and test
	@scripts/fuzz.sh 6
	@echo "all checks and tests have passed"

setup: ## install what the tests need and this machine lacks
	@scripts/setup.sh

check: ## formatting, go vet and staticcheck
	@test -z "$$(gofmt -l .)" || { echo "gofmt: run it on:"; gofmt -l .; exit 1; }
	$(GO) vet ./...
	$(GO) tool -modfile=tools/go.mod staticcheck ./...

race: ## every test, under the race detector
	$(GO) test -race -count=1 -timeout 15m ./...

cover: ## coverage of wire, registry and session: 95 % at least
	@scripts/cover.sh

cross: ## build for every promised platform
	@scripts/cross.sh

wasm: ## the WASM module, its hosts, and the tests of the core inside WASM
	@scripts/wasm.sh

fuzz: ## every fuzz target for FUZZ_SECONDS, 60 unless given
	@scripts/fuzz.sh $(FUZZ_SECONDS)

mutate: ## small wrong changes to the core, of which the tests must notice 95 %
	$(GO) run ./internal/mutate

bench: ## benchmarks, with allocations
	$(GO) test -run '^$$' -bench . -benchmem ./wire ./registry ./epmd/session

build: ## the program, into ./bin
	CGO_ENABLED=0 $(GO) build -trimpath -o bin/epmd ./cmd/epmd
