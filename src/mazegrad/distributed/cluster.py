"""Where the work is done: on this machine, behind its loopback address, or on a cluster that is named."""

import importlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from ..extras import require

OBJECT_STORE: Final = 200_000_000
"""bytes of shared memory of a local cluster"""
_LOCAL: Final = {
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",  # the node's address is 127.0.0.1, and all of Ray listens there alone
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # else Ray warns
}


@contextmanager
def cluster(address: str | None = None, *, cpus: int | None = None, gpus: int = 0) -> Iterator[Any]:
    """Connect Ray for the length of a block; a connection that exists already is used and stays.

    Args:
        address: of a cluster, as `ray.init` takes it: "auto" or "ray://host:10001". By default a local one is started
            that listens on loopback alone and has no dashboard; it is shut down at the end.
        cpus: how many a local cluster hands out, and so how many processes work; by default all of this machine.
        gpus: the same.

    Yields:
        The module `ray`.

    Raises:
        MissingExtra: Ray is not installed.
        ConnectionError: no cluster at this address.

    Example:
        >>> from mazegrad.distributed import cluster
        >>> with cluster(cpus=2) as ray:
        ...     double = ray.remote(lambda number: 2 * number)
        ...     ray.get([double.remote(number) for number in range(3)])
        [0, 2, 4]
    """
    before = {name: os.environ.get(name) for name in _LOCAL}
    if address is None:
        os.environ.update(_LOCAL)  # before Ray is imported, and for the processes that it starts
    try:
        ray = require("ray", "ray")
        connected = bool(ray.is_initialized())
        quiet = {"log_to_driver": False, "logging_level": "error"}
        if connected:
            pass
        elif address is not None:
            ray.init(address=address, **quiet)
        else:
            _start(ray, {"num_cpus": cpus, "num_gpus": gpus, **quiet})
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
    try:
        yield ray
    finally:
        if not connected:
            ray.shutdown()


def _start(ray: Any, settings: dict[str, Any]) -> None:
    constants: Any = importlib.import_module("ray._private.ray_constants")
    constants.ENABLE_RAY_CLUSTER = False  # it may have been imported, and have read its environment, before
    for tries_left in (2, 1, 0):
        try:
            ray.init(address="local", include_dashboard=False, object_store_memory=OBJECT_STORE, **settings)
            return
        except Exception as error:
            ray.shutdown()
            if not tries_left or "timed out during startup" not in str(error):  # 30 seconds: the machine is busy
                raise
