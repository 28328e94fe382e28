"""Agents: one contract for all of them, and the walks they are made for."""

from collections.abc import Callable
from functools import partial
from typing import Any
from xml.etree import ElementTree

import gymnasium
import numpy as np
import pytest

from mazegrad import nn
from mazegrad.agents import (
    AGENTS,
    LinearRNN,
    RandomAgent,
    RecurrentAgent,
    RNNAgent,
    ShortestPathAgent,
    WallFollower,
    compile_automaton,
    counterexample,
    evaluate,
    extract_automaton,
    follows_every_path,
    named_agent,
    path_follower,
    rollout,
    wall_follower_automaton,
    wall_follower_rnn,
)
from mazegrad.agents.named import NamedAgent
from mazegrad.envs import MazeEnv, World, load_maze

GRID = "mazegrad/GridWorld-v0"
FOUR_ROOMS = World.compile(load_maze("four_rooms"))


def recurrent(kind: Callable[..., nn.Module], world: World, rng: np.random.Generator) -> RecurrentAgent:
    """Two layers and a readout with random weights, in double precision."""
    net = kind(4, 6, num_layers=2, rng=rng, dtype=np.float64)
    return RecurrentAgent(net, nn.Linear(6, 4, rng=rng, dtype=np.float64))


MINDS = {
    **AGENTS,
    **{
        kind.__name__: NamedAgent("not trained", "dots", partial(recurrent, kind)) for kind in (nn.RNN, nn.LSTM, nn.GRU)
    },
}


def observations(name: str, batch: int, rng: np.random.Generator) -> np.ndarray:
    if MINDS[name].observation == "index":
        return rng.choice(FOUR_ROOMS.cell, size=batch)
    if MINDS[name].observation == "state":
        return rng.integers(FOUR_ROOMS.states, size=batch)
    return rng.integers(2, size=(batch, 4)).astype(np.int8)


@pytest.mark.parametrize("name", MINDS)
def test_a_batch_equals_its_rows(name: str) -> None:
    agent = MINDS[name].make(FOUR_ROOMS, np.random.default_rng(0))
    state = agent.initial_state(7)
    rows = [row_of(state, i, 7) for i in range(7)]
    for step in range(30):
        seen = observations(name, 7, np.random.default_rng(step))
        actions, state = agent.act(seen, state)
        assert isinstance(actions, np.ndarray)
        assert actions.shape == (7,)
        for i in range(7):
            action, rows[i] = agent.act(seen[i], rows[i])
            assert isinstance(action, int)
            assert 0 <= action < 4
            assert action == actions[i]
            assert_same(rows[i], row_of(state, i, 7))


def assert_same(one: object, other: object) -> None:
    """Equal, but for the last bits of what a trained net computes: BLAS rounds a batch unlike its rows."""
    if isinstance(one, tuple):
        for mine, theirs in zip(one, other, strict=True):
            assert_same(mine, theirs)
    elif isinstance(one, np.ndarray) and one.dtype.kind == "f":
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-13, strict=True)
    else:
        np.testing.assert_equal(one, other)


def row_of(state: object, i: int, batch: int) -> object:
    """Return one row's state of a batch's: arrays by their first axis, the rest as it is."""
    if isinstance(state, tuple):
        return tuple(row_of(part, i, batch) for part in state)
    if isinstance(state, np.ndarray):
        assert len(state) == batch
        return state[i].item() if state.ndim == 1 else state[i]
    return state


@pytest.mark.parametrize("name", MINDS)
def test_act_leaves_what_it_is_given(name: str) -> None:
    agent = MINDS[name].make(FOUR_ROOMS, np.random.default_rng(0))
    state, seen = agent.initial_state(3), observations(name, 3, np.random.default_rng(1))
    before = repr((state, seen))
    first, again = agent.act(seen, state), agent.act(seen, state)
    assert repr((state, seen)) == before
    np.testing.assert_equal(first, again)


@pytest.mark.parametrize("name", MINDS)
def test_the_same_rng_gives_the_same_walk(name: str) -> None:
    def walk() -> list[int]:
        env = gymnasium.make("mazegrad/GridWorld-v0", observation=MINDS[name].observation)
        agent = MINDS[name].make(env.unwrapped.world, np.random.default_rng(3))
        return rollout(env, agent, seed=3).actions.tolist()

    assert walk() == walk()


