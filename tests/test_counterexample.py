"""Counterexamples: the shortest path that an agent does not follow, and the proof that there is none."""

from typing import Any

import gymnasium
import numpy as np
import pytest

from mazegrad.agents import (
    EXCHANGE,
    Automaton,
    LinearRNN,
    RNNAgent,
    WallFollower,
    compile_automaton,
    counterexample,
    follows_every_path,
    path_follower,
    path_follower_automaton,
    rollout,
    t_maze_automaton,
    wall_follower_rnn,
)
from mazegrad.envs import DOWN, UP
from mazegrad.envs.maps.paths import check_path

from paths import BELOW, Walk, drawn, paths

I, J = np.eye(4), EXCHANGE


def net(U: np.ndarray, W: np.ndarray = I) -> RNNAgent:
    return RNNAgent(LinearRNN(W, U, np.zeros(4), [1, 0, 0, 0]))


class Counting:
    """path_follower(), which writes down how many paths it is shown at once."""

    def __init__(self) -> None:
        self.agent, self.shown = path_follower(), []

    def initial_state(self, batch_size: int | None = None) -> Any:
        return self.agent.initial_state(batch_size)

    def act(self, observation: Any, state: Any) -> Any:
        self.shown.append(len(observation))
        return self.agent.act(observation, state)


def test_every_path_is_tried() -> None:
    """As many of each length as the plain search of the tests finds; so 12,668 and 7,485 of ten steps."""
    for start, behind, ten in (("end", [], 12_668), ("dot below", [BELOW], 7_485)):
        agent = Counting()
        assert counterexample(agent, 10, starts=[start]) is None
        assert agent.shown[:6] == [len(list(paths(steps, behind))) for steps in range(1, 7)]
        assert agent.shown[9:] == [ten]


@pytest.mark.slow
def test_path_follower_has_none_up_to_twelve() -> None:
    assert counterexample(path_follower()) is None
    assert counterexample(path_follower(), margin=0.49) is None


def test_its_margin_of_one_half_is_tight() -> None:
    found = counterexample(path_follower(), margin=0.5)
    assert found is not None
    assert found.lead == 0.5
    assert found.went == found.moves[-1]  # it does go right, but no more clearly than that


def test_minus_j_fails_at_its_first_step() -> None:
    found = counterexample(net(-J))
    assert found is not None
    assert (found.moves, found.start, found.went, found.lead, found.shortest) == ((DOWN,), "end", UP, 0, True)
    assert str(found) == (
        "○\nG\nthe path ↓, from its end\nstep 1: it sees ↓ and should go down ↓\n"
        "it goes up ↑, where there is no dot; the right direction leads by 0"
    )
    assert counterexample(net(-J), 8, starts=["dot below"]) is None


@pytest.mark.parametrize(("c", "steps"), [(0.1, 18), (0.25, 28), (0.5, 54), (0.75, 127), (0.9, 333)])
def test_minus_c_j_fails_on_a_staircase(c: float, steps: int) -> None:
    found = counterexample(net(-c * J), max_length=6)
    assert found is not None
    assert not found.shortest
    assert len(found.moves) == steps
    assert len(set(found.moves)) == 2
    assert all(a != b for a, b in zip(found.moves, found.moves[1:], strict=False)), "a turn at every step"
    assert abs(found.lead) < 1e-15
    check_path(found.maze)


def test_what_fades_fails_on_straight_ways_too() -> None:
    """D' = -U D on a straight piece: nothing refreshes the heading there either."""
    agent = net(-0.25 * J)
    walk = rollout(
        gymnasium.make("mazegrad/PathFollow-v0", maze=drawn([(i, 0) for i in range(40)])), agent, max_steps=40
    )
    assert walk.actions[:27].tolist() == [DOWN] * 27
    assert walk.actions[27] == UP


def test_it_is_the_shortest_by_brute_force() -> None:
    """Random nets, against the plain search: every path, from both starts, on the tables of its drawn maze."""
    rng = np.random.default_rng(0)
    lengths = []
    drawings = {
        (steps, start): (ways, [drawn(way, behind) for way in ways])
        for steps in range(1, 5)
        for start, behind in (("end", []), ("dot below", [BELOW]))
        for ways in [list(paths(steps, behind))]
    }
    for trial in range(20):
        agent = net(path_follower().rnn.U + (0.03 + 0.015 * trial) * rng.normal(size=(4, 4)), 2 * I)
        fails = [
            steps
            for (steps, _), (ways, mazes) in drawings.items()
            if (Walk(agent.rnn, ways, mazes).margin[-1] <= 0).any()
        ]
        found = counterexample(agent, 4, beam_length=0)
        assert (len(found.moves) if found else None) == min(fails, default=None)
        lengths.append(min(fails, default=0))
    assert len(set(lengths)) >= 3


@pytest.mark.parametrize("agent", [net(-J), net(-0.25 * J), t_maze_automaton()], ids=["-J", "-J/4", "automaton"])
def test_it_fails_where_the_example_says(agent: Any) -> None:
    found = counterexample(agent)
    assert found is not None
    check_path(found.maze)
    env = gymnasium.make("mazegrad/PathFollow-v0", maze=found.maze)
    walk = rollout(env, agent, max_steps=len(found.moves))
    assert walk.actions.tolist() == [*found.moves[:-1], found.went]


def test_any_agent_will_do() -> None:
    assert counterexample(t_maze_automaton()).lead is None
    assert counterexample(compile_automaton(path_follower_automaton()), 8) is None
    assert counterexample(WallFollower(), 8) is None
    with pytest.raises(ValueError, match="margin needs an RNNAgent"):
        counterexample(WallFollower(), margin=0.1)


def test_a_net_that_explodes_fails_without_a_warning() -> None:
    assert counterexample(net(1e200 * np.ones((4, 4)))) is not None
    assert not follows_every_path(net(1e200 * np.ones((4, 4))))


@pytest.mark.parametrize(
    "keywords",
    [{"max_length": 0}, {"starts": []}, {"starts": ["middle"]}, {"beam_width": 0}, {"starts": "end"}],
    ids=str,
)
def test_bad_words_are_refused(keywords: dict) -> None:
    with pytest.raises(ValueError, match=r"(max_length|starts|beam_width) .*, not "):
        counterexample(path_follower(), **keywords)


class TestForEver:
    """follows_every_path: a proof for every length."""

    @pytest.mark.parametrize(
        "agent",
        [
            path_follower(),
            wall_follower_rnn(),
            WallFollower(),
            path_follower_automaton(),
            compile_automaton(path_follower_automaton()),
        ],
        ids=["path_follower", "wall_follower_rnn", "WallFollower", "automaton", "compiled"],
    )
    def test_it_proves_those_that_do(self, agent: Any) -> None:
        assert follows_every_path(agent)

    def test_it_proves_no_other(self) -> None:
        assert not follows_every_path(net(-J))
        assert follows_every_path(net(-J), starts=["dot below"])
        assert not follows_every_path(net(-J / 2))
        assert not follows_every_path(t_maze_automaton())

    def test_on_random_automata_it_agrees_with_the_search(self) -> None:
        """Nearly right ones: some entries of the path follower's are changed, of which not all are ever met."""
        rng = np.random.default_rng(1)
        right = path_follower_automaton()
        verdicts = []
        for _ in range(200):
            action = right.action.copy()
            action[rng.integers(4), rng.integers(16)] = rng.integers(4)
            agent = Automaton(right.next_node, action)
            proved = follows_every_path(agent)
            assert proved == (counterexample(agent, 6) is None)
            verdicts.append(proved)
        assert 20 < sum(verdicts) < 180
