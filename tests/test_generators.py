"""The generators prove themselves: one contract for all fourteen, and what each family promises beyond it."""

import inspect
import re
from collections import Counter
from functools import lru_cache
from itertools import combinations, pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mazegrad.envs.maps.generators import GENERATORS, KNOBS, TREES, generate, generate_batch, generate_from_key, growth
from mazegrad.envs.maps.maze import Maze
from mazegrad.envs.maps.paths import check_path
from mazegrad.envs.maps.randomness import MASK, mix

PERFECT = [name for name in GENERATORS if name not in ("dungeon", "caves", "path")]
SIZES = [(1, 1), (1, 2), (2, 1), (1, 9), (9, 1), (2, 2), (2, 7), (3, 3), (5, 4), (8, 8), (4, 13), (13, 21)]


def reached(maze, position):
    """The open tiles that can be reached from there, by a search that shares no code with the library."""
    is_open = {(int(r), int(c)) for r, c in np.argwhere(maze.open)}
    seen, frontier = {position}, [position]
    while frontier:
        row, column = frontier.pop()
        for tile in ((row - 1, column), (row + 1, column), (row, column - 1), (row, column + 1)):
            if tile in is_open and tile not in seen:
                seen.add(tile)
                frontier.append(tile)
    return seen


def passages(tiles):
    """Which walls between rooms are open: the ones beside and the ones below each other, in reading order."""
    is_open = tiles != ord("#")
    return np.concatenate([is_open[1::2, 2:-1:2].ravel(), is_open[2:-1:2, 1::2].ravel()])


def start_of(maze):
    return tuple(int(number) for number in maze.find("S")[0])


@pytest.mark.parametrize("name", GENERATORS)
@pytest.mark.parametrize("size", SIZES, ids=lambda size: "x".join(map(str, size)))
def test_the_contract_of_all(name, size):
    rows, columns = size
    if name == "path" and rows * columns == 1:
        pytest.skip("a path has two ends: it is refused below")
    for seed in range(20):
        maze = GENERATORS[name](rows, columns, np.random.default_rng(seed))
        assert isinstance(maze, Maze)
        assert maze.tiles.shape == (2 * rows + 1, 2 * columns + 1)
        assert not maze.open[[0, -1]].any()
        assert not maze.open[:, [0, -1]].any()
        assert len(maze.find("S")) == 1
        assert len(maze.find("G")) == (rows * columns > 1)
        assert set(np.unique(maze.tiles).tolist()) <= set(b" .SG" if name == "path" else b"#.SG")
        assert len(reached(maze, start_of(maze))) == maze.open.sum()


@pytest.mark.parametrize("name", PERFECT)
def test_a_perfect_maze_is_exactly_a_spanning_tree(name):
    for seed in range(300):
        rows, columns = SIZES[seed % len(SIZES)]
        maze = generate(name, rows, columns, rng=np.random.default_rng(seed))
        assert maze.open[1::2, 1::2].all()
        assert not maze.open[::2, ::2].any()  # the pillars stand
        # connected (the contract) with as many passages as rooms, less one: no way around
        assert passages(maze.tiles).sum() == rows * columns - 1


@pytest.mark.parametrize("name", PERFECT)
def test_the_default_ends_are_the_corners(name):
    maze = generate(name, 4, 6, rng=np.random.default_rng(0))
    assert start_of(maze) == (1, 1)
    assert maze.find("G").tolist() == [[7, 11]]


