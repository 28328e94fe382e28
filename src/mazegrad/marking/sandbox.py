"""Run a submitted Python file apart: a process, a folder and limits of its own; only numbers come back.

Nothing of the submission is imported here, and what is expected is computed after its process has ended, so there is
nothing that it could read or change. `docs/teaching.md` says what this protects from and what not.
"""

import contextlib
import json
import math
import os
import signal
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
_CHILD: Final = Path(__file__).with_name("child.py")
_FILE: Final = 2**24  # bytes of one file that a submission writes, and of all results
_FOLDER: Final = 2**26  # bytes of all files that it writes
MAX_SOURCE: Final = 2**20  # bytes of a submitted file


@dataclass(frozen=True)
class Limits:
    """What a submission may take."""

    seconds: int = 10
    """of processor time; of the clock three times that, and three seconds"""
    memory: int = 1024
    """MiB, beside what Python and numpy take"""


@dataclass(frozen=True)
class Job:
    """One call: a function of the submission on arrays, or its layer forwards and back."""

    name: str
    arrays: Sequence[Any]
    several: bool = False
    """whether a tuple is several arrays"""
    do: str = "call"
    backward: bool = True


@dataclass
class Answer:
    """What one job gave."""

    values: list[Array | str] = field(default_factory=list)
    """arrays; a text says what was returned in place of one"""
    changed: bool = False
    """whether the function wrote into its arguments"""
    error: str = ""
    raised: bool = False
    """whether the error was raised in this call"""


@dataclass(frozen=True)
class Outcome:
    """What a submission gave, one answer a job."""

    answers: list[Answer]
    ended: str = ""
    """how the process ended, if not by itself: a sentence"""
    walls: tuple[str, ...] = ()


def run(source: bytes, jobs: Sequence[Job], limits: Limits | None = None) -> Outcome:
    """Run a submission and call its functions.

    Args:
        source: the Python file.
        jobs: what to call, in order.
        limits: of time and memory.

    Raises:
        ValueError: this is not Linux, or the file is too long.
    """
    limits = limits or Limits()
    if sys.platform != "linux":
        raise ValueError("submitted Python files are run on Linux only: the limits of their process need it")
    if len(source) > MAX_SOURCE:
        raise ValueError(f"the file has {len(source):,} bytes, more than {MAX_SOURCE:,}")
    arrays = {f"{i}.{j}": np.asarray(a) for i, job in enumerate(jobs) for j, a in enumerate(job.arrays)}
    task = {
        "nets": b"mazegrad" in source,
        "limits": {"seconds": limits.seconds, "memory": limits.memory * 2**20, "file": _FILE},
        "jobs": [
            {
                "do": job.do, "name": job.name, "several": job.several, "backward": job.backward,
                "arrays": [f"{i}.{j}" for j in range(len(job.arrays))],
            }
            for i, job in enumerate(jobs)
        ],
    }  # fmt: skip
    with (
        tempfile.TemporaryDirectory(prefix="mazegrad-", ignore_cleanup_errors=True) as name,
        tempfile.TemporaryFile() as results,
    ):
        folder = Path(name)
        (folder / "work").mkdir()
        (folder / "task.json").write_text(json.dumps(task), encoding="utf-8")
        (folder / "submission.py").write_bytes(source)
        np.savez(folder / "arrays.npz", **arrays)  # type: ignore[arg-type]
        code, stopped = _wait(folder, results.fileno(), limits)
        size = min(os.fstat(results.fileno()).st_size, 2 * _FILE)
        frames = _frames(os.pread(results.fileno(), size, 0))
    return _outcome(frames, jobs, code, stopped, limits)


