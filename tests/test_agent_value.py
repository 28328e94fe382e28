"""The measured value of an agent is its exact value, where that is known."""

import numpy as np
import pytest

from mazegrad.agents import (
    RandomAgent,
    WallFollower,
    agent_from_policy,
    agent_value,
    certify_memory,
    named_agent,
    path_follower,
)
from mazegrad.envs import Maze, World, evaluate_policy, load_maze, value_iteration

ROOMS = load_maze("four_rooms")
SEVERAL = Maze.from_text("S..S\n.#.#\nG..X\n")


def exact(world, policy):
    """The mean over the starts of a policy's value."""
    values = evaluate_policy(world, policy, discount=0.9).values
    return float(values[world.start_states].mean())


@pytest.mark.parametrize("maze", [ROOMS, SEVERAL], ids=["four_rooms", "several starts"])
@pytest.mark.parametrize("actions", [None, "turns"])
def test_the_best_policy_earns_its_value(maze, actions):
    world = World.compile(maze, actions=actions)
    best = value_iteration(world, discount=0.9)
    agent = agent_from_policy(best)
    found = agent_value(world, agent, discount=0.9, episodes=50, observation="state")
    assert found.mean == pytest.approx(float(best.values[world.start_states].mean()), abs=1e-8)
    assert found.error == 0 and found.episodes >= 50


def test_chance_lies_within_its_error():
    world = World.compile(SEVERAL, slip=0.2)
    found = agent_value(world, RandomAgent(np.random.default_rng(0)), discount=0.9, episodes=20_000, seed=3)
    uniform = np.full((world.states, 4), 0.25)
    assert 0 < found.error < 0.01
    assert abs(found.mean - exact(world, uniform)) < 4 * found.error


def test_all_starts_of_all_mazes_count_alike():
    worlds = [World.compile(Maze.from_text("S..G\n")), World.compile(Maze.from_text("GSS\n"))]
    one, other = [agent_value(world, WallFollower(), discount=0.5).mean for world in worlds]
    both = agent_value(worlds, WallFollower(), discount=0.5)
    assert both == agent_value(World.stack(worlds), WallFollower(), discount=0.5)
    assert both.mean == pytest.approx((one + 2 * other) / 3)


def test_it_stands_in_the_table_of_a_certificate():
    certificate = certify_memory(load_maze("sheet38"), time_limit=5.0)
    value = agent_value(certificate, path_follower(), episodes=3)
    assert value.mean == pytest.approx(certificate.full_state_value.lower, abs=1e-8)
    assert f"measured: the sheet's net                       {value.mean:.9g}" in certificate.explain(
        {"the sheet's net": value}
    )


def test_an_agent_may_be_made_for_each_maze():
    worlds = [World.compile(ROOMS), World.compile(load_maze("loop"))]
    found = agent_value(worlds, named_agent("optimal").make, observation="state", episodes=2)
    best = [float(value_iteration(world).values[world.start_states].mean()) for world in worlds]
    assert found.mean == pytest.approx(np.mean(best), abs=1e-8)


def test_what_does_not_fit_is_refused():
    world = World.compile(ROOMS)
    with pytest.raises(TypeError, match="expected an agent"):
        agent_value(world, 3)
    with pytest.raises(ValueError, match="episodes"):
        agent_value(world, WallFollower(), episodes=0)
    with pytest.raises(ValueError, match="discount"):
        agent_value(world, WallFollower(), discount=1.5)
