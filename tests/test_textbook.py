"""The textbook worlds against the figures their sources give."""

import itertools

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
    cliff = set(range(37, 47))
    for state in set(range(47)) - cliff:
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
