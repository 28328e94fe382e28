"""Offline data: what `collect` keeps is what single environments do, in every shape in which it is handed out."""

from typing import Any

import gymnasium
import numpy as np
import pytest

from mazegrad.agents import RandomAgent, path_follower, wall_follower_rnn
from mazegrad.agents.agent_state import with_rows
from mazegrad.offline import EXACT, collect

IDS = [name for name in gymnasium.registry if name.startswith("mazegrad/") and name != "mazegrad/Tabular-v0"]
ROOMS = "mazegrad/FourRooms-v0"


def equal(one: Any, other: Any) -> bool:
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(equal(one[name], other[name]) for name in one)
    return np.array_equal(one, other)


def at(arrays: Any, time: int) -> Any:
    return {name: at(part, time) for name, part in arrays.items()} if isinstance(arrays, dict) else arrays[time]


@pytest.mark.parametrize("env_id", IDS)
def test_every_episode_is_that_of_a_single_environment(env_id):
    """Reset with the episode's seed, the same actions give the same observations, rewards, ends and infos."""
    found = collect(env_id, "optimal", 400, lanes=8, seed=3, epsilon=0.4, slip=0.1, time_limit=17)
    assert found.steps == 400 and found.lengths.sum() == 400
    assert sorted(found.seeds.tolist()) == list(range(3, 3 + found.episodes))
    env = gymnasium.make(env_id, slip=0.1, time_limit=17, info=EXACT, disable_env_checker=True)
    for number in range(found.episodes):
        episode = found.episode(number)
        observation, info = env.reset(seed=int(found.seeds[number]))
        last = len(episode["actions"]) - 1
        for time, action in enumerate(episode["actions"].tolist()):
            assert equal(at(episode["observations"], time), observation) and equal(at(episode["infos"], time), info)
            observation, reward, terminated, truncated, info = env.step(action)
            assert (episode["rewards"][time], episode["terminations"][time]) == (reward, terminated)
            assert (terminated or truncated) == (time == last) or not truncated
            assert episode["truncations"][time] == truncated or (time == last and not terminated)
        assert equal(at(episode["observations"], last + 1), observation)
        assert equal(at(episode["infos"], last + 1), info)


def test_the_same_call_gives_the_same_data_and_another_seed_other_data():
    given = {"lanes": 7, "seed": 1, "observation": ("dots", "index")}

    def digest(**changes):
        return collect(ROOMS, "random", 300, **{**given, **changes}).digest

    assert digest() == digest()
    assert len({digest(), digest(seed=2), digest(epsilon=0.1), digest(lanes=6), digest(observation="index")}) == 5


def test_the_optimal_agent_earns_what_the_value_says():
    found = collect("mazegrad/Maze-v0", "optimal", 2000, lanes=16, size=(3, 3), discount=1.0, rewards={"step": -1})
    whole = found.terminations[found.ends]
    first = found.rows[found.ends - found.lengths + 1]
    assert whole.sum() > 50
    np.testing.assert_allclose(found.returns[whole], found.infos["value"][first][whole])


def test_epsilon_is_the_share_of_actions_that_are_drawn():
    found = collect(ROOMS, "optimal", 40_000, lanes=64, epsilon=0.5)
    best = found.infos["optimal_actions"][found.rows, found.actions]
    assert abs((1 - best.mean()) - 0.5 * (1 - found.infos["optimal_actions"][found.rows].mean())) < 0.02


def test_agents_remember_within_an_episode_only():
    """The path follower walks every episode to its end: its state begins anew with each."""
    found = collect("mazegrad/PathFollow-v0", path_follower(), 3000, lanes=5)
    assert found.episodes > 5 and found.terminations[found.ends[:-1]].sum() > 5 and found.truncations.sum() <= 5
    found = collect("mazegrad/Maze-v0", wall_follower_rnn(), 4000, lanes=4, size=(3, 3))
    assert found.terminations.sum() > 20 and found.truncations.sum() <= 4
    assert collect(ROOMS, RandomAgent(np.random.default_rng(0)), 100, lanes=5).steps == 100


def test_rows_of_states_are_replaced():
    state = (np.arange(3), (np.zeros((3, 2)), 7))
    after = with_rows(state, np.array([False, True, False]), (np.array([9]), (np.ones((1, 2)), 8)))
    assert after[0].tolist() == [0, 9, 2] and after[1][0].tolist() == [[0, 0], [1, 1], [0, 0]] and after[1][1] == 7
    assert state[0].tolist() == [0, 1, 2]


