"""What is seen: kinds of observations, their encodings for nets, and several of them at once."""

from .encodings import ENCODINGS, PLANAR, PLANES, SIDE_PLANES
from .kinds import MAX_TILE, MAX_VIEW, OBSERVATIONS, Kind, Look, Observation, Sizes, margin_of
from .others import Crowd, Others
from .sight import Sight, kinds_of

__all__ = [
    "ENCODINGS", "MAX_TILE", "MAX_VIEW", "OBSERVATIONS", "PLANAR", "PLANES", "SIDE_PLANES", "Crowd", "Kind", "Look",
    "Observation", "Others", "Sight", "Sizes", "kinds_of", "margin_of",
]  # fmt: skip
