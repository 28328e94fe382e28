"""Automata: their tables, rules in words, and the threshold nets that they compile into."""

import dataclasses
import itertools
import json
from pathlib import Path

import numpy as np
import pytest

from mazegrad.agents import (
    Automaton,
    Bits,
    Codebook,
    Number,
    ThresholdRNN,
    WallFollower,
    build_automaton,
    compile_automaton,
    path_follower,
    path_follower_automaton,
    t_maze_automaton,
    wall_follower_automaton,
)
from mazegrad.envs import DOWN, LEFT, RIGHT, UP, Maze, World, distances, load_maze, optimal_actions, transition

from paths import BELOW, all_paths

HAND_WRITTEN = {
    "path": path_follower_automaton(),
    "right hand": wall_follower_automaton("right"),
    "left hand": wall_follower_automaton("left"),
    "t-maze": t_maze_automaton(),
}


DOTS = Bits()


def random_automaton(rng: np.random.Generator, nodes: int, encode: Bits | Number | Codebook = DOTS) -> Automaton:
    """With few enough nodes and actions that many have nodes too much."""
    shape = (nodes, encode.observations)
    actions = rng.integers(1, 5)
    return Automaton(
        rng.integers(nodes, size=shape), rng.integers(actions, size=shape), int(rng.integers(nodes)), encode
    )


def run(automaton: Automaton, numbers: np.ndarray) -> list[int]:
    """Read the tables one entry at a time, by hand."""
    node, actions = automaton.start, []
    for number in numbers.tolist():
        actions.append(int(automaton.action[node, number]))
        node = int(automaton.next_node[node, number])
    return actions


@pytest.mark.parametrize("encode", [Bits(), Bits(2), Number(5), Codebook([[0, 0], [3, 1], [7, 2]])], ids=repr)
def test_an_automaton_is_its_tables(encode: Bits | Number | Codebook) -> None:
    rng = np.random.default_rng(0)
    automaton = random_automaton(rng, 6, encode)
    numbers = rng.integers(encode.observations, size=(200, 9))
    nodes, single = automaton.initial_state(9), [automaton.initial_state() for _ in range(9)]
    taken = []
    for row in numbers:
        actions, nodes = automaton.act(encode.decode(row), nodes)
        for lane in range(9):
            action, single[lane] = automaton.act(encode.decode(row[lane]), single[lane])
            assert isinstance(action, int)
            assert (action, single[lane]) == (actions[lane], nodes[lane])
        taken.append(actions)
    assert np.transpose(taken).tolist() == [run(automaton, column) for column in numbers.T]


def test_bits_are_numbered_as_dots_are() -> None:
    dots = np.array(list(itertools.product([0, 1], repeat=4)), dtype=np.int8)
    assert Bits()(dots).tolist() == [sum(int(x[d]) << d for d in range(4)) for x in dots]
    assert (Bits().decode(Bits()(dots)) == dots).all()


@pytest.mark.parametrize(
    ("encode", "observation"),
    [
        (Bits(), [0, 1, 2, 0]), (Bits(), [0, 1, 0]), (Bits(), 3), (Bits(), np.zeros((2, 2, 4))), (Bits(), [0.5] * 4),
        (Number(5), 5), (Number(5), -1), (Number(5), 1.5), (Number(5), [[1]]),
        (Codebook([[0, 1]]), [1, 1]), (Codebook([[0, 1]]), [0, 1, 1]), (Codebook([[0, 1]]), 0),
    ],
)  # fmt: skip
def test_observations_that_are_none_are_refused(encode: Bits | Number | Codebook, observation: object) -> None:
    zero = [[0] * encode.observations]
    with pytest.raises(ValueError, match="an observation must"):
        Automaton(zero, zero, 0, encode).act(observation, 0)


