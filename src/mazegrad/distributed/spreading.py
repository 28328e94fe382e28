"""Numbered pieces of work over Ray actors or tasks: each is done once, whoever dies."""

import json
import warnings
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack, closing
from typing import Any, Protocol

from ..envs.maps.arguments import whole
from ..progress import progress
from .actors import Actors, Tasks
from .journal import encoded
from .sending import own

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
    actors: int | Actors | None = 2,
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
        crew: Actors | Tasks
        if isinstance(actors, Actors):
            crew = actors
        else:
            crew = Tasks(address) if actors is None else Actors(actors, address=address, options=options)
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


def _completed(
    crew: Actors | Tasks,
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
            yield number, own(result)
    finally:
        for reference, (_, actor) in running.items():
            crew.drop(actor, reference)
