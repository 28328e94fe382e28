"""The page as a file: it needs nothing else, its words are complete; and the commands that write it."""

import json
import re
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest

import mazegrad.page.build as build
from mazegrad.agents import Automaton, wall_follower_automaton
from mazegrad.cli import main
from mazegrad.envs import MAZES, Maze, World, load_maze, outcomes
from mazegrad.envs.maps.legend import LEGEND
from mazegrad.named import environment_ids
from mazegrad.page import Drawing, build_page
from mazegrad.page.command import first_maze

Captured = pytest.CaptureFixture[str]
SCRIPTS = sorted((build.HERE / "scripts").glob("*.js"))


@pytest.fixture(scope="module")
def html() -> str:
    return build_page()


def data_of(html: str) -> dict:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', html, re.DOTALL)
    assert found
    return json.loads(found[1])


def test_it_needs_no_other_file_and_no_network(html: str) -> None:
    addresses = set(re.findall(r"""https?://[^\s"'<>)]+""", html))
    assert addresses <= {"http://www.w3.org/2000/svg"}  # a name, which is never loaded
    assert not re.search(r"<script[^>]+src=|<link[^>]+stylesheet|@import", html)
    assert not re.search(
        r"\bimport\s*\(|\bfetch\s*\(|XMLHttpRequest|https?://(?!www\.w3\.org/2000/svg)", build.bundled("app")
    )


def test_it_weighs_at_most_150_kb(html: str) -> None:
    assert len(html.encode()) <= 150_000


def test_it_offers_all_shipped_mazes_and_begins_with_exercise_38(html: str) -> None:
    mazes = data_of(html)["mazes"]
    assert mazes[0]["name"] == "sheet38" and {maze["name"] for maze in mazes} == set(MAZES)
    assert all(load_maze(maze["name"]).to_text().splitlines()[-1] in maze["text"] for maze in mazes)


def test_given_mazes_come_first_and_cannot_leave_their_script_element() -> None:
    text = "title: </script><b>\nS.G\n"
    data = data_of(build_page([Drawing("evil", "</script><script>alert(1)</script>", text)]))
    assert data["mazes"][0] == {"name": "evil", "title": "</script><script>alert(1)</script>", "text": text}
    assert data["given"] == 1 and len(data["mazes"]) == len(MAZES) + 1


def test_every_tile_has_a_picture_in_the_palette_of_all_pictures(html: str) -> None:
    for tile in LEGEND:
        assert tile == " " or f'<g id="t{ord(tile)}"' in html, tile
    symbols = html[html.index("<defs>") : html.index("</defs>")]
    used = set(re.findall(r"var\(--([\w-]+)\)", symbols))
    assert not re.search("#[0-9a-f]{6}", symbols) and used
    for name in used:
        assert len(re.findall(rf"--{name}:#[0-9a-f]{{6}};", html)) == 3, name  # light, chosen dark, the system's dark


def test_both_languages_have_the_same_words_with_the_same_blanks() -> None:
    source = (build.HERE / "scripts" / "words.js").read_text(encoding="utf-8")
    entry = r'(\w+):\s*"((?:[^"\\]|\\.)*)"'
    tables = []
    for name in ("ENGLISH", "GERMAN"):
        found = re.search(rf"const {name} = {{(.*?)\n}};", source, re.DOTALL)
        assert found
        tables.append(dict(re.findall(entry, found[1])))
    assert tables[0].keys() == tables[1].keys() and len(tables[0]) > 100
    for key, english in tables[0].items():
        assert sorted(re.findall(r"\{\w+\}", english)) == sorted(re.findall(r"\{\w+\}", tables[1][key])), key
    used = set()
    for script in SCRIPTS:
        used |= set(re.findall(r'\bt\("(\w+)"', script.read_text(encoding="utf-8")))
    used |= set(re.findall(r'data-(?:t|label)="(\w+)"', (build.HERE / "page.html").read_text(encoding="utf-8")))
    assert used <= tables[0].keys(), used - tables[0].keys()


def test_the_bundle_holds_each_module_once_and_no_import() -> None:
    script = build.bundled("app")
    for path in SCRIPTS:
        assert script.count(f"const ${path.stem} = (() => {{") <= 1
    assert not re.search(r"^(import|export)\b", script, re.MULTILINE)
    assert not re.search(r"^\s*//", script, re.MULTILINE)


