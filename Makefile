# Tandem's own commands. `make` alone lists them.
.DEFAULT_GOAL := help
.PHONY: help install install-dev run test coverage coverage-domain check lint types contracts templates fmt lock bench clean

VENV := .venv/bin
# Three at once keep two processors busy; one file stays with one of them, what takes long comes first.
PARALLEL := -n 3 --dist loadfile --no-loadscope-reorder
LOCK := uv pip compile --universal --generate-hashes --no-header --quiet --python-version 3.11 pyproject.toml

help: ## List these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: ## Make .venv ready for running Tandem
	@sh .ci/setup.sh local

install-dev: ## Make .venv ready for tests, checks and tandem simulate --through-temporal
	@sh .ci/setup.sh dev

run: install ## Start everything; Ctrl-C stops it
	@exec $(VENV)/tandem up --stop-with-parent

test: install-dev ## Run the whole test suite (ARGS="tests/domain -k task" for some of it)
ifeq ($(ARGS),)
	@$(VENV)/python -m pytest $(PARALLEL)
else
	@$(VENV)/python -m pytest $(ARGS)
endif

coverage: install-dev ## How much the tests reach: all branches of domain/, nine tenths of the rest
	@$(VENV)/python -m pytest $(PARALLEL) --cov --cov-branch --cov-report= $(ARGS)
	@$(VENV)/coverage report --include="domain/*" --fail-under=100
	@$(VENV)/coverage report --omit="domain/*,runtime/launch.py,runtime/watchdog.py" --fail-under=90

coverage-domain: install-dev
	@$(VENV)/python -m pytest tests/domain --quiet --cov=domain --cov-branch --cov-report=term-missing --cov-fail-under=98

check: lint types contracts templates ## All checks that are no tests

lint: install-dev ## Style, unused code, dependencies declared
	@$(VENV)/ruff check .
	@$(VENV)/ruff format --check --quiet .
	@$(VENV)/vulture
	@$(VENV)/deptry .

types: install-dev ## Types (mypy --strict)
	@$(VENV)/mypy .

contracts: install-dev ## Who may import whom
	@$(VENV)/lint-imports

templates: install-dev ## Templates (djlint)
	@$(VENV)/djlint templates --lint --quiet

fmt: install-dev ## Put the code in shape
	@$(VENV)/ruff check --fix --quiet .
	@$(VENV)/ruff format --quiet .

lock: ## Compile the locks anew from pyproject.toml (with uv)
	@command -v uv >/dev/null || { echo "The locks are compiled with uv: pip install uv" >&2; exit 1; }
	@$(LOCK) -o requirements.lock
	@$(LOCK) --extra local -o requirements-local.lock
	@$(LOCK) --extra local --extra dev -o requirements-dev.lock

bench: install-dev ## Measure Tandem on this machine
	@$(VENV)/tandem bench

clean: ## Remove what was built; the state in .tandem stays
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage* htmlcov .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
