# The few commands of the project; CONTRIBUTING.md says more.
GO ?= go

.PHONY: help setup test check race cover cross bench build

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-7s %s\n", $$1, $$2 }' Makefile

test: setup check race cover cross ## install what is missing, and pass every check and test
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

bench: ## benchmarks, with allocations
	$(GO) test -run '^$$' -bench . -benchmem ./wire ./registry ./epmd/session

build: ## the program, into ./bin
	CGO_ENABLED=0 $(GO) build -trimpath -o bin/epmd ./cmd/epmd
