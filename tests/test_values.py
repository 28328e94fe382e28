"""Exact answers: against linear programming, dense linear algebra, published figures and plain luck."""

import numpy as np
import pytest

from mazegrad.envs import (
    MAZES,
    Maze,
    TabularMDP,
    World,
    distances,
    evaluate_policy,
    load_maze,
    optimal_actions,
    slipped,
    transition,
    value_iteration,
)
from mazegrad.envs.planning import linear as linear_module

from random_worlds import perfect_maze, random_worlds

COSTS = {"step": -1.0, "goal": 2.0, "trap": -3.0, "item": 0.25}


def dense_values(mdp, policy, discount):
    """The policy's V by plain linear algebra on the full matrices, without what is here to be tested."""
    P, R, _, _ = mdp.to_dense()
    chances = np.eye(4)[policy] if policy.ndim == 1 else policy
    go_on = np.einsum("sa,ast->st", chances, np.array(P)) * ~mdp.terminal
    return np.linalg.solve(np.eye(mdp.states) - discount * go_on, (chances * R).sum(axis=1))


def by_linear_programming(mdp, discount):
    """The least V that no backup exceeds (Puterman, Markov Decision Processes, section 6.9)."""
    optimize = pytest.importorskip("scipy.optimize", reason="an independent answer: the extra parity")
    P, R, _, _ = mdp.to_dense()
    rows = np.concatenate([discount * P[action] - np.eye(mdp.states) for action in range(mdp.actions)])
    live = np.tile(~mdp.terminal, mdp.actions)
    bounds = [(0, 0) if over else (None, None) for over in mdp.terminal]
    found = optimize.linprog(np.ones(mdp.states), rows[live], -R.T.ravel()[live], bounds=bounds, method="highs")
    assert found.status == 0
    return found.x


@pytest.mark.slow
def test_v_star_is_the_linear_programming_answer_on_200_worlds_with_every_tile():
    worlds = random_worlds(200, seed=4)
    drawn = {chr(tile) for world in worlds for maze in world.mazes for tile in np.unique(maze.tiles)}
    assert set(".#~^><v*aAX{}SG0") <= drawn
    assert any("wind" in world.mazes[0].metadata for world in worlds)
    assert any("trap" in world.mazes[0].metadata for world in worlds)
    for number, world in enumerate(worlds):
        mdp, discount = TabularMDP.from_world(world), (0.5, 0.9, 0.99)[number % 3]
        exact = by_linear_programming(mdp, discount)
        best = value_iteration(mdp, discount=discount)
        scale = max(1, np.abs(exact).max())
        assert np.abs(best.values - exact).max() <= 1e-6 * scale
        assert best.error <= 1e-9 * scale
        again = evaluate_policy(world, best.policy, discount=discount)
        assert np.abs(again.values - best.values).max() <= 2 * (best.error + again.error)


def test_at_discount_1_too_where_each_step_costs():
    solved = 0
    for world in random_worlds(100, seed=5, rewards=COSTS):
        try:
            best = value_iteration(world, discount=1)
        except ValueError:
            continue
        if np.isfinite(best.values).all():
            solved += 1
            assert np.abs(best.values - by_linear_programming(TabularMDP.from_world(world), 1)).max() <= 1e-6
            again = evaluate_policy(world, best.policy, discount=1)
            assert np.abs(again.values - best.values).max() <= 2 * (best.error + again.error)
    assert solved >= 30


@pytest.mark.parametrize("discount", [0, 0.5, 0.9, 0.999, 1])
def test_the_error_bound_holds_however_early_it_stops(discount):
    loose = 0
    for world in random_worlds(30, seed=6, rewards=COSTS):
        try:
            exact = value_iteration(world, discount=discount, tol=1e-11)
        except ValueError:
            assert discount == 1
            continue
        for tol in (10, 1, 1e-2, 1e-5):
            rough = value_iteration(world, discount=discount, tol=tol)
            finite = np.isfinite(exact.values)
            assert np.array_equal(finite, np.isfinite(rough.values))
            assert np.abs(rough.values[finite] - exact.values[finite]).max() <= rough.error + exact.error
            sure = np.isfinite(exact.action_values)
            assert np.abs(rough.action_values[sure] - exact.action_values[sure]).max() <= rough.error + exact.error
            best = exact.action_values.argmax(axis=1)
            assert rough.optimal[np.arange(world.states), best].all()
            loose += rough.error > 1e-3
    assert loose or discount in (0, 1)


