"""Mazes as other packages ship them: their source files are read as text, never run; skipped where one is missing."""

import importlib.util
import re
from pathlib import Path

import numpy as np
import pytest

from mazegrad.envs import FORMATS, Maze, distance_maps, maze_from_array


def source(package: str, file: str) -> str:
    """Return a file of an installed package, without importing it."""
    found = importlib.util.find_spec(package)
    if found is None or not found.submodule_search_locations:
        pytest.skip(f"{package} is not installed")
    return (Path(found.submodule_search_locations[0]) / file).read_text(encoding="utf-8")


def connected(maze: Maze) -> bool:
    """Return whether all open tiles are one region, found from the first of them."""
    first = np.argwhere(maze.open)[0].tolist()
    tiles = np.where(maze.open, np.uint8(ord(".")), np.uint8(ord("#")))
    tiles[tuple(first)] = ord("G")
    return bool((distance_maps(tiles[None])[0][maze.open] >= 0).all())


def again(name: str, maze: Maze) -> None:
    """Check that what is written is read again."""
    assert np.array_equal(FORMATS[name].read(FORMATS[name].write(maze)).tiles, maze.tiles)


def test_the_mazes_of_ogbench() -> None:
    text = source("ogbench", "locomaze/maze.py")
    drawn = re.findall(r"maze_map = (\[\n(?:\s*\[[\d, ]+\],\n)+\s*\])", text)
    mazes = [FORMATS["lists"].read(one.encode()) for one in drawn]
    assert len(mazes) >= 5 and {(8, 8), (9, 12), (12, 16)} <= {(maze.height, maze.width) for maze in mazes}
    for maze in mazes:
        assert (maze.tiles[[0, -1]] == ord("#")).all()
        again("lists", maze)
    assert [connected(maze) for maze in mazes].count(False) == 1, "the one whose teleporters are not in its lists"


def test_the_mazes_of_gymnasium_robotics() -> None:
    text = source("gymnasium_robotics", "envs/maze/maps.py")
    drawn = re.findall(r"^\w+ = \[\n(?:    \[[\w, ]+\],\n)+\]", text, re.MULTILINE)
    assert len(drawn) >= 10
    read = 0
    for one in drawn:
        if "C" in one.partition("=")[2]:  # a cell that is a start or a goal
            with pytest.raises(ValueError, match="c is a start or a goal, so say which"):
                FORMATS["lists"].read(one.encode())
            continue
        maze = FORMATS["lists"].read(one.encode())
        assert connected(maze)
        again("lists", maze)
        read += 1
    assert read >= 6


def test_the_mazes_of_d4rl() -> None:
    text = source("d4rl", "pointmaze/maze_model.py")
    drawn = re.findall(r"^([A-Z_]+) = \\\n((?:\s+['\"][#OG\\]+['\"]\+?\\?\n)+)", text, re.MULTILINE)
    assert len(drawn) >= 6
    for name, rows in drawn:
        joined = "".join(re.findall(r"['\"]([^'\"]+)['\"]", rows)).replace("\\\\", "\\")
        maze = FORMATS["d4rl"].read(joined.encode())
        assert connected(maze) and len(maze.find("G")) == (name != "SMALL_MAZE"), name
        again("d4rl", maze)
    ants = source("d4rl", "locomotion/maze_env.py")
    lists = re.findall(r"^[A-Z_]+ = \[\[.*?\]\]", ants, re.MULTILINE | re.DOTALL)
    read = [FORMATS["lists"].read(one.encode()) for one in lists if "C" not in one.partition("=")[2]]
    assert len(read) >= 4 and all(len(maze.find("S")) == 1 and connected(maze) for maze in read)


def test_the_arrays_of_mazelib() -> None:
    mazelib = pytest.importorskip("mazelib", reason="compared with mazelib where it is installed")
    prims = pytest.importorskip("mazelib.generate.Prims")
    made = mazelib.Maze(3)
    made.generator = prims.Prims(5, 6)
    made.generate()
    made.generate_entrances()
    maze = maze_from_array(made.grid, start=made.start, goal=made.end)
    assert (maze.height, maze.width) == (11, 13) and connected(maze)
    assert FORMATS["blank_floor"].read(made.tostring(entrances=True).encode()) == maze
