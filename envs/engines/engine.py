"""The seam: an Engine moves lanes through mazes; it knows nothing of time, limits, seeds or info."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol, TypeAlias, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from ..core.inventory import inventory_size
from ..core.places import Places
from ..core.scene import Scene, scene_of
from ..core.world import World
from ..maps.keywords import dressed_all, dressed_levels
from ..maps.levels import Levels
from ..maps.maze import Maze
from ..maps.moves import FOUR, Moves, moves_of
from ..maps.plain import IS_PLAIN
from ..maps.randomness import Streams
from ..observations import OBSERVATIONS, Sight, Sizes, kinds_of, margin_of
from ..pictures.draw import FrameSize, tile_of
from ..planning.shaping import shaped

Lanes: TypeAlias = NDArray[np.int64]
"""numbers of lanes, each once"""
EVERY: slice = slice(None)

_COMPILED_TILES = 2**19  # at once, so that intermediate arrays stay small


def accept(maze: Maze) -> None:
    """Accept any maze."""


def _one_plain_of_each_size(mazes: Iterable[Maze]) -> list[Maze]:
    """Return mazes without plain ones of the size of another plain one: many are looked at at once."""
    kept: list[Maze] = []
    by_size: dict[tuple[int, ...], list[Maze]] = {}
    for maze in mazes:
        (kept if maze.metadata else by_size.setdefault(maze.tiles.shape, [])).append(maze)
    for same in by_size.values():
        plain = IS_PLAIN[np.stack([maze.tiles for maze in same])].all(axis=(1, 2))
        kept += [same[number] for number in (*np.flatnonzero(~plain), *np.flatnonzero(plain)[:1])]
    return kept


@dataclass(frozen=True)
class Setup:
    """How mazes become tables and places become observations: the same for every engine.

    Args:
        observation: a name of `OBSERVATIONS`, or several.
        encoding: None or a name of `ENCODINGS`.
        view_size: the side of "view".
        rewards: over those of a maze's metadata; see `World.compile`.
        slip: over that of a maze's metadata; None leaves it.
        physics: metadata over that of mazes: what keywords say of how agents move; see `dressed`.
        check: called with each maze before it is used; raises MazeError to refuse it.
        shaping: a name of `SHAPINGS`, or None.
        discount: that of the shaping.
        tile: the side of a tile in pictures, in px, or how large they are; None: as `draw` has it.
        given: worlds whose tables are taken as they are, by maze; see `given_worlds`.
    """

    observation: str | tuple[str, ...] = "dots"
    encoding: str | None = None
    view_size: int = 7
    rewards: Mapping[str, float] = field(default_factory=dict)
    slip: float | None = None
    check: Callable[[Maze], None] = accept
    shaping: str | None = None
    discount: float = 0.99
    tile: int | FrameSize | None = None
    given: Mapping[Maze, World] = field(default_factory=dict)
    physics: Mapping[str, str] = field(default_factory=dict)

    def dressed(self, mazes: Sequence[Maze]) -> list[Maze]:
        """Return mazes as they are used: with what keywords say of how agents move."""
        return dressed_all(mazes, self.physics, self.slip) if self.physics or self.slip is not None else [*mazes]

    def dressed_levels(self, levels: Levels | None) -> Levels | None:
        """Return levels whose mazes are dressed."""
        return None if levels is None else dressed_levels(levels, self.physics, self.slip)

    def checked(self, mazes: Iterable[Maze], declared: Sight) -> None:
        """Check that mazes are usable.

        Raises:
            MazeError: `check` refuses one.
            ValueError: its actions are others, its observations are not in the declared space, or it does not fit into
                the pictures.
        """
        alike = (
            self.check is accept and "state" not in kinds_of(self.observation).values()
        )  # mazes of one size and inventory
        if alike:
            mazes = _one_plain_of_each_size(mazes)
        kinds = {(maze.tiles.shape, alike or maze.digest, inventory_size(maze), moves_of(maze)): maze for maze in mazes}
        for maze in kinds.values():
            self.check(maze)
            tile_of(maze.tiles.shape, self.tile)
            sight = self.sight([maze])
            if sight.moves != declared.moves:
                one, other = str(sight.moves), str(declared.moves)
                raise ValueError(f"this maze's actions, {one}, are not those of the environment, {other}")
            if not declared.holds(sight):
                raise ValueError(f"this maze's observations, {sight.space}, are not the declared {declared.space}")

    def compile(self, mazes: Sequence[Maze]) -> World:
        """Return the world of these mazes, in their order."""
        if any(maze in self.given for maze in mazes):
            world = World.stack([self.given.get(maze) or self._compiled([maze]) for maze in mazes])
        else:
            world = self._compiled(mazes)
        return world if self.shaping is None else shaped(world, self.discount, self.shaping)

    def _compiled(self, mazes: Sequence[Maze]) -> World:
        size = max(1, _COMPILED_TILES // mazes[0].tiles.size)
        parts = [mazes[first : first + size] for first in range(0, len(mazes), size)]
        worlds = [World.compile(part, rewards=self.rewards, slip=self.slip) for part in parts]
        return worlds[0] if len(worlds) == 1 else World.stack(worlds)

    def sight(self, mazes: Sequence[Maze]) -> Sight:
        """Return what is observed in these mazes."""
        kinds, sizes = kinds_of(self.observation), Sizes(self.view_size, self.tile)
        spaces = {name: OBSERVATIONS[kind].space(mazes, sizes) for name, kind in kinds.items()}
        return Sight(self.observation, self.encoding, spaces, moves_of(mazes[0]))

    def declared(self, mazes: Sequence[Maze], levels: Levels | None) -> Sight:
        """Return what an environment declares to be observed: in its first maze, and by "state" in all of them.

        Args:
            mazes: one for all lanes, or one for each; with levels, one of these.
            levels: which may be drawn.
        """
        sight = self.sight(mazes[:1])
        if "state" not in kinds_of(self.observation).values():
            return sight
        return self.sight([*mazes, *(() if levels is None else levels.widest(mazes[0]))])

    def scene(self, count: int, height: int, width: int, moves: Moves = FOUR) -> Scene:
        """Return an empty scene whose margin fits the view."""
        return Scene(
            count, height, width, margin=margin_of(self.view_size), tile=self.tile, moves=moves, slip=self.slip,
            slips=self._given_slips,
        )  # fmt: skip

    def scene_of(self, mazes: Sequence[Maze]) -> Scene:
        """Return a scene of these mazes, numbered in their order."""
        return scene_of(mazes, margin_of(self.view_size), self.tile, self.slip, self._given_slips)

    def slip_in(self, maze: Maze) -> float | None:
        """Return the slip that a maze has over its metadata, or None."""
        return self._given_slips.get(maze, self.slip)

    @cached_property
    def _given_slips(self) -> dict[Maze, float | None]:
        return {maze: world.slips[0] for maze, world in self.given.items()}


class Engine(Protocol):
    """Any number of lanes, each an agent in a maze of `scene`.

    The order of calls: `draw` or `enter` puts lanes into mazes, `start` on a start, and then `move` moves all lanes at
    once. The observation, rewards and ends of a move are asked for afterwards.

    Example:
        >>> import numpy as np
        >>> from mazegrad.envs import LEFT, RIGHT, Maze, MazeVectorEnv
        >>> envs = MazeVectorEnv(Maze.from_text("SG"), num_envs=2)
        >>> _ = envs.reset(seed=0)
        >>> engine = envs.engine
        >>> engine.move(np.array([RIGHT, LEFT]), None)  # the lanes to ask about: lane 0 is at the goal
        array([0])
        >>> engine.outcome(np.array([0]))
        (array([1.]), array([ True]))
        >>> engine.places().cell
        array([1, 0])
    """

    scene: Scene
    """the mazes, by number"""
    usual_reward: float
    """the reward of the moves that `move` does not return"""
    slips: bool
    """whether `move` needs random numbers"""

    def draw(self, lanes: Lanes, streams: Streams) -> None:
        """Put lanes into the levels that their streams draw, at counter MAZE; nothing where no levels are drawn."""

    def accepts(self, mazes: Sequence[Maze]) -> bool:
        """Return whether `enter` takes these mazes."""

    def enter(self, lanes: Lanes, mazes: Sequence[Maze]) -> None:
        """Put lanes into given mazes, one for each; the time it takes does not depend on the other lanes."""

    def start(self, lanes: Lanes, streams: Streams, *, at_once: bool) -> None:
        """Put lanes on a start of their mazes, of several the one that their stream draws, at counter START.

        `at_once=False`: the next move, whatever the action, leads there; its reward is 0 and it ends nothing.
        """

    def put(self, lanes: Lanes, places: Places) -> None:
        """Put lanes on places of the mazes they are in."""

    def copy(self, source: Lanes, target: Lanes) -> None:
        """Put target lanes into the mazes and on the places of source lanes."""

    def move(self, actions: Lanes, random: NDArray[np.uint64] | None) -> Lanes | None:
        """Move all lanes.

        Args:
            actions: (lanes,) int64, each 0 to A - 1.
            random: (lanes,) 53 random bits each; None where nothing slips.

        Returns:
            The lanes whose `outcome` may differ from (usual_reward, no end); None for none.
        """

    def outcome(self, lanes: Lanes) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Return the rewards of the last move of these lanes, and whether it ended their episodes."""

    def observe(self, lanes: Lanes | slice = EVERY) -> Any:
        """Return what lanes observe: a fresh array, or a dict of them where several kinds are observed."""

    def places(self, lanes: Lanes | slice = EVERY) -> Places:
        """Return where lanes are, fresh arrays."""

    def alike(self, places: Places) -> tuple[World, NDArray[np.int64]] | None:
        """Return a small world, and for each place a state of it with the same four neighbours and the same moves.

        None where an engine has none; what depends on these alone is then computed from `worlds`.
        """

    def worlds(self, numbers: NDArray[np.int64]) -> World:
        """Return the world of the mazes of these numbers, in this order, compiled at most once."""


@runtime_checkable
class TakesBack(Engine, Protocol):
    """An engine whose lanes can be put back where they were before a move: for agents that are in each other's way."""

    def here(self) -> Any:
        """Return where all lanes are, in the engine's own terms."""

    def take_back(self, lanes: Lanes, here: Any) -> None:
        """Put lanes back where they were; since then there was a move, and nothing else. Ask for its outcome first."""
