"""What `certify_memory` claims is so: against brute force, against other solvers, and where the answer is known."""

import itertools
import time

import numpy as np
import pytest

from mazegrad.agents import Automaton, certify_memory
from mazegrad.envs import OBSERVATIONS, Maze, World, evaluate_policy, load_maze, outcomes, value_iteration

from random_worlds import random_maze

HELPS, SUFFICES, HIDES = "memory helps", "memoryless suffices", "observation hides it"
CUED = ("G...X\n##.##\n##{##\n##S##\n", "X...G\n##.##\n##}##\n##S##\n")
CUELESS = ("G.S.X", "X.S.G")
GAMMA = 0.95


def mazes(*texts):
    return [Maze.from_text(text) for text in texts]


def tables(world):
    """P (S, A, S), with nothing after the end, and R (S, A), the reachable states, and what is seen in all states."""
    listed = outcomes(world)
    P = np.zeros((world.states, world.actions, world.states))
    for s, a, k in itertools.product(*map(range, listed.probability.shape)):
        P[s, a, listed.next_state[s, a, k]] += listed.probability[s, a, k] * (not world.terminal[s])
    P[:, :, world.terminal] = 0
    R = np.where(world.terminal[:, None], 0, (listed.probability * listed.reward).sum(axis=2))
    reached = {s for s in world.start_states.tolist() if not world.terminal[s]}
    waiting = list(reached)
    while waiting:
        new = set(np.flatnonzero(P[waiting.pop()].sum(axis=0)).tolist()) - reached
        reached |= new
        waiting += new
    return P, R, sorted(reached), (world.dots @ (1 << np.arange(world.dots.shape[1]))).tolist()


def small_worlds(count, seed=0, looks=5, states=45, wanted=lambda world: True):
    """Worlds of one or two mazes with every kind of tile, in which few different things are seen."""
    rng = np.random.default_rng(seed)
    while count:
        world = World.compile([random_maze(rng) for _ in range(rng.integers(1, 3))])
        _, _, reached, seen = tables(world)
        if 1 < len(reached) <= states and len({seen[s] for s in reached}) <= looks and wanted(world):
            count -= 1
            yield world


