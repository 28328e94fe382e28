"""Data sets and loaders: numbered samples, put together in batches, in a new order in each pass.

Names and arguments are those of torch.utils.data. Batches are plain arrays, made in this process.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from .checks import POSITIVE_INTEGER, check
from .operations import stack
from .tensor import Tensor


class Dataset:
    """Numbered samples: a subclass writes `__getitem__(index)` and `__len__()`; any object with both can be used, too.

    `a + b` is the samples of a, then those of b.

    Example:
        >>> from mazegrad import nn
        >>> class Squares(nn.data.Dataset):
        ...     def __getitem__(self, index):
        ...         return index, index**2
        ...     def __len__(self):
        ...         return 4
        >>> (Squares() + Squares())[5]
        (1, 1)
    """

    def __getitem__(self, index: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__} has no __getitem__(index)")

    def __len__(self) -> int:
        raise NotImplementedError(f"{type(self).__name__} has no __len__()")

    def __add__(self, other: Any) -> ConcatDataset:
        return ConcatDataset([self, other])


class TensorDataset(Dataset):
    """Sample i is the tuple of the i-th element of each array.

    Example:
        >>> import numpy as np
        >>> from mazegrad import nn
        >>> x, y = nn.data.TensorDataset(np.arange(10).reshape(5, 2), np.arange(5))[3]
        >>> x, int(y)
        (array([6, 7]), 3)
    """

    def __init__(self, *tensors: Any) -> None:
        self.tensors = tuple(x.data if isinstance(x, Tensor) else np.asarray(x) for x in tensors)
        if not self.tensors or len({len(x) for x in self.tensors}) != 1:
            raise ValueError(f"expected arrays of equal length, got lengths {[len(x) for x in self.tensors]}")

    def __getitem__(self, index: Any) -> tuple[Any, ...]:
        """One sample, or a tuple of arrays for several."""
        return tuple(x[index] for x in self.tensors)

    def __len__(self) -> int:
        return len(self.tensors[0])


class Subset(Dataset):
    """The samples of another data set with these numbers, in this order.

    Example:
        >>> from mazegrad import nn
        >>> part = nn.data.Subset("abcdef", [4, 0])
        >>> [part[0], part[1]]
        ['e', 'a']
    """

    def __init__(self, dataset: Any, indices: Sequence[int]) -> None:
        self.dataset, self.indices = dataset, indices

    def __getitem__(self, index: int) -> Any:
        return self.dataset[self.indices[index]]

    def __len__(self) -> int:
        return len(self.indices)


class ConcatDataset(Dataset):
    """The samples of several data sets, one after the other.

    Example:
        >>> from mazegrad import nn
        >>> both = nn.data.ConcatDataset([["a", "b"], ["c"]])
        >>> len(both), both[2]
        (3, 'c')
    """

    def __init__(self, datasets: Iterable[Any]) -> None:
        self.datasets = list(datasets)
        if not self.datasets:
            raise ValueError("ConcatDataset: there are no data sets")
        self.cumulative_sizes = np.cumsum([len(dataset) for dataset in self.datasets]).tolist()

    def __getitem__(self, index: int) -> Any:
        count = len(self)
        if not -count <= index < count:
            raise IndexError(f"sample {index} of {count}")
        index %= count
        which = int(np.searchsorted(self.cumulative_sizes, index, side="right"))
        return self.datasets[which][index - (self.cumulative_sizes[which - 1] if which else 0)]

    def __len__(self) -> int:
        return int(self.cumulative_sizes[-1])


def random_split(dataset: Any, lengths: Sequence[int | float], *, rng: np.random.Generator) -> list[Subset]:
    """Draw disjoint subsets of these lengths at random: numbers of samples, or shares whose sum is 1.

    Shares are rounded down; the samples left over go to the first subsets, one each, as in PyTorch.

    Raises:
        ValueError: the lengths do not add up to the whole.

    Example:
        >>> import numpy as np
        >>> from mazegrad import nn
        >>> parts = nn.data.random_split(range(10), [0.8, 0.2], rng=np.random.default_rng(0))
        >>> [len(part) for part in parts], sorted([*parts[0], *parts[1]]) == [*range(10)]
        ([8, 2], True)
    """
    count, counts = len(dataset), list(lengths)
    if counts and math.isclose(sum(counts), 1) and all(0 <= share <= 1 for share in counts):
        whole = [math.floor(count * share) for share in counts]
        counts = [n + (i < count - sum(whole)) for i, n in enumerate(whole)]
    if sum(counts) != count:
        raise ValueError(f"lengths {list(lengths)} add up to {sum(lengths)}; expected {count}, or shares of 1")
    order = rng.permutation(count).tolist()
    ends = np.cumsum([0, *counts]).tolist()
    return [Subset(dataset, order[start:end]) for start, end in itertools.pairwise(ends)]


def default_collate(batch: Sequence[Any]) -> Any:
    """Make a batch of samples: arrays are stacked, numbers become an array; so inside tuples, lists and dictionaries.

    Python's floats become float32, the precision of layers; arrays and numpy's numbers keep theirs. Texts stay a list.

    Raises:
        ValueError: the samples have different shapes or lengths.
        TypeError: they hold something other than arrays, numbers and texts.

    Example:
        >>> from mazegrad import nn
        >>> nn.data.default_collate([{"x": 0.5, "name": "a"}, {"x": 1.5, "name": "b"}])
        {'x': array([0.5, 1.5], dtype=float32), 'name': ['a', 'b']}
    """
    first = batch[0]
    if isinstance(first, Tensor):
        return stack(batch)
    if isinstance(first, np.ndarray | np.generic):
        if len(shapes := {np.shape(sample) for sample in batch}) > 1:
            raise ValueError(f"samples of shapes {sorted(shapes)} do not make one batch; pass a collate_fn")
        return np.stack(batch)
    if isinstance(first, bool | int):
        return np.array(batch)
    if isinstance(first, float):
        return np.array(batch, np.float32)
    if isinstance(first, str | bytes):
        return list(batch)
    if isinstance(first, Mapping):
        return {key: default_collate([sample[key] for sample in batch]) for key in first}
    if isinstance(first, tuple | list):
        if any(len(sample) != len(first) for sample in batch):
            raise ValueError("samples of different lengths do not make one batch; pass a collate_fn")
        parts = [default_collate(part) for part in zip(*batch, strict=True)]
        if isinstance(first, tuple) and hasattr(first, "_fields"):
            return type(first)(*parts)
        return tuple(parts) if isinstance(first, tuple) else parts
    raise TypeError(
        "a batch is made of arrays, numbers and texts, and of tuples, lists and dictionaries of them, not of"
        f" {type(first).__name__}; pass a collate_fn"
    )


class DataLoader:
    """Go through a data set in batches: `for x, y in DataLoader(dataset, 64, shuffle=True, rng=rng)`.

    Args:
        dataset: any object with `dataset[i]` and `len(dataset)`.
        batch_size: how many samples make a batch; None gives them one by one, as they are.
        shuffle: whether each pass has a new order, drawn from `rng` when it begins.
        sampler: the numbers of the samples of a pass, instead of all.
        batch_sampler: lists of the numbers of each batch, instead of all of the above.
        num_workers: 0: batches are made in this process.
        collate_fn: makes a batch of a list of samples; `default_collate` by default.
        drop_last: leaves out a last batch that is smaller.
        rng: the generator that shuffles.

    Raises:
        ValueError: arguments contradict each other or are out of range.
        TypeError: the data set lacks `__getitem__` or `__len__`.

    Example:
        >>> import numpy as np
        >>> from mazegrad import nn
        >>> samples = nn.data.TensorDataset(np.zeros((10, 1, 4, 4)), np.arange(10))
        >>> loader = nn.data.DataLoader(samples, batch_size=4, shuffle=True, rng=np.random.default_rng(0))
        >>> len(loader), [images.shape for images, labels in loader]
        (3, [(4, 1, 4, 4), (4, 1, 4, 4), (2, 1, 4, 4)])
    """

    def __init__(
        self,
        dataset: Any,
        batch_size: int | None = 1,
        shuffle: bool | None = None,
        sampler: Iterable[int] | None = None,
        batch_sampler: Iterable[Sequence[int]] | None = None,
        num_workers: int = 0,
        collate_fn: Callable[[list[Any]], Any] | None = None,
        *,
        drop_last: bool = False,
        rng: np.random.Generator | None = None,
    ) -> None:
        if not hasattr(dataset, "__getitem__") or not hasattr(dataset, "__len__"):
            raise TypeError(f"a data set needs __getitem__ and __len__; {type(dataset).__name__} lacks one of them")
        if num_workers:
            raise ValueError(f"num_workers is {num_workers}; expected 0: batches are made in this process")
        if batch_size is not None:
            check(POSITIVE_INTEGER, batch_size=batch_size)
        elif drop_last:
            raise ValueError("drop_last needs a batch_size")
        if shuffle and rng is None:
            raise ValueError("shuffle needs rng=, a numpy.random.Generator")
        if shuffle and sampler is not None:
            raise ValueError("a sampler gives the order: leave shuffle out")
        if batch_sampler is not None and (batch_size != 1 or shuffle or sampler is not None or drop_last):
            raise ValueError("a batch_sampler gives the batches: leave batch_size, shuffle, sampler and drop_last out")
        self.dataset, self.batch_size, self.shuffle, self.rng = dataset, batch_size, bool(shuffle), rng
        self.sampler, self.batch_sampler, self.drop_last, self.collate_fn = (
            sampler,
            batch_sampler,
            drop_last,
            collate_fn,
        )

    def __len__(self) -> int:
        if self.batch_sampler is not None:
            return len(self.batch_sampler)  # type: ignore[arg-type]
        count = len(self.dataset if self.sampler is None else self.sampler)  # type: ignore[arg-type]
        if self.batch_size is None:
            return count
        return count // self.batch_size if self.drop_last else -(-count // self.batch_size)

    def __iter__(self) -> Iterator[Any]:
        if self.batch_size is None and self.batch_sampler is None:
            return (self._single(index) for index in self._order())
        return (self._batch(indices) for indices in self._batches())

    def _order(self) -> Iterable[int]:
        if self.sampler is not None:
            return self.sampler
        count = len(self.dataset)
        return self.rng.permutation(count).tolist() if self.shuffle and self.rng is not None else range(count)

    def _batches(self) -> Iterator[Sequence[int]]:
        if self.batch_sampler is not None:
            yield from self.batch_sampler
            return
        indices: list[int] = []
        for index in self._order():
            indices.append(index)
            if len(indices) == self.batch_size:
                yield indices
                indices = []
        if indices and not self.drop_last:
            yield indices

    def _single(self, index: int) -> Any:
        sample = self.dataset[index]
        return sample if self.collate_fn is None else self.collate_fn(sample)

    def _batch(self, indices: Sequence[int]) -> Any:
        if self.collate_fn is not None:
            return self.collate_fn([self.dataset[index] for index in indices])
        if type(self.dataset) is TensorDataset:  # all at once: the same, and quick
            return self.dataset[np.asarray(indices, dtype=np.intp)]
        return default_collate([self.dataset[index] for index in indices])
