"""A model that Stable-Baselines3 has saved, read as an agent: its weights alone, so nothing in the file is executed.

Their files hold pickles beside the weights. `PPO.load` runs these; here they are left alone, and the net is put
together from the names and shapes of its weights.
"""

import json
import re
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ..extras import require

Weights = Mapping[str, NDArray[np.float32]]
_ACTIVATIONS: Final[Mapping[str, Callable[[NDArray[Any]], NDArray[Any]]]] = {
    "Tanh": np.tanh,
    "ReLU": lambda x: np.maximum(x, 0),
}
_LIMIT: Final = 2**30  # bytes of weights


def read_sb3(path: Path) -> "SavedPolicy":
    """Return the agent in a file that `model.save` of Stable-Baselines3 or sb3-contrib wrote.

    PPO, A2C, MaskablePPO and DQN with `MlpPolicy`, RecurrentPPO with `MlpLstmPolicy`; observations that are a row of
    numbers.

    Raises:
        ValueError: it is not such a file, or of another policy.
        MissingExtra: torch, which reads the weights, is not installed.
    """
    torch = require("torch", "sb3")
    try:
        with zipfile.ZipFile(path) as archive:
            if archive.getinfo("policy.pth").file_size > _LIMIT:
                raise ValueError("its weights are too large")
            data = json.loads(archive.read("data"))
            with archive.open("policy.pth") as file:
                tensors = torch.load(file, map_location="cpu", weights_only=True)
        weights = {name: tensor.numpy().astype(np.float32) for name, tensor in tensors.items()}
        return SavedPolicy(weights, str(data.get("policy_kwargs", "")))
    except (zipfile.BadZipFile, KeyError, TypeError, AttributeError, RuntimeError, ValueError) as error:
        raise ValueError(
            f"{path} is not a model of Stable-Baselines3 with MlpPolicy or MlpLstmPolicy ({error}); "
            "in Python, as_agent(PPO.load(file)) takes any"
        ) from None


class SavedPolicy:
    """A net of Stable-Baselines3 that takes the action of the highest score; an LSTM is remembered between steps.

    Args:
        weights: by name.
        settings: the text of its `policy_kwargs`, which may name an activation.

    Raises:
        KeyError: weights of another policy.
    """

    def __init__(self, weights: Weights, settings: str) -> None:
        q = any(name.startswith("q_net.q_net.") for name in weights)
        named = re.search(r"activation\.(\w+)'", settings)
        self._activation = _ACTIVATIONS[named.group(1) if named else "ReLU" if q else "Tanh"]
        prefix = "q_net.q_net." if q else "mlp_extractor.policy_net."
        places = sorted(int(name[len(prefix) :].split(".")[0]) for name in weights if name.startswith(prefix))
        layers = [(weights[f"{prefix}{n}.weight"], weights[f"{prefix}{n}.bias"]) for n in dict.fromkeys(places)]
        self._hidden = layers[:-1] if q else layers
        self._scores = layers[-1] if q else (weights["action_net.weight"], weights["action_net.bias"])
        self._lstm = "lstm_actor.weight_ih_l0" in weights
        if self._lstm:
            if "lstm_actor.weight_ih_l1" in weights:
                raise KeyError("an LSTM of several layers")
            self._input, self._recurrent = weights["lstm_actor.weight_ih_l0"], weights["lstm_actor.weight_hh_l0"]
            self._bias = weights["lstm_actor.bias_ih_l0"] + weights["lstm_actor.bias_hh_l0"]
        first = self._input if self._lstm else (self._hidden[0][0] if self._hidden else self._scores[0])
        self.inputs = int(first.shape[1])
        """how many numbers it observes"""

    def initial_state(self, batch_size: int | None = None) -> tuple[Any, ...]:
        """Return zeros for an LSTM, for one observation or a batch."""
        kind = "one" if batch_size is None else "batch"
        if not self._lstm:
            return (kind,)
        size = (batch_size or 1, self._recurrent.shape[1])
        return kind, np.zeros(size, dtype=np.float32), np.zeros(size, dtype=np.float32)

    def act(self, observation: Any, state: tuple[Any, ...]) -> tuple[Any, tuple[Any, ...]]:
        """Return the best actions, and what is remembered.

        Raises:
            ValueError: observations of another size than the net was trained with.
        """
        kind, *memory = state
        seen = np.asarray(observation, dtype=np.float32)
        x = seen if kind == "batch" else seen[None]
        if x.ndim != 2 or x.shape[1] != self.inputs:
            raise ValueError(
                f"this net observes {self.inputs} numbers, here they have shape {x.shape[1:]}: give the world and the "
                "observation that it was trained with"
            )
        if self._lstm:
            h, c = memory
            gates = x @ self._input.T + h @ self._recurrent.T + self._bias
            i, f, g, o = np.split(gates, 4, axis=1)
            c = _sigmoid(f) * c + _sigmoid(i) * np.tanh(g)
            h = _sigmoid(o) * np.tanh(c)
            x, memory = h, [h, c]
        for weight, bias in self._hidden:
            x = self._activation(x @ weight.T + bias)
        weight, bias = self._scores
        best = (x @ weight.T + bias).argmax(axis=1)
        return (best if kind == "batch" else int(best[0])), (kind, *memory)


def _sigmoid(x: NDArray[Any]) -> NDArray[Any]:
    half: NDArray[Any] = 0.5 * np.tanh(0.5 * x) + 0.5
    return half
