"""Worlds that change while one learns in them: after some steps the next episode is in another map."""

import pickle

import gymnasium
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode

from mazegrad.envs import MazeEnv, MazeVectorEnv, Replay, SavedState, distances, load_maze

GRID = "mazegrad/GridWorld-v0"
AFTER = {50: "shortcut_maze", 90: "shortcut_maze_later"}
CHANGING = {"maze": "blocking_maze", "after": AFTER, "time_limit": 20, "observation": "index"}
NAMES = ["blocking_maze", "shortcut_maze", "shortcut_maze_later"]


def name_of(env) -> str:
    return env.unwrapped.maze.metadata["name"]


def test_the_next_episode_is_in_the_next_maze() -> None:
    env = gymnasium.make(GRID, **CHANGING)
    for _ in range(2):  # a seed begins anew
        env.reset(seed=3)
        made, names = 0, []
        while made < 150:
            names.append(name_of(env))
            assert names[-1] == NAMES[sum(made >= steps for steps in AFTER)]
            over = False
            while not over:
                *_, terminated, truncated, _ = env.step(0)
                over, made = terminated or truncated, made + 1
                assert name_of(env) == names[-1], "never within an episode"
            env.reset()
        assert names == ["blocking_maze"] * 3 + ["shortcut_maze"] * 2 + ["shortcut_maze_later"] * 3


def test_the_shipped_ones() -> None:
    """Sutton & Barto, examples 8.2 and 8.3: 10 steps, then 16; and 16, then 10."""
    lengths = [distances(MazeEnv(name).world)[MazeEnv(name).world.start_states[0]] for name in NAMES]
    assert lengths == [10, 16, 10]
    assert (load_maze("blocking_maze_later").tiles == load_maze("shortcut_maze").tiles).all()


@pytest.mark.parametrize("mode", AutoresetMode)
@pytest.mark.parametrize(
    "keywords", [{}, {"info": ("distance", "optimal_actions")}, {"time_limit": "auto", "slip": 0.1}]
)
def test_lanes_change_as_single_environments(mode: AutoresetMode, keywords: dict) -> None:
    lanes, keywords = 4, CHANGING | keywords
    many = gymnasium.make_vec(GRID, num_envs=lanes, autoreset_mode=mode, **keywords)
    singles = [gymnasium.make(GRID, **keywords) for _ in range(lanes)]
    seen, _ = many.reset(seed=7)
    assert seen.tolist() == [env.reset(seed=7 + lane)[0] for lane, env in enumerate(singles)]
    rng, over, met = np.random.default_rng(0), np.zeros(lanes, dtype=bool), set()
    for step in range(900):
        actions = rng.integers(4, size=lanes)
        seen, rewards, terminated, truncated, _ = many.step(actions)
        for lane, env in enumerate(singles):
            if mode is AutoresetMode.NEXT_STEP and over[lane]:
                assert env.reset()[0] == seen[lane]
                continue
            one, reward, *ends, _ = env.step(int(actions[lane]))
            assert (reward, ends) == (rewards[lane], [terminated[lane], truncated[lane]])
            if mode is AutoresetMode.SAME_STEP and any(ends):
                one, _ = env.reset()
            assert one == seen[lane]
        over = terminated | truncated
        if mode is AutoresetMode.DISABLED and over.any():
            seen, _ = many.reset(options={"reset_mask": over})
            assert [env.reset()[0] for env, ends in zip(singles, over, strict=True) if ends] == seen[over].tolist()
        if step % 50 == 3:  # a lane in the midst of an episode
            mask = np.arange(lanes) == step % lanes
            if mode is AutoresetMode.DISABLED or not over[mask].any():
                seen, _ = many.reset(options={"reset_mask": mask})
                assert singles[step % lanes].reset()[0] == seen[step % lanes]
        settled = [lane for lane in range(lanes) if not (over[lane] and mode is AutoresetMode.NEXT_STEP)]
        assert all(many.unwrapped.maze_of(lane) == singles[lane].unwrapped.maze for lane in settled)
        met |= {name_of(env) for env in singles}
    assert met == set(NAMES)


