"""Modules by name, lists of parameters, buffers and weights that stand in two places: found, saved, trained once."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mazegrad import nn


def t() -> Any:
    return pytest.importorskip("torch", reason='comparison with PyTorch needs pip install "mazegrad[parity]"')


def linear(seed: int = 0) -> nn.Linear:
    return nn.Linear(2, 2, rng=np.random.default_rng(seed))


# ----------------------------------------------------------------------------------------------------------- containers
def test_modules_by_name() -> None:
    torch = t()
    ours = nn.ModuleDict({"keys": linear(), "train": nn.ReLU()})
    theirs = torch.nn.ModuleDict([["a", torch.nn.Linear(2, 2)], ["b", torch.nn.ReLU()]])
    assert [name.split(".")[1] for name in ours.state_dict()] == [n.split(".")[1] for n in theirs.state_dict()]
    assert list(ours) == list(ours.keys()) == ["keys", "train"]
    assert list(ours.values()) == [ours["keys"], ours["train"]]
    assert len(ours) == 2
    assert "train" in ours
    ours["last"] = linear(1)
    ours.update([("keys", linear(2))])
    assert [name for name, _ in ours.items()] == ["keys", "train", "last"]
    assert [name for name, _ in ours.named_children()] == ["keys", "train", "last"]
    last = ours["last"]
    assert ours.pop("last") is last
    del ours["train"]
    assert set(ours.state_dict()) == {"keys.weight", "keys.bias"}
    ours.eval()
    assert not ours["keys"].training
    assert "keys: Linear" in repr(ours)
    ours.clear()
    assert not len(ours)


def test_a_list_of_parameters() -> None:
    torch = t()
    given = [np.ones((2, 3)), np.zeros(4)]
    ours = nn.ParameterList(given)
    theirs = torch.nn.ParameterList([torch.tensor(x) for x in given])
    assert ours.state_dict().keys() == theirs.state_dict().keys()
    assert all(isinstance(p, nn.Parameter) and p.requires_grad for p in ours)
    shared = nn.Parameter([1.0, 2.0])
    ours.append(shared).extend([shared, [3.0]])
    assert len(ours) == 5
    assert ours[2] is ours[-2] is shared
    ours[0] = [7.0]
    assert ours[0].data.tolist() == [7]
    assert len(list(ours.parameters())) == 4
    with pytest.raises(IndexError, match="parameter 5 of 5"):
        ours[5]


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: nn.ModuleDict({"a.b": linear()}), KeyError, "text without dots, not 'a.b'"),
        (lambda: nn.ModuleDict({"a": 3}), TypeError, "ModuleDict holds modules, not int"),
        (lambda: nn.ModuleDict({"a": linear()})["b"], KeyError, "unknown module 'b'; this ModuleDict has 'a'"),
        (lambda: linear().register_buffer("a.b", np.ones(2)), KeyError, "a free name without dots"),
        (lambda: linear().register_buffer("forward", np.ones(2)), KeyError, "cannot be called 'forward'"),
        (lambda: linear().register_buffer("weight", np.ones(2)), KeyError, "an attribute 'weight' already"),
        (lambda: linear().register_buffer("table", [1, 2]), TypeError, "an array or None, not list"),
    ],
)
def test_errors_name_what_was_given_and_what_is_wanted(call: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        call()


# ------------------------------------------------------------------------------------------------------------- buffers
class Counting(nn.Module):
    """A module with a buffer of each kind."""

    def __init__(self) -> None:
        self.weight = nn.Parameter(np.ones(2))
        self.register_buffer("table", np.arange(3.0))
        self.register_buffer("scratch", nn.Tensor([1.0, 2.0]), persistent=False)
        self.register_buffer("unused", None)


def test_buffers_are_saved_unless_they_are_transient() -> None:
    torch = t()
    theirs = torch.nn.Module()
    theirs.weight = torch.nn.Parameter(torch.ones(2))
    theirs.register_buffer("table", torch.arange(3.0))
    theirs.register_buffer("scratch", torch.ones(2), persistent=False)
    theirs.register_buffer("unused", None)
    net = nn.Sequential(Counting())
    assert set(net[0].state_dict()) == set(theirs.state_dict()) == {"weight", "table"}
    assert {name for name, _ in net[0].named_buffers()} == {name for name, _ in theirs.named_buffers()}
    assert {name for name, _ in net.named_buffers()} == {"0.table", "0.scratch"}
    assert [x.tolist() for x in net.buffers()] == [[0, 1, 2], [1, 2]]
    assert len(list(net.parameters())) == 1
    other = nn.Sequential(Counting())
    other.load_state_dict({"0.weight": np.zeros(2), "0.table": np.ones(3)})
    assert other[0].table.tolist() == [1, 1, 1]
    assert net[0].table.tolist() == [0, 1, 2]
    again = copy.deepcopy(net)
    again[0].table[:] = 9
    assert net[0].table.tolist() == [0, 1, 2]
    net[0].register_buffer("table", np.zeros(1), persistent=False)
    assert set(net.state_dict()) == {"0.weight"}


# -------------------------------------------------------------------------------------------------------- tied weights
class Tied(nn.Module):
    """A language model whose table of letters is its read-out, too (Press & Wolf 2017)."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.embedding = nn.Embedding(5, 3, rng=rng)
        self.output = nn.Linear(3, 5, bias=False, rng=rng)
        self.output.weight = self.embedding.weight

    def forward(self, index: Any) -> Any:
        """Logits."""
        return self.output(self.embedding(index))


