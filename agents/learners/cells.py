"""What remembers: nets by the name of their cell, and gates that keep from the first step on."""

import itertools
from typing import Any, Final

import numpy as np

from ... import nn

CELLS: Final = ("none", "linear", "rnn", "gru", "lstm")
"""what remembers: nothing (two layers of tanh), h' = W x + U h + b, the same through tanh, gates, gates and a cell"""


def net_of(
    cell: str, inputs: int, hidden: int, layers: int, rng: np.random.Generator, dtype: np.dtype[Any]
) -> nn.Module:
    """Make what remembers, with orthogonal recurrent weights and gates that keep at first."""
    if cell == "none":
        sizes = [inputs] + [hidden] * max(layers, 2)
        parts = [(nn.Linear(a, b, rng=rng, dtype=dtype), nn.Tanh()) for a, b in itertools.pairwise(sizes)]
        return nn.Sequential(*(module for pair in parts for module in pair))
    kinds = {"linear": nn.RNN, "rnn": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}
    how: dict[str, Any] = {"nonlinearity": "linear"} if cell == "linear" else {}
    net = kinds[cell](inputs, hidden, layers, rng=rng, dtype=dtype, **how)
    for name, parameter in net.named_parameters():
        if name.startswith("weight_hh"):
            blocks = [nn.init.orthogonal((hidden, hidden), rng=rng) for _ in range(len(parameter) // hidden)]
            parameter.assign(np.concatenate(blocks))
        elif name.startswith("bias"):
            forgets = cell == "lstm" and name.startswith("bias_ih")
            parameter.assign(nn.init.forget_bias(hidden) if forgets else np.zeros(parameter.shape))
    return net


def keep(net: nn.Module, longest: int, rng: np.random.Generator) -> None:
    """Set the biases of gates so that each unit keeps what it holds for 2 to `longest` steps.

    Raises:
        ValueError: a net without gates.
    """
    if not isinstance(net, nn.LSTM | nn.GRU):
        raise ValueError('keeps= sets gates: it needs cell="lstm" or cell="gru"')
    for name, bias in net.named_parameters():
        if name.startswith("bias_ih"):
            late = nn.init.chrono(net.hidden_size, longest, rng=rng)
            none = np.zeros_like(late)
            # the gates of an LSTM: input, forget, cell, output; of a GRU: reset, update, new
            bias.assign(np.concatenate([-late, late, none, none] if isinstance(net, nn.LSTM) else [none, late, none]))
