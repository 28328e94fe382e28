"""Goals that are observed, wanted and moved; success and level in info; the observation for stock nets."""

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AutoresetMode

from mazegrad.envs import (
    OBSERVATIONS,
    Maze,
    MazeEnv,
    MazeVectorEnv,
    World,
    draw,
    draw_svg,
    generate_from_key,
    load_maze,
    value_iteration,
)
from mazegrad.envs.maps.randomness import key_from_seed, seed_from_key
from mazegrad.envs.parallel import ParallelMazes

from contract_child import IDS
from test_vector import EVERYTHING, same, singles, walk_alike

GRID, FRESH = "mazegrad/GridWorld-v0", "mazegrad/Maze-v0"
GOALS = ("dots", "goal")


@pytest.mark.parametrize("encoding", [None, "float"])
@pytest.mark.parametrize("mode", AutoresetMode, ids=lambda mode: mode.value)
@pytest.mark.parametrize(
    ("name", "keywords"),
    [(GRID, {"maze": EVERYTHING}), (GRID, {"random_goals": True}), (FRESH, {"size": (2, 3)})],
)
def test_lanes_with_goals_are_single_environments(name, keywords, mode, encoding):
    info = ("success", "level")
    keywords = {"observation": GOALS, "encoding": encoding, "slip": 0.2, "time_limit": 9, "info": info, **keywords}
    ours = gymnasium.make_vec(name, num_envs=3, autoreset_mode=mode, **keywords)
    assert walk_alike(ours, singles(name, 3, mode, **keywords), 50) > 6


@pytest.mark.parametrize("encoding", [None, "float"])
def test_goal_conditioned_observations_and_rewards(encoding):
    keywords = {"rewards": {"step": -0.1, "goal": 2}, "observation": ("index", "goal"), "encoding": encoding}
    env = gymnasium.make(GRID, random_goals=True, time_limit=300, **keywords)
    check_env(env.unwrapped, skip_render_check=True)
    assert env.observation_space.keys() == {"observation", "achieved_goal", "desired_goal"}
    rng, arrived, goals = np.random.default_rng(0), 0, set()
    for seed in range(20):
        seen, _ = env.reset(seed=seed)
        goals.add(tuple(seen["desired_goal"].tolist()))
        over = False
        while not over:
            seen, reward, terminated, truncated, info = env.step(rng.integers(4))
            over = terminated or truncated
            assert reward == pytest.approx(
                env.unwrapped.compute_reward(seen["achieved_goal"], seen["desired_goal"], info)
            )
        arrived += np.array_equal(seen["achieved_goal"], seen["desired_goal"])
        assert terminated == np.array_equal(seen["achieved_goal"], seen["desired_goal"])
    assert arrived > 3 and len(goals) > 10
    batch = env.unwrapped.compute_reward(np.array([[1, 2], [3, 4]]), np.array([[1, 2], [3, 5]]), {})
    assert batch.tolist() == pytest.approx([1.9, -0.1])
    vector = gymnasium.make_vec(GRID, num_envs=2, **keywords)
    same(vector.unwrapped.compute_reward(np.array([[1, 2], [3, 4]]), np.array([[1, 2], [3, 5]]), {}), batch)


def test_only_goal_conditioned_environments_compute_rewards():
    for env in (MazeEnv("four_rooms"), MazeVectorEnv("four_rooms"), MazeEnv("four_rooms", observation="goal")):
        assert not hasattr(env, "compute_reward")


def test_a_goal_can_be_given_at_reset():
    keywords = {"observation": GOALS, "time_limit": 50}
    env, vector = MazeEnv("four_rooms", **keywords), MazeVectorEnv("four_rooms", 3, **keywords)
    seen, _ = env.reset(seed=0, options={"goal": (1, 2), "start": (1, 1)})
    assert seen["desired_goal"].tolist() == [1, 2] and seen["achieved_goal"].tolist() == [1, 1]
    seen, reward, terminated, *_ = env.step(1)
    assert (reward, terminated) == (1, True) and env.at_goal
    assert env.reset()[0]["desired_goal"].tolist() == [1, 2]  # it stays
    assert (env.maze.tiles == ord("G")).sum() == 1
    seen, _ = vector.reset(seed=0, options={"goal": [(1, 2), (1, 3), (2, 1)]})
    assert seen["desired_goal"].tolist() == [[1, 2], [1, 3], [2, 1]]
    mask = np.array([False, True, False])
    seen, _ = vector.reset(options={"goal": (5, 1), "reset_mask": mask})
    assert seen["desired_goal"].tolist() == [[1, 2], [5, 1], [2, 1]]
    fresh = gymnasium.make_vec(FRESH, num_envs=2, size=(2, 2), observation=GOALS)
    seen, _ = fresh.reset(seed=3, options={"goal": (1, 3)})
    assert seen["desired_goal"].tolist() == [[1, 3]] * 2
    for wrong in ((0, 0), (99, 1), "here"):
        with pytest.raises(ValueError, match="row"):
            env.reset(options={"goal": wrong})
    with pytest.raises(ValueError, match="one goal, or one for each"):
        vector.reset(options={"goal": [(1, 2), (1, 3)]})


