# The one door. `make help` lists what there is.
.DEFAULT_GOAL := help
SHELL := /bin/bash
BIN := .venv/bin
# Measured on the distribution's Python, which is built with profiles, as that of the images is. One that
# was compiled without takes a third more CPU.
BENCH_PYTHON ?= $(shell /usr/bin/python3 -c 'import ensurepip, sys; sys.exit(sys.version_info < (3, 11))' \
	2>/dev/null && echo /usr/bin/python3 || echo python3)

.PHONY: help demo up console test chaos screenshots bench check format protos openapi lock clean

help: ## this list
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: ## set up, start the stack, push sample orders, show file and trail, stop
	@scripts/setup.sh stack
	@$(BIN)/countersign demo

up: ## the same stack with the web console, kept up until Ctrl-C
	@scripts/setup.sh stack
	@scripts/console.sh build --if-possible
	@$(BIN)/countersign up

console: ## build the web console into frontend/dist
	@scripts/console.sh build

test: ## every test on real servers that it starts itself, then 5 minutes of chaos (ARGS=… for pytest alone)
	@scripts/setup.sh dev
	@scripts/servers.sh
	@scripts/console.sh build
	@scripts/console.sh test
	@$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder $(ARGS)
	@[ -n "$(ARGS)" ] || $(BIN)/countersign chaos --minutes 5 --operators 2

chaos: ## faults on the real stack: what is lost, doubled, stuck? (ARGS="--minutes 5 --seed 1")
	@scripts/setup.sh dev
	@scripts/servers.sh
	@$(BIN)/countersign chaos $(ARGS)

screenshots: ## the pages of the web console, into docs/screenshots
	@scripts/setup.sh dev
	@scripts/servers.sh
	@scripts/console.sh build
	@COUNTERSIGN_SCREENSHOTS=1 $(BIN)/python -m pytest tests/console -q --basetemp=/tmp/countersign $(ARGS)

bench: ## every benchmark, into bench/RESULTS.md; NAME=… for one (ARGS=… for more)
	@PYTHON=$(BENCH_PYTHON) COUNTERSIGN_VENV=.venv-bench scripts/setup.sh dev
	@scripts/console.sh build --if-possible
	@.venv-bench/bin/python -m bench $(NAME) $(ARGS)

check: ## lint, format, types, layers, contracts, the console too
	@scripts/setup.sh dev
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python scripts/protos.py check
	@$(BIN)/python scripts/protos.py lint
	@$(BIN)/python scripts/protos.py breaking
	@scripts/console.sh check

format: ## put the code into its one form
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .
	@cd frontend && npm run --silent format

protos: ## write the stubs again
	@scripts/setup.sh dev
	@$(BIN)/python scripts/protos.py generate

openapi: ## write the REST document and the console's client again
	@scripts/setup.sh dev
	@$(BIN)/python -m countersign_gateway.write_openapi gateway/openapi.json
	@cd frontend && npm run --silent api

lock: ## lock every version with its hashes again (ARGS=--upgrade for newer ones)
	@scripts/lock.sh $(ARGS)

clean: ## remove what was built and the one-machine stack's data
	@for link in .countersign/postgres .countersign/demo/postgres; do \
		[ ! -L $$link ] || rm -rf "$$(readlink -f $$link)"; done
	@rm -rf .venv .venv-bench .venv-bench-peer frontend/dist frontend/node_modules .countersign build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
