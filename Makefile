# `make` lists the targets. Each sets up what it needs in .venv, once, and says first what it downloads; nothing outside this
# folder is touched.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
MKDOCS := NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs
TORCH := torch==2.13.0
PEERS := micrograd==0.1.0 autograd mygrad jacobi==0.9.2 $(TORCH) jax numba torchviz torchview torchvista livelossplot loss-landscapes tensorboard

# Several BLAS threads on a busy machine are many times slower than one.
export OPENBLAS_NUM_THREADS ?= 1
export OMP_NUM_THREADS ?= 1

.PHONY: help demo test check javascript agreement bench gallery notebook docs docs-serve clean

help: ## list the targets (what `make` does without one)
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' Makefile

demo: $(VENV)/demo.stamp ## train on handwritten digits, about 98% test accuracy: half a minute
	$(BIN)/python examples/digits.py demo

test: $(VENV)/test.stamp ## run the tests, about five minutes
	$(BIN)/python -m pytest -n auto -rs

check: $(VENV)/test.stamp ## ruff, mypy --strict, generated pages, the structure tests, JavaScript
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python docs/tables.py --check
	$(BIN)/python docs/numpy_page.py --check
	$(BIN)/python docs/reference.py --check
	$(BIN)/python docs/coverage.py --check
	$(BIN)/python -m pytest tests/test_house.py
	@if command -v npm >/dev/null; then $(MAKE) --no-print-directory javascript; \
	  else echo "JavaScript: 1 check skipped, as npm is not installed"; fi

javascript: node_modules ## the check of JavaScript alone, with npm
	npm run --silent check

# Every op, layer, loss, initialiser, optimiser and schedule beside PyTorch.
agreement: $(VENV)/agreement.stamp ## compare every op, layer, loss and optimiser with PyTorch
	$(BIN)/python -m pytest tests/agreement -n auto -rs

bench: $(VENV)/bench.stamp ## run the benchmarks beside other packages, half an hour
	$(BIN)/python -m benchmarks
	$(BIN)/python -m benchmarks.per_op
	$(BIN)/python -m benchmarks.transforms
	$(BIN)/python -m benchmarks.mutation
	$(BIN)/python -W ignore -m benchmarks.checkers
	$(BIN)/python -W ignore -m benchmarks.checkers.near
	$(BIN)/python -W ignore -m benchmarks.checkers.derivatives
	$(BIN)/python -m benchmarks.fitting
	$(BIN)/python -m benchmarks.penalties
	$(BIN)/python -m benchmarks.kills
	$(BIN)/python -m benchmarks.drawing
	$(BIN)/python -m benchmarks.stepping
	$(BIN)/python -W ignore -m benchmarks.course
	PYTHONPATH=$(VENV)/micrograd-viz $(BIN)/python -W ignore -m benchmarks.beside
	$(BIN)/python -m benchmarks.pictures pictures
	$(BIN)/python -m benchmarks.published $(if $(MNIST),--mnist $(MNIST))

# A page of every drawing; with SCREENSHOTS=FOLDER pictures of it too, which take Chromium.
gallery: $(VENV)/test.stamp ## draw every kind of picture on a page
	$(BIN)/python docs/gallery.py gallery $(if $(SCREENSHOTS),--screenshots $(SCREENSHOTS))

# examples/notebook.ipynb executed, as a notebook and as HTML; with SCREENSHOTS=yes pictures of it too, which take Chromium.
notebook: $(VENV)/test.stamp ## execute the example notebook
	$(BIN)/python docs/notebook.py notebook $(if $(SCREENSHOTS),--screenshots)

# The site in site/, strictly and without the network. With SCREENSHOTS=FOLDER Chromium visits each page: none may scroll sideways or
# ask the network, and ten become pictures in the folder.
docs: $(VENV)/docs.stamp ## build the documentation site: open site/index.html
	$(MKDOCS) build --strict
	$(if $(SCREENSHOTS),$(BIN)/python docs/look.py site $(SCREENSHOTS))

docs-serve: $(VENV)/docs.stamp ## show the site while you write, at http://127.0.0.1:8000
	$(MKDOCS) serve

clean: ## remove what the targets made, the environment too
	rm -rf $(VENV) node_modules demo gallery notebook pictures site .cache

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "tinygrad-edu needs Python 3.11 or newer; $(PYTHON) is older: make PYTHON=python3.12 ..."; exit 1; }
	@echo "Setting up .venv, once: a virtual environment in this folder; nothing outside of it is changed."
	$(PYTHON) -m venv $(VENV)

node_modules: package.json package-lock.json
	@echo "Setting up node_modules, once: npm downloads Biome, 35 MB."
	npm ci --silent
	@touch $@

$(VENV)/demo.stamp: pyproject.toml | $(BIN)/python
	@echo "Setting up .venv, once: pip downloads about 95 MB: NumPy, scikit-learn, matplotlib and what they need."
	$(PIP) --editable '.[all]'
	@touch $@

$(VENV)/test.stamp: pyproject.toml | $(BIN)/python
	@echo "Setting up .venv, once: pip downloads up to 190 MB: the same as for the demo, with mypy, ruff, pytest and Playwright."
	$(PIP) --editable '.[test]'
	@touch $@

$(VENV)/docs.stamp: pyproject.toml | $(BIN)/python
	@echo "Setting up .venv, once: pip downloads up to 190 MB: the same as for the demo, with mkdocs-material, Jupyter and Playwright."
	$(PIP) --editable '.[docs]'
	@touch $@

$(VENV)/agreement.stamp: $(VENV)/test.stamp
	@echo "Setting up .venv, once: pip downloads PyTorch, 190 MB for processors alone and about 3 GB with CUDA, as PyPI offers it for Linux."
	$(PIP) '$(TORCH)'
	@touch $@

# A peer that does not install is left out, and the benchmark says so. micrograd-viz is imported as micrograd too: it stands apart.
$(VENV)/bench.stamp: pyproject.toml | $(BIN)/python
	@echo "Setting up .venv, once: pip downloads about 280 MB (JAX, TensorBoard, Playwright, ...) and PyTorch,"
	@echo "190 MB for processors alone and about 3 GB with CUDA, as PyPI offers it for Linux."
	$(PIP) --editable '.[bench]'
	@for peer in $(PEERS); do \
	  $(PIP) "$$peer" || echo "could not install $$peer"; done
	@$(PIP) --no-deps --upgrade --target $(VENV)/micrograd-viz \
	  micrograd-viz || echo "could not install micrograd-viz"
	@touch $@
