"""REINFORCE with a baseline: make what went better than expected more likely, and what went worse less.

Williams, "Simple statistical gradient-following algorithms" (1992); Sutton & Barto 2018, section 13.4. Each update
takes one step of Adam on what all lanes did in `segment` steps. A return runs to the end of its episode; only where the
segment, or a limit on steps, ends before does the baseline stand in for the rest.
"""

from typing import Any

import numpy as np
from gymnasium.vector import VectorEnv

from ... import nn
from .experience import advantages
from .policy import RecurrentPolicy, drawn
from .settings import check_at_least, check_not_negative, check_positive, check_schedule, check_share
from .training import Learner, Schedule, at


class Reinforce(Learner):
    """REINFORCE (Williams, 1992) with a learned baseline, the critic, on a vector environment.

    Args:
        env: `gymnasium.make_vec(id, num_envs=64)`, in the mode NEXT_STEP.
        policy: what is trained; by default a GRU of 64 units that sees its previous action.
        segment: T, the steps of each lane in an update. Short ones update more often; long ones lean less on the
            baseline, and reach further back through a memory.
        discount: gamma, from 0 to 1.
        learning_rate, entropy: a number, or (first, last, steps): see `Schedule`.
        value_weight: of the baseline's mean squared error in the loss.
        max_norm: to which the gradient is clipped.
        rng: for first weights, seeds and actions.

    Raises:
        ValueError: a number out of its range; an environment or a policy that does not fit.
        TypeError: not a vector environment.

    Example:
        >>> import gymnasium
        >>> import numpy as np
        >>> import mazegrad
        >>> from mazegrad.agents import Reinforce
        >>> envs = gymnasium.make_vec("mazegrad/TMaze-v0", num_envs=8, corridor=2)
        >>> learner = Reinforce(envs, segment=8, rng=np.random.default_rng(0))
        >>> curve = learner.train(steps=100)
        >>> sorted(curve[-1])
        ['discounted', 'entropy', 'episodes', 'gradient_norm', 'length', 'return', 'steps', 'success', 'value_error']
    """

    name = "reinforce"

    def __init__(
        self,
        env: VectorEnv[Any, Any, Any],
        policy: RecurrentPolicy | None = None,
        *,
        segment: int = 16,
        discount: float = 0.99,
        learning_rate: Schedule = 3e-3,
        entropy: Schedule = 0.01,
        value_weight: float = 0.5,
        max_norm: float = 0.5,
        rng: np.random.Generator,
    ) -> None:
        check_at_least(1, segment=segment)
        check_share(discount=discount)
        check_positive(max_norm=max_norm)
        check_not_negative(value_weight=value_weight)
        check_schedule(learning_rate=learning_rate, entropy=entropy)
        settings = {
            "segment": segment, "discount": discount, "entropy": entropy, "value_weight": value_weight,
            "max_norm": max_norm,
        }  # fmt: skip
        super().__init__(env, policy, rng=rng, settings=settings, learning_rate=learning_rate)
        self.check_critic()
        self.policy.rescale(0.0, 1.0)  # this baseline learns returns as they are

    def update(self) -> dict[str, float]:
        """Walk `segment` steps, and take one step of Adam."""
        s, policy, dtype = self.settings, self.policy, self.policy.dtype
        experience = self.lanes.collect(s["segment"], lambda logits, info: drawn(logits, self.rng))
        self.steps += int(experience.live.sum())
        better = advantages(experience, experience.values.astype(np.float64), s["discount"], smoothing=1.0)
        targets = (better + experience.values[:-1]).astype(dtype)
        weights = (experience.live / experience.live.sum()).astype(dtype)

        x = policy.inputs_of_stored(experience.observations, experience.previous)
        logits, values, _ = policy(x, experience.hidden, experience.begins)
        log_probs = nn.log_softmax(logits, -1)
        taken = experience.actions[..., None] == np.arange(policy.actions)
        gain = ((log_probs * taken).sum(-1) * (better.astype(dtype) * weights)).sum()
        error = (nn.square(values - targets) * weights).sum()
        entropy = -((nn.exp(log_probs) * log_probs).sum(-1) * weights).sum()
        loss = s["value_weight"] * error - gain - at(s["entropy"], self.steps) * entropy
        norm = self.descend(loss, s["max_norm"])
        return {"value_error": error.item(), "entropy": entropy.item(), "gradient_norm": norm}
