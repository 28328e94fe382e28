"""A notebook shows environments, frames, texts and cards as pictures, wrapped or not."""

import base64
import html
import io
import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from xml.etree import ElementTree

import gymnasium
import numpy as np
import pytest
from PIL import Image

import mazegrad  # noqa: F401  (registers the environments)
from mazegrad.agents import RandomAgent, agent_from_policy, certify_memory, path_follower, rollout
from mazegrad.agents.proofs.picture import picture
from mazegrad.envs import TabularMDP, World, describe, draw, draw_svg, evaluate_policy, load_maze, value_iteration
from mazegrad.envs.pictures.notebook import animated_svg
from mazegrad.envs.pictures.walk import walk_html


def frame_in(svg: str) -> np.ndarray:
    """Return the picture that an SVG holds."""
    assert ElementTree.fromstring(svg).tag == "{http://www.w3.org/2000/svg}svg"
    data = re.search(r"base64,([^\"]+)", svg)
    assert data
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(data[1]))))


def test_an_environment_shows_its_maze_and_where_the_agent_is() -> None:
    env = gymnasium.make("mazegrad/KeyDoor-v0").unwrapped
    maze = load_maze("key_door")
    shown = frame_in(env._repr_svg_())
    tile = shown.shape[0] // maze.height
    assert (shown == draw(maze, tile=tile)).all(), "before the reset"
    env.reset(seed=0)
    for action in range(4):
        env.step(action)
        assert (frame_in(env._repr_svg_()) == draw(env.world, env.state, tile=tile)).all()


def test_a_vector_environment_shows_its_first_lanes() -> None:
    envs = gymnasium.make_vec("mazegrad/Maze-v0", num_envs=20, size=(3, 4))
    assert envs._repr_svg_() is None, "before the reset"
    envs.reset(seed=0)
    first = frame_in(envs._repr_svg_())
    envs.step(np.full(20, 1))
    second = frame_in(envs._repr_svg_())
    assert first.shape == second.shape
    assert (first != second).any()
    two = gymnasium.make_vec("mazegrad/FourRooms-v0", num_envs=2)
    two.reset(seed=0)
    two = frame_in(two._repr_svg_())
    assert two.shape[1] > 1.9 * two.shape[0], "side by side"


def test_a_frame_is_a_picture_and_what_is_computed_from_it_is_an_array() -> None:
    env = gymnasium.make("mazegrad/FourRooms-v0", render_mode="rgb_array")
    env.reset(seed=0)
    for frame in (env.render(), draw(load_maze("spiral")), draw(World.compile(load_maze("spiral")), 3)):
        assert (np.asarray(Image.open(io.BytesIO(frame._repr_png_()))) == frame).all()
        assert isinstance(frame, np.ndarray)
        assert type(frame / 255) is type(frame == frame) is type(frame + frame) is np.ndarray
        assert frame[..., 0]._repr_png_() is None
        assert frame[0:0]._repr_png_() is None
        assert frame[:8, :8].copy()._repr_png_().startswith(b"\x89PNG")


def test_a_drawing_in_text_has_its_lines() -> None:
    class Printer:
        printed = ""

        def text(self, text: str) -> None:
            self.printed += text

    env = gymnasium.make("mazegrad/FourRooms-v0", render_mode="ansi")
    env.reset(seed=0)
    text, printer = env.render(), Printer()
    assert isinstance(text, str)
    text._repr_pretty_(printer, False)
    assert printer.printed == text
    assert text.count("\n") == 13


def test_a_card_is_a_picture_and_a_table() -> None:
    card = describe(load_maze("four_rooms"))
    root = ElementTree.fromstring(card._repr_html_())
    assert "".join(root.itertext()).startswith("four_rooms13 x 13")
    assert load_maze("four_rooms")._repr_svg_() in card._repr_html_()
    assert "svg" not in repr(card)


def test_a_certificate_is_a_picture_and_its_explanation() -> None:
    certificate = certify_memory(load_maze("sheet38"))
    shown = certificate._repr_html_()
    data = re.search(r"base64,([^']+)'", shown)
    assert data
    assert (np.asarray(Image.open(io.BytesIO(base64.b64decode(data[1])))) == picture(certificate)).all()
    assert html.unescape(re.search(r"<pre>(.*)</pre>", shown, flags=re.DOTALL)[1]) == certificate.explain()


def test_ipython_shows_a_wrapped_environment_and_leaves_others_alone() -> None:
    pytest.importorskip("IPython")
    code = """
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
import gymnasium, mazegrad
def kinds(thing):
    return sorted(shell.display_formatter.format(thing)[0])
env = gymnasium.make("mazegrad/FourRooms-v0", render_mode="ansi")
env.reset(seed=0)
print(kinds(env), kinds(gymnasium.make("FrozenLake-v1")))
envs = gymnasium.make_vec("mazegrad/FourRooms-v0", num_envs=2)
envs.reset(seed=0)
print(kinds(envs), kinds(gymnasium.wrappers.vector.RecordEpisodeStatistics(envs)))
print(shell.display_formatter.format(env.render())[0]["text/plain"].count("\\n"))
"""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    picture = "['image/svg+xml', 'text/plain']"
    assert result.stdout.splitlines() == [f"{picture} ['text/plain']", f"{picture} {picture}", "13"]


