"""The same seeds give the same episodes for ever: 200 of them, frozen in `frozen_episodes.json`."""

import json

import pytest
from gymnasium.vector import AutoresetMode

from mazegrad.envs import GENERATORS

from contract_child import IDS
from frozen_episodes import FILE, action, frozen_hash, read, write

CONTENT = read()
ENTRIES, DRAWINGS = CONTENT["episodes"], CONTENT["drawings"]


def entry_id(entry):
    which = f"{entry['lanes']} lanes" if "lanes" in entry else f"episode {entry['episode']}"
    return f"{entry['id'].removeprefix('mazegrad/')} {which} {json.dumps(entry['keywords'])}"


@pytest.mark.parametrize("entry", ENTRIES, ids=entry_id)
def test_the_episode_is_what_it_was(entry):
    assert frozen_hash(entry, DRAWINGS) == entry["hash"], (
        "this seed gives another episode now; only entries marked `pixels` may be frozen anew, when pictures are drawn "
        "in another way on purpose: python tests/frozen_episodes.py --write pixels"
    )


def test_what_is_frozen():
    assert len(ENTRIES) == 200
    assert len({entry["hash"] for entry in ENTRIES}) == 200
    assert len({entry["id"] for entry in ENTRIES} & set(IDS)) == 10  # all ids of the day when these were frozen
    keywords = [entry["keywords"] for entry in ENTRIES]
    assert all("time_limit" in given for given in keywords)  # its default may change
    observations = {given.get("observation", "dots") for given in keywords}
    assert observations == {"dots", "index", "position", "view", "map", "pixels"}
    assert len({given["generator"] for given in keywords if "generator" in given} & set(GENERATORS)) == 14
    drawn = {given.get("maze") for given in keywords}
    given_later = [options.get("maze", []) for entry in ENTRIES for options in entry.get("options", {}).values()]
    for maze in given_later:
        drawn |= {maze} if isinstance(maze, str) else set(maze)
    assert DRAWINGS.keys() <= drawn
    tiles = "".join("".join(rows) for rows in DRAWINGS.values())
    assert set(" #.SGX~^><v0123*abcABC{}") <= set(tiles)
    assert {"braid", "level_seeds", "pinned", "size", "corridor", "slip", "rewards", "info"} <= set().union(*keywords)
    assert {entry.get("episode") for entry in ENTRIES} == {None, 0, 1, 2}
    modes = [AutoresetMode[entry["autoreset_mode"]] for entry in ENTRIES if "lanes" in entry]
    assert all(modes.count(mode) >= 8 for mode in AutoresetMode)


def test_few_look_at_pictures_and_those_are_marked():
    pictures = [entry for entry in ENTRIES if entry["keywords"].get("observation") == "pixels"]
    assert 0 < len(pictures) <= 5
    assert pictures == [entry for entry in ENTRIES if entry.get("pixels")]


def test_the_file_is_as_it_would_be_written(tmp_path, monkeypatch):
    monkeypatch.setattr("frozen_episodes.FILE", tmp_path / "frozen.json")
    write(CONTENT)
    assert (tmp_path / "frozen.json").read_text(encoding="utf-8") == FILE.read_text(encoding="utf-8")


def test_actions_are_spread():
    actions = [action(seed, 0, lane, step) for seed in (0, 2**63) for lane in range(10) for step in range(100)]
    assert all(430 < actions.count(one) < 570 for one in range(4))
