"""Activations are PyTorch's at every number: at the bends, near 0, far out, at infinity, in both precisions."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from mazegrad import nn

ACTIVATIONS: dict[str, tuple[Any, ...]] = {
    "leaky_relu": (0.2,),
    "elu": (0.7,),
    "celu": (0.5,),
    "selu": (),
    "silu": (),
    "mish": (),
    "softplus": (2.0, 3.0),
    "logsigmoid": (),
    "hardtanh": (-2.0, 3.0),
    "relu6": (),
    "hardsigmoid": (),
    "hardswish": (),
    "softsign": (),
}
LAYERS = {
    **{name: (name.replace("_", ""), settings) for name, settings in ACTIVATIONS.items()},
    "relu": ("ReLU", ()),
    "prelu": ("PReLU", (1, 0.1)),
    "glu": ("GLU", (0,)),
    "log_softmax": ("LogSoftmax", (0,)),
    "softmax": ("Softmax", (0,)),
    "gelu": ("GELU", ("tanh",)),
    "identity": ("Identity", (1, 2)),
}


def t() -> Any:
    return pytest.importorskip("torch", reason='comparison with PyTorch needs pip install "mazegrad[parity]"')


def numbers(dtype: Any) -> np.ndarray:
    """Bends and their neighbours, tiny and huge numbers, those that overflow in exp, infinities, NaN."""
    bends = np.array([-6, -3, -2, 0, 1.5, 3, 6, 1], dtype)
    tiny = np.finfo(dtype).tiny
    ends = [0.0, tiny, tiny / 4, 1e-7, 0.1, 17, 20, 40, 88, 104, 700, 710, 800, 1e30, np.inf]
    around = [bends, np.nextafter(bends, dtype(np.inf)), np.nextafter(bends, dtype(-np.inf))]
    return np.concatenate([*around, np.array(ends, dtype), -np.array(ends, dtype), [dtype(np.nan)]])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_values_and_slopes_at_every_kind_of_number(name: str, dtype: Any) -> None:
    torch, settings = t(), ACTIVATIONS[name]
    array = numbers(dtype)
    mine, theirs = nn.Tensor(array, requires_grad=True), torch.tensor(array, requires_grad=True)
    out = getattr(nn, name)(mine, *settings)
    expected = getattr(torch.nn.functional, name)(theirs, *settings)
    rtol = 4e-6 if dtype is np.float32 else 1e-12 if name != "hardsigmoid" else 1e-7  # torch's 1/6 is a float32
    atol = 100 * np.finfo(dtype).tiny * (1000 if dtype is np.float64 else 1)  # torch's silu is 0 below exp's range
    np.testing.assert_allclose(out.data, expected.detach().numpy(), rtol=rtol, atol=atol)
    out.backward(np.ones_like(array))
    expected.backward(torch.ones_like(expected))
    np.testing.assert_allclose(mine.grad, theirs.grad.numpy(), rtol=rtol, atol=atol)


@pytest.mark.parametrize("name", LAYERS)
def test_layers_are_those_of_torch(name: str) -> None:
    torch, (called, settings) = t(), LAYERS[name]
    (called,) = (found for found in vars(nn) if found.lower() == called.lower() and found[0].isupper())
    ours, theirs = getattr(nn, called)(*settings), getattr(torch.nn, called)(*settings)
    x = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)
    np.testing.assert_allclose(np.asarray(ours(x)), theirs(torch.tensor(x)).detach().numpy(), rtol=1e-5, atol=1e-6)
    told = re.findall(r"\w+=[-\w.]+", repr(theirs))
    assert [word for word in told if word.split("=")[0] in repr(ours) and word not in repr(ours)] == []
    if "inplace" in type(theirs).__init__.__code__.co_varnames:
        again = getattr(nn, called)(*settings, inplace=True)
        np.testing.assert_array_equal(np.asarray(again(x)), np.asarray(ours(x)))


def test_prelu_of_each_channel_learns_its_slopes() -> None:
    torch = t()
    layer, other = nn.PReLU(3, dtype=np.float64), torch.nn.PReLU(3, dtype=torch.float64)
    x = np.random.default_rng(0).normal(size=(2, 3, 4, 5))
    layer(nn.Tensor(x)).square().sum().backward()
    other(torch.tensor(x)).square().sum().backward()
    assert layer.weight.grad is not None
    np.testing.assert_allclose(layer.weight.grad, other.weight.grad.numpy())
    assert layer.state_dict().keys() == dict(other.state_dict()).keys()


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: nn.softplus(np.ones(2), 0.0), "beta is 0.0; expected a finite number above 0"),
        (lambda: nn.celu(np.ones(2), 0.0), "alpha is 0.0"),
        (lambda: nn.hardtanh(np.ones(2), 1.0, 0.0), "min_val is 1.0 and max_val 0.0"),
        (lambda: nn.Hardtanh(1.0, 1.0), "min_val is 1.0 and max_val 1.0"),
        (lambda: nn.glu(np.ones((2, 3))), r"glu of shape \(2, 3\): expected an even size along dim -1"),
        (lambda: nn.prelu(np.ones((2, 3)), np.ones(2)), "one weight, or one for each channel"),
        (lambda: nn.PReLU(0), "num_parameters is 0"),
    ],
)
def test_errors_name_what_was_given_and_what_is_wanted(call: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        call()
