# Every target sets up what it needs by itself (scripts/bootstrap) and is quick when that is done.
# Paths stay relative, and tools are run as modules: both keep working in a folder with spaces and quotes in its name.

PYTHON := .venv/bin/python
WORKERS := 2
AGENT_TESTS := -p tests.real_agents.matrix -m real_agents -n $(WORKERS) --dist worksteal tests/real_agents

.PHONY: help setup demo test test-agents agents check lint format soak bench generate picture clean

help:
	@echo 'make demo         a whole run with the built-in agents, in a scratch project'
	@echo 'make test         everything that is checked before a change lands'
	@echo 'make test-agents  installs Claude Code and Codex into .agents and tests with them'
	@echo 'make agents       tests every published agent in .agents and writes the table in docs/agents.md'
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
	@$(PYTHON) tests/real_agents/install.py claude codex
	@$(PYTHON) -m pytest $(AGENT_TESTS) -k 'claude or codex'

agents: setup
	@$(PYTHON) -m pytest $(AGENT_TESTS) --matrix docs/agents.md

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
