"""In IPython and Jupyter a wrapped environment shows what the environment inside shows, not its wrappers' names."""

from typing import Any

import gymnasium
from gymnasium.vector import VectorEnv, VectorWrapper


def show_wrapped_environments(shell: Any) -> None:
    """Let a shell of IPython show Gymnasium's wrappers by the picture of the environment inside, if it has one.

    Args:
        shell: as `IPython.get_ipython()` returns it.
    """
    formatter = shell.display_formatter.formatters["image/svg+xml"]
    formatter.for_type(gymnasium.Wrapper, _inner_svg)
    formatter.for_type(VectorWrapper, _inner_svg)


def _inner_svg(wrapper: "gymnasium.Env[Any, Any] | VectorEnv[Any, Any, Any]") -> Any:
    show = getattr(wrapper.unwrapped, "_repr_svg_", None)
    return None if show is None else show()
