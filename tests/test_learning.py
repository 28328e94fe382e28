"""Q-learning finds what exact planning says is best, and says no to what it cannot do."""

import gymnasium
import numpy as np
import pytest

from mazegrad.agents import QLearning, evaluate
from mazegrad.envs import MazeEnv, distances


def learner(env: gymnasium.Env, **keywords: float) -> QLearning:
    return QLearning(env, rng=np.random.default_rng(0), **{"learning_rate": 0.5, **keywords})


def test_it_learns_the_edge_of_the_cliff() -> None:
    """Sutton & Barto, example 6.6: off-policy, it learns the optimal path, -13, though it falls while it explores."""
    env = gymnasium.make("mazegrad/CliffWalk-v0", observation="index")
    agent = learner(env, discount=1.0)
    returns = agent.train(episodes=500, seed=0)
    assert returns.shape == (500,)
    assert returns[-100:].mean() < -13, "it explores, and falls"
    assert evaluate(env, agent, episodes=1, seed=0).returns.tolist() == [-13]


def test_greedy_is_shortest_in_four_rooms() -> None:
    env = gymnasium.make("mazegrad/FourRooms-v0", observation="position")
    agent = learner(env)
    agent.train(episodes=400, seed=0)
    bare = env.unwrapped
    assert isinstance(bare, MazeEnv)
    best = distances(bare.world)[bare.world.start_states[0]]
    assert evaluate(env, agent, episodes=1, seed=0).lengths.tolist() == [best]


def test_four_bits_are_not_enough_on_sheet38() -> None:
    """What `certify_memory` proves: no map from the dots to an action arrives."""
    env = gymnasium.make("mazegrad/PathFollow-v0", time_limit=300)
    agent = learner(env)
    agent.train(episodes=200, seed=0)
    assert not evaluate(env, agent, episodes=1, seed=0).successes.any()


def test_the_same_rng_learns_the_same() -> None:
    def values() -> np.ndarray:
        agent = learner(gymnasium.make("mazegrad/IceLake-v0", observation="index"))
        agent.train(episodes=20, seed=3)
        return agent.action_values(np.arange(agent.env.observation_space.n))

    assert (values() == values()).all()


@pytest.mark.parametrize("observation", ["dots", "index", "position", "view"])
def test_a_batch_equals_its_rows(observation: str) -> None:
    env = gymnasium.make("mazegrad/FourRooms-v0", observation=observation)
    agent = learner(env)
    agent.train(episodes=5, seed=0)
    seen = [env.reset(seed=0)[0], *(env.step(action)[0] for action in (1, 1, 3, 3, 1))]
    actions, _ = agent.act(np.array(seen), agent.initial_state(len(seen)))
    assert actions.tolist() == [agent.act(row, None)[0] for row in seen]


def test_bad_numbers_are_refused() -> None:
    env = gymnasium.make("mazegrad/FourRooms-v0")
    with pytest.raises(ValueError, match="learning_rate must be above 0"):
        learner(env, learning_rate=0.0)
    for keywords in ({"learning_rate": 1.5}, {"discount": 1.5}, {"epsilon": float("nan")}):
        with pytest.raises(ValueError, match="a number from 0 to 1"):
            learner(env, **keywords)
    with pytest.raises(ValueError, match="episodes must be an integer >= 1"):
        learner(env).train(episodes=0)
    with pytest.raises(ValueError, match="discrete actions"):
        learner(gymnasium.make("Pendulum-v1"))
