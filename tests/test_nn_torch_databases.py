"""PyTorch's own test databases: every sample is equal, or refused in clear words; none is wrong, none obscure."""

from __future__ import annotations

import inspect
import itertools
import re
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from mazegrad import nn
from mazegrad.nn import functional, operations

pytest.importorskip("torch", reason='comparison with PyTorch needs pip install "mazegrad[parity]"')
pytest.importorskip("expecttest", reason='PyTorch\'s databases need pip install "mazegrad[parity]"')
import torch

# what Python or numpy say when they are asked what nobody checked
OBSCURE = re.compile(
    r"unexpected keyword|positional argument|object is not|has no attribute|unsupported operand|unpack|'NoneType'"
    r"|not subscriptable|could not be broadcast|not supported between|does not support ufuncs|unhashable|ambiguous"
)
DTYPES = {torch.float32: np.float32, torch.float64: np.float64, torch.int64: np.int64, torch.bool: np.bool_}


def swapped(x: Any, a: int, b: int) -> Any:
    axes = list(range(x.ndim))
    if axes:
        axes[a], axes[b] = axes[b], axes[a]
    return nn.transpose(x, axes)


def expanded(x: Any, *shape: Any) -> Any:
    shape = shape[0] if len(shape) == 1 and isinstance(shape[0], tuple) else shape
    return nn.broadcast_to(x, tuple(x.shape[i - len(shape)] if n == -1 else n for i, n in enumerate(shape)))


def plain(x: Any) -> Any:
    return x.data.copy() if isinstance(x, nn.Tensor) else x


# the database's name -> ours, where the name or the order of arguments is another one
RENAMED: dict[str, Callable[..., Any]] = {
    "abs": nn.absolute,
    "add": nn.add,
    "sub": nn.subtract,
    "mul": nn.multiply,
    "div.no_rounding_mode": nn.divide,
    "true_divide": nn.divide,
    "pow": nn.power,
    "neg": nn.negative,
    "rsub": lambda a, b, **more: nn.subtract(b, a, **more),
    "__rsub__": lambda a, b: b - a,
    "__radd__": lambda a, b: b + a,
    "__rmul__": lambda a, b: b * a,
    "__rdiv__": lambda a, b: b / a,
    "__rpow__": lambda a, b: b**a,
    "__rmatmul__": lambda a, b: b @ a,
    "__getitem__": lambda x, index: x[index],
    "clamp": nn.clip,
    "clamp_min": nn.clip,
    "clamp_max": lambda x, bound: nn.clip(x, None, bound),
    "max.binary": nn.maximum,
    "min.binary": nn.minimum,
    "amax": nn.max,
    "amin": nn.min,
    "max.reduction_no_dim": nn.max,
    "min.reduction_no_dim": nn.min,
    "linalg.vector_norm": lambda x, ord=2, dim=None, keepdim=False, **more: nn.norm(x, ord, dim, keepdim, **more),
    "view": nn.reshape,
    "ravel": nn.flatten,
    "permute": lambda x, *axes: nn.transpose(x, axes if isinstance(axes[0], int) else axes[0]),
    "transpose": swapped,
    "T": lambda x: x.T,
    "t": lambda x: x.T,
    "unsqueeze": nn.expand_dims,
    "expand": expanded,
    "cat": nn.concatenate,
    "mm": nn.matmul,
    "bmm": nn.matmul,
    "mv": nn.matmul,
    "dot": nn.matmul,
    "float": lambda x, **more: nn.astype(x, np.float32, **more),
    "double": lambda x, **more: nn.astype(x, np.float64, **more),
    "einsum": lambda tensors, equation: nn.einsum(equation, *tensors),
    "where": lambda a, condition, b: nn.where(condition, a, b),
    "nn.functional.embedding": lambda weight, index, **more: nn.embedding(index, weight, **more),
    "nn.functional.batch_norm": lambda x, mean, var, *more, **named: nn.batch_norm(
        x, plain(mean), plain(var), *more, **named
    ),
}
OTHERS = {"norm.nuc", "max.reduction_with_dim", "min.reduction_with_dim"}  # a shared name, but another meaning


