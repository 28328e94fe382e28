"""Pictures: every tile looks different from every other, and a state is drawn as it is."""

import itertools
import xml.etree.ElementTree
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from mazegrad.envs import LEGEND, Maze, MazeEnv, MazeVectorEnv, World, draw, draw_svg, generate, load_maze
from mazegrad.envs.pictures.palette import LIGHT
from mazegrad.envs.pictures.text import draw_text, maze_text
from mazegrad.envs.pictures.tiles import LETTERS, PAPER
from mazegrad.envs.pictures.trails import new_trail


@pytest.mark.parametrize("size", [8, 16, 32, 64])
def test_all_tiles_look_different(size: int) -> None:
    row = draw(Maze.from_text("".join(LEGEND)), tile=size)
    pictures = row.reshape(size, len(LEGEND), size, 3).swapaxes(0, 1).astype(float)
    assert (pictures[0] == PAPER).all()
    for (one, a), (other, b) in itertools.combinations(zip(LEGEND, pictures, strict=True), 2):
        assert np.abs(a - b).mean() > 2, (one, other)


def test_a_key_has_the_colour_of_its_door() -> None:
    assert len(set(LETTERS)) == 6
    for colour, tiles in zip(LETTERS, zip("abcdef", "ABCDEF", strict=True), strict=True):
        for tile in tiles:
            shown = {tuple(px) for px in draw(Maze.from_text(tile), tile=64).reshape(-1, 3).tolist()}
            assert shown & set(LETTERS) == {colour}


@pytest.mark.parametrize(
    ("signs", "size"), [("abcdef", 12), ("ABCDEF", 12), ("abcdef", 32), ("0123456789", 16), ("0123456789", 32)]
)
def test_letters_and_digits_tell_apart_what_colours_do(signs: str, size: int) -> None:
    """In greys all keys have one colour, all doors, and all teleporters."""
    shown = [draw(Maze.from_text(sign), tile=size, theme="print").astype(int) for sign in signs]
    assert all((picture == picture[..., :1]).all() for picture in shown)
    for one, other in itertools.combinations(shown, 2):
        assert (np.abs(one - other).max(axis=2) > 60).sum() >= 2 * size / 12


def blocks(world: World, state: int, **keywords: Any) -> NDArray[np.uint8]:
    maze = world.mazes[0]
    frame = draw(world, state, tile=16, **keywords)
    return frame.reshape(maze.height, 16, maze.width, 16, 3).swapaxes(1, 2).reshape(-1, 16, 16, 3)


def test_what_was_taken_is_gone_and_what_was_opened_stands_open() -> None:
    maze = Maze.from_text("S.a*A.")
    world = World.compile(maze)
    first, last = int(world.start_states[0]), world.states - 1
    assert (world.carried[last], world.cell[last]) == (3, 5)
    before, after = blocks(world, first), blocks(world, last)
    plain = draw(maze, tile=16).reshape(16, 6, 16, 3).swapaxes(0, 1)
    changed = [i for i in range(6) if not np.array_equal(before[i], after[i])]
    assert changed == [0, 2, 3, 4, 5]  # the agent left 0 and stands on 5
    assert np.array_equal(after[2], plain[1]) and np.array_equal(after[3], plain[1])  # floor
    assert not np.array_equal(after[4], plain[4]) and not np.array_equal(after[4], plain[1])  # open
    assert np.array_equal(before[1:], plain[1:])
    assert draw_text(world, first) == "○●a*A●\n" and draw_text(world, last) == "S●●●'○\n"


@pytest.mark.parametrize("tile", [0, -8, True, "8", 1.5])
def test_a_wrong_tile_size_is_refused(tile: Any) -> None:
    with pytest.raises((TypeError, ValueError), match=f"tile must be an integer >= 1, not {tile!r}"):
        draw(load_maze("four_rooms"), tile=tile)


def test_a_maze_as_text_shows_marks() -> None:
    maze = Maze.from_text("#S.\naA*")
    assert maze_text(maze) == "█S●\naA*\n"
    assert maze_text(maze, {1: "→", 5: "B"}, dot=".") == "█→.\naAB\n"
    assert maze_text(maze, {3: "○"}, carried=1) == "█S●\n○'*\n"


def test_a_trail_runs_over_what_was_taken() -> None:
    world = World.compile(Maze.from_text("S.a*A."))
    trail = new_trail(world.mazes[0])
    trail[:] = 6
    shown = blocks(world, world.states - 1, trail=trail)
    assert np.array_equal(shown[1], shown[2]) and np.array_equal(shown[1], shown[3])


