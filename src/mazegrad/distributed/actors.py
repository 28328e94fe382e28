"""The processes that do pieces of work: Ray actors that stay, or tasks that Ray places."""

import math
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from typing import Any, Final, Self

from ..envs.maps.arguments import whole
from .cluster import cluster
from .sending import packed


class _Worker:
    """The process of an actor."""

    def ready(self) -> None:
        """Return as soon as the process is there."""

    def run(self, function: Callable[[Any, Any], Any], shared: Any, piece: Any) -> Any:
        """Do a piece."""
        return packed(function(shared, piece))


@dataclass(eq=False)
class _Process:
    """An actor that has started."""

    handle: Any
    pieces: int = 0
    """that it has, one under way and one that waits"""
    is_gone: bool = False


class Actors:
    """Processes that stay for several runs, so that these need not wait for new ones: `with Actors(4) as actors: ...`.

    Args:
        count: how many, 1 or more.
        address: of a cluster; see `cluster`. Without it a local cluster has a CPU for each actor.
        options: of an actor, as `ray.remote` takes them, such as `{"num_gpus": 1}`; by default one CPU each.

    Raises:
        MissingExtra: Ray is not installed; on entering.
        ValueError: a count below 1.

    Example:
        >>> from mazegrad.distributed import Actors, spread
        >>> with Actors(2) as actors:  # both runs use the same two processes
        ...     first = list(spread(pow, 2, [1, 2, 3], actors=actors))
        ...     second = list(spread(pow, 3, [1, 2, 3], actors=actors))
        >>> first, second
        ([2, 4, 8], [3, 9, 27])
    """

    def __init__(self, count: int = 2, *, address: str | None = None, options: dict[str, Any] | None = None) -> None:
        self.count, self.address = whole("actors", count, 1), address
        self.needs = {"num_cpus": 1, **(options or {})}
        self.ray: Any = None
        self._stack = ExitStack()
        self._there: list[_Process] = []
        self._starting: dict[Any, Any] = {}  # reference -> actor

    def __enter__(self) -> Self:
        gpus = math.ceil(self.needs.get("num_gpus", 0) * self.count)
        self.ray = self._stack.enter_context(cluster(self.address, cpus=self.count, gpus=gpus))
        for _ in range(self.count):
            self._hire()
        return self

    def __exit__(self, *exception: object) -> None:
        for actor in (*(process.handle for process in self._there), *self._starting.values()):
            self._kill(actor)
        self._there, self._starting = [], {}
        self._stack.close()

    def _hire(self) -> None:
        actor = self.ray.remote(_Worker).options(max_restarts=0, **self.needs).remote()
        self._starting[actor.ready.remote()] = actor

    def _kill(self, actor: Any) -> None:
        with suppress(Exception):  # it may be dead already
            self.ray.kill(actor)

    # what `spread` calls

    def starting(self) -> list[Any]:
        """Return references that are there when an actor is."""
        return list(self._starting)

    def started(self, reference: Any) -> None:
        """Note that an actor is there, or failed, in which case another one is started."""
        actor = self._starting.pop(reference)
        try:
            self.ray.get(reference)
        except self.ray.exceptions.RayActorError:
            self._hire()
            raise
        self._there.append(_Process(actor))

    def is_free(self, left: int) -> bool:
        """Return whether an actor takes a piece of those that are left: its first, or a second that waits behind it."""
        least = min((process.pieces for process in self._there), default=2)
        return least == 0 or (least == 1 and left > self.count)

    def submit(self, function: Any, shared: Any, piece: Any) -> tuple[Any, Any]:
        """Return the reference of a result, and who makes it."""
        process = min(self._there, key=lambda process: process.pieces)
        process.pieces += 1
        return process.handle.run.remote(function, shared, piece), process

    def done(self, process: Any) -> None:
        """Note that an actor has done a piece."""
        process.pieces -= 1

    def drop(self, process: Any, reference: Any) -> bool:
        """Replace an actor that died, or whose work is no longer wanted; return False if it was replaced already."""
        if process.is_gone:
            return False
        process.is_gone = True
        self._there.remove(process)
        self._kill(process.handle)
        self._hire()
        return True


class Tasks:
    """What `Actors` are to `spread`, as tasks that Ray places."""

    needs: Final = {"num_cpus": 1}

    def __init__(self, address: str | None) -> None:
        self._stack, self._address = ExitStack(), address

    def __enter__(self) -> Self:
        self.ray = self._stack.enter_context(cluster(self._address))
        self._run = self.ray.remote(_Worker.run).options(max_retries=0, **self.needs)
        return self

    def __exit__(self, *exception: object) -> None:
        self._stack.close()

    def starting(self) -> list[Any]:
        """Return nothing: tasks need not start first."""
        return []

    def started(self, reference: Any) -> None:
        """Raise an error: tasks do not start."""
        raise AssertionError("tasks do not start")

    def is_free(self, left: int) -> bool:
        """Return True."""
        return True  # they queue up in Ray

    def submit(self, function: Any, shared: Any, piece: Any) -> tuple[Any, Any]:
        """Return the reference of a result."""
        return self._run.remote(None, function, shared, piece), None

    def done(self, process: Any) -> None:
        """Do nothing."""

    def drop(self, process: Any, reference: Any) -> bool:
        """End a task."""
        with suppress(Exception):
            self.ray.cancel(reference, force=True)
        return True