@given(
    name=st.sampled_from(sorted(set(GENERATORS) - {"path"})),
    rows=st.integers(1, 9),
    columns=st.integers(1, 9),
    key=st.integers(0, MASK),
    braid=st.floats(0, 1),
    start=st.sampled_from(["first", "random"]),
    goal=st.sampled_from(["last", "random", "farthest"]),
)
@settings(max_examples=300, deadline=None)
def test_the_contract_holds_with_any_knobs(name, rows, columns, key, braid, start, goal):
    knobs = {"braid": braid} if name in PERFECT else {}
    maze = generate_from_key(name, rows, columns, key, start=start, goal=goal, **knobs)
    assert maze.tiles.shape == (2 * rows + 1, 2 * columns + 1)
    assert not maze.open[[0, -1]].any()
    assert not maze.open[:, [0, -1]].any()
    assert len(maze.find("S")) == 1
    assert len(maze.find("G")) == (maze.open.sum() > 1)
    assert len(reached(maze, start_of(maze))) == maze.open.sum()
    if name in PERFECT:
        assert passages(maze.tiles).sum() >= rows * columns - 1


# --- randomness -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", GENERATORS)
def test_a_generator_is_a_function_of_its_rng(name):
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    mazes = [generate(name, 6, 7, rng=np.random.default_rng(seed)) for seed in (5, 5, 6, 7, 8)]
    assert mazes[0] == mazes[1]
    assert len(set(mazes)) == 4
    assert np.array_equal(before, np.random.get_state()[1])  # noqa: NPY002
    rng = np.random.default_rng(5)
    GENERATORS[name](6, 7, rng)
    other = np.random.default_rng(5)
    key = int(other.integers(0, MASK, dtype=np.uint64, endpoint=True))
    assert rng.bit_generator.state == other.bit_generator.state  # one key is all it draws
    assert generate_from_key(name, 6, 7, key) == mazes[0]


@pytest.mark.parametrize("size", SIZES, ids=lambda size: "x".join(map(str, size)))
def test_a_batch_is_the_mazes_one_at_a_time(size):
    keys = mix(np.arange(60, dtype=np.uint64))
    batch = generate_batch("backtracker", *size, keys)
    assert batch.shape == (60, 2 * size[0] + 1, 2 * size[1] + 1)
    for key, tiles in zip(keys.tolist(), batch, strict=True):
        assert np.array_equal(tiles, generate_from_key("backtracker", *size, key).tiles)


@pytest.mark.parametrize("name", GENERATORS)
def test_every_generator_has_batches(name):
    knobs = {} if name == "path" else {"start": "random", "goal": "farthest"}
    knobs |= {"braid": 0.5} if name in PERFECT else {}
    keys = mix(np.arange(5, dtype=np.uint64))
    for key, tiles in zip(keys.tolist(), generate_batch(name, 5, 6, keys, **knobs), strict=True):
        assert np.array_equal(tiles, generate_from_key(name, 5, 6, key, **knobs).tiles)
    assert generate_batch(name, 5, 6, keys[:0]).shape == (0, 11, 13)


def test_a_large_batch_is_no_different():
    keys = mix(np.arange(1300, dtype=np.uint64))  # more than are carved at once
    batch = generate_batch("backtracker", 4, 5, keys)
    for i in (0, 511, 512, 1024, 1299):
        assert np.array_equal(batch[i], generate_from_key("backtracker", 4, 5, int(keys[i])).tiles)


FROZEN: list[tuple[str, dict[str, object], str]] = [
    ("backtracker", {}, "f124b8e68423f2ec"),
    ("prim", {}, "34b2260518383429"),
    ("kruskal", {}, "4260c33f82efe9ed"),
    ("wilson", {}, "dcb5a6182a1aa3e5"),
    ("aldous_broder", {}, "e8c38610d65f868a"),
    ("eller", {}, "0ba4e62344eac328"),
    ("growing_tree", {}, "a5d818385f449222"),
    ("hunt_and_kill", {}, "adec06b4294e3ead"),
    ("sidewinder", {}, "6507ae5b13e88a93"),
    ("binary_tree", {}, "6d5b70dd8138c94a"),
    ("recursive_division", {}, "b6edcf9598e2004a"),
    ("dungeon", {}, "4786cd19795d5132"),
    ("caves", {}, "c24469c308bd4d08"),
    ("path", {}, "cf71785aea2f024f"),
    ("wilson", {"braid": 0.5}, "426c5f8c814377a3"),
    ("prim", {"start": "random", "goal": "random"}, "0db6927dd6a35088"),
    ("caves", {"start": "random", "goal": "farthest"}, "a8bdaf98e9ff40aa"),
    ("growing_tree", {"pop": "middle"}, "2457c4c554bd2379"),
    ("path", {"length": 60, "start": "inside"}, "00c67c67eb535d60"),
]


