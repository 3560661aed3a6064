# Two commands do everything: `make lab` and `make test`. README.md gives the plain commands.
PYTHON ?= python3
VENV   := .venv
ifeq ($(OS),Windows_NT)
BIN    := $(VENV)/Scripts
else
BIN    := $(VENV)/bin
endif
# one BLAS thread: on the small nets of this course, more only adds noise
export OMP_NUM_THREADS ?= 1
export OPENBLAS_NUM_THREADS ?= 1

.PHONY: lab test setup release claims remedies lock browser bench bench-explorers bench-notebooks bench-grading test-torch test-nbgrader clean

lab: setup
	$(BIN)/course lab $(ARGS)

test: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -n auto --dist loadfile $(ARGS)
	$(BIN)/python -m pytest -n auto --dist loadfile --nbval notebooks

setup: $(VENV)/.ready

$(VENV)/.ready: requirements.lock pyproject.toml
	@$(PYTHON) -c "import sys; sys.version_info >= (3, 11) or sys.exit(f'Python >= 3.11 is needed, got {sys.version.split()[0]}. Name another: make PYTHON=python3.12 $(MAKECMDGOALS)')"
	@echo "Setting up $(VENV), once: about 10 seconds with uv, a minute with pip."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv \
	  && $(BIN)/python -m uv pip install --quiet --compile-bytecode --require-hashes -r requirements.lock \
	  || { echo "uv cannot do it here; pip does."; \
	       $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@$(BIN)/python -c "open('$@', 'w').close()"

release: setup
	$(BIN)/course build
	$(BIN)/course release

# runs the experiment behind each row of the claim table again, on 20 seeds
claims: setup
	$(BIN)/python -m course_utils.claims write $(ARGS)

# trains every remedy against every failure again, on 12 seeds
remedies: setup
	$(BIN)/python -m course_utils.remedies write

lock: setup
	$(BIN)/python -m uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11 \
	  --extra dev pyproject.toml -o requirements.lock
	$(BIN)/python -m uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11 \
	  --extra dev --extra browser pyproject.toml -c requirements.lock -o tests/browser/requirements.lock

# what is measured stands on the first lines of each benchmark
bench: $(VENV)-bench/.ready
	$(VENV)-bench/bin/python benchmarks/training.py

$(VENV)-bench/.ready: benchmarks/requirements.txt
	$(PYTHON) -m venv $(VENV)-bench
	$(VENV)-bench/bin/pip install --quiet --disable-pip-version-check -r benchmarks/requirements.txt
	$(VENV)-bench/bin/pip install --quiet --disable-pip-version-check --no-deps --editable .
	touch $@

# needs Chromium at /usr/bin/chromium, or named in CHROMIUM
browser: setup
	$(BIN)/python -m uv pip install --quiet --require-hashes -r tests/browser/requirements.lock
	$(BIN)/python -m pytest -m browser tests/browser $(ARGS)

# the tests that compare with PyTorch, in the environment of the benchmarks
test-torch: $(VENV)-bench/.ready
	$(VENV)-bench/bin/python -m pytest -k pytorch tests/test_network.py tests/test_pytorch_recipe.py

# nbgrader itself, on what `course release --nbgrader` writes, in an environment of its own
test-nbgrader: setup $(VENV)-nbgrader/.ready
	$(BIN)/python -m pytest -m nbgrader tests/grading/test_nbgrader_real.py $(ARGS)

bench-explorers: setup
	$(BIN)/python -m uv pip install --quiet --require-hashes -r tests/browser/requirements.lock
	$(BIN)/python benchmarks/explorers.py

bench-notebooks: setup
	$(BIN)/python benchmarks/notebooks.py $(ARGS)

# this course's grader beside nbgrader, which has an environment of its own
bench-grading: setup $(VENV)-nbgrader/.ready
	$(BIN)/python benchmarks/grading.py $(ARGS)

$(VENV)-nbgrader/.ready: benchmarks/requirements-nbgrader.txt
	$(PYTHON) -m venv $(VENV)-nbgrader
	$(VENV)-nbgrader/bin/pip install --quiet --disable-pip-version-check -r benchmarks/requirements-nbgrader.txt
	$(VENV)-nbgrader/bin/pip install --quiet --disable-pip-version-check --no-deps --editable .
	$(VENV)-nbgrader/bin/python -m compileall -q -j 0 $(VENV)-nbgrader/lib
	touch $@

clean:
	rm -rf $(VENV)
