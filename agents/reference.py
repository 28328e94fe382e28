"""Reference agents, to compare with: at random, along the wall, and by the shortest way."""

from typing import Any, Literal

import numpy as np

from ..envs import UP, World, optimal_actions
from ..envs.core.world import checked_world
from ..envs.maps.randomness import choice, stream
from ..envs.planning.solvers import hand_turns


class RandomAgent:
    """Go in any of the four directions, with equal probability.

    Args:
        rng: where each episode's key is drawn from.
    """

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng

    def initial_state(self, batch_size: int | None = None) -> tuple[Any, int]:
        """Return a fresh key, or one for each of the batch, and the number of steps so far."""
        keys = self._rng.integers(2**64, size=batch_size, dtype=np.uint64)
        return (int(keys) if batch_size is None else keys), 0

    def act(self, observation: Any, state: tuple[Any, int]) -> tuple[Any, tuple[Any, int]]:
        """Return any direction, whatever is seen."""
        key, steps = state
        action = choice(stream(key, 0), steps, 4)
        return (action if isinstance(action, int) else action.astype(np.int64)), (key, steps + 1)


class WallFollower:
    """Keep one hand on the wall: turn to its side if there is a dot, else go straight, else the other side, else back.

    Solves every maze without loops (and any whose goal is at the outer wall). It sees the four bits, and remembers its
    heading; its state is that direction, at first `heading`.
    """

    def __init__(self, hand: Literal["right", "left"] = "right", heading: int = UP) -> None:
        self._heading, turns = heading, hand_turns(hand)
        # (4, 16): the direction to take, for a heading and the dots seen, as the sum of x[d] << d
        self._table = np.array(
            [[next((d for d in turns[g] if dots >> d & 1), g) for dots in range(16)] for g in range(4)]
        )

    def initial_state(self, batch_size: int | None = None) -> Any:
        """Return the first heading, or an array (batch_size,) of it."""
        return self._heading if batch_size is None else np.full(batch_size, self._heading)

    def act(self, observation: Any, state: Any) -> tuple[Any, Any]:
        """Return the direction to take, for one observation (4,) or a batch (batch, 4)."""
        dots = np.asarray(observation) @ (1, 2, 4, 8)
        action = self._table[state, dots]
        action = int(action) if np.ndim(action) == 0 else action
        return action, action


class ShortestPathAgent:
    """Take a shortest way to the goal; it needs to know where it is: `observation="index"`.

    Args:
        world: the world it walks in, of one maze; with slip its way is the shortest if nothing slips.

    Raises:
        ValueError: the world has several mazes, or no goal can be reached from one of its starts.
    """

    def __init__(self, world: World) -> None:
        if len(checked_world(world).mazes) != 1:
            raise ValueError(f"a cell's number says where the agent is in one maze; this world has {len(world.mazes)}")
        best = optimal_actions(world)
        lost = [s for s in world.start_states if not (best[s].any() or world.goal[s])]
        if lost:
            row, column = divmod(int(world.cell[lost[0]]), world.mazes[0].width)
            raise ValueError(f"no goal can be reached from the start at row {row}, column {column}")
        index = world.carried * world.mazes[0].tiles.size + world.cell
        self._action = np.zeros(int(index.max()) + 1, dtype=np.int64)
        self._action[index] = best.argmax(axis=1)

    def initial_state(self, batch_size: int | None = None) -> None:
        """Return None: it remembers nothing."""

    def act(self, observation: Any, state: None) -> tuple[Any, None]:
        """Return the direction to take, for one index or a batch of them.

        Raises:
            ValueError: an observation that is no index.
        """
        kind = np.asarray(observation).dtype
        # one agent's four dots, int8, are no batch of four indices
        if np.ndim(observation) > 1 or kind.kind not in "iu" or kind == np.int8:
            raise ValueError(
                'ShortestPathAgent needs to know where it is: make the environment with observation="index"'
            )
        action = self._action[observation]
        return (int(action) if np.ndim(action) == 0 else action), None
