# All commands. `make help` is generated from the comments that begin with two hashes.

PYTHON ?= python3.13
PORT ?= 4570
TOOLS := .venv/bin
SAM := .local/venv/bin/sam
export PORT

.DEFAULT_GOAL := help
.PHONY: help start stop status logs clean test test-slow check check-settings settings format schemas bench bench-rotation lock build deploy \
  deploy-global-events

help: ## Show this
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-20s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

## AWS on the laptop

start: .local/venv/ready $(if $(SETTINGS),check-settings) ## Start AWS on the laptop, deploy, and demonstrate the main job (PORT=4570, KEEP=1, SETTINGS=folder)
	@.local/venv/bin/python -m local start $(if $(SETTINGS),--settings "$(SETTINGS)")

stop status logs clean: .local/venv/ready
	@.local/venv/bin/python -m local $@

stop: ## Stop it
status: ## Show what is running, where and since when
logs: ## Print the logs of the functions
clean: ## Stop it and remove everything it created

## Tests and checks

test: check .local/venv/ready ## Run all checks, and all tests except the slow ones
	$(TOOLS)/pytest -n 2 --dist loadfile --cov --cov-report=term -m "not slow"

test-slow: .venv/ready .local/venv/ready ## Run the slow tests: long property and corpus runs
	$(TOOLS)/pytest -m slow

check: .venv/ready .local/venv/ready check-settings ## Lint, types, architecture, template, secrets, settings
	$(TOOLS)/ruff check .
	$(TOOLS)/ruff format --check .
	$(TOOLS)/mypy
	$(TOOLS)/mypy --config-file tests/mypy.ini tests
	$(TOOLS)/mypy consumer/ecr_steward_credentials.py
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

bench: .venv/ready .local/venv/ready ## Compare with the usual shell line
	$(TOOLS)/python -m benchmarks

bench-rotation: .venv/ready .local/venv/ready ## Measure key rotation: calls, memory, 500 users at once, the crash matrix
	for measurement in benchmarks.rotation_calls benchmarks.access_key_rotation benchmarks.rotation_throughput \
	  tests.unit.access_key_rotation.crash_matrix; do \
	  PYTHONPATH=functions:layers:. $(TOOLS)/python -m $$measurement || exit 1; done

## AWS

DEPLOYMENT = .local/venv/bin/python -m deployment $@ $(if $(SETTINGS),--settings "$(SETTINGS)") \
  $(if $(ARCHITECTURE),--architecture $(ARCHITECTURE)) $(if $(GUIDED),--guided) $(if $(YES),--yes)

build: .local/venv/ready check-settings ## Build for AWS (ARCHITECTURE=x86_64 instead of arm64, SETTINGS=folder)
	$(DEPLOYMENT)

deploy: build ## Build and deploy to AWS (GUIDED=1 asks for the parameters and saves them, YES=1 never prompts, SETTINGS=folder)
	$(DEPLOYMENT)

deploy-global-events: .local/venv/ready ## Deploy the small stack of us-east-1, for any other home region (GUIDED=1, YES=1, SETTINGS=folder)
	$(DEPLOYMENT)

lock: .venv/ready ## Update the pinned dependencies
	$(PYTHON) -m venv .local/lock && .local/lock/bin/pip install --quiet uv
	cd layers/dependencies && ../../.local/lock/bin/uv pip compile --quiet --upgrade --python-version 3.13 \
	  --generate-hashes --no-emit-index-url --no-annotate --no-header requirements.in -o requirements.txt
	for name in dev local; do .local/lock/bin/uv pip compile --quiet --upgrade --python-version 3.13 --generate-hashes \
	  --no-emit-index-url --no-annotate --no-header requirements/$$name.in -o requirements/$$name.txt || exit 1; done

## Environments: one for tests and checks, one for AWS on the laptop, because MiniStack and SAM pin conflicting versions

.venv/ready: requirements/dev.txt
	@$(call environment,.venv,requirements/dev.txt)

.local/venv/ready: requirements/local.txt
	@$(call environment,.local/venv,requirements/local.txt)

define environment
command -v $(PYTHON) >/dev/null && $(PYTHON) -c "" 2>/dev/null \
  || { echo "Python 3.13 is required and $(PYTHON) was not found: install it, or set its path: make PYTHON=/path/to/python3.13" >&2; exit 1; }
echo "setting up $(1) …"
$(PYTHON) -m venv --clear $(1) && $(1)/bin/pip install -qq --disable-pip-version-check --require-hashes -r $(2) && touch $@
endef
