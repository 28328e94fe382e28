"""Dots that are seen wrongly at times: alike in single and vector environments, as often as said, and in tables."""

import copy
import pickle
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest

from mazegrad.envs import Maze, MazeEnv, MazeVectorEnv, Replay, TabularMDP, World, load_maze, point_based

GRID = "mazegrad/GridWorld-v0"
HOW: dict[str, dict[str, Any]] = {
    "plain": {},
    "float": {"encoding": "float"},
    "several": {"observation": ("dots", "position")},
    "king": {"actions": "king"},
    "slips": {"slip": 0.3},
}


def parts(seen: Any) -> list[np.ndarray]:
    return list(seen.values()) if isinstance(seen, dict) else [seen]


@pytest.mark.parametrize("mode", ["NextStep", "SameStep"])
@pytest.mark.parametrize("how", HOW)
def test_lane_i_sees_what_the_single_environment_sees(how: str, mode: str) -> None:
    keywords = {"maze": "four_rooms", "dots_error": 0.2, "time_limit": 7, **HOW[how]}
    lanes = gymnasium.make_vec(GRID, num_envs=3, autoreset_mode=mode, **keywords)
    singles = [gymnasium.make(GRID, **keywords) for _ in range(3)]
    seen, _ = lanes.reset(seed=2)
    alone = [env.reset(seed=2 + i)[0] for i, env in enumerate(singles)]
    rng, over = np.random.default_rng(0), np.zeros(3, dtype=bool)
    for _ in range(40):
        assert seen in lanes.observation_space
        for i, one in enumerate(alone):
            assert all(np.array_equal(a[i], b) for a, b in zip(parts(seen), parts(one), strict=True))
            assert one in singles[i].observation_space
        actions = rng.integers(4, size=3)
        seen, _, ended, cut, info = lanes.step(actions)
        alone = []
        for i, env in enumerate(singles):
            if mode == "NextStep" and over[i]:
                alone.append(env.reset()[0])
                continue
            one = env.step(int(actions[i]))[0]
            if mode == "SameStep" and (ended[i] or cut[i]):
                last = info["final_obs"][i]
                assert all(np.array_equal(a, b) for a, b in zip(parts(last), parts(one), strict=True))
                one = env.reset()[0]
            alone.append(one)
        over = ended | cut


def test_each_bit_is_wrong_as_often_as_said() -> None:
    noisy, clear = (MazeVectorEnv("four_rooms", 5000, dots_error=error) for error in (0.1, 0.0))
    seen, truth = noisy.reset(seed=0)[0], clear.reset(seed=0)[0]
    shares = []
    for step in range(10):
        shares.append((seen != truth).mean(axis=0))
        actions = np.full(5000, step % 4)
        seen, truth = noisy.step(actions)[0], clear.step(actions)[0]
    assert np.abs(np.array(shares) - 0.1).max() < 0.025
    wrong = (seen != truth).astype(float)
    assert np.abs(np.corrcoef(wrong.T) - np.eye(4)).max() < 0.06


def test_saved_states_partial_resets_copies_and_replays(tmp_path: Path) -> None:
    env = gymnasium.make(GRID, dots_error=0.3, slip=0.1)
    env.reset(seed=4)
    for action in (0, 1, 2):
        env.step(action)
    inner = env.unwrapped
    other = MazeEnv(dots_error=0.3, slip=0.1)
    other.set_state(inner.get_state())
    twins = [other, copy.deepcopy(inner), pickle.loads(pickle.dumps(inner))]
    walks = [[twin.step(a % 4)[0].tolist() for a in range(30)] for twin in twins]
    assert walks[0] == walks[1] == walks[2]
    lanes = MazeVectorEnv("four_rooms", 3, dots_error=0.3)
    lanes.reset(seed=1)
    seen = lanes.step(np.array([0, 1, 2]))[0]
    after = lanes.reset(options={"reset_mask": np.array([True, False, False])})[0]
    assert np.array_equal(seen[1:], after[1:])
    recorder = Replay.record(gymnasium.make(GRID, dots_error=0.3))
    recorder.reset(seed=2)
    for action in (0, 0, 1):
        recorder.step(action)
    recorder.replay.save(tmp_path / "run.jsonl")
    assert Replay.load(tmp_path / "run.jsonl").verify() is None


def test_tables_say_what_is_seen() -> None:
    world = World.compile(load_maze("four_rooms"))
    mdp = TabularMDP.from_world(world, dots_error=0.1)
    env = MazeVectorEnv("four_rooms", 20_000, dots_error=0.1)
    seen = env.reset(seed=0)[0] @ (1, 2, 4, 8)
    start = int(world.start_states[0])
    shares = np.bincount(seen, minlength=16) / 20_000
    assert np.abs(shares - mdp.observation[start]).max() < 0.02
    values = []
    for error in (0.0, 0.1, 0.5):  # with half of the bits wrong nothing is seen
        maze = Maze.from_text("S...G\n#####\nG...S\n")
        process = TabularMDP.from_world(World.compile(maze), dots_error=error)
        values.append(point_based(process, discount=0.9, tol=0.01))
    assert values[0].upper >= values[1].lower and values[1].upper >= values[2].lower
    assert values[0].lower > values[2].upper


def test_what_is_refused() -> None:
    for make in (MazeEnv, MazeVectorEnv):
        for error in (-0.1, 1.1, "much"):
            with pytest.raises(ValueError, match="dots_error"):
                make(dots_error=error)
        with pytest.raises(ValueError, match='dots_error makes "dots" noisy, but what is observed is position'):
            make(observation="position", dots_error=0.1)
    with pytest.raises(ValueError, match="not 'position'"):
        TabularMDP.from_world(World.compile(load_maze("four_rooms")), "position", dots_error=0.1)
