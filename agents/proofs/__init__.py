"""Proofs: certificates of whether an agent needs memory in a world, and their independent check."""

from .certificate import MemoryCertificate
from .certification import certify_memory
from .claims import HELPS, HIDES, SUFFICES, UNDECIDED, Bounds, Confusion, Witness

__all__ = [
    "HELPS", "HIDES", "SUFFICES", "UNDECIDED",
    "Bounds", "Confusion", "MemoryCertificate", "Witness", "certify_memory",
]  # fmt: skip
