"""`mazegrad check`: mark what students hand in for exercises 38, 39 and 41: one submission, or a folder of them."""

import csv
import io
import json
import os
import re
import stat
import sys
import zipfile
from argparse import Namespace
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import numpy as np

from .colour import paint
from .envs import Maze
from .envs.maps.files import write_file
from .marking import exercise_38, exercise_39, exercise_41
from .marking.report import Report
from .marking.sandbox import MAX_SOURCE, Limits, clean, run
from .named import named_maze
from .nets import read_arrays
from .progress import progress

MAX_LENGTH: Final = 16  # takes a minute and half a gigabyte
EXERCISES: Final = (38, 39, 41)
_NAMES: Final = {39: ("power_gradient",), 41: ("h_conv2d", "h_conv2d_grad", "Conv2D")}  # of functions, in a Python file
_COMMENT: Final = 110  # characters of a row


def check(arguments: Namespace) -> int:
    """Mark a submission, or a folder of them.

    Args:
        arguments: `submission` (a Path: an npz or a Python file, or a folder of them, which may stand in folders of one
            student each), `exercise` (one of `EXERCISES`; None: what the file holds), `maze` (exercise 38: a shipped
            name or a file: check this maze only; None: everything), `length` (exercise 38: try all paths up to this
            length), `time` (seconds) and `memory` (MiB) of a Python file, `seed` (of the numbers that its functions are
            called with), `jobs` (submissions at once), `csv` (a Path: write the points), `json` (print JSON).

    Returns:
        The exit code: 0 if everything works, 1 if something fails, 2 if a file cannot be read.
    """
    if not 1 <= arguments.length <= MAX_LENGTH:
        raise ValueError(f"--length must be from 1 to {MAX_LENGTH}, not {arguments.length}")
    submission: Path = arguments.submission
    maze = None if arguments.maze is None else named_maze(arguments.maze, arguments.format)
    if maze is not None:
        exercise_38.check_maze(maze)
    folder = submission.is_dir()
    files = submissions(submission) if folder else [submission]
    if folder and arguments.exercise is not None:  # and what answers nothing, so that it has its row
        files = [file for file in files if arguments.exercise in (answered(file) or [arguments.exercise])]
    if not files:
        raise ValueError(f"there is no .npz file in {submission}, and no .py file")
    limits = Limits(arguments.time, arguments.memory)

    def marked(file: Path) -> list[Report]:
        return mark(file, arguments.exercise, maze, arguments.length, limits, arguments.seed)

    pool = ThreadPoolExecutor(arguments.jobs)  # whose threads wait for processes
    try:
        reports = [report for found in progress(pool.map(marked, files), len(files), "marking") for report in found]
    finally:
        pool.shutdown(cancel_futures=True)
    if arguments.csv is not None:
        write_file(arguments.csv, points_table(reports, submission if folder else submission.parent).encode())
    if arguments.json:
        whole = {"ok": all(report.ok for report in reports), "submissions": [report.to_dict() for report in reports]}
        print(json.dumps(whole, ensure_ascii=False, indent=2))
    elif folder:
        print(_table(reports, submission))
    else:
        for report in reports:
            if report.error:
                print(f"{paint('mazegrad:', 'bad', sys.stderr)} {report.error}", file=sys.stderr)
            else:
                print(_story(report))
    return max(2 if report.error else int(not report.ok) for report in reports)


def submissions(folder: Path) -> list[Path]:
    """Return the submissions in a folder and in its folders, one level down; hidden ones are left out."""
    found = [path for pattern in ("*.npz", "*.py", "*/*.npz", "*/*.py") for path in folder.glob(pattern)]
    return sorted(path for path in found if not any(part[0] in "._" for part in path.relative_to(folder).parts))


def mark(
    file: Path,
    exercise: int | None = None,
    maze: Maze | None = None,
    length: int = 12,
    limits: Limits | None = None,
    seed: int = 0,
) -> list[Report]:
    """Mark one submission: a report for each exercise that it answers.

    A Python file runs in a process of its own: see `marking.sandbox`. An npz file is only read.
    """
    try:
        if file.suffix != ".py":
            return [_read(file, exercise, maze, length)]
        source = _source(file)
        if exercise == 38:
            raise ValueError("exercise 38 is handed in as an .npz file with W, U and b")
        wanted = _answered(source) if exercise is None else [exercise]
        return [_run(file, source, each, limits, seed) for each in wanted]
    except ValueError as error:
        return [Report(file, error=f"{file}: {error}", exercise=exercise)]


def answered(file: Path) -> list[int]:
    """Return the exercises that a file seems to answer; none where it cannot be read."""
    try:
        if file.suffix == ".py":
            return _answered(_source(file))
        _refuse_special(file)
        return [39 if _holds(file, tuple(exercise_39.SHEET)) else 38]
    except (ValueError, OSError):
        return []


