# Every command there is. `make help` is made from the comments that begin with two hashes.

PYTHON ?= python3.13
PORT ?= 4570
TOOLS := .venv/bin
SAM := .local/venv/bin/sam
export PORT

.DEFAULT_GOAL := help
.PHONY: help start stop status logs clean test test-slow check check-settings format bench bench-rotation lock build deploy

help: ## Show this
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

## AWS on the laptop

start: .local/venv/ready ## Start AWS on the laptop, deploy, and show the main job (PORT=4570, KEEP=1 keeps the state)
	@.local/venv/bin/python -m local start

stop status logs clean: .local/venv/ready
	@.local/venv/bin/python -m local $@

stop: ## Stop it
status: ## Say what runs, where and since when
logs: ## Print the logs of the functions
clean: ## Stop it and remove everything it made

## Tests and checks

test: check .local/venv/ready ## Pass every check and every test
	$(TOOLS)/pytest -n 2 --dist loadfile --cov --cov-report=term -m "not slow"

test-slow: .venv/ready .local/venv/ready ## Run the long property and corpus tests, too
	$(TOOLS)/pytest -m slow

check: .venv/ready .local/venv/ready check-settings ## Lint, types, architecture, template, settings
	$(TOOLS)/ruff check .
	$(TOOLS)/ruff format --check .
	$(TOOLS)/mypy
	$(TOOLS)/mypy consumer/ecr_steward_credentials.py
	PYTHONPATH=functions:layers $(TOOLS)/lint-imports --no-cache --no-logo
	$(TOOLS)/cfn-lint template.yaml global-events.yaml
	SAM_CLI_TELEMETRY=0 AWS_DEFAULT_REGION=eu-central-1 $(SAM) validate --lint

check-settings: .venv/ready ## Check the files that an operator edits
	@for check in functions/*/check_settings.py; do \
	  PYTHONPATH=functions:layers $(TOOLS)/python -m "$$(basename "$$(dirname "$$check")").check_settings" || exit 1; done

format: .venv/ready ## Put the code into form
	$(TOOLS)/ruff check --fix .
	$(TOOLS)/ruff format .

bench: .venv/ready .local/venv/ready ## Measure against what you would use instead
	$(TOOLS)/python -m benchmarks

bench-rotation: .venv/ready .local/venv/ready ## Measure key rotation: calls, memory, 500 users at once, the crash matrix
	for measurement in benchmarks.rotation_calls benchmarks.access_key_rotation benchmarks.rotation_throughput \
	  tests.unit.access_key_rotation.crash_matrix; do \
	  PYTHONPATH=functions:layers:. $(TOOLS)/python -m $$measurement || exit 1; done

## AWS

build: .local/venv/ready check-settings ## Build for AWS (ARCHITECTURE=arm64)
	$(SAM) build --parameter-overrides Architecture=$(or $(ARCHITECTURE),arm64)

deploy: build ## Build and deploy to AWS, asking for what it needs
	$(SAM) deploy --guided --parameter-overrides Architecture=$(or $(ARCHITECTURE),arm64)

lock: .venv/ready ## Pin the dependencies anew
	$(PYTHON) -m venv .local/lock && .local/lock/bin/pip install --quiet uv
	cd layers/dependencies && ../../.local/lock/bin/uv pip compile --quiet --upgrade --python-version 3.13 \
	  --generate-hashes --no-emit-index-url --no-annotate --no-header requirements.in -o requirements.txt
	for name in dev local; do .local/lock/bin/uv pip compile --quiet --upgrade --python-version 3.13 --generate-hashes \
	  --no-emit-index-url --no-annotate --no-header requirements/$$name.in -o requirements/$$name.txt || exit 1; done

## Environments: one for tests and checks, one for AWS on the laptop, because MiniStack and SAM pin what the other may not

.venv/ready: requirements/dev.txt
	@$(call environment,.venv,requirements/dev.txt)

.local/venv/ready: requirements/local.txt
	@$(call environment,.local/venv,requirements/local.txt)

define environment
command -v $(PYTHON) >/dev/null && $(PYTHON) -c "" 2>/dev/null \
  || { echo "Python 3.13 is needed and $(PYTHON) was not found: install it, or say where it is: make PYTHON=/path/to/python3.13" >&2; exit 1; }
echo "setting up $(1) …"
$(PYTHON) -m venv --clear $(1) && $(1)/bin/pip install -qq --disable-pip-version-check --require-hashes -r $(2) && touch $@
endef
