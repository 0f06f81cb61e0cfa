# Every target sets up what it needs by itself (scripts/bootstrap) and is quick when that is done.
# Paths stay relative, and tools are run as modules: both keep working in a folder with spaces and quotes in its name.

PYTHON := .venv/bin/python
WORKERS := 2

.PHONY: help setup demo test test-agents check lint format soak bench generate picture clean

help:
	@echo 'make demo         a whole run with the built-in agents, in a scratch project'
	@echo 'make test         everything that is checked before a change lands'
	@echo 'make test-agents  installs published agents into .agents and tests with them'
	@echo 'make lint         only the style and type checks'
	@echo 'make format       puts style right where that can be done by a program'
	@echo 'make generate     writes the generated pages again'
	@echo 'make bench        measures, and prints ratios'
	@echo 'make soak         the long run: random kills for hours'
	@echo 'make picture      draws the demo for the README'
	@echo 'make clean        removes what the other targets made'

setup:
	@scripts/bootstrap

demo: setup
	@$(PYTHON) -m politerm demo

lint: setup
	@$(PYTHON) -m ruff check .
	@$(PYTHON) -m ruff format --check .
	@$(PYTHON) -m mypy

format: setup
	@$(PYTHON) -m ruff check --fix .
	@$(PYTHON) -m ruff format .

test: lint
	@$(PYTHON) -m pytest -n $(WORKERS) --dist worksteal

check: test

test-agents: setup
	@$(PYTHON) tests/real_agents/install.py
	@$(PYTHON) -m pytest tests/real_agents -m real_agents

soak: setup
	@$(PYTHON) -m benchmarks.soak

bench: setup
	@$(PYTHON) -m benchmarks

generate: setup
	@$(PYTHON) scripts/generate.py

picture: setup
	@$(PYTHON) scripts/picture.py

clean:
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache dist