def database() -> dict[str, Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from torch.testing._internal.common_methods_invocations import op_db
    return {f"{o.name}.{o.variant_test_name}" if o.variant_test_name else o.name: o for o in op_db}


def shared(names: dict[str, Any]) -> Iterator[tuple[str, Callable[..., Any]]]:
    for name in names:
        last = name.split(".")[2 if name.startswith("nn.functional.") else 0]
        room = functional if name.startswith("nn.functional.") else operations
        if name in RENAMED:
            yield name, RENAMED[name]
        elif callable(getattr(room, last, None)) and name not in OTHERS:
            yield name, getattr(room, last)


def converted(x: Any, leaves: list[tuple[nn.Tensor, Any]]) -> Any:
    """A torch argument as ours; the tensors are listed."""
    if isinstance(x, torch.Tensor):
        array = x.detach().numpy()
        if x.dtype not in (torch.float32, torch.float64):
            return array
        leaves.append((nn.Tensor(array, requires_grad=x.requires_grad), x))
        return leaves[-1][0]
    if isinstance(x, torch.dtype):
        return DTYPES.get(x, x)
    if isinstance(x, torch.Size):
        return tuple(x)
    if isinstance(x, list | tuple):
        return type(x)(converted(item, leaves) for item in x)
    if isinstance(x, dict):
        return {key: converted(item, leaves) for key, item in x.items()}
    return x


def refusal(error: Exception) -> str:
    clear = isinstance(error, TypeError | ValueError | NotImplementedError) and not OBSCURE.search(str(error))
    return "refused" if clear else "obscure"


def different(mine: Any, theirs: Any, bound: float) -> str:
    if mine.shape != theirs.shape or mine.dtype != theirs.dtype:
        return f"{mine.dtype} {mine.shape}, expected {theirs.dtype} {theirs.shape}"
    if np.allclose(mine, theirs, rtol=bound, atol=bound, equal_nan=True):
        return ""
    return f"off by {np.abs(mine - theirs).max()}"


def compared(ours: Callable[..., Any], theirs: Callable[..., Any], sample: Any, bound: float) -> tuple[str, str]:
    """What becomes of one sample, forward and backward: equal, refused, obscure or wrong; and a word on it."""
    leaves: list[tuple[nn.Tensor, Any]] = []
    args, named = converted([sample.input, *sample.args], leaves), converted(sample.kwargs, leaves)
    expected = theirs(sample.input, *sample.args, **sample.kwargs)
    try:
        out = ours(*args, **named)
    except Exception as error:
        return refusal(error), f"{type(error).__name__}: {error}"
    if isinstance(expected, tuple):  # a pool, and where its pixels were
        (out, places), (expected, others) = out, expected
        if word := different(places, others.numpy(), 0):
            return "wrong", f"indices {word}"
    if word := different(np.asarray(out), expected.detach().numpy(), bound):
        return "wrong", word
    if not expected.requires_grad:
        return "equal", ""
    weights = np.random.default_rng(0).normal(size=out.shape).astype(out.dtype)
    roots = [x for _, x in leaves if x.requires_grad and x.is_leaf]
    grads = torch.autograd.grad(expected, roots, torch.tensor(weights), allow_unused=True)
    try:
        out.backward(weights)
    except Exception as error:
        return "obscure", f"backward: {type(error).__name__}: {error}"
    found = {id(theirs): mine.grad for mine, theirs in leaves}
    for x, grad in zip(roots, grads, strict=True):
        mine = np.zeros(x.shape) if found[id(x)] is None else found[id(x)]
        right = np.zeros(x.shape) if grad is None else grad.numpy()
        if word := different(mine.astype(np.float64), right.astype(np.float64), 10 * bound):
            return "wrong", f"gradient {word}"
    return "equal", ""


@pytest.mark.filterwarnings("ignore")
def test_the_operator_database() -> None:
    """Sample inputs in both precisions, forward and backward, and what torch refuses, of every operation shared."""
    counts: Counter[str] = Counter()
    problems: list[str] = []
    covered = 0
    db = database()
    for name, ours in shared(db):
        entry, before = db[name], counts["equal"]
        for dtype, bound in ((torch.float64, 1e-9), (torch.float32, 1e-4)):
            if dtype not in entry.dtypes:
                continue
            for sample in entry.sample_inputs("cpu", dtype, requires_grad=entry.supports_autograd):
                if sample.kwargs.get("return_indices"):  # some thousands, each also without: every tenth is enough
                    counts["with indices"] += 1
                    if counts["with indices"] % 10:
                        continue
                kind, word = compared(ours, entry.op, sample, bound)
                counts[kind] += 1
                if kind in ("wrong", "obscure"):
                    problems.append(f"{name} ({dtype}): {kind}: {word}")
        covered += counts["equal"] > before
        try:
            errors = list(entry.error_inputs("cpu"))
        except Exception:  # an entry without them raises whatever it likes
            errors = []
        for bad in errors:
            leaves: list[Any] = []
            sample = bad.sample_input
            try:
                ours(*converted([sample.input, *sample.args], leaves), **converted(sample.kwargs, leaves))
                counts["errors accepted"] += 1
            except Exception as error:
                kind = refusal(error)
                counts[f"errors {kind}"] += 1
                if kind == "obscure":
                    problems.append(f"{name}, what torch refuses: {type(error).__name__}: {error}")
    print(f"\ntorch's operator database: {covered} entries with equal samples; {dict(counts)}")
    assert not problems, "\n".join([f"{len(problems)} problems", *sorted(set(problems))[:40]])
    assert covered >= 100
    assert counts["equal"] > 4000


# -------------------------------------------------------------------------------------------------------------- modules
def classes() -> dict[str, Any]:
    """Our classes by their names in small letters: torch writes Conv2d."""
    return {name.lower(): thing for name, thing in vars(nn).items() if isinstance(thing, type)}


def setting(x: Any) -> Any:
    """A torch constructor's argument as ours."""
    if isinstance(x, torch.nn.TransformerEncoderLayer | torch.nn.TransformerDecoderLayer):
        return classes()[type(x).__name__.lower()](
            x.self_attn.embed_dim,
            x.self_attn.num_heads,
            x.linear1.out_features,
            x.dropout.p,
            x.activation.__name__,
            x.norm1.eps,
            x.self_attn.batch_first,
            x.norm_first,
            dtype=DTYPES[x.linear1.weight.dtype],
        )
    if isinstance(x, torch.Tensor):
        return x.detach().numpy()
    return getattr(functional, x.__name__) if callable(x) and hasattr(functional, getattr(x, "__name__", "")) else x


def flat(x: Any) -> list[Any]:
    """The tensors of nested outputs."""
    if isinstance(x, tuple | list):
        return [leaf for part in x for leaf in flat(part)]
    return [] if x is None else [x]


def module_compared(info: Any, given: Any, dtype: Any, training: bool) -> tuple[str, str]:
    """What becomes of a module with torch's weights: outputs, gradients of weights and inputs."""
    kind = classes()[info.module_cls.__name__.lower()]
    args, named = given.constructor_input.args, dict(given.constructor_input.kwargs)
    if named.get("proj_size") == 0:
        del named["proj_size"]
    theirs = info.module_cls(*args, **named).to(dtype).train(training)
    leaves: list[tuple[nn.Tensor, Any]] = []
    try:
        more = {"dtype": DTYPES[dtype]} if "dtype" in inspect.signature(kind).parameters else {}
        mine = kind(*map(setting, args), **{key: setting(value) for key, value in named.items()}, **more)
        mine.train(training)
        mine.load_state_dict({name: array.detach().numpy() for name, array in theirs.state_dict().items()})
        if given.forward_input is None:
            return "equal", ""
        inputs, keywords = given.forward_input.args, given.forward_input.kwargs
        out = flat(mine(*converted(list(inputs), leaves), **converted(dict(keywords), leaves)))
    except Exception as error:
        return refusal(error), f"{type(error).__name__}: {error}"
    expected, bound = flat(theirs(*inputs, **keywords)), 1e-9 if dtype == torch.float64 else 1e-4
    assert len(out) == len(expected)
    total, theirs_total = nn.Tensor(np.zeros((), DTYPES[dtype])), torch.zeros((), dtype=dtype)
    for a, b in zip(out, expected, strict=True):
        if word := different(np.asarray(a), b.detach().numpy(), bound):
            return "wrong", word
        if b.requires_grad:
            weights = np.random.default_rng(0).normal(size=b.shape).astype(DTYPES[dtype])
            total, theirs_total = (a * weights).sum() + total, (b * torch.tensor(weights)).sum() + theirs_total
    if not theirs_total.requires_grad:
        return "equal", ""
    total.backward()
    theirs_total.backward()
    pairs = [*zip(mine.parameters(), theirs.parameters(), strict=True)]
    for a, b in pairs + [(a, b) for a, b in leaves if b.requires_grad and b.is_leaf]:
        grad = np.zeros(a.shape, a.dtype) if a.grad is None else a.grad
        right = np.zeros(a.shape, a.dtype) if b.grad is None else b.grad.numpy()
        if word := different(grad, right, 20 * bound):
            return "wrong", f"gradient {word}"
    return "equal", ""


@pytest.mark.filterwarnings("ignore")
def test_the_module_database() -> None:
    """Every module that exists here, with torch's weights, training and evaluating, in both precisions."""
    from torch.testing._internal.common_modules import module_db

    counts: Counter[str] = Counter()
    problems, covered = [], 0
    for info in module_db:
        if info.module_cls.__name__.lower() not in classes():
            continue
        before = counts["equal"]
        for dtype, training in itertools.product((torch.float64, torch.float32), (False, True)):
            options = {"device": "cpu", "dtype": dtype, "requires_grad": True, "training": training}
            for given in info.module_inputs_func(info, **options):
                kind, word = module_compared(info, given, dtype, training)
                counts[kind] += 1
                if kind in ("wrong", "obscure"):
                    problems.append(f"{info.name} ({dtype}): {kind}: {word}")
        covered += counts["equal"] > before
    print(f"\ntorch's module database: {covered} modules with equal samples; {dict(counts)}")
    assert not problems, "\n".join([f"{len(problems)} problems", *sorted(set(problems))[:40]])
    assert covered >= 45
    assert counts["equal"] > 10 * counts["refused"]


# ----------------------------------------------------------------------------------------------------------- optimisers
def parameters(x: Any, known: dict[int, nn.Parameter]) -> Any:
    """Torch parameters, in lists, groups and pairs, as ours; the same one stays the same."""
    if isinstance(x, torch.Tensor):
        return known.setdefault(id(x), nn.Parameter(x.detach().numpy()))
    if isinstance(x, dict):
        return {key: parameters(value, known) for key, value in x.items()}
    return type(x)(parameters(item, known) for item in x) if isinstance(x, list | tuple) else x


@pytest.mark.filterwarnings("ignore")
def test_the_optimiser_database() -> None:
    """Every optimiser that exists here: the same steps; and what torch refuses is refused in clear words."""
    from torch.testing._internal.common_optimizers import optim_db

    counts: Counter[str] = Counter()
    for info in optim_db:
        kind = getattr(nn, info.optim_cls.__name__, None)
        if kind is None:
            continue
        for given in info.optim_inputs_func(device="cpu"):
            settings = {name: float(x) if isinstance(x, torch.Tensor) else x for name, x in given.kwargs.items()}
            starts = np.random.default_rng(0).normal(size=(2, 3))
            ours, theirs = nn.Parameter(starts), torch.nn.Parameter(torch.tensor(starts))
            ours_default = kind([ours], **settings)
            mine = kind([ours], **{"lr": 1e-3, **settings}) if "lr" not in settings else ours_default
            other = info.optim_cls([theirs], **{"lr": 1e-3, **settings})
            for _ in range(6):
                mine.zero_grad()
                other.zero_grad()
                (ours**3 - ours).sum().backward()
                (theirs**3 - theirs).sum().backward()
                mine.step()
                other.step()
            np.testing.assert_allclose(ours.data, theirs.detach().numpy(), rtol=1e-9, err_msg=f"{kind} {given.desc}")
            counts["equal"] += 1
        for bad in info.optim_error_inputs_func("cpu", torch.float32):
            given = bad.optimizer_error_input
            known: dict[int, nn.Parameter] = {}
            try:
                kind(parameters(given.params, known), **{name: setting(x) for name, x in given.kwargs.items()})
                counts["errors accepted"] += 1
                assert "with/without names" in bad.error_regex  # here those without are numbered
            except (TypeError, ValueError) as error:
                assert refusal(error) == "refused", f"{kind}: {type(error).__name__}: {error}"
                counts["errors refused"] += 1
    print(f"\ntorch's optimiser database: {dict(counts)}")
    assert counts["equal"] >= 25
