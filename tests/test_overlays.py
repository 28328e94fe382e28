"""What is laid over a maze: it shows what was given, in frames, SVG and PDF alike, and wrong input is refused."""

import inspect
import re
import xml.etree.ElementTree
import zlib
from typing import Any

import gymnasium
import numpy as np
import pytest
from numpy.typing import NDArray

from mazegrad.agents import QLearning, RecurrentPolicy, WallFollower, named_agent, rollout
from mazegrad.envs import SOLVERS, Maze, World, draw, draw_pdf, draw_svg, generate, load_maze, value_iteration
from mazegrad.envs.pictures.palette import LIGHT

ROOMS = World.compile(load_maze("four_rooms"))
VALUES = value_iteration(ROOMS, discount=0.95)
START = int(ROOMS.start_states[0])


def cell_of(frame: NDArray[np.uint8], world: World, state: int, tile: int = 16) -> NDArray[np.uint8]:
    row, column = divmod(int(world.cell[state]), world.mazes[0].width)
    return frame[row * tile : (row + 1) * tile, column * tile : (column + 1) * tile]


def corner(frame: NDArray[np.uint8], state: int) -> tuple[int, ...]:
    return tuple(cell_of(frame, ROOMS, state)[0, 0].tolist())


def test_values_colour_the_cells_from_lowest_to_highest() -> None:
    frame = draw(ROOMS, values=VALUES.values, tile=16)
    going = np.flatnonzero(~ROOMS.terminal)
    low, high = going[VALUES.values[going].argmin()], going[VALUES.values[going].argmax()]
    assert corner(frame, low) == LIGHT.heat[0] and corner(frame, high) == LIGHT.heat[-1]
    assert np.array_equal(frame, draw(ROOMS, values=VALUES, tile=16))
    goal = int(np.flatnonzero(ROOMS.goal)[0])
    assert corner(frame, goal) == LIGHT.paper, "a terminal state has no value to show"
    plain = draw(ROOMS, tile=16)
    assert frame.shape[0] == plain.shape[0] and frame.shape[1] > plain.shape[1], "the scale is to the right"
    assert draw(ROOMS, values=VALUES, tile=16, scale=False).shape == plain.shape


def test_states_and_cells_are_drawn_alike() -> None:
    maze = ROOMS.mazes[0]
    cells = np.full(maze.tiles.size, np.nan)
    cells[ROOMS.cell[~ROOMS.terminal]] = VALUES.values[~ROOMS.terminal]
    by_state = draw(ROOMS, values=VALUES.values, tile=16)
    assert np.array_equal(by_state, draw(maze, values=cells.reshape(maze.height, maze.width), tile=16))


def test_what_is_carried_decides_which_states_are_drawn() -> None:
    world = World.compile(load_maze("key_door"))
    numbers = np.where(world.carried == 0, 0.0, world.cell.astype(float))
    first = int(world.start_states[0])
    with_key = int(np.flatnonzero((world.carried == 1) & (world.cell == world.cell[first]))[0])
    without, later = (draw(world, state, values=numbers, tile=16) for state in (first, with_key))
    assert not np.array_equal(without, later)
    shades = {tuple(px) for px in without.reshape(-1, 3).tolist()} & {
        LIGHT.heat_colour(s) for s in np.linspace(0, 1, 64)
    }
    assert LIGHT.heat[-1] in shades, "all are equal"


@pytest.mark.parametrize("given", ["actions", "optimal", "probabilities", "Values"])
def test_a_policy_is_arrows(given: str) -> None:
    policy: Any = {
        "actions": VALUES.policy,
        "optimal": VALUES.optimal,
        "probabilities": VALUES.optimal / VALUES.optimal.sum(axis=1, keepdims=True),
        "Values": VALUES,
    }[given]
    frame, plain = draw(ROOMS, policy=policy, tile=16), draw(ROOMS, tile=16)
    assert frame.shape == plain.shape
    changed = [
        state for state in range(ROOMS.states) if (cell_of(frame, ROOMS, state) != cell_of(plain, ROOMS, state)).any()
    ]
    assert changed == np.flatnonzero(~ROOMS.terminal).tolist()
    if given != "actions":
        assert np.array_equal(frame, draw(ROOMS, policy=VALUES.optimal, tile=16))


def test_an_arrow_points_where_the_action_leads() -> None:
    world = World.compile(Maze.from_text("...\n.S.\n..."))
    for action, half in enumerate([np.s_[:12, :], np.s_[:, 12:], np.s_[:, :12], np.s_[12:, :]]):
        frame = cell_of(draw(world, policy=np.full(9, action), tile=24), world, 0, 24)
        ink = (frame == LIGHT.ink).all(axis=2)
        assert ink[half].sum() > 0.8 * ink.sum()