def brute_force(world, discount):
    """The best of all deterministic memoryless policies: every one of them, by a linear solve."""
    P, R, reached, seen = tables(world)
    looks = sorted({seen[s] for s in reached})
    place = {look: number for number, look in enumerate(looks)}
    which = np.array([place[seen[s]] for s in reached])
    P, R = P[np.ix_(reached, range(4), reached)], R[reached]
    start = np.array([(world.start_states == s).mean() for s in reached])
    policies = np.array(list(itertools.product(range(4), repeat=len(looks))))
    best = -np.inf
    for some in np.array_split(policies, max(1, len(policies) * len(reached) ** 2 // 1_000_000)):
        action = some[:, which]
        chosen = P[np.arange(len(reached)), action]
        values = np.linalg.solve(
            np.eye(len(reached)) - discount * chosen, R[np.arange(len(reached)), action][..., None]
        )
        best = max(best, float((values[..., 0] @ start).max()))
    return best


def histories(world, discount, V, depth):
    """What a policy with unlimited memory earns if after `depth` steps it is told the state: a tree of beliefs."""
    P, R, _, seen = tables(world)
    seen = np.array(seen)
    looks = [seen == look for look in np.unique(seen)]

    def worth(belief, left):
        if not left:
            return float(belief @ V)
        most = -np.inf
        for action in range(4):
            after = belief @ P[:, action]
            parts = [np.where(look, after, 0) for look in looks if after[look].any()]
            most = max(most, float(belief @ R[:, action]) + discount * sum(worth(part, left - 1) for part in parts))
        return most

    start = np.bincount(world.start_states, minlength=world.states) / len(world.start_states)
    start[world.terminal] = 0
    return sum(worth(np.where(look, start, 0), depth) for look in looks if start[look].any())


@pytest.mark.slow
def test_500_random_worlds_against_brute_force_over_all_memoryless_policies():
    verdicts = dict.fromkeys((SUFFICES, HELPS, HIDES, "undecided"), 0)
    rng = np.random.default_rng(1)
    for number, world in enumerate(small_worlds(500)):
        made = certify_memory(world, discount=GAMMA, max_nodes=2, time_limit=2)
        verdicts[made.verdict] += 1
        best, full = brute_force(world, GAMMA), value_iteration(world, discount=GAMMA, tol=1e-11)
        near = 1e-9 * max(1, abs(best))
        assert made.full_state_value.lower - near <= full.expected_return <= made.full_state_value.upper + near
        assert made.memoryless_value.lower - near <= best <= made.memoryless_value.upper + near
        assert made.memoryless_value.upper - made.memoryless_value.lower <= near
        assert made.memoryless_value.lower <= made.stochastic_bound
        if made.verdict != "undecided":
            assert (made.verdict == SUFFICES) == (best >= full.expected_return - near)
        if made.memory_helps:
            assert made.controller_value.lower > best + 1e-12
        for _ in range(5):  # policies that choose at random earn no more than their bound
            policy = rng.dirichlet([0.3] * 4, size=16)[np.array(tables(world)[3])]
            earns = evaluate_policy(world, policy, discount=GAMMA).expected_return
            assert earns <= made.stochastic_bound + near
        if number % 5 == 0:
            assert made.faults() == []
    assert min(verdicts[SUFFICES], verdicts[HELPS], verdicts[HIDES]) >= 20
    assert verdicts["undecided"] == 0


def alike(world):
    """Whether several starts look alike, so that there is something to find out."""
    seen = [tables(world)[3][s] for s in world.start_states]
    return len(set(seen)) < len(seen)


@pytest.mark.slow
def test_what_is_hidden_is_hidden_from_every_history():
    hidden = later = 0
    for world in small_worlds(20, seed=2, looks=6, states=30, wanted=alike):
        made = certify_memory(world, discount=GAMMA, max_nodes=2, time_limit=1)
        V = value_iteration(world, discount=GAMMA, tol=1e-12).values
        full = made.full_state_value.lower
        for depth in range(1, 5):
            bound = histories(world, GAMMA, V, depth)
            assert made.controller_value.upper <= bound + 1e-9
            if bound < full - 1e-9:
                assert made.verdict == HIDES
                hidden += 1
                break
        else:
            later += made.verdict == HIDES
    assert hidden >= 6 and later == 0


@pytest.mark.slow
def test_controllers_of_two_nodes_against_all_of_them():
    """Each table of two nodes, enumerated; the worlds show two or three things."""
    tried = 0
    for world in small_worlds(40, seed=3, looks=2, states=25):
        P, R, reached, seen = tables(world)
        looks = sorted({seen[s] for s in reached})
        n = len(reached)
        which = np.array([looks.index(seen[s]) for s in reached])
        P, R = P[np.ix_(reached, range(4), reached)], R[reached]
        start = np.array([(world.start_states == s).mean() for s in reached])
        entries = np.array(list(itertools.product(range(8), repeat=2 * len(looks)))).reshape(-1, 2, len(looks))
        best = -np.inf
        for some in np.array_split(entries, max(1, len(entries) * 4 * n * n // 1_000_000)):
            A = np.tile(np.eye(2 * n), (len(some), 1, 1)).reshape(len(some), 2, n, 2, n)
            r = np.empty((len(some), 2, n))
            for node in range(2):
                action, to = np.divmod(some[:, node][:, which], 2)
                steps = P[np.arange(n), action]
                r[:, node] = R[np.arange(n), action]
                for after in range(2):
                    A[:, node, :, after, :] -= GAMMA * steps * (to == after)[..., None]
            values = np.linalg.solve(A.reshape(-1, 2 * n, 2 * n), r.reshape(-1, 2 * n, 1))[:, :n, 0]
            best = max(best, float((values @ start).max()))
        made = certify_memory(world, discount=GAMMA, max_nodes=2, time_limit=20)
        if made.controller.nodes <= 2:  # a belief controller has as many as it needs
            tried += 1
            assert made.controller_value.lower == pytest.approx(best, abs=1e-8)
        else:
            assert made.controller_value.lower >= best - 1e-8
    assert tried >= 20


def test_sheet38_needs_memory_and_four_nodes_are_enough():
    made = certify_memory(load_maze("sheet38"))
    assert made.verdict == HELPS and made.memory_helps
    assert made.controller.nodes <= 4
    assert made.controller_value == made.full_state_value
    assert made.stochastic_bound < made.controller_value.lower
    first, second, first_actions, second_actions = made.witness
    assert (made.world.dots[first] == made.world.dots[second]).all()
    assert not set(first_actions) & set(second_actions)
    assert made.verify()


def test_the_t_maze_without_a_cue_hides_what_is_needed():
    made = certify_memory(mazes(*CUELESS))
    assert made.verdict == HIDES and made.confusion.actions == () and len(made.confusion.states) == 2
    assert made.full_state_value.lower == pytest.approx(0.99)
    assert made.memoryless_value.upper == pytest.approx(0, abs=1e-9)
    assert made.verify()


def test_the_t_maze_with_its_cue_needs_memory():
    made = certify_memory(mazes(*CUED))
    assert made.verdict == HELPS and made.controller.nodes == 2
    assert made.memoryless_value.lower == pytest.approx(0.99**4 / 2)
    assert made.verify()


def test_a_t_maze_whose_sides_cannot_be_told_hides_it_after_the_corridor():
    made = certify_memory(mazes(*(text.replace("{", ".").replace("}", ".") for text in CUED)))
    assert made.verdict == HIDES and made.confusion.actions == (0, 0, 0)
    assert made.verify()


def test_a_t_maze_of_corridor_100_takes_less_than_ten_seconds():
    began = time.process_time()
    made = certify_memory(mazes(*(text.replace("##.##\n", "##.##\n" * 100) for text in CUED)))
    assert time.process_time() - began < 10
    assert made.verdict == HELPS and made.controller.nodes == 2


def test_a_sheet_sized_maze_takes_less_than_a_second():
    began = time.process_time()
    certify_memory(load_maze("sheet38"))
    assert time.process_time() - began < 1


@pytest.mark.parametrize("name", ["sheet38", "four_rooms", "dyna_maze", "ice_lake", "spiral"])
def test_position_is_enough_in_one_maze(name):
    made = certify_memory(load_maze(name), "position")
    assert made.verdict == SUFFICES and made.controller.nodes == 1 and made.memory_helps is False
    assert made.memoryless_value == made.full_state_value


def test_a_bump_may_be_the_best_move():
    # to wait on the spot costs 1, to come to the trap 9: with nothing to win, the best is to stay
    made = certify_memory(mazes("rewards: step -1, trap -9\nXSX"), discount=0.5)
    assert made.memoryless_value == made.full_state_value == (-2, -2)
    assert made.memoryless_policy[0b0110] in (0, 3)
    assert made.verdict == SUFFICES


def test_a_policy_that_chooses_at_random_may_beat_all_that_do_not():
    # two starts that look alike on a corridor with goals far off to one side only: to go at random gets there
    made = certify_memory(mazes("S.G", "G.S", "S.G"), discount=0.9)
    assert made.memoryless_value.upper < made.stochastic_bound < made.full_state_value.upper
    policy = np.full((made.world.states, 4), [0, 0.5, 0.5, 0])
    earns = evaluate_policy(made.world, policy, discount=0.9).expected_return
    assert earns <= made.stochastic_bound


def test_slips_and_items_and_every_observation():
    maze = Maze.from_text("slip: 0.3\nS.*\n.X.\na.G")
    for observation in OBSERVATIONS:
        made = certify_memory(maze, observation, time_limit=3)
        assert made.faults() == [], observation
        if observation in ("map", "pixels"):
            assert made.verdict == SUFFICES  # all is seen


def test_the_controller_walks_as_it_says():
    made = certify_memory(load_maze("sheet38"))
    world, node, state = made.world, made.controller.initial_state(), int(made.world.start_states[0])
    steps = 0
    while not world.terminal[state]:
        action, node = made.controller.act(world.dots[state], node)
        state = int(world.next_state[state, action])
        steps += 1
    assert 0.99 ** (steps - 1) == pytest.approx(made.controller_value.lower)


def test_the_memoryless_policy_earns_what_it_says_on_a_set_of_mazes():
    made = certify_memory(mazes("S..G", "G..S", "S.\n#G"))
    policy = made.memoryless_policy[made.world.dots @ (1, 2, 4, 8)]
    earns = evaluate_policy(made.world, policy, discount=0.99).expected_return
    assert earns == pytest.approx(made.memoryless_value.lower)


def test_discount_1_where_every_step_costs():
    made = certify_memory(load_maze("windy_grid"), "position", discount=1)
    assert made.full_state_value == (-15, -15) and made.verdict == SUFFICES
    made = certify_memory(load_maze("cliff_walk"), discount=1)
    assert made.full_state_value == (-13, -13)
    assert made.verify()
    costly = certify_memory(mazes("rewards: step -1\n" + load_maze("sheet38").to_text()), discount=1)
    assert costly.verdict == HELPS and costly.verify()
    assert costly.memoryless_value.upper < -1e6  # no such policy is sure to end


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"discount": 1}, "has the reward 0; use a discount below 1"),
        ({"discount": 1.5}, "from 0 to 1"),
        ({"discount": float("nan")}, "from 0 to 1"),
        ({"observation": "dot"}, "did you mean 'dots'"),
        ({"max_nodes": 0}, r"max_nodes .*, not 0"),
        ({"time_limit": 0}, "positive number of seconds"),
        ({"view_size": 4, "observation": "view"}, "odd"),
    ],
)
def test_bad_arguments_are_told(arguments, words):
    with pytest.raises(ValueError, match=words):
        certify_memory(load_maze("sheet38"), **arguments)


