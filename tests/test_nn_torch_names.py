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

import pytest

from mazegrad import nn

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
