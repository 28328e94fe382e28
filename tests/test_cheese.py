"""The cheese maze (McCallum 1992; Littman, Cassandra & Kaelbling 1995), written as a `.POMDP` file, read and solved."""

from pathlib import Path

import numpy as np

from mazegrad.envs import Maze, TabularMDP, World, point_based, value_iteration

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
    # one who looks before the first step: 3.57888 by pomdp-solve, which Allen, Kirtland, Tao et al. compare with
    # ("Mitigating Partial Observability in Sequential Decision Processes via the Lambda Discrepancy", NeurIPS 2024)
    sight = mdp.observation[0]
    looks = TabularMDP(mdp.probability, mdp.next_state, mdp.reward, mdp.terminal, mdp.start, sight)
    seen = point_based(looks, discount=0.95, tol=1e-5)
    assert seen.upper - seen.lower < 2e-5 and seen.lower - 1e-6 <= 3.5788796295 <= seen.upper + 1e-6
    # who sees the state earns more, who moves at random much less
    assert found.upper < value_iteration(mdp, discount=0.95).expected_return
    chances = np.einsum("sak,sakn->sn", mdp.probability / 4, np.eye(11)[mdp.next_state])
    earned = np.linalg.solve(np.eye(11) - 0.95 * chances, mdp.expected_reward().mean(axis=1)) @ mdp.start
    assert 0 < earned < found.lower / 2


def test_a_drawing_of_it_takes_4_3_steps() -> None:
    """PRISM's answer for one way to the cheese from anywhere, 4.3 (Norman, Parker & Zou, Real-Time Systems, 2017)."""
    maze = Maze.from_text("rewards: step -1, goal 0\nSSSSS\nS S S\nS G S\n")
    found = point_based(World.compile(maze), discount=0.9998, tol=1e-3)
    assert 4.3 - 0.005 < -found.upper <= -found.lower < 4.3
    longer = Maze.from_text("rewards: step -1, goal 0\nSSSSS\nS S S\nS S S\nS G S\n")  # their second maze
    found = point_based(World.compile(longer), discount=0.9995, tol=1e-3)
    assert 74 / 13 - 0.02 < -found.upper <= -found.lower < 74 / 13
