"""Minari: a `Dataset` as one of Minari's, and Minari's as ours.

Minari's own way takes Python objects step by step, and h5py about a millisecond for each episode. Here its files are
written at once (see `hdf5`); `minari.load_dataset`, `recover_environment` and the rest then work as with any other.
"""

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import gymnasium
import numpy as np
from numpy.typing import NDArray

from ..envs import Maze
from ..extras import require
from ..offline import Dataset, flat
from .hdf5 import Column, write_episodes

_FILE: Final = "main_data.hdf5"
_OURS: Final = "mazegrad"  # our entry of metadata.json: where arrays lie in the file, end to end, and their hash
_STEPS: Final = ("actions", "rewards", "terminations", "truncations")


def folder_of(name: str, folder: str | os.PathLike[str] | None = None) -> Path:
    """Return the folder of a data set, below `folder` or else below Minari's own.

    Raises:
        MissingExtra: Minari is not installed.
        ValueError: the name does not have Minari's form, such as "mazegrad/FourRooms/optimal-v0".

    Example:
        >>> from mazegrad.adapters.minari import folder_of
        >>> folder_of("mazegrad/FourRooms/optimal-v0", folder="data").as_posix()
        'data/mazegrad/FourRooms/optimal-v0'
    """
    require("minari.dataset.minari_dataset", "minari").parse_dataset_id(name)
    if folder is not None:
        return Path(folder) / name
    return Path(require("minari.storage", "minari").get_dataset_path(name))


def write(dataset: Dataset, name: str, *, folder: str | os.PathLike[str] | None = None, **about: Any) -> Path:
    """Write a dataset where Minari looks for it: `minari.load_dataset(name)` loads it.

    Args:
        dataset: see `collect`.
        name: such as "mazegrad/FourRooms/optimal-v0".
        folder: below which it is written; by default the one that MINARI_DATASETS_PATH names, or Minari's own.
        about: further entries of its metadata, such as `algorithm_name`, `author`, `description`, `code_permalink`.

    Returns:
        The folder of its files.

    Raises:
        MissingExtra: Minari is not installed.
        ValueError: there is such a dataset already, or the name is not one; a keyword of the environment that cannot be
            written.

    Example:
        >>> import tempfile
        >>> from mazegrad.adapters.minari import write
        >>> from mazegrad.offline import collect
        >>> data = collect("mazegrad/FourRooms-v0", "optimal", steps=200, lanes=4)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     write(data, "mazegrad/FourRooms/optimal-v0", folder=folder, author="me").name
        'optimal-v0'
    """
    minari = require("minari", "minari")
    serialize = require("minari.serialization", "minari").serialize_space
    path = folder_of(name, folder)
    if path.exists():
        raise ValueError(f"there is a dataset {name!r} already: take another name or version, or delete {path}")
    metadata = {
        "total_episodes": dataset.episodes,
        "total_steps": dataset.steps,
        "data_format": "hdf5",
        "jpeg_encoding": False,
        "observation_space": serialize(dataset.observation_space),
        "action_space": serialize(dataset.action_space),
        "dataset_id": name,
        "minari_version": minari.__version__,
        **about,
    }
    if dataset.env_id is not None:
        metadata["env_spec"] = spec_of(dataset).to_json()
    more, lengths = dataset.lengths + 1, dataset.lengths
    arrays = {name: getattr(dataset, name) for name in ("observations", *_STEPS)} | {"infos": dict(dataset.infos)}
    columns = {key: Column(rows, lengths if key in _STEPS else more) for key, rows in flat(arrays).items()}
    numbers: dict[str, NDArray[Any]] = {"id": np.arange(dataset.episodes), "total_steps": lengths}
    apart: dict[str, NDArray[Any]] = {"lengths": lengths}
    if dataset.seeds is not None:
        numbers["seed"] = apart["seeds"] = dataset.seeds
    options = {f"options/{key}": value for key, value in _plain(dataset.options).items()}
    # beside its place first, so that nothing half-written lies there
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        (beside / "data").mkdir(parents=True)
        places = write_episodes(beside / "data" / _FILE, columns, numbers, options, apart)
        every = {key: column.rows for key, column in columns.items()} | apart
        where = {key: [places[key], rows.dtype.str, list(rows.shape)] for key, rows in every.items()}
        size = (beside / "data" / _FILE).stat().st_size
        metadata["dataset_size"] = round(size / 1e6, 1)
        metadata[_OURS] = {"digest": dataset.digest, "size": size, "arrays": where, "options": _plain(dataset.options)}
        (beside / "data" / "metadata.json").write_text(json.dumps(metadata), encoding="utf-8")
        beside.rename(path)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return path


