"""Agents as pure policies, for rollouts of `mazegrad.envs.functional`: in numpy, JAX or torch, on any device."""

from collections.abc import Callable
from functools import cache
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..envs.functional import Policy, State, Tables, keys, reset, rollout, tables_of
from ..envs.functional.namespace import Array, Maybe, Namespace, namespace, take
from ..envs.functional.stepping import like, placed
from ..envs.maps.arguments import whole
from .automata import Automaton, Bits, CompiledAutomaton
from .rnn import RNNAgent

ToArray: TypeAlias = Callable[[Any], Array]
"""from a numpy array to one of the library of the tables, on their device"""

_CHUNK = 128  # steps between two looks at which episodes are over
_WRITTEN_OUT = 64  # weights: up to here a net is written out as sums of columns, which is faster than a product


def policy_of(agent: Any, tables: Tables, lanes: int) -> Policy:
    """Return an agent as a pure policy.

    The policy takes the actions of `agent.act`. It keeps the weights that the agent has now: make it again after
    training.

    Args:
        agent: an `RNNAgent`, `Automaton`, `CompiledAutomaton` or `RecurrentAgent`.
        tables: of the environment: their library and device are the policy's.
        lanes: how many agents walk.

    Raises:
        TypeError: an agent of another kind; give `rollout` a function of your own for it.
    """
    lanes, array = whole("lanes", lanes, 1), lambda numbers: like(tables, numbers)
    if isinstance(agent, RNNAgent):
        return _rnn(agent, lanes, array)
    if isinstance(agent, CompiledAutomaton):
        return _compiled_automaton(agent, lanes, array)
    if isinstance(agent, Automaton):
        return _automaton(agent, lanes, array)
    from .recurrent import RecurrentAgent

    if isinstance(agent, RecurrentAgent):
        return _recurrent(agent, lanes, array)
    kinds = "an RNNAgent, Automaton, CompiledAutomaton or RecurrentAgent"
    raise TypeError(f"policy_of takes {kinds}, not {type(agent).__name__}; give rollout a function of your own for it")


def evaluate_at_once(
    env: Any, agent: Any, episodes: int, seed: int, discount: float, engine: str | None, device: Any
) -> tuple[Any, Any, Any]:
    """Return the returns, lengths and successes of episodes that are all run at once; see `evaluate`.

    Raises:
        TypeError: an agent that `policy_of` does not take; an environment that is not of this library's mazes.
        ImportError: the library is not installed.
    """
    tables = tables_of(env, engine, device)
    _, state = reset(tables, keys(tables, seed, episodes))
    return _first_episodes(tables, state, agent, discount)


def returns_at_once(
    env: Any, agent: Any, states: NDArray[np.int64], seed: int, discount: float, engine: str, device: Any
) -> NDArray[np.float64]:
    """Return the returns of episodes that begin in given states, lane i seeded `seed + i`; (n,).

    Args:
        env: a `MazeVectorEnv` of one maze.
        agent: see `policy_of`.
        states: (n,), rows of its World.

    Raises:
        TypeError: an agent that `policy_of` does not take.
        ImportError: the library is not installed.
    """
    tables = tables_of(env, engine, device)
    _, state = reset(tables, keys(tables, seed, len(states)))
    returns, _, _ = _first_episodes(tables, placed(tables, state, like(tables, states)), agent, discount)
    return returns


def _first_episodes(tables: Tables, state: State, agent: Any, discount: float) -> tuple[Any, Any, Any]:
    """Return the returns, lengths and successes of the episodes that lanes are in."""
    policy, found, hidden = policy_of(agent, tables, state.at.shape[0]), None, None
    while found is None or int(namespace(found.episodes).min(found.episodes)) == 0:
        found, state, hidden = rollout(
            tables, policy, state, _CHUNK, hidden=hidden, keep="episodes", discount=discount, before=found
        )
    assert found.successes is not None
    columns = (found.returns, found.lengths, found.successes)
    returns, lengths, successes = (np.asarray(column.cpu() if hasattr(column, "cpu") else column) for column in columns)
    return returns.astype(np.float64), lengths.astype(np.int64), successes > 0


def _repeated(array: ToArray, row: Any, lanes: int) -> Array:
    return array(np.tile(row, (lanes, *[1] * np.ndim(row))))


def _floats(seen: Array, weights: Array) -> Array:
    """Return observations as numbers of the weights' dtype, (lanes, m)."""
    return namespace(seen).astype(seen, weights.dtype)


def _largest(columns: list[Array]) -> Array:
    """Return the number of the largest column, the first of equal ones, (lanes,) int32."""
    xp = namespace(columns[0])
    best, action = columns[0], xp.astype(columns[0] * 0, xp.int32)
    for number, column in enumerate(columns[1:], 1):
        action = xp.where(column > best, number, action)
        best = xp.where(column > best, column, best)
    return action