@pytest.mark.parametrize(
    ("tables", "message"),
    [
        (([[0] * 15], [[0] * 15], 0), "16 columns"),
        (([[0] * 16], [[0] * 16, [0] * 16], 0), r"action must have the shape of next_node, \(1, 16\), not \(2, 16\)"),
        (([[0] * 15 + [1]], [[0] * 16], 0), r"next_node\[0, 15\] must be from 0 to 0, not 1"),
        (([[0] * 16], [[4] * 16], 0), r"action\[0, 0\] must be from 0 to 3, not 4"),
        (([[0] * 16], [[-1] * 16], 0), r"action\[0, 0\] must be from 0 to 3, not -1"),
        (([[0.5] * 16], [[0] * 16], 0), "next_node must hold integers, not float64"),
        (([["a"] * 16], [[0] * 16], 0), "next_node must hold integers"),
        (([[0] * 16], [[0] * 16], 1), "start must be a node from 0 to 0, not 1"),
        (([[0] * 16], [[0] * 16], True), "start must be a node"),
        (([[0], [0, 1]], [[0] * 16], 0), "next_node must have one row"),
        (([], [], 0), "next_node must have one row"),
    ],
)
def test_bad_tables_are_refused(tables: tuple, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Automaton(*tables)


def test_tables_are_read_only_copies() -> None:
    table = np.zeros((1, 16), dtype=np.int64)
    automaton = Automaton(table, table)
    table[0, 0] = 7
    assert automaton.next_node[0, 0] == 0
    with pytest.raises(ValueError, match="read-only"):
        automaton.action[0, 0] = 1


@pytest.mark.parametrize("encode", [Bits(), Number(3), Codebook([[[0, 1]], [[1, 1]]])], ids=repr)
def test_json_round_trip(encode: Bits | Number | Codebook) -> None:
    automaton = random_automaton(np.random.default_rng(1), 4, encode)
    again = Automaton.from_dict(json.loads(json.dumps(automaton.to_dict())))
    assert again == automaton
    assert hash(again) == hash(automaton)
    assert again.encode == encode


GOOD = Automaton([[0, 0]], [[1, 1]], 0, Number(2)).to_dict()


@pytest.mark.parametrize(
    "data",
    [
        None, [], "x", {}, {**GOOD, "more": 1}, {k: v for k, v in GOOD.items() if k != "start"},
        {**GOOD, "start": "0"}, {**GOOD, "start": 1}, {**GOOD, "start": None}, {**GOOD, "next_node": [[0, 1]]},
        {**GOOD, "next_node": "ab"}, {**GOOD, "next_node": [[0, None]]}, {**GOOD, "action": [[0, 1e300]]},
        {**GOOD, "action": [[0, 10**30]]}, {**GOOD, "action": [[True, False]]}, {**GOOD, "encode": None},
        {**GOOD, "encode": {"kind": "number"}}, {**GOOD, "encode": {"kind": "number", "observations": -1}},
        {**GOOD, "encode": {"kind": "number", "observations": "2"}}, {**GOOD, "encode": {"kind": []}},
        {**GOOD, "encode": {"kind": "bits", "count": 10**9}}, {**GOOD, "encode": {"kind": "pickle"}},
        {**GOOD, "encode": {"kind": "codebook", "rows": [[1], [1]]}},
        {**GOOD, "encode": {"kind": "codebook", "rows": [[1], [1, 2]]}},
    ],
)  # fmt: skip
def test_a_dict_that_is_no_automaton_is_refused(data: object) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        Automaton.from_dict(data)


class TestMinimised:
    def test_it_acts_alike_and_has_no_node_too_much(self) -> None:
        rng = np.random.default_rng(2)
        smaller = 0
        for _ in range(100):
            automaton = random_automaton(rng, int(rng.integers(1, 9)), Number(3))
            least = automaton.minimised()
            smaller += least.nodes < automaton.nodes
            for _ in range(5):
                numbers = rng.integers(3, size=50)
                assert run(least, numbers) == run(automaton, numbers)
            assert all(told_apart(least, a, b) for a, b in itertools.combinations(range(least.nodes), 2))
            assert reachable(least) == set(range(least.nodes))
        assert 30 < smaller < 100

    def test_it_does_not_depend_on_names(self) -> None:
        rng = np.random.default_rng(3)
        for _ in range(100):
            automaton = random_automaton(rng, int(rng.integers(1, 9)))
            name = rng.permutation(automaton.nodes)
            back = np.argsort(name)
            renamed = Automaton(name[automaton.next_node[back]], automaton.action[back], int(name[automaton.start]))
            assert renamed.minimised() == automaton.minimised()
            twice = np.concatenate([automaton.next_node, automaton.next_node + automaton.nodes])
            doubled = Automaton(twice, np.tile(automaton.action, (2, 1)), automaton.start + automaton.nodes)
            assert doubled.minimised() == automaton.minimised()

    def test_the_hand_written_rules_have_no_node_too_much(self) -> None:
        assert [automaton.minimised().nodes for automaton in HAND_WRITTEN.values()] == [4, 4, 4, 2]


def told_apart(automaton: Automaton, a: int, b: int) -> bool:
    """Whether some sequence of observations has two answers; all pairs that it leads to are tried."""
    met, pending = {(a, b)}, [(a, b)]
    while pending:
        a, b = pending.pop()
        if (automaton.action[a] != automaton.action[b]).any():
            return True
        pairs = set(zip(automaton.next_node[a].tolist(), automaton.next_node[b].tolist(), strict=True)) - met
        met |= pairs
        pending += pairs
    return False


def reachable(automaton: Automaton) -> set[int]:
    met, pending = {automaton.start}, [automaton.start]
    while pending:
        fresh = set(automaton.next_node[pending.pop()].tolist()) - met
        met |= fresh
        pending += fresh
    return met


class TestRules:
    def test_patterns(self) -> None:
        """Each pattern and the sets of dots that it fits, in order up, right, left, down."""
        for sees, fits in {
            "anything": lambda u, r, l, d: True,
            "up": lambda u, r, l, d: u,
            "↑ no →": lambda u, r, l, d: u and not r,
            "no up, no down": lambda u, r, l, d: not u and not d,
            "only ↑↓": lambda u, r, l, d: u and d and not r and not l,
            "only left": lambda u, r, l, d: l and not (u or r or d),
            "only": lambda u, r, l, d: not (u or r or l or d),
        }.items():
            automaton = build_automaton({"here": [(sees, "→"), ("anything", "down")]})
            expected = [RIGHT if fits(*x) else DOWN for x in Bits().decode(np.arange(16)).astype(bool).tolist()]
            assert automaton.action[0].tolist() == expected, sees

    def test_the_first_rule_that_fits_holds_and_nodes_are_in_order(self) -> None:
        automaton = build_automaton(
            {"a": [("up", "up", "b"), ("anything", "left")], "b": [("anything", "right", "a")]}, start="b"
        )
        assert automaton.start == 1
        assert automaton.act([1, 0, 0, 0], 0) == (UP, 1)
        assert automaton.act([0, 0, 0, 0], 0) == (LEFT, 0)
        assert automaton.act([1, 0, 0, 0], 1) == (RIGHT, 0)

    @pytest.mark.parametrize(
        ("rules", "message"),
        [
            ({"a": [("up", "up")]}, "node 'a' has no rule for no dots"),
            ({"a": [("no right", "up")]}, "node 'a' has no rule for →"),
            ({"a": [("anything", "north")]}, "unknown direction 'north' in node 'a'"),
            ({"a": [("anything", "up", "b")]}, "unknown next node 'b' in node 'a'"),
            ({"a": [("up and down", "up")]}, "unknown word 'and' in 'up and down'"),
            ({"a": [("up no", "up")]}, "'up no' lacks a direction"),
            ({"a": [("", "up")]}, "lacks a direction"),
            ({"a": [("anything",)]}, "a rule must be"),
            ({"a": ["up"]}, "a rule must be"),
            ({}, "next_node must have one row"),
        ],
    )
    def test_rules_that_say_nothing_are_refused(self, rules: dict, message: str) -> None:
        with pytest.raises(ValueError, match=message):
            build_automaton(rules)

    def test_an_unknown_start_is_refused(self) -> None:
        with pytest.raises(ValueError, match="start must be one of the nodes a, not 'x'"):
            build_automaton({"a": [("anything", "up")]}, start="x")

    @pytest.mark.parametrize("hand", ["right", "left"])
    def test_the_wall_follower_is_the_reference_one(self, hand: str) -> None:
        automaton, reference = wall_follower_automaton(hand), WallFollower(hand)
        dots = Bits().decode(np.arange(16))
        for heading in range(4):
            actions, _ = reference.act(dots, np.full(16, heading))
            assert automaton.act(dots, np.full(16, heading))[0].tolist() == actions.tolist()
            assert automaton.next_node[heading].tolist() == actions.tolist()

    @pytest.mark.parametrize("corridor", [1, 2, 30])
    def test_the_t_maze_rule_finds_the_goal(self, corridor: int) -> None:
        for arms, sign in (("#X.G#", "##}##"), ("#G.X#", "##{##")):
            rows = ["#####", arms, *["##.##"] * (corridor - 1), sign, "##S##", "#####"]
            world = World.compile(Maze.from_text("\n".join(rows)))
            end, steps = walk(t_maze_automaton(), world)
            assert world.goal[end]
            assert steps == distances(world)[world.start_states[0]] == corridor + 2


def walk(agent: object, world: World) -> tuple[int, int]:
    """Return the last state of the first start's episode, and how many steps it took; 1,000 at most."""
    state, mind = int(world.start_states[0]), agent.initial_state()
    for step in range(1000):
        if world.terminal[state]:
            return state, step
        action, mind = agent.act(world.dots[state], mind)
        state = int(transition(world, state, action)[0])
    return state, 1000


class TestCompiled:
    @pytest.mark.parametrize("name", HAND_WRITTEN)
    def test_hand_written_rules_as_weights(self, name: str) -> None:
        automaton = HAND_WRITTEN[name]
        compiled = compile_automaton(automaton)
        rnn = compiled.rnn
        assert compiled.verify()
        assert rnn.W.shape == (automaton.nodes * 16 + 1, 4)
        for weights in (rnn.W, rnn.U, rnn.b, compiled.readout):
            assert (weights == np.rint(weights)).all()
            assert np.abs(weights).max() <= 9
        assert set(np.unique(rnn.W[:-1])) == {-2, 2}
        assert set(np.unique(rnn.U)) == {0, 2}

    def test_it_is_the_equation_of_the_sheet_with_a_threshold(self) -> None:
        """By hand, entry by entry, and for hidden states in which several units fire or none."""
        compiled = compile_automaton(random_automaton(np.random.default_rng(0), 2, Bits(2)))
        rnn, rng = compiled.rnn, np.random.default_rng(1)
        for _ in range(50):
            x, h = rng.integers(2, size=2), rng.integers(2, size=9)
            z = [sum(rnn.W[i] * x) + sum(rnn.U[i, j] * h[j] for j in range(9)) + rnn.b[i] for i in range(9)]
            assert rnn.step(x, h).tolist() == [number > 0 for number in z]
            assert rnn.step(x[None], h[None]).tolist() == [rnn.step(x, h).tolist()]

    @pytest.mark.parametrize("encode", [Bits(), Bits(1), Number(5), Codebook([[0, 0], [3, 1], [7, 2]])], ids=repr)
    def test_it_does_what_its_table_does(self, encode: Bits | Number | Codebook) -> None:
        rng = np.random.default_rng(4)
        for _ in range(20):
            automaton = random_automaton(rng, int(rng.integers(1, 9)), encode)
            compiled = compile_automaton(automaton)
            assert compiled.verify()
            numbers = rng.integers(encode.observations, size=100)
            h, taken = compiled.initial_state(), []
            for number in numbers:
                action, h = compiled.act(encode.decode(number), h)
                assert isinstance(action, int)
                assert h.sum() == 1
                taken.append(action)
            assert taken == run(automaton, numbers)

    @pytest.mark.slow
    def test_64_nodes_and_a_million_observations(self) -> None:
        rng = np.random.default_rng(5)
        automaton = Automaton(rng.integers(64, size=(64, 16)), rng.integers(4, size=(64, 16)), 7)
        compiled = compile_automaton(automaton)
        assert len(compiled.rnn.b) == 1025
        lanes, visited = 500, np.zeros(64, dtype=bool)
        node, h = automaton.initial_state(lanes), compiled.initial_state(lanes)
        for _ in range(1_000_000 // lanes):
            x = rng.integers(2, size=(lanes, 4), dtype=np.int8)
            wanted, node = automaton.act(x, node)
            taken, h = compiled.act(x, h)
            assert (wanted == taken).all()
            visited[node] = True
        assert visited.sum() > 50

    def test_verify_sees_every_forgery(self) -> None:
        """Whatever weight is changed by 3, more than any noise it bears, some unit errs; and so for the tables."""
        automaton = random_automaton(np.random.default_rng(6), 3, Bits(2))
        compiled = compile_automaton(automaton)
        rnn = compiled.rnn
        weights = {"W": rnn.W, "U": rnn.U, "b": rnn.b, "h0": rnn.h0}
        for name, array in weights.items():
            for place in np.ndindex(array.shape):
                for change in (3.0, -3.0) if name != "h0" else (1.0 - 2 * array[place],):
                    forged = array.copy()
                    forged[place] += change
                    other = dataclasses.replace(compiled, rnn=ThresholdRNN(**{**weights, name: forged}))
                    if other.verify():  # where the change only makes what is clear clearer
                        assert abs(other.rnn.b).max() < 12
                        assert same_firing(other.rnn, rnn)
        wrong = compiled.readout.copy()
        wrong[:, 0] = np.roll(wrong[:, 0], 1)
        assert not dataclasses.replace(compiled, readout=wrong).verify()
        for table in ("next_node", "action"):
            forged = {"next_node": automaton.next_node.copy(), "action": automaton.action.copy()}
            forged[table][1, 2] = (forged[table][1, 2] + 1) % 3
            lying = Automaton(**forged, start=automaton.start, encode=Bits(2))
            assert not dataclasses.replace(compiled, automaton=lying).verify()
        start = Automaton(automaton.next_node, automaton.action, (automaton.start + 1) % 3, Bits(2))
        assert not dataclasses.replace(compiled, automaton=start).verify()

    def test_ten_thousand_mazes_at_once(self) -> None:
        world = World.stack([all_paths(7), all_paths(7, [BELOW])])
        assert len(world.mazes) > 1000
        starts = np.resize(world.start_states, 10_000)
        compiled = compile_automaton(path_follower_automaton())
        state, h = starts.copy(), compiled.initial_state(10_000)
        good = optimal_actions(world)
        while not (over := world.terminal[state]).all():
            action, h = compiled.act(world.dots[state], h)
            assert (good[state, action] | over).all()
            state = transition(world, state, action)[0]
        assert world.goal[state].all()

    def test_it_walks_sheet38_as_the_linear_net_does(self) -> None:
        world = World.compile(load_maze("sheet38"))
        ends = {walk(agent, world) for agent in (path_follower(), compile_automaton(path_follower_automaton()))}
        assert len(ends) == 1
        assert ends.pop()[1] == 70

    def test_too_many_units_are_refused(self) -> None:
        table = np.zeros((600, 16), dtype=int)
        with pytest.raises(ValueError, match="8,192 units at most; 600 nodes and 16 observations need 9,601"):
            compile_automaton(Automaton(table, table))


def same_firing(one: ThresholdRNN, other: ThresholdRNN) -> bool:
    alone = np.eye(len(one.b))
    return all(
        (one.step(np.tile(x, (len(alone), 1)), alone) == other.step(np.tile(x, (len(alone), 1)), alone)).all()
        for x in itertools.product([0, 1], repeat=one.W.shape[1])
    )


class TestMargin:
    """`margin` is the largest noise that changes nothing: below it no attack succeeds, just above it one does."""

    @pytest.mark.parametrize(
        ("automaton", "margin"),
        [
            *((automaton, 1 / 6) for automaton in HAND_WRITTEN.values()),
            (random_automaton(np.random.default_rng(0), 5, Bits(2)), 1 / 4),
            (random_automaton(np.random.default_rng(0), 5, Number(7)), 1 / 3),
        ],
        ids=[*HAND_WRITTEN, "two bits", "seven numbers"],
    )
    def test_its_value(self, automaton: Automaton, margin: float) -> None:
        assert compile_automaton(automaton).margin == margin

    @pytest.mark.parametrize("size", [1 - 1e-9, 1 + 1e-9], ids=["below", "above"])
    def test_every_attack(self, size: float) -> None:
        """Against each unit, after each unit, at each observation: push every entry the worst way, by the margin."""
        compiled = compile_automaton(t_maze_automaton())
        eps, rnn = compiled.margin * size, compiled.rnn
        alone, inputs = np.eye(len(rnn.b)), Bits().decode(np.arange(16))
        broken = 0
        for x in inputs:
            z = rnn.preactivation(np.tile(x, (len(alone), 1)), alone)  # (before, unit)
            for before, unit in np.ndindex(z.shape):
                push = eps * (-1 if z[before, unit] > 0 else 1)
                attacked = (rnn.W[unit] + push) @ x + (rnn.U[unit] + push)[before] + rnn.b[unit] + push
                broken += (attacked > 0) != (z[before, unit] > 0)
        assert (broken > 0) == (size > 1)

    def test_the_attacked_net_errs_as_a_whole(self) -> None:
        compiled = compile_automaton(path_follower_automaton())
        rnn, unit = compiled.rnn, 15  # node up, all four dots: its lead of 1 is shared by six numbers
        for size, survives in ((1 - 1e-9, True), (1 + 1e-9, False)):
            eps = compiled.margin * size
            W, U, b = rnn.W.copy(), rnn.U.copy(), rnn.b.copy()
            W[unit] -= eps
            U[unit] -= eps
            b[unit] -= eps
            assert dataclasses.replace(compiled, rnn=ThresholdRNN(W, U, b, rnn.h0)).verify() == survives

    def test_random_noise(self) -> None:
        rng = np.random.default_rng(7)
        compiled = compile_automaton(path_follower_automaton())

        def survives(eps: float, corners: bool) -> bool:
            noisy = []
            for array in (compiled.rnn.W, compiled.rnn.U, compiled.rnn.b):
                noise = rng.uniform(-1, 1, size=array.shape)
                noisy.append(array + eps * (np.sign(noise) if corners else noise))
            return dataclasses.replace(compiled, rnn=ThresholdRNN(*noisy, compiled.rnn.h0)).verify()

        below = compiled.margin * (1 - 1e-9)
        assert all(survives(below, corners) for corners in (False, True) for _ in range(20))
        assert not any(survives(6 * compiled.margin, True) for _ in range(5))

    def test_a_wrong_net_has_no_margin_to_boast_of(self) -> None:
        """The margin is computed from the weights, not recited: halve them and it halves."""
        compiled = compile_automaton(t_maze_automaton())
        rnn = compiled.rnn
        half = ThresholdRNN(rnn.W / 2, rnn.U / 2, rnn.b / 2, rnn.h0)
        assert dataclasses.replace(compiled, rnn=half).margin == compiled.margin / 2


def test_the_docs_name_tests_that_exist() -> None:
    docs = (Path(__file__).parent.parent / "docs" / "what_rnns_compute.md").read_text(encoding="utf-8")
    tests = "".join(path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("test_*.py"))
    named = {word.strip("`.,;:)(") for word in docs.split() if word.strip("`(").startswith("test_")}
    assert len(named) > 15
    assert not [name for name in named if f"def {name}" not in tests]
