"""The loop of a rollout under JAX: one scan, compiled for each policy's function, over one device or several."""

from functools import cache, partial
from typing import Any, Final

from .namespace import Array
from .stepping import observe
from .structure import Tables
from .turn import Act, Carry, turn

# turns in one round of a scan over given actions: with 1,024 lanes a seventh faster than one, and four are slower; with
# a net in the loop two are slower than one
_UNROLLED: Final = 2
_BLOCK: Final = 2**13
"""lanes on a CPU: what is known of as many stays in the cache of a core, while they make all their steps"""


def scanned(
    tables: Tables,
    fixed: Any,
    actions: Array | None,
    carry: Carry,
    discount: float,
    act: Act,
    steps: int,
    pure: bool,
    shards: int | None,
) -> Any:
    """Return what `rollout` returns.

    Args:
        tables, fixed, carry, discount, act: see `turn`; the carry is without the observation.
        actions: (steps, lanes), or None.
        steps: how many turns.
        pure: whether the policy takes any number of lanes.
        shards: over how many devices the lanes are divided; None: over those where they are.

    Raises:
        ValueError: JAX has fewer devices; hidden state that is not by lane.
    """
    import jax

    lanes, there, mesh = carry[0].at.shape[0], _devices(carry[0].at), None
    shards = shards or there
    others = [array for array in jax.tree.leaves((fixed[1], carry[1])) if array.shape[:1] != (lanes,)]
    if shards > 1 or there > 1:
        if others and shards > 1:
            raise ValueError(
                f"with shards all hidden state is by lane: ({lanes}, ...), not {others[0].shape}; leave out shards"
            )
        mesh = _mesh(shards)
        tables, fixed, actions, carry = _divided(mesh, tables, fixed, actions, carry)
    blocks = 1
    traced = isinstance(carry[0].at, jax.core.Tracer)  # the lanes may lie anywhere then
    many = pure and not others and carry[2] is not None and tables.fresh is None
    if many and not traced and jax.default_backend() == "cpu":
        blocks = _blocks(lanes // shards)
    run = _compiled()
    return run(tables, fixed, actions, carry, discount, act=act, steps=steps, blocks=blocks, mesh=mesh)


def _devices(array: Array) -> int:
    """Return over how many devices an array is divided, 1 for one that is traced."""
    import jax

    return 1 if isinstance(array, jax.core.Tracer) else len(array.sharding.device_set)


def _blocks(lanes: int) -> int:
    """Return into how many blocks of one size lanes are divided: the least number that makes them small enough."""
    least = -(-lanes // _BLOCK)
    return next((count for count in range(least, 2 * least) if lanes % count == 0), 1)


@cache
def _compiled() -> Any:
    import jax
    from jax.sharding import PartitionSpec

    def scan(tables: Tables, once: Any, carry: Carry, rows: Any, steps: int, given: bool) -> Any:
        unroll = _UNROLLED if given and tables.fresh is None else 1
        begin = (*carry, observe(tables, carry[0]))
        (state, hidden, totals, _), happened = jax.lax.scan(once, begin, rows, length=steps, unroll=unroll)
        return (happened if totals is None else totals), state, hidden

    def walked(
        act: Act, steps: int, blocks: int, tables: Tables, fixed: Any, actions: Any, carry: Carry, discount: Any
    ) -> Any:
        """Return what happens to the lanes of a device."""
        if blocks == 1:
            return scan(tables, partial(turn, tables, fixed, act, discount), carry, actions, steps, actions is not None)
        size = carry[0].at.shape[0] // blocks

        def block(part: Any) -> Any:
            number, initial, carry = part

            def once(carry: Carry, time: Any) -> Any:
                row = None if actions is None else jax.lax.dynamic_slice(actions, (time, number * size), (1, size))[0]
                return turn(tables, (fixed[0], initial), act, discount, carry, row)

            return scan(tables, once, carry, jax.numpy.arange(steps), steps, actions is not None)

        parts = jax.tree.map(lambda x: x.reshape(blocks, size, *x.shape[1:]), (fixed[1], carry))
        found = jax.lax.map(block, (jax.numpy.arange(blocks), *parts))
        return jax.tree.map(lambda x: x.reshape(-1, *x.shape[2:]), found)

    def run(
        tables: Tables, fixed: Any, actions: Any, carry: Carry, discount: Any,
        *, act: Act, steps: int, blocks: int, mesh: Any,
    ) -> Any:  # fmt: skip
        each = partial(walked, act, steps, blocks)
        if mesh is not None:
            everywhere, by_lane, by_column = (PartitionSpec(*axes) for axes in ((), ("lanes",), (None, "lanes")))
            given = everywhere, (everywhere, by_lane), by_column, by_lane, everywhere
            found = (by_column if carry[2] is None else by_lane), by_lane, by_lane
            each = jax.shard_map(each, mesh=mesh, in_specs=given, out_specs=found, check_vma=False)
        return each(tables, fixed, actions, carry, discount)

    return jax.jit(run, static_argnames=("act", "steps", "blocks", "mesh"))


def _mesh(shards: int) -> Any:
    """Return the first devices of JAX, in a row.

    Raises:
        ValueError: there are fewer.
    """
    import jax

    devices = jax.devices()
    if shards > len(devices):
        raise ValueError(
            f"{shards} shards need as many devices, and JAX has {len(devices)}; for more on a CPU, call "
            f"jax.config.update('jax_num_cpu_devices', {shards}) before anything else of JAX"
        )
    return jax.sharding.Mesh(devices[:shards], ("lanes",))


def _divided(mesh: Any, tables: Tables, fixed: Any, actions: Any, carry: Carry) -> Any:
    """Return the arguments with lanes divided over devices, and all else on each of them; what is there stays."""
    import jax
    from jax.sharding import NamedSharding, PartitionSpec

    def put(arrays: Any, *axes: str | None) -> Any:
        where = NamedSharding(mesh, PartitionSpec(*axes))
        there = all(getattr(array, "sharding", None) == where for array in jax.tree.leaves(arrays))
        return arrays if there else jax.device_put(arrays, where)  # which takes its time for what is there, too

    fixed = put(fixed[0]), put(fixed[1], "lanes")
    return put(tables), fixed, put(actions, None, "lanes"), put(carry, "lanes")
