"""Curricula with the learner in JAX: it judges levels as the one in numpy does, and compiles its walk once."""

import importlib
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from mazegrad.agents.learners.experience import NO_ACTION, Experience, advantages
from mazegrad.envs import Maze

jax = pytest.importorskip("jax", reason="needs the extra jax")
pytest.importorskip("optax", reason="needs the extra jax")
EXAMPLES = Path(__file__).parent.parent / "examples"
LANES, STEPS = 8, 30_000  # the same for all, so that less is compiled


@pytest.fixture
def curricula(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(EXAMPLES)
    return importlib.import_module("curricula")


def learner_in(curricula: ModuleType, levels: list[Maze]) -> Any:
    return curricula.InJax(levels, STEPS, 0, np.random.default_rng(0))


def levels_of(curricula: ModuleType, seed: int) -> list[Maze]:
    return curricula.random_levels(LANES, np.random.default_rng(seed), most_walls=20)


def test_a_level_has_the_same_scores_by_both_learners(curricula: ModuleType) -> None:
    """What was walked in JAX is walked again in numpy, and judged there, with what the critic in JAX said."""
    levels = levels_of(curricula, 0)
    learner = learner_in(curricula, levels)
    walk = learner.walk(levels)
    moments = jax.tree.map(np.asarray, walk.whole.moments)
    env = curricula.make_env(levels, curricula.TRAINED)
    seen, _ = env.reset(seed=0)
    steps = []
    for action, expected in zip(moments.action, moments.seen, strict=True):
        np.testing.assert_array_equal(seen, expected)
        seen, *step = env.step(action)
        steps.append(step[:3])
    rewards, terminated, truncated = map(np.array, zip(*steps, strict=True))
    assert terminated.any() and truncated.any(), "episodes end in both ways"
    over = np.concatenate([np.zeros((1, LANES), bool), (terminated | truncated)[:-1]])
    _, _, last = importlib.import_module("train_on_device").think(
        learner.memory.net, learner.memory.hidden, learner.memory.seen, learner.memory.fresh
    )
    none = np.zeros((*over.shape, 0))
    experience = Experience(
        moments.seen, np.full(over.shape, NO_ACTION), moments.fresh, ~over, moments.action, rewards, terminated,
        truncated, none, np.concatenate([moments.value, np.asarray(last)[None]]), none.astype(bool), (),
    )  # fmt: skip
    np.testing.assert_array_equal(moments.counts, experience.live)
    in_numpy = curricula.InNumpy(levels, STEPS, 0, np.random.default_rng(0))
    in_numpy.ppo.scale = None  # the critic in JAX speaks on the scale of the rewards
    again = in_numpy.judged(experience)
    for kind in curricula.SCORES:
        for one, other in zip(
            curricula.score_of(kind, levels, walk, np.full(LANES, 0.1)),
            curricula.score_of(kind, levels, again, np.full(LANES, 0.1)),
            strict=True,
        ):
            np.testing.assert_allclose(one, other, atol=1e-5, err_msg=kind)
    assert (walk.advantages[walk.ended] != 0).all()
    np.testing.assert_allclose(
        walk.advantages, advantages(experience, experience.values, curricula.DISCOUNT, 0.95), atol=1e-5
    )


def test_nothing_is_compiled_again_for_new_levels(curricula: ModuleType) -> None:
    compiled: list[str] = []

    def listen(event: str, seconds: float, **more: Any) -> None:
        if "compile" in event:
            compiled.append(event)

    levels = levels_of(curricula, 0)
    learner = learner_in(curricula, levels)
    learner.learn(learner.walk(levels))
    jax.monitoring.register_event_duration_secs_listener(listen)
    jax.jit(lambda x: x + 1)(np.ones(3))
    assert compiled, "compilations are heard"
    compiled.clear()
    for others in (
        [levels[0]] * LANES,
        levels_of(curricula, 1),
        curricula.random_levels(LANES, np.random.default_rng(2)),
    ):
        learner.learn(learner.walk(others))
    assert not compiled


@pytest.mark.parametrize("curriculum", ["dr", "plr", "robust_plr", "accel"])
def test_each_curriculum_trains(
    curricula: ModuleType, curriculum: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--engine", "jax", "--curriculum", curriculum, "--steps", "100000", "--out", str(tmp_path / "out.jsonl")]
    curricula.main(words)
    assert f"| jax | {curriculum} |" in capsys.readouterr().out
    (row,) = map(json.loads, (tmp_path / "out.jsonl").read_text().splitlines())
    assert row["engine"] == "jax" and 100_000 <= row["made"] < 125_000
    assert all(0 <= rate <= 1 for rate in row["solved"].values())


def test_the_learner_learns_to_arrive(curricula: ModuleType) -> None:
    floor, start = "#" + "." * 13 + "#\n", "#....S..G.....#\n"
    level = Maze.from_text("#" * 15 + "\n" + floor * 6 + start + floor * 6 + "#" * 15)
    learner, arrived = learner_in(curricula, [level] * LANES), []
    while learner.steps < STEPS:
        walk = learner.walk([level] * LANES)
        learner.learn(walk)
        arrived.append(walk.solved.sum())
    assert np.mean(arrived[-5:]) > 4 * np.mean(arrived[:5])
