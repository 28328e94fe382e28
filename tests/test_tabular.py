"""Tabular learners: each finds what exact planning says is best, learns by its own equation, and can be saved."""

import gymnasium
import numpy as np
import pytest

from mazegrad.agents import (
    SARSA,
    Agent,
    DoubleQLearning,
    DynaQ,
    ExpectedSARSA,
    PrioritizedSweeping,
    QLearning,
    evaluate,
    regret,
)
from mazegrad.agents.learners.tabular import TDLearner, ValueTable
from mazegrad.agents.learners.tabular.schedules import exponential, harmonic, linear, power
from mazegrad.envs import MazeEnv

FAMILY = {
    "Q-learning": QLearning,
    "SARSA": SARSA,
    "expected SARSA": ExpectedSARSA,
    "double Q-learning": DoubleQLearning,
    "4-step Q-learning": lambda env, **k: QLearning(env, steps=4, **k),
    "4-step SARSA": lambda env, **k: SARSA(env, steps=4, **k),
    "Q(0.8)": lambda env, **k: QLearning(env, trace=0.8, **k),
    "SARSA(0.8)": lambda env, **k: SARSA(env, trace=0.8, **k),
    "Dyna-Q": DynaQ,
    "prioritised sweeping": PrioritizedSweeping,
}


def made(name, world="DynaMaze", **keywords):
    env = gymnasium.make(f"mazegrad/{world}-v0", observation="index")
    return FAMILY[name](env, rng=np.random.default_rng(0), **keywords)


@pytest.mark.parametrize("name", FAMILY)
def test_each_learns_the_dyna_maze(name):
    learner = made(name, discount=0.95)
    returns = learner.train(episodes=40 if name in ("Dyna-Q", "prioritised sweeping") else 300, seed=0)
    assert isinstance(learner, Agent) and isinstance(learner, TDLearner)
    assert len(returns) == len(learner.lengths)
    env = gymnasium.make("mazegrad/DynaMaze-v0", observation="index", time_limit=60)
    assert evaluate(env, learner, 1, 0).lengths[0] <= 16  # 14 is best
    assert -1e-12 < regret(env.unwrapped.world, learner) < 0.06


@pytest.mark.parametrize("name", FAMILY)
def test_the_same_rng_learns_the_same_and_tables_are_saved(name, tmp_path):
    one, other = made(name), made(name)
    one.train(episodes=5, seed=1), other.train(steps=sum(one.lengths) - 1, seed=1)
    states = np.arange(one.env.observation_space.n)
    assert (one.action_values(states) == other.action_values(states)).all()
    one.save(tmp_path / "table.npz")
    loaded = ValueTable.load(tmp_path / "table.npz")
    assert (loaded.action_values(states) == one.action_values(states)).all()
    assert loaded.act(states, None)[0].tolist() == [loaded.act(state, None)[0] for state in states]
    (tmp_path / "other.npz").write_bytes(b"PK nonsense")
    with pytest.raises(ValueError, match="not a saved table"):
        ValueTable.load(tmp_path / "other.npz")


def test_sarsa_earns_more_online_and_q_learning_knows_the_edge():
    """Sutton & Barto, example 6.6: with a constant epsilon of 0.1."""
    settings = {"discount": 1.0, "epsilon": 0.1, "learning_rate": 0.5, "initial": 0.0}
    learners = {name: made(name, "CliffWalk", **settings) for name in ("Q-learning", "SARSA")}
    online = {name: learner.train(episodes=500, seed=0)[-200:].mean() for name, learner in learners.items()}
    assert online["SARSA"] > online["Q-learning"] + 8
    env = gymnasium.make("mazegrad/CliffWalk-v0", observation="index")
    assert evaluate(env, learners["Q-learning"], 1, 0).returns.tolist() == [-13]


class Chain(gymnasium.Env):
    """Two steps, rewards 1 and 2, then the end; the only choice is none."""

    observation_space, action_space = gymnasium.spaces.Discrete(3), gymnasium.spaces.Discrete(1)

    def reset(self, *, seed=None, options=None):
        self.at = 0
        return 0, {}

    def step(self, action):
        self.at += 1
        return self.at, float(self.at), self.at == 2, False, {}


@pytest.mark.parametrize(
    ("keywords", "after_one"),
    [
        ({}, [0.5, 1.0]),  # q += (r + 0.9 q' - q) / 2, step by step
        ({"steps": 2}, [0.5 * (1 + 0.9 * 2), 1.0]),  # the whole return
        ({"trace": 1.0}, [0.5 * 1 + 0.9 * 0.5 * 2, 1.0]),  # each error reaches back, weighted by 0.9
        ({"trace": 0.5}, [0.5 * 1 + 0.45 * 0.5 * 2, 1.0]),
    ],
    ids=str,
)
def test_one_episode_by_hand(keywords, after_one):
    for kind in (QLearning, SARSA, ExpectedSARSA):
        learner = kind(
            Chain(), learning_rate=0.5, discount=0.9, epsilon=0.0, initial=0.0, rng=np.random.default_rng(0), **keywords
        )
        learner.train(episodes=1)
        np.testing.assert_allclose(learner.action_values(np.arange(2))[:, 0], after_one)


def test_schedules():
    assert [linear(1, 0, 4)(n) for n in (0, 2, 4, 9)] == [1, 0.5, 0, 0]
    assert exponential(1, 3)(3) == 0.5 and harmonic(1, 10)(10) == 0.5 and power(0.5)(3) == 0.5
    for bad in (lambda: linear(1, 0, 0), lambda: harmonic(1, 0), lambda: power(-1), lambda: exponential(1, 0)):
        with pytest.raises(ValueError):  # noqa: PT011
            bad()
    learner = QLearning(Chain(), epsilon=lambda episode: 2.0, rng=np.random.default_rng(0))
    with pytest.raises(ValueError, match=r"epsilon\(0\) must be a number from 0 to 1, not 2.0"):
        learner.train(episodes=1)


def test_what_a_learner_would_observe_in_each_state():
    env = MazeEnv("key_door", observation="index")
    env.reset(seed=0)
    seen = env.observations()
    for _ in range(200):
        observation, *_ = env.step(int(np.random.default_rng(env.state).integers(4)))
        assert seen[env.state] == observation


def test_bad_settings_are_named():
    rng = np.random.default_rng(0)
    for keywords, message in (
        ({"target": "maximum"}, "unknown target 'maximum'"),
        ({"trace": 0.5, "steps": 2}, "trace does not go together"),
        ({"steps": 0}, "steps must be an integer >= 1"),
        ({"initial": float("nan")}, "initial must be a finite number"),
        ({"epsilon": 2}, "epsilon must be a number from 0 to 1"),
    ):
        with pytest.raises(ValueError, match=message):
            TDLearner(Chain(), rng=rng, **keywords)
    with pytest.raises(ValueError, match="a number of episodes, or steps="):
        TDLearner(Chain(), rng=rng).train()
    with pytest.raises(TypeError, match="exact values are known"):
        regret(MazeEnv().world, TDLearner(Chain(), rng=rng))
