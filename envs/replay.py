"""A Replay is a recorded run that can be run again: environment, seeds and actions, and a hash of every result.

A file has one line of JSON about the environment, then one line for each episode. Nothing in it is ever executed: the
id must be one of this library's environments, a maze is a text or a shipped name, and the rest are numbers and texts.
"""

import base64
import hashlib
import json
import operator
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from os import PathLike
from pathlib import Path
from typing import Any, Final

import gymnasium
import numpy as np
from gymnasium.wrappers import OrderEnforcing, PassiveEnvChecker, TimeLimit

from .core.world import World
from .engines.given import world_from_bytes, world_to_bytes
from .maps.arguments import is_whole, nearest
from .maps.files import write_file
from .maps.shipped import MAZES, find_maze
from .planning.mdp import TabularMDP

FORMAT: Final = "mazegrad replay 1"
NAMESPACE: Final = "mazegrad/"


@dataclass(frozen=True)
class Episode:
    """One episode of a replay."""

    seed: int | None
    """The argument of `reset`; None for the next episode of the same stream."""
    options: Mapping[str, Any]
    """The argument of `reset`, mazes as text."""
    maze: str
    """The digest of the maze, or of the tables of a process."""
    actions: Sequence[int]
    hashes: Sequence[str]
    """After `reset` and after each step: a hash of the result and of the hash before."""


@dataclass(frozen=True)
class Difference:
    """Where a run first differs from its replay."""

    episode: int
    """From 0."""
    step: int
    """From 1; 0 is the reset."""
    what: str

    def __str__(self) -> str:
        return f"episode {self.episode}, {f'step {self.step}' if self.step else 'reset'}: {self.what}"


@dataclass(frozen=True)
class Replay:
    """A recorded run: an environment and its episodes.

    Example:
        >>> import gymnasium
        >>> import mazegrad
        >>> from mazegrad.envs import LEFT, RIGHT, Maze, Replay
        >>> env = Replay.record(gymnasium.make("mazegrad/GridWorld-v0", maze=Maze.from_text("S.G")))
        >>> _ = env.reset(seed=0)
        >>> for action in (LEFT, RIGHT, RIGHT):
        ...     _ = env.step(action)
        >>> replay = env.replay
        >>> replay.episodes[0].actions
        (2, 1, 1)
        >>> print(replay.verify())  # None: it runs again, bit for bit
        None
    """

    id: str
    keywords: Mapping[str, Any]
    """The keywords that made the environment, mazes as text."""
    library: str
    """The version of this library that recorded it."""
    episodes: Sequence[Episode]

    @staticmethod
    def record(env: gymnasium.Env[Any, Any]) -> "Recorder":
        """Return the environment in a wrapper that records it from the next `reset` on; see `Recorder.replay`.

        Args:
            env: one of this library's ids, as `gymnasium.make` returns it; put other wrappers around the recorder.

        Raises:
            ValueError: another environment, one with other wrappers, or a keyword that JSON cannot express.
        """
        return Recorder(env)

    def verify(self) -> Difference | None:
        """Run all episodes again and return the first step that is not equal bit for bit, or None if all are.

        Raises:
            ValueError: the environment cannot be made, or an episode cannot be run.
        """
        try:
            env = gymnasium.make(_checked_id(self.id), **_from_json(self.keywords))
        except (TypeError, ValueError, gymnasium.error.Error) as error:
            raise ValueError(f"{self.id} cannot be made with the keywords of this replay: {error}") from error
        try:
            for number, episode in enumerate(self.episodes):
                difference = _rerun(env, number, episode)
                if difference:
                    return difference
        finally:
            env.close()
        return None

    def save(self, path: str | PathLike[str]) -> None:
        """Write JSON Lines: one line about the environment, then one for each episode."""
        head = {"format": FORMAT, "library": self.library, "id": self.id, "keywords": dict(self.keywords)}
        lines = [head, *(asdict(episode) for episode in self.episodes)]
        write_file(path, "".join(json.dumps(line, allow_nan=False) + "\n" for line in lines).encode())

    @classmethod
    def load(cls, path: str | PathLike[str]) -> "Replay":
        """Read what `save` wrote.

        Raises:
            ValueError: not a replay; the message names the line.
            OSError: the file cannot be opened.
        """
        lines = Path(path).read_bytes().removesuffix(b"\n").split(b"\n")
        episodes = []
        for number, line in enumerate(lines, 1):
            try:
                if number == 1:
                    head = _read_head(_parsed(line))
                else:
                    episodes.append(_read_episode(_parsed(line), first=number == 2))
            except ValueError as error:
                raise ValueError(f"{path}, line {number}: {error}") from error
        return cls(*head, episodes=tuple(episodes))


