"""Several agents in one maze: one is the single environment, and several are what a slow referee says."""

import copy
import pickle
from itertools import combinations

import gymnasium
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mazegrad.envs import (
    AGENT_CODE,
    OBSERVATIONS,
    Maze,
    MazeError,
    ParallelMazes,
    World,
    load_maze,
    parallel_env,
    transition,
)
from mazegrad.envs.engines.collisions import meetings, staying
from mazegrad.envs.maps.directions import OFFSETS
from mazegrad.envs.maps.legend import LAST_CODE

IDS = [name for name in gymnasium.registry if name.startswith("mazegrad/") and name != "mazegrad/Tabular-v0"]
ROOMS = "mazegrad/FourRooms-v0"


# ------------------------------------------------------------------------------------------------------ who stays where
def may_move(before, after, live, groups, rule):
    """The largest set of agents that can move together, found by trying all sets: a slow definition of the rule."""
    agents = [i for i in range(len(before)) if live[i]]
    movers = [i for i in agents if before[i] != after[i]]

    def fits(moving):
        for i in moving:
            for j in (j for j in agents if j != i and groups[j] == groups[i]):
                if after[j] == after[i] or (before[j] == after[i] and j not in moving):
                    return False
                if rule == "blocked" and before[j] == after[i] and after[j] == before[i]:
                    return False
        return True

    if rule == "through":
        return set(movers)
    sets = [set(some) for size in range(len(movers) + 1) for some in combinations(movers, size) if fits(set(some))]
    largest = set().union(*sets)
    assert largest in sets, "sets that fit can be put together"
    return largest


@st.composite
def crossings(draw):
    """Agents in different cells, each team by itself, and where they want to go: often into each other's cells."""
    count, cells = draw(st.integers(1, 7)), draw(st.integers(7, 12))
    groups = draw(st.lists(st.integers(0, 1), min_size=count, max_size=count))
    before = [draw(st.permutations(range(cells)))[i] for i in range(count)]
    taken = set()
    for i in range(count):  # no two of one team in one cell
        while (groups[i], before[i]) in taken:
            before[i] = (before[i] + 1) % cells
        taken.add((groups[i], before[i]))
    after = [draw(st.sampled_from([*before, *before, *range(cells)])) for _ in range(count)]
    live = draw(st.lists(st.sampled_from([True, True, True, False]), min_size=count, max_size=count))
    return tuple(np.array(part) for part in (before, after, live, groups))


@settings(max_examples=400, deadline=None)
@given(crossings(), st.sampled_from(["blocked", "swap", "through"]), st.randoms(use_true_random=False))
def test_collisions_are_what_the_referee_says_in_any_order(crossing, rule, random):
    before, after, live, groups = crossing
    stays = staying(before[None], after[None], live[None], groups, rule)[0]
    moving = set(np.flatnonzero(live & (before != after) & ~stays).tolist())
    assert moving == may_move(before, after, live, groups, rule)
    assert not stays[~live].any() and not stays[before == after].any()
    order = np.array(random.sample(range(len(before)), len(before)))
    shuffled = staying(before[None, order], after[None, order], live[None, order], groups[order], rule)[0]
    assert np.array_equal(shuffled, stays[order])
    end = np.where(stays, before, after)
    if rule != "through":
        for group in (0, 1):
            mine = end[live & (groups == group)]
            assert len(set(mine.tolist())) == len(mine), "one agent of a team in a cell"


@settings(max_examples=200, deadline=None)
@given(crossings())
def test_meetings(crossing):
    before, after, live, groups = crossing
    met = meetings(before[None], after[None], live[None], groups)[0]
    for i, j in np.ndindex(met.shape):
        apart = i != j and live[i] and live[j] and groups[i] != groups[j]
        crossed = after[i] == before[j] and after[j] == before[i]
        assert met[i, j] == (apart and (after[i] == after[j] or crossed))


CORRIDOR = "########\n#S....G#\n########\n"


