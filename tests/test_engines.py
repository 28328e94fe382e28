"""One contract for all engines: what one does, the slow and obvious one does too, whatever it is asked to do."""

import copy
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mazegrad.envs import ENGINES, OBSERVATIONS, Engine, Maze, MazeVectorEnv, load_maze
from mazegrad.envs.engines.engine import Setup
from mazegrad.envs.engines.fresh import FreshMazes
from mazegrad.envs.engines.stacked import StackedTables
from mazegrad.envs.engines.tables import Rows
from mazegrad.envs.maps.levels import generated, t_maze_levels
from mazegrad.envs.maps.randomness import Streams, key_from_seed
from mazegrad.envs.observations import margin_of

from random_worlds import random_actions, random_maze
from slow_engine import DictEngine

EVERYTHING = Maze.from_text("S.~~.{.>.\n.##.#A##.\n.a..*.<.G\n^#1##.##v\nS.}.X.1.*\n")
LEVELS = {
    "fresh": generated("backtracker", (2, 3)),
    "fresh, braided": generated("wilson", (3, 3), braid=0.5),
    "pinned": generated("prim", (2, 2), level_seeds=range(100), pinned=True),
    "a set": generated("prim", (2, 2), level_seeds=range(5)),
    "T": t_maze_levels(2),
}
MAZES = {"one": [load_maze("four_rooms")], "everything": [EVERYTHING], "ice": [load_maze("ice_lake")]}
MAZES |= {
    "king": [EVERYTHING.with_settings({"actions": "king_stay", "noise": "other 1/3; ~ left_of 0.1, right_of 0.4"})],
    "turns": [EVERYTHING.with_settings({"actions": "turns", "facing": "left", "noise": "left_of 0.2, stay 0.1"})],
    "leaps": [EVERYTHING.with_settings({"actions": "a 0 2, b 1 -1, c -2 0", "wind": "left 0 1 2 0 1 varies"})],
}
LANES = 5
IN_PLACE = [name for name, kind in ENGINES.items() if kind.make is not None]  # test_functional.py has the others


def engines(setup, mazes, levels, engine="numpy"):
    """Return an engine of `ENGINES`, and the slow one."""
    first = setup.dressed(mazes or [levels.make(levels.draw(0))])
    sight = setup.declared(first, levels)
    fast = ENGINES[engine].make(setup, sight, LANES, first, levels)
    return fast, DictEngine(setup, sight, LANES, first, levels)


def where(engine, lanes):
    """Return where lanes are, by their mazes and not by the numbers of these."""
    return [(engine.scene.maze(number), *place) for number, *place in engine.places(lanes).rows()]


def same(fast, slow, lanes):
    assert where(fast, lanes) == where(slow, lanes)
    ours, theirs = fast.observe(lanes), slow.observe(lanes)
    assert ours.dtype == theirs.dtype and ours.tobytes() == theirs.tobytes()
    assert fast.observe().tobytes() == slow.observe().tobytes()
    ours[...] = 1  # fresh: this changes nothing inside


def moved(engine, actions, random):
    """Return the rewards and ends of a move."""
    rewards, ends = np.full(LANES, engine.usual_reward), np.zeros(LANES, dtype=bool)
    special = engine.move(actions, random)
    if special is not None:
        rewards[special], ends[special] = engine.outcome(special)
    return rewards.tolist(), ends.tolist()


def live_alike(fast, slow, levels, rng, steps=120):
    """Do the same random things with both, and compare all that can be asked."""
    every = np.arange(LANES)
    key = np.asarray(key_from_seed(every.astype(np.uint64)))
    episode = np.zeros(LANES, dtype=np.int64)
    for engine in (fast, slow):
        engine.draw(every, Streams(key, episode))
        engine.start(every, Streams(key, episode), at_once=True)
    same(fast, slow, every)
    given = np.zeros(LANES, dtype=bool)
    for _ in range(steps):
        lanes = np.flatnonzero(rng.random(LANES) < 0.3)
        what = rng.integers(8)
        at_once = bool(rng.integers(2))
        if what < 2 and len(lanes):
            episode[lanes] += 1
            drawn = lanes[~given[lanes]]
            for engine in (fast, slow):
                engine.draw(drawn, Streams(key[drawn], episode[drawn]))
                engine.start(lanes, Streams(key[lanes], episode[lanes]), at_once=at_once)
        elif what == 2 and len(lanes):
            places = slow.places(np.flatnonzero(slow.places().maze == slow.places().maze[lanes[0]])[:1])
            slow.copy(lanes[:1], lanes[:1])
            for engine in (fast, slow):
                engine.put(lanes[:1], places._replace(maze=engine.places(lanes[:1]).maze))
            at_once = True
        elif what == 3:
            source = rng.integers(0, LANES, len(lanes))
            source[np.isin(source, lanes)] = lanes[0] if len(lanes) else 0
            for engine in (fast, slow):
                engine.copy(source, lanes)
            key[lanes], episode[lanes], given[lanes] = key[source], episode[source], given[source]
            at_once = True
        else:
            at_once = True
        if not at_once or what > 3:
            actions = rng.integers(0, len(fast.scene.moves), LANES)
            random = rng.integers(0, 2**53, LANES).astype(np.uint64)
            assert moved(fast, actions, random if fast.slips else None) == moved(slow, actions, random)
        same(fast, slow, every[rng.random(LANES) < 0.5])
    numbers = np.unique(fast.places().maze)
    world = fast.worlds(numbers)
    assert [*world.mazes] == [fast.scene.maze(number) for number in numbers.tolist()]


