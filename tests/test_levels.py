"""Environments that draw their mazes: a new one at each reset, from all there are or from a set, always by the seed."""

import copy
import pickle
from collections import Counter

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

import mazegrad  # noqa: F401
from mazegrad.envs import GENERATORS, MAZES, Levels, Maze, MazeEnv, generate_from_key, load_maze, suite
from mazegrad.envs.maps.randomness import MAZE, bits, key_from_seed, stream
from mazegrad.envs.saved import SavedState

TINY = "######\n#S..G#\n######"


def make(name="Maze", **keywords):
    return gymnasium.make(f"mazegrad/{name}-v0", **keywords).unwrapped


def mazes(env, resets, seed=None):
    result = []
    for i in range(resets):
        env.reset(seed=seed if i == 0 else None)
        result.append(env.maze)
    return result


def test_each_reset_draws_a_new_maze_and_the_seed_says_which():
    env = make()
    first = mazes(env, 20, seed=3)
    assert len(set(first)) == 20
    assert mazes(env, 20, seed=3) == first
    assert mazes(make(), 20, seed=3) == first
    assert not set(mazes(env, 20, seed=4)) & set(first)
    # what DESIGN says: the episode's draw at counter MAZE of its stream is the maze's key
    keys = [bits(stream(key_from_seed(3), episode), MAZE) for episode in range(20)]
    assert [generate_from_key("backtracker", 8, 8, key) for key in keys] == first


@pytest.mark.parametrize("name", GENERATORS)
def test_every_generator_and_its_knobs(name):
    env = make(size=(3, 5), generator=name, observation="index")
    for maze in mazes(env, 10, seed=0):
        assert maze.tiles.shape == (7, 11)
        assert env.observation_space.n == 77
    knobs = {"path": {"length": 5}, "caves": {"rock": 0.4}, "dungeon": {"halls": 2}}.get(name, {"braid": 1.0})
    env = make(size=(3, 5), generator=name, **knobs)
    env.reset(seed=1)
    key = bits(stream(key_from_seed(1), 0), MAZE)
    assert env.maze == generate_from_key(name, 3, 5, key, **knobs)


def test_the_limit_follows_each_maze():
    env = make(size=(3, 3), generator="caves")
    limits = set()
    for seed in range(10):
        env.reset(seed=seed)
        assert env.time_limit == env.maze.open.sum() ** 2
        limits.add(env.time_limit)
    assert len(limits) > 1
    env.reset(seed=0)
    for step in range(1, env.time_limit + 1):
        *_, terminated, truncated, _ = env.step(0)
        assert truncated == (step == env.time_limit)
        assert not terminated


def test_level_seeds_are_all_that_is_drawn():
    env = make(level_seeds=[5, 17, 2**64 - 1])
    levels = [generate_from_key("backtracker", 8, 8, key_from_seed(seed)) for seed in (5, 17, 2**64 - 1)]
    drawn = Counter(mazes(env, 300, seed=0))
    assert set(drawn) == set(levels)
    assert min(drawn.values()) > 70
    # a set is drawn from in order of its seeds, whatever order Python has it in
    assert mazes(make(level_seeds={300, 5, 17}), 50, seed=0) == mazes(make(level_seeds=[5, 17, 300]), 50, seed=0)


def test_more_levels_than_stay_compiled(monkeypatch):
    first = mazes(make(level_seeds=range(30)), 100, seed=0)
    monkeypatch.setattr("mazegrad.envs.kept._KEPT", 5)
    env = make(level_seeds=range(30))
    assert mazes(env, 100, seed=0) == mazes(env, 100, seed=0) == first


def test_pinned_keeps_a_level_for_each_lane():
    env = make(level_seeds=[5, 17], pinned=True)
    level = generate_from_key("backtracker", 8, 8, key_from_seed(5))
    assert set(mazes(env, 10, seed=0)) == {level}
    levels = Levels(make=lambda key: level, keys=(10, 20, 30), pinned=True)
    assert [levels.draw(123, lane) for lane in range(5)] == [10, 20, 30, 10, 20]


