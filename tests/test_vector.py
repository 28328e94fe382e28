"""The vector environment is the single one, many times over: lane i is the single one seeded seed + i, bit for bit."""

import copy
import pickle

import gymnasium
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from mazegrad.agents import RandomAgent, evaluate, path_follower, rollout
from mazegrad.envs import OBSERVATIONS, Levels, Maze, MazeEnv, MazeVectorEnv, load_maze
from mazegrad.envs.engines import choice as choice_module
from mazegrad.envs.engines import fresh as fresh_module
from mazegrad.envs.engines.fresh import FreshMazes
from mazegrad.envs.engines.stacked import StackedTables
from mazegrad.envs.maps.levels import generated
from mazegrad.envs.maps.randomness import RandomBlock, below, bits, key_from_seed, later, stream, uniform
from mazegrad.envs.saved import SavedState

from contract_child import IDS

MODES = tuple(AutoresetMode)
PLAIN_INFO = ("action_mask", "distance", "state")
EVERYTHING = """\
slip: 0.1
ice: 0.5
rewards: step -0.25, item 2
S.~~.{.>.
.##.#A##.
.a..*.<.G
^#1##.##v
S.}.X.1.*
"""
GRID, FRESH = "mazegrad/GridWorld-v0", "mazegrad/Maze-v0"


def mode_id(mode):
    return mode.value


def singles(name, lanes, mode, **keywords):
    make = [lambda: gymnasium.make(name, disable_env_checker=True, **keywords)] * lanes
    return SyncVectorEnv(make, autoreset_mode=mode)


def same(ours, theirs, where=""):
    """Assert that two things returned are equal in kind, shape, type and every bit."""
    assert type(ours) is type(theirs), (where, type(ours), type(theirs))
    if isinstance(ours, dict):
        assert ours.keys() == theirs.keys(), where
        for name in ours:
            same(ours[name], theirs[name], f"{where} {name}")
    elif isinstance(ours, tuple | list):
        assert len(ours) == len(theirs), where
        for number, pair in enumerate(zip(ours, theirs, strict=True)):
            same(*pair, f"{where} {number}")
    elif isinstance(ours, np.ndarray):
        assert ours.shape == theirs.shape and ours.dtype == theirs.dtype, (where, ours.dtype, theirs.dtype)
        if ours.dtype == object:
            same(list(ours), list(theirs), where)
        else:
            assert ours.tobytes() == theirs.tobytes(), (where, ours, theirs)
    else:
        assert ours == theirs, where


def walk_alike(ours, theirs, steps, seed=5, rng=3):
    """Walk both with the same random actions, resetting by mask where that is theirs to do; return the resets seen."""
    rng = np.random.default_rng(rng)
    same(ours.reset(seed=seed), theirs.reset(seed=seed), "reset")
    ends = 0
    for step in range(steps):
        actions = rng.integers(0, ours.single_action_space.n, ours.num_envs)
        told = ours.step(actions)
        same(told, theirs.step(actions), f"step {step}")
        over = told[2] | told[3]
        ends += int(over.sum())
        if ours.metadata["autoreset_mode"] is AutoresetMode.DISABLED and over.any():
            mask = over | (rng.random(ours.num_envs) < 0.1)
            masks = ({"reset_mask": mask.copy()} for _ in range(2))
            same(ours.reset(options=next(masks)), theirs.reset(options=next(masks)), f"reset after {step}")
    return ends


