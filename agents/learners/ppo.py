"""Proximal policy optimisation: several small steps on what was just met, none of which may change the policy much.

Schulman et al., "Proximal policy optimization algorithms" (2017), for recurrent nets: a minibatch is some lanes' whole
segments, run through the net from the state that it had at their beginning, with resets where episodes begin.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from gymnasium.vector import VectorEnv
from numpy.typing import NDArray

from ... import nn
from .experience import Experience, advantages
from .policy import RecurrentPolicy, drawn, mean_and_std
from .settings import check_at_least, check_not_negative, check_positive, check_schedule, check_share
from .training import Learner, Schedule, at

Array = NDArray[Any]


class Batch(NamedTuple):
    """What the loss takes besides the net's outputs; each (T, lanes)."""

    actions: NDArray[np.int64]
    log_probs: Array
    """of those actions, when they were taken"""
    advantages: Array
    targets: Array
    """what the values should have been"""
    weights: Array
    """they sum to 1; 0 where nothing is learned"""


class Losses(NamedTuple):
    """The parts of the loss, each one number."""

    total: nn.Tensor
    surrogate: nn.Tensor
    value: nn.Tensor
    entropy: nn.Tensor
    kl: float
    """how far the policy has moved: the estimate (r - 1) - log r of the Kullback-Leibler divergence"""


def ppo_loss(
    logits: nn.Tensor, values: nn.Tensor, batch: Batch, *, clip: float, value_weight: float, entropy: float
) -> Losses:
    """Return the loss: the clipped surrogate, the squared error of the values, and a reward for entropy.

    Args:
        logits: (T, lanes, actions).
        values: (T, lanes).
        batch: see `Batch`.
        clip: the ratio of new and old probability counts from 1 - clip to 1 + clip.
        value_weight: of the values' mean squared error.
        entropy: of the mean entropy in nats.
    """
    log_probs = nn.log_softmax(logits, -1)
    taken = batch.actions[..., None] == np.arange(logits.shape[-1])
    change = (log_probs * taken).sum(-1) - batch.log_probs
    ratio = nn.exp(change)
    gain = nn.minimum(ratio * batch.advantages, nn.clip(ratio, 1 - clip, 1 + clip) * batch.advantages)
    surrogate = (gain * batch.weights).sum()
    value = (nn.square(values - batch.targets) * batch.weights).sum()
    spread = -((nn.exp(log_probs) * log_probs).sum(-1) * batch.weights).sum()
    total = value_weight * value - surrogate - entropy * spread
    kl = float(((ratio.data - 1 - change.data) * batch.weights).sum())
    return Losses(total, surrogate, value, spread, kl)


