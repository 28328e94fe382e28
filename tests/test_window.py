"""The window: keys, closing, no display; on SDL's dummy driver, and for real where Xvfb is."""

import copy
import itertools
import os
import pickle
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import gymnasium
import numpy as np
import pygame
import pytest

from mazegrad.agents import Agent, QLearning, RecurrentPolicy, named_agent
from mazegrad.envs import MazeEnv, NoDisplayError, WindowClosed
from mazegrad.envs.pictures import lettering
from mazegrad.envs.pictures.palette import LIGHT
from mazegrad.live import WATCH_KEYS, play_in_window, watch_in_window
from mazegrad.watch import Picture, SideBySide, Walk, walk


@pytest.fixture
def dummy(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    yield
    pygame.display.quit()


def press(*keys: int) -> None:
    for key in keys:
        pygame.event.post(pygame.event.Event(pygame.KEYDOWN, key=key))


class Script:
    """Stands for the user: at the n-th frame that is shown, does the n-th thing."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, picture: Picture, things: dict[int, object]) -> None:
        self.shown: list[int] = []
        draw = Picture.draw

        def drawing(picture: Picture, moment: object) -> np.ndarray:
            thing = things.get(len(self.shown))
            if callable(thing):
                thing()
            elif thing is not None:
                press(thing)
            self.shown.append(moment.step)
            return draw(picture, moment)

        monkeypatch.setattr(Picture, "draw", drawing)
        monkeypatch.setattr("mazegrad.envs.pictures.window.Window.show", fast(monkeypatch))


def fast(monkeypatch: pytest.MonkeyPatch) -> object:
    from mazegrad.envs.pictures.window import Window

    show = Window.show
    return lambda window, frame, fps=None: show(window, frame, None)


def watch(monkeypatch: pytest.MonkeyPatch, things: dict[int, object], episodes: int | None = None) -> list[int]:
    env = gymnasium.make("mazegrad/PathFollow-v0").unwrapped
    picture = Picture("a", "b", (120, 160))
    script = Script(monkeypatch, picture, things)
    watch_in_window(lambda seed: walk(env, named_agent("path_follower").make, seed), picture, 0, 60, episodes)
    return script.shown


@pytest.mark.usefixtures("dummy")
class TestKeys:
    def test_it_walks_and_q_quits(self, monkeypatch: pytest.MonkeyPatch) -> None:
        assert watch(monkeypatch, {10: pygame.K_q}) == list(range(11))

    def test_escape_quits(self, monkeypatch: pytest.MonkeyPatch) -> None:
        assert watch(monkeypatch, {4: pygame.K_ESCAPE}) == list(range(5))

    def test_space_pauses_and_goes_on(self, monkeypatch: pytest.MonkeyPatch) -> None:
        shown = watch(monkeypatch, {3: pygame.K_SPACE, 9: pygame.K_SPACE, 14: pygame.K_q})
        assert shown == [0, 1, 2, *[3] * 8, 4, 5, 6, 7]

    def test_right_steps_and_pauses(self, monkeypatch: pytest.MonkeyPatch) -> None:
        shown = watch(monkeypatch, {2: pygame.K_RIGHT, 5: pygame.K_RIGHT, 8: pygame.K_q})
        assert shown == [0, 1, 2, 3, 3, 3, 4, 4, 4]

    def test_r_restarts(self, monkeypatch: pytest.MonkeyPatch) -> None:
        assert watch(monkeypatch, {3: pygame.K_r, 6: pygame.K_q}) == [0, 1, 2, 3, 0, 1, 2]

    def test_down_slows(self, monkeypatch: pytest.MonkeyPatch) -> None:
        slow = watch(monkeypatch, {1: lambda: press(*[pygame.K_DOWN] * 10), 20: pygame.K_q})
        assert 4 < slow[-1] < 10

    def test_s_saves_a_picture(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.chdir(tmp_path)
        watch(monkeypatch, {2: pygame.K_s, 4: pygame.K_s, 6: pygame.K_q})
        assert sorted(p.name for p in tmp_path.iterdir()) == ["mazegrad-watch-1.png", "mazegrad-watch-2.png"]

    def test_f_fills_the_screen_and_goes_back(self, monkeypatch: pytest.MonkeyPatch) -> None:
        sizes: list[tuple[int, int]] = []
        note = {i: lambda: sizes.append(pygame.display.get_surface().get_size()) for i in (1, 3, 5)}
        watch(monkeypatch, {**note, 2: pygame.K_f, 4: pygame.K_F11, 6: pygame.K_q})
        assert sizes[0] == sizes[2] == (160, 120)
        assert sizes[1][0] > 160 and sizes[1][1] > 120

    def test_it_opens_nearly_as_large_as_the_screen_if_no_size_is_asked_for(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        sizes: list[tuple[int, int]] = []
        pygame.display.init()
        screen = pygame.display.get_desktop_sizes()[0]
        Script(monkeypatch, picture := Picture("a", "b", (120, 160)), {
            2: lambda: sizes.append(pygame.display.get_surface().get_size()), 3: pygame.K_q,
        })  # fmt: skip
        env = gymnasium.make("mazegrad/PathFollow-v0").unwrapped
        begin = partial(walk, env, named_agent("path_follower").make)
        watch_in_window(begin, picture, 0, 60, None, grows=True)
        (size,) = sizes
        assert np.divide(size, screen) == pytest.approx(0.9, abs=0.01)

    def test_closing_the_window_in_mid_episode_ends_watch(self, monkeypatch: pytest.MonkeyPatch) -> None:
        close = {7: lambda: pygame.event.post(pygame.event.Event(pygame.QUIT))}
        assert watch(monkeypatch, close)[-1] == 7
        assert not pygame.display.get_init()

    def test_so_many_episodes_and_then_it_ends(self, monkeypatch: pytest.MonkeyPatch) -> None:
        assert watch(monkeypatch, {}, episodes=2) == [*range(71), *range(71)]


@pytest.mark.usefixtures("dummy")
def test_a_person_walks_with_the_arrow_keys(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    env = gymnasium.make("mazegrad/GridWorld-v0", maze="S.\n.G\n").unwrapped
    picture = Picture("a", "b", (120, 160))
    keys = [
        pygame.K_UP,
        pygame.K_RIGHT,
        pygame.K_DOWN,
        pygame.K_LEFT,
        pygame.K_DOWN,
        pygame.K_s,
        pygame.K_r,
        pygame.K_q,
    ]
    script = Script(monkeypatch, picture, dict(enumerate(keys, 1)))
    play_in_window(env, picture, seed=0)
    # up bumps, right, down to the goal; any arrow begins anew, down
    assert len(script.shown) == 9 and script.shown[:7] == [0, 0, 1, 2, 3, 0, 1]
    assert [path.name for path in tmp_path.iterdir()] == ["mazegrad-play-1.png"]


@pytest.mark.usefixtures("dummy")
class TestEnvironment:
    def test_copies_and_pickles_while_a_window_is_open(self) -> None:
        env = gymnasium.make("mazegrad/PathFollow-v0", render_mode="human")
        env.unwrapped.metadata = {**env.unwrapped.metadata, "render_fps": 1000}
        env.reset(seed=0)
        env.step(0)
        for other in (pickle.loads(pickle.dumps(env)), copy.deepcopy(env)):
            assert pygame.display.get_init()
            assert (other.step(0)[0] == [0, 1, 0, 1]).all()
            assert other.unwrapped.state != env.unwrapped.state
        for _ in range(2):
            env.close()
        assert not pygame.display.get_init()

    def test_windows_of_one_process_do_not_close_each_other_for_good(self) -> None:
        first = MazeEnv("sheet38", render_mode="human")
        first.metadata = {**first.metadata, "render_fps": 1000}
        first.reset(seed=0)
        copied, other = copy.deepcopy(first), MazeEnv("four_rooms", render_mode="human")
        other.metadata = first.metadata
        other.reset(seed=0)
        for env in (copied, first, other, first):
            env.step(0)
        for closed, going in ((copied, first), (other, first), (first, other)):
            closed.close()
            for _ in range(2):
                going.step(0)
                assert pygame.display.get_init()
        first.close()
        assert pygame.display.get_init(), "it is not its own any more"
        other.close()
        assert not pygame.display.get_init()

    def test_closing_the_window_ends_the_program_quietly(self) -> None:
        env = MazeEnv("sheet38", render_mode="human")
        env.reset(seed=0)
        pygame.event.post(pygame.event.Event(pygame.QUIT))
        with pytest.raises(WindowClosed) as stop:
            env.step(0)
        assert isinstance(stop.value, SystemExit)
        assert stop.value.code is None
        env.close()


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="there is always a display")
def test_no_display_is_one_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER"):
        monkeypatch.delenv(name, raising=False)
    pygame.display.quit()
    env = gymnasium.make("mazegrad/PathFollow-v0", render_mode="human")
    with pytest.raises(NoDisplayError, match='render_mode="rgb_array" returns the frames'):
        env.reset(seed=0)
    env.close()


def test_the_picture_shows_the_mind() -> None:
    """Where the agent is about to go, and what it sees, changes the picture; the same moment draws the same."""
    env = gymnasium.make("mazegrad/PathFollow-v0").unwrapped
    picture = Picture("a", "b", (360, 640))
    moments = list(walk(env, named_agent("path_follower").make, 0))
    frames = [picture.draw(moment) for moment in moments]
    assert all(frame.shape == (360, 640, 3) for frame in frames)
    assert all((a != b).any() for a, b in itertools.pairwise(frames))
    assert (picture.draw(moments[5]) == frames[5]).all()


@pytest.mark.slow
@pytest.mark.skipif(not (shutil.which("Xvfb") and shutil.which("xdotool")), reason="needs Xvfb and xdotool")
def test_a_real_window_takes_real_keys(tmp_path: Path) -> None:
    program = None
    reader, writer = os.pipe()  # the server writes its display's number there when it is ready
    server = subprocess.Popen(
        ["Xvfb", "-noreset", "-displayfd", str(writer), "-screen", "0", "1400x900x24"],
        pass_fds=[writer],
        stderr=subprocess.DEVNULL,
    )
    os.close(writer)
    try:
        with os.fdopen(reader) as ready:
            display = ":" + ready.readline().strip()
        environment = {k: v for k, v in os.environ.items() if k != "SDL_VIDEODRIVER"} | {"DISPLAY": display}
        words = [sys.executable, "-m", "mazegrad", "watch", "--fps", "5", "--size", "640x400"]
        program = subprocess.Popen(words, cwd=tmp_path, env=environment)

        def xdotool(*words: str) -> str:
            return subprocess.run(["xdotool", *words], env=environment, capture_output=True, text=True).stdout

        deadline = time.monotonic() + 60
        while len(xdotool("search", "--class", ".*").split()) < 2 and time.monotonic() < deadline:
            assert program.poll() is None
            time.sleep(0.1)
        saved = []
        for keys in (["space"], ["Right", "Right"], ["s"]):
            for key in keys:
                time.sleep(0.3)
                xdotool("key", key)
        while not (saved := list(tmp_path.glob("mazegrad-*.png"))) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert [path.name for path in saved] == ["mazegrad-watch-1.png"]
        xdotool("key", "q")
        assert program.wait(timeout=30) == 0
        assert xdotool("search", "--class", ".*").count("\n") < 2, "the window is gone"
    finally:
        if program is not None:
            program.kill()
        server.kill()
        server.wait()


def trained_table(env: MazeEnv) -> QLearning:
    table = QLearning(env, rng=np.random.default_rng(0))
    table.train(20, seed=0)
    return table


def net(cell: str) -> Callable[[MazeEnv], RecurrentPolicy]:
    return lambda env: RecurrentPolicy(env.observation_space, env.action_space, cell, 8, rng=np.random.default_rng(0))


@pytest.mark.parametrize(
    ("observation", "make"),
    [
        ("dots", lambda env: named_agent("path_automaton").make(env.world, np.random.default_rng(0))),
        ("index", trained_table),
        ("view", net("lstm")),
        ("dots", net("gru")),
        ("map", net("none")),
    ],
    ids=["automaton", "table", "view", "gru", "map"],
)
def test_every_kind_of_mind_is_seen(observation: str, make: Callable[[MazeEnv], Agent]) -> None:
    """The panel changes with the agent's state and with what it observes; without a mind it is plainer."""
    env = gymnasium.make("mazegrad/KeyDoor-v0", observation=observation).unwrapped
    agent = make(env)
    picture = Picture("a", "b", (720, 1280))
    moments = list(itertools.islice(walk(env, lambda world, rng: agent, 0), 12))
    panels = [picture.draw(moment)[:, 800:] for moment in moments]
    mindless = picture.draw(replace(moments[-1], agent=None, action=None, history=()))[:, 800:]
    assert len({panel[:, :, 0].tobytes() for panel in panels}) > 6
    changed = (panels[-1] != mindless).any(axis=2)
    assert changed.sum() > 3000


def test_large_letters_are_at_least_18_points_on_a_slide(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a slide of 7.5 inches 18 points are 1/30 of the height; indices such as that of x_t are smaller."""
    sizes: list[int] = []
    real = lettering._opened
    monkeypatch.setattr(lettering, "_opened", lambda size: sizes.append(size) or real(size))
    env = gymnasium.make("mazegrad/KeyDoor-v0", observation="view").unwrapped
    agent = net("lstm")(env)
    moment = next(walk(env, lambda world, rng: agent, 0))
    lettering.text_mask.cache_clear()
    for picture in (Picture("a", "b", (720, 1280), WATCH_KEYS), SideBySide("a", ("b",), (720, 1280), WATCH_KEYS)):
        moments = moment if isinstance(picture, Picture) else [moment]
        picture.draw(moments)
        assert min(sizes) < 24
        lettering.text_mask.cache_clear()
        sizes.clear()
        shown = replace(picture, large=True).draw(moments)
        assert shown.shape == (720, 1280, 3) and len(sizes) > 1 and min(sizes) >= 24
        sizes.clear()


@pytest.mark.parametrize("size", [(360, 576), (720, 360), (200, 300)])
def test_letters_of_a_small_window_can_be_read(size: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    real = lettering._opened
    monkeypatch.setattr(lettering, "_opened", lambda size: sizes.append(size) or real(size))
    moment = next(walk(gymnasium.make("mazegrad/KeyDoor-v0").unwrapped, named_agent("random").make, 0))
    footer = f"6 steps a second   {WATCH_KEYS}"
    pictures = (Picture("a", "b", size, footer), SideBySide("a long title", ("b",), size, footer))
    for picture, moments in zip(pictures, (moment, [moment]), strict=True):
        lettering.text_mask.cache_clear()
        assert picture.draw(moments).shape == (*size, 3)
        assert min(sizes) >= (8 if size[0] > 300 else 5), "indices are smaller than letters"


def test_many_mazes_of_a_small_window_lie_side_by_side() -> None:
    env = gymnasium.make("mazegrad/Maze-v0").unwrapped
    moment = next(walk(env, named_agent("random").make, 0))
    frame = SideBySide("a", size=(360, 576)).draw([moment] * 64)
    wall = (frame == LIGHT.wall).all(axis=2)
    assert (~wall[30:].any(axis=0)).sum() >= 10 + 1 and (~wall[30:].any(axis=1)).sum() >= 6, "there are gaps"
    agents = (frame == LIGHT.agent).all(axis=2)
    assert agents.sum() == 64 * 7 * 7


def test_what_is_carried_is_shown() -> None:
    env = gymnasium.make("mazegrad/GridWorld-v0", maze="Sa*AG\n").unwrapped
    walker, moments = Walk(env, None, 0), []
    for _ in range(3):
        moments.append(walker.moment)
        walker.move(1)
    picture = Picture("a", "b", (720, 1280))
    shown = [(picture.draw(moment)[134:162, 880:] != LIGHT.paper).any() for moment in moments]
    assert shown == [False, True, True]


def test_text_is_written_after_somebody_has_quit_pygame() -> None:
    picture, walker = Picture("a", "b", (240, 320)), Walk(gymnasium.make("mazegrad/PathFollow-v0").unwrapped, None, 0)
    before = picture.draw(walker.moment)
    pygame.quit()
    assert (picture.draw(walker.moment) == before).all()
