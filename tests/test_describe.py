"""The difficulty card counts what a plain count over the drawing counts."""

import subprocess
import sys

import numpy as np
import pytest

from mazegrad.envs import MAZES, OBSERVATIONS, Maze, MazeError, World, describe, distances, load_maze

from random_worlds import perfect_maze, random_maze


@pytest.mark.parametrize("name", [name for name in MAZES if name != "long_way"])
def test_a_card_is_a_plain_count(name):
    maze = load_maze(name)
    card = describe(maze)
    cells = {(r, c) for r, row in enumerate(maze.rows()) for c, tile in enumerate(row) if tile not in "# "}
    near = [sum((r + dr, c + dc) in cells for dr, dc in ((0, 1), (1, 0), (0, -1), (-1, 0))) for r, c in cells]
    assert card.open_cells == len(cells)
    assert card.dead_ends == near.count(0) + near.count(1)
    assert card.corridors == near.count(2)
    assert card.junctions == near.count(3) + near.count(4)
    world = World.compile(maze)
    assert card.states == world.states
    looks = {}
    for state, cell in enumerate(world.cell.tolist()):
        looks.setdefault(world.dots[state].tobytes(), set()).add(cell)
    assert card.look_alikes["dots"] == len(set().union(*(seen for seen in looks.values() if len(seen) > 1)))
    assert card.look_alikes["position"] == 0


def test_a_perfect_maze_has_as_many_dead_ends_as_its_tree_has_leaves():
    for rooms in range(2, 9):
        card = describe(perfect_maze(rooms, np.random.default_rng(rooms)))
        assert card.open_cells == 2 * rooms * rooms - 1
        assert card.dead_ends + card.corridors + card.junctions == card.open_cells
        assert card.dead_ends >= 2


def test_the_shortest_path_is_from_the_farthest_start_or_none():
    assert describe(Maze.from_text("S..GS")).shortest_path == 3
    assert describe(Maze.from_text("S..G#S")).shortest_path is None
    assert "no way to a goal" in str(describe(Maze.from_text("S..G#S")))
    rng = np.random.default_rng(0)
    for _ in range(50):
        maze = random_maze(rng)
        world = World.compile(maze)
        ways = distances(world)[world.start_states]
        assert describe(maze).shortest_path == (None if (ways < 0).any() else ways.max())


def test_it_can_be_read():
    text = str(describe(load_maze("four_rooms")))
    assert text.splitlines()[0].split() == ["four_rooms", "13", "x", "13"]
    assert "open cells              104" in text
    assert "shortest path           16 steps" in text
    assert len({line.index(line.split("  ")[-1].strip()) for line in text.splitlines()}) == 1


def test_a_maze_without_a_start_has_no_card():
    with pytest.raises(MazeError, match="no start"):
        describe(Maze.from_text("..G"))


def test_looks_are_those_of_the_observations():
    """Of views and dots as agents see them, in mazes with and without things to carry."""
    rng = np.random.default_rng(4)
    for _ in range(40):
        maze = random_maze(rng)
        world = World.compile(maze)
        for name in ("dots", "view"):
            looks = {}
            seen = OBSERVATIONS[name](world).look(np.arange(world.states))
            for cell, row in zip(world.cell.tolist(), seen, strict=True):
                looks.setdefault(row.tobytes(), set()).add(cell)
            alike = set().union(*(cells for cells in looks.values() if len(cells) > 1))
            assert describe(maze).look_alikes[name] == len(alike)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the peak is read from /proc")
@pytest.mark.parametrize(("what", "most"), [("World.compile", 512), ("describe", 768)])
def test_the_largest_mazes_fit_into_memory(what, most):
    """2000 x 2000 open tiles: the most states that a maze has without things to carry; MiB at the peak."""
    program = f"""
import numpy as np
from mazegrad.envs import Maze, World, describe

tiles = np.full((2000, 2000), ord("."), dtype=np.uint8)
tiles[0, 0], tiles[-1, -1] = b"SG"
made = {what}(Maze(tiles))
assert made.states == 4_000_000
print(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1])
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert int(done.stdout) < most * 1024
