"""Does a world need memory? Certificates that answer it, and that anyone can check."""

from .certificate import HELPS, HIDES, SUFFICES, UNDECIDED, Confusion, MemoryCertificate, Witness, certify_memory
from .exact import Bounds

__all__ = [
    "HELPS", "HIDES", "SUFFICES", "UNDECIDED",
    "Bounds", "Confusion", "MemoryCertificate", "Witness", "certify_memory",
]  # fmt: skip
