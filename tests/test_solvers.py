"""Solvers and planners: valid ways, shortest ones where that is promised, and no search without an end."""

import itertools

import numpy as np
import pytest

from mazegrad.agents import ShortestPathAgent
from mazegrad.envs import (
    MAZES,
    SOLVERS,
    Maze,
    World,
    distances,
    load_maze,
    optimal_actions,
    outcomes,
    shortest_path,
    solve,
)
from mazegrad.envs.planning.solvers import wall_follower

from random_worlds import perfect_maze, random_worlds

SHORTEST = ("breadth_first", "a_star", "dead_end_filling")


def check(world, solution, start=None):
    path = solution.path
    assert solution.solved == (path is not None)
    if path is not None:
        assert path[0] == (world.start_states[0] if start is None else start)
        assert world.goal[path[-1]]
        assert len(set(path)) == len(path)
        assert all(after in world.next_state[state] for state, after in itertools.pairwise(path))


def test_distances_are_those_of_plain_relaxation():
    for world in random_worlds(100):
        steps = np.where(world.goal, 0, np.inf)
        for _ in range(world.states):
            steps = np.minimum(steps, 1 + steps[world.next_state].min(axis=1))
        distance = distances(world)
        assert np.array_equal(distance, np.where(np.isinf(steps), -1, steps))
        best = optimal_actions(world)
        nearer = np.isfinite(steps)[:, None] & (steps[world.next_state] + 1 == steps[:, None])
        assert np.array_equal(best, nearer & ~world.goal[:, None])


@pytest.mark.parametrize("name", SOLVERS)
def test_every_solver_solves_perfect_mazes(name):
    for seed in range(60):
        rng = np.random.default_rng(seed)
        world = World.compile(perfect_maze(1 + seed % 9, rng)) if seed % 9 else World.compile(Maze.from_text("SG"))
        solution = solve(name, world, rng=rng)
        check(world, solution)
        assert len(solution.path) - 1 == distances(world)[world.start_states[0]]  # the only way there is
        if name in ("wall_follower", "tremaux"):
            assert len(solution.visited) - 1 <= 2 * (world.states - 1)  # each passage twice at most


@pytest.mark.parametrize("name", SOLVERS)
def test_every_solver_comes_to_an_end_on_worlds_with_every_tile(name):
    solved = 0
    for world in random_worlds(150, seed=1):
        rng = np.random.default_rng(world.states)
        for start in rng.choice(np.flatnonzero(~world.terminal), size=3).tolist():
            solution = solve(name, world, start, rng)
            check(world, solution, start)
            steps = distances(world)[start]
            if name in SHORTEST:
                assert (len(solution.path) - 1 if solution.solved else -1) == steps
            if name == "random_mouse" and solution.solved:
                assert steps >= 0
            solved += solution.solved
    assert solved > 40


@pytest.mark.parametrize("name", SOLVERS)
@pytest.mark.parametrize("text", ["S.#G", "S", "###\n#S#\n###\nG##", "S.XG", "S..\n...\n..."], ids=repr)
def test_a_maze_without_a_way_is_reported(name, text):
    world = World.compile(Maze.from_text(text))
    assert solve(name, world, rng=np.random.default_rng(0)).path is None
    with pytest.raises(ValueError, match="no goal can be reached from state 0"):
        shortest_path(world, 0)


def test_from_a_goal_the_path_has_no_steps():
    world = World.compile(Maze.from_text("SG"))
    for name in SOLVERS:
        assert list(solve(name, world, 1, np.random.default_rng(0)).path) == [1]
    assert list(shortest_path(world, 1)) == [1]


def test_a_star_looks_at_less_than_breadth_first_and_knows_teleporters():
    text = "S" + "." * 30 + "\n" + ("." * 31 + "\n") * 29 + "." * 30 + "G"
    world = World.compile(Maze.from_text(text))
    plain, star = solve("breadth_first", world), solve("a_star", world)
    assert len(star.visited) < len(plain.visited) / 10
    world = World.compile(Maze.from_text("S0" + "." * 30 + "0G"))
    assert len(solve("a_star", world).path) == len(solve("breadth_first", world).path) == 3


