"""The page in Chromium: pointer, keyboard and finger at three sizes, in both languages and themes.

Needs Playwright for Python and Chromium (`MAZEGRAD_CHROMIUM` names its file); without them these tests are skipped.
"""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from page_browser import CHECKS, chromium

from mazegrad.agents import wall_follower_automaton
from mazegrad.cli import main
from mazegrad.envs import Maze, World, load_maze, shortest_path, value_iteration
from mazegrad.page import build_page

pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

SIZES = {"desktop": (1280, 720), "tablet": (820, 1180), "phone": (390, 844)}
MODES = ["net", "draw", "walk", "plan", "learn", "rules", "replay"]


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    file = tmp_path_factory.mktemp("page") / "page.html"
    file.write_text(build_page(), encoding="utf-8")
    return file.as_uri()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as browser:
        yield browser


Opened = Callable[..., Any]


@pytest.fixture
def opened(browser: Any, address: str) -> Iterator[Opened]:
    """Return a function that opens the page; nothing may be written to its console, and nothing be loaded."""
    contexts, said, loaded = [], [], []

    def open_page(
        size: str = "desktop",
        language: str = "en-GB",
        theme: str = "light",
        fragment: str = "",
        touch: bool = False,
        file: Path | None = None,
    ) -> Any:
        width, height = SIZES[size]
        context = browser.new_context(
            viewport={"width": width, "height": height}, locale=language, color_scheme=theme, has_touch=touch,
            reduced_motion="reduce",
        )  # fmt: skip
        context.set_default_timeout(10_000)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: said.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: said.append(f"error: {error.stack}"))
        page.on("request", lambda request: loaded.append(request.url))
        page.goto((file.as_uri() if file else address) + fragment)
        page.wait_for_selector("html[data-ready]", state="attached")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert said == []
    assert {url.split("#")[0].split(":")[0] for url in loaded} <= {"file", "data", "blob"}


def check(page: Any, expression: str) -> Any:
    """Return the value of an expression with the functions of page_checks.js."""
    return page.evaluate(f"(() => {{ {CHECKS}\nreturn {expression}; }})()")


def cell_box(page: Any, row: int, column: int) -> tuple[float, float]:
    """Return the middle of a cell on the screen."""
    page.locator("svg.maze").scroll_into_view_if_needed()
    x, y = check(page, f"middle([{row}, {column}])")
    return x, y


def answered(page: Any) -> None:
    """Wait for the answer whether the net follows every path."""
    page.wait_for_function("document.querySelector('.side .verdict b')")


def map_text(page: Any) -> str:
    return str(page.input_value("#map-text"))


# ------------------------------------------------------------------------------------------------------------ all modes
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("language", ["en-GB", "de-DE"])
@pytest.mark.parametrize("size", SIZES)
def test_every_mode_fits_is_legible_and_has_names(size: str, language: str, theme: str, opened: Opened) -> None:
    page = opened(size, language, theme)
    for mode in MODES:
        page.click(f"#tab-{mode}")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), mode
        assert check(page, "overlapping()") == [], mode
        faint = check(page, "faint()")
        assert faint == [], (mode, faint)
        assert nameless(page) == [], mode
        assert check(page, "small()") == [], mode
    assert page.evaluate("document.documentElement.lang") == language[:2]


def nameless(page: Any) -> list[str]:
    """Return the controls without an accessible name."""
    session = page.context.new_cdp_session(page)
    nodes = session.send("Accessibility.getFullAXTree")["nodes"]
    session.detach()
    roles = {
        "button",
        "link",
        "textbox",
        "slider",
        "combobox",
        "tab",
        "checkbox",
        "radio",
        "application",
        "tablist",
        "tabpanel",
        "radiogroup",
        "group",
        "dialog",
    }
    shown = [node for node in nodes if not node["ignored"] and node["role"]["value"] in roles]
    assert len(shown) > 10
    return [str(node["role"]["value"]) for node in shown if not node.get("name", {}).get("value", "").strip()]


