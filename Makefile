# Everything runs in a locked environment in .venv, which the first target that needs it sets up.
# Only python3 (3.11, 3.12 or 3.13, with venv) and make have to be there.

.DEFAULT_GOAL := help
.PHONY: help setup setup-traces distill demo studio traces test lint bench python-found

# The first of these that fits; `make PYTHON=/path/to/python3 ...` names another.
ifndef PYTHON
PYTHON := $(shell for p in python3 python3.13 python3.12 python3.11; do "$$p" -c \
	'import sys; (3, 11) <= sys.version_info < (3, 14) or sys.exit(1); print(sys._base_executable)' \
	2>/dev/null && break; done)
endif
UV := $(if $(shell command -v uv 2>/dev/null),uv,.uv/bin/uv)
RUN := .venv/bin/python

# uv takes the python found here (it downloads none) and this folder's .venv, whichever is active.
export UV_PYTHON := $(PYTHON)
export UV_PYTHON_DOWNLOADS := never
export UV_PROJECT_ENVIRONMENT := .venv
export UV_COMPILE_BYTECODE := 1
unexport VIRTUAL_ENV

# By value and through the environment, so that any file name reaches the program as it is.
export NKR_VIDEO := $(value VIDEO)
unexport VIDEO

help:
	@echo 'make distill VIDEO=talk.mp4   distil a video into an NKR (the first run sets everything up)'
	@echo 'make demo                     distil a sample clip and ask it three questions'
	@echo 'make studio                   serve the graphs to LangGraph Studio, on this machine alone'
	@echo 'make traces                   open the MLflow page of the runs made with --trace'
	@echo 'make setup                    set up everything, the development tools included'
	@echo 'make test                     run the tests'
	@echo 'make lint                     ruff and mypy'
	@echo 'make bench                    measure speed and recall; prints JSON'
	@echo 'More options for a run: make distill VIDEO=talk.mp4 ARGS="--max-minutes 5 --seed 1"'

setup: .venv/.setup-dev

ifdef VIDEO
distill: .venv/.setup
	@$(RUN) -m graphs.distill --video="$$NKR_VIDEO" $(ARGS)
else
distill: demo
endif

demo: .venv/.setup
	@$(RUN) -m evals.demo

setup-traces: .venv/.setup-trace

RUNS ?= runs
traces: .venv/.setup-trace
	@MLFLOW_DISABLE_TELEMETRY=true DO_NOT_TRACK=1 MLFLOW_MODEL_CATALOG_URI= .venv/bin/mlflow ui --host 127.0.0.1 --port 5000 \
		--backend-store-uri "sqlite:///$(RUNS)/traces.sqlite" $(ARGS)

# Without its restarts at every change of a file, and without the telemetry that it would send.
studio: .venv/.setup-dev
	@LANGGRAPH_CLI_NO_ANALYTICS=1 LANGGRAPH_NO_VERSION_CHECK=true \
		.venv/bin/langgraph dev --no-browser --no-reload --allow-blocking $(ARGS)

# Two processes of one thread each; for one test, name it: make test ARGS=tests/test_fit.py
test: .venv/.setup-dev
	OMP_NUM_THREADS=1 $(RUN) -m pytest $(or $(ARGS),-n 2 --dist worksteal)

lint: .venv/.setup-dev
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .
	$(RUN) -m mypy

bench: .venv/.setup
	@$(RUN) -m evals.smoke --json

# --inexact keeps the development tools of an environment that has them.
.venv/.setup: pyproject.toml uv.lock | python-found $(filter .uv/bin/uv,$(UV))
	$(UV) sync --locked --no-dev --inexact
	@touch $@

.venv/.setup-trace: pyproject.toml uv.lock | python-found $(filter .uv/bin/uv,$(UV))
	$(UV) sync --locked --no-dev --inexact --extra trace
	@touch .venv/.setup $@

.venv/.setup-dev: pyproject.toml uv.lock | python-found $(filter .uv/bin/uv,$(UV))
	$(UV) sync --locked --all-extras
	@touch .venv/.setup .venv/.setup-trace $@

.uv/bin/uv: | python-found
	@"$(PYTHON)" -m venv --clear .uv || { rm -rf .uv; echo "error: $(PYTHON) cannot make a virtual" \
		"environment; install its venv module (on Debian and Ubuntu: apt install python3-venv)." >&2; exit 2; }
	.uv/bin/python -m pip install --quiet 'uv>=0.9'

python-found:
	@test -n "$(PYTHON)" || { echo "error: no Python 3.11, 3.12 or 3.13 was found; install one," \
		"or name it: make PYTHON=/path/to/python3 ..." >&2; exit 2; }
