"""Imitation: an expert who knows the map says at every step what it would do, and the net learns to say the same.

Ross, Gordon & Bagnell, "A reduction of imitation learning and structured prediction to no-regret online learning"
(2011): at first the expert walks (behaviour cloning), then more and more the net itself, so that it also learns what to
do where only its own mistakes lead. The expert says which actions are optimal, a mask of all of them: any one will do.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from gymnasium.vector import VectorEnv
from numpy.typing import NDArray

from ... import nn
from .experience import Experience
from .policy import RecurrentPolicy, drawn, softmax
from .settings import check_at_least, check_positive, check_schedule
from .training import Learner, Schedule, at

EXPERTS = ("optimal_actions", "optimal_action")
"""names of infos by which an expert speaks: a mask of all best actions, or one of them"""


class DAgger(Learner):
    """DAgger (Ross, Gordon & Bagnell, 2011): a net imitates an expert, whose actions the environment's info holds.

    Args:
        env: `gymnasium.make_vec(id, num_envs=64, info=("optimal_actions",))`, in the mode NEXT_STEP.
        policy: what is trained; by default a GRU of 64 units that sees its previous action. It needs no heads. Where
            the expert acts, or where actions are drawn, a net that does not see the previous one cannot know what was
            done in its place.
        segment: T, the steps of each lane between two updates; gradients go no further back in time.
        memory: how many updates' experience is kept, to be learned from again.
        epochs: how often an update goes through as many lanes as there are, drawn from all that is kept.
        minibatches: into how many parts these are dealt; each is one step of Adam.
        expert_share: which share of the actions the expert takes, from 0 to 1: a number, or (first, last, steps). A
            constant 1 is behaviour cloning.
        greedy: whether the net takes its most likely action while it is trained, as it does afterwards; False: it
            draws one by their probabilities.
        learning_rate: a number, or (first, last, steps): see `Schedule`.
        max_norm: to which the gradient is clipped.
        rng: for first weights, seeds, actions and the order of lanes.

    Raises:
        ValueError: a number out of its range; an environment without an expert, or in another mode.
        TypeError: not a vector environment.

    Example:
        >>> import gymnasium
        >>> import numpy as np
        >>> import mazegrad
        >>> from mazegrad.agents import DAgger, RecurrentPolicy, evaluate
        >>> rng = np.random.default_rng(0)
        >>> envs = gymnasium.make_vec("mazegrad/TMaze-v0", num_envs=16, corridor=1, info=("optimal_actions",))
        >>> seen, actions = envs.single_observation_space, envs.single_action_space
        >>> policy = RecurrentPolicy(seen, actions, hidden=16, previous_action=True, rng=rng)
        >>> curve = DAgger(envs, policy, segment=8, learning_rate=0.03, rng=rng).train(steps=1500)
        >>> print(evaluate(envs, policy, episodes=50, seed=0))
        50 episodes: 100.0% succeed, mean return 1.000, mean length 3.0
    """

    name, experts = "dagger", EXPERTS

    def __init__(
        self,
        env: VectorEnv[Any, Any, Any],
        policy: RecurrentPolicy | None = None,
        *,
        segment: int = 64,
        memory: int = 1,
        epochs: int = 1,
        minibatches: int = 4,
        expert_share: Schedule = (1.0, 0.0, 100_000),
        greedy: bool = True,
        learning_rate: Schedule = 1e-3,
        max_norm: float = 1.0,
        rng: np.random.Generator,
    ) -> None:
        check_at_least(1, segment=segment, memory=memory, epochs=epochs, minibatches=minibatches)
        check_positive(max_norm=max_norm)
        check_schedule(learning_rate=learning_rate, expert_share=expert_share)
        settings = {
            "segment": segment, "memory": memory, "epochs": epochs, "minibatches": minibatches,
            "expert_share": expert_share, "greedy": bool(greedy), "max_norm": max_norm,
        }  # fmt: skip
        super().__init__(env, policy, rng=rng, settings=settings, learning_rate=learning_rate)
        self.check_minibatches()
        self.memory: list[Experience] = []

    def update(self) -> dict[str, float]:
        """Walk `segment` steps, the expert and the net by turns, and imitate."""
        s, rng = self.settings, self.rng
        experience = self.lanes.collect(s["segment"], self._choose)
        self.steps += int(experience.live.sum())
        self.memory = [*self.memory, experience][-s["memory"] :]
        sums = []
        count = self.env.num_envs
        for _ in range(s["epochs"]):
            everything = rng.permutation(len(self.memory) * count)[:count]
            for part in np.array_split(everything, s["minibatches"]):
                which = [(self.memory[i], part[part // count == i] % count) for i in np.unique(part // count)]
                drawn_lanes = Experience.side_by_side([old.lanes(lanes) for old, lanes in which])
                loss, agreed = self.loss(drawn_lanes)
                norm = self.descend(loss, s["max_norm"])
                sums.append((loss.item(), agreed, norm))
        return dict(zip(("loss", "agreement", "gradient_norm"), np.mean(sums, axis=0).tolist(), strict=True))

    def loss(self, experience: Experience) -> tuple[nn.Tensor, float]:
        """Return the loss, and how often the net's best guess is one of the expert's actions.

        The gradient is that of -log p(any of the expert's actions): each of them is pulled up by its share among them.
        """
        policy = self.policy
        x = policy.inputs_of_stored(experience.observations, experience.previous)
        logits, _, _ = policy(x, experience.hidden, experience.begins)
        told = experience.live & experience.labels.any(axis=-1)
        weights = (told / max(told.sum(), 1)).astype(policy.dtype)
        shares = softmax(np.where(experience.labels | ~told[..., None], logits.data, -np.inf)) * weights[..., None]
        loss = -(nn.log_softmax(logits, -1) * shares).sum()
        best = np.take_along_axis(experience.labels, logits.argmax(-1)[..., None], -1)[..., 0]
        return loss, float((best * weights).sum())

    def more_state(self) -> dict[str, Any]:
        """Return what is kept to be learned from again."""
        needed = self.settings["memory"] - 1  # the oldest goes when the next comes
        return {"memory": [old.arrays() for old in self.memory[max(0, len(self.memory) - needed) :]]}

    def restore_more(self, state: Mapping[str, Any]) -> None:
        """Take back what was kept."""
        self.memory = [Experience.from_arrays(arrays) for arrays in state["memory"]]

    def _choose(self, logits: NDArray[Any], info: Mapping[str, Any]) -> NDArray[np.int64]:
        """Let the expert act in a share of the lanes, and the net in the others."""
        s, rng = self.settings, self.rng
        own = logits.argmax(axis=1) if s["greedy"] else drawn(logits, rng)
        share = at(s["expert_share"], self.steps)
        if not share:
            return own
        labels = self.lanes.labels()
        expert = (labels * rng.random(labels.shape)).argmax(axis=1)
        return np.where((rng.random(len(own)) < share) & labels.any(axis=1), expert, own)
