"""Many plain mazes at once: paths, values and measures are those of each maze alone, in every library."""

import itertools
import re

import numpy as np
import pytest

from mazegrad.envs import (
    GENERATORS,
    MEASURES,
    Maze,
    World,
    best_actions,
    distance_maps,
    functional,
    generate,
    generate_batch,
    measures,
    shortest_path,
    shortest_paths,
    value_iteration,
    value_maps,
)

from test_functional import MODULES, using

REWARDS = ({}, {"step": -1.0}, {"step": -0.1, "goal": 3}, {"step": 2}, {"goal": -1}, {"step": -2, "goal": -3})


def random_tiles(n: int, rng: np.random.Generator, height: int = 5, width: int = 7) -> np.ndarray:
    """Mazes of any plain tiles: several goals and starts, or none, and places without a way."""
    tiles = rng.choice(np.frombuffer(b"#. G", dtype=np.uint8), size=(n, height, width), p=(0.3, 0.6, 0.05, 0.05))
    for one in tiles:
        one.flat[rng.choice(one.size, size=rng.integers(0, 3), replace=False)] = ord("S")
    return tiles


def kinds_of_mazes() -> dict[str, np.ndarray]:
    """Mazes by their size, so that little has to be compiled; in one every move ends the episode."""
    rng, by_size = np.random.default_rng(5), {}
    for name in GENERATORS:
        for _ in range(4):
            tiles = generate(name, 4, 5, rng=rng, **({} if name == "path" else {"goal": "random"})).tiles
            by_size.setdefault(f"{tiles.shape}", []).append(tiles)
    some = random_tiles(70, rng)
    some[0, :3, :3] = Maze.from_text(" G \nGSG\n G ").tiles
    made = {size: np.array(tiles) for size, tiles in by_size.items()}
    return {**made, "random": some, "row": random_tiles(40, rng, 1, 9)}


KINDS = kinds_of_mazes()


# ------------------------------------------------------------------------------------- numpy's, beside each maze alone
@pytest.mark.parametrize("name", KINDS)
def test_paths_are_those_of_each_maze_alone(name: str) -> None:
    paths = shortest_paths(KINDS[name])
    assert paths.dtype == np.int32
    for tiles, path in zip(KINDS[name], paths, strict=True):
        if not (tiles == ord("S")).any():
            assert (path == -1).all()
            continue
        world = World.compile(Maze(tiles))
        try:
            wanted = world.cell[shortest_path(world)]
        except ValueError:
            wanted = np.zeros(0, dtype=int)
        assert path[: len(wanted)].tolist() == wanted.tolist()
        assert (path[len(wanted) :] == -1).all()
    assert (paths[:, -1] >= 0).any() or (paths == -1).all()  # no longer than the longest


