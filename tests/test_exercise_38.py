"""Exercise 38, each statement of docs/exercise_38.md: the hand-set net follows every path, and two others do not."""

from pathlib import Path

import gymnasium
import numpy as np
import pytest

from mazegrad.agents import EXCHANGE, LinearRNN, RNNAgent, path_follower, rollout
from mazegrad.envs import load_maze, transition
from mazegrad.envs.maps.paths import check_path

from paths import BELOW, STAIRCASES, Walk, directions, drawn, long_random_path, neighbours, paths, stacked, staircase

I, J, UPWARDS = np.eye(4), EXCHANGE, [1, 0, 0, 0]
PATHS = ["from_the_end", "long_way", "loop", "sheet38", "spiral"]


def net(U: np.ndarray, W: np.ndarray = I) -> LinearRNN:
    return LinearRNN(W, U, np.zeros(4), UPWARDS)


def test_the_solution_is_the_one_in_the_docs() -> None:
    rnn = path_follower().rnn
    assert (rnn.W == 2 * I).all()
    assert (rnn.U == [[0.5, 0, 0, -0.5], [0, 0.5, -0.5, 0], [0, -0.5, 0.5, 0], [-0.5, 0, 0, 0.5]]).all()
    assert (rnn.b == 0).all()
    assert (rnn.h0 == UPWARDS).all()
    assert path_follower().feedback == "raw"


@pytest.mark.slow
@pytest.mark.parametrize(("behind", "count"), [((), 12_668), ((BELOW,), 7_485)], ids=["from the end", "dot below"])
def test_it_follows_every_path_of_ten_steps(behind: tuple, count: int) -> None:
    ways = list(paths(10, behind))
    assert len(ways) == count
    walk = Walk(path_follower().rnn, ways, [drawn(way, behind) for way in ways])
    assert walk.margin.shape == (10, count)
    assert walk.margin.min() == 0.5  # exactly: everything is a multiple of 1/2
    assert walk.largest == 3.5
    assert walk.ended.all()


def test_it_follows_staircases_of_a_thousand_steps() -> None:
    ways = [staircase(1000, *turn) for turn in STAIRCASES]
    assert len(ways) == 8
    walk = Walk(path_follower().rnn, ways, [drawn(way) for way in ways])
    assert walk.margin.min() >= 0.5
    assert walk.largest <= 3.5
    assert walk.ended.all()


@pytest.mark.slow
def test_it_follows_a_random_path_of_ten_thousand_steps() -> None:
    way = long_random_path(10_000, np.random.default_rng(0))
    maze = drawn(way)
    check_path(maze)
    d = directions(way)
    pieces = np.diff(np.flatnonzero(np.r_[True, np.diff(d) != 0, True]))
    assert len(d) == 10_000
    assert set(pieces.tolist()).issuperset(range(1, 6))
    assert len(set(d.tolist())) == 4
    walk = Walk(path_follower().rnn, [way], [maze])
    assert walk.margin.min() >= 0.5
    assert walk.largest <= 3.5
    assert walk.ended.all()


@pytest.mark.slow
def test_it_goes_round_a_loop_for_a_hundred_thousand_steps() -> None:
    env = gymnasium.make("mazegrad/PathFollow-v0", maze="loop", time_limit=None)
    agent = path_follower()
    lap = int(load_maze("loop").open.sum())
    observation, _ = env.reset(seed=0)
    h, start, cells = agent.initial_state(), env.unwrapped.state, []
    margin, largest = np.inf, 0.0
    for step in range(1, 100_001):
        action, h = agent.act(observation, h)
        runner_up, best = np.sort(h)[-2:]
        margin, largest = min(margin, best - runner_up), max(largest, np.abs(h).max())
        observation, _, terminated, truncated, _ = env.step(action)
        cells.append(env.unwrapped.state)
        assert not terminated
        assert not truncated
        assert (env.unwrapped.state == start) == (step % lap == 0)
    assert len(set(cells)) == lap
    assert margin >= 0.5
    assert largest <= 3.5


