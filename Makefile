# `make lab` and `make test` set up what is missing, and nothing twice.
PYTHON := $(shell command -v python3.11 || command -v python3)
VENV := .venv
READY := $(VENV)/ready
BIN := $(VENV)/bin
# In a container you may be root, and Jupyter wants that said.
AS_ROOT := $(if $(filter 0,$(shell id -u)),--allow-root)

.PHONY: lab test notebooks bench class links

lab: $(READY)  ## open the first lesson in JupyterLab
	$(BIN)/jupyter lab $(AS_ROOT) notebooks/01_stack.ipynb

test: $(READY)  ## check the code, run every notebook and all tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python -m pytest

notebooks: $(READY)  ## run the notebooks again and store their outputs
	$(BIN)/python -m tests.store

bench: $(READY)  ## print how good the stopwatch is, how live the panel, how fast the loaders
	$(BIN)/python -m tests.bench_timing
	$(BIN)/python -m tests.bench_explorer
	$(BIN)/python -m tests.bench_loading

links: $(READY)  ## print the links that open the lessons on Binder or a JupyterHub
	$(BIN)/python -m utils.links

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
