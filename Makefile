# All commands. `make help` is generated from the comments that begin with two hashes.

PYTHON ?= python3.13
PORT ?= 4570
TOOLS := .venv/bin
TAG ?= 1
SAM := .local/venv/bin/sam
export PORT
# The tests and the local AWS start hundreds of interpreters: each would compile all it imports.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help start stop status logs clean test test-slow check check-settings settings format schemas bench bench-rotation lock release build deploy \
  deploy-global-events doctor acceptance site

help: ## Show this
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-20s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

## AWS on the laptop

start: .local/venv/ready $(if $(SETTINGS),check-settings) ## Start AWS on the laptop, deploy, and show three headlines (PORT=4570, KEEP=1, SETTINGS=folder)
	@.local/venv/bin/python -m local start --headlines $(if $(SETTINGS),--settings "$(SETTINGS)")

stop status logs: .local/venv/ready
	@.local/venv/bin/python -m local $@

stop: ## Stop it
status: ## Show what is running, where and since when
logs: ## Print the logs of the functions
clean: ## Stop it and remove everything it created (ALL=1: the Python environments, too)
	@if [ -e .local/venv/ready ]; then .local/venv/bin/python -m local clean; fi
	$(if $(ALL),rm -rf .venv .local)

## Tests and checks

# `check` has looked for secrets. The order of the files is that of tests/conftest.py. Tests of deployed stacks wait more
# than they compute: four workers keep two cores busy.
test: check .local/venv/ready ## Run all checks, and all tests except the slow ones
	$(TOOLS)/pytest -n 4 --no-loadscope-reorder --cov --cov-report=term -m "not slow" \
	  --ignore tests/docs/test_secrets.py

test-slow: .venv/ready .local/venv/ready ## Run the slow tests, which are long property and corpus runs, and measure the coverage of branches
	$(TOOLS)/pytest -m slow
	COVERAGE_CORE=ctrace $(TOOLS)/pytest -n 2 --cov --cov-branch --cov-fail-under=90 -m "not slow" tests/unit tests/functional tests/contract

check: .venv/ready .local/venv/ready check-settings ## Lint, types, architecture, template, secrets, settings
	@$(MAKE) --no-print-directory -j 2 types style-and-template

.PHONY: types style-and-template
types:
	$(TOOLS)/mypy
	$(TOOLS)/mypy --config-file tests/mypy.ini tests
	$(TOOLS)/mypy consumer/ecr_steward_credentials.py
	$(TOOLS)/mypy integrations/github/policy-gate/comment.py

style-and-template:
	$(TOOLS)/ruff check .
	$(TOOLS)/ruff format --check .
	PYTHONPATH=functions:layers $(TOOLS)/lint-imports --no-cache --no-logo
	PYTHONPATH=cli:functions:layers $(TOOLS)/lint-imports --no-cache --no-logo --config cli/pyproject.toml
	$(TOOLS)/cfn-lint template.yaml global-events.yaml
	$(TOOLS)/pytest -q tests/docs/test_secrets.py
	SAM_CLI_TELEMETRY=0 AWS_DEFAULT_REGION=eu-central-1 $(SAM) validate --lint

