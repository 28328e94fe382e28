"""Map files: one contract for all formats, and FrozenLake against Gymnasium's own."""

import base64
import gzip
import heapq
import itertools
import json
import random
import re
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.envs.toy_text.frozen_lake import generate_random_map
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from mazegrad.cli import main
from mazegrad.envs import (
    FORMATS,
    LEGEND,
    MAZES,
    Maze,
    MazeError,
    World,
    load_maze,
    maze_from_array,
    maze_to_array,
    outcomes,
    read_problems,
    read_rows,
    save_maze,
    shortest_path,
    value_iteration,
)

LAKE = "SFF\nFHG\n"


def has(name: str, tile: str) -> bool:
    """Return whether a format has a tile."""
    try:
        return bool(FORMATS[name].write(Maze(np.array([[ord(tile)]], dtype=np.uint8))))
    except MazeError as error:
        assert (error.line, error.column) == (1, 1) and repr(tile) in error.message
        return False


ODD = [b"", b"\n", b"\r\n", b"\0", b"\xff", b"#", b"S", b":"]
SQUARE, ONE_OF_EACH = ("puzzle_row",), ("jumanji",)
TILES = {name: [ord(tile) for tile in LEGEND if has(name, tile)] for name in FORMATS}


@pytest.mark.parametrize("name", FORMATS)
@settings(max_examples=60, deadline=None)
@given(st.integers(1, 6), st.integers(1, 6), st.integers(0, 2**32))
def test_what_is_written_is_read_again(name: str, height: int, width: int, seed: int) -> None:
    width = height if name in SQUARE else width
    drawn = np.random.default_rng(seed).choice(TILES[name], (height, width)).astype(np.uint8)
    if name in ONE_OF_EACH:  # later starts and goals become floor
        for tile in "SG":
            places = np.flatnonzero(drawn == ord(tile))
            drawn.flat[places[1:]] = ord(".")
    content = FORMATS[name].write(Maze(drawn))
    maze = FORMATS[name].read(content)
    assert np.array_equal(maze.tiles, drawn)
    assert FORMATS[name].write(maze) == content
    assert FORMATS[name].read(content) == maze == Maze.from_text(maze.to_text())


@pytest.mark.parametrize("name", FORMATS)
def test_a_broken_file_is_a_maze_or_a_maze_error(name: str) -> None:
    break_files(name, 2000)


@pytest.mark.slow
@pytest.mark.parametrize("name", FORMATS)
def test_20_000_broken_files_are_mazes_or_maze_errors(name: str) -> None:
    break_files(name, 20_000, seed=1)


def own_letters(path: Path) -> Maze:
    return load_maze(path, legend={"E": "G", "@": "S"})


@pytest.mark.slow
@pytest.mark.parametrize(
    ("good", "read"),
    [
        (b'source,question,answer,rating\na,S  G,SooG,1\nb,"S # G",x,2\n', read_rows),
        (b"version 1\n0\tm.map\t4\t3\t0\t0\t3\t0\t5.0\n1\tm.map\t4\t3\t2\t1\t0\t2\t1.41421\n", read_problems),
        (b"#####\n#@.E#\n#####\n", own_letters),
    ],
)
def test_20_000_broken_rows_problems_and_own_letters(good: bytes, read: Callable[[Path], Any], tmp_path: Path) -> None:
    rng, path = random.Random(2), tmp_path / "file"
    for _ in range(20_000):
        content = broken(good, rng)
        path.write_bytes(content)
        try:
            read(path)
        except MazeError as error:
            assert 1 <= error.line <= content.count(b"\n") + content.count(b"\r") + 1 and error.column >= 1


