# What one does with a checkout. `make` alone lists it.
# Needs make and a Python from 3.11 on; everything else goes into .venv, from hashed locks.

VENV ?= .venv
BIN := $(VENV)/bin
PYTHON ?=
ARGS ?=
SOURCES := $(wildcard cronzimus tests benchmarks release examples setup.py)
PACKAGE_INPUTS := pyproject.toml setup.py VERSION
# Without bytecode every process, and every one the tests start, compiles a thousand files again.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help install install-dev run test lint types format security bench release lock clean

help: ## this list
	@awk 'BEGIN { FS = ":.*## " } /^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: $(VENV)/.installed-run ## make .venv with what the service needs
	@echo "ready: $(BIN)/cronzimus"

install-dev: $(VENV)/.installed-dev

run: $(VENV)/.installed-run ## start on port 5000, development settings; Ctrl-C ends it (ARGS="--port 5050")
	@exec env CRONZIMUS_ENV=development $(BIN)/cronzimus serve $(ARGS)

test: $(VENV)/.installed-dev ## run the test suite (ARGS="tests/models -k cron")
	@$(BIN)/python -m pytest -n auto -q $(ARGS)

lint: $(VENV)/.installed-dev ## black, isort, flake8, mypy and the import contracts; changes nothing
	@$(BIN)/python -m black --check --quiet $(SOURCES) || { echo "black: run make format"; exit 1; }
	@$(BIN)/python -m isort --check-only --quiet $(SOURCES) || { echo "isort: run make format"; exit 1; }
	@$(BIN)/python -m flake8 $(SOURCES)
	@$(BIN)/lint-imports --no-logo
	@$(MAKE) --no-print-directory types

types: $(VENV)/.installed-dev ## mypy --strict on the package
	@$(BIN)/python -m mypy --strict

format: $(VENV)/.installed-dev ## isort and black, in place
	@$(BIN)/python -m isort --quiet $(SOURCES)
	@$(BIN)/python -m black --quiet $(SOURCES)

# The development lock holds every pin of the other.
security: $(VENV)/.installed-dev ## bandit, known holes in the pinned packages, secrets in the tree
	@$(BIN)/python -m bandit --quiet --recursive --configfile pyproject.toml cronzimus
	@$(BIN)/python -m tests.house.dependency_scan requirements-dev.txt
	@$(BIN)/python -m tests.house.secret_scan

bench: $(VENV)/.installed-dev ## measure Cronzimus against its peers and print a table
	@$(BIN)/python -m benchmarks $(ARGS)

release: $(VENV)/.installed-dev ## build, check and try out what a release consists of, into dist/ (ARGS=--all-pythons)
	@$(BIN)/python -m release $(ARGS)

lock: $(VENV)/.installed-dev ## write requirements*.txt again (ARGS=--upgrade for newer releases)
	@$(call compile,requirements.txt,)
	@$(call compile,requirements-dev.txt,--all-extras --group dev --constraints requirements.txt)
	@$(call compile,docker/requirements.txt,--all-extras --constraints requirements-dev.txt)

clean: ## remove caches and build output; data, config, logs and .venv stay
	@rm -rf build dist htmlcov .coverage .coverage.* *.egg-info
	@rm -rf .pytest_cache .mypy_cache .import_linter_cache .hypothesis .schemathesis
	@find . \( -path ./.git -o -path ./$(VENV) -o -path ./data -o -path ./config -o -path ./logs \) -prune \
		-o -type d -name __pycache__ -exec rm -rf {} +

# --- how it is done -------------------------------------------------------------------------------------------

compile = $(BIN)/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 \
	--custom-compile-command "make lock" --constraints requirements.in $(2) $(ARGS) pyproject.toml --output-file $(1)

# The stamps make a second call instant; the development set contains the other.
$(VENV)/.installed-run: requirements.txt $(PACKAGE_INPUTS) | $(BIN)/pip
	@$(call install_from,requirements.txt)
	@touch $@

$(VENV)/.installed-dev: requirements.txt requirements-dev.txt $(PACKAGE_INPUTS) | $(BIN)/pip
	@$(call install_from,requirements-dev.txt)
	@touch $(VENV)/.installed-run $@

# uv does in seconds what takes pip minutes, so it is used where it is at hand or comes by itself. It does not read
# pip's configuration: whoever has set an index of their own gets pip.
define install_from
echo "installing $(1) into $(VENV)"; uv=; pip="$(BIN)/python -m pip --disable-pip-version-check"; \
if ! $$pip config list 2>/dev/null | grep -Eq '[.](index-url|no-index)='; then \
	uv=$$(command -v uv || true); \
	if [ -z "$$uv" ]; then \
		awk '/^uv==/ { on = 1 } on { print } on && !/\\$$/ { exit }' requirements-dev.txt > $(VENV)/uv.txt; \
		$$pip install --quiet --require-hashes -r $(VENV)/uv.txt >/dev/null 2>&1 && uv=$(BIN)/uv; \
	fi; \
fi; \
if [ -n "$$uv" ]; then \
	export UV_SYSTEM_CERTS=true UV_NATIVE_TLS=true; \
	$$uv pip install --quiet --python $(BIN)/python --require-hashes -r $(1) >/dev/null 2>&1 \
		&& $$uv pip install --quiet --python $(BIN)/python --no-deps -e . >/dev/null 2>&1 && exit 0; \
fi; \
$$pip install --quiet --use-pep517 --require-hashes -r $(1) && $$pip install --quiet --no-deps -e .
endef

# pip is the last thing a new environment gets: where it is, the environment is whole.
$(BIN)/pip:
	@found=; for python in $(or $(PYTHON),python3.13 python3.12 python3.11 python3); do \
		version=$$($$python -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) || continue; \
		found="$$found $$python is $$version;"; \
		$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' || continue; \
		if ! $$python -c 'import ensurepip, venv' 2>/dev/null; then lacking=$$version; continue; fi; \
		if [ -x $(BIN)/python ]; then clear=; else clear=--clear; fi; \
		echo "making $(VENV) with Python $$version"; exec $$python -m venv $$clear $(VENV); \
	done; \
	if [ -n "$$lacking" ]; then \
		echo "Python $$lacking cannot make virtual environments here. On Debian: apt install python$$lacking-venv" >&2; \
	else \
		echo "Cronzimus needs Python 3.11 or newer; found:$${found:- none}." >&2; \
		echo "Install one, or name it: make install PYTHON=/path/to/python3.12" >&2; \
	fi; exit 1
