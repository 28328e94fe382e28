"""Rewards where they are: tiles of a map's own, goals of different worth, jumps, weighted starts, many things."""

import gymnasium
import numpy as np
import pytest

from mazegrad.agents import certify_memory
from mazegrad.envs import (
    Maze,
    MazeEnv,
    MazeError,
    MazeVectorEnv,
    TabularMDP,
    World,
    distances,
    draw,
    evaluate_policy,
    outcomes,
    shortest_path,
    value_iteration,
)

GRIDWORLD = """\
rewards: bump -1
jump: P p 10, Q q 5
SP.Q.
.....
...q.
.....
.p...
"""
BRIDGE = "reward: o 1 goal, $ 10 goal, x -100 trap\n#xxxxx#\noS....$\n#xxxxx#\n"


def test_example_3_5():
    """Sutton & Barto 2018, examples 3.5 and 3.8: four states of the random policy, and all of the best."""
    world = World.compile(Maze.from_text(GRIDWORLD))
    random = evaluate_policy(world, np.full((25, 4), 0.25), discount=0.9).values.round(1).reshape(5, 5)
    assert random.tolist() == [
        [3.3, 8.8, 4.4, 5.3, 1.5],
        [1.5, 3.0, 2.3, 1.9, 0.5],
        [0.1, 0.7, 0.7, 0.4, -0.4],
        [-1.0, -0.4, -0.4, -0.6, -1.2],
        [-1.9, -1.3, -1.2, -1.4, -2.0],
    ]
    best = value_iteration(world, discount=0.9).values.round(1).reshape(5, 5)
    assert best.tolist() == [
        [22.0, 24.4, 22.0, 19.4, 17.5],
        [19.8, 22.0, 19.8, 17.8, 16.0],
        [17.8, 19.8, 17.8, 16.0, 14.4],
        [16.0, 17.8, 16.0, 14.4, 13.0],
        [14.4, 16.0, 14.4, 13.0, 11.7],
    ]
    assert not world.terminal.any()


def test_the_bridge():
    """UC Berkeley CS188, project 3: exits of 1 and 10, and -100 below the bridge."""
    maze = Maze.from_text(BRIDGE)
    world = World.compile(maze)
    assert abs(value_iteration(world, discount=0.9).expected_return - 10 * 0.9**4) < 1e-9
    assert value_iteration(world, discount=0.9, tol=1e-9).policy[world.start_states[0]] == 1  # to the right
    assert value_iteration(World.compile(maze, slip=0.2), discount=0.9).policy[world.start_states[0]] == 2
    env = gymnasium.make("mazegrad/GridWorld-v0", maze=maze)
    env.reset(seed=0)
    assert [env.step(1)[1:3] for _ in range(5)] == [(0, False)] * 4 + [(10, True)] and env.unwrapped.at_goal
    env.reset(seed=0)
    assert env.step(0)[1:3] == (-100, True) and not env.unwrapped.at_goal
    envs = MazeVectorEnv(maze, 2, autoreset_mode="Disabled")
    envs.reset(seed=0)
    assert envs.step(np.array([2, 0]))[1].tolist() == [1, -100] and envs.at_goal.tolist() == [True, False]


def test_russell_and_norvigs_4x3():
    """Russell & Norvig, Artificial Intelligence: 0.8 as meant, 0.1 to either side, each step costs 0.04."""
    maze = Maze.from_text("rewards: step -0.04\nslip: 0.2\nreward: g 1 goal, t -1 trap\n...g\n.#.t\nS...\n")
    values = value_iteration(World.compile(maze), discount=1).values
    assert values[:3].round(3).tolist() == [0.812, 0.868, 0.918]
    assert values[[4, 5]].round(3).tolist() == [0.762, 0.660]
    assert values[7:].round(3).tolist() == [0.705, 0.655, 0.611, 0.388]


def test_example_4_1():
    """Sutton & Barto 2018, example 4.1: the random policy on a grid with two ends that are one state."""
    world = World.compile(Maze.from_text("rewards: goal 0, step -1\nG...\n....\n.S..\n...G\n"))
    values = evaluate_policy(world, np.full((16, 4), 0.25), discount=1).values
    assert values.round().tolist() == [0, -14, -20, -22, -14, -18, -20, -20, -20, -20, -18, -14, -22, -20, -14, 0]


def test_terrain_is_paid_for_when_it_is_entered():
    world = World.compile(Maze.from_text("reward: m -2, m 0.5 leaving\nrewards: step -1\nSm.\n###\n"))
    start, mud, floor = range(3)
    assert world.reward[start].tolist() == [-1, -3, -1, -1]  # up, right, left, down: only right enters
    assert world.reward[mud].tolist() == [-1, -0.5, -0.5, -1]  # bumps neither enter nor leave
    assert world.reward[floor].tolist() == [-1, -1, -3, -1]


def test_what_actions_earn_whatever_is_executed():
    maze = Maze.from_text("reward: up -0.5, right 0.25\nslip: 0.5\n...\n.S.\n...\n")
    world, listed = World.compile(maze), outcomes(World.compile(maze))
    assert world.noise is not None
    for action, earned in enumerate((-0.5, 0.25, 0, 0)):
        assert set(listed.reward[:, action].ravel().tolist()) == {earned}


