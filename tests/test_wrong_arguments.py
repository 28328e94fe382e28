"""What a newcomer gives by mistake is refused at the door: a seed for a generator of numbers, a matrix for a net."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import gymnasium
import numpy as np
import pytest

import mazegrad  # noqa: F401 (registers the environments)
from mazegrad import nn
from mazegrad.agents import (
    PPO,
    QLearning,
    RandomAgent,
    RecurrentPolicy,
    RNNAgent,
    WallFollower,
    agent_from_policy,
    certify_memory,
    rollout,
)
from mazegrad.envs import World, generate, load_maze, mutate, save_maze, solve


def _sampling(rng: Any) -> Any:
    space = gymnasium.spaces.MultiBinary(4), gymnasium.spaces.Discrete(4)
    return RecurrentPolicy(*space, cell="none", hidden=2, rng=np.random.default_rng(0)).sampling(rng)


MAZE: Final = load_maze("loop")
TAKE_RNG: Final[Mapping[str, Callable[[Any], Any]]] = {
    "generate": lambda rng: generate("prim", 3, 3, rng=rng),
    "mutate": lambda rng: mutate(MAZE, rng=rng),
    "RandomAgent": RandomAgent,
    "QLearning": lambda rng: QLearning(gymnasium.make("mazegrad/GridWorld-v0", observation="index"), rng=rng),
    "sampling": _sampling,
    "solve": lambda rng: solve("random_mouse", World.compile(MAZE), rng=rng),
}


@pytest.mark.parametrize("wrong", [3, np.random.RandomState(0), np.random])
@pytest.mark.parametrize("name", TAKE_RNG)
def test_what_is_not_a_generator_of_numbers_is_refused(name: str, wrong: Any) -> None:
    TAKE_RNG[name](np.random.default_rng(0))
    with pytest.raises(TypeError, match=r"rng must be a numpy Generator, such as numpy.random.default_rng\(0\), not"):
        TAKE_RNG[name](wrong)


def test_a_policy_that_draws_needs_one_too() -> None:
    with pytest.raises(TypeError, match="rng must be a numpy Generator"):
        agent_from_policy(np.full((World.compile(MAZE).states, 4), 0.25), rng=3)  # type: ignore[arg-type]


def test_a_matrix_is_not_a_net() -> None:
    with pytest.raises(TypeError, match=r"expected a LinearRNN\(W, U, b, h0\), not ndarray"):
        RNNAgent(np.eye(4))  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["Maze-v0", "TMaze-v0"])
def test_environments_that_make_their_own_mazes_take_none(name: str) -> None:
    for make in (gymnasium.make, lambda env_id, **given: gymnasium.make_vec(env_id, num_envs=2, **given)):
        with pytest.raises(TypeError, match=f"mazegrad/{name} makes its own mazes; mazegrad/GridWorld-v0 takes one"):
            make(f"mazegrad/{name}", maze="spiral")


def test_a_net_learns_in_lanes_only() -> None:
    rng = np.random.default_rng(0)
    for env in (gymnasium.make("mazegrad/TMaze-v0"), "mazegrad/TMaze-v0"):
        with pytest.raises(TypeError, match="a learner walks in a vector environment"):
            PPO(env, rng=rng)  # type: ignore[arg-type]


def test_observations_of_another_shape(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"WallFollower sees dots, four bits or a batch of them, not the shape \(\)"):
        rollout(gymnasium.make("mazegrad/GridWorld-v0", observation="index"), WallFollower(), seed=0)
    with pytest.raises(TypeError, match="expected a World, a Maze or a list of them, not MazeVectorEnv"):
        certify_memory(gymnasium.make_vec("mazegrad/TMaze-v0", num_envs=2))  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"expected a Maze, not str; Maze.from_text reads a drawing"):
        save_maze(tmp_path / "mine.txt", "#S.G#")  # type: ignore[arg-type]


def test_names_are_known_in_capitals_too() -> None:
    spaces = gymnasium.spaces.MultiBinary(4), gymnasium.spaces.Discrete(4)
    with pytest.raises(ValueError, match=r"unknown cell 'LSTM'; did you mean 'lstm'\?"):
        RecurrentPolicy(*spaces, cell="LSTM", rng=np.random.default_rng(0))


def test_a_folder_that_is_not_there_is_named_as_it_was_given(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as error:
        nn.save(tmp_path / "nowhere" / "net.npz", note="x")
    assert error.value.filename == str(tmp_path / "nowhere" / "net.npz")
