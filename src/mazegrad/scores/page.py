"""Results as a page: a table of scores for each environment, and one of how difficult each is."""

import datetime
import platform
import shlex
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .. import __version__
from .jobs import BOUNDS, CUT, DISCOUNT, EPISODES, LEARNERS, SLIPPERY, WIDE, Job, Plan, Result, own_observation

ARRIVED = 0.1
"""a learner has arrived when it is within this share of V*"""

INTRODUCTION = """\
# Scores

What each learner of this library earns in each environment, beside a random walk, the best policy without memory and
the best policy that knows the state. So you see what is normal, and whether your own agent is better.

    {command}

made this page: {runs:,} runs, {hours} of processor time, on {date}.
{machine}.

Finished runs are kept in `{kept}`, so the same command goes on where it was stopped. What comes of a run depends on its
environment, learner, observation, seed and number of steps alone, not on the order of runs, nor on how many there are
at once. `GridWorld-v0` is left out: by default it is `FourRooms-v0`.

**Is my installation right?** `mazegrad scores --check` repeats a few small runs and says whether they come out right.

**How it is measured.** A learner is made as `mazegrad train ID --agent NAME --steps N --seed S` makes it, with its
default settings (`ppo`: `--cell none`; the other nets: a GRU). It sees `index`, the place where it is; where each reset
makes another maze it sees `dots`, the four bits, since places mean nothing there. It is scored on the way and at the
end, in held-out episodes in which it does not explore and learns nothing: {episodes} of them, {slippery} where moves
slip, or one where nothing is random. The score is the return, times {discount} for each step. Such episodes end after
{cut} steps at the latest. The tables give mean ± standard deviation over seeds.

*To 90 %* is the number of steps after which a learner was first within 10 % of V*, |V*| / 10 below it or better: the
median over the seeds that got there, and how many did if not all; – if none did. A table is scored after 1,000, 1,500,
2,000, 3,000, 5,000, 7,000, 10,000, ... steps, a net from 10,000 on, so the number is coarse.

The random walk, the best memoryless policy and V* are not measured but computed from the tables of the world. The
memoryless policy is a proved bound (`certify_memory`) for the observation that is named; where there are two numbers,
the search ended between them. V* is that of a policy that knows the state, which not every observation shows.
"""


def page(plan: Plan, results: Mapping[str, Result], command: Sequence[str], kept: Path) -> str:
    """Return the page, in Markdown.

    Args:
        plan: what it shows.
        results: by the key of their job; what is missing is left out.
        command: the words that made it.
        kept: the file of the runs.
    """
    found = [results[job.key] for job in plan.jobs() if job.key in results]
    runs = [result for result in found if result.job.learner != BOUNDS]
    seconds = sum(result.seconds for result in found)
    parts = [
        INTRODUCTION.format(
            command=shlex.join(command), runs=len(runs), hours=_duration(seconds), machine=machine(), kept=kept.name,
            date=datetime.datetime.now(datetime.UTC).date().isoformat(), episodes=EPISODES, discount=DISCOUNT, cut=CUT,
            slippery=f"{SLIPPERY:,}",
        )
    ]  # fmt: skip
    missing = len(plan.jobs()) - len(found)
    if missing:
        parts.append(
            f"**{missing:,} runs of the plan are not finished yet**; the command above goes on with them. Where a\n"
            "table has fewer seeds than planned it says so; in the table of difficulty cells are\n"
            "empty, or have one seed.\n"
        )
    parts += ["## Scores by environment\n"]
    parts += [environment_table(plan, results, env_id) for env_id in plan.ids]
    if plan.wide():
        parts.append(_difficulty(plan, results))
    return "\n".join(parts)


def machine() -> str:
    """Return processor, system, Python and numpy, in words."""
    name = platform.processor() or platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        name = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), name)
    except OSError:
        pass
    versions = f"Python {platform.python_version()}, numpy {np.__version__}, mazegrad {__version__}"
    return f"One core of {name}, {platform.system()}; {versions}"


