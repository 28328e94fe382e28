"""Levels without leaks: a level and all its turned and mirrored copies have one hash, and are in one split."""

import hashlib
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from .maze import Maze
from .randomness import mix

SPLITS: Final[Mapping[str, float]] = MappingProxyType({"train": 0.8, "validation": 0.1, "test": 0.1})
"""name -> share of all levels"""

# what a tile with a direction becomes when the drawing is turned by a quarter to the left, or mirrored left to right
_QUARTER, _MIRROR = np.arange(256, dtype=np.uint8), np.arange(256, dtype=np.uint8)
_QUARTER[np.frombuffer(b"^<v>", dtype=np.uint8)] = np.frombuffer(b"<v>^", dtype=np.uint8)
_MIRROR[np.frombuffer(b"<>{}", dtype=np.uint8)] = np.frombuffer(b"><}{", dtype=np.uint8)
_SIGNS: Final = np.frombuffer(b"{}", dtype=np.uint8)  # they point sideways only, so a quarter turn has no tile for them


def symmetric(tiles: NDArray[np.uint8]) -> Iterator[NDArray[np.uint8]]:
    """Yield the symmetric copies of levels, conveyors and signs included: eight, with signs four (no quarter turns).

    Args:
        tiles: (..., height, width), as bytes.
    """
    steps = 2 if np.isin(tiles, _SIGNS).any() else 1
    mirrored = _MIRROR[tiles[..., ::-1]]
    for turns in range(0, 4, steps):
        for drawn in (tiles, mirrored):
            turned = np.rot90(drawn, turns, axes=(-2, -1))
            for _ in range(turns):
                turned = _QUARTER[turned]
            yield _upright(turned) if steps == 2 and turns == 2 else turned


def _upright(tiles: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Exchange the signs of a drawing that was turned upside down."""
    return np.where(np.isin(tiles, _SIGNS), _MIRROR[tiles], tiles)


def canonical(maze: Maze) -> Maze:
    r"""Return the first of a maze's symmetric copies in the order of their texts; metadata stays as it is.

    Example:
        >>> from mazegrad.envs import Maze, canonical
        >>> one, mirrored = Maze.from_text("S..\n##G"), Maze.from_text("..S\nG##")
        >>> print(canonical(one).to_text())
        ##G
        S..
        >>> canonical(one) == canonical(mirrored)
        True
    """
    drawings = (np.ascontiguousarray(drawn) for drawn in symmetric(maze.tiles))
    first = min(drawings, key=lambda drawn: (drawn.shape, drawn.tobytes()))
    return Maze(first, dict(maze.metadata))


def level_digest(maze: Maze) -> str:
    r"""Return the SHA-256 of a level, in hexadecimal; the same for all its symmetric copies, whatever it is called.

    Metadata that changes nothing (name, title, source) does not count.

    Example:
        >>> from mazegrad.envs import Maze, level_digest
        >>> level_digest(Maze.from_text("S.G"))[:16]
        '0954416f3427376e'
        >>> level_digest(Maze.from_text("name: turned\nG\n.\nS"))[:16]
        '0954416f3427376e'
    """
    kept = {key: value for key, value in maze.metadata.items() if key not in ("name", "title", "source")}
    first = canonical(Maze(maze.tiles))
    content = f"{first.height} {first.width} {sorted(kept.items())}\n".encode() + first.tiles.tobytes()
    return hashlib.sha256(content).hexdigest()


def level_hashes(tiles: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """Return a 64-bit hash of each of many levels, the same for all symmetric copies of a level.

    It is the smallest hash of the copies, each a sum of the tiles' words times fixed odd numbers, modulo 2^64, then
    mixed: two different levels have the same hash with a probability of about 2^-61.

    Args:
        tiles: (n, height, width) uint8, the bytes of the drawings.

    Returns:
        (n,) uint64.

    Example:
        >>> import numpy as np
        >>> from mazegrad.envs import Maze, level_hashes
        >>> tiles = np.stack([Maze.from_text(row).tiles for row in ("S.G", "G.S", "SG.")])
        >>> hashes = level_hashes(tiles)
        >>> hashes == hashes[0]  # the second is the first, mirrored
        array([ True,  True, False])
    """
    if tiles.ndim != 3 or tiles.dtype != np.uint8:
        raise ValueError(f"tiles is a uint8 array (n, height, width), not {tiles.dtype} {tiles.shape}")
    smallest = np.full(len(tiles), np.iinfo(np.uint64).max, dtype=np.uint64)
    for drawn in symmetric(tiles):
        np.minimum(smallest, _plain_hashes(drawn), out=smallest)
    return smallest


def _plain_hashes(tiles: NDArray[np.uint8]) -> NDArray[np.uint64]:
    n, height, width = tiles.shape
    words = -(-height * width // 8)
    padded = np.zeros((n, 8 * words), dtype=np.uint8)
    padded[:, : height * width] = tiles.reshape(n, -1)
    numbers = padded.view("<u8").astype(np.uint64)
    keys = np.asarray(
        mix(np.arange(1, words + 1, dtype=np.uint64) ^ np.uint64(height << 32 | width << 16))
    ) | np.uint64(1)
    total = np.zeros(n, dtype=np.uint64)
    for column, key in zip(numbers.T, keys, strict=True):
        # a word is mixed first, so that two words cannot exchange what they add
        total += np.asarray(mix(column ^ key)) * key
    return np.asarray(mix(total), dtype=np.uint64)


def split_levels(
    tiles: NDArray[np.uint8], shares: Mapping[str, float] = SPLITS, *, salt: int = 0
) -> dict[str, NDArray[np.int64]]:
    """Return which levels belong to each split: by their hashes, so that copies of a level are in one split.

    A level's split depends on nothing but the level, the shares and the salt: lists may grow, and be split on several
    machines, without a leak.

    Args:
        tiles: (n, height, width), as bytes.
        shares: name -> share of all levels; they sum to 1.
        salt: another number gives another split.

    Returns:
        Name -> the numbers of its levels, rising.

    Raises:
        ValueError: shares that are negative or do not sum to 1.

    Example:
        >>> import numpy as np
        >>> from mazegrad.envs import generate_batch, split_levels
        >>> tiles = generate_batch("backtracker", 4, 4, np.arange(1000, dtype=np.uint64))
        >>> {name: len(numbers) for name, numbers in split_levels(tiles).items()}
        {'train': 787, 'validation': 102, 'test': 111}
    """
    ends = np.cumsum(list(shares.values()))
    if not len(ends) or min(shares.values()) < 0 or abs(ends[-1] - 1) > 1e-9:
        raise ValueError(f"shares must not be negative and must sum to 1, not {dict(shares)}")
    drawn = np.asarray(mix(level_hashes(tiles) ^ np.uint64(salt))) / 2.0**64
    which = np.minimum(np.searchsorted(ends, drawn, side="right"), len(ends) - 1)
    return {name: np.flatnonzero(which == i) for i, name in enumerate(shares)}
