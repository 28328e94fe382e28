"""Habits carry over: what PyTorch has too takes PyTorch's arguments, by its names, in its order, with its defaults."""

from __future__ import annotations

import ast
import inspect
import itertools
import re
import typing
from collections.abc import Iterator
from inspect import Parameter
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from mazegrad import nn
from mazegrad.nn import functional, torch_names

PIPES = {"DFIterDataPipe", "IterDataPipe", "MapDataPipe"}  # of torchdata, deprecated
OURS = {"rng", "dtype", "leak", "rotary"}  # keywords that PyTorch lacks, or means otherwise
EXCEPTIONS = {"conv2d"}  # exercise 41 and DESIGN name its arguments: image, kernel, bias, padding

KINDS = POSITIONAL, KEYWORD = Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY


def shared(torch: Any) -> Iterator[tuple[str, Any, Any]]:
    """Every class and function that both have: its name here, ours and theirs."""
    classes, functions = (torch.nn, torch.optim, torch.optim.lr_scheduler), [torch.nn.functional, torch.nn.utils]
    others = SimpleNamespace(grad=torch.autograd.grad, functional_call=torch.func.functional_call)
    functions += [torch.autograd.functional, others]
    schedulers = {name for name, thing in vars(nn.schedulers).items() if getattr(thing, "rate", None)}
    public = {name for name in vars(nn) if not name.startswith("_")}
    for name in [*public - {"Tensor"}, *schedulers]:  # torch's Tensor is not made by calling it
        ours = getattr(nn.schedulers if name in schedulers else nn, name)
        rooms = classes if inspect.isclass(ours) else functions if callable(ours) else ()
        for room, spelling in itertools.product(rooms, (re.sub(r"(\d)D", r"\1d", name), f"{name}_")):
            if callable(getattr(room, spelling, None)):
                yield name, ours, getattr(room, spelling)


def settings(thing: Any) -> dict[str, Parameter]:
    """The parameters by name; where Python cannot tell them, as the docstring has them in its first line."""
    overloads = typing.get_overloads(vars(thing).get("__init__", settings)) if inspect.isclass(thing) else []
    text = re.match(r"\s*\w+\((.*?)\)", thing.__doc__ or "", re.DOTALL)
    try:
        found = inspect.signature(overloads[0] if overloads else thing)
    except ValueError:
        found = None
    if text and (found is None or [*found.parameters] == ["args", "kwargs"]):
        found = signature_of(text[1])
    assert found
    return {name: p for name, p in found.parameters.items() if name != "self" and p.kind in KINDS}


def signature_of(text: str) -> inspect.Signature:
    """The signature that is written as "input, weight, bias=None"."""
    found = ast.parse(f"(lambda {text}: 0)", mode="eval").body.args  # type: ignore[attr-defined]
    missing = [Parameter.empty] * (len(found.args) - len(found.defaults))
    defaults = [*missing, *map(ast.literal_eval, found.defaults)]
    pairs = zip(found.args, defaults, strict=True)
    return inspect.Signature([Parameter(node.arg, POSITIONAL, default=default) for node, default in pairs])


def test_what_torch_has_too_takes_the_same_arguments() -> None:
    """A call by position means the same there or is refused here; keywords and defaults are theirs."""
    torch = pytest.importorskip("torch", reason='comparison with PyTorch needs pip install "mazegrad[parity]"')
    strange, compared = [], set()
    for name, ours, theirs in shared(torch):
        mine, known = settings(ours), settings(theirs)
        positional = [p.name for p in mine.values() if p.kind is POSITIONAL]
        keywords = [p.name for p in mine.values() if p.kind is KEYWORD]
        if positional != list(known)[: len(positional)] or not set(keywords) <= {*known, *OURS}:
            strange.append(f"{name}({', '.join(mine)}), but in torch ({', '.join(known)})")
        for p in mine.values():
            default = known[p.name].default if p.name in known and p.name not in OURS else None
            if inspect.isfunction(default):  # such as relu
                default = getattr(nn, default.__name__)
            if default is not None and p.default is not default and p.default != default:
                strange.append(f"{name}: {p.name} is {p.default!r}, but in torch {default!r}")
        compared.add(name)
    assert {re.split(r"\W", line)[0] for line in strange} == EXCEPTIONS, "\n".join(strange)
    assert compared >= {"Linear", "Conv2D", "LSTM", "Adam", "cross_entropy", "gelu", "clip_grad_norm", "StepLR"}


