# demo: the example city, swept and shown.  test: all tests.  check: what CI checks besides tests.
# bundle: one file that installs on a machine with no network, of this system and Python.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=
BUNDLE := dist/kapok-watch

.PHONY: demo test check bench soak lock bundle clean

demo: $(VENV)/.installed
	$(BIN)/kapok demo $(ARGS)

test: $(VENV)/.installed-dev
	@$(BIN)/python tests/postgres.py
	$(BIN)/python -m pytest -n auto --dist loadfile -q $(ARGS)

check: $(VENV)/.installed-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --verbose
	$(BIN)/python -m pytest -q -p no:cacheprovider tests/test_docs.py

bench: $(VENV)/.installed-dev
	$(BIN)/python -m benchmarks $(ARGS)

soak: $(VENV)/.installed-dev
	$(BIN)/python -m pytest -q -m soak $(ARGS)

lock: $(VENV)/.installed-dev
	$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes -q pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes -q pyproject.toml --group dev -o requirements-dev.lock

bundle: $(VENV)/.installed-dev
	rm -rf $(BUNDLE) $(BUNDLE).tar
	mkdir -p $(BUNDLE)/wheels
	$(BIN)/python -m pip download -q --disable-pip-version-check --require-hashes --no-deps --only-binary :all: -r requirements.lock -d $(BUNDLE)/wheels
	$(BIN)/python -m pip wheel -q --disable-pip-version-check --no-deps --no-build-isolation -w $(BUNDLE)/wheels .
	$(BIN)/python -m benchmarks.bundle $(BUNDLE)
	tar -C $(dir $(BUNDLE)) -cf $(BUNDLE).tar $(notdir $(BUNDLE))
	@ls -l $(BUNDLE).tar

clean:
	rm -rf var $(VENV)

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(v < (3, 11) and "Kapok Watch needs Python 3.11 or newer, found %d.%d; set PYTHON=" % v[:2])'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: requirements.lock pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps -e .
	touch $@

$(VENV)/.installed-dev: requirements-dev.lock $(VENV)/.installed
	$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements-dev.lock
	touch $@
