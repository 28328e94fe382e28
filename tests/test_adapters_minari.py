"""Minari: files written at once are Minari's own, and what is read back is what was written."""

import runpy
from pathlib import Path

import gymnasium
import numpy as np
import pytest

pytest.importorskip("minari")
pytest.importorskip("h5py")
import h5py
import minari

from mazegrad.adapters import minari as ours
from mazegrad.adapters.hdf5 import Column, write_episodes
from mazegrad.cli import main
from mazegrad.envs import Maze, World, load_maze, value_iteration
from mazegrad.offline import collect

IDS = [name for name in gymnasium.registry if name.startswith("mazegrad/") and name != "mazegrad/Tabular-v0"]
ROOMS, NAME = "mazegrad/FourRooms-v0", "mazegrad/FourRooms/test-v0"
EXAMPLES = Path(__file__).parent.parent / "examples"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path))
    return tmp_path


def equal(one, other):
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(equal(one[name], other[name]) for name in one)
    return one.dtype == other.dtype and np.array_equal(one, other)


@pytest.mark.parametrize("observation", ["dots", "index", "map", ("view", "position"), "pixels"], ids=str)
def test_minari_loads_what_was_written(observation):
    found = collect(ROOMS, "optimal", 120, lanes=6, seed=5, epsilon=0.3, time_limit=9, observation=observation)
    ours.write(found, NAME, algorithm_name="optimal", author=["somebody"])
    loaded = minari.load_dataset(NAME)
    assert (loaded.total_episodes, loaded.total_steps) == (found.episodes, found.steps)
    assert loaded.observation_space == found.observation_space and loaded.action_space == found.action_space
    metadata = list(loaded.storage.get_episode_metadata(range(found.episodes)))
    env = loaded.recover_environment()
    for number, episode in enumerate(loaded):
        wanted = found.episode(number)
        assert all(equal(getattr(episode, name), wanted[name]) for name in wanted)
        assert metadata[number]["seed"] == found.seeds[number] and metadata[number]["id"] == number
        first, _ = env.reset(seed=metadata[number]["seed"])
        kept = episode.observations
        seen = {name: rows[0] for name, rows in kept.items()} if isinstance(kept, dict) else kept[0]
        assert equal(first, seen) if isinstance(first, dict) else np.array_equal(first, seen)


@pytest.mark.parametrize("env_id", IDS)
def test_it_is_read_back_equal(env_id, folder):
    found = collect(env_id, "random", 100, lanes=10)
    path = ours.write(found, NAME)
    assert path == folder / NAME
    for way in (NAME, path, minari.load_dataset(NAME)):
        again = ours.read(way)
        assert again.digest == found.digest and again.env_id == env_id
        assert again.observation_space == found.observation_space
    again.rewards[:] = 7  # stays in memory
    assert ours.read(NAME).digest == found.digest


def test_options_and_mazes_are_kept():
    maze = Maze.from_text("#####\n#S..#\n#..G#\n#####\n")
    found = collect("mazegrad/GridWorld-v0", "optimal", 12, lanes=3, maze=maze, options={"start": (1, 2)})
    ours.write(found, NAME)
    loaded = minari.load_dataset(NAME)
    metadata = next(iter(loaded.storage.get_episode_metadata([2])))
    assert np.array_equal(metadata["options"]["start"], (1, 2))
    assert loaded.recover_environment().unwrapped.maze == maze
    found = collect(ROOMS, "optimal", 12, lanes=3, options={"maze": "cliff_walk"})
    ours.write(found, "mazegrad/other-v0")
    metadata = next(iter(minari.load_dataset("mazegrad/other-v0").storage.get_episode_metadata([0])))
    assert metadata["options"] == {"maze": "cliff_walk"}


def test_episodes_that_minari_added_are_read_too():
    found = collect(ROOMS, "random", 60, lanes=6, observation=("dots", "index"))
    ours.write(found, NAME)
    loaded = minari.load_dataset(NAME)
    one = found.episode(2)
    buffer = minari.data_collector.EpisodeBuffer(seed=77, **one)
    loaded.update_dataset_from_buffer([buffer] * 40)
    again = ours.read(minari.load_dataset(NAME))
    assert again.episodes == found.episodes + 40 and again.seeds[-1] == 77
    for number in (2, again.episodes - 1):
        assert all(equal(again.episode(number)[name], one[name]) for name in one)
    assert ours.read(minari.load_dataset(NAME).filter_episodes(lambda episode: episode.id < 3)).episodes == 3


def test_minari_combines_ours_with_its_own():
    for number in range(2):
        ours.write(collect(ROOMS, "random", 20, lanes=2, seed=number), f"mazegrad/part-v{number}")
    parts = [minari.load_dataset(f"mazegrad/part-v{number}") for number in range(2)]
    combined = minari.combine_datasets(parts, "mazegrad/both-v0")
    assert combined.total_steps == 40 and ours.read(combined).steps == 40
    assert set(minari.list_local_datasets()) == {"mazegrad/part-v0", "mazegrad/part-v1", "mazegrad/both-v0"}


