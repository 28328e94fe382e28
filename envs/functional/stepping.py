"""Reset and step as pure functions: the state goes in and comes out, and every line is a look-up, a shift or a mask.

Nothing is written in place, no array has a shape that depends on data, and nothing is decided by the value of an array;
so the functions can be compiled, mapped and differentiated around. What does not happen in an environment (slips,
random starts, levels, limits) has no array in `Tables` and costs nothing.
"""

from typing import Any

import numpy as np

from ..maps.arguments import whole
from ..maps.randomness import GAMMA, MASK, MAZE, START, STEPS, checked_seed, key_from_seed
from . import fresh, words
from . import misread as noisy
from .namespace import Array, counted, is_jax, is_torch, namespace, on_device, take
from .structure import Disabled, Mazes, NextStep, SameStep, State, Tables


def keys(tables: Tables, seed: int, lanes: int) -> Array:
    """Return the keys of lanes of which lane i is seeded `seed + i`, as everywhere in this library; (lanes, 2) int32.

    Raises:
        TypeError: the seed, or the number of lanes, is not an integer.
        ValueError: one is out of its range.

    Example:
        >>> from mazegrad.envs import functional
        >>> tables = functional.tables("spiral")
        >>> both = functional.keys(tables, seed=5, lanes=2)
        >>> bool((both[1] == functional.keys(tables, seed=6, lanes=1)[0]).all())  # lane 1 is seeded 6
        True
    """
    first, lanes = checked_seed(seed), whole("lanes", lanes, 1)
    if first > MASK - lanes + 1:
        raise ValueError(f"lane i has seed + i, at most 2**64 - 1; seed {first} is too large for {lanes} lanes")
    key = np.asarray(key_from_seed(np.arange(lanes, dtype=np.uint64) + np.uint64(first)))
    return as_words(tables, key)


def as_words(tables: Tables, numbers: Any) -> Array:
    """Return 64-bit numbers, (n,) uint64 of numpy, as (n, 2) int32 where the tables are: upper and lower halves."""
    halves = np.stack([numbers >> np.uint64(32), numbers & np.uint64(2**32 - 1)], axis=1)
    return like(tables, halves.astype(np.uint32).view(np.int32))


def like(tables: Tables, array: Any) -> Array:
    """Return a numpy array as one of the library of the tables, and on their device where that is known."""
    xp = namespace(tables.words)
    device = tables.words.device if is_torch(xp) or (is_jax(xp) and not _traced(tables.words)) else None
    return on_device(xp, device)(array)


def _traced(array: Array) -> bool:
    return not hasattr(array, "addressable_shards")


def reset(tables: Tables, keys: Array) -> tuple[Any, State]:
    """Begin the first episode of lanes.

    Args:
        tables: see `tables`.
        keys: (lanes, 2), two words of 32 bits for each lane: of `keys`, or any others, such as JAX's `key_data`.

    Returns:
        What lanes observe, and their state.

    Raises:
        TypeError: keys that are not integers.
        ValueError: keys of another shape.

    Example:
        >>> from mazegrad.envs import Maze, functional
        >>> tables = functional.tables(Maze.from_text("S.G"))
        >>> dots, state = functional.reset(tables, functional.keys(tables, seed=0, lanes=2))
        >>> dots
        array([[0, 1, 0, 0],
               [0, 1, 0, 0]], dtype=int8)
    """
    xp = namespace(tables.words)
    if len(keys.shape) != 2 or keys.shape[1] != 2:
        raise ValueError(f"keys have shape (lanes, 2), not {tuple(keys.shape)}; functional.keys(tables, seed, lanes)")
    if not xp.isdtype(keys.dtype, "integral"):
        raise TypeError(f"keys are integers, not {keys.dtype}")
    keys = xp.astype(keys, xp.int32)
    zero = keys[:, 0] & 0
    maze, key = None, (keys[:, 0], keys[:, 1])
    if tables.lanes is not None:
        maze = take(tables.lanes, counted(keys) % tables.lanes.shape[0])
    state = State(
        at=zero,
        steps=None if tables.time_limit is None else zero,
        over=None if isinstance(tables.mode, SameStep) else zero != 0,
        maze=maze,
        key=key if _is_random(tables) or tables.error is not None else None,
        random=key if tables.limits is not None else None,
        episode=zero if tables.fresh is not None or (tables.repeat is not None and tables.repeat.shape[0]) else None,
        sight=None if tables.error is None else noisy.begun(key, 0),
    )
    if tables.fresh is not None:
        state = fresh.entered(tables, state._replace(mazes=fresh.no_mazes(tables, zero)), zero == 0, 0)
    else:
        state = _begun(tables, state, 0)
    return observe(tables, state), state


