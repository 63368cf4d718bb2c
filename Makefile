# Everything one does with a clone. Needs Python 3.11 or later with venv; uv is used where it is on PATH, else pip.

PYTHON ?= python3
BIN := .venv/bin
UV := $(shell command -v uv 2>/dev/null)
WORKERS ?= 2
NODES := providers.sandbox.nodes

# Compiled modules are kept, whatever the environment says: a start of the ramp is one of many programs.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: run demo test check bench lock help
.DELETE_ON_ERROR:

run: .venv/.ok ## Set up what is missing, then run the whole ramp on this machine; Ctrl-C stops it
	@$(BIN)/python -m $(NODES).install --optional anvil
	@$(BIN)/rampwright dev

demo: .venv/.ok ## Drive orders through the running ramp, showing every step (in a second shell)
	@$(BIN)/rampwright demo

test: .venv/.dev ## Set up what is missing, then run every test; BITCOIND=/path tests on a node of yours
	@$(BIN)/python -m $(NODES).install anvil litecoind
	@$(BIN)/python -m tests.browser.install
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadscope --no-loadscope-reorder

check: .venv/.dev .venv/widget/.ok ## Format, lint, types, import contracts, OpenAPI drift
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	.venv/widget/node_modules/.bin/tsc --project app/widget
	$(BIN)/python openapi/export.py --check
	$(BIN)/python docs/pictures.py --check

bench: .venv/.dev ## Measure the speeds that we promise
	@$(BIN)/python -m bench

# The build backend is locked with the rest, so that installing ourselves needs nothing that is not pinned.
LOCK = echo 'setuptools>=80' | $(or $(UV),$(BIN)/uv) pip compile --quiet --universal --python-version 3.11 --upgrade \
	--generate-hashes --no-emit-index-url --custom-compile-command 'make lock' pyproject.toml -

lock: ## Renew the lock files from pyproject.toml (needs uv); they hold hashes and no addresses
	@$(LOCK) --output-file requirements.lock
	@$(LOCK) --extra dev --constraint requirements.lock --output-file requirements-dev.lock

help: ## Show this list
	@grep -E '^[a-z]+:.* ## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.* ## /\1\t/' | expand -t 10

# $(call install,FILE): exactly what the lock file says, then ourselves. uv does not read pip's configuration; pip may
# find a mirror that uv cannot.
define install
	@if ! { [ -n "$(UV)" ] && "$(UV)" pip sync --quiet --python $(BIN)/python --require-hashes $(1); }; then \
		$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $(1); fi
	@if ! { [ -n "$(UV)" ] && "$(UV)" pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .; }; then \
		$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .; fi
	@touch $@
endef

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or later is needed; name one: make PYTHON=python3.12 ..."; exit 1; }
	@if $(PYTHON) -c 'import ensurepip, venv' 2>/dev/null; then $(PYTHON) -m venv .venv; \
	elif [ -n "$(UV)" ]; then "$(UV)" venv --quiet --python "$$(command -v $(PYTHON))" .venv; \
	else echo "python3 -m venv does not work here. On Debian and Ubuntu: apt install python3-venv"; exit 1; fi

.venv/.ok: requirements.lock | $(BIN)/python
	@echo "Installing what is needed to run (once) ..."
	$(call install,requirements.lock)

.venv/.dev: requirements-dev.lock .venv/.ok
	@echo "Installing what is needed to test (once) ..."
	$(call install,requirements-dev.lock)

# What checks the types of the widget's scripts. The widget itself needs nothing of npm's.
.venv/widget/.ok: app/widget/package.json app/widget/package-lock.json | .venv/.dev
	@command -v npm >/dev/null || { echo "npm is needed here. On Debian and Ubuntu: apt install npm"; exit 1; }
	@mkdir -p $(@D) && cp $^ $(@D)
	@npm ci --loglevel=error --ignore-scripts --no-audit --no-fund --prefix $(@D) >/dev/null
	@touch $@
