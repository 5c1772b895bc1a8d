# make demo        a demonstration in one command: embedded stack, simulated partners, cases      ARGS="--exit" to end by itself
# make test        every test, on two cores
# make faults      of these the ones that break a whole stack: each program killed, servers hanging, messages shuffled
# make chaos       everything that can break breaks, at moments drawn from a seed      ARGS="--cases 300 --faults 60 --seed 7"
# make fuzz        schemathesis against a whole stack, signed and unsigned      ARGS="--requests 20000"
# make attack      attacks on the record, the log and those who write: what each was, and what it was called
# make quick       the tests that need no server, in under a minute
# make check       style, types, layers, deployment files, locks
# make setup       install only
PYTHON ?= python3
ARGS ?=
export PIP_DISABLE_PIP_VERSION_CHECK = 1

bin := .venv/bin
install := $(bin)/python -m pip install --quiet

.PHONY: setup demo test faults chaos fuzz attack quick check lock bench replay

setup: .venv/.dev

$(bin)/python:
	@$(PYTHON) -c 'import sys; sys.exit("Passage needs Python 3.11 or newer: make PYTHON=python3.12 ..." if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv .venv

# Everything to run Passage, each file checked against its hash.
.venv/.runtime: requirements.lock pyproject.toml | $(bin)/python
	$(install) --require-hashes --no-deps -r requirements.lock
	$(install) --no-deps --no-build-isolation -e .
	@touch $@

# And everything to test it: requirements-dev.lock holds the same pins and more.
.venv/.dev: requirements-dev.lock .venv/.runtime
	$(install) --require-hashes --no-deps -r requirements-dev.lock
	@touch $@

demo: .venv/.runtime
	@$(bin)/passage demo $(ARGS)

test: .venv/.dev
	$(bin)/python -m pytest -n 2 $(ARGS)

faults: .venv/.dev
	$(bin)/python -m pytest -n 2 tests/faults $(ARGS)

chaos: .venv/.dev
	@$(bin)/python -m tests.chaos $(ARGS)

fuzz: .venv/.dev
	@$(bin)/python -m tests.fuzz $(ARGS)

attacks := tests/audit/attacks $(wildcard tests/integration/test_verify_*attacks.py) tests/integration/test_sealer_role.py \
	tests/integration/test_auditors_login.py tests/integration/test_definer_functions.py tests/integration/test_append_only.py
attack: .venv/.dev
	$(bin)/python -m pytest -n 2 -q -p tests.support.attack_table $(attacks) $(ARGS)

quick: .venv/.dev
	$(bin)/python -m pytest -n 2 tests/unit $(ARGS)

replay: .venv/.dev
	$(bin)/python -m pytest tests/replay $(ARGS)

check: .venv/.dev
	$(bin)/ruff check .
	$(bin)/ruff format --check .
	$(bin)/mypy .
	$(bin)/lint-imports --no-logo
	$(bin)/python -m pip check
	$(bin)/compose-lint check --strict-config --fail-on low --skip-suppressed --config deploy/.compose-lint.yml deploy/compose.yaml
	$(bin)/hadolint deploy/Dockerfile

bench: .venv/.runtime
	@$(bin)/passage bench $(or $(ARGS),floor)

# The locks name no index: they hold on any mirror. Run after a change of dependencies in pyproject.toml.
compile := $(bin)/uv pip compile --quiet --universal --generate-hashes --no-header --no-annotate --extra build pyproject.toml
lock: .venv/.dev
	$(compile) --extra embedded --extra dev -o requirements-dev.lock
	$(compile) --extra embedded -c requirements-dev.lock -o requirements.lock
	$(compile) -c requirements-dev.lock -o deploy/requirements.lock