def _rnn(agent: RNNAgent, lanes: int, array: ToArray) -> Policy:
    rnn = agent.rnn
    one_hot = agent.feedback == "one_hot"
    if rnn.W.size + rnn.U.size <= _WRITTEN_OUT:
        columns = tuple(_repeated(array, number, lanes) for number in rnn.h0)
        weights = tuple(tuple(map(tuple, part.tolist())) for part in (rnn.W, rnn.U))
        return Policy(_written_out(*weights, tuple(rnn.b.tolist()), one_hot), None, columns)
    parameters = tuple(array(part) for part in (rnn.W.T.copy(), rnn.U.T.copy(), rnn.b))
    return Policy(_one_hot_product if one_hot else _product, parameters, _repeated(array, rnn.h0, lanes))


@cache
def _written_out(W: Any, U: Any, b: Any, one_hot: bool) -> Any:
    """Return the step of a small net as sums of columns; its hidden state is a tuple of columns, (lanes,) each."""

    def act(parameters: Any, seen: Array, hidden: tuple[Array, ...]) -> tuple[Array, tuple[Array, ...]]:
        x = [_floats(seen[:, number], hidden[0]) for number in range(len(W[0]))]
        after = [
            _weighed(x, to_x, hidden[0]) + _weighed(hidden, to_h, hidden[0]) + bias
            for to_x, to_h, bias in zip(W, U, b, strict=True)
        ]
        action = _largest(after)
        if one_hot:
            after = [_floats(action == number, hidden[0]) for number in range(len(after))]
        return action, tuple(after)

    return act


def _weighed(columns: Any, weights: Any, zero: Array) -> Array:
    """Return the sum of columns times weights; those of weight 0 are left out."""
    total = None
    for column, weight in zip(columns, weights, strict=True):
        if weight:
            part = column if weight == 1 else column * weight
            total = part if total is None else total + part
    return zero * 0 if total is None else total


def _after(parameters: Any, seen: Array, hidden: Array) -> Array:
    W, U, b = parameters
    return _floats(seen, W) @ W + hidden @ U + b


def _product(parameters: Any, seen: Array, hidden: Array) -> tuple[Array, Array]:
    after = _after(parameters, seen, hidden)
    return namespace(after).argmax(after, axis=-1), after


def _one_hot_product(parameters: Any, seen: Array, hidden: Array) -> tuple[Array, Array]:
    action, after = _product(parameters, seen, hidden)
    return action, _one_hot(action, after)


def _one_hot(numbers: Array, like: Array) -> Array:
    """Return ones at these columns of an array like the given one, (lanes, n), else zeros."""
    xp = namespace(like)
    columns = xp.cumulative_sum(xp.ones_like(like[0, :]), axis=0) - 1
    return _floats(_floats(numbers, like)[:, None] == columns, like)


def _numbered(encode: Any, array: ToArray) -> Maybe:
    """Return the factors of bits of which the number of an observation is the sum; None where it is the number."""
    if isinstance(encode, Bits):
        return array((1 << np.arange(encode.count)).astype(np.int32))
    from .automata import Number

    if isinstance(encode, Number):
        return None
    raise TypeError(f"policy_of numbers observations by Bits or Number, not by {type(encode).__name__}")


def _number(factors: Maybe, seen: Array) -> Array:
    xp = namespace(seen)
    if factors is None:
        return xp.astype(seen, xp.int32)
    return xp.sum(xp.astype(seen, xp.int32) * factors, axis=-1, dtype=xp.int32)


def _automaton(agent: Automaton, lanes: int, array: ToArray) -> Policy:
    tables = tuple(array(part.astype(np.int32)) for part in (agent.action.ravel(), agent.next_node.ravel()))
    wide = array(np.array(agent.observations, dtype=np.int32))
    start = _repeated(array, np.int32(agent.start), lanes)
    return Policy(_look_up, (*tables, wide, _numbered(agent.encode, array)), start)


def _look_up(parameters: Any, seen: Array, node: Array) -> tuple[Array, Array]:
    action, following, wide, factors = parameters
    entry = node * wide + _number(factors, seen)
    return take(action, entry), take(following, entry)


def _compiled_automaton(agent: CompiledAutomaton, lanes: int, array: ToArray) -> Policy:
    rnn, factors = agent.rnn, _numbered(agent.encode, array)
    weights = (rnn.W.T.copy(), rnn.U.T.copy(), rnn.b, agent.readout.T.copy())
    hidden = _repeated(array, rnn.h0, lanes)
    act = _threshold if factors is not None else _threshold_of_number
    return Policy(act, tuple(array(np.asarray(part, dtype=np.float64)) for part in weights), hidden)


def _threshold(parameters: Any, seen: Array, hidden: Array) -> tuple[Array, Array]:
    *weights, readout = parameters
    after = _floats(_after(weights, seen, hidden) > 0, hidden)
    return namespace(after).argmax(after @ readout, axis=-1), after


