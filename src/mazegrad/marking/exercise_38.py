"""Exercise 38: do these W, U, b follow the sheet's path, and every other one?"""

from pathlib import Path
from typing import Final

import numpy as np

from ..agents import RNNAgent, counterexample, follows_every_path
from ..agents.counterexample import STARTS, Start
from ..envs import Maze, World, distances, load_maze, optimal_actions, transition
from ..envs.maps.directions import ARROWS
from ..nets import read_net
from .report import Check, Report

_HUNT: Final = 400  # length of the longest paths that are tried where the margin decays
_TITLES: Final[dict[Start, str]] = {"end": "paths from the end", "dot below": "paths with a dot below"}
_POINTS: Final[dict[Start | str, int]] = {"maze": 4, "end": 3, "dot below": 3}


def examine(file: Path, maze: Maze | None = None, length: int = 12) -> Report:
    """Check one submission; a file that cannot be read gives a Report with an error."""
    try:
        agent = read_net(file)
    except ValueError as error:
        return Report(file, error=str(error), exercise=38)
    checks = [_walk(agent, load_maze("sheet38") if maze is None else maze)]
    if maze is None:
        checks += [_paths(agent, start, length) for start in STARTS]
    return Report(file, checks, exercise=38)


def check_maze(maze: Maze) -> None:
    """Raise a ValueError where no goal is reachable from the first start."""
    world = World.compile(maze)
    if distances(world)[int(world.start_states[0])] < 0:
        raise ValueError(f"no goal is reachable from the start of {maze.metadata.get('name', 'the maze')}")


def _walk(agent: RNNAgent, maze: Maze) -> Check:
    """Walk one maze from its first start, and stop at the first step that is not on a shortest path to the goal."""
    world, worth = World.compile(maze), _POINTS["maze"]
    name = maze.metadata.get("name", "the maze")
    state, mind, good = int(world.start_states[0]), agent.initial_state(), optimal_actions(world)
    steps = 0
    with np.errstate(over="ignore", invalid="ignore"):
        while not world.terminal[state]:
            action, mind = agent.act(world.dots[state], mind)
            steps += 1
            if not good[state, action]:
                row, column = divmod(int(world.cell[state]), maze.width)
                sees = "".join(ARROWS[d] for d in range(4) if world.dots[state, d])
                right = "".join(ARROWS[d] for d in range(4) if good[state, d])
                where = f"step {steps}, row {row}, column {column} (both from 0)"
                what = f"{where}: it sees {sees} and goes {ARROWS[action]} instead of {right}"
                return Check(name, False, what, steps, worth=worth)
            state = int(transition(world, state, action)[0])
    return Check(name, True, f"at the goal after {steps} steps", worth=worth)


def _paths(agent: RNNAgent, start: Start, length: int) -> Check:
    name, worth = _TITLES[start], _POINTS[start]
    if follows_every_path(agent, starts=[start]):
        what = "follows all, of any length (proved: its state takes finitely many values)"
        return Check(name, True, what, worth=worth)
    example = counterexample(agent, length, starts=[start], beam_length=_HUNT)
    if example is not None:
        which = "the shortest path that fails" if example.shortest else f"all paths of up to {length} steps work"
        step = len(example.moves)
        return Check(name, False, f"fails at step {step} ({which})", step, example, worth)
    what = f"follows all of up to {length} steps; no failure was found on longer ones"
    return Check(name, True, what, worth=worth)
