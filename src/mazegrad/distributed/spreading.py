"""Numbered pieces of work over Ray actors or tasks: each is done once, whoever dies."""

import json
import math
import warnings
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from ..envs.maps.arguments import whole
from ..progress import progress
from .cluster import cluster
from .journal import encoded

RESTARTS = 3
"""of an actor, for the sake of one piece"""


PATIENCE = 60
"""seconds without a process, after which there is a warning"""


class Store(Protocol):
    """Where results are kept while a run goes on; see `Journal`."""

    def finished(self) -> set[int]:
        """Return the numbers of the pieces that it holds."""

    def read(self, number: int) -> Any:
        """Return the result of a piece that it holds."""

    def write(self, number: int, result: Any) -> None:
        """Keep the result of a piece."""


def spread(
    function: Callable[[Any, Any], Any],
    shared: Any,
    pieces: Sequence[Any],
    *,
    actors: "int | Actors | None" = 2,
    address: str | None = None,
    options: dict[str, Any] | None = None,
    ahead: int | None = None,
    label: str | None = "pieces",
    store: Store | None = None,
    check: bool = True,
    in_order: bool = True,
) -> Iterator[Any]:
    """Yield `function(shared, piece)` for each piece, computed in other processes.

    A process that dies is replaced, and its piece is done again: if the function is pure, nothing else changes.

    Args:
        function: of a module that can be imported there, or one that can be pickled.
        shared: what all pieces need; sent once.
        pieces: what each is given.
        actors: the number of processes; or `Actors` that stay; None to leave it to Ray, as tasks.
        address, options: see `Actors`.
        ahead: how many pieces may be under way or waiting to be yielded; by default all.
        label: before the progress bar, which is shown on stderr if it is a terminal; None: no bar.
        store: keeps the results; pieces that it holds are not computed again.
        check: compute the first of them again, and compare: so the results of another agent are not mixed in.
        in_order: of the pieces; else each result as soon as it is there, those that the store holds at the end.

    Raises:
        MissingExtra: Ray is not installed.
        ValueError: a number of actors below 1; what the store holds is not what the function returns.
        RuntimeError: a piece has ended the process that computed it four times.
        Whatever the function raises.

    Example:
        >>> from mazegrad.distributed import spread
        >>> list(spread(lambda shared, piece: shared + piece, 10, [1, 2, 3]))
        [11, 12, 13]
    """
    count = len(pieces)
    held = set() if store is None else {number for number in store.finished() if number < count}
    compared = min(held, default=None) if check else None
    todo = deque(number for number in range(count) if number not in held or number == compared)
    window = max(count, 1) if ahead is None else whole("ahead", ahead, 1)
    ready: dict[int, Any] = {}
    asked, yielded = len(todo), 0

    def may_begin() -> bool:
        return asked - len(todo) - yielded < window

    with ExitStack() as stack:
        crew: Actors | _Tasks
        if isinstance(actors, Actors):
            crew = actors
        else:
            crew = _Tasks(address) if actors is None else Actors(actors, address=address, options=options)
            stack.enter_context(crew)
        stream = stack.enter_context(closing(_completed(crew, todo, may_begin, pieces, (function, shared))))
        shown: Iterator[tuple[int, Any]]
        shown = stream if label is None else progress(stream, asked, label)

        def take() -> tuple[int, Any]:
            done, result = next(shown)
            if done == compared and store is not None:
                _compare(store.read(done), result)
            elif store is not None:
                store.write(done, result)
            return done, result

        if not in_order:
            while yielded < asked:
                yielded += 1
                yield take()[1]
        for number in range(count):
            if number in held and number != compared:
                assert store is not None
                yield store.read(number)
            elif in_order:
                while number not in ready:
                    done, result = take()
                    ready[done] = result
                yielded += 1
                yield ready.pop(number)


def _compare(stored: Any, result: Any) -> None:
    if json.dumps(encoded(stored)) != json.dumps(encoded(result)):
        raise ValueError(
            "the results in this file are of another agent, or of other versions: computed again, the first of them "
            "differs; name another file"
        )


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


class _Tasks:
    """The same for tasks, which Ray places."""

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
        return []

    def started(self, reference: Any) -> None:
        raise AssertionError("tasks do not start")

    def is_free(self, left: int) -> bool:
        return True  # they queue up in Ray

    def submit(self, function: Any, shared: Any, piece: Any) -> tuple[Any, Any]:
        return self._run.remote(None, function, shared, piece), None

    def done(self, process: Any) -> None:
        pass

    def drop(self, process: Any, reference: Any) -> bool:
        with suppress(Exception):
            self.ray.cancel(reference, force=True)
        return True


