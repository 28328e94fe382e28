"""Environments from tables: a World as it is, or any decision process, one agent or many."""

import copy
import dataclasses
import pickle
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AutoresetMode

from mazegrad.agents import agent_from_policy, evaluate, rollout
from mazegrad.envs import (
    Maze,
    MazeEnv,
    MazeVectorEnv,
    Replay,
    TableState,
    TabularMDP,
    TabularMDPEnv,
    TabularMDPVectorEnv,
    World,
    evaluate_policy,
    load_maze,
    value_iteration,
)

from random_worlds import random_worlds

ID = "mazegrad/Tabular-v0"


def random_mdp(seed: int) -> TabularMDP:
    """A process with outcomes that are impossible, states that end, and several starts."""
    rng = np.random.default_rng(seed)
    states, outcomes = int(rng.integers(2, 9)), int(rng.integers(1, 5))
    probability = rng.random((states, 4, outcomes)) * (rng.random((states, 4, outcomes)) < 0.7)
    probability[..., 0] += probability.sum(axis=2) == 0
    probability /= probability.sum(axis=2, keepdims=True)
    next_state, reward = rng.integers(states, size=probability.shape), rng.normal(size=probability.shape)
    terminal = rng.random(states) < 0.3
    terminal[0] = False
    next_state[terminal] = np.flatnonzero(terminal)[:, None, None]
    reward[terminal] = 0
    start = np.where(terminal, 0.0, rng.random(states))
    return TabularMDP(probability, next_state, reward, terminal, start / start.sum(), rng.integers(3, size=states))


PROCESSES = {
    **{f"random {seed}": random_mdp(seed) for seed in range(12)},
    "ice_lake": TabularMDP.from_world(World.compile(load_maze("ice_lake"))),
}


@pytest.mark.parametrize("mode", ["NextStep", "SameStep", "Disabled"])
@pytest.mark.parametrize("name", PROCESSES)
def test_lane_i_is_the_single_environment(name: str, mode: str) -> None:
    keywords: dict[str, Any] = {"mdp": PROCESSES[name], "info": ("state", "value"), "time_limit": 7}
    lanes = gymnasium.make_vec(ID, num_envs=4, autoreset_mode=mode, **keywords)
    singles = [gymnasium.make(ID, **keywords) for _ in range(4)]
    rng = np.random.default_rng(1)
    seen, infos = lanes.reset(seed=3)
    for i, env in enumerate(singles):
        one, info = env.reset(seed=3 + i)
        assert (one, info) == (seen[i], {key: infos[key][i] for key in info})
    over = np.zeros(4, dtype=bool)
    for _ in range(60):
        if mode == "Disabled" and over.any():
            seen, infos = lanes.reset(options={"reset_mask": over})
            for i in np.flatnonzero(over):
                one, info = singles[i].reset()
                assert (one, info) == (seen[i], {key: infos[key][i] for key in info})
            over[:] = False
        actions = rng.integers(4, size=4)
        seen, rewards, terminated, truncated, infos = lanes.step(actions)
        for i, env in enumerate(singles):
            if mode == "NextStep" and over[i]:
                one, info = env.reset()
                assert (one, 0.0, False, False) == (seen[i], rewards[i], terminated[i], truncated[i])
            else:
                one, reward, end, cut, info = env.step(int(actions[i]))
                assert (reward, end, cut) == (rewards[i], terminated[i], truncated[i])
                if mode == "SameStep" and (end or cut):
                    assert infos["final_obs"][i] == one and infos["_final_obs"][i]
                    assert infos["final_info"]["value"][i] == info["value"]
                    one, info = env.reset()
            assert (one, info) == (seen[i], {key: infos[key][i] for key in info})
        over = terminated | truncated