def test_what_cannot_be_bundled_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "scripts").mkdir()
    monkeypatch.setattr(build, "HERE", tmp_path)
    for name, source in {
        "one": 'import { b } from "./two.js";\nexport const a = 1;\n',
        "two": 'import { a } from "./one.js";\nexport const b = 1;\n',
        "three": "export default 1;\n",
    }.items():
        (tmp_path / "scripts" / f"{name}.js").write_text(source, encoding="utf-8")
    with pytest.raises(ValueError, match=r"one\.js imports itself, by way of one, two"):
        build.bundled("one")
    with pytest.raises(ValueError, match=r"three\.js: cannot bundle 'export default 1;'"):
        build.bundled("three")


# ------------------------------------------------------------------------------------------------------------- commands
def test_page_writes_maps_files_and_environments(tmp_path: Path, capsys: Captured) -> None:
    drawn, out = tmp_path / "mine.txt", tmp_path / "page.html"
    drawn.write_text("S.G\n", encoding="utf-8")
    assert main(["page", "spiral", str(drawn), "Maze-v0", "--seed", "3", "--out", str(out)]) == 0
    assert f"wrote {out} (" in capsys.readouterr().out
    data = data_of(out.read_text(encoding="utf-8"))
    assert [maze["name"] for maze in data["mazes"][:3]] == ["spiral", "mine", "Maze-v0"] and data["given"] == 3
    assert "S" in data["mazes"][2]["text"] and data["replays"] == []


def test_page_takes_a_recorded_run(tmp_path: Path, capsys: Captured) -> None:
    run, out = tmp_path / "walk.jsonl", tmp_path / "page.html"
    assert main(["record", str(run), "--maze", "sheet38"]) == 0
    assert main(["page", str(run), "--out", str(out)]) == 0
    replays = data_of(out.read_text(encoding="utf-8"))["replays"]
    assert [replay["name"] for replay in replays] == ["walk.jsonl"]
    capsys.readouterr()


def save_net(file: Path, **changes: object) -> Path:
    np.savez(file, **{"W": 2 * np.eye(4), "U": -np.eye(4), "b": np.zeros(4), "h0": [0, 0, 0, 1], **changes})
    return file


def test_page_takes_nets_and_automata(tmp_path: Path, capsys: Captured) -> None:
    file, out = save_net(tmp_path / "mine.npz"), tmp_path / "page.html"
    automaton, expected = tmp_path / "follower.json", wall_follower_automaton()
    automaton.write_text(json.dumps(expected.to_dict(), indent=1), encoding="utf-8")
    assert main(["page", str(file), str(automaton), "spiral", "--out", str(out)]) == 0
    data = data_of(out.read_text(encoding="utf-8"))
    twice, minus = (2 * np.eye(4)).tolist(), (-np.eye(4)).tolist()
    assert data["nets"] == [{"name": "mine.npz", "W": twice, "U": minus, "b": [0] * 4, "h0": [0, 0, 0, 1]}]
    tables = {"next": expected.next_node.tolist(), "action": expected.action.tolist()}
    assert data["automata"] == [{"name": "follower.json", **tables, "start": expected.start, "names": None}]
    assert data["given"] == 1
    capsys.readouterr()


def test_page_takes_the_controller_of_a_certificate(tmp_path: Path, capsys: Captured) -> None:
    proof, out = tmp_path / "proof.json", tmp_path / "page.html"
    assert main(["certify", "sheet38", "--json", str(proof)]) == 0
    assert main(["page", str(proof), "--out", str(out)]) == 0
    controller = json.loads(proof.read_text(encoding="utf-8"))["controller"]
    (found,) = data_of(out.read_text(encoding="utf-8"))["automata"]
    assert (found["next"], found["action"]) == (controller["next_node"], controller["action"])
    capsys.readouterr()


