# Everything a person does with the press rig. `make` alone lists it.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

PRESS ?= emu://
CONTROLLER ?= rig.controller:make_controller
PROFILE ?= dev
SEED ?= 0
HOURS ?= 8

# a bare machine may have a pip older than its config; nothing here needs the latest
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.PHONY: help setup hil test coverage validate nightly mutants emulate firmware bench performance lint format docs window clean

help: ## list the targets
	@echo "press-rig: a virtual double-belt press on a serial port, and the bench to test its controller"
	@echo
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo
	@echo "  make hil PRESS=emu:// CONTROLLER=package.module:factory PROFILE=dev SEED=0"
	@echo "  make nightly HOURS=8 CONTROLLER=package.module:factory"

setup: $(READY) ## create .venv with pinned versions (the other targets do it when needed)

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "press-rig needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version 2>&1). Try make PYTHON=python3.12"; exit 2; }
	@echo "Setting up $(VENV) (once; a minute or two) ..."
	@$(PYTHON) -m venv $(VENV) || \
		{ echo "python3 cannot make virtual environments; on Debian: apt-get install python3-venv"; exit 2; }
	@$(BIN)/python -m pip install --quiet --constraint constraints.txt hatchling editables setuptools
	@$(BIN)/python -m pip install --quiet --constraint constraints.txt --no-build-isolation --editable '.[dev]'
	@touch $(READY)

hil: $(READY) ## run the HIL suite against the virtual press (or PRESS=/dev/ttyUSB0) and write a report
	@$(BIN)/press-rig hil --press '$(PRESS)' --controller '$(CONTROLLER)' --profile '$(PROFILE)' --seed '$(SEED)'

# tests/hil is the job of `make hil`; what it needs of the rig is tested here
TESTS := $(BIN)/python -m pytest --numprocesses 2 --dist loadfile --ignore tests/hil \
	--junitxml=out/test/junit.xml tests examples

test: lint ## run all tests, types, style and import contracts
	@$(TESTS)

coverage: $(READY) ## run the tests and count what they pass; writes out/coverage.xml, and takes twice as long
	@$(TESTS) --cov --cov-report=term --cov-report=xml:out/coverage.xml

lint: $(READY) ## check style, types and import contracts
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: $(READY) ## format the code
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

validate: $(READY) ## hold the press model against independent solutions; writes out/validation/report.html
	@$(BIN)/python -m tests.validation

emulate: $(READY) ## serve the virtual press on a pseudo-terminal in real time (Ctrl-C ends)
	@$(BIN)/press-rig emulate

firmware: $(READY) ## build the firmware of node and controller for every board; writes out/firmware/
	@$(BIN)/python -m emulator.firmware

mutants: $(READY) ## let the search loose on controllers that were broken on purpose (some 20 minutes)
	@$(BIN)/python -m tests.mutants

nightly: $(READY) ## search for HOURS (default: 8) on all cores, and tell what is new
	@$(BIN)/press-rig nightly --hours '$(HOURS)' --controller '$(CONTROLLER)'

bench: $(READY) ## measure speed against its goals, side by side; writes out/bench.json
	@$(BIN)/python -m benchmarks

performance: $(READY) ## measure everything on a quiet machine and bring docs/performance.md up to date; 10 minutes
	@$(BIN)/python -m benchmarks
	@$(BIN)/python -m benchmarks.profile
	@$(BIN)/python -m benchmarks.plots --docs
	@$(BIN)/python -m benchmarks.document

docs: $(READY) ## make the generated parts of docs/ from their sources
	@$(BIN)/press-rig docs

window: $(READY) ## compute the operating window of the reference machine anew, for the README
	@$(BIN)/press-rig explore --out out/explore
	@cp out/explore/operating-window.png docs/operating-window.png

clean: ## remove everything that can be made again
	rm -rf out $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