def spec_of(dataset: Dataset) -> gymnasium.envs.registration.EnvSpec:
    """Return the spec of the environment that a dataset is from: `gymnasium.make(spec)` makes it.

    Raises:
        ValueError: a keyword that cannot be written as JSON.

    Example:
        >>> import gymnasium
        >>> from mazegrad.adapters.minari import spec_of
        >>> from mazegrad.offline import collect
        >>> spec = spec_of(collect("mazegrad/Maze-v0", "random", steps=10, lanes=2, size=(3, 3)))
        >>> gymnasium.make(spec).unwrapped.maze.height
        7
    """
    if dataset.env_id is None:
        raise ValueError("the dataset does not say in which environment it was made")
    spec = gymnasium.spec(dataset.env_id)
    kept = _plain(dataset.keywords)
    try:
        json.dumps(kept)
    except TypeError as error:
        raise ValueError(f"keywords of the environment that cannot be written: {error}") from None
    made: dict[str, Any] = {**vars(spec), "kwargs": {**spec.kwargs, **kept}}
    return gymnasium.envs.registration.EnvSpec(
        **{name: value for name, value in made.items() if name not in ("namespace", "name", "version")}
    )


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return keywords as JSON has them: a maze as its text."""
    found = {}
    for name, value in values.items():
        if isinstance(value, Maze):
            value = value.to_text()
        elif isinstance(value, os.PathLike):
            value = os.fspath(value)
        elif isinstance(value, np.ndarray):
            value = value.tolist()
        found[name] = value
    return found


def read(dataset: Any) -> Dataset:
    """Read a dataset of Minari.

    Args:
        dataset: its name, its folder, or what `minari.load_dataset` returns. One that `write` wrote is mapped into
            memory, unless episodes were added to it; any other is read episode by episode.

    Raises:
        MissingExtra: Minari is not installed.
        ValueError: the file is damaged, or observations are neither arrays nor dicts of arrays.
        FileNotFoundError: it does not exist.

    Example:
        >>> import tempfile
        >>> from mazegrad.adapters.minari import read, write
        >>> from mazegrad.offline import collect
        >>> data = collect("mazegrad/FourRooms-v0", "optimal", steps=200, lanes=4)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     read(write(data, "mazegrad/FourRooms/optimal-v0", folder=folder)).digest == data.digest
        True
    """
    minari = require("minari", "minari")
    if isinstance(dataset, os.PathLike):
        dataset = minari.MinariDataset(Path(dataset) / "data")
    elif isinstance(dataset, str):
        dataset = minari.load_dataset(dataset)
    metadata = dataset.storage.metadata
    ours = metadata.get(_OURS)
    whole = len(dataset.episode_indices) == metadata["total_episodes"] and np.array_equal(
        dataset.episode_indices, np.arange(metadata["total_episodes"])
    )
    path = Path(dataset.storage.data_path) / _FILE
    if isinstance(ours, dict) and whole and path.is_file() and path.stat().st_size == ours.get("size"):
        arrays, options = _mapped(path, ours), ours.get("options", {})
    else:
        arrays, options = _gathered(dataset), {}
    spec = dataset.env_spec
    return Dataset(
        arrays["observations"], arrays["actions"], arrays["rewards"], arrays["terminations"], arrays["truncations"],
        arrays.get("infos", {}), arrays["lengths"], arrays.get("seeds"), dataset.observation_space,
        dataset.action_space, None if spec is None else spec.id, {} if spec is None else dict(spec.kwargs), options,
    )  # fmt: skip


def _mapped(path: Path, ours: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arrays in a file that `write` wrote; what is written to them stays in memory."""
    found: dict[str, Any] = {}
    try:
        for name, (place, kind, shape) in ours["arrays"].items():
            dtype = np.dtype(kind)
            if dtype.kind not in "biuf":
                raise ValueError(f"an array of {kind}")
            *groups, leaf = name.split("/")
            inside = found
            for group in groups:
                inside = inside.setdefault(group, {})
            inside[leaf] = np.memmap(path, dtype, "c", int(place), tuple(map(int, shape))).view(np.ndarray)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise ValueError(f"{path.parent} is damaged: {type(error).__name__}: {error}") from None
    return found


def _gathered(dataset: Any) -> dict[str, Any]:
    """Return the arrays of any dataset of Minari."""
    episodes = list(dataset.iterate_episodes())
    if not episodes:
        raise ValueError("the dataset has no episodes")
    found: dict[str, Any] = {name: np.concatenate([getattr(one, name) for one in episodes]) for name in _STEPS}
    found["rewards"] = found["rewards"].astype(np.float64)
    found["observations"] = _joined([one.observations for one in episodes])
    found["lengths"] = np.array([len(one.rewards) for one in episodes])
    infos = [one.infos for one in episodes]
    if all(infos):
        found["infos"] = _joined(infos)
    seeds = [one.get("seed") for one in dataset.storage.get_episode_metadata(dataset.episode_indices)]
    if all(seed is not None for seed in seeds):
        found["seeds"] = np.array(seeds, dtype=np.uint64)
    return found


def _joined(parts: list[Any]) -> NDArray[Any] | dict[str, Any]:
    if isinstance(parts[0], Mapping):
        return {name: _joined([part[name] for part in parts]) for name in parts[0]}
    if not isinstance(parts[0], np.ndarray):
        raise ValueError(f"observations and infos are arrays or dicts of arrays here, not {type(parts[0]).__name__}")
    return np.concatenate(parts)