@pytest.mark.parametrize("discount", [0, 0.9, 0.9999])
@pytest.mark.parametrize("layout", ["blocks", "thin blocks", "hubs"])
def test_policies_are_evaluated_as_by_dense_linear_algebra(discount, layout, monkeypatch):
    if layout != "blocks":
        monkeypatch.setattr(linear_module, "BLOCK", 1)
    if layout == "hubs":
        monkeypatch.setattr(linear_module, "HUB", 4)
    rng = np.random.default_rng(0)
    for world in random_worlds(25, seed=7):
        mdp = TabularMDP.from_world(world)
        for policy in (rng.integers(4, size=mdp.states), rng.dirichlet(np.ones(4) * 0.3, size=mdp.states)):
            found = evaluate_policy(world, policy, discount=discount)
            exact = dense_values(mdp, policy, discount)
            assert np.abs(found.values - exact).max() <= found.error + 1e-11 * max(1, np.abs(exact).max()) / (
                1 - discount
            )
            close = 1e-9 * max(1, np.abs(exact).max())
            assert found.error <= close
            assert found.expected_return == pytest.approx(mdp.start @ exact, abs=close)
            chances = np.eye(4)[policy] if policy.ndim == 1 else policy
            assert np.allclose((chances * found.action_values).sum(axis=1), found.values, atol=close)


def test_the_greedy_policy_earns_its_value_in_100_000_steps():
    """Lanes of one world each walk by `slipped` and `transition`; what they earn is V* within the sampling error."""
    rng = np.random.default_rng(8)
    lanes, steps, discount = 2000, 50, 0.75  # 100,000 steps; what comes later is below 1e-6 of the largest value
    noisy = 0
    for name in ("ice_lake", "cliff_walk", "windy_grid", "key_door", None):
        worlds = random_worlds(3, seed=9) if name is None else [World.compile(load_maze(name), slip=0.3)]
        for world in worlds:
            best = value_iteration(world, discount=discount)
            state = world.start_states[rng.integers(len(world.start_states), size=lanes)]
            if name is not None:
                state = rng.choice(np.flatnonzero(~world.terminal), size=lanes)
            begun, earned, over = state, np.zeros(lanes), world.terminal[state]
            for step in range(steps):
                direction = slipped(world, state, best.policy[state], rng.random(lanes))
                state, reward, ends = transition(world, state, direction)
                earned += discount**step * np.where(over, 0.0, reward)
                over = over | ends
            surplus = earned - best.values[begun]
            tail = discount**steps * np.abs(best.values).max()
            assert abs(surplus.mean()) <= 4.5 * surplus.std() / lanes**0.5 + tail + 1e-12
            worse = (best.action_values.min(axis=1) - best.values)[begun].mean()
            noisy += surplus.std() > 0 and -worse > 4.5 * surplus.std() / lanes**0.5
    assert noisy >= 4  # enough steps to see a worst first action


def test_published_figures():
    cliff = World.compile(load_maze("cliff_walk"))
    best = value_iteration(cliff, discount=1)
    assert best.expected_return == pytest.approx(-13, abs=1e-9)
    windy = World.compile(load_maze("windy_grid"), rewards={"step": -1.0, "goal": 0.0})
    assert value_iteration(windy, discount=1).expected_return == pytest.approx(-15, abs=1e-9)
    # Sutton & Barto, Reinforcement Learning, figure 4.1: the equiprobable random policy on the 4 x 4 grid
    grid = World.compile(Maze.from_text("G...\n....\n..S.\n...G"), rewards={"step": -1.0, "goal": 0.0})
    values = evaluate_policy(grid, np.full((16, 4), 0.25), discount=1).values
    figure = [[0, -14, -20, -22], [-14, -18, -20, -20], [-20, -20, -18, -14], [-22, -20, -14, 0]]
    assert np.allclose(values.reshape(4, 4), figure, atol=1e-9)


def test_plain_value_iteration_on_frozen_lakes_own_table_agrees():
    import gymnasium

    P = gymnasium.make("FrozenLake-v1").unwrapped.P
    V = np.zeros(16)
    for _ in range(3000):
        V = np.array([max(sum(p * (r + 0.99 * V[t] * (not d)) for p, t, r, d in P[s][a]) for a in P[s]) for s in P])
    ours = value_iteration(World.compile(load_maze("ice_lake")), discount=0.99)
    assert np.abs(ours.values - V).max() < 1e-9


def test_without_slip_the_optimal_actions_are_the_shortest_ways():
    for seed in range(20):
        for maze in (perfect_maze(2 + seed % 8, np.random.default_rng(seed)), load_maze("four_rooms")):
            for discount, rewards in ((0.9, {}), (1, {"step": -1.0})):
                world = World.compile(maze, rewards=rewards)
                best = value_iteration(world, discount=discount)
                lives = ~world.terminal
                assert np.array_equal(best.optimal[lives], optimal_actions(world)[lives])
                if discount == 1:
                    assert np.allclose(best.values[lives], 1 - distances(world)[lives], atol=1e-9)


