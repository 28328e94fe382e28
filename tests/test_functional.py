"""One physics: lane i of the functional engine is lane i of `MazeVectorEnv`, bit for bit, in every library.

MAZEGRAD_STEPS=10000000 makes as many steps over all ids, observations, slips and modes in each library, by hand;
without it each id is walked with a few of the others.
"""

import contextlib
import functools
import importlib
import itertools
import os
import pickle
import subprocess
import sys
import warnings

import gymnasium
import numpy as np
import pytest

from mazegrad.envs import ENGINES, OBSERVATIONS, MapWarning, MazeVectorEnv, functional, generate_batch
from mazegrad.envs.functional import words
from mazegrad.envs.functional.stepping import as_words, like
from mazegrad.envs.maps import randomness

from contract_child import IDS
from test_vector import EVERYTHING, MODES

STEPS = int(os.environ.get("MAZEGRAD_STEPS", "0"))
LANES = 64 if STEPS else 5
SLIPS = (None, 0.3)
PURE = [name for name, kind in ENGINES.items() if kind.make is None]
# library -> its module
MODULES = {"numpy": "numpy", "strict": "array_api_strict", "jax": "jax", "jax64": "jax", "torch": "torch"}
SMALL = {"mazegrad/Maze-v0": {"size": (3, 3), "level_seeds": range(4)}, "mazegrad/TMaze-v0": {"corridor": 3}}
EVERY_COMBINATION = list(itertools.product(OBSERVATIONS, SLIPS, MODES))


@contextlib.contextmanager
def using(name):
    """Yield the functions of a library and what compiles a function; skip where it is missing."""
    module = pytest.importorskip(MODULES[name])
    if name == "torch":
        pytest.importorskip("array_api_compat")
    if name == "strict":
        flags = {"boolean_indexing": False, "data_dependent_shapes": False, "lazy": False}
        module.set_array_api_strict_flags(
            **{k: v for k, v in flags.items() if k in module.get_array_api_strict_flags()}
        )
        yield module, lambda function: function
    elif name.startswith("jax"):
        before = module.config.jax_enable_x64
        module.config.update("jax_enable_x64", name == "jax64")
        try:
            yield "jax", module.jit
        finally:
            module.config.update("jax_enable_x64", before)
    else:
        yield name, lambda function: function


@pytest.fixture(params=MODULES)
def library(request):
    with using(request.param) as (xp, compiled):
        yield request.param, xp, compiled


def as_numpy(seen):
    if isinstance(seen, dict):
        return {name: as_numpy(part) for name, part in seen.items()}
    return np.asarray(seen)


def assert_same(ours, theirs, where, lanes=slice(None)):
    """Assert that values are equal bit for bit, in the precision that ours have."""
    if isinstance(theirs, dict):
        assert theirs.keys() <= ours.keys(), where
        for name, part in theirs.items():
            assert_same(ours[name], part, (where, name), lanes)
        return
    ours, theirs = as_numpy(ours)[lanes], np.asarray(theirs)[lanes]
    assert ours.dtype.kind == theirs.dtype.kind and ours.shape == theirs.shape, where
    assert ours.tobytes() == theirs.astype(ours.dtype).tobytes(), (where, ours, theirs)


def walk(library, name, steps, lanes=None, seed=11, actions=None, states=None, **keywords):
    """Walk both with the same actions and compare all that they return; return the number of episodes that ended."""
    which, xp, compiled = library
    lanes = lanes or LANES
    env = gymnasium.make_vec(name, num_envs=lanes, **keywords)
    assert isinstance(env, MazeVectorEnv)
    if isinstance(keywords.get("maze"), list):
        keywords = {**keywords, "num_envs": lanes}
    tables = functional.tables(name, xp=xp, states=states, **keywords)
    step, restart = compiled(functional.step), compiled(functional.restart)
    mode, names = env.autoreset_mode.value, keywords.get("info", ())
    seen, told = env.reset(seed=seed)
    ours, state = functional.reset(tables, functional.keys(tables, seed, lanes))
    assert_same(ours, seen, (which, "reset"))
    assert_same(functional.info(tables, state), {key: told[key] for key in names}, (which, "reset"))
    rng, ends = np.random.default_rng(3), 0
    for time in range(steps):
        where = which, name, keywords, time
        taken = rng.integers(0, env.single_action_space.n, lanes)
        seen, reward, terminated, truncated, told = env.step(taken)
        ours, state, *others, info = step(tables, state, like(tables, taken))
        assert_same(ours, seen, where)
        for our, their in zip(others, (reward, terminated, truncated), strict=True):
            assert_same(our, their, where)
        assert_same(info, {key: told[key] for key in names}, where)
        over = terminated | truncated
        ends += int(over.sum())
        if mode == "SameStep" and over.any():
            for lane in np.flatnonzero(over).tolist():
                last = told["final_obs"][lane]
                final = info["final_observation"]
                if isinstance(last, dict):
                    assert all((as_numpy(final[key])[lane] == part).all() for key, part in last.items()), where
                else:
                    assert (as_numpy(final)[lane] == last).all(), where
            assert_same(info["final_info"], {key: told["final_info"][key] for key in names}, where, over)
        if mode == "Disabled" and over.any():
            seen, told = env.reset(options={"reset_mask": over.copy()})
            ours, state = restart(tables, state, like(tables, over))
            assert_same(ours, seen, where)
    return ends


