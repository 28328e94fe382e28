"""The examples in docstrings run, and say what they print; the names that a newcomer meets first have one."""

import doctest
import importlib
import importlib.util
import pkgutil
from collections.abc import Iterator
from pathlib import Path

import pytest

import mazegrad
import mazegrad.agents
import mazegrad.envs
import mazegrad.nn

FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
WANTED = {
    mazegrad.envs: (
        "Maze", "load_maze", "generate", "World", "transition", "MazeEnv", "MazeVectorEnv", "value_iteration",
        "evaluate_policy", "shortest_path", "describe", "draw",
    ),
    mazegrad.agents: (
        "LinearRNN", "RNNAgent", "path_follower", "rollout", "evaluate", "counterexample", "compile_automaton",
        "extract_automaton", "certify_memory", "agent_from_policy", "QLearning",
    ),
    mazegrad.nn: (
        "Tensor", "no_grad", "grad", "gradcheck", "Module", "Sequential", "Linear", "Conv2D", "LSTM", "cross_entropy",
        "SGD", "Adam", "h_conv2d",
    ),
}  # fmt: skip


def modules() -> Iterator[str]:
    """Yield the names of all modules that hold an example, without importing them: some need optional packages."""
    for room in (mazegrad, *WANTED):
        for module in pkgutil.walk_packages(room.__path__, f"{room.__name__}."):
            spec = importlib.util.find_spec(module.name)
            if spec is not None and spec.origin is not None and ">>> " in Path(spec.origin).read_text("utf-8"):
                yield module.name


@pytest.mark.parametrize("name", sorted({*modules()}))
def test_the_examples_of_a_module_run(name: str) -> None:
    failed, tried = doctest.testmod(importlib.import_module(name), optionflags=FLAGS)
    assert tried
    assert not failed


@pytest.mark.parametrize("room", WANTED, ids=lambda room: room.__name__)
def test_what_a_newcomer_meets_first_has_an_example(room: object) -> None:
    for name in WANTED[room]:
        assert ">>> " in (getattr(room, name).__doc__ or ""), name