def test_page_refuses_minds_that_it_cannot_show(tmp_path: Path, capsys: Captured) -> None:
    out = tmp_path / "page.html"
    other = save_net(tmp_path / "other.npz", feedback="one_hot")
    large, small = tmp_path / "large.json", tmp_path / "small.json"
    nodes = [[0] * 16] * 61
    large.write_text(json.dumps(Automaton(nodes, nodes).to_dict()), encoding="utf-8")
    small.write_text('{"next_node": [[0]], "action": [[0]], "start": 0}', encoding="utf-8")
    infinite = save_net(tmp_path / "infinite.npz", b=[0, 0, np.inf, 0])
    (tmp_path / "text.npz").write_text("S.G", encoding="utf-8")
    for names, said in (
        ([other], "feeds h back raw, not one_hot"),
        ([large], "up to 60 nodes; this one has 61"),
        ([small], "an automaton must be a dict with the fields"),
        ([infinite], "infinite.npz: "),
        ([tmp_path / "text.npz"], "text.npz: this is text, not an npz file"),
    ):
        assert main(["page", *map(str, names), "--out", str(out)]) == 2
        assert said in capsys.readouterr().err and not out.exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nosuch"], "'nosuch' is neither a shipped maze nor a file"),
        (["--out", "page.txt"], "the file name must end in .html"),
        (["--out", "nofolder/page.html"], "there is no folder"),
    ],
)
def test_page_refuses_bad_input(
    words: list[str], said: str, capsys: Captured, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    try:
        code = main(["page", *words])
    except SystemExit as end:
        code = end.code
    assert code == 2 and said in capsys.readouterr().err and not list(tmp_path.iterdir())


def test_edit_says_where_the_page_is_when_no_browser_can_be_opened(
    tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("platform.system", lambda: "Linux")
    out = tmp_path / "page.html"
    assert main(["edit", "spiral", "--out", str(out)]) == 0
    said = capsys.readouterr().out
    assert "no browser can be opened here" in said and f"{out.as_uri()}#mode=draw" in said
    assert data_of(out.read_text(encoding="utf-8"))["mazes"][0]["name"] == "spiral"


def test_edit_opens_a_browser(tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr("webbrowser.open", lambda address: opened.append(address) or True)
    out = tmp_path / "page.html"
    assert main(["edit", "--out", str(out)]) == 0
    assert opened == [f"{out.as_uri()}#mode=draw"] and "opened" in capsys.readouterr().out


KEYWORDS = {
    "WindyGrid-v0": [{"actions": "king"}, {"actions": "king_stay", "wind": "0 0 0 1 1 1 2 2 1 0 varies 2/3"}],
    "FourRooms-v0": [
        {"actions": "turns"}, {"noise": "left_of 0.1, back 0.05"}, {"slip": 0.3}, {"actions": "stay", "slip": 0.25},
        {"actions": "king", "corners": "cut"}, {"rewards": {"step": -0.1, "goal": 5, "bump": -0.25}},
        {"time_limit": 7, "observation": "view", "encoding": "float"},
    ],
    "CliffWalk-v0": [{"rewards": {"trap": -50.5}}, {"slip": 0.1, "rewards": {"step": -2}}],
    "IceLake-v0": [{"slip": 0.2}, {"noise": "stay 0.5; ~ any 1/3"}],
    "KeyDoor-v0": [{"actions": "king", "noise": "other 0.2"}],
    "TMaze-v0": [{"corridor": 4}],
    "Maze-v0": [{"size": (3, 4), "walls": "thin"}, {"generator": "dungeon", "size": (9, 9)}],
}  # fmt: skip


@pytest.mark.parametrize(
    ("env_id", "keywords"),
    [(env_id, {}) for env_id in sorted(environment_ids())]
    + [(f"mazegrad/{name}", keywords) for name, several in KEYWORDS.items() for keywords in several],
)
def test_the_text_of_an_environment_says_all_of_its_world(env_id: str, keywords: dict[str, Any]) -> None:
    """So the page needs no tables beside it: test_page_logic.py holds what it compiles equal to World.compile's."""
    env = gymnasium.make(env_id, **keywords).unwrapped
    env.reset(seed=4)
    world = World.compile(Maze.from_text(first_maze(env_id, 4, **keywords).to_text()))
    for name in ("next_state", "reward", "terminal", "goal", "dots", "start_states", "cell", "carried", "heading"):
        assert np.array_equal(getattr(world, name), getattr(env.world, name)), name
    for name, found in vars(outcomes(world)).items():
        assert np.array_equal(found, getattr(outcomes(env.world), name)), name


def test_page_takes_keywords_and_says_what_it_cannot_draw(tmp_path: Path, capsys: Captured) -> None:
    out = tmp_path / "page.html"
    words = ["page", "WindyGrid-v0", "--world", "actions=king", "--world", "rewards={'step': -3}", "--out", str(out)]
    assert main([*words, "--world", "shaping=distance"]) == 0
    assert capsys.readouterr().out.startswith("not on the page: shaping\n")
    text = data_of(out.read_text(encoding="utf-8"))["mazes"][0]["text"]
    assert "actions: king\n" in text and "step -3" in text
    for words, said in (
        (["Tabular-v0"], "mazegrad/Tabular-v0 has states but no maze"),
        (["FourRooms-v0", "--world", "corridor=3"], "mazegrad/FourRooms-v0: unknown keyword 'corridor'"),
        (["FourRooms-v0", "--world", "actions=kings"], "kings"),
    ):
        assert main(["page", *words, "--out", str(out)]) == 2
        assert said in capsys.readouterr().err