class Recorder(gymnasium.Wrapper[Any, Any, Any, Any]):
    """An environment that records its episodes; made by `Replay.record`."""

    def __init__(self, env: gymnasium.Env[Any, Any]) -> None:
        super().__init__(env)
        inner = env
        while isinstance(inner, gymnasium.Wrapper):
            if not isinstance(inner, OrderEnforcing | PassiveEnvChecker | TimeLimit):
                raise ValueError(
                    f"the recorder takes an environment as gymnasium.make returns it, without {type(inner).__name__}"
                )
            inner = inner.env
        if inner.spec is None:
            raise ValueError("the recorder takes an environment made by gymnasium.make")
        self._id = _checked_id(inner.spec.id)
        made_with = {name: value for name, value in inner.spec.kwargs.items() if name != "render_mode"}
        # the environment's own limit follows from its keywords
        if env.spec is not None and env.spec.max_episode_steps != inner.spec.max_episode_steps:
            made_with["max_episode_steps"] = env.spec.max_episode_steps
        self._format = made_with.pop("format", None)  # mazes are written as our own text
        self._keywords = _as_json(made_with, self._format)
        self._episodes: list[Episode] = []

    @property
    def replay(self) -> Replay:
        """The replay so far."""
        from importlib.metadata import version  # slow to import

        episodes = tuple(
            Episode(episode.seed, episode.options, episode.maze, tuple(episode.actions), tuple(episode.hashes))
            for episode in self._episodes
        )
        return Replay(self._id, self._keywords, version("mazegrad"), episodes)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin an episode; without a seed, the first episode gets one from fresh entropy."""
        if seed is None and not self._episodes:
            seed = secrets.randbits(63)
        written = _as_json(options or {}, self._format)
        observation, info = self.env.reset(seed=seed, options=options)
        seed = seed if seed is None else operator.index(seed)
        self._episodes.append(Episode(seed, written, _digest(self.env), [], [chained("", observation)]))
        return observation, info

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Step the environment and record the result."""
        result = self.env.step(action)
        if not self._episodes:
            raise gymnasium.error.ResetNeeded(
                "call the recorder's reset() first: it must record an episode from its beginning"
            )
        actions, hashes = self._episodes[-1].actions, self._episodes[-1].hashes
        assert isinstance(actions, list)
        assert isinstance(hashes, list)
        actions.append(operator.index(action))
        hashes.append(chained(hashes[-1], *result[:4]))
        return result


def chained(before: str, *values: Any) -> str:
    """Return a hash, 16 hexadecimal digits, of the hash before and of values.

    Arrays are hashed by dtype, shape and bytes, tuples, lists and dicts by their contents; numbers of Python and of
    numpy have equal hashes.

    Raises:
        TypeError: a value of another kind.
    """
    hasher = hashlib.blake2b(before.encode(), digest_size=8)
    stack: list[Any] = [values]
    while stack:
        value = stack.pop()
        if isinstance(value, dict):
            hasher.update(f"dict {sorted(map(str, value))};".encode())
            stack += [value[name] for name in sorted(value, key=str)]
        elif isinstance(value, tuple | list):
            hasher.update(f"tuple {len(value)};".encode())
            stack += reversed(value)
        elif isinstance(value, str):
            hasher.update(f"text {len(value)};{value}".encode())
        else:
            kind = {bool: np.bool_, int: np.int64, float: np.float64}.get(type(value))
            array = np.asarray(value, dtype=kind)
            if array.dtype.hasobject:
                raise TypeError(f"cannot hash a {type(value).__name__}")
            array = array.astype(array.dtype.newbyteorder("<"), copy=False)
            hasher.update(f"{array.dtype.str} {array.shape};".encode() + array.tobytes())
    return hasher.hexdigest()


def _rerun(env: gymnasium.Env[Any, Any], number: int, episode: Episode) -> Difference | None:
    try:
        observation, _ = env.reset(seed=episode.seed, options=dict(episode.options))
        if _digest(env) != episode.maze:
            return Difference(number, 0, f"the maze is {_digest(env)[:8]}..., not {episode.maze[:8]}...")
        found = chained("", observation)
        if found != episode.hashes[0]:
            return Difference(number, 0, f"the observation's hash is {found}, not {episode.hashes[0]}")
        for step, (action, recorded) in enumerate(zip(episode.actions, episode.hashes[1:], strict=True), 1):
            found = chained(found, *env.step(action)[:4])
            if found != recorded:
                return Difference(number, step, f"the hash of observation, reward and ends is {found}, not {recorded}")
    except (TypeError, ValueError, gymnasium.error.Error) as error:
        raise ValueError(f"episode {number} of this replay cannot be run: {error}") from error
    return None


def _digest(env: gymnasium.Env[Any, Any]) -> str:
    made: Any = env.unwrapped
    return str(made.maze.digest if hasattr(made, "maze") else made.digest)


