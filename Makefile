# The two commands of a newcomer are `make run` and `make test`; each prepares all that it needs.
# A virtual environment elsewhere: make VENV=/path/to/venv ...   One part of the suite: make test TESTS="tests/jobs -x"

VENV ?= .venv
HOST ?= 127.0.0.1
PORT ?= 8000
TESTS ?=
# Processes among which the whole suite is shared out (tests/pieces.py); a part of it is run in one. Two take up to nine
# gigabytes together: where memory is less than eleven, one has to do.
WORKERS ?= $(if $(TESTS),0,$(shell awk '/^MemTotal/ { print ($$2 > 11000000) ? 2 : 0 }' /proc/meminfo 2>/dev/null || echo 0))

PY := $(VENV)/bin/python
INSTALLED := $(VENV)/.requirements-installed
DEV_INSTALLED := $(VENV)/.requirements-dev-installed

.PHONY: help run test check install install-dev lint types contracts migrations deploy-check bench clean
.NOTPARALLEL:
.DEFAULT_GOAL := help

help:
	@echo 'make run      prepare everything, then the site on http://$(HOST):$(PORT), worker included'
	@echo 'make test     prepare everything, then the whole suite'
	@echo 'make check    linters, types, import contracts, migrations, deployment checks, then the suite (what CI runs)'
	@echo 'make bench    print the benchmarks'
	@echo 'make install  only build $(VENV)'
	@echo 'make clean    remove caches and build products (never var/, which holds the data)'

# --- Environment ----------------------------------------------------------------------------------------------------
# TensorFlow 2.19 and mediapipe 0.10.21 have wheels for Python 3.11 and 3.12 and for nothing newer.
$(PY):
	@for candidate in $(PYTHON) python3.12 python3.11 python3 python; do \
	    if "$$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 12))' 2>/dev/null; then \
	        echo "Building $(VENV) with $$("$$candidate" --version)"; \
	        "$$candidate" -m venv $(VENV) && exit 0; \
	        rm -rf $(VENV); \
	        echo 'That Python cannot make virtual environments. On Debian or Ubuntu: apt-get install python3-venv' >&2; \
	        exit 1; \
	    fi; \
	done; \
	echo 'Python 3.11 or 3.12 is needed and was not found. Name one: make install PYTHON=/path/to/python3.12' >&2; exit 1

# OpenCV (which mediapipe brings) is linked against these two; without them it fails at the first picture, not here.
$(INSTALLED): requirements.txt constraints.txt | $(PY)
	@if [ "$$(uname -s)" = Linux ]; then $(PY) -c 'import ctypes; ctypes.CDLL("libGL.so.1"); ctypes.CDLL("libglib-2.0.so.0")' 2>/dev/null || { \
	    echo 'OpenCV needs libGL and GLib, and they are not here. On Debian or Ubuntu: apt-get install libgl1 libglib2.0-0' >&2; exit 1; }; fi
	$(PY) -m pip install --disable-pip-version-check -q -r requirements.txt
	@touch $@

$(DEV_INSTALLED): requirements-dev.txt $(INSTALLED)
	$(PY) -m pip install --disable-pip-version-check -q -r requirements-dev.txt
	@touch $@

install: $(INSTALLED)

install-dev: $(DEV_INSTALLED)

# --- The site -------------------------------------------------------------------------------------------------------
run: install
	$(PY) manage.py migrate --noinput --verbosity 0
	$(PY) manage.py serve --host $(HOST) --port $(PORT)

# --- The checks -----------------------------------------------------------------------------------------------------
test: install
	$(PY) -m pytest -n $(WORKERS) $(TESTS)

check: install-dev lint types contracts migrations deploy-check
	$(PY) -m pytest -n $(WORKERS) $(TESTS)

lint: install-dev
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .

types: install-dev
	$(PY) -m mypy

contracts: install-dev
	$(VENV)/bin/lint-imports --no-cache

# Both read settings only; the data directory of a developer stays out of it.
migrations: install
	UNMASK_DATA_DIR=build/check $(PY) manage.py makemigrations --check --dry-run --verbosity 1

deploy-check: install
	UNMASK_DATA_DIR=build/check UNMASK_ENV=production UNMASK_ALLOWED_HOSTS=unmask.example REDIS_URL=redis://127.0.0.1:6379/0 \
	    DATABASE_URL=postgres://unmask:unmask@127.0.0.1:5432/unmask UNMASK_EMAIL_URL=smtp://127.0.0.1:25 \
	    UNMASK_SECRET_KEY="$$($(PY) -c 'import secrets; print(secrets.token_urlsafe(64))')" \
	    $(PY) manage.py check --deploy --fail-level WARNING

bench: install
	$(PY) -m benchmarks

clean:
	rm -rf build .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache test-results staticfiles
	find . -path ./$(VENV) -prune -o -name __pycache__ -type d -exec rm -rf {} +
