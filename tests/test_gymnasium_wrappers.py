"""The table of Gymnasium's wrappers in docs/integrations.md says what happens when they are tried."""

import re

import pytest

from gymnasium_wrappers import BEGIN, CANNOT, END, PAGE, result, wrappers

TABLE = PAGE.read_text(encoding="utf-8").split(BEGIN)[1].split(END)[0]
SAID = {
    cells[1].strip().strip("`"): (cells[2].strip(), cells[3].strip())
    for cells in (line.split("|") for line in TABLE.splitlines()[2:])
}
MISSING = re.compile("No module named|not installed|Dependency|pip install")


@pytest.mark.parametrize("vector", [False, True], ids=["single", "vector"])
@pytest.mark.parametrize("wrapper", list(SAID))
def test_the_table_says_what_happens(wrapper, vector, monkeypatch):
    said = SAID[wrapper][vector]
    if not said:
        assert wrapper not in wrappers(vector)
        return
    if wrapper not in wrappers(vector):
        pytest.skip("not in this Gymnasium")
    assert said in ("works", CANNOT.get(wrapper))
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    found = result(wrapper, vector)
    if MISSING.search(found):
        pytest.skip(found)
    assert found == said


def test_no_wrapper_is_left_out():
    assert {*wrappers(False), *wrappers(True)} <= {*SAID} and len(SAID) > 40
