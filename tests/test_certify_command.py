"""`mazegrad certify`: prints and draws the proof, writes it to files, and checks those."""

import importlib.util
import json
import sys
from argparse import Namespace
from pathlib import Path

import numpy as np
import pytest

from mazegrad.agents import MemoryCertificate, certify_memory, path_follower
from mazegrad.agents.proofs.picture import picture
from mazegrad.certify import certify
from mazegrad.cli import main
from mazegrad.envs import load_maze
from mazegrad.envs.pictures.palette import ACCENT, LIGHT

DOCS = Path(__file__).parent.parent / "docs"
DEFAULTS = {
    "format": None,
    "observation": "dots",
    "view_size": 7,
    "discount": 0.99,
    "nodes": 8,
    "time": 20.0,
    "levels": 4,
    "world": [],
    "agents": [],
    "episodes": 64,
    "seed": 0,
    "json": None,
    "png": None,
}


def run(*maze, **keywords):
    return certify(Namespace(**{**DEFAULTS, **keywords, "maze": list(maze)}))


def test_it_prints_the_proof_and_writes_it(tmp_path, capsys):
    file, drawing = tmp_path / "sheet.json", tmp_path / "sheet.png"
    assert run("sheet38", json=file, png=drawing) is None
    told = capsys.readouterr().out
    assert told.startswith("MEMORY HELPS") and str(file) in told
    assert drawing.read_bytes().startswith(b"\x89PNG")
    assert run(str(file)) is None
    assert "Checked: every claim holds." in capsys.readouterr().out


def test_a_forged_file_gives_1_and_says_what_is_false(tmp_path, capsys):
    file = tmp_path / "loop.json"
    run("loop", json=file)
    fields = json.loads(file.read_text())
    file.write_text(json.dumps({**fields, "controller_value": [0.5, 0.5]}))
    assert run(str(file)) == 1
    told = capsys.readouterr().out
    assert "FALSE: the seal" in told and "FALSE: controller_value does not contain the recomputed value" in told


def test_an_id_and_several_mazes(tmp_path, capsys):
    run("PathFollow-v0")
    assert "MEMORY HELPS: this maze" in capsys.readouterr().out
    left, right = tmp_path / "left.txt", tmp_path / "right.txt"
    left.write_text("G.S.X\n")
    right.write_text("X.S.G\n")
    run(str(left), str(right), png=tmp_path / "both.png")
    assert "OBSERVATION HIDES IT: these 2 mazes" in capsys.readouterr().out


def values(told):
    """Return the numbers of the table, by name."""
    rows = [line.split("  ") for line in told.splitlines() if line.startswith("  ") and " value" in told]
    found = {}
    for row in rows:
        cells = [cell.strip() for cell in row if cell.strip()]
        if len(cells) == 2 and cells[1][0] in "-0123456789":
            found[cells[0]] = float(cells[1].split()[0])
    return found


def test_agents_stand_beside_the_values_that_are_proved(tmp_path, capsys):
    run("TMaze-v0", world=[("corridor", 3)], agents=["t_maze_automaton", "wall_follower"], json=tmp_path / "t.json")
    table = values(capsys.readouterr().out)
    best = table["V*, the value of knowing the state"]
    assert best == 0.99**4  # four steps to the goal
    assert table["measured: t_maze_automaton, which sees 'dots'"] == pytest.approx(best, abs=1e-8)
    assert table["measured: wall_follower, which sees 'dots'"] < 0  # right is a trap, or it turns back
    run(str(tmp_path / "t.json"), agents=["optimal"])
    assert values(capsys.readouterr().out)["measured: optimal, which sees 'state'"] == pytest.approx(best, abs=1e-8)


