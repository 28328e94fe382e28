"""Learners of tables: what they learn is what the book says and exact planning confirms."""

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces

from mazegrad.agents import (
    SARSA,
    DoubleQLearning,
    DynaQ,
    ExpectedSARSA,
    PrioritizedSweeping,
    QLearning,
    TDLearner,
    ValueTable,
    evaluate,
)
from mazegrad.agents.learners.tabular import greedy_policy, learned_values, plot_values, regret, schedules
from mazegrad.envs import Maze, MazeEnv, World, distances, evaluate_policy, load_maze, value_iteration

KINDS = [
    (QLearning, {}),
    (QLearning, {"steps": 3}),
    (QLearning, {"trace": 0.7}),
    (SARSA, {}),
    (SARSA, {"steps": 3}),
    (SARSA, {"trace": 0.7}),
    (ExpectedSARSA, {"steps": 2}),
    (DoubleQLearning, {}),
    (DoubleQLearning, {"target": "expected", "steps": 2}),
    (DynaQ, {}),
    (DynaQ, {"bonus": 1e-3, "forget": 0.1}),
    (PrioritizedSweeping, {}),
]


def learner(env: gymnasium.Env, kind: type[TDLearner] = QLearning, seed: int = 0, **keywords) -> TDLearner:
    return kind(env, rng=np.random.default_rng(seed), **keywords)


def table(agent: ValueTable) -> dict:
    return {key: row.q for key, row in agent.rows.items()}


class Chain(gymnasium.Env):
    """0, 1, ... n - 1, one step each whatever the action; the last earns 1, or what `rewards` gives, and ends."""

    def __init__(self, states: int = 5, actions: int = 1, rewards=lambda: 1.0) -> None:
        self.observation_space, self.action_space = spaces.Discrete(states), spaces.Discrete(actions)
        self.rewards, self.at = rewards, 0

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.at = 0
        return self.at, {}

    def step(self, action):
        ends = self.at == self.observation_space.n - 1
        self.at += not ends
        return self.at, self.rewards() if ends else 0.0, ends, False, {}


# ------------------------------------------------------------------------------------------------------------ the book
def test_q_learning_finds_the_edge_of_the_cliff_and_sarsa_the_safe_way() -> None:
    """Sutton & Barto, example 6.6: Q-learning learns the best path, -13, and falls on it; SARSA earns more."""
    env = gymnasium.make("mazegrad/CliffWalk-v0", observation="index")
    book = {"learning_rate": 0.5, "discount": 1.0, "epsilon": 0.1}
    online = {}
    for kind in (QLearning, SARSA):
        online[kind] = np.mean([learner(env, kind, seed, **book).train(500, seed)[-200:].mean() for seed in range(5)])
    assert -60 < online[QLearning] < -35 < -30 < online[SARSA] < -17
    agent = learner(env, **book)
    agent.train(episodes=500, seed=0)
    assert evaluate(env, agent, episodes=1, seed=0).returns.tolist() == [-13]
    assert regret(env.unwrapped.world, agent) == 0


def test_sarsa_walks_the_windy_grid() -> None:
    """Example 6.5: with alpha 0.5 and epsilon 0.1 some 170 episodes in 8,000 steps."""
    env = gymnasium.make("mazegrad/WindyGrid-v0", observation="index", time_limit=None)
    made = [
        len(learner(env, SARSA, seed, learning_rate=0.5, discount=1.0, epsilon=0.1).train(steps=8000, seed=seed))
        for seed in range(5)
    ]
    assert 140 < np.mean(made) < 220


class Biased(gymnasium.Env):
    """Example 6.7: from A right ends, left leads to B, where every action ends and earns -0.1 in the mean."""

    def __init__(self) -> None:
        self.observation_space, self.action_space = spaces.Discrete(2), spaces.Discrete(10)
        self.lefts = 0

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.at = 0
        return 0, {}

    def step(self, action):
        if self.at == 0 and action < 5:
            self.at, self.lefts = 1, self.lefts + 1
            return 1, 0.0, False, False, {}
        return self.at, self.np_random.normal(-0.1, 1.0) if self.at else 0.0, True, False, {}