@pytest.mark.parametrize("name", MAZES)
def test_every_shipped_map_is_solved_or_refused_by_name(name):
    world = World.compile(load_maze(name))
    assert value_iteration(world, discount=0.95).error <= 1e-9
    if name == "loop":
        with pytest.raises(ValueError, match="episodes that can be sure to end, but from start state"):
            value_iteration(World.compile(load_maze(name), rewards={"step": -1.0}), discount=1)


def test_where_none_is_sure_to_end_the_value_is_minus_infinity():
    pit = World.compile(Maze.from_text("S.G\n###\n...\n"), rewards={"step": -1.0})
    best = value_iteration(pit, discount=1)
    assert best.values.tolist() == [-1.0, 0.0, 0.0, *[-np.inf] * 3]
    assert best.expected_return == -1
    again = evaluate_policy(pit, best.policy, discount=1)
    assert np.array_equal(again.values, [-1, 0, 0, *[np.nan] * 3], equal_nan=True)
    assert again.expected_return == -1
    belt = World.compile(Maze.from_text("#S.G#\n#v###\n....#"), rewards={"step": -1.0})  # a conveyor into a pit
    best = value_iteration(belt, discount=1)
    assert best.values[belt.start_states[0]] == -1
    assert best.action_values[belt.start_states[0], 3] == -np.inf


def test_discount_1_is_refused_where_it_has_no_meaning():
    with pytest.raises(ValueError, match=r"up from state 0 can have reward 0.0; give rewards=\{\"step\": -1\}"):
        value_iteration(World.compile(load_maze("four_rooms")), discount=1)
    stay = np.zeros(104, dtype=int)
    costly = World.compile(load_maze("four_rooms"), rewards={"step": -1.0})
    with pytest.raises(ValueError, match="discount 1 needs a policy that is sure to end; from start state 0"):
        evaluate_policy(costly, stay, discount=1)
    assert evaluate_policy(World.compile(load_maze("four_rooms")), stay, discount=1).expected_return == 0
    assert evaluate_policy(costly, stay, discount=0.5).expected_return == pytest.approx(-2, abs=1e-9)


def test_the_random_policy_reaches_the_goal_with_the_probability_that_is_its_return():
    world = World.compile(load_maze("ice_lake"))
    chance = evaluate_policy(world, np.full((16, 4), 0.25), discount=1).expected_return
    rng = np.random.default_rng(0)
    state = np.full(20_000, world.start_states[0])
    for _ in range(300):
        state = transition(
            world, state, slipped(world, state, rng.integers(4, size=len(state)), rng.random(len(state)))
        )[0]
    assert world.terminal[state].all()
    assert abs(world.goal[state].mean() - chance) < 4.5 * (chance * (1 - chance) / len(state)) ** 0.5


@pytest.mark.parametrize(("right", "left"), [(0.5, 0.5), (0.4, 0.6), (0.6, 0.4), (0.1, 0.9), (0.9, 0.1)])
def test_the_gamblers_ruin(right, left):
    """To reach the goal before the trap: (1 - r**i) / (1 - r**n), r = q / p (Feller, volume 1, XIV.2)."""
    n = 20
    maze = Maze.from_text(f"actions: right 0 1\nnoise: back {left}\nrewards: trap 0\nX{'.' * 4}S{'.' * 14}G\n")
    world, ratio = World.compile(maze), left / right
    exact = np.arange(n + 1) / n if right == left else (1 - ratio ** np.arange(n + 1)) / (1 - ratio**n)
    exact[[0, n]] = 0.0  # the episode is over
    for found in (value_iteration(world, discount=1), evaluate_policy(world, np.zeros(n + 1, dtype=int), discount=1)):
        assert np.abs(found.values - exact).max() <= 1e-12
        assert found.expected_return == found.values[5]
        assert found.error <= 1e-9
    four = World.compile(Maze.from_text("rewards: trap 0\nX....S....G\n"))  # up and down are bumps
    fair = evaluate_policy(four, np.full((11, 4), 0.25), discount=1)
    assert np.abs(fair.values[1:10] - np.arange(1, 10) / 10).max() <= 1e-12


def gamblers_problem(heads):
    """Sutton & Barto 2018, example 4.3: stakes of 1 to 50, cut to what one has and to what is missing to 100."""
    capital, stake = np.arange(101)[:, None], np.arange(1, 51)[None]
    stake = np.minimum(stake, np.minimum(capital, 100 - capital))
    after = np.stack([capital + stake, capital - stake], axis=2)
    terminal = np.isin(np.arange(101), (0, 100))
    probability = np.broadcast_to([heads, 1 - heads], after.shape).copy()
    reward = np.where((after == 100) & ~terminal[:, None, None], 1.0, 0.0)
    return TabularMDP(
        probability=probability, next_state=after, reward=reward, terminal=terminal, start=np.eye(101)[50],
        observation=np.arange(101),
    )  # fmt: skip


