"""Observations as nets take them: encoded, and several at once; in the declared space, single and vector alike."""

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AutoresetMode

from mazegrad.envs import LEGEND, OBSERVATIONS, Maze, MazeEnv, MazeVectorEnv, load_maze
from mazegrad.envs.observations import ENCODINGS, PLANES
from mazegrad.envs.observations.encodings import encoded

from contract_child import IDS
from test_vector import EVERYTHING, same, singles, walk_alike

SEVERAL = ("dots", "position", "index", "view")


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("observation", [*OBSERVATIONS, SEVERAL], ids=str)
@pytest.mark.parametrize("name", IDS)
def test_check_env(name, observation, encoding):
    env = gymnasium.make(name, observation=observation, encoding=encoding)
    check_env(env.unwrapped, skip_render_check=True)
    if encoding == "float":
        spaces = env.observation_space.spaces.values() if observation == SEVERAL else [env.observation_space]
        assert all(space.dtype == np.float32 and len(space.shape) == 1 for space in spaces)


@pytest.mark.parametrize("mode", AutoresetMode, ids=lambda mode: mode.value)
@pytest.mark.parametrize("encoding", [None, *ENCODINGS])
@pytest.mark.parametrize("observation", ["dots", "index", "view", "map", SEVERAL], ids=str)
@pytest.mark.parametrize(
    ("name", "keywords"),
    [("GridWorld", {"maze": EVERYTHING}), ("Maze", {"size": (2, 3)}), ("TMaze", {"corridor": 2})],
)
def test_lanes_are_single_environments(name, keywords, observation, encoding, mode):
    keywords = {"observation": observation, "encoding": encoding, "slip": 0.2, "time_limit": 9, **keywords}
    ours = gymnasium.make_vec(f"mazegrad/{name}-v0", num_envs=3, autoreset_mode=mode, **keywords)
    theirs = singles(f"mazegrad/{name}-v0", 3, mode, **keywords)
    assert ours.observation_space == theirs.observation_space
    assert walk_alike(ours, theirs, 40) > 6
    assert ours.observation_space.contains(ours.reset(seed=0)[0])


def test_what_is_observed_is_fresh():
    env = MazeEnv("four_rooms", observation=SEVERAL, encoding="float")
    first, _ = env.reset(seed=0)
    kept = {name: part.copy() for name, part in first.items()}
    for part in first.values():
        part[...] = 7
    again, _ = env.reset(seed=0)
    same(again, kept)


def test_float_says_the_same_as_the_observation():
    maze = load_maze("key_door")
    seen = MazeVectorEnv(maze, 20, observation=("dots", "index", "position", "view"))
    floats = MazeVectorEnv(maze, 20, observation=("dots", "index", "position", "view"), encoding="float")
    rng = np.random.default_rng(0)
    plain, encoded_, size = seen.reset(seed=0)[0], floats.reset(seed=0)[0], np.array([maze.height, maze.width])
    for _ in range(100):
        assert (encoded_["dots"] == plain["dots"]).all()
        assert (encoded_["index"].argmax(axis=1) == plain["index"]).all() and (encoded_["index"].sum(axis=1) == 1).all()
        np.testing.assert_allclose(encoded_["position"] * (size - 1), plain["position"], atol=1e-5)
        planes = encoded_["view"].reshape(20, len(PLANES), 7, 7)
        assert (planes[:, PLANES.index("closed")] == np.isin(plain["view"], (0, 1))).all()
        actions = rng.integers(0, 4, 20)
        plain, encoded_ = seen.step(actions)[0], floats.step(actions)[0]


def test_planes_mark_what_the_legend_says():
    """Every tile but keys, doors and teleporters of other letters and digits has planes of its own."""
    tiles = "".join(tile for tile in LEGEND if tile not in " bcdefBCDEF123456789")
    env = MazeEnv(Maze.from_text(tiles + "0\n"), observation="map", encoding="planes_last")
    planes = env.reset(seed=0)[0][0]  # (width, planes)
    marked = {tile: tuple(row) for tile, row in zip(tiles, planes.tolist(), strict=False)}
    assert len(set(marked.values())) == len(tiles) - 1  # an item and a key are things
    assert marked["*"] == marked["a"]
    names = {tile: {PLANES[number] for number in np.flatnonzero(row)} for tile, row in marked.items()}
    assert names["#"] == {"closed"} and names["."] == {"open"} and names["G"] == {"open", "goal"}
    assert (
        names["S"] == {"open", "agent"} and names["{"] == {"open", "left"} and names["v"] == {"open", "mover", "down"}
    )


def test_planes_first_and_last_are_one():
    first, last = (MazeEnv("four_rooms", observation="view", encoding=name) for name in ("planes", "planes_last"))
    one, other = first.reset(seed=0)[0], last.reset(seed=0)[0]
    assert one.shape == (len(PLANES), 7, 7) and one.dtype == np.uint8
    assert (one == np.moveaxis(other, -1, 0)).all()


def test_an_unknown_encoding_is_named():
    with pytest.raises(ValueError, match="unknown encoding 'plane'; did you mean 'planes'"):
        MazeEnv(encoding="plane")
    with pytest.raises(ValueError, match="unknown encoding"):
        encoded(MazeEnv().observation_space, "plane")
    with pytest.raises(TypeError, match="observation is a name or several"):
        MazeEnv(observation=3)


def test_several_are_a_dict_of_what_each_is_alone():
    together, _ = MazeEnv("four_rooms", observation=SEVERAL).reset(seed=0)
    for name in SEVERAL:
        alone, _ = MazeEnv("four_rooms", observation=name).reset(seed=0)
        same(together[name], alone)
