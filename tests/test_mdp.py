"""A TabularMDP says what the tables say, in every format, and reads back what it wrote."""

import itertools

import gymnasium
import numpy as np
import pytest

from mazegrad.envs import MAZES, OBSERVATIONS, Maze, TabularMDP, World, load_maze

from random_worlds import random_worlds

FROZEN_LAKE_ACTION = [3, 2, 0, 1]  # up, right, left, down among its left, down, right, up


@pytest.mark.parametrize(("name", "map_name"), [("ice_lake", "4x4"), ("ice_lake_8x8", "8x8")])
@pytest.mark.parametrize("slippery", [True, False])
def test_ice_lake_is_frozen_lake(name, map_name, slippery):
    theirs = gymnasium.make("FrozenLake-v1", map_name=map_name, is_slippery=slippery).unwrapped.P
    world = World.compile(load_maze(name), slip=None if slippery else 0.0)
    ours = TabularMDP.from_world(world).to_gymnasium_P()
    assert ours.keys() == theirs.keys()
    for state, action in itertools.product(theirs, range(4)):
        one, other = ours[state][action], theirs[state][FROZEN_LAKE_ACTION[action]]
        assert [outcome[1:] for outcome in one] == [outcome[1:] for outcome in other]
        assert np.abs(np.subtract([outcome[0] for outcome in one], [outcome[0] for outcome in other])).max() <= 1e-15


def test_dense_sparse_and_gymnasium_are_equal():
    pytest.importorskip("scipy", reason="an independent answer: the extra parity")
    for world in random_worlds(60, seed=2):
        mdp = TabularMDP.from_world(world, "view", view_size=3)
        dense, sparse, listed = mdp.to_dense(), mdp.to_scipy(), mdp.to_gymnasium_P()
        P, R = np.zeros((4, mdp.states, mdp.states)), np.zeros((mdp.states, 4))
        for state, action in itertools.product(range(mdp.states), range(4)):
            for p, after, reward, ends in listed[state][action]:
                assert p > 0
                assert ends == world.terminal[after]
                P[action, state, after] += p
                R[state, action] += p * reward
        assert np.allclose(P.sum(axis=2), 1, atol=1e-15)
        for action in range(4):
            assert np.allclose(dense.P[action], P[action], atol=1e-15)
            assert np.allclose(sparse.P[action].toarray(), P[action], atol=1e-15)
        for matrices in (dense, sparse):
            assert np.allclose(matrices.R, R, atol=1e-14)
            assert np.array_equal(np.flatnonzero(matrices.start), np.unique(world.start_states))
        assert np.array_equal(sparse.O.toarray(), dense.O)
        assert np.array_equal(dense.O.argmax(axis=1), mdp.observation)


@pytest.mark.parametrize("observation", OBSERVATIONS)
def test_equal_numbers_are_equal_looks(observation):
    for maze in (load_maze("key_door"), Maze.from_text("S*.G\n....")):
        world = World.compile(maze)
        numbers = TabularMDP.from_world(world, observation).observation
        looks = [look.tobytes() for look in OBSERVATIONS[observation](world, 7).look(np.arange(world.states))]
        assert len(set(zip(numbers.tolist(), looks, strict=True))) == len(set(looks)) == numbers.max() + 1


def parse_pomdp(text):
    """A small reader of Cassandra's format, for what the writer uses, written from the published grammar."""
    preamble, tables = {}, []
    for line in text.splitlines():
        words = line.split("#")[0].replace(":", " : ").split()
        if words and words[0] in ("T", "O", "R"):
            tables.append((words[0], [word for word in words[1:] if word != ":"]))
        elif words:
            assert words[1] == ":"
            preamble[words[0]] = words[2:]
    assert list(preamble) == ["discount", "values", "states", "actions", "observations", "start"]
    states, seen = int(preamble["states"][0]), int(preamble["observations"][0])
    actions = preamble["actions"]
    P, R, O = (
        np.zeros((len(actions), states, states)),
        np.zeros((len(actions), states, states)),
        np.zeros((states, seen)),
    )
    for kind, words in tables:
        *where, number = words
        assert "e" not in number.lower()  # "at least one digit before and one digit after the decimal point"
        whole, _, fraction = number.lstrip("-").partition(".")
        assert whole.isdigit()
        assert fraction.isdigit()
        if kind == "T":
            P[actions.index(where[0]), int(where[1]), int(where[2])] = float(number)
        elif kind == "O":
            assert where[0] == "*"
            O[int(where[1]), int(where[2])] = float(number)
        else:
            assert where[3] == "*"
            R[actions.index(where[0]), int(where[1]), int(where[2])] = float(number)
    start = np.array([float(number) for number in preamble["start"]])
    return float(preamble["discount"][0]), P, (P * R).sum(axis=2).T, O, start