@pytest.mark.parametrize(
    ("rule", "starts", "actions", "cells"),
    [
        # R: right (1), L: left (2), U: into the wall (0)
        ("blocked", [1, 2, 3], "RRR", [2, 3, 4]),  # a chain follows its head
        ("blocked", [1, 2, 3], "RRU", [1, 2, 3]),  # the head stays, and all behind it
        ("blocked", [1, 2], "RL", [1, 2]),  # they do not change places
        ("swap", [1, 2], "RL", [2, 1]),
        ("blocked", [1, 3], "RL", [1, 3]),  # a cell that two want, nobody gets
        ("swap", [1, 3], "RL", [1, 3]),
        ("through", [1, 3], "RL", [2, 2]),
        ("blocked", [1, 2, 4], "RRL", [1, 2, 4]),  # ... nor does who is behind them move
        ("through", [1, 2], "RL", [2, 1]),
        ("blocked", [2, 1, 3], "LRR", [2, 1, 4]),
    ],
)
def test_in_a_corridor(rule, starts, actions, cells):
    env = ParallelMazes(Maze.from_text(CORRIDOR), len(starts), collisions=rule, observation="position")
    env.reset(seed=0, options={"start": [(1, cell) for cell in starts]})
    seen, rewards, ended, _, _ = env.step([["URL".index(letter) for letter in actions]])
    assert seen[0, :, 1].tolist() == cells and not ended.any() and not rewards.any()


def test_a_ring_turns():
    env = ParallelMazes(Maze.from_text("####\n#S.#\n#.G#\n####\n"), 3, observation="index")
    ring = {"start": [(1, 1), (1, 2), (2, 1)]}
    env.reset(seed=0, options=ring)
    seen, rewards, ended, _, _ = env.step([[1, 3, 0]])  # the second one is at the goal; the ring of four has a gap
    assert seen[0, :, 0].tolist() == [6, 10, 5] and rewards[0].tolist() == [0, 1, 0] and ended[0].tolist() == [0, 1, 0]
    square = ParallelMazes(Maze.from_text("#####\n#S.G#\n#..##\n#####\n"), 4, observation="index")
    square.reset(seed=0, options={"start": [(1, 1), (1, 2), (2, 2), (2, 1)]})
    assert square.step([[1, 3, 2, 0]])[0][0, :, 0].tolist() == [7, 12, 11, 6]
    assert square.step([[3, 2, 0, 3]])[0][0, :, 0].tolist() == [7, 12, 11, 6]  # two want one cell: nobody turns


# ------------------------------------------------------------------------------------------------------------ one agent
def equal(one, other):
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(equal(one[name], other[name]) for name in one)
    return np.array_equal(one, other)


def first(arrays):
    """Of arrays with an axis of one agent, the arrays without it."""
    return {name: first(part) for name, part in arrays.items()} if isinstance(arrays, dict) else arrays[:, 0]


@pytest.mark.parametrize("kind", [*OBSERVATIONS, ("dots", "position")], ids=str)
@pytest.mark.parametrize("env_id", IDS)
def test_one_agent_is_the_vector_environment(env_id, kind):
    """Whose lane i is the single environment seeded seed + i (test_vector.py): every number, frames too."""
    world = {"observation": kind, "slip": 0.2, "time_limit": 11, "info": ("value", "action_mask", "level", "success")}
    frames = {"render_mode": "rgb_array"} if kind == "dots" else {}
    several = parallel_env(env_id, 1, num_envs=3, **world, **frames)
    single = gymnasium.make_vec(env_id, num_envs=3, **world, **frames)
    assert several.single_observation_space == single.single_observation_space
    rng = np.random.default_rng(0)
    (seen, info), (wanted, wanted_info) = several.reset(seed=7), single.reset(seed=7)
    for _ in range(40):
        assert equal(first(seen), wanted)
        assert equal(first(info), {name: rows for name, rows in wanted_info.items() if name[0] != "_"})
        if frames:
            assert all(equal(a, b) for a, b in zip(several.render(), single.render(), strict=True))
        actions = rng.integers(0, 4, 3)
        seen, *ends, info = several.step(actions[:, None])
        wanted, *wanted_ends, wanted_info = single.step(actions)
        assert all(np.array_equal(a[:, 0], b) for a, b in zip(ends, wanted_ends, strict=True))


