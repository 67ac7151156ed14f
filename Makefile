# The few things one does here. Each sets up what it needs; nothing has to be installed by hand but Python 3.11 or newer.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
# What a user gets, and nothing beside it: no package of the tests.
USER_VENV ?= .venv-user
PIP    := -q --disable-pip-version-check
LOCKS  := templates/lock/runtime.txt templates/lock/ci.txt

.PHONY: help demo test lint types bench schema build lock sbom audit secrets clean

help:
	@echo "make demo    the main job against the local sandbox: validate, plan, apply, plan again, one change that is refused until its tests pass, pull, a call, a report"
	@echo "make test    every test, over real sockets"
	@echo "make lint    ruff and the import layers"
	@echo "make types   mypy --strict"
	@echo "make bench   the benchmarks, as ratios in one run; needs node and npm for the Express server"
	@echo "make schema OPENAPI=FILE    the facts in schema/ from the vendor's OpenAPI file"
	@echo "make build   wheel and sdist into dist/"
	@echo "make lock    the lock files from pyproject.toml; ARGS=--upgrade for the newest versions"
	@echo "make sbom    what is shipped, as CycloneDX, into dist/"
	@echo "make audit   known vulnerabilities of all that is locked; asks pypi.org"
	@echo "make secrets that nothing in the tree is a secret which is not in .secrets.baseline"

$(VENV)/.ready: pyproject.toml requirements-dev.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install $(PIP) --require-hashes -r requirements-dev.txt
	$(BIN)/pip install $(PIP) --no-deps --no-build-isolation -e .
	@touch $@

$(USER_VENV)/.ready: pyproject.toml
	$(PYTHON) -m venv $(USER_VENV)
	$(USER_VENV)/bin/pip install $(PIP) -e .
	@touch $@

demo: $(USER_VENV)/.ready
	@VOICEOPS="$(abspath $(USER_VENV)/bin)/voiceops" PYTHON="$(abspath $(USER_VENV)/bin)/python" sh scripts/demo.sh

test: $(VENV)/.ready
	$(BIN)/pytest -n auto --dist worksteal $(ARGS)

lint: $(VENV)/.ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: $(VENV)/.ready
	$(BIN)/mypy

bench: $(VENV)/.ready
	@missed=0; for part in benchmarks benchmarks.runtime benchmarks.runtime_calls; do \
		$(BIN)/python -m $$part || missed=1; done; exit $$missed

schema: $(VENV)/.ready
	$(BIN)/python scripts/make_schema.py $(OPENAPI)

build: $(VENV)/.ready
	$(BIN)/python -m voiceops.packaging dist
	$(BIN)/hatchling build -t sdist -d dist

lock: $(VENV)/.ready
	UV=$(BIN)/uv sh scripts/make_locks.sh $(ARGS)

sbom: $(VENV)/.ready
	@mkdir -p dist
	@for lock in $(LOCKS); do name=$$(basename $$lock .txt); \
		$(BIN)/python -W ignore -m cyclonedx_py requirements --pyproject pyproject.toml --output-reproducible \
			-o dist/voiceops-$$name.cdx.json $$lock && echo "dist/voiceops-$$name.cdx.json"; done

audit: $(VENV)/.ready
	@$(BIN)/python scripts/audit.py $(LOCKS) requirements-dev.txt

# What is found and is none: detect-secrets scan --baseline .secrets.baseline, then look at its diff.
secrets: $(VENV)/.ready
	@code=0; $(BIN)/detect-secrets-hook --baseline .secrets.baseline $$(git ls-files) || code=$$?; \
		[ $$code -eq 0 ] || [ $$code -eq 3 ] || exit $$code; # 3: only lines moved, and the baseline has the new ones
	@echo "No secret that is not in .secrets.baseline."

clean:
	rm -rf $(VENV) $(USER_VENV) dist .mypy_cache .ruff_cache .hypothesis .import_linter_cache
