"""The examples in docstrings run, and print what they say; every public class and function has one."""

import doctest
import importlib
import importlib.util
import inspect
import pkgutil
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import mazegrad
import mazegrad.agents
import mazegrad.distributed
import mazegrad.envs
import mazegrad.nn

FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
ROOMS = (mazegrad.envs, mazegrad.agents, mazegrad.nn)
DOCS = Path(__file__).parent.parent / "docs"
# the beginning of their names -> the optional package that examples need; without it they are skipped
NEEDS = {
    "mazegrad.adapters.minari.folder_of": "minari",
    "mazegrad.adapters.minari.read": "minari",
    "mazegrad.adapters.minari.write": "minari",
    "mazegrad.adapters.rllib.RLlibAgent": "ray",
    "mazegrad.adapters.stable_baselines3": "stable_baselines3",
    "mazegrad.adapters.syllabus": "syllabus",
    "mazegrad.agents.learners.tabular.plot": "matplotlib",
    "mazegrad.distributed": "ray",
    "mazegrad.envs.functional.vector": "array_api_compat",
    "mazegrad.nn.analysis.plot": "matplotlib",
    "mazegrad.offline.dataset.as_torch": "torch",
    "mazegrad.pictures.style": "matplotlib",
}


def modules() -> Iterator[str]:
    """Yield the names of all modules that hold an example, without importing them: some need optional packages."""
    for room in (mazegrad, *ROOMS):
        for module in pkgutil.walk_packages(room.__path__, f"{room.__name__}."):
            spec = importlib.util.find_spec(module.name)
            if spec is not None and spec.origin is not None and ">>> " in Path(spec.origin).read_text("utf-8"):
                yield module.name


@cache
def examples_of(name: str) -> list[doctest.DocTest]:
    """Return the docstrings of a module that hold an example."""
    return [test for test in doctest.DocTestFinder().find(importlib.import_module(name), name) if test.examples]


@pytest.fixture(scope="module")
def ray() -> Iterator[None]:
    """Start Ray once for all examples, which would each start it for themselves."""
    with mazegrad.distributed.cluster(cpus=2):
        yield


@pytest.mark.filterwarnings("ignore:no process has started")  # of Ray, on a busy machine
@pytest.mark.parametrize("name", sorted({*modules()}))
def test_the_examples_of_a_module_run(name: str, request: pytest.FixtureRequest) -> None:
    examples = examples_of(name)
    assert examples
    runner = doctest.DocTestRunner(optionflags=FLAGS)
    missing: set[str] = set()
    for test in examples:
        needed = {package for start, package in NEEDS.items() if f"{test.name}.".startswith(f"{start}.")}
        if lacking := {package for package in needed if importlib.util.find_spec(package) is None}:
            missing |= lacking
            continue
        if test.name.startswith("mazegrad.distributed."):
            request.getfixturevalue("ray")
        runner.run(test)
    assert not runner.failures
    if not runner.tries:
        pytest.skip(f"these examples need {', '.join(sorted(missing))}")


def test_the_example_of_mnist_runs_where_the_digits_are() -> None:
    try:
        mazegrad.nn.data.mnist("test", download=False)
    except mazegrad.nn.data.DataNotFound as error:
        pytest.skip(str(error))
    text = str(mazegrad.nn.data.mnist.__doc__).replace("# doctest: +SKIP", "")
    example = doctest.DocTestParser().get_doctest(text, {}, "mnist", None, None)
    assert doctest.DocTestRunner(optionflags=FLAGS).run(example) == (0, len(example.examples))


def public() -> dict[str, object]:
    """Return every public class and function, once each, by the name under which the reference has it first.

    Not constants and the names of types: they have no docstring.
    """
    sys.path.insert(0, str(DOCS))
    try:
        names = importlib.import_module("reference").all_names()
    finally:
        sys.path.remove(str(DOCS))
    first = {id(name.value): name for name in reversed(names)}
    ours = (name for name in names if str(getattr(name.value, "__module__", "")).startswith("mazegrad"))
    called = (name for name in ours if inspect.isclass(name.value) or inspect.isroutine(name.value))
    return {name.full: name.value for name in called if first[id(name.value)] is name}


def test_every_public_class_and_function_has_an_example() -> None:
    named = public()
    assert len(named) > 500
    run = {test.docstring for name in {*modules()} for test in examples_of(name)}
    assert [name for name, value in named.items() if getattr(value, "__doc__", None) not in run] == []