def test_tied_weights_are_one_parameter_under_two_names(tmp_path: Path) -> None:
    torch = t()
    net = Tied(np.random.default_rng(0))
    embedding, output = torch.nn.Embedding(5, 3), torch.nn.Linear(3, 5, bias=False)
    embedding.weight = output.weight
    with torch.no_grad():
        output.weight.copy_(torch.tensor(net.embedding.weight.data))
    assert list(net.state_dict()) == ["embedding.weight", "output.weight"]
    assert len(list(net.parameters())) == 1
    optimizer = nn.AdamW(net.named_parameters(), 0.1)
    other = torch.optim.AdamW(output.parameters(), 0.1)
    index, target = np.array([0, 1, 3, 1]), np.array([1, 2, 4, 0])
    for _ in range(5):
        optimizer.zero_grad()
        nn.cross_entropy(net(index), target).backward()
        optimizer.step()
        other.zero_grad()
        torch.nn.functional.cross_entropy(output(embedding(torch.tensor(index))), torch.tensor(target)).backward()
        other.step()
    np.testing.assert_allclose(net.output.weight.data, output.weight.detach().numpy(), rtol=1e-5)
    nn.save(tmp_path / "tied.npz", net=net, optimizer=optimizer)
    saved, loaded = nn.load(tmp_path / "tied.npz"), Tied(np.random.default_rng(1))
    loaded.load_state_dict(saved["net"])
    assert loaded.output.weight is loaded.embedding.weight
    np.testing.assert_array_equal(loaded(index).data, net(index).data)
    nn.AdamW(loaded.named_parameters(), 0.1).load_state_dict(saved["optimizer"])
    again = copy.deepcopy(net)
    assert again.output.weight is again.embedding.weight
    assert again.output.weight is not net.output.weight


@pytest.mark.parametrize("kind", [nn.ModuleList, lambda modules: nn.Sequential(*modules)])
def test_modules_are_replaced_and_taken_away_by_number_as_in_torch(kind: Any) -> None:
    """A new head for an old net, for one."""
    rng = np.random.default_rng(0)
    net = kind([nn.Linear(2, 3, rng=rng), nn.ReLU(), nn.Linear(3, 5, rng=rng)])
    net[-1] = nn.Linear(3, 2, rng=rng)
    assert [name for name, _ in net.named_parameters()] == ["0.weight", "0.bias", "2.weight", "2.bias"]
    assert net.state_dict()["2.weight"].shape == (2, 3)
    del net[1]
    assert [name for name, _ in net.named_parameters()] == ["0.weight", "0.bias", "1.weight", "1.bias"]
    assert len(net) == len(list(net)) == 2
    del net[-1], net[0]
    assert not list(net.parameters())
    for call, error, words in (
        (lambda: net.__setitem__(0, nn.ReLU()), IndexError, "module 0 of 0"),
        (lambda: net.__delitem__(0), IndexError, "module 0 of 0"),
        (lambda: net.append(nn.ReLU()).__setitem__(0, np.tanh), TypeError, "holds modules, not ufunc"),
        (lambda: net.__getitem__("relu"), TypeError, "is indexed by integers, not str"),
    ):
        with pytest.raises(error, match=words):
            call()