def test_goals_that_wait_for_all_items():
    maze = Maze.from_text("exit: all items\nS.G.*\n")
    world = World.compile(maze)
    path = shortest_path(world)
    assert len(path) - 1 == 6 and world.cell[path].tolist() == [0, 1, 2, 3, 4, 3, 2]
    assert world.reward[path[1], 1] == 0 and world.reward[path[5], 2] == 1
    envs = MazeVectorEnv(maze, 1, autoreset_mode="Disabled")
    envs.reset(seed=0)
    at_goal = []
    for action in (1, 1, 1, 1, 2, 2):
        told = envs.step(np.array([action]))
        at_goal.append((bool(told[2][0]), bool(envs.at_goal[0])))
    assert at_goal == [(False, False)] * 5 + [(True, True)]


def test_weighted_starts_and_restarts():
    world = World.compile(Maze.from_text("starts: h 3\nS..\n..h\n"))
    assert TabularMDP.from_world(world).start.tolist() == [0.25, 0, 0, 0, 0, 0.75]
    env, count = MazeEnv(world.mazes[0], observation="position"), 0
    for seed in range(400):
        count += env.reset(seed=seed)[0].tolist() == [1, 2]
    assert 260 < count < 340
    task = World.compile(Maze.from_text("jump: $ start 1\nstarts: h 3\nS..$\n..h.\n"))  # a task that goes on
    listed = outcomes(task)
    assert not task.terminal.any()
    after = dict(zip(listed.next_state[3, 0].tolist(), listed.probability[3, 0].tolist(), strict=True))
    assert after == {0: 0.25, 6: 0.75} and set(listed.reward[3].ravel().tolist()) == {1.0}
    # the average of a year: the value at discount 0.999 times 0.001 is the reward for each step
    best = value_iteration(task, discount=0.999).values
    assert np.ptp(best) * 0.001 < 0.01


def test_a_continuing_task_is_certified_and_walked():
    maze = Maze.from_text("jump: $ p 1\nreward: m -0.5\nSm$.\n...p\n")
    made = certify_memory(maze, discount=0.9)
    assert type(made).from_json(made.to_json()).verify()
    env = MazeEnv(maze, observation="position")
    env.reset(seed=0)
    told = [env.step(1)[:3] for _ in range(3)]
    assert [(where.tolist(), reward, over) for where, reward, over in told] == [
        ([0, 1], -0.5, False), ([0, 2], 0, False), ([1, 3], 1, False),
    ]  # fmt: skip


def test_more_than_twelve_things():
    """As many as the reachable states allow: a row of 30 items has few, a field of them too many."""
    row = World.compile(Maze.from_text("S" + "*" * 30 + "G\n"))
    assert row.states == sum(range(1, 32)) + 1  # with k items, the k cells behind, and the start; then the goal
    assert distances(row)[row.start_states].tolist() == [31]
    field = np.full((8, 8), ord("*"), dtype=np.uint8)
    field[0, 0] = ord("S")
    field[4:] = ord(".")
    with pytest.raises(MazeError, match=r"combinations of keys and items are too many .* more than 2,097,152 states"):
        World.compile(Maze(field))
    env = MazeEnv("S" + "*" * 20 + "\n", observation="index")
    env.reset(seed=0)
    assert env.step(1)[0] == 21 * 1 + 1
    for items in (33, 36):  # more than 2**31 combinations
        with pytest.raises(MazeError, match=f"{2**items} combinations of keys and items are too many"):
            World.compile(Maze.from_text("S" + "*" * 20 + "\nS" + "*" * (items - 20) + "." * (40 - items) + "\n"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("reward: $ ten\nS$\n", "'reward' must be numbers for tiles or actions"),
        ("reward: $ 1, $ 2\nS$\n", "'reward' must be"),
        ("reward: G 1 trap\nSG\n", "'reward' must be"),
        ("reward: # 1\nSG\n", "'reward' must be"),
        ("reward: $ 1 goal\njump: $ S\nS$\n", r"'\$' is declared as goal and as floor"),
        ("jump: P Q\njump: P R\nS\n", "'jump' is given twice"),
        ("jump: P G\nSPG\n", "'jump' must be"),
        ("jump: P Q, Q R\nSPQR\n", "'jump' must be"),
        ("starts: h 0\nSh\n", "'starts' must be"),
        ("exit: never\nSG\n", "'exit' must be"),
        ("S$\n", r"unknown tile '\$'"),
    ],
)
def test_headers_that_cannot_be_read(text, message):
    with pytest.raises(MazeError, match=message):
        Maze.from_text(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("reward: north 1\nS.G\n", "unknown action 'north'; known here: up, right, left, down"),
        ("jump: P Q\nnoise: any 0.1\nSP.\n", "agents jump from 'P', but to a place that is not drawn"),
        ("jump: P Q\nSP.\n", "agents jump from 'P', but to a place that is not drawn"),
    ],
)
def test_headers_that_do_not_fit(text, message):
    with pytest.raises(MazeError, match=message):
        World.compile(Maze.from_text(text))


def test_tiles_of_a_map_s_own_are_seen_and_drawn():
    maze = Maze.from_text(BRIDGE)
    env = MazeEnv(maze, observation="map", encoding="planes")
    planes = dict(zip(("closed", "open", "goal", "trap"), env.reset(seed=0)[0], strict=False))
    assert planes["goal"].sum() == 2 and planes["trap"].sum() == 10 and planes["closed"].sum() == 4
    assert Maze.from_text(maze.to_text()) == maze
    plain = Maze.from_text("#XXXXX#\nGS....G\n#XXXXX#\n")
    assert np.array_equal(draw(maze), draw(plain))
    assert MazeVectorEnv(maze, 2, render_mode="rgb_array").reset(seed=0)[0].shape == (2, 4)
