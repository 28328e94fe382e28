"""Mistyped words at the command line: an error says what was wrong and what is known, in a line, and exits with 2."""

from pathlib import Path

import pytest

from mazegrad.cli import main

Captured = pytest.CaptureFixture[str]


def error_of(words: str, capsys: Captured) -> str:
    """Return what a command that must fail prints."""
    try:
        code = main(words.split())
    except SystemExit as stop:  # raised by the parser
        code = stop.code if isinstance(stop.code, int) else -1
    error = capsys.readouterr().err
    assert code == 2, error
    assert error.count("\n") == 1, error
    return error


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("solv spiral", "unknown command 'solv'; did you mean 'solve'?"),
        ("xyz", "unknown command 'xyz'; known: watch, play,"),
        ("generate prim more", "unknown argument 'more' (see mazegrad generate --help)"),
        ("watch --hedless", "unknown argument '--hedless'; did you mean '--headless'? (see mazegrad watch --help)"),
    ],
)
def test_an_unknown_word_is_an_error_of_its_command(words: str, message: str, capsys: Captured) -> None:
    assert message in error_of(words, capsys)


@pytest.mark.parametrize("begin", ["certify", "evaluate random --env", "train", "page", "edit"])
def test_a_keyword_that_an_environment_does_not_take(begin: str, tmp_path: Path, capsys: Captured) -> None:
    out = {"page": f" --out {tmp_path}/p.html", "edit": f" --out {tmp_path}/p.html"}.get(begin, "")
    message = "mazegrad/TMaze-v0: unknown keyword 'coridor'; did you mean 'corridor'?"
    assert message in error_of(f"{begin} TMaze-v0 --world coridor=3{out}", capsys)
    assert "TMaze-v0: corridor must be an integer" in error_of(f"{begin} TMaze-v0 --world corridor=1.5{out}", capsys)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("train CliffWalk-v0 --set segment=1.5", "--set: segment must be an integer >= 1, not 1.5"),
        ("train CliffWalk-v0 --net keeps=nan", "--net: keeps must be an integer >= 3, not 'nan'"),
        ("train CliffWalk-v0 --set settings=1", "ppo has no setting 'settings'"),
        ("train CliffWalk-v0 --agent q_learning --cell lstm", "--cell is for nets, and q_learning learns a table"),
        ("train CliffWalk-v0 --world num_envs=3", "'num_envs' cannot be set here"),
        ("certify spiral --world size=3,3", "--world is for an environment"),
        ("solve spiral --format thin", "spiral is a shipped maze"),
        ("solve spiral --size 200x200", "--size is that of a picture: name one with --png or --gif"),
        ("watch --many 1001", "must be an integer from 1 to 1,000"),
        ("dataset maze-hard TMaze-v0", "maze-hard is written alone"),
        ("dataset TMaze-v1", "unknown environment 'TMaze-v1'; did you mean 'TMaze-v0'?"),
        ("watch --env Tabular-v0", "mazegrad/Tabular-v0 has states but no maze"),
        ("certify Tabular-v0", "mazegrad/Tabular-v0 has states but no maze"),
        ("page Tabular-v0", "mazegrad/Tabular-v0 has states but no maze"),
    ],
)
def test_what_cannot_be_is_refused(words: str, message: str, capsys: Captured) -> None:
    assert message in error_of(words, capsys)


def test_a_file_that_is_not_there_and_files_that_are_something_else(
    tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine.txt").write_text("###\n")
    assert "there is no file 'mien.txt'; did you mean 'mine.txt'?" in error_of("solve mien.txt", capsys)
    assert "there is no file 'nowhere/x.txt'\n" in error_of("solve nowhere/x.txt", capsys)
    assert "mine.txt is text, not a checkpoint of ppo" in error_of("train --resume mine.txt", capsys)
    assert "mine.txt is text, not a net that `mazegrad train` wrote" in error_of(
        "train TMaze-v0 --from mine.txt", capsys
    )
    assert "proof.json is checked alone" in error_of("certify proof.json spiral", capsys)


def test_before_the_first_episode_has_ended_no_score_is_printed(
    tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    words = "train GridWorld-v0 --maze long_way --steps 256 --episodes 1 --world time_limit=200"
    assert main(words.split()) == 0
    printed = capsys.readouterr().out
    assert "256 steps: no episode has ended yet" in printed
    assert "nan" not in printed


def test_a_trained_net_is_not_shown_what_it_has_not_learned(
    tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    words = "train TMaze-v0 --steps 64 --lanes 4 --episodes 2 --world corridor=2 --set segment=8"
    assert main(words.split()) == 0
    capsys.readouterr()
    message = "walker.npz was trained with observation='dots', so it cannot use observation='index'"
    assert message in error_of("evaluate walker.npz --episodes 2 --world observation=index", capsys)
    assert "walker.npz: the page shows nets of W, U, b" in error_of("page walker.npz --out p.html", capsys)
