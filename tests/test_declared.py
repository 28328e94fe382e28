"""What is declared holds for every way of making an environment: spaces, limits, seeds, and what the source says."""

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.vector.utils import batch_space

from mazegrad.agents import RandomAgent, rollout
from mazegrad.cli import main
from mazegrad.envs import LEGEND, OBSERVATIONS, Maze, MazeEnv, MazeVectorEnv, World, load_maze, save_maze

from contract_child import IDS

GRID = "mazegrad/GridWorld-v0"
TEXT = load_maze("key_door").to_text()


def ways(folder: Path) -> dict[str, Callable[..., Any]]:
    """Every way to make an environment of one maze, single or with `num_envs` a vector environment."""
    save_maze(folder / "a.txt", Maze.from_text(TEXT))

    def make(**keywords: Any) -> Any:
        lanes = keywords.pop("num_envs", None)
        return gymnasium.make(GRID, **keywords) if lanes is None else gymnasium.make_vec(GRID, lanes, **keywords)

    def by_option(**keywords: Any) -> Any:
        env = make(maze=Maze(Maze.from_text(TEXT).tiles[::-1].copy(), Maze.from_text(TEXT).metadata), **keywords)
        env.reset(options={"maze": TEXT})
        return env

    return {
        "Maze": lambda **keywords: make(maze=Maze.from_text(TEXT), **keywords),
        "text": lambda **keywords: make(maze=TEXT, **keywords),
        "file": lambda **keywords: make(maze=folder / "a.txt", **keywords),
        "file name": lambda **keywords: make(maze=str(folder / "a.txt"), **keywords),
        "shipped": lambda **keywords: make(maze="key_door", **keywords),
        "World": lambda **keywords: make(maze=World.compile(Maze.from_text(TEXT)), **keywords),
        "option": by_option,
    }


WAYS = ("Maze", "text", "file", "file name", "shipped", "World", "option")
HOW: list[dict[str, Any]] = [
    *({"observation": name} for name in OBSERVATIONS if name != "goal"),
    {"observation": ("dots", "position")},
    {"observation": "map", "encoding": "planes"},
    {"observation": "state", "encoding": "float"},
    {"observation": "dots", "dots_error": 0.2, "info": ("state", "distance", "action_mask", "value")},
]


@pytest.mark.parametrize("how", HOW, ids=str)
def test_all_ways_make_the_same_environment(how: dict[str, Any], tmp_path: Path) -> None:
    keywords = {"time_limit": 9, **how}
    made = {way: make(**keywords) for way, make in ways(tmp_path).items()}
    assert set(made) == set(WAYS)
    first = made["Maze"]
    walks = {}
    for way, env in made.items():
        assert (env.observation_space, env.action_space) == (first.observation_space, first.action_space)
        seen = [env.reset(seed=3)]
        for step in range(30):
            seen.append(env.step(step * 5 % 4))
            assert seen[-1][0] in env.observation_space
            if seen[-1][2] or seen[-1][3]:
                seen.append(env.reset())
        walks[way] = repr(seen)
        assert env.unwrapped.time_limit == 9
    assert len(set(walks.values())) == 1
    lanes = {way: make(num_envs=2, **keywords) for way, make in ways(tmp_path).items()}
    walks = {}
    for way, env in lanes.items():
        assert env.single_observation_space == first.observation_space
        assert env.observation_space == batch_space(first.observation_space, 2)
        assert env.single_action_space == first.action_space
        seen = [env.reset(seed=3)]
        for step in range(30):
            seen.append(env.step(np.array([step * 5 % 4, step % 4])))
            assert seen[-1][0] in env.observation_space
        walks[way] = repr(seen)
    assert len(set(walks.values())) == 1


@pytest.mark.parametrize("name", IDS)
def test_limits_are_the_same_in_single_and_vector_environments(name: str) -> None:
    for how in ({}, {"time_limit": 7}, {"max_episode_steps": 5}):
        env = gymnasium.make(name, **how)
        lanes = gymnasium.make_vec(name, num_envs=2, **how)
        env.reset(seed=0), lanes.reset(seed=0)
        if not how:
            continue
        for step in range(1, 8):
            ends = env.step(0)[2:4]
            single, many = ends, [flags[0] for flags in lanes.step(np.zeros(2, dtype=np.int64))[2:4]]
            assert list(single) == many
            if any(ends):
                assert step == min(how.values()) or ends[0]
                break


SEEDS = [5, np.int64(5), np.uint8(5), 0, 2**64 - 3]
NOT_SEEDS = [True, np.True_, -1, 2**64, 1.0, np.float64(2), "5", None.__class__, [1.5]]


@pytest.mark.parametrize("seed", SEEDS, ids=repr)
def test_one_rule_for_what_a_seed_is(seed: Any) -> None:
    env, lanes = gymnasium.make(GRID), gymnasium.make_vec(GRID, num_envs=2, slip=0.5)
    plain = gymnasium.make_vec(GRID, num_envs=2, slip=0.5)
    env.reset(seed=seed), lanes.reset(seed=seed), plain.reset(seed=[int(seed), int(seed) + 1])
    assert env.unwrapped.get_state().key == lanes.get_state().key[0]
    assert lanes.get_state().key == plain.get_state().key
    rollout(env, RandomAgent(np.random.default_rng(0)), seed=seed, max_steps=2)
    gymnasium.make("mazegrad/Maze-v0", level_seeds=[seed]).reset(seed=seed)
    tabular = gymnasium.make("mazegrad/Tabular-v0")
    tabular.reset(seed=seed)
    assert tabular.unwrapped.get_state().key == env.unwrapped.get_state().key