def placed(tables: Tables, state: State, rows: Array) -> State:
    """Return the state in which lanes stand elsewhere, in their episodes as they are.

    Args:
        tables, state: as in `step`; all mazes are in the tables.
        rows: (lanes,) integers: states, as `World` numbers them.

    Raises:
        ValueError: lanes are in new mazes at each reset, which have no such numbers.
    """
    if tables.fresh is not None:
        raise ValueError("states have numbers where all mazes are in the tables; give level_seeds=")
    xp = namespace(state.at)
    return state._replace(at=xp.astype(rows, xp.int32) * tables.words.shape[2])


def restart(tables: Tables, state: State, mask: Array) -> tuple[Any, State]:
    """Begin the next episodes of some lanes: with autoreset disabled, of those that are over, say.

    Args:
        tables, state: as in `step`.
        mask: (lanes,) bool.

    Returns:
        What all lanes observe, and their state.

    Raises:
        TypeError: a mask that is not of bools.
        ValueError: a mask of another shape.

    Example:
        >>> import numpy as np
        >>> from mazegrad.envs import RIGHT, Maze, functional
        >>> tables = functional.tables(Maze.from_text("SG"), autoreset_mode="Disabled")
        >>> _, state = functional.reset(tables, functional.keys(tables, seed=0, lanes=2))
        >>> _, state, *_ = functional.step(tables, state, np.array([RIGHT, RIGHT]))
        >>> state.over
        array([ True,  True])
        >>> _, state = functional.restart(tables, state, np.array([True, False]))
        >>> state.over
        array([False,  True])
    """
    if not namespace(tables.words).isdtype(mask.dtype, "bool"):
        raise TypeError(f"a mask is of bools, not {mask.dtype}")
    if mask.shape != state.at.shape:
        raise ValueError(f"a mask has shape {tuple(state.at.shape)}, one for each lane, not {tuple(mask.shape)}")
    state = _going_on(tables, state, mask, 0)
    return observe(tables, state), state


def step(tables: Tables, state: State, actions: Array) -> tuple[Any, State, Array, Array, Array, dict[str, Any]]:
    """Move all lanes.

    An action that is not one of 0 to A - 1 lets the agent stay, with reward 0; time goes on. (Under `jit` no error can
    be raised for it.)

    Args:
        tables: see `tables`.
        state: see `reset`.
        actions: (lanes,) integers.

    Returns:
        Observations, state, rewards, terminations, truncations and info: the tables that `info=` names, and in the mode
        "SameStep" also "final_observation" and "final_info", of the states in which this step led before lanes were
        reset.

    Raises:
        TypeError: actions that are not integers.
        ValueError: actions of another shape.

    Example:
        >>> import numpy as np
        >>> from mazegrad.envs import LEFT, RIGHT, Maze, functional
        >>> tables = functional.tables(Maze.from_text("SG"))
        >>> _, state = functional.reset(tables, functional.keys(tables, seed=0, lanes=2))
        >>> dots, state, reward, terminated, truncated, info = functional.step(tables, state, np.array([RIGHT, LEFT]))
        >>> reward, terminated
        (array([1., 0.]), array([ True, False]))
    """
    xp = namespace(tables.words)
    if not xp.isdtype(actions.dtype, "integral"):
        raise TypeError(f"actions are integers, not {actions.dtype}")
    if actions.shape != state.at.shape:
        raise ValueError(f"actions have shape {tuple(state.at.shape)}, one for each lane, not {tuple(actions.shape)}")
    count = tables.actions.shape[0]
    column = xp.astype(xp.where((actions >= 0) & (actions < count), actions, count), xp.int32)
    begun = state
    if isinstance(tables.mode, NextStep):
        # these lanes stay on the start that they are put on
        begun = _going_on(tables, state, state.over, -1)
    steps = begun.steps
    if state.over is not None:
        column = xp.where(state.over, count, column)
    from_place = begun.at if tables.fresh is None else fresh.kinds(begun) * tables.words.shape[2]
    index, random = from_place + column, begun.random
    if tables.limits is not None:
        index = index + _case(tables, index, random)
        random = words.plus(random, GAMMA)
    word = take(xp.reshape(tables.words, (-1,)), index)
    if tables.fresh is None:
        reward, terminated, at = unfolded(tables, word, index)
    else:
        at = begun.at + word
        reward, terminated = fresh.arrived(tables, begun._replace(at=at), column < count)
    if isinstance(tables.mode, Disabled):
        terminated = terminated & ~state.over
    truncated = terminated & False
    if steps is not None:
        steps = steps + 1
        truncated = steps >= _limit(tables, begun, at)
        if isinstance(tables.mode, Disabled):
            truncated = truncated & ~state.over
    over = terminated | truncated
    sight = None if begun.sight is None else noisy.moved(begun.sight)
    moved = begun._replace(at=at, steps=steps, over=None, random=random, sight=sight)
    if isinstance(tables.mode, SameStep):
        final = _seen(tables, word, moved), info(tables, moved)
        moved = _going_on(tables, moved, over, 0)
        facts = {**info(tables, moved), "final_observation": final[0], "final_info": final[1]}
        return observe(tables, moved), moved, reward, terminated, truncated, facts
    if isinstance(tables.mode, Disabled):
        over = over | state.over
    moved = moved._replace(over=over)
    return _seen(tables, word, moved), moved, reward, terminated, truncated, info(tables, moved)


