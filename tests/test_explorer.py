"""How long a random walk takes, exactly; and limits that let it arrive."""

import gymnasium
import numpy as np
import pytest

from mazegrad.envs import (
    GENERATORS,
    Maze,
    World,
    distance_maps,
    explorer_limits,
    generate,
    hitting_times,
    load_maze,
    outcomes,
)

from random_worlds import random_worlds

TREES = sorted(set(GENERATORS) - {"caves", "dungeon", "path"})


def start_time(text):
    world = World.compile(Maze.from_text(text))
    return hitting_times(world)[world.start_states[0]]


@pytest.mark.parametrize("tiles", [2, 3, 10, 200])
def test_a_corridor_takes_twice_the_square(tiles):
    assert start_time("S" + "." * (tiles - 2) + "G\n") == pytest.approx(2 * tiles * (tiles - 1))


@pytest.mark.parametrize("name", TREES)
def test_in_perfect_mazes_it_is_a_sum_of_distances(name):
    """Tetali 1991: a path's resistance in a tree is its length."""
    maze = generate(name, 5, 6, rng=np.random.default_rng(3))
    world = World.compile(maze)
    drawing = maze.tiles.copy()
    from_goal = distance_maps(drawing[None])[0][maze.open]
    drawing[drawing == ord("G")] = ord(".")
    drawing[drawing == ord("S")] = ord("G")
    from_start = distance_maps(drawing[None])[0][maze.open]
    way = from_goal[world.start_states[0]]
    expected = 2 * (from_goal.sum() + len(from_goal) * way - from_start.sum())
    assert hitting_times(world)[world.start_states[0]] == pytest.approx(expected)


def test_dense_linear_algebra_says_the_same():
    solved = 0
    for world in random_worlds(60, seed=8):
        moves, times = outcomes(world), hitting_times(world)
        walks = np.isfinite(times) & ~world.goal
        P = np.zeros((world.states, world.states))
        state = np.broadcast_to(np.arange(world.states)[:, None, None], moves.next_state.shape)
        after = np.where(np.isfinite(times)[moves.next_state], moves.next_state, state)
        np.add.at(P, (state, after), moves.probability / 4)
        P = P[np.ix_(walks, walks)]
        expected = np.linalg.solve(np.eye(len(P)) - P, np.ones(len(P)))
        np.testing.assert_allclose(times[walks], expected, rtol=1e-9)
        solved += walks.sum()
    assert solved > 300


def test_random_agents_take_as_long():
    env = gymnasium.make_vec("mazegrad/DynaMaze-v0", num_envs=4000, time_limit=None)
    env.reset(seed=0)
    rng, lengths = np.random.default_rng(0), np.zeros(4000)
    for step in range(1, 20_000):
        over = env.step(rng.integers(4, size=4000))[2]
        lengths[over & (lengths == 0)] = step
        if (lengths > 0).all():
            break
    world = World.compile(load_maze("dyna_maze"))
    expected = hitting_times(world)[world.start_states[0]]
    assert abs(lengths.mean() - expected) < 4 * lengths.std() / np.sqrt(4000)


@pytest.mark.parametrize("trap", ["X.G\n.S.\n", "v.G\n.S.\n ..\n"])
def test_the_walk_stays_where_it_would_not_come_back(trap):
    """A trap that ends the episode is like a wall; a conveyor that comes back is not."""
    trapped, walled = (World.compile(Maze.from_text(text)) for text in (trap, trap.replace("X", "#")))
    assert hitting_times(trapped)[trapped.start_states] == pytest.approx(hitting_times(walled)[walled.start_states])
    assert start_time("S>#G\n") == start_time("XS#G\n") == np.inf


