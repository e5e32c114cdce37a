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
QISKIT_VENVS := .venv-qiskit046 .venv-qiskit1
LISTEN ?= 127.0.0.1:50051
DATA_DIR ?= .basicaer
DEPLOY_VENV ?= .venv-deploy
IMAGE ?= localhost/basicaer
PROTOS := $(wildcard protos/basicaer/v1/*.proto)

.PHONY: help setup run serve test test-qiskit lint format protos check-protos bench bench-peers image image-test sbom lint-deploy clean

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

test: $(VENV)/.dev $(QISKIT_VENVS:%=%/.ready) ## run all tests, those of the Qiskit adapter on every version of Qiskit
	$(BIN)/python -m pytest $(PYTEST_ARGS)
	@$(MAKE) --no-print-directory test-qiskit

# The same tests as on the newest Qiskit, in environments that hold an old one and the client without the server.
test-qiskit: $(VENV)/.dev $(QISKIT_VENVS:%=%/.ready) ## run the Qiskit adapter's tests on the old versions of Qiskit
	@for venv in $(QISKIT_VENVS); do \
	  echo "$$venv:"; \
	  BASICAER_SERVER_PYTHON=$(abspath $(BIN))/python $$venv/bin/python -m pytest \
	    -c tests/qiskit/pytest.ini --confcutdir tests/qiskit tests/qiskit; \
	done

.venv-qiskit%/.ready: tests/qiskit/requirements-%.txt pyproject.toml
	@echo "setting up .venv-qiskit$* (once) …"
	@test -x .venv-qiskit$*/bin/python || $(PYTHON) -m venv .venv-qiskit$*
	@.venv-qiskit$*/bin/python -m pip --disable-pip-version-check -q install -r $< -e .
	@touch $@

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

image: ## build the server's image with buildah (IMAGE=name, BASE_IMAGE=what to start from)
	@deploy/image/build.sh $(IMAGE)

image-test: $(VENV)/.dev image ## build the image, and run it as an engine would (as root)
	BASICAER_IMAGE=$(IMAGE) $(BIN)/python -m pytest tests/image --timeout 600

# The linters live in an environment of their own: what CI needs every time is small without them.
$(DEPLOY_VENV)/.ready: deploy/lint/requirements.txt
	@echo "setting up $(DEPLOY_VENV) (once) …"
	@test -x $(DEPLOY_VENV)/bin/python || $(PYTHON) -m venv $(DEPLOY_VENV)
	@$(DEPLOY_VENV)/bin/python -m pip --disable-pip-version-check -q install -r $<
	@touch $@

sbom: $(DEPLOY_VENV)/.ready ## list what is in the image: dist/sbom.cdx.json, in CycloneDX's form (as root)
	@mkdir -p dist
	@$(DEPLOY_VENV)/bin/python deploy/image/sbom.py $(IMAGE) dist/sbom.cdx.json

HELM_VERSION := v3.18.4
HELM ?= $(DEPLOY_VENV)/bin/helm
$(DEPLOY_VENV)/bin/helm: $(DEPLOY_VENV)/.ready
	@command -v go >/dev/null || { echo "lint-deploy needs Go, or a Helm by HELM=…: install one of them" >&2; exit 1; }
	GOBIN=$(abspath $(DEPLOY_VENV)/bin) go install helm.sh/helm/v3/cmd/helm@$(HELM_VERSION)

lint-deploy: $(DEPLOY_VENV)/.ready $(HELM) ## check the Dockerfile, the scripts, the chart and the unit of deploy/
	$(DEPLOY_VENV)/bin/hadolint deploy/Dockerfile
	$(DEPLOY_VENV)/bin/shellcheck deploy/image/*.sh
	$(DEPLOY_VENV)/bin/python deploy/lint/check_chart.py $(HELM)
	@if command -v systemd-analyze >/dev/null; then \
	  systemd-analyze security --offline=true --threshold=20 deploy/systemd/basicaer.service | tail -n 1; \
	else echo "not run: systemd-analyze security, which is not installed"; fi
	@if docker compose version >/dev/null 2>&1; then \
	  GRAFANA_PASSWORD=x TLS_CERTIFICATE=x TLS_KEY=x docker compose -f deploy/compose.yaml config --quiet; \
	else echo "not run: docker compose config, which is not installed"; fi

clean: ## remove what the other targets made
	rm -rf $(VENV) $(PEERS_VENV) $(DEPLOY_VENV) $(QISKIT_VENVS) $(DATA_DIR) simulator/basicaer/simulator/engine/__pycache__ build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