def test_levels_of_ones_own():
    training = suite("easy", "train")
    env = MazeEnv(Levels(training.__getitem__, keys=tuple(range(100))))
    assert set(mazes(env, 500, seed=0)) <= set(training)
    env = gymnasium.make("mazegrad/GridWorld-v0", maze="four_rooms").unwrapped
    assert set(mazes(env, 3)) == {load_maze("four_rooms")}


def test_a_list_of_mazes_with_weights():
    training = list(suite("easy", "train")[:5])
    env = gymnasium.make("mazegrad/GridWorld-v0", maze=Levels.of(training, [1, 0, 3, 0, 0]), info=("level",)).unwrapped
    drawn = Counter()
    for _ in range(400):
        _, info = env.reset()
        assert env.maze == training[info["level"]]
        drawn[int(info["level"])] += 1
    assert drawn.keys() == {0, 2}
    assert 70 < drawn[0] < 130
    even = MazeEnv(Levels.of(training))
    assert set(mazes(even, 100, seed=0)) == set(training)


def test_lanes_draw_weighted_levels_as_single_environments_do():
    levels = Levels.of(suite("easy", "train")[:7], weights=np.arange(7.0))
    envs = gymnasium.make_vec("mazegrad/GridWorld-v0", num_envs=30, maze=levels, info=("level",), time_limit=3)
    _, info = envs.reset(seed=5)
    alone = MazeEnv(levels, time_limit=3)
    for lane in range(30):
        alone.reset(seed=5 + lane)
        assert alone.maze == envs.maze_of(lane) == levels.make(int(info["level"][lane]))


@pytest.mark.parametrize(
    ("given", "weights", "message"),
    [
        ([], None, "at least one"),
        ([load_maze("four_rooms"), load_maze("cliff_walk")], None, "one size"),
        (["four_rooms"], None, "load_maze"),
        ([load_maze("four_rooms")], [0], "not all 0"),
        ([load_maze("four_rooms")], [-1], "from 0 up"),
        ([load_maze("four_rooms")], [np.nan], "from 0 up"),
        ([load_maze("four_rooms")], [1, 2], "one for each"),
    ],
)
def test_lists_of_mazes_that_are_refused(given, weights, message):
    with pytest.raises((ValueError, TypeError), match=message):
        Levels.of(given, weights)


def test_a_maze_that_is_given_stays():
    env = make()
    given = generate_from_key("prim", 8, 8, 1)
    env.reset(seed=0, options={"maze": given})
    assert mazes(env, 3) == [given] * 3
    assert mazes(env, 1, seed=0) == [given]
    other = make(observation="index")
    before = mazes(other, 1, seed=0)
    with pytest.raises(ValueError, match="not the declared"):
        other.reset(options={"maze": TINY})
    assert other.maze == before[0]
    assert mazes(other, 1) == mazes(make(observation="index"), 2, seed=0)[1:]  # the failed reset was none


def test_a_start_can_be_chosen_in_the_maze_that_is_drawn():
    env = make(observation="index")
    for _ in range(10):
        observation, _ = env.reset(options={"start": (3, 5)})  # a room: open in every maze
        assert observation == 3 * 17 + 5