def test_a_maze_by_name_or_none_at_all_is_told():
    with pytest.raises(TypeError, match="load_maze"):
        certify_memory("sheet38")
    with pytest.raises(ValueError, match="at least one world"):
        certify_memory([])


def test_no_time_is_undecided_and_still_true():
    made = certify_memory(load_maze("key_door"), time_limit=1e-9)
    assert made.verdict == "undecided" and "limits" in made.missing
    assert made.verify()


def test_ctrl_c_gives_what_is_known():
    asked = []

    def progress(what, share):
        asked.append((what, share))
        if what.startswith("stochastic"):
            raise KeyboardInterrupt

    made = certify_memory(load_maze("long_way"), progress=progress)
    assert made.verdict == HELPS  # that was known by then
    assert made.stochastic_bound <= made.full_state_value.upper
    assert made.verify()
    assert all(0 <= share <= 1 for _, share in asked)


@pytest.mark.parametrize("stage", ["beliefs", "memoryless policies"])
def test_ctrl_c_at_any_stage_leaves_a_true_certificate(stage):
    def progress(what, share):
        if what == stage:
            raise KeyboardInterrupt

    made = certify_memory(load_maze("four_rooms"), progress=progress)
    assert made.verdict == "undecided" and "interrupted" in made.missing
    assert made.verify()