def _threshold_of_number(parameters: Any, seen: Array, hidden: Array) -> tuple[Array, Array]:
    W = parameters[0]
    return _threshold(parameters, _one_hot(seen, W[:, 0][None, :] + hidden[:, :1] * 0), hidden)


def _recurrent(agent: Any, lanes: int, array: ToArray) -> Policy:
    """Return the policy of a net of `mazegrad.nn`: a plain RNN, an LSTM or a GRU, any number of layers."""
    from ..nn import GRU, LSTM

    net = agent.net
    kind = "lstm" if isinstance(net, LSTM) else "gru" if isinstance(net, GRU) else net.settings["nonlinearity"]
    leak = net.settings.get("leak", 1.0)
    layers = []
    for layer in range(net.num_layers):
        names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        parts: list[Any] = [getattr(net, f"{name}_l{layer}", None) for name in names]
        zeros = np.zeros(parts[0].shape[0], dtype=parts[0].data.dtype)
        values = [zeros if part is None else np.array(part.data) for part in parts]
        layers.append((array(values[0].T.copy()), array(values[1].T.copy()), array(values[2]), array(values[3])))
    hidden = agent.initial_state(lanes)
    hidden = tuple(hidden) if kind == "lstm" else (hidden,)
    begin = tuple(tuple(array(part[:, layer].copy()) for layer in range(net.num_layers)) for part in hidden)
    return Policy(_layered(kind, leak, agent.encode), (layers, _readout(agent.readout, array)), begin)


def _readout(module: Any, array: ToArray) -> list[Any]:
    """Return (weight, bias) of each linear layer, and names of what lies between."""
    from ..nn import Identity, Linear, ReLU, Sequential, Tanh

    if module is None or isinstance(module, Identity):
        return []
    if isinstance(module, Linear):
        bias = np.zeros(len(module.weight.data), module.weight.data.dtype) if module.bias is None else module.bias.data
        return [(array(np.array(module.weight.data).T.copy()), array(np.array(bias)))]
    if isinstance(module, Sequential):
        return [step for part in module for step in _readout(part, array)]
    if isinstance(module, ReLU | Tanh):
        return [{type(module).__name__.lower(): ()}]
    raise TypeError(f"policy_of reads out by Linear, ReLU, Tanh and Sequential, not by {type(module).__name__}")


@cache
def _layered(kind: str, leak: float, encode: Any) -> Any:
    def act(parameters: Any, seen: Array, hidden: Any) -> tuple[Array, Any]:
        layers, readout = parameters
        x = seen if encode is np.asarray else encode(seen)
        x = _floats(x, layers[0][0])
        after = []
        for layer, weights in enumerate(layers):
            state = _CELLS.get(kind, _plain)(namespace(x), weights, x, [part[layer] for part in hidden], kind, leak)
            after.append(state)
            x = state[0]
        for step in readout:  # a weight and a bias, or the name of what lies between
            x = _ACTIVATIONS[next(iter(step))](namespace(x), x) if isinstance(step, dict) else x @ step[0] + step[1]
        return namespace(x).argmax(x, axis=-1), tuple(zip(*after, strict=True))

    return act


def _sigmoid(xp: Namespace, x: Array) -> Array:
    return (xp.tanh(x / 2) + 1) / 2


_ACTIVATIONS = {
    "tanh": lambda xp, x: xp.tanh(x),
    "relu": lambda xp, x: xp.where(x > 0, x, x * 0),
    "linear": lambda xp, x: x,
}


def _plain(xp: Namespace, weights: Any, x: Array, state: Any, kind: str, leak: float) -> tuple[Array, ...]:
    W, U, b, c = weights
    new = _ACTIVATIONS[kind](xp, x @ W + b + state[0] @ U + c)
    return (new if leak == 1 else state[0] + leak * (new - state[0]),)


def _lstm(xp: Namespace, weights: Any, x: Array, state: Any, kind: str, leak: float) -> tuple[Array, ...]:
    (W, U, b, c), (h, cell) = weights, state
    n = h.shape[1]
    z = x @ W + b + h @ U + c
    keep, add = _sigmoid(xp, z[:, n : 2 * n]), _sigmoid(xp, z[:, :n]) * xp.tanh(z[:, 2 * n : 3 * n])
    cell = keep * cell + add
    return _sigmoid(xp, z[:, 3 * n :]) * xp.tanh(cell), cell


def _gru(xp: Namespace, weights: Any, x: Array, state: Any, kind: str, leak: float) -> tuple[Array, ...]:
    (W, U, b, c), h = weights, state[0]
    n = h.shape[1]
    of_x, of_h = x @ W + b, h @ U + c
    reset, stay = (_sigmoid(xp, of_x[:, k * n : (k + 1) * n] + of_h[:, k * n : (k + 1) * n]) for k in (0, 1))
    new = xp.tanh(of_x[:, 2 * n :] + reset * of_h[:, 2 * n :])
    return (new + stay * (h - new),)


_CELLS: dict[str, Any] = {"lstm": _lstm, "gru": _gru}
