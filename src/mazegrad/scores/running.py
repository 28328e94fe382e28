"""Many jobs on this machine: each in a worker process, each result kept in a file as soon as there is one."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from .. import __version__
from ..envs.maps.files import write_file
from .jobs import Job, Result, run_job

ONE_THREAD: Final = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
"""a worker multiplies matrices with one thread: results then do not depend on the number of cores"""


def work(jobs: Sequence[Job], processes: int = 1) -> Iterator[Result]:
    """Run jobs in other processes, and yield each result as soon as it is there.

    Args:
        jobs: to run.
        processes: how many run at once.

    Example:
        >>> from mazegrad.scores import Job, work
        >>> jobs = [Job("mazegrad/CliffWalk-v0", "index", "sarsa", seed, steps=500) for seed in range(2)]
        >>> sorted(result.job.seed for result in work(jobs, processes=1))
        [0, 1]
    """
    before = {name: os.environ.get(name) for name in ONE_THREAD}
    os.environ.update(dict.fromkeys(ONE_THREAD, "1"))  # the workers are fresh processes and read it when they start
    try:
        with _ctrl_c_ignored():
            pool = multiprocessing.get_context("spawn").Pool(min(processes, max(1, len(jobs))), _begin)
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
    with pool:  # at its end, by Ctrl-C too, what is still running is dropped
        yield from pool.imap_unordered(run_job, jobs)


@contextmanager
def _ctrl_c_ignored() -> Iterator[None]:
    """Ignore Ctrl-C while workers are started: they inherit this, and so do not stop with a traceback of their own."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _begin() -> None:
    """Leave Ctrl-C to the process that started this one."""
    if hasattr(os, "setsid"):
        os.setsid()
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def keep(path: Path, result: Result) -> None:
    """Add a result to a file, at once and whole."""
    with path.open("a", encoding="utf-8") as file:
        file.write(result.to_json() + "\n")
        file.flush()
        os.fsync(file.fileno())


def read_results(path: Path) -> dict[str, Result]:
    """Return the results in a file by the key of their job; of this version of the library only.

    A last line without its end was cut off while it was written: it is taken away.

    Raises:
        ValueError: a line is something else.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> import mazegrad
        >>> from mazegrad.scores import Job, Result, read_results
        >>> job = Job("mazegrad/CliffWalk-v0", "index", "sarsa", steps=1000)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder) / "scores.jsonl"
        ...     with path.open("w") as file:
        ...         print(Result(job, {"return": -12.2}, 0.3, mazegrad.__version__).to_json(), file=file)
        ...     read_results(path)[job.key].figures["return"]
        -12.2
    """
    if not path.exists():
        return {}
    text = path.read_text(encoding="utf-8")
    whole, _, rest = text.rpartition("\n")
    if rest:
        write_file(path, (whole + "\n" if whole else "").encode())
    results = {}
    for number, line in enumerate(whole.splitlines(), 1):
        try:
            result = Result.from_json(line)
        except ValueError as error:
            raise ValueError(f"{path}, line {number}: {error}") from None
        if result.version == __version__:
            results[result.job.key] = result
    return results
