"""The last step in observations, and trials of several episodes in one level: one agent and many, the same numbers."""

import warnings

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from mazegrad.envs.wrappers import LastStep, Trials, VectorLastStep, VectorTrials

from test_vector import walk_alike

MAZE, TMAZE, GRID = "mazegrad/Maze-v0", "mazegrad/TMaze-v0", "mazegrad/GridWorld-v0"


@pytest.mark.parametrize("mode", AutoresetMode, ids=lambda mode: mode.value)
@pytest.mark.parametrize("observation", ["dots", "index", "view", ("dots", "goal")], ids=str)
def test_last_step_of_lanes_is_that_of_single_environments(observation, mode):
    keywords = {"size": (2, 3), "observation": observation, "slip": 0.2, "time_limit": 9, "info": ("success", "level")}
    ours = VectorLastStep(gymnasium.make_vec(MAZE, num_envs=3, autoreset_mode=mode, **keywords))
    theirs = SyncVectorEnv([lambda: LastStep(gymnasium.make(MAZE, **keywords))] * 3, autoreset_mode=mode)
    assert ours.observation_space == theirs.observation_space
    assert walk_alike(ours, theirs, 60) > 15


def test_last_step_is_what_was_done():
    env = LastStep(gymnasium.make("mazegrad/CliffWalk-v0"))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*(unwrapped version|infinity)")  # it is a wrapper; of the reward
        check_env(env, skip_render_check=True)
    first, _ = env.reset(seed=0)
    assert first.tolist() == [1, 1, 0, 0, 0, 0, 0, 0, 0, 0]
    seen, *_ = env.step(0)
    assert seen.dtype == np.float32 and seen[4:].tolist() == [1, 0, 0, 0, -1, 0]
    seen, *_ = LastStep(gymnasium.make(GRID, observation="view")).reset(seed=0)
    assert seen.keys() == {"observation", "last_step"}
    with pytest.raises(TypeError, match="actions must be Discrete"):
        LastStep(gymnasium.make("Pendulum-v1"))


@pytest.mark.parametrize(
    ("name", "keywords"), [(MAZE, {"size": (2, 2)}), (MAZE, {"size": (2, 2), "level_seeds": range(9)}),
                           (TMAZE, {"corridor": 1}), (GRID, {"random_goals": True, "maze": "four_rooms"})]
)  # fmt: skip
@pytest.mark.parametrize("episodes", [1, 3])
def test_trials_of_lanes_are_those_of_single_environments(name, keywords, episodes):
    keywords = {"slip": 0.2, "time_limit": 9, "info": ("success", "level"), "episodes_per_level": episodes, **keywords}
    ours = gymnasium.make_vec(name, num_envs=3, autoreset_mode="SameStep", **keywords)
    ours = VectorLastStep(VectorTrials(ours, episodes))
    make = [lambda: LastStep(Trials(gymnasium.make(name, **keywords), episodes))] * 3
    theirs = SyncVectorEnv(make, autoreset_mode=AutoresetMode.SAME_STEP)
    assert walk_alike(ours, theirs, 100) > 20 / episodes


def test_a_trial_is_in_one_level_and_the_next_in_another():
    env = Trials(gymnasium.make(MAZE, size=(3, 3), time_limit=5, info=("level",), episodes_per_level=4), 4)
    rng = np.random.default_rng(0)
    levels, mazes, starts = [], [], 0
    for seed in (7, None, None):
        _, info = env.reset(seed=seed)
        seen, inside = {int(info["level"])}, {env.unwrapped.maze}
        over = False
        while not over:
            _, _, terminated, truncated, info = env.step(rng.integers(4))
            over = terminated or truncated
            starts += bool(info["episode_over"])
            seen.add(int(info["level"])), inside.add(env.unwrapped.maze)
        assert len(seen) == len(inside) == 1
        levels, mazes = [*levels, *seen], [*mazes, *inside]
    assert len(set(levels)) == len(set(mazes)) == 3 and starts == 12


def test_a_trial_that_is_left_is_not_gone_on_with():
    """Reset in the middle of a trial begins the next trial, in the next level; single and vector alike."""
    keywords = {"size": (3, 3), "time_limit": 5, "info": ("level",), "episodes_per_level": 3}
    one = Trials(gymnasium.make(MAZE, **keywords), 3)
    many = VectorTrials(gymnasium.make_vec(MAZE, num_envs=2, autoreset_mode="SameStep", **keywords), 3)
    first, vector = one.reset(seed=1)[1]["level"], many.reset(seed=1)[1]["level"]
    for _ in range(7):
        one.step(0), many.step(np.zeros(2, dtype=int))
    assert vector[0] == first
    mask = np.array([True, False])
    again, vector_again = one.reset()[1]["level"], many.reset(options={"reset_mask": mask})[1]["level"]
    assert again != first and vector_again[0] == again
    assert many.step(np.zeros(2, dtype=int))[4]["level"].tolist() == [again, vector[1]]


def test_what_cannot_be_a_trial_is_refused():
    with pytest.raises(ValueError, match="episodes_per_level=3"):
        Trials(gymnasium.make(MAZE), 3)
    with pytest.raises(ValueError, match='autoreset_mode="SameStep"'):
        VectorTrials(gymnasium.make_vec(GRID, num_envs=2), 3)
    with pytest.raises(ValueError, match="episodes"):
        Trials(gymnasium.make(GRID), 0)
    assert Trials(gymnasium.make(GRID), 3).reset(seed=0)[1] == {"episode_over": False}
