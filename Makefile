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
SECONDS ?= 60
SEED ?= 1
TARGET ?= openqasm2
DEPLOY_VENV ?= .venv-deploy
IMAGE ?= localhost/basicaer
PROTOS := $(wildcard protos/basicaer/v1/*.proto)
# One more at a time than processors: much of what tests do is wait for servers.
PYTEST_ARGS ?= -n $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1) --dist worksteal
EXAMPLES := go typescript java rust cpp
JAVA_CLASSES := examples/java/target/basicaer-example-0.1.0.jar:examples/java/target/lib/*
RUNNER ?=
S3S_VERSION := 0.14.1

.PHONY: help setup run serve cluster docs test test-qiskit s3-server lint format protos check-protos contract check-contract gates check-gates blocking check-blocking page check-page pictures debian-packages stubs stubs-go \
	stubs-typescript examples $(EXAMPLES:%=example-%) conformance conformance-cluster chaos chaos-cluster fuzz bench bench-cluster bench-peers \
	wheel image image-test sbom lint-deploy clean clean-kernels

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

COMPILE = from basicaer.simulator._warm import compile_all; compile_all()
# uv installs in a few seconds what takes pip half a minute. Where there is none for the platform, or where pip alone is
# told of an index, pip does it.
UV := $(VENV)/uv/bin/uv
INSTALL = install() { $(UV) pip install -q --python $(BIN)/python -c constraints.txt "$$@" 2> /dev/null || \
	{ $(PIP) --version > /dev/null 2>&1 || $(BIN)/python -m ensurepip > /dev/null; $(PIP) install -c constraints.txt "$$@"; }; }; install
# The service alone needs a quarter of what development needs, so `make run` installs no more than that. The kernels are
# compiled meanwhile and go on after it: what isn't compiled yet is interpreted, or waits for it.
$(VENV)/.service: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "BasicAer needs Python 3.11 or newer: make PYTHON=python3.11 …")'
	@echo "setting up $(VENV) (once) …"
	@test -x $(BIN)/python || $(PYTHON) -m venv --without-pip $(VENV)
	@$(PYTHON) -m pip --disable-pip-version-check -q install --no-compile -c constraints.txt --upgrade --target $(VENV)/uv uv > /dev/null 2>&1 || true
	@$(INSTALL) pip numba
	@echo "compiling the kernels for this processor (once, in the background), and installing the rest …"
	@PYTHONPATH=simulator nohup $(BIN)/python -c '$(COMPILE)' < /dev/null > /dev/null 2>&1 &
	@$(INSTALL) -e '.[service]'
	@touch $@

$(VENV)/.dev: $(VENV)/.service
	@$(PIP) install -c constraints.txt --group dev
	@touch $@

setup: $(VENV)/.dev ## install everything for development into .venv

run: $(VENV)/.service ## start a server, run a real circuit through it, show its status and histogram
	@$(BIN)/basicaer run $(CIRCUIT) --shots $(SHOTS)

serve: $(VENV)/.service ## start a server and keep it up (LISTEN, DATA_DIR)
	@exec $(BIN)/basicaer serve --listen $(LISTEN) --data-dir $(DATA_DIR)

$(VENV)/.docs: $(VENV)/.dev
	@$(PIP) install -c constraints.txt --group docs
	@touch $@

docs: $(VENV)/.docs ## build the documentation's site, strictly, into docs/_build/html
	$(BIN)/sphinx-build -q -W --keep-going -b html docs docs/_build/html
	@echo "open docs/_build/html/index.html"

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

lint: $(VENV)/.dev check-protos check-contract check-gates check-blocking check-page ## run every static check
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
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

contract: $(VENV)/.dev ## write docs/contract.md and the HTTP door's documents again, from protos/
	$(CONTRACT) > docs/contract.md
	$(HTTP)

check-contract: $(VENV)/.dev
	@$(CONTRACT) | cmp -s - docs/contract.md || { echo "docs/contract.md is stale: run 'make contract'" >&2; exit 1; }
	@$(HTTP) --check

gates: $(VENV)/.dev ## write the client's gates and docs/gates.md again, from the simulator's table
	@$(BIN)/python client/generate_gates.py

check-gates: $(VENV)/.dev
	@$(BIN)/python client/generate_gates.py --check

blocking: $(VENV)/.dev ## write the blocking client's modules again, from those of the asyncio client
	$(BIN)/python client/generate_blocking.py

check-blocking: $(VENV)/.dev
	@$(BIN)/python client/generate_blocking.py --check

PAGE := service/basicaer/service/doors/http/page/static

service/page/node_modules/.package-lock.json: service/page/package.json service/page/package-lock.json
	$(call need,npm,Node.js 20 with npm)
	npm --prefix service/page ci --silent --ignore-scripts --no-audit --no-fund
	@touch $@

page: service/page/node_modules/.package-lock.json ## build the page that browsers see again, from service/page
	npm --prefix service/page run --silent build

check-page: service/page/node_modules/.package-lock.json
	npm --prefix service/page run --silent lint
	@dir=$$(mktemp -d) && trap 'rm -rf "$$dir"' EXIT && node service/page/build.mjs "$$dir" && \
	  diff -qr "$$dir" $(PAGE) || { echo "$(PAGE) is stale: run 'make page'" >&2; exit 1; }

pictures: $(VENV)/.dev ## take the documentation's pictures of the page again
	$(BIN)/python -m pytest -q tests/browser/test_pictures.py
	@mkdir -p docs/pictures
	@for each in write job jobs; do cp build/screenshots/docs-$$each.png docs/pictures/page-$$each.png; done

CONTRACT = $(BIN)/buf build protos -o - | $(BIN)/python docs/generate_contract.py
HTTP = $(BIN)/buf build protos -o - | PYTHONPATH=service $(BIN)/python -m generate_http

# Says what is missing where a language's tools are not on the PATH: $(call need,COMMAND,what to install)
define need
@command -v $(1) > /dev/null || { echo "$@ needs $(1), which is not on the PATH: install $(2)" >&2; exit 1; }
endef
WITH_SERVER = GRPC_VERBOSITY=ERROR $(BIN)/python -m tests.conformance.with_server

stubs: stubs-go stubs-typescript ## generate the Go and TypeScript stubs (Maven's and Cargo's builds make their own)

stubs-go: $(VENV)/.dev
	$(call need,go,Go 1.26)
	go build -C examples/go -o .bin/ tool
	@# Go has the error details already.
	$(BIN)/buf generate protos --path protos/basicaer --template examples/go/buf.gen.yaml

stubs-typescript: $(VENV)/.dev examples/typescript/node_modules/.package-lock.json
	$(call need,npm,Node.js 20 with npm)
	$(BIN)/buf generate protos --template examples/typescript/buf.gen.yaml

examples/typescript/node_modules/.package-lock.json: examples/typescript/package.json examples/typescript/package-lock.json
	$(call need,npm,Node.js 20 with npm)
	npm --prefix examples/typescript ci --silent --ignore-scripts --no-audit --no-fund
	@touch $@

examples: $(EXAMPLES:%=example-%) ## build, check and test the examples in Go, TypeScript, Java, Rust and C++ (example-go, …)

example-go: stubs-go
	@stray=$$(gofmt -l examples/go) && test -z "$$stray" || { echo "run gofmt -w on $$stray" >&2; exit 1; }
	go vet -C examples/go ./...
	go build -C examples/go -o .bin/ ./cmd/conformance
	go build -C examples/go -o .bin/bell .
	$(WITH_SERVER) go test -C examples/go -count=1 .

example-typescript: stubs-typescript
	npm --prefix examples/typescript run --silent lint
	npm --prefix examples/typescript run --silent build
	$(WITH_SERVER) npm --prefix examples/typescript run --silent test

example-java: $(VENV)/.dev
	$(call need,javac,OpenJDK 17)
	$(call need,mvn,Maven 3.8)
	$(WITH_SERVER) mvn --batch-mode --quiet --no-transfer-progress --file examples/java/pom.xml verify

example-rust: $(VENV)/.dev
	$(call need,cargo,Rust 1.89 with rustfmt and clippy)
	cargo fmt --manifest-path examples/rust/Cargo.toml --check
	cargo clippy --quiet --manifest-path examples/rust/Cargo.toml --all-targets
	cargo build --quiet --manifest-path examples/rust/Cargo.toml --bins
	$(WITH_SERVER) cargo test --quiet --manifest-path examples/rust/Cargo.toml

example-cpp: $(VENV)/.dev
	$(call need,cmake,$(CPP_PACKAGES))
	$(call need,grpc_cpp_plugin,$(CPP_PACKAGES))
	$(call need,clang-format,$(CPP_PACKAGES))
	clang-format --dry-run --Werror examples/cpp/*.cpp examples/cpp/*.h
	cmake -S examples/cpp -B examples/cpp/build --log-level=WARNING
	cmake --build examples/cpp/build --parallel -- --quiet
	$(WITH_SERVER) examples/cpp/build/bell_test --gtest_brief=1

# What the C++ example needs of Debian's, or Ubuntu's, packages; and what the chaos tests set clocks with,
# the database of the store over PostgreSQL, what shares calls out to its servers, the browser that looks at the page, and
# what the README calls it with.
CPP_PACKAGES := cmake g++ pkg-config libgrpc++-dev libprotobuf-dev protobuf-compiler protobuf-compiler-grpc \
	nlohmann-json3-dev libgtest-dev clang-format
debian-packages: # what to give to apt-get, so that nothing is left out
	@echo $(CPP_PACKAGES) faketime postgresql haproxy chromium fonts-liberation curl

# Each client's name, and the command of its runner.
define RUNNERS
--runner 'python=$(BIN)/python -m tests.conformance.python_runner' \
	--runner 'go=examples/go/.bin/conformance' \
	--runner 'grpc-js=node examples/typescript/dist/conformance.js grpc-js' \
	--runner 'connect=node examples/typescript/dist/conformance.js connect' \
	--runner 'java=java -cp $(JAVA_CLASSES) dev.basicaer.examples.Conformance' \
	--runner 'rust=examples/rust/target/debug/conformance' \
	--runner 'cpp=examples/cpp/build/conformance'
endef

# Each example's program.
define BELLS
--program 'go=examples/go/.bin/bell' \
	--program 'typescript=node examples/typescript/dist/bell.js' \
	--program 'java=java -cp $(JAVA_CLASSES) dev.basicaer.examples.Bell' \
	--program 'rust=examples/rust/target/debug/bell' \
	--program 'cpp=examples/cpp/build/bell'
endef

conformance: $(if $(RUNNER),$(VENV)/.dev,examples) ## play the conformance suite to the six clients, or to RUNNER=name=command
	$(BIN)/python -m pytest tests/conformance $(if $(RUNNER),--runner '$(RUNNER)',$(RUNNERS) $(BELLS))

conformance-cluster: $(if $(RUNNER),$(VENV)/.dev,examples) ## play all of the suite through a load balancer to three servers on one database
	$(BIN)/python -m pytest tests/conformance/replicas --every-scenario $(if $(RUNNER),--runner '$(RUNNER)',$(RUNNERS))

cluster: $(VENV)/.dev ## PostgreSQL, three servers, two workers and Ray on this machine; run a circuit through them
	@$(BIN)/python -m tests.cluster $(CIRCUIT)

# SECONDS is a variable of bash's too, which counts them.
chaos: $(VENV)/.dev ## break a server on purpose for SECONDS, by SEED, and count the promises that broke
	$(BIN)/python -m tests.chaos --seconds $(SECONDS) --seed $(SEED) $(CHAOS_ARGS)

chaos-cluster: $(VENV)/.dev ## the same with servers, workers, Ray and PostgreSQL
	$(BIN)/python -m tests.cluster.chaos --seconds $(SECONDS) --seed $(SEED) $(CHAOS_ARGS)

# A real S3 server for the tests of --object-store, which skip without it.
build/s3s-fs/bin/s3s-fs:
	$(call need,cargo,Rust with cargo)
	cargo install --quiet --locked --features binary --root build/s3s-fs s3s-fs@$(S3S_VERSION)

s3-server: build/s3s-fs/bin/s3s-fs ## build the S3 server that tests of --object-store need (some minutes, once)

fuzz: $(VENV)/.dev ## look for inputs that TARGET doesn't handle, for SECONDS, by SEED (TARGET=wire, specs, command, …)
	$(BIN)/python -m tests.fuzz $(TARGET) --seconds $(SECONDS) --seed $(SEED)

bench: $(VENV)/.dev ## measure the service against a bare gRPC server, in one run
	$(BIN)/python -m benchmarks

bench-cluster: $(VENV)/.dev ## measure servers on one PostgreSQL, beside the embedded store
	$(BIN)/python -m benchmarks cluster

# The peers live in an environment of their own, since two of them demand old versions of what the service uses.
$(PEERS_VENV)/.ready: benchmarks/peers/requirements.txt
	@echo "setting up $(PEERS_VENV) (once) …"
	@test -x $(PEERS_VENV)/bin/python || $(PYTHON) -m venv $(PEERS_VENV)
	@echo '*' > $(PEERS_VENV)/.gitignore
	@$(PEERS_VENV)/bin/python -m pip --disable-pip-version-check -q install -r $<
	@touch $@

bench-peers: $(VENV)/.service $(PEERS_VENV)/.ready ## measure the simulator beside eight others (PEERS_ARGS="--help")
	@$(BIN)/python -m benchmarks.peers --peers-python $(abspath $(PEERS_VENV))/bin/python $(PEERS_ARGS)

wheel: $(VENV)/.service ## build the wheels that carry compiled kernels (dist/), for this Python
	@$(BIN)/python -m deploy.wheel.build dist

image: ## build the server's image with buildah (IMAGE=name, BASE_IMAGE=what to start from)
	@deploy/image/build.sh $(IMAGE)

image-ray: ## build the image of a Ray cluster's nodes, and of the worker that drives it (IMAGE-ray)
	@deploy/image/build.sh $(IMAGE)-ray service,postgresql,ray

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
	@if command -v haproxy >/dev/null; then \
	  GRPC_LISTEN=:50051 HTTP_LISTEN=:8050 haproxy -c -q -f deploy/haproxy/haproxy.cfg -f deploy/haproxy/servers.cfg; \
	else echo "not run: haproxy -c, which is not installed"; fi
	@if docker compose version >/dev/null 2>&1; then \
	  GRAFANA_PASSWORD=x TLS_CERTIFICATE=x TLS_KEY=x docker compose -f deploy/compose.yaml --profile cluster config --quiet; \
	else echo "not run: docker compose config, which is not installed"; fi

clean-kernels: ## forget the compiled kernels
	find simulator service -name '*.nb[ci]' -delete

clean: ## remove what the other targets made
	find simulator service -name __pycache__ -prune -exec rm -rf {} +
	rm -rf examples/cpp/build examples/go/.bin examples/go/basicaerv1 examples/java/target examples/rust/target examples/rust/Cargo.lock
	rm -rf examples/typescript/node_modules examples/typescript/dist examples/typescript/src/gen
	rm -rf $(VENV) $(PEERS_VENV) $(DEPLOY_VENV) $(QISKIT_VENVS) $(DATA_DIR) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
