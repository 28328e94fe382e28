"""The references that `examples/architectures/autoencoder.py` is measured by: the code, its best receiver, and PCA."""

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pytest

FOLDER = Path(__file__).parent.parent / "examples" / "architectures"


@pytest.fixture
def program(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(FOLDER))
    spec = importlib.util.spec_from_file_location("autoencoder", FOLDER / "autoencoder.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_words_of_the_reed_muller_code_differ_in_16_places(program: Any) -> None:
    words = program.WORDS
    assert words.shape == (64, 32)
    distances = (words[:, None] != words).sum(2)
    assert set(distances[~np.eye(64, dtype=bool)]) == {16, 32}
    together = {tuple(first ^ second) for first in words for second in words}
    assert together == {tuple(word) for word in words}, "the sum of two words is a word"


def test_the_nearest_word_repairs_any_seven_flips(program: Any) -> None:
    rng = np.random.default_rng(0)
    sent = rng.integers(64, size=2000)
    for flips in range(8):
        received = program.flipped(sent, np.full(2000, flips), rng)
        assert ((received != program.SIGNS[sent]).sum(1) == flips).all()
        np.testing.assert_array_equal(program.nearest(received), sent)
    assert (program.nearest(program.flipped(sent, np.full(2000, 9), rng)) != sent).any()


def test_pca_is_the_best_linear_map(program: Any) -> None:
    rng = np.random.default_rng(1)
    images = np.clip(rng.random((50, 3)) @ rng.random((3, 784)) / 3 + 0.05 * rng.random((50, 784)), 0, 1)
    pca = program.PCA(images)
    errors = [program.error(images, pca.rebuilt(images, size)) for size in (0, 1, 2, 3, 10)]
    assert errors == sorted(errors, reverse=True)
    assert errors[0] == pytest.approx(images.var(0).mean())
    singular = np.linalg.svd(images - images.mean(0), compute_uv=False)
    assert errors[3] == pytest.approx((singular[3:] ** 2).sum() / images.size, rel=1e-3)