@pytest.mark.parametrize(
    ("place", "name", "words"),
    [
        (nn, "Conv2d", "nn.Conv2d is called Conv2D here"),
        (nn, "AdaptiveAvgPool1d", "nn.AdaptiveAvgPool1d is called AdaptiveAvgPool1D here"),
        (nn, "Conv3d", "nn.Conv3d is not in mazegrad; see docs/nn.md"),
        (nn, "conv3d", "nn.conv3d is not in mazegrad; see docs/nn.md"),
        (nn, "LBFGS", "nn.LBFGS is not in mazegrad; see docs/nn.md"),
        (nn, "Optimizer", "nn.Optimizer is called Optimiser here"),
        (nn, "clip_grad_norm_", "nn.clip_grad_norm_ is called clip_grad_norm here"),
        (nn, "Linaer", "nn has no 'Linaer'; did you mean 'Linear'?"),
        (nn, "_nothing", "nn has no '_nothing'"),
        (nn, "cat", "nn.cat is called concatenate here"),
        (nn, "sort", "nn has no 'sort'; use gather, with np.argsort(tensor.data); see docs/nn.md"),
        (nn, "optim", "nn has no 'optim'; use nn.SGD, nn.Adam and the others, in nn itself; see docs/nn.md"),
        (nn, "ones", "nn has no 'ones'; use np.ones; see docs/nn.md"),
        (nn, "rand", "nn has no 'rand'; use a numpy generator; see docs/nn.md"),
        (nn, "roll", "nn has no 'roll'"),
        (nn.data, "WeightedRandomSampler", "nn.data.WeightedRandomSampler is not in mazegrad; see docs/nn.md"),
        (functional, "grid_sample", "nn.functional.grid_sample is not in mazegrad; see docs/nn.md"),
        (nn.init, "xavier_uniform_", "nn.init.xavier_uniform_ is called glorot_uniform here"),
        (nn.init, "dirac_", "nn.init.dirac_ is not in mazegrad; see docs/nn.md"),
        (nn.schedulers, "CyclicLR", "nn.schedulers.CyclicLR is not in mazegrad; see docs/nn.md"),
    ],
)
def test_a_name_that_is_not_here_says_so(place: Any, name: str, words: str) -> None:
    with pytest.raises(AttributeError, match=f"^{re.escape(words)}$"):
        getattr(place, name)
    assert not hasattr(place, name)


def test_the_lists_of_torch_s_names_are_complete() -> None:
    """Whatever the PyTorch that is installed has, by a user's reckoning, is in the lists."""
    torch = pytest.importorskip("torch", reason='comparison with PyTorch needs pip install "mazegrad[parity]"')
    rooms = [
        (torch.nn, torch.nn.Module, torch_names.MODULES),
        (torch.optim, torch.optim.Optimizer, torch_names.OPTIMISERS),
        (torch.optim.lr_scheduler, torch.optim.lr_scheduler.LRScheduler, torch_names.SCHEDULERS),
        (torch.utils.data, (torch.utils.data.Dataset, torch.utils.data.Sampler), torch_names.DATA | PIPES),
    ]
    for room, base, names in rooms:
        found = {name for name, thing in vars(room).items() if inspect.isclass(thing) and issubclass(thing, base)}
        assert not {name for name in found - names if name[0] not in "_" and "LRScheduler" not in name}
    documented = (
        {name for name in torch.nn.init.__all__ if name.endswith("_")} if hasattr(torch.nn.init, "__all__") else set()
    )
    assert documented <= torch_names.INITIALS
    for name in ("conv2d", "one_hot", "pixel_shuffle", "scaled_dot_product_attention"):
        assert name in torch_names.FUNCTIONS


def test_methods_of_tensors_are_torch_s() -> None:
    """Also where numpy's word means something else: two axes are exchanged."""
    torch = pytest.importorskip("torch", reason='comparison with PyTorch needs pip install "mazegrad[parity]"')
    array = np.random.default_rng(0).normal(size=(2, 3, 4))
    for call in (
        lambda x: x.transpose(-2, -1),
        lambda x: x[0].transpose(0, 1),
        lambda x: x[0].transpose(-2, -1),
        lambda x: x.permute(2, 0, 1),
        lambda x: x.view(6, -1),
        lambda x: x.unsqueeze(1),
        lambda x: x.unsqueeze(-1),
        lambda x: x.clamp(-0.5, 0.5),
        lambda x: x.clamp(min=0.1),
        lambda x: x.pow(2).clone(),
        lambda x: x.softmax(1),
        lambda x: x.log_softmax(dim=-1),
    ):
        ours, theirs = nn.Tensor(array, requires_grad=True), torch.tensor(array, requires_grad=True)
        mine, other = call(ours), call(theirs)
        np.testing.assert_allclose(mine.data, other.detach().numpy(), rtol=1e-12)
        (mine * mine).sum().backward()
        (other * other).sum().backward()
        np.testing.assert_allclose(ours.grad, theirs.grad.numpy(), rtol=1e-12, atol=1e-15)  # type: ignore[arg-type]
    assert nn.Tensor(array).transpose(2, 0, 1).shape == (4, 2, 3)  # with all axes, numpy's
    with pytest.raises(ValueError, match="out of bounds"):
        nn.Tensor(array).transpose(0, 3)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("numpy", "a Tensor has no 'numpy'; use data; see docs/nn.md"),
        ("cuda", "a Tensor has no 'cuda'; use nothing: there is one device, the processor; see docs/nn.md"),
        ("gelu", "a Tensor has no 'gelu'; use nn.gelu(tensor); see docs/nn.md"),
        ("add_", "a Tensor has no 'add_'; use assign(array), which writes a leaf; .*; see docs/nn.md"),
        ("cross", "a Tensor has no 'cross'; see docs/nn.md"),
    ],
)
def test_a_method_that_is_not_here_says_what_is(name: str, words: str) -> None:
    x = nn.Tensor([1.0])
    with pytest.raises(AttributeError, match=f"^{words.replace('(', '.').replace(')', '.')}$"):
        getattr(x, name)
    assert not hasattr(x, name)
    assert not hasattr(x, "__array_interface__")


