# What can be done here. It needs make, and Python >= 3.11 with its venv module; everything else is installed into
# .venv from constraints.txt, where each package is pinned and hashed.
#
#   make demo      the whole pipeline on this machine's own binaries
#   make test      gates, then tests; installs what tests call from the system's packages where it can
#   make gates     import-linter, ruff, mypy
#   make fuzz      coverage-guided fuzzing of the parsers, FUZZ_SECONDS=20 for each (Linux on x86-64)
#   make bench     the benchmarks
#   make dist      wheel and source package, tried with pip and pipx
#   make man       docs/signkit.1, the man page, again from the commands
#   make release-rehearsal  signkit's own release with a throwaway authority: reproducible packages, SBOM, signatures
#   make fixtures  the committed fixtures again, from their script
#   make lock      constraints.txt again (LOCK_FLAGS=--upgrade for newer versions)
#   make clean     removes .venv and whatever was built
#
# PYTHON=... chooses the interpreter; PYTEST_FLAGS=... goes to pytest.

SHELL := /bin/sh
.SHELLFLAGS := -eu -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

# Paths are relative, so that the checkout may lie in a folder with a space in its name.
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --quiet --no-input --disable-pip-version-check
PYTHON ?=
PYTEST_FLAGS ?=
LOCK_FLAGS ?=
FUZZ_SECONDS ?= 20

# Prints the first interpreter that is new enough and can make a virtual environment, or says what is missing.
define find_python
found=; without_venv=; \
for candidate in $(if $(PYTHON),'$(PYTHON)',python3.13 python3.12 python3.11 python3); do \
  "$$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2> /dev/null || continue; \
  if "$$candidate" -c 'import ensurepip, venv' 2> /dev/null; then found=$$candidate; break; fi; \
  without_venv=$${without_venv:-$$candidate}; \
done; \
if [ -z "$$found" ] && [ -n "$$without_venv" ]; then \
  package=$$("$$without_venv" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])'); \
  echo "make: $$without_venv has no venv module; on Debian and Ubuntu: apt-get install $$package" >&2; exit 1; \
elif [ -z "$$found" ]; then \
  echo 'make: $(if $(PYTHON),$(PYTHON) is not Python >= 3.11,no Python >= 3.11 found; on Debian and Ubuntu: apt-get install python3 python3-venv)' >&2; exit 1; \
fi
endef

.PHONY: help
help:
	@sed -n 's/^#   //p' Makefile

# --- the virtual environment; each stamp is written when its step is complete ---

$(VENV)/created:
	@$(find_python); \
	echo "creating $(VENV) with $$("$$found" --version)"; \
	"$$found" -m venv --clear $(VENV)
	@touch $@

# The first part of constraints.txt, up to the line "# Tools", is what signkit runs on and is installed with.
$(VENV)/runtime-installed: constraints.txt | $(VENV)/created
	@echo 'installing what signkit runs on'
	@sed '/^# Tools/,$$d' constraints.txt > $(VENV)/runtime.txt
	@$(PIP) install --require-hashes -r $(VENV)/runtime.txt
	@touch $@

$(VENV)/signkit-installed: pyproject.toml $(VENV)/runtime-installed
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/tools-installed: constraints.txt $(VENV)/signkit-installed
	@echo 'installing the tools of the tests'
	@sed '/^# Fuzzing/,$$d' constraints.txt > $(VENV)/tools.txt
	@$(PIP) install --require-hashes -r $(VENV)/tools.txt
	@touch $@

$(VENV)/fuzzing-installed: constraints.txt $(VENV)/tools-installed
	@echo 'installing the fuzzer'
	@$(PIP) install --require-hashes -r constraints.txt
	@touch $@

# --- what people call ---

.PHONY: demo
demo: $(VENV)/signkit-installed
	@$(BIN)/signkit demo

.PHONY: test
test: $(VENV)/tools-installed
	@.ci/components
	@$(MAKE) --no-print-directory gates
	$(BIN)/python -m pytest -n 2 $(PYTEST_FLAGS)

.PHONY: gates
gates: $(VENV)/tools-installed
	$(BIN)/lint-imports --no-logo
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

.PHONY: fuzz
fuzz: $(VENV)/fuzzing-installed
	$(BIN)/python -m tests.fuzz.run --seconds $(FUZZ_SECONDS)

.PHONY: bench
bench: $(VENV)/signkit-installed
	$(BIN)/python benchmarks/run.py

.PHONY: fixtures
fixtures: $(VENV)/signkit-installed
	$(BIN)/python fixtures/make.py

# The wheel is built from the source package, so both are tried. pip and pipx install it as a user would: the newest
# versions that the ranges in pyproject.toml admit, not the pinned ones.
.PHONY: dist
dist: $(VENV)/tools-installed
	rm -rf dist build/dist
	$(BIN)/pyproject-build --no-isolation
	$(BIN)/python -m venv build/dist/venv
	build/dist/venv/bin/python -m pip --quiet --disable-pip-version-check install dist/*.whl
	build/dist/venv/bin/signkit --help > /dev/null
	@echo 'the wheel installs with pip'
	PIPX_HOME="$$PWD/build/dist/pipx" PIPX_BIN_DIR="$$PWD/build/dist/bin" PIPX_MAN_DIR="$$PWD/build/dist/man" \
	  $(BIN)/python -m pipx install --quiet dist/*.whl > /dev/null
	build/dist/bin/signkit --help > /dev/null
	@echo 'the wheel installs with pipx'

# The pages are read as they are: building them is checking links, generated pages, and every block of commands.
.PHONY: docs
docs: $(VENV)/tools-installed
	$(BIN)/python -m pytest -n 2 tests/unit/test_docs.py tests/unit/test_docs_rules.py tests/unit/test_man_page.py \
	  tests/cli/test_docs_commands.py

.PHONY: man
man: $(VENV)/signkit-installed
	$(BIN)/python docs/make_man.py

.PHONY: release-rehearsal
release-rehearsal: $(VENV)/tools-installed
	rm -rf build/release
	PATH="$$PWD/$(BIN):$$PATH" PYTHON="$$PWD/$(BIN)/python" .ci/rehearse-release build/release

.PHONY: lock
lock:
	@$(find_python); PYTHON=$$found .ci/lock $(LOCK_FLAGS)

.PHONY: clean
clean:
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find signkit tests fixtures benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +
