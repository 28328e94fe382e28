"""docs/maps.md is correct: its examples run, and it has every tile, every setting and every word, with pictures."""

import re
from pathlib import Path

import pytest

from mazegrad.envs import LEGEND, Maze, World, questions
from mazegrad.envs.maps.metadata import METADATA
from mazegrad.envs.maps.moves import NAMED
from mazegrad.envs.maps.noise import WORDS
from mazegrad.envs.maps.own_tiles import earnings_of, jumps_of
from mazegrad.envs.maps.thin import read_thin

DOCS = Path(__file__).parent.parent / "docs"
PAGE = (DOCS / "maps.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.strip().splitlines()[-1][:40])
def test_an_example_runs(example: str) -> None:
    exec(compile(example, "docs/maps.md", "exec"), {})


def test_the_page_is_complete() -> None:
    for word in (*METADATA, *NAMED, *WORDS):
        assert f"`{word}" in PAGE, word
    tiles = {tile for tile in LEGEND if not tile.isalnum() and tile != " "}
    assert tiles <= set(PAGE)


DRAWN = {
    name: read_thin(text) if text.startswith("+") else Maze.from_text(text)
    for text, name in re.findall(r"```text\n((?:(?!```).*\n)+)```\n\n!\[[^]]+\]\(images/maps/(\w+)\.svg\)", PAGE)
}


def test_every_map_of_the_page_has_its_picture() -> None:
    assert len(DRAWN) == PAGE.count("```text")
    for name, maze in DRAWN.items():
        picture = (DOCS / "images" / "maps" / f"{name}.svg").read_text("utf-8")
        assert f"<!-- {maze.digest} -->" in picture, f"{name} was changed: run `python docs/pictures.py maps`"
        assert len(picture) < 10_000
        assert questions(World.compile(maze)) == [], name


def test_every_tile_has_its_picture() -> None:
    """In the table, by its number in the gallery, and in a map."""
    table = re.findall(r"^\| (\S.*?) \| (!\[.*?) \| ", PAGE, flags=re.MULTILINE)
    shown = {}
    for tiles, pictures in table:
        numbers = [int(number) for number in re.findall(r"images/gallery/tile_(\d+)\.svg", pictures)]
        signs = " " if tiles == "(blank)" else re.findall(r"`(.)`", tiles)
        first, count = signs[0], len(numbers)
        run = list(LEGEND)[list(LEGEND).index(first) :][:count] if "to" in tiles else signs
        shown |= dict(zip(run, numbers, strict=True))
    assert shown == {tile: number for number, tile in enumerate(LEGEND) if tile in shown}
    kinds = {about.partition(":")[0].rstrip("ABCDEFabcdef0123456789 ") for about in LEGEND.values()}
    assert kinds == {LEGEND[tile].partition(":")[0].rstrip("ABCDEFabcdef0123456789 ") for tile in shown}
    drawn = set("".join("".join(maze.rows()) for maze in DRAWN.values()))
    assert {tile for tile in LEGEND if not tile.isalnum()} - {"{"} | set("SGXv01aAbB") <= drawn


def test_every_setting_has_its_picture() -> None:
    """Each key, and what differs within one."""
    assert {key for maze in DRAWN.values() for key in maze.metadata} == set(METADATA)
    assert "\nsize: " in PAGE
    said = [(key, maze.setting(key)) for maze in DRAWN.values() for key in maze.metadata]
    winds = [wind for key, wind in said if key == "wind"]
    assert len({wind.direction for wind in winds}) > 1 and any(wind.varies for wind in winds)
    assert len({maze.metadata.get("actions") for maze in DRAWN.values()}) >= 5
    assert any("" in noise and "~" in noise for key, noise in said if key == "noise")
    earned = [earning for maze in DRAWN.values() for earning in earnings_of(maze.metadata)]
    assert {earning.kind for earning in earned} == {"floor", "goal", "trap", "leaving", "action"}
    assert any(earning.what in LEGEND for earning in earned)
    assert {len(jump.target) > 1 for maze in DRAWN.values() for jump in jumps_of(maze.metadata)} == {False, True}
