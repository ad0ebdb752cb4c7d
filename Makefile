# Evenkeel: everything a person or CI runs. `make help` lists it.

CARGO ?= cargo
# Processor of the packages: arm64 or x86_64.
ARCH ?= arm64
# What `make swarm` plays.
SEED ?= 1
RUNS ?= 1
HOURS ?= 20
# How many cases `make fuzz` plays of each property.
CASES ?= 100000
# How many seeds `make compare` plays.
SEEDS ?= 5

.DEFAULT_GOAL := help
.PHONY: help fmt lint test soak demo bench compare swarm swarm-short swarm-long fuzz mutations conformance package infra-test

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

fmt: ## Format all code
	$(CARGO) fmt --all

lint: ## Check format and lints; warnings are errors
	$(CARGO) fmt --all --check
	$(CARGO) clippy --locked --workspace --all-targets -- -D warnings

test: ## Build the functions and run every test
	$(CARGO) build --locked --workspace --bins
	$(CARGO) test --locked --workspace --tests

soak: ## Kill the function after every single write in every family of clusters (about an hour)
	$(CARGO) test --locked -p evenkeel-tests --test scenarios -- --ignored --nocapture soak

swarm: ## Play random clusters under random faults for simulated days (SEED=1 RUNS=1 HOURS=24)
	$(CARGO) build --locked --quiet -p evenkeel-tests --bin swarm
	@target/debug/swarm --seed $(SEED) --runs $(RUNS) --hours $(HOURS)

swarm-short: ## The swarm as CI plays it: every fault in every phase, about 20 cluster-days
	@$(MAKE) swarm SEED=1 RUNS=110 HOURS=2

swarm-long: ## The swarm for a night: about 1,000 cluster-days, from SEED on
	@$(MAKE) swarm RUNS=1100 HOURS=20

fuzz: ## Feed every parser arbitrary and nearly right input (CASES=100000 of each property)
	PROPTEST_CASES=$(CASES) $(CARGO) test --locked -p evenkeel -p evenkeel-tests --lib arbitrary
	PROPTEST_CASES=$(CASES) $(CARGO) test --locked -p evenkeel -p evenkeel-tests --test fuzz

mutations: ## Take the safety checks out one at a time, and see that a test fails for each
	@CARGO="$(CARGO)" python3 tests/mutations/run.py

conformance: ## Let other people's clients, models, emulators and tooling judge the simulated account
	$(CARGO) build --locked --quiet --workspace --bins
	@tests/conformance/run.sh

demo: ## Watch the real functions even out, drain and roll out simulated clusters
	@$(CARGO) build --locked --quiet --workspace --bins
	@target/debug/demo

bench: ## Measure the demo's figures and the planner's speed
	$(CARGO) build --locked --quiet --workspace --bins
	@target/debug/demo --figures
	@target/debug/bench

compare: ## Play Evenkeel beside its peers, and write target/compare/compare.md and .html (SEEDS=5)
	$(CARGO) build --locked --quiet -p evenkeel-tests --bin compare
	@target/debug/compare --seeds $(SEEDS)

package: ## Build the functions for Lambda into target/package (ARCH=arm64 or x86_64)
	@python3 infra/package.py $(ARCH)

infra-test: ## Test the Terraform module, its examples and the boot script; what is missing here is skipped and said
	$(CARGO) build --locked --workspace --bins
	@infra/tests/run.sh
