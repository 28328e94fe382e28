"""A memory certificate: claims that can be explained, checked, written and read."""

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...envs.pictures.shown import ShownFrame
from .claims import Claims
from .explanation import explain
from .independent_checker import find_faults
from .picture import as_html, picture
from .reading import read_claims


class MemoryCertificate(Claims):
    r"""Whether an agent needs memory, with the proof; `certify_memory` makes it, `verify` checks it independently.

    Example:
        >>> from mazegrad.agents import MemoryCertificate, certify_memory
        >>> from mazegrad.envs import Maze
        >>> certificate = certify_memory(Maze.from_text("S..\n##.\nG.."))  # upwards and downwards look alike
        >>> certificate.verdict
        'memory helps'
        >>> print(certificate.memoryless_value, certificate.controller_value, certificate.controller.nodes)
        0 0.95099005 2
        >>> MemoryCertificate.from_json(certificate.to_json()).verify()
        True
    """

    def faults(self) -> list[str]:
        """Return what is wrong with the certificate, one sentence for each claim; an empty list if nothing is."""
        return find_faults(self)

    def verify(self) -> bool:
        """Return whether every claim holds, checked anew from the tables; `faults` says which do not."""
        return not self.faults()

    def explain(self, agents: Mapping[str, Any] = MappingProxyType({})) -> str:
        """Return the proof in plain sentences, with its states drawn in the maze.

        Args:
            agents: name -> what it earns, such as `agent_value` measures: lines below the values that are proved. With
                a `BeliefValues`, such as `point_based` returns, its bounds on the value with any memory are cited.

        Raises:
            ValueError: cited bounds for another discount or world, or such as contradict what is proved.
        """
        return explain(self, agents)

    def plot(self) -> NDArray[np.uint8]:
        """Draw the proof as one picture, (720, 1280, 3) uint8, which a notebook shows: see `picture`."""
        return picture(self).view(ShownFrame)

    def to_json(self) -> str:
        """Return the certificate as text, with everything that `verify` needs."""
        return json.dumps(self.to_dict(), indent=1, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> "MemoryCertificate":
        """Return the certificate that `to_json` wrote. Only `verify` checks whether it is true; nothing is executed.

        Raises:
            TypeError: not a str.
            ValueError: not such a text; the message says what is wrong.
        """
        return cls(**read_claims(text))

    def __str__(self) -> str:
        return self.explain()

    def _repr_html_(self) -> str:
        return as_html(self)

    def __repr__(self) -> str:
        return f"<MemoryCertificate: {self.verdict}, observation {self.observation}, discount {self.discount:g}>"