def test_the_gamblers_problem():
    """The probability to win is that of bold play (Dubins & Savage 1965), a fraction at 1/4, 1/2, 3/4 and 1/5."""
    for heads in (0.4, 0.25):
        best = value_iteration(gamblers_problem(heads), discount=1)
        p, q = heads, 1 - heads
        exact = {50: p, 25: p**2, 75: p + q * p, 20: p**2 * (p + q * p) / (1 - (p * q) ** 2)}
        for capital, chance in exact.items():
            assert best.values[capital] == pytest.approx(chance, abs=1e-12)
            assert abs(best.values[capital] - chance) <= best.error <= 1e-9
        assert (np.diff(best.values[:100]) > 0).all()
    # with a fair coin all plays are alike, with a better one timid play is best: the gambler's ruin by ones
    assert (
        np.abs(value_iteration(gamblers_problem(0.5), discount=1).values[1:100] - np.arange(1, 100) / 100).max() < 1e-9
    )
    timid = value_iteration(gamblers_problem(0.55), discount=1).values
    ratio = 0.45 / 0.55
    assert np.abs(timid[1:100] - (1 - ratio ** np.arange(1, 100)) / (1 - ratio**100)).max() < 1e-9


def test_the_error_bound_holds_where_moves_are_free():
    exact = value_iteration(gamblers_problem(0.4), discount=1, tol=1e-13)
    for tol in (1, 1e-1, 1e-3, 1e-6):
        rough = value_iteration(gamblers_problem(0.4), discount=1, tol=tol)
        assert np.abs(rough.values - exact.values).max() <= rough.error + exact.error
        assert np.abs(rough.action_values - exact.action_values).max() <= rough.error + exact.error


def test_bad_input_is_reported(monkeypatch):
    world = World.compile(load_maze("ice_lake"))
    good = np.full((16, 4), 0.25)
    for discount in (-0.1, 1.5, float("nan"), "1", None):
        with pytest.raises(ValueError, match="discount must be a number from 0 to 1"):
            value_iteration(world, discount=discount)
        with pytest.raises(ValueError, match="discount must be a number from 0 to 1"):
            evaluate_policy(world, good, discount=discount)
    for tol in (0, -1, float("nan")):
        with pytest.raises(ValueError, match="tol must be a positive number"):
            value_iteration(world, tol=tol)
    with pytest.raises(RuntimeError, match=r"the error is still .* after 1 sweeps"):
        value_iteration(world, max_sweeps=1)
    with pytest.raises(TypeError, match="a World or a TabularMDP, not Maze"):
        value_iteration(load_maze("ice_lake"))
    for policy in (good[:15], good.T, np.zeros(15, int), np.zeros(16), np.zeros((16, 4), int), "up", None):
        with pytest.raises(ValueError, match=r"a policy must be \(16,\) ints or \(16, 4\) floats"):
            evaluate_policy(world, policy)
    for action in (4, -1):
        with pytest.raises(ValueError, match=r"must be 0 \(up\)"):
            evaluate_policy(world, np.full(16, action))
    with pytest.raises(ValueError, match=r"policy must sum to 1, not to 1.2 at \(0,\)"):
        evaluate_policy(world, good * 1.2)
    for wrong in (np.nan, -1.0):
        with pytest.raises(ValueError, match="policy must not hold negative numbers or NaN"):
            evaluate_policy(world, np.where(np.arange(4) == 1, wrong, good))
    monkeypatch.setattr(linear_module, "MAX_ENTRIES", 10)
    with pytest.raises(ValueError, match="too many to solve exactly"):
        evaluate_policy(world, good)
    for problem, discount in ((world, 0.99), (World.compile(load_maze("cliff_walk"), slip=0.2), 1)):
        assert value_iteration(problem, discount=discount, tol=1e-6).error <= 1e-6  # does without


@pytest.mark.slow
@pytest.mark.parametrize("slip", [0.0, 0.2])
def test_a_hundred_thousand_states(slip):
    world = World.compile(perfect_maze(224, np.random.default_rng(0)), slip=slip)
    assert world.states > 100_000
    best = value_iteration(world, discount=0.999)
    again = evaluate_policy(world, best.policy, discount=0.999)
    assert best.error <= 1e-9
    assert np.abs(again.values - best.values).max() <= best.error + again.error