check-settings settings: .venv/ready
	@for check in functions/*/check_settings.py; do \
	  PYTHONPATH=functions:layers $(TOOLS)/python -m "$$(basename "$$(dirname "$$check")").check_settings" \
	  $(if $(SETTINGS),"$(SETTINGS)") $(if $(filter settings,$@),--show) || exit 1; done

check-settings: ## Check the settings (SETTINGS=folder: the shipped ones with yours over them)
settings: ## Print the settings that are in force, and where each value comes from (SETTINGS=folder)

format: .venv/ready ## Format the code
	$(TOOLS)/ruff check --fix .
	$(TOOLS)/ruff format .

schemas: .venv/ready ## Generate the JSON Schemas of the settings
	PYTHONPATH=functions:layers $(TOOLS)/python scripts/settings_schemas.py

site: .venv/ready ## Build the documentation site into build/site
	PYTHONPATH=cli:. $(TOOLS)/python scripts/site.py

bench: .venv/ready .local/venv/ready ## Compare with the usual shell line
	$(TOOLS)/python -m benchmarks
	PYTHONPATH=functions:layers $(TOOLS)/python -m benchmarks.large_account --principals 1010 --json benchmarks/large_account.json

bench-rotation: .venv/ready .local/venv/ready ## Measure key rotation: calls, memory, 500 users at once, the crash matrix
	for measurement in benchmarks.rotation_calls benchmarks.access_key_rotation benchmarks.rotation_throughput \
	  tests.unit.access_key_rotation.crash_matrix; do \
	  PYTHONPATH=functions:layers:. $(TOOLS)/python -m $$measurement || exit 1; done

release: .venv/ready .local/venv/ready ## Build a release into dist/, the same bytes each time, and tag it (VERSION=0.1.0, TAG= for no tag)
	$(TOOLS)/python -m deployment release $(or $(VERSION),$(error which version? make release VERSION=0.1.0)) $(if $(TAG),--tag)

## AWS

DEPLOYMENT = PYTHONPATH=functions:layers .local/venv/bin/python -m deployment $@ $(if $(SETTINGS),--settings "$(SETTINGS)") \
  $(if $(ARCHITECTURE),--architecture $(ARCHITECTURE)) $(if $(GUIDED),--guided) $(if $(YES),--yes)

build: .local/venv/ready check-settings ## Build for AWS (ARCHITECTURE=x86_64 instead of arm64, SETTINGS=folder)
	$(DEPLOYMENT)

deploy: build ## Build and deploy to AWS (GUIDED=1 asks for the parameters and saves them, YES=1 never prompts, SETTINGS=folder)
	$(DEPLOYMENT)

deploy-global-events: .local/venv/ready ## Deploy the small stack of us-east-1, for any other home region (GUIDED=1, YES=1, SETTINGS=folder)
	$(DEPLOYMENT)

doctor: .venv/ready ## Say whether AWS has what the deployed stack needs, and how to mend what is broken (SETTINGS=folder)
	@PYTHONPATH=functions:layers:. $(TOOLS)/python -m deployment.doctor $(if $(SETTINGS),--settings "$(SETTINGS)")

acceptance: .venv/ready .local/venv/ready ## Ask AWS what only a real account answers, of a stack of its own or STACK=ecr-steward (NAMES=20), and delete what it made
	@$(TOOLS)/python -m deployment.acceptance $(if $(STACK),--stack-name $(STACK)) --names $(or $(NAMES),20)

lock: .venv/ready ## Update the pinned dependencies
	$(PYTHON) -m venv .local/lock && .local/lock/bin/pip install --quiet uv
	cd layers/dependencies && ../../.local/lock/bin/uv pip compile --quiet --upgrade --python-version 3.13 \
	  --generate-hashes --no-emit-index-url --no-annotate --no-header requirements.in -o requirements.txt
	for name in dev local uv; do .local/lock/bin/uv pip compile --quiet --upgrade --python-version 3.13 --generate-hashes \
	  --no-emit-index-url --no-annotate --no-header requirements/$$name.in -o requirements/$$name.txt || exit 1; done
	cd cli && ../.local/lock/bin/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-annotate --no-header --no-emit-package iam-policy-compare pyproject.toml -o requirements.txt

## Environments: one for tests and checks, one for AWS on the laptop, because MiniStack and SAM pin conflicting versions

.venv/ready: requirements/dev.txt requirements/uv.txt
	@$(call environment,.venv,requirements/dev.txt)

.local/venv/ready: requirements/local.txt requirements/uv.txt
	@$(call environment,.local/venv,requirements/local.txt)

pip = $(1)/bin/pip install -qq --disable-pip-version-check --require-hashes

define environment
command -v $(PYTHON) >/dev/null && $(PYTHON) -c "" 2>/dev/null \
  || { echo "Python 3.13 is required and $(PYTHON) was not found: install it, or set its path: make PYTHON=/path/to/python3.13" >&2; exit 1; }
echo "setting up $(1) …"
$(PYTHON) -m venv --clear $(1)
{ $(call pip,$(1)) -r requirements/uv.txt && $(1)/bin/uv pip install --quiet --python $(1)/bin/python --require-hashes -r $(2); } \
  || { echo "uv cannot install $(2) here: pip does"; $(call pip,$(1)) -r $(2); }
touch $@
endef
