# Every target sets up what it needs by itself (scripts/bootstrap) and is quick when that is done.
# Paths stay relative, and tools are run as modules: both keep working in a folder with spaces and quotes in its name.

PYTHON := .venv/bin/python
WORKERS := 2
AGENT_TESTS := -p tests.real_agents.matrix -m real_agents -n $(WORKERS) --dist worksteal tests/real_agents
# Only when the lock file is newer than what is there.
NPM_CI := { [ node_modules/.package-lock.json -nt package-lock.json ] || npm ci --silent; }

.PHONY: help setup demo test test-agents agents test-extension vsix test-vscode bench-vscode check lint format soak bench \
	generate picture clean

help:
	@echo 'make demo         a whole run with the built-in agents, in a scratch project'
	@echo 'make test         everything that is checked before a change lands'
	@echo 'make vsix         builds the extension for VS Code, with the server inside'
	@echo 'make test-vscode  installs a real VS Code into .editors and uses the extension there as a person does'
	@echo 'make test-agents  installs Claude Code and Codex into .agents and tests with them'
	@echo 'make agents       tests every published agent in .agents and writes the table in docs/agents.md'
	@echo 'make lint         only the style and type checks'
	@echo 'make format       puts style right where that can be done by a program'
	@echo 'make generate     writes the generated pages again'
	@echo 'make bench        measures, and prints ratios; make bench-vscode: the extension in the real editor'
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

test: lint test-extension
	@$(PYTHON) -m pytest -n $(WORKERS) --dist worksteal

# A machine without node.js still tests the server; what the server's side generates is tested there as well.
test-extension: setup
	@if command -v npm >/dev/null 2>&1; then \
		cd vscode-extension && $(NPM_CI) && npm run --silent check && npm test --silent; \
	else \
		echo 'test-extension: not tested, because node.js (20 or newer) with npm is not here'; \
	fi

vsix: setup
	@cd vscode-extension && $(NPM_CI) && npm run --silent package

# In the real editor, a machine's own moods are part of the test: a failed one has two more tries, and that is said.
test-vscode: vsix
	@$(PYTHON) vscode-extension/test/user/install.py
	@cd vscode-extension/test/user && $(NPM_CI) && npm run --silent check && npm test --silent

bench-vscode: vsix
	@$(PYTHON) vscode-extension/test/user/install.py
	@cd vscode-extension/test/user && $(NPM_CI) && npm run --silent bench

check: test

test-agents: setup
	@$(PYTHON) tests/real_agents/install.py claude codex
	@$(PYTHON) -m pytest $(AGENT_TESTS) -k 'claude or codex' --reruns 1

agents: setup
	@$(PYTHON) -m pytest $(AGENT_TESTS) --matrix docs/agents.md

soak: setup
	@$(PYTHON) -m benchmarks.soak

bench: setup
	@$(PYTHON) -m benchmarks

generate: setup
	@$(PYTHON) -m scripts.generate

picture: setup
	@$(PYTHON) scripts/picture.py

clean:
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache dist vscode-extension/node_modules vscode-extension/dist vscode-extension/*.vsix
