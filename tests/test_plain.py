"""Plain mazes need no tables for their distances; the actions that are told are all that are best."""

import gymnasium
import numpy as np
import pytest

from mazegrad.envs import (
    GENERATORS,
    Maze,
    World,
    best_actions,
    distance_maps,
    distances,
    evaluate_policy,
    generate,
    load_maze,
    optimal_actions,
    value_iteration,
)

from random_worlds import random_worlds


def mazes_of(name, count=4):
    knobs = {} if name == "path" else {"goal": "random"}
    return [generate(name, 4, 6, rng=np.random.default_rng(seed), **knobs) for seed in range(count)]


@pytest.mark.parametrize("name", GENERATORS)
def test_maps_say_what_the_tables_say(name):
    mazes = mazes_of(name)
    maps = distance_maps(np.stack([maze.tiles for maze in mazes]))
    best = best_actions(maps)
    for maze, way, actions in zip(mazes, maps, best, strict=True):
        world = World.compile(maze)
        assert (way.ravel()[world.cell] == distances(world)).all()
        assert (way[~maze.open] == -1).all()
        assert (actions.reshape(-1, 4)[world.cell] == optimal_actions(world)).all()


def test_several_goals_and_places_without_a_way():
    tiles = Maze.from_text("S..G#.\n###.#G\n G...#\n.#####\n").tiles
    maps = distance_maps(np.stack([tiles, tiles[::-1]]))
    assert maps[0].tolist() == [[3, 2, 1, 0, -1, 1], [-1, -1, -1, 1, -1, 0], [-1, 0, 1, 2, 3, -1], [-1] * 6]
    assert (maps[1] == maps[0][::-1]).all()
    assert best_actions(maps)[0, 3, 0].tolist() == [1, 1, 1, 1]
    assert best_actions(maps)[0, 1, 3].tolist() == [1, 0, 0, 0]
    assert best_actions(maps)[0, 0, 3].tolist() == [0, 0, 0, 0]


def test_a_maze_of_many_tiles():
    """More than 2 ** 15 steps: another width of integers."""
    rows = ["." * 400 if row % 2 == 0 else "#" * 399 + "." if row % 4 == 1 else "." + "#" * 399 for row in range(199)]
    rows[0], rows[-1] = "S" + rows[0][1:], rows[-1][:-1] + "G"
    maze = Maze.from_text("\n".join(rows) + "\n")
    world = World.compile(maze)
    way = distance_maps(maze.tiles[None])[0]
    assert way.max() > 2**15
    assert (way[maze.open] == distances(world)).all()


def test_other_tiles_are_refused():
    with pytest.raises(ValueError, match=r"the tiles ' #.SG' alone, not of '~'"):
        distance_maps(np.full((1, 2, 2), ord("~"), dtype=np.uint8))
    with pytest.raises(ValueError, match=r"uint8 array \(n, height, width\), not uint8 \(4, 4\)"):
        distance_maps(load_maze("ice_lake").tiles)


@pytest.mark.parametrize("discount", [0.0, 0.6, 0.99])
def test_the_info_holds_all_actions_of_best_value(discount):
    worlds = random_worlds(20, seed=11)
    worlds += [World.compile(maze, rewards=r) for maze in mazes_of("caves", 2) for r in ({}, {"step": -1}, {"step": 1})]
    for world in worlds:
        maze = world.mazes[0]
        rewards = {"step": float(world.reward[~world.terminal].min())} if not maze.metadata else {}
        env = gymnasium.make(
            "mazegrad/GridWorld-v0", maze=maze, rewards=rewards, info=("optimal_actions", "optimal_action", "value"),
            discount=discount,
        ).unwrapped  # fmt: skip
        _, info = env.reset(seed=0)
        best = value_iteration(env.world, discount=discount)
        wanted = best.optimal[env.state] & (not env.world.terminal[env.state])
        assert info["optimal_actions"].dtype == np.int8
        assert info["optimal_actions"].tolist() == wanted.tolist()
        assert info["optimal_action"] == (wanted.argmax() if wanted.any() else -1)
        assert info["value"] == pytest.approx(best.values[env.state])


def followed(name, **keywords):
    """The fewest and the most steps to the goal of those who follow the told actions, any of them."""
    env = gymnasium.make_vec(name, num_envs=32, info=("optimal_actions", "distance"), **keywords)
    _, info = env.reset(seed=0)
    way, rng, lengths = info["distance"], np.random.default_rng(0), np.zeros(32, dtype=np.int64)
    for step in range(1, way.max() + 1):
        chances = info["optimal_actions"] * rng.random((32, 4))
        assert ((info["optimal_actions"].sum(axis=1) > 0) == (info["distance"] > 0)).all()
        _, _, over, _, info = env.step(chances.argmax(axis=1))
        lengths[over & (lengths == 0)] = step
    return lengths - way


@pytest.mark.parametrize("keywords", [{}, {"generator": "caves"}, {"rewards": {"step": -1.0}}, {"level_seeds": [1, 2]}])
def test_whoever_follows_the_labels_takes_a_shortest_path(keywords):
    assert (followed("mazegrad/Maze-v0", size=(3, 4), **keywords) == 0).all()


def test_with_a_bonus_for_walking_nobody_is_sent_to_the_goal():
    env = gymnasium.make_vec(
        "mazegrad/Maze-v0", num_envs=4, size=(2, 2), rewards={"step": 2}, info=("optimal_actions",)
    )
    _, info = env.reset(seed=0)
    assert info["optimal_actions"].all(axis=1).tolist() == [True] * 4
    world = World.compile(Maze.from_text("S.G\n"), rewards={"step": 2})
    stay = evaluate_policy(world, np.zeros(3, dtype=np.int64))
    assert stay.values[0] == pytest.approx(value_iteration(world).values[0])
