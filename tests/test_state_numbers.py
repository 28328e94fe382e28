"""One numbering: what `observation="state"` shows is the row of every table, whoever steps and whatever is drawn."""

import copy
import pickle
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces

from mazegrad.agents import ShortestPathAgent, agent_from_policy, evaluate, rollout
from mazegrad.envs import (
    MAZES,
    Maze,
    MazeEnv,
    MazeVectorEnv,
    World,
    evaluate_policy,
    generate,
    load_maze,
    value_iteration,
)

from contract_child import IDS
from random_worlds import random_maze

KEYED = "S.a.A.G\n..*.#..\n"


@pytest.mark.parametrize("name", IDS)
def test_the_policy_of_value_iteration_is_optimal_in_the_environment(name: str) -> None:
    levels = {"level_seeds": [4]} if name == "mazegrad/Maze-v0" else {}
    env = gymnasium.make(name, observation="state", time_limit=2000, **levels)
    env.reset(seed=0)
    world = env.unwrapped.world
    best = value_iteration(world, discount=0.95)
    agent = agent_from_policy(best)
    assert env.observation_space.n == world.states == len(env.unwrapped.P)
    assert np.array_equal(env.unwrapped.observations(), np.arange(world.states))
    if name == "mazegrad/TMaze-v0":  # two mazes, so two policies: each is best in its own
        by_maze = {}
        for seed in range(10):
            env.reset(seed=seed)
            best = value_iteration(env.unwrapped.world, discount=0.95)
            played = rollout(env, agent_from_policy(best), seed=seed)
            by_maze[env.unwrapped.maze] = played.rewards @ 0.95 ** np.arange(len(played.rewards)) - best.expected_return
        assert len(by_maze) == 2 and max(map(abs, by_maze.values())) < 1e-9
        return
    lanes = gymnasium.make_vec(name, num_envs=500, observation="state", time_limit=2000, **levels)
    for played in (evaluate(env, agent, 5, 0, discount=0.95), evaluate(lanes, agent, 2000, 0, discount=0.95)):
        if not world.slip.any() and len(world.start_states) == 1:
            assert np.abs(played.returns - best.expected_return).max() < 1e-9
        else:
            noise = played.returns.std() / len(played.returns) ** 0.5
            assert abs(played.returns.mean() - best.expected_return) <= 5 * noise + 1e-9
    assert abs(evaluate_policy(world, best.policy, discount=0.95).values - best.values).max() < 1e-8


@pytest.mark.parametrize("name", MAZES)
def test_p_is_what_the_environment_does(name: str) -> None:
    env = MazeEnv(name, observation="state", time_limit=None)
    state, _ = env.reset(seed=1)
    rng = np.random.default_rng(0)
    for _ in range(300):
        action = int(rng.integers(4))
        after, reward, terminated, _, _ = env.step(action)
        listed = env.P[state][action]
        assert (after, reward, terminated) in [outcome[1:] for outcome in listed]
        assert after == env.state and after in env.observation_space
        assert abs(sum(outcome[0] for outcome in listed) - 1) < 1e-9
        state = env.reset()[0] if terminated else after


@pytest.mark.parametrize("seed", range(30))
def test_states_of_random_worlds(seed: int) -> None:
    maze = random_maze(np.random.default_rng(seed))
    env = MazeEnv(maze, observation="state")
    lanes = MazeVectorEnv(maze, 3, observation="state", info="state")
    assert env.observation_space == spaces.Discrete(env.world.states) == lanes.single_observation_space
    assert np.array_equal(env.observations(), np.arange(env.world.states))
    seen, info = lanes.reset(seed=seed)
    for step in range(60):
        assert np.array_equal(seen, info["state"])
        seen, _, _, _, info = lanes.step(np.full(3, step * 7 % 4))


def levels(how: str) -> dict[str, Any]:
    return {
        "fresh": {},
        "few": {"level_seeds": range(5)},
        "many": {"level_seeds": range(3000)},
        "caves": {"generator": "caves", "size": (12, 12)},
        "braided": {"braid": 0.5, "level_seeds": range(7)},
        "pinned": {"braid": 0.5, "level_seeds": range(3), "pinned": True},
    }[how]


@pytest.mark.parametrize("encoding", [None, "float"])
@pytest.mark.parametrize("how", ["fresh", "few", "many", "caves", "braided", "pinned"])
def test_where_resets_draw_mazes_a_state_is_a_row_of_the_maze_now(how: str, encoding: str | None) -> None:
    keywords = {"observation": "state", "encoding": encoding, "time_limit": 9, **levels(how)}
    lanes = gymnasium.make_vec("mazegrad/Maze-v0", num_envs=3, info=("state",), **keywords)
    singles = [gymnasium.make("mazegrad/Maze-v0", info=("state",), **keywords) for _ in range(3)]
    assert all(env.observation_space == lanes.single_observation_space for env in singles)
    seen, info = lanes.reset(seed=5)
    if how != "pinned":  # the single environment keeps the first level
        alone = [env.reset(seed=5 + i)[0] for i, env in enumerate(singles)]
        assert np.array_equal(seen, alone)
    rng = np.random.default_rng(2)
    for _ in range(60):
        rows = seen if encoding is None else seen.argmax(axis=1)
        assert np.array_equal(rows, info["state"]) and seen in lanes.observation_space
        seen, _, _, _, info = lanes.step(rng.integers(4, size=3))