@pytest.mark.parametrize("encoding", ["float", "planes", "planes_last"])
def test_one_agent_encoded(encoding):
    several = parallel_env("mazegrad/Maze-v0", 1, num_envs=2, observation="map", encoding=encoding)
    single = gymnasium.make_vec("mazegrad/Maze-v0", num_envs=2, observation="map", encoding=encoding)
    assert several.single_observation_space == single.single_observation_space
    assert np.array_equal(several.reset(seed=0)[0][:, 0], single.reset(seed=0)[0])


# ------------------------------------------------------------------------------------------------------- several agents
@pytest.mark.parametrize("options", [{}, {"pursuers": 1}, {"collisions": "through"}, {"collisions": "swap"}], ids=str)
@pytest.mark.parametrize("env_id", IDS)
def test_lanes_are_what_each_is_alone(env_id, options):
    """Lane i of many is a lane seeded seed + i alone, with slip, levels, limits and the resets between episodes."""
    world = {"slip": 0.1, "time_limit": 23, "observation": ("dots", "index"), "info": ("distance",), **options}
    many = parallel_env(env_id, 3, num_envs=4, **world)
    alone = [parallel_env(env_id, 3, num_envs=1, **world) for _ in range(4)]
    seen, info = many.reset(seed=5)
    firsts = [env.reset(seed=5 + lane) for lane, env in enumerate(alone)]
    rng = np.random.default_rng(1)
    for _ in range(60):
        for lane, (mine, my_info) in enumerate(firsts):
            assert equal({k: v[lane] for k, v in seen.items()}, {k: v[0] for k, v in mine.items()})
            assert equal({k: v[lane] for k, v in info.items()}, {k: v[0] for k, v in my_info.items()})
        actions = rng.integers(0, 4, (4, 3))
        seen, *ends, info = many.step(actions)
        steps = [env.step(actions[lane : lane + 1]) for lane, env in enumerate(alone)]
        for part, column in zip(ends, list(zip(*steps, strict=True))[1:4], strict=True):
            assert np.array_equal(part, np.concatenate(column))
        firsts = [(step[0], step[4]) for step in steps]


class Referee:
    """Agents in one maze, one after the other, by plain look-ups in tables."""

    def __init__(self, maze, starts, rule):
        self.world, self.rule = World.compile(maze), rule
        self.states = [int(np.flatnonzero((self.world.cell == cell) & (self.world.carried == 0))[0]) for cell in starts]
        self.live = [True] * len(starts)

    def step(self, actions):
        cell, agents = self.world.cell, range(len(self.states))
        wanted = [transition(self.world, self.states[i], actions[i]) if self.live[i] else None for i in agents]
        before = [int(cell[self.states[i]]) for i in agents]
        after = [int(cell[wanted[i][0]]) if self.live[i] else before[i] for i in agents]
        moving = may_move(before, after, self.live, [0] * len(before), self.rule)
        rewards, ends = [0.0] * len(before), [False] * len(before)
        for i in agents:
            if self.live[i] and (i in moving or before[i] == after[i]):
                self.states[i], rewards[i], ends[i] = wanted[i]
            elif self.live[i]:
                rewards[i] = (self.world.mazes[0].setting("rewards") or {}).get("step", 0.0)
            self.live[i] = self.live[i] and not ends[i]
        return rewards, ends


@settings(max_examples=30, deadline=None)
@given(
    st.sampled_from(["key_door", "cliff_walk", "windy_grid", "four_rooms", "spiral", "ice_lake"]),
    st.sampled_from(["blocked", "swap", "through"]),
    st.integers(1, 5),
    st.integers(0, 1000),
)
def test_whole_episodes_are_what_the_referee_says(name, rule, agents, seed):
    maze = load_maze(name)
    env = ParallelMazes(maze, agents, observation="index", collisions=rule, presence=False, slip=0.0, time_limit=None)
    cells = env.reset(seed=seed)[0][0].tolist()
    if maze.tiles.tolist() and (maze.tiles == ord("~")).any():
        return  # ice slips; the referee does not
    assert rule == "through" or len(set(cells)) == agents
    referee, rng = Referee(maze, cells, rule), np.random.default_rng(seed)
    size = maze.tiles.size
    for _ in range(40):
        actions = rng.integers(0, 4, agents)
        seen, rewards, ended, _, _ = env.step(actions[None])
        wanted_rewards, wanted_ends = referee.step(actions.tolist())
        world = referee.world
        assert rewards[0].tolist() == wanted_rewards and ended[0].tolist() == wanted_ends
        assert env.live[0].tolist() == referee.live
        states = np.array(referee.states)
        assert seen[0].tolist() == (world.carried[states] * size + world.cell[states]).tolist()
        if not any(referee.live):
            break


