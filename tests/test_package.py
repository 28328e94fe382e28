"""What is published: a source distribution with its tests, a README without dead links, an up-to-date citation."""

import re
import runpy
import shutil
import subprocess
import sys
import tarfile
import tomllib
from pathlib import Path

import pytest
import setuptools

from mazegrad import __version__
from mazegrad.extras import MissingExtra, packages, require

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
IGNORED = (".git", "build", "dist", "__pycache__", "*.egg-info", ".venv", ".*_cache", ".hypothesis")


@pytest.fixture(scope="module")
def distribution(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an unpacked source distribution."""
    pytest.importorskip("setuptools", minversion="77")
    folder = tmp_path_factory.mktemp("sdist")
    shutil.copytree(ROOT, folder / "source", ignore=shutil.ignore_patterns(*IGNORED))
    code = "import sys; from setuptools.build_meta import build_sdist; build_sdist(sys.argv[1])"
    subprocess.run(
        [sys.executable, "-c", code, str(folder)], cwd=folder / "source", check=True, capture_output=True, timeout=300
    )
    (archive,) = folder.glob("*.tar.gz")
    with tarfile.open(archive) as files:
        files.extractall(folder, filter="data")
    (unpacked,) = (path for path in folder.iterdir() if path.name.startswith("mazegrad-") and path.is_dir())
    return unpacked


def test_the_source_distribution_has_every_file_of_the_repository(distribution: Path) -> None:
    try:
        listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("needs git, and a checkout")
    tracked = {name for name in listed.split("\0") if name and (ROOT / name).exists()}
    assert {name for name in tracked if not (distribution / name).exists()} == set()


@pytest.mark.slow
def test_the_tests_of_the_source_distribution_are_collected(distribution: Path) -> None:
    words = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-n", "0", "-p", "no:cacheprovider"]
    result = subprocess.run(words, cwd=distribution, capture_output=True, text=True, timeout=300)
    assert result.returncode == 0, result.stdout[-2000:]
    assert "tests/test_package.py" in result.stdout


def test_the_readme_on_a_package_index_has_no_relative_links(distribution: Path) -> None:
    published = (distribution / "PKG-INFO").read_text(encoding="utf-8")
    assert "Description-Content-Type: text/markdown" in published
    targets = re.findall(r"\]\(([^)]+)\)", published)
    assert [target for target in targets if not target.startswith(("http", "#"))] == []
    assert "docs/exercise_38.md derives the solution" in published


def test_with_a_public_address_the_links_lead_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(setuptools, "setup", lambda **_: None)
    readme = runpy.run_path(str(ROOT / "setup.py"))["readme"]
    text = "![a net](docs/images/a.png) [speed](docs/speed.md) [Python](https://www.python.org) [below](#below)"
    kept = "[Python](https://www.python.org) [below](#below)"
    assert readme(text, None) == f" speed {kept}"
    base = "https://git.example/mazegrad"
    expected = f"![a net]({base}/raw/HEAD/docs/images/a.png) [speed]({base}/blob/HEAD/docs/speed.md) {kept}"
    assert readme(text, base) == expected


def test_the_citation_has_the_version_of_the_package() -> None:
    lines = (ROOT / "CITATION.cff").read_text(encoding="utf-8").splitlines()
    assert f"version: {__version__}" in lines
    assert f"license: {PROJECT['license']}" in lines


def test_a_missing_optional_dependency_is_reported_with_the_packages_of_its_extra() -> None:
    for extra, wanted in PROJECT["optional-dependencies"].items():
        for package in wanted:
            assert f'"{package.partition(";")[0].strip()}"' in packages(extra)
    with pytest.raises(MissingExtra, match=r'no_such_module is not installed; install it with: .* "matplotlib>=3.8"$'):
        require("no_such_module.part", "plot")


def test_the_public_address_stands_in_one_place() -> None:
    """`[project.urls]`; without it there is no badge and no link to an address that may not exist."""
    for name in ("setup.py", "docs/conf.py"):
        assert 'get("urls", {})' in (ROOT / name).read_text(encoding="utf-8")
    files = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CITATION.cff", ".readthedocs.yaml", "Makefile")]
    files += [*(ROOT / "docs").glob("*.md"), *(ROOT / "notebooks").glob("*.ipynb"), *(ROOT / ".github").rglob("*.yml")]
    own = re.compile(
        r"(?:github\.com|readthedocs\.io|pypi\.org/p(?:roject)?|colab\.research\.google\.com/github)/\S*mazegrad"
    )
    for file in files:
        found = set(own.findall(file.read_text(encoding="utf-8"))) - {"github.com/OWNER/mazegrad"}
        assert found == set() or PROJECT.get("urls"), file
