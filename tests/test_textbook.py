"""The textbook worlds against the figures their sources give."""

import itertools
import re
import warnings
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import gymnasium
import numpy as np
import pytest

from mazegrad.agents import ShortestPathAgent
from mazegrad.envs import MAZES, World, distances, load_maze, outcomes, shortest_path, value_iteration


def shortest_return(name: str) -> tuple[int, float]:
    """Return the steps of a shortest way and what it earns, walked in the environment."""
    env = gymnasium.make("mazegrad/GridWorld-v0", maze=name, observation="index")
    env.reset(seed=0)
    world = env.unwrapped.world
    path = shortest_path(world)
    earned = 0.0
    for state, after in itertools.pairwise(path):
        _, reward, terminated, _, _ = env.step(int((world.next_state[state] == after).argmax()))
        earned += reward
    assert terminated and env.unwrapped.at_goal
    return len(path) - 1, earned


@pytest.mark.parametrize(
    ("name", "states", "steps", "earned"),
    [
        ("cliff_walk", 48, 13, -13),  # Sutton & Barto 2018, example 6.6
        ("windy_grid", 70, 15, -15),  # example 6.5
        ("dyna_maze", 47, 14, 1),  # example 8.1
        ("four_rooms", 104, 16, 1),  # Sutton, Precup & Singh 1999: 104 states
    ],
)
def test_published_figures(name: str, states: int, steps: int, earned: float) -> None:
    assert World.compile(load_maze(name)).states == states
    assert shortest_return(name) == (steps, earned)


def test_every_shipped_map_compiles_under_its_own_name() -> None:
    for name in MAZES:
        maze = load_maze(name)
        assert maze.metadata["name"] == name
        world = World.compile(maze)
        assert name == "loop" or (distances(world)[world.start_states] > 0).all()


@pytest.mark.parametrize(("name", "value"), [("ice_lake", 0.542026), ("ice_lake_8x8", 0.414640)])
def test_frozen_lake_is_worth_what_is_published(name: str, value: float) -> None:
    assert value_iteration(World.compile(load_maze(name)), discount=0.99).expected_return == pytest.approx(
        value, abs=6e-7
    )


class Row(NamedTuple):
    """A row of docs/textbook.md: what a source says that can be compared."""

    env_id: str
    source: str
    states: int
    start: tuple[int, int]
    best: float
    limit: int | None = None
    threshold: float | None = None
    keywords: Mapping[str, Any] = MappingProxyType({})

    @property
    def name(self) -> str:
        said = {key: f"{value!r}" if key != "slip" else "2/3" for key, value in self.keywords.items()}
        return ", ".join([f"`{self.env_id}`", *(f"`{key}={value}`" for key, value in said.items())]).replace("'", '"')


BOOK = "Sutton & Barto 2018, example"
ROWS = (
    Row("IceLake-v0", "`FrozenLake-v1`", 16, (0, 0), 0.74, 100, 0.7),
    Row("IceLake-v0", "`FrozenLake8x8-v1`", 64, (0, 0), 0.91, 200, 0.85, {"maze": "ice_lake_8x8", "time_limit": 200}),
    Row("CliffWalk-v0", "`CliffWalking-v1`", 48, (3, 0), -13),
    Row("CliffWalk-v0", "`CliffWalkingSlippery-v1`", 48, (3, 0), -64.7, keywords={"slip": 2 / 3, "time_limit": None}),
    Row("WindyGrid-v0", f"{BOOK} 6.5", 70, (3, 0), -15),
    Row("DynaMaze-v0", f"{BOOK} 8.1", 47, (2, 0), 1),
    Row("FourRooms-v0", "Sutton, Precup & Singh 1999", 104, (1, 1), 1),
    Row("GridWorld-v0", f"{BOOK} 8.2", 46, (5, 3), 1, keywords={"maze": "blocking_maze"}),
    Row("GridWorld-v0", f"{BOOK} 8.3", 46, (5, 3), 1, keywords={"maze": "shortcut_maze"}),
)
PAGE = (Path(__file__).parent.parent / "docs" / "textbook.md").read_text("utf-8")


