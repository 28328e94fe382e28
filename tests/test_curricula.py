"""Curricula: the buffer's weights are JaxUED's, its scores those of a plain loop, mutations change what they say."""

import runpy
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mazegrad.agents import PPO
from mazegrad.agents.curricula import (
    episode_returns,
    learnability,
    max_monte_carlo,
    positive_value_loss,
    true_regret,
)
from mazegrad.envs import LevelBuffer, Maze, World, generate, load_maze, mutate, value_iteration


def levels(n: int, start: int = 0) -> list[Maze]:
    return [generate("backtracker", 4, 4, rng=np.random.default_rng(start + i)) for i in range(n)]


class Reference:
    """JaxUED's level sampler as its paper and defaults have it, in plain lists."""

    def __init__(self, capacity: int, staleness: float, by: str, temperature: float, k: int) -> None:
        self.capacity, self.staleness, self.by, self.temperature, self.k = capacity, staleness, by, temperature, k
        self.scores: list[float] = []
        self.stamps: list[int] = []
        self.count = 0

    def weights(self) -> np.ndarray:
        order = sorted(range(len(self.scores)), key=lambda i: -self.scores[i])
        rank = {i: place + 1 for place, i in enumerate(order)}
        if self.by == "rank":
            raw = [(1 / rank[i]) ** (1 / self.temperature) for i in range(len(self.scores))]
        else:
            raw = [np.exp(self.scores[i]) if rank[i] <= self.k else 0.0 for i in range(len(self.scores))]
        stale = [self.count - stamp for stamp in self.stamps]
        old = np.array(stale) / sum(stale) if sum(stale) > 0 else np.full(len(stale), 1 / len(stale))
        return (1 - self.staleness) * np.array(raw) / sum(raw) + self.staleness * old

    def insert(self, score: float) -> int:
        place = len(self.scores) if len(self.scores) < self.capacity else int(self.weights().argmin())
        if place == len(self.scores):
            self.scores.append(score)
            self.stamps.append(self.count + 1)
        elif self.scores[place] < score:
            self.scores[place], self.stamps[place] = score, self.count + 1
        else:
            place = -1
        self.count += 1
        return place


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 8),
    st.floats(0, 1),
    st.sampled_from(["rank", "topk"]),
    st.floats(0.1, 3),
    st.integers(1, 5),
    st.lists(st.floats(-3, 3).map(lambda x: round(x, 3)), min_size=1, max_size=20, unique=True),
)
def test_weights_are_those_of_the_reference(
    capacity: int, staleness: float, by: Any, temperature: float, k: int, scores: list[float]
) -> None:
    buffer = LevelBuffer(
        capacity,
        staleness=staleness,
        by=by,
        temperature=temperature,
        k=k,
        duplicates=True,
        rng=np.random.default_rng(0),
    )
    reference = Reference(capacity, staleness, by, temperature, k)
    one = levels(1)
    for number, score in enumerate(scores):
        if number % 3 == 2:
            (place,) = buffer.draw(1).places.tolist()
            reference.count += 1
            reference.stamps[place] = reference.count
        assert buffer.insert(one, [score]).tolist() == [reference.insert(score)]
        np.testing.assert_allclose(buffer.weights(), reference.weights(), atol=1e-6)
        assert buffer.weights().sum() == pytest.approx(1)


def test_levels_are_drawn_by_their_weights() -> None:
    buffer = LevelBuffer(4, staleness=0.0, rng=np.random.default_rng(0))
    buffer.insert(levels(4), [0, 3, 1, 2])
    counts = np.bincount(buffer.draw(4000).places, minlength=4) / 4000
    expected = np.array([1 / 4, 1, 1 / 3, 1 / 2])
    np.testing.assert_allclose(counts, expected / expected.sum(), atol=0.03)
    assert buffer.draw(1).levels[0] in buffer.levels


def test_equal_levels_are_kept_once_and_turned_ones_where_asked() -> None:
    maze = load_maze("spiral")
    turned = Maze(np.ascontiguousarray(np.rot90(maze.tiles)))
    plain = LevelBuffer(5, rng=np.random.default_rng(0))
    assert plain.insert([maze, turned, maze], [1, 2, 3]).tolist() == [0, 1, 0]
    assert plain.scores.tolist() == [3, 2]
    symmetric = LevelBuffer(5, symmetric=True, rng=np.random.default_rng(0))
    assert symmetric.insert([maze, turned], [1, 2], ["a", "b"]).tolist() == [0, 0]
    assert (len(symmetric), symmetric.extra) == (1, ["b"])
    small = LevelBuffer(1, rng=np.random.default_rng(0))
    first, second = levels(2)
    assert small.insert([first, second, first], [1, 2, 3]).tolist() == [0, 0, 0], "a replaced level may come back"
    small.update([0], [0.5])
    assert small.scores.tolist() == [0.5]


def test_it_is_replayed_when_full_enough() -> None:
    buffer = LevelBuffer(4, replay_probability=1.0, fill=0.5, rng=np.random.default_rng(0))
    assert not buffer.replay_now()
    buffer.insert(levels(2), [1, 2])
    assert buffer.replay_now()


