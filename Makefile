# Each command sets up what is missing, and nothing twice. `make help` lists them.
PYTHON := $(shell command -v python3.11 || command -v python3)
VENV := .venv
READY := $(VENV)/ready
BIN := $(VENV)/bin
# In a container you may be root, and Jupyter wants that said.
AS_ROOT := $(if $(filter 0,$(shell id -u)),--allow-root)
# Two processes, a module's tests in one of them, in the order in which they stand.
IN_PARALLEL := --numprocesses=2 --dist=loadscope --no-loadscope-reorder
NBVAL := --nbval --nbval-current-env --nbval-cell-timeout=120
# What proves single parts: no browser, no class of students, no notebook that is run.
UNITS := $(filter-out tests/__init__.py tests/bench tests/browser tests/classroom,$(wildcard tests/*))

.PHONY: help lab check lint test thorough notebooks lesson bench class links

help:  ## list the commands
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' Makefile | expand -t 18

lab: $(READY)  ## open the first lesson in JupyterLab
	$(BIN)/jupyter lab $(AS_ROOT) notebooks/01_stack.ipynb

check: lint  ## after each change: lint, types, unit tests, the stored form of the notebooks
	$(BIN)/python -m pytest $(IN_PARALLEL) -m "not thorough" $(UNITS)

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy utils

test: lint  ## all that proves the collection; every notebook is run once
	$(BIN)/python -m pytest $(IN_PARALLEL) $(NBVAL) -m "not thorough" tests notebooks

thorough: $(READY)  ## what takes long: small machines, other orders, whole classes, environments
	$(BIN)/python -m pytest $(IN_PARALLEL) -m thorough tests

notebooks: $(READY)  ## run the notebooks again and store their outputs
	$(BIN)/python -m utils.authoring.store

lesson: $(READY)  ## start a lesson from the template, with NAME=08_batch_size
	$(BIN)/python -m utils.authoring.new_lesson $(NAME)

bench: $(READY)  ## print how good the stopwatch is, how live the panel, how fast the loaders
	$(BIN)/python -m tests.bench.timing
	$(BIN)/python -m tests.bench.explorer
	$(BIN)/python -m tests.bench.loading
	$(BIN)/python -m tests.bench.guarantees
	$(BIN)/python -m tests.bench.field

links: $(READY)  ## print the links that open the lessons on Binder or a JupyterHub
	$(BIN)/python -m utils.authoring.links

COURSE ?= .course
SEED ?= 1

class: $(READY)  ## build the assignments in COURSE with SEED; grade what was handed in
	$(BIN)/python -m utils.classroom build $(COURSE) --seed $(SEED)
	test ! -d $(COURSE)/submitted || $(BIN)/python -m utils.classroom grade $(COURSE)
	test ! -d $(COURSE)/submitted || $(BIN)/python -m utils.classroom feedback $(COURSE)
	test ! -d $(COURSE)/submitted || $(BIN)/python -m utils.classroom export $(COURSE)

$(READY): requirements.txt pyproject.toml
	test -d $(VENV) || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --requirement requirements.txt
	$(BIN)/python -m pip install --quiet --no-deps --editable .
	touch $(READY)
