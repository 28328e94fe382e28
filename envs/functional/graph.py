"""CUDA graphs for torch: a turn is recorded once and then launched as a whole, in place of some 30 kernels, one by one.

Not tried on a GPU yet; `tests/test_functional_rollout.py` plays the graph on a CPU.
"""

import warnings
from collections.abc import Callable
from typing import Any, TypeAlias

from .namespace import Array
from .structure import Tables
from .trees import arrays, mapped
from .turn import Carry

Turn: TypeAlias = Callable[[Carry, Any], tuple[Carry, Any]]
"""(carry, actions or None) -> next carry, what happened"""

WORTH = 8
"""turns that have to be left before one is recorded"""


def can_record(tables: Tables, fixed: Any, carry: Carry) -> bool:
    """Return whether turns can be recorded: all of them do the same on a GPU, and nothing is differentiated.

    Where lanes draw new mazes, the host decides in each turn whether there are enough.
    """
    needed = arrays((fixed, carry))
    return tables.fresh is None and on_cuda(tables.words) and not any(array.requires_grad for array in needed)


def on_cuda(array: Array) -> bool:
    """Return whether an array is one of torch on a GPU."""
    device = getattr(array, "device", None)
    return getattr(device, "type", None) == "cuda"


def recorded(turn: Turn, carry: Carry, action: Array | None) -> Turn:
    """Return a turn that goes on from here, again and again, by replaying a graph.

    Where it cannot be recorded there is a warning, and the turn as it was.

    Args:
        turn: pure; it was called before, so that libraries on the device are loaded.
        carry: of the turn before. That of all turns to come is one set of arrays, each of which is overwritten.
        action: of the next turn, where actions are given; those of later turns have its shape and dtype.
    """
    import torch

    def copied(array: Array) -> Array:
        return array.clone()

    now, given = mapped(copied, carry), mapped(copied, action)
    kept = {_storage(array) for array in arrays((now, given))}

    def apart(array: Array) -> Array:
        return array.clone() if _storage(array) in kept else array

    device = arrays(now)[0].device
    graph = torch.cuda.CUDAGraph()
    try:
        # the streams around it are there again, whatever happens
        with torch.cuda.device(device), torch.cuda.stream(torch.cuda.current_stream(device)), torch.cuda.graph(graph):
            after, happened = mapped(apart, turn(now, given))
            if _forms(now) != _forms(after):
                raise RuntimeError("the hidden state changes its shape or dtype")
            for old, new in zip(arrays(now), arrays(after), strict=True):
                old.copy_(new)
    except RuntimeError as error:  # nothing was done yet: what is recorded happens when it is replayed
        text = str(error).partition("\n")[0]
        warnings.warn(
            f"a step cannot be recorded as a CUDA graph, so its kernels are launched one by one: {text}", stacklevel=4
        )
        return turn

    def replayed(carry: Carry, action: Array | None) -> tuple[Carry, Any]:
        if action is not None:
            given.copy_(action)
        with torch.cuda.device(device):
            graph.replay()
        return now, mapped(copied, happened)

    return replayed


def _forms(tree: Any) -> list[Any]:
    return [(array.shape, array.dtype) for array in arrays(tree)]


def _storage(array: Array) -> int:
    """Return where the memory of an array begins, which its views share."""
    return int(array.untyped_storage().data_ptr())
