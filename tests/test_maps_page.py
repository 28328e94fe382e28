"""docs/maps.md is correct: its examples run, and it has every tile, every setting and every word."""

import re
from pathlib import Path

import pytest

from mazegrad.envs import LEGEND
from mazegrad.envs.maps.maze import METADATA
from mazegrad.envs.maps.moves import NAMED
from mazegrad.envs.maps.noise import WORDS

PAGE = (Path(__file__).parent.parent / "docs" / "maps.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.strip().splitlines()[-1][:40])
def test_an_example_runs(example: str) -> None:
    exec(compile(example, "docs/maps.md", "exec"), {})


def test_the_page_is_complete() -> None:
    for word in (*METADATA, *NAMED, *WORDS):
        assert f"`{word}" in PAGE, word
    tiles = {tile for tile in LEGEND if not tile.isalnum() and tile != " "}
    assert tiles <= set(PAGE)