def observe(tables: Tables, state: State) -> Any:
    """Return what lanes observe where they are, (lanes, ...), or a dict of such arrays.

    Example:
        >>> from mazegrad.envs import Maze, functional
        >>> tables = functional.tables(Maze.from_text("S.G"), observation="position")
        >>> _, state = functional.reset(tables, functional.keys(tables, seed=0, lanes=2))
        >>> functional.observe(tables, state)  # (row, column)
        array([[0, 0],
               [0, 0]])
    """
    xp = namespace(tables.words)
    staying = None
    if tables.bits is not None:
        staying = take(xp.reshape(tables.words, (-1,)), state.at + tables.actions.shape[0])
    return _seen(tables, staying, state)


def info(tables: Tables, state: State) -> dict[str, Any]:
    """Return the info of lanes where they are: the tables that `info=` named, (lanes, ...) by name.

    Example:
        >>> from mazegrad.envs import Maze, functional
        >>> tables = functional.tables(Maze.from_text("S..G"), info=("distance", "optimal_action"))
        >>> _, state = functional.reset(tables, functional.keys(tables, seed=0, lanes=2))
        >>> functional.info(tables, state)
        {'distance': array([3, 3]), 'optimal_action': array([1, 1])}
    """
    if not tables.info:
        return {}
    if tables.fresh is not None:
        return fresh.info(tables, state)
    rows = _rows(tables, state.at)
    return {name: take(table, rows) for name, table in tables.info.items()}


def _is_random(tables: Tables) -> bool:
    return tables.repeat is not None or tables.limits is not None or tables.starts.shape[0] > tables.first.shape[0]


def _rows(tables: Tables, at: Array) -> Array:
    """Return the states at places: at / wide."""
    return at >> (tables.words.shape[2].bit_length() - 1)


def merged(mask: Array, new: State, old: State) -> State:
    """Return the new state of the lanes of a mask, and the old state of the others."""
    return State(*(_either(mask, one, other) for one, other in zip(new, old, strict=True)))


def _either(mask: Array, one: Any, other: Any) -> Any:
    if one is None or (isinstance(one, Mazes) and one is other):
        return other  # (torch.compile cannot ask whether two arrays are the same one)
    if isinstance(one, dict):
        return {name: _either(mask, part, other[name]) for name, part in one.items()}
    if isinstance(one, tuple):
        parts = [_either(mask, *pair) for pair in zip(one, other, strict=True)]
        return Mazes(*parts) if isinstance(one, Mazes) else tuple(parts)
    xp = namespace(one)
    return xp.where(xp.reshape(mask, (-1, *[1] * (len(one.shape) - 1))), one, other)


def _next_episode(state: State, time: int) -> State:
    key = None if state.key is None else words.plus(state.key, GAMMA)
    sight = None if state.sight is None or key is None else noisy.begun(key, time)
    return state._replace(key=key, episode=None if state.episode is None else state.episode + 1, sight=sight)


def _going_on(tables: Tables, state: State, mask: Array, time: int) -> State:
    """Return the state in which the lanes of a mask begin their next episodes; `time` as in `_begun`."""
    following = _next_episode(state, time)
    if tables.fresh is not None:
        return fresh.entered(tables, merged(mask, following, state), mask, time)
    return merged(mask, _begun(tables, following, time), state)


