# All that these commands make is in .venv/ and build/.

VENV ?= .venv
# The Python that .venv is made with; python3, or the newest python3.x, unless given.
PYTHON ?=

# How many processes run tests: one more than there are processors, as some tests wait.
PROCESSES ?= $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1)

BIN := $(VENV)/bin

# `make test COVERAGE=` measures none, which takes half the time.
COVERAGE ?= --cov

# What runs is the installed wheel and its locked packages.
unexport PYTHONHOME PYTHONPATH
export PYTHONDONTWRITEBYTECODE := 1

.PHONY: help demo test prove serve bench matrix stubs types docs lint clean set-up browser

help:  ## Show these commands (the default)
	@awk -F ':[a-z -]*## ' 'NF == 2 { printf "make %-6s %s\n", $$1, $$2 }' Makefile

demo: set-up  ## Check, verify and serve: the main job on real input
	@$(BIN)/python examples/demo.py

test: set-up browser  ## Run all tests on the built wheel; every branch must be covered
	@$(BIN)/pytest --numprocesses=$(PROCESSES) --dist=worksteal $(COVERAGE)

prove: set-up  ## Prove that the conformance suite can fail, on mutants and on what is wrong
	@$(BIN)/python conformance/proof/prove.py

serve: set-up  ## Serve the chat room of examples/chat.py
	@$(BIN)/micropie serve examples/chat.py:app

bench: set-up  ## Measure the WebSocket against others', and what verifying and checking cost
	@$(BIN)/python benchmarks/bench.py
	@$(BIN)/python benchmarks/suite.py
	@$(BIN)/python benchmarks/checking.py

matrix:  ## Verify the WebSocket classes of others; docs/matrix.md has what was found
	@.ci/set-up build/matrix-venv '$(PYTHON)' conformance/adapters/requirements.lock
	@build/matrix-venv/bin/python conformance/matrix.py

stubs: set-up  ## Check the stubs for PyPI's micropie against it
	@.ci/set-up build/stubs-venv '$(PYTHON)' stubs/requirements.lock stubs/micropie-stubs
	@$(BIN)/python stubs/check.py

types: set-up  ## Check right and wrong uses of the types with six type checkers
	@$(BIN)/python tests/typing/check.py

docs: set-up  ## Write the pages of docs/ that follow from the code
	@$(BIN)/python docs/generate.py

lint: set-up  ## Lint and type-check everything
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/pyright --pythonpath $(BIN)/python

clean:  ## Delete .venv/ and build/
	rm -rf .venv build

set-up:
	@.ci/set-up '$(VENV)' '$(PYTHON)'

browser:
	@.ci/browser
