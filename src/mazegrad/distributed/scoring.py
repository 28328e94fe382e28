"""The runs of `mazegrad scores` as Ray tasks."""

from collections.abc import Iterator, Sequence

from ..scores import Job, Result, run_job
from .cluster import cluster
from .spreading import spread


def run_scores(jobs: Sequence[Job], *, processes: int = 2, address: str | None = None) -> Iterator[Result]:
    """Run jobs over Ray, and yield each result as soon as it is there, as `mazegrad.scores.work` does.

    Args:
        jobs: to run; a result depends on its job alone.
        processes: how many run at once on this machine; on a cluster as many as it has CPUs.
        address: of a Ray cluster; see `cluster`.

    Raises:
        MissingExtra: Ray is not installed.

    Example:
        >>> from mazegrad.distributed import run_scores
        >>> from mazegrad.scores import Job
        >>> jobs = [Job("mazegrad/CliffWalk-v0", "index", "sarsa", seed, steps=500) for seed in range(3)]
        >>> sorted(result.job.seed for result in run_scores(jobs, processes=2))
        [0, 1, 2]
    """
    with cluster(address, cpus=processes):
        yield from spread(_run, None, jobs, actors=None, label=None, in_order=False)


def _run(shared: None, job: Job) -> Result:
    return run_job(job)
