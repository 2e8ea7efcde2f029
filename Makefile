# The whole project from one place. `make help` lists the targets.
# Works with GNU make 3.81 and later, on Linux and macOS; on Windows run it from Git Bash.

PYTHON ?= python3
VENV   := .venv
Q      ?=

# The question goes to the command as it was typed: make must not expand a `$` in it.
override Q := $(value Q)
export Q

ifeq ($(OS),Windows_NT)
BIN := $(VENV)/Scripts
EXE := .exe
else
BIN := $(VENV)/bin
EXE :=
endif
PY := $(BIN)/python$(EXE)

# A stamp carries the digest of what it was made from, so nothing is installed twice and a change is never missed.
STAMPS     := $(VENV)/.stamps
digest      = $(shell { pwd; cat $(1); } 2>/dev/null | cksum | cut -d' ' -f1)
RUNTIME_IN := requirements/build.txt requirements/runtime.txt pyproject.toml
RUNTIME    := $(STAMPS)/runtime-$(call digest,$(RUNTIME_IN))
DEV        := $(STAMPS)/dev-$(call digest,$(RUNTIME_IN) requirements/dev.txt)
LANGUAGES  := $(STAMPS)/languages-$(call digest,requirements/languages.txt requirements/npm.txt)
LOCK       := $(STAMPS)/lock-$(call digest,requirements/lock.txt)

# pip of the Python that is there installs into .venv, so a Python without ensurepip will do.
INSTALL := $(PYTHON) -m pip --python $(PY) --disable-pip-version-check --no-input install --quiet
HASHED  := $(INSTALL) --require-hashes --only-binary :all:

# Where the models lie, by the rules of `ourcli config path`.
HOME_DIR   = $${OURCLI_HOME:-$$HOME/.ourcli}
MODELS_DIR = $${OURCLI_PATHS_MODELS:-$(HOME_DIR)/models}

.PHONY: help setup ask test test-models lint lint-format lint-code lint-types lint-walls lint-docs check bench bench-memory bench-tools wasi-testsuite soak smoke conformance plugins languages lock docs clean
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

help:
	@echo 'make setup      install into .venv, fetch and verify the models'
	@echo 'make ask Q="…"  answer a question (sets up first when needed)'
	@echo 'make test       run the test suite (sets up first when needed)'
	@echo 'make check      format, lint, types, walls, reference pages, tests'
	@echo 'make bench      print the numbers of benchmarks/README.md'
	@echo 'make bench-memory  the same for memory alone; OURCLI_BENCH_DATA=FOLDER and BENCH_ARGS=--million add to it'
	@echo 'make bench-tools  what a sandboxed call costs; with OURCLI_BENCH_DATA=FOLDER also how well tools are chosen'
	@echo 'make soak       run the long proofs'
	@echo 'make smoke      build a wheel and try it on every other Python that is present'
	@echo 'make conformance  hold MCP against the suite of the protocol (fetches it once)'
	@echo 'make wasi-testsuite WASI_TESTSUITE=FOLDER  run the official tests of WASI through the worker'
	@echo 'make plugins    build the sample plugins; HELLO=c|rust|go|js|python chooses the language of `hello`'
	@echo 'make languages  install what compiles plugins in Go, JavaScript and Python (C is there; Rust: apt-get)'
	@echo 'make docs       write the reference pages again'
	@echo 'make lock       pin and hash the requirements again (needs the network)'
	@echo 'make clean      remove what make made; models and memory stay'

$(PY):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo 'error: $(PYTHON) is missing or older than 3.11' >&2; \
	    echo 'hint: name a newer one, e.g. make $(MAKECMDGOALS) PYTHON=python3.12' >&2; exit 2; }
	@rm -rf $(VENV)
	@$(PYTHON) -m venv --without-pip $(VENV)

