# `make help` lists the targets. Everything they make is inside this folder; `make clean` removes it.

PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
SERVER := .venv-label-studio
SERVER_PIP := $(SERVER)/bin/python -m pip --disable-pip-version-check
QUIET := -p no:cacheprovider -q
# Python compiles what it imports, also where the environment says not to: each process would compile all of it
# again, FiftyOne for seven seconds. All that pip installs takes a minute more.
unexport PYTHONDONTWRITEBYTECODE
QUICKLY := -q --no-compile
# Processes, each with servers of its own; a module stays in one of them. Most of them wait for a server.
TWO := -n 2 --dist loadfile
# In the order of tests/integration/conftest.py.
THREE := -n 3 --dist loadfile --no-loadscope-reorder
# Other options of pip-audit, such as: -s osv --osv-url http://localhost:8080/v1/query
AUDIT ?=
# Compiled when labelnext is installed.
LOOPS := plugin/labelnext/support/loops
FIFTYONES ?= 1.10.0 1.13.5 1.22.1
ON_FIFTYONE := $(addprefix tests/integration/test_, app_plugin.py app_views.py app_form.py app_levels.py app_boxes.py \
  app_limits.py app_panel.py app_one_list.py \
  fiftyone_read.py fiftyone_vectors.py fiftyone_content.py fiftyone_undo.py fiftyone_refresh.py \
  fiftyone_meanwhile.py)
ON_POSTGRES := tests/integration/test_label_studio_postgres.py
VERSIONS ?= 1.19 1.20 1.21 1.22 1.23
ON_VERSIONS ?= $(addprefix tests/integration/test_label_studio,.py _contract.py _modes.py _team.py _uncertainty.py _copies.py _why.py)

.DEFAULT_GOAL := help
.PHONY: help demo test bench tables fuzz torture check release-check audit audit-if-there unit integration browser test-versions test-label-studios test-fiftyones test-encoders \
  test-oldest test-newest docs install dev mongod server clean

help: ## List the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

demo: install mongod ## Rank a dataset of handwritten digits with FiftyOne, from a YAML file
	$(BIN)/labelnext demo

test: ## Run every tier: what check runs, then real servers
	@$(MAKE) -j 2 dev server
	@$(MAKE) check fuzz docs integration browser

check: dev ## Lint, types, architecture, unit and contract tests (about five minutes)
	$(BIN)/ruff check -q
	$(BIN)/ruff format -q --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/python -m pytest $(QUIET) -n 2 --doctest-modules plugin/labelnext adapters/labelnext_adapters/label_studio \
	  adapters/labelnext_adapters/label_studio_format adapters/labelnext_adapters/files tests/unit tests/contract
	@found=$$($(BIN)/python -m pytest $(QUIET) --collect-only tests) || { echo "$$found" | tail -n 40; exit 1; } # every tier imports
	@$(MAKE) -s audit-if-there

audit: .venv-audit/.installed ## Look up the pinned packages in a database of known vulnerabilities
	.venv-audit/bin/pip-audit $(AUDIT) --strict --no-deps --disable-pip --progress-spinner off -r constraints.txt

# Many mirrors have no such database: it is asked for one package first. AUDIT names another.
audit-if-there: .venv-audit/.installed
	@grep -m 1 == constraints.txt > .venv-audit/one.txt
	@if .venv-audit/bin/pip-audit $(AUDIT) --timeout 5 --no-deps --disable-pip --progress-spinner off -f json \
	  -r .venv-audit/one.txt 2> /dev/null | grep -q '"vulns"'; \
	then $(MAKE) -s audit; else echo "Left out: make audit (no database of vulnerabilities answers; AUDIT names another)."; fi

bench: dev ## Print what labelnext costs against plain numpy, with the goals (some minutes, on a quiet machine)
	$(BIN)/python -m benchmarks.table

tables: dev ## Write README's table, the tree of modules and the example's options from the package
	$(BIN)/python docs/written.py

