"""Thin walls: the same mazes as with walls of tiles, in half of the steps; drawings, edge arrays, pictures."""

import gymnasium
import numpy as np
import pytest

from mazegrad.envs import (
    Maze,
    MazeError,
    MazeVectorEnv,
    World,
    describe,
    distances,
    draw,
    generate,
    load_maze,
    save_maze,
    shortest_path,
)
from mazegrad.envs.maps.generators import GENERATORS
from mazegrad.envs.maps.thin import read_thin, thin_maze, thinned, write_thin
from mazegrad.envs.pictures.text import draw_text


@pytest.mark.parametrize("name", ["backtracker", "kruskal", "wilson", "eller", "binary_tree"])
@pytest.mark.parametrize("seed", range(4))
def test_a_thin_maze_is_its_thick_one_in_half_of_the_steps(name, seed):
    for goal in ("random", "farthest"):  # which may be in a passage
        drawn = generate(name, 5, 7, rng=np.random.default_rng(seed), goal=goal, start="random", walls="thin")
        assert len(drawn.find("G")) == len(drawn.find("S")) == 1
    thick = generate(name, 5, 7, rng=np.random.default_rng(seed), braid=0.3)
    thin = generate(name, 5, 7, rng=np.random.default_rng(seed), braid=0.3, walls="thin")
    assert thin == thinned(thick) and thin.tiles.shape == (5, 7)
    one, other = World.compile(thick), World.compile(thin)
    rooms = np.flatnonzero((one.cell // thick.width % 2 == 1) & (one.cell % thick.width % 2 == 1))
    assert (distances(one)[rooms] == 2 * distances(other)).all()
    assert (one.dots[rooms] == other.dots).all()
    assert 2 * (len(shortest_path(other)) - 1) == len(shortest_path(one)) - 1
    card = describe(thin)
    assert (card.open_cells, card.shortest_path) == (35, len(shortest_path(other)) - 1)
    assert card.dead_ends == (other.dots.sum(axis=1) == 1).sum()


def test_drawings_and_edge_arrays():
    rng = np.random.default_rng(0)
    for _ in range(50):
        height, width = rng.integers(1, 6, size=2).tolist()
        tiles = rng.choice(np.frombuffer(b"...#GX~*", dtype=np.uint8), size=(height, width))
        tiles[0, 0] = ord("S")
        right, lower = rng.random((height, width - 1)) < 0.3, rng.random((height - 1, width)) < 0.3
        maze = thin_maze(tiles, right, lower, {"slip": "0.1"})
        assert read_thin(write_thin(maze)) == maze == Maze.from_text(maze.to_text())
        world = World.compile(maze)
        at = dict(zip(world.cell.tolist(), range(world.states), strict=True))
        for row, column in np.argwhere(right).tolist():
            state = at.get(row * width + column)
            if state is not None and not world.carried.any():
                assert world.dots[state, 1] == 0
    with pytest.raises(ValueError, match=r"right has shape \(2, 1\)"):
        thin_maze(np.full((2, 2), ord("."), dtype=np.uint8), np.zeros((2, 2)), np.zeros((1, 2)))


def test_files(tmp_path):
    maze = generate("prim", 4, 4, rng=np.random.default_rng(1), walls="thin")
    save_maze(tmp_path / "maze.walls", maze)
    assert load_maze(tmp_path / "maze.walls") == maze
    with pytest.raises(MazeError, match="'walls'"):
        save_maze(tmp_path / "maze.lake", maze)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("S.G\n", "line 1, column 1: a drawing of thin walls begins with"),
        ("+--+-+\n|S    |\n+--+-+\n", "cells are equally wide"),
        ("+--+\n|SX|\n+--+\n", "line 2, column 2: a cell holds one tile or nothing, not 'SX'"),
        ("+--+\n|S x\n+--+\n", "a cell holds one tile|walls are drawn as"),
        ("+--+\n|S |\n", "cells are equally wide"),
    ],
)
def test_drawings_that_cannot_be_read(text, message):
    with pytest.raises(MazeError, match=message):
        read_thin(text)


def test_lanes_and_pictures():
    maze = generate("kruskal", 4, 4, rng=np.random.default_rng(3), walls="thin")
    bare = Maze(maze.tiles)
    assert (draw(maze) != draw(bare)).any() and draw(maze).shape == draw(bare).shape
    text = draw_text(World.compile(maze), 0)
    assert text.startswith("+---+---+---+---+\n| ○ ") and text.count("\n") == 9
    envs = MazeVectorEnv(maze, 3, observation="pixels")
    seen, _ = envs.reset(seed=0)
    for lane, cell in enumerate(envs.engine.places().cell.tolist()):
        [state] = np.flatnonzero(World.compile(maze).cell == cell)
        assert (seen[lane] == draw(World.compile(maze), int(state))).all()


def test_the_fresh_mazes_of_an_id():
    env = gymnasium.make("mazegrad/Maze-v0", size=(4, 4), walls="thin", observation="position")
    envs = gymnasium.make_vec("mazegrad/Maze-v0", num_envs=3, size=(4, 4), walls="thin", observation="position")
    first, _ = envs.reset(seed=5)
    for lane in range(3):
        assert env.reset(seed=5 + lane)[0].tolist() == first[lane].tolist()
        assert env.unwrapped.maze == envs.unwrapped.maze_of(lane)
        assert env.unwrapped.maze.tiles.shape == (4, 4)
    with pytest.raises(ValueError, match="dungeon has no thin walls"):
        gymnasium.make("mazegrad/Maze-v0", generator="dungeon", walls="thin")
    assert "dungeon" in GENERATORS
