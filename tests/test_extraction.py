"""Extraction: the automaton that an agent is, from what it does."""

import time

import numpy as np
import pytest

from mazegrad.agents import (
    EXCHANGE,
    Automaton,
    Bits,
    LinearRNN,
    Number,
    RandomAgent,
    RNNAgent,
    ShortestPathAgent,
    WallFollower,
    certify_memory,
    compile_automaton,
    extract_automaton,
    path_follower,
    path_follower_automaton,
    t_maze_automaton,
    wall_follower_automaton,
    wall_follower_rnn,
)
from mazegrad.envs import RIGHT, UP, Maze, World, load_maze, outcomes

from paths import BELOW, all_paths

T_MAZES = [
    Maze.from_text(f"#####\n#{arms}#\n##.##\n##{sign}##\n##S##\n") for arms, sign in (("X.G", "}"), ("G.X", "{"))
]


@pytest.mark.slow
def test_compile_and_extract_is_minimise_for_a_thousand_automata() -> None:
    rng = np.random.default_rng(0)
    sizes = []
    for _ in range(1000):
        nodes = int(rng.integers(1, 9))
        actions = int(rng.integers(1, 5))
        tables = rng.integers(nodes, size=(nodes, 16)), rng.integers(actions, size=(nodes, 16))
        automaton = Automaton(*tables, int(rng.integers(nodes)))
        found = extract_automaton(compile_automaton(automaton))
        assert found == automaton.minimised()
        assert found.caveats == ()
        assert found.known.all()
        assert found.at_least == found.nodes
        sizes.append(found.nodes)
    assert set(sizes) == set(range(1, 9))


def test_other_observations_too() -> None:
    rng = np.random.default_rng(1)
    for encode in (Number(7), Bits(1)):
        automaton = Automaton(
            rng.integers(5, size=(5, encode.observations)), rng.integers(4, size=(5, encode.observations)), 3, encode
        )
        assert extract_automaton(compile_automaton(automaton)) == automaton.minimised()
        assert extract_automaton(automaton) == automaton.minimised()


def test_hand_set_nets_are_the_rules_in_words() -> None:
    for hand in ("right", "left"):
        seen = extract_automaton(wall_follower_rnn(hand), load_maze("four_rooms"))
        rule = wall_follower_automaton(hand)
        assert seen.caveats == ()
        assert agree(seen, rule, World.compile(load_maze("four_rooms")))
        assert extract_automaton(WallFollower(hand)) == rule.minimised()


class TestTheSheetsNet:
    """How many nodes does the linear agent use?"""

    @pytest.mark.parametrize(
        ("maze", "states", "nodes"), [("sheet38", 9, 4), ("long_way", 10, 4), ("spiral", 9, 2), ("loop", 9, 3)]
    )
    def test_on_shipped_paths(self, maze: str, states: int, nodes: int) -> None:
        found = extract_automaton(path_follower(), load_maze(maze))
        assert (found.states, found.nodes, found.at_least, found.caveats) == (states, nodes, nodes, ())
        assert agree(found, path_follower(), World.compile(load_maze(maze)))

    @pytest.mark.slow
    @pytest.mark.parametrize(("behind", "states"), [((), 13), ((BELOW,), 9)], ids=["from the end", "dot below"])
    def test_on_all_paths_of_ten_steps(self, behind: tuple, states: int) -> None:
        world = all_paths(10, behind)
        found = extract_automaton(path_follower(), world)
        assert (found.states, found.nodes, found.at_least, found.caveats) == (states, 4, 4, ())
        assert extract_automaton(path_follower_automaton(), world).nodes == 4