def _as_json(values: Mapping[str, Any], format: str | None) -> dict[str, Any]:
    """Return keywords or options as JSON values, a maze as its text or shipped name.

    Args:
        values: by name.
        format: of mazes that are texts or files.

    Raises:
        ValueError: JSON cannot express one of them.
    """
    written = {}
    for name, value in values.items():
        if isinstance(value, World):
            value = {"world": base64.b64encode(world_to_bytes(value)).decode()}
        elif isinstance(value, TabularMDP):
            value = {"mdp": base64.b64encode(value.to_bytes()).decode()}
        elif name == "maze":
            value = _maze_text(value, format)
        elif name == "after":
            value = {str(step): _maze_text(maze, format) for step, maze in dict(value).items()}
        try:
            written[name] = json.loads(json.dumps(value, default=_plain, allow_nan=False))
        except (TypeError, ValueError) as error:
            raise ValueError(f"{name}={value!r} cannot be recorded: {error}") from None
    return written


def _from_json(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return keywords as they were: a dict of one encoded world or process stands for it.

    Raises:
        ValueError: it cannot be decoded.
    """
    read = {}
    for name, value in values.items():
        read[name] = value
        for kind, decode in (("world", world_from_bytes), ("mdp", TabularMDP.from_bytes)):
            if isinstance(value, dict) and value.keys() == {kind} and isinstance(value[kind], str):
                read[name] = decode(base64.b64decode(value[kind], validate=True))
    return read


def _maze_text(maze: Any, format: str | None) -> str:
    """Return a maze as its shipped name, or as our own text with a line break."""
    if isinstance(maze, str) and maze in MAZES:
        return maze
    text = find_maze(maze, format).to_text()
    return text if "\n" in text else text + "\n"


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"JSON cannot express a {type(value).__name__}")


def _checked_id(name: str) -> str:
    if not name.startswith(NAMESPACE) or ":" in name or name not in gymnasium.registry:
        known = [known for known in gymnasium.registry if known.startswith(NAMESPACE)]
        raise ValueError(f"{name!r} is not one of this library's environments{nearest(name, known)}")
    return name


def _parsed(line: bytes) -> Any:
    try:
        return json.loads(line.decode(), parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise ValueError("this is not JSON: the file was cut short, or is not a recorded run") from None


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not JSON")


def _is_maze(value: Any) -> bool:
    if isinstance(value, dict):
        return value.keys() == {"world"}
    return isinstance(value, str) and ("\n" in value or value in MAZES)


def _read_head(line: Any) -> tuple[str, dict[str, Any], str]:
    """Return id, keywords and version from the first line."""
    names = ("format", "library", "id", "keywords")
    if not isinstance(line, dict) or line.get("format") != FORMAT:
        raise ValueError(f'this is not a replay, which begins with {{"format": "{FORMAT}", ...}}')
    _check(line, names, id=str, library=str, keywords=dict)
    keywords = line["keywords"]
    if {"render_mode", "num_envs"} & keywords.keys() or not _is_maze(keywords.get("maze", "sheet38")):
        raise ValueError(
            "keywords must not have render_mode or num_envs, and must give a maze as its text or shipped name"
        )
    return _checked_id(line["id"]), keywords, line["library"]


def _read_episode(line: Any, first: bool) -> Episode:
    _check(line, _EPISODE, options=dict, maze=str, actions=list, hashes=list)
    seed, options = line["seed"], line["options"]
    if not (_is_natural(seed) or (seed is None and not first)):
        raise ValueError(f"seed must be an integer >= 0{'' if first else ' or null'}, not {seed!r:.80}")
    if not _is_maze(options.get("maze", "sheet38")):
        raise ValueError("options must give a maze as its text or shipped name")
    if not all(_is_natural(action) for action in line["actions"]):
        raise ValueError("actions must be integers >= 0")
    if len(line["hashes"]) != len(line["actions"]) + 1 or not all(isinstance(seen, str) for seen in line["hashes"]):
        raise ValueError("hashes must be texts, one for the reset and one for each action")
    return Episode(seed, options, line["maze"], tuple(line["actions"]), tuple(line["hashes"]))


def _is_natural(value: Any) -> bool:
    return is_whole(value) and value >= 0


def _check(line: Any, names: Sequence[str], **kinds: type) -> None:
    if not isinstance(line, dict) or sorted(line) != sorted(names):
        raise ValueError(f"a line must be an object with exactly {', '.join(names)}")
    for name, kind in kinds.items():
        if not isinstance(line[name], kind):
            raise ValueError(f"{name} must be {_JSON_NAMES[kind]}, not {line[name]!r:.40}")


_EPISODE: Final = tuple(field.name for field in fields(Episode))
_JSON_NAMES: Final[Mapping[type, str]] = {str: "text", dict: "an object", list: "a list"}