class ByPlace:
    """Walks by where it is, which is one of two things that it observes; counts its steps in a dict."""

    def initial_state(self, batch_size: int | None = None) -> dict[str, Any]:
        return {"steps": 0 if batch_size is None else np.zeros(batch_size, dtype=np.int64)}

    def act(self, observation: dict[str, Any], state: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        steps = state["steps"]
        assert observation["view"].shape == (*np.shape(steps), 7, 7)
        action = (((steps + 1) * 2654435761 >> 9) + observation["position"].sum(axis=-1)) % 4
        return (int(action) if np.ndim(steps) == 0 else action), {"steps": steps + 1}


@pytest.mark.parametrize("mode", ["NextStep", "SameStep", "Disabled"])
def test_several_observations_at_once_are_split_by_lane(mode: str) -> None:
    """Each lane is a single environment, in what is recorded and in what is counted."""
    made: dict[str, Any] = {"observation": ("view", "position"), "time_limit": 60, "size": (2, 2)}
    lanes = gymnasium.make_vec("mazegrad/Maze-v0", num_envs=5, autoreset_mode=mode, **made)
    env = gymnasium.make("mazegrad/Maze-v0", **made)
    for lane, played in enumerate(rollout(lanes, ByPlace(), seed=3)):
        alone = rollout(env, ByPlace(), seed=3 + lane)
        np.testing.assert_equal(played.observations, alone.observations)
        assert played.states == alone.states
        assert played.actions.tolist() == alone.actions.tolist() and played.rewards.tolist() == alone.rewards.tolist()
    together, one_by_one = evaluate(lanes, ByPlace(), 10, 3), evaluate(env, ByPlace(), 10, 3)
    np.testing.assert_equal(vars(together), vars(one_by_one))
    assert len(set(together.lengths.tolist())) > 1  # some arrive, others are cut


def test_linear_rnn_is_the_equation_of_the_sheet() -> None:
    rng = np.random.default_rng(0)
    W, U, b, x, h = (rng.normal(size=shape) for shape in ((5, 3), (5, 5), 5, 3, 5))
    by_hand = [sum(W[i, j] * x[j] for j in range(3)) + sum(U[i, j] * h[j] for j in range(5)) + b[i] for i in range(5)]
    np.testing.assert_allclose(LinearRNN(W, U, b, np.zeros(5)).step(x, h), by_hand, atol=1e-14)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"W": np.eye(3)}, r"W must have the shape \(4, inputs\), .* not \(3, 3\)"),
        ({"U": np.ones((4, 3))}, r"U must have the shape \(4, 4\), .* not \(4, 3\)"),
        ({"h0": [1, 0]}, r"h0 must have the shape \(4,\), .* not \(2,\)"),
        ({"W": [[1, 0], [0]]}, r"W must be an array of numbers .*, not \[\[1, 0\], \[0\]\]"),
        ({"b": ["x"] * 4}, "b must be an array of numbers"),
        ({"W": np.full((4, 4), np.nan)}, "W must be finite, but has the entry nan"),
        ({"b": [0, 0, np.inf, 0]}, "b must be finite, but has the entry inf"),
    ],
)
def test_a_net_that_does_not_fit_is_refused(change: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        LinearRNN(**{"W": np.eye(4), "U": np.eye(4), "b": np.zeros(4), "h0": np.zeros(4), **change})


def test_weights_are_read_only_copies() -> None:
    W = np.eye(4)
    rnn = LinearRNN(W, np.eye(4), np.zeros(4), np.zeros(4))
    W[0, 0] = 7
    assert rnn.W[0, 0] == 1
    with pytest.raises(ValueError, match="read-only"):
        rnn.W[0, 0] = 7


def test_one_hot_feedback_feeds_back_the_choice() -> None:
    agent = RNNAgent(path_follower().rnn, "one_hot")
    action, h = agent.act(np.array([0, 1, 0, 0]), agent.initial_state())
    assert action == 1
    assert h.tolist() == [0, 1, 0, 0]


@pytest.mark.parametrize("seen", [np.zeros(3), np.zeros((2, 4)), 5])
def test_an_observation_that_does_not_fit_is_refused(seen: object) -> None:
    agent = path_follower()
    with pytest.raises(ValueError, match="the observation must have the shape"):
        agent.act(seen, agent.initial_state())


def test_bad_words_are_refused() -> None:
    with pytest.raises(ValueError, match="feedback"):
        RNNAgent(path_follower().rnn, "both")
    for follower in (WallFollower, wall_follower_rnn, wall_follower_automaton):
        with pytest.raises(ValueError, match="unknown hand 'rihgt'; did you mean 'right'"):
            follower("rihgt")
    with pytest.raises(ValueError, match="did you mean 'wall_follower'"):
        named_agent("wal_follower")


def test_random_agent_is_uniform_and_fresh_in_each_episode() -> None:
    agent = RandomAgent(np.random.default_rng(0))
    state, counts = agent.initial_state(1000), np.zeros(4)
    for _ in range(40):
        actions, state = agent.act(None, state)
        counts += np.bincount(actions, minlength=4)
    assert np.abs(counts / 40_000 - 0.25).max() < 0.01
    assert agent.initial_state() != agent.initial_state()


def test_wall_followers_keep_their_hand_on_the_wall() -> None:
    maze = "#####\n#...#\n#.S.#\n#...#\n#####\n"  # in the open, the hand turns at every step
    env = gymnasium.make("mazegrad/GridWorld-v0", maze=maze)
    for hand, turns in (("right", [1, 3, 2, 0, 1, 3]), ("left", [2, 3, 1, 0, 2, 3])):
        assert rollout(env, WallFollower(hand), max_steps=6).actions.tolist() == turns


@pytest.mark.parametrize("hand", ["right", "left"])
def test_the_wall_following_net_is_the_wall_follower(hand: str) -> None:
    """For every heading and every set of dots but the empty one, where there is nowhere to go."""
    net, table = wall_follower_rnn(hand), WallFollower(hand)
    dots = np.array([[code >> d & 1 for d in range(4)] for code in range(1, 16)])
    for heading in range(4):
        actions, h = net.act(dots, np.tile(np.eye(4)[heading], (15, 1)))
        assert actions.tolist() == table.act(dots, np.full(15, heading))[0].tolist()
        assert (h == np.eye(4)[actions]).all()


def test_shortest_path_agent_is_shortest_from_everywhere() -> None:
    env = MazeEnv("four_rooms", observation="index")
    agent = ShortestPathAgent(env.world)
    from mazegrad.envs import distances

    for state, steps in enumerate(distances(env.world)):
        start = divmod(int(env.world.cell[state]), env.maze.width)
        observation, _ = env.reset(options={"start": start})
        assert env.state == state
        for _ in range(steps):
            observation, *_ = env.step(agent.act(observation, None)[0])
        assert env.at_goal


def test_shortest_path_agent_says_what_it_needs() -> None:
    with pytest.raises(ValueError, match="no goal is reachable from the start at row 3, column 1"):
        ShortestPathAgent(World.compile(load_maze("loop")))
    with pytest.raises(ValueError, match="one maze, not of 2"):
        ShortestPathAgent(World.stack([FOUR_ROOMS, FOUR_ROOMS]))
    with pytest.raises(ValueError, match='observation="index"'):
        ShortestPathAgent(FOUR_ROOMS).act(np.array([0.5, 0.5]), None)
    for env in (gymnasium.make(GRID), gymnasium.make_vec(GRID, num_envs=2)):  # of dots
        with pytest.raises(ValueError, match='observation="index"'):
            evaluate(env, ShortestPathAgent(FOUR_ROOMS), episodes=1, seed=0)


@pytest.mark.parametrize("walk", [rollout, lambda *words: evaluate(*words, episodes=1, seed=0)])
def test_only_agents_walk_and_only_in_environments(walk: Any) -> None:
    for env in (gymnasium.make(GRID), gymnasium.make_vec(GRID, num_envs=2)):
        with pytest.raises(TypeError, match="the methods initial_state and act, not function"):
            walk(env, lambda observation: 0)
        with pytest.raises(TypeError, match=r"not its class; use WallFollower\(\.\.\.\)"):
            walk(env, WallFollower)
    with pytest.raises(TypeError, match=r"gymnasium\.make\(id\), not str"):
        walk(GRID, WallFollower())


@pytest.mark.parametrize("use", [counterexample, follows_every_path, extract_automaton])
def test_what_is_no_agent_is_refused(use: Any) -> None:
    with pytest.raises(TypeError, match=r"expected an agent, .*, not int"):
        use(5)


def test_only_an_automaton_is_compiled() -> None:
    with pytest.raises(TypeError, match="not RNNAgent; use extract_automaton"):
        compile_automaton(path_follower())


def test_evaluate_counts_episodes() -> None:
    env = gymnasium.make("mazegrad/PathFollow-v0")
    result = evaluate(env, path_follower(), episodes=3, seed=5)
    assert result.returns.tolist() == [1, 1, 1]
    assert result.lengths.tolist() == [70, 70, 70]
    assert result.successes.all()
    assert str(result) == "3 episodes: 100.0% succeed, mean return 1.000, mean length 70.0"
    lost = evaluate(env, RNNAgent(LinearRNN(np.eye(4), np.zeros((4, 4)), np.zeros(4), np.zeros(4))), episodes=1, seed=0)
    assert not lost.successes.any()
    with pytest.raises(ValueError, match=r"episodes .*, not 0"):
        evaluate(env, path_follower(), episodes=0, seed=0)


def test_a_rollout_plays_in_a_notebook() -> None:
    walk = rollout(gymnasium.make("mazegrad/PathFollow-v0"), path_follower(), seed=0)
    assert len(walk.world_states) == 71
    svg = ElementTree.fromstring(walk._repr_svg_())
    columns = next(
        move for move in svg.iter("{http://www.w3.org/2000/svg}animate") if move.get("attributeName") == "cx"
    )
    assert len(columns.get("values").split(";")) == 71 + 6, "and a rest of a second"
    foreign = rollout(gymnasium.make("FrozenLake-v1"), RandomAgent(np.random.default_rng(0)), seed=0)
    assert foreign._repr_svg_() is None


def test_evaluate_takes_any_environment() -> None:
    env = gymnasium.make("FrozenLake-v1", is_slippery=False)
    result = evaluate(env, RandomAgent(np.random.default_rng(0)), episodes=5, seed=0)
    assert result.lengths.min() >= 1


def test_a_rollout_keeps_the_whole_walk() -> None:
    env = gymnasium.make("mazegrad/PathFollow-v0")
    walk = rollout(env, path_follower(), seed=0, max_steps=10)
    assert (len(walk.observations), len(walk.states), walk.actions.shape, walk.rewards.shape) == (11, 11, (10,), (10,))
    assert not (walk.terminated or walk.truncated)
