"""Thin walls: the same mazes as with walls of tiles, in half of the steps; drawings, edge arrays, pictures."""

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AutoresetMode

from mazegrad.envs import (
    AGENT_CODE,
    AGENT_CODES,
    OBSERVATIONS,
    TILE_CODES,
    Maze,
    MazeEnv,
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
from mazegrad.envs.observations.encodings import PLANES, SIDE_PLANES
from mazegrad.envs.parallel import ParallelMazes
from mazegrad.envs.pictures.text import draw_text

from test_vector import singles, walk_alike


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


def test_a_drawing_read_as_our_own_text_is_recognised(tmp_path):
    drawn = "reward: $ 1 goal\n+---+---+\n| S   $ |\n+---+---+\n"
    (tmp_path / "maze.txt").write_text(drawn)
    for maze in (drawn, tmp_path / "maze.txt"):
        with pytest.raises(MazeError, match=r"line 2, column 1: unknown tile '\+'.*read with format=\"thin\""):
            MazeEnv(maze)
        assert len(shortest_path(MazeEnv(maze, format="thin").world)) == 2


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


CELLS = ((-1, 0), (0, 1), (0, -1), (1, 0))  # up, right, left, down


def seen_from(maze, right, lower, cell, heading, side):
    """What an agent sees of a maze, cell by cell: (code of the tile, which of its sides have a wall)."""

    def walls(row, column):
        found = 0
        for bit, (down, across) in enumerate(CELLS):
            other = (row + down, column + across)
            if min(row, other[0]) >= 0 and min(column, other[1]) >= 0:
                edges, at = (lower, (min(row, other[0]), column)) if down else (right, (row, min(column, other[1])))
                if at[0] < edges.shape[0] and at[1] < edges.shape[1] and edges[at]:
                    found |= 1 << bit
        return found

    turns = {0: 0, 1: 1, 3: 2, 2: 3}[heading]  # quarters clockwise from up
    around = [0, 1, 3, 2]  # the directions clockwise
    view = np.zeros((side, side), dtype=np.uint16)
    for row in range(side):
        for column in range(side):
            down, across = row - side // 2, column - side // 2
            for _ in range(turns):
                down, across = across, -down
            r, c = cell // maze.width + down, cell % maze.width + across
            if 0 <= r < maze.height and 0 <= c < maze.width:
                bits = walls(r, c)
                relative = sum(1 << around[k] for k in range(4) if bits >> around[(k + turns) % 4] & 1)
                view[row, column] = int(TILE_CODES[maze.tiles[r, c]]) + 256 * relative
    return view


@pytest.mark.parametrize("actions", ["four", "turns"])
def test_views_and_maps_show_thin_walls(actions):
    """Eight bits above the code of a tile, a bit for each side with a wall; turned with the view."""
    rng = np.random.default_rng(6)
    for _ in range(20):
        height, width = rng.integers(2, 6, size=2).tolist()
        tiles = rng.choice(np.frombuffer(b"....#G~", dtype=np.uint8), size=(height, width))
        tiles[0, 0] = ord("S")
        right, lower = rng.random((height, width - 1)) < 0.4, rng.random((height - 1, width)) < 0.4
        maze = thin_maze(tiles, right, lower, {"actions": actions})
        world = World.compile(maze)
        states = np.arange(world.states)
        views, maps = (OBSERVATIONS[name](world, view_size=5).look(states) for name in ("view", "map"))
        whole = np.array([[TILE_CODES[tile] for tile in row] for row in tiles], dtype=np.uint16)
        whole |= seen_from(maze, right, lower, 0, 0, 11)[5 : 5 + height, 5 : 5 + width] & 0xF00
        for cell, heading, view, drawn in zip(world.cell.tolist(), world.heading.tolist(), views, maps, strict=True):
            assert np.array_equal(view, seen_from(maze, right, lower, cell, heading, 5))
            marked, agent = whole.copy(), AGENT_CODES[heading] if actions == "turns" else AGENT_CODE
            marked.ravel()[cell] = marked.ravel()[cell] >> 8 << 8 | agent
            assert np.array_equal(drawn, marked)


@pytest.mark.parametrize("encoding", [None, "planes", "planes_last", "float"])
def test_thin_walls_are_seen_alike_by_lanes_and_in_encodings(encoding):
    for observation in ("view", "map"):
        keywords = {"size": (3, 4), "walls": "thin", "observation": observation, "encoding": encoding, "time_limit": 9}
        one = gymnasium.make("mazegrad/Maze-v0", **keywords)
        check_env(one.unwrapped, skip_render_check=True)
        lanes = gymnasium.make_vec("mazegrad/Maze-v0", num_envs=3, autoreset_mode=AutoresetMode.SAME_STEP, **keywords)
        assert walk_alike(lanes, singles("mazegrad/Maze-v0", 3, AutoresetMode.SAME_STEP, **keywords), 60) > 1
        bare = gymnasium.make("mazegrad/Maze-v0", **{**keywords, "encoding": None})
        codes, seen = bare.reset(seed=4)[0], one.reset(seed=4)[0]
        assert codes.dtype == np.uint16 and (codes >= 256).any()
        planes = {"planes": seen, "planes_last": np.moveaxis(seen, -1, 0) if encoding == "planes_last" else None}
        if encoding in planes:
            named = dict(zip((*PLANES, *SIDE_PLANES), planes[encoding], strict=True))
            for bit, name in enumerate(("up", "right", "left", "down")):
                assert np.array_equal(named[f"wall {name}"], codes >> 8 >> bit & 1)
            assert np.array_equal(named["closed"], np.isin(codes & 255, [0, 1]))
        elif encoding == "float":
            assert seen.size == (len(PLANES) + 4) * codes.size


def test_thin_walls_are_seen_where_they_are_declared_alone():
    thin, plain = (
        generate("wilson", 3, 3, rng=np.random.default_rng(0), walls="thin"),
        Maze.from_text("S..\n...\n..G\n"),
    )
    env = MazeEnv(thin, observation="map")
    seen, _ = env.reset(seed=0, options={"maze": plain})
    assert seen in env.observation_space and (seen < 256).all()
    env = MazeEnv(plain, observation="map")
    assert env.observation_space.dtype == np.uint8
    with pytest.raises(ValueError, match="not the declared"):
        env.reset(options={"maze": thin})


def test_agents_see_each_other_among_thin_walls():
    maze = generate("wilson", 3, 3, rng=np.random.default_rng(0), walls="thin")
    for encoding in (None, "planes", "float"):
        for observation in ("view", "map"):
            lanes = ParallelMazes(maze, 2, 3, observation=observation, encoding=encoding)
            alone = MazeEnv(maze, observation=observation, encoding=encoding)
            seen, _ = lanes.reset(seed=0)
            cells = lanes.engine.places().cell.reshape(3, 2)
            assert lanes.single_observation_space.contains(seen[0, 0])
            for lane in range(3):
                state = alone.reset(options={"start": divmod(int(cells[lane, 0]), 3)})[0]
                if encoding is None:  # the other agent is marked, nothing else changes
                    differs = np.argwhere(seen[lane, 0] != state)
                    assert len(differs) == 1 and seen[lane, 0][tuple(differs[0])] >> 8 == state[tuple(differs[0])] >> 8
                else:
                    part = seen[lane, 0] if encoding == "float" else seen[lane, 0][: len(state)]
                    assert np.array_equal(part[: len(state)], state)
