"""`mazegrad check`: its reports, its exit codes, and files that are not what they claim."""

import io
import json
import zipfile
from argparse import Namespace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mazegrad.agents import EXCHANGE, path_follower, wall_follower_rnn
from mazegrad.check import check
from mazegrad.cli import main
from mazegrad.marking.exercise_38 import examine
from mazegrad.nets import MAX_BYTES, read_net

I, J, ZERO = np.eye(4), EXCHANGE, np.zeros(4)
GOOD = {"W": 2 * I, "U": (I - J) / 2, "b": ZERO}


def submit(path: Path, **arrays: Any) -> Path:
    np.savez(path, **arrays)
    return path


def options(submission: Path, **change: Any) -> Namespace:
    usual = {"maze": None, "format": None, "length": 8, "json": False, "csv": None, "exercise": None, "seed": 0}
    return Namespace(**{"submission": submission, "time": 10, "memory": 1024, "jobs": 1, **usual, **change})


def test_a_solution_works(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check(options(submit(tmp_path / "W.npz", **GOOD))) == 0
    printed = capsys.readouterr().out
    assert printed.count("works  ") == 3
    assert "sheet38: at the goal after 70 steps" in printed
    assert printed.count("of any length (proved") == 2


def test_a_failure_is_reported_with_its_place(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check(options(submit(tmp_path / "W.npz", W=I, U=-J, b=ZERO))) == 1
    printed = capsys.readouterr().out
    assert "works  sheet38" in printed
    assert "FAILS  paths from the end: fails at step 1 (the shortest path that fails)" in printed
    assert "step 1: it sees ↓ and should go down ↓" in printed
    assert "works  paths with a dot below" in printed


def test_a_wrong_step_on_the_sheets_path_is_reported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check(options(submit(tmp_path / "W.npz", W=I, U=0 * I, b=ZERO), maze="sheet38")) == 1
    assert (
        "FAILS  sheet38: step 7, row 0, column 4 (both from 0): it sees ←↓ and goes ← instead of ↓"
        in capsys.readouterr().out
    )


def test_one_maze_alone(tmp_path: Path) -> None:
    net = submit(tmp_path / "W.npz", W=I, U=-J, b=ZERO)
    assert check(options(net, maze="sheet38")) == 0
    assert check(options(net, maze="from_the_end")) == 1
    with pytest.raises(ValueError, match="no goal is reachable"):
        check(options(net, maze="loop"))
    with pytest.raises(ValueError, match="did you mean 'sheet38'"):
        check(options(net, maze="sheet37"))


def test_h0_and_feedback_are_read(tmp_path: Path) -> None:
    hand = wall_follower_rnn().rnn
    net = read_net(submit(tmp_path / "W.npz", W=hand.W, U=hand.U, b=hand.b, h0=[0, 1, 0, 0], feedback="one_hot"))
    assert net.feedback == "one_hot"
    assert net.rnn.h0.tolist() == [0, 1, 0, 0]
    plain = read_net(submit(tmp_path / "W.npz", W=2 * I.astype(np.float32), U=GOOD["U"], b=np.zeros(4, dtype=int)))
    assert (plain.rnn.W == path_follower().rnn.W).all()
    assert plain.rnn.h0.tolist() == [1, 0, 0, 0]
    assert plain.feedback == "raw"


def test_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check(options(submit(tmp_path / "W.npz", W=I, U=-J, b=ZERO), json=True)) == 1
    printed = json.loads(capsys.readouterr().out)
    assert printed["ok"] is False
    (report,) = printed["submissions"]
    assert [(entry["name"], entry["ok"], entry["step"]) for entry in report["checks"]] == [
        ("sheet38", True, None),
        ("paths from the end", False, 1),
        ("paths with a dot below", True, None),
    ]
    assert report["checks"][1]["counterexample"] == {
        "moves": "↓", "went": "↑", "start": "end", "lead": 0.0, "shortest": True, "maze": "S\nG\n",
    }  # fmt: skip


def test_a_folder_is_a_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    submit(tmp_path / "anna.npz", **GOOD)
    submit(tmp_path / "ben.npz", W=I, U=-J, b=ZERO)
    (tmp_path / "notes.txt").write_text("not a submission")
    assert check(options(tmp_path)) == 1
    assert capsys.readouterr().out.split("\n")[:-1] == [
        "anna.npz  38  works  10/10",
        "ben.npz   38  FAILS   7/10  paths from the end: fails at step 1 (the shortest path that fails)",
        "1 of 2 work",
    ]
    (tmp_path / "carl.npz").write_text("hello")
    assert check(options(tmp_path)) == 2
    assert "carl.npz  38  ERROR         this is text, not an npz file" in capsys.readouterr().out
    assert check(options(tmp_path, json=True)) == 2
    printed = json.loads(capsys.readouterr().out)
    assert [entry["ok"] for entry in printed["submissions"]] == [True, False, False]
    assert "not an npz file" in printed["submissions"][2]["error"]


def test_lengths_that_take_too_long_are_refused(tmp_path: Path) -> None:
    for length in (0, 17):
        with pytest.raises(ValueError, match=f"from 1 to 16, not {length}"):
            check(options(submit(tmp_path / "W.npz", **GOOD), length=length))


def test_a_folder_without_submissions_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"there is no \.npz file in .*, and no \.py file"):
        check(options(tmp_path))


class Trap:
    """What a pickle would run."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (pytest.fail, ("something was executed",))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"W": np.full((4, 4), np.nan)}, "W must be finite, but has the entry nan"),
        ({"b": [0, 0, np.inf, 0]}, "b must be finite, but has the entry inf"),
        ({"W": np.eye(3)}, r"W has shape \(3, 3\) and b \(4,\); expected \(4, 4\) and \(4,\)"),
        ({"W": np.eye(5), "U": np.eye(5), "b": np.zeros(5)}, r"W has shape \(5, 5\)"),
        ({"U": np.eye(3)}, r"U must have the shape \(4, 4\), .* not \(3, 3\)"),
        ({"h0": 1.0}, r"h0 must have the shape \(4,\), .* not \(\)"),
        ({"W": 1j * np.eye(4)}, "W must hold real numbers, not complex128"),
        ({"W": np.full((4, 4), "one")}, "W must hold real numbers, not <U3"),
        ({"W": np.array([[Trap()] * 4] * 4)}, "W is not an array of numbers: Object arrays cannot be loaded"),
        ({"feedback": "both"}, 'feedback must be "raw" or "one_hot", not \'both\''),
        ({"feedback": 1}, "feedback must be the text"),
        ({"feedback": ["raw"]}, "feedback must be the text"),
        ({"H0": ZERO}, "unknown array 'H0'"),
        ({"weights": ZERO}, "unknown array 'weights'; known: W, U, b, h0, feedback"),
        ({"b": None}, "b is not an array of numbers|b is missing"),
        ({"W": np.zeros(MAX_BYTES)}, "the arrays take 8,.* bytes, more than 1,048,576"),
    ],
)
def test_a_file_without_such_a_net_is_refused(tmp_path: Path, change: dict, message: str) -> None:
    path = submit(tmp_path / "W.npz", **{**GOOD, **change})
    with pytest.raises(ValueError, match=message):
        read_net(path)
    assert check(options(path)) == 2


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good, bad = submit(tmp_path / "good.npz", **GOOD), submit(tmp_path / "bad.npz", W=I, U=-J, b=ZERO)
    assert main(["check", str(good)]) == 0
    assert main(["check", str(bad), "--length", "3"]) == 1
    assert main(["check", str(bad), "--maze", "sheet38"]) == 0
    capsys.readouterr()
    assert main(["check", str(tmp_path), "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["ok"] is False
    for wrong in (tmp_path / "none.npz", Path(__file__), tmp_path / "empty"):
        (tmp_path / "empty").mkdir(exist_ok=True)
        assert main(["check", str(wrong)]) == 2
        printed = capsys.readouterr().err
        assert printed.startswith("mazegrad: ")
        assert printed.count("\n") == 1


def test_missing_arrays_and_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="b is missing; the file has W, U"):
        read_net(submit(tmp_path / "W.npz", W=I, U=I))
    with pytest.raises(ValueError, match="no such file"):
        read_net(tmp_path / "none.npz")
    np.save(tmp_path / "W.npy", I)
    with pytest.raises(ValueError, match=r"this is a numpy array \(.npy\), not an npz file"):
        read_net(tmp_path / "W.npy")


def test_a_bomb_is_not_unpacked(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "W.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("W.npy", bytes(100 * MAX_BYTES))
    assert (tmp_path / "W.npz").stat().st_size < MAX_BYTES
    with pytest.raises(ValueError, match="bytes, more than 1,048,576"):
        read_net(tmp_path / "W.npz")


def test_a_header_that_promises_too_much(tmp_path: Path) -> None:
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f8", "fortran_order": False, "shape": (2**40, 2**20)})
    with zipfile.ZipFile(tmp_path / "W.npz", "w") as archive:
        archive.writestr("W.npy", header.getvalue() + bytes(64))
    with pytest.raises(ValueError, match="W is not an array of numbers"):
        read_net(tmp_path / "W.npz")


@pytest.mark.filterwarnings("ignore:.*additional header parsing:UserWarning")
def test_damaged_files_are_errors_and_nothing_else(tmp_path: Path) -> None:
    """1,000 files with bytes changed, cut or put in: each is read or a ValueError, nothing else."""
    rng = np.random.default_rng(0)
    whole = submit(tmp_path / "W.npz", **GOOD, feedback="raw").read_bytes()
    path, errors = tmp_path / "damaged.npz", 0
    for _ in range(1000):
        data = bytearray(whole)
        for _ in range(rng.integers(1, 4)):
            place = int(rng.integers(len(data)))
            kind = rng.integers(3)
            if kind == 0:
                data[place] = rng.integers(256)
            elif kind == 1:
                del data[place : place + int(rng.integers(1, 200))]
            else:
                data[place:place] = rng.bytes(int(rng.integers(1, 20)))
        path.write_bytes(bytes(data))
        try:
            read_net(path)
        except ValueError:
            errors += 1
    assert errors > 700
    assert examine(path).file == path
