"""Many processes, or many machines: evaluations, rollouts, data and certificates over Ray.

Work is cut into numbered pieces, each a pure function of its seeds. So a result depends neither on the number of actors
nor on which of them died on the way, and a run that was stopped goes on from its file.
"""

from .actors import Actors
from .batches import Batch
from .certificates import certify_memory
from .cluster import cluster
from .lanes import collect, evaluate, rollout
from .scoring import run_scores
from .spreading import spread

__all__ = ["Actors", "Batch", "certify_memory", "cluster", "collect", "evaluate", "rollout", "run_scores", "spread"]
