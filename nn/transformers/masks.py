"""Masks: PyTorch's modules say where a query may not look, its function `scaled_dot_product_attention` where it may."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..operations import concatenate
from ..tensor import Tensor


def may_look(attn_mask: Any, batch: int, heads: int) -> Any:
    """Return a module's `attn_mask` as the function takes it, (batch, heads, queries, keys).

    Raises:
        ValueError, TypeError: it has another shape, or holds integers.
    """
    mask = _checked(attn_mask, "attn_mask")
    if mask is None:
        return None
    if mask.ndim == 2:
        mask = mask.reshape((1, 1, *mask.shape))
    elif mask.ndim == 3 and len(mask) == batch * heads:
        mask = mask.reshape((batch, heads, *mask.shape[1:]))
    else:
        raise ValueError(
            f"attn_mask has shape {mask.shape}; expected (queries, keys) or ({batch * heads}, queries, keys): batch"
            " times heads"
        )
    return ~mask if mask.dtype == bool else mask


def may_look_at_keys(key_padding_mask: Any, batch: int) -> Any:
    """Return a module's `key_padding_mask` (batch, keys) as the function takes it, (batch, 1, 1, keys).

    Raises:
        ValueError, TypeError: it has another shape, or holds integers.
    """
    mask = _checked(key_padding_mask, "key_padding_mask")
    if mask is None:
        return None
    if mask.ndim not in (1, 2) or (mask.ndim == 2 and len(mask) != batch):
        raise ValueError(f"key_padding_mask has shape {mask.shape}; expected ({batch}, keys), a row for each sequence")
    mask = mask.reshape((-1, 1, 1, mask.shape[-1]))
    return ~mask if mask.dtype == bool else mask


def with_more_keys(mask: Any, more: int) -> Any:
    """Return the function's mask with `more` keys at the end, which every query may see."""
    if mask is None:
        return None
    shape = *mask.shape[:-1], more
    if isinstance(mask, Tensor):
        return concatenate([mask, np.zeros(shape, mask.dtype)], -1)
    return np.concatenate([mask, np.full(shape, mask.dtype == bool, mask.dtype)], -1)


def _checked(mask: Any, name: str) -> Any:
    if mask is None:
        return None
    mask = mask if isinstance(mask, Tensor) else np.asarray(mask)
    if mask.dtype.kind not in "bf":
        raise TypeError(f"{name} holds booleans (True: left out) or floating numbers to add, not {mask.dtype}")
    return mask
