"""Mazes as other packages ship them, or make them; skipped where one is missing.

Of OGBench, Gymnasium-Robotics, D4RL, pacai and NAVIX the files are read as text, never run.
"""

import importlib.util
import io
import itertools
import re
from collections import deque
from pathlib import Path

import numpy as np
import pytest

from mazegrad.envs import FORMATS, Maze, World, distance_maps, load_maze, maze_from_array, shortest_path
from mazegrad.puzzles import answers, puzzles, tokens


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


def steps(maze: Maze) -> int:
    """Return the number of steps from the start to the nearest goal, by a search that knows floor and wall alone."""
    first = tuple(maze.find("S")[0].tolist())
    queue, found = deque([(first, 0)]), {first}
    while queue:
        (row, column), length = queue.popleft()
        if maze.tiles[row, column] == ord("G"):
            return length
        for after in ((row - 1, column), (row + 1, column), (row, column - 1), (row, column + 1)):
            inside = 0 <= after[0] < maze.height and 0 <= after[1] < maze.width
            if inside and after not in found and maze.open[after]:
                found.add(after)
                queue.append((after, length + 1))
    raise AssertionError("the goal cannot be reached")


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


def test_the_boards_of_pacai() -> None:
    """Those of Berkeley's CS188, whose optimal lengths its autograder knows: 8, 68 and 210, and 19, 54, 13 and 7."""
    lengths = {"tiny": 8, "medium": 68, "big": 210, "small": 19, "open": 54, "contours": 13, "test": 7}
    for name, length in lengths.items():
        drawn = source("pacai", f"resources/boards/maze-{name}.board").partition("---\n")[2]
        maze = FORMATS["berkeley"].read(drawn.replace("0", "P").encode())  # agent 0 is Pac-Man
        assert len(shortest_path(World.compile(maze))) - 1 == steps(maze) == length, name
        again("berkeley", maze)
        assert FORMATS["blank_floor"].read(drawn.replace("0", "P").encode()) == maze
    scary = source("pacai", "resources/boards/maze-medium-scary.board").partition("---\n")[2]
    with pytest.raises(ValueError, match="is a ghost, which moves"):
        FORMATS["berkeley"].read(scary.replace("0", "P").encode())


def test_the_mazes_of_jumanji(tmp_path: Path) -> None:
    """Its arrays are read, a shortest path of ours is walked in Jumanji itself, and what is written are its arrays."""
    jumanji = pytest.importorskip("jumanji", reason="compared with jumanji where it is installed")
    import jax
    from jumanji.environments.routing.maze.generator import RandomGenerator, ToyGenerator

    for generator, keys, size in ((ToyGenerator(), 1, (5, 5)), (RandomGenerator(8, 11), 3, (8, 11))):
        env = jumanji.environments.Maze(generator)
        for key in range(keys):
            state, step = env.reset(jax.random.PRNGKey(key))
            ends = {"agent_position": state.agent_position, "target_position": state.target_position}
            places = {name: np.array([place.row, place.col]) for name, place in ends.items()}
            np.savez(tmp_path / "state.npz", walls=state.walls, **places)
            maze = load_maze(tmp_path / "state.npz")
            assert (maze.height, maze.width) == size
            arrays = np.load(io.BytesIO(FORMATS["jumanji"].write(maze)))
            assert (arrays["walls"] == state.walls).all()
            assert all((arrays[name] == place).all() for name, place in places.items())
            world = World.compile(maze)
            cells = [divmod(int(world.cell[s]), maze.width) for s in shortest_path(world)]
            assert len(cells) - 1 == steps(maze)
            earned = 0.0
            for (row, column), after in itertools.pairwise(cells):
                action = [(-1, 0), (0, 1), (1, 0), (0, -1)].index((after[0] - row, after[1] - column))
                state, step = env.step(state, action)
                earned += float(step.reward)
            assert earned == 1.0 and bool(step.last())


def test_the_ascii_of_navix() -> None:
    """Its reader, taken from its source: # is -1 and . is 0; marks of one's own become other numbers."""
    text = source("navix", "grid.py")
    body = re.search(r"^def from_ascii_map.*?(?=^class|^def(?! from_ascii_map))", text, re.MULTILINE | re.DOTALL)
    assert body is not None and '{**{"#": -1, ".": 0}, **mapping}' in body[0]
    drawn = "#####\n#P.G#\n#...#\n#####\n"  # as in its tests, with the mapping P=1, G=2
    maze = Maze.from_text(drawn.replace("P", "S"))
    assert steps(maze) == 2 and FORMATS["text"].write(maze).decode().replace("S", "P") == drawn


@pytest.mark.filterwarnings("ignore")  # it warns of a package that checks its tokenizers
def test_the_mazes_and_tokens_of_maze_dataset() -> None:
    theirs = pytest.importorskip("maze_dataset", reason="compared with it where it is installed", exc_type=ImportError)
    from maze_dataset.generation import LatticeMazeGenerators
    from maze_dataset.tokenization import MazeTokenizerModular

    for make in (LatticeMazeGenerators.gen_dfs, LatticeMazeGenerators.gen_wilson):
        lattice = make(np.array([5, 6]))
        ends = theirs.TargetedLatticeMaze.from_lattice_maze(lattice, start_pos=(0, 0), end_pos=(4, 5))
        solved = theirs.SolvedMaze.from_targeted_lattice_maze(ends)
        maze = FORMATS["blank_floor"].read(ends.as_ascii().encode())
        assert FORMATS["blank_floor"].read(solved.as_ascii().encode()) == maze  # with the way in it
        assert len(shortest_path(World.compile(maze))) - 1 == steps(maze) == 2 * (len(solved.solution) - 1)
        back = theirs.TargetedLatticeMaze.from_ascii(FORMATS["blank_floor"].write(maze).decode().rstrip("\n"))
        assert (back.connection_list == lattice.connection_list).all()
        assert back.start_pos.tolist() == [0, 0] and back.end_pos.tolist() == [4, 5]
    for puzzle in answers(*puzzles(3, size=9, shortest=8)):
        read = theirs.SolvedMaze.from_tokens(tokens(puzzle), MazeTokenizerModular())
        moved = np.diff(read.solution, axis=0)
        offsets = {"U": [-1, 0], "R": [0, 1], "L": [0, -1], "D": [1, 0]}
        assert moved.tolist() == [offsets[move] for move in puzzle.moves]