def test_the_wall_follower_circles_an_island_and_gives_up():
    island = Maze.from_text("#######\n#.....#\n#.###.#\n#.#G..#\n#.###.#\n#S....#\n#######")
    world = World.compile(island)
    assert wall_follower(world, hand="left").path is None
    assert wall_follower(world, hand="right").path is None
    assert solve("breadth_first", world).solved
    room = World.compile(load_maze("four_rooms"))
    assert all(solve(name, room).solved for name in ("breadth_first", "a_star", "tremaux", "dead_end_filling"))
    with pytest.raises(ValueError, match="unknown hand 'rigth'; did you mean 'right'"):
        wall_follower(world, hand="rigth")


def test_tremaux_never_walks_a_passage_a_third_time():
    world = World.compile(load_maze("four_rooms"))
    for seed in range(50):
        visited = solve("tremaux", world, rng=np.random.default_rng(seed)).visited
        passages = [frozenset(pair) for pair in itertools.pairwise(visited)]
        assert max(map(passages.count, set(passages))) <= 2


def test_dead_end_filling_walls_up_all_but_the_way_of_a_perfect_maze():
    world = World.compile(perfect_maze(12, np.random.default_rng(5)))
    solution = solve("dead_end_filling", world)
    assert sorted([*solution.visited, *solution.path]) == list(range(world.states))


def test_the_mouse_takes_the_expected_number_of_steps():
    world = World.compile(perfect_maze(4, np.random.default_rng(0)), rewards={"step": -1.0, "goal": 0.0})
    moves = (world.next_state != np.arange(world.states)[:, None]) & ~world.terminal[:, None]
    from mazegrad.envs import evaluate_policy

    policy = np.where(world.terminal[:, None], 0.25, moves / np.maximum(moves.sum(axis=1, keepdims=True), 1))
    expected = -evaluate_policy(world, policy, discount=1).expected_return
    rng = np.random.default_rng(1)
    walks = [len(solve("random_mouse", world, rng=rng).visited) - 1 for _ in range(600)]
    assert abs(np.mean(walks) - expected) < 4 * np.std(walks) / len(walks) ** 0.5


def test_the_same_rng_is_the_same_walk():
    world = World.compile(load_maze("four_rooms"))
    for name in ("random_mouse", "tremaux"):
        one, other = (solve(name, world, rng=np.random.default_rng(7)) for _ in range(2))
        assert one == other
        assert one != solve(name, world, rng=np.random.default_rng(8))


def test_bad_input_is_reported():
    world = World.compile(load_maze("four_rooms"))
    with pytest.raises(ValueError, match="unknown solver 'tremeaux'; did you mean 'tremaux'"):
        solve("tremeaux", world)
    with pytest.raises(ValueError, match="rng="):
        solve("random_mouse", world)
    for name in SOLVERS:
        with pytest.raises(ValueError, match="a number from 0 to 103, not 104"):
            solve(name, world, 104, np.random.default_rng(0))
    with pytest.raises(ValueError, match="not -1"):
        shortest_path(world, -1)
    with pytest.raises(TypeError):
        shortest_path(world, 0.5)
    maze = load_maze("four_rooms")
    for reads in (distances, shortest_path, optimal_actions, outcomes, ShortestPathAgent, *SOLVERS.values()):
        with pytest.raises(TypeError, match=r"World\.compile\(maze\), not Maze"):
            reads(maze, **({"rng": np.random.default_rng(0)} if reads in SOLVERS.values() else {}))


@pytest.mark.slow
def test_a_maze_of_1001_x_1001_tiles_is_planned_in_seconds():
    import time

    world = World.compile(perfect_maze(500, np.random.default_rng(0)))
    begun = time.process_time()
    path = shortest_path(world)
    assert time.process_time() - begun < 20
    assert world.goal[path[-1]]
    assert len(path) - 1 == distances(world)[path[0]]


def test_shipped_maps_have_their_published_lengths():
    for name, steps in {"cliff_walk": 13, "windy_grid": 15, "dyna_maze": 14}.items():
        assert name in MAZES
        world = World.compile(load_maze(name))
        assert [len(solve(solver, world).path) - 1 for solver in SHORTEST] == [steps] * 3