@pytest.mark.parametrize("rule", ["blocked", "swap"])
def test_fresh_mazes_are_what_the_referee_says(rule):
    """The engine of fresh mazes takes moves back as that of given mazes does."""
    env = parallel_env(
        "mazegrad/Maze-v0", 4, num_envs=1, size=(2, 3), observation="index", collisions=rule, presence=False,
        rewards={"step": -0.5}, time_limit=None,
    )  # fmt: skip
    rng, stayed = np.random.default_rng(0), 0
    for seed in range(20):
        cells = env.reset(seed=seed)[0][0].tolist()
        referee = Referee(env.maze_of(0), cells, rule)
        for _ in range(30):
            before = list(referee.states)
            actions = rng.integers(0, 4, 4)
            seen, rewards, ended, _, _ = env.step(actions[None])
            _, wanted_ends = referee.step(actions.tolist())
            assert seen[0].tolist() == referee.world.cell[referee.states].tolist()
            assert ended[0].tolist() == wanted_ends and env.live[0].tolist() == referee.live
            alone = [transition(referee.world, state, action) for state, action in zip(before, actions, strict=True)]
            stayed += sum(state != to for state, (to, _, _) in zip(referee.states, alone, strict=True))
            moved = np.array(before) != np.array(referee.states)
            assert (rewards[0][~moved & referee.live] == -0.5).all()
            if not any(referee.live):
                break
    assert stayed > 100


def test_who_stays_earns_what_a_bump_earns():
    maze = Maze.from_text("rewards: step -1, goal 5\n" + CORRIDOR)
    env = ParallelMazes(maze, 2, observation="position")
    env.reset(seed=0, options={"start": [(1, 4), (1, 5)]})
    assert env.step([[1, 2]])[1].tolist() == [[-1, -1]]
    assert env.step([[1, 1]])[1].tolist() == [[-1, 4]]  # the goal is reached, and the other one follows
    assert env.live.tolist() == [[True, False]]
    seen, rewards, ended, _, _ = env.step([[1, 0]])  # who has left is in nobody's way
    assert seen[0, 0, 1] == 6 and rewards.tolist() == [[4, 0]] and ended.tolist() == [[True, False]]
    seen, rewards, ended, cut, _ = env.step([[0, 0]])  # the next episode
    assert env.live.all() and not rewards.any() and not ended.any() and not cut.any()


def test_each_agent_carries_its_own_things():
    maze = Maze.from_text("#######\n#Sa.AG#\n#..####\n#######\n")
    env = ParallelMazes(maze, 2, observation="dots", presence=False)
    env.reset(seed=0, options={"start": [(1, 1), (2, 1)]})
    env.step([[1, 0]])  # the first takes the key, the second steps up
    env.step([[1, 1]])  # both go right: the key is there for the second as well
    seen = env.step([[0, 0]])[0]
    assert seen[0, 0].tolist()[1] == 1 and env.engine.places().carried.tolist() == [1, 1]


def test_own_goals():
    maze = Maze.from_text("#######\n#S.G.G#\n#.....#\n#######\n")
    env = ParallelMazes(maze, 2, goals="own", observation=("map", "dots"), info=("distance",))
    seen, info = env.reset(seed=0, options={"start": [(1, 4), (2, 4)]})
    assert info["distance"].tolist() == [[1, 2]]
    assert [(codes == 4).sum() for codes in seen["map"][0]] == [1, 1]  # each sees its own
    _, rewards, ended, _, _ = env.step([[1, 0]])
    assert ended.tolist() == [[False, False]] and rewards.tolist() == [[0, 0]]  # the second goal is floor to the first
    with pytest.raises(ValueError, match="needs a G for each of 3 agents"):
        ParallelMazes(maze, 3, goals="own")
    with pytest.raises(ValueError, match="needs a G for each of 2 agents"):
        parallel_env("mazegrad/Maze-v0", 2, num_envs=1, goals="own")