def _duration(seconds: float) -> str:
    return f"{seconds / 3600:.1f} hours" if seconds >= 3600 else f"{max(1, round(seconds / 60))} minutes"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def environment_table(plan: Plan, results: Mapping[str, Result], env_id: str) -> str:
    """Return the table of one environment: bounds and learners.

    Example:
        >>> from mazegrad.scores import Plan, Result, environment_table
        >>> plan = Plan(["mazegrad/CliffWalk-v0"], ["sarsa"], seeds=1, wide_seeds=0)
        >>> job = plan.job("mazegrad/CliffWalk-v0", "sarsa", "index", seed=0)
        >>> results = {job.key: Result(job, {"return": -12.2, "success": 1.0, "curve": []}, 0.3, "0.1.0")}
        >>> print(environment_table(plan, results, "mazegrad/CliffWalk-v0"))
        ### CliffWalk-v0, seen as `index`
        <BLANKLINE>
        |  | return | success | steps | to 90 % |
        | --- | --- | --- | --- | --- |
        | `sarsa` | -12.200 ± 0.000 | 100% | 100,000 |  |
    """
    best = _bounds(plan, results, env_id)
    rows = []
    if best is not None:
        rows.append(["random walk", f"{best['random']:.3f}", f"{best['success']:.0%}", "", ""])
    seen = own_observation(env_id)
    if best is not None and best["memoryless"]:
        rows.append(["best memoryless policy", _interval(best["memoryless"]), "", "", ""])
    for name in plan.learners:
        kind = LEARNERS[name]
        figures = _figures(results, [plan.job(env_id, name, seen, seed) for seed in range(plan.seeds)])
        scores = np.array([figure["return"] for figure in figures if "return" in figure])
        if len(scores):
            success = np.mean([figure["success"] for figure in figures if "return" in figure])
            score, steps = f"{scores.mean():.3f} ± {scores.std():.3f}", f"{plan.steps or kind.steps:,}"
            arrival = _arrival(figures, best)
            if len(scores) < plan.seeds:
                score += f" (seeds so far: {len(scores)})"
            rows.append([f"`{name}`", score, f"{success:.0%}", steps, arrival])
    if best is not None:
        rows.append(["V*, which knows the state", f"{best['optimum']:.3f}", "", "", ""])
    title = f"### {env_id.removeprefix('mazegrad/')}, seen as `{seen}`\n"
    return "\n".join([title, _table(["", "return", "success", "steps", "to 90 %"], rows)])


def _figures(results: Mapping[str, Result], jobs: Iterable[Job]) -> list[Mapping[str, Any]]:
    """Return the figures of those jobs that are finished."""
    return [results[job.key].figures for job in jobs if job.key in results]


def _bounds(plan: Plan, results: Mapping[str, Result], env_id: str) -> Mapping[str, Any] | None:
    """Return the bounds of an environment as learners see it."""
    found = _figures(results, [plan.bounds(env_id, own_observation(env_id))])
    return found[0] if found else None


def _interval(bounds: Sequence[float]) -> str:
    lower, upper = bounds
    return f"{lower:.3f}" if upper - lower < 5e-4 else f"{lower:.3f} to {upper:.3f}"


def arrived(curve: Sequence[Sequence[float]], optimum: float) -> float | None:
    """Return after how many steps a learner first scored within 10 % of V*; None if it never did."""
    enough = optimum - ARRIVED * abs(optimum)
    return next((steps for steps, score, _ in curve if score >= enough), None)


def _arrival(figures: Sequence[Mapping[str, Any]], best: Mapping[str, Any] | None) -> str:
    """Return the median of the steps to 90 %, and how many of the runs got there if not all did."""
    if best is None or not figures:
        return ""
    steps = [arrived(figure["curve"], best["optimum"]) for figure in figures]
    there = [step for step in steps if step is not None]
    if not there:
        return "–"
    share = "" if len(there) == len(steps) else f" ({len(there)} of {len(steps)})"
    return _round(float(np.median(there))) + share


def _round(steps: float) -> str:
    """Return a number of steps to two digits: 4,096 is 4,100."""
    digits = len(str(round(steps))) - 2
    return f"{round(steps, -max(0, digits)):,.0f}"


def _difficulty(plan: Plan, results: Mapping[str, Result]) -> str:
    """Return the table of environments and observations."""
    learners = [name for name in WIDE if name in plan.learners]
    rows = []
    for env_id in plan.ids:
        for seen in plan.observed:
            own = results.get(plan.bounds(env_id, seen).key)
            if own is None:
                continue
            memoryless = own.figures["memoryless"]
            row = [f"{env_id.removeprefix('mazegrad/')}", f"`{seen}`", _round(own.figures["hitting"])]
            row.append("" if memoryless is None else _share(memoryless[0], own.figures))
            for name in learners:
                seeds = range(max(plan.wide_seeds, plan.seeds if own_observation(env_id) == seen else 0))
                figures = _figures(results, [plan.job(env_id, name, seen, seed) for seed in seeds])
                scores = [figure["return"] for figure in figures if "return" in figure]
                arrival = _arrival(figures, own.figures)
                if arrival == "–" and scores:
                    arrival = f"– ({_share(float(np.mean(scores)), own.figures)})"
                row.append(arrival)
            rows.append(row)
    text = f"""\
## How difficult each environment is, by what is seen

After how many steps a learner is within 10 % of V*, as above. Where none was, – and how far it came: 0 % is the random
walk, 100 % is V*. With the observation of the tables above there are {plan.seeds} seeds, with others {plan.wide_seeds}.

*Random walk* is the expected number of steps until it first stands on a goal, computed exactly (`hitting_times`).
*Memoryless* says how far the best policy comes that remembers nothing. Left out are `state`, which says what `index`
says; `pixels`, which show what `map` shows in a thousand times as many numbers; and `goal`, which does not say where
the agent is.
"""
    head = ["environment", "observation", "random walk", "memoryless", *(f"`{name}`" for name in learners)]
    return "\n".join([text, _table(head, rows)])


def _share(score: float, figures: Mapping[str, Any]) -> str:
    """Return where a score stands between a random walk, 0 %, and V*, 100 %."""
    random, optimum = figures["random"], figures["optimum"]
    return f"{(score - random) / (optimum - random) + 0.0:.0%}".replace("-0%", "0%") if optimum > random else ""
