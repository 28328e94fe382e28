# One word, one job. `make run` and `make test` are the README's two commands.
.PHONY: run test lint types bench docs notebooks lite pictures clean

run:
	python -m pip install ".[video]" && mazegrad watch

test:
	python -m pip install ".[test]" && pytest

lint:
	ruff check .
	ruff format --check .

types:  # mypy sees the package only where it is really installed
	rm -rf build/types
	python -m pip install --quiet --no-deps --target build/types .
	cd build/types && MYPYPATH=. python -m mypy --config-file ../../pyproject.toml

bench:  # on one core, beside the peers that are installed
	python benchmarks/stepping.py
	python benchmarks/generation.py
	python benchmarks/levels.py --levels 100000
	python benchmarks/rendering.py

docs:  # the site, in build/site, with an environment of its own; a warning is an error
	python3 -m venv build/docs
	build/docs/bin/python -m pip install --quiet ".[docs]"
	build/docs/bin/python -m sphinx -q -W --keep-going -b html docs build/site
	@echo "build/site/index.html"

notebooks:  # run them all, in an environment of their own
	python3 -m venv build/notebooks
	build/notebooks/bin/python -m pip install --quiet ".[notebooks]"
	build/notebooks/bin/python notebooks/execute.py

lite:  # the notebooks in a JupyterLite, in build/lite; `make docs` then puts it into the site
	python3 -m venv build/notebooks
	build/notebooks/bin/python -m pip install --quiet ".[lite]"
	build/notebooks/bin/python -m pip wheel --quiet --no-deps --wheel-dir build/wheels .
	cd build && notebooks/bin/python -m jupyter lite build --contents ../notebooks --output-dir lite --piplite-wheels wheels/mazegrad-*.whl

pictures:  # of README and docs
	python -m pip install --quiet ".[plot,video]"
	python docs/pictures.py

clean:
	rm -rf build dist *.egg-info