$(RUNTIME): | $(PY)
	@echo 'installing the requirements of ourcli into $(VENV)' >&2
	@$(HASHED) -r requirements/build.txt -r requirements/runtime.txt
	@$(INSTALL) --no-deps --no-build-isolation --no-index --editable .
	@mkdir -p $(STAMPS) && rm -f $(STAMPS)/runtime-* && touch $@

$(DEV): $(RUNTIME)
	@echo 'installing the requirements of the tests into $(VENV)' >&2
	@$(HASHED) -r requirements/dev.txt
	@rm -f $(STAMPS)/dev-* && touch $@

# The packages of npm are fetched by tools/npm_packages.py, which checks their digests.
$(LANGUAGES): $(DEV)
	@echo 'installing what compiles plugins in Go, JavaScript and Python into $(VENV)' >&2
	@$(HASHED) -r requirements/languages.txt
	@$(PY) -m tools.npm_packages
	@rm -f $(STAMPS)/languages-* && touch $@

$(LOCK): | $(PY)
	@$(HASHED) -r requirements/lock.txt
	@mkdir -p $(STAMPS) && rm -f $(STAMPS)/lock-* && touch $@

setup: $(RUNTIME)
	@$(PY) -m ourcli setup --yes
	@mkdir -p "$(MODELS_DIR)" && touch "$(MODELS_DIR)/.set-up"

# Set-up is asked only when this home was never set up; `ask` itself says when a model is gone.
ask: $(RUNTIME)
	@test -e "$(MODELS_DIR)/.set-up" || $(MAKE) --no-print-directory setup >&2
	@$(PY) -m ourcli ask "$$Q"

test-models: $(DEV)
	@$(PY) -m tests.suite_models "$(MODELS_DIR)"

test: test-models
	@OURCLI_TEST_MODELS="$(MODELS_DIR)" $(PY) -m pytest -m 'not slow' $(PYTEST_ARGS)

# One target each, so that `make --keep-going lint` reports them all.
lint: lint-format lint-code lint-types lint-walls lint-docs

lint-format: $(DEV)
	$(PY) -m ruff format --check .

lint-code: $(DEV)
	$(PY) -m ruff check .

lint-types: $(DEV)
	$(PY) -m mypy

lint-walls: $(DEV)
	@$(PY) -c 'from importlinter.cli import lint_imports_command; lint_imports_command()'

lint-docs: $(DEV)
	$(PY) tools/reference.py --check

check: lint test

docs: $(DEV)
	$(PY) tools/reference.py

bench-memory: test-models
	@OURCLI_TEST_MODELS="$(MODELS_DIR)" $(PY) -m benchmarks --memory $(BENCH_ARGS)

bench-tools: $(DEV)
	@$(PY) -m benchmarks.tools $(BENCH_ARGS)
	@test -z "$$OURCLI_BENCH_DATA" || OURCLI_PATHS_MODELS="$(MODELS_DIR)" \
	  $(PY) -m benchmarks.tool_choice --model "$${BENCH_MODEL-Qwen2.5-Coder-0.5B-Instruct}" --limit "$${BENCH_LIMIT-0}"

bench: test-models
	@OURCLI_TEST_MODELS="$(MODELS_DIR)" $(PY) -m benchmarks

soak: test-models
	@OURCLI_TEST_MODELS="$(MODELS_DIR)" $(PY) -m pytest -m slow --timeout 1800 $(PYTEST_ARGS)

smoke: test-models
	@$(PY) tools/smoke.py "$(MODELS_DIR)"

conformance: $(DEV) $(LANGUAGES)
	@$(PY) -m tools.conformance server
	@$(PY) -m tools.conformance client

wasi-testsuite: $(DEV)
	@$(PY) tools/wasi_testsuite.py "$(WASI_TESTSUITE)"

plugins: $(DEV)
	@$(PY) -m tools.plugins $(if $(HELLO),--hello $(HELLO))

languages: $(LANGUAGES)

lock: $(LOCK)
	@$(PY) tools/lock.py

clean:
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis build dist