@pytest.mark.parametrize("name", ["random 0", "random 1", "random 2", "random 3", "ice_lake"])
def test_what_happens_has_the_frequencies_of_the_tables(name: str) -> None:
    mdp = PROCESSES[name]
    lanes = TabularMDPVectorEnv(mdp, 20_000, observation="state")
    begun, _ = lanes.reset(seed=0)
    assert np.abs(np.bincount(begun, minlength=mdp.states) / 20_000 - mdp.start).max() < 0.02
    for action in range(4):
        for state in np.flatnonzero(~mdp.terminal)[:3].tolist():
            lanes.reset(options={"state": state})
            after, rewards, *_ = lanes.step(np.full(20_000, action))
            expected = np.bincount(mdp.next_state[state, action], mdp.probability[state, action], mdp.states)
            assert np.abs(np.bincount(after, minlength=mdp.states) / 20_000 - expected).max() < 0.02
            mean = mdp.probability[state, action] @ mdp.reward[state, action]
            assert abs(rewards.mean() - mean) < 0.05


@pytest.mark.parametrize("name", ["random 4", "random 5", "ice_lake"])
def test_the_best_policy_earns_its_value(name: str) -> None:
    mdp = PROCESSES[name]
    best = value_iteration(mdp, discount=0.9)
    lanes = gymnasium.make_vec(ID, num_envs=1000, mdp=mdp, observation="state", time_limit=200)
    played = evaluate(lanes, agent_from_policy(best), 4000, 0, discount=0.9)
    assert abs(played.returns.mean() - best.expected_return) <= 5 * played.returns.std() / 4000**0.5 + 1e-6
    with pytest.raises(ValueError, match="shows 'observation'"):
        rollout(TabularMDPEnv(mdp), agent_from_policy(best))


def test_gymnasiums_checks() -> None:
    for keywords in ({}, {"observation": "state"}, {"info": "value"}):
        check_env(TabularMDPEnv(PROCESSES["random 0"], **keywords), skip_render_check=True)
    world = World.compile(load_maze("ice_lake"))
    for mode in ("rgb_array", "ansi"):
        check_env(gymnasium.make(ID, mdp=world, render_mode=mode).unwrapped, skip_render_check=True)


def test_pictures_where_cells_are_known() -> None:
    world = World.compile(load_maze("ice_lake"))
    maze_env = MazeEnv(world, render_mode="ansi")
    maze_env.reset(seed=0)
    env = TabularMDPEnv(world, render_mode="ansi")
    env.reset(seed=0)
    assert env.render() == maze_env.render()
    lanes = gymnasium.make_vec(ID, num_envs=2, mdp=TabularMDP.from_world(world), world=world, render_mode="rgb_array")
    lanes.reset(seed=0)
    assert [frame.ndim for frame in lanes.render()] == [3, 3]
    plain = TabularMDPEnv(PROCESSES["random 0"], render_mode="ansi")
    plain.reset(seed=0)
    assert plain.render().startswith("state ")
    for make in (TabularMDPEnv, TabularMDPVectorEnv):
        with pytest.raises(ValueError, match="give world="):
            make(PROCESSES["random 0"], render_mode="rgb_array")
        with pytest.raises(ValueError, match="a World of"):
            make(PROCESSES["random 0"], world=world)


def test_saved_states_copies_and_replays(tmp_path: Path) -> None:
    mdp = PROCESSES["random 6"]
    env = gymnasium.make(ID, mdp=mdp, time_limit=20, observation="state")
    env.reset(seed=4)
    for _ in range(5):
        env.step(1)
    inner = env.unwrapped
    other = TabularMDPEnv(mdp, time_limit=20, observation="state")
    other.set_state(TableState.from_json(inner.get_state().to_json()))
    walks = []
    for twin in (other, copy.deepcopy(inner), pickle.loads(pickle.dumps(inner))):
        twin.set_state(inner.get_state())
        walks.append([twin.step(a % 4) for a in range(12)] + [twin.reset()])
    assert walks[0] == walks[1] == walks[2]
    for wrong in (None, (1, 2), TableState(99, 0, 0, 0, 0), TableState(0, -1, 0, 0, 0), TableState("a", 0, 0, 0, 0)):
        with pytest.raises(ValueError, match="not a state that get_state returned"):
            other.set_state(wrong)

    lanes = TabularMDPVectorEnv(mdp, 3, time_limit=6, observation="state")
    lanes.reset(seed=1)
    for _ in range(8):
        lanes.step(np.array([0, 1, 2]))
    again = TabularMDPVectorEnv(mdp, 3, time_limit=6, observation="state")
    again.set_state(TableState.from_json(lanes.get_state().to_json()))
    for step in range(30):
        results = [one.step(np.array([step % 4, 1, 3])) for one in (lanes, again)]
        assert all(np.array_equal(a, b) for a, b in zip(results[0][:4], results[1][:4], strict=True))

    recorder = Replay.record(gymnasium.make(ID, mdp=mdp, time_limit=9))
    for seed in (3, None):
        recorder.reset(seed=seed)
        for action in (0, 1, 2):
            recorder.step(action)
    recorder.replay.save(tmp_path / "run.jsonl")
    loaded = Replay.load(tmp_path / "run.jsonl")
    assert loaded.verify() is None
    wrong = dataclasses.replace(loaded, keywords={"mdp": {"mdp": "AAAA"}})
    with pytest.raises(ValueError, match="not"):
        wrong.verify()


