"""Episodes and their hashes, as `frozen_episodes.json` keeps them: the same seeds give the same episodes for ever.

python tests/frozen_episodes.py                  print the entries whose hash has changed
python tests/frozen_episodes.py --write pixels   freeze those anew that look at pictures: the drawing has changed
python tests/frozen_episodes.py --write all      freeze all anew: seeds mean other episodes from here on
"""

import argparse
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
from gymnasium.vector import AutoresetMode

import mazegrad  # noqa: F401

FILE = Path(__file__).with_suffix(".json")
MASK = 2**64 - 1


def read() -> dict[str, Any]:
    """Return the file: `drawings`, name -> rows, and `episodes`, a list of entries.

    An entry has the `id` of an environment, the `keywords` that make it, the `seed` of its first reset, `steps` (the
    largest number of steps), and the `hash`. For one agent, `episode` is the number of the episode that is hashed; the
    seeded reset begins number 0. For many agents there are `lanes` and `autoreset_mode`, and all that is returned is
    hashed. `options`, where given, are those of a reset, by the number of the episode that it begins. `pixels` marks
    the entries that look at pictures. A `maze` that names a drawing means that drawing.
    """
    return json.loads(FILE.read_text(encoding="utf-8"))


def write(content: dict[str, Any]) -> None:
    """Write the file, a line for each drawing and each entry."""
    drawings = [f"    {json.dumps(name)}: {json.dumps(rows)}" for name, rows in content["drawings"].items()]
    episodes = [f"    {json.dumps(entry)}" for entry in content["episodes"]]
    parts = ('{\n  "drawings": {', ",\n".join(drawings), '  },\n  "episodes": [', ",\n".join(episodes), "  ]\n}\n")
    FILE.write_text("\n".join(parts), encoding="utf-8", newline="\n")


def frozen_hash(entry: dict[str, Any], drawings: dict[str, list[str]]) -> str:
    """Return the hash of what an entry's environment returns."""
    many = "lanes" in entry
    keywords = _meant(entry["keywords"], drawings)
    options = {int(number): _meant(given, drawings) for number, given in entry.get("options", {}).items()}
    if many:
        mode = AutoresetMode[entry["autoreset_mode"]]
        env = gymnasium.make_vec(entry["id"], num_envs=entry["lanes"], autoreset_mode=mode, **keywords)
        returned = _lanes(env, mode, entry["seed"], entry["steps"], options.get(0))
    else:
        env = gymnasium.make(entry["id"], disable_env_checker=True, **keywords)
        returned = _episode(env, entry["seed"], entry["episode"], entry["steps"], options)
    digest = hashlib.sha256()
    for values in returned:
        for part in _bytes(values):
            digest.update(part)
    env.close()
    return digest.hexdigest()


def _episode(env: Any, seed: int, episode: int, steps: int, options: dict[int, Any]) -> Iterator[Any]:
    """Play the episodes from 0 on, and yield what the last one returns."""
    for number in range(episode + 1):
        told = env.reset(seed=None if number else seed, options=options.get(number))
        if number == episode:
            yield told
        for step in range(steps):
            told = env.step(action(seed, number, 0, step))
            if number == episode:
                yield told
            if told[2] or told[3]:
                break


def _lanes(env: Any, mode: AutoresetMode, seed: int, steps: int, options: dict[str, Any] | None) -> Iterator[Any]:
    """Yield all that the lanes return; with autoreset disabled those whose episode is over are reset by their mask."""
    yield env.reset(seed=seed, options=options)
    for step in range(steps):
        told = env.step(np.array([action(seed, 0, lane, step) for lane in range(env.num_envs)]))
        yield told
        over = told[2] | told[3]
        if mode is AutoresetMode.DISABLED and over.any():
            yield env.reset(options={"reset_mask": over})


def action(*numbers: int) -> int:
    """Return 0, 1, 2 or 3, a hash of the numbers: splitmix64, written out so that nothing else decides it."""
    mixed = 0
    for number in numbers:
        mixed = (mixed + number + 0x9E3779B97F4A7C15) & MASK
        mixed = (mixed ^ mixed >> 30) * 0xBF58476D1CE4E5B9 & MASK
        mixed = (mixed ^ mixed >> 27) * 0x94D049BB133111EB & MASK
        mixed ^= mixed >> 31
    return mixed >> 62


def _meant(given: dict[str, Any], drawings: dict[str, list[str]]) -> dict[str, Any]:
    """Return keywords or options as an environment takes them: tuples for JSON's lists, texts for drawings' names."""

    def drawn(maze: Any) -> Any:
        return "\n".join(drawings[maze]) + "\n" if maze in drawings else maze

    def tuples(value: Any) -> Any:
        return tuple(map(tuples, value)) if isinstance(value, list) else value

    meant = {name: tuples(value) for name, value in given.items()}
    if "maze" in meant:
        meant["maze"] = drawn(meant["maze"]) if isinstance(meant["maze"], str) else [*map(drawn, meant["maze"])]
    return meant


def _bytes(value: Any, name: str = "") -> Iterator[bytes]:
    """Yield kind, shape and content of what an environment returns, the same for Python's numbers and numpy's."""
    if isinstance(value, dict):
        yield b"{"
        for key in sorted(value):
            yield f"{key}:".encode()
            yield from _bytes(value[key], key)
        yield b"}"
    elif isinstance(value, list | tuple):
        yield b"["
        for one in value:
            yield from _bytes(one, name)
        yield b"]"
    elif value is None:
        yield b"None"
    else:
        array = np.asarray(value)
        if array.dtype == object:
            yield from _bytes(list(array), name)
            return
        if array.dtype.kind == "f":
            array = array.round(6) + 0.0 if name == "value" else array + 0.0  # -0.0 is 0.0
        yield f"{array.dtype.name}{array.shape}".encode()
        yield array.astype(array.dtype.newbyteorder("<"), order="C").tobytes()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", choices=("pixels", "all"))
    which = parser.parse_args().write
    content = read()
    for entry in content["episodes"]:
        now = frozen_hash(entry, content["drawings"])
        if now != entry.get("hash"):
            print(json.dumps({**entry, "hash": now}))
            if which == "all" or (which == "pixels" and entry.get("pixels")):
                entry["hash"] = now
    if which:
        write(content)


if __name__ == "__main__":
    main()
