"""`mazegrad check`: is this W, U, b a solution of exercise 38, and if not, where does it go wrong?"""

import json
import sys
import zipfile
import zlib
from argparse import Namespace
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import numpy as np

from .agents import Counterexample, LinearRNN, RNNAgent, counterexample, follows_every_path
from .agents.counterexample import STARTS, Start
from .envs import Maze, World, distances, optimal_actions, transition
from .envs.maps.arguments import nearest
from .envs.maps.directions import ARROWS
from .envs.maps.shipped import find_maze

MAX_BYTES: Final = 2**20  # of a submission, unpacked: W, U, b and h0 of four units take half a kilobyte each
MAX_LENGTH: Final = 16  # takes a minute and half a gigabyte
HUNT: Final = 400  # steps of the longest paths that are tried where a lead fades
_NAMES: Final = ("W", "U", "b", "h0", "feedback")
_TITLES: Final[dict[Start, str]] = {"end": "paths from the end", "dot below": "paths with a dot below"}
_UNREADABLE: Final = (
    ValueError, OSError, EOFError, KeyError, TypeError, RuntimeError, MemoryError, SyntaxError, zipfile.BadZipFile,
    zlib.error,
)  # fmt: skip


@dataclass(frozen=True)
class Check:
    """One thing that was tried."""

    name: str
    ok: bool
    detail: str
    step: int | None = None
    """where it goes wrong, from 1"""
    example: Counterexample | None = None


@dataclass(frozen=True)
class Report:
    """What became of one submission."""

    file: Path
    checks: list[Check] = field(default_factory=list)
    error: str = ""

    @property
    def ok(self) -> bool:
        """Whether the file could be read and everything worked."""
        return not self.error and all(check.ok for check in self.checks)

    def to_dict(self) -> dict[str, Any]:
        """Return texts, numbers and lists (JSON)."""
        found: dict[str, Any] = {"file": str(self.file), "ok": self.ok}
        if self.error:
            return {**found, "error": self.error}
        return {**found, "checks": [_check_to_dict(check) for check in self.checks]}


def check(arguments: Namespace) -> int:
    """Check a submission, or a folder of them; return 0 if all works, 1 if something fails, 2 if a file is unreadable.

    Args:
        arguments: `submission` (a Path: an npz with W, U, b, and h0 and feedback if it likes, or a folder of such),
            `maze` (a shipped name or a file: try this maze and nothing else; None: all), `length` (of the paths that
            are all tried), `json` (print JSON).
    """
    if not 1 <= arguments.length <= MAX_LENGTH:
        raise ValueError(f"length is a number of steps from 1 to {MAX_LENGTH}, not {arguments.length}")
    submission: Path = arguments.submission
    maze = None if arguments.maze is None else find_maze(arguments.maze)
    folder = submission.is_dir()
    files = sorted(submission.glob("*.npz")) if folder else [submission]
    if not files:
        raise ValueError(f"there is no .npz in {submission}")
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
    """Return what works and what fails of one submission; an unreadable one is a Report with an error."""
    try:
        agent = read_net(file)
    except ValueError as error:
        return Report(file, error=str(error))
    if maze is not None:
        return Report(file, [_walk(agent, maze)])
    return Report(file, [_walk(agent, find_maze("sheet38")), *(_paths(agent, start, length) for start in STARTS)])


def read_net(file: Path) -> RNNAgent:
    """Return the net in an npz: W (4, 4), U (4, 4), b (4,), and if given h0 (4,) and feedback, "raw" or "one_hot".

    Without them h0 is (1, 0, 0, 0) and the feedback raw, as on the sheet. Nothing in the file is executed.

    Raises:
        ValueError: the file is not that; the message names the file and says what is wrong.
    """
    try:
        arrays = _read_arrays(file)
        for name in ("W", "U", "b"):
            if name not in arrays:
                raise ValueError(f"there is no {name} in it, but {', '.join(arrays) or 'nothing'}")
        feedback = arrays.pop("feedback", np.array("raw"))
        if feedback.shape != () or feedback.dtype.kind != "U":
            raise ValueError('feedback is a text, "raw" or "one_hot"')
        for name, array in arrays.items():
            if array.dtype.kind not in "biuf":
                raise ValueError(f"{name} holds real numbers, not {array.dtype}")
        if arrays["W"].shape != (4, 4) or arrays["b"].shape != (4,):
            shapes = f"W has shape {arrays['W'].shape} and b {arrays['b'].shape}"
            raise ValueError(f"{shapes}; expected (4, 4) and (4,): four bits seen, one hidden unit a direction")
        rnn = LinearRNN(arrays["W"], arrays["U"], arrays["b"], arrays.get("h0", np.array([1, 0, 0, 0])))
        return RNNAgent(rnn, feedback.item())
    except ValueError as error:
        raise ValueError(f"{file}: {error}") from None


def _read_arrays(file: Path) -> dict[str, np.ndarray[Any, Any]]:
    """Return the arrays of an npz by name; read as bytes first, so that no file takes more than `MAX_BYTES`."""
    if not file.is_file():
        raise ValueError("there is no such file")
    try:
        with zipfile.ZipFile(file) as archive:
            members = archive.infolist()
            if sum(member.file_size for member in members) > MAX_BYTES:
                raise ValueError(f"it holds more than {MAX_BYTES:,} bytes")
            data = {member.filename.removesuffix(".npy"): archive.read(member) for member in members}
    except _UNREADABLE as error:
        raise ValueError(f"it is not an npz: {error}") from None
    for name in data:
        if name not in _NAMES:
            raise ValueError(f"an unknown array {name!r}{nearest(name, _NAMES)}")
    arrays = {}
    for name, content in data.items():
        try:
            arrays[name] = np.lib.format.read_array(BytesIO(content), allow_pickle=False)
        except _UNREADABLE as error:
            raise ValueError(f"{name} is not an array of numbers: {error}") from None
    return arrays


def _walk(agent: RNNAgent, maze: Maze) -> Check:
    """Walk one maze by its tables, from its first start, and stop at the first step that is no way to the goal."""
    world = World.compile(maze)
    name = maze.metadata.get("name", "the maze")
    state, mind, good = int(world.start_states[0]), agent.initial_state(), optimal_actions(world)
    if distances(world)[state] < 0:
        raise ValueError(f"no goal can be reached from the start of {name}")
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
                return Check(name, False, f"{where}: it sees {sees} and goes {ARROWS[action]}, not {right}", steps)
            state = int(transition(world, state, action)[0])
    return Check(name, True, f"at the goal after {steps} steps")


def _paths(agent: RNNAgent, start: Start, length: int) -> Check:
    name = _TITLES[start]
    if follows_every_path(agent, starts=[start]):
        return Check(name, True, "follows every one, of any length (proved: its state takes finitely many values)")
    example = counterexample(agent, length, starts=[start], deeper=HUNT)
    if example is not None:
        which = "the shortest that fails" if example.shortest else f"every one of up to {length} works"
        step = len(example.moves)
        return Check(name, False, f"fails at step {step} ({which})", step, example)
    return Check(name, True, f"follows every one of up to {length} steps; no longer one was found that fails")


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
