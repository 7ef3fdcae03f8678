# The few commands of the project; CONTRIBUTING.md says more.
GO ?= go

.PHONY: help setup test proof nightly stage check stress mutate soak bench bench-save bench-epmd api build image

# Seconds of make soak.
SOAK_SECONDS ?= 600

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-11s %s\n", $$1, $$2 }' Makefile

test: ## install what is missing, and pass the checks and tests of every day: some minutes
	@$(GO) run ./internal/proof test

proof: ## all the rest of the proof: OTP 23 to 29, real nodes, containers, browsers, fuzz, soak
	@$(GO) run ./internal/proof proof

nightly: ## what takes hours: mutations, long fuzzing and soak, tests beside a full load
	@$(GO) run ./internal/proof nightly

stage: ## some stages alone: make stage OF=proof ONLY='soak|faults'; without ONLY they are listed
	@$(GO) run ./internal/proof $(if $(ONLY),-only '$(ONLY)',-list) $(or $(OF),proof)

setup: ## install what make test and make proof need and this machine lacks
	@scripts/setup.sh proof

check: ## formatting, go vet and staticcheck
	@$(GO) run ./internal/proof -only 'format|vet|staticcheck' test

stress: ## tests of limits and time-outs, COUNT times beside a full load; RUN names others
	@scripts/stress.sh

mutate: ## small wrong changes to the core, of which the tests must notice 95 %
	$(GO) run ./internal/mutate -resume bin/mutants.jsonl ./wire ./registry ./epmd/session

soak: ## churn, lookups and faults mixed for SOAK_SECONDS, and the bill
	@scripts/soak.sh $(SOAK_SECONDS)

bench: ## benchmarks with allocations, compared with the baseline if there is one
	@scripts/bench.sh go

bench-save: ## the same, kept as the baseline
	@scripts/bench.sh save

bench-epmd: ## the program against OTP's under load: docs/bench.md
	@scripts/bench.sh epmd

api: ## write down anew what the packages export, once a change of it is meant
	$(GO) test ./internal/house -run '^TestAPI$$' -count=1 -renew

build: ## the program, into ./bin
	CGO_ENABLED=0 $(GO) build -trimpath -o bin/epmd ./cmd/epmd

image: ## our container image, goepmd/epmd
	docker/image.sh
