"""Which folder is which room: the rooms stand at the top of the repository and are installed as `mazegrad.*`."""

from setuptools import find_packages, setup

ROOMS = {"mazegrad.envs": "envs", "mazegrad.agents": "agents", "mazegrad.nn": "nn"}

setup(
    package_dir={"mazegrad": "src/mazegrad", **ROOMS},
    packages=[
        "mazegrad",
        *ROOMS,
        *(f"{name}.{sub}" for name, folder in ROOMS.items() for sub in find_packages(folder)),
    ],
)