def test_a_process_from_a_file(tmp_path: Path) -> None:
    PROCESSES["random 3"].save(tmp_path / "process.npz")
    env = gymnasium.make(ID, mdp=str(tmp_path / "process.npz"))
    assert env.unwrapped.digest == TabularMDPEnv(PROCESSES["random 3"]).digest
    assert PROCESSES["random 3"].to_gymnasium_P() == env.unwrapped.P


@pytest.mark.parametrize("action", [4, -1, 1.0, None, True, "1", np.array([1])], ids=repr)
def test_bad_actions(action: Any) -> None:
    env = TabularMDPEnv(PROCESSES["random 0"])
    with pytest.raises(gymnasium.error.ResetNeeded):
        env.step(0)
    env.reset(seed=0)
    before = env.get_state()
    with pytest.raises((ValueError, TypeError), match="an action is a number from 0 to 3"):
        env.step(action)
    assert env.get_state() == before


def test_bad_arguments() -> None:
    mdp = PROCESSES["random 0"]
    for make in (TabularMDPEnv, TabularMDPVectorEnv):
        for how, said in (
            ({"observation": "dots"}, "unknown observation"),
            ({"info": "distance"}, "unknown info"),
            ({"time_limit": 0}, "time_limit"),
            ({"discount": 2}, "discount"),
            ({"render_mode": "gif"}, "unknown render mode"),
        ):
            with pytest.raises(ValueError, match=said):
                make(mdp, **how)
        with pytest.raises(TypeError, match="a TabularMDP, a World, a name or a file"):
            make(7)
        for state in (99, -1):
            with pytest.raises(ValueError, match="a state of this process"):
                make(mdp).reset(options={"state": state})
    lanes = TabularMDPVectorEnv(mdp, 2, autoreset_mode=AutoresetMode.DISABLED)
    lanes.reset(seed=0)
    for actions in ([0], [0, 4], [0.0, 1.0]):
        with pytest.raises((ValueError, TypeError), match="action"):
            lanes.step(np.array(actions))


# a World as it is


def test_a_world_with_other_rewards_is_stepped_as_it_is(tmp_path: Path) -> None:
    """Berkeley's bridge with its goals at 1 and 10: a World whose rewards were replaced by hand."""
    maze = Maze.from_text("#XXXXX#\nGS....G\n#XXXXX#\n")
    world = World.compile(maze, rewards={"trap": -100})
    far = world.cell[world.next_state] == 13
    near = world.cell[world.next_state] == 7
    staying = world.next_state == np.arange(world.states)[:, None]
    reward = np.where(far & ~staying, 10.0, np.where(near & ~staying, 1.0, world.reward))
    world = dataclasses.replace(world, reward=reward)
    assert abs(value_iteration(world, discount=0.9).expected_return - 10 * 0.9**4) < 1e-9
    env = gymnasium.make("mazegrad/GridWorld-v0", maze=world, observation="state")
    lanes = gymnasium.make_vec("mazegrad/GridWorld-v0", num_envs=3, maze=world, observation="state")
    for one in (env, lanes):
        played = evaluate(one, agent_from_policy(value_iteration(world, discount=0.9)), 3, 0, discount=0.9)
        assert np.abs(played.returns - 6.561).max() < 1e-9 and played.successes.all()
    env.reset(seed=0)
    env.step(1)
    other = gymnasium.make("mazegrad/GridWorld-v0", maze=world, observation="state")
    other.unwrapped.set_state(env.unwrapped.get_state())
    for twin in (other, copy.deepcopy(env), pickle.loads(pickle.dumps(env))):
        assert [twin.unwrapped.step(1)[1] for _ in range(4)] == [0.0, 0.0, 0.0, 10.0]
    recorder = Replay.record(gymnasium.make("mazegrad/GridWorld-v0", maze=world))
    recorder.reset(seed=0)
    for _ in range(5):
        recorder.step(1)
    recorder.replay.save(tmp_path / "run.jsonl")
    assert Replay.load(tmp_path / "run.jsonl").verify() is None