def test_scores_are_those_of_a_loop() -> None:
    rng = np.random.default_rng(0)
    ended = rng.random((40, 7)) < 0.15
    ended[:, 3] = False
    advantages, values, largest = rng.normal(size=(40, 7)), rng.normal(size=(40, 7)), rng.normal(size=7)
    for found, figures in (
        (positive_value_loss(ended, advantages), np.maximum(advantages, 0)),
        (max_monte_carlo(ended, values, largest), largest - values),
    ):
        for lane in range(7):
            episodes: list[float] = []
            part: list[float] = []
            for step in range(40):
                part.append(figures[step, lane])
                if ended[step, lane]:
                    episodes.append(float(np.mean(part)))
                    part = []
            assert found[lane] == pytest.approx(np.mean(episodes) if episodes else -np.inf)
    assert learnability([0, 0.5, 1]).tolist() == [0, 0.25, 0]


def test_true_regret_is_zero_at_the_optimum() -> None:
    worlds = World.compile(levels(3))
    best = [value_iteration(worlds.only(i), discount=0.9).expected_return for i in range(3)]
    np.testing.assert_allclose(true_regret(worlds, best, discount=0.9), 0, atol=1e-9)
    np.testing.assert_allclose(true_regret(worlds, [0, 0, 0], discount=0.9), best, atol=1e-9)


@pytest.mark.parametrize(("kind", "sign"), [("start", "S"), ("goal", "G"), ("trap", "X"), ("item", "*")])
def test_a_mutation_changes_one_thing(kind: str, sign: str) -> None:
    maze = generate("backtracker", 4, 4, rng=np.random.default_rng(0))
    for seed in range(20):
        changed = mutate(maze, np.random.default_rng(seed), 1, {kind: 1.0})
        counts = [np.count_nonzero(one.tiles == ord(sign)) for one in (maze, changed)]
        moved = (maze.tiles != changed.tiles).sum()
        assert (counts[1] - counts[0], moved) == ((0, 2) if kind in ("start", "goal") else (1, 1))
    walls = mutate(maze, np.random.default_rng(1), 30, {"wall": 1.0})
    assert (walls.tiles[[0, -1]] == ord("#")).all() and (walls.tiles != maze.tiles).any()
    assert mutate(maze, np.random.default_rng(1), 5) == mutate(maze, np.random.default_rng(1), 5)
    assert mutate(maze, np.random.default_rng(1), 0) == maze


def test_wrong_arguments_are_refused() -> None:
    rng, maze = np.random.default_rng(0), load_maze("spiral")
    buffer = LevelBuffer(rng=rng)
    wrong: list[tuple[Any, str]] = [
        (lambda: mutate(maze, rng, 1, {"walls": 1.0}), "unknown edit 'walls'; did you mean 'wall'"),
        (lambda: mutate(maze, rng, 1, {"wall": 0.0}), "not all 0"),
        (lambda: LevelBuffer(by="best", rng=rng), "by must be 'rank' or 'topk'"),  # type: ignore[arg-type]
        (lambda: LevelBuffer(temperature=0, rng=rng), "temperature must be above 0"),
        (lambda: buffer.draw(1), "the buffer is empty"),
        (lambda: buffer.insert([maze], [np.nan]), "scores must be 1 finite numbers"),
        (lambda: learnability([2]), "must be rates"),
        (lambda: positive_value_loss(np.zeros((3, 2)), np.zeros((2, 3))), "expected two arrays"),
    ]
    for use, message in wrong:
        with pytest.raises(ValueError, match=message):
            use()


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 12), st.integers(1, 4), st.integers(0, 999))
def test_episode_returns_are_those_of_a_plain_loop(steps: int, lanes: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    ended, rewards = rng.random((steps, lanes)) < 0.3, rng.normal(size=(steps, lanes))
    found = episode_returns(ended, rewards, discount=0.9)
    for lane in range(lanes):
        wanted, total, step = [], 0.0, 0
        for t in range(steps):
            total += 0.9**step * rewards[t, lane]
            step += 1
            if ended[t, lane]:
                wanted.append(total)
                total, step = 0.0, 0
        np.testing.assert_allclose(found[lane], wanted, atol=1e-12)


def test_lanes_restart_in_given_mazes() -> None:
    envs = gymnasium.make_vec("mazegrad/GridWorld-v0", num_envs=3, maze=levels(3))
    learner = PPO(envs, segment=8, minibatches=1, rng=np.random.default_rng(0))
    learner.collect()
    learner.lanes.restart({"maze": levels(3, 10)})
    assert [envs.unwrapped.maze_of(lane) for lane in range(3)] == levels(3, 10)
    walked = learner.collect()
    assert walked.begins[0].all() and walked.live[0].all()
    assert not any(part.any() for part in walked.hidden)


@pytest.mark.parametrize("words", [["--curriculum", "dr"], ["--curriculum", "accel", "--score", "regret"]])
def test_the_example_trains_and_goes_on(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    examples = Path(__file__).parent.parent / "examples"
    monkeypatch.syspath_prepend(examples)
    program = runpy.run_path(str(examples / "curricula.py"))
    out = str(tmp_path / "results.jsonl")
    program["main"]([*words, "--steps", "40000", "--out", out])
    first = capsys.readouterr().out
    assert "| mean |" in first and words[1] in first
    program["main"]([*words, "--steps", "40000", "--out", out])
    assert capsys.readouterr().out in first  # nothing was trained again
    program["main"](["--table", out])
    assert capsys.readouterr().out in first


def test_the_page_has_the_table_of_its_runs(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    root = Path(__file__).parent.parent
    monkeypatch.syspath_prepend(root / "examples")
    program = runpy.run_path(str(root / "examples/curricula.py"))
    program["main"](["--table", str(root / "docs/curricula.jsonl")])
    assert capsys.readouterr().out in (root / "docs/curricula.md").read_text(encoding="utf-8")