@pytest.mark.parametrize("slip", [None, 0.4])
@pytest.mark.parametrize("observation", OBSERVATIONS)
@pytest.mark.parametrize("name", [*LEVELS, *MAZES])
@pytest.mark.parametrize("engine", IN_PLACE)
def test_engines_are_the_slow_one(engine, name, observation, slip):
    setup = Setup(observation, None, 5, {"step": -0.5} if slip else {}, slip)
    fast, slow = engines(setup, MAZES.get(name), LEVELS.get(name), engine)
    if engine == "numpy":
        assert isinstance(fast, FreshMazes if name in ("fresh", "fresh, braided") else StackedTables)
    steps = 15 if observation == "pixels" else 120
    live_alike(fast, slow, LEVELS.get(name), np.random.default_rng(0), steps)


def test_all_are_engines():
    methods = [name for name in vars(Engine) if not name.startswith("_")]
    for engine in (StackedTables, FreshMazes, DictEngine):
        assert all(callable(getattr(engine, name)) for name in methods)


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda engine: pickle.loads(pickle.dumps(engine))])
@pytest.mark.parametrize("name", ["fresh", "everything", "T"])
@pytest.mark.parametrize("engine", IN_PLACE)
def test_copies_are_engines_of_their_own(engine, name, copied):
    fast, slow = engines(Setup("dots", None, 5, {}, 0.2), MAZES.get(name), LEVELS.get(name), engine)
    rng = np.random.default_rng(1)
    live_alike(fast, slow, LEVELS.get(name), rng, 20)
    other, before = copied(fast), where(fast, np.arange(LANES))
    live_alike(other, slow, LEVELS.get(name), rng)
    assert where(fast, np.arange(LANES)) == before


@given(st.integers(0, 2**32))
@settings(max_examples=60, deadline=None)
def test_mazes_come_and_go(seed):
    """The store of stacked tables grows and is reused: mazes of any size are entered, again and again."""
    rng = np.random.default_rng(seed)
    actions = random_actions(rng)
    mazes = [random_maze(rng, actions=actions) for _ in range(6)]
    setup = Setup("dots")
    sight = setup.sight(mazes)
    fast = StackedTables(setup, sight, LANES, mazes[:1], np.zeros(LANES, dtype=np.int64))
    slow = DictEngine(setup, sight, LANES, mazes[:1], None)
    every = np.arange(LANES)
    streams = Streams(np.arange(LANES).astype(np.uint64), every)
    for engine in (fast, slow):
        engine.start(every, streams, at_once=True)
    for _ in range(40):
        lanes = np.flatnonzero(rng.random(LANES) < 0.4)
        entered = [mazes[number] for number in rng.integers(0, 6, len(lanes))]
        for engine in (fast, slow) if len(lanes) else ():
            engine.enter(lanes, entered)
            engine.start(lanes, streams[lanes], at_once=True)
        chosen, random = rng.integers(0, len(sight.moves), LANES), rng.integers(0, 2**53, LANES).astype(np.uint64)
        assert moved(fast, chosen, random if fast.slips else None) == moved(slow, chosen, random)
        same(fast, slow, every)
    assert len(fast.scene) <= LANES + 6  # numbers of mazes without lanes were given away again


@given(st.lists(st.integers(1, 9), max_size=30), st.integers(0, 2**32))
def test_runs_of_rows_never_overlap_and_are_joined(lengths, seed):
    rng = np.random.default_rng(seed)
    rows, used = Rows(), {}
    for length in lengths:
        (first,) = rows.take([length]).tolist()
        run = range(first, first + length)
        assert not any(set(run) & set(other) for other in used.values())
        used[first] = run
        if rng.random() < 0.5:
            gone = used.pop(int(rng.choice(list(used))))
            rows.give_back(gone.start, gone.stop)
    for run in used.values():
        rows.give_back(run.start, run.stop)
    before = rows.count
    if before:
        assert rows.take([before]).tolist() == [0] and rows.count == before


def test_another_engine_is_another_environment(monkeypatch):
    """The seam: the vector environment over an engine that it has never seen is the environment it was."""
    from test_vector import MODES, same, walk_alike

    for mode in MODES:
        for maze in (EVERYTHING, LEVELS["fresh"], LEVELS["T"]):
            keywords = {"info": ("action_mask", "distance", "state"), "time_limit": 9, "autoreset_mode": mode}
            ours = MazeVectorEnv(maze, 3, slip=0.2, **keywords)
            with monkeypatch.context() as patch:
                patch.setattr("mazegrad.envs.settings.ENGINES", {"slow": ENGINES["numpy"]._replace(make=DictEngine)})
                theirs = MazeVectorEnv(maze, 3, slip=0.2, engine="slow", **keywords)
            assert walk_alike(ours, theirs, 60) > 6
            theirs.set_state(ours.get_state())
            same(ours.get_state(), theirs.get_state())


def test_an_unknown_engine_is_refused():
    with pytest.raises(ValueError, match="unknown engine 'nunpy'; did you mean 'numpy'"):
        MazeVectorEnv("four_rooms", 2, engine="nunpy")


def test_a_margin_holds_the_view():
    assert [margin_of(size) for size in (1, 3, 5, 7)] == [1, 1, 2, 3]