@pytest.fixture(scope="module")
def some():
    return collect(ROOMS, "optimal", 500, lanes=10, epsilon=0.2, observation=("index", "position"), time_limit=12)


def test_transitions_follow_each_other(some):
    steps = some.transitions()
    for number in range(some.episodes):
        episode, end = some.episode(number), int(some.ends[number]) + 1
        mine = slice(end - int(some.lengths[number]), end)
        for name in ("index", "position"):
            assert equal(steps["observations"][name][mine], episode["observations"][name][:-1])
            assert equal(steps["next_observations"][name][mine], episode["observations"][name][1:])
        assert equal(steps["rewards"][mine], episode["rewards"])
    before = some.digest
    steps["observations"]["index"][:] = steps["rewards"][:] = -5
    del some.__dict__["digest"]
    assert some.digest == before


def test_batches_hold_each_step_once(some):
    order = [batch["rewards"] for batch in some.batches(64, rng=np.random.default_rng(0))]
    assert [len(part) for part in order] == [64] * 7 + [52]
    numbered = collect(ROOMS, "random", 100, lanes=1)
    numbered.rewards[:] = np.arange(100)
    drawn = np.concatenate([batch["rewards"] for batch in numbered.batches(30, rng=np.random.default_rng(0))])
    assert sorted(drawn.tolist()) == list(range(100)) and drawn.tolist() != list(range(100))
    with pytest.raises(ValueError, match="size"):
        next(some.batches(0, rng=np.random.default_rng(0)))


def test_batches_of_torch(some):
    torch = pytest.importorskip("torch")
    batch = next(some.batches(32, rng=np.random.default_rng(0), torch=True))
    assert batch["observations"]["index"].dtype == torch.int64 and batch["actions"].shape == (32,)


def test_ogbench_terminals_end_trajectories_and_masks_end_bootstraps(some):
    data = some.ogbench()
    assert np.array_equal(np.flatnonzero(data["terminals"]), some.ends)
    assert np.array_equal(data["masks"], 1 - some.terminations)
    assert some.truncations.any() and data["masks"][some.truncations].all()
    compact = some.ogbench(compact=True)
    assert {len(part) for name, part in compact.items() if name != "observations"} == {some.steps + some.episodes}
    inside = compact["valids"] == 1
    assert inside.sum() == some.steps and equal(compact["actions"][inside], data["actions"])
    assert equal(compact["observations"]["index"][inside], data["observations"]["index"])
    behind = compact["observations"]["index"][1:][inside[:-1]]
    assert equal(behind, data["next_observations"]["index"])
    assert equal(compact["terminals"][~inside], np.ones(some.episodes)) and not inside[-1]


@pytest.mark.parametrize(
    ("wrong", "error", "words"),
    [
        ({"agent": "optimum"}, ValueError, "did you mean 'optimal'"),
        ({"agent": RandomAgent}, TypeError, "not its class"),
        ({"agent": "optimal", "info": ("value",)}, ValueError, "optimal_actions"),
        ({"epsilon": 1.5}, ValueError, "from 0 to 1"),
        ({"steps": 0}, ValueError, "steps"),
        ({"seed": -1}, ValueError, "seed"),
        ({"seed": 2**64 - 2}, ValueError, "too large"),
        ({"options": {"start": [(1, 1)] * 2}}, ValueError, "the same for all lanes"),
        ({"env": gymnasium.make_vec(ROOMS, num_envs=2)}, ValueError, "Disabled"),
        ({"env": gymnasium.make(ROOMS)}, TypeError, "vector environment"),
    ],
)
def test_wrong_arguments_are_named(wrong, error, words):
    given = {"env": ROOMS, "agent": "random", "steps": 10, **({} if "env" in wrong else {"lanes": 2}), **wrong}
    with pytest.raises(error, match=words):
        collect(**given)


def test_options_hold_for_every_episode():
    found = collect(ROOMS, "random", 60, lanes=3, time_limit=5, observation="position", options={"start": (2, 3)})
    first = found.rows[found.ends - found.lengths + 1]
    assert found.episodes == 12 and (found.observations[first] == (2, 3)).all()