def test_visits_and_trails_of_many_agents() -> None:
    visits = np.zeros(ROOMS.states)
    visits[START], visits[START + 1], visits[START + 2] = 100, 10, 1
    frame = draw(ROOMS, visits=visits, tile=16)
    assert corner(frame, START) == LIGHT.heat[-1] and corner(frame, START + 2) == LIGHT.heat[0]
    assert corner(frame, START + 1) == LIGHT.heat_colour(round(63 / 2) / 63), "the scale is logarithmic"
    right = int(ROOMS.next_state[START, 1])
    crowd = np.tile([[START], [right]], 1000)
    by_many, by_one = (draw(ROOMS, trails=walks, tile=16) for walks in (crowd, [[START, right]]))
    both = [[START, right]] * 50 + [[right, int(ROOMS.next_state[right, 1])]]
    for picture in (by_many, by_one):
        assert (cell_of(picture, ROOMS, right) == LIGHT.trail).all(axis=2).any()
    mixed = draw(ROOMS, trails=both, tile=32)
    counts = [(cell_of(mixed, ROOMS, state, 32) == LIGHT.trail).all(axis=2).sum() for state in (START, right + 1)]
    assert counts[0] > 2 * counts[1], "the wider, the more agents"
    lost = np.array([[START], [-1], [right]])
    assert np.array_equal(draw(ROOMS, trails=lost, tile=16), draw(ROOMS, tile=16)), "no line over a gap"


def test_trails_are_what_they_are_now() -> None:
    walks = np.full((4, 10), START)
    draw(ROOMS, trails=walks, tile=16)
    walks[2:] = START + 1  # in place
    other = World.compile(ROOMS.mazes[0])
    for world in (ROOMS, other, World.stack([other, ROOMS])):
        expected = draw(world, trails=walks.T.tolist(), tile=16)
        assert np.array_equal(draw(world, trails=walks, tile=16), expected)
        assert not np.array_equal(expected, draw(world, tile=16))
    with pytest.raises(TypeError, match="trails must be integers"):
        draw(ROOMS, trails=walks.astype(np.float64))


def test_a_search_shows_its_order_and_its_way() -> None:
    found = SOLVERS["breadth_first"](ROOMS)
    frame = draw(ROOMS, search=found, tile=16)
    assert corner(frame, found.visited[0]) == LIGHT.heat[0]
    assert corner(frame, found.visited[-2]) != LIGHT.paper
    assert (cell_of(frame, ROOMS, found.path[1]) == LIGHT.trail).all(axis=2).any()


def test_what_is_not_seen_is_pale() -> None:
    plain = draw(ROOMS, START, tile=16)
    dots = draw(ROOMS, START, observation="dots", tile=16)
    changed = (plain != dots).any(axis=2).reshape(ROOMS.mazes[0].height, 16, -1, 16).any(axis=(1, 3))
    row, column = divmod(int(ROOMS.cell[START]), ROOMS.mazes[0].width)
    assert not changed[row, column - 1 : column + 2].any() and not changed[row - 1 : row + 2, column].any()
    assert changed[row + 2 :, column].any()
    view = draw(ROOMS, START, observation="view", view_size=3, tile=16)
    mask = np.zeros(ROOMS.mazes[0].tiles.shape, dtype=bool)
    mask[row - 1 : row + 2, column - 1 : column + 2] = True
    assert np.array_equal(view, draw(ROOMS, START, observation=mask, tile=16))
    assert np.array_equal(draw(ROOMS, START, observation="map", tile=16), plain)


def test_several_agents_have_numbers_and_labels_are_written() -> None:
    one = draw(ROOMS, [START], tile=24)
    assert np.array_equal(one, draw(ROOMS, START, tile=24))
    two = draw(ROOMS, [START, START + 7], tile=24)
    first, second = (cell_of(two, ROOMS, state, 24) for state in (START, START + 7))
    assert (first == LIGHT.agents[0]).all(axis=2).any() and (second == LIGHT.agents[1]).all(axis=2).any()
    labelled = draw(ROOMS, START, labels={START + 3: "A"}, tile=24)
    difference = (labelled != draw(ROOMS, START, tile=24)).any(axis=2)
    assert difference.any() and (cell_of(labelled, ROOMS, START + 3, 24) == LIGHT.ink).all(axis=2).any()