class PPO(Learner):
    """Recurrent PPO (Schulman et al., 2017) on a vector environment.

    Args:
        env: `gymnasium.make_vec(id, num_envs=64)`, in the mode NEXT_STEP.
        policy: what is trained; by default a GRU of 64 units that sees its previous action.
        segment: T, the steps of each lane between two updates; gradients go no further back in time. By default 64, or
            16 for a policy without a memory, which learns more from more updates.
        epochs: how often an update goes through the steps that were just made.
        minibatches: into how many parts the lanes are dealt; each is one step of Adam.
        discount: gamma, from 0 to 1.
        smoothing: lambda of the advantages, from 0 to 1; see `advantages`.
        clip: the ratio of new and old probability counts from 1 - clip to 1 + clip.
        learning_rate, entropy: a number, or (first, last, steps): see `Schedule`.
        value_weight: of the values' error in the loss.
        max_norm: to which the gradient is clipped.
        target_kl: an update ends after the epoch in which the policy has moved further than this; None for no limit.
        normalise_advantages: to mean 0 and standard deviation 1 in each update.
        normalise_values: let the critic learn values less their running mean, in units of their spread.
        rng: for first weights, seeds, actions and the order of lanes.

    Raises:
        ValueError: a number out of its range; an environment or a policy that does not fit.
        TypeError: not a vector environment.

    Example:
        >>> import gymnasium
        >>> import numpy as np
        >>> import mazegrad
        >>> from mazegrad.agents import PPO
        >>> envs = gymnasium.make_vec("mazegrad/TMaze-v0", num_envs=8, corridor=2)
        >>> learner = PPO(envs, segment=8, rng=np.random.default_rng(0))
        >>> curve = learner.train(steps=100)
        >>> len(curve), learner.steps >= 100  # updates of 8 steps in each of 8 lanes
        (2, True)
    """

    name = "ppo"

    def __init__(
        self,
        env: VectorEnv[Any, Any, Any],
        policy: RecurrentPolicy | None = None,
        *,
        segment: int | None = None,
        epochs: int = 4,
        minibatches: int = 4,
        discount: float = 0.99,
        smoothing: float = 0.95,
        clip: float = 0.2,
        learning_rate: Schedule = 1e-3,
        entropy: Schedule = 0.01,
        value_weight: float = 0.5,
        max_norm: float = 0.5,
        target_kl: float | None = 0.03,
        normalise_advantages: bool = True,
        normalise_values: bool = True,
        rng: np.random.Generator,
    ) -> None:
        if segment is None:
            segment = 16 if getattr(policy, "cell", None) == "none" else 64
        check_at_least(1, segment=segment, epochs=epochs, minibatches=minibatches)
        check_share(discount=discount, smoothing=smoothing)
        check_positive(clip=clip, max_norm=max_norm)
        check_not_negative(value_weight=value_weight)
        check_schedule(learning_rate=learning_rate, entropy=entropy)
        if target_kl is not None:
            check_positive(target_kl=target_kl)
        settings = {
            "segment": segment, "epochs": epochs, "minibatches": minibatches, "discount": discount,
            "smoothing": smoothing, "clip": clip, "entropy": entropy, "value_weight": value_weight,
            "max_norm": max_norm, "target_kl": target_kl, "normalise_advantages": normalise_advantages,
            "normalise_values": normalise_values,
        }  # fmt: skip
        super().__init__(env, policy, rng=rng, settings=settings, learning_rate=learning_rate)
        self.check_critic()
        self.check_minibatches()
        if not normalise_values:
            self.policy.rescale(0.0, 1.0)
        self.scale = ValueScale(self.policy) if normalise_values else None

    def update(self) -> dict[str, float]:
        """Walk `segment` steps, and take up to `epochs` times `minibatches` steps of Adam."""
        return self.learn(self.collect())

    def collect(self) -> Experience:
        """Walk on for `segment` steps in all lanes, with actions drawn from the policy."""
        experience = self.lanes.collect(self.settings["segment"], lambda logits, _: drawn(logits, self.rng))
        self.steps += int(experience.live.sum())
        return experience

    def judge(self, experience: Experience) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return what the critic said, (T + 1, lanes) on the scale of the rewards, and the advantages, (T, lanes)."""
        values = experience.values if self.scale is None else self.scale.undone(experience.values)
        return values, advantages(experience, values, self.settings["discount"], self.settings["smoothing"])

    def learn(self, experience: Experience) -> dict[str, float]:
        """Take up to `epochs` times `minibatches` steps of Adam on experience; return figures for the curve."""
        s, rng = self.settings, self.rng
        whole = self._batch(experience)
        entropy = at(s["entropy"], self.steps)
        sums: list[list[float]] = []
        for _ in range(s["epochs"]):
            this_epoch = []
            for lanes in np.array_split(rng.permutation(self.env.num_envs), s["minibatches"]):
                losses = self.losses(experience.lanes(lanes), _lanes_of(whole, lanes), entropy)
                norm = self.descend(losses.total, s["max_norm"])
                parts = (losses.surrogate.item(), losses.value.item(), losses.entropy.item(), losses.kl, norm)
                this_epoch.append([*parts])
            sums += this_epoch
            if s["target_kl"] is not None and np.mean(this_epoch, axis=0)[3] > s["target_kl"]:
                break
        means = np.mean(sums, axis=0)
        names = ("surrogate", "value_error", "entropy", "kl", "gradient_norm")
        return dict(zip(names, means.tolist(), strict=True)) | {"epochs": len(sums) / s["minibatches"]}

    def losses(self, experience: Experience, batch: Batch, entropy: float) -> Losses:
        """Run the net over segments of experience, and return the loss."""
        policy, s = self.policy, self.settings
        x = policy.inputs_of_stored(experience.observations, experience.previous)
        logits, values, _ = policy(x, experience.hidden, experience.begins)
        return ppo_loss(logits, values, batch, clip=s["clip"], value_weight=s["value_weight"], entropy=entropy)

    def _batch(self, experience: Experience) -> Batch:
        """Return what all lanes say: advantages, targets for the critic, the probabilities of what was done."""
        s, dtype, live = self.settings, self.policy.dtype, experience.live
        values, advantage = self.judge(experience)
        targets = advantage + values[:-1]
        if self.scale is not None:
            self.scale.follow(targets[live])
            targets = self.scale.done(targets)
        if s["normalise_advantages"]:
            advantage = (advantage - advantage[live].mean()) / (advantage[live].std() + 1e-8)
        log_probs = log_probability(experience.logits, experience.actions)
        return Batch(experience.actions, log_probs, advantage.astype(dtype), targets.astype(dtype), live.astype(dtype))

    def more_state(self) -> dict[str, Any]:
        """Return the scale of the values."""
        return {} if self.scale is None else {"moments": list(self.scale.moments)}

    def restore_more(self, state: Mapping[str, Any]) -> None:
        """Take back the scale of the values."""
        if self.scale is not None:
            self.scale.moments = tuple(state["moments"])
            self.policy.value_scale = self.scale.mean_and_std


def log_probability(logits: Array, actions: NDArray[np.int64]) -> Array:
    """Return the logarithm of how likely actions (...) were, by logits (..., actions)."""
    columns = np.moveaxis(logits, -1, 0)
    highest = columns.max(axis=0)
    total = np.log(np.exp(columns - highest).sum(axis=0)) + highest
    return np.take_along_axis(logits, actions[..., None], -1)[..., 0] - total


def _lanes_of(batch: Batch, lanes: NDArray[np.int64]) -> Batch:
    """Return the batch of some lanes; its weights sum to 1."""
    cut = Batch(*(part[:, lanes] for part in batch))
    return cut._replace(weights=cut.weights / max(cut.weights.sum(), 1))


class ValueScale:
    """The critic's scale: values are less their running mean, and divided by their running standard deviation.

    Whenever these move, the critic's last layer moves along, so that what it says stays the same (van Hasselt et al.,
    "Learning values across many orders of magnitude", 2016).
    """

    KEEP = 0.95  # of the running moments, in each update

    def __init__(self, policy: RecurrentPolicy) -> None:
        self._policy = policy
        mean, std = policy.value_scale
        known = policy.value_scale != (0.0, 1.0)  # it was trained before
        self.moments: tuple[float, ...] = (1.0, mean, std * std + mean * mean) if known else (0.0, 0.0, 0.0)
        """the weight of what was seen so far, and the running sums of values and of their squares"""

    @property
    def mean_and_std(self) -> tuple[float, float]:
        """The running mean and standard deviation; 0 and 1 before anything was seen."""
        return mean_and_std(self.moments)

    def done(self, values: Array) -> Array:
        """Put values on the critic's scale."""
        mean, std = self.mean_and_std
        return (values - mean) / std

    def undone(self, values: Array) -> Array:
        """Put what the critic says on the scale of the rewards."""
        mean, std = self.mean_and_std
        return values.astype(np.float64) * std + mean

    def follow(self, values: Array) -> None:
        """Move the scale towards these values, and the critic with it."""
        new = (1.0, float(values.mean()), float(np.square(values).mean()))
        self.moments = tuple(
            self.KEEP * old + (1 - self.KEEP) * now for old, now in zip(self.moments, new, strict=True)
        )
        self._policy.rescale(*self.mean_and_std)