def agree(one: object, other: object, world: World) -> bool:
    """Whether two agents do the same from every start, whatever slips: every pair of minds that can be met is tried."""
    moves = outcomes(world)
    pending = [(int(state), one.initial_state(), other.initial_state()) for state in world.start_states]
    met = set()
    while pending:
        state, mine, yours = pending.pop()
        key = state, np.asarray(mine).tobytes(), np.asarray(yours).tobytes()
        if key in met or world.terminal[state]:
            continue
        met.add(key)
        action, mine = one.act(world.dots[state], mine)
        answer, yours = other.act(world.dots[state], yours)
        if action != answer:
            return False
        may = moves.probability[state, action] > 0
        pending += [(int(after), mine, yours) for after in moves.next_state[state, action, may]]
    return True


def test_what_was_never_met_is_used_soundly() -> None:
    """Random automata in small worlds, with slip: what is extracted is smaller, and does the same there."""
    rng = np.random.default_rng(2)
    worlds = [World.compile(Maze.from_text("S..\n.#.\n..G\n"), slip=slip) for slip in (0, 0.3)] + [
        World.stack([World.compile(maze) for maze in T_MAZES])
    ]
    fewer = 0
    for trial in range(60):
        nodes = int(rng.integers(2, 12))
        automaton = Automaton(rng.integers(nodes, size=(nodes, 16)), rng.integers(4, size=(nodes, 16)))
        world = worlds[trial % 3]
        found = extract_automaton(automaton, world)
        assert agree(found, automaton, world)
        assert found.caveats == ()
        assert found.at_least <= found.nodes <= automaton.minimised().nodes
        assert not found.known.all()
        fewer += found.nodes < automaton.minimised().nodes
    assert fewer > 20


def test_at_least_is_no_boast() -> None:
    """The T-maze takes two nodes: no single one acts on both signs; the search over all one-node automata agrees."""
    found = extract_automaton(t_maze_automaton(), T_MAZES)
    assert (found.nodes, found.at_least) == (2, 2)
    world = World.compile(T_MAZES)
    seen = np.unique(Bits()(world.dots[~world.terminal]))
    assert len(seen) <= 5
    for answers in np.ndindex(*(4,) * len(seen)):
        action = np.zeros((1, 16), dtype=int)
        action[0, seen] = answers
        assert not agree(Automaton(np.zeros_like(action), action), t_maze_automaton(), world)


def test_at_least_is_proved_by_brute_force_too() -> None:
    """Right, right, up, over and over, along a corridor: no automaton of two nodes does it, of all that there are."""
    agent = Automaton(np.repeat([[1], [2], [0]], 16, axis=1), np.repeat([[RIGHT], [RIGHT], [UP]], 16, axis=1))
    world = World.compile(Maze.from_text("S.......G"))
    found = extract_automaton(agent, world)
    assert (found.nodes, found.at_least) == (3, 3)
    seen = np.unique(Bits()(world.dots[~world.terminal])).tolist()
    assert len(seen) == 2
    for after in np.ndindex(*(2,) * 4):
        for going in np.ndindex(*(2,) * 4):
            next_node, action = np.zeros((2, 16), dtype=int), np.zeros((2, 16), dtype=int)
            next_node[:, seen] = np.reshape(after, (2, 2))
            action[:, seen] = np.reshape(going, (2, 2))  # up or right: the agent takes no other
            assert not agree(Automaton(next_node, action), agent, world)


def test_one_maze_may_need_fewer_nodes_than_the_agent_has() -> None:
    """The linear net is four nodes on sheet38, but three are enough for its one path."""
    assert extract_automaton(path_follower(), load_maze("sheet38")).at_least == 4
    found = certify_memory(load_maze("sheet38"))
    assert (found.controller.nodes, found.controller_value) == (3, found.full_state_value)
    assert agree(found.controller, path_follower(), World.compile(load_maze("sheet38")))


def test_where_greedy_merging_may_not_be_the_best_it_claims_less() -> None:
    found = extract_automaton(TestApproximate.FADING, load_maze("long_way"))
    assert found.at_least < found.nodes
    assert agree(found, TestApproximate.FADING, World.compile(load_maze("long_way")))