integration: dev mongod server ## Run the tests on a real Label Studio and a real mongod
	@if ls /usr/lib/postgresql/*/bin/postgres > /dev/null 2>&1 || \
	  { [ "$$(id -u)" = 0 ] && apt-get install -qq -y postgresql > /dev/null; }; then without=; \
	else without="--ignore $(ON_POSTGRES)"; \
	  echo "Left out: Label Studio on PostgreSQL (install Debian's package postgresql)."; fi; \
	$(BIN)/python -m pytest $(QUIET) $(THREE) --timeout 600 --durations 8 $$without tests/integration

browser: dev mongod server .venv/.chromium ## Run the tests that click through Label Studio and the FiftyOne App in Chromium
	$(BIN)/python -m pytest $(QUIET) $(TWO) --timeout 300 tests/browser

test-versions: test-label-studios test-fiftyones ## Run the core of the integration tests on each supported version of the platforms

# The newest patch of each version, from the index, in an environment of its own; VERSIONS names fewer.
test-label-studios: dev
	@for version in $(VERSIONS); do \
	  server=$(SERVER)-$$version; \
	  echo "Label Studio $$version"; \
	  [ -e $$server/.installed ] || { $(PYTHON) -m venv $$server && \
	    $$server/bin/python -m pip --disable-pip-version-check install $(QUICKLY) "label-studio==$$version.*" && \
	    touch $$server/.installed; } || exit 1; \
	  LABELNEXT_LABEL_STUDIO=$(CURDIR)/$$server/bin/label-studio \
	    $(BIN)/python -m pytest $(QUIET) --timeout 600 $(ON_VERSIONS) || exit 1; \
	done

test-fiftyones: $(FIFTYONES:%=.venv-fiftyone-%/.tested)

# Each version has an environment of its own, without our pins; the tests need no Label Studio. FiftyOne 1.13
# can't be imported with graphql-core 3.3, which it doesn't exclude.
.venv-fiftyone-%/.tested: pyproject.toml
	$(PYTHON) -m venv .venv-fiftyone-$*
	.venv-fiftyone-$*/bin/python -m pip --disable-pip-version-check install $(QUICKLY) -e '.[review]' fiftyone==$* 'graphql-core<3.3' \
	  pytest pytest-timeout hypothesis
	.venv-fiftyone-$*/bin/python -m labelnext_adapters.fiftyone.database.mongod
	.venv-fiftyone-$*/bin/python -m pytest $(QUIET) --timeout 600 $(ON_FIFTYONE)
	@touch $@

# Their packages take 6 GB; the models are tiny ones that the tests make.
test-encoders: .venv-encoders/.installed ## Run the tests of embeddings by models of other packages
	.venv-encoders/bin/python -m pytest $(QUIET) tests/encoders

.venv-encoders/.installed: pyproject.toml
	$(PYTHON) -m venv .venv-encoders
	.venv-encoders/bin/python -m pip --disable-pip-version-check install $(QUICKLY) -e . \
	  fastembed model2vec open_clip_torch sentence-transformers timm hypothesis pytest pytest-timeout
	@touch $@

# In environments of their own; the platforms have test-versions.
ON_ANY := $(addprefix tests/unit/, acquisition cli config files journal pool ranking selection support)
test-oldest: .venv-oldest/.installed ## Run the unit tests on the oldest allowed version of every dependency
	.venv-oldest/bin/python -m pytest $(QUIET) -n 2 $(ON_ANY)

.venv-oldest/.installed: pyproject.toml tests/oldest.py
	$(PYTHON) -m venv .venv-oldest
	$(PYTHON) tests/oldest.py review large spacy > .venv-oldest/constraints.txt
	.venv-oldest/bin/python -m pip --disable-pip-version-check install $(QUICKLY) -c .venv-oldest/constraints.txt \
	  -e '.[review,large,spacy]' httpx hypothesis modAL-python pytest pytest-timeout pytest-xdist scikit-activeml
	@touch $@

test-newest: .venv-newest/.installed ## Run the unit tests on the newest version of every dependency
	.venv-newest/bin/python -m pytest $(QUIET) -n 2 $(ON_ANY)

.venv-newest/.installed: pyproject.toml
	$(PYTHON) -m venv .venv-newest
	.venv-newest/bin/python -m pip --disable-pip-version-check install $(QUICKLY) --upgrade -e '.[review,large,spacy]' \
	  httpx hypothesis modAL-python pytest pytest-timeout pytest-xdist scikit-activeml
	@touch $@

