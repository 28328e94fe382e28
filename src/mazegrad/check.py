"""`mazegrad check`: are these W, U, b a solution of exercise 38, and if not, where do they fail?"""

import json
import sys
from argparse import Namespace
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np

from .agents import Counterexample, RNNAgent, counterexample, follows_every_path
from .agents.counterexample import STARTS, Start
from .envs import Maze, World, distances, load_maze, optimal_actions, transition
from .envs.maps.directions import ARROWS
from .named import named_maze
from .nets import read_net

MAX_LENGTH: Final = 16  # takes a minute and half a gigabyte
HUNT: Final = 400  # length of the longest paths that are tried where the margin decays
_TITLES: Final[dict[Start, str]] = {"end": "paths from the end", "dot below": "paths with a dot below"}


@dataclass(frozen=True)
class Check:
    """The result of one check."""

    name: str
    ok: bool
    detail: str
    step: int | None = None
    """the first wrong step, counted from 1"""
    example: Counterexample | None = None


@dataclass(frozen=True)
class Report:
    """The results of one submission."""

    file: Path
    checks: list[Check] = field(default_factory=list)
    error: str = ""

    @property
    def ok(self) -> bool:
        """Whether the file was read and every check passed."""
        return not self.error and all(check.ok for check in self.checks)

    def to_dict(self) -> dict[str, Any]:
        """Return the report as JSON values."""
        found: dict[str, Any] = {"file": str(self.file), "ok": self.ok}
        if self.error:
            return {**found, "error": self.error}
        return {**found, "checks": [_check_to_dict(check) for check in self.checks]}


def check(arguments: Namespace) -> int:
    """Check a submission, or a folder of them.

    Args:
        arguments: `submission` (a Path: an npz with W, U, b, optionally h0 and feedback, or a folder of npz files),
            `maze` (a shipped name or a file: check this maze only; None: everything), `length` (try all paths up to
            this length), `json` (print JSON).

    Returns:
        The exit code: 0 if everything works, 1 if something fails, 2 if a file cannot be read.
    """
    if not 1 <= arguments.length <= MAX_LENGTH:
        raise ValueError(f"--length must be from 1 to {MAX_LENGTH}, not {arguments.length}")
    submission: Path = arguments.submission
    maze = None if arguments.maze is None else named_maze(arguments.maze, arguments.format)
    folder = submission.is_dir()
    files = sorted(submission.glob("*.npz")) if folder else [submission]
    if not files:
        raise ValueError(f"there is no .npz file in {submission}")
    reports = [examine(file, maze, arguments.length) for file in files]
    if arguments.json:
        whole = {"ok": all(report.ok for report in reports), "submissions": [report.to_dict() for report in reports]}
        print(json.dumps(whole, ensure_ascii=False, indent=2))
    elif folder:
        print(_table(reports))
    elif not reports[0].error:
        print(_story(reports[0]))
    if not folder and not arguments.json and reports[0].error:
        print(f"mazegrad: {reports[0].error}", file=sys.stderr)
    return max(2 if report.error else int(not report.ok) for report in reports)


def examine(file: Path, maze: Maze | None = None, length: int = 12) -> Report:
    """Check one submission; a file that cannot be read gives a Report with an error."""
    try:
        agent = read_net(file)
    except ValueError as error:
        return Report(file, error=str(error))
    if maze is not None:
        return Report(file, [_walk(agent, maze)])
    return Report(file, [_walk(agent, load_maze("sheet38")), *(_paths(agent, start, length) for start in STARTS)])


def _walk(agent: RNNAgent, maze: Maze) -> Check:
    """Walk one maze from its first start, and stop at the first step that is not on a shortest path to the goal."""
    world = World.compile(maze)
    name = maze.metadata.get("name", "the maze")
    state, mind, good = int(world.start_states[0]), agent.initial_state(), optimal_actions(world)
    if distances(world)[state] < 0:
        raise ValueError(f"no goal is reachable from the start of {name}")
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
                return Check(
                    name, False, f"{where}: it sees {sees} and goes {ARROWS[action]} instead of {right}", steps
                )
            state = int(transition(world, state, action)[0])
    return Check(name, True, f"at the goal after {steps} steps")


def _paths(agent: RNNAgent, start: Start, length: int) -> Check:
    name = _TITLES[start]
    if follows_every_path(agent, starts=[start]):
        return Check(name, True, "follows all, of any length (proved: its state takes finitely many values)")
    example = counterexample(agent, length, starts=[start], beam_length=HUNT)
    if example is not None:
        which = "the shortest path that fails" if example.shortest else f"all paths of up to {length} steps work"
        step = len(example.moves)
        return Check(name, False, f"fails at step {step} ({which})", step, example)
    return Check(name, True, f"follows all of up to {length} steps; no failure was found on longer ones")


def _story(report: Report) -> str:
    lines = [str(report.file)]
    for check in report.checks:
        lines.append(f"{'works' if check.ok else 'FAILS':6} {check.name}: {check.detail}")
        if check.example is not None:
            lines += ["", *(f"       {line}" for line in str(check.example).split("\n")), ""]
    return "\n".join(lines)


def _table(reports: list[Report]) -> str:
    width = max(len(report.file.name) for report in reports)
    names = next(([check.name for check in report.checks] for report in reports if not report.error), [])
    lines = ["  ".join([" " * width, " " * 5, *names])]
    for report in reports:
        verdict = "ERROR" if report.error else "works" if report.ok else "FAILS"
        cells = [f"{_brief(check):{len(check.name)}}" for check in report.checks]
        what = [report.error.removeprefix(f"{report.file}: ")] if report.error else cells
        lines.append("  ".join([f"{report.file.name:{width}}  {verdict}", *what]).rstrip())
    works = sum(report.ok for report in reports)
    return "\n".join([*lines, f"{works} of {len(reports)} work"])


def _brief(check: Check) -> str:
    return "works" if check.ok else f"step {check.step}"


def _check_to_dict(check: Check) -> dict[str, Any]:
    found: dict[str, Any] = {"name": check.name, "ok": check.ok, "detail": check.detail, "step": check.step}
    if (example := check.example) is not None:
        found["counterexample"] = {
            "moves": "".join(ARROWS[move] for move in example.moves),
            "went": ARROWS[example.went],
            "start": example.start,
            "lead": example.lead,
            "shortest": example.shortest,
            "maze": example.maze.to_text(),
        }
    return found