class Printer:
    """Collects what `_repr_pretty_` prints."""

    printed = ""

    def text(self, text: str) -> None:
        self.printed += text


def test_frames_of_lanes_are_shown_side_by_side() -> None:
    envs = gymnasium.make_vec("mazegrad/Maze-v0", num_envs=12, size=(3, 4), render_mode="rgb_array", tile=8)
    envs.reset(seed=0)
    frames = envs.render()
    assert isinstance(frames, tuple)
    assert len(frames) == 12
    shown = np.asarray(Image.open(io.BytesIO(frames._repr_png_())))
    height, width, _ = frames[0].shape
    assert shown.shape[0] == height
    for lane in range(8):
        left = lane * (width + 8)
        assert (shown[:, left : left + width] == frames[lane]).all()
    frames._repr_pretty_(printer := Printer(), False)
    assert printer.printed == f"(12 frames of shape {frames[0].shape})"


def test_texts_of_lanes_are_shown_with_their_lines() -> None:
    envs = gymnasium.make_vec("mazegrad/FourRooms-v0", num_envs=2, render_mode="ansi")
    envs.reset(seed=0)
    texts = envs.render()
    texts._repr_pretty_(printer := Printer(), False)
    assert printer.printed == f"lane 0\n{texts[0]}\nlane 1\n{texts[1]}"
    assert texts._repr_png_() is None


@pytest.mark.parametrize("discount", [0.95, 1.0])
def test_values_are_drawn_over_their_maze(discount: float) -> None:
    world = World.compile(load_maze("cliff_walk"))
    values = value_iteration(world, discount=discount)
    shown = values._repr_svg_()
    assert shown == draw_svg(world, values=values, policy=values)
    right = evaluate_policy(world, np.full(world.states, 1), discount=0.9)
    assert right._repr_svg_() != shown
    assert ElementTree.fromstring(right._repr_svg_()).tag.endswith("svg")


def test_values_without_a_maze_are_text() -> None:
    world = World.compile([load_maze("four_rooms"), load_maze("spiral")])
    assert value_iteration(world)._repr_svg_() is None
    assert value_iteration(TabularMDP.from_world(world))._repr_svg_() is None


class Parts(HTMLParser):
    """The elements of a piece of HTML with their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.found if name == tag]


def test_a_walk_has_a_slider_over_its_steps() -> None:
    env = gymnasium.make("mazegrad/KeyDoor-v0", observation="state")
    world = env.unwrapped.world
    walk = rollout(env, agent_from_policy(value_iteration(world).policy), seed=0)
    parts = Parts(walk._repr_html_())
    (slider,) = (a for a in parts.of("input") if a["type"] == "range")
    assert (slider["min"], slider["max"]) == ("0", str(len(walk.actions)))
    assert slider["aria-label"]
    data = json.loads(parts.of("div")[0]["data-walk"])
    assert data["cells"] == world.cell[list(walk.world_states)].tolist()
    assert data["texts"][0] == f"step 0 of {len(walk.actions)}"
    assert data["texts"][-1].endswith("return 1 · over")
    held = world.carried[list(walk.world_states)]
    assert len(parts.of("img")) == len(set(held.tolist())) > 1
    assert [image for image in parts.of("img") if "hidden" not in image] == [parts.of("img")[data["grounds"][0]]]


def test_a_walk_is_one_small_page_that_needs_nothing_else() -> None:
    env = gymnasium.make("mazegrad/PathFollow-v0")
    text = rollout(env, path_follower(), seed=0).to_html()
    assert len(text) < 20_000
    assert "http://www.w3.org" not in text.replace("data:image", "")
    assert not re.search(r"https?:|<script|<link|url\(", text)
    assert '<meta name="color-scheme" content="light dark">' in text


def test_a_walk_of_another_library_is_not_drawn() -> None:
    walk = rollout(gymnasium.make("FrozenLake-v1"), RandomAgent(np.random.default_rng(0)), seed=0)
    assert walk._repr_html_() is walk._repr_svg_() is None
    with pytest.raises(ValueError, match="no world to draw"):
        walk.to_html()


def test_a_walk_shows_slips_that_a_keyword_gave() -> None:
    maze = load_maze("four_rooms")
    for show in (walk_html, animated_svg):
        pages = {slip: show(World.compile(maze, slip=slip), [0, 1]) for slip in (None, 0.0, 0.1)}
        assert pages[None] == pages[0.0] != pages[0.1]
