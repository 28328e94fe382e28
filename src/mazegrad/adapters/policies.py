"""A policy of another library as an agent of ours, for `evaluate`, `rollout` and whatever else takes agents."""

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..agents import Agent
from .rllib import RLlibAgent, is_rllib


def as_agent(model: Any, *, deterministic: bool = True) -> Agent:
    """Return a trained policy as an `Agent`.

    Args:
        model: a Stable-Baselines3 or sb3-contrib model (recurrent ones too); an `Algorithm` or an `RLModule` of RLlib
            (recurrent ones too); a torch module from a batch of observations to logits or action values, (n, actions);
            or any function with arrays in place of tensors.
        deterministic: take the most probable action; else models that can do so draw one.

    Raises:
        TypeError: none of these.

    Example:
        >>> import numpy as np
        >>> from mazegrad.adapters import as_agent
        >>> agent = as_agent(lambda dots: dots)  # a score for each action: 1 where there is a dot
        >>> action, state = agent.act(np.array([0, 0, 1, 0]), agent.initial_state())
        >>> int(action)
        2
    """
    if is_rllib(model):
        return RLlibAgent(model, deterministic)
    if hasattr(model, "predict") and hasattr(model, "policy"):
        return _Predicting(model, deterministic)
    if _is_torch_module(model):
        if hasattr(model, "out_keys"):
            return _Scoring(_tensordict_scores(model))
        return _Recurrent(model) if hasattr(model, "initial_state") else _Scoring(_torch_scores(model))
    if callable(model):
        return _Scoring(model)
    raise TypeError(
        "as_agent takes a model of Stable-Baselines3 or RLlib, a torch module or a function, not "
        f"{type(model).__name__}"
    )


def _is_torch_module(model: Any) -> bool:
    return any(kind.__module__.startswith("torch.nn") for kind in type(model).__mro__)


def _batch(observation: Any, batched: bool) -> Any:
    """Return a batch of observations: of one, unless it is a batch already."""
    if isinstance(observation, dict):
        return {name: _batch(part, batched) for name, part in observation.items()}
    return np.asarray(observation) if batched else np.asarray(observation)[None]


class _Scoring:
    """Takes the action of the highest score; keeps nothing."""

    def __init__(self, scores: Callable[[Any], NDArray[Any]]) -> None:
        self._scores = scores

    def initial_state(self, batch_size: int | None = None) -> bool:
        """Return whether observations come in batches."""
        return batch_size is not None

    def act(self, observation: Any, state: bool) -> tuple[Any, bool]:
        """Return the best actions: an int, or an array with one for each observation of a batch."""
        best = np.asarray(self._scores(_batch(observation, state))).argmax(axis=-1)
        return (best if state else int(best[0])), state


def _tensors(module: Any, observation: Any) -> Any:
    """Return observations as tensors where the module's weights are: whole numbers as they are for an embedding."""
    import torch

    if isinstance(observation, dict):
        return {name: _tensors(module, part) for name, part in observation.items()}
    parameter = next(module.parameters(), torch.zeros(0))
    tensor = torch.as_tensor(observation, device=parameter.device)
    return tensor if tensor.dtype == torch.int64 else tensor.to(parameter.dtype)


def _torch_scores(module: Any) -> Callable[[Any], NDArray[Any]]:
    import torch

    def scores(observation: Any) -> NDArray[Any]:
        with torch.no_grad():
            result: NDArray[Any] = module(_tensors(module, observation)).cpu().numpy()
        return result

    return scores


def _tensordict_scores(module: Any) -> Callable[[Any], NDArray[Any]]:
    """Return a function to the scores of a module that reads and writes a TensorDict, as the actors of TorchRL do."""
    import torch

    tensordict = importlib.import_module("tensordict")
    known = ("logits", "action_value", "action")
    name = next((key for key in known if key in module.out_keys), None)
    if name is None:
        raise TypeError(f"this module writes {module.out_keys}, none of {', '.join(known)}")

    def scores(observation: Any) -> NDArray[Any]:
        given = observation if isinstance(observation, dict) else {module.in_keys[0]: observation}
        count = len(next(iter(given.values())))
        with torch.no_grad():
            written = module(tensordict.TensorDict(_tensors(module, given), batch_size=[count]))
        result: NDArray[Any] = written[name].cpu().numpy()
        return result if result.ndim > 1 else np.eye(int(result.max()) + 1)[result]

    return scores


class _Recurrent:
    """A torch module that is given what it remembers, and gives it back."""

    def __init__(self, module: Any) -> None:
        self._module = module

    def initial_state(self, batch_size: int | None = None) -> tuple[Any, ...]:
        """Return the module's own, for one observation or a batch, and which of them it is."""
        return ("one" if batch_size is None else "batch", *_arrays(self._module.initial_state(batch_size or 1)))

    def act(self, observation: Any, state: tuple[Any, ...]) -> tuple[Any, tuple[Any, ...]]:
        """Return the best actions, and what is remembered."""
        import torch

        kind, *memory = state
        tensors = tuple(torch.as_tensor(part) for part in memory)
        batch = _tensors(self._module, _batch(observation, kind == "batch"))
        with torch.no_grad():
            scores, after = self._module(batch, tensors[0] if len(tensors) == 1 else tensors)
        best = scores.cpu().numpy().argmax(axis=-1)
        return (best if kind == "batch" else int(best[0])), (kind, *_arrays(after))


def _arrays(state: Any) -> tuple[NDArray[Any], ...]:
    parts = state if isinstance(state, tuple | list) else (state,)
    return tuple(part.detach().cpu().numpy() for part in parts)


class _Predicting:
    """A model of Stable-Baselines3; what a recurrent one remembers is the agent's state, the batch first."""

    def __init__(self, model: Any, deterministic: bool) -> None:
        self._model, self._deterministic = model, deterministic

    def initial_state(self, batch_size: int | None = None) -> tuple[Any, ...]:
        """Return that nothing is remembered, for one observation or a batch."""
        return ("one" if batch_size is None else "batch",)

    def act(self, observation: Any, state: tuple[Any, ...]) -> tuple[Any, tuple[Any, ...]]:
        """Return what the model predicts, and what it remembers."""
        kind, *memory = state
        batch = _batch(observation, kind == "batch")
        remembered = tuple(np.moveaxis(part, 0, 1) for part in memory) or None
        first = len(next(iter(batch.values()))) if isinstance(batch, dict) else len(batch)
        starts = np.full(first, not memory)
        actions, after = self._model.predict(batch, remembered, starts, deterministic=self._deterministic)
        kept = () if after is None else tuple(np.moveaxis(np.asarray(part), 0, 1).copy() for part in after)
        return (actions if kind == "batch" else int(actions[0])), (kind, *kept)