@pytest.mark.parametrize("seed", NOT_SEEDS, ids=repr)
def test_what_is_not_a_seed(seed: Any) -> None:
    makers = (
        lambda: MazeEnv().reset(seed=seed),
        lambda: MazeVectorEnv(num_envs=1).reset(seed=seed),
        lambda: MazeVectorEnv(num_envs=2).reset(seed=[seed, 1]),
        lambda: gymnasium.make("mazegrad/Maze-v0", level_seeds=[seed]),
        lambda: gymnasium.make("mazegrad/Tabular-v0").reset(seed=seed),
        lambda: gymnasium.make_vec("mazegrad/Tabular-v0", num_envs=2).reset(seed=[seed, 1]),
    )
    for use in makers:
        with pytest.raises((ValueError, TypeError)):
            use()


# the sources


@pytest.mark.parametrize(("ours", "theirs", "how"), [
    ("mazegrad/IceLake-v0", "FrozenLake-v1", {}),
    ("mazegrad/GridWorld-v0", "FrozenLake8x8-v1", {"maze": "ice_lake_8x8"}),
    ("mazegrad/CliffWalk-v0", "CliffWalking-v1", {}),
    ("mazegrad/CliffWalk-v0", "CliffWalkingSlippery-v1", {"slip": 2 / 3}),
])  # fmt: skip
def test_textbook_ids_equal_their_source_in_gymnasium(ours: str, theirs: str, how: dict[str, Any]) -> None:
    """In gymnasium's order of actions: tables, starts, spaces of actions, limits of those that have one."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        source = gymnasium.make(theirs)
    env = gymnasium.make(ours, observation="state", action_order="gymnasium", **how)
    lanes = gymnasium.make_vec(ours, num_envs=2, observation="state", action_order="gymnasium", **how)
    assert env.action_space == source.action_space == lanes.single_action_space
    if "maze" not in how:
        their_limit = source.spec.max_episode_steps
        assert their_limit is None or env.unwrapped.time_limit == their_limit
    world, P = env.unwrapped.world, source.unwrapped.P
    cell = world.cell.tolist()
    reached, todo = set(), [cell[state] for state in world.start_states]
    assert np.flatnonzero(source.unwrapped.initial_state_distrib > 0).tolist() == todo
    while todo:  # the states that can be reached, by their number there: the cell
        here = todo.pop()
        if here in reached:
            continue
        reached.add(here)
        state = cell.index(here)
        for action in range(4):
            mine, other = {}, {}
            for p, after, reward, over in env.unwrapped.P[state][action]:
                mine[cell[after], reward, over] = mine.get((cell[after], reward, over), 0) + p
            for p, after, reward, over in P[here][action]:
                other[after, reward, over] = other.get((after, reward, over), 0) + p
            if world.terminal[state]:
                continue
            assert mine.keys() == other.keys() and all(abs(mine[key] - other[key]) < 1e-12 for key in mine)
            todo += [after for after, _, _ in other]
    assert len(reached) > 10


def test_the_order_of_actions_goes_through_everything() -> None:
    env = gymnasium.make("mazegrad/CliffWalk-v0", action_order="gymnasium", info=("action_mask", "optimal_action"))
    _, info = env.reset(seed=0)
    assert info["action_mask"].tolist() == [1, 0, 0, 0] and info["optimal_action"] == 0
    assert [env.step(action)[1] for action in (0, *[1] * 11, 2)] == [-1] * 13 and env.unwrapped.at_goal
    for how, said in (
        ({"action_order": "gymnasum"}, "unknown action_order 'gymnasum'; did you mean 'gymnasium'"),
        (
            {"action_order": "gymnasium"},
            "maps from Gymnasium, cliff_walk, ice_lake, ice_lake_8x8, not 'four_rooms'",
        ),
        ({"action_order": "gymnasium", "actions": "king", "maze": "ice_lake"}, "not both"),
    ):
        with pytest.raises(ValueError, match=said):
            gymnasium.make(GRID, **how)


def test_the_legend_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "--tiles"]) == 0
    told = capsys.readouterr().out
    for tile, meaning in LEGEND.items():
        assert f"{'blank' if tile == ' ' else tile:6} {meaning}" in told
    assert "earns +1" in told and "wind" in told and "size" in told and max(map(len, told.splitlines())) < 160


@pytest.mark.slow
def test_large_mazes_in_seconds() -> None:
    """2,000 x 2,000 tiles are compiled in some seconds and described in a few more; here a quarter of that."""
    import time

    from mazegrad.envs import describe

    tiles = np.full((1000, 1000), ord("."), dtype=np.uint8)
    tiles[0, 0], tiles[-1, -1] = ord("S"), ord("G")
    begin = time.process_time()
    card = describe(Maze(tiles))
    assert card.shortest_path == 1998 and card.look_alikes["position"] == 0
    assert time.process_time() - begin < 10


def test_a_step_stays_fast() -> None:
    """CPython 3.11 reads attributes slowly where an object has more than 30; a step reads eight of them."""
    env = gymnasium.make(GRID).unwrapped
    env.reset(seed=0)
    assert len(vars(env)) <= 30