@pytest.mark.parametrize(("name", "knobs", "digest"), FROZEN)
def test_the_maze_of_a_key_never_changes(name, knobs, digest):
    assert generate_from_key(name, 9, 11, 2**63 + 38, **knobs).digest.startswith(digest)


# --- distributions ----------------------------------------------------------------------------------------------------

CHI_SQUARED = 273.0  # 191 degrees of freedom exceed it once in 10,000 times


@lru_cache
def spanning_trees(rows, columns):
    """All spanning trees of a grid, each as the set of its open passages in the order of `passages`, by brute force."""
    rooms = [(row, column) for row in range(rows) for column in range(columns)]
    edges = [((r, c), (r, c + 1)) for r, c in rooms if c + 1 < columns]
    edges += [((r, c), (r + 1, c)) for r, c in rooms if r + 1 < rows]
    trees = set()
    for tree in combinations(range(len(edges)), len(rooms) - 1):
        seen = {rooms[0]}
        for _ in tree:
            seen |= {room for edge in tree if seen & set(edges[edge]) for room in edges[edge]}
        if len(seen) == len(rooms):
            trees.add(frozenset(tree))
    return trees


def counted(name, rows, columns, mazes, **knobs):
    keys = mix(np.arange(mazes, dtype=np.uint64))
    batch = generate_batch(name, rows, columns, keys, **knobs)
    return Counter(frozenset(np.flatnonzero(passages(tiles)).tolist()) for tiles in batch)


def chi_squared(name):
    trees, mazes = spanning_trees(3, 3), 9600
    counts = counted(name, 3, 3, mazes)
    assert set(counts) <= trees
    return sum((counts[tree] - mazes / len(trees)) ** 2 for tree in trees) / (mazes / len(trees))


def test_the_3x3_grid_has_192_spanning_trees():
    assert len(spanning_trees(3, 3)) == 192  # as Kirchhoff's theorem says


@pytest.mark.parametrize("name", ["wilson", "aldous_broder"])
def test_uniform_over_all_spanning_trees(name):
    assert chi_squared(name) < CHI_SQUARED


@pytest.mark.parametrize("name", [name for name in PERFECT if name not in ("wilson", "aldous_broder")])
def test_the_test_would_see_that_a_generator_is_not_uniform(name):
    assert chi_squared(name) > 1.5 * CHI_SQUARED


def depth_first(rows, columns):
    """The exact probability of each tree when a depth-first search chooses uniformly among unseen neighbours."""
    rooms = [(row, column) for row in range(rows) for column in range(columns)]
    edges = [{(r, c), (r, c + 1)} for r, c in rooms if c + 1 < columns]
    edges += [{(r, c), (r + 1, c)} for r, c in rooms if r + 1 < rows]
    chances = Counter()

    def walk(trail, seen, tree, chance):
        if len(seen) == len(rooms):
            chances[tree] += chance
            return
        row, column = trail[-1]
        near = [(row - 1, column), (row + 1, column), (row, column - 1), (row, column + 1)]
        near = [room for room in near if room in rooms and room not in seen]
        if not near:
            walk(trail[:-1], seen, tree, chance)
        for room in near:
            edge = edges.index({trail[-1], room})
            walk((*trail, room), seen | {room}, tree | {edge}, chance / len(near))

    for room in rooms:
        walk((room,), frozenset([room]), frozenset(), 1 / len(rooms))
    return chances


