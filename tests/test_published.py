"""Published problems, beside solvers that know nothing of this library: plain loops over their rules."""

import numpy as np
import pytest
from gymnasium.envs.toy_text.taxi import TaxiEnv

from mazegrad.envs import Maze, TabularMDP, World, load_maze, value_iteration
from mazegrad.envs.maps.thin import read_thin

# UC Berkeley CS188, project 3, question 3: a near exit of 1, a far one of 10, and a cliff below
DISCOUNT_GRID = ".....\n.#...\n.#$#%\nS....\nxxxxx\n"
WAYS = ((-1, 0), (0, 1), (0, -1), (1, 0))


def discount_grid(discount, noise, living):
    """Values and best actions by cell, as Berkeley's program has them: exits pay one step after they are entered."""
    rows, worth = DISCOUNT_GRID.split(), {"$": 1.0, "%": 10.0, "x": -10.0}
    cells = {(r, c): tile for r, row in enumerate(rows) for c, tile in enumerate(row) if tile != "#"}
    values = dict.fromkeys(cells, 0.0)
    for _ in range(2000):
        q = {}
        for (r, c), tile in cells.items():
            if tile in worth:
                q[r, c] = [worth[tile]]
                continue
            after = [values.get((r + down, c + right), values[r, c]) for down, right in WAYS]
            beside = [(after[2], after[1]), (after[0], after[3]), (after[0], after[3]), (after[2], after[1])]
            q[r, c] = [living + discount * ((1 - noise) * after[a] + noise / 2 * sum(beside[a])) for a in range(4)]
        values = {cell: max(of) for cell, of in q.items()}
    return values, q


@pytest.mark.parametrize(
    ("discount", "noise", "living", "first", "exit"),
    [
        (0.3, 0.0, 0.0, "right", "$"),  # (a) the near exit, along the cliff
        (0.3, 0.2, 0.0, "up", "$"),  # (b) the near exit, the long way round
        (0.9, 0.0, 0.0, "right", "%"),  # (c) the far exit, along the cliff
        (0.9, 0.2, 0.0, "up", "%"),  # (d) the far exit, the long way round
        (0.9, 0.0, 20.0, None, None),  # (e) neither exit nor the cliff: living is worth more than any
    ],
)
def test_berkeleys_discount_grid(discount, noise, living, first, exit):
    """The five policies of the question, and the values of Berkeley's rules."""
    exits = {"$": (1, "goal"), "%": (10, "goal"), "x": (-10, "trap")}
    pays = ", ".join(f"{tile} {amount * discount} {kind}" for tile, (amount, kind) in exits.items())  # on entering
    maze = Maze.from_text(f"slip: {noise}\nrewards: step {living}\nreward: {pays}\n{DISCOUNT_GRID}")
    world = World.compile(maze)
    found = value_iteration(world, discount=discount)
    values, q = discount_grid(discount, noise, living)
    inner = [state for state in range(world.states) if not world.terminal[state]]
    for state in inner:
        cell = divmod(int(world.cell[state]), maze.width)
        assert found.values[state] == pytest.approx(values[cell], abs=1e-9)
        best = max(q[cell])
        assert found.optimal[state].tolist() == [value > best - 1e-9 for value in q[cell]]
    state, walked = int(world.start_states[0]), []
    while not world.terminal[state] and len(walked) < 30:
        walked.append(int(found.optimal[state].argmax()))
        state = int(world.next_state[state, walked[-1]])
    if exit is None:
        assert len(walked) == 30
    else:
        assert ("up", "right", "left", "down")[walked[0]] == first and chr(maze.tiles.flat[world.cell[state]]) == exit


def test_the_stochastic_wind_of_exercise_6_10():
    """Sutton & Barto 2018: king's moves, the wind one cell more or less with a third each; -1 a step."""
    wind = (0, 0, 0, 1, 1, 1, 2, 2, 1, 0)
    kings = [(down, right) for down in (-1, 0, 1) for right in (-1, 0, 1) if down or right]
    values = np.zeros((7, 10))
    for _ in range(400):
        new = np.zeros((7, 10))
        for r in range(7):
            for c in range(10):
                if (r, c) == (3, 7):
                    continue
                gusts = (wind[c] - 1, wind[c], wind[c] + 1) if wind[c] else (0,)
                new[r, c] = max(
                    -1
                    + sum(
                        values[min(max(min(max(r + down, 0), 6) - gust, 0), 6), min(max(c + right, 0), 9)]
                        for gust in gusts
                    )
                    / len(gusts)
                    for down, right in kings
                )
        values = new
    world = World.compile(load_maze("windy_grid"), actions="king", wind=f"{' '.join(map(str, wind))} varies")
    found = value_iteration(world, discount=1)
    assert found.values == pytest.approx(values.ravel()[world.cell], abs=1e-6)
    assert found.expected_return == pytest.approx(-11.82, abs=0.005)


TAXI = """
+---+---+---+---+---+
|       |           |
+   +   +   +   +   +
|       |           |
+   +   +   +   +   +
|                   |
+   +   +   +   +   +
|   |       |       |
+   +   +   +   +   +
| S |       |       |
+---+---+---+---+---+
""".lstrip()


def test_taxi():
    """Dietterich 2000, from Gymnasium's own tables: optimal values; its walls drawn as thin walls, in 5 x 5 cells."""
    taxi = TaxiEnv()
    P, start = taxi.P, taxi.initial_state_distrib
    end = 500  # where a delivered passenger is
    after, reward = np.full((501, 6, 1), end), np.zeros((501, 6, 1))
    for state in range(500):
        for action in range(6):
            [(_, to, earned, over)] = P[state][action]
            after[state, action], reward[state, action] = end if over else to, earned
    terminal = np.arange(501) == end
    mdp = TabularMDP(
        probability=np.ones(after.shape), next_state=after, reward=reward, terminal=terminal,
        start=np.append(start, 0.0), observation=np.arange(501),
    )  # fmt: skip
    found = value_iteration(mdp, discount=1.0)
    # the walls of the drawing, as thin walls: R G Y B at (0, 0), (0, 4), (4, 0), (4, 3)
    world = World.compile(read_thin(TAXI))
    assert world.states == 25
    moves = (3, 0, 1, 2)  # of Taxi's south, north, east, west
    for cell in range(25):
        assert [int(P[4 * 5 * cell][action][0][1]) // 20 for action in range(4)] == world.next_state[
            cell, moves
        ].tolist()
    apart = np.array([distances_from(world, cell) for cell in range(25)])
    places = (0, 4, 20, 23)
    for state in np.flatnonzero(start).tolist():
        cell, rest = divmod(state, 20)
        passenger, destination = divmod(rest, 4)
        steps = apart[cell, places[passenger]] + 1 + apart[places[passenger], places[destination]] + 1
        assert found.values[state] == pytest.approx(20 - (steps - 1))
    assert found.expected_return == pytest.approx(7.93, abs=0.005)


def distances_from(world, cell):
    """The number of steps from a cell to each other, by looking around."""
    found, frontier = {cell: 0}, [cell]
    while frontier:
        ahead = [int(n) for state in frontier for n in world.next_state[state]]
        steps = found[frontier[0]] + 1
        frontier = [n for n in dict.fromkeys(ahead) if n not in found]
        found.update(dict.fromkeys(frontier, steps))
    return [found[n] for n in range(25)]
