# One word, one job. `make run` and `make test` are the README's two commands.
.PHONY: run test lint types bench docs clean

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
	python benchmarks/rendering.py

docs:  # the pictures of README and docs
	python -m pip install --quiet ".[plot,video]"
	python docs/pictures.py

clean:
	rm -rf build dist *.egg-info