fuzz: dev ## Try odd and damaged input of every kind, and kill runs of files, a few minutes by seed
	$(BIN)/python -m pytest $(QUIET) -n 2 --timeout 600 tests/fuzz

release-check: .venv/.release ## Build wheel and sdist, check both, install the wheel in a new environment, run its demo
	rm -rf dist .venv-release
	$(BIN)/python -m build -q --outdir dist
	@for wheel in dist/*-linux_*.whl; do if [ -e "$$wheel" ]; then \
	  PATH="$(CURDIR)/$(BIN):$$PATH" auditwheel repair -w dist "$$wheel" > /dev/null && rm "$$wheel"; fi; done
	$(BIN)/python -m twine check --strict dist/*
	$(PYTHON) -m venv .venv-release
	.venv-release/bin/python -m pip --disable-pip-version-check install $(QUICKLY) -c constraints.txt dist/*.whl
	cd .venv-release && bin/labelnext demo files && bin/python -m labelnext --version
	@tar -tzf dist/labelnext-*.tar.gz | grep -q '/tests/unit/test_api.py$$'
	@echo "dist/ is ready to be published: $$(ls dist | tr '\n' ' ')"

torture: dev mongod server ## The same with fresh seeds for TORTURE_SECONDS (600), also on real servers; prints figures
	FUZZ_SECONDS=$${TORTURE_SECONDS:-600} FUZZ_SEED=$${TORTURE_SEED:-$$(date +%s)} \
	  $(BIN)/python -m pytest $(QUIET) --timeout 0 tests/fuzz tests/integration/test_*_killed.py

docs: dev ## Build the documentation into site/; it opens without a server or network
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build -q

install: .venv/.installed ## Install labelnext with its extras into .venv

dev: .venv/.dev

mongod: .venv/.mongod

server: $(SERVER)/.installed

.venv/.python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed; $(PYTHON) is $$($(PYTHON) --version). Say PYTHON=python3.11"; exit 1; }
	@# One that starts stays: made over by another Python, it no longer would.
	@$(BIN)/python -c '' 2> /dev/null || $(PYTHON) -m venv --clear .venv
	@$(BIN)/python -c 'import pip' 2> /dev/null || $(BIN)/python -m ensurepip > /dev/null
	$(PIP) install $(QUICKLY) --upgrade -c constraints.txt pip
	@touch $@

.venv/.installed: .venv/.python pyproject.toml constraints.txt hatch_build.py $(wildcard $(LOOPS)/*.[ch])
	$(PIP) install $(QUICKLY) -c constraints.txt -e '.[all]'
	@touch $@

.venv/.dev: .venv/.installed
	$(PIP) install $(QUICKLY) -c constraints.txt --group dev
	@touch $@

.venv/.release: .venv/.installed
	$(PIP) install $(QUICKLY) -c constraints.txt --group release
	@touch $@

.venv/.mongod: .venv/.installed
	$(BIN)/python -m labelnext_adapters.fiftyone.database.mongod
	@touch $@

# The machine's Chromium, else Debian's package, else the one that Playwright brings.
.venv/.chromium: .venv/.dev
	command -v chromium || command -v chromium-browser || \
	  { [ "$$(id -u)" = 0 ] && apt-get install -qq -y chromium; } || $(BIN)/playwright install chromium
	@touch $@

# The server has an environment of its own: its dependencies exclude ours.
$(SERVER)/.installed: tests/integration/label-studio-constraints.txt
	$(PYTHON) -m venv $(SERVER)
	$(SERVER_PIP) install $(QUICKLY) -c $< label-studio
	@touch $@

# An environment of its own: what it audits is a list, not what is installed beside it.
.venv-audit/.installed:
	$(PYTHON) -m venv .venv-audit
	.venv-audit/bin/python -m pip --disable-pip-version-check install $(QUICKLY) pip-audit==2.10.1
	@touch $@

clean: ## Remove everything that was made here
	rm -rf .venv .venv-* .cache .demo .demo-files .demo-label-studio .labelnext .mypy_cache \
	  .ruff_cache .pytest_cache \
	  .hypothesis .import_linter_cache build dist site $(LOOPS)/loops.so
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