@pytest.mark.parametrize("number", range(20))
def test_random_worlds_with_random_tables(number: int) -> None:
    rng = np.random.default_rng(number)
    world = random_worlds(1, seed=number)[0]
    reward = np.where(world.terminal[:, None], 0.0, rng.normal(size=world.reward.shape))
    slip = np.where(rng.random(world.states) < 0.5, 0.0, rng.random(world.states))
    world = dataclasses.replace(world, reward=reward, slip=slip)
    lanes = MazeVectorEnv([world, "S.G\n", world], 3, time_limit=20, info=("state",))
    singles = [MazeEnv(one, time_limit=20, info=("state",)) for one in (world, "S.G\n", world)]
    lanes.reset(seed=7)
    for i, env in enumerate(singles):
        env.reset(seed=7 + i)
    over = np.zeros(3, dtype=bool)
    for _ in range(60):
        actions = rng.integers(4, size=3)
        _, rewards, terminated, truncated, info = lanes.step(actions)
        for i, env in enumerate(singles):
            if over[i]:
                env.reset()
            else:
                before = env.state
                _, reward, end, cut, _ = env.step(int(actions[i]))
                assert (reward, end, cut) == (rewards[i], terminated[i], truncated[i])
                assert reward in env.world.reward[before]
            assert env.state == info["state"][i]
        over = terminated | truncated


def test_worlds_that_are_not_any() -> None:
    world = World.compile(load_maze("dyna_maze"))
    wrong = {
        "one maze": World.stack([world, world]),
        "finite": dataclasses.replace(world, reward=np.full_like(world.reward, np.nan)),
        "next states": dataclasses.replace(world, next_state=world.next_state + 10**6),
        "start states": dataclasses.replace(world, start_states=np.zeros(0, dtype=np.int64)),
        "terminal state": dataclasses.replace(world, reward=np.ones_like(world.reward)),
        "47 rows": dataclasses.replace(world, slip=world.slip[:-1]),
        "in that order": dataclasses.replace(world, cell=world.cell[::-1]),
    }
    for said, one in wrong.items():
        for make in (MazeEnv, MazeVectorEnv):
            with pytest.raises(ValueError, match=said):
                make(one)
    for how in ({"slip": 0.1}, {"rewards": {"goal": 2}}):
        with pytest.raises(ValueError, match="leave out rewards, slip"):
            MazeEnv(world, **how)
    with pytest.raises(ValueError, match="two worlds of one maze"):
        MazeVectorEnv([world, dataclasses.replace(world, reward=world.reward * 2)], 2)


def test_values_of_a_policy_from_tables_and_from_episodes() -> None:
    mdp = PROCESSES["random 7"]
    policy = np.random.default_rng(0).integers(4, size=mdp.states)
    lanes = gymnasium.make_vec(ID, num_envs=1000, mdp=mdp, observation="state", time_limit=100)
    played = evaluate(lanes, agent_from_policy(policy), 3000, 5, discount=0.8)
    expected = evaluate_policy(mdp, policy, discount=0.8).expected_return
    assert abs(played.returns.mean() - expected) <= 5 * played.returns.std() / 3000**0.5 + 1e-6
