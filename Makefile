# The few commands of the project; CONTRIBUTING.md says more.
GO ?= go

.PHONY: help setup test check race builds cover cross otp-images wasm conformance faults soak fuzz mutate bench bench-save bench-epmd build image reproduce manifests

# Seconds of make soak.
SOAK_SECONDS ?= 600

# Seconds that each fuzz target gets in make fuzz.
FUZZ_SECONDS ?= 60

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-11s %s\n", $$1, $$2 }' Makefile

test: setup check ## install what is missing, and pass every check and test
	@$(MAKE) --no-print-directory -j3 race builds otp-images
	@$(MAKE) --no-print-directory cover wasm conformance faults
	@scripts/fuzz.sh 6
	@scripts/soak.sh 60
	@echo "all checks and tests have passed"

setup: ## install what the tests need and this machine lacks
	@scripts/setup.sh

check: ## formatting, go vet and staticcheck
	@test -z "$$(gofmt -l .)" || { echo "gofmt: run it on:"; gofmt -l .; exit 1; }
	$(GO) vet ./...
	$(GO) tool -modfile=tools/go.mod staticcheck ./...

race: ## every test, under the race detector
	scripts/netns.sh $(GO) test -race -count=1 -timeout 15m ./...

builds: ## the checks that only build: beside the tests, which often wait
	@nice -n 19 $(MAKE) --no-print-directory reproduce cross manifests

otp-images: ## the container images of the real OTP, which the suite asks
	@nice -n 19 $(GO) run ./docker/otp-images

cover: ## coverage of wire, registry and session: 95 % at least
	@scripts/cover.sh

cross: ## build for every promised platform
	@scripts/cross.sh

wasm: ## the WASM module, its hosts, and the tests of the core inside WASM
	@scripts/wasm.sh

conformance: ## the suite against OTP 23, 25, 27 and 29 and ours, with real nodes; reports in bin
	@scripts/conformance.sh

fuzz: ## every fuzz target for FUZZ_SECONDS, 60 unless given
	@scripts/fuzz.sh $(FUZZ_SECONDS)

faults: ## what stops OTP's epmd, on it and on ours side by side: bin/faults.md
	@scripts/faults.sh

soak: ## churn, lookups and faults mixed for SOAK_SECONDS, and the bill
	@scripts/soak.sh $(SOAK_SECONDS)

mutate: ## small wrong changes to the core, of which the tests must notice 95 %
	$(GO) run ./internal/mutate

bench: ## benchmarks with allocations, compared with the baseline if there is one
	@scripts/bench.sh go

bench-save: ## the same, kept as the baseline
	@scripts/bench.sh save

bench-epmd: ## the program against OTP's under load: docs/bench.md
	@scripts/bench.sh epmd

build: ## the program, into ./bin
	CGO_ENABLED=0 $(GO) build -trimpath -o bin/epmd ./cmd/epmd

image: ## our container image, goepmd/epmd
	docker/image.sh

reproduce: ## build the program twice, as releases are built, and compare the bytes
	@scripts/reproduce.sh

manifests: ## the Kubernetes manifests, by the types and rules of its API
	$(GO) test -C tools/kubernetes ./...
