# `make` lists the targets. Everything runs in .venv, which the targets create and keep up to date.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PORT ?= 8000
HOST ?= 127.0.0.1

.PHONY: help demo test check docker-check benchmark clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

demo: ## Start the tutor with a demo class on http://localhost:8000 (PORT=9000 for another port)
	@scripts/demo.sh $(HOST) $(PORT)

test: ## Run every test, on SQLite and on PostgreSQL (TESTS="tests/tutor -k word" for some of them)
	@scripts/test.sh $(TESTS)

check: ## Check style, types, imports between packages, migrations and production settings
	@scripts/check.sh

docker-check: ## Lint the container files and run their steps and services without an engine
	@scripts/docker_check.sh

benchmark: ## Measure the models and the server (DATA=FOLDER with public logs for those on real answers)
	@scripts/benchmark.sh $(BENCHMARKS)

clean: ## Remove .venv, caches and collected files (var/ with its database stays)
	@scripts/clean.sh
