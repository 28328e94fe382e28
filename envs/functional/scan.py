"""The loop of a rollout under JAX: one scan, compiled for each policy's function, over one device or several."""

from functools import cache, partial
from typing import Any

from .namespace import Array
from .stepping import observe
from .structure import Tables
from .turn import Act, Carry, turn

# turns in one round of a scan over given actions: with 1,024 lanes a seventh faster than one, and four are slower; with
# a net in the loop two are slower than one
_UNROLLED = 2


def scanned(
    tables: Tables, fixed: Any, actions: Array | None, carry: Carry, discount: float, act: Act, steps: int, shards: int
) -> Any:
    """Return what `rollout` returns.

    Args:
        tables, fixed, carry, discount, act: see `turn`; the carry is without the observation.
        actions: (steps, lanes), or None.
        steps: how many turns.
        shards: over how many devices the lanes are divided.

    Raises:
        ValueError: JAX has fewer devices; hidden state that is not by lane.
    """
    if shards > 1:
        tables, fixed, actions, carry = _divided(tables, fixed, actions, carry, shards)
    return _compiled()(tables, fixed, actions, carry, discount, act=act, steps=steps)


@cache
def _compiled() -> Any:
    import jax

    def whole(tables: Tables, fixed: Any, actions: Any, carry: Any, discount: Any, *, act: Act, steps: int) -> Any:
        unroll = _UNROLLED if actions is not None and tables.fresh is None else 1
        once = partial(turn, tables, fixed, act, discount)
        begin = (*carry, observe(tables, carry[0]))
        (state, hidden, totals, _), happened = jax.lax.scan(once, begin, actions, length=steps, unroll=unroll)
        return (happened if totals is None else totals), state, hidden

    return jax.jit(whole, static_argnames=("act", "steps"))


def _divided(tables: Tables, fixed: Any, actions: Any, carry: Carry, shards: int) -> Any:
    """Return the arguments with lanes divided over devices, and all else on each of them; what is there stays."""
    import jax
    from jax.sharding import Mesh, NamedSharding, PartitionSpec

    devices = jax.devices()
    if shards > len(devices):
        raise ValueError(
            f"{shards} shards need as many devices, and JAX has {len(devices)}; for more on a CPU, call "
            f"jax.config.update('jax_num_cpu_devices', {shards}) before anything else of JAX"
        )
    lanes, (parameters, initial) = carry[0].at.shape[0], fixed
    for array in jax.tree.leaves((initial, carry[1])):
        if array.shape[:1] != (lanes,):
            raise ValueError(
                f"with shards all hidden state is by lane: ({lanes}, ...), not {tuple(array.shape)}; leave out shards"
            )
    mesh = Mesh(devices[:shards], ("lanes",))
    everywhere, by_lane, by_column = (
        NamedSharding(mesh, PartitionSpec(*axes)) for axes in ((), ("lanes",), (None, "lanes"))
    )

    def put(arrays: Any, where: Any) -> Any:
        there = all(getattr(array, "sharding", None) == where for array in jax.tree.leaves(arrays))
        return arrays if there else jax.device_put(arrays, where)  # which takes its time for what is there, too

    fixed = put(parameters, everywhere), put(initial, by_lane)
    return put(tables, everywhere), fixed, put(actions, by_column), put(carry, by_lane)
