"""A MazeEnv is one lane with a clock: one agent, as a Gymnasium environment."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.envs.registration import EnvSpec
from numpy.typing import NDArray

from .clock import renewed
from .core.places import places_of
from .core.world import World, checked_world
from .engines.engine import accept
from .engines.given import given_worlds
from .engines.lane import Lane
from .info import INFO, info_table
from .kept import KeptLanes
from .keys import action_of, keys_to_action
from .maps.changes import changes_of, levels_without
from .maps.goals import moved_goal
from .maps.levels import Levels
from .maps.maze import Maze
from .maps.moves import Moves
from .maps.randomness import MASK, START, STEPS, choice, misread, stream, uniform
from .maps.shipped import find_maze
from .options import check_options, start_cell
from .pictures.trails import checked_trail
from .planning.goals import goal_reward
from .planning.hitting import size_limit
from .planning.mdp import TabularMDP
from .saved import SavedState, checked_number
from .screen import Screen
from .settings import Settings, TimeLimit
from .source import Source


class MazeEnv(gymnasium.Env[Any, Any]):
    r"""One agent in a maze. Actions are the directions UP, RIGHT, LEFT, DOWN = 0, 1, 2, 3, or those of `actions`.

    Args:
        maze: a Maze, a text, a file or a shipped name; or `Levels`, of which each reset draws one; or a World of one
            maze, such as one with other rewards, whose tables are used as they are.
        observation: what the agent sees, a function of its state:

            - "dots": four bits, 1 where the neighbour up, right, left, down can be entered; a sign adds one. With other
              actions a bit for each step, in their order; where actions turn, for ahead, right, left and back.
            - "index": carried * height * width + row * width + column; `carried` is 0 without keys and items. Where
              actions turn, it is 4 * carried + heading. These number the cells of a picture, walls too; what has a row
              for each state, such as `Values`, needs "state".
            - "state": the row of every table over states: of `world`, `P`, `value_iteration(world)` and so on. Where
              each reset draws a maze, it is the row in the tables of that maze.
            - "position": (row, column).
            - "view": (view_size, view_size) tile codes, the agent in the middle; a code is the place of the tile in
              `LEGEND`, 0 (nothing) outside. Things taken and open doors are floor. Where actions turn, ahead is above.
              Where mazes have thin walls, codes are uint16: bit 8 is a wall on the upper side of the cell, 9 on its
              right, 10 on its left, 11 on its lower side.
            - "map": (height, width) tile codes of the whole maze, the agent marked by `AGENT_CODE`, or where actions
              turn by one of `AGENT_CODES`; thin walls are as in "view".
            - "pixels": the picture, (height, width, 3), as `draw` makes it.
            - "goal": (row, column) of the goal, of several the first; (0, 0) without one.
            - "net": what a stock net learns from: "index" where all episodes are in one maze, else "map"; as floats.
            Several names make a dict by name. With "goal" among them its names are those of goal-conditioned learning:
            "achieved_goal" (the position), "desired_goal", and "observation" for what else is observed.
        encoding: None, or how a net takes it: "float" (a flat float32 Box: bits as they are, one-hot numbers, scaled
            positions and pixels, planes flat), "planes" ("view" and "map" as `PLANES`, with thin walls also
            `SIDE_PLANES`, uint8 0 or 1, channels first) or "planes_last".
        view_size: the side of "view", odd, 999 at most.
        tile: the side of a tile in px, of "pixels" and of frames; by default frames are about 350 px long.
        size: in place of `tile`, that of "pixels" and of frames, in px: their longer side at most, such as 84, or
            (height, width) exactly, black where tiles do not fill it; see `draw`. `Maze-v0` calls it `frame_size`.
        slip: the probability that a move goes sideways, ice apart; by default the maze's own, else 0.
        rewards: what things earn, over the maze's own, over the defaults `REWARDS`.
        time_limit: the number of steps after which an episode is truncated; None for no limit. "auto" lets an explorer
            arrive: it is twice the expected number of steps of a random walk to the goal (see `hitting_times`); where
            each reset makes a new maze, the square of its open tiles.
        info: what the info of `reset` and `step` holds: "action_mask" ((A,) int8, 0 for actions that surely leave the
            agent where it is), "distance" (steps to a goal when nothing slips, -1 for no way), "optimal_actions"
            ((A,) int8, 1 for the actions of best value, 0 for all when the episode is over), "optimal_action" (the
            first of them, or -1), "value" (the optimal expected return from here on), "state", "success" (whether the
            agent is at a goal), "level" (which maze this is: the seed that `level_seeds` has for it, the key in other
            `Levels`, the number of changes of `after`; -1 for a maze that was given, and seeds from 2**63 on less
            2**64). All are numpy scalars or arrays; "success" is an array without axes.
        discount: that of "optimal_actions", "value" and `shaping`.
        render_mode: None, "human" (a window), "rgb_array" (frames) or "ansi" (text).
        check: called with each maze before it is used; raises MazeError to refuse it.
        shaping: None, or "distance": each move earns discount * phi(next) - phi(state) more, where phi is minus the
            distance to the goal, and 0 when the episode is over; the best policies stay the same (see `shaped`).
        format: how a text or a file is read, a name of `FORMATS`; by default the suffix decides, or it is our own.
        dots_error: how likely each bit of "dots" is seen wrongly, each time.
        map_warnings: whether a map that can hardly be meant (no goal, no way to it, ...) gives a `MapWarning`.
        after: mazes that take the place of the first, by the steps made since the last reset with a seed, such as
            {1000: "blocking_maze_later"}: the first episode that begins after 1,000 steps is in that maze, and so are
            those after it. A maze that `reset` is given stays.
        lateness: a goal that is reached at step t of at most T, T by `time_limit`, earns lateness * t / T less: with
            0.9 and a goal of 1 this is Minigrid's reward. Planning, proofs and the info "value" do not know of it.
        actions: what the agent can do: "four" (the directions), "stay" (and to stay), "king" (eight directions),
            "king_stay", "turns" (left, right, forward: the heading is a part of the state), or a dict of named steps
            (rows, columns), such as {"up": (-1, 0), "leap": (0, 2)}; by default the maze's own, else "four".
        corners: "keep" or "cut": whether diagonal steps may cut the corner of a cell that cannot be entered; by default
            the maze's own, else "keep".
        noise: what may happen in place of the move that was meant: probabilities by name, such as {"other": 1 / 3}, and
            by tile, such as {"left_of": 0.1, "~": {"stay": 0.5}}; the names are `WORDS` of `maps/noise.py` and those of
            actions. By default the maze's own, else that of `slip`.
        wind: cells that the agent is blown upwards after a step, for each column, such as [0, 1, 1]; or as a map has
            it: "left 0 1 0" by row, "0 1 2 varies"; by default the maze's own.

    Raises:
        ValueError: an unknown observation, reward, option, info or render mode, or a number out of its range.
        MazeError: (a ValueError) the maze cannot be used.

    Example:
        >>> import gymnasium
        >>> import mazegrad
        >>> env = gymnasium.make("mazegrad/GridWorld-v0", maze="S.G\n", info=("distance",), render_mode="ansi")
        >>> observation, info = env.reset(seed=0)
        >>> observation, int(info["distance"])  # a dot to the right; two steps to go
        (array([0, 1, 0, 0], dtype=int8), 2)
        >>> observation, reward, terminated, truncated, info = env.step(1)
        >>> print(env.render())
        S○G
    """

    metadata: dict[str, Any] = {"render_modes": ["human", "rgb_array", "ansi"], "render_fps": 8}  # noqa: RUF012

    def __init__(
        self,
        maze: Maze | str | Path | Levels | World = "four_rooms",
        *,
        observation: str | Sequence[str] = "dots",
        encoding: str | None = None,
        view_size: int = 7,
        tile: int | None = None,
        size: int | tuple[int, int] | None = None,
        slip: float | None = None,
        rewards: Mapping[str, float] = MappingProxyType({}),
        time_limit: TimeLimit = "auto",
        info: Sequence[str] = (),
        discount: float = 0.99,
        render_mode: str | None = None,
        check: Callable[[Maze], None] = accept,
        shaping: str | None = None,
        after: Mapping[int, Any] = MappingProxyType({}),
        format: str | None = None,
        map_warnings: bool = True,
        dots_error: float = 0.0,
        lateness: float = 0.0,
        actions: Any = None,
        corners: str | None = None,
        noise: Any = None,
        wind: Any = None,
    ) -> None:
        drawn, given = given_worlds(maze)
        self._spec: EnvSpec | None = None
        self._settings = Settings.checked(
            several=isinstance(maze, Levels) or bool(after),
            observation=observation, encoding=encoding, view_size=view_size, tile=tile, size=size, slip=slip,
            rewards=rewards, time_limit=time_limit, info=info, discount=discount, render_mode=render_mode, check=check,
            shaping=shaping, actions=actions, corners=corners, noise=noise, wind=wind,
            render_modes=self.metadata["render_modes"], format=format, map_warnings=map_warnings, dots_error=dots_error,
            given=given, lateness=lateness,
        )  # fmt: skip
        setup = self._settings.setup
        # whether a step does more than to move: one name, since each further look at self costs a step about a per cent
        self._adds = self._settings.dots_error > 0
        self.render_mode = render_mode
        changes = changes_of(after, format, setup.dressed)
        levels = setup.dressed_levels(levels_without(changes, drawn))
        self._key: int | None = None
        self._episode = self._stream = self._steps = 0
        self._earlier = 0  # steps of the episodes before, since the seed
        self._screen = Screen(setup.tile)
        if levels is not None:
            first = levels.make(levels.draw(0))
        else:
            assert not isinstance(drawn, Levels)
            [first] = setup.dressed([find_maze(drawn, format)])
        self._sight = setup.declared([first], levels)
        self.action_space = spaces.Discrete(len(self.moves))
        self.observation_space = self._sight.space
        setup.checked(() if changes is None else changes.mazes, self._sight)
        self._kept = kept = KeptLanes(setup, self._sight)
        lane = kept.lane(first)
        for world in () if levels is not None else (lane.world, *kept.changed_worlds(changes, lane)):
            self._settings.question(world, kept.asked)
        self._source = Source(kept, lane, levels, changes)
        self._given = self._source.stays
        self._use(lane)

    def _use(self, lane: Lane) -> None:
        """Put the agent into a lane's maze; what depends on the maze alone is made once."""
        self._engine, self.maze, self.world = lane, lane.maze, lane.world
        self.time_limit: int | None = self._settings.limit(partial(self._auto_limit, lane))
        self._limit = math.inf if self.time_limit is None else self.time_limit
        discount = self._settings.discount
        self._info = {name: info_table(name, lane.world, discount) for name in self._settings.info}
        self._tables: dict[str, Any] = {}  # by name, made when they are first asked for

    def _auto_limit(self, lane: Lane) -> int:
        by_size = self._source.many
        return size_limit(int(np.count_nonzero(lane.maze.open))) if by_size else lane.explorer_limit

    @property
    def spec(self) -> EnvSpec | None:
        """What Gymnasium's registry says of this environment; `max_episode_steps` is its step limit, if that is fixed.

        It is fixed if `time_limit` is a number, or if the maze stays.
        """
        return self._spec

    @spec.setter
    def spec(self, spec: EnvSpec | None) -> None:
        fixed = self._settings.time_limit != "auto" or self._source.stays
        if spec is not None and fixed and spec.max_episode_steps is None:
            spec = replace(spec, max_episode_steps=self.time_limit)
        self._spec = spec

    @property
    def state(self) -> int:
        """The number of the agent's state in `world`."""
        if self._key is None:
            raise gymnasium.error.ResetNeeded("call reset() first")
        return self._engine.state

    @property
    def moves(self) -> Moves:
        """What each action does."""
        return self._sight.moves

    @property
    def observation_kind(self) -> str | tuple[str, ...]:
        """What is observed: the name that the environment was made with, or the names."""
        return self._settings.setup.observation

    @property
    def P(self) -> dict[int, dict[int, list[tuple[float, int, float, bool]]]]:
        """`P[state][action] = [(probability, next state, reward, terminated), ...]` of the maze now, as in Gymnasium's
        toy-text environments; a state is what `observation="state"` shows."""
        if "P" not in self._tables:
            self._tables["P"] = TabularMDP.from_world(self.world, "state").to_gymnasium_P()
        made: dict[int, dict[int, list[tuple[float, int, float, bool]]]] = self._tables["P"]
        return made

    @property
    def at_goal(self) -> bool:
        """Whether the agent has reached a goal."""
        return bool(self.world.goal[self.state])

    def observations(self, world: World | None = None) -> Any:
        """Return what the agent would observe in each state of a world, by default this one's: (S, ...), a fresh array.

        Raises:
            ValueError: a world whose observations are not in the declared space.
        """
        world = self.world if world is None else checked_world(world)
        setup = self._settings.setup
        setup.checked(world.mazes, self._sight)
        look = self._sight.look(setup.scene_of(world.mazes))
        return look(places_of(world, np.arange(world.states)))

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin an episode.

        Args:
            seed: 0 to 2**64 - 1; the same seed gives the same episodes, on every machine. Without one the lane goes on
                with its next episode.
            options: `maze` (as in the constructor; it stays until the next one given), `goal`, a (row, column) that the
                maze's goal is moved to (this maze stays as well), and `start`, a (row, column).

        Raises:
            ValueError: an unknown option, a start where an agent cannot stand, a goal that is not on floor, a maze
                that does not fit the spaces.
            TypeError: a seed that is not an integer.
        """
        options = options or {}
        check_options(options)
        key, episode = renewed(seed, self._key, self._episode)
        draws = int(stream(key, episode))
        earlier = self._earlier + self._steps if episode else 0
        given, lane = self._given or "maze" in options, self._engine
        if "maze" in options:
            given_maze = find_maze(options["maze"], self._settings.format)
            lane = self._kept.lane(*self._settings.setup.dressed([given_maze]))
            self._settings.question(lane.world, self._kept.asked)
        elif not given:
            drawn = self._source.lane(key, episode, earlier)
            lane = lane if drawn is None else drawn
        if "goal" in options:
            given, lane = True, self._kept.lane(moved_goal(options["goal"], lane.maze))
        start = None
        if "start" in options:
            start = lane.state_at(start_cell(options["start"], lane.maze, self._settings.setup), 0)
        super().reset(seed=seed if seed is None else int(seed))
        if lane is not self._engine:
            self._use(lane)
        self._given, self._key, self._episode, self._stream, self._steps = given, key, episode, draws, 0
        self._earlier = earlier
        if start is None:
            lane.start(int(choice(draws, START, lane.starts)))
        else:
            lane.put(start)
        if self.render_mode is not None:
            self._screen.begin(self.maze, lane.places().cell)
            self._adds = True
        if self.render_mode == "human":
            self.render()
        return self._misread(lane.observe()), self._info_now() if self._info else {}

    def _misread(self, seen: Any) -> Any:
        """Return what the agent sees of what is to be observed now."""
        if not self._settings.dots_error:
            return seen
        here = np.array([self._stream], dtype=np.uint64), np.array([self._steps])
        return self._sight.misread(seen, misread(*here, self._sight.dots, self._settings.dots_error)[0])

    def step(self, action: int) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Move; return Gymnasium's five values.

        Raises:
            ValueError: the action is not in the action space.
            TypeError: the action is not an integer.
            gymnasium.error.ResetNeeded: there was no reset.
        """
        engine = self._engine
        try:
            if engine.slips:
                observation, reward, over = engine.move(action, uniform(self._stream, STEPS + self._steps))
            else:
                observation, reward, over = engine.move(action)
        except (TypeError, IndexError):
            raise self._refusal(action) from None
        self._steps = steps = self._steps + 1
        if over and self._settings.lateness and engine.world.goal[engine.state]:
            reward -= self._settings.less(steps, self.time_limit)
        if self._adds:
            observation = self._added(observation)
        return observation, reward, over, steps >= self._limit, self._info_now() if self._info else {}

    def _level_now(self) -> np.int64:
        """Return the "level" of `info`: a seed or a key, a number of changes, -1 for a maze that was given."""
        if self._key is None or self._given:
            return np.int64(-1)
        return self._source.number(self._key, self._episode, self._earlier)

    def _added(self, observation: Any) -> Any:
        """Draw the move that was made; return what the agent sees of what is to be observed."""
        if self._screen.trail is not None:
            self._screen.move(self._engine.places().cell)
            if self.render_mode == "human":
                self.render()
        return self._misread(observation)

    def _refusal(self, action: Any) -> Exception:
        if self._key is None:
            return gymnasium.error.ResetNeeded("call reset() first")
        kind = ValueError if isinstance(action, int | np.integer) else TypeError
        return kind(f"an action is {self.moves.numbered()}, not {action!r}")

    def _info_now(self) -> dict[str, Any]:
        rows = {name: table[self._engine.state] for name, table in self._info.items()}
        if "level" in rows:
            rows["level"] = self._level_now()
        # bools as arrays without axes: TorchRL takes no Python bool, and of numpy's scalars Gymnasium makes objects
        return {
            n: row.copy() if row.ndim else np.array(row) if row.dtype == np.bool_ else row for n, row in rows.items()
        }

    def action_masks(self) -> NDArray[np.bool_]:
        """Return False for the actions that surely leave the agent where it is, (A,); all True where all do."""
        if "masks" not in self._tables:
            self._tables["masks"] = INFO["action_mask"](self.world, self._settings.discount)
        mask: NDArray[np.bool_] = self._tables["masks"][self.state].astype(np.bool_)
        return mask

    @property
    def compute_reward(self) -> Callable[..., Any]:
        """The function (achieved_goal, desired_goal, info) -> reward, as hindsight replay asks for it.

        It takes places as in observations of "goal" with others, (2,) or (n, 2), in their encoding, and returns a float
        or (n,): the reward of a step, and where the goal is achieved that of a goal with it; places do not tell what
        traps and items earn, or what shaping adds. Environments without such
        observations have no `compute_reward`: by that libraries know which are goal-conditioned.
        """
        if "desired_goal" not in self._sight.spaces:
            raise AttributeError('compute_reward needs observation=(..., "goal")')
        return partial(goal_reward, rewards=self._settings.setup.rewards, maze=self.maze)

    def level(self, seed: int) -> Maze:
        """Return the maze of a level, by its seed as in `level_seeds` and in `info`, or its key in other `Levels`.

        Raises:
            ValueError: the maze of this environment stays.
        """
        return self._source.level(seed)

    @property
    def episodes_per_level(self) -> int | None:
        """How many episodes a level stays; None where the maze stays for good."""
        return self._source.repeat

    def get_keys_to_action(self) -> dict[tuple[int, ...], int]:
        """Return the arrow keys and w, d, a, s, for `gymnasium.utils.play` (with `wait_on_player=True`).

        They mean the actions of these names; up is forward for an agent that turns. Other actions have no keys.
        """
        return keys_to_action(self.moves)

    def action_of(self, name: str) -> int | None:
        """Return the action of a name, None if there is none; for an agent that turns, "up" is "forward"."""
        return action_of(self.moves, name)

    def get_state(self) -> SavedState:
        """Return all that the rest of the episode and the episodes after it depend on.

        Raises:
            gymnasium.error.ResetNeeded: there was no reset.
        """
        if self._key is None:
            raise gymnasium.error.ResetNeeded("call reset() first")
        engine = self._engine
        self._kept.keep(engine)
        _, cell, carried, heading = engine.places()
        trails = None if self._screen.trail is None else (self._screen.trail.tobytes(),)
        return SavedState(
            (engine.maze,), 0, self._given, cell, carried, self._steps, self._key, self._episode, (), trails,
            self._earlier if self._source.changes else 0, heading,
        )  # fmt: skip

    def set_state(self, state: SavedState) -> None:
        """Go back to what `get_state` returned, of this environment or of one that was made alike.

        Raises:
            ValueError: it is not such a state, or its maze does not fit; nothing has changed then.
        """
        try:
            (maze,), _, given, cell, carried, steps, key, episode, _, trails, earlier, heading = state
            lane = self._engine if maze is self._engine.maze else self._kept.lane(maze)
            place = lane.state_at(cell, carried, heading)
            if place is None:
                raise ValueError(f"an agent cannot stand on cell {cell!r} and carry {carried!r}")
            steps, episode = checked_number("steps", steps, 2**63), checked_number("episode", episode, 2**63)
            key, earlier = checked_number("key", key, MASK + 1), checked_number("earlier", earlier, 2**63)
            trail, adds = None, self._adds
            if self.render_mode is not None:
                trail, adds = checked_trail(None if trails is None else trails[0], maze), True
        except (TypeError, AttributeError, ValueError) as error:
            raise ValueError(f"this is not a state that get_state returned: {type(error).__name__}: {error}") from None
        if lane is not self._engine:
            self._use(lane)
        lane.put(place)
        self._given, self._steps, self._key, self._episode = bool(given), steps, key, episode
        self._stream, self._earlier, self._adds = int(stream(key, episode)), earlier, adds
        if trail is not None:
            self._screen.begin(maze, cell, trail)

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_tables": {}}

    def render(self) -> NDArray[np.uint8] | str | None:
        """Return the frame ("rgb_array") or the text ("ansi"), or show the window ("human").

        Raises:
            WindowClosed: the user closed the window; it is a SystemExit, so uncaught it ends the program quietly.
            NoDisplayError: there is no display for "human".
        """
        if self.render_mode is None:
            gymnasium.logger.warn('render() needs a render mode: gymnasium.make(..., render_mode="rgb_array")')
            return None
        return self._screen.show(self.render_mode, self.world, self.state, self.metadata["render_fps"])

    def close(self) -> None:
        """Close the window, if there is one; again is fine."""
        self._screen.close()
