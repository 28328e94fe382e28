"""examples/train_rnn_walker.py: a linear net of four units learns to follow paths, and finds an eigenvalue near 1."""

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

EXAMPLE = Path(__file__).parent.parent / "examples" / "train_rnn_walker.py"


@pytest.fixture(scope="module")
def example() -> ModuleType:
    spec = importlib.util.spec_from_file_location("train_rnn_walker", EXAMPLE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_it_prints_what_was_learned_beside_what_is_set_by_hand(example: ModuleType, capsys) -> None:
    example.main(["--quick", "--seed", "0"])
    out = capsys.readouterr().out
    assert re.search(r"^ +0 +\d+\.\d( +\d+\.\d%){4}  ", out, re.M)
    assert all(re.search(rf"^{name} ( +-?\d+\.\d\d){{8}}$", out, re.M) for name in "WUb")
    assert "by hand: 1.000  1.000  0.000  0.000" in out
    assert re.search(r"fails after \d+ right steps|follows every path", out)
    assert "on the sheet's path: <ExtractedAutomaton with" in out


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1])
def test_it_follows_paths_of_twice_the_length(example: ModuleType, seed: int) -> None:
    """In docs/learning.md all of five seeds do."""
    agent = example.learn(seed, 400_000).policy.as_rnn()
    once, twice, *_ = example.successes(agent, 200)
    assert once == twice == 1
    first, second, *others = np.abs(example.eigenvalues(agent))
    assert 1 < first < 1.05 and 0.95 < second <= first and max(others) < 1
