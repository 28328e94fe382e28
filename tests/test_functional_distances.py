"""Distance maps over the arrays of numpy, JAX and torch are those of the search over tiles."""

import numpy as np
import pytest

from mazegrad.envs import distance_maps, functional, generate


def mazes(n: int, name: str = "caves") -> np.ndarray:
    return np.array([generate(name, 6, 6, rng=np.random.default_rng(seed), goal="random").tiles for seed in range(n)])


@pytest.mark.parametrize("name", ["caves", "backtracker"])
@pytest.mark.parametrize("library", ["numpy", "array_api_strict", "jax", "torch"])
def test_distances_are_the_same_in_every_library(library: str, name: str) -> None:
    tiles = mazes(30, name)
    tiles[3, 1:-1, 5] = ord("#")  # cut in two
    wanted = distance_maps(tiles)
    assert (wanted == -1).sum() > (tiles == ord("#")).sum()  # some floor has no way
    if library == "numpy":
        found = functional.distance_maps(tiles)
    elif library == "jax":
        jax = pytest.importorskip("jax")
        found = jax.jit(functional.distance_maps)(jax.numpy.asarray(tiles))
    elif library == "torch":
        torch = pytest.importorskip("torch")
        pytest.importorskip("array_api_compat")
        found = functional.distance_maps(torch.from_numpy(tiles))
    else:
        found = functional.distance_maps(pytest.importorskip("array_api_strict").asarray(tiles))
    assert np.array_equal(np.asarray(found), wanted)
