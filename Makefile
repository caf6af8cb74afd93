# Nightjar: `make run` shows it working, `make test` checks it. `make` alone lists everything.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
VENV ?= .venv
OUT ?= out
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PEERS ?= .venv-peers
MODES ?= exact
ROWS ?= 10000
SAMPLE := $(OUT)/sample
TABLES := $(OUT)/warehouse
NIGHTS := --from 2026-10-05 --to 2026-10-25

help: ## list the commands
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 16

java: ## check that Java 17 or newer is there
	@$(PYTHON) pipeline/java.py

setup: java $(STAMP) ## make .venv and install everything, once

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed; this is " + sys.version.split()[0] + ". Say which: make PYTHON=python3.11 ...")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	@touch $@

run: setup ## sample corpus, nightly job over its 21 nights, three answers in SQL
	@$(BIN)/python jobs/make_sample.py --out $(SAMPLE)
	@$(BIN)/python jobs/nightly.py --config conf/jobs/sample.yaml $(NIGHTS) --set input.path=$(SAMPLE)/corpus output.root=$(TABLES)
	@for query in conf/sql/sample_*.sql; do echo; sed 's/^/  /' $$query; $(BIN)/python jobs/sql.py --root $(TABLES) "$$(cat $$query)"; done

test: setup ## lint, types and tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -n 2 --dist loadfile

test-cluster: setup ## the nightly job on a real standalone master with two workers; the SQL server over the wire
	$(BIN)/python -m pytest -m cluster tests/cluster

test-patterns: setup ## the patterns on Spark: duplicates, phrases, rules, aspects, movements, topics over nights
	$(BIN)/python -m pytest -m patterns tests/patterns

test-airflow: setup ## the DAG of conf/scheduler in a real Airflow, in an environment of its own
	$(PYTHON) -m venv .venv-airflow
	.venv-airflow/bin/python -m pip install --quiet 'apache-airflow>=3,<4'
	rm -rf $(OUT)/airflow && mkdir -p $(OUT)/airflow
	$(BIN)/python jobs/make_sample.py --out $(SAMPLE)
	.venv-airflow/bin/python tests/airflow/run_dag.py $(BIN)/python $(SAMPLE)/corpus $(OUT)/airflow

test-faults: setup ## kills at random instants and at each step, workers that die or hang, limits, late data, random corpora
	$(BIN)/python -m pytest -m faults tests/faults

test-spark41: java ## the tests on PySpark 4.1 and pandas 2.2, in an environment of its own
	$(PYTHON) -m venv .venv-spark41
	grep -vE '^(pyspark|pandas)==' constraints.txt > .venv-spark41/constraints.txt
	.venv-spark41/bin/python -m pip install --quiet --constraint .venv-spark41/constraints.txt 'pyspark>=4.1,<4.2' 'pandas>=2.2,<2.3' --editable '.[dev]'
	.venv-spark41/bin/python -m pytest -n 2 --dist loadfile

bench: setup peers ## the engine against its peers, side by side; DATA="files or folders of Parquet with a text column"
	$(BIN)/python -m benchmarks.engine $(if $(DATA),--data $(DATA)) --modes $(MODES) --rows $(ROWS) --repeats 3 \
		--peers-python $(PEERS)/bin/python --out $(OUT)/bench-engine.json

peers: $(PEERS)/.installed

$(PEERS)/.installed: benchmarks/peers.txt
	$(PYTHON) -m venv $(PEERS)
	$(PEERS)/bin/python -m pip install --quiet --requirement benchmarks/peers.txt
	@touch $@

limits: setup ## what this machine allows the engine, and how near it comes
	$(BIN)/python -m benchmarks.limits $(if $(DATA),--data $(DATA)) --out $(OUT)/limits.json

dist: setup ## wheel, and the same bytes as a zip for --py-files
	$(BIN)/python -m build --wheel --outdir dist . > /dev/null
	cp dist/nightjar_analytics-*.whl dist/nightjar.zip

docs: setup ## regenerate the pages that are generated
	$(BIN)/python -m pipeline.tables_doc
	$(BIN)/python -m pipeline.results_doc
	$(BIN)/python tests/faults/matrix.py

clean: ## remove what was built and published here, not .venv
	rm -rf $(OUT) dist build *.egg-info

.PHONY: help java setup run test test-airflow test-cluster test-patterns test-faults test-spark41 bench peers limits dist docs clean