def test_random_goals_are_all_that_can_be_reached():
    """Not walls, traps, or what lies behind a wall; each of the rest at some time."""
    text = "S..#.\nX.G#.\n"
    env = gymnasium.make(GRID, maze=text, random_goals=True, observation="goal")
    found = {tuple(env.reset(seed=seed)[0].tolist()) for seed in range(60)}
    assert found == {(0, 1), (0, 2), (1, 1), (1, 2)}
    with pytest.raises(ValueError, match="random goals need floor"):
        gymnasium.make(GRID, maze="SX\n", random_goals=True)


def test_level_names_the_maze():
    """What `level` says gives this maze again, whether levels come from a set or not."""
    for keywords in ({}, {"level_seeds": (5, 9, 2**62)}):
        env = gymnasium.make(FRESH, size=(3, 3), info=("level",), **keywords)
        for seed in range(8):
            level = env.reset(seed=seed)[1]["level"]
            assert type(level) is np.int64
            key = int(key_from_seed(int(level) % 2**64))
            assert generate_from_key("backtracker", 3, 3, key) == env.unwrapped.maze
            assert not keywords or level in keywords["level_seeds"]
        env.reset(options={"maze": env.unwrapped.maze})
        assert env.step(0)[4]["level"] == -1
    keys = np.random.default_rng(0).integers(0, 2**64, 100, dtype=np.uint64)
    assert (seed_from_key(key_from_seed(keys)) == keys).all() and seed_from_key(key_from_seed(7)) == 7
    changing = MazeEnv("four_rooms", after={3: "four_rooms"}, info="level", time_limit=2)
    assert changing.reset(seed=0)[1]["level"] == 0
    for _ in range(2):
        changing.step(0), changing.step(0)
        level = changing.reset()[1]["level"]
    assert level == 1


def test_success_is_reaching_a_goal_not_ending():
    env = gymnasium.make("mazegrad/TMaze-v0", corridor=1, info=("success",))
    successes = []
    for seed in range(10):
        assert env.reset(seed=seed)[1] == {"success": False}
        for action in (0, 0, 1):
            _, reward, terminated, _, info = env.step(action)
        assert terminated and info["success"].dtype == np.bool_
        successes.append((reward, bool(info["success"])))
    assert {*successes} == {(1.0, True), (-1.0, False)}


@pytest.mark.parametrize("name", IDS)
def test_net_is_a_flat_row_of_floats_in_which_no_two_states_are_alike(name):
    env = gymnasium.make(name, observation="net")
    space = env.observation_space
    assert space.dtype == np.float32 and len(space.shape) == 1
    many = gymnasium.make_vec(name, num_envs=2, observation="net")
    same(many.reset(seed=3)[0][0], env.reset(seed=3)[0])
    table = env.unwrapped.observations()
    world = env.unwrapped.world
    assert len(np.unique(table, axis=0)) == world.states
    assert gymnasium.make(name, observation="net", encoding="planes").observation_space.dtype == np.uint8
    several = MazeVectorEnv([load_maze("four_rooms"), load_maze("four_rooms")], 2, observation="net")
    assert several.single_observation_space.shape[0] > World.compile(load_maze("four_rooms")).states


def test_pictures_of_a_given_tile_size():
    env = MazeEnv("four_rooms", observation="pixels", tile=8, render_mode="rgb_array")
    seen, _ = env.reset(seed=0)
    height, width = env.maze.tiles.shape
    assert seen.shape == (8 * height, 8 * width, 3)
    assert np.array_equal(env.render(), seen)
    many = MazeVectorEnv("four_rooms", 2, tile=5, render_mode="rgb_array")
    many.reset(seed=0)
    assert [frame.shape for frame in many.render()] == [(5 * height, 5 * width, 3)] * 2
    for wrong in ("8", True, 1.5, 0, 97):
        with pytest.raises((TypeError, ValueError), match="tile"):
            MazeEnv("four_rooms", tile=wrong)