def test_first_paint_takes_less_than_a_second(opened: Opened) -> None:
    page = opened()
    page.wait_for_function("performance.getEntriesByName('first-contentful-paint').length > 0")
    assert page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime") < 1000


def test_theme_and_language_are_kept(opened: Opened) -> None:
    page = opened()
    page.click("#theme")
    assert page.evaluate("getComputedStyle(document.documentElement).colorScheme") == "dark"
    page.click("#language")
    assert page.inner_text("#play") == "Los"
    page.reload()
    page.wait_for_selector("html[data-ready]", state="attached")
    assert page.inner_text("#play") == "Los"
    assert page.evaluate("getComputedStyle(document.documentElement).colorScheme") == "dark"


# --------------------------------------------------------------------------------------------------------- exercise 38
def test_exercise_38_is_solved_with_the_pointer_by_the_hints_alone(opened: Opened) -> None:
    page = opened()
    assert "not yet" in page.inner_text(".goals") and page.locator(".goals .done").count() == 0
    for _ in range(6):
        page.get_by_role("button", name=re.compile("[Hh]int")).first.click()
    assert "below U press 0, +I, −J, ×½" in page.inner_text(".hint")
    for chip in ("U0", "U+I", "U−J", "U×½", "W0", "W+I", "W×2"):
        page.click(f'[data-chip="{chip}"]')
    page.click("#check")
    answered(page)
    assert "It follows every path, of any length: proved." in page.inner_text(".side .verdict")
    assert page.locator(".goals .done").count() == 3
    page.fill("#speed", "100")
    page.click("#play")
    page.wait_for_function("document.querySelector('#facts').innerText.includes('At the goal')")


def test_exercise_38_is_solved_with_a_finger(opened: Opened) -> None:
    page = opened("phone", touch=True)
    for chip in ("U+I", "U−J", "U×½", "W×2"):
        page.tap(f'[data-chip="{chip}"]')
    page.tap("#check")
    answered(page)
    assert page.locator(".goals .done").count() == 3


def test_exercise_38_is_solved_with_the_keyboard(opened: Opened) -> None:
    page = opened("tablet", "de-DE")
    entries = {
        "W": ["2", "0", "0", "0", "0", "2", "0", "0", "0", "0", "2", "0", "0", "0", "0", "2"],
        "U": ["1/2", "0", "0", "-1/2", "0", "0,5", "-,5", "0", "0", "-0.5", ".5", "0", "−0.5", "0", "0", "0.5"],
    }
    page.focus('[data-weight="W00"]')
    for number in entries["W"]:
        page.keyboard.press("Control+A")
        page.keyboard.type(number)
        page.keyboard.press("Tab")
    page.focus('[data-weight="U00"]')
    for number in entries["U"]:
        page.keyboard.press("Control+A")
        page.keyboard.type(number)
        page.keyboard.press("Tab")
    page.focus("#check")
    page.keyboard.press("Enter")
    answered(page)
    assert "Er folgt jedem Pfad, beliebig lang: bewiesen." in page.inner_text(".side .verdict")
    assert "Er folgt jedem Pfad" in page.inner_text("#live")


def test_a_failure_is_walked_step_by_step(opened: Opened) -> None:
    page = opened()
    page.click('[data-chip="U−J"]')
    page.click("#check")
    answered(page)
    assert "No, there are paths" in page.inner_text(".side .verdict")
    page.click("[data-watch=end]")
    steps = int(re.search(r"wrong at step (\d+)", page.inner_text("#banner"))[1])
    for _ in range(steps - 1):
        assert "the path goes" not in page.inner_text("#facts")
        page.keyboard.press("Enter")  # the button "Step" has the focus
    assert re.search(r"It goes [↑→←↓], the path goes [↑→←↓]", page.inner_text("#facts"))
    assert page.locator(".mark.wrong").count() == 1 and page.is_disabled("#step")
    page.click("#back-to-maze")
    assert page.is_hidden("#banner")