def test_pursuit():
    maze = Maze.from_text("#######\n#S...G#\n#######\n")
    env = ParallelMazes(maze, 3, pursuers=1, observation="position", presence=False, tag=2.0)
    assert env.names == ("pursuer_0", "evader_0", "evader_1")
    env.reset(seed=0, options={"start": [(1, 1), (1, 2), (1, 4)]})
    _, rewards, ended, _, _ = env.step([[1, 2, 1]])  # they run into each other, the other one escapes
    assert rewards.tolist() == [[2, -2, 1]] and ended.tolist() == [[True, True, True]]
    env.reset(seed=0, options={"start": [(1, 4), (1, 2), (1, 1)]})
    _, rewards, ended, _, _ = env.step([[1, 0, 0]])  # a goal is floor to a pursuer
    assert not rewards.any() and not ended.any()
    env.step([[2, 0, 0]])
    _, rewards, ended, _, _ = env.step([[2, 1, 1]])  # both in one cell: the third stood behind and follows
    assert rewards.tolist() == [[2, -2, 0]] and ended.tolist() == [[False, True, False]]
    assert env.live.tolist() == [[True, False, True]]


# ------------------------------------------------------------------------------------------------------------- presence
def test_what_agents_see_of_each_other():
    """Recomputed from the cells of all agents, for every kind of observation, with and without opponents."""
    rng = np.random.default_rng(0)
    kinds = ("dots", "view", "map", "index", "position", "state")
    for pursuers in (0, 1):
        world = {"view_size": 5, "pursuers": pursuers, "time_limit": None}
        env = parallel_env(ROOMS, 4, num_envs=3, observation=kinds, **world)
        bare = parallel_env(ROOMS, 4, num_envs=3, observation=kinds, presence=False, **world)
        seen, own = env.reset(seed=1)[0], bare.reset(seed=1)[0]
        width = env.maze_of(0).width
        teams = [0, 1, 1, 1] if pursuers else [0] * 4
        for _ in range(50):
            where = own["position"].tolist()
            for lane, agent in np.ndindex(3, 4):
                r, c = where[lane][agent]
                view, codes = own["view"][lane, agent].copy(), own["map"][lane, agent].copy()
                bits = np.zeros((2, 4), dtype=int)
                places, positions = [], []
                for other in (o for o in range(4) if o != agent):
                    y, x = where[lane][other]
                    live = env.live[lane, other]
                    enemy = int(teams[other] != teams[agent])
                    places.append(y * width + x + 1 if live else 0)
                    positions += [y + 1, x + 1] if live else [0, 0]
                    if live and codes[y, x] != AGENT_CODE:
                        codes[y, x] = max(LAST_CODE + 1 + enemy, codes[y, x] if codes[y, x] > LAST_CODE else 0)
                    if live and abs(y - r) <= 2 and abs(x - c) <= 2:
                        view[y - r + 2, x - c + 2] = max(LAST_CODE + 1 + enemy, view[y - r + 2, x - c + 2])
                    for d, (down, right) in enumerate(OFFSETS.tolist()):
                        bits[enemy, d] |= live and (y - r, x - c) == (down, right)
                mine = {name: part[lane, agent] for name, part in seen.items()}
                alone = {name: part[lane, agent] for name, part in own.items()}
                more = bits.ravel()[: 8 if pursuers else 4].tolist()
                assert mine["dots"].tolist() == alone["dots"].tolist() + more
                assert np.array_equal(mine["view"], view) and np.array_equal(mine["map"], codes)
                assert mine["index"].tolist() == [alone["index"], *places]
                assert mine["state"].tolist() == [alone["state"], *places]
                assert mine["position"].tolist() == [r, c, *positions]
                assert mine in env.single_observation_space
            actions = rng.integers(0, 4, (3, 4))
            seen, own = env.step(actions)[0], bare.step(actions)[0]