@pytest.mark.parametrize("discount", [0, 0.5, 0.99, 1])
@pytest.mark.parametrize("rewards", REWARDS)
def test_values_are_those_of_value_iteration(rewards: dict[str, float], discount: float) -> None:
    if discount == 1 and rewards.get("step", 0) >= 0:
        with pytest.raises(ValueError, match=r"discount 1 needs a negative reward for each step, not"):
            value_maps(KINDS["row"], discount=discount, rewards=rewards)
        return
    for tiles in KINDS.values():
        some = tiles[:: 1 + len(tiles) // 12]
        for one, values in zip(some, value_maps(some, discount=discount, rewards=rewards), strict=True):
            assert (values[(one == ord("#")) | (one == ord(" "))] == 0).all()
            if not (one == ord("S")).any():
                continue
            world = World.compile(Maze(one), rewards=rewards)
            try:
                wanted = value_iteration(world, discount=discount, tol=1e-12).values
            except ValueError as error:  # from a start no way leads to a goal
                assert "no policy is sure to" in str(error)
                continue
            np.testing.assert_allclose(values.ravel()[world.cell], wanted, rtol=1e-12, atol=1e-11)


def test_bad_rewards_are_refused() -> None:
    tiles = KINDS["random"]
    for take in (value_maps, functional.value_maps):
        with pytest.raises(ValueError, match="rewards for 'step' and 'goal' alone, not 'trap'"):
            take(tiles, rewards={"trap": 1})
        with pytest.raises(ValueError, match="unknown reward 'gaol'; did you mean 'goal'"):
            take(tiles, rewards={"gaol": 1})
        with pytest.raises(ValueError, match="discount must be"):
            take(tiles, discount=1.5)


# ------------------------------------------------------------------------------------------- every library beside numpy
COMPILED = {"jax": ["random"], "jax64": ["(9, 11)"]}  # each size is compiled, which takes seconds


@pytest.fixture(params=MODULES)
def library(request):
    with using(request.param) as (_, compiled):
        module = pytest.importorskip("jax.numpy" if request.param in COMPILED else MODULES[request.param])
        array = module.from_numpy if request.param == "torch" else module.asarray
        yield array, compiled, COMPILED.get(request.param, [*KINDS])


def test_maps_paths_and_measures_are_the_same_in_every_library(library) -> None:
    array, compiled, names = library

    @compiled
    def every(given):
        maps = functional.distance_maps(given)
        return maps, functional.best_actions(maps), functional.shortest_paths(given), functional.measures(given)

    for tiles in map(KINDS.get, names):
        given = array(tiles)
        maps, best, paths, found = every(given)
        assert np.array_equal(np.asarray(maps), distance_maps(tiles))
        assert np.asarray(best).dtype == np.int8
        assert np.array_equal(np.asarray(best), best_actions(distance_maps(tiles)))
        wanted, paths = shortest_paths(tiles), np.asarray(paths)
        assert paths.shape == (len(tiles), tiles[0].size) and paths.dtype == np.int32
        assert np.array_equal(paths[:, : wanted.shape[1]], wanted) and (paths[:, wanted.shape[1] :] == -1).all()
        short = np.asarray(functional.shortest_paths(given, longest=3))  # not compiled as a whole
        fits = (wanted >= 0).sum(axis=1) <= 4
        assert np.array_equal(short, np.where(fits[:, None], paths[:, :4], -1))
        expected = measures(tiles)
        assert found.keys() == expected.keys() == MEASURES.keys()
        for measure, counts in expected.items():
            assert np.array_equal(np.asarray(found[measure]), counts), measure


def test_values_are_the_same_in_every_library(library) -> None:
    array, _, names = library  # compiled by JAX, once for all rewards with which it is best to be at a goal soon
    tiles, every = KINDS[names[-1]], list(itertools.product((0, 0.5, 0.99, 1), REWARDS))
    given = array(tiles)
    for discount, rewards in every[::7] if len(names) == 1 else every:
        if discount == 1 and rewards.get("step", 0) >= 0:
            continue
        got = np.asarray(functional.value_maps(given, discount=discount, rewards=rewards))
        wanted = value_maps(tiles, discount=discount, rewards=rewards)
        assert np.array_equal(got, wanted.astype(got.dtype)), (rewards, discount)


@pytest.mark.parametrize("take", ["distance_maps", "value_maps", "shortest_paths", "measures"])
def test_other_tiles_and_shapes_are_refused(library, take: str) -> None:
    array, compiled, _ = library
    function = getattr(functional, take)
    for other in "~^0aA*X{":
        tiles = np.full((2, 3, 3), ord("."), dtype=np.uint8)
        tiles[1, 1, 1] = ord(other)
        with pytest.raises(
            ValueError, match=re.escape(f"{take} takes mazes of the tiles ' #.SG' alone, not of {other!r}")
        ):
            function(array(tiles))
    with pytest.raises(ValueError, match=r"tiles is a uint8 array \(n, height, width\), not .*int32"):
        compiled(function)(array(tiles.astype(np.int32)))
    with pytest.raises(ValueError, match=r"\(n, height, width\), not .* \(3, 3\)"):
        function(array(tiles[0]))


def test_in_compiled_code_other_tiles_count_as_walls() -> None:
    with using("jax"):
        import jax

        tiles = np.stack([Maze.from_text("S^G\n...").tiles, Maze.from_text("S#G\n...").tiles])
        found = np.asarray(jax.jit(functional.distance_maps)(jax.numpy.asarray(tiles)))
        assert np.array_equal(found[0], found[1]) and found[0, 0, 0] == 4


def test_a_function_is_compiled_once_for_mazes_of_one_shape(caplog: pytest.LogCaptureFixture) -> None:
    with using("jax"):
        import jax

        def all_of(first: int) -> None:
            keys = np.arange(first, first + 7, dtype=np.uint64)
            tiles = jax.numpy.asarray(generate_batch("backtracker", 3, 4, keys))
            functional.best_actions(functional.distance_maps(tiles))
            functional.value_maps(tiles, discount=0.9)
            functional.shortest_paths(tiles, longest=20)
            functional.measures(tiles)
            functional.backtracker(3, 4, jax.numpy.asarray(keys.view(np.int32).reshape(-1, 2)))
            tables = functional.tables(["S.G\n", "GS.\n"], xp="jax")
            functional.value_iteration(tables, discount=0.9 if first else 0.5)

        with jax.log_compiles():
            all_of(0)
            assert "Compiling" in caplog.text
            caplog.clear()
            all_of(7)
            assert "Compiling" not in caplog.text


@pytest.mark.parametrize("count", [1, 31, 32, 33, 64, 100])
def test_any_number_of_mazes(count: int) -> None:
    tiles = generate_batch("backtracker", 6, 6, np.arange(count, dtype=np.uint64))
    assert np.array_equal(functional.distance_maps(tiles), distance_maps(tiles))
