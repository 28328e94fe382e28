"""Which library the arrays are of: numpy, JAX, torch, or any other that keeps to the array API."""

import importlib
from collections.abc import Callable
from functools import cache, wraps
from typing import Any, TypeAlias, TypeVar

import numpy as np

from ..engines.choice import ENGINES
from ..maps.arguments import nearest

Array: TypeAlias = Any
"""an array of any of the libraries"""
Maybe: TypeAlias = Any
"""an array, or None"""
Namespace: TypeAlias = Any
"""the functions of such a library, named as in the array API (https://data-apis.org/array-api)"""
Function = TypeVar("Function", bound=Callable[..., Any])

_loaded: dict[str, Any] = {}  # so that torch.compile need not look into imports


def library(name: str) -> Namespace:
    """Return the functions of a library.

    Args:
        name: of `ENGINES`.

    Raises:
        ImportError: it is not installed; the message says which extra to install.
    """
    module, title, extra, _ = ENGINES[name]
    try:
        _loaded[name] = importlib.import_module(module)
        return _loaded[name]
    except ImportError as error:
        text = f'{title} is not installed (no module {error.name}); install it with: pip install "mazegrad[{extra}]"'
        raise ImportError(text, name=error.name) from error


def functions_of(xp: Any) -> Namespace:
    """Return the functions for what a user names: a library's name, or its module.

    Raises:
        ValueError: an unknown name.
        ImportError: see `library`.
    """
    if isinstance(xp, str):
        if xp not in ENGINES:
            raise ValueError(f"unknown library {xp!r}{nearest(xp, (*ENGINES, 'or a module'))}")
        return library(xp)
    name = getattr(xp, "__name__", "")
    return library(name) if name in ENGINES else xp


def namespace(array: Array) -> Namespace:
    """Return the functions for an array."""
    if hasattr(array, "__array_namespace__"):
        return array.__array_namespace__()
    return _loaded["torch"] if "torch" in _loaded else library("torch")


def is_jax(xp: Namespace) -> bool:
    """Return whether functions are JAX's."""
    return bool(xp.__name__ == "jax.numpy")


def is_torch(xp: Namespace) -> bool:
    """Return whether functions are torch's."""
    return bool(xp.__name__.endswith("torch"))


def on_device(xp: Namespace, device: Any) -> Callable[[Any], Array]:
    """Return the function from numpy arrays to arrays of a library on a device.

    Floats take the library's default dtype, other dtypes stay where the library has them.
    """
    floating = xp.asarray(1.0).dtype
    where = {} if device is None else {"device": _device(xp, device)}

    def moved(array: Any) -> Array:
        array = np.asarray(array)
        if array.dtype.kind == "f" and array.dtype == np.float64:
            return xp.asarray(array, dtype=floating, **where)
        if is_jax(xp) and array.dtype == np.int64 and xp.asarray(1).dtype != np.int64:
            if array.size and not (int(array.min()) >= -(2**31) and int(array.max()) < 2**31):
                raise ValueError(
                    "a table has numbers of more than 32 bits: switch JAX's 64-bit mode on (jax_enable_x64)"
                )
            array = array.astype(np.int32)
        return xp.asarray(array.copy() if is_torch(xp) else array, **where)

    return moved


def _device(xp: Namespace, device: Any) -> Any:
    """Return a device: JAX takes objects alone, so that a name such as "gpu" or "cpu:1" is looked up."""
    if not is_jax(xp) or not isinstance(device, str):
        return device
    import jax

    kind, _, number = device.partition(":")
    return jax.devices(kind)[int(number or 0)]


def take(table: Array, index: Array) -> Array:
    """Return the rows of a table at indices, (n, ...); every index is inside the table."""
    xp = namespace(table)
    if is_jax(xp):
        return table.at[index].get(mode="promise_in_bounds")
    return xp.take(table, index, axis=0)


def counted(array: Array) -> Array:
    """Return 0, 1, 2, ..., one for each entry of an array's first axis, int32, on its device."""
    xp = namespace(array)
    return xp.arange(array.shape[0], dtype=xp.int32, **({"device": array.device} if is_torch(xp) else {}))


def is_traced(array: Array) -> bool:
    """Return whether an array stands for values that are not known yet, as inside JAX's `jit`."""
    if not is_jax(namespace(array)):
        return False
    import jax

    return isinstance(array, jax.core.Tracer)


def compiled(*fixed: str) -> Callable[[Function], Function]:
    """Return a decorator of functions whose first argument is an array: JAX compiles them once for arrays of one shape.

    Without it JAX compiles each loop again in each call. Over other libraries the function stays as it is.

    Args:
        fixed: names of arguments that are not arrays, given by keyword; for other values JAX compiles again.
    """

    def decorated(function: Function) -> Function:
        @cache
        def by_jax() -> Any:
            import jax

            return jax.jit(function, static_argnames=fixed)

        @wraps(function)
        def called(array: Array, *arrays: Any, **others: Any) -> Any:
            return (by_jax() if is_jax(namespace(array)) else function)(array, *arrays, **others)

        return called  # type: ignore[return-value]

    return decorated


def repeat_while(xp: Namespace, going_on: Callable[[Any], Array], once: Callable[[Any], Any], carry: Any) -> Any:
    """Return what `once` makes of arrays, again and again, while `going_on` of them is true; JAX can compile it.

    Args:
        xp: the functions for the arrays.
        going_on: from the arrays to one bool.
        once: from the arrays to arrays of the same shapes and dtypes.
        carry: a tuple of arrays.
    """
    if is_jax(xp):
        import jax

        return jax.lax.while_loop(going_on, once, carry)
    while bool(going_on(carry)):
        carry = once(carry)
    return carry
