"""A policy is a recurrent net with two heads: what to do, and what the present place is worth."""

import os
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import gymnasium
import numpy as np
from gymnasium import spaces
from numpy.typing import ArrayLike, NDArray

from ... import nn
from ...envs import MazeEnv, draw
from ...envs.maps.arguments import generator_of_numbers, nearest, whole
from ..rnn import LinearRNN, RNNAgent
from .cells import CELLS, keep, net_of
from .encoding import Encoder, Narrow, encoder

Array = NDArray[Any]

FORMAT: Final = "mazegrad policy 1"
NO_ACTION: Final = -1
"""the previous action at the beginning of an episode"""


class Thought(NamedTuple):
    """What a policy makes of a batch of observations."""

    logits: Array
    """(batch, actions): the logarithms of the probabilities, up to a constant"""
    values: Array
    """(batch,): the expected return, on the critic's scale; 0 without heads"""
    hidden: tuple[Array, ...]
    """the net's next state, each part (batch, layers, hidden)"""


class RecurrentPolicy(nn.Module):
    """Any cell of `nn`, an actor and a critic; as an `Agent` it takes the action that it holds to be best.

    What it saw lives in the state that goes through the caller's hands: None without a memory, else the net's state
    with the batch in front, (batch, layers, hidden), for an LSTM a pair (h, c) of them; where the policy also sees its
    previous action, a pair of the net's state and that action.

    Args:
        observations: a space, such as `env.single_observation_space`, or an `Encoder`.
        actions: how many there are, or their space.
        cell: one of `CELLS`.
        hidden: units of each layer.
        layers: on top of each other.
        previous_action: let the net see, beside the observation, which action it took before.
        heads: False lets the hidden units be the actions, as exercise 38 has it, without a critic.
        h0: the state of each layer at the beginning of an episode, (layers, hidden), or (hidden,) for one layer; for
            an LSTM a pair. Zero by default; it is not trained.
        keeps: for how many steps the gates of an LSTM or a GRU keep at first: each unit from 2 to this number (chrono
            initialisation, Tallec & Ollivier 2018). None: an LSTM's for a few, a GRU's for two.
        rng: for the first weights.
        dtype: float32 or float64.

    Raises:
        ValueError: a space that cannot be encoded, an unknown cell, sizes that do not fit.

    Example:
        >>> import numpy as np
        >>> from gymnasium.spaces import Discrete, MultiBinary
        >>> from mazegrad.agents import RecurrentPolicy
        >>> policy = RecurrentPolicy(MultiBinary(4), Discrete(4), cell="lstm", hidden=8, rng=np.random.default_rng(0))
        >>> h, c = policy.initial_state(3)
        >>> h.shape
        (3, 1, 8)
        >>> action, state = policy.act(np.eye(4)[:3], (h, c))
        >>> action.shape
        (3,)
    """

    def __init__(
        self,
        observations: gymnasium.Space[Any] | Encoder,
        actions: int | gymnasium.Space[Any],
        cell: str = "gru",
        hidden: int = 64,
        layers: int = 1,
        *,
        previous_action: bool = False,
        heads: bool = True,
        h0: ArrayLike | None = None,
        keeps: int | None = None,
        rng: np.random.Generator,
        dtype: Any = np.float32,
    ) -> None:
        if cell not in CELLS:
            raise ValueError(f"unknown cell {cell!r}{nearest(cell, CELLS)}")
        self.encoder = observations if isinstance(observations, Encoder) else encoder(observations)
        self.actions = _count(actions)
        self.cell, self.hidden, self.layers = cell, whole("hidden", hidden, 1), whole("layers", layers, 1)
        self.previous_action, self.dtype = bool(previous_action), np.dtype(dtype)
        if self.dtype not in (np.float32, np.float64):
            raise ValueError(f"dtype is float32 or float64, not {self.dtype}")
        if not heads and hidden != self.actions:
            raise ValueError(f"without heads each hidden unit is an action: {self.actions} of them, not {hidden}")
        inputs = self.encoder.size + self.actions * self.previous_action
        self.net = net_of(cell, inputs, hidden, layers, rng, self.dtype)
        if keeps is not None:
            keep(self.net, whole("keeps", keeps, 3), rng)
        self.heads: nn.Linear | None = None
        if heads:  # one layer for both: the first rows are the actor's, the last is the critic's
            self.heads = nn.Linear(hidden, self.actions + 1, rng=rng, dtype=self.dtype)
            gains = np.array([0.01] * self.actions + [1.0])[:, None]  # at first every action is as likely
            self.heads.weight.assign(nn.init.orthogonal((self.actions + 1, hidden), rng=rng) * gains)
            self.heads.bias = nn.Parameter(np.zeros(self.actions + 1, dtype=self.dtype))
        self._h0 = self._checked_h0(h0)
        self.value_scale = (0.0, 1.0)  # what the critic says, times the second, plus the first, is a return

    def _checked_h0(self, h0: ArrayLike | None) -> tuple[Array, ...]:
        count, shape = {"none": 0, "lstm": 2}.get(self.cell, 1), (self.layers, self.hidden)
        if h0 is None:
            return (np.zeros(shape, self.dtype),) * count
        given = np.asarray(h0, dtype=self.dtype)
        if given.size != count * self.layers * self.hidden or not np.isfinite(given).all():
            expected = f"{count} x {shape}" if count else "nothing, since this net has no memory"
            raise ValueError(f"h0 holds {given.size} numbers of shape {given.shape}, expected {expected}")
        return tuple(given.reshape(count, *shape))

    # ------------------------------------------------------------------------------------------------- as a function
    def inputs(self, observations: Any, previous: Array | None = None) -> Array:
        """Return what the net is fed: observations encoded, and beside them the previous actions one-hot.

        Args:
            observations: (..., *shape), as the environment gives them.
            previous: (...,) integers, `NO_ACTION` where an episode begins; needed if the policy sees them.
        """
        return self._with_previous(self.encoder(observations), previous)

    def inputs_of_stored(self, stored: Array, previous: Array | None = None) -> Array | Narrow:
        """The same, for observations that `encoder.stored` made ready for keeping; narrow where most inputs are 0."""
        x = self.encoder.restored(stored)
        if not isinstance(x, Narrow):
            return self._with_previous(x, previous)
        further = self.encoder.size + np.arange(self.actions * self.previous_action)
        return Narrow(self._with_previous(x.values, previous), np.concatenate([x.columns, further]))

    def _with_previous(self, x: Array, previous: Array | None) -> Array:
        if self.previous_action:
            if previous is None:
                raise ValueError("this policy sees its previous action: give it")
            x = np.concatenate([x, np.asarray(previous)[..., None] == np.arange(self.actions)], axis=-1)
        return x.astype(self.dtype, copy=False)

    def forward(
        self, x: Array | Narrow, hidden: tuple[Array, ...], resets: Array | None = None
    ) -> tuple[Any, Any, Any]:
        """Run T steps at once: x (T, batch, inputs) -> logits (T, batch, actions), values (T, batch), the last hidden.

        Args:
            x: see `inputs` and `inputs_of_stored`.
            hidden: the net's state before, a tuple of (batch, layers, hidden) arrays: see `begin`.
            resets: booleans (T, batch), True where an episode begins.
        """
        out, after = self._remember(x, hidden, resets)
        if self.heads is None:
            return out, nn.Tensor(np.zeros(out.shape[:-1]), dtype=self.dtype), after
        both = self.heads(out)
        return both[..., : self.actions], both[..., self.actions], after

    def _remember(
        self, x: Array | Narrow, hidden: tuple[Array, ...], resets: Array | None
    ) -> tuple[Any, tuple[Any, ...]]:
        values, columns = (x.values, x.columns) if isinstance(x, Narrow) else (x, None)
        if isinstance(self.net, nn.Sequential):  # without a memory
            return self.net[1:](self.net[0](values, columns=columns)), ()
        layers_first = tuple(np.swapaxes(part, 0, 1) for part in hidden)
        out, after = self.net(values, _packed(layers_first), resets=resets, fresh=_packed(self._h0), columns=columns)
        parts = after if isinstance(after, tuple) else (after,)
        return out, tuple(np.swapaxes(part.data, 0, 1) for part in parts)

    def begin(self, batch: int) -> tuple[Array, ...]:
        """Return the net's state at the beginning of an episode, each part (batch, layers, hidden)."""
        return tuple(np.tile(part, (batch, 1, 1)) for part in self._h0)

    def rescale(self, mean: float, std: float) -> None:
        """Let the critic say returns less this mean, in units of this std; as returns they stay what they were."""
        old_mean, old_std = self.value_scale
        assert self.heads is not None and self.heads.bias is not None
        weight, bias = np.array(self.heads.weight.data), np.array(self.heads.bias.data)
        weight[-1] *= old_std / std
        bias[-1] = (bias[-1] * old_std + old_mean - mean) / std
        self.heads.weight.assign(weight)
        self.heads.bias.assign(bias)
        self.value_scale = (mean, std)

    def think(self, x: Array | Narrow, hidden: tuple[Array, ...]) -> Thought:
        """Make one step of a batch, x (batch, inputs); no gradients."""
        step = Narrow(x.values[None], x.columns) if isinstance(x, Narrow) else x[None]
        with nn.no_grad():
            logits, values, after = self(step, hidden)
        return Thought(logits.data[0], values.data[0], after)

    # --------------------------------------------------------------------------------------------------- as an agent
    def initial_state(self, batch_size: int | None = None) -> Any:
        """Return the state before the first observation of an episode."""
        hidden = self.begin(1 if batch_size is None else batch_size)
        previous = np.full(1 if batch_size is None else batch_size, NO_ACTION)
        return self._handed_out(hidden, previous, batch_size is None)

    def act(self, observation: Any, state: Any) -> tuple[Any, Any]:
        """Return the most likely action, the first of equals, and the next state; one observation or a batch of them.

        Raises:
            ValueError: an observation of another shape.
        """
        return self.act_by(observation, state, lambda logits: logits.argmax(axis=1))

    def act_by(self, observation: Any, state: Any, choose: Any) -> tuple[Any, Any]:
        """The same, with a function that chooses: from logits (batch, actions) to actions (batch,)."""
        seen = self.encoder.stored(observation)
        alone = seen.ndim == self.encoder.stored_axes
        seen = seen[None] if alone else seen
        hidden, previous = self._taken_in(state, len(seen), alone)
        thought = self.think(self.inputs_of_stored(seen, previous), hidden)
        actions = choose(thought.logits)
        return (int(actions[0]) if alone else actions), self._handed_out(thought.hidden, actions, alone)

    def sampling(self, rng: np.random.Generator) -> "SamplingAgent":
        """Return an agent that draws its actions by their probabilities, as a policy gradient trains them."""
        return SamplingAgent(self, rng)

    def _handed_out(self, hidden: tuple[Array, ...], previous: Array, alone: bool) -> Any:
        parts = tuple(part[0] for part in hidden) if alone else hidden
        state = _packed(parts) if parts else None
        return (state, int(previous[0]) if alone else previous) if self.previous_action else state

    def _taken_in(self, state: Any, batch: int, alone: bool) -> tuple[tuple[Array, ...], Array | None]:
        """Undo `_handed_out`."""
        previous = None
        if self.previous_action:
            state, previous = state
            previous = np.atleast_1d(previous)
        parts = () if state is None else state if isinstance(state, tuple) else (state,)
        hidden = tuple(part[None] if alone else part for part in parts)
        expected = (batch, self.layers, self.hidden)
        if len(hidden) != len(self._h0) or any(part.shape != expected for part in hidden):
            raise ValueError(f"the state does not belong to {batch} observations: each part has shape {expected}")
        return hidden, previous

    def probabilities(self, observation: Any, state: Any) -> Array:
        """Return how likely it holds each action, (actions,) or (batch, actions)."""
        found: list[Array] = []

        def look(logits: Array) -> Array:
            found.append(softmax(logits))
            return logits.argmax(axis=1)

        self.act_by(observation, state, look)
        alone = self.encoder.stored(observation).ndim == self.encoder.stored_axes
        return found[0][0] if alone else found[0]

    def units(self, state: Any) -> Array:
        """Return what one agent's state holds, (numbers,): its hidden units, and an LSTM's cells after them."""
        hidden = state[0] if self.previous_action else state
        parts = () if hidden is None else hidden if isinstance(hidden, tuple) else (hidden,)
        return np.concatenate([np.ravel(part) for part in parts]) if parts else np.zeros(0, self.dtype)

    def value(self, observation: Any, state: Any) -> float | None:
        """Return what one agent expects to earn from here, discounted; None without a critic."""
        thought, _ = self._think_once(observation, state)
        mean, std = self.value_scale
        return None if self.heads is None else float(thought.values[0]) * std + mean

    def gates(self, observation: Any, state: Any) -> dict[str, Array]:
        """Return how far the gates of one agent's last layer open, 0 to 1: name -> (hidden,); empty without gates."""
        names = {"lstm": ("input", "forget", "", "output"), "gru": ("reset", "update")}.get(self.cell, ())
        if not names:
            return {}
        thought, x = self._think_once(observation, state)
        hidden, _ = self._taken_in(state, 1, alone=True)
        if self.layers > 1:
            x = thought.hidden[0][0, -2]
        last, weights = self.layers - 1, self.net.state_dict()
        sums = weights[f"weight_ih_l{last}"] @ x + weights[f"weight_hh_l{last}"] @ hidden[0][0, -1]
        sums = (sums + weights[f"bias_ih_l{last}"] + weights[f"bias_hh_l{last}"]).reshape(-1, self.hidden)
        return {name: 1 / (1 + np.exp(-part)) for name, part in zip(names, sums, strict=False) if name}

    def plot(self, env: gymnasium.Env[Any, Any], state: int | None = None, **keywords: Any) -> NDArray[np.uint8]:
        """Draw over a maze how likely it takes each action, and what its critic expects; see `draw`.

        In each state that is what it would do if an episode began there.

        Args:
            env: a single environment of this library; its maze is drawn.
            state: of the agent that is drawn, or None.
            keywords: of `draw`.

        Raises:
            TypeError: another environment.
        """
        made = env.unwrapped
        if not isinstance(made, MazeEnv):
            raise TypeError(f"the mazes of this library's environments can be drawn, not a {type(made).__name__}")
        x = self.encoder(made.observations())
        thought = self.think(self._with_previous(x, np.full(len(x), NO_ACTION)), self.begin(len(x)))
        over: dict[str, Any] = {"policy": softmax(thought.logits)}
        if self.heads is not None:
            over["values"] = thought.values * self.value_scale[1] + self.value_scale[0]
        return draw(made.world, state, **{**over, **keywords})

    def _think_once(self, observation: Any, state: Any) -> tuple[Thought, Array]:
        """Return what one observation makes it think, and what the net was fed, (inputs,)."""
        hidden, previous = self._taken_in(state, 1, alone=True)
        x = self._with_previous(self.encoder(observation)[None], previous)
        return self.think(x, hidden), x[0]

    def as_rnn(self) -> RNNAgent:
        """Return W, U, b and h0 of a linear net without heads as the agent of exercise 38.

        Raises:
            ValueError: a net of another form.
        """
        if self.cell != "linear" or self.heads is not None or self.layers > 1 or self.previous_action:
            raise ValueError('only a policy with cell="linear", heads=False and one layer is W, U and b')
        w = {name: array.astype(np.float64) for name, array in self.net.state_dict().items()}
        rnn = LinearRNN(w["weight_ih_l0"], w["weight_hh_l0"], w["bias_ih_l0"] + w["bias_hh_l0"], self._h0[0][0])
        return RNNAgent(rnn)

    # ------------------------------------------------------------------------------------------------------- as a file
    def settings(self) -> dict[str, Any]:
        """Return texts, numbers, lists and arrays that say of which form it is."""
        return {
            "encoder": self.encoder.settings(), "actions": self.actions, "cell": self.cell, "hidden": self.hidden,
            "layers": self.layers, "previous_action": self.previous_action, "heads": self.heads is not None,
            "h0": np.array(self._h0), "dtype": self.dtype.name, "value_scale": list(self.value_scale),
        }  # fmt: skip

    def save(self, path: str | os.PathLike[str], **more: Any) -> None:
        """Write form and weights as npz; nothing in it is ever executed. `more` is kept beside them: see `nn.save`."""
        nn.save(path, format=FORMAT, settings=self.settings(), weights=self, **more)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> "RecurrentPolicy":
        """Read what `save` wrote, or the checkpoint of a learner.

        Raises:
            ValueError: the file holds no policy, or a damaged one.
            OSError: it cannot be opened.
        """
        return cls.from_saved(nn.load(path), path)

    @classmethod
    def from_saved(cls, saved: Mapping[str, Any], path: Any) -> "RecurrentPolicy":
        """Make the policy that `nn.load(path)` gave."""
        if saved.get("format") != FORMAT:
            raise ValueError(f"{os.fspath(path)} holds no policy: expected a file that a learner's save() wrote")
        try:
            settings = dict(saved["settings"])
            _check_size(settings, saved["weights"])
            dtype, h0 = np.dtype(settings.pop("dtype")), settings.pop("h0")
            mean, std = map(float, settings.pop("value_scale", (0.0, 1.0)))
            made = cls(
                Encoder.from_settings(settings.pop("encoder")),
                whole("actions", settings.pop("actions"), 1),
                **settings,
                h0=h0 if np.size(h0) else None,
                dtype=dtype,
                rng=np.random.default_rng(0),
            )
            made.load_state_dict(saved["weights"])
            if not (np.isfinite(mean) and 0 < std < np.inf):
                raise ValueError(f"the critic's scale is a mean and a positive std, not {mean} and {std}")
            made.value_scale = mean, std
            if "moments" in (saved.get("more") or {}):  # older files have the scale only there
                made.value_scale = mean_and_std(saved["more"]["moments"])
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise ValueError(f"{os.fspath(path)} holds a damaged policy: {type(error).__name__}: {error}") from None
        return made