def test_what_goes_to_and_fro_is_stopped(opened: Opened) -> None:
    page = opened()
    page.fill("#speed", "100")
    page.click("#play")  # W = I without a memory: it cannot tell the dot ahead from the one behind
    page.wait_for_function("document.querySelector('#facts').innerText.includes('It repeats itself for ever')")
    assert page.inner_text("#play") == "Play" and page.is_disabled("#step")


def test_the_mind_is_shown_live(opened: Opened) -> None:
    page = opened()
    rows = page.locator(".mind tbody tr")
    assert [rows.nth(d).locator("td").first.inner_text()[0] for d in range(4)] == ["●", "○", "○", "●"]
    page.fill('[data-weight="U30"]', "-1")  # h_0 is up: the dot below is taken away
    assert rows.nth(3).locator(".sum").inner_text() == "0" and "chosen" in rows.nth(0).get_attribute("class")
    page.focus('[data-weight="U30"]')
    page.keyboard.press("ArrowUp")
    assert page.input_value('[data-weight="U30"]') == "−0.5" and rows.nth(3).locator(".sum").inner_text() == "0.5"
    page.focus("#weight")
    page.keyboard.press("ArrowRight")
    assert page.input_value('[data-weight="U30"]') == "−0.25"
    page.fill('[data-weight="U30"]', "1/0")
    assert page.get_attribute('[data-weight="U30"]', "aria-invalid") == "true"


def test_weights_that_explode_are_shown_without_an_error(opened: Opened) -> None:
    page = opened()
    page.fill('[data-weight="W00"]', "1e300")
    page.fill('[data-weight="W00"]', "99999999999")
    assert page.get_attribute('[data-weight="W00"]', "aria-invalid") == "true"
    page.click('[data-chip="U+I"]')
    for _ in range(24):
        page.click('[data-chip="U×2"]')
    assert page.input_value('[data-weight="U00"]') == "1000000"
    page.fill("#speed", "100")
    page.focus("#board")
    for _ in range(80):  # beyond the largest floating-point number
        page.keyboard.press("ArrowRight")
    assert "∞" in page.inner_text(".mind") or "?" in page.inner_text(".mind")


def test_eigenvalues_are_drawn(opened: Opened) -> None:
    page = opened()
    page.click('[data-chip="U−J"]')
    assert sorted(page.inner_text(".beside .sum").split(", ")) == ["1", "1", "−1", "−1"]
    assert page.locator(".eigenvalue").count() == 2 and page.locator(".eigen .count").all_text_contents() == [
        "2×",
        "2×",
    ]


# ------------------------------------------------------------------------------------------------------------- drawing
def test_drawing_with_the_pointer_undo_and_redo(opened: Opened) -> None:
    page = opened()
    page.click("#tab-draw")
    page.click("[data-sample=empty]")
    before = map_text(page)
    page.check('input[name=tile][value="#"]')
    x, y = cell_box(page, 2, 2)
    to_x, to_y = cell_box(page, 2, 6)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(to_x, to_y)
    page.mouse.up()
    assert map_text(page).splitlines()[2] == "#.#####.#"
    page.click("#undo")
    assert map_text(page) == before
    page.keyboard.press("Control+Shift+Z")
    assert map_text(page).splitlines()[2] == "#.#####.#"
    page.mouse.click(x, y, button="right")
    assert map_text(page).splitlines()[2] == "#. ####.#"
    page.click("#clear")
    assert "#" not in map_text(page)


def test_drawing_with_a_finger(opened: Opened) -> None:
    page = opened("phone", touch=True)
    page.tap("#tab-draw")
    page.tap("[data-sample=empty]")
    page.locator('input[name=tile][value="X"]').tap()
    page.touchscreen.tap(*cell_box(page, 3, 4))
    assert map_text(page).splitlines()[3] == "#...X...#"


