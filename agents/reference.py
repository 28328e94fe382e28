"""Reference agents to compare others with: random, wall-following and shortest-path."""

from typing import Any, Literal

import numpy as np
from gymnasium import spaces

from ..envs import UP, World, optimal_actions
from ..envs.core.inventory import inventory_size
from ..envs.core.world import checked_world
from ..envs.maps.arguments import generator_of_numbers, whole
from ..envs.maps.randomness import choice, stream
from ..envs.planning.solvers import hand_turns


class RandomAgent:
    """Takes each action with equal probability; the random numbers of an episode come from its state.

    Args:
        rng: draws a key for each episode.
        actions: how many there are.

    Raises:
        TypeError: rng is not a numpy Generator, actions not an integer.
        ValueError: fewer than one action.

    Example:
        >>> import numpy as np
        >>> from mazegrad.agents import RandomAgent
        >>> agent = RandomAgent(np.random.default_rng(0))
        >>> state = agent.initial_state(batch_size=6)
        >>> actions, state = agent.act(None, state)
        >>> actions
        array([3, 3, 2, 0, 2, 1])
    """

    def __init__(self, rng: np.random.Generator, actions: int = 4) -> None:
        self._rng, self._actions = generator_of_numbers(rng), whole("actions", actions, 1)

    def initial_state(self, batch_size: int | None = None) -> tuple[Any, int]:
        """Return a fresh key, or (batch_size,) keys, and the number of steps so far, 0."""
        keys = self._rng.integers(2**64, size=batch_size, dtype=np.uint64)
        return (int(keys) if batch_size is None else keys), 0

    def act(self, observation: Any, state: tuple[Any, int]) -> tuple[Any, tuple[Any, int]]:
        """Return a random action; the observation does not matter."""
        key, steps = state
        action = choice(stream(key, 0), steps, self._actions)
        return (action if isinstance(action, int) else action.astype(np.int64)), (key, steps + 1)


class WallFollower:
    """Keeps one hand on the wall: of the dots around it takes the one at the hand's side, ahead, opposite or behind.

    It solves every maze without loops, and every maze whose goal is at the outer wall. It observes `dots`; its state is
    its heading.

    Args:
        hand: "right" or "left".
        heading: the direction in which it looks at the start of an episode, 0 to 3.

    Raises:
        ValueError: another hand.

    Example:
        >>> import numpy as np
        >>> from mazegrad.agents import WallFollower
        >>> agent = WallFollower(hand="right")
        >>> heading = agent.initial_state()
        >>> agent.act(np.array([1, 1, 0, 0]), heading)  # heading up, with dots ahead and at the right
        (1, 1)
    """

    def __init__(self, hand: Literal["right", "left"] = "right", heading: int = UP) -> None:
        self._heading, turns = heading, hand_turns(hand)
        # (4, 16): the action for a heading and the number of an observation, the sum of x[d] << d
        self._table = np.array(
            [[next((d for d in turns[g] if dots >> d & 1), g) for dots in range(16)] for g in range(4)]
        )

    def initial_state(self, batch_size: int | None = None) -> Any:
        """Return the heading at the start, or an array (batch_size,) of it."""
        return self._heading if batch_size is None else np.full(batch_size, self._heading)

    def act(self, observation: Any, state: Any) -> tuple[Any, Any]:
        """Return the action twice, since it is the next heading, for one observation (4,) or a batch (batch, 4).

        Raises:
            ValueError: an observation of another shape.
        """
        seen = np.asarray(observation)
        if seen.shape[-1:] != (4,):
            raise ValueError(f"WallFollower sees dots, four bits or a batch of them, not the shape {seen.shape}")
        dots = seen @ (1, 2, 4, 8)
        action = self._table[state, dots]
        action = int(action) if np.ndim(action) == 0 else action
        return action, action


class ShortestPathAgent:
    """Takes a shortest path to the goal, from the observation "index".

    Args:
        world: the world in which it acts, of one maze. Its paths are the shortest when nothing slips.

    Raises:
        TypeError: not a World.
        ValueError: a world of several mazes, or with a start from which no goal is reachable.

    Example:
        >>> from mazegrad.agents import ShortestPathAgent, rollout
        >>> from mazegrad.envs import MazeEnv
        >>> env = MazeEnv("four_rooms", observation="index")
        >>> len(rollout(env, ShortestPathAgent(env.world), seed=0).actions)
        16
    """

    def __init__(self, world: World) -> None:
        if len(checked_world(world).mazes) != 1:
            raise ValueError(f"ShortestPathAgent needs a world of one maze, not of {len(world.mazes)}")
        best = optimal_actions(world)
        lost = [s for s in world.start_states if not (best[s].any() or world.goal[s])]
        if lost:
            row, column = divmod(int(world.cell[lost[0]]), world.mazes[0].width)
            raise ValueError(f"no goal is reachable from the start at row {row}, column {column}")
        headings = world.moves.headings
        load = world.carried if headings == 1 else world.carried * headings + world.heading
        index = load * world.mazes[0].tiles.size + world.cell
        self._rows = headings * world.mazes[0].tiles.size << inventory_size(world.mazes[0])
        self._action = np.zeros(self._rows, dtype=np.int64)
        self._action[index] = best.argmax(axis=1)

    def initial_state(self, batch_size: int | None = None) -> None:
        """Return None: it has no memory."""

    def act(self, observation: Any, state: None) -> tuple[Any, None]:
        """Return the action for one index, or those for (batch,) indices.

        Raises:
            ValueError: an observation of another kind.
        """
        kind = np.asarray(observation).dtype
        # int8: four dots of one agent, not a batch of four indices
        if np.ndim(observation) > 1 or kind.kind not in "iu" or kind == np.int8:
            raise ValueError(
                'ShortestPathAgent needs the observation "index"; make the environment with observation="index"'
            )
        action = self._action[observation]
        return (int(action) if np.ndim(action) == 0 else action), None

    def check_environment(self, env: Any) -> None:
        """Check that an environment shows the index of a cell in a maze of this size.

        Raises:
            ValueError: it shows something else.
        """
        space = env.single_observation_space if hasattr(env, "single_observation_space") else env.observation_space
        kind = getattr(env.unwrapped, "observation_kind", "index")
        if kind != "index" or space != spaces.Discrete(self._rows):
            shown = f"{kind!r}, " if kind != "index" else ""
            raise ValueError(
                f"ShortestPathAgent has a row for each of {self._rows} indices, but the environment shows "
                f'{shown}{space}; make it with observation="index", and the agent from its own world'
            )