def test_an_agent_that_knows_the_map_has_one_node() -> None:
    world = World.compile(load_maze("four_rooms"))
    found = extract_automaton(ShortestPathAgent(world), world, observation="index")
    assert (found.nodes, found.states, found.caveats) == (1, 1, ())
    assert isinstance(found.encode, Number)
    cell = int(world.cell[world.start_states[0]])
    assert found.act(cell, 0)[0] == ShortestPathAgent(world).act(cell, None)[0]


def test_observations_of_other_shapes_get_a_codebook() -> None:
    class Upwards:
        def initial_state(self, batch_size: int | None = None) -> None:
            return None

        def act(self, observation: np.ndarray, state: None) -> tuple[np.ndarray, None]:
            return np.zeros(len(observation), dtype=int), None

    for observation, shape in (("position", (2,)), ("view", (3, 3))):
        found = extract_automaton(Upwards(), load_maze("four_rooms"), observation=observation, view_size=3)
        assert found.nodes == 1
        assert found.encode.decode(0).shape == shape


class TestApproximate:
    FADING = RNNAgent(LinearRNN(np.eye(4), -EXCHANGE / 2, np.zeros(4), [1, 0, 0, 0]))

    def test_a_tolerance_merges_and_says_so(self) -> None:
        exact = extract_automaton(self.FADING, load_maze("sheet38"))
        rough = extract_automaton(self.FADING, load_maze("sheet38"), tolerance=0.25)
        assert exact.states > 60  # what fades never comes back to the same number
        assert exact.caveats == ()
        assert rough.states < exact.states
        assert "within the tolerance" in rough.caveats[0]
        assert "approximate" in repr(rough)

    def test_a_fine_tolerance_that_merges_nothing_is_exact(self) -> None:
        found = extract_automaton(path_follower(), load_maze("sheet38"), tolerance=1e-9)
        assert (found.nodes, found.caveats) == (4, ())

    def test_infinitely_many_states_are_cut_off_and_it_says_so(self) -> None:
        found = extract_automaton(path_follower(), max_states=300)  # with dots from nowhere the heading adds up
        assert "stopped after" in found.caveats[0]
        assert found.states > 300

    def test_all_defaults_end_and_what_was_met_is_right(self) -> None:
        begin = time.process_time()
        found = extract_automaton(path_follower())
        assert time.process_time() - begin < 60  # two seconds
        assert (found.states, found.nodes, found.at_least) == (10_202, 1089, 1089)
        assert "stopped after 10,202 states" in found.caveats[0]
        rng, agent = np.random.default_rng(0), path_follower()
        dots = Bits().decode(rng.integers(16, size=(20, 1000)))  # as deep as was explored
        nodes, minds = found.initial_state(1000), agent.initial_state(1000)
        for seen in dots:
            (mine, nodes), (yours, minds) = found.act(seen, nodes), agent.act(seen, minds)
            assert np.array_equal(mine, yours)


def test_what_cannot_be_extracted_is_refused() -> None:
    with pytest.raises(ValueError, match="at random"):
        extract_automaton(RandomAgent(np.random.default_rng(0)), load_maze("ice_lake"))
    with pytest.raises(ValueError, match="unknown observation 'dot'; did you mean 'dots'"):
        extract_automaton(path_follower(), load_maze("sheet38"), observation="dot")
    with pytest.raises(ValueError, match="tolerance must be a finite number, 0 or more, not -1"):
        extract_automaton(path_follower(), load_maze("sheet38"), tolerance=-1)

    with pytest.raises(TypeError, match="expected a World, a Maze or a list of them, not str"):
        extract_automaton(path_follower(), "sheet38")
    with pytest.raises(ValueError, match="at least one world"):
        extract_automaton(path_follower(), [])

    class Forgetful(RandomAgent):
        def initial_state(self, batch_size: int | None = None) -> None:
            return None

        def act(self, observation: np.ndarray, state: None) -> tuple[np.ndarray, None]:
            return self._rng.integers(4, size=len(observation)), None

    with pytest.raises(ValueError, match="must act by its observation and state alone"):
        extract_automaton(Forgetful(np.random.default_rng(0)), load_maze("ice_lake"))