def test_a_finger_draws_a_line(opened: Opened) -> None:
    page = opened("phone", touch=True)
    page.tap("#tab-draw")
    page.tap("[data-sample=empty]")
    page.locator('input[name=tile][value="#"]').tap()
    start, end = cell_box(page, 2, 2), cell_box(page, 4, 2)
    session = page.context.new_cdp_session(page)
    for kind, points in (("touchStart", [start]), ("touchMove", [end]), ("touchEnd", [])):
        touches = [{"x": x, "y": y} for x, y in points]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touches})
    assert [line[2] for line in map_text(page).splitlines()] == ["#", ".", "#", "#", "#", ".", "#"]


def test_drawing_with_the_keyboard(opened: Opened) -> None:
    page = opened()
    page.focus("#tab-net")
    page.keyboard.press("ArrowRight")
    page.click("[data-sample=empty]")
    page.focus("#board")
    for key in ("ArrowDown", "ArrowDown", "ArrowRight", "ArrowRight", "~", "ArrowRight", "Space"):
        page.keyboard.press(key)
    assert map_text(page).splitlines()[2].startswith("#.~ ")  # a dot is chosen: Space on a dot removes it
    assert page.inner_text("#live") == "Row 2, column 3: blank"


def test_every_building_block_can_be_drawn_and_compiles(opened: Opened) -> None:
    page = opened()
    page.click("#tab-draw")
    for sample in page.locator("[data-sample]").all():
        sample.click()
        text = map_text(page)
        world = World.compile(Maze.from_text(text))
        page.click("#tab-walk")
        assert page.is_hidden("#trouble") and f"/ {world.states}" in page.inner_text("#side"), text
        page.click("#tab-draw")
    page.click("[data-sample=empty]")
    values = page.locator("input[name=tile]").evaluate_all("all => all.map(one => one.value)")
    assert set(values) == {*" .#SGX~^><v*{}", *"0123456789", *"aAbBcCdDeEfF"}


def test_text_is_read_and_errors_say_where(opened: Opened) -> None:
    page = opened()
    page.click("#tab-draw")
    page.fill("#map-text", "S.?G\n")
    assert "line 1, column 3" in page.inner_text("#map-error")
    page.fill("#map-text", "S..G\n")
    assert page.is_hidden("#map-error")
    assert page.locator("svg.maze").get_attribute("viewBox").split()[2] == "4.12"


def test_wind_is_drawn_where_it_blows(opened: Opened) -> None:
    page, tips = opened(), {}
    page.click("#tab-draw")
    for way in ("up", "down", "left", "right"):
        page.fill("#map-text", f"wind: {way} 1 0\nS.\n.G\n")
        drawn = page.locator("svg.maze .wind").first.get_attribute("d")
        start, tip, end = re.findall(r"(-?[\d.]+) (-?[\d.]+)", drawn)[:3]
        across, down = (2 * float(tip[i]) - float(start[i]) - float(end[i]) for i in (0, 1))
        tips[way] = round(across, 2), round(down, 2)
    assert tips == {"up": (0, -0.44), "down": (0, 0.44), "left": (-0.44, 0), "right": (0.44, 0)}


def test_errors_are_said_in_german(opened: Opened) -> None:
    page = opened(language="de-DE")
    page.click("#tab-draw")
    for text, said in (
        ("S.?G\n", "Zeile 1, Spalte 3: unbekanntes Zeichen '?'"),
        ("slip: 2\nS.G\n", "Zeile 1, Spalte 6: 'slip' kann nicht '2' sein"),
    ):
        page.fill("#map-text", text)
        assert said in page.inner_text("#map-error")
    page.fill("#map-text", "..G\n")
    page.click("#tab-walk")
    assert "noch nicht begehbar: Zeile 1, Spalte 1: das Labyrinth hat keinen Start" in page.inner_text("#trouble")