def test_the_pomdp_text_holds_the_tables(tmp_path):
    for world in random_worlds(40, seed=3):
        mdp = TabularMDP.from_world(world)
        mdp.save_pomdp(tmp_path / "world.POMDP", 0.95)
        discount, P, R, O, start = parse_pomdp((tmp_path / "world.POMDP").read_text())
        dense = mdp.to_dense()
        assert discount == 0.95
        assert np.allclose(P, dense.P, atol=1e-15)
        assert np.allclose(P.sum(axis=2), 1, atol=1e-12)
        assert np.allclose(R, dense.R, atol=1e-12)
        assert np.array_equal(O, dense.O)
        assert np.array_equal(start, dense.start)


@pytest.mark.parametrize("name", MAZES)
def test_save_and_load(name, tmp_path):
    mdp = TabularMDP.from_world(World.compile(load_maze(name)))
    mdp.save(tmp_path / "saved")
    again = TabularMDP.load(tmp_path / "saved")
    assert [path.name for path in tmp_path.iterdir()] == ["saved"]
    for field, table in vars(mdp).items():
        assert np.array_equal(table, getattr(again, field))
        assert table.dtype == getattr(again, field).dtype
        assert not getattr(again, field).flags.writeable


def test_a_damaged_file_is_a_value_error(tmp_path):
    TabularMDP.from_world(World.compile(load_maze("ice_lake"))).save(tmp_path / "good")
    good, path = (tmp_path / "good").read_bytes(), tmp_path / "bad"
    rng = np.random.default_rng(0)
    refused = 0
    for _ in range(600):
        bad = bytearray(good)
        for place in rng.integers(len(bad), size=rng.integers(1, 4)).tolist():
            bad[place] = rng.integers(256)
        path.write_bytes(bytes(bad[: rng.integers(len(bad))] if rng.random() < 0.2 else bad))
        try:
            TabularMDP.load(path)
        except ValueError:
            refused += 1
    assert refused > 400
    np.savez(tmp_path / "objects.npz", probability=np.array([print], dtype=object))
    with pytest.raises(ValueError, match="is not a saved TabularMDP"):
        TabularMDP.load(tmp_path / "objects.npz")
    with pytest.raises(FileNotFoundError):
        TabularMDP.load(tmp_path / "none")


def tables(**changes):
    world = World.compile(Maze.from_text("S.G"))
    return {**vars(TabularMDP.from_world(world)), **changes}


def changed(name, where, value):
    table = tables()[name].copy()
    table[where] = value
    return {name: table}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"probability": np.ones((3, 4))}, r"shape \(states, actions, outcomes\)"),
        ({"probability": np.ones((3, 0, 1))}, r"shape \(states, actions, outcomes\)"),
        ({"probability": np.ones((0, 4, 1))}, r"shape \(states, actions, outcomes\)"),
        ({"reward": np.zeros((3, 4))}, r"reward must have shape \(3, 4, 1\)"),
        ({"next_state": np.zeros((3, 4, 1))}, "next_state .* hold ints, not .*float64"),
        ({"terminal": np.zeros(3, dtype=int)}, "terminal .* hold bools"),
        (changed("probability", (0, 0), 0.5), r"probability must sum to 1, not to 0.5 at \(0, 0\)"),
        (changed("probability", (0, 0), np.nan), "probability must not hold negative numbers or NaN"),
        (changed("probability", (0, 0), -1.0), "probability must not hold negative"),
        (changed("reward", (1, 1), np.inf), "finite"),
        (changed("next_state", (0, 0), 3), "from 0 to 2"),
        (changed("next_state", (0, 0), -1), "from 0 to 2"),
        (changed("next_state", (2, 0), 0), "a terminal state must lead to itself"),
        (changed("reward", (2, 0), 1.0), "a terminal state must lead to itself with reward 0"),
        (changed("start", 0, 0.5), "start must sum to 1, not to 0.5"),
        (changed("observation", 0, -1), "observations must be numbered from 0"),
    ],
)
def test_bad_tables_are_refused(changes, message):
    TabularMDP(**tables())
    with pytest.raises(ValueError, match=message):
        TabularMDP(**tables(**changes))


def test_bad_names_and_discounts_are_refused():
    world = World.compile(load_maze("ice_lake"))
    with pytest.raises(ValueError, match="unknown observation 'dot'; did you mean 'dots'"):
        TabularMDP.from_world(world, "dot")
    for discount in (-0.1, 1.1, float("nan"), "0.9", None):
        with pytest.raises(ValueError, match="discount must be a number from 0 to 1"):
            TabularMDP.from_world(world).to_pomdp(discount)
