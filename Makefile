# One command per need. Nothing but make, git and Python >= 3.11 with pip is required: no compiler, no root.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
DEMO_ARGS ?=
TEST_ARGS ?=
MUTANTS_ARGS ?=
# Fast tests share the cores; slow ones start servers and watch the clock, so they run one at a time.
FAST_WORKERS ?= auto

export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PYTHONUNBUFFERED := 1

.DEFAULT_GOAL := help
# The steps of a target share one environment: never at the same time, even under make -j.
.NOTPARALLEL:
.PHONY: help demo test test-fast test-slow test-python check format lock bench bench-gate mutants clean

help: ## list these targets
	@grep -hE '^[.a-z][a-z-]*:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

# Wheels only: a package that would need a compiler fails here, on the first machine, and not on a user's.
$(STAMP): requirements/dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "$(PYTHON) is older than 3.11: name a newer one, as in 'make PYTHON=python3.13'"; exit 1; }
	@echo "installing the locked packages into $(VENV)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install -qq --only-binary :all: -r requirements/dev.txt
	@touch $@

.venv: $(STAMP) ## install the locked packages into .venv

demo: $(STAMP) ## four months of a small book on a real server, then its Web UI (DEMO_ARGS="--exit")
	@$(BIN)/python starter.py demo $(DEMO_ARGS)

test: check test-fast test-slow ## everything: format, lint, types, imports, all tests

test-fast: $(STAMP) ## the tests without servers and months
	$(BIN)/python -m pytest -q -m "not slow" -n $(FAST_WORKERS) --maxprocesses 4 $(TEST_ARGS)

test-slow: $(STAMP) ## the tests on real servers and processes, one at a time
	$(BIN)/python -m pytest -q -m slow $(TEST_ARGS)

test-python: ## the fast tests on another Python: make test-python PYTHON=python3.13
	@$(MAKE) --no-print-directory test-fast PYTHON="$(PYTHON)" \
	  VENV=".venv-$$($(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])')"

check: $(STAMP) ## format, lint, strict types, arrows between the rooms
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(STAMP) ## rewrite the code in its one format, with the safe fixes of the linter
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

COMPILE = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-emit-index-url --no-emit-find-links \
  --custom-compile-command "make lock" $(LOCK_ARGS) pyproject.toml

lock: $(STAMP) ## solve the versions in requirements/ again (LOCK_ARGS=--upgrade for newer ones)
	@$(BIN)/python -m pip install -qq --only-binary :all: uv
	$(COMPILE) -o requirements/runtime.txt
	$(COMPILE) --extra dev -c requirements/runtime.txt -o requirements/dev.txt

bench: $(STAMP) ## our overhead against an empty workflow, in the same run
	$(BIN)/python benchmarks/overhead.py

bench-gate: $(STAMP) ## one decision of the compliance gate, beside other rule engines
	@$(BIN)/python -m pip install -qq --only-binary :all: "zen-engine>=2,<3" "cedarpy>=4.12,<5" "rule-engine>=5,<6"
	$(BIN)/python benchmarks/gate.py

mutants: $(STAMP) ## break the rules on purpose and see whether a test notices (MUTANTS_ARGS="--seed 7 --count 50")
	@$(BIN)/python -m pip install -qq --only-binary :all: "mutmut>=3.8,<4"
	$(BIN)/python tests/mutants/sample.py $(MUTANTS_ARGS)

clean: ## remove caches, builds and the demo's data; the virtual environments stay
	rm -rf .duecourse build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache *.egg-info
	find . -name __pycache__ -not -path './.venv*' -prune -exec rm -rf {} +
