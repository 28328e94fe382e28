"""The keywords of an environment, checked in one place for one agent and for many."""

import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np

from .core.compile import checked_rewards
from .core.world import World
from .engines.choice import ENGINES, MakeEngine
from .engines.engine import Setup
from .info import INFO
from .maps.arguments import fraction, is_whole, nearest
from .maps.formats import checked_format
from .maps.keywords import physics
from .maps.maze import Maze
from .observations import ENCODINGS, MAX_TILE, OBSERVATIONS, PLANAR
from .pictures.draw import frame_size
from .planning.checks import check_discount
from .planning.questions import question
from .planning.shaping import SHAPINGS

TimeLimit: TypeAlias = int | Literal["auto"] | None


@dataclass(frozen=True)
class Settings:
    """The keywords that single and vector environments share; see `MazeEnv`."""

    setup: Setup
    time_limit: TimeLimit
    info: tuple[str, ...]
    discount: float
    render_mode: str | None
    engine: MakeEngine
    """of the vector environment"""
    format: str | None
    """of texts and files"""
    map_warnings: bool
    dots_error: float
    """how likely each bit of "dots" is seen wrongly"""
    lateness: float
    """what a goal earns less at the step limit; in proportion before"""

    @classmethod
    def checked(
        cls,
        *,
        observation: str | Sequence[str],
        encoding: str | None,
        view_size: int,
        tile: int | None,
        size: int | tuple[int, int] | None,
        slip: float | None,
        rewards: Mapping[str, float],
        time_limit: TimeLimit,
        info: Sequence[str],
        discount: float,
        render_mode: str | None,
        check: Callable[[Maze], None],
        shaping: str | None,
        actions: Any,
        corners: str | None,
        noise: Any,
        wind: Any,
        render_modes: Sequence[str],
        format: str | None,
        map_warnings: bool,
        several: bool,
        given: Mapping[Maze, World],
        dots_error: float,
        engine: str = "numpy",
        lateness: float = 0.0,
    ) -> "Settings":
        """Return the settings.

        Args:
            several: whether episodes are in different mazes, which decides what "net" observes.
            keywords: those of `MazeEnv`.

        Raises:
            TypeError: `info` is not a sequence, `rewards` is not a mapping, a keyword of another kind.
            ValueError: an unknown name, a number out of its range.
        """
        if observation == "net":
            observation = "map" if several or encoding in PLANAR else "index"
            encoding = "float" if encoding is None else encoding
        names, kinds = _names("info", info, INFO), _names("observation", observation, OBSERVATIONS)
        if not kinds:
            raise ValueError(f"observation is empty; name at least one of {', '.join(OBSERVATIONS)}")
        wanted: list[tuple[str, Any, Collection[str]]] = [("observation", name, OBSERVATIONS) for name in kinds]
        wanted += [("encoding", encoding, ENCODINGS)] * (encoding is not None)
        wanted += [("info", name, INFO) for name in names]
        wanted += [("render mode", render_mode, render_modes)] * (render_mode is not None)
        wanted += [("shaping", shaping, SHAPINGS)] * (shaping is not None)
        wanted += [("engine", engine, ENGINES)]
        for what, name, known in wanted:
            if not isinstance(name, str) or name not in known:
                raise ValueError(f"unknown {what} {name!r}{nearest(name, known)}")
        make_engine = ENGINES[engine].make
        if make_engine is None:
            raise ValueError(
                f"engine={engine!r} makes another class: gymnasium.make_vec(id, num_envs=N, engine={engine!r})"
            )
        if time_limit not in ("auto", None) and not (is_whole(time_limit) and time_limit > 0):
            raise ValueError(f'time_limit is "auto", None or a positive number of steps, not {time_limit!r}')
        if format is not None:
            checked_format(format)
        if not isinstance(map_warnings, bool | np.bool_):
            raise TypeError(f"map_warnings must be True or False, not {map_warnings!r:.80}")
        if not (isinstance(lateness, int | float) and math.isfinite(lateness)):
            raise ValueError(f"lateness must be a finite number, not {lateness!r}")
        if lateness and time_limit is None:
            raise ValueError('lateness is a share of the step limit: give a time_limit, or "auto"')
        shown = frame_size(tile, size, MAX_TILE)
        discount = check_discount(discount)
        seen = observation if isinstance(observation, str) else kinds
        if slip is not None and noise is not None:
            raise ValueError("give slip or noise, not both: a slip p is the noise {'sideways': p}")
        moves = physics(actions=actions, corners=corners, noise=noise, wind=wind)
        if given and (rewards or slip is not None or moves):
            raise ValueError(
                "a World has its rewards, slips and moves in its tables: leave out rewards, slip, actions, corners, "
                "noise and wind"
            )
        slip = None if slip is None else fraction("slip", slip)
        dots_error = fraction("dots_error", dots_error)
        if dots_error and "dots" not in kinds:
            raise ValueError(f'dots_error makes "dots" noisy, but what is observed is {", ".join(kinds)}')
        setup = Setup(
            seen, encoding, view_size, checked_rewards(rewards), slip, check, shaping, discount, shown, given, moves
        )
        return cls(
            setup, time_limit, names, discount, render_mode, make_engine, format, bool(map_warnings),
            dots_error, float(lateness),
        )  # fmt: skip

    def less(self, steps: Any, limit: Any) -> Any:
        """Return what is taken from the reward of a move to a goal, for ints or for int arrays.

        Args:
            steps: since the episode began, this move included.
            limit: on them.
        """
        return self.lateness * (steps / limit)

    def limit(self, auto: Callable[[], Any]) -> Any:
        """Return the number of steps after which an episode is truncated, None for no limit.

        Args:
            auto: gives what "auto" means in the mazes concerned, an int or an int array.
        """
        if self.time_limit == "auto":
            return auto()
        return None if self.time_limit is None else int(self.time_limit)

    def question(self, world: World, asked: dict[Maze, None]) -> None:
        """Warn once of each maze that can hardly be meant, unless `map_warnings` is False.

        Args:
            world: the world of the mazes.
            asked: those that were seen before; these are added.
        """
        if self.map_warnings and not all(maze in asked for maze in world.mazes):
            asked.update(dict.fromkeys(world.mazes))
            question(world)


def _names(what: str, given: Any, known: Iterable[str]) -> tuple[Any, ...]:
    """Return the names that are given, one alone or several."""
    if not isinstance(given, Iterable):
        raise TypeError(f"{what} is a name or several, of {', '.join(known)}, not {given!r}")
    return (given,) if isinstance(given, str) else tuple(given)
