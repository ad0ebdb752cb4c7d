# Evenkeel: everything a person or CI runs. `make help` lists it.

CARGO ?= cargo
# Processor of the packages: arm64 or x86_64.
ARCH ?= arm64
# What `make swarm` plays.
SEED ?= 1
RUNS ?= 1
HOURS ?= 24

.DEFAULT_GOAL := help
.PHONY: help fmt lint test soak demo bench swarm conformance package infra-test

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

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

conformance: ## Let other people's clients, models, emulators and tooling judge the simulated account
	$(CARGO) build --locked --quiet --workspace --bins
	@tests/conformance/run.sh

demo: ## Watch the real functions even out, drain and roll out simulated clusters
	@$(CARGO) build --locked --quiet --workspace --bins
	@target/debug/demo

bench: ## Measure the figures that the README states
	$(CARGO) build --locked --quiet --workspace --bins
	@target/debug/demo --figures
	@target/debug/bench

package: ## Build the functions for Lambda into target/package (ARCH=arm64 or x86_64)
	@python3 infra/package.py $(ARCH)

infra-test: ## Test the Terraform module, its examples and the boot script; what is missing here is skipped and said
	$(CARGO) build --locked --workspace --bins
	@infra/tests/run.sh