def test_a_map_is_opened_and_saved_as_a_file(opened: Opened, tmp_path: Path) -> None:
    page = opened()
    page.click("#tab-draw")
    file = tmp_path / "mine.txt"
    file.write_text("slip: 0.2\nS.G\n", encoding="utf-8")
    page.set_input_files("#map-file", file)
    with page.expect_download() as found:
        page.click("text=Save as a file")
    assert Maze.from_text(Path(found.value.path()).read_text(encoding="utf-8")) == Maze.from_text("slip: 0.2\nS.G\n")


def test_a_link_holds_maze_weights_and_mode(opened: Opened) -> None:
    page = opened()
    page.fill('[data-weight="b2"]' if page.locator('[data-weight="b2"]').count() else '[data-weight="b20"]', "0.25")
    page.click("#tab-draw")
    page.click("[data-sample=keys]")
    drawn = map_text(page)
    page.click("#share")
    link = page.input_value("#link")
    again = opened("phone", "de-DE", fragment="#" + link.split("#")[1])
    assert again.get_attribute("#tab-draw", "aria-selected") == "true" and map_text(again) == drawn
    assert again.inner_text("#share span") == "Share"  # the link's language
    again.click("#tab-net")
    assert again.input_value('[data-weight="b20"]') == "0.25"


@pytest.mark.parametrize("fragment", ["#map=zAAAA", "#mode=nothing", "#map=%00&net=1,2", "#lang=xx"])
def test_a_broken_link_does_no_harm(fragment: str, opened: Opened) -> None:
    page = opened(fragment=fragment)
    assert page.locator("[role=tab][aria-selected=true]").count() == 1


# ----------------------------------------------------------------------------------------- walking, planning, learning
def test_walking_with_the_arrow_keys(opened: Opened) -> None:
    page = opened()
    page.click("#tab-walk")
    page.focus("#board")
    for key in ["ArrowUp"] * 3 + ["ArrowRight"] * 4:
        page.keyboard.press(key)
    assert "Step\n7" in page.inner_text("#facts") and "Step 7. Went right." in page.inner_text("#live")
    page.click("#back")
    assert "Step\n6" in page.inner_text("#facts")


def test_walking_with_a_finger(opened: Opened) -> None:
    page = opened("phone", touch=True)
    page.tap("#tab-walk")
    page.tap("#pad .up")
    page.tap("#pad .up")
    assert "Step\n2" in page.inner_text("#facts")


@pytest.mark.parametrize("name", ["four_rooms", "ice_lake", "cliff_walk", "key_door"])
def test_value_iteration_converges_to_pythons_values(name: str, opened: Opened) -> None:
    page = opened()
    maze = load_maze(name)
    page.select_option("#maze", label=maze.metadata["title"])
    page.click("#tab-plan")
    page.click("#step")
    assert "Sweep\n1" in page.inner_text("#facts")
    page.click("#converge")
    assert "Converged" in page.inner_text("#facts")
    expected = value_iteration(World.compile(maze), discount=0.95).expected_return
    shown = float(re.search(r"Value at the start\s+(\S+)", page.inner_text("#facts"))[1].replace("−", "-"))
    assert shown == pytest.approx(expected, rel=6e-3)  # three digits are shown
    row, column = np.argwhere(maze.tiles == ord("S"))[0]
    page.mouse.move(*cell_box(page, row, column))
    page.wait_for_function(f"document.querySelector('#facts').innerText.includes('V of row {row}, column {column}')")
    assert page.locator(".layer-heat rect").count() > 5 and page.locator(".arrow").count() > 5


