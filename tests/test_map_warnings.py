"""Maps that can hardly be meant are questioned, and drawings in other formats are recognised."""

import pickle
import warnings
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest

from mazegrad.agents import certify_memory
from mazegrad.cli import main
from mazegrad.envs import (
    GENERATORS,
    MAZES,
    MapWarning,
    Maze,
    MazeEnv,
    MazeError,
    MazeVectorEnv,
    Replay,
    World,
    generate,
    load_maze,
    questions,
    shortest_path,
    suite,
)

from contract_child import IDS

GRID = "mazegrad/GridWorld-v0"
FORMAT = 'read it with format="blank_floor"'
# text -> what it is asked about, and whether it is recognised as another format's
ODD = {
    "#####\n#..E#\n#S..#\n#####\n": (["no goal", "a door E without a key e, at line 2, column 4"], True),
    "####\n#S #\n# G#\n####\n": (["a start that is walled in, at line 2, column 2"], True),
    "####\n#S #\n# X#\n####\n": (["walled in", "its only exit is a trap, X, at line 3, column 3"], True),
    "S.#G\n": (["no way to a goal from the start at line 1, column 1"], False),
    "S..\n": (["no goal G, so that no episode ends before its limit"], False),
    "#S#G\n": (["walled in"], False),
    "S..#\n.#.X\n": (["its only exit is a trap"], True),
    "S.A.G\n": (["no way to a goal", "a door A without a key a"], False),
    "S.G#G\n": (["a goal that no start reaches, at line 1, column 5"], False),
    "S.G\n###\nS..\n": (["no way to a goal from the start at line 3, column 1"], False),
    "; one\nS.#G\n": (["line 2, column 1"], False),
    "reward: $ 10 goal\nS.#$\n": (["no way to a goal from the start at line 2, column 1"], False),
    "reward: $ 10 goal\nS.$#$\n": (["a goal that no start reaches, at line 2, column 5"], False),
    "reward: x -1 trap\nS.x\n": (["its only exit is a trap, x, at line 2, column 3"], False),
}
FINE = ["S.G\n", "S.*\n", "S.a.A.G\n", "S.X\n..G\n", "trap: restart\nS.X..G\n......\n"]
# goals of a map's own; tasks that go on and earn by the header; a goal that only the wind's whims lead to
FINE += ["reward: $ 10 goal\nS.$\n", "jump: P S 10\nS.P\n", "reward: m -1\nS.m\n"]
FINE += ["wind: left 0 1 2 varies\nS....\n.....\n....G\n"]

CS50 = "#####B#\n##### #\n####  #\n#### ##\n     ##\nA######\n"


def caught(use: Any) -> list[str]:
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        use()
    return [str(one.message) for one in seen if issubclass(one.category, MapWarning)]


@pytest.mark.parametrize("text", ODD)
def test_odd_maps_are_questioned_by_all_environments(text: str) -> None:
    said, hinted = ODD[text]
    [sentence] = questions(World.compile(Maze.from_text(text)))
    assert all(part in sentence for part in said) and (FORMAT in sentence) == hinted
    makers = (
        lambda **how: gymnasium.make(GRID, maze=text, **how),
        lambda **how: gymnasium.make_vec(GRID, num_envs=3, maze=text, **how),
        lambda **how: MazeVectorEnv(["S.G\n", text], 2, **how),
        lambda **how: MazeEnv(after={5: text}, **how),
        lambda **how: MazeVectorEnv(after={5: text}, num_envs=2, **how),
        lambda **how: MazeEnv("S.G\n", **how).reset(options={"maze": text}),
        lambda **how: MazeVectorEnv("S.G\n", 2, **how).reset(options={"maze": ["S.G\n", text]}),
    )
    for make in makers:
        assert caught(make) == [sentence]
        assert caught(lambda make=make: make(map_warnings=False)) == []


@pytest.mark.parametrize("text", FINE)
def test_fine_maps_are_not_questioned(text: str) -> None:
    assert questions(World.compile(Maze.from_text(text))) == []
    assert caught(lambda: MazeEnv(text)) == []