def test_state_copies_and_pickles_go_on_with_the_same_mazes():
    env = make(level_seeds=range(30))
    mazes(env, 5, seed=0)
    state = SavedState.from_json(env.get_state().to_json())
    copies = [copy.deepcopy(env), pickle.loads(pickle.dumps(env))]
    ahead = mazes(env, 10)
    for other in copies:
        assert other.maze == mazes(make(level_seeds=range(30)), 5, seed=0)[-1]
        assert mazes(other, 10) == ahead
    env.reset(options={"maze": MAZES["four_rooms"]})
    given = env.get_state()
    env.set_state(state)
    assert mazes(env, 10) == ahead  # the maze that was given is forgotten
    env.set_state(given)
    assert mazes(env, 2) == [load_maze("four_rooms")] * 2


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"generator": "backtraker"}, "did you mean 'backtracker'"),
        ({"size": (0, 3)}, "at least two rooms"),
        ({"size": (1, 1)}, "at least two rooms"),
        ({"size": (-2, -3)}, "rows must be an integer >= 1"),
        ({"size": 8}, "size is \\(rows, columns\\), two integers, not 8"),
        ({"size": "ab"}, "size is \\(rows, columns\\), two integers, not 'ab'"),
        ({"braid": 2}, "braid must be a number from 0 to 1"),
        ({"braid": float("nan")}, "braid must be a number from 0 to 1"),
        ({"generator": "caves", "braid": 0.5}, "caves has no knob 'braid'"),
        ({"level_seeds": []}, "level_seeds is empty"),
        ({"level_seeds": [-1]}, "level_seeds must be an integer from 0 to .*, not -1"),
        ({"pinned": True}, "say which, by level_seeds"),
        ({"generator": "path", "length": 1000}, "no path of 1000 steps"),
    ],
)
def test_bad_keywords_are_named(keywords, message):
    with pytest.raises(ValueError, match=message):
        make(**keywords)


def test_wrong_kinds():
    with pytest.raises(TypeError, match=r"level_seeds must be an integer from 0 to \d+, not 1.5"):
        make(level_seeds=[1.5])
    with pytest.raises(TypeError, match=r"level_seeds must hold integers, .*, not 5"):
        make(level_seeds=5)
    with pytest.raises(TypeError, match=r"corridor must be an integer >= 1, not 1.5"):
        make("TMaze", corridor=1.5)
    with pytest.raises(TypeError, match="brade"):
        make(brade=0.5)


# --- the T-maze -------------------------------------------------------------------------------------------------------


def episode(env, arm):
    observation, _ = env.reset()
    seen = [tuple(observation.tolist())]
    for action in [0] * (len(env.maze.tiles) - 3) + [arm]:
        observation, reward, terminated, _, _ = env.step(action)
        seen.append(tuple(observation.tolist()))
    return seen, reward, terminated


@pytest.mark.parametrize("corridor", [1, 2, 10, 70])
def test_the_cue_says_where_the_goal_is(corridor):
    env = make("TMaze", corridor=corridor)
    env.reset(seed=0)
    sides = Counter()
    for _ in range(100):
        seen, reward, terminated = episode(env, arm=2)
        cue = seen[1]
        assert cue in [(1, 0, 1, 1), (1, 1, 0, 1)]  # up and down can be entered; left or right is the sign's
        assert terminated
        assert reward == (1 if cue == (1, 0, 1, 1) else -1)
        assert seen[2:-1] == [(1, 0, 0, 1)] * (corridor - 1) + [(0, 1, 1, 1)]  # nothing else tells them apart
        assert seen[0] == (1, 0, 0, 0)
        sides[cue] += 1
    assert min(sides.values()) > 30


def test_a_t_maze_is_drawn_as_text():
    env = make("TMaze", corridor=3)
    texts = {maze.to_text() for maze in mazes(env, 20, seed=0)}
    left = "#####\n#G.X#\n##.##\n##.##\n##{##\n##S##\n#####"
    assert texts == {left, left.replace("G.X", "X.G").replace("{", "}")}
    assert all(isinstance(maze, Maze) for maze in mazes(env, 2))


@pytest.mark.parametrize("corridor", [0, -3, 10**7])
def test_a_corridor_has_tiles(corridor):
    with pytest.raises(ValueError, match="corridor"):
        make("TMaze", corridor=corridor)


@pytest.mark.parametrize("name", ["Maze", "TMaze"])
@pytest.mark.parametrize("observation", ["dots", "index", "position", "view", "map", "pixels"])
def test_check_env(name, observation):
    check_env(make(name, observation=observation, info=("distance",)), skip_render_check=True)
    env = make(name, observation=observation)
    for _ in range(5):
        seen, _ = env.reset()
        assert env.observation_space.contains(np.asarray(seen) if observation == "dots" else seen)