@pytest.mark.slow
def test_20_000_maps_of_tiled_with_wrong_values() -> None:
    rng, packed = random.Random(0), np.array([9, 0, 9, 0], dtype="<u4").tobytes()
    wide = {"x": 0, "y": 0, "width": 2, "height": 2, "data": base64.b64encode(zlib.compress(packed)).decode()}
    thin = {"x": 2, "y": 0, "width": 1, "height": 2, "data": base64.b64encode(zlib.compress(packed[:8])).decode()}
    layer = {
        "type": "tilelayer",
        "name": "walls",
        "width": 3,
        "height": 2,
        "startx": 0,
        "starty": 0,
        "chunks": [wide, thin],
    }
    tile = {"id": 0, "properties": [{"name": "tile", "value": "#"}]}
    good = {"layers": [layer | {"compression": "zlib"}], "tilesets": [{"firstgid": 1, "tiles": [tile]}]}
    text = json.dumps(good | {"orientation": "orthogonal", "properties": [{"name": "slip", "value": "0.1"}]})
    assert FORMATS["tiled"].read(text.encode()).rows() == ["#.#", "#.."]
    values = ["null", "[]", "{}", "-1", "1e400", "1e30", '"x"', '""', "true", "99999999999", "2", "0", "[1]", "NaN"]
    places = [found.span(1) for found in re.finditer(r': ("[^"]*"|-?\d+)', text)]
    for _ in range(20_000):
        wrong = text
        for first, end in sorted(rng.sample(places, rng.randint(1, 3)), reverse=True):
            wrong = wrong[:first] + rng.choice(values) + wrong[end:]
        try:
            FORMATS["tiled"].read(wrong.encode())
        except MazeError as error:
            assert error.line == 1


def broken(good: bytes, rng: random.Random) -> bytes:
    """Return a file with one to four random changes."""
    content = bytearray(good)
    for _ in range(rng.randint(1, 4)):
        place = rng.randrange(len(content) + 1)
        content[place : place + rng.randrange(3)] = rng.choice(ODD)
    return bytes(content)


def break_files(name: str, n: int, seed: int = 0) -> None:
    rng = random.Random(seed)
    tiles = TILES[name][-4:] if name not in ONE_OF_EACH else [ord(tile) for tile in ".#.."]
    good = FORMATS[name].write(Maze(np.array([tiles] * 4, dtype=np.uint8)))
    for _ in range(n):
        content = broken(good, rng)
        try:
            FORMATS[name].read(content)
        except MazeError as error:
            lines = content.split(b"\n")
            assert 1 <= error.line <= len(lines) and 1 <= error.column <= len(lines[error.line - 1]) + 2


def test_each_suffix_is_of_one_format() -> None:
    suffixes = [suffix for entry in FORMATS.values() for suffix in entry.suffixes]
    assert len(set(suffixes)) == len(suffixes)
    assert all(suffix.startswith(".") and suffix == suffix.lower() for suffix in suffixes)


def test_the_suffix_or_the_name_says_the_format(tmp_path: Path) -> None:
    for file, name in (("lake.lake", None), ("LOUD.LAKE", None), ("lake.txt", "frozen_lake"), ("lake", "frozen_lake")):
        (tmp_path / file).write_text(LAKE)
        maze = load_maze(tmp_path / file, format=name)
        assert maze.rows() == ["S..", ".XG"]
        save_maze(tmp_path / f"again-{file}", maze, format=name)
        assert (tmp_path / f"again-{file}").read_text() == LAKE
    save_maze(tmp_path / "maze.any", maze)
    assert load_maze(tmp_path / "maze.any") == Maze.from_file(tmp_path / "maze.any") == maze
    for use in (
        lambda: load_maze(tmp_path / "lake.lake", format="frozen_lak"),
        lambda: save_maze("x", maze, format="txt"),
    ):
        with pytest.raises(ValueError, match="unknown format"):
            use()