@pytest.mark.slow
@pytest.mark.parametrize("name", IDS)
def test_lanes_are_those_of_the_vector_environment(library, name):
    number = IDS.index(name)
    if STEPS:
        some, each = EVERY_COMBINATION, STEPS // (len(IDS) * len(EVERY_COMBINATION) * LANES) + 1
        each = each // 100 + 1 if library[0] == "strict" else each
    else:
        every = 5 if library[0] == "numpy" else 20
        some, each = EVERY_COMBINATION[number % every :: every], 40
    for observation, slip, mode in some:
        keywords = {**SMALL.get(name, {}), "observation": observation, "slip": slip, "autoreset_mode": mode}
        if observation == "pixels":
            keywords["tile"] = 2
        info = ("action_mask", "distance", "state", "value", "optimal_action", "success", "level")
        ends = walk(library, name, each, time_limit=13, info=info, **keywords)
        assert ends >= LANES * (each // 14) * 0.9


GRID, FRESH = "mazegrad/GridWorld-v0", "mazegrad/Maze-v0"
KINDS = {
    "every tile, several starts": (GRID, {"maze": EVERYTHING, "time_limit": 40}),
    "every tile, seen in views": (GRID, {"maze": EVERYTHING, "observation": "view", "slip": 0.2}),
    "some starts more often": (GRID, {"maze": "S.S\n...\nG.S\n", "observation": "position"}),
    "a king's moves, noise to all sides": ("mazegrad/FourRooms-v0", {"actions": "king", "noise": {"other": 1 / 3}}),
    "turns": (GRID, {"actions": "turns", "observation": "view", "slip": 0.1}),
    "wind that varies": ("mazegrad/WindyGrid-v0", {"actions": "stay"}),
    "many rewards": (GRID, {"shaping": "distance", "maze": EVERYTHING}),
    "rewards of a map's own": (GRID, {"maze": "reward: $ 10 goal, m -2, x -100 trap\nSmm$\n.x..\n"}),
    "several observations": (GRID, {"observation": ("dots", "position", "map")}),
    "goals": (GRID, {"observation": ("dots", "goal"), "random_goals": True, "time_limit": 9}),
    "for nets": (GRID, {"observation": "net"}),
    "planes": (GRID, {"observation": "view", "encoding": "planes"}),
    "thin walls": (FRESH, {"size": (4, 4), "walls": "thin", "level_seeds": range(5), "slip": 0.1}),
    "levels": (FRESH, {"size": (2, 2), "level_seeds": range(50), "time_limit": 11, "info": ("level",)}),
    "levels for several episodes": (FRESH, {"size": (2, 2), "level_seeds": range(9), "episodes_per_level": 3}),
    "pinned levels": (FRESH, {"size": (2, 3), "level_seeds": range(3), "pinned": True, "observation": "map"}),
    "levels whose limits differ": ("mazegrad/Maze-v0", {"size": (5, 5), "generator": "caves", "level_seeds": range(9)}),
    "a maze for each lane": (GRID, {"maze": ["S.G\n", "S..G\n", "S~G\n", "S.G\n", "SG\n"]}),
    "a T-maze": ("mazegrad/TMaze-v0", {"corridor": 2, "max_episode_steps": 8}),
    "new mazes": (FRESH, {"size": (2, 3), "slip": 0.2, "info": ("success", "action_mask")}),
    "new mazes, all that is seen": (
        FRESH,
        {"size": (3, 2), "observation": ("dots", "index", "position", "map", "view"), "time_limit": 13},
    ),
    "new mazes and what is best there": (
        FRESH,
        {
            "size": (2, 3),
            "slip": 0.1,
            "observation": ("state", "dots"),
            "info": ("distance", "value", "optimal_actions", "optimal_action", "state", "success"),
        },
    ),
    "new mazes for several episodes": (FRESH, {"size": (2, 2), "episodes_per_level": 3, "observation": "map"}),
    "new mazes, goals as floats": (FRESH, {"size": (2, 2), "observation": ("dots", "goal"), "encoding": "float"}),
    "new mazes as planes": (FRESH, {"size": (2, 2), "observation": "view", "encoding": "planes", "view_size": 5}),
    "new mazes as rows of planes": (FRESH, {"size": (2, 2), "observation": "map", "encoding": "float"}),
    "new mazes of the host": (
        FRESH,
        {"size": (2, 3), "generator": "wilson", "braid": 0.5, "max_episode_steps": 20, "rewards": {"step": -0.1}},
    ),
    "new caves": (FRESH, {"size": (4, 4), "generator": "caves", "observation": "index", "encoding": "float"}),
    "new paths": (FRESH, {"size": (3, 3), "generator": "path", "observation": "map", "encoding": "planes_last"}),
    "dots that are seen wrongly": ("mazegrad/FourRooms-v0", {"dots_error": 0.2, "slip": 0.1, "time_limit": 9}),
    "no limit, wrong dots": (GRID, {"maze": "S.G\n", "time_limit": None, "dots_error": 0.5, "encoding": "float"}),
    "wrong dots beside others": (
        FRESH,
        {
            "size": (2, 2),
            "level_seeds": range(9),
            "observation": ("dots", "position"),
            "dots_error": 0.3,
            "time_limit": 7,
        },
    ),
    "a king's wrong dots": (GRID, {"observation": ("dots", "goal"), "actions": "king", "dots_error": 0.1}),
    "wrong dots in fresh mazes": (FRESH, {"size": (2, 3), "dots_error": 0.2, "time_limit": 11}),
    "no limit": (GRID, {"maze": "S.G\n", "time_limit": None, "rewards": {"step": -1}}),
}


@pytest.mark.parametrize("kind", KINDS)
def test_everything_that_an_environment_has(library, kind):
    name, keywords = KINDS[kind]
    for mode in MODES if library[0] == "numpy" else MODES[len(kind) % 3 :][:1]:
        walk(library, name, 60, lanes=5, autoreset_mode=mode, **keywords)


def test_the_hash_is_the_librarys(library):
    _, xp, _ = library
    tables = functional.tables("mazegrad/FourRooms-v0", xp=xp)
    numbers = np.random.default_rng(0).integers(0, 2**64, 10_000, dtype=np.uint64)
    numbers[:6] = 0, 1, 2**64 - 1, 2**32, 2**32 - 1, 2**63
    pair = tuple(as_words(tables, numbers)[:, half] for half in range(2))

    def whole(pair):
        high, low = (np.asarray(half).view(np.uint32).astype(np.uint64) for half in pair)
        return high << np.uint64(32) | low

    assert (whole(words.mix(pair)) == randomness.mix(numbers.copy())).all()
    for counter in (0, 1, 2, 1000):
        assert (whole(words.bits(pair, counter)) == randomness.bits(numbers, counter)).all()
    for n in (1, 2, 7, 65_537, 2**31 - 1):
        chosen = np.asarray(words.choice(pair, n)).astype(np.uint64)
        assert (chosen == (numbers >> np.uint64(32)) * np.uint64(n) >> np.uint64(32)).all()
    for probability in (0.0, 2.0**-53, 1 / 3, 0.5, 1 - 2.0**-53, 1.0):
        limit = int(randomness.below(probability))
        ours = words.below(pair, (limit >> 26, limit & (2**26 - 1)))
        assert (np.asarray(ours) == (numbers >> np.uint64(11) < np.uint64(limit))).all()


@pytest.mark.parametrize("mode", MODES, ids=lambda mode: mode.value)
def test_an_action_that_is_not_one_lets_the_agent_stay(library, mode):
    _, xp, compiled = library
    keywords = {"maze": "S.G\n", "slip": 0.9, "rewards": {"step": -1}, "time_limit": 3, "autoreset_mode": mode}
    tables = functional.tables(GRID, xp=xp, observation="position", **keywords)
    step = compiled(functional.step)
    numbers = np.array([4, -1, 7, 2**31 - 1, -(2**31), 0, 8, 1000])
    _, state = functional.reset(tables, functional.keys(tables, 0, len(numbers)))
    for time in range(3):
        seen, state, reward, terminated, truncated, _ = step(tables, state, like(tables, numbers))
        stays = numbers != 0
        assert not as_numpy(seen)[stays].any() and not as_numpy(reward)[stays].any()
        assert not as_numpy(terminated)[stays].any()
        assert (as_numpy(truncated)[stays] == (time == 2)).all()  # time goes on


def test_so_it_does_in_new_mazes(library):
    _, xp, compiled = library
    tables = functional.tables(FRESH, xp=xp, size=(2, 2), slip=0.5, time_limit=3, observation="position")
    step = compiled(functional.step)
    begin, state = functional.reset(tables, functional.keys(tables, 0, 4))
    for _ in range(3):
        seen, state, reward, terminated, truncated, _ = step(
            tables, state, like(tables, np.array([4, -1, 7, -(2**31)]))
        )
        assert (
            (as_numpy(seen) == as_numpy(begin)).all() and not as_numpy(reward).any() and not as_numpy(terminated).any()
        )
    assert as_numpy(truncated).all()


@pytest.mark.parametrize("inside", ["called", "compiled"])
def test_what_is_not_an_action_is_refused(library, inside):
    _, xp, compiled = library
    tables = functional.tables("mazegrad/FourRooms-v0", xp=xp)
    _, state = functional.reset(tables, functional.keys(tables, 0, 3))
    step = compiled(functional.step) if inside == "compiled" else functional.step  # it is refused when it is traced
    with pytest.raises(TypeError, match="actions are integers"):
        step(tables, state, like(tables, np.array([0.0, np.nan, 1.0])))
    for shape in ((2,), (1,), (3, 1), ()):
        with pytest.raises(ValueError, match=r"shape \(3,\)"):
            step(tables, state, like(tables, np.zeros(shape, dtype=int)))
    with pytest.raises(ValueError, match=r"shape \(lanes, 2\)"):
        functional.reset(tables, like(tables, np.array([0, 1])))
    with pytest.raises(TypeError, match="keys are integers"):
        functional.reset(tables, like(tables, np.full((3, 2), np.nan)))
    with pytest.raises(TypeError, match="a mask is of bools"):
        functional.restart(tables, state, like(tables, np.ones(3, dtype=np.int32)))
    with pytest.raises(ValueError, match=r"a mask has shape \(3,\)"):
        functional.restart(tables, state, like(tables, np.ones(1, dtype=np.bool_)))


@pytest.mark.parametrize(
    ("name", "keywords", "words_of_it"),
    [
        (GRID, {"lateness": 0.9}, "does not have lateness=; leave it out, or use engine='numpy'"),
        (GRID, {"after": {5: "spiral"}}, "does not have after=; leave it out, or use engine='numpy'"),
        (FRESH, {"info": "level"}, "no info 'level' of a new maze.*level_seeds"),
        (FRESH, {"observation": "pixels"}, "does not show 'pixels' of a new maze.*level_seeds"),
        (FRESH, {"shaping": "distance"}, "level_seeds"),
        (FRESH, {"walls": "thin"}, "level_seeds"),
        (FRESH, {"actions": "king"}, "level_seeds"),
        (FRESH, {"level_seeds": range(3000), "size": (20, 20), "observation": "map"}, "GiB"),
        ("mazegrad/Tabular-v0", {}, "another environment"),
        (GRID, {"xp": "dask"}, "unknown library 'dask'; known: numpy, jax, torch, or a module"),
        (GRID, {"xp": "jaxx"}, "unknown library 'jaxx'; did you mean 'jax'"),
    ],
)
def test_what_it_does_not_have_is_said(name, keywords, words_of_it):
    with pytest.raises(ValueError, match=words_of_it):
        functional.tables(name, **keywords)


def test_a_map_that_can_hardly_be_meant_gives_one_warning():
    for name, keywords in (("S.#G\n", {}), (["S.G\n", "S#G\n"], {}), (GRID, {"maze": "S.#G\n"})):
        with pytest.warns(MapWarning, match="this map has") as warned:
            functional.tables(name, **keywords)
        assert len(warned) == 1
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            functional.tables(name, map_warnings=False, **keywords)


def test_without_an_engine_there_are_spaces_and_a_plan():
    env = gymnasium.make_vec("mazegrad/FourRooms-v0", num_envs=3, engine=None)
    assert env.observation_space.shape == (3, 4) and len(env.unwrapped.plan.mazes) == 1
    with pytest.raises(AttributeError, match="engine=None: nobody moves its lanes"):
        env.reset(seed=0)


@pytest.mark.parametrize("mode", MODES, ids=lambda mode: mode.value)
def test_torch_compiles_a_step_into_one_graph(mode):
    with using("torch"):
        import torch

        tables = functional.tables(GRID, xp="torch", maze=EVERYTHING, slip=0.3, time_limit=9, autoreset_mode=mode.value)
        compiled = torch.compile(functional.step, backend="aot_eager", fullgraph=True)
        _, state = functional.reset(tables, functional.keys(tables, 0, 8))
        other = state
        for row in np.random.default_rng(0).integers(0, 4, (30, 8)):
            actions = like(tables, row)
            seen, state, *rest = functional.step(tables, state, actions)
            same, other, *others = compiled(tables, other, actions)
            assert (same == seen).all() and (other.at == state.at).all()
            assert all((one == another).all() for one, another in zip(others[:3], rest[:3], strict=True))


@pytest.mark.parametrize(("name", "extra"), [("jax", "jax"), ("torch", "torch")])
def test_a_missing_library_is_one_error_that_names_the_extra(name, extra, monkeypatch):
    real = importlib.import_module

    def without(module, *rest):
        if module.split(".")[0] in ("jax", "array_api_compat"):
            raise ImportError(f"No module named {module!r}", name=module)
        return real(module, *rest)

    monkeypatch.setattr(importlib, "import_module", without)
    with pytest.raises(ImportError, match=rf'pip install "mazegrad\[{extra}\]"'):
        functional.tables("four_rooms", xp=name)


MADE = {
    "T": ("mazegrad/TMaze-v0", {"corridor": 2, "time_limit": 6, "info": ("state", "value")}),
    "new mazes": (FRESH, {"size": (2, 2), "time_limit": 12, "info": ("success",)}),
}


@pytest.mark.parametrize("engine", PURE)
@pytest.mark.parametrize("mode", MODES, ids=lambda mode: mode.value)
@pytest.mark.parametrize("of", MADE)
def test_the_vector_environment_of_a_library(engine, mode, of):
    with using(engine):
        name, keywords = MADE[of]
        names = keywords["info"]
        keywords = {"slip": 0.2, "autoreset_mode": mode, "num_envs": 5, **keywords}
        theirs = gymnasium.make_vec(name, **keywords)
        ours = gymnasium.make_vec(name, engine=engine, **keywords)
        assert ours.observation_space == theirs.observation_space and ours.action_space == theirs.action_space
        assert ours.metadata["autoreset_mode"] is mode
        rng = np.random.default_rng(0)
        seeds = [{"seed": 3}, {}, {"seed": [1, None, 5, None, 7]}, {"seed": np.arange(5)}]
        for seed in seeds:
            seen, told = theirs.reset(**seed)
            mine, info = ours.reset(**seed)
            assert_same(mine, seen, seed)
            assert_same(info, told, seed)
            for time in range(30):
                actions = rng.integers(0, 4, 5)
                expected = theirs.step(actions)
                *mine, info = ours.step(actions)
                assert all(type(part) is type(mine[0]) for part in mine) and not isinstance(mine[0], np.ndarray)
                for one, other in zip(mine, expected[:4], strict=True):
                    assert_same(one, other, (seed, time))
                assert_same(info, {key: expected[4][key] for name in names for key in (name, f"_{name}")}, time)
                over = expected[2] | expected[3]
                if mode.value == "SameStep":
                    assert_same(info["_final_obs"], over, time)
                    for lane in np.flatnonzero(over).tolist():
                        assert (as_numpy(info["final_obs"])[lane] == expected[4]["final_obs"][lane]).all()
                if mode.value == "Disabled" and over.any():
                    with pytest.raises(gymnasium.error.ResetNeeded):
                        ours.step(actions)
                    both = [env.reset(options={"reset_mask": over.copy()}) for env in (ours, theirs)]
                    assert_same(both[0][0], both[1][0], time)


@pytest.mark.parametrize("engine", PURE)
@pytest.mark.parametrize("name", ["mazegrad/FourRooms-v0", FRESH])
def test_a_state_can_be_kept_and_set_again(engine, name):
    with using(engine):
        env = gymnasium.make_vec(name, num_envs=3, engine=engine, slip=0.3)
        env.reset(seed=0)
        rows = np.random.default_rng(0).integers(0, 4, (20, 3))
        kept = env.state
        first = [as_numpy(env.step(row)[0]) for row in rows]
        with pytest.raises(ValueError, match="not 4"):
            env.step(np.array([0, 4, 1]))
        for _ in range(2):
            env.state = kept
            assert all((as_numpy(env.step(row)[0]) == seen).all() for row, seen in zip(rows, first, strict=True))


@pytest.mark.parametrize("engine", PURE)
def test_the_vector_environment_checks_at_the_door(engine):
    with using(engine):
        env = gymnasium.make_vec("mazegrad/FourRooms-v0", num_envs=3, engine=engine)
        with pytest.raises(gymnasium.error.ResetNeeded):
            env.step(np.array([0, 1, 2]))
        env.reset(seed=0)
        before = as_numpy(env.state.at).copy()
        for wrong, error in (
            ([0, 4, 1], "not 4"), ([-1, 0, 0], "not -1"), ([0, 1], r"shape \(3,\)"), ([[0, 1, 2]], r"shape \(3,\)"),
        ):  # fmt: skip
            with pytest.raises(ValueError, match=error):
                env.step(np.array(wrong))
        with pytest.raises(TypeError, match="integers"):
            env.step(np.array([0.0, np.nan, 1.0]))
        assert (as_numpy(env.state.at) == before).all()
        with pytest.raises(ValueError, match="unknown option 'maze'"):
            env.reset(options={"maze": "spiral"})
        with pytest.raises(ValueError, match="one for each of the 3 lanes"):
            env.reset(seed=[1, 2])
        unchecked = gymnasium.make_vec("mazegrad/FourRooms-v0", num_envs=2, engine=engine, check_actions=False)
        unchecked.reset(seed=0)
        unchecked.step(np.array([9, -3]))
        with pytest.raises(ValueError, match="renders nothing"):
            gymnasium.make_vec("mazegrad/FourRooms-v0", num_envs=2, engine=engine, render_mode="rgb_array")
        with pytest.raises(ValueError, match="make_vec"):
            MazeVectorEnv("four_rooms", 2, engine=engine)


@pytest.mark.parametrize("size", [(5, 5), (1, 4), (3, 1), (2, 7)], ids=str)
def test_mazes_made_on_the_device_are_the_generators(library, size):
    _, xp, compiled = library
    tables = functional.tables("mazegrad/FourRooms-v0", xp=xp)
    made = compiled(lambda keys: functional.backtracker(*size, keys))(functional.keys(tables, 7, 40))
    keys = np.asarray(randomness.key_from_seed(np.arange(7, 47, dtype=np.uint64)))
    assert_same(made, generate_batch("backtracker", *size, keys), size)


@pytest.mark.slow
@pytest.mark.parametrize("observation", ["dots", "index", "position", "view", "map", "goal"])
def test_new_mazes_are_those_of_the_vector_environment(library, observation):
    every = list(itertools.product((None, 0.3), MODES, ("backtracker", "prim")))
    some = every if STEPS or library[0] == "numpy" else every[len(observation) % 5 :: 5]
    for slip, mode, generator in some:
        keywords = {"observation": observation, "slip": slip, "autoreset_mode": mode, "generator": generator}
        each = STEPS // (6 * len(every) * LANES) + 1 if STEPS else 60
        each = each // 100 + 1 if STEPS and library[0] == "strict" else each
        info = ("action_mask", "success")
        assert walk(library, FRESH, each, size=(3, 3), time_limit=13, info=info, **keywords) >= LANES * (each // 14)


def test_states_and_tables_are_pytrees(tmp_path):
    with using("jax") as (xp, _):
        import jax

        tables = functional.tables("mazegrad/IceLake-v0", xp=xp, info=("success",))
        _, state = functional.reset(tables, functional.keys(tables, 1, 6))
        actions = like(tables, np.array([0, 1, 2, 3, 0, 1]))
        expected = functional.step(tables, state, actions)
        halves = jax.tree.map(lambda array: array.reshape(2, 3, *array.shape[1:]), (state, actions))
        mapped = jax.vmap(functional.step, (None, 0, 0))(tables, *halves)
        np.savez(tmp_path / "saved.npz", *jax.tree.leaves((tables, state)))
        with np.load(tmp_path / "saved.npz") as saved:
            leaves = [jax.numpy.asarray(saved[name]) for name in saved]
        loaded = jax.tree.unflatten(jax.tree.structure((tables, state)), leaves)
        again = jax.jit(functional.step)(*loaded, actions)
        donated = jax.jit(functional.step, donate_argnums=1)(tables, state, actions)
        for one, two, three, four in zip(*map(jax.tree.leaves, (expected, mapped, again, donated)), strict=True):
            assert (one == two.reshape(one.shape)).all() and (one == three).all() and (one == four).all()
        assert state.at.is_deleted()


@pytest.mark.parametrize("name", ["mazegrad/FourRooms-v0", FRESH])
def test_a_step_on_the_device_moves_nothing_to_it_or_from_it(name):
    with using("jax"):
        import jax

        env = gymnasium.make_vec(name, num_envs=4, engine="jax", slip=0.1, check_actions=False)
        env.reset(seed=0)
        actions = jax.numpy.zeros(4, dtype=int)
        env.step(actions)  # compiles
        with jax.transfer_guard("disallow"):
            seen = env.step(actions)[0]
        assert isinstance(seen, jax.Array)


def test_a_module_is_a_library_too():
    with using("jax"):
        import jax

        for module in (jax, jax.numpy):
            assert isinstance(functional.tables("S.G\n", xp=module).words, jax.Array)
    assert isinstance(functional.tables("S.G\n", xp=np).words, np.ndarray)
    with using("torch"):
        import torch

        assert isinstance(functional.tables("S.G\n", xp=torch).words, torch.Tensor)


def test_no_library_is_imported_before_it_is_asked_for():
    program = "import sys, gymnasium, mazegrad, mazegrad.envs.functional, mazegrad.agents.functional\n"
    program += "gymnasium.make_vec('mazegrad/Maze-v0', num_envs=2)\n"
    program += "assert not {'jax', 'torch', 'array_api_compat'} & {*sys.modules}"
    subprocess.run([sys.executable, "-c", program], check=True)


def test_new_mazes_inside_jit_vmap_and_pickle():
    with using("jax") as (xp, compiled):
        tables = functional.tables(FRESH, xp=xp, size=(2, 2), time_limit=9)
        keys = functional.keys(tables, 3, 8)

        @compiled
        def walked(tables, keys, actions):
            _, state = functional.reset(tables, keys)
            return functional.rollout(tables, actions, state, len(actions), keep="episodes")[0].returns

        actions = like(tables, np.random.default_rng(0).integers(0, 4, (100, 8)))
        alone = walked(tables, keys, actions)
        assert alone.any()
        import jax

        pairs = keys.reshape(2, 4, 2), actions.reshape(100, 2, 4).swapaxes(0, 1)
        mapped = jax.vmap(walked, (None, 0, 0))(tables, *pairs)
        assert (mapped.ravel() == alone).all()
        again = pickle.loads(pickle.dumps(tables))
        assert jax.tree.structure(again) == jax.tree.structure(tables)
        assert (walked(again, keys, actions) == alone).all() and walked._cache_size() == 1


def test_a_set_of_levels_can_be_exchanged_without_compiling_again():
    with using("jax") as (xp, compiled):
        step = compiled(functools.partial(functional.step))  # with a cache of its own
        for first in (0, 50, 100):
            tables = functional.tables(FRESH, xp=xp, size=(4, 4), level_seeds=range(first, first + 50))
            _, state = functional.reset(tables, functional.keys(tables, 0, 8))
            step(tables, state, state.at * 0)
        assert step._cache_size() == 1
