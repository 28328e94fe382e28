"""What pyproject.toml cannot express: subpackages at the top of the repository, and links in the published README."""

import re
import tomllib
from pathlib import Path

from setuptools import find_packages, setup

ROOT = Path(__file__).parent
# package -> its folder; `envs` and `agents` would be unsafe names for top-level packages
ROOMS = {"mazegrad.envs": "envs", "mazegrad.agents": "agents", "mazegrad.nn": "nn"}


def readme(text: str, repository: str | None) -> str:
    """Return the README for a package index, where relative links do not work.

    Args:
        text: the README.
        repository: the public address of the repository: links lead there. None: links become plain text, and pictures
            are left out.
    """
    picture, link = r"!\[([^]]*)\]\((?!https?:)([^)]+)\)", r"\[([^]]*)\]\((?!https?:|#)([^)]+)\)"
    if repository is None:
        return re.sub(link, r"\1", re.sub(picture, "", text))
    text = re.sub(picture, rf"![\1]({repository}/raw/HEAD/\2)", text)
    return re.sub(link, rf"[\1]({repository}/blob/HEAD/\2)", text)


urls = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"].get("urls", {})
setup(
    package_dir={"mazegrad": "src/mazegrad", **ROOMS},
    packages=[
        *find_packages("src"),
        *ROOMS,
        *(f"{name}.{sub}" for name, folder in ROOMS.items() for sub in find_packages(folder)),
    ],
    long_description=readme((ROOT / "README.md").read_text(encoding="utf-8"), urls.get("Repository")),
    long_description_content_type="text/markdown",
)