def test_the_command_takes_files_of_agents(tmp_path, capsys):
    file = tmp_path / "walker.npz"
    net = path_follower().rnn
    np.savez(file, W=net.W, U=net.U, b=net.b, h0=net.h0)
    assert main(["certify", "sheet38", "--agent", str(file), "--agent", "random", "--time", "5"]) in (0, None)
    table = values(capsys.readouterr().out)
    assert table["measured: walker.npz, which sees 'dots'"] == table["V*, the value of knowing the state"]
    assert table["measured: random, which sees 'dots'"] < 0.1


@pytest.mark.parametrize("name", ["sheet37", "mazegrad/PathFolow-v0", "PathFolow-v0"])
def test_an_unknown_maze_is_told(name):
    with pytest.raises(ValueError, match=r"did you mean|neither a shipped maze nor a file"):
        run(name)


def test_a_file_that_is_none_is_told(tmp_path):
    file = tmp_path / "x.json"
    file.write_text("{}")
    with pytest.raises(ValueError, match="not a memory certificate"):
        run(str(file))


def test_the_picture_shows_both_places(tmp_path):
    file = tmp_path / "sheet.json"
    run("sheet38", json=file)
    frame = picture(MemoryCertificate.from_json(file.read_text()))
    assert frame.dtype == "uint8" and frame.shape == (720, 1280, 3)
    badge = (frame == ACCENT).all(axis=2)
    assert badge[96:476, :560].any(), "A and B in the maze"
    assert badge[96:476, 600:].any(), "and beside it"
    bars = [(frame[500:, :, :] == colour).all(axis=2).any() for colour in (LIGHT.gem, LIGHT.goal)]
    assert all(bars), "the values of the controller and V*"


@pytest.mark.parametrize(("name", "observation"), [("four_rooms", "index"), ("from_the_end", "dots")])
def test_every_verdict_has_a_picture(name, observation):
    certificate = certify_memory(load_maze(name), observation, time_limit=5)
    assert picture(certificate).shape == (720, 1280, 3)


def test_the_bar_is_shown_on_a_terminal_and_wiped(capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    run("dyna_maze")
    bar = capsys.readouterr().err
    assert "Ctrl-C: what is known so far" in bar and bar.endswith("\r")


@pytest.mark.parametrize("name", ["sheet38", "dyna_maze", "ice_lake", "the T-maze with its cue", "the T-maze without"])
def test_the_table_of_the_docs_is_what_comes_out(name):
    spec = importlib.util.spec_from_file_location("docs_certificates", DOCS / "certificates.py")
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    lines = (DOCS / "certificates.md").read_text(encoding="utf-8").splitlines()
    for observation in script.OBSERVATIONS:
        cells = script.row(name, certify_memory(script.subjects()[name], observation)).strip("|\n ").split(" | ")
        (found,) = [line.strip("| ").split(" | ") for line in lines if line.startswith(f"| {name} | {observation} |")]
        # a bound over random policies is proved wherever its search ended, but where that is is a matter of rounding
        assert float(cells.pop(5)) == pytest.approx(float(found.pop(5)), rel=0.05)
        assert cells == found


def test_an_interrupted_search_is_marked_as_partial(tmp_path, capsys, monkeypatch):
    """What is known is printed and written, with exit code 130; the file can be checked like any other."""

    def interrupted(worlds, *arguments, **keywords):
        def progress(stage, used):
            if stage.startswith("stochastic"):
                raise KeyboardInterrupt

        return certify_memory(worlds, *arguments, **{**keywords, "progress": progress})

    monkeypatch.setattr("mazegrad.certify.certify_memory", interrupted)
    file = tmp_path / "partial.json"
    assert main(["certify", "long_way", "--json", str(file)]) == 130
    assert "PARTIAL: the search was interrupted." in capsys.readouterr().out
    monkeypatch.undo()
    assert main(["certify", str(file)]) == 0
    printed = capsys.readouterr().out
    assert "PARTIAL" in printed
    assert "Checked: every claim holds." in printed
    assert main(["certify", "sheet38", "--json", str(file)]) == 0
    assert "PARTIAL" not in capsys.readouterr().out
    assert "interrupted" not in file.read_text()
