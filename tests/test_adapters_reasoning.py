"""Mazes in reasoning-gym: its factory makes them, its reseeding goes on, and any shortest path scores 1."""

import itertools

import pytest

reasoning_gym = pytest.importorskip("reasoning_gym", reason="needs reasoning-gym", exc_type=ImportError)
from reasoning_gym.dataset import ProceduralDataset, ReseedingDataset  # noqa: E402

from mazegrad.adapters import reasoning  # noqa: E402
from mazegrad.puzzles import score  # noqa: E402


def test_its_factory_makes_them() -> None:
    data = reasoning_gym.create_dataset("mazegrad_maze", size=6, grid_size=11, shortest=10, braid=0.5, seed=3)
    assert isinstance(data, ProceduralDataset) and len(data) == 6
    entries = list(data)
    assert entries == [data[i] for i in range(6)]
    assert entries == list(
        reasoning_gym.create_dataset("mazegrad_maze", size=6, grid_size=11, shortest=10, braid=0.5, seed=3)
    )
    for number, entry in enumerate(entries):
        assert entry.keys() == {"question", "answer", "metadata"}
        assert entry["metadata"]["source_dataset"] == reasoning.NAME and entry["metadata"]["source_index"] == number
        assert len(entry["answer"]) == entry["metadata"]["length"] >= 10
        assert data.score_answer(entry["answer"], entry) == 1.0
        assert data.score_answer(entry["answer"][:-1], entry) == data.score_answer(None, entry) == 0.0
        others = itertools.islice(itertools.product("URLD", repeat=2), 16)
        for ending in map("".join, others):  # those alone score that are shortest paths
            moves = entry["answer"][:-2] + ending
            assert data.score_answer(moves, entry) == float(score(entry["metadata"]["grid"], moves))


def test_reseeding_gives_other_mazes() -> None:
    data = reasoning_gym.create_dataset("mazegrad_maze", size=4, grid_size=9, shortest=6, seed=1)
    endless = list(itertools.islice(ReseedingDataset(data, chunk_size=4), 8))
    assert len({entry["metadata"]["grid"] for entry in endless}) == 8


def test_wrong_settings_are_refused() -> None:
    for settings in ({"grid_size": 3}, {"generator": "mazes"}, {"braid": 2.0}):
        with pytest.raises(AssertionError, match="must be"):
            reasoning_gym.create_dataset("mazegrad_maze", **settings)