def test_a_given_maze_stays() -> None:
    env = gymnasium.make(GRID, **CHANGING)
    env.reset(seed=0, options={"maze": "blocking_maze_later"})
    many = gymnasium.make_vec(GRID, num_envs=2, autoreset_mode="SameStep", **CHANGING)
    many.reset(seed=0, options={"maze": "blocking_maze_later"})
    for _ in range(200):
        if any(env.step(0)[2:4]):
            env.reset()
        many.step(np.array([0, 0]))
    assert name_of(env) == many.unwrapped.maze_of(1).metadata["name"] == "blocking_maze_later"


def walked(env, steps: int) -> list:
    rng, seen = np.random.default_rng(5), []
    for _ in range(steps):
        seen.append(env.step(int(rng.integers(4)))[:4])
        if any(seen[-1][2:]):
            seen.append((name_of(env), env.reset()[0], name_of(env)))
    return seen


@pytest.mark.parametrize("how", ["record", "json", "pickle"])
def test_saved_states_know_when_the_next_change_is_due(how: str) -> None:
    env = gymnasium.make(GRID, **CHANGING)
    env.reset(seed=1)
    walked(env, 45)
    state = env.unwrapped.get_state()
    first = walked(env, 100)
    assert {entry[0] for entry in first if len(entry) == 3} == set(NAMES)
    other = gymnasium.make(GRID, **CHANGING)
    other.reset(seed=9)
    if how == "json":
        state = SavedState.from_json(state.to_json())
    if how == "pickle":
        other.unwrapped.set_state(state)
        other = pickle.loads(pickle.dumps(other))
    else:
        other.unwrapped.set_state(state)
    assert walked(other, 100) == first


def test_saved_states_of_lanes() -> None:
    def walk(env: MazeVectorEnv) -> list:
        rng = np.random.default_rng(2)
        return [[part.tolist() for part in env.step(rng.integers(4, size=3))[:4]] for _ in range(150)]

    env, other = (gymnasium.make_vec(GRID, num_envs=3, **CHANGING).unwrapped for _ in range(2))
    env.reset(seed=4)
    walk(env)
    state = SavedState.from_json(env.get_state().to_json())
    other.set_state(state)
    assert walk(env) == walk(other)
    env.copy_lanes([0], [2])
    assert env.get_state().earlier[0] == env.get_state().earlier[2] > 100


def test_replays_run_through_the_changes(tmp_path) -> None:
    env = Replay.record(gymnasium.make(GRID, **CHANGING))
    env.reset(seed=2)
    walked(env, 130)
    replay = env.replay
    assert len({episode.maze for episode in replay.episodes}) == 3
    replay.save(tmp_path / "run.jsonl")
    again = Replay.load(tmp_path / "run.jsonl")
    assert again.verify() is None
    assert again == replay


def test_starts_are_looked_for_in_the_maze_that_is_due() -> None:
    for env in (MazeEnv(**CHANGING), MazeVectorEnv(num_envs=1, autoreset_mode="Disabled", **CHANGING)):
        env.reset(seed=0)
        with pytest.raises(ValueError, match="cannot stand at row 3, column 0"):
            env.reset(options={"start": (3, 0)})
        for _ in range(3):
            for _ in range(20):
                env.step(0 if isinstance(env, MazeEnv) else np.array([0]))
            env.reset()
        env.reset(options={"start": (3, 0)})  # the wall's other end


def test_bad_changes_are_refused() -> None:
    refused = [
        (ValueError, {"after": {0: "spiral"}}, "each number of steps in after must be an integer >= 1, not 0"),
        (TypeError, {"after": {1.5: "spiral"}}, "must be an integer >= 1, not 1.5"),
        (TypeError, {"after": "spiral"}, r"a mapping from steps to mazes, such as \{1000: 'spiral'\}, not 'spiral'"),
        (ValueError, {"after": {5: "blocking_maze", "5": "shortcut_maze"}}, "after has 5 steps twice"),
        (ValueError, {"after": {5: "blocking_mase"}}, "did you mean 'blocking_maze'"),
        (ValueError, {"after": {5: "spiral"}, "observation": "map"}, "not the declared"),
    ]
    for kind, keywords, message in refused:
        for make in (MazeEnv, MazeVectorEnv):
            with pytest.raises(kind, match=message):
                make("blocking_maze", **keywords)
    for make in (gymnasium.make, gymnasium.make_vec):
        with pytest.raises(ValueError, match="each reset draws one: leave out after"):
            make("mazegrad/Maze-v0", after={5: "spiral"})
