"""Losses are PyTorch's: class weights, soft targets, what is ignored, every reduction, as functions and as modules."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mazegrad import nn

REDUCTIONS = ["mean", "sum", "none"]


def t() -> Any:
    return pytest.importorskip("torch", reason='comparison with PyTorch needs pip install "mazegrad[parity]"')


def normal(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape)


def assert_alike(
    ours: Any, theirs: Any, *arrays: np.ndarray, constants: tuple[np.ndarray, ...] = (), rtol: float = 1e-10
) -> None:
    """The same losses, and the same gradients of all arrays."""
    torch = t()
    mine = [nn.Tensor(a, requires_grad=True) for a in arrays]
    other = [torch.tensor(a, requires_grad=True) for a in arrays]
    out, expected = ours(*mine, *constants), theirs(*other, *map(torch.tensor, constants))
    assert out.shape == tuple(expected.shape)
    np.testing.assert_allclose(out.data, expected.detach().numpy(), rtol=1e-10, atol=1e-12)
    weights = normal(*out.shape, seed=5)
    out.backward(weights)
    expected.backward(torch.tensor(weights))
    for a, b in zip(mine, other, strict=True):
        np.testing.assert_allclose(a.grad, b.grad.numpy(), rtol=rtol, atol=1e-12)


SHAPES = [((5, 4), (5,)), ((4,), ()), ((3, 4, 2), (3, 2)), ((2, 4, 3, 2), (2, 3, 2))]


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize(("shape", "target"), SHAPES)
@pytest.mark.parametrize("smoothing", [0.0, 0.3])
@pytest.mark.parametrize("weighted", [False, True])
def test_cross_entropy_of_class_numbers(
    shape: tuple[int, ...], target: tuple[int, ...], reduction: str, smoothing: float, weighted: bool
) -> None:
    torch = t()
    classes = np.random.default_rng(1).integers(0, 4, target)
    if classes.ndim:
        classes[0] = 2
        classes.flat[-1] = 7  # to be ignored
    weight = np.array([0.5, 2, 1, 0]) if weighted else None
    settings = {"ignore_index": 7, "reduction": reduction, "label_smoothing": smoothing}
    ours = nn.CrossEntropyLoss(weight, **settings)
    theirs = torch.nn.CrossEntropyLoss(None if weight is None else torch.tensor(weight), **settings)
    assert ours.state_dict().keys() == theirs.state_dict().keys()
    assert_alike(ours, theirs, normal(*shape), constants=(classes,))
    if not smoothing:
        settings.pop("label_smoothing")
        ours = nn.NLLLoss(weight, **settings)
        theirs = torch.nn.NLLLoss(None if weight is None else torch.tensor(weight), **settings)
        assert_alike(ours, theirs, normal(*shape), constants=(classes,))


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("shape", [shape for shape, _ in SHAPES])
@pytest.mark.parametrize("smoothing", [0.0, 0.3])
@pytest.mark.parametrize("weighted", [False, True])
def test_cross_entropy_of_probabilities_is_differentiated_by_both(
    shape: tuple[int, ...], reduction: str, smoothing: float, weighted: bool
) -> None:
    torch = t()
    weight = np.array([0.5, 2, 1, 0]) if weighted else None
    settings = {"reduction": reduction, "label_smoothing": smoothing}
    ours = nn.CrossEntropyLoss(weight, **settings)
    theirs = torch.nn.CrossEntropyLoss(None if weight is None else torch.tensor(weight), **settings)
    target = np.abs(normal(*shape, seed=3))
    assert_alike(ours, theirs, normal(*shape), target)
    assert_alike(ours, theirs, normal(*shape), constants=(target,))


def test_where_all_is_ignored_there_is_no_mean() -> None:
    for loss in (nn.cross_entropy, nn.nll_loss):
        x = nn.Tensor(normal(3, 4), requires_grad=True)
        assert np.isnan(loss(x, np.full(3, -100)).item())
        loss(x, np.full(3, -100), reduction="sum").backward()
        assert (x.grad == 0).all()


def test_what_is_ignored_may_be_infinite() -> None:
    logits = np.array([[0.0, 1.0], [np.inf, np.nan]])
    for loss in (nn.cross_entropy, nn.nll_loss):
        x = nn.Tensor(logits, requires_grad=True)
        loss(x, [1, -100], np.array([0.5, 2.0])).backward()
        assert np.isfinite(x.grad).all()
        assert (x.grad[1] == 0).all()


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("shape", [(), (3,), (3, 4)])
def test_binary_cross_entropies(shape: tuple[int, ...], reduction: str) -> None:
    torch = t()
    x, target = 4 * normal(*shape), np.random.default_rng(1).uniform(size=shape)
    last = shape[-1:] or (1,) * len(shape)
    weight, pos_weight = np.asarray(np.abs(normal(*last, seed=2))), np.asarray(np.abs(normal(*last, seed=3)))
    for mine in ({}, {"weight": weight}, {"pos_weight": pos_weight}, {"weight": weight, "pos_weight": pos_weight}):
        other = {name: torch.tensor(array) for name, array in mine.items()}
        ours = nn.BCEWithLogitsLoss(**mine, reduction=reduction)
        theirs = torch.nn.BCEWithLogitsLoss(**other, reduction=reduction)
        assert ours.state_dict().keys() == theirs.state_dict().keys()
        assert_alike(ours, theirs, np.asarray(x), np.asarray(target))
        if "pos_weight" not in mine:
            ours, theirs = nn.BCELoss(**mine, reduction=reduction), torch.nn.BCELoss(**other, reduction=reduction)
            assert_alike(ours, theirs, np.asarray(1 / (1 + np.exp(-x))), np.asarray(target))


def test_binary_cross_entropies_at_the_ends() -> None:
    F = t().nn.functional
    x, target = np.array([1e3, -1e3, 50, -50, 0, -800]), np.array([0, 1, 1, 0, 0.5, 0.25])
    with_logits = nn.binary_cross_entropy_with_logits, F.binary_cross_entropy_with_logits
    assert_alike(*with_logits, x, target)
    sure = np.array([0, 1, 0, 1, 1e-30, 1 - 1e-16])
    wanted = (np.array([0, 1, 1, 0, 1, 0.5]),)  # PyTorch's slopes by these are infinite, here as large as the losses
    assert_alike(nn.binary_cross_entropy, F.binary_cross_entropy, sure, constants=wanted, rtol=1e-8)


PAIRS: list[tuple[str, dict[str, Any]]] = [
    ("MSELoss", {}),
    ("L1Loss", {}),
    ("HuberLoss", {"delta": 0.5}),
    ("SmoothL1Loss", {"beta": 0.5}),
    ("SmoothL1Loss", {"beta": 0.0}),
    ("KLDivLoss", {}),
    ("KLDivLoss", {"log_target": True}),
]


@pytest.mark.parametrize("reduction", [*REDUCTIONS, "batchmean"])
@pytest.mark.parametrize(("name", "settings"), PAIRS)
@pytest.mark.filterwarnings("ignore:reduction")
def test_losses_of_numbers(name: str, settings: dict[str, Any], reduction: str) -> None:
    torch = t()
    if reduction == "batchmean" and name != "KLDivLoss":
        with pytest.raises(ValueError, match="'batchmean'; expected 'mean', 'sum' or 'none'"):
            getattr(nn, name)(reduction=reduction)
        return
    ours = getattr(nn, name)(**settings, reduction=reduction)
    theirs = getattr(torch.nn, name)(**settings, reduction=reduction)
    bends = np.array([0, 0.5, -0.5, 0.25, -3, 3, 0.5000001])
    target = np.abs(normal(2, 7, seed=3)) if name == "KLDivLoss" else np.zeros((2, 7))
    assert_alike(ours, theirs, np.stack([bends, normal(7)]), target)
    if name == "KLDivLoss" and not settings:
        target[0, :3] = 0
        assert_alike(lambda x: ours(x, target), lambda x: theirs(x, torch.tensor(target)), normal(2, 7))


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (
            lambda: nn.cross_entropy(normal(2, 3), [0.5, 1.0]),
            TypeError,
            r"of shape \(2, 3\), not float64",
        ),
        (lambda: nn.cross_entropy(normal(2, 3), normal(2, 4)), TypeError, r"\(2, 3\), not float64 of shape \(2, 4\)"),
        (
            lambda: nn.cross_entropy(normal(2, 3), [0, 3]),
            ValueError,
            "target 3 is not a class; .* 0 to 2",
        ),
        (lambda: nn.cross_entropy(normal(3), [0]), ValueError, r"want a target of shape \(\), not \(1,\)"),
        (lambda: nn.cross_entropy(normal(2, 3), [0, 1], np.ones(2)), ValueError, r"weight has shape \(2,\); .*\(3,\)"),
        (lambda: nn.cross_entropy(normal(2, 3), [0, 1], label_smoothing=2), ValueError, "label_smoothing is 2"),
        (
            lambda: nn.cross_entropy(normal(2, 3), [0, 1], nn.Tensor(np.ones(3), requires_grad=True)),
            ValueError,
            r"weight has no gradient; pass weight.detach\(\)",
        ),
        (lambda: nn.nll_loss(normal(2, 3), normal(2, 3)), TypeError, "class numbers, integers, not float64"),
        (lambda: nn.nll_loss(normal(2, 3), [[0], [1]]), ValueError, "logarithms of shape"),
        (lambda: nn.l1_loss(normal(2, 3), normal(3)), ValueError, r"shapes \(2, 3\) and \(3,\) differ"),
        (lambda: nn.huber_loss(normal(3), normal(3), delta=0), ValueError, "delta is 0"),
        (lambda: nn.smooth_l1_loss(normal(3), normal(3), beta=-1), ValueError, "beta is -1"),
        (lambda: nn.kl_div(normal(3), normal(3), reduction="all"), ValueError, "'none' or 'batchmean'"),
        (lambda: nn.binary_cross_entropy(normal(3), normal(3)), ValueError, "lie between 0 and 1; of logits"),
        (lambda: nn.binary_cross_entropy(np.ones(3), np.ones(2)), ValueError, "differ"),
        (
            lambda: nn.binary_cross_entropy_with_logits(normal(2, 3), normal(2, 3), pos_weight=np.ones(2)),
            ValueError,
            r"pos_weight of shape \(2,\) does not fit a target of shape \(2, 3\)",
        ),
        (lambda: nn.CrossEntropyLoss(reduction="avg"), ValueError, "reduction is 'avg'"),
    ],
)
def test_errors_name_what_was_given_and_what_is_wanted(call: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        call()