@pytest.mark.parametrize("name", [name for name in PATHS if name != "loop"])
def test_it_walks_the_shipped_paths_through_gymnasium(name: str) -> None:
    env = gymnasium.make("mazegrad/PathFollow-v0", maze=name)
    walk = rollout(env, path_follower(), seed=0)
    assert walk.terminated
    assert walk.total == 1
    behind = load_maze(name).open.sum() - len(walk.actions) - 1
    assert behind == {"sheet38": 2, "spiral": 2}.get(name, 0)


def test_sheet38_is_what_the_exercise_needs() -> None:
    walk = rollout(gymnasium.make("mazegrad/PathFollow-v0"), path_follower(), seed=0)
    turns = {(a, b) for a, b in zip(walk.actions[:-1], walk.actions[1:], strict=True) if a != b}
    assert len(set(walk.actions.tolist())) == 4
    assert len(turns) == 8
    assert walk.observations[0].tolist() == [1, 0, 0, 1], "a dot ahead, and one behind, as h_0 says"


def test_long_way_is_long() -> None:
    assert load_maze("long_way").open.sum() > 200


def test_what_it_sees_does_not_tell_where_to_go() -> None:
    """No plain MLP walks sheet38: one observation, two directions."""
    walk = rollout(gymnasium.make("mazegrad/PathFollow-v0"), path_follower(), seed=0)
    goes: dict[bytes, set[int]] = {}
    for seen, action in zip(walk.observations[:-1], walk.actions.tolist(), strict=True):
        goes.setdefault(seen.tobytes(), set()).add(action)
    assert sum(len(actions) > 1 for actions in goes.values()) == 6


class TestMinusJ:
    """U = -J, W = I: exact where h_0 tells the truth; a wrong start is never forgotten."""

    def test_it_is_one_hot_where_the_start_has_a_dot_below(self) -> None:
        ways = list(paths(8, [BELOW]))
        walk = Walk(net(-J), ways, [drawn(way, [BELOW]) for way in ways])
        assert (walk.margin == 1).all()
        assert walk.largest == 1

    def test_it_follows_99_of_5324_paths_from_the_end(self) -> None:
        ways = list(paths(9))
        walk = Walk(net(-J), ways, [drawn(way) for way in ways])
        assert len(ways) == 5_324
        assert (walk.margin > 0).all(axis=0).sum() == 99

    def test_in_the_environment_a_wrong_move_is_a_bump(self) -> None:
        """There it reaches every goal, but late: after a bump it sees the same again, and what it remembers turns."""
        world, _ = stacked([drawn(way) for way in paths(9)])
        agent, at, arrived = RNNAgent(net(-J)), world.start_states, np.zeros(5_324, dtype=int)
        h = agent.initial_state(len(at))
        for step in range(1, 41):
            actions, h = agent.act(world.dots[at], h)
            at, _, _ = transition(world, at, actions)
            arrived[(arrived == 0) & world.goal[at]] = step
        assert (arrived >= 9).all()
        assert (arrived == 9).sum() == 99

    def test_a_wrong_start_is_still_there_after_a_thousand_steps(self) -> None:
        wrong, right = np.array(UPWARDS), np.zeros(4)
        for _ in range(1000):
            wrong, right = -J @ wrong, -J @ right
        assert np.abs(wrong - right).sum() == 1