@pytest.mark.parametrize(("name", "knobs"), [("backtracker", {}), ("growing_tree", {"pop": "newest"})])
def test_an_order_drawn_once_for_each_room_is_as_good_as_a_choice_at_each_visit(name, knobs):
    chances, mazes = depth_first(3, 3), 9600
    assert sum(chances.values()) == pytest.approx(1)
    counts = counted(name, 3, 3, mazes, **knobs)
    assert set(counts) <= set(chances)
    statistic = sum((counts[tree] - mazes * p) ** 2 / (mazes * p) for tree, p in chances.items())
    freedom = len(chances) - 1
    assert statistic < freedom + 4 * np.sqrt(2 * freedom)


def test_growing_tree_from_the_newest_room_is_the_backtracker():
    for key in range(50):
        assert generate_from_key("growing_tree", 7, 9, key, pop="newest") == generate_from_key("backtracker", 7, 9, key)


def test_pop_decides_the_family():
    def dead_ends(**knobs):
        keys = mix(np.arange(20, dtype=np.uint64))
        return sum(len(dead_end_rooms(tiles)) for tiles in generate_batch("growing_tree", 15, 15, keys, **knobs))

    assert dead_ends(pop="newest") < dead_ends(pop="mixed") < dead_ends(pop="random")
    assert dead_ends(pop=lambda n, word: n - 1) == dead_ends(pop="newest")


# --- knobs ------------------------------------------------------------------------------------------------------------


def dead_end_rooms(tiles):
    is_open = tiles != ord("#")
    rows, columns = tiles.shape[0] // 2, tiles.shape[1] // 2
    exits = is_open[:-1:2, 1::2][:rows].astype(int) + is_open[2::2, 1::2] + is_open[1::2, :-1:2] + is_open[1::2, 2::2]
    assert exits.shape == (rows, columns)
    return np.argwhere(exits == 1)


@pytest.mark.parametrize("name", PERFECT)
def test_braid_opens_a_share_of_dead_ends(name):
    before = between = opened = 0
    for key in range(30):
        maze, half, braided = (generate_from_key(name, 8, 9, key, braid=braid) for braid in (0, 0.5, 1))
        assert not len(dead_end_rooms(braided.tiles))
        assert (passages(maze.tiles) <= passages(half.tiles)).all()
        assert not braided.open[::2, ::2].any()
        assert not braided.open[[0, -1]].any()
        assert not braided.open[:, [0, -1]].any()
        before += len(dead_end_rooms(maze.tiles))
        opened += passages(braided.tiles).sum() - passages(maze.tiles).sum()
        between += len(dead_end_rooms(half.tiles))
    assert 0.2 * before < between < 0.6 * before
    assert 0.5 * before <= opened < 0.95 * before  # one opening can serve two dead ends, and none is opened twice


@pytest.mark.parametrize("size", [(1, 6), (6, 1), (1, 1), (1, 2)])
def test_a_single_row_cannot_be_braided(size):
    assert generate_from_key("prim", *size, 3, braid=1) == generate_from_key("prim", *size, 3)


@pytest.mark.parametrize("name", [name for name in GENERATORS if name != "path"])
def test_where_the_start_and_the_goal_can_be(name):
    starts = set()
    for key in range(30):
        maze = generate_from_key(name, 4, 5, key, start="random", goal="random")
        starts.add(start_of(maze))
        assert len(maze.find("G")) == 1
        far = generate_from_key(name, 4, 5, key, start="random", goal="farthest")
        assert start_of(far) == start_of(maze)
        distance, frontier, steps = {start_of(far): 0}, [start_of(far)], 0
        while frontier:
            steps += 1
            beside = {(r + dr, c + dc) for r, c in frontier for dr, dc in ((0, 1), (1, 0), (0, -1), (-1, 0))}
            frontier = [tile for tile in beside if far.open[tile] and tile not in distance]
            distance.update(dict.fromkeys(frontier, steps))
        assert distance[tuple(far.find("G")[0])] == max(distance.values())
    assert len(starts) > 8