def test_q_learning_draws_its_regret(opened: Opened) -> None:
    page = opened()
    page.select_option("#maze", label="The Dyna maze")
    page.click("#tab-learn")
    page.click("#step")
    assert "Episodes\n1" in page.inner_text("#facts")
    page.fill("#speed", "100")
    page.click("#play")
    page.wait_for_function("Number(document.querySelector('#facts dd').innerText) > 60")
    page.click("#play")
    assert page.locator(".curve .line").count() == 1 and page.locator(".arrow").count() > 10


def test_a_wall_follower_walks_and_its_graph_is_drawn(opened: Opened) -> None:
    page = opened()
    page.select_option("#maze", label="A spiral")
    page.click("#tab-rules")
    assert page.locator(".graph .node").count() == 4 and page.locator(".graph .node.here").count() == 1
    page.check("#compiled")
    page.click("#step")
    assert page.locator(".units i").count() > 16 and page.locator(".units .on").count() == 1
    page.fill("#speed", "100")
    page.click("#play")
    page.wait_for_function("/At the goal|repeats itself/.test(document.querySelector('#facts').innerText)")


def test_an_automaton_of_ones_own_is_written_in_words(opened: Opened) -> None:
    page = opened()
    page.click("#tab-rules")
    page.select_option("#rule", label="Write your own")
    page.fill("#rules", "on: up -> up\non: right -> right, back\nback: anything -> down, on\n")
    assert "node on has no rule for –" in page.inner_text("#side [role=alert]")
    page.fill("#rules", "on: up -> up\non: anything -> right, back\nback: sideways -> down\n")
    assert "line 3: unknown word sideways" in page.inner_text("#side [role=alert]")
    page.fill("#rules", "on: up -> up\non: anything -> right, back\nback: anything -> down, on\n")
    assert page.is_hidden("#side [role=alert]") and page.locator(".graph .node").count() == 2
    page.click("#step")
    page.click("#step")
    page.click("#step")
    assert "Step\n3" in page.inner_text("#facts") and "Node back sees" in page.inner_text("#side")
    page.check("#compiled")
    assert page.locator(".units i").count() == 2 * 16 + 1


def test_nets_and_automata_that_come_with_the_page_are_opened_first(opened: Opened, tmp_path: Path) -> None:
    automaton = wall_follower_automaton("left")
    tables = {"next": automaton.next_node.tolist(), "action": automaton.action.tolist()}
    net = {"W": (2 * np.eye(4)).tolist(), "U": np.eye(4).tolist(), "b": [0] * 4, "h0": [0, 1, 0, 0]}
    given = {
        "nets": [{"name": "mine.npz", **net}],
        "automata": [{"name": "mine.json", "start": 0, "names": None, **tables}],
    }
    file = tmp_path / "page.html"
    html = build_page()
    data = re.search(r'(?<=id="data">).*?(?=</script>)', html, re.DOTALL)
    assert data
    file.write_text(html.replace(data[0], json.dumps(json.loads(data[0]) | given)), encoding="utf-8")
    page = opened(file=file)
    assert page.input_value('[data-weight="W11"]') == "2" and page.input_value('[data-weight="U33"]') == "1"
    assert page.locator(".mind tbody tr").nth(1).locator("td").nth(1).inner_text() == "1"  # h_0 is right
    page.click('[data-chip="U0"]')
    page.click("[data-net]")
    assert page.input_value('[data-weight="U33"]') == "1"
    page.click("#tab-rules")
    assert page.locator("#rule option:checked").inner_text() == "mine.json"
    page.click("#step")
    assert page.locator(".graph .node").count() == 4


