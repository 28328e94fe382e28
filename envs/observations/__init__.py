"""What is seen: kinds of observations, their encodings for nets, and several of them at once."""

from .encodings import ENCODINGS, PLANAR, PLANES, SIDE_PLANES
from .kinds import MAX_TILE, MAX_VIEW, OBSERVATIONS, Kind, Look, Observation, Sizes, margin_of
from .others import Others, crowd_of
from .sight import Sight, kinds_of

__all__ = [
    "ENCODINGS", "MAX_TILE", "MAX_VIEW", "OBSERVATIONS", "PLANAR", "PLANES", "SIDE_PLANES", "Kind", "Look",
    "Observation", "Others", "Sight", "Sizes", "crowd_of", "kinds_of", "margin_of",
]  # fmt: skip