def _begun(tables: Tables, state: State, time: int) -> State:
    """Return lanes on the starts of their episodes, `time` steps after these began: 0, or -1 with the step to come."""
    maze, stream = state.maze, (state.at, state.at)
    if state.key is not None:
        stream = words.mix(state.key)
        if tables.repeat is not None:
            drawn = words.bits(_level_stream(tables, state, stream), MAZE)
            maze = words.choice(drawn, tables.first.shape[0])
    several = tables.starts.shape[0] > tables.first.shape[0]
    if maze is None:
        first, count = tables.first, tables.count  # (1,), or the first of them
        first, count = first[0] + (state.at & 0), count[0]
    else:
        first, count = take(tables.first, maze), take(tables.count, maze)
    if several:
        first = first + words.choice(words.bits(stream, START), count)
    random = None if tables.limits is None else words.later(stream, STEPS + time + 1)
    return state._replace(
        at=take(tables.starts, first),
        steps=None if state.steps is None else (state.steps & 0) + time,
        over=None if state.over is None else state.over & False,
        random=random,
    )


def _level_stream(tables: Tables, state: State, stream: words.Pair) -> words.Pair:
    """Return the stream that draws the level: with `repeat`, that of an earlier episode."""
    if state.episode is None:
        return stream
    back = state.episode - state.episode // tables.repeat[0]
    # key - back * GAMMA
    minus = words.times((back & 0, back), -GAMMA & MASK)
    return words.mix(words.plus_pair(state.key, minus))


def _case(tables: Tables, index: Array, random: words.Pair) -> Array:
    """Return what leads from the index of a move as meant to that of the case that happens, (lanes,)."""
    xp = namespace(index)
    drawn, case = words.mix(random), None
    cases, states, wide = tables.words.shape
    for number in range(cases - 1):
        one = tables.limits.shape[2] == 1
        upper, lower = (tables.limits[number, half, :] for half in (0, 1))
        if not one:
            upper, lower = take(upper, index), take(lower, index)
        happens = xp.astype(words.below(drawn, (upper, lower)), xp.int32)
        case = happens if case is None else case + happens
    return case * (states * wide)


def unfolded(tables: Tables, word: Array, index: Array) -> tuple[Array, Array, Array]:
    """Return the rewards, the terminations and the places that words hold."""
    used = 0 if tables.bits is None else tables.bits.shape[0]
    terminated = ((word >> used) & 1) != 0
    used += 1
    xp = namespace(word)
    if len(tables.rewards.shape) > 1:
        return take(xp.reshape(tables.rewards, (-1,)), index), terminated, word >> used
    values = tables.rewards.shape[0]
    number, used = (word >> used) & (values - 1), used + values.bit_length() - 1
    return _picked(tables.rewards, number), terminated, word >> used


def _picked(values: Array, number: Array) -> Array:
    """Return values by number: of a few by selecting, which is faster than a look-up."""
    xp = namespace(values)
    if values.shape[0] > 4:
        return take(values, number)
    chosen = values[0]
    for other in range(1, values.shape[0]):
        chosen = xp.where(number == other, values[other], chosen)
    return chosen if values.shape[0] > 1 else xp.where(number == 0, chosen, chosen)


def _seen(tables: Tables, word: Array, state: State) -> Any:
    """Return what is seen after moves with these words, where lanes are now."""
    shown = _shown(tables, word, state)
    return shown if state.sight is None else noisy.misread(tables.error, shown, state.sight)


def _shown(tables: Tables, word: Array, state: State) -> Any:
    """Return what is to be observed there."""
    if tables.fresh is not None:
        return fresh.seen(tables, state)
    if tables.bits is not None:
        xp = namespace(word)
        return xp.astype((word[:, None] >> tables.bits) & 1, xp.int8)
    rows = _rows(tables, state.at)
    if isinstance(tables.seen, dict):
        return {name: take(table, rows) for name, table in tables.seen.items()}
    return take(tables.seen, rows)


def _limit(tables: Tables, state: State, at: Array) -> Array:
    if state.mazes is not None and state.mazes.limit is not None:
        return take(namespace(at).reshape(state.mazes.limit, (-1,)), fresh.slots(state))
    if tables.time_limit.shape[0] == 1 or tables.maze_of is None:
        return tables.time_limit[0]
    return take(tables.time_limit, take(tables.maze_of, _rows(tables, at)))
