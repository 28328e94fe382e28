"""Loaders give the batches that PyTorch's give, in an order that a generator draws."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pytest

from mazegrad import nn
from mazegrad.nn.data import (
    ConcatDataset,
    DataLoader,
    Dataset,
    Subset,
    TensorDataset,
    default_collate,
    random_split,
)


def t() -> Any:
    return pytest.importorskip("torch", reason='comparison with PyTorch needs pip install "mazegrad[parity]"')


class Squares(Dataset):
    """Samples of every kind: an array, a number, a text, a dictionary."""

    def __len__(self) -> int:
        return 11

    def __getitem__(self, index: int) -> Any:
        if not 0 <= index < 11:
            raise IndexError(index)
        return (
            np.full((2, 3), index, np.float32),
            index * index,
            f"number {index}",
            {"half": index / 2},
        )


def same(a: Any, b: Any) -> None:
    """Equal, nested alike: lists for tuples."""
    if isinstance(b, dict):
        assert a.keys() == b.keys()
        for key in b:
            same(a[key], b[key])
    elif isinstance(b, list | tuple):
        assert len(a) == len(b)
        for x, y in zip(a, b, strict=True):
            same(x, y)
    elif isinstance(b, str):
        assert a == b
    else:
        assert isinstance(a, np.ndarray)
        np.testing.assert_array_equal(a, b.numpy())


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"batch_size": 4},
        {"batch_size": 4, "drop_last": True},
        {"batch_size": 20, "drop_last": True},
        {"batch_size": 3, "sampler": [5, 1, 1, 0]},
        {"batch_sampler": [[1, 2], [0]]},
        {"batch_size": 4, "collate_fn": lambda samples: [text for *_, text, _ in samples]},
    ],
    ids=", ".join,
)
def test_batches_are_those_of_torch(settings: dict[str, Any]) -> None:
    torch = t()
    ours = DataLoader(Squares(), **settings)
    theirs = torch.utils.data.DataLoader(Squares(), **settings)
    assert len(ours) == len(theirs)
    mine, other = list(ours), list(theirs)
    assert len(mine) == len(other)
    for a, b in zip(mine, other, strict=True):
        same(a, b)
    for a, b in zip(list(ours), mine, strict=True):  # and once more
        assert type(a) is type(b)


def test_each_pass_has_an_order_of_its_own() -> None:
    x, y = np.arange(50), np.arange(50.0) ** 2
    loader = DataLoader(TensorDataset(x, y), 8, shuffle=True, rng=np.random.default_rng(3))
    passes = [list(loader) for _ in range(2)]
    orders = [np.concatenate([first for first, _ in batches]) for batches in passes]
    for order, batches in zip(orders, passes, strict=True):
        assert sorted(order) == list(range(50))
        np.testing.assert_array_equal(np.concatenate([second for _, second in batches]), order**2)
    assert (orders[0] != orders[1]).any()
    again = DataLoader(TensorDataset(x, y), 8, shuffle=True, rng=np.random.default_rng(3))
    np.testing.assert_array_equal(np.concatenate([first for first, _ in again]), orders[0])
    plain = DataLoader(Subset(TensorDataset(x, y), range(50)), 8, shuffle=True, rng=np.random.default_rng(3))
    np.testing.assert_array_equal(np.concatenate([first for first, _ in plain]), orders[0])


def test_samples_one_by_one() -> None:
    loader = DataLoader(Squares(), None)
    assert len(loader) == 11
    assert [sample[1] for sample in loader] == [i * i for i in range(11)]
    assert list(DataLoader([3, 1, 2], None, collate_fn=lambda x: -x)) == [-3, -1, -2]


class Point(NamedTuple):
    """A sample with names."""

    x: float
    y: int


def test_collating_keeps_kinds_and_precision() -> None:
    assert default_collate([0.5, 1.5]).dtype == np.float32
    assert default_collate([np.float64(0.5), np.float64(1.5)]).dtype == np.float64
    assert default_collate([1, 2]).dtype.kind == "i"
    assert default_collate([True, False]).dtype == bool
    point = default_collate([Point(1.0, 2), Point(3.0, 4)])
    assert isinstance(point, Point)
    assert point.y.tolist() == [2, 4]
    tensors = default_collate([nn.Tensor([1.0, 2.0], requires_grad=True)] * 2)
    assert isinstance(tensors, nn.Tensor)
    assert tensors.shape == (2, 2)


def test_parts_of_data_sets() -> None:
    torch, squares = t(), Squares()
    both = squares + Subset(squares, [10, 0])
    assert isinstance(both, ConcatDataset)
    assert [both[i][1] for i in (0, 10, 11, 12, -1)] == [0, 100, 100, 0, 0]
    assert len(both) == 13
    for lengths in ([5, 6], [0.3, 0.3, 0.4], [0.5, 0.5]):
        parts = random_split(squares, lengths, rng=np.random.default_rng(0))
        theirs = torch.utils.data.random_split(squares, lengths)
        assert [len(part) for part in parts] == [len(part) for part in theirs]
        assert sorted(i for part in parts for i in part.indices) == list(range(11))
    assert TensorDataset(np.arange(3), np.arange(6).reshape(3, 2))[1][1].tolist() == [2, 3]


def test_a_net_learns_from_a_loader() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(64, 3)).astype(np.float32)
    loader = DataLoader(TensorDataset(x, x.sum(1, keepdims=True)), 16, shuffle=True, rng=rng)
    net, loss = nn.Linear(3, 1, rng=rng), nn.MSELoss()
    optimizer = nn.SGD(net.parameters(), 0.1)
    for _ in range(20):
        for inputs, targets in loader:
            optimizer.zero_grad()
            loss(net(inputs), targets).backward()
            optimizer.step()
    np.testing.assert_allclose(net.weight.data, np.ones((1, 3)), atol=1e-3)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: DataLoader(Squares(), 0), ValueError, "batch_size is 0"),
        (lambda: DataLoader(Squares(), shuffle=True), ValueError, "shuffle needs rng="),
        (lambda: DataLoader(Squares(), num_workers=2), ValueError, "num_workers is 2; expected 0"),
        (lambda: DataLoader(iter([1, 2])), TypeError, "list_iterator lacks one"),
        (lambda: DataLoader(Squares(), None, drop_last=True), ValueError, "drop_last needs a batch_size"),
        (
            lambda: DataLoader(Squares(), shuffle=True, sampler=[1], rng=np.random.default_rng(0)),
            ValueError,
            "leave shuffle out",
        ),
        (lambda: DataLoader(Squares(), 2, batch_sampler=[[1]]), ValueError, "leave batch_size, shuffle"),
        (lambda: TensorDataset(np.ones(2), np.ones(3)), ValueError, r"got lengths \[2, 3\]"),
        (lambda: random_split(Squares(), [1, 2], rng=np.random.default_rng(0)), ValueError, "add up to 3; expected 11"),
        (lambda: default_collate([np.ones(2), np.ones(3)]), ValueError, r"shapes \[\(2,\), \(3,\)\]"),
        (lambda: default_collate([(1, 2), (1,)]), ValueError, "different lengths"),
        (lambda: default_collate([object()]), TypeError, "not of object; pass a collate_fn"),
        (lambda: ConcatDataset([]), ValueError, "no data sets"),
        (lambda: ConcatDataset([[1, 2]])[2], IndexError, "sample 2 of 2"),
        (lambda: Dataset()[0], NotImplementedError, "Dataset has no __getitem__"),
    ],
)
def test_errors_name_what_was_given_and_what_is_wanted(call: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        call()
