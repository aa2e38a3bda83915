# `make` lists the targets. Everything is set up by the first target that needs it; nothing else is asked of you.
.DEFAULT_GOAL := help
SHELL := /bin/sh
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help demo run test lint bench clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(INSTALLED): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' || { echo "Python 3.11 to 3.13 is needed; $(PYTHON) is $$($(PYTHON) --version 2>&1). Name another: make PYTHON=python3.12"; exit 1; }
	@echo "Installing into $(VENV) (about 2 GB, one to three minutes, once) ..."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --progress-bar on -c constraints.txt -e '.[dev]'
	@touch $@

demo: $(INSTALLED) ## the bot in a Discord-like page in your browser (no account; DEMO_FLAGS=--no-browser)
	@exec $(BIN)/python -m bot demo $(DEMO_FLAGS)

run: $(INSTALLED) ## the bot on Discord (token in INTERROGATOR_TOKEN)
	@exec $(BIN)/python -m bot run $(RUN_FLAGS)

lint: $(INSTALLED) ## format, lint, types, import contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: lint ## lint, then every test
	$(BIN)/python -m pytest $(TEST_FLAGS)

bench: $(INSTALLED) ## measure speed, and the subjects named on photographs (fetched with apt-get, npm and pip, as far as they are there)
	$(BIN)/python -m benchmarks.lite_speed
	$(BIN)/python -m benchmarks.lite_quality

clean: ## remove the environment, caches and the demo's database
	rm -rf $(VENV) var dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