@pytest.mark.parametrize(
    "kind", ["dots", "view", "map", "index", "position", "state", "pixels", ("view", "index")], ids=str
)
@pytest.mark.parametrize("encoding", [None, "float", "planes", "planes_last"])
@pytest.mark.parametrize("pursuers", [0, 2])
def test_observations_are_in_their_spaces(kind, encoding, pursuers):
    world = {"observation": kind, "encoding": encoding, "tile": 4, "size": (2, 3), "pursuers": pursuers}
    env = parallel_env("mazegrad/Maze-v0", 3, num_envs=2, **world)
    seen = env.reset(seed=0)[0]
    for _ in range(5):
        for lane, agent in np.ndindex(2, 3):
            parts = {n: p[lane, agent] for n, p in seen.items()} if isinstance(seen, dict) else seen[lane, agent]
            assert parts in env.single_observation_space
        seen = env.step(np.random.default_rng(0).integers(0, 4, (2, 3)))[0]


def test_planes_and_codes_show_the_same():
    codes = parallel_env(ROOMS, 3, num_envs=1, observation="view").reset(seed=2)[0]
    planes = parallel_env(ROOMS, 3, num_envs=1, observation="view", encoding="planes").reset(seed=2)[0]
    flat = parallel_env(ROOMS, 3, num_envs=1, observation="view", encoding="float").reset(seed=2)[0]
    assert np.array_equal(codes == LAST_CODE + 1, planes[:, :, -1] == 1)
    assert np.array_equal(planes.reshape(1, 3, -1), flat)


