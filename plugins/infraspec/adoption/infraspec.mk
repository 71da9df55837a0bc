# In the Makefile: include infraspec.mk
INFRASPEC_VENV ?= .infraspec
ENV ?=

$(INFRASPEC_VENV)/.installed:
	python3 -m venv $(INFRASPEC_VENV)
	$(INFRASPEC_VENV)/bin/python -m pip install --quiet "{requirement}"
	@touch $@

.PHONY: infraspec
infraspec: $(INFRASPEC_VENV)/.installed ## Prove that the infrastructure is what infraspec.toml says: ENV=prod
	$(INFRASPEC_VENV)/bin/infraspec check $(if $(ENV),--env="$(ENV)")

.PHONY: infraspec-doctor
infraspec-doctor: $(INFRASPEC_VENV)/.installed ## Say what keeps infraspec from knowing all
	$(INFRASPEC_VENV)/bin/infraspec doctor
