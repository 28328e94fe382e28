"""examples/resnet.py in small: what its augmentation promises, and that its net takes pictures of every size."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pytest

EXAMPLES = Path(__file__).parent.parent / "examples"


@pytest.fixture
def resnet(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(EXAMPLES / "architectures"))
    spec = importlib.util.spec_from_file_location("resnet", EXAMPLES / "resnet.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def pictures(count: int = 4, size: int = 8) -> np.ndarray:
    return np.random.default_rng(1).normal(size=(count, 3, size, size)).astype(np.float32)


def test_pictures_are_turned_and_zoomed(resnet: Any) -> None:
    x = pictures()
    rng = np.random.default_rng(0)
    np.testing.assert_allclose(resnet.turned(x, rng, angle=0, zoom=1), x, atol=1e-6)
    turned = resnet.turned(x, rng)
    assert turned.shape == x.shape
    assert turned.dtype == np.float32
    assert np.abs(turned).max() <= np.abs(x).max() + 1e-6  # means of pixels
    assert np.abs(turned - x).max() > 0.1
    flat = np.full_like(x, 2.0)
    np.testing.assert_allclose(resnet.turned(flat, rng, angle=90, zoom=2), flat, rtol=1e-5)


def test_mixed_pictures_have_the_probabilities_of_their_areas(resnet: Any) -> None:
    answers = np.array([0, 1, 1, 0])
    for seed in range(20):
        x = np.broadcast_to(np.arange(4, dtype=np.float32)[:, None, None, None], (4, 3, 8, 8)).copy()
        mixed, chances = resnet.mixed(x, answers, np.random.default_rng(seed))
        own = (mixed == np.arange(4)[:, None, None, None]).mean((1, 2, 3))
        other = (mixed == np.roll(np.arange(4), 1)[:, None, None, None]).mean((1, 2, 3))
        np.testing.assert_allclose(own + other, 1)
        expected = own * (answers == 1) + other * (np.roll(answers, 1) == 1)
        np.testing.assert_allclose(chances[:, :2], np.stack([1 - expected, expected], 1), rtol=1e-6)
        assert not chances[:, 2:].any()


def test_the_first_layer_makes_its_channels_uncorrelated_and_equal(resnet: Any) -> None:
    rough = np.random.default_rng(0).normal(size=(50, 3, 22, 22))
    x = np.lib.stride_tricks.sliding_window_view(rough, (3, 3), axis=(2, 3)).mean((4, 5)) * 3  # neighbours are alike
    x[:, 0] += x[:, 1]
    seen = resnet.Whitened(x.astype(np.float32), 12)(x.astype(np.float32))
    np.testing.assert_allclose(seen[:, 6:], -seen[:, :6], atol=1e-5)
    inside = seen[:, :6, 1:-1, 1:-1].swapaxes(0, 1).reshape(6, -1)
    np.testing.assert_allclose(np.cov(inside), np.eye(6), atol=0.1)


def test_a_convolution_starts_by_handing_on_its_input(resnet: Any) -> None:
    x = pictures(2)
    for out_channels in (1, 3, 5):
        y = resnet.convolution(3, out_channels, np.random.default_rng(0))(x).data
        np.testing.assert_allclose(y[:, :3], x[:, :out_channels], atol=1e-6)


def test_a_net_for_pictures_of_any_size(resnet: Any) -> None:
    net = resnet.make_net(pictures(), 8, 2, np.random.default_rng(0))
    assert net(pictures(3, 24)).shape == net(pictures(3, 32)).shape == (3, 10)
    net.eval()
    chances = resnet.chance_of_dog(net, pictures(3, 16))
    assert chances.shape == (3,)
    assert ((chances > 0) & (chances < 1)).all()
    np.testing.assert_allclose(resnet.chance_of_dog(net, pictures(3, 16)[..., ::-1].copy()), chances, rtol=1e-5)


@pytest.mark.parametrize("alone", [False, True])
def test_it_learns_from_the_other_classes_unless_alone(
    resnet: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str], alone: bool
) -> None:
    rng, asked = np.random.default_rng(0), []

    def noise(count: int, classes: int) -> Any:
        return rng.integers(256, size=(count, 3, 32, 32), dtype=np.uint8), np.arange(count, dtype=np.uint8) % classes

    monkeypatch.setattr(resnet, "HELD_OUT", 20)
    monkeypatch.setattr(resnet.corpora, "cats_and_dogs", lambda split: noise(150, 2))
    monkeypatch.setattr(resnet.corpora, "other_classes", lambda: asked.append(1) or noise(400, 8))
    words = ["--epochs", "1", "--width", "4", "--save", str(tmp_path / "net.npz"), "--pictures", str(tmp_path)]
    resnet.main(words + ["--alone"] * alone)
    assert len(asked) == (not alone)
    assert "of 150 test pictures" in capsys.readouterr().out
    saved = resnet.nn.load(tmp_path / "net.npz")
    assert saved["optimizer"]["steps"] == (2 if alone else 4)  # 130 cats and dogs, 64 or 32 in a batch