def test_an_environment_takes_mazes_with_as_many_states_or_fewer() -> None:
    small, same, large = (Maze.from_text(text) for text in ("S.G.\n", "S.G..\n", "S...G\n.....\n"))
    for env in (MazeEnv(same, observation="state", encoding="float"), MazeVectorEnv(same, 2, observation="state")):
        env.reset(seed=0, options={"maze": small})
        assert env.reset(seed=0, options={"maze": small})[0] in env.observation_space
        with pytest.raises(ValueError, match=r"10.*declared.*5"):
            env.reset(seed=0, options={"maze": large})
    assert MazeVectorEnv([small, large], 2, observation="state").single_observation_space == spaces.Discrete(10)


def test_states_with_keys_in_copies_and_saved_states() -> None:
    env = MazeEnv(KEYED, observation="state", encoding="float")
    env.reset(seed=0)
    for action in (1, 1, 3):
        seen = env.step(action)[0]
    assert seen.argmax() == env.state and seen.shape == (env.world.states,)
    other = pickle.loads(pickle.dumps(env))
    again = MazeEnv(KEYED, observation="state", encoding="float")
    again.set_state(env.get_state())
    for twin in (other, again, copy.deepcopy(env)):
        assert np.array_equal(twin.step(1)[0], copy.deepcopy(env).step(1)[0])


@pytest.mark.parametrize("encoding", ["float", "planes", "planes_last"])
def test_environments_with_encodings_pickle(encoding: str) -> None:
    for env in (MazeEnv(observation="map", encoding=encoding), MazeVectorEnv(observation="map", encoding=encoding)):
        env.reset(seed=0)
        other = pickle.loads(pickle.dumps(env))
        action = 0 if isinstance(env, MazeEnv) else np.zeros(1, dtype=np.int64)
        assert np.array_equal(env.step(action)[0], other.step(action)[0])


def test_what_does_not_fit_is_named_on_both_sides() -> None:
    agent = agent_from_policy(value_iteration(World.compile(load_maze("dyna_maze"))))
    for how, said in (
        ({"observation": "index"}, r"47 states, but the environment shows 'index', Discrete\(54\)"),
        ({"observation": "dots"}, r"47 states, but the environment shows 'dots', MultiBinary\(4\)"),
        ({"observation": "state", "encoding": "float"}, r"47 states, but the environment shows Box"),
        ({"observation": "state", "maze": "four_rooms"}, "47 states, but the environment has 104"),
    ):
        for env in (
            gymnasium.make("mazegrad/DynaMaze-v0", **how),
            gymnasium.make_vec("mazegrad/DynaMaze-v0", num_envs=2, **how),
        ):
            with pytest.raises(ValueError, match=said):
                rollout(env, agent, seed=0)
            with pytest.raises(ValueError, match=said):
                evaluate(env, agent, 1, 0)
    with pytest.raises(ValueError, match=r"47 states, but the observation is 53; .*observation=\"state\""):
        agent.act(53, None)
    with pytest.raises(ValueError, match=r"int8 of shape \(4,\)"):
        agent.act(np.array([1, 0, 0, 0], dtype=np.int8), None)
    walker = ShortestPathAgent(World.compile(load_maze("dyna_maze")))
    with pytest.raises(ValueError, match="54 indices, but the environment shows 'state'"):
        rollout(gymnasium.make("mazegrad/DynaMaze-v0", observation="state"), walker, seed=0)


def test_a_random_policy_is_worth_what_it_is_said_to_be() -> None:
    world = World.compile(load_maze("cliff_walk"))
    chances = np.random.default_rng(0).dirichlet(np.ones(4), size=world.states)
    lanes = gymnasium.make_vec("mazegrad/CliffWalk-v0", num_envs=1000, observation="state", time_limit=400)
    played = evaluate(lanes, agent_from_policy(chances, rng=np.random.default_rng(1)), 4000, 0, discount=0.9)
    expected = evaluate_policy(world, chances, discount=0.9).expected_return
    assert abs(played.returns.mean() - expected) <= 5 * played.returns.std() / 4000**0.5
    single = gymnasium.make("mazegrad/CliffWalk-v0", observation="state", time_limit=40)
    one = rollout(single, agent_from_policy(chances, rng=np.random.default_rng(1)), seed=0)
    again = rollout(single, agent_from_policy(chances, rng=np.random.default_rng(1)), seed=0)
    assert one.actions.tolist() == again.actions.tolist() and len(set(one.actions.tolist())) > 1


@pytest.mark.parametrize("policy", [np.zeros((3, 4), dtype=int), [0.5], [-1, 0], [[0.5, 0.5]], [[0.4, 0.5]], []])
def test_policies_that_are_not_any(policy: Any) -> None:
    with pytest.raises(ValueError, match=r"policy|actions"):
        agent_from_policy(policy)


def test_a_policy_for_gymnasiums_own_tables() -> None:
    env = gymnasium.make("FrozenLake-v1", is_slippery=False)
    played = rollout(env, agent_from_policy([2, 2, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 2, 0]), seed=0)
    assert played.total == 1.0
    with pytest.raises(ValueError, match="3 states, but the environment has 16"):
        rollout(env, agent_from_policy([0, 1, 2]), seed=0)


def test_states_of_generated_mazes_survive_a_rewrite_of_their_place() -> None:
    """A lane's maze is replaced in place at each reset; its states are numbered anew."""
    mazes = [generate("dungeon", 6, 6, rng=np.random.default_rng(seed)) for seed in range(6)]
    lanes = MazeVectorEnv([max(mazes, key=lambda maze: maze.open.sum())] * 2, 2, observation="state", info="state")
    for maze in mazes:
        seen, info = lanes.reset(seed=1, options={"maze": maze})
        for action in (0, 1, 2, 3, 1, 1):
            assert np.array_equal(seen, info["state"])
            seen, _, _, _, info = lanes.step(np.array([action, 3 - action]))
