"""Files are written whole or not at all; links, pipes and devices stay what they are."""

import os
import stat
import threading

import pytest

from mazegrad.cli import main
from mazegrad.envs import Maze
from mazegrad.envs.maps.files import replacing, write_file


def test_a_failed_write_leaves_what_was_there(tmp_path, monkeypatch):
    path = tmp_path / "file"
    write_file(path, b"before")
    monkeypatch.setattr(os, "replace", lambda *paths: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        write_file(path, b"after")
    assert path.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("place", ["none/file", "file/below", "folder"])
def test_a_failed_write_names_what_was_asked_for(place, tmp_path):
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError, match="directory") as caught:
        write_file(tmp_path / place, b"content")
    assert caught.value.filename == str(tmp_path / place)
    assert caught.value.filename2 is None
    assert sorted(tmp_path.rglob("*")) == [tmp_path / "file", tmp_path / "folder"]


def test_what_a_link_points_to_is_written(tmp_path):
    folder, link, dangling = tmp_path / "folder", tmp_path / "link.txt", tmp_path / "dangling.txt"
    folder.mkdir()
    (folder / "target").write_bytes(b"before")
    link.symlink_to("folder/target")
    dangling.symlink_to("folder/new")
    for path in (link, dangling):
        write_file(path, b"after")
        assert path.is_symlink() and path.read_bytes() == b"after"
    assert sorted(path.name for path in folder.iterdir()) == ["new", "target"]
    with replacing(link) as draft:  # writers go by the suffix that was asked for
        assert draft.suffix == ".txt"
        draft.write_bytes(b"again")
    assert (folder / "target").read_bytes() == b"again"


def test_a_link_into_a_missing_folder_is_refused_by_its_name(tmp_path):
    link = tmp_path / "link"
    link.symlink_to("none/file")
    with pytest.raises(FileNotFoundError) as caught:
        write_file(link, b"content")
    assert caught.value.filename == str(link) and link.is_symlink()


def test_permissions_stay(tmp_path):
    path = tmp_path / "private"
    path.write_bytes(b"before")
    path.chmod(0o600)
    write_file(path, b"after")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes on this system")
def test_a_pipe_is_written_to(tmp_path):
    pipe, link = tmp_path / "pipe", tmp_path / "link"
    os.mkfifo(pipe)
    link.symlink_to(pipe)
    for path in (pipe, link):
        received = []
        reader = threading.Thread(target=lambda: received.append(pipe.read_bytes()), daemon=True)  # noqa: B023
        reader.start()
        assert main(["generate", "prim", "--seed", "1", "--out", str(path)]) == 0
        reader.join(10)
        assert Maze.from_text(received[0].decode()).height > 1
    assert stat.S_ISFIFO(pipe.lstat().st_mode) and link.is_symlink()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link", "pipe"]
