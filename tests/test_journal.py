"""Journals: what is put in comes out, what was cut off is left out, and nothing else is read. Needs no Ray."""

import sys

import numpy as np
import pytest

from mazegrad import distributed
from mazegrad.adapters import as_agent
from mazegrad.agents import WallFollower
from mazegrad.distributed.journal import Journal
from mazegrad.extras import MissingExtra

ARRAY = np.arange(6, dtype=np.uint8).reshape(2, 3)
TREE = [None, True, 3, 0.1, float("inf"), "text", (1, (ARRAY,)), {"a": np.float32(2)}]


def test_what_is_written_is_read(tmp_path):
    journal = Journal(tmp_path / "file", {"seed": 1})
    journal.write(4, TREE)
    journal.write(0, np.empty((0, 3)))
    journal.close()
    again = Journal(tmp_path / "file", {"seed": 1})
    assert again.finished() == {0, 4}
    found = again.read(4)
    assert found[:6] == TREE[:6] and found[6][0] == 1 and found[7] == {"a": 2}
    assert found[6][1][0].dtype == np.uint8 and np.array_equal(found[6][1][0], ARRAY)
    assert type(found[7]["a"]) is np.float32 and again.read(0).shape == (0, 3)
    found[6][1][0][:] = 7  # may be written to
    again.close()


def test_a_last_line_that_was_cut_off_is_left_out(tmp_path):
    path = tmp_path / "file"
    journal = Journal(path, {})
    for number in range(3):
        journal.write(number, number)
    journal.close()
    whole = path.read_bytes()
    for length in range(len(whole.splitlines(True)[0]), len(whole) + 1):
        path.write_bytes(whole[:length])
        journal = Journal(path, {})
        journal.write(9, "next")
        journal.close()
        journal = Journal(path, {})
        assert journal.finished() == {*range(whole[:length].count(b"\n") - 1), 9}
        journal.close()


def test_other_files_are_refused(tmp_path):
    Journal(tmp_path / "file", {"seed": 1}).close()
    with pytest.raises(ValueError, match="another run, with seed 1 instead of 2"):
        Journal(tmp_path / "file", {"seed": 2})
    for content in ("hello\n", "[]\n", '{"format": 3}\n', "\n"):
        (tmp_path / "other").write_text(content)
        with pytest.raises(ValueError, match="not a journal"):
            Journal(tmp_path / "other", {"seed": 1})
        assert (tmp_path / "other").read_text() == content
    with (tmp_path / "file").open("a") as file:
        file.write('[1, {"array": "x", "dtype": "O", "shape": [1]}]\n')
    with pytest.raises(ValueError, match="line 2"):
        Journal(tmp_path / "file", {"seed": 1})


def test_what_a_journal_cannot_hold_is_said(tmp_path):
    journal = Journal(tmp_path / "file", {})
    with pytest.raises(TypeError, match="cannot hold a object"):
        journal.write(0, [object()])
    journal.close()
    again = Journal(tmp_path / "file", {})
    assert again.finished() == set()
    again.close()


def test_without_ray_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingExtra, match=r'ray is not installed; install it with: .*"ray'):
        distributed.evaluate("mazegrad/FourRooms-v0", WallFollower(), 8, 0)
    with pytest.raises(TypeError, match="RLlib"):
        as_agent(3)