@pytest.mark.parametrize("episodes", [1, 31, 32, 33, 1025, 3000])
def test_files_of_any_number_of_episodes(episodes, tmp_path):
    """Names lie in a tree of several levels; h5py finds every one, and adds more."""
    rng = np.random.default_rng(episodes)
    lengths = rng.integers(1, 4, episodes)
    rows = int(lengths.sum())
    kinds = [np.int8, np.uint16, np.int64, np.uint64, np.float16, np.float32, np.float64, np.bool_]
    columns = {f"in/{np.dtype(k)}": Column((255 * rng.random((rows, 3))).astype(k), lengths) for k in kinds}
    numbers = {"id": np.arange(episodes), "seed": np.arange(episodes).astype(np.uint64) + np.uint64(2**63)}
    constants = {"options/text": "→ é", "options/other": "", "options/where": np.array([3, 4]), "number": 1.5}
    write_episodes(tmp_path / "a.hdf5", columns, numbers, constants, {})
    ends = np.cumsum(lengths)
    with h5py.File(tmp_path / "a.hdf5", "a") as file:
        assert len(file) == episodes
        for number in {*range(0, episodes, 1 + episodes // 50), episodes - 1}:
            group = file[f"episode_{number}"]
            for name, column in columns.items():
                wanted = column.rows[ends[number] - lengths[number] : ends[number]]
                assert equal(group[name][()], wanted)
            attributes = dict(group.attrs)
            assert attributes["id"] == number and int(attributes["seed"]) == number + 2**63
            assert attributes["options/text"] == "→ é" and attributes["options/other"] == ""
            assert attributes["options/where"].tolist() == [3, 4] and attributes["number"] == 1.5
        for more in range(70):
            file.create_group(f"episode_{episodes + more}").attrs["id"] = more
    with h5py.File(tmp_path / "a.hdf5") as file:
        assert len(file) == episodes + 70 and file[f"episode_{episodes + 69}"].attrs["id"] == 69
    with pytest.raises(ValueError, match="complex"):
        write_episodes(tmp_path / "b", {"x": Column(np.zeros(2, complex), np.array([2]))}, {"id": np.arange(1)}, {}, {})


def test_what_is_wrong_is_said_and_nothing_half_written(folder):
    found = collect(ROOMS, "random", 10, lanes=2)
    ours.write(found, NAME)
    with pytest.raises(ValueError, match="already"):
        ours.write(found, NAME)
    with pytest.raises(FileNotFoundError):
        ours.read("mazegrad/none-v0")
    found.keywords["check"] = print
    with pytest.raises(ValueError, match="cannot be written"):
        ours.write(found, "mazegrad/second-v0")
    assert [path.name for path in (folder / "mazegrad").iterdir()] == ["FourRooms"]
    text = (folder / NAME / "data" / "metadata.json").read_text()
    (folder / NAME / "data" / "metadata.json").write_text(text.replace('"<i8"', '"|O"'))
    with pytest.raises(ValueError, match="damaged"):
        ours.read(NAME)


@pytest.mark.slow
def test_the_command_writes_all_levels_for_every_id_and_again_the_same(folder, capsys):
    few = ["--steps", "600", "--lanes", "8", "--training", "700", "--epsilon", "0.1", "--seed", "4"]
    assert main(["dataset", "all", *few, "--level", "random", "--level", "optimal"]) == 0
    assert capsys.readouterr().out.count("\n") == 2 * len(IDS) == len(minari.list_local_datasets())
    assert main(["dataset", "KeyDoor-v0", *few, "--out", str(folder / "a")]) == 0
    first = capsys.readouterr().out
    assert first.count("\n") == 5
    some = ["--level", "learner_2", "--level", "random", "--out", str(folder / "b")]
    assert main(["dataset", "KeyDoor-v0", *few, *some]) == 0
    hashes = {line.split(":")[0]: line.split()[-1] for line in first.splitlines()}
    again = {line.split(":")[0]: line.split()[-1] for line in capsys.readouterr().out.splitlines()}
    assert len(again) == 2 and again.items() <= hashes.items()


def test_the_example_learns_a_better_policy_than_it_saw(folder, capsys, monkeypatch):
    words = ["offline_learning.py", "--steps", "20000", "--lanes", "50"]
    monkeypatch.setattr("sys.argv", words)
    runpy.run_path(str(EXAMPLES / "offline_learning.py"), run_name="__main__")
    *_, random, half = capsys.readouterr().out.splitlines()
    best = value_iteration(World.compile(load_maze("four_rooms"))).values[
        World.compile(load_maze("four_rooms")).start_states
    ]
    assert random.startswith("random") and float(random.split()[-1]) == pytest.approx(best.mean(), abs=0.001)
    assert float(half.split()[-1]) == pytest.approx(best.mean(), abs=0.001)
    assert len(minari.list_local_datasets()) == 2


def test_the_command_takes_trained_agents_and_refuses_what_it_cannot_do(folder, capsys, tmp_path):
    net = str(tmp_path / "small.npz")
    assert main(["train", "TMaze-v0", "--steps", "200", "--lanes", "4", "--save", net, "--episodes", "4"]) == 0
    assert main(["dataset", "TMaze-v0", "--agent", net, "--steps", "40", "--lanes", "4", "--observation", "index"]) == 0
    assert "mazegrad/TMaze/small-v0: 40 steps" in capsys.readouterr().out
    again = ours.read("mazegrad/TMaze/small-v0")
    assert isinstance(again.observation_space, gymnasium.spaces.Discrete)
    for wrong, words in [
        (["Maze-v1"], "unknown environment"),
        (["Maze-v0", "--level", "expert"], "unknown level"),
        (["Maze-v0", "--observation", "dot"], "did you mean 'dots'"),
        (["Maze-v0", "--epsilon", "2"], "from 0 to 1"),
        (["TMaze-v0", "--agent", net], "already"),
        (["Tabular-v0"], "has states but no maze"),
        (["Maze-v0", "--world", "colour=1"], "colour"),
    ]:
        assert main(["dataset", *wrong]) == 2
        assert words in capsys.readouterr().err
