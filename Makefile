# Everything a newcomer or CI does, by one name each. `make` alone lists them.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check -q
CIRCUIT ?= examples/shell/grover.qasm
SHOTS ?= 4096
PEERS_VENV ?= .venv-peers
LISTEN ?= 127.0.0.1:50051
DATA_DIR ?= .basicaer
SECONDS ?= 60
SEED ?= 1
PROTOS := $(wildcard protos/basicaer/v1/*.proto)

.PHONY: help setup run serve test lint format protos check-protos chaos bench bench-peers clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

# The service alone needs a quarter of what development needs, so `make run` installs no more than that.
$(VENV)/.service: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "BasicAer needs Python 3.11 or newer: make PYTHON=python3.11 …")'
	@echo "setting up $(VENV) (once) …"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(PIP) install -c constraints.txt pip
	@$(PIP) install -c constraints.txt -e '.[service]'
	@echo "compiling the kernels for this processor (once, about a minute) …"
	@$(BIN)/python -c 'from basicaer.simulator import warm_up; warm_up("c16"); warm_up("c8")'
	@touch $@

$(VENV)/.dev: $(VENV)/.service
	@$(PIP) install -c constraints.txt --group dev
	@touch $@

setup: $(VENV)/.dev ## install everything for development into .venv

run: $(VENV)/.service ## start a server, run a real circuit through it, show its status and histogram
	@$(BIN)/basicaer run $(CIRCUIT) --shots $(SHOTS)

serve: $(VENV)/.service ## start a server and keep it up (LISTEN, DATA_DIR)
	@exec $(BIN)/basicaer serve --listen $(LISTEN) --data-dir $(DATA_DIR)

test: $(VENV)/.dev ## run all tests
	$(BIN)/python -m pytest $(PYTEST_ARGS)

lint: $(VENV)/.dev check-protos ## run every static check
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy --strict tests/typing
	$(BIN)/lint-imports
	$(BIN)/buf lint
	$(BIN)/buf format --diff --exit-code protos
	$(BIN)/buf breaking --against protos/baseline.binpb

format: $(VENV)/.dev ## format Python and protobuf sources
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/buf format -w protos

define PROTOC
PATH="$(abspath $(BIN)):$$PATH" $(BIN)/python -m grpc_tools.protoc -Iprotos \
	--python_out=$(1) --grpc_python_out=$(1) --mypy_out=quiet:$(1) --mypy_grpc_out=quiet:$(1) $(PROTOS)
endef

protos: $(VENV)/.dev ## generate the Python stubs again
	$(call PROTOC,protos)

check-protos: $(VENV)/.dev
	@dir=$$(mktemp -d) && trap 'rm -rf "$$dir"' EXIT && $(call PROTOC,$$dir) && \
	for file in "$$dir"/basicaer/v1/*; do \
	  cmp -s "$$file" "protos/basicaer/v1/$${file##*/}" || { echo "$${file##*/} is stale: run 'make protos'" >&2; exit 1; }; done

# SECONDS is a variable of bash's too, which counts them.
chaos: $(VENV)/.dev ## break a server on purpose for SECONDS, by SEED, and count the promises that broke
	$(BIN)/python -m tests.chaos --seconds $(SECONDS) --seed $(SEED) $(CHAOS_ARGS)

bench: $(VENV)/.dev ## measure the service against a bare gRPC server, in one run
	$(BIN)/python -m benchmarks

# The peers live in an environment of their own, since two of them demand old versions of what the service uses.
$(PEERS_VENV)/.ready: benchmarks/peers/requirements.txt
	@echo "setting up $(PEERS_VENV) (once) …"
	@test -x $(PEERS_VENV)/bin/python || $(PYTHON) -m venv $(PEERS_VENV)
	@echo '*' > $(PEERS_VENV)/.gitignore
	@$(PEERS_VENV)/bin/python -m pip --disable-pip-version-check -q install -r $<
	@touch $@

bench-peers: $(VENV)/.service $(PEERS_VENV)/.ready ## measure the simulator beside eight others (PEERS_ARGS="--help")
	@$(BIN)/python -m benchmarks.peers --peers-python $(abspath $(PEERS_VENV))/bin/python $(PEERS_ARGS)

clean: ## remove what the other targets made
	rm -rf $(VENV) $(PEERS_VENV) $(DATA_DIR) simulator/basicaer/simulator/engine/__pycache__ build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