def test_an_environment_and_the_command_line_take_such_files(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, bad = tmp_path / "maze.lake", tmp_path / "bad.lake"
    file.write_text(LAKE)
    bad.write_text(LAKE + "#FF\n")
    env = gymnasium.make("mazegrad/GridWorld-v0", maze=str(file))
    assert env.unwrapped.maze == load_maze(file)
    assert main(["solve", str(file)]) == 0
    assert "3 steps" in capsys.readouterr().out
    assert main(["solve", str(bad)]) == 2
    assert "bad.lake, line 3, column 1: unknown character '#'; known: S F H G" in capsys.readouterr().err
    out = tmp_path / "walls.lake"
    assert main(["generate", "--rows", "2", "--columns", "2", "--out", str(out)]) == 2
    assert "this format does not have the tile '#'; it has S . X G" in capsys.readouterr().err
    assert not out.exists()
    assert main(["list"]) == 0
    printed = capsys.readouterr().out
    assert all(name in printed for name in FORMATS)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "line 1, column 1: the maze is empty"),
        ("\nSFF\nFF\n", "line 3, column 3: this row has 2 tiles, but the first has 3"),
        ("SFG\n\nFFF\n", "line 2, column 1: this row has 0 tiles"),
        ("SF.\n", "line 1, column 3: unknown character '.'"),
    ],
)
def test_what_a_lake_cannot_be(text: str, message: str) -> None:
    with pytest.raises(MazeError, match=message):
        FORMATS["frozen_lake"].read(text.encode())


def test_errors_found_later_point_into_the_file(tmp_path: Path) -> None:
    (tmp_path / "no_start.lake").write_text("\n\nFFF\nFFG\n")
    with pytest.raises(MazeError, match=r"no_start.lake, line 3, column 1: the maze has no start"):
        World.compile(load_maze(tmp_path / "no_start.lake"))


@pytest.mark.parametrize("line", ["wind: 1 0", "trap: restart"])
def test_settings_that_change_where_moves_lead_are_not_lost(line: str) -> None:
    with pytest.raises(MazeError, match=f"line 2, column .* this format does not have '{line[:4]}"):
        FORMATS["frozen_lake"].write(Maze.from_text(f"name: x\n{line}\nSG\n"))


def test_slips_and_rewards_that_a_format_does_not_keep_are_named(tmp_path: Path) -> None:
    maze = Maze.from_text("title: T\nslip: 0.2\nrewards: step -1\nS.G\n")
    with pytest.warns(UserWarning, match="row.npy: this format does not keep slip, rewards"):
        save_maze(tmp_path / "row.npy", maze)
    assert not load_maze(tmp_path / "row.npy").metadata
    for name in ("row.txt", "row.tmj", "row.walls"):  # these have all
        save_maze(tmp_path / name, maze)
        assert maze.metadata.items() <= load_maze(tmp_path / name).metadata.items()
    save_maze(tmp_path / "row.list", Maze.from_text("title: T\nS.G\n"))  # a title is no loss to a walk


def test_a_lake_is_gymnasiums() -> None:
    for seed, size in enumerate((2, 4, 9)):
        desc = generate_random_map(size, seed=seed)
        theirs = gymnasium.make("FrozenLake-v1", desc=desc).unwrapped.P
        world = World.compile(FORMATS["frozen_lake"].read("\n".join(desc).encode()))
        ours = outcomes(world)
        for state in np.flatnonzero(~world.terminal).tolist():
            for action, their_action in enumerate((3, 2, 0, 1)):  # theirs are left, down, right, up
                for outcome, (probability, after, reward, over) in enumerate(theirs[state][their_action]):
                    at = state, action, outcome
                    assert abs(ours.probability[at] - probability) <= 1e-15
                    assert (ours.next_state[at], ours.reward[at], ours.terminal[at]) == (after, reward, over)
    for name in MAZES:  # those that were drawn by hand in our text are the same lakes
        if name.startswith("ice_lake"):
            lake = FORMATS["frozen_lake"].read(FORMATS["frozen_lake"].write(load_maze(name)))
            assert (World.compile(lake).next_state == World.compile(load_maze(name)).next_state).all()


