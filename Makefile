# The few things one does here. Each sets up what it needs; nothing has to be installed by hand but Python 3.11 or newer.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin

.PHONY: help demo test lint types bench schema build clean

help:
	@echo "make demo    the main job against the local sandbox: validate, plan, apply, plan again, one change"
	@echo "make test    every test, over real sockets"
	@echo "make lint    ruff and the import layers"
	@echo "make types   mypy --strict"
	@echo "make bench   the benchmarks, as ratios in one run"
	@echo "make schema OPENAPI=FILE    the facts in schema/ from the vendor's OpenAPI file"
	@echo "make build   wheel and sdist into dist/"

$(VENV)/.ready: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install -q --disable-pip-version-check -U "pip>=25.1"
	$(BIN)/pip install -q --disable-pip-version-check -e . --group dev
	@touch $@

demo: $(VENV)/.ready
	@VOICEOPS="$(abspath $(BIN))/voiceops" PYTHON="$(abspath $(BIN))/python" sh scripts/demo.sh

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
	$(BIN)/pip wheel -q --no-deps -w dist .

clean:
	rm -rf $(VENV) dist .mypy_cache .ruff_cache .hypothesis .import_linter_cache
