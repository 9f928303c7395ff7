# make demo, test, check, agreement, bench: each sets up what it needs in .venv, once, and runs. Nothing outside this folder is touched.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
TORCH := torch==2.13.0
PEERS := micrograd==0.1.0 autograd mygrad jacobi==0.9.2 $(TORCH) jax torchviz torchview torchvista livelossplot loss-landscapes tensorboard

# Several BLAS threads on a busy machine are many times slower than one.
export OPENBLAS_NUM_THREADS ?= 1
export OMP_NUM_THREADS ?= 1

.PHONY: demo test check javascript agreement bench gallery notebook clean

demo: $(VENV)/demo.stamp
	$(BIN)/python examples/digits.py demo

test: $(VENV)/test.stamp
	$(BIN)/python -m pytest -n auto -rs

check: $(VENV)/test.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python docs/tables.py --check
	$(BIN)/python docs/numpy_page.py --check
	$(BIN)/python docs/coverage.py --check
	$(BIN)/python -m pytest tests/test_house.py
	@if command -v npm >/dev/null; then $(MAKE) --no-print-directory javascript; \
	  else echo "JavaScript: 1 check skipped, as npm is not installed"; fi

javascript: node_modules
	npm run --silent check

# Every op, layer, loss, initialiser, optimiser and schedule beside PyTorch.
agreement: $(VENV)/agreement.stamp
	$(BIN)/python -m pytest tests/agreement -n auto -rs

bench: $(VENV)/bench.stamp
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
gallery: $(VENV)/test.stamp
	$(BIN)/python docs/gallery.py gallery $(if $(SCREENSHOTS),--screenshots $(SCREENSHOTS))

# examples/notebook.ipynb executed, as a notebook and as HTML; with SCREENSHOTS=yes pictures of it too, which take Chromium.
notebook: $(VENV)/test.stamp
	$(BIN)/python docs/notebook.py notebook $(if $(SCREENSHOTS),--screenshots)

clean:
	rm -rf $(VENV) node_modules demo gallery notebook pictures

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "tinygrad-edu needs Python 3.11 or newer; $(PYTHON) is older: make PYTHON=python3.12 ..."; exit 1; }
	$(PYTHON) -m venv $(VENV)

node_modules: package.json package-lock.json
	npm ci --silent
	@touch $@

$(VENV)/demo.stamp: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[all]'
	@touch $@

$(VENV)/test.stamp: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test]'
	@touch $@

$(VENV)/agreement.stamp: $(VENV)/test.stamp
	$(BIN)/python -m pip install --quiet --disable-pip-version-check '$(TORCH)'
	@touch $@

# A peer that does not install is left out, and the benchmark says so. micrograd-viz is imported as micrograd too: it stands apart.
$(VENV)/bench.stamp: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[bench]'
	@for peer in $(PEERS); do \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check "$$peer" || echo "could not install $$peer"; done
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --upgrade --target $(VENV)/micrograd-viz \
	  micrograd-viz || echo "could not install micrograd-viz"
	@touch $@
