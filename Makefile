# The two commands a newcomer needs are `make demo` and `make test`; both set up what they need.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin

.PHONY: audit bench chromium postgres demo demo-once test test-long mutants check lint types imports format setup lock clean
.DEFAULT_GOAL := test

demo: $(VENV)/.ready  ## Play the story against simulated Saleor and Kustom, and keep serving
	$(BIN)/saleor-kustom demo

demo-once: $(VENV)/.ready  ## Play the story and exit; fails unless every amount and id is right
	$(BIN)/saleor-kustom demo --once

test: $(VENV)/.ready check postgres chromium  ## Everything that CI runs
	$(BIN)/pytest

postgres:  ## Server programs for the tests; installed with apt where that may be
	@scripts/install-postgres

chromium:  ## A browser for the tests; installed with apt where that may be
	@scripts/install-chromium

test-long: $(VENV)/.ready postgres chromium  ## The thorough runs: more generated orders, more seeds
	$(BIN)/pytest --run-long

bench: $(VENV)/.ready postgres  ## Measure, compare with what is recorded; BENCH=--record replaces that
	@$(BIN)/python scripts/bench $(BENCH)

mutants: $(VENV)/.ready  ## Mutation testing of the money code, in a copy; about ten minutes
	PYTHON=$(abspath $(BIN))/python scripts/mutants

audit: $(VENV)/.ready  ## Known weaknesses of our code and of what we depend on (needs a network)
	$(PYTHON) -m venv .venv-audit
	.venv-audit/bin/pip install --quiet --disable-pip-version-check bandit==1.9.4 pip-audit==2.10.1
	.venv-audit/bin/bandit --quiet --recursive --severity-level high saleor_kustom
	.venv-audit/bin/pip-audit --requirement requirements.lock --no-deps --disable-pip

check: lint types imports

lint: $(VENV)/.ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.ready
	$(BIN)/mypy

imports: $(VENV)/.ready
	$(BIN)/lint-imports

format: $(VENV)/.ready
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

setup: $(VENV)/.ready

$(VENV)/.ready: requirements-dev.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps -e .
	touch $@

LOCK := uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-strip-extras --no-header --no-annotate --quiet
lock:  ## Pin again, after a change of dependencies (needs uv)
	$(LOCK) --extra postgres --output-file requirements.lock
	$(LOCK) --extra postgres --group dev --output-file requirements-dev.lock

clean:
	rm -rf $(VENV) .venv-audit dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