# ---------------------------------------------------------------------------------------------- files of the real kind
def test_a_layout_of_berkeley() -> None:
    tiny = "%%%%%%%\n%    P%\n% %%% %\n%  %  %\n%%   %%\n%. %%%%\n%%%%%%%\n"  # the shape of its tinyMaze
    maze = FORMATS["berkeley"].read(tiny.encode())
    assert maze.find("S").tolist() == [[1, 5]] and maze.find("G").tolist() == [[5, 1]]
    assert len(shortest_path(World.compile(maze))) - 1 == 8
    # a row of the real mediumMaze ends in a blank behind the wall
    ragged = FORMATS["berkeley"].read(tiny.replace("%  %  %\n", "%  %  % \n").encode())
    assert ragged == maze == FORMATS["blank_floor"].read(tiny.replace("%  %  %\n", "%  %  % \n").encode())
    with pytest.raises(MazeError, match="line 2, column 2: 'G' is a ghost, which moves"):
        FORMATS["berkeley"].read(tiny.replace("%    P", "%G   P").encode())


def test_a_map_of_movingai_and_its_problems(tmp_path: Path) -> None:
    (tmp_path / "m.map").write_text("type octile\nheight 3\nwidth 4\nmap\n..T.\n.@@.\nG...\n")
    (tmp_path / "m.scen").write_text("version 1\n0\tm.map\t4\t3\t0\t0\t3\t0\t5.00000000\n")
    maze, (problem,) = load_maze(tmp_path / "m.map"), read_problems(tmp_path / "m.scen")
    assert maze.rows() == ["..#.", ".##.", "...."]
    assert problem.map == "m.map" and problem.start == (0, 0) and problem.goal == (0, 3)
    drawn = problem.on(maze)
    assert drawn.rows() == ["S.#G", ".##.", "...."]
    assert len(shortest_path(World.compile(drawn))) - 1 == 7  # with straight steps alone
    crossing = World.compile(problem._replace(goal=(2, 3)).on(maze, octile=True))  # corners are not cut
    assert value_iteration(crossing, discount=1).expected_return == pytest.approx(-5.0)
    free = FORMATS["movingai"].read(b"type octile\nheight 3\nwidth 4\nmap\n....\n....\n....\n")
    free_world = World.compile(problem._replace(goal=(2, 3)).on(free, octile=True))
    assert value_iteration(free_world, discount=1).expected_return == pytest.approx(-(1 + 2 * 2**0.5))
    with pytest.raises(MazeError, match="line 5, column 3: 'S' is swamp, which can be entered from some sides only"):
        FORMATS["movingai"].read(b"type octile\nheight 1\nwidth 4\nmap\n..S.\n")
    (tmp_path / "bad.scen").write_text("version 1\n0\tm.map\t4\t3\t0\t0\t9\t0\t5\n")
    with pytest.raises(MazeError, match="line 2"):
        read_problems(tmp_path / "bad.scen")
    for content, message in (
        ("height 1\nmap\n.\n", "width"),
        ("type octile", "no line `map`"),
        ("colour red\nmap\n.\n", "expected a line"),
    ):
        with pytest.raises(MazeError, match=message):
            FORMATS["movingai"].read(content.encode())


def cheapest(starts: Any, after: Callable[[Any], list[tuple[Any, float]]], over: Callable[[Any], bool]) -> float:
    """Return the cost of a cheapest way, by Dijkstra's algorithm."""
    queue, done = [(0.0, starts)], set()
    while queue:
        cost, here = heapq.heappop(queue)
        if over(here):
            return cost
        if here not in done:
            done.add(here)
            for there, more in after(here):
                heapq.heappush(queue, (cost + more, there))
    return float("inf")