def _wait(folder: Path, results: int, limits: Limits) -> tuple[int, str]:
    """Run the process to its end, or stop it; return its exit code and why it was stopped."""
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(folder / "work"), "LANG": "C.UTF-8"}
    environment |= {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL")}
    process = subprocess.Popen(
        [sys.executable, "-I", "-B", str(_CHILD), str(results)], cwd=folder, env=environment, stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, pass_fds=[results], start_new_session=True,
    )  # fmt: skip
    end, stopped, pause = time.monotonic() + 3 * limits.seconds + 3, "", 0.005
    try:
        while process.poll() is None and not stopped:
            time.sleep(pause)
            pause = min(0.05, 1.5 * pause)
            if time.monotonic() > end:
                stopped = "time"
            elif _size(folder / "work") > _FOLDER:
                stopped = "files"
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    return process.returncode, stopped


def _size(folder: Path) -> int:
    """Bytes of all files below a folder; a file counts for at least a kilobyte."""
    size = 0
    for place, _, files in os.walk(folder):
        size += 1024 * len(files)
        for file in files:
            try:
                size += os.lstat(os.path.join(place, file)).st_size
            except OSError:
                continue
    return size


def _frames(data: bytes) -> list[tuple[dict[str, Any], bytes]]:
    """Split what the process wrote; whatever is not a frame ends the list."""
    frames, place = [], 0
    while place + 8 <= len(data):
        text, size = struct.unpack_from("II", data, place)
        place += 8
        if text > 2**16 or place + text + size > len(data):
            break
        try:
            head = json.loads(data[place : place + text])
        except (ValueError, RecursionError):
            break
        if not isinstance(head, dict):
            break
        frames.append((head, data[place + text : place + text + size]))
        place += text + size
    return frames


def _arrays(heads: Any, data: bytes) -> list[Array | str]:
    """Return the arrays of a frame, each checked against its bytes."""
    found: list[Array | str] = []
    for head in heads if isinstance(heads, list) else []:
        try:
            if "type" in head:
                found.append(f"a {clean(str(head['type']))}")
                continue
            shape, dtype = tuple(int(n) for n in head["shape"]), np.dtype(str(head["dtype"]))
            size = head.get("bytes", -1)
            if dtype.kind not in "biuf" or size != math.prod(shape) * dtype.itemsize or size > len(data):
                found.append(f"an array of shape {shape} and dtype {dtype}"[:200])
                continue
            found.append(np.frombuffer(data[:size], dtype).reshape(shape))
            data = data[size:]
        except (TypeError, ValueError, KeyError, AttributeError, OverflowError):
            found.append("something that is not an array")
    return found


def _outcome(
    frames: list[tuple[dict[str, Any], bytes]], jobs: Sequence[Job], code: int, stopped: str, limits: Limits
) -> Outcome:
    answers: list[Answer] = []
    walls = frames[0][0].get("walls", []) if frames else []
    rest = iter(frames[1:])
    for job in jobs:
        head, data = next(rest, ({}, b""))
        if "values" in head:
            answer = Answer(_arrays(head["values"], data))
            head, data = next(rest, ({}, b""))
            given = [np.asarray(a) for a in job.arrays if np.ndim(a)]
            after = _arrays(head.get("inputs"), data)
            if "inputs" in head and job.do == "call":
                same = [
                    isinstance(b, np.ndarray) and a.shape == b.shape and np.array_equal(a, b)
                    for a, b in zip(given, after, strict=False)
                ]
                answer.changed = not all(same)
            answers.append(answer)
        elif "error" in head:
            answers.append(Answer(error=clean(str(head["error"])), raised=bool(head.get("raised"))))
        else:
            break
    ended = _ended(frames, code, stopped, limits)
    answers += [Answer(error=ended or "the program ended before it")] * (len(jobs) - len(answers))
    return Outcome(answers, ended, tuple(str(wall) for wall in walls) if isinstance(walls, list) else ())


def _ended(frames: list[tuple[dict[str, Any], bytes]], code: int, stopped: str, limits: Limits) -> str:
    if stopped == "files":
        return f"it wrote more than {_FOLDER >> 20} MiB of files and was stopped"
    if stopped or code in (-signal.SIGXCPU, -signal.SIGKILL):
        return f"it took more than {limits.seconds} s and was stopped"
    if not frames:
        return f"its process could not be started (exit code {code})"
    if frames[-1][0].get("done"):
        return ""
    if code < 0:
        return f"its process was ended by {signal.Signals(-code).name}"
    return f"it ended its own process (exit code {code})"


def clean(text: str, most: int = 400) -> str:
    """Return a text of a submission as one line that does nothing to a terminal."""
    return "".join(c if c.isprintable() else " " for c in text)[:most]