class SamplingAgent:
    """A policy that draws its actions by their probabilities."""

    def __init__(self, policy: RecurrentPolicy, rng: np.random.Generator) -> None:
        self.policy, self.rng = policy, generator_of_numbers(rng)

    def initial_state(self, batch_size: int | None = None) -> Any:
        """Return the policy's."""
        return self.policy.initial_state(batch_size)

    def act(self, observation: Any, state: Any) -> tuple[Any, Any]:
        """Return an action that is drawn, and the next state."""
        return self.policy.act_by(observation, state, lambda logits: drawn(logits, self.rng))


def mean_and_std(moments: Sequence[float]) -> tuple[float, float]:
    """Return mean and standard deviation of values, from the sums of their weights, of them and of their squares."""
    weight, total, squares = (float(moment) for moment in moments)
    if not weight:
        return 0.0, 1.0
    mean = total / weight
    return mean, max(squares / weight - mean * mean, 1e-4) ** 0.5


def softmax(logits: Array) -> Array:
    """Return probabilities (..., actions)."""
    weights = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return weights / weights.sum(axis=-1, keepdims=True)


def drawn(logits: Array, rng: np.random.Generator) -> NDArray[np.int64]:
    """Draw an action for each row of logits (batch, actions), by its probability."""
    columns = np.ascontiguousarray(logits.T)  # numpy is quick along the batch
    sums = np.exp(columns - columns.max(axis=0)).cumsum(axis=0, dtype=np.float64)
    return (rng.random(len(logits)) * sums[-1] >= sums[:-1]).sum(axis=0)


def _count(actions: int | gymnasium.Space[Any]) -> int:
    if isinstance(actions, spaces.Discrete) and actions.start == 0:
        return int(actions.n)
    if isinstance(actions, gymnasium.Space):
        raise ValueError(f"a policy needs discrete actions from 0 on, not {actions}")
    return whole("actions", actions, 1)


def _check_size(settings: Mapping[str, Any], weights: Mapping[str, Array]) -> None:
    """Raise ValueError where a file names sizes that its weights do not have, before room is made for them."""
    largest = max((max(np.shape(array), default=1) for array in weights.values()), default=0)
    wanted = max(settings["hidden"], settings["actions"], Encoder.from_settings(settings["encoder"]).size)
    if wanted > largest or settings["layers"] > len(weights):
        raise ValueError(f"it names {wanted} units in {settings['layers']} layers, which its weights do not have")


def _packed(parts: tuple[Array, ...]) -> Any:
    return parts[0] if len(parts) == 1 else parts