def test_double_learning_takes_no_luck_for_value() -> None:
    def lefts(kind: type[TDLearner]) -> float:
        counts = []
        for seed in range(30):
            env = Biased()
            learner(env, kind, seed, learning_rate=0.1, discount=1.0, epsilon=0.1).train(300, seed)
            counts.append(env.lefts / 300)
        return float(np.mean(counts))

    assert lefts(QLearning) > lefts(DoubleQLearning) + 0.1


def test_where_nothing_is_random_two_tables_are_one() -> None:
    """On the cliff each table would else pass the other's fears on, and no way would lead to the goal."""
    env = gymnasium.make("mazegrad/CliffWalk-v0", observation="index")
    agent = learner(env, DoubleQLearning)
    agent.train(episodes=200, seed=0)
    assert regret(env.unwrapped.world, agent) == 0
    assert all(row.first == row.second for row in agent.rows.values())


def test_where_much_is_random_two_tables_part() -> None:
    """By default, too: up and down earn -1 or 1, by luck, so nothing is worth more than 0."""
    highest = {QLearning: 0.0, DoubleQLearning: 0.0}
    for kind in highest:
        for seed in range(20):
            env = MazeEnv(Maze.from_text("XSG"), observation="index", slip=1.0)
            agent = learner(env, kind, seed)
            agent.train(episodes=1000, seed=seed)
            highest[kind] += agent.action_values(1).max() / 20
    assert highest[QLearning] > highest[DoubleQLearning] + 0.02
    assert highest[DoubleQLearning] < 0.04