WINDY = "wind: 0 1 2\nS.G\n...\n...\n"


@pytest.mark.parametrize("tile", [None, 6])
def test_frames_drawn_at_once_are_those_drawn_one_by_one(tile):
    """Mazes of several sizes, with keys taken, doors opened and wind, in one batch."""
    mazes = [Maze.from_text(text) for text in (EVERYTHING, "Sa*A.G\n", WINDY)]
    for group in (mazes, mazes[:1], mazes[2:]):
        world = World.stack([World.compile(maze) for maze in group])
        frames = OBSERVATIONS["pixels"](world, tile=tile).look(np.arange(world.states))
        for state in range(0, world.states, 5):
            one = draw(world, state, tile=tile)
            assert np.array_equal(frames[state, : one.shape[0], : one.shape[1]], one)
            assert frames[state].sum() == one.sum()


@pytest.mark.parametrize("text", [EVERYTHING, WINDY])
def test_lanes_see_the_picture_of_where_they_are(text):
    env, world = (
        MazeVectorEnv(text, 3, observation="pixels", tile=6, time_limit=40),
        World.compile(Maze.from_text(text)),
    )
    env.reset(seed=0)
    rng = np.random.default_rng(0)
    for _ in range(30):
        seen, *_ = env.step(rng.integers(0, 4, 3))
        places = env.engine.places()
        for lane, (cell, carried) in enumerate(zip(places.cell, places.carried, strict=True)):
            state = np.flatnonzero((world.cell == cell) & (world.carried == carried))[0]
            assert np.array_equal(seen[lane], draw(world, int(state), tile=6))


def test_the_size_of_frames_by_keyword():
    """`size=` is the longer side at most, or exactly (height, width); for single, vector, several agents and `draw`."""
    world = World.compile(load_maze("cliff_walk"))  # 4 x 12 tiles
    assert draw(world, size=84).shape == (28, 84, 3)  # tiles of 7 px
    exact = draw(world, 0, size=(84, 90))
    assert exact.shape == (84, 90, 3)
    assert np.array_equal(exact[:28, :84], draw(world, 0, tile=7)) and not exact[28:].any() and not exact[:, 84:].any()
    assert draw(world, values=value_iteration(world), scale=False, size=(84, 90)).shape == (84, 90, 3)
    assert 'width="84"' in draw_svg(world, size=84)
    for size, shape in ((84, (28, 84, 3)), ((84, 84), (84, 84, 3)), (np.int64(84), (28, 84, 3))):
        env = MazeEnv("cliff_walk", observation="pixels", size=size, render_mode="rgb_array")
        lanes = MazeVectorEnv("cliff_walk", 2, observation="pixels", size=size, render_mode="rgb_array")
        seen, _ = env.reset(seed=0)
        assert seen in env.observation_space and seen.shape == env.observation_space.shape == shape
        assert env.render().shape == shape and lanes.single_observation_space == env.observation_space
        assert np.array_equal(lanes.reset(seed=0)[0][0], seen) and np.array_equal(lanes.render()[0], env.render())
    agents = ParallelMazes("four_rooms", 3, 2, observation="pixels", size=(60, 60), render_mode="rgb_array")
    agents.reset(seed=0)
    assert [frame.shape for frame in agents.render()] == [(60, 60, 3)] * 2
    rooms = gymnasium.make("mazegrad/Maze-v0", size=(3, 3), frame_size=(84, 84), observation="pixels")
    assert rooms.reset(seed=0)[0].shape == (84, 84, 3)


def test_the_size_of_frames_is_checked():
    no_int = (("84", TypeError), (True, TypeError), (84.0, TypeError))
    for wrong, error in (*no_int, (0, ValueError), ((84,), ValueError), ((84, 0), ValueError), (10**6, ValueError)):
        with pytest.raises(error, match="size"):
            MazeEnv("four_rooms", size=wrong)
        with pytest.raises(error, match="size"):
            draw(load_maze("four_rooms"), size=wrong)
    with pytest.raises(ValueError, match="not both"):
        MazeEnv("four_rooms", size=84, tile=4)
    with pytest.raises(ValueError, match="10 x 84 px is too small for 13 x 13 tiles"):
        MazeEnv("four_rooms", size=(10, 84))
