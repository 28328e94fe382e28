"""RLlib: a trained module as an agent."""

from typing import Any

import numpy as np

from ..extras import require


def is_rllib(model: Any) -> bool:
    """Return whether this is an algorithm of RLlib or one of its modules.

    Example:
        >>> from mazegrad.adapters.rllib import is_rllib
        >>> is_rllib(lambda observations: observations)
        False
    """
    return any(kind.__module__.startswith("ray.rllib.") for kind in type(model).__mro__)


class RLlibAgent:
    """A module of RLlib in torch; what a recurrent one remembers is the agent's state, the batch first.

    It is given observations as the environment has them: a training with connectors that change observations needs
    these here too.

    Args:
        model: an `RLModule`, or an `Algorithm`, whose default module is used.
        deterministic: take the most probable action; else draw one.

    Raises:
        TypeError: something else of RLlib.

    Example:
        >>> import gymnasium
        >>> from ray.rllib.algorithms.ppo import PPOConfig
        >>> import mazegrad
        >>> from mazegrad.adapters.rllib import RLlibAgent
        >>> env = gymnasium.make("mazegrad/FourRooms-v0", observation="net")
        >>> spec = PPOConfig().get_default_rl_module_spec()
        >>> spec.observation_space, spec.action_space, spec.model_config = env.observation_space, env.action_space, {}
        >>> agent = RLlibAgent(spec.build(), deterministic=True)
        >>> action, _ = agent.act(env.reset(seed=0)[0], agent.initial_state())
        >>> env.action_space.contains(action)
        True
    """

    def __init__(self, model: Any, deterministic: bool) -> None:
        module = model.get_module() if hasattr(model, "get_module") else model
        if not hasattr(module, "forward_inference"):
            raise TypeError(f"as_agent takes an RLModule or an Algorithm of RLlib, not {type(module).__name__}")
        self._module, self._deterministic = module, deterministic
        self._memory = module.get_initial_state() or {}

    def initial_state(self, batch_size: int | None = None) -> tuple[Any, ...]:
        """Return the module's first state, for one observation or a batch."""
        tree = require("tree", "rllib")
        parts = [np.asarray(part) for part in tree.flatten(self._memory)]
        if batch_size is None:
            return ("one", *(part.copy() for part in parts))
        return ("batch", *(np.repeat(part[None], batch_size, axis=0) for part in parts))

    def act(self, observation: Any, state: tuple[Any, ...]) -> tuple[Any, tuple[Any, ...]]:
        """Return the module's action, and its next state."""
        torch, tree = require("torch", "rllib"), require("tree", "rllib")
        kind, *memory = state
        batched = kind == "batch"

        def tensor(part: Any) -> Any:
            """Return a tensor with a batch in front."""
            return torch.as_tensor(np.asarray(part) if batched else np.asarray(part)[None])

        seen = tree.map_structure(tensor, observation)
        inputs = {"obs": seen}
        if memory:  # recurrent modules take a time axis, of one step
            inputs["obs"] = tree.map_structure(lambda part: part[:, None], seen)
            inputs["state_in"] = tree.unflatten_as(self._memory, [tensor(part) for part in memory])
        forward = self._module.forward_inference if self._deterministic else self._module.forward_exploration
        with torch.no_grad():
            outputs = forward(inputs)
            if "actions" in outputs:
                actions = outputs["actions"]
            else:
                kinds = self._module.get_inference_action_dist_cls, self._module.get_exploration_action_dist_cls
                chances = kinds[not self._deterministic]().from_logits(outputs["action_dist_inputs"])
                actions = (chances.to_deterministic() if self._deterministic else chances).sample()
        chosen = actions.cpu().numpy().astype(np.int64).reshape(-1)
        after = [part.cpu().numpy() for part in tree.flatten(outputs["state_out"])] if memory else []
        if batched:
            return chosen, (kind, *after)
        return int(chosen[0]), (kind, *(part[0] for part in after))
