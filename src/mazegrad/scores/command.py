"""`mazegrad scores`: run what is missing, and write the page."""

import sys
import time
from argparse import Namespace
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Final

from ..envs.maps.arguments import nearest
from ..envs.maps.files import write_file
from ..named import environment_ids, find_environment
from ..progress import clock, progress
from .check import checked
from .jobs import LEARNERS, OBSERVED, Job, Plan, Result
from .page import page
from .running import keep, read_results, work

LEFT_OUT: Final = ("mazegrad/GridWorld-v0",)
"""ids that are scored only if they are named: by default this one is FourRooms-v0"""


def scores(arguments: Namespace, works: Callable[[Sequence[Job], int], Iterator[Result]] = work) -> int | None:
    """Run the jobs that are not in the file yet, and write the page; return 130 after Ctrl-C.

    Args:
        arguments: `ids`, `learners`, `observations` (lists, or None for all), `seeds`, `wide_seeds`, `steps` (or None),
            `out` (a page), `jobs` (processes), `check`, `words` (of the command line).
        works: runs jobs, so many at once.
    """
    if arguments.check:
        return _check()
    plan = _plan(arguments)
    kept = arguments.out.with_suffix(".jsonl")
    results = read_results(kept)
    jobs = [job for job in plan.jobs() if job.key not in results]
    print(f"{len(plan.jobs()):,} runs, of which {len(plan.jobs()) - len(jobs):,} are in {kept} already")
    stopped = False
    try:
        for result in _shown(works(jobs, arguments.jobs), len(jobs)):
            keep(kept, result)
            results[result.job.key] = result
    except KeyboardInterrupt:
        stopped = True
    write_file(arguments.out, page(plan, results, ["mazegrad", *arguments.words], kept).encode())
    left = sum(job.key not in results for job in plan.jobs())
    print(f"wrote {arguments.out}; " + (f"{left:,} runs are left: the same command goes on" if left else "it is whole"))
    return 130 if stopped else None


def _plan(arguments: Namespace) -> Plan:
    """Return the plan that is asked for.

    Raises:
        ValueError: an unknown name.
    """
    ids = [find_environment(name) for name in arguments.ids or ()]
    ids = ids or [env_id for env_id in environment_ids() if env_id not in LEFT_OUT]
    learners = _known("learner", arguments.learners, LEARNERS)
    seen = _known("observation", arguments.observations, OBSERVED)
    return Plan(ids, learners, arguments.seeds, arguments.steps, seen, arguments.wide_seeds)


def _known(what: str, names: Sequence[str] | None, known: Collection[str]) -> list[str]:
    for name in names or ():
        if name not in known:
            raise ValueError(f"unknown {what} {name!r}{nearest(name, known)}")
    return list(dict.fromkeys(names or known))


def _shown(results: Iterator[Result], count: int) -> Iterator[Result]:
    """Yield results, and show how far the work is: a bar on a terminal, elsewhere a line for each tenth."""
    if sys.stderr.isatty():
        yield from progress(results, count, "runs")
        return
    begin, tenths = time.perf_counter(), 0
    for done, result in enumerate(results, 1):
        yield result
        if 10 * done // count > tenths:
            tenths = 10 * done // count
            print(f"{done:>6,} of {count:,} runs in {clock(time.perf_counter() - begin)}", flush=True)


def _check() -> int:
    """Run the small runs, and say whether each came out right; return 1 if one did not."""
    right = True
    for expected, result, passed in checked():
        job, value = expected.job, result.figures.get("return", float("nan"))
        middle, width = (expected.least + expected.most) / 2, expected.most - expected.least
        wanted = f"{middle:.6f}" if width < 1e-6 else f"{expected.least:.3f} to {expected.most:.3f}"
        task = f"{job.learner} in {job.env_id.removeprefix('mazegrad/')}, {job.steps:,} steps"
        print(f"{'right' if passed else 'WRONG'}  {task:48} {value:11.6f}   expected {wanted}", flush=True)
        right = right and passed
    print("This installation learns what it should." if right else "This installation does not learn what it should.")
    return 0 if right else 1