EVERY = {
    "nothing": {},
    "values": {"values": VALUES},
    "policy": {"policy": VALUES},
    "visits": {"visits": np.arange(ROOMS.states)},
    "trails": {"trails": [[START, START + 1]]},
    "search": {"search": SOLVERS["a_star"](ROOMS)},
    "labels": {"labels": {START: "<&>()\\é→"}},
    "several": {"state": [START, START + 5], "values": VALUES, "policy": VALUES},
    "seen": {"state": START, "observation": "view", "theme": "dark"},
}
every_overlay = pytest.mark.parametrize("keywords", EVERY.values(), ids=EVERY)


@every_overlay
def test_svg_is_well_formed_and_has_the_size_of_the_frame(keywords: dict[str, Any]) -> None:
    frame, text = draw(ROOMS, tile=16, **keywords), draw_svg(ROOMS, tile=16, **keywords)
    root = xml.etree.ElementTree.fromstring(text)
    assert (int(root.get("height")), int(root.get("width"))) == frame.shape[:2]
    space = "{http://www.w3.org/2000/svg}"
    names = {element.get("id") for element in root.iter()}
    assert {use.get("href")[1:] for use in root.iter(f"{space}use")} <= names
    assert "<image" not in text, "shapes, not pixels"
    for label in keywords.get("labels", {}).values():
        assert label in [element.text for element in root.iter(f"{space}text")]


@every_overlay
def test_pdf_says_where_its_objects_are(keywords: dict[str, Any]) -> None:
    content = draw_pdf(ROOMS, tile=16, **keywords)
    assert content.startswith(b"%PDF-1.4") and content.endswith(b"%%EOF\n")
    start = int(re.search(rb"startxref\n(\d+)\n", content)[1])
    lines = content[start:].split(b"\n")
    count = int(lines[1].split()[1])
    for number, line in enumerate(lines[3 : 2 + count], 1):
        assert content[int(line.split()[0]) :].startswith(f"{number} 0 obj\n".encode())
    for body in re.findall(rb"/Length (\d+) /Filter /FlateDecode >>\nstream\n", content):
        assert int(body) > 0
    streams = [zlib.decompress(part.split(b"\nendstream")[0]) for part in content.split(b">>\nstream\n")[1:]]
    frame = draw(ROOMS, tile=16, **keywords)
    assert f"/MediaBox [0 0 {frame.shape[1]} {frame.shape[0]}]".encode() in content
    assert all(f"/L{i} ".encode() in content for i in range(len(streams) - 1))


def test_an_svg_of_21_x_21_tiles_is_small() -> None:
    world = World.compile(generate("backtracker", 10, 10, rng=np.random.default_rng(0)), slip=0.1)
    values = value_iteration(world)
    assert len(draw_svg(world, 0)) < 12_000
    rng, walks = np.random.default_rng(0), [np.repeat(world.start_states, 1000)]
    for _ in range(200):
        walks.append(world.next_state[walks[-1], rng.integers(0, 4, 1000)])
    every = [
        {"values": values, "policy": values},
        {"trails": np.array(walks), "visits": np.bincount(np.ravel(walks), minlength=world.states)},
        {"search": SOLVERS["breadth_first"](world), "policy": values},
        {"observation": "view", "labels": {1: "A", 9: "B"}, "theme": "dark"},
    ]
    for keywords in every:
        assert len(draw_svg(world, 0, **keywords)) < 40_000


def test_frames_svg_and_pdf_take_the_same() -> None:
    taken = [inspect.signature(how).parameters for how in (draw, draw_svg, draw_pdf)]
    assert taken[0].keys() == taken[1].keys() == taken[2].keys()
    for name in taken[0].keys() - {"theme"}:
        assert len({repr(parameters[name].default) for parameters in taken}) == 1, name


WRONG: list[tuple[dict[str, Any], str]] = [
    (
        {"values": np.zeros(3)},
        r"values has shape \(3,\); expected \(\d+,\) for its states, or \(13, 13\) for the cells",
    ),
    ({"values": VALUES, "visits": np.ones(ROOMS.states)}, "values and visits are heat maps; draw one of them"),
    ({"visits": -np.ones(ROOMS.states)}, "visits must be counts"),
    ({"policy": np.full(ROOMS.states, 4)}, "policy holds action 4; expected 0 to 3"),
    ({"policy": np.full((ROOMS.states, 4), -1.0)}, "policy must have a probability"),
    ({"trails": [[0, 10**6]]}, "trails must be states from 0 to"),
    ({"observation": "dots"}, "give its state too"),
    ({"observation": [1, 2]}, "observation must be a name, or a bool array"),
    ({"theme": "neon"}, "unknown theme 'neon'"),
    ({"state": [0, 10**6]}, "a state of this World is a number from 0 to"),
]


