"""examples/rnn_counts.py: the nets tell words as a counter and a stack do, and floats fail where its table says."""

import importlib.util
import itertools
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

EXAMPLE = Path(__file__).parent.parent / "examples" / "rnn_counts.py"


@pytest.fixture(scope="module")
def example() -> ModuleType:
    spec = importlib.util.spec_from_file_location("rnn_counts", EXAMPLE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def is_counted(word: str) -> bool:
    return word == "a" * (len(word) // 2) + "b" * (len(word) // 2)


def is_balanced(word: str) -> bool:
    before = None
    while before != word:
        before, word = word, word.replace("()", "").replace("[]", "")
    return not word


@pytest.mark.parametrize(
    ("name", "letters", "longest", "truth"),
    [
        ("COUNTER", "ab", 10, is_counted),
        ("SMALL_COUNTER", "ab", 10, is_counted),
        ("STACK", "([)]", 6, is_balanced),
    ],
)
def test_every_short_word(example: ModuleType, name: str, letters: str, longest: int, truth: object) -> None:
    net = getattr(example, name)
    for length in range(1, longest + 1):
        words = ["".join(word) for word in itertools.product(letters, repeat=length)]
        expected = [truth(word) for word in words]
        assert net.run(words, np.float64)[0].tolist() == expected
        if length <= longest // 2 + 1:
            assert net.run(words, object)[0].tolist() == expected
    assert net.run([""], object)[0].tolist() == [True]


@pytest.mark.parametrize(
    ("name", "words", "late_b", "depths"),
    [
        ("COUNTER", "counted", False, (53, 24)),
        ("SMALL_COUNTER", "counted", False, (200, 149)),  # 200: as deep as is tried here
        ("SMALL_COUNTER", "counted", True, (52, 23)),
        ("STACK", "nested", False, (26, 12)),
    ],
)
def test_where_floats_fail(example: ModuleType, name: str, words: str, late_b: bool, depths: tuple) -> None:
    net, words = getattr(example, name), getattr(example, words)
    assert tuple(example.depth(net, words, dtype, 200, late_b) for dtype in (np.float64, np.float32)) == depths


def test_fractions_go_on(example: ModuleType) -> None:
    for net, words in ((example.COUNTER, example.counted), (example.STACK, example.nested)):
        said, _ = net.run(list(words(100)), object)
        assert said.tolist() == list(words(100).values())


def test_adding_ones_stops_where_adding_one_does_nothing(example: ModuleType) -> None:
    assert example.ones(np.float64) == 2**53
    assert example.ones(np.float32) == 2**24


def test_it_runs(tmp_path: Path) -> None:
    told = subprocess.run([sys.executable, EXAMPLE, "--help"], check=True, capture_output=True, text=True).stdout
    assert "--depth" in told
    wrong = subprocess.run([sys.executable, EXAMPLE, "--depth", "0"], capture_output=True, text=True)
    assert wrong.returncode == 2