class TestMinusCJ:
    """U = -cJ: forgets the wrong start, and the heading alike."""

    def test_it_follows_every_path_of_nine_steps(self) -> None:
        ways = list(paths(9))
        walk = Walk(net(-0.5 * J), ways, [drawn(way) for way in ways])
        assert (walk.margin > 0).all()

    @pytest.mark.parametrize("c", [0.25, 0.5, 0.75, 0.9])
    def test_on_staircases_the_margin_decays_like_c_to_the_n(self, c: float) -> None:
        ways = [staircase(1000, *turn) for turn in STAIRCASES]
        walk = Walk(net(-c * J), ways, [drawn(way) for way in ways])
        steps = np.arange(1000)[:, None]
        assert (walk.margin <= 2 * c**steps + 1e-15).all()
        assert (walk.margin[-1] < 1e-15).all()
        assert (walk.margin.min(axis=0) <= 0).any()

    def test_half_is_gone_after_53_steps(self) -> None:
        """Two of the eight orientations fail there; the other six hang on the last bit, by luck."""
        ways = [staircase(1000, *turn) for turn in STAIRCASES]
        walk = Walk(net(-0.5 * J), ways, [drawn(way) for way in ways])
        assert ((walk.margin[:53] > 0).all(axis=0)).all()
        assert (walk.margin[53] <= 0).sum() == 2
        assert (walk.margin[53:] <= 2.0**-53).all()
        assert (walk.margin[30] < 2e-9).all()


@pytest.mark.parametrize(
    ("U", "expected"), [(-J, [-1, -1, 1, 1]), (-J / 2, [-0.5, -0.5, 0.5, 0.5]), ((I - J) / 2, [0, 0, 1, 1])]
)
def test_eigenvalues(U: np.ndarray, expected: list[float]) -> None:
    np.testing.assert_allclose(np.linalg.eigvalsh(U), expected, atol=1e-15)


def test_u_keeps_differences_and_drops_sums() -> None:
    U = path_follower().rnn.U
    for axis in ([0, 3], [1, 2]):
        one, other = np.eye(4)[axis]
        assert (U @ (one - other) == one - other).all()
        assert (U @ (one + other) == 0).all()


def test_the_difference_is_the_heading_plus_an_offset_of_one() -> None:
    """The step of the proof: D = 2 v(last move) + C with one C for the whole walk, |C| = 1, on the vertical axis."""
    for behind in ((), (BELOW,)):
        for way in list(paths(6, behind)):
            env = gymnasium.make("mazegrad/PathFollow-v0", maze=drawn(way, behind))
            walk = rollout(env, path_follower())
            h, moves = np.array(walk.states[1:]), -np.array(neighbours((0, 0)))[walk.actions]
            D = np.stack([h[:, 0] - h[:, 3], h[:, 2] - h[:, 1]], axis=1)  # upwards and leftwards, as `moves` has them
            C = D - 2 * moves
            assert ([[-1 if behind else 1, 0]] == C).all()


def test_where_h0_is_wrong_in_the_inside_it_may_fail() -> None:
    """The limit of the claim: a start with two dots, none of them below, contradicts h_0, and the offset is 2."""
    env = gymnasium.make("mazegrad/PathFollow-v0", maze="G..\n  .\n  S.\n")
    walk = rollout(env, path_follower())
    assert walk.actions.tolist() == [0, 0, 0, 2, 2], "it should turn left at its third step, and bumps"


@pytest.mark.parametrize("feedback", ["raw", "one_hot"])
def test_a_batch_is_its_walks(feedback: str) -> None:
    agent = RNNAgent(path_follower().rnn, feedback)
    ways = list(paths(6))[:50]
    walks = [rollout(gymnasium.make("mazegrad/PathFollow-v0", maze=drawn(way)), agent) for way in ways]
    state = agent.initial_state(len(ways))
    assert state.shape == (50, 4)
    for step in range(6):
        actions, state = agent.act(np.array([walk.observations[step] for walk in walks]), state)
        assert actions.tolist() == [walk.actions[step] for walk in walks]
        assert (state == [walk.states[step + 1] for walk in walks]).all()


def test_the_docs_name_tests_that_exist() -> None:
    docs = (Path(__file__).parent.parent / "docs" / "exercise_38.md").read_text()
    here = Path(__file__).read_text()
    named = {word.strip("`.,;:)(") for word in docs.split() if word.strip("`(").startswith("test_")}
    assert len(named) > 10
    assert not [name for name in named if f"def {name}" not in here]
