"""Values of the best policy in every state of the mazes that tables hold, over the arrays of numpy, JAX or torch."""

from typing import Any, NamedTuple

import numpy as np

from ..planning.checks import check_discount
from .namespace import Array, compiled, is_torch, namespace, on_device, repeat_while, take
from .stepping import unfolded
from .structure import Tables


class StateValues(NamedTuple):
    """Values of the best policy, by state: the rows of the tables, maze by maze, as `observation="state"` numbers them.

    Example:
        >>> from mazegrad.envs import Maze, functional
        >>> found = functional.value_iteration(functional.tables(Maze.from_text("S.G")), discount=0.5)
        >>> found.action_values.argmax(axis=1)[:2]  # right, right
        array([1, 1])
    """

    values: Array
    """(S,): V*, 0 where the episode is over"""
    action_values: Array
    """(S, A): Q*: the action once, then the best policy"""


def value_iteration(tables: Tables, *, discount: float = 0.99) -> StateValues:
    """Return V* and Q* of all states of many mazes at once; all of it can be compiled.

    The same values as `mazegrad.envs.value_iteration` of the mazes' World, whatever tiles and moves there are, up to
    rounding in the library's default dtype. Each sweep is one look-up for all states and actions; they end when nothing
    changes by more than rounding.

    Args:
        tables: of mazes in which moves are as meant, without slips or other noise.
        discount: 0 to below 1.

    Raises:
        ValueError: noise; a new maze at each reset; a discount that is not allowed.

    Example:
        >>> from mazegrad.envs import Maze, functional
        >>> tables = functional.tables([Maze.from_text("S.G"), Maze.from_text("SaAG")])
        >>> functional.value_iteration(tables, discount=0.5).values  # in the second maze without the key, and with it
        array([0.5 , 1.  , 0.  , 0.25, 0.25, 0.5 , 1.  , 0.  ])
    """
    discount = check_discount(discount)
    if discount == 1:
        raise ValueError("value_iteration over tables needs a discount below 1; use mazegrad.envs.value_iteration")
    if tables.fresh is not None:
        raise ValueError("the tables hold no mazes but make one at each reset; give level_seeds=, or use value_maps")
    if tables.limits is not None:
        raise ValueError("moves may slip in these tables; use mazegrad.envs.value_iteration, or info=('value',)")
    return _swept(tables.words, tables, discount)


@compiled()
def _swept(words: Array, tables: Tables, discount: Any) -> StateValues:
    """Return what sweeps over all states lead to; `words` are those of the tables."""
    xp = namespace(words)
    array = on_device(xp, tables.words.device if is_torch(xp) else None)
    _, states, wide = tables.words.shape
    actions = tables.actions.shape[0]
    index = array((np.arange(states)[:, None] * wide + np.arange(actions)).ravel().astype(np.int32))
    reward, ends, place = unfolded(tables, take(xp.reshape(tables.words, (-1,)), index), index)
    after, lasts = place // wide, xp.where(ends, reward * 0, reward * 0 + discount)
    rounding = 8 * xp.finfo(reward.dtype).eps

    def backup(values: Array) -> Array:
        return xp.reshape(reward + lasts * take(values, after), (states, actions))

    def once(carry: tuple[Array, Array]) -> tuple[Array, Array]:
        better = xp.max(backup(carry[0]), axis=1)
        return better, xp.max(xp.abs(better - carry[0])) > rounding * xp.max(xp.abs(better))

    begin = (xp.reshape(reward, (states, actions))[:, 0] * 0, array(np.array(True)))
    values, _ = repeat_while(xp, lambda carry: carry[1], once, begin)
    return StateValues(values, backup(values))
