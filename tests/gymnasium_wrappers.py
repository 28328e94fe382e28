"""Gymnasium's own wrappers over our environments: which work, with what they need, and why the others cannot.

python tests/gymnasium_wrappers.py      # writes the table of docs/integrations.md
"""

import importlib
import os
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

import mazegrad  # noqa: F401  (registers the environments)

PAGE = Path(__file__).parent.parent / "docs" / "integrations.md"
BEGIN, END = "<!-- wrappers -->\n", "<!-- end of wrappers -->\n"
IDS = ("mazegrad/FourRooms-v0", "mazegrad/Maze-v0", "mazegrad/TMaze-v0")

# what a wrapper is given; the keywords of the environment that it needs
PIXELS, FLOATS = {"observation": "pixels", "tile": 8}, {"encoding": "float"}
FRAMES = {"render_mode": "rgb_array", "tile": 8}
SEVERAL = {"observation": ("dots", "index")}
FOUR = spaces.Discrete(4)
CASES: dict[str, tuple[dict[str, Any], Callable[[], dict[str, Any]]]] = {
    "AddRenderObservation": (FRAMES, dict),
    "AddWhiteNoise": (PIXELS, lambda: {"probability_of_noise_per_pixel": 0.1}),
    "ArrayConversion": ({}, lambda: {"env_xp": np, "target_xp": importlib.import_module("torch")}),
    "ClipReward": ({}, lambda: {"min_reward": -1, "max_reward": 1}),
    "DelayObservation": ({}, lambda: {"delay": 2}),
    "DiscretizeObservation": (FLOATS, lambda: {"bins": 2}),
    "DtypeObservation": ({}, lambda: {"dtype": np.float32}),
    "FilterObservation": (SEVERAL, lambda: {"filter_keys": ["dots"]}),
    "FrameStackObservation": ({}, lambda: {"stack_size": 3}),
    "GrayscaleObservation": (PIXELS, dict),
    "HumanRendering": (FRAMES, dict),
    "MaxAndSkipObservation": ({}, lambda: {"skip": 2}),
    "NormalizeObservation": (FLOATS, dict),
    "ObstructView": (PIXELS, lambda: {"obstructed_pixels_ratio": 0.1, "obstruction_width": 3}),
    "RecordVideo": (FRAMES, lambda: {"video_folder": tempfile.mkdtemp(), "episode_trigger": lambda episode: True}),
    "RenderCollection": (FRAMES, dict),
    "RepeatAction": ({}, lambda: {"num_repeats": 2}),
    "RescaleObservation": (FLOATS, lambda: {"min_obs": np.float32(-1), "max_obs": np.float32(1)}),
    "ReshapeObservation": (FLOATS, lambda: {"shape": (2, 2)}),
    "ResizeObservation": (PIXELS, lambda: {"shape": (32, 32)}),
    "StickyAction": ({}, lambda: {"repeat_action_probability": 0.3}),
    "TimeLimit": ({}, lambda: {"max_episode_steps": 9}),
    "TransformAction": ({}, lambda: {"func": lambda action: action, "action_space": FOUR}),
    "TransformObservation": ({}, lambda: {"func": lambda seen: seen, "observation_space": spaces.MultiBinary(4)}),
    "TransformReward": ({}, lambda: {"func": lambda reward: 2 * reward}),
    "VectorizeTransformAction": (
        {},
        lambda: {
            "wrapper": gymnasium.wrappers.TransformAction, "func": lambda action: action, "action_space": FOUR,
        },
    ),
    "VectorizeTransformObservation": ({}, lambda: {"wrapper": gymnasium.wrappers.FlattenObservation}),
    "VectorizeTransformReward": (
        {},
        lambda: {"wrapper": gymnasium.wrappers.TransformReward, "func": lambda reward: 2 * reward},
    ),
}  # fmt: skip
TENSORS = ("ArrayConversion", "NumpyToTorch")  # what they return is in no space of arrays
# why a wrapper has nothing to do with these environments
CANNOT = {
    "AtariPreprocessing": "for Atari's emulator",
    "ClipAction": "for continuous actions (Box); ours are Discrete",
    "DiscretizeAction": "for continuous actions (Box); ours are Discrete",
    "RescaleAction": "for continuous actions (Box); ours are Discrete",
    "JaxToNumpy": "for environments that compute in JAX",
    "JaxToTorch": "for environments that compute in JAX",
}


def wrappers(vector: bool) -> list[str]:
    """Return the names of Gymnasium's wrappers."""
    module = gymnasium.wrappers.vector if vector else gymnasium.wrappers
    return sorted(name for name in module.__all__ if name != "vector")


def walk(name: str, wrapper: str, vector: bool) -> None:
    """Wrap an environment, and walk 40 steps in it; raises what goes wrong."""
    keywords, arguments = CASES.get(wrapper, ({}, dict))
    keywords = {"time_limit": 15, **keywords}
    module: Any = gymnasium.wrappers.vector if vector else gymnasium.wrappers
    env = gymnasium.make_vec(name, num_envs=2, **keywords) if vector else gymnasium.make(name, **keywords)
    extra = arguments()
    if vector and wrapper in ("TransformObservation", "TransformAction"):  # they take those of all lanes
        extra = {"func": extra["func"]}
    env = getattr(module, wrapper)(env, **extra)
    env.action_space.seed(0)
    seen, _ = env.reset(seed=0)
    for _ in range(40):
        seen, _, terminated, truncated, _ = env.step(env.action_space.sample())
        if not vector and (terminated or truncated):
            seen, _ = env.reset()
        if wrapper not in TENSORS:
            assert env.observation_space.contains(seen), f"{seen!r:.60} is not in {env.observation_space!r:.60}"
    env.close()


def result(wrapper: str, vector: bool) -> str:
    """Return "works", or why not."""
    if wrapper in CANNOT:
        return CANNOT[wrapper]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in IDS:
            try:
                walk(name, wrapper, vector)
            except Exception as error:  # whatever it is, it is what the table says
                return f"{type(error).__name__}: {error}".replace("\n", " ").replace("|", "/")[:140]
    return "works"


def needs(wrapper: str) -> str:
    """Return the keywords of the environment that a wrapper is tried with."""
    keywords = CASES.get(wrapper, ({}, dict))[0]
    return ", ".join(f"{name}={value!r}" for name, value in keywords.items())


def rows() -> Iterator[tuple[str, str, str, str]]:
    """Yield wrapper, single, vector, and the keywords."""
    single, vector = set(wrappers(False)), set(wrappers(True))
    for wrapper in sorted(single | vector):
        found = [result(wrapper, kind) if wrapper in names else "" for kind, names in ((False, single), (True, vector))]
        yield wrapper, *found, needs(wrapper)


def table() -> str:
    """Return the table as Markdown."""
    lines = ["| wrapper | single | vector | with |", "| --- | --- | --- | --- |"]
    for wrapper, single, vector, keywords in rows():
        cells = (f"`{wrapper}`", single, vector, f"`{keywords}`" if keywords else "")
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def main() -> None:
    os.environ.setdefault("SDL_VIDEODRIVER", "dummy")  # for windows, where there is no display
    text = PAGE.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    made = table()
    PAGE.write_text(before + BEGIN + made + END + after, encoding="utf-8")
    print(made, file=sys.stdout)


if __name__ == "__main__":
    main()