@pytest.mark.parametrize("name", IDS)
def test_no_id_is_questioned(name: str) -> None:
    def use() -> None:
        gymnasium.make(name).reset(seed=0)
        gymnasium.make_vec(name, num_envs=2).reset(seed=0)

    assert caught(use) == []


def test_shipped_and_generated_mazes_are_not_questioned() -> None:
    for name in MAZES:
        assert len(questions(World.compile(load_maze(name)))) == (name == "loop")
    for name in GENERATORS:
        maze = generate(name, 8, 8, rng=np.random.default_rng(3))
        assert questions(World.compile(maze)) == [] or name == "path"
    assert questions(World.compile(suite("easy", "test"))) == []


def test_of_many_mazes_each_odd_one_is_named() -> None:
    odd = [text for text in ODD if "S" in text]
    world = World.compile([Maze.from_text(text) for text in ["S.G\n", *odd, *FINE]])
    assert len(questions(world)) == len(odd)


def test_a_maze_is_questioned_once() -> None:
    env, lanes = MazeEnv("S.G\n"), MazeVectorEnv("S.G\n", 2)
    odd = Maze.from_text("S.X\n")
    for one in (env, lanes):
        assert len(caught(lambda one=one: [one.reset(options={"maze": odd}) for _ in range(3)])) == 1


def test_a_refusal_of_warnings_is_possible() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error", MapWarning)
        with pytest.raises(MapWarning, match="no goal"):
            MazeEnv("S..\n")


# other formats


def as_mazelib(maze: Maze, *, way: bool) -> str:
    """Return a maze as mazelib prints it, with or without its way."""
    text = [*"\n".join(maze.rows()).replace("G", "E").replace(".", " ")]
    for state in shortest_path(World.compile(maze))[1:-1] if way else ():
        row, column = divmod(int(World.compile(maze).cell[state]), maze.width)
        text[row * (maze.width + 1) + column] = "+"
    return "".join(text) + "\n"


def test_mazelib_mazes_are_read(tmp_path: Path) -> None:
    ours = generate("backtracker", 5, 5, rng=np.random.default_rng(2), goal="farthest")
    drawn, plain = as_mazelib(ours, way=True), as_mazelib(ours, way=False)
    for text in (drawn, plain, plain.replace("\n", "\r\n")):
        assert gymnasium.make(GRID, maze=text, format="blank_floor").unwrapped.maze == ours
    with pytest.raises(MazeError, match=r"unknown tile '\+'.*" + FORMAT):
        MazeEnv(drawn)
    assert FORMAT in caught(lambda: MazeEnv(plain))[0]
    file = tmp_path / "maze.txt"
    file.write_text(drawn)
    with pytest.raises(MazeError, match=r"maze\.txt, line 2, column \d+: unknown tile '\+'.*blank_floor"):
        load_maze(file)
    assert load_maze(file, format="blank_floor") == ours
    assert MazeVectorEnv(file, 2, format="blank_floor").maze_of(1) == ours


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        (CS50, 10),
        ("####\n#S #\n# G#\n####\n", 2),
        ("####\n#S #\n# X#\n####\n", 2),
        ("#####\n#..E#\n#S..#\n#####\n", 3),
        ("%%%%%\n%P  %\n%  .%\n%%%%%\n", 3),
        ("\u2588\u2588\u2588\u2588\n\u2588S E\n\u2588\u2588\u2588\u2588\n", 2),
        ("S   E\n", 4),
    ],
)
def test_drawings_with_blank_floor(text: str, steps: int) -> None:
    env = gymnasium.make(GRID, maze=text, format="blank_floor")
    assert len(shortest_path(env.unwrapped.world)) - 1 == steps
    try:
        said = "".join(caught(lambda: MazeEnv(text)))
    except MazeError as error:
        said = str(error)
    assert FORMAT in said