def test_limits_without_loops_are_those_of_the_linear_solve():
    rng = np.random.default_rng(4)
    odd = ["S.X.G\n", "S>.G\n", "S..1\n##.1\n##.G\n", "SG.S\n.#.#\n", "G.S.G\n", "S#G\n", "Sa.AG\n"]
    mazes = [generate(name, 3, 5, rng=rng) for name in GENERATORS] + [Maze.from_text(text) for text in odd]
    worlds = [World.compile(maze, slip=slip) for maze in mazes for slip in (None, 0.3)]
    worlds += [World.compile(maze, actions="turns") for maze in mazes] + list(random_worlds(100, seed=9))
    for world in worlds:
        times = hitting_times(world)[world.start_states]
        longest = times[np.isfinite(times)].max(initial=0)
        if longest:
            assert explorer_limits(world).tolist() == [round(2 * longest)]
    four = [world for world in worlds if world.actions == 4]
    assert explorer_limits(World.stack(four)).tolist() == [explorer_limits(world)[0] for world in four]


def test_slips_do_not_change_it():
    """A uniform action goes in a uniform direction, slipped or not."""
    maze = load_maze("four_rooms")
    still, slippery = (hitting_times(World.compile(maze, slip=slip)) for slip in (0, 0.7))
    np.testing.assert_allclose(still, slippery, rtol=1e-9)


def test_limits_are_twice_the_time_from_the_worst_start():
    world = World.compile([Maze.from_text(text) for text in ("S..G\n", "S.SG\n", "S.#G\n")])
    assert explorer_limits(world).tolist() == [2 * 24, 2 * 24, 3 * 3]
    assert explorer_limits(World.stack([world, world])).tolist() == [48, 48, 9] * 2


LIMITS = {
    "CliffWalk": 12906,
    "DynaMaze": 1737,
    "FourRooms": 1611,
    "GridWorld": 1611,
    "IceLake": 100,
    "KeyDoor": 5441,
    "Maze": 127**2,
    "PathFollow": 21000,
    "TMaze": 624,
    "WindyGrid": 12369,
}


@pytest.mark.parametrize("name", LIMITS)
def test_default_limits(name):
    assert gymnasium.make(f"mazegrad/{name}-v0").unwrapped.time_limit == LIMITS[name]


@pytest.mark.parametrize(("name", "least"), [(name, {"TMaze": 0.4, "IceLake": 0.0}.get(name, 0.7)) for name in LIMITS])
@pytest.mark.slow
def test_a_random_agent_arrives_within_the_default_limit(name, least):
    """In the T-maze half of all ends are traps; on the ice nearly all."""
    lanes = 300
    env = gymnasium.make_vec(f"mazegrad/{name}-v0", num_envs=lanes, autoreset_mode="Disabled")
    env.reset(seed=0)
    rng, going, arrived = np.random.default_rng(1), np.ones(lanes, dtype=bool), np.zeros(lanes, dtype=bool)
    while going.any():
        _, _, terminated, truncated, _ = env.step(rng.integers(4, size=lanes))
        arrived |= going & terminated & env.unwrapped.at_goal
        going &= ~(terminated | truncated)
        if (terminated | truncated).any():
            env.reset(options={"reset_mask": terminated | truncated})
    assert least <= arrived.mean() < 0.97


def test_lanes_have_the_limits_of_single_environments():
    mazes = ["S.G#.\n", "S.SG.\n", "S#G..\n", "S.G#.\n"]
    limits = [gymnasium.make("mazegrad/GridWorld-v0", maze=maze).unwrapped.time_limit for maze in mazes]
    assert len(set(limits)) == 3
    given = gymnasium.make_vec("mazegrad/GridWorld-v0", maze=mazes, num_envs=4)
    given.reset(seed=0)
    later = gymnasium.make_vec("mazegrad/GridWorld-v0", maze="S...G\n", num_envs=4)
    later.reset(seed=0, options={"maze": mazes})
    for env in (given, later):
        ends = np.zeros(4, dtype=np.int64)
        for step in range(1, max(limits) + 1):
            truncated = env.step(np.zeros(4, dtype=np.int64))[3]
            ends[truncated & (ends == 0)] = step
        assert ends.tolist() == limits