def test_the_explanation_draws_both_places_and_keeps_its_caveat():
    told = certify_memory(load_maze("sheet38")).explain()
    drawing = [line for line in told.splitlines() if "●●●" in line or line.strip().startswith("A")]
    assert any("B" in line for line in drawing) and "A" in told
    assert "counting steps is memory too" in told and told.startswith("MEMORY HELPS")
    assert "counting steps" not in certify_memory(mazes(*CUED)).explain()
    assert "at the start, 2 states fit all observations" in certify_memory(mazes(*CUELESS)).explain()
    assert certify_memory(load_maze("loop")).explain().startswith("MEMORYLESS SUFFICES")


def test_worlds_may_be_given_compiled_with_other_rewards_and_slip():
    world = World.compile(load_maze("dyna_maze"), rewards={"step": -0.1}, slip=0.2)
    made = certify_memory([world, load_maze("four_rooms")], time_limit=3)
    assert made.world.slip.max() == 0.2 and made.verify()


def test_an_automaton_comes_back():
    assert isinstance(certify_memory(load_maze("loop")).controller, Automaton)


def test_where_much_slips_close_calls_stay_undecided():
    maze = Maze.from_text(
        "slip: 0.1\nS" + "." * 13 + "\n" + ("." * 14 + "\n") * 5 + "....X..#......\n" * 6 + "." * 13 + "G"
    )
    made = certify_memory(maze, "position", time_limit=3)
    full = value_iteration(made.world, discount=0.99).expected_return
    assert made.verdict == "undecided" and "too close to tell" in made.missing
    assert made.full_state_value.lower <= full <= made.full_state_value.upper
    assert made.full_state_value.upper - made.full_state_value.lower < 1e-7
    assert made.verify()