@pytest.mark.parametrize("text", ["S?E\n", "A E\n", "\n\n", "S\tE\n", "P E\n"])
def test_what_is_not_a_drawing_with_blank_floor(text: str) -> None:
    with pytest.raises(MazeError, match="line 1, column"):
        MazeEnv(text, format="blank_floor")


def test_a_format_holds_for_every_maze_that_an_environment_is_given() -> None:
    env = gymnasium.make(GRID, maze="S E\n", format="blank_floor", after={1: "S  E\n"})
    env.reset(seed=0)
    env.step(1)
    assert env.reset()[1] == {} and env.unwrapped.maze.width == 4
    env.reset(seed=0, options={"maze": "S   E\n"})
    assert env.unwrapped.maze.width == 5
    lanes = MazeVectorEnv("S E\n", 2, format="blank_floor")
    lanes.reset(options={"maze": ["S E\n", "S   E\n"]})
    assert [lanes.maze_of(lane).width for lane in (0, 1)] == [3, 5]
    assert pickle.loads(pickle.dumps(env)).unwrapped.reset(options={"maze": "S  E\n"})
    for make in (MazeEnv, MazeVectorEnv):
        with pytest.raises(ValueError, match="unknown format 'blank'"):
            make("S.G\n", format="blank")
        with pytest.raises(TypeError, match="map_warnings"):
            make("S.G\n", map_warnings="no")


def test_replays_write_mazes_as_our_own_text(tmp_path: Path) -> None:
    env = gymnasium.make(GRID, maze="S E\n", format="blank_floor", after={2: Maze.from_text("S..G\n")})
    recorder = Replay.record(env)
    for options in ({}, {}, {"maze": "S   E\n"}):
        recorder.reset(seed=None if recorder.replay.episodes else 3, options=options)
        for _ in range(3):
            if recorder.step(1)[2]:
                break
    recorder.replay.save(tmp_path / "run.jsonl")
    again = Replay.load(tmp_path / "run.jsonl")
    assert "format" not in again.keywords and again.verify() is None
    assert [len(episode.actions) for episode in again.episodes] == [2, 3, 3]


# the command line


def test_solve_says_that_there_is_no_way(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "odd.txt"
    for text in ODD:
        file.write_text(text)
        assert main(["solve", str(file)]) == int(
            "no start reaches" not in ODD[text][0][0] and not text.startswith("S.G\n")
        )
        told = capsys.readouterr()
        assert told.err.count("mazegrad: warning: this map ") == 1 and "Traceback" not in told.err
        assert ("--format blank_floor" in told.err) == ODD[text][1]
        main(["solve", str(file), "--no-map-warnings"])
        assert capsys.readouterr().err == ""
    file.write_text("####\n#S #\n# G#\n####\n")
    assert main(["solve", str(file), "--format", "blank_floor"]) == 0
    assert "breadth_first: 2 steps" in capsys.readouterr().out
    assert main(["solve", str(file), "--format", "blank"]) == 2


def test_certify_calls_a_proof_about_nothing_vacuous(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "odd.txt"
    file.write_text("#####\n#..E#\n#S..#\n#####\n")
    assert main(["certify", str(file), "--json", str(tmp_path / "c.json")]) == 0
    told = capsys.readouterr()
    assert "MEMORYLESS SUFFICES, VACUOUSLY" in told.out and "says nothing about memory" in told.out
    assert "mazegrad: warning: this map has no goal" in told.err
    assert main(["certify", str(tmp_path / "c.json")]) == 0
    assert "VACUOUS: " in capsys.readouterr().out
    for text, vacuous in (("S..G\n", False), ("S..\n", True), ("rewards: step -1\nS..\n", True), ("S.X\n", False)):
        assert certify_memory(Maze.from_text(text)).vacuous == vacuous


def test_watch_questions_a_map(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "odd.txt"
    file.write_text("##\nS.\n#X\n")
    assert main(["record", str(tmp_path / "a.jsonl"), "--maze", str(file), "--agent", "random"]) == 0
    assert capsys.readouterr().err.count("warning: this map has no goal") == 1