def _read(file: Path, exercise: int | None, maze: Maze | None, length: int) -> Report:
    if file.exists():
        _refuse_special(file)
    if exercise == 39 or (exercise is None and _holds(file, tuple(exercise_39.SHEET))):
        arrays = read_arrays(file, tuple(exercise_39.SHEET))
        for name, array in arrays.items():
            if array.dtype.kind not in "biuf":
                raise ValueError(f"{name} must hold real numbers, not {array.dtype}")
        return Report(file, exercise_39.values(arrays), exercise=39)
    if exercise == 41:
        raise ValueError("exercise 41 is handed in as a Python file, with the ending .py")
    return exercise_38.examine(file, maze, length)


def _holds(file: Path, names: Sequence[str]) -> bool:
    try:
        with zipfile.ZipFile(file) as archive:
            return bool({name.removesuffix(".npy") for name in archive.namelist()} & set(names))
    except (OSError, ValueError, NotImplementedError, zipfile.BadZipFile):
        return False  # whoever reads it says why


def _refuse_special(file: Path) -> None:
    """Read neither a link, which may lead out of the folder, nor a pipe, which may never end."""
    mode = os.lstat(file).st_mode
    if stat.S_ISLNK(mode) or not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise ValueError("this is a link, a pipe or a device; hand in the file itself")


def _source(file: Path) -> bytes:
    if not file.exists() and not file.is_symlink():
        raise ValueError("no such file")
    _refuse_special(file)
    if file.stat().st_size > MAX_SOURCE:
        raise ValueError(f"the file has {file.stat().st_size:,} bytes, more than {MAX_SOURCE:,}")
    return file.read_bytes()


def _answered(source: bytes) -> list[int]:
    """Return the exercises whose names stand in a Python file."""
    found = [n for n, names in _NAMES.items() if any(re.search(rb"\b%s\b" % name.encode(), source) for name in names)]
    if not found:
        raise ValueError(f"it defines none of {', '.join(name for names in _NAMES.values() for name in names)}")
    return found


def _run(file: Path, source: bytes, exercise: int, limits: Limits | None, seed: int) -> Report:
    marker = exercise_39 if exercise == 39 else exercise_41
    jobs = marker.jobs(np.random.default_rng([seed, exercise]))
    outcome = run(source, jobs, limits)
    return Report(file, marker.checks(jobs, outcome.answers), exercise=exercise, note=outcome.ended)


def points_table(reports: Sequence[Report], folder: Path) -> str:
    """Return the points as CSV: file, exercise, points, of, result and a comment that names what failed."""
    table = io.StringIO(newline="")
    rows = csv.writer(table)
    rows.writerow(["file", "exercise", "points", "of", "result", "comment"])
    for report in reports:
        failed: dict[str, list[str]] = {}  # names of checks by what went wrong
        for each in report.checks:
            if not each.ok:
                failed.setdefault(each.detail, []).append(each.name)
        comment = report.error or " | ".join(f"{_together(names)}: {why}" for why, names in failed.items())
        name = str(report.file.relative_to(folder))
        row = [name, report.exercise or "", report.points, report.worth or "", _verdict(report), comment]
        rows.writerow([_harmless(cell) for cell in row])
    return table.getvalue()


def _together(names: Sequence[str]) -> str:
    return ", ".join(names) if len(names) < 4 else f"{names[0]} and {len(names) - 1} more"


def _harmless(cell: object) -> object:
    """Return a cell that no spreadsheet takes for a formula."""
    if not isinstance(cell, str):
        return cell
    return f"'{clean(cell, 5000)}" if cell.startswith(("=", "+", "-", "@", "\t", "\r")) else clean(cell, 5000)


def _verdict(report: Report) -> str:
    return "error" if report.error else "works" if report.ok else "fails"


def _painted(verdict: str) -> str:
    return paint(verdict, "good" if verdict == "works" else "bad", sys.stdout)


def _story(report: Report) -> str:
    lines = [str(report.file)]
    for check in report.checks:
        lines.append(f"{_painted('works' if check.ok else 'FAILS')}  {check.name}: {check.detail}")
        if check.example is not None:
            lines += ["", *(f"       {line}" for line in str(check.example).split("\n")), ""]
    lines.append(f"exercise {report.exercise}: {report.points} of {report.worth} points")
    return "\n".join(lines)


def _table(reports: Sequence[Report], folder: Path) -> str:
    names = [clean(str(report.file.relative_to(folder))) for report in reports]
    width = max(map(len, names))
    lines = []
    for name, report in zip(names, reports, strict=True):
        verdict = {"error": "ERROR", "works": "works", "fails": "FAILS"}[_verdict(report)]
        points = "" if report.error else f"{report.points}/{report.worth}"
        first = next((f"{c.name}: {c.detail}" for c in report.checks if not c.ok), "")
        what = report.error.removeprefix(f"{report.file}: ") or report.note or first
        what = what if len(what) <= _COMMENT else f"{what[: _COMMENT - 3]}..."
        lines.append(f"{name:{width}}  {report.exercise or '':2}  {_painted(verdict)}  {points:>5}  {what}".rstrip())
    works = sum(report.ok for report in reports)
    return "\n".join([*lines, f"{works} of {len(reports)} work"])