def test_octile_lengths_of_maps_are_the_values_of_their_worlds(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    for _ in range(12):
        drawn = np.where(rng.random((7, 9)) < 0.3, "@", ".")
        drawn[0, 0] = drawn[6, 8] = "."
        text = "type octile\nheight 7\nwidth 9\nmap\n" + "\n".join(map("".join, drawn)) + "\n"
        maze = FORMATS["movingai"].read(text.encode())

        def after(here: tuple[int, int], free: Any = maze.open) -> list[tuple[Any, float]]:
            row, column = here
            found = []
            for down, right in itertools.product((-1, 0, 1), repeat=2):
                cells = {(row + down, column + right), (row + down, column), (row, column + right)}
                if (down or right) and all(0 <= r < 7 and 0 <= c < 9 and free[r, c] for r, c in cells):
                    found.append(((row + down, column + right), (down**2 + right**2) ** 0.5))
            return found

        length = cheapest((0, 0), after, (6, 8).__eq__)
        if length < float("inf"):
            (tmp_path / "m.scen").write_text(f"version 1\n0\tm.map\t9\t7\t0\t0\t8\t6\t{length:.8f}\n")
            (problem,) = read_problems(tmp_path / "m.scen")
            found = value_iteration(World.compile(problem.on(maze, octile=True)), discount=1).expected_return
            assert found == pytest.approx(-problem.optimal, abs=1e-7)


def test_a_puzzle_in_which_turns_cost_more_than_steps(tmp_path: Path) -> None:
    """As in Advent of Code 2024, day 16; its first example has 7036, which comes out, but is not ours to print."""
    drawn = ["#########", "#.....#E#", "#.###.#.#", "#.#...#.#", "#...#...#", "###.#.###", "#S..#...#", "#########"]
    (tmp_path / "puzzle.txt").write_text("\n".join(drawn))
    tiles = load_maze(tmp_path / "puzzle.txt", legend={"E": "G"}).tiles
    costs = {
        "actions": "turns",
        "facing": "right",
        "rewards": "goal 0",
        "reward": "left -1000, right -1000, forward -1",
    }

    def after(here: tuple[int, int, int, int]) -> list[tuple[Any, float]]:
        row, column, down, right = here
        turns = [((row, column, right, -down), 1000.0), ((row, column, -right, down), 1000.0)]
        free = drawn[row + down][column + right] != "#"
        return turns + [((row + down, column + right, down, right), 1.0)] * free

    least = cheapest((6, 1, 0, 1), after, lambda here: drawn[here[0]][here[1]] == "E")
    found = value_iteration(World.compile(Maze(tiles, costs)), discount=1).expected_return
    assert found == pytest.approx(-least) and least > 3000


def test_a_grid_of_minigrid() -> None:
    printed = "WGWGWGWGWG\nWG>>  LYWG\nWGKY__GGWG\nWGWGWGWGWG\n"
    maze = FORMATS["minigrid"].read(printed.encode())
    assert maze.rows() == ["#####", "#S.E#", "#e.G#", "#####"]
    minigrid = pytest.importorskip("minigrid", reason="compared with minigrid where it is installed")
    gymnasium.register_envs(minigrid)
    env = gymnasium.make("MiniGrid-DoorKey-6x6-v0").unwrapped
    env.reset(seed=0)
    theirs = FORMATS["minigrid"].read(f"{env.pprint_grid()}\n".encode())
    assert (theirs.height, theirs.width) == (6, 6) and len(theirs.find("S")) == len(theirs.find("G")) == 1
    assert shortest_path(World.compile(theirs))


def test_a_string_of_d4rl() -> None:
    umaze = "#####\\#GOO#\\###O#\\#OOO#\\#####"  # maze2d-umaze
    maze = FORMATS["d4rl"].read(umaze.encode())
    assert maze.rows() == ["#####", "#G..#", "###.#", "#...#", "#####"]
    with pytest.raises(MazeError) as caught:
        FORMATS["d4rl"].read(b"##\\#x")
    assert (caught.value.line, caught.value.column) == (1, 5)


def test_d4rl_accepts_the_three_kinds_of_floor_of_its_reader() -> None:
    assert FORMATS["d4rl"].read(rb"#O 0G\#####").rows() == ["#...G", "#####"]


def test_lists_of_ogbench_and_gymnasium_robotics() -> None:
    source = "# as in their code\nMAZE = [\n    [1, 1, 1, 1],\n    [1, R, 'g', 1],\n    [1, 1, 1, 1],\n]\n"
    maze = FORMATS["lists"].read(source.encode())
    assert maze.rows() == ["####", "#SG#", "####"]
    assert json.loads(FORMATS["lists"].write(maze)) == [[1, 1, 1, 1], [1, "r", "g", 1], [1, 1, 1, 1]]
    for text, line, column, message in (
        ("[[1, 2]]", 1, 6, "unknown cell '2'"),
        ("[[1, 0],\n [c, 0]]", 2, 3, "c is a start or a goal, so say which"),
        ("[[1, 0],\n [1]]", 2, 3, "row 1 has 1 cells, but the first has 2"),
        ("[1, 0]", 1, 2, "unexpected '1'"),
        ("[[1, 0]", 1, 7, "the list has no end"),
        ("[[1, 0]] + x", 1, 10, "unexpected '\\+'"),
        ("", 1, 1, "the list has no end"),
        ("[]", 1, 1, "the maze is empty"),
    ):
        with pytest.raises(MazeError, match=message) as caught:
            FORMATS["lists"].read(text.encode())
        assert (caught.value.line, caught.value.column) == (line, column), text
    lake = FORMATS["frozen_lake"].read(b'["SF",\n "FG"]')
    assert lake == FORMATS["frozen_lake"].read(b"SF\nFG\n")
    with pytest.raises(MazeError, match="unknown character 'x'") as caught:
        FORMATS["frozen_lake"].read(b'["SF",\n "Fx"]')
    assert (caught.value.line, caught.value.column) == (2, 4)


def test_arrays_of_jumanji(tmp_path: Path) -> None:
    walls = np.zeros((5, 5), dtype=bool)
    walls[[0, 1, 1, 1, 2, 3, 3], [1, 1, 3, 4, 1, 3, 4]] = True  # its toy maze
    np.savez(tmp_path / "m.npz", walls=walls, agent_position=(0, 0), target_position=np.array([0, 4], np.int32))
    maze = load_maze(tmp_path / "m.npz")
    assert maze.rows() == ["S#..G", ".#.##", ".#...", "...##", "....."]
    assert len(shortest_path(World.compile(maze))) - 1 == 10
    with pytest.raises(MazeError, match="line 2, column 1: Jumanji has one S in a maze, and this is the second"):
        save_maze(tmp_path / "two.npz", Maze.from_text("S.G\nS.."))
    for arrays, message in (
        ({"wall": walls}, "there is no array 'walls'; the file has wall"),
        ({"walls": walls[0]}, "walls must be a matrix"),
        ({"walls": np.zeros((2, 2), dtype="i4,f8")}, "walls must be a matrix"),
        ({"walls": np.zeros((2, 2), dtype="M8[D]")}, "walls must be a matrix"),
        ({"walls": walls, "agent_position": (0, 9)}, "the start, row 0, column 9, is outside"),
        ({"walls": walls, "agent_position": 3}, r"agent_position must be \(row, column\)"),
    ):
        np.savez(tmp_path / "bad.npz", **arrays)
        with pytest.raises(MazeError, match=message):
            load_maze(tmp_path / "bad.npz")


def test_rows_of_hrm_and_trm(tmp_path: Path) -> None:
    row = "#" * 30 + ("#" + " " * 28 + "#") * 28 + "#" * 30
    row = row[:31] + "S" + row[32:868] + "G" + row[869:]
    assert len(row) == 900
    (tmp_path / "one.row").write_text(row + "\n")
    maze = load_maze(tmp_path / "one.row")
    assert (maze.height, maze.width) == (30, 30)
    assert maze.find("S").tolist() == [[1, 1]] and maze.find("G").tolist() == [[28, 28]]
    (tmp_path / "test.csv").write_text(f"source,question,answer,rating\na,{row},{row},1\nb,S  G,SooG,2\n")
    first, second = read_rows(tmp_path / "test.csv")
    assert first == maze and second.rows() == ["S.", ".G"]
    (tmp_path / "bad.csv").write_text("source,question\na,S  x\n")
    with pytest.raises(MazeError, match=r"bad\.csv, line 2, column 6: unknown character 'x'"):
        read_rows(tmp_path / "bad.csv")
    with pytest.raises(MazeError, match="n x n characters, not 5; the nearest square is 4"):
        FORMATS["puzzle_row"].read(b"S...G")
    with pytest.raises(MazeError, match="a square maze, and this one has 1 x 3 tiles"):
        FORMATS["puzzle_row"].write(Maze.from_text("S.G"))


def test_starts_and_goals_can_be_given() -> None:
    grid = np.array(
        [[1, 1, 1], [1, 0, 1], [1, 1, 1]], dtype=np.int8
    )  # as mazelib has them, with entrances in its walls
    assert maze_from_array(grid, start=(0, 1), goal=(2, 1)).rows() == ["#S#", "#.#", "#G#"]
    assert load_maze("four_rooms", start=(1, 1), goal=(1, 3)).rows()[1][1:4] == "S.G"
    for ends, message in (
        ({"start": (3, 0)}, "the start, row 3, column 0, is outside: 3 x 3 tiles"),
        ({"start": (1, 1), "goal": (1, 1)}, "start and goal are both in row 1, column 1"),
    ):
        with pytest.raises(MazeError, match=message):
            maze_from_array(grid, **ends)


def test_arrays_and_pictures(tmp_path: Path) -> None:
    numbers = np.array([[1, 1, 1, 1], [1, 2, 3, 1], [1, 1, 1, 1]])
    np.save(tmp_path / "m.npy", numbers)
    maze = load_maze(tmp_path / "m.npy")
    assert maze.rows() == ["####", "#SG#", "####"] and np.array_equal(maze_to_array(maze), numbers)
    assert maze_from_array(numbers == 1).rows() == ["####", "#..#", "####"]
    save_maze(tmp_path / "m.png", maze)
    assert load_maze(tmp_path / "m.png") == maze
    grey = Image.fromarray((np.array([[0, 60, 250]]) * np.ones((2, 1))).astype(np.uint8))
    grey.save(tmp_path / "grey.png")
    assert load_maze(tmp_path / "grey.png").rows() == ["##.", "##."]
    with pytest.raises(MazeError, match="row 1, column 1 is 7; expected 0 floor"):
        maze_from_array(np.where(numbers == 2, 7, numbers))
    with pytest.raises(MazeError, match="expected a matrix of numbers"):
        maze_from_array(numbers[0])
    with pytest.raises(MazeError, match="not a picture"):
        FORMATS["picture"].read(b"GIF89a")
    with pytest.raises(MazeError, match="not an array of numpy"):
        FORMATS["array"].read(b"\x93NUMPY\x01\x00")


def test_a_map_of_tiled_keeps_tiles_and_metadata() -> None:
    maze = load_maze("key_door")
    assert FORMATS["tiled"].read(FORMATS["tiled"].write(maze)) == maze
    foreign = {
        "layers": [{"type": "tilelayer", "name": "Walls", "width": 3, "height": 1, "data": [9, 0, 2147483657]}],
        "tilesets": [],
    }
    assert FORMATS["tiled"].read(json.dumps(foreign).encode()).rows() == ["#.#"]
    layer = foreign["layers"][0]
    packed = np.array(layer["data"], dtype="<u4").tobytes()
    for how, data in ((None, packed), ("", packed), ("zlib", zlib.compress(packed)), ("gzip", gzip.compress(packed))):
        layer |= {"data": base64.b64encode(data).decode(), "encoding": "base64", "compression": how}
        assert FORMATS["tiled"].read(json.dumps(foreign).encode()).rows() == ["#.#"]
    for how, data, message in (
        ("zstd", packed, "compression 'zstd'; known: none, zlib, gzip; or save it as CSV"),
        ("zlib", packed, "not base64 of numbers"),
        ("", packed[:8], "expected 3 numbers, not 2"),
    ):
        layer |= {"data": base64.b64encode(data).decode(), "compression": how}
        with pytest.raises(MazeError, match=message):
            FORMATS["tiled"].read(json.dumps(foreign).encode())
    chunks = [
        {"x": -1, "y": 2, "width": 1, "height": 2, "data": [9, 0]},
        {"x": 0, "y": 3, "width": 2, "height": 1, "data": [0, 9]},
    ]
    endless = {
        "type": "tilelayer",
        "name": "Walls",
        "width": 3,
        "height": 2,
        "startx": -1,
        "starty": 2,
        "chunks": chunks,
    }
    ground = endless | {"name": "ground"}
    assert FORMATS["tiled"].read(json.dumps({"layers": [ground, endless], "tilesets": []}).encode()).rows() == [
        "#..",
        "..#",
    ]
    endless["starty"] = 3
    with pytest.raises(MazeError, match="lies outside of its layer"):
        FORMATS["tiled"].read(json.dumps({"layers": [endless], "tilesets": []}).encode())
    layer |= {"data": [9, 0, 9], "compression": ""}
    owner = {"name": "music", "type": "string", "value": "loud"}
    assert not FORMATS["tiled"].read(json.dumps(foreign | {"properties": [owner]}).encode()).metadata
    with pytest.raises(MazeError, match="unknown key 'slipp'"):
        FORMATS["tiled"].read(json.dumps(foreign | {"properties": [owner | {"name": "slipp"}]}).encode())
    with pytest.raises(MazeError, match="must be orthogonal or isometric, not 'hexagonal'"):
        FORMATS["tiled"].read(json.dumps(foreign | {"orientation": "hexagonal"}).encode())
    foreign["layers"][0]["name"] = "ground"
    with pytest.raises(MazeError, match="row 0, column 0: tile 9 has no property `tile`"):
        FORMATS["tiled"].read(json.dumps(foreign).encode())


def test_a_legend_reads_letters_of_ones_own(tmp_path: Path) -> None:
    (tmp_path / "advent.txt").write_text("####\n#S.#\n#.E#\n####\n")
    maze = load_maze(tmp_path / "advent.txt", legend={"E": "G"})
    assert maze.rows() == ["####", "#S.#", "#.G#", "####"]
    with pytest.raises(ValueError, match="legend must map characters to tiles"):
        load_maze(tmp_path / "advent.txt", legend={"E": "goal"})
    with pytest.raises(ValueError, match="give legend or format, not both"):
        load_maze(tmp_path / "advent.txt", legend={"E": "G"}, format="text")


def test_convert(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "rooms.lay"
    assert main(["convert", "four_rooms", str(out)]) == 0
    printed = capsys.readouterr().out
    assert "not kept, since the format does not have it: name, title" in printed
    assert load_maze(out).rows() == load_maze("four_rooms").rows()
    assert main(["convert", str(out), str(tmp_path / "rooms.tmj")]) == 0
    assert load_maze(tmp_path / "rooms.tmj") == load_maze(out)
    assert main(["convert", "windy_grid", str(tmp_path / "windy.npy")]) == 2
    assert "does not have 'wind'" in capsys.readouterr().err
    (tmp_path / "advent.txt").write_text("#####\n#@  #\n#####\n")
    words = ["--legend", "@=.", "--legend", " =.", "--start", "1,1", "--goal", "1,3"]
    assert main(["convert", str(tmp_path / "advent.txt"), str(tmp_path / "advent.list"), *words]) == 0
    assert load_maze(tmp_path / "advent.list").rows() == ["#####", "#S.G#", "#####"]
    assert main(["convert", str(out), str(tmp_path / "x.txt"), "--goal", "99,0"]) == 2
    assert "the goal, row 99, column 0, is outside: 13 x 13 tiles" in capsys.readouterr().err