@pytest.mark.parametrize("name", ["key_door", "ice_lake"])
def test_a_notebook_shows_the_picture(name: str) -> None:
    maze = load_maze(name)
    for drawing, state in ((maze, None), (World.compile(maze), 0)):
        svg = drawing._repr_svg_()
        root = xml.etree.ElementTree.fromstring(svg)
        assert root.tag == "{http://www.w3.org/2000/svg}svg"
        assert svg == draw_svg(drawing, state, tile=int(root.get("height")) // maze.height)


def test_wind_is_seen_where_it_blows() -> None:
    rows, calm = "S#.G", Maze.from_text("S#.G\nS#.G")
    plain = draw(calm, tile=16).reshape(2, 16, 4, 16, 3).swapaxes(1, 2)
    shown = draw(Maze.from_text(f"wind: 1 1 2 0\n{rows}\n{rows}"), tile=16).reshape(2, 16, 4, 16, 3).swapaxes(1, 2)
    assert [bool((plain[0, i] != shown[0, i]).any()) for i in range(4)] == [True, False, True, False]
    draw(Maze.from_text("wind: 1 1\nS"))  # no World, but a drawing all the same


def test_wind_is_seen_to_blow_where_it_does() -> None:
    """Turned back by quarters, all directions look alike; frames of lanes and overlays show the same."""
    upwards = draw(Maze.from_text("wind: up 2\n."), tile=32)
    for way, quarters in (("left", 1), ("down", 2), ("right", 3)):
        maze = Maze.from_text(f"wind: {way} 2 2\nS.\n.G")
        frame = draw(maze, tile=32)
        assert (np.rot90(frame[:32, 32:], -quarters) == upwards).all()
        assert (draw(maze, tile=32, visits=np.zeros((2, 2), dtype=int)) == frame).all()
        lanes = MazeVectorEnv(maze, 2, render_mode="rgb_array", tile=32)
        lanes.reset(seed=0)
        assert (lanes.render()[1][:32, 32:] == frame[:32, 32:]).all()
        assert draw_svg(maze) != draw_svg(Maze.from_text("wind: up 2 2\nS.\n.G"))


LAKE = Maze.from_text("S..#G\n.X~..")
STACK = World.stack([World.compile(LAKE, slip=0.2), World.compile(LAKE, noise="back 0.1")])
SLIPS = {
    "keyword": (World.compile(LAKE, slip=0.2), [0, 1, 2, 4, 5, 6, 8, 9]),
    "metadata": (World.compile(LAKE.with_settings({"slip": "0.2"})), [0, 1, 2, 4, 5, 6, 8, 9]),
    "noise": (World.compile(LAKE, noise="stay 1/4"), [0, 1, 2, 4, 5, 6, 8, 9]),
    "noise of a tile": (World.compile(LAKE, noise="S stay 1/4"), [0]),
    "none": (World.compile(LAKE.with_settings({"slip": "0.2"}), slip=0.0), []),
    "in a stack": (STACK, [0, 1, 2, 4, 5, 6, 8, 9]),
}


@pytest.mark.parametrize(("world", "where"), SLIPS.values(), ids=SLIPS)
def test_a_slip_is_seen_where_a_move_may_go_elsewhere(world: World, where: list[int]) -> None:
    """Not on walls, and ice looks like ice anyway; a world in which nothing slips looks as ever."""
    plain, shown = (draw(drawing, tile=16).reshape(2, 16, 5, 16, 3).swapaxes(1, 2) for drawing in (LAKE, world))
    assert np.flatnonzero((plain != shown).any(axis=(2, 3, 4))).tolist() == where
    goal = int(np.flatnonzero(world.goal)[0])
    over = draw(world, goal, theme="light", observation="map", tile=16)
    assert np.array_equal(over, draw(world, goal, tile=16)), "with overlays and without"
    assert (draw_svg(world) != draw_svg(LAKE)) is bool(where)


@pytest.mark.parametrize("keywords", [{"slip": 0.3}, {"noise": "other 1/3"}, {}], ids=str)
def test_lanes_and_frames_show_slips_and_rings_alike(keywords: dict[str, Any]) -> None:
    maze = generate("caves", 31, 33, rng=np.random.default_rng(0))
    for given in ({"maze": maze, **keywords}, {"maze": World.compile(maze, **keywords)}):
        env = MazeEnv(observation="pixels", render_mode="rgb_array", tile=4, **given)
        pixels, _ = env.reset(seed=0)
        lanes = MazeVectorEnv(num_envs=2, observation="pixels", render_mode="rgb_array", tile=4, **given)
        many, _ = lanes.reset(seed=0)
        assert np.array_equal(pixels, env.render()) and np.array_equal(pixels, many[0])
        assert np.array_equal(pixels, lanes.render()[0])
        assert (draw(maze, tile=4) != draw(env.world, tile=4)).any() == bool(keywords)


def test_agent_and_goal_of_a_large_maze_have_rings() -> None:
    for side, ringed in ((14, False), (30, True)):
        world = World.compile(generate("backtracker", side, side, rng=np.random.default_rng(0)))
        maze, state = world.mazes[0], world.states // 2
        for colour, cell in ((LIGHT.agent, world.cell[state]), (LIGHT.goal, world.cell[world.goal][0])):
            row, column = divmod(int(cell), maze.width)
            frame = (draw(world, state, tile=5) == colour).all(axis=2)
            frame[row * 5 : row * 5 + 5, column * 5 : column * 5 + 5] = False
            assert frame.any() == ringed, "pixels of this colour outside of its cell"
            rings = draw_svg(world, state).count('<g transform="translate(')
            assert rings == 2 * ringed
        assert np.array_equal(draw(world, state, tile=5), draw(world, state, observation="map", tile=5))