@pytest.mark.parametrize("slip", [None, 0.3], ids=["as_it_is", "slip"])
@pytest.mark.parametrize("mode", MODES, ids=mode_id)
@pytest.mark.parametrize("observation", OBSERVATIONS)
@pytest.mark.parametrize("name", IDS)
def test_lanes_are_single_environments(name, observation, mode, slip):
    lanes, steps = (2, 30) if observation == "pixels" else (3, 90)
    keywords = {"observation": observation, "slip": slip, "info": PLAIN_INFO, "time_limit": 13}
    ours = gymnasium.make_vec(name, num_envs=lanes, autoreset_mode=mode, **keywords)
    assert isinstance(ours, MazeVectorEnv)
    theirs = singles(name, lanes, mode, **keywords)
    assert ours.metadata["autoreset_mode"] is mode
    assert ours.observation_space == theirs.observation_space and ours.action_space == theirs.action_space
    assert walk_alike(ours, theirs, steps) >= lanes * (steps // 14) * 0.9


@pytest.mark.slow
@pytest.mark.parametrize("name", IDS)
def test_a_long_run_as_it_comes_against_gymnasiums_own(name):
    ours, theirs = (
        gymnasium.make_vec(name, num_envs=3, vectorization_mode=how, time_limit=300) for how in (None, "sync")
    )
    assert isinstance(ours, MazeVectorEnv) and isinstance(theirs, SyncVectorEnv)
    assert walk_alike(ours, theirs, 4000) > 3


@pytest.mark.parametrize("mode", MODES, ids=mode_id)
@pytest.mark.parametrize("observation", ["dots", "index", "view", "map"])
def test_every_tile_and_several_starts(observation, mode):
    keywords = {"maze": EVERYTHING, "observation": observation, "info": PLAIN_INFO, "time_limit": 40}
    ours = gymnasium.make_vec(GRID, num_envs=6, autoreset_mode=mode, **keywords)
    assert walk_alike(ours, singles(GRID, 6, mode, **keywords), 500) > 60


@pytest.mark.parametrize("mode", MODES, ids=mode_id)
@pytest.mark.parametrize(
    ("engine", "keywords"),
    [
        (FreshMazes, {}),
        (FreshMazes, {"rewards": {"step": -1, "goal": 5}, "slip": 0.5, "observation": "view"}),
        (FreshMazes, {"generator": "wilson", "braid": 0.5, "observation": "map"}),
        (FreshMazes, {"generator": "caves", "size": (9, 9), "observation": "position"}),
        (FreshMazes, {"generator": "path", "size": (9, 9), "length": 12, "observation": "index"}),
        (StackedTables, {"level_seeds": [4, 5, 6]}),
        (StackedTables, {"level_seeds": range(50), "observation": "view", "slip": 0.2}),
    ],
    ids=str,
)
def test_levels(engine, keywords, mode, monkeypatch):
    keywords = {"size": (2, 2), "time_limit": 11, "info": ("action_mask", "state"), **keywords}
    ours = gymnasium.make_vec(FRESH, num_envs=5, autoreset_mode=mode, **keywords)
    assert type(ours._episodes.engine) is engine
    assert walk_alike(ours, singles(FRESH, 5, mode, **keywords), 200) > 60
    if engine is StackedTables:  # a set that is too large to compile whole
        monkeypatch.setattr(choice_module, "_STACKED_TILES", 0)
        ours = gymnasium.make_vec(FRESH, num_envs=5, autoreset_mode=mode, **keywords)
        assert type(ours._episodes.engine) is FreshMazes
        walk_alike(ours, singles(FRESH, 5, mode, **keywords), 200)


PLAIN_OR_ICY = Levels(lambda key: Maze.from_text("S~~~\n~~~G\n" if key >> 40 & 1 else "S...\n...G\n"))


@pytest.mark.parametrize("mode", MODES, ids=mode_id)
def test_levels_of_which_some_slip(mode):
    keywords = {"time_limit": 7, "info": PLAIN_INFO}
    ours = MazeVectorEnv(PLAIN_OR_ICY, 4, autoreset_mode=mode, **keywords)
    theirs = SyncVectorEnv([lambda: MazeEnv(PLAIN_OR_ICY, **keywords)] * 4, autoreset_mode=mode)
    assert walk_alike(ours, theirs, 200) > 60


@pytest.mark.parametrize("kept", [0, 2**28])
def test_fresh_mazes_are_the_same_however_many_are_made_ahead(kept, monkeypatch):
    monkeypatch.setattr(fresh_module, "_BYTES", kept)
    ours = gymnasium.make_vec(FRESH, num_envs=40, size=(3, 4), time_limit=9)
    walk_alike(ours, singles(FRESH, 40, AutoresetMode.NEXT_STEP, size=(3, 4), time_limit=9), 60)


def test_pinned_lanes_keep_the_level_of_their_number():
    seeds = [7, 3, 11]
    for stacked in (2**22, 0):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(choice_module, "_STACKED_TILES", stacked)
            env = gymnasium.make_vec(FRESH, num_envs=5, size=(3, 3), level_seeds=seeds, pinned=True)
        env.reset(seed=1)
        for _ in range(200):
            env.step(env.action_space.sample())
        for lane in range(5):
            one = gymnasium.make(FRESH, size=(3, 3), level_seeds=[seeds[lane % 3]], pinned=True)
            assert env.maze_of(lane) == one.unwrapped.maze


def test_many_lanes_are_few_lanes():
    many = gymnasium.make_vec(GRID, num_envs=5000, maze=EVERYTHING, slip=0.4)
    few = gymnasium.make_vec(GRID, num_envs=10, maze=EVERYTHING, slip=0.4)
    rng = np.random.default_rng(0)
    many.reset(seed=100), few.reset(seed=100 + 4321)
    for _ in range(300):
        actions = rng.integers(0, 4, 5000)
        told, part = many.step(actions), few.step(actions[4321:4331])
        for one, other in zip(told[:4], part[:4], strict=True):
            same(one[4321:4331], other)


def test_mazes_and_starts_are_given_by_options():
    rooms, lake = load_maze("four_rooms"), Maze.from_text("S..\n.#.\n..G\n")
    for name, keywords in ((GRID, {"maze": rooms}), (FRESH, {"size": (4, 4)}), (FRESH, {"level_seeds": [1, 2]})):
        for mode in MODES:
            ours = gymnasium.make_vec(name, num_envs=3, autoreset_mode=mode, time_limit=20, **keywords)
            theirs = singles(name, 3, mode, time_limit=20, **keywords)
            walk_alike(ours, theirs, 50)
            one = {"reset_mask": np.array([False, True, False]), "maze": lake, "start": (2, 1)}
            same(ours.reset(options=dict(one)), theirs.reset(options=dict(one)), "one lane")
            walk_on(ours, theirs, 100)
            every = {"maze": lake, "start": (0, 2)}
            same(ours.reset(options=dict(every)), theirs.reset(options=dict(every)), "all lanes")
            walk_on(ours, theirs, 100)


@pytest.mark.parametrize("name", [GRID, FRESH])
def test_an_episode_that_starts_at_a_goal_is_over_with_its_first_step(name):
    keywords = {} if name == GRID else {"size": (4, 5)}
    for mode in MODES:
        ours = gymnasium.make_vec(name, num_envs=2, autoreset_mode=mode, rewards={"step": -1}, **keywords)
        theirs = singles(name, 2, mode, rewards={"step": -1}, **keywords)
        goal = tuple(load_maze("four_rooms").find("G")[0].tolist()) if name == GRID else (7, 9)
        same(*(env.reset(seed=1, options={"start": goal}) for env in (ours, theirs)))
        walk_on(ours, theirs, 3)


def walk_on(ours, theirs, steps):
    rng = np.random.default_rng(1)
    for step in range(steps):
        actions = rng.integers(0, ours.single_action_space.n, ours.num_envs)
        told = ours.step(actions)
        same(told, theirs.step(actions), f"step {step}")
        over = told[2] | told[3]
        if ours.metadata["autoreset_mode"] is AutoresetMode.DISABLED and over.any():
            same(*(env.reset(options={"reset_mask": over.copy()}) for env in (ours, theirs)))


def test_a_maze_and_a_start_for_each_lane():
    texts = ["S.G\n", "SG\n", "S...G\n"]
    env = MazeVectorEnv(num_envs=3, time_limit=None)
    env.reset(seed=0, options={"maze": texts, "start": [(0, 1), (0, 0), (0, 2)]})
    assert [env.maze_of(lane).width for lane in range(3)] == [3, 2, 5]
    assert env.step(np.array([1, 1, 1]))[2].tolist() == [True, True, False]
    env = MazeVectorEnv([Maze.from_text(text) for text in texts], 3)
    env.reset(seed=0)
    assert env.step(np.array([1, 1, 1]))[2].tolist() == [False, True, False]


@pytest.mark.parametrize("mode", MODES, ids=mode_id)
@pytest.mark.parametrize("name", [GRID, FRESH, "mazegrad/KeyDoor-v0"])
def test_copies_in_mid_episode_go_on_alike(name, mode):
    keywords = {"slip": 0.3, "info": PLAIN_INFO, "time_limit": 9, "autoreset_mode": mode}
    env = gymnasium.make_vec(name, num_envs=4, **keywords).unwrapped
    env.reset(seed=3)
    rng = np.random.default_rng(0)
    for steps in range(25):  # 9 and 10 are the ones of which the end comes next, and just came
        copies = [copy.deepcopy(env), pickle.loads(pickle.dumps(env)), gymnasium.make_vec(name, num_envs=4, **keywords)]
        state = SavedState.from_json(env.get_state().to_json())
        copies[2].unwrapped.set_state(state)
        assert copies[2].unwrapped.get_state() == state
        if mode is not AutoresetMode.DISABLED or steps < 9:
            twin = copy.deepcopy(env)
            for _ in range(12 if mode is not AutoresetMode.DISABLED else 9 - steps):
                actions = rng.integers(0, 4, 4)
                told = twin.step(actions)
                for other in copies:
                    same(other.step(actions), told)
            same(copies[2].reset(), twin.reset())
        told = (
            env.step(rng.integers(0, 4, 4)) if not env.get_state().ended or mode is not AutoresetMode.DISABLED else None
        )
        if told is None:
            env.reset()


def test_many_slipping_lanes_go_back_to_a_state_of_their_own():
    env = MazeVectorEnv("ice_lake", 1024)  # so many that their bits are hashed for a few steps at a time
    env.reset(seed=0)
    actions = np.random.default_rng(0).integers(0, 4, (60, 1024))
    for step in range(20):
        env.step(actions[step])
    state = env.get_state()
    first = [env.step(actions[step]) for step in range(20, 60)]
    env.set_state(state)
    same([env.step(actions[step]) for step in range(20, 60)], first)


@pytest.mark.parametrize(
    "maze", [load_maze("ice_lake"), PLAIN_OR_ICY, generated("backtracker", (2, 3))], ids=["map", "levels", "fresh"]
)
def test_a_state_that_is_none_changes_nothing(maze):
    env = MazeVectorEnv(maze, 2, render_mode="ansi", time_limit=9)
    env.reset(seed=0)
    for _ in range(4):
        env.step(np.array([1, 3]))
    good, untouched = env.get_state(), copy.deepcopy(env)
    above = bytes([16] * len(good.trails[0]))
    spoilt = [
        {"cell": (0, 10**6)}, {"key": (1,)}, {"maze": (0, 7)}, {"steps": (-1, 0)}, {"mazes": ("?",)},
        {"trails": (b"0",)}, {"ended": (2,)}, {"episode": "x"}, {"steps": ((0,), (0,))},
        {"trails": (above, good.trails[1])},
    ]  # fmt: skip
    if not isinstance(maze, Maze):  # a maze that these levels do not draw then
        other = Maze.from_text(good.mazes[0].to_text().replace("G", "."))
        spoilt.append({"mazes": (other,), "maze": (0, 0), "cell": (int(other.open.argmax()),) * 2})
    for spoil in spoilt:
        with pytest.raises(ValueError, match="not a state that get_state returned"):
            env.set_state(good._replace(**spoil))
        assert env.get_state() == good
    for _ in range(20):
        same(env.step(np.array([1, 3])), untouched.step(np.array([1, 3])))
        assert env.render() == untouched.render()


@pytest.mark.parametrize("mode", MODES, ids=mode_id)
@pytest.mark.parametrize("name", [GRID, FRESH])
@pytest.mark.parametrize("render_mode", ["rgb_array", "ansi"])
def test_frames_are_those_of_single_environments(render_mode, name, mode):
    keywords = {"render_mode": render_mode, "time_limit": 6, "slip": 0.2}
    ours = gymnasium.make_vec(name, num_envs=2, autoreset_mode=mode, **keywords)
    theirs = singles(name, 2, mode, **keywords)
    assert ours.render_mode == render_mode
    ours.reset(seed=0), theirs.reset(seed=0)
    for step in range(16):
        same(tuple(ours.render()), tuple(theirs.render()), f"step {step}")
        actions = np.full(2, step % 4)
        told, _ = ours.step(actions), theirs.step(actions)
        over = told[2] | told[3]
        if mode is AutoresetMode.DISABLED and over.any():
            same(tuple(ours.render()), tuple(theirs.render()), f"after {step}")
            for env in (ours, theirs):
                env.reset(options={"reset_mask": over.copy()})


@pytest.mark.parametrize("observation", OBSERVATIONS)
@pytest.mark.parametrize("name", [GRID, FRESH])
def test_arrays_handed_out_are_fresh(name, observation):
    keywords = {"observation": observation, "info": PLAIN_INFO, "time_limit": 3, "autoreset_mode": "SameStep"}
    spoilt, clean = (gymnasium.make_vec(name, num_envs=2, **keywords) for _ in range(2))

    def spoil(thing):
        for part in thing.values() if isinstance(thing, dict) else thing if isinstance(thing, tuple) else ():
            spoil(part)
        if isinstance(thing, np.ndarray) and thing.dtype == object:
            for part in thing:
                spoil(part)
        elif isinstance(thing, np.ndarray):
            thing[...] = 1

    told = spoilt.reset(seed=0), clean.reset(seed=0)
    actions = np.ones(2, dtype=np.int64)
    for _ in range(9):
        same(*told)
        spoil(told[0])
        spoil(spoilt.unwrapped.at_goal), spoil(spoilt.unwrapped.action_masks())
        told = spoilt.step(actions), clean.step(actions.copy())
        assert actions.tolist() == [1, 1]


def test_seeds():
    env = MazeVectorEnv(EVERYTHING, 4, observation="index")
    low, _ = env.reset(seed=[5, 6, 7, 8])
    same(low, env.reset(seed=5)[0])
    again, _ = env.reset()
    env.reset(seed=5)
    same(env.reset()[0], again)
    env.reset(seed=[None, 5, None, None])
    assert list(env.get_state().episode) == [2, 0, 2, 2]
    env.reset(seed=2**64 - 4)
    for bad in (-1, 2**64 - 3):
        with pytest.raises(ValueError, match="seed"):
            env.reset(seed=bad)
    with pytest.raises(ValueError, match="each of the 4 lanes"):
        env.reset(seed=[1, 2])
    with pytest.raises(TypeError):
        env.reset(seed=1.5)


def test_unseeded_lanes_and_environments_differ():
    keys = [key for _ in range(3) for env in [MazeVectorEnv(num_envs=50)] if env.reset() for key in env.get_state().key]
    assert len(set(keys)) == 150


@pytest.mark.parametrize("slip", [0.0, 2**-53, 0.3, 1 / 3, 1 - 2**-53, 1.0])
def test_a_draw_is_below_a_probability_exactly_where_its_uniform_is(slip):
    at_the_edge = np.clip([int(slip * 2**53) - 1, int(slip * 2**53), int(slip * 2**53) + 1], 0, 2**53 - 1)
    numbers = np.concatenate([at_the_edge, np.random.default_rng(0).integers(0, 2**53, 1000)]).astype(np.uint64)
    assert ((numbers < below(slip)) == (numbers * 2.0**-53 < slip)).all()


def test_draws_ahead_are_the_streams():
    streams = np.asarray(stream(key_from_seed(np.arange(3, dtype=np.uint64)), 4))
    assert int(later(streams, 7)[1]) == later(int(streams[1]), 7)
    ahead = RandomBlock(3)
    ahead.begin(np.arange(3), streams, tick=1, counter=2)
    begun = np.array([1, 1, 1])
    for tick in range(1, 20_000):
        wanted = [uniform(int(s), 2 + tick - b) for s, b in zip(streams.tolist(), begun.tolist(), strict=True)]
        if tick % 97 == 0 or tick < 5:
            assert (ahead.at(tick) * 2.0**-53).tolist() == wanted
        if tick % 1001 == 0:
            streams[1], begun[1] = bits(streams.tolist()[1], tick), tick + 1
            ahead.begin(np.array([1]), streams[[1]], tick=tick + 1, counter=2)


def test_bad_input_is_told():
    for keywords, message in (
        ({"num_envs": 0}, "num_envs must be an integer >= 1, not 0"),
        ({"max_episode_steps": 0}, "max_episode_steps must be an integer >= 1, not 0"),
        ({"autoreset_mode": "Sometimes"}, "unknown autoreset_mode"),
        ({"observation": "dot"}, "did you mean 'dots'"),
        ({"render_mode": "human"}, "unknown render mode"),
        ({"maze": ["S.G\n"], "num_envs": 2}, "one for each of the 2 lanes"),
    ):
        with pytest.raises(ValueError, match=message):
            MazeVectorEnv(**keywords)
    for make in (MazeEnv, MazeVectorEnv):
        with pytest.raises(TypeError, match=r"info is a name or several, of action_mask, .*, not None"):
            make(info=None)
        with pytest.raises(TypeError, match=r"rewards must be a dict, such as \{'goal': 1.0\}, not None"):
            make(rewards=None)
    for keyword, value in (("max_episode_steps", 2.5), ("max_episode_steps", "x"), ("num_envs", "3")):
        with pytest.raises(TypeError, match=f"{keyword} must be an integer >= 1, not {value!r}"):
            MazeVectorEnv(**{keyword: value})
    env = MazeVectorEnv("S.G\n", 3, autoreset_mode="Disabled")
    with pytest.raises(gymnasium.error.ResetNeeded):
        env.step(np.zeros(3, dtype=np.int64))
    env.reset(seed=0)
    before = env.get_state()
    for actions, error in (
        ([0, 1, 4], ValueError), ([0, -1, 0], ValueError), ([0, 1], ValueError), (np.zeros((3, 1), int), ValueError),
        ([0.0, 1.0, 2.0], TypeError), (["a", "b", "c"], TypeError), (None, TypeError), ([2**40, 0, 0], ValueError),
    ):  # fmt: skip
        with pytest.raises(error, match="action"):
            env.step(actions)
    for options, error in (
        ({"mase": 1}, ValueError), ({"start": (5, 5)}, ValueError), ({"start": (0, 3)}, ValueError),
        ({"maze": "S.G.\n", "start": (3, 0)}, ValueError), ({"maze": ["S.G\n"] * 2}, ValueError),
        ({"start": [(0, 0)] * 2}, ValueError), ({"reset_mask": [True] * 3}, TypeError), ({"start": 3}, ValueError),
        ({"reset_mask": np.zeros(3, bool)}, ValueError), ({"reset_mask": np.ones(2, bool)}, ValueError),
    ):  # fmt: skip
        with pytest.raises(error):
            env.reset(options=options)
    assert env.get_state() == before
    index = MazeVectorEnv("S.G\n", 2, observation="index")
    with pytest.raises(ValueError, match="not the declared"):
        index.reset(options={"maze": "S...G\n"})
    env.step(np.array([1, 0, 0], dtype=np.uint8))
    env.step([1, 0, 0])
    with pytest.raises(gymnasium.error.ResetNeeded, match="lanes 0"):
        env.step([1, 0, 0])


@pytest.mark.parametrize(("limit", "most", "ends"), [(7, 3, 3), (2, 5, 2), (None, 4, 4), ("auto", -1, 1611)])
def test_episodes_are_truncated_by_the_tighter_limit(limit, most, ends):
    env = gymnasium.make_vec(GRID, num_envs=2, time_limit=limit, max_episode_steps=most)
    env.reset(seed=0)
    for step in range(1, ends + 1):
        truncated = env.step(np.zeros(2, dtype=np.int64))[3]
        assert truncated.tolist() == [step == ends] * 2


def test_nothing_limits_where_nothing_shall():
    env = gymnasium.make_vec(GRID, num_envs=2, time_limit=None)
    env.reset(seed=0)
    assert not any(env.step(np.zeros(2, dtype=np.int64))[3].any() for _ in range(2000))


def test_gymnasiums_vector_wrappers(tmp_path):
    wrappers = gymnasium.wrappers.vector
    env = gymnasium.make_vec(FRESH, num_envs=3, size=(2, 2), time_limit=20, render_mode="rgb_array", info=PLAIN_INFO)
    env = wrappers.RecordEpisodeStatistics(env)
    env = wrappers.DtypeObservation(env, np.float32)
    env = wrappers.NormalizeObservation(env)
    env = wrappers.NormalizeReward(env)
    env = wrappers.ClipReward(env, -1, 1)
    env.reset(seed=0)
    finished = 0
    for _ in range(60):
        observation, _, terminated, truncated, infos = env.step(env.action_space.sample())
        over = terminated | truncated
        assert observation.dtype == np.float32 and infos["distance"].shape == (3,)
        assert np.array_equal(infos.get("_episode", np.zeros(3, bool)), over)
        finished += int(over.sum())
    assert finished > 5
    listed = wrappers.DictInfoToList(gymnasium.make_vec(FRESH, num_envs=3, info=PLAIN_INFO))
    assert [sorted(info) for info in listed.reset(seed=0)[1]] == [sorted(PLAIN_INFO)] * 3


def test_rollouts_and_evaluations_are_those_of_single_environments():
    for mode in MODES:
        env = gymnasium.make_vec("mazegrad/PathFollow-v0", num_envs=3, autoreset_mode=mode, time_limit=40)
        one = gymnasium.make("mazegrad/PathFollow-v0", time_limit=40)
        walks = rollout(env, path_follower(), seed=5)
        for lane, walk in enumerate(walks):
            alone = rollout(one, path_follower(), seed=5 + lane)
            assert walk.actions.tolist() == alone.actions.tolist() and walk.total == alone.total
            assert np.array_equal(walk.observations, alone.observations)
            assert np.array_equal(walk.states, alone.states)
            assert (walk.terminated, walk.truncated) == (alone.terminated, alone.truncated)
        for maze in (load_maze("sheet38"), load_maze("spiral")):
            ours, theirs = (evaluate(e, path_follower(), 8, 0) for e in (env, one))
            for name in ("returns", "lengths", "successes"):
                assert np.array_equal(getattr(ours, name), getattr(theirs, name))
            env.reset(options={"maze": maze}), one.reset(options={"maze": maze})
        walk = rollout(env, RandomAgent(np.random.default_rng(0)), seed=5, max_steps=4)[1]
        assert len(walk.actions) == 4 and len(walk.observations) == 5


def test_success_is_the_goal_and_not_the_trap():
    for mode in MODES:
        env = MazeVectorEnv(["XS.G\n", "GS.X\n"], 2, autoreset_mode=mode, time_limit=2)

        class Right:
            def initial_state(self, batch_size=None):
                return None

            def act(self, observation, state):
                return np.ones(len(observation), dtype=np.int64), None

        assert evaluate(env, Right(), 4, 0).successes.tolist() == [True, False] * 2


@pytest.mark.parametrize("name", [GRID, FRESH, "mazegrad/CliffWalk-v0"])
def test_action_masks_are_those_of_single_environments(name):
    env, ones = gymnasium.make_vec(name, num_envs=3).unwrapped, [gymnasium.make(name).unwrapped for _ in range(3)]
    env.reset(seed=0), [one.reset(seed=lane) for lane, one in enumerate(ones)]
    for actions in np.random.default_rng(0).integers(0, 4, (30, 3)):
        env.step(actions), [one.step(int(action)) for one, action in zip(ones, actions, strict=True)]
        same(env.action_masks(), np.array([one.action_masks() for one in ones]))
        assert env.at_goal.tolist() == [one.at_goal for one in ones]


def test_values_are_bit_for_bit_too():
    for name, keywords in ((FRESH, {"size": (2, 3)}), (FRESH, {"level_seeds": range(4), "size": (3, 3)}), (GRID, {})):
        keywords = {"info": ("optimal_action", "value"), "slip": 0.2, "time_limit": 15, **keywords}
        ours = gymnasium.make_vec(name, num_envs=3, **keywords)
        walk_alike(ours, singles(name, 3, AutoresetMode.NEXT_STEP, **keywords), 60)


def test_video_of_lanes(tmp_path):
    pytest.importorskip("moviepy")
    env = gymnasium.make_vec(GRID, num_envs=4, render_mode="rgb_array", time_limit=5)
    env = gymnasium.wrappers.vector.RecordVideo(
        env, str(tmp_path / "videos"), episode_trigger=lambda episode: episode == 0
    )
    env.reset(seed=0)
    for _ in range(12):
        env.step(env.action_space.sample())
    env.close()
    assert list((tmp_path / "videos").glob("*.mp4"))


def test_the_single_environment_is_made_as_before():
    assert isinstance(gymnasium.make(GRID).unwrapped, MazeEnv)
    env = gymnasium.make_vec(GRID, num_envs=2)
    assert env.unwrapped.spec.id == GRID and repr(env) == "MazeVectorEnv(mazegrad/GridWorld-v0, num_envs=2)"
    env.close(terminate=True), env.close()  # as Gymnasium's own takes it