# ------------------------------------------------------------------------------------------------------------- the rest
def test_frames_and_texts_show_all_agents():
    env = parallel_env(ROOMS, 3, num_envs=2, render_mode="rgb_array")
    text = parallel_env(ROOMS, 3, num_envs=2, render_mode="ansi")
    env.reset(seed=0), text.reset(seed=0)
    empty = gymnasium.make(ROOMS, render_mode="rgb_array")
    empty.reset(seed=0)
    tile = env.render()[0].shape[0] // env.maze_of(0).height
    places = env.engine.places()
    for lane, frame in enumerate(env.render()):
        cells = places.cell[3 * lane : 3 * lane + 3].tolist()
        blocks = [frame[tile * (c // 13) : tile * (c // 13 + 1), tile * (c % 13) : tile * (c % 13 + 1)] for c in cells]
        assert len({block.tobytes() for block in blocks}) == 3
        assert all(sign in text.render()[lane] for sign in "①②③")
    assert env.state()[0].ravel()[places.cell[:3]].tolist() == [LAST_CODE + 1 + i for i in range(3)]
    assert parallel_env(ROOMS, 2, num_envs=1, observation="pixels").reset(seed=0)[0].shape[:2] == (1, 2)


def test_starts_are_apart_and_the_same_on_every_machine():
    env = parallel_env("mazegrad/Maze-v0", 5, num_envs=50, size=(3, 3), observation="index", presence=False)
    cells = env.reset(seed=0)[0]
    assert all(len(set(row)) == 5 for row in cells.tolist())
    single = gymnasium.make_vec("mazegrad/Maze-v0", num_envs=50, size=(3, 3), observation="index").reset(seed=0)[0]
    assert np.array_equal(cells[:, 0], single)
    assert cells[:3].tolist() == FIRST_STARTS
    several = Maze.from_text("#####\n#SSS#\n#..G#\n#####\n")
    seen = ParallelMazes(several, 3, 20, observation="index", presence=False).reset(seed=0)[0]
    assert {tuple(sorted(row)) for row in seen.tolist()} == {(6, 7, 8)}
    assert len({tuple(row) for row in seen.tolist()}) > 3


FIRST_STARTS = [[8, 29, 37, 22, 10], [8, 38, 22, 12, 24], [8, 26, 17, 36, 38]]


def test_other_moves():
    """A king's moves with stay: who stays keeps its cell, and bits are for eight neighbours; agents do not turn."""
    env = parallel_env(ROOMS, 2, num_envs=1, actions="king_stay", observation=("dots", "position"))
    env.reset(seed=0, options={"start": [(1, 1), (2, 2)]})
    names = list(env.moves.names)
    stay, diagonal = names.index("stay"), env.moves.steps.index((1, 1))
    seen, *_ = env.step([[diagonal, stay]])
    assert seen["position"][0, :, :2].tolist() == [[1, 1], [2, 2]]
    bits = env.moves.seen[0].tolist()
    assert seen["dots"].shape[2] == 16 and seen["dots"][0, 0, 8:].sum() == 1
    assert seen["dots"][0, 0, 8 + bits.index([1, 1])] == 1 and seen["dots"][0, 1, 8 + bits.index([-1, -1])] == 1
    with pytest.raises(ValueError, match="an action is 0"):
        env.step([[9, 0]])
    with pytest.raises(ValueError, match="alone in their maze"):
        parallel_env(ROOMS, 2, num_envs=1, actions="turns")
    single, one = (
        gymnasium.make_vec(ROOMS, num_envs=2, actions="turns"),
        parallel_env(ROOMS, 1, num_envs=2, actions="turns"),
    )
    assert np.array_equal(single.reset(seed=0)[0], one.reset(seed=0)[0][:, 0])
    for actions in np.random.default_rng(0).integers(0, 3, (30, 2)):
        assert np.array_equal(single.step(actions)[0], one.step(actions[:, None])[0][:, 0])


def test_states_are_copied_and_pickled():
    env = parallel_env("mazegrad/Maze-v0", 3, num_envs=3, size=(3, 3), slip=0.1, collisions="swap")
    env.reset(seed=0)
    for again in (copy.deepcopy(env), pickle.loads(pickle.dumps(env))):
        rng, mine = np.random.default_rng(0), copy.deepcopy(env)
        for _ in range(30):
            actions = rng.integers(0, 4, (3, 3))
            assert all(equal(a, b) for a, b in zip(mine.step(actions), again.step(actions), strict=True))


def test_mazes_and_masks_are_options():
    env = parallel_env("mazegrad/Maze-v0", 2, num_envs=3, size=(4, 5), observation="index", pursuers=1)
    env.reset(seed=0)
    maze = env.maze_of(2)
    env.reset(seed=9, options={"maze": maze})
    assert all(env.maze_of(lane) == maze for lane in range(3))
    before = env.engine.places().cell.copy()
    env.step(np.zeros((3, 2), dtype=int))
    env.reset(seed=4, options={"reset_mask": np.array([False, True, False])})
    assert env.maze_of(1) == maze and before.shape == (6,)


@pytest.mark.parametrize(
    ("wrong", "error", "words"),
    [
        ({"collisions": "block"}, ValueError, "did you mean 'blocked'"),
        ({"goals": "mine"}, ValueError, "known: 'shared', 'own'|shared"),
        ({"pursuers": 3}, ValueError, "at most 2"),
        ({"tag": float("nan")}, ValueError, "finite"),
        ({"agents": 0}, ValueError, "agents"),
        ({"observation": "dot"}, ValueError, "did you mean 'dots'"),
        ({"maze": World.compile(load_maze("spiral"))}, TypeError, "not a World"),
        ({"maze": "####\n#SG#\n####"}, MazeError, "room"),
    ],
)
def test_wrong_arguments_are_named(wrong, error, words):
    given = {"maze": "four_rooms", "agents": 3, **wrong}
    if "room" in words:
        env = ParallelMazes(Maze.from_text(given["maze"]), 3)
        with pytest.raises(ValueError, match=words):
            env.reset(seed=0)
        return
    with pytest.raises(error, match=words):
        ParallelMazes(given.pop("maze"), given.pop("agents"), **given)


def test_wrong_steps_are_named():
    env = ParallelMazes("four_rooms", 2, 3)
    with pytest.raises(gymnasium.error.ResetNeeded):
        env.step(np.zeros((3, 2), dtype=int))
    env.reset(seed=0)
    for actions, error in [
        (np.zeros((2, 3), dtype=int), ValueError),
        (np.full((3, 2), 4), ValueError),
        (np.zeros((3, 2)), TypeError),
    ]:
        with pytest.raises(error):
            env.step(actions)
    for options, words in [
        ({"start": (1, 1)}, "for each of the 2 agents"),
        ({"start": [(1, 1), (1, 1)]}, "two agents"),
        ({"start": [(0, 0), (1, 1)]}, "cannot stand"),
        ({"begin": 1}, "unknown option"),
    ]:
        with pytest.raises(ValueError, match=words):
            env.reset(options=options)
    with pytest.raises(ValueError, match="not an environment of mazegrad in a maze"):
        parallel_env("CartPole-v1", 2)
