"""The cheese maze (McCallum 1992; Littman, Cassandra & Kaelbling 1995), written as a `.POMDP` file, read and solved."""

from pathlib import Path

import numpy as np

from mazegrad.envs import TabularMDP, point_based, value_iteration

# cells 0 to 10; the cheese is in the middle below, and walls alone are seen
PLACES = [(0, 0), (0, 1), (0, 2), (0, 3), (0, 4), (1, 0), (1, 2), (1, 4), (2, 0), (2, 4), (2, 2)]
SEEN = [0, 1, 2, 1, 3, 4, 4, 4, 5, 5, 6]
STEPS = {"N": (-1, 0), "S": (1, 0), "E": (0, 1), "W": (0, -1)}


def cheese() -> str:
    lines = ["discount: 0.95", "values: reward", "states: 11", "actions: N S E W", "observations: 7"]
    lines.append(f"start: {'0.1 ' * 10}0.0")
    for name, (down, right) in STEPS.items():
        lines += [f"T: {name} : 10 : {after} 0.1" for after in range(10)]  # who has it begins anew anywhere
        for state, (row, column) in enumerate(PLACES[:10]):
            after = (row + down, column + right)
            lines.append(f"T: {name} : {state} : {PLACES.index(after) if after in PLACES else state} 1.0")
    lines += [f"O: * : {state} : {seen} 1.0" for state, seen in enumerate(SEEN)]
    return "\n".join([*lines, "R: * : * : 10 : * 1.0"]) + "\n"


def test_the_cheese_maze_is_read_and_solved(tmp_path: Path) -> None:
    (tmp_path / "cheese.POMDP").write_text(cheese())
    mdp = TabularMDP.from_pomdp(tmp_path / "cheese.POMDP")
    assert (mdp.states, mdp.actions, mdp.observations) == (11, 4, 7) and not mdp.terminal.any()
    found = point_based(mdp, discount=0.95)
    assert found.upper - found.lower < 2e-3 and found.lower <= 3.4857 <= found.upper
    # who sees the state earns more, who moves at random much less
    assert found.upper < value_iteration(mdp, discount=0.95).expected_return
    chances = np.einsum("sak,sakn->sn", mdp.probability / 4, np.eye(11)[mdp.next_state])
    earned = np.linalg.solve(np.eye(11) - 0.95 * chances, mdp.expected_reward().mean(axis=1)) @ mdp.start
    assert 0 < earned < found.lower / 2
