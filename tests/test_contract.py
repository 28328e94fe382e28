"""What every registered environment promises, whatever it shows and however it is drawn."""

import copy
import json
import os
import pickle
import subprocess
import sys
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from numpy.typing import NDArray

from mazegrad.envs import AGENT_CODE, INFO, OBSERVATIONS, Maze, MazeEnv, MazeVectorEnv, World, draw, load_maze
from mazegrad.envs.saved import SavedState

from contract_child import IDS, digest

EXACT = ("optimal_action", "value")
PLAIN_INFO = tuple(name for name in INFO if name not in EXACT)


@pytest.fixture(autouse=True)
def _no_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")  # asked for by name, so windows open


@pytest.mark.parametrize("observation", OBSERVATIONS)
@pytest.mark.parametrize("name", IDS)
def test_check_env(name: str, observation: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(MazeEnv.metadata, "render_fps", 1000)
    env = gymnasium.make(name, observation=observation, info=PLAIN_INFO)
    check_env(env.unwrapped)  # opens one for each render mode too
    for mode in MazeEnv.metadata["render_modes"]:
        env = gymnasium.make(name, observation=observation, render_mode=mode)
        check_env(env.unwrapped, skip_render_check=True)
        env.close()


def test_same_seed_same_episode_in_two_processes() -> None:
    child = os.path.join(os.path.dirname(__file__), "contract_child.py")
    environment = {**os.environ, "PYTHONHASHSEED": "12345"}
    told = subprocess.run([sys.executable, child], env=environment, capture_output=True, text=True, check=True).stdout
    assert told.splitlines() == [f"{name} {digest(name)}" for name in IDS]


def walk(env: gymnasium.Env[Any, Any], steps: int, rng: np.random.Generator, spoil: bool = False) -> str:
    """Return all that is seen on a random walk; spoil: write into every array that was handed out."""
    seen = []
    for _ in range(steps):
        entries = list(env.step(int(rng.integers(4))))
        if entries[2] or entries[3]:
            entries += env.reset()
        seen.append(copy.deepcopy(entries))
        if spoil:
            for entry in [*entries, *entries[4].values(), *(entries[6].values() if len(entries) > 6 else ())]:
                if isinstance(entry, np.ndarray):
                    entry[...] = 77
    return repr(seen)


@pytest.mark.parametrize("observation", OBSERVATIONS)
@pytest.mark.parametrize("name", IDS)
def test_arrays_handed_out_are_fresh(name: str, observation: str) -> None:
    texts = []
    for spoil in (False, True):
        env = gymnasium.make(name, observation=observation, slip=0.2, info=PLAIN_INFO)
        first = env.reset(seed=3)
        if spoil and isinstance(first[0], np.ndarray):
            first[0][...] = 77
            first[1]["action_mask"][...] = 77
        texts.append(walk(env, 60, np.random.default_rng(1), spoil))
    assert texts[0] == texts[1]


def through_json(env: MazeEnv) -> MazeEnv:
    other = gymnasium.make(env.spec.id, slip=0.2, info=PLAIN_INFO, render_mode=env.render_mode).unwrapped
    other.set_state(SavedState.from_json(env.get_state().to_json()))
    return other


def into_a_walked_one(env: MazeEnv) -> MazeEnv:
    other = copy.deepcopy(env)
    walk(other, 70, np.random.default_rng(8))
    other.set_state(env.get_state())
    return other


COPIES = {
    "json": through_json,
    "walked": into_a_walked_one,
    "pickle": lambda env: pickle.loads(pickle.dumps(env)),
    "deepcopy": copy.deepcopy,
}


@pytest.mark.parametrize("mode", [None, "rgb_array", "ansi"])
@pytest.mark.parametrize("how", COPIES)
@pytest.mark.parametrize("name", IDS)
def test_a_copy_in_mid_episode_goes_on_alike(name: str, how: str, mode: str | None) -> None:
    env = gymnasium.make(name, slip=0.2, info=PLAIN_INFO, render_mode=mode).unwrapped
    env.reset(seed=11)
    walk(env, 150, np.random.default_rng(2))  # through ends of episodes too
    other = COPIES[how](env)
    assert other.get_state() == env.get_state()
    if mode:
        assert np.array_equal(other.render(), env.render())
    assert walk(env, 150, np.random.default_rng(4)) == walk(other, 150, np.random.default_rng(4))


BAD_ACTIONS = [
    4,
    -1,
    -4,
    10**30,
    1.0,
    np.float64(1),
    None,
    "up",
    "1",
    [1],
    (1,),
    np.array([1]),
    np.array([0, 1]),
    np.array(1.0),
]


@pytest.mark.parametrize("slip", [0, 0.5])
@pytest.mark.parametrize("action", BAD_ACTIONS, ids=repr)
def test_bad_actions_are_refused_and_change_nothing(action: Any, slip: float) -> None:
    env = MazeEnv(slip=slip)
    env.reset(seed=0)
    env.step(1)
    before = env.get_state()
    with pytest.raises((ValueError, TypeError), match=r"an action is 0 \(up\), 1 \(right\), 2 \(left\) or 3 \(down\)"):
        env.step(action)
    assert env.get_state() == before


@pytest.mark.parametrize("action", [np.int64(1), np.int8(1), np.array(1), np.uint8(1)], ids=repr)
@pytest.mark.parametrize("slip", [0, 0.5])
def test_integers_of_all_kinds_are_actions(action: Any, slip: float) -> None:
    one, other = MazeEnv(slip=slip), MazeEnv(slip=slip)
    one.reset(seed=1), other.reset(seed=1)
    for _ in range(20):
        one.step(action), other.step(1)
    assert one.get_state() == other.get_state()


def test_no_step_before_the_first_reset() -> None:
    for call in (lambda env: env.step(0), lambda env: env.get_state(), lambda env: env.action_masks()):
        with pytest.raises(gymnasium.error.ResetNeeded):
            call(MazeEnv())


@pytest.mark.parametrize(
    "keywords",
    [
        {"observation": "dot"},
        {"observation": ["dots", "dot"]},
        {"observation": []},
        {"encoding": "floats"},
        {"info": ("distanc",)},
        {"observation": "view", "view_size": 4},
        {"observation": "view", "view_size": -1},
        {"observation": "view", "view_size": 5.0},
        {"observation": "view", "view_size": True},
        {"observation": "view", "view_size": 1_000_001},
        {"render_mode": "rgb"},
        {"slip": 2},
        {"slip": "much"},
        {"rewards": {"gaol": 1}},
        {"rewards": {"goal": float("nan")}},
        {"rewards": {"goal": "1"}},
        {"time_limit": 0},
        {"time_limit": "none"},
        {"time_limit": True},
        {"time_limit": 5.0},
        {"discount": 1.5},
        {"discount": "1"},
        {"maze": "S..Z\n"},
    ],
    ids=repr,
)
def test_bad_keywords(keywords: dict[str, Any]) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        MazeEnv(**keywords)


@pytest.mark.parametrize("make", [MazeEnv, partial(MazeVectorEnv, num_envs=2)], ids=["single", "vector"])
def test_numpys_integers_are_numbers_too(make: Any) -> None:
    env = make(observation="view", view_size=np.int64(3), time_limit=np.int64(2))
    assert env.reset(seed=0)[0].shape[-2:] == (3, 3)
    actions = np.zeros(env.action_space.shape, dtype=np.int64)
    assert not np.any(env.step(actions)[3])
    truncated = env.step(actions)[3]
    assert truncated is True or truncated.tolist() == [True, True]


@pytest.mark.parametrize(
    "options",
    [
        {"start": (0, 0)},
        {"start": (1, 99)},
        {"start": (-1, 1)},
        {"start": "11"},
        {"start": (1.0, 1.0)},
        {"start": 5},
        {"start": (1, 2, 3)},
        {"begin": (1, 1)},
        {"maze": "no such maze"},
        {"maze": "S.G\n"},  # does not fit
    ],
    ids=repr,
)
def test_bad_options_change_nothing(options: dict[str, Any]) -> None:
    env = MazeEnv(observation="index")
    env.reset(seed=0)
    before = env.get_state()
    with pytest.raises(ValueError):  # noqa: PT011
        env.reset(seed=1, options=options)
    assert env.get_state() == before


def test_options_of_reset() -> None:
    env = MazeEnv("S..G\n.X..\n", observation="position")
    assert env.reset(seed=0, options={"start": (1, 2)})[0].tolist() == [1, 2]
    assert env.reset(options={})[0].tolist() == [0, 0]
    other = "....\nGX.S\n"
    assert env.reset(options={"maze": other})[0].tolist() == [1, 3]
    assert env.reset()[0].tolist() == [1, 3]  # it stays


def spoilt(state: SavedState) -> Iterator[Any]:
    yield state._replace(steps=-1)
    yield state._replace(steps=1.5)
    yield state._replace(key=2**64)
    yield state._replace(key=None)
    yield state._replace(mazes=("S.G\n",))
    yield state._replace(mazes=(Maze.from_text("S.G"),))  # does not fit the spaces
    yield state._replace(mazes=3)
    yield state._replace(mazes=())
    yield state._replace(cell=0)
    yield state._replace(cell=10**6)
    yield state._replace(cell=(1, 2))
    yield state._replace(carried=1)
    yield state._replace(trails=(b"0",))
    yield state._replace(trails=("00",))
    yield state._replace(trails=(b"\xff" * 169,))
    yield {}
    yield None
    yield "x"


def test_a_state_that_cannot_be_is_refused_and_changes_nothing() -> None:
    env = MazeEnv("four_rooms", observation="index", render_mode="ansi")
    env.reset(seed=0)
    env.step(1)
    before = env.get_state()
    for wrong in spoilt(before):
        with pytest.raises(ValueError, match="not a state that get_state returned"):
            env.set_state(wrong)
        assert env.get_state() == before


def test_a_saved_state_is_json_or_it_is_refused() -> None:
    env = MazeEnv("four_rooms", render_mode="ansi")
    env.reset(seed=0)
    good = env.get_state().to_json()
    assert SavedState.from_json(good) == env.get_state()
    fields = json.loads(good)
    for wrong in (
        "", "[]", "{}", "nonsense", "1", good[:-1], json.dumps({**fields, "format": "x"}),
        json.dumps({**fields, "mazes": ["S.Q"]}), json.dumps({**fields, "mazes": 1}),
        json.dumps({**fields, "trails": ["zz"]}), json.dumps({**fields, "more": 1}),
        json.dumps({name: value for name, value in fields.items() if name != "episode"}),
    ):  # fmt: skip
        with pytest.raises(ValueError, match="not a saved state as JSON"):
            SavedState.from_json(wrong)


TINY = """\
S.aA#
.*{0G
~..0#
"""


def test_view_and_map_show_things_as_they_are() -> None:
    env = MazeEnv(TINY, observation="view", view_size=3, info=("state",))
    floor, nothing = 2, 0
    view, _ = env.reset(seed=0)
    assert view.tolist() == [[nothing] * 3, [nothing, 3, floor], [nothing, floor, 21]]
    mapped = MazeEnv(TINY, observation="map")
    mapped.reset(seed=0)
    for action in (1, 1, 1):
        view = env.step(action)[0]
        shown = mapped.step(action)[0]
    assert view.tolist() == [[nothing] * 3, [floor, floor, 1], [34, 11, 4]]  # the key is taken, the door open
    assert shown[0].tolist() == [3, floor, floor, AGENT_CODE, 1] and shown.shape == (3, 5)


def brute_view(world: World, state: int, size: int) -> NDArray[np.uint8]:
    """Return a view, looked up cell by cell."""
    from mazegrad.envs import TILE_CODES
    from mazegrad.envs.core.inventory import OPENED, tiles_now

    maze = world.mazes[world.maze_of[state]]
    tiles = tiles_now(maze, int(world.carried[state]))
    row, column = divmod(int(world.cell[state]), maze.width)
    view = np.zeros((size, size), dtype=np.uint8)
    for i in range(size):
        for j in range(size):
            r, c = row + i - size // 2, column + j - size // 2
            if 0 <= r < maze.height and 0 <= c < maze.width:
                view[i, j] = 2 if tiles[r, c] >= OPENED else TILE_CODES[tiles[r, c]]
    return view


def test_observations_of_stacked_worlds() -> None:
    """All observations take worlds of many mazes, of different sizes, and give each state what its maze shows."""
    mazes = [Maze.from_text(TINY), load_maze("cliff_walk"), Maze.from_text("S\n*\nG\n")]
    world, singles = World.compile(mazes), [World.compile(maze) for maze in mazes]
    states = np.arange(world.states)
    views = OBSERVATIONS["view"](world, 5).look(states)
    for state in states.tolist():
        assert np.array_equal(views[state], brute_view(world, state, 5))
    first = 0
    for single in singles:
        here, there = states[first : first + single.states], np.arange(single.states)
        for name in ("dots", "index", "position"):
            assert np.array_equal(OBSERVATIONS[name](world, 5).look(here), OBSERVATIONS[name](single, 5).look(there))
        height, width = single.mazes[0].tiles.shape
        maps = OBSERVATIONS["map"](world, 5).look(here)
        assert np.array_equal(maps[:, :height, :width], OBSERVATIONS["map"](single, 5).look(there))
        assert not maps[:, height:].any() and not maps[:, :, width:].any()
        first += single.states
    for name in OBSERVATIONS:
        observation = OBSERVATIONS[name](world, 5)
        for seen in observation.look(states[:40]):
            assert seen in observation.space, name


def test_index_and_pixels() -> None:
    env = MazeEnv(TINY, observation="index")
    assert env.observation_space.n == 15 * 4
    env.reset(seed=0)
    assert env.step(3)[0] == 5
    assert env.step(1)[0] == 2 * 15 + 6  # the item is the second thing, after the key
    pixels = MazeEnv(TINY, observation="pixels")
    assert np.array_equal(pixels.reset(seed=0)[0], draw(pixels.world, pixels.state))


@pytest.mark.parametrize("observation", OBSERVATIONS)
def test_rows_that_are_not_kept_are_made_again(observation: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A large world's observations and moves would fill the memory: the same episode without keeping any."""
    texts = []
    for kept in (2**25, 0):
        monkeypatch.setattr("mazegrad.envs.engines.lane._KEPT_BYTES", kept)
        env = MazeEnv(observation=observation, slip=0.1)
        env.reset(seed=3)
        texts.append(walk(env, 200, np.random.default_rng(0)))
    assert texts[0] == texts[1]


def test_info() -> None:
    env = gymnasium.make("mazegrad/FourRooms-v0", info=("state", "distance", "action_mask"))
    _, info = env.reset(seed=0)
    assert info["state"] == 0 and info["distance"] == 16 and info["action_mask"].tolist() == [0, 1, 0, 1]
    assert info["action_mask"].dtype == np.int8
    assert env.unwrapped.action_masks().tolist() == [False, True, False, True]
    _, _, _, _, info = env.step(1)
    assert (info["state"], info["distance"]) == (1, 15)
    assert gymnasium.make("mazegrad/FourRooms-v0").reset(seed=0)[1] == {}


def test_the_mask_allows_what_may_help() -> None:
    """On ice a push against the wall may slip aside, so it is allowed; where all is vain, all is."""
    assert MazeEnv("ice_lake").reset(seed=0) and _mask("ice_lake") == [True, True, True, True]
    assert _mask("#S#\n.G.\n") == [False, False, False, True]
    assert _mask("#S#\n#G#\n", steps=[3]) == [True] * 4  # over
    assert _mask("S#G") == [True] * 4
    assert _mask("wind: 1 1\n.G\nS.\n..\n") == [True, True, True, False]  # down, and blown back


def _mask(maze: str, steps: Sequence[int] = ()) -> list[bool]:
    env = MazeEnv(maze if "\n" in maze or maze.islower() else maze + "\n")
    env.reset(seed=0)
    for step in steps:
        env.step(step)
    return env.action_masks().tolist()


def test_keys_to_action_are_the_arrow_keys() -> None:
    import pygame

    actions = MazeEnv().get_keys_to_action()
    arrows = [actions[(key,)] for key in (pygame.K_UP, pygame.K_RIGHT, pygame.K_LEFT, pygame.K_DOWN)]
    assert arrows == [actions[(ord(key),)] for key in "wdas"] == [0, 1, 2, 3]


@pytest.mark.filterwarnings("ignore:.*matplotlib is not installed")  # said, too, where it only has no display
def test_play_takes_the_keys() -> None:
    pytest.importorskip("matplotlib", reason="gymnasium.utils.play wants it")
    from gymnasium.utils.play import PlayableGame

    env = gymnasium.make("mazegrad/FourRooms-v0", render_mode="rgb_array")
    env.reset(seed=0)
    assert PlayableGame(env).relevant_keys == {key for keys in env.unwrapped.get_keys_to_action() for key in keys}


def test_value_and_optimal_action() -> None:
    env = MazeEnv("cliff_walk", info=("value", "optimal_action"), discount=1.0)
    _, info = env.reset(seed=0)
    values, actions = [info["value"]], []
    terminated = False
    while not terminated:
        actions.append(info["optimal_action"])
        _, _, terminated, _, info = env.step(actions[-1])
        values.append(info["value"])
    assert values == pytest.approx(range(-13, 1)) and actions == [0, *[1] * 11, 3]
    assert info["optimal_action"] == -1
    assert isinstance(info["value"], np.float64) and isinstance(info["optimal_action"], np.int64)