def _completed(
    crew: Actors | _Tasks,
    todo: deque[int],
    may_begin: Callable[[], bool],
    pieces: Sequence[Any],
    task: tuple[Any, Any],
) -> Generator[tuple[int, Any], None, None]:
    """Yield the number and the result of each piece as it is done; `task` is the function, and what all pieces need."""
    ray, errors = crew.ray, crew.ray.exceptions
    died = (errors.RayActorError, errors.WorkerCrashedError, errors.ObjectLostError, errors.OutOfMemoryError)
    function, shared = map(ray.put, task)
    deaths: dict[int | None, int] = {}
    warned = False
    running: dict[Any, tuple[int, Any]] = {}  # reference -> piece, actor

    def count_death(number: int | None, error: Exception) -> None:
        deaths[number] = deaths.get(number, 0) + 1
        if deaths[number] > RESTARTS:
            what = "before its first piece" if number is None else f"at piece {number} of {len(pieces)}"
            why = str(error).splitlines()[0]
            raise RuntimeError(f"a process has died {deaths[number]} times {what}: {why}") from None

    try:
        while todo or running:
            while todo and may_begin() and crew.is_free(len(todo)):
                reference, actor = crew.submit(function, shared, pieces[todo[0]])
                running[reference] = todo.popleft(), actor
            awaited = [*running, *crew.starting()]
            if not awaited:
                raise RuntimeError("these actors are busy with another run: end that one first")
            there, _ = ray.wait(awaited, num_returns=1, timeout=None if running or warned else PATIENCE)
            if not there:
                warned = True
                warnings.warn(
                    f"no process has started in {PATIENCE} seconds: has the cluster what each needs, {crew.needs}?",
                    stacklevel=2,
                )
                continue
            reference = there[0]
            if reference not in running:
                try:
                    crew.started(reference)
                except errors.RayActorError as error:
                    count_death(None, error)
                continue
            number, actor = running[reference]
            try:
                result = ray.get(reference)
            except died as error:
                del running[reference]
                if crew.drop(actor, reference):  # else it only waited behind the piece that was under way
                    count_death(number, error)
                todo.appendleft(number)
                continue
            except Exception:  # of the function
                del running[reference]
                crew.done(actor)
                raise
            del running[reference]
            crew.done(actor)
            yield number, _own(result)
    finally:
        for reference, (_, actor) in running.items():
            crew.drop(actor, reference)


# ------------------------------------------------------------------------------------------------ how results travel
class _Place(NamedTuple):
    """Where an array lies in a buffer, in bytes, and what it is."""

    at: int
    dtype: str
    shape: tuple[int, ...]


class _Packed(NamedTuple):
    """A result whose large arrays lie in one buffer: one thing to send, and one to copy."""

    buffer: NDArray[np.uint8]
    tree: Any


_LARGE: Final = 2**16  # bytes, from which on an array is packed
_room: list[NDArray[np.uint8]] = [np.empty(0, np.uint8)]  # which a process keeps: fresh memory is slow


def packed(tree: Any) -> Any:
    """Return a result as it is sent: its large arrays in one buffer, which the next call fills again."""
    arrays: list[tuple[_Place, NDArray[Any]]] = []
    end = 0

    def placed(part: Any) -> Any:
        nonlocal end
        if not isinstance(part, np.ndarray) or part.nbytes < _LARGE or part.dtype.kind not in "biuf":
            return part
        arrays.append((_Place(end, part.dtype.str, part.shape), part))
        end += -(-part.nbytes // 64) * 64
        return arrays[-1][0]

    tree = _mapped(placed, tree)
    if not arrays:
        return tree
    if len(_room[0]) < end:
        _room[0] = np.empty(end, np.uint8)
    buffer = _room[0][:end]
    for place, part in arrays:
        _at(buffer, place)[...] = part
    return _Packed(buffer, tree)


def _own(tree: Any) -> Any:
    """Return a copy of what lies in Ray's memory, where arrays cannot be written to."""
    buffer = np.empty(0, np.uint8)
    if isinstance(tree, _Packed):
        buffer, tree = tree.buffer.copy(), tree.tree

    def own(part: Any) -> Any:
        if isinstance(part, _Place):
            return _at(buffer, part)
        return part.copy() if isinstance(part, np.ndarray) else part

    return _mapped(own, tree)


def _at(buffer: NDArray[np.uint8], place: _Place) -> NDArray[Any]:
    size = np.dtype(place.dtype).itemsize * math.prod(place.shape)
    return buffer[place.at : place.at + size].view(place.dtype).reshape(place.shape)


def _mapped(change: Callable[[Any], Any], tree: Any) -> Any:
    """Return a tree with what is not a list, a tuple or a dict changed."""
    if isinstance(tree, tuple) and hasattr(tree, "_fields") and not isinstance(tree, _Place):
        return type(tree)(*(_mapped(change, part) for part in tree))
    if isinstance(tree, list | tuple) and not isinstance(tree, _Place):
        return type(tree)(_mapped(change, part) for part in tree)
    if isinstance(tree, dict):
        return {name: _mapped(change, part) for name, part in tree.items()}
    return change(tree)