@pytest.mark.parametrize(
    ("keywords", "message"), WRONG, ids=[str(*given) for given, _ in WRONG if len(given) == 1] + ["two"]
)
@pytest.mark.parametrize("how", [draw, draw_svg, draw_pdf])
def test_what_does_not_fit_is_refused(keywords: dict[str, Any], message: str, how: Any) -> None:
    with pytest.raises(ValueError, match=message):
        how(ROOMS, **keywords)


def test_wrong_kinds_are_refused() -> None:
    with pytest.raises(TypeError, match="labels must be a mapping"):
        draw(ROOMS, labels=["A"])
    with pytest.raises(TypeError, match="values must hold numbers"):
        draw(ROOMS, values=["a"] * ROOMS.states)
    with pytest.raises(TypeError, match="a state belongs to a World"):
        draw(ROOMS.mazes[0], [0, 1])
    with pytest.raises(TypeError, match="trails must be integers"):
        draw(ROOMS, trails=[[0.5, 1.5]])


def test_values_solutions_and_episodes_draw_themselves() -> None:
    assert np.array_equal(VALUES.plot(ROOMS, tile=16), draw(ROOMS, values=VALUES, policy=VALUES, tile=16))
    found = SOLVERS["a_star"](ROOMS)
    assert np.array_equal(found.plot(ROOMS, tile=16), draw(ROOMS, search=found, tile=16))
    env = gymnasium.make("mazegrad/FourRooms-v0", observation="index")
    episode = rollout(env, named_agent("shortest_path").make(ROOMS, np.random.default_rng(0)), seed=0)
    expected = draw(ROOMS, episode.world_states[-1], trails=list(episode.world_states), tile=16)
    assert np.array_equal(episode.plot(tile=16), expected)
    (other,) = rollout(gymnasium.make_vec("mazegrad/FourRooms-v0", num_envs=1), WallFollower(), seed=0, max_steps=3)
    with pytest.raises(ValueError, match="no world to draw"):
        other.plot()


def test_learners_draw_what_they_learned() -> None:
    env = gymnasium.make("mazegrad/FourRooms-v0", observation="index")
    learner = QLearning(env, rng=np.random.default_rng(0))
    learner.train(1, seed=0)
    frame, world = learner.plot(tile=16), env.unwrapped.world
    met = np.array([learner.key(row) in learner.rows for row in env.unwrapped.observations()]) & ~world.terminal
    plain = draw(world, tile=16)
    changed = [s for s in range(world.states) if (cell_of(frame, world, s) != cell_of(plain, world, s)).any()]
    assert changed == np.flatnonzero(met).tolist() and len(changed) > 0
    learner.train(200, seed=0)
    start = int(world.start_states[0])
    assert np.array_equal(
        learner.plot(start, values=None, tile=16), draw(world, start, policy=learner_best(learner), tile=16)
    )
    policy = RecurrentPolicy(env.observation_space, 4, "lstm", 8, rng=np.random.default_rng(0))
    drawn = policy.plot(env, start, tile=16)
    seen, expected = env.unwrapped.observations(), np.full((world.states, 4), 0.0)
    for i in range(world.states):
        expected[i] = policy.probabilities(seen[i], policy.initial_state())
    values = np.array([policy.value(row, policy.initial_state()) for row in seen])
    assert np.array_equal(drawn, draw(world, start, policy=expected, values=values, tile=16))
    with pytest.raises(TypeError, match="not a FrozenLakeEnv"):
        policy.plot(gymnasium.make("FrozenLake-v1"))


def learner_best(learner: QLearning) -> NDArray[np.bool_]:
    seen = learner.env.unwrapped.observations()
    values = learner.action_values(seen)
    met = np.array([learner.key(row) in learner.rows for row in seen])
    return (values == values.max(axis=1, keepdims=True)) & met[:, None]


def test_thin_walls_are_lines() -> None:
    maze = generate("prim", 3, 4, rng=np.random.default_rng(0), walls="thin")
    root = xml.etree.ElementTree.fromstring(draw_svg(maze, tile=20))
    paths = [
        path.get("d")
        for path in root.iter("{http://www.w3.org/2000/svg}path")
        if path.get("stroke-linecap") == "square"
    ]
    (lines,) = paths
    assert lines.count("M") == 4 + (2 * 3 * 4 - 3 - 4) - (3 * 4 - 1), "all around, and what the tree leaves"
    frame = draw(maze, tile=20)
    assert (frame[:, 0] == LIGHT.wall).all()
    assert draw_pdf(maze, tile=20).startswith(b"%PDF")
