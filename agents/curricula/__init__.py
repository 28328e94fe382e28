"""Curricula: which levels to train on; a buffer of levels by score and age, and what a level's score can be."""

from .buffer import LevelBuffer as LevelBuffer
from .buffer import Replayed as Replayed
from .scores import (
    episode_returns as episode_returns,
)
from .scores import (
    learnability as learnability,
)
from .scores import (
    max_monte_carlo as max_monte_carlo,
)
from .scores import (
    positive_value_loss as positive_value_loss,
)
from .scores import (
    true_regret as true_regret,
)
