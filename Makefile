# `make` lists the targets. Everything is set up by the first target that needs it; nothing else is asked of you.
.DEFAULT_GOAL := help
SHELL := /bin/sh
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
export PIP_DISABLE_PIP_VERSION_CHECK := 1

FITS := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python; do \
	"$$p" -c '$(FITS)' 2>/dev/null && echo "$$p" && break; done)

# An environment whose Python has gone is made anew.
ifneq ($(shell $(BIN)/python -c 'print(1)' 2>/dev/null),1)
$(shell rm -f $(INSTALLED))
endif

.PHONY: help demo run test fuzz chaos lint bench clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(INSTALLED): pyproject.toml constraints.txt
	@"$(PYTHON)" -c '$(FITS)' 2>/dev/null || { \
		echo "Python 3.11 to 3.13 is needed and was not found. If it has another name: make PYTHON=/path/to/python3"; exit 1; }
	@echo "Installing into $(VENV) with $(PYTHON) (about 2 GB, one to three minutes, once) ..."
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || "$(PYTHON)" -m venv --clear $(VENV)
	@$(BIN)/python -m pip install --progress-bar on -c constraints.txt -e '.[dev]'
	@touch $@

demo: $(INSTALLED) ## the bot in a Discord-like page in your browser (no account; DEMO_FLAGS=--no-browser)
	@exec $(BIN)/python -m bot demo $(DEMO_FLAGS)

run: $(INSTALLED) ## the bot on Discord (token in INTERROGATOR_TOKEN)
	@exec $(BIN)/python -m bot run $(RUN_FLAGS)

lint: $(INSTALLED) ## format, lint, types, import contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy -n 2
	$(BIN)/lint-imports

test: lint ## lint, then every test (THOROUGH=1: with more and other examples)
	$(BIN)/python -m pytest -n 3 --durations 20 $(TEST_FLAGS)

fuzz: $(INSTALLED) ## 20,000 damaged image files: typed errors only, in bounded memory (FUZZ_FLAGS=--seed 2)
	@$(BIN)/python tests/unit/fuzz.py $(FUZZ_FLAGS)

chaos: $(INSTALLED) ## bot and worker killed 50 times each under load, every answer accounted for (CHAOS_FLAGS="--seeds 2 3")
	@$(BIN)/python tests/process/chaos.py $(CHAOS_FLAGS)

bench: $(INSTALLED) ## measure speed, and the subjects named on photographs (fetched by apt-get, npm, pip)
	$(BIN)/python -m benchmarks.lite_speed
	$(BIN)/python -m benchmarks.lite_quality
	$(BIN)/python -m benchmarks.ranking
	$(BIN)/python -m benchmarks.vs_original step --quick
	$(BIN)/python -m benchmarks.vs_original best --quick
	$(BIN)/python -m benchmarks.throughput --quick
	$(BIN)/python -m benchmarks.bot_load --quick

clean: ## remove the environment, caches and the demo's database; the bot's own history stays
	rm -rf $(VENV) dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	rm -f var/demo.db*
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
