"""Curricula: what the score of a level can be, by which a `LevelBuffer` draws it again."""

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
