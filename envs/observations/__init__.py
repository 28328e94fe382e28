"""What is seen: kinds of observations, their encodings for nets, and several of them at once."""

from .encodings import ENCODINGS, PLANES
from .kinds import MAX_VIEW, OBSERVATIONS, Kind, Look, Observation, margin_of
from .sight import Sight

__all__ = [
    "ENCODINGS", "MAX_VIEW", "OBSERVATIONS", "PLANES", "Kind", "Look", "Observation", "Sight",
    "margin_of",
]  # fmt: skip
