"""`mazegrad train`, `evaluate`, and `watch` of what was trained: from an id to a walker in a window, in small."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from gymnasium import spaces

from mazegrad import nn
from mazegrad.agents import RecurrentPolicy
from mazegrad.cli import main
from mazegrad.tables import TABLES
from mazegrad.train import LEARNERS

SMALL = ["--lanes", "8", "--hidden", "8", "--set", "segment=8", "--episodes", "4", "--world", "time_limit=20"]
MAZE = ["Maze-v0", "--world", "size=(2, 2)"]


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def printed(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main(words) == 0, capsys.readouterr().err
    return capsys.readouterr().out


def refused(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    try:
        assert main(words) == 2
    except SystemExit as stop:
        assert stop.code == 2
    error = capsys.readouterr().err
    assert "Traceback" not in error
    assert error.count("\n") == 1, "one line"
    return error


@pytest.mark.parametrize("agent", [*LEARNERS, *TABLES])
def test_the_help_names_every_learner(agent: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["train", "--help"])
    assert re.search(rf"\b{agent}\b", capsys.readouterr().out)


@pytest.mark.parametrize("agent", LEARNERS)
def test_it_trains_saves_and_says_where_the_score_stands(agent: str, capsys: pytest.CaptureFixture[str]) -> None:
    out = printed(capsys, "train", *MAZE, "--agent", agent, "--steps", "300", *SMALL, "--save", "w.npz")
    assert f"{agent} in mazegrad/Maze-v0, 8 lanes; gru, 8 units" in out
    assert re.search(r"^ +\d+ steps: discounted return .* \(V\* 0\.9\d\d\), success \d+%$", out, re.M)
    assert re.search(r"^\d+ steps in .* wrote w\.npz$", out, re.M)
    table = out.partition("episodes, seeds from 1,000,000")[2]
    assert [line[:26].strip() for line in table.splitlines()[1:]] == [
        "", "random walk", "best memoryless policy", "w.npz", "V*, which knows the state"
    ]  # fmt: skip
    assert RecurrentPolicy.load("w.npz").hidden == 8


def test_a_small_world_has_its_best_memoryless_policy_beside_it(capsys: pytest.CaptureFixture[str]) -> None:
    out = printed(
        capsys, "evaluate", "t_maze_automaton", "--env", "TMaze-v0", "--world", "corridor=3", "--episodes", "9"
    )
    values = {line[:26].strip(): line[26:].split() for line in out.splitlines()[2:]}
    best = float(values["V*, which knows the state"][0])
    assert best == pytest.approx(0.99**4, abs=1e-4)
    assert values["t_maze_automaton"] == [f"{best:.4f}", "100.0%", "5.0"]
    assert float(values["best memoryless policy"][0]) == pytest.approx(best / 2, abs=1e-4), "it never passes one sign"
    assert "100.0%" in printed(capsys, "evaluate", "shortest_path", "--env", "FourRooms-v0", "--episodes", "2")


def test_success_within_a_multiple_of_the_shortest_way(capsys: pytest.CaptureFixture[str]) -> None:
    """The best walks need the shortest way, and the random ones that are short enough are few."""
    words = ["--env", "Maze-v0", "--world", "size=(3, 3)", "--episodes", "40"]
    out = printed(capsys, "evaluate", "shortest_path", *words, "--within", "1")
    assert "within 1 x shortest" in out
    values = {line[:26].strip(): line[26:].split() for line in out.splitlines()[2:]}
    assert values["shortest_path"][3] == "100.0%"
    assert values["random walk"][3] == "0.0%"
    out = printed(capsys, "evaluate", "random", *words, "--within", "1000")
    row = next(line for line in out.splitlines() if line.startswith("random walk")).split()
    assert row[3] == row[5], "whoever arrives at all"
    assert "must be" in refused(capsys, "evaluate", "random", *words, "--within", "0")


def test_what_was_trained_is_watched_and_evaluated_where_it_was_trained(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["train", "KeyDoor-v0", "--observation", "view", "--world", "view_size=3", "--steps", "100", *SMALL]
    printed(capsys, *words, "--cell", "lstm")
    out = printed(capsys, "watch", "--agent", "walker.npz", "--headless")
    assert re.search(r"^ +0  sees .* p = \(0\.\d\d, 0\.\d\d, 0\.\d\d, 0\.\d\d\)  goes ", out, re.M)
    assert "out of time" in out, "the time limit of the training"
    assert "mazegrad/KeyDoor-v0, 3 episodes" in printed(capsys, "evaluate", "walker.npz", "--episodes", "3")
    elsewhere = printed(capsys, "evaluate", "walker.npz", "--episodes", "3", "--env", "DynaMaze-v0", "--sampled")
    assert "mazegrad/DynaMaze-v0" in elsewhere
    assert "wrote" in printed(capsys, "watch", "--agent", "walker.npz", "--headless", "--maze", "spiral")


def test_a_table_is_trained_watched_and_evaluated(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["train", "DynaMaze-v0", "--agent", "q_learning", "--steps", "20000", "--episodes", "1", "--save", "q.npz"]
    out = printed(capsys, *words, "--set", "discount=0.95")
    assert out.startswith("q_learning in mazegrad/DynaMaze-v0\n")
    values = {line[:26].strip(): line[26:].split() for line in out.splitlines()}
    assert values["q.npz"] == [values["V*, which knows the state"][0], "100.0%", "14.0"]
    assert "at the goal" in printed(capsys, "watch", "--agent", "q.npz", "--headless")
    assert "mean length" in printed(capsys, "evaluate", "q.npz", "--episodes", "2")
    assert "has no probabilities" in refused(capsys, "evaluate", "q.npz", "--sampled")
    assert "q.npz is a table of q_learning, not a checkpoint" in refused(
        capsys, "train", "--resume", "q.npz", "--steps", "30000"
    )
    assert "q_learning has no setting 'clip'" in refused(capsys, *words, "--set", "clip=1")


def test_resumed_is_never_stopped(capsys: pytest.CaptureFixture[str]) -> None:
    steps = ["--set", "learning_rate=1e-3", "--set", "entropy=0.01"]  # not falling towards --steps
    printed(capsys, "train", *MAZE, *SMALL, *steps, "--steps", "600", "--save", "whole.npz", "--seed", "3")
    printed(capsys, "train", *MAZE, *SMALL, *steps, "--steps", "300", "--save", "part.npz", "--seed", "3")
    printed(capsys, "train", "--resume", "part.npz", "--steps", "600", "--episodes", "4")
    whole, part = nn.load("whole.npz"), nn.load("part.npz")
    for name, weights in whole["weights"].items():
        np.testing.assert_array_equal(part["weights"][name], weights)
    assert part["curve"] == whole["curve"]
    assert "--steps must be more" in refused(capsys, "train", "--resume", "part.npz", "--steps", "600")
    assert "leave out --world" in refused(capsys, "train", "--resume", "part.npz", "--world", "size=(3, 3)")


def test_the_curve_is_drawn(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("matplotlib")
    out = printed(capsys, "train", *MAZE, *SMALL, "--steps", "300", "--curve", "curve.png")
    assert "wrote curve.png" in out
    assert Path("curve.png").read_bytes().startswith(b"\x89PNG")


def test_ctrl_c_keeps_what_is_there() -> None:
    command = [sys.executable, "-m", "mazegrad", "train", *MAZE, *SMALL, "--steps", "1000000000"]
    environment = {**os.environ, "PYTHONIOENCODING": "utf-8", "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8"
    ) as run:
        assert run.stdout is not None
        assert run.stdout.readline().startswith("ppo in mazegrad/Maze-v0")
        time.sleep(1.0)
        run.send_signal(signal.SIGINT)
        out, error = run.communicate(timeout=60)
    assert run.returncode == 130, error
    assert re.search(r"^stopped after [\d,]+ steps in .* wrote walker\.npz$", out, re.M)
    assert "continue with: mazegrad train --resume walker.npz --steps 1000000000" in out
    assert nn.load("walker.npz")["steps"] > 0
    assert "Traceback" not in error


def test_a_trained_agent_is_evaluated_where_its_world_is_another(capsys: pytest.CaptureFixture[str]) -> None:
    """--world alone changes keywords of the environment in which it was trained."""
    printed(capsys, "train", *MAZE, "--steps", "100", *SMALL, "--save", "w.npz")

    def best(*words: str) -> float:
        out = printed(capsys, "evaluate", "w.npz", "--episodes", "20", *words)
        assert out.startswith("mazegrad/Maze-v0, 20 episodes")
        return float(out.splitlines()[-1].split()[-1])

    assert best("--world", "size=(5, 5)") < best() == best("--world", "size=(2, 2)")


def test_a_net_is_trained_on_by_another_learner(capsys: pytest.CaptureFixture[str]) -> None:
    printed(capsys, "train", *MAZE, "--agent", "dagger", "--steps", "300", *SMALL, "--save", "w.npz")
    before = RecurrentPolicy.load("w.npz")
    slow = ["--set", "learning_rate=1e-9", "--hidden", "99", "--save", "x.npz"]
    out = printed(capsys, "train", *MAZE, "--from", "w.npz", "--steps", "300", *SMALL, *slow)
    assert "ppo in mazegrad/Maze-v0, 8 lanes; gru, 8 units" in out
    after = RecurrentPolicy.load("x.npz").net
    for one, other in zip(before.net.parameters(), after.parameters(), strict=True):
        np.testing.assert_allclose(one.data, other.data, atol=1e-5)
    assert "has other observations or actions" in refused(
        capsys, "train", "Maze-v0", "--observation", "position", "--from", "w.npz"
    )


def test_settings_of_the_net(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--net", "keeps=500", "--net", "previous_action=False", "--save", "w.npz"]
    printed(capsys, "train", *MAZE, "--steps", "10", *SMALL, *words)
    policy = RecurrentPolicy.load("w.npz")
    assert not policy.previous_action
    assert np.max(policy.net.state_dict()["bias_ih_l0"]) > 5


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["train"], "name an environment, such as Maze-v0"),
        (["train", "Mazes-v0"], "unknown environment 'Mazes-v0'; did you mean 'Maze-v0'?"),
        (["train", "Maze-v0", "--agent", "pppo"], "unknown learner 'pppo'; did you mean 'ppo'?"),
        (["train", "Maze-v0", "--cell", "lstmm"], "unknown cell 'lstmm'; did you mean 'lstm'?"),
        (["train", "Maze-v0", "--set", "segmentt=3"], "ppo has no setting 'segmentt'; did you mean 'segment'?"),
        (["train", "Maze-v0", "--net", "keep=3"], "a net has no setting 'keep'; did you mean 'keeps'?"),
        (["train", "Maze-v0", "--from", "nothing.npz"], "nothing.npz"),
        (["train", "Maze-v0", "--set", "clip=0"], "clip must be a number above 0, not 0"),
        (["train", "Maze-v0", "--set", "clip"], "must be NAME=VALUE, not 'clip'"),
        (["train", "Maze-v0", "--world", "corridor=3"], "mazegrad/Maze-v0: "),
        (["train", "Maze-v0", "--observation", "smell"], "unknown observation 'smell'"),
        (["train", "Maze-v0", "--save", "w.txt"], "the file name must end in .npz"),
        (["train", "Maze-v0", "--steps", "0"], "must be an integer >= 1, not '0'"),
        (["train", "--resume", "nothing.npz"], "nothing.npz"),
        (["evaluate", "nobody"], "no agent is called|unknown agent"),
        (["evaluate", "path_follower"], "name an environment"),
    ],
)
def test_bad_input_is_one_line(words: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    error = refused(capsys, *words)
    assert any(part in error for part in message.split("|")), error


def test_a_training_that_diverges_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["train", *MAZE, *SMALL, "--cell", "linear", "--set", "learning_rate=1e30", "--steps", "10000"]
    assert "steps the training diverged: step 2: the gradient of" in refused(capsys, *words)


def test_files_that_hold_something_else_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    nn.save("other.npz", a=np.zeros(3))
    assert "other.npz holds no policy" in refused(capsys, "evaluate", "other.npz")
    assert "other.npz holds no policy" in refused(capsys, "train", "--resume", "other.npz")
    env = {"id": "mazegrad/Maze-v0", "num_envs": 1, "keywords": {"surprise": 1}}
    policy = RecurrentPolicy(spaces.MultiBinary(4), 4, "rnn", 4, rng=np.random.default_rng(0))
    policy.save("strange.npz", environment=env)
    assert "strange.npz was trained in an environment that cannot be made" in refused(
        capsys, "watch", "--agent", "strange.npz", "--headless"
    )
    policy.save("strange.npz", environment=[1])
    assert "strange.npz is damaged" in refused(capsys, "evaluate", "strange.npz")
    Path("text.npz").write_text("hello")
    assert "text.npz" in refused(capsys, "evaluate", "text.npz", "--env", "Maze-v0")