def test_a_recorded_run_is_scrubbed(opened: Opened, tmp_path: Path) -> None:
    file = tmp_path / "walk.jsonl"
    assert main(["record", str(file), "--maze", "spiral"]) == 0
    page = opened()
    page.click("#tab-replay")
    page.set_input_files("#replay-file", file)
    page.wait_for_function("document.querySelector('#timeline').max > 0")
    last = int(page.get_attribute("#timeline", "max"))
    assert last == len(shortest_path(World.compile(load_maze("spiral")))) - 1
    page.fill("#timeline", str(last))
    assert "At the goal" in page.inner_text("#facts")
    page.focus("#timeline")
    page.keyboard.press("ArrowLeft")
    assert f"Step\n{last - 1}" in page.inner_text("#facts")
    bad = tmp_path / "bad.jsonl"
    bad.write_text("S.G\n", encoding="utf-8")
    page.set_input_files("#replay-file", bad)
    page.wait_for_selector("#side [role=alert]")
    assert "bad.jsonl" in page.inner_text("#side [role=alert]")


def test_play_pause_step_speed_and_the_slider(opened: Opened) -> None:
    page = opened()
    page.click('[data-chip="U−J"]')
    page.focus("#board")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowLeft")
    assert "Step\n1" in page.inner_text("#facts")
    page.keyboard.press("Space")
    page.wait_for_function("Number(document.querySelector('#facts dd').innerText) > 3")
    page.keyboard.press("Space")
    now = page.inner_text("#facts dd >> nth=0")
    page.wait_for_timeout(300)
    assert page.inner_text("#facts dd >> nth=0") == now
    page.fill("#timeline", "2")
    assert "Step\n2" in page.inner_text("#facts")
    page.click("#restart")
    assert "Step\n0" in page.inner_text("#facts")


# ------------------------------------------------------------------------------------------------------------ keyboard
@pytest.mark.parametrize("mode", MODES)
def test_tab_goes_through_the_page_in_reading_order_with_a_visible_focus(mode: str, opened: Opened) -> None:
    page = opened()
    page.click(f"#tab-{mode}")
    page.focus(".skip")
    seen: list[str] = []
    for _ in range(140):
        page.keyboard.press("Tab")
        found = check(page, "focused()")
        if found is None:
            break
        assert found[1], found
        seen.append(found[0])
    else:
        pytest.fail("the focus never leaves the page")
    assert len(seen) == len(set(seen)) or mode in ("net", "draw")
    order = [name for name in ("maze", "share", "theme", "language", f"tab-{mode}", "board") if name in seen]
    assert order == ["maze", "share", "theme", "language", f"tab-{mode}", "board"]
    assert [seen.index(name) for name in order] == sorted(seen.index(name) for name in order)


def test_an_environment_with_its_keywords_is_walked_and_planned(opened: Opened, tmp_path: Path) -> None:
    file, words = tmp_path / "king.html", {"actions": "king", "noise": "stay 0.25", "rewards": {"step": -2}}
    world = [word for name, value in words.items() for word in ("--world", f"{name}={value}")]
    assert main(["page", "FourRooms-v0", *world, "--out", str(file)]) == 0
    page = opened(file=file)
    page.click("#tab-walk")
    page.click("#pad button[aria-label='down-right']")
    assert "Step\n1" in page.inner_text("#facts") and "Return\n−2" in page.inner_text("#facts")
    page.click("#tab-plan")
    page.click("#converge")
    env = gymnasium.make("mazegrad/FourRooms-v0", **words).unwrapped
    env.reset(seed=0)
    expected = value_iteration(env.world, discount=0.95).expected_return
    shown = float(re.search(r"Value at the start\s+(\S+)", page.inner_text("#facts"))[1].replace("−", "-"))
    assert shown == pytest.approx(expected, rel=6e-3)


def test_a_maze_of_101_x_101_is_shown_soon(opened: Opened, tmp_path: Path) -> None:
    maze, file = tmp_path / "large.txt", tmp_path / "large.html"
    assert main(["generate", "--rows", "50", "--columns", "50", "--out", str(maze)]) == 0
    assert main(["page", str(maze), "--out", str(file)]) == 0
    page = opened(file=file)
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    paint = page.evaluate("performance.getEntriesByType('paint').map((entry) => entry.startTime)")
    assert page.locator(".layer-ground .wall").count() > 5000 and paint