# ------------------------------------------------------------------------------------------------------ what they learn
EPISODES = {"CliffWalk": 500, "WindyGrid": 500, "DynaMaze": 500, "FourRooms": 500, "KeyDoor": 500, "IceLake": 5000}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "kind"),
    [(name, kind) for name in EPISODES for kind in (QLearning, DoubleQLearning, DynaQ, PrioritizedSweeping)],
)
def test_defaults_reach_the_optimum(name: str, kind: type[TDLearner]) -> None:
    """Within 1 % of V*, by exact values, for 19 of 20 seeds."""
    env = gymnasium.make(f"mazegrad/{name}-v0", observation="index")
    world = env.unwrapped.world
    best = value_iteration(world).expected_return
    found = 0
    for seed in range(20):
        agent = learner(env, kind, seed)
        agent.train(EPISODES[name] // (5 if issubclass(kind, DynaQ) else 1), seed)
        found += regret(world, agent) <= 0.01 * abs(best)
    assert found >= 19


def test_expected_sarsa_finds_the_best_of_all_ways_that_explore() -> None:
    """On the cliff the best policy that takes one action in ten at random is not the best policy: 14.3 % less."""
    env = gymnasium.make("mazegrad/CliffWalk-v0", observation="index")
    world, explore = env.unwrapped.world, 0.1
    values = np.zeros((world.states, 4))
    for _ in range(200):  # Bellman's equation, with the random actions in it
        ahead = 0.99 * ((1 - explore) * values.max(axis=1) + explore * values.mean(axis=1))
        rows = [[env.unwrapped.P[s][a] for a in range(4)] for s in range(world.states)]
        values = np.array([[sum(p * (r + (not end) * ahead[n]) for p, n, r, end in o) for o in row] for row in rows])

    def worth(policy: np.ndarray, random: float = explore) -> float:
        chances = np.full((world.states, 4), random / 4)
        chances[np.arange(world.states), policy] += 1 - random
        return evaluate_policy(world, chances).expected_return

    best = values.argmax(axis=1)
    assert worth(best, random=0) / value_iteration(world).expected_return == pytest.approx(1.143, abs=5e-4)
    for seed in range(3):
        agent = learner(env, ExpectedSARSA, seed)
        agent.train(episodes=500, seed=seed)
        assert worth(greedy_policy(world, agent)) == pytest.approx(worth(best))


@pytest.mark.parametrize("kind", [SARSA, ExpectedSARSA])
def test_without_exploration_what_may_come_of_it_is_not_feared(kind: type[TDLearner]) -> None:
    """Values that begin above all that can be earned have everything tried, and the way is the one along the edge."""
    env = gymnasium.make("mazegrad/CliffWalk-v0", observation="index")
    for seed in range(3):
        agent = learner(env, kind, seed, epsilon=0.0)
        agent.train(episodes=500, seed=seed)
        assert regret(env.unwrapped.world, agent) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("observation", ["position", "index", "view"])
def test_greedy_is_shortest_in_four_rooms(observation: str) -> None:
    env = gymnasium.make("mazegrad/FourRooms-v0", observation=observation, view_size=13)
    agent = learner(env)
    agent.train(episodes=300, seed=0)
    world = env.unwrapped.world
    assert evaluate(env, agent, episodes=1, seed=0).lengths.tolist() == [distances(world)[world.start_states[0]]]


def test_four_bits_are_not_enough_on_sheet38() -> None:
    """What `certify_memory` proves: no map from the dots to an action arrives."""
    env = gymnasium.make("mazegrad/PathFollow-v0", time_limit=300)
    agent = learner(env)
    agent.train(episodes=200, seed=0)
    assert not evaluate(env, agent, episodes=1, seed=0).successes.any()


def test_a_cut_episode_is_not_an_end() -> None:
    """Truncation bootstraps: the value of going on, not 0."""
    env = gymnasium.make("mazegrad/DynaMaze-v0", observation="index", time_limit=20, rewards={"step": -1, "goal": 0})
    for kind, keywords in KINDS[:6]:
        agent = learner(env, kind, learning_rate=1.0, initial=-30.0, discount=1.0, epsilon=1.0, **keywords)
        agent.train(episodes=5, seed=0)
        assert max(max(row) for row in table(agent).values()) <= -2


@pytest.mark.parametrize(
    ("keywords", "values"),
    [
        ({}, [0, 0, 0, 0, 0.5]),
        ({"steps": 3}, [0, 0, 0.5 * 0.81, 0.5 * 0.9, 0.5]),
        ({"steps": 99}, [0.5 * 0.9**k for k in (4, 3, 2, 1, 0)]),
        ({"trace": 0.8}, [0.5 * 0.72**k for k in (4, 3, 2, 1, 0)]),
        ({"trace": 1.0}, [0.5 * 0.9**k for k in (4, 3, 2, 1, 0)]),
    ],
    ids=str,
)
@pytest.mark.parametrize("target", ["max", "sample", "expected"])
def test_how_far_a_reward_reaches(target: str, keywords: dict, values: list[float]) -> None:
    env = Chain()
    agent = learner(env, TDLearner, target=target, learning_rate=0.5, discount=0.9, **keywords)
    agent.train(episodes=1)
    np.testing.assert_allclose(agent.action_values(np.arange(5))[:, 0], values)


@pytest.mark.parametrize("keywords", [{"steps": 4}, {"trace": 0.9}])
def test_off_policy_returns_end_where_the_learner_explores(keywords: dict) -> None:
    """Otherwise what came of random actions would be taken for the greedy policy's, as SARSA takes it."""
    env = gymnasium.make("mazegrad/DynaMaze-v0", observation="index")
    world = env.unwrapped.world
    exact, start = value_iteration(world), world.start_states[0]
    worth = {}
    for kind in (QLearning, SARSA):
        agent = learner(env, kind, epsilon=0.5, learning_rate=0.2, initial=0.0, **keywords)
        agent.train(episodes=1000, seed=0)
        learned = learned_values(world, agent)
        assert (learned <= exact.action_values + 1e-9).all()
        worth[kind] = learned[start].max()
    assert worth[SARSA] + 0.05 < worth[QLearning] == pytest.approx(exact.values[start], rel=0.03)


def test_where_nothing_is_random_values_are_exact_at_once() -> None:
    env = Chain(6)
    agent = learner(env, discount=0.5)
    for episode in range(1, 7):
        agent.train(episodes=1)
        values = agent.action_values(np.arange(6))[:, 0]
        assert values[6 - episode :].tolist() == [0.5**k for k in range(episode - 1, -1, -1)]


def test_where_much_is_random_the_adaptive_rate_takes_the_mean() -> None:
    rng = np.random.default_rng(0)
    for kind, keywords in ((QLearning, {}), (DynaQ, {})):
        env = Chain(1, rewards=lambda: float(rng.random() < 0.3))
        agent = learner(env, kind, **keywords)
        agent.train(episodes=4000)
        assert agent.action_values(0)[0] == pytest.approx(0.3, abs=0.06)
    assert agent.action_values(0)[0] == pytest.approx(np.mean(agent.returns)), "the model's mean is that of all"


# ---------------------------------------------------------------------------------------------------------------- Dyna
@pytest.mark.parametrize(("kind", "planning"), [(DynaQ, 100), (PrioritizedSweeping, 10)])
def test_planning_carries_a_reward_back_at_once(kind: type[TDLearner], planning: int) -> None:
    agent = learner(Chain(8), kind, planning=planning, discount=0.9, initial=0.0)
    agent.train(episodes=2)
    np.testing.assert_allclose(agent.action_values(np.arange(8))[:, 0], 0.9 ** np.arange(7, -1, -1))
    without = learner(Chain(8), DynaQ, planning=0, discount=0.9, initial=0.0)
    without.train(episodes=2)
    assert np.count_nonzero(without.action_values(np.arange(8))) == 2


def test_a_model_can_forget() -> None:
    reward = [1.0]
    env = Chain(1, rewards=lambda: reward[0])
    agents = {forget: learner(env, DynaQ, forget=forget) for forget in (0.0, 0.25, 1.0)}
    for agent in agents.values():
        reward[0] = 1.0
        agent.train(episodes=3)
        reward[0] = 0.0
        agent.train(episodes=1)
    assert {forget: agent.action_values(0)[0] for forget, agent in agents.items()} == {0.0: 0.75, 0.25: 0.75, 1.0: 0.0}
    agents[0.25].train(episodes=1)
    assert agents[0.25].action_values(0)[0] == pytest.approx(0.75**2)


def test_a_bonus_sends_the_learner_back_to_what_it_left_alone() -> None:
    def rarest(bonus: float) -> int:
        env = Chain(1, actions=4, rewards=lambda: 1.0)
        agent = learner(env, DynaQ, bonus=bonus, epsilon=0.0, initial=0.0, forget=1.0)
        counts = np.zeros(4, dtype=int)
        step = env.step

        def counted(action):
            counts[action] += 1
            return step(action)

        env.step = counted
        agent.train(episodes=500)
        return int(counts.min())

    assert rarest(0.0) == 0
    assert rarest(0.05) > 5


# ---------------------------------------------------------------------------------------------------------- the learner
@pytest.mark.parametrize(("kind", "keywords"), KINDS, ids=str)
def test_the_same_rng_learns_the_same(kind: type[TDLearner], keywords: dict) -> None:
    def learned() -> tuple[dict, list]:
        agent = learner(gymnasium.make("mazegrad/IceLake-v0", observation="index"), kind, **keywords)
        agent.train(episodes=20, seed=3)
        return table(agent), agent.lengths

    assert learned() == learned()


@pytest.mark.parametrize(("kind", "keywords"), KINDS, ids=str)
def test_returns_and_lengths(kind: type[TDLearner], keywords: dict) -> None:
    env = gymnasium.make("mazegrad/CliffWalk-v0", observation="index")
    agent = learner(env, kind, **keywords)
    first = agent.train(episodes=4, seed=0)
    second = agent.train(steps=100)
    assert first.shape == (4,) and agent.returns == [*first, *second]
    lengths = agent.lengths[4:]
    assert sum(lengths) >= 100 > sum(lengths[:-1])
    assert all(value <= -length for value, length in zip(agent.returns, agent.lengths, strict=True))


@pytest.mark.parametrize("observation", ["dots", "index", "position", "view"])
def test_a_batch_equals_its_rows(observation: str) -> None:
    env = gymnasium.make("mazegrad/FourRooms-v0", observation=observation)
    agent = learner(env)
    agent.train(episodes=5, seed=0)
    seen = [env.reset(seed=0)[0], *(env.step(action)[0] for action in (1, 1, 3, 3, 1))]
    actions, _ = agent.act(np.array(seen), agent.initial_state(len(seen)))
    assert actions.tolist() == [agent.act(row, None)[0] for row in seen]
    assert (agent.action_values(np.array(seen)) == [agent.action_values(row) for row in seen]).all()


@pytest.mark.parametrize("observation", ["dots", "index"])
def test_a_saved_table_acts_alike(observation: str, tmp_path) -> None:
    env = gymnasium.make("mazegrad/FourRooms-v0", observation=observation)
    agent = learner(env)
    agent.train(episodes=20, seed=0)
    agent.save(tmp_path / "table.npz")
    loaded = ValueTable.load(tmp_path / "table.npz")
    seen = env.unwrapped.observations()
    assert (loaded.action_values(seen) == agent.action_values(seen)).all() and len(loaded) == len(agent)
    damaged = (tmp_path / "table.npz").read_bytes()[:-40]
    (tmp_path / "table.npz").write_bytes(damaged)
    with pytest.raises(ValueError, match=r"table.npz is not a saved table"):
        ValueTable.load(tmp_path / "table.npz")


def test_schedules() -> None:
    assert [schedules.linear(1.0, 0.0, 4)(n) for n in (0, 1, 4, 9)] == [1.0, 0.75, 0.0, 0.0]
    assert [schedules.exponential(1.0, 2, 0.5)(n) for n in (0, 2, 4)] == [1.0, 0.75, 0.625]
    assert [schedules.harmonic(1.0, 10)(n) for n in (0, 10, 90)] == [1.0, 0.5, 0.1]
    assert [schedules.power(0.5)(n) for n in (0, 3)] == [1.0, 0.5]
    for wrong in (lambda: schedules.linear(1, 0, 0), lambda: schedules.harmonic(1, -1), lambda: schedules.power(0)):
        with pytest.raises(ValueError, match="positive"):
            wrong()
    asked: list[int] = []

    def epsilon(episode: int) -> float:
        asked.append(episode)
        return 1.0 / (1 + episode)

    learner(Chain(), epsilon=epsilon).train(episodes=3)
    assert asked == [0, 1, 2]
    rates: list[int] = []

    def rate(n: int) -> float:
        rates.append(n)
        return 0.5

    learner(Chain(1), learning_rate=rate).train(episodes=3)
    assert rates == [0, 1, 2]
    with pytest.raises(ValueError, match=r"epsilon\(1\) must be a number from 0 to 1, not 2"):
        learner(Chain(), epsilon=lambda n: 2 * n).train(episodes=2)


def test_exact_regret() -> None:
    env = gymnasium.make("mazegrad/DynaMaze-v0", observation="index")
    world = env.unwrapped.world
    agent = learner(env, initial=0.0)
    assert regret(world, agent) == pytest.approx(0.99**13), "it goes up for ever"
    cliff = gymnasium.make("mazegrad/CliffWalk-v0", observation="index")
    assert regret(cliff.unwrapped.world, learner(cliff, discount=1.0)) == np.inf
    agent.train(episodes=3, seed=0)
    policy = greedy_policy(world, agent)
    assert policy.shape == (47,) and (policy == learned_values(world, agent).argmax(axis=1)).all()
    with pytest.raises(TypeError, match="of this library's environments, not of a Chain"):
        regret(world, learner(Chain()))
    with pytest.raises(TypeError, match="a learner of a table, such as QLearning, not a ValueTable"):
        regret(world, ValueTable(4, 0))
    with pytest.raises(ValueError, match="not the declared"):
        regret(World.compile(load_maze("four_rooms")), agent)


def test_values_are_drawn(tmp_path) -> None:
    pytest.importorskip("matplotlib", reason="the extra plot")
    for name in ("CliffWalk", "KeyDoor"):
        env = gymnasium.make(f"mazegrad/{name}-v0", observation="index")
        agent = learner(env)
        agent.train(episodes=5, seed=0)
        figure = plot_values(env.unwrapped.world, agent, tmp_path / "values.png")
        assert (tmp_path / "values.png").read_bytes().startswith(b"\x89PNG")
        learned, exact = figure.axes[:2]
        assert "5 episodes" in learned.get_title() and "V*" in exact.get_title()
    plot_values(env.unwrapped.world, agent, carried=int(env.unwrapped.world.carried.max()))
    with pytest.raises(ValueError, match="nobody carries 99"):
        plot_values(env.unwrapped.world, agent, carried=99)
    with pytest.raises(ValueError, match="one maze, not of 2"):
        plot_values(World.stack([env.unwrapped.world] * 2), agent)


@pytest.mark.parametrize(("kind", "keywords"), KINDS, ids=str)
def test_each_learner_is_drawn_with_its_regret(kind: type[TDLearner], keywords: dict) -> None:
    pytest.importorskip("matplotlib", reason="the extra plot")
    env = gymnasium.make("mazegrad/IceLake-v0", observation="index")
    agent = learner(env, kind, **keywords)
    agent.train(episodes=20, seed=0)
    learned, exact = plot_values(env.unwrapped.world, agent).axes[:2]
    missed = regret(env.unwrapped.world, agent)
    assert 0 < missed <= value_iteration(env.unwrapped.world).expected_return + 1e-9
    assert f"regret {missed:.3g} " in learned.get_title()
    assert exact.get_title() == "V*, 0.542"


def test_bad_arguments_are_refused() -> None:
    env = gymnasium.make("mazegrad/FourRooms-v0")
    for keywords in ({"learning_rate": 1.5}, {"discount": 1.5}, {"epsilon": float("nan")}, {"trace": -0.1}):
        with pytest.raises(ValueError, match="a number from 0 to 1"):
            learner(env, **keywords)
    refused = [
        ({"learning_rate": 0.0}, "above 0"),
        ({"learning_rate": "slow"}, '"adaptive", a number from 0 to 1 or a schedule'),
        ({"target": "maximum"}, "unknown target 'maximum'; did you mean 'max'"),
        ({"steps": 0}, "steps must be an integer >= 1"),
        ({"steps": 2, "trace": 0.5}, "trace does not go together with steps or double"),
        ({"double": True, "trace": 0.5}, "trace does not go together with steps or double"),
        ({"initial": float("inf")}, "initial must be a finite number"),
    ]
    for keywords, message in refused:
        with pytest.raises(ValueError, match=message):
            learner(env, TDLearner, **keywords)
    refused = [
        (DynaQ, {"planning": -1}, "planning must be an integer >= 0"),
        (DynaQ, {"bonus": -1.0}, "bonus must be 0 or a positive number"),
        (DynaQ, {"forget": 2.0}, "forget must be a number from 0 to 1"),
        (DynaQ, {"target": "sample"}, "a model does not know"),
        (PrioritizedSweeping, {"threshold": 0.0}, "threshold must be a positive number"),
        (PrioritizedSweeping, {"bonus": 1.0}, "use DynaQ"),
    ]
    for kind, keywords, message in refused:
        with pytest.raises(ValueError, match=message):
            learner(env, kind, **keywords)
    agent = learner(env)
    for keywords in ({"episodes": 0}, {"steps": 0}):
        with pytest.raises(ValueError, match="must be an integer >= 1"):
            agent.train(**keywords)
    for keywords in ({}, {"episodes": 1, "steps": 1}):
        with pytest.raises(ValueError, match="a number of episodes, or steps= instead"):
            agent.train(**keywords)
    with pytest.raises(ValueError, match="discrete actions"):
        learner(gymnasium.make("Pendulum-v1"))
    with pytest.raises(ValueError, match="integers or arrays"):
        learner(gymnasium.make("mazegrad/FourRooms-v0", observation=("dots", "index")))
    with pytest.raises(TypeError, match=r"a single environment, gymnasium.make\(id\), not in a MazeVectorEnv"):
        learner(gymnasium.make_vec("mazegrad/FourRooms-v0", num_envs=2))
    with pytest.raises(TypeError, match=r"numpy Generator, such as numpy.random.default_rng\(0\), not 3"):
        QLearning(env, rng=3)


def test_an_environment_shows_all_its_observations() -> None:
    env = MazeEnv("key_door", observation="view", view_size=3)
    seen = env.observations()
    observation, _ = env.reset(seed=0)
    assert seen.shape == (env.world.states, 3, 3)
    for action in (1, 3, 3, 3, 2, 1):
        assert (seen[env.state] == observation).all()
        observation, *_ = env.step(action)
