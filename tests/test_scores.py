"""`mazegrad scores`: results depend on their job alone, Ctrl-C loses nothing, and this installation learns."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import gymnasium
import pytest

from mazegrad.agents import certify_memory
from mazegrad.cli import main
from mazegrad.envs import value_iteration
from mazegrad.scores import EXPECTED, LEARNERS, Job, Plan, Result, read_results, run_job, work
from mazegrad.scores.jobs import points
from mazegrad.scores.page import arrived

ROOMS, ICE, CLIFF = (f"mazegrad/{name}-v0" for name in ("FourRooms", "IceLake", "CliffWalk"))
JOBS = [
    Job(ROOMS, "index", "q_learning", 1, 2000),
    Job(ICE, "dots", "recurrent_ppo", 2, 4000),
    Job(ICE, "index", "bounds"),
    Job(CLIFF, "index", "ppo", 3, 4000),
]
SMALL = ["--learners", "q_learning", "sarsa", "--ids", "CliffWalk-v0", "DynaMaze-v0", "--seeds", "2"]
SMALL += ["--steps", "1500", "--observations", "dots"]


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def figures(results: list[Result]) -> dict[str, object]:
    return {result.job.key: result.figures for result in results}


@pytest.mark.slow
def test_a_result_depends_on_its_job_alone() -> None:
    here = figures([run_job(job) for job in reversed(JOBS)])
    there = figures(list(work(JOBS, processes=2)))
    assert here.keys() == there.keys()
    for job in JOBS:
        assert here[job.key] == there[job.key], job


def test_results_are_plain_text() -> None:
    result = run_job(JOBS[0])
    assert Result.from_json(result.to_json()) == result
    assert json.loads(result.to_json())["job"]["env_id"] == ROOMS
    with pytest.raises(ValueError, match="this is not the result of a run"):
        Result.from_json('{"job": 3}')


def test_bounds_are_those_of_the_tables() -> None:
    found = run_job(Job(ROOMS, "dots", "bounds")).figures
    world = gymnasium.make(ROOMS).unwrapped.world
    assert found["optimum"] == value_iteration(world, discount=0.99).expected_return == pytest.approx(0.99**15)
    bounds = certify_memory(world, "dots", 0.99).memoryless_value
    assert found["memoryless"] == [bounds.lower, bounds.upper]
    assert 0 < found["random"] < 0.1 and 800 < found["hitting"] < 820


def test_when_a_learner_is_scored() -> None:
    assert list(points(5000)) == [1000, 1500, 2000, 3000, 5000]
    assert list(points(120_000, 10_000))[-3:] == [70_000, 100_000, 120_000]
    assert list(points(10)) == [10]
    curve = [[1000, -20.0, 0.0], [2000, -13.1, 1.0], [3000, -12.0, 1.0]]
    assert arrived(curve, -12.0) == 2000 + 1000 * (13.1 > 1.1 * 12)
    assert arrived(curve, -10.0) is None


# ------------------------------------------------------------------------------------------------------------ the page
def words(text: str) -> str:
    """Return a page without what is different each time."""
    return re.sub(r"    mazegrad scores.*|made this page(.|\n)*?mazegrad \d+\.\d+\.\d+", "", text)


@pytest.mark.slow
def test_what_was_stopped_goes_on(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["scores", *SMALL, "--wide-seeds", "1", "--out", "whole.md"]) == 0
    whole = Path("whole.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    plan = Plan([CLIFF, "mazegrad/DynaMaze-v0"], ["q_learning", "sarsa"], 2, 1500, ["dots"], 1)
    assert len(whole) == len(plan.jobs()) == 2 * 2 + 2 * 2 * 2 + 2  # bounds, with the place, with dots
    # some lines of it, the last one torn
    Path("part.jsonl").write_text("".join(whole[:7]) + whole[7][:40], encoding="utf-8")
    capsys.readouterr()
    assert main(["scores", *SMALL, "--wide-seeds", "1", "--out", "part.md", "--jobs", "2"]) == 0
    assert "14 runs, of which 7 are in part.jsonl already" in capsys.readouterr().out
    pages = [words(Path(name).read_text(encoding="utf-8")) for name in ("whole.md", "part.md")]
    assert pages[0].replace("whole.jsonl", "part.jsonl") == pages[1]
    assert figures(list(read_results(Path("whole.jsonl")).values())) == figures(
        list(read_results(Path("part.jsonl")).values())
    )
    lines = pages[0].splitlines()
    assert "| `q_learning` | -12.248 ± 0.000 | 100% | 1,500 | 1,500 |" in lines
    assert sum(line.startswith("| best memoryless policy | -12.248 |") for line in lines) == 1
    assert sum(line.startswith("| V*, which knows the state |") for line in lines) == 2
    row = next(line for line in lines if line.startswith("| CliffWalk-v0 | `dots` |"))
    assert row.split(" | ")[2] == "6,500"  # the exact hitting time, to two digits


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="Ctrl-C is a signal of POSIX here")
def test_ctrl_c_loses_nothing(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "mazegrad", "scores", *SMALL, "--seeds", "400", "--wide-seeds", "0"]
    running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path)
    kept, deadline = tmp_path / "scores.jsonl", time.monotonic() + 60
    while not (kept.exists() and kept.read_text(encoding="utf-8").count("\n") > 3) and time.monotonic() < deadline:
        time.sleep(0.05)
    running.send_signal(signal.SIGINT)
    out, error = running.communicate(timeout=30)
    assert running.returncode == 130, error
    assert "Traceback" not in error
    assert re.search(r"wrote scores\.md; [\d,]+ runs are left: the same command goes on", out)
    results = read_results(kept)
    assert len(results) >= 4
    page = (tmp_path / "scores.md").read_text(encoding="utf-8")
    assert "runs of the plan are not finished yet" in page


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="Ctrl-C is a signal of POSIX here")
def test_ctrl_c_while_workers_begin_ends_them_without_a_traceback(tmp_path: Path) -> None:
    command = [sys.executable, "-u", "-m", "mazegrad", "scores", *SMALL, "--seeds", "400", "--wide-seeds", "0"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path, start_new_session=True
    ) as running:
        assert running.stdout is not None
        assert "runs, of which" in running.stdout.readline()
        time.sleep(0.2)
        os.killpg(running.pid, signal.SIGINT)  # as a terminal sends it: to all processes
        _, error = running.communicate(timeout=60)
    assert running.returncode == 130, error
    assert "Traceback" not in error


def test_what_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    for options, message in (
        (["--ids", "FourRoom-v0"], "unknown environment 'FourRoom-v0'; did you mean 'FourRooms-v0'?"),
        (["--ids", "Tabular-v0"], "mazegrad/Tabular-v0 has states but no maze"),
        (["--learners", "qlearning"], "unknown learner 'qlearning'; did you mean 'q_learning'?"),
        (["--observations", "dot"], "unknown observation 'dot'; did you mean 'dots'?"),
    ):
        assert main(["scores", *options]) == 2
        assert message in capsys.readouterr().err
    Path("mine.jsonl").write_text("a diary\n", encoding="utf-8")
    assert main(["scores", "--out", "mine.md"]) == 2
    assert "mine.jsonl, line 1: this is not the result of a run" in capsys.readouterr().err
    assert Path("mine.jsonl").read_text(encoding="utf-8") == "a diary\n"
    with pytest.raises(SystemExit):
        main(["scores", "--out", "mine.txt"])


# ------------------------------------------------------------------------------------------ is this installation right?
@pytest.mark.slow
@pytest.mark.parametrize("expected", EXPECTED, ids=lambda it: f"{it.job.learner}-{it.job.env_id.split('/')[1]}")
def test_this_installation_learns_what_it_should(expected) -> None:
    score = run_job(expected.job).figures["return"]
    assert expected.least <= score <= expected.most


def test_every_learner_is_checked() -> None:
    assert {expected.job.learner for expected in EXPECTED} == LEARNERS.keys()


def test_a_wrong_installation_is_noticed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    import mazegrad.scores.check as check

    quick = next(expected for expected in EXPECTED if expected.job.env_id == CLIFF)
    monkeypatch.setattr(check, "EXPECTED", [quick])
    assert main(["scores", "--check"]) == 0
    assert "This installation learns what it should." in capsys.readouterr().out
    monkeypatch.setattr(check, "EXPECTED", [quick._replace(most=quick.least - 0.1)])
    assert main(["scores", "--check"]) == 1
    assert "WRONG  q_learning in CliffWalk-v0" in capsys.readouterr().out
