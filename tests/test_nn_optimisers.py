"""Optimisers and schedulers walk as PyTorch's do, and stop before anything changes when a gradient is not finite."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mazegrad import nn

OURS = {
    "sgd": (nn.SGD, "SGD", {"lr": 0.1}),
    "sgd momentum": (nn.SGD, "SGD", {"lr": 0.05, "momentum": 0.9, "weight_decay": 0.1}),
    "sgd dampening": (nn.SGD, "SGD", {"lr": 0.05, "momentum": 0.9, "dampening": 0.3}),
    "sgd nesterov": (nn.SGD, "SGD", {"lr": 0.05, "momentum": 0.9, "nesterov": True}),
    "sgd maximize": (nn.SGD, "SGD", {"lr": 0.001, "momentum": 0.5, "weight_decay": 0.1, "maximize": True}),
    "sgd all": (nn.SGD, "SGD", {"lr": 0.05, "momentum": 0.8, "nesterov": True, "weight_decay": 0.1}),
    "rmsprop": (nn.RMSprop, "RMSprop", {}),
    "rmsprop centered": (nn.RMSprop, "RMSprop", {"centered": True, "alpha": 0.9, "eps": 0.01}),
    "rmsprop all": (nn.RMSprop, "RMSprop", {"centered": True, "momentum": 0.9, "weight_decay": 0.1, "maximize": True}),
    "rmsprop momentum": (nn.RMSprop, "RMSprop", {"lr": 0.02, "momentum": 0.5, "weight_decay": 0.1, "alpha": 0.9}),
    "adam": (nn.Adam, "Adam", {}),
    "adam decay": (nn.Adam, "Adam", {"lr": 0.1, "betas": (0.8, 0.95), "weight_decay": 0.1}),
    "adam amsgrad": (nn.Adam, "Adam", {"lr": 0.1, "amsgrad": True, "weight_decay": 0.1}),
    "adam maximize": (nn.Adam, "Adam", {"lr": 0.01, "maximize": True, "weight_decay": 0.1}),
    "adamw": (nn.AdamW, "AdamW", {"lr": 0.1}),
    "adamw amsgrad": (nn.AdamW, "AdamW", {"lr": 0.1, "amsgrad": True}),
    "adamw maximize": (nn.AdamW, "AdamW", {"lr": 0.01, "amsgrad": True, "maximize": True}),
}
GROUPS = {
    "sgd": (nn.SGD, "SGD", {"lr": 0.05, "momentum": 0.9}, {"lr": 0.01, "nesterov": True, "weight_decay": 0.1}),
    "rmsprop": (nn.RMSprop, "RMSprop", {"lr": 0.02}, {"centered": True, "momentum": 0.5, "alpha": 0.9}),
    "adam": (nn.Adam, "Adam", {"lr": 0.05}, {"amsgrad": True, "betas": (0.8, 0.9), "eps": 1e-4}),
    "adamw": (nn.AdamW, "AdamW", {"lr": 0.05}, {"weight_decay": 0.5, "maximize": True, "lr": 0.002}),
}


def walk_together(ours: Any, ps: list[nn.Parameter], theirs: Any, qs: list[Any], steps: int = 50) -> None:
    """The same gradients, many times, and the same places after each step."""
    goal = 1.5
    for step in range(steps):
        ours.zero_grad()
        theirs.zero_grad()
        for i, (p, q) in enumerate(zip(ps, qs, strict=True)):
            if i == 0 or step % 3:  # a parameter without a gradient is left alone
                ((p - goal) ** 2 * (1 + p.sigmoid())).sum().backward()
                ((q - goal) ** 2 * (1 + q.sigmoid())).sum().backward()
        ours.step()
        theirs.step()
        for p, q in zip(ps, qs, strict=True):
            np.testing.assert_allclose(p.data, q.detach().numpy(), rtol=1e-9, atol=1e-12)


def starts(dtype: Any = np.float64) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [rng.normal(size=(3, 2)).astype(dtype), rng.normal(size=4).astype(dtype)]


@pytest.mark.parametrize("name", OURS)
def test_optimisers_walk_as_those_of_torch(name: str) -> None:
    torch = pytest.importorskip("torch", reason='comparison with PyTorch needs pip install "mazegrad[parity]"')
    ours, theirs, settings = OURS[name]
    ps = [nn.Parameter(start) for start in starts()]
    qs = [torch.nn.Parameter(torch.tensor(start)) for start in starts()]
    other = getattr(torch.optim, theirs)(qs, **({"lr": 1e-3} if theirs == "SGD" else {}) | settings)
    walk_together(ours(ps, **settings), ps, other, qs)


@pytest.mark.parametrize("name", GROUPS)
@pytest.mark.parametrize("late", [False, True])
def test_groups_of_parameters_have_settings_of_their_own(name: str, late: bool) -> None:
    torch = pytest.importorskip("torch", reason='comparison with PyTorch needs pip install "mazegrad[parity]"')
    kind, theirs, settings, own = GROUPS[name]
    ps = [nn.Parameter(start) for start in starts()]
    qs = [torch.nn.Parameter(torch.tensor(start)) for start in starts()]
    mine, other = ([{"params": x[:1]}, {"params": iter(x[1:]), **own}] for x in (ps, qs))
    a = kind(mine[: 2 - late], **settings)
    b = getattr(torch.optim, theirs)(other[: 2 - late], **settings)
    if late:
        a.add_param_group(mine[1])
        b.add_param_group(other[1])
    walk_together(a, ps, b, qs, 20)
    for optimizer in (a, b):  # dictionaries that may be changed, as there
        optimizer.param_groups[1]["lr"] = 0.003
    walk_together(a, ps, b, qs, 10)
    a.lr = 0.01
    assert [group["lr"] for group in a.param_groups] == [0.01, 0.01]
    fresh = kind([{"params": ps[:1]}, {"params": ps[1:]}])
    fresh.load_state_dict(a.state_dict())
    assert [group["lr"] for group in fresh.param_groups] == [0.01, 0.01]
    for setting, value in own.items():
        if setting != "lr":
            assert fresh.param_groups[1][setting] == value != fresh.param_groups[0][setting]


@pytest.mark.parametrize(
    ("params", "error", "words"),
    [
        (lambda p, q: [{"params": [p], "lR": 1}], ValueError, "SGD has no setting 'lR'; it has lr, weight_decay"),
        (lambda p, q: [{"params": [p], "lr": -1}], ValueError, "lr is -1"),
        (lambda p, q: [{"params": [p]}, {"params": [p]}], ValueError, "'parameter 1' is the same Parameter"),
        (lambda p, q: [{"params": [("a", p)]}, {"params": [("a", q)]}], ValueError, "called 'a', in two groups"),
        (lambda p, q: [{"params": [p]}, q], TypeError, "a dictionary with 'params', not Parameter"),
        (lambda p, q: [{"lr": 1.0}], TypeError, r"with 'params', not one with \['lr'\]"),
        (lambda p, q: [{"params": []}], ValueError, "no parameters"),
        (lambda p, q: [{"params": [p], "nesterov": True}], ValueError, "nesterov needs a momentum"),
    ],
)
def test_groups_that_cannot_be_are_named(params: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        nn.SGD(params(nn.Parameter([1.0]), nn.Parameter([2.0])))


def test_a_state_of_other_groups_is_refused() -> None:
    p, q = nn.Parameter([1.0]), nn.Parameter([2.0])
    one, two = nn.SGD([p, q]), nn.SGD([{"params": [p]}, {"params": [q]}])
    with pytest.raises(ValueError, match="1 groups of parameters, expected 2"):
        two.load_state_dict(one.state_dict())
    swapped = nn.SGD([{"params": [("parameter 1", p)]}, {"params": [("parameter 0", q)]}])
    with pytest.raises(ValueError, match=r"'param_groups': missing \['parameter 0'\], left over \['parameter 1'\]"):
        two.load_state_dict(swapped.state_dict())


def test_gradients_may_be_set_to_zero() -> None:
    p, q = nn.Parameter([1.0]), nn.Parameter([2.0])
    optimizer = nn.SGD([p, q], lr=0.1, weight_decay=1.0)
    p.grad = np.ones(1, np.float32)
    optimizer.zero_grad(set_to_none=False)
    assert q.grad is None
    optimizer.step()  # as in torch, a gradient of 0 still decays
    assert (p.data[0], q.data[0]) == (np.float32(0.9), 2)
    optimizer.zero_grad()
    assert p.grad is None


SCHEDULES: dict[str, dict[str, Any]] = {
    "StepLR": {"step_size": 3, "gamma": 0.5},
    "CosineAnnealingLR": {"T_max": 12, "eta_min": 0.01},
    "LinearLR": {"start_factor": 0.1, "total_iters": 6},
    "OneCycleLR": {"max_lr": 0.3, "total_steps": 12},
    "LambdaLR": {"lr_lambda": lambda step: 1 / (1 + step)},
    "ConstantLR": {"factor": 0.25, "total_iters": 4},
    "MultiStepLR": {"milestones": [2, 5, 5, 8], "gamma": 0.5},
    "ExponentialLR": {"gamma": 0.8},
    "PolynomialLR": {"total_iters": 7, "power": 2.0},
    "CosineAnnealingWarmRestarts": {"T_0": 2, "T_mult": 2, "eta_min": 0.01},
}


@pytest.mark.parametrize("name", SCHEDULES)
@pytest.mark.filterwarnings("ignore")
def test_schedulers_give_the_rates_of_torch(name: str) -> None:
    torch = pytest.importorskip("torch", reason='comparison with PyTorch needs pip install "mazegrad[parity]"')
    ours = nn.SGD([nn.Parameter([1.0])], lr=0.2)
    theirs = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=0.2)
    a = getattr(nn.schedulers, name)(ours, **SCHEDULES[name])
    extra = {"cycle_momentum": False} if name == "OneCycleLR" else {}
    b = getattr(torch.optim.lr_scheduler, name)(theirs, **SCHEDULES[name], **extra)
    rates = []
    for _ in range(11):
        rates.append(ours.lr)
        assert ours.lr == pytest.approx(theirs.param_groups[0]["lr"], rel=1e-9)
        assert a.get_last_lr() == pytest.approx(b.get_last_lr(), rel=1e-9)
        a.step()
        b.step()
    assert len(set(rates)) >= 2
    again = getattr(nn.schedulers, name)(nn.SGD([nn.Parameter([1.0])], lr=0.9), **SCHEDULES[name])
    again.load_state_dict(a.state_dict())
    assert again.optimizer.lr == ours.lr


def two_groups(torch: Any) -> tuple[nn.SGD, Any]:
    """Two groups with rates 0.2 and 0.05, and the same in torch."""
    ours = nn.SGD([{"params": [nn.Parameter([1.0])]}, {"params": [nn.Parameter([1.0])], "lr": 0.05}], lr=0.2)
    params = [torch.nn.Parameter(torch.ones(1)) for _ in range(2)]
    return ours, torch.optim.SGD([{"params": params[:1]}, {"params": params[1:], "lr": 0.05}], lr=0.2)


def rates_of(optimizer: Any) -> list[float]:
    return [group["lr"] for group in optimizer.param_groups]


MANY = {**SCHEDULES, "OneCycleLR": {"max_lr": [0.3, 0.6], "total_steps": 12}}
MANY["LambdaLR"] = {"lr_lambda": [lambda step: 1 / (1 + step), lambda step: 0.9**step]}


@pytest.mark.parametrize("name", MANY)
@pytest.mark.filterwarnings("ignore")
def test_schedulers_move_every_group_from_its_own_rate(name: str) -> None:
    torch = pytest.importorskip("torch", reason='comparison with PyTorch needs pip install "mazegrad[parity]"')
    ours, theirs = two_groups(torch)
    a = getattr(nn.schedulers, name)(ours, **MANY[name])
    extra = {"cycle_momentum": False} if name == "OneCycleLR" else {}
    b = getattr(torch.optim.lr_scheduler, name)(theirs, **MANY[name], **extra)
    for _ in range(11):
        assert rates_of(ours) == pytest.approx(rates_of(theirs), rel=1e-9)
        assert a.get_last_lr() == rates_of(ours)
        a.step()
        b.step()


@pytest.mark.filterwarnings("ignore")
def test_schedulers_in_turn() -> None:
    torch = pytest.importorskip("torch", reason='comparison with PyTorch needs pip install "mazegrad[parity]"')
    ours, theirs = two_groups(torch)
    rooms = (nn.schedulers, ours), (torch.optim.lr_scheduler, theirs)
    a, b = (
        room.SequentialLR(
            optimizer,
            [
                room.LinearLR(optimizer, 0.1, total_iters=4),
                room.CosineAnnealingLR(optimizer, 6),
                room.ExponentialLR(optimizer, 0.5),
            ],
            [4, 9],
        )
        for room, optimizer in rooms
    )
    for _ in range(14):
        assert rates_of(ours) == pytest.approx(rates_of(theirs), rel=1e-9)
        a.step()
        b.step()


PLATEAUS: list[dict[str, Any]] = [
    {"patience": 2, "factor": 0.5},
    {"patience": 0, "factor": 0.5, "cooldown": 2, "min_lr": [0.03, 0.01]},
    {"mode": "max", "patience": 1, "threshold": 0.05, "threshold_mode": "abs"},
    {"mode": "max", "patience": 1, "threshold": 0.1},
    {"patience": 1, "threshold": 0.1, "eps": 0.04},
]


@pytest.mark.parametrize("settings", PLATEAUS, ids=str)
def test_plateaus_are_those_of_torch(settings: dict[str, Any]) -> None:
    torch = pytest.importorskip("torch", reason='comparison with PyTorch needs pip install "mazegrad[parity]"')
    ours, theirs = two_groups(torch)
    a = nn.schedulers.ReduceLROnPlateau(ours, **settings)
    b = torch.optim.lr_scheduler.ReduceLROnPlateau(theirs, **settings)
    rng, seen = np.random.default_rng(0), set()
    for step in range(40):
        figure = 1 + 0.5**step * 3 + 0.1 * rng.normal() if step != 7 else np.nan
        a.step(nn.Tensor(figure, dtype=np.float64))
        b.step(figure)
        assert rates_of(ours) == pytest.approx(rates_of(theirs), rel=1e-12)
        seen.add(ours.lr)
        if step == 20:
            saved = a.state_dict()
            a = nn.schedulers.ReduceLROnPlateau(ours, **settings)
            ours.lr = 9.0
            a.load_state_dict(saved)
    assert len(seen) > 1


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda o: nn.schedulers.ReduceLROnPlateau(o, "least"), "mode is 'least'; expected 'min' or 'max'"),
        (lambda o: nn.schedulers.ReduceLROnPlateau(o, factor=1.0), "factor is 1.0"),
        (lambda o: nn.schedulers.ReduceLROnPlateau(o, patience=-1), "patience is -1"),
        (lambda o: nn.schedulers.ReduceLROnPlateau(o, min_lr=[0.1, 0.1]), "min_lr has 2 values; .* each of 1 groups"),
        (lambda o: nn.schedulers.LambdaLR(o, [abs, abs]), "lr_lambda has 2 values"),
        (lambda o: nn.schedulers.OneCycleLR(o, [0.1, -1], 5), "max_lr is -1"),
        (lambda o: nn.schedulers.MultiStepLR(o, [3, -1]), "milestones is -1"),
        (lambda o: nn.schedulers.SequentialLR(o, [nn.schedulers.StepLR(o, 2)], [3]), "1 schedulers want 0 milestones"),
        (
            lambda o: nn.schedulers.SequentialLR(o, [nn.schedulers.StepLR(nn.SGD([nn.Parameter([1.0])]), 2)], []),
            "StepLR was made for another optimiser",
        ),
    ],
)
def test_schedules_that_cannot_be_are_named(call: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        call(nn.SGD([nn.Parameter([1.0])]))


@pytest.mark.parametrize("kind", [nn.SGD, nn.RMSprop, nn.Adam, nn.AdamW])
@pytest.mark.parametrize(("bad", "word"), [(np.nan, "NaN"), (np.inf, "infinity")])
def test_a_non_finite_gradient_stops_the_step_before_anything_changes(kind: Any, bad: float, word: str) -> None:
    net = nn.Sequential(nn.Linear(2, 2, rng=np.random.default_rng(0)), nn.Linear(2, 1, rng=np.random.default_rng(1)))
    optimizer = kind(net.named_parameters(), lr=0.1)
    for p in net.parameters():
        p.grad = np.ones(p.shape, np.float32)
    optimizer.step()
    before, state = net.state_dict(), optimizer.state_dict()
    net[1].weight.grad[0, 1] = bad  # type: ignore[attr-defined]
    with pytest.raises(nn.NonFiniteGradient, match=rf"step 2: the gradient of 1\.weight holds {word}") as caught:
        optimizer.step()
    assert (caught.value.parameter, caught.value.step) == ("1.weight", 2)
    assert all(np.array_equal(before[name], array) for name, array in net.state_dict().items())
    after = optimizer.state_dict()
    assert after["steps"] == state["steps"]
    assert all(np.array_equal(state[s][n], after[s][n]) for s in kind.slots for n in state[s])


def test_large_but_finite_gradients_pass() -> None:
    p = nn.Parameter(np.zeros(4, np.float32))
    p.grad = np.full(4, 3e38, np.float32)  # their sum overflows in float32
    nn.SGD([p], lr=1e-30).step()
    assert (p.data != 0).all()


def test_clipping() -> None:
    a, b = nn.Parameter(np.zeros(2)), nn.Parameter(np.zeros(1))
    a.grad, b.grad = np.array([3.0, 0.0]), np.array([4.0])
    assert nn.clip_grad_norm([a, b], 1.0) == 5.0
    np.testing.assert_allclose([*a.grad, *b.grad], [0.6, 0, 0.8], rtol=1e-5)
    assert nn.clip_grad_norm([a, b], 10.0) == pytest.approx(1.0, rel=1e-5)
    np.testing.assert_allclose(a.grad, [0.6, 0], rtol=1e-5)
    nn.clip_grad_value([a, b], 0.7)
    np.testing.assert_allclose([*a.grad, *b.grad], [0.6, 0, 0.7], rtol=1e-5)
    for call in (lambda: nn.clip_grad_norm([a], 0.0), lambda: nn.clip_grad_value([a], -1.0)):
        with pytest.raises(ValueError, match="positive"):
            call()


@pytest.mark.parametrize("take", [nn.SGD, nn.clip_grad_norm, nn.clip_grad_value])
def test_no_parameter_is_dropped_or_moved_twice(take: Any) -> None:
    a, b = nn.Linear(2, 2), nn.Linear(2, 2)
    with pytest.raises(ValueError, match=r"two parameters are called 'weight': .* one Module"):
        take([*a.named_parameters(), *b.named_parameters()], 1.0)
    with pytest.raises(ValueError, match="'parameter 2' is the same Parameter as 'parameter 0'"):
        take([*a.parameters(), a.weight], 1.0)
    take([*a.parameters(), *b.parameters()], 1.0)
    take(nn.ModuleList([a, b]).named_parameters(), 1.0)


@pytest.mark.parametrize(
    ("total", "share", "expected"),
    [
        (10, 0.1, [1.0]),  # the warm-up is over before the first step
        (3, 1.0, [0.04, 0.52, 1.0, 1.0, 1.0]),  # never down again
        (1, 1.0, [1.0, 1.0]),
        (4, 0.5, [0.04, 1.0, 0.500002, 4e-6, 4e-6]),
    ],
)
def test_one_cycle_at_its_edges(total: int, share: float, expected: list[float]) -> None:
    optimizer = nn.SGD([nn.Parameter([1.0])])
    scheduler = nn.schedulers.OneCycleLR(optimizer, 1.0, total, pct_start=share)
    for rate in expected:
        assert optimizer.lr == pytest.approx(rate)
        scheduler.step()


def test_bad_settings_are_named() -> None:
    p = nn.Parameter([1.0])
    for call, words in (
        (lambda: nn.SGD([], lr=0.1), "no parameters"),
        (lambda: nn.SGD([p], lr=-1), "lr is -1; expected a finite number from 0 on"),
        (lambda: nn.SGD([p], nesterov=True), "nesterov"),
        (lambda: nn.Adam([p], betas=(0.9, 1.0)), "betas"),
        (lambda: nn.Adam([p]).load_state_dict(nn.SGD([p]).state_dict()), "'SGD', not of Adam"),
        (
            lambda: nn.Adam([("a", p)]).load_state_dict(nn.Adam([("b", p)]).state_dict()),
            r"missing \['a'\], left over \['b'\]",
        ),
        (
            lambda: nn.Adam([p]).load_state_dict(nn.Adam([nn.Parameter([1.0, 2.0])]).state_dict()),
            r"\(2,\), expected \(1,\)",
        ),
        (lambda: nn.SGD([p]).load_state_dict({"kind": "SGD", "steps": 3}), "SGD has no param_groups, counts$"),
        (lambda: nn.schedulers.StepLR(nn.SGD([p]), 2).load_state_dict({"kind": "StepLR"}), "no base_lrs, last_epoch"),
        (lambda: nn.schedulers.StepLR(nn.SGD([p]), 0), "step_size is 0"),
        (lambda: nn.schedulers.CosineAnnealingLR(nn.SGD([p]), 0), "T_max is 0"),
        (lambda: nn.schedulers.LinearLR(nn.SGD([p]), total_iters=0), "total_iters is 0"),
        (lambda: nn.schedulers.OneCycleLR(nn.SGD([p]), 1.0, 0), "total_steps is 0"),
        (lambda: nn.schedulers.OneCycleLR(nn.SGD([p]), 1.0, 10, pct_start=1.5), "pct_start is 1.5"),
    ):
        with pytest.raises(ValueError, match=words):
            call()
    with pytest.raises(TypeError, match="ndarray"):
        nn.SGD([np.ones(2)])  # type: ignore[list-item]


SETTINGS = {
    nn.SGD: {"lr": 0.3, "momentum": 0.8, "dampening": 0.1, "weight_decay": 0.2, "nesterov": False, "maximize": True},
    nn.RMSprop: {"lr": 0.3, "alpha": 0.8, "eps": 1e-3, "weight_decay": 0.2, "momentum": 0.7, "centered": True},
    nn.Adam: {"lr": 0.3, "betas": (0.8, 0.9), "eps": 1e-3, "weight_decay": 0.2, "amsgrad": True},
    nn.AdamW: {"lr": 0.3, "betas": (0.8, 0.9), "eps": 1e-3, "weight_decay": 0.2},
}


@pytest.mark.parametrize("kind", SETTINGS)
def test_a_saved_optimiser_goes_on_with_its_own_settings(kind: Any, tmp_path: Path) -> None:
    """Whatever settings the new one was made with: the next steps are those of the old one, bit for bit."""
    p, q = nn.Parameter([1.0, -2.0]), nn.Parameter([1.0, -2.0])
    old, new = kind([p], **SETTINGS[kind]), kind([q])
    for step in range(4):
        p.grad = np.array([0.5, step], np.float32)
        old.step()
        if step == 1:
            nn.save(tmp_path / "old.npz", optimiser=old)
            q.assign(p)
            new.load_state_dict(nn.load(tmp_path / "old.npz")["optimiser"])
        elif step > 1:
            q.grad = p.grad
            new.step()
    assert new.state_dict()["param_groups"] == old.state_dict()["param_groups"]
    np.testing.assert_array_equal(p.data, q.data)
    state = old.state_dict()
    del state["param_groups"][0]["lr"]
    with pytest.raises(ValueError, match=f"state of {kind.__name__} has the settings .*; expected .*lr"):
        new.load_state_dict(state)


NOT_ALLOWED = {"lr": "0 on", "weight_decay": "0 on", "eps": "0 on", "momentum": "0 on", "dampening": "0 on"}
NOT_ALLOWED |= {"alpha": "below 1", "betas": "two numbers", "gamma": "0 on", "eta_min": "0 on"}
NOT_ALLOWED |= dict.fromkeys(("step_size", "T_max", "total_iters", "total_steps"), "an integer from 1 on")
NOT_ALLOWED |= {"start_factor": "0 to 1", "end_factor": "0 to 1", "pct_start": "0 to 1"}
NOT_ALLOWED |= dict.fromkeys(("max_lr", "div_factor", "final_div_factor"), "above 0")


def settings_of(kind: Any) -> list[Any]:
    """A thing with settings, each of its settings, and good ones beside it."""
    good = SCHEDULES.get(kind.__name__, {})
    known = inspect.signature(kind).parameters
    return [pytest.param(kind, name, good, id=f"{kind.__name__} {name}") for name in NOT_ALLOWED if name in known]


KINDS = [nn.SGD, nn.RMSprop, nn.Adam, nn.AdamW, *(getattr(nn.schedulers, name) for name in SCHEDULES)]


@pytest.mark.parametrize(("kind", "name", "good"), [case for kind in KINDS for case in settings_of(kind)])
def test_a_setting_out_of_range_is_refused_at_the_door(kind: Any, name: str, good: dict[str, Any]) -> None:
    p = nn.Parameter([1.0])
    optimizer = nn.SGD([p], lr=0.2)
    for bad in (np.nan, np.inf, -1, -np.inf):
        bad = (0.9, bad) if name == "betas" else bad
        with pytest.raises(ValueError, match=rf"^{name} is {re.escape(repr(bad))}; expected .*{NOT_ALLOWED[name]}"):
            kind(optimizer if good else [p], **good | {name: bad})
    assert optimizer.lr == 0.2


def test_numbers_that_look_harmless_are_refused_too() -> None:
    p = nn.Parameter([1.0])
    for call, words in (
        (lambda: nn.RMSprop([p], alpha=2), "alpha is 2"),
        (lambda: nn.Adam([p], betas=(0.9,)), r"betas is \(0.9,\); expected two"),
        (lambda: nn.schedulers.StepLR(nn.SGD([p]), 2.5), "step_size is 2.5"),
    ):
        with pytest.raises(ValueError, match=words):
            call()
    for call, words in (
        (lambda: nn.Adam([p], betas=0.9), r"betas is 0\.9; expected two numbers"),
        (lambda: nn.Adam([p], betas="ab"), "betas is 'ab'"),
        (lambda: nn.Adam([p], lr="a"), "lr is 'a'; expected a finite number"),
        (lambda: nn.SGD([p], momentum=None), "momentum is None"),
        (lambda: nn.SGD([p], lr=np.ones(2)), "lr is array"),
        (lambda: nn.schedulers.StepLR(nn.SGD([p]), 3, gamma="a"), "gamma is 'a'"),
    ):
        with pytest.raises(TypeError, match=words):
            call()


@pytest.mark.parametrize("kind", [nn.SGD, nn.RMSprop, nn.Adam, nn.AdamW])
def test_a_gradient_that_does_not_fit_its_parameter_is_named_and_moves_nothing(kind: Any) -> None:
    good, x = nn.Parameter(np.ones(3, np.float32)), nn.Parameter(np.ones(3, np.float32))
    optimizer = kind([("good", good), ("x", x)], lr=0.1)
    good.grad = np.ones(3, np.float32)
    for grad, error, words in (
        (np.ones(2), ValueError, r"the gradient of x has shape \(2,\); expected \(3,\)"),
        (np.ones(1), ValueError, r"the gradient of x has shape \(1,\); expected \(3,\)"),
        ([1.0, 1.0, 1.0], TypeError, "the gradient of x is a list; expected an array, or None"),
        (np.full(3, 1e300), nn.NonFiniteGradient, r"x holds 1e\+300, which is infinite in float32"),
    ):
        x.grad = grad
        with pytest.raises(error, match=words):
            optimizer.step()
    assert (good.data == 1).all()
    assert (x.data == 1).all()
    x.grad = np.ones(3)  # float64, whose numbers fit
    optimizer.step()
    assert (x.data < 1).all()


def test_what_is_no_state_and_no_optimiser_is_named() -> None:
    torch = pytest.importorskip("torch", reason='comparison with PyTorch needs pip install "mazegrad[parity]"')
    optimizer = nn.SGD([nn.Parameter([1.0])], lr=0.1)
    with pytest.raises(TypeError, match=r"load_state_dict takes what state_dict\(\) returned, not NoneType"):
        optimizer.load_state_dict(None)  # type: ignore[arg-type]
    theirs = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=0.1).state_dict()
    with pytest.raises(ValueError, match="this is not the state of a SGD of mazegrad; it has state, param_groups"):
        optimizer.load_state_dict(theirs)
    for kind in (lambda x: nn.schedulers.StepLR(x, 3), nn.schedulers.ReduceLROnPlateau):
        with pytest.raises(ValueError, match="optimizer is 'SGD'; expected an optimiser"):
            kind("SGD")


def test_one_parameter_alone_is_clipped_as_in_torch() -> None:
    x = nn.Parameter([3.0, 4.0])
    (x**2).sum().backward()
    assert nn.clip_grad_norm(x, 1.0) == pytest.approx(10)
    np.testing.assert_allclose(x.grad, [0.6, 0.8], rtol=1e-5)  # type: ignore[arg-type]
    nn.clip_grad_value(x, 0.7)
    np.testing.assert_allclose(x.grad, [0.6, 0.7], rtol=1e-5)  # type: ignore[arg-type]