def test_what_is_advised_instead_of_torch_s_methods_computes_the_same() -> None:
    torch = pytest.importorskip("torch", reason='comparison with PyTorch needs pip install "mazegrad[parity]"')
    assert not {name for name in torch_names.OF_TENSORS if not hasattr(torch.Tensor, name) or hasattr(nn.Tensor, name)}
    array = np.random.default_rng(0).normal(size=(3, 3))
    mask = array > 0
    for advised, meant in (
        (lambda x: x.max(axis=0), lambda x: x.amax(0)),
        (lambda x: x[:, :2], lambda x: x.split(2, 1)[0]),
        (lambda x: x.clip(max=0.1), lambda x: x.clamp_max(0.1)),
        (lambda x: nn.einsum("ii->i", x), lambda x: x.diag()),
        (lambda x: nn.einsum("ii->", x), lambda x: x.trace()),
        (lambda x: nn.broadcast_to(x, (2, 3, 3)), lambda x: x.expand(2, 3, 3)),
        (lambda x: x[::-1], lambda x: x.flip(0)),
        (lambda x: nn.where(mask, 7.0, x), lambda x: x.masked_fill(torch.from_numpy(mask), 7.0)),
        (lambda x: x[mask], lambda x: x.masked_select(torch.from_numpy(mask))),
        (lambda x: x[0][:, None] * x[1], lambda x: x[0].outer(x[1])),
        (lambda x: nn.concatenate([x] * 2), lambda x: x.repeat(2, 1)),
        (lambda x: x.gather(1, np.argsort(x.data)), lambda x: x.sort(1)[0]),
        (lambda x: x * np.tril(np.ones(x.shape)), lambda x: x.tril()),
        (lambda x: nn.stack(list(x)), lambda x: torch.stack(x.unbind())),
    ):
        np.testing.assert_allclose(advised(nn.Tensor(array)).data, meant(torch.from_numpy(array)).numpy(), rtol=1e-12)


def test_a_method_of_modules_that_is_not_here_says_what_is() -> None:
    net = nn.Sequential(nn.Linear(2, 1))
    for name, words in (
        ("cuda", "a module Sequential has no 'cuda'; use nothing: there is one device, the processor; see docs/nn.md"),
        ("add_module", r"a module Sequential has no 'add_module'; use setattr\(.*\); see docs/nn.md"),
        ("wieght", "a module Sequential has no 'wieght'; see docs/nn.md"),
        ("__length_hint__", "a module Sequential has no '__length_hint__'"),
    ):
        with pytest.raises(AttributeError, match=f"^{words}$"):
            getattr(net, name)
    net(np.ones((3, 2), np.float32)).sum().backward()
    net.zero_grad(set_to_none=False)
    assert [p.grad.sum() for p in net.parameters() if p.grad is not None] == [0, 0]


def test_habits_of_modules_and_optimisers_carry_over() -> None:
    rng = np.random.default_rng(0)
    net = nn.Linear(2, 1, rng=rng)
    with pytest.raises(TypeError, match=r"Linear.weight is a Parameter, which ndarray cannot replace: .*assign"):
        net.weight = np.ones((1, 2))
    net.bias = None
    assert [name for name, _ in net.named_parameters()] == ["weight"]
    layers = nn.ModuleList([nn.ReLU()]).extend([nn.Tanh(), nn.Sigmoid()])
    layers.insert(1, nn.GELU())
    layers.insert(-1, nn.SiLU())
    layers.insert(5, nn.ELU())
    assert [type(x).__name__ for x in layers] == ["ReLU", "GELU", "Tanh", "SiLU", "Sigmoid", "ELU"]
    optimizer = nn.SGD(net.parameters(), lr=0.1)
    before = net.weight.data.copy()

    def closure() -> nn.Tensor:
        optimizer.zero_grad()
        loss = net(np.ones((1, 2), np.float32)).sum()
        loss.backward()
        return loss

    assert optimizer.step(closure).item() == pytest.approx(before.sum())
    np.testing.assert_allclose(net.weight.data, before - 0.1, rtol=1e-6)