@pytest.mark.parametrize(
    ("name", "size", "knobs", "message"),
    [
        ("backtraker", (3, 3), {}, "did you mean 'backtracker'"),
        ("wilson", (3, 3), {"brade": 0.5}, "did you mean 'braid'"),
        ("wilson", (3, 3), {"pop": "newest"}, "wilson has no knob 'pop'"),
        ("caves", (3, 3), {"braid": 0.5}, "caves has no knob 'braid'"),
        ("growing_tree", (3, 3), {"pop": "newst"}, "did you mean 'newest'"),
        ("prim", (3, 3), {"goal": "furthest"}, "did you mean 'farthest'"),
        ("prim", (3, 3), {"start": 3}, "unknown start 3"),
        ("prim", (0, 3), {}, "rows must be an integer >= 1, not 0"),
        ("prim", (3, -1), {}, "columns must be an integer >= 1, not -1"),
        ("prim", (3000, 3000), {}, "more than 4,194,304 tiles"),
        ("prim", (3, 3), {"braid": 1.5}, "braid must be a number from 0 to 1, not 1.5"),
        ("prim", (3, 3), {"braid": -0.1}, "braid must be a number"),
        ("prim", (3, 3), {"braid": float("nan")}, "braid must be a number from 0 to 1, not nan"),
        ("prim", (3, 3), {"braid": "half"}, "braid must be a number"),
        ("caves", (3, 3), {"rock": float("nan")}, "rock must be a number"),
        ("caves", (3, 3), {"rounds": -1}, "rounds must be an integer >= 0, not -1"),
        ("dungeon", (3, 3), {"smallest": 3, "largest": 2}, "largest must be an integer >= 3, not 2"),
        ("dungeon", (3, 3), {"halls": 0}, "halls must be an integer >= 1"),
        ("path", (3, 3), {"length": 0}, "length must be an integer >= 1, not 0"),
        ("path", (3, 3), {"length": 40}, "found no path of 40 steps in 3 x 3 rooms, the longest has 1"),
        ("path", (1, 1), {}, "a path has two ends"),
        ("path", (1, 4), {"start": "inside"}, "no dot inside this path"),
        ("path", (3, 3), {"goal": "last"}, "path has no knob 'goal'"),
    ],
)
def test_bad_knobs_are_named(name, size, knobs, message):
    with pytest.raises(ValueError, match=message):
        generate(name, *size, rng=np.random.default_rng(0), **knobs)


def test_wrong_kinds_are_named():
    rng = np.random.default_rng(0)
    for rows in (2.0, "2", True, None):
        with pytest.raises(TypeError, match="rows must be an integer >= 1"):
            generate("prim", rows, 3, rng=rng)
    for no_rng in (None, 3, np.random):
        with pytest.raises(TypeError, match="rng must be a numpy Generator"):
            generate("prim", 3, 3, rng=no_rng)
    with pytest.raises(TypeError, match="length must be an integer"):
        generate("path", 3, 3, rng=rng, length=3.5)
    with pytest.raises(ValueError, match=r"key must be an integer from 0 to 18446744073709551615, not -1"):
        generate_from_key("prim", 3, 3, -1)
    with pytest.raises(TypeError, match="uint64"):
        generate_batch("prim", 3, 3, np.arange(3))
    assert generate("prim", np.int64(2), np.int32(3), rng=rng).tiles.shape == (5, 7)


def test_each_generator_names_its_source_and_its_knobs():
    for name, generator in GENERATORS.items():
        assert generator.__name__ == name
        assert re.search(r"\((19[5-9]\d|20[012]\d)\b|, (19|20)\d\d\)|exercise 38", generator.__doc__), name
        assert {"rows", "columns", "rng", *KNOBS[name]} == set(inspect.signature(generator).parameters)