def optimum(world: World, limit: int | None) -> float:
    """Return the best expected return within a limit, not discounted, by induction backwards from it."""
    moves, values = outcomes(world), np.zeros(world.states)
    for _ in range(limit or 10**5):
        after = np.where(moves.terminal, 0.0, values[moves.next_state])
        better = np.where(world.terminal, 0.0, (moves.probability * (moves.reward + after)).sum(axis=2).max(axis=1))
        if np.abs(better - values).max() < 1e-9:
            break
        values = better
    return float(values[world.start_states].mean())


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_what_can_be_compared_with_a_source(row: Row) -> None:
    """States, starts, scores, limits, thresholds; where ours are others, the page says so, with both numbers."""
    env = gymnasium.make(f"mazegrad/{row.env_id}", observation="state", **row.keywords)
    world, spec = env.unwrapped.world, env.spec
    assert (world.states, world.mazes[0].width * row.start[0] + row.start[1]) == (
        row.states,
        world.cell[env.reset()[0]],
    )
    limit, threshold = spec.max_episode_steps, spec.reward_threshold
    assert optimum(world, limit) == pytest.approx(row.best, abs=0.05 if "Slippery" in row.source else 0.005)
    source = re.fullmatch("`(.*)`", row.source)
    if source is not None and source[1] in gymnasium.registry:
        theirs = gymnasium.spec(source[1])
        assert (row.limit, row.threshold) == (theirs.max_episode_steps, theirs.reward_threshold)
    if row.limit is not None:
        assert limit == row.limit
    shown = ["none" if number is None else f"{number:g}" for number in (row.limit, limit, row.threshold, threshold)]
    cells = [row.name, row.source, row.states, row.start, row.best, ", ".join(shown[:2]), ", ".join(shown[2:])]
    assert f"| {' | '.join(map(str, cells))} |" in PAGE


@pytest.mark.parametrize(
    "row", [row for row in ROWS if row.source.strip("`") in gymnasium.registry], ids=lambda row: row.source
)
def test_what_a_source_refuses_is_refused(row: Row) -> None:
    """An action that does not exist, a step before the first reset; and a walk ends where it ends there."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        source = gymnasium.make(row.source.strip("`"))
        order = {"action_order": "gymnasium"}
        ours = gymnasium.make(f"mazegrad/{row.env_id}", observation="state", **order, **row.keywords)
        for env in (source, ours):
            with pytest.raises(gymnasium.error.ResetNeeded):
                env.step(0)
            env.reset(seed=0)
            for action in (-1, 4, 1.5, "up", None):
                with pytest.raises((AssertionError, ValueError, TypeError, KeyError, IndexError)):
                    env.step(action)
        # the same walks, move by move: ours by its own luck, theirs set beside it
        rng = np.random.default_rng(0)
        for seed in range(5):
            state, _ = ours.reset(seed=seed)
            source.reset(seed=seed)
            for _ in range(row.limit or 300):
                source.unwrapped.s = int(ours.unwrapped.world.cell[state])
                action = int(rng.integers(4))
                listed = source.unwrapped.P[source.unwrapped.s][action]
                state, reward, ends, cut, _ = ours.step(action)
                cell = int(ours.unwrapped.world.cell[state])
                assert any((cell, reward, ends) == (after, earned, over) for _, after, earned, over in listed)
                if ends or cut:
                    break
            assert ends or cut or row.limit is None


@pytest.mark.parametrize(("name", "map_name"), [("ice_lake", "4x4"), ("ice_lake_8x8", "8x8")])
def test_ice_lake_is_frozen_lake(name: str, map_name: str) -> None:
    theirs = gymnasium.make("FrozenLake-v1", map_name=map_name).unwrapped.P
    world = World.compile(load_maze(name))
    ours = outcomes(world)
    assert world.states == len(theirs) and (world.cell == np.arange(world.states)).all()
    for state in np.flatnonzero(~world.terminal).tolist():
        for action, their_action in enumerate((3, 2, 0, 1)):  # theirs are left, down, right, up
            for outcome, (probability, after, reward, terminated) in enumerate(theirs[state][their_action]):
                at = state, action, outcome
                assert abs(ours.probability[at] - probability) <= 1e-15
                assert (ours.next_state[at], ours.reward[at], ours.terminal[at]) == (after, reward, terminated)
    for state in np.flatnonzero(world.terminal).tolist():
        assert theirs[state][0] == [(1.0, state, 0, True)]
        assert (world.next_state[state] == state).all() and not world.reward[state].any()


def test_the_cliff_is_cliff_walking() -> None:
    name = max(name for name in gymnasium.registry if name.startswith("CliffWalking-"))
    theirs = gymnasium.make(name).unwrapped.P
    world = World.compile(load_maze("cliff_walk"))
    for state in range(47):  # the cliff's own cells, too; the last is the goal
        for action, their_action in enumerate((0, 1, 3, 2)):  # theirs are up, right, down, left
            [(_, after, reward, terminated)] = theirs[state][their_action]
            reached = int(world.next_state[state, action])
            assert (reached, world.reward[state, action], world.terminal[reached]) == (after, reward, terminated)


def test_the_doors_of_key_door_are_needed() -> None:
    maze = load_maze("key_door")
    walled = maze.tiles.copy()
    for door in "AB":
        without = walled.copy()
        without[without == ord(door)] = ord("#")
        world = World.compile(type(maze)(without))
        assert distances(world)[world.start_states].tolist() == [-1]


def test_the_shortest_path_agent_opens_the_doors() -> None:
    env = gymnasium.make("mazegrad/KeyDoor-v0", observation="index")
    agent = ShortestPathAgent(env.unwrapped.world)
    observation, _ = env.reset(seed=0)
    for step in range(39):
        action, _ = agent.act(observation, None)
        observation, _, terminated, _, _ = env.step(action)
        assert terminated == (step == 38)