# --- dungeon, caves, path ---------------------------------------------------------------------------------------------


def blocks(maze):
    """Where all of 3 x 3 tiles are open."""
    is_open = maze.open
    rows = is_open[:-2] & is_open[1:-1] & is_open[2:]
    return rows[:, :-2] & rows[:, 1:-1] & rows[:, 2:]


def test_a_dungeon_has_halls_and_corridors():
    for key in range(100):
        maze = generate_from_key("dungeon", 12, 15, key)
        assert blocks(maze).any()  # a hall
        assert 0.1 < maze.open.mean() < 0.8
        assert generate_from_key("dungeon", 12, 15, key, smallest=3, halls=1).open.sum() >= 25
    # without a second corridor each hall has one to the halls before it: with tiny halls, a tree of corridors
    assert generate_from_key("dungeon", 9, 9, 1, halls=1, smallest=1, largest=1).open.sum() == 1


def test_caves_are_caves():
    for key in range(100):
        maze = generate_from_key("caves", 12, 15, key)
        assert 0.2 < maze.open.mean() < 0.9
        assert blocks(maze).sum() > 20
    assert generate_from_key("caves", 4, 4, 1, rock=1.0).open[1:-1, 1:-1].all()  # silted up: one open cave
    assert generate_from_key("caves", 4, 4, 1, rock=0.0, rounds=0).open[1:-1, 1:-1].all()


def walk(maze):
    """The (row, column) of a path's dots from the goal on."""
    dots = [tuple(maze.find("G")[0])]
    while True:
        row, column = dots[-1]
        near = ((row - 1, column), (row + 1, column), (row, column - 1), (row, column + 1))
        near = [tile for tile in near if maze.open[tile] and tile not in dots[-2:]]
        if not near:
            return dots
        dots += near


def test_a_path_does_not_touch_itself_and_turns_every_way():
    for key in range(100):
        maze = generate_from_key("path", 20, 20, key, length=150)
        check_path(maze)
        dots = walk(maze)
        assert len(dots) == 151 == maze.open.sum()
        assert maze.tiles[dots[-1]] == ord("S")
        moves = [(a - c, b - d) for (a, b), (c, d) in pairwise(dots)]
        assert len(set(moves)) == 4
        corners = [i for i in range(1, len(moves)) if moves[i] != moves[i - 1]]
        straight = {after - before for before, after in pairwise(corners)}
        assert {1, 2, 3} <= straight


@pytest.mark.parametrize("length", range(1, 15))
def test_a_path_of_every_length(length):
    for key in range(20):
        maze = generate_from_key("path", 4, 5, key, length=length)
        check_path(maze)
        assert maze.open.sum() == length + 1


def test_a_path_that_starts_inside_has_a_dot_below_its_start():
    places = Counter()
    for key in range(100):
        maze = generate_from_key("path", 6, 6, key, start="inside")
        check_path(maze)
        row, column = start_of(maze)
        dots = walk(maze)
        before = dots.index((row, column)) + 1
        assert dots[before] == (row + 1, column)  # seen from the goal, the dot below lies behind the start
        places[row, column] += 1
    assert len(places) > 15


def test_a_path_of_ten_thousand_steps():
    maze = generate_from_key("path", 150, 150, 38, length=10_000)
    check_path(maze)
    assert maze.open.sum() == 10_001


@pytest.mark.parametrize("name", TREES)
def test_a_maze_grows_passage_by_passage(name: str) -> None:
    stages = growth(name, 4, 5, rng=np.random.default_rng(3), frames=1000)
    assert stages[-1] == generate(name, 4, 5, rng=np.random.default_rng(3))
    counts = [int(stage.open.sum()) for stage in stages]
    assert counts[0] == 0 and counts == sorted(counts) and len(stages) == 4 * 5 + 1
    assert len(growth(name, 4, 5, rng=np.random.default_rng(3), frames=5)) <= 6
