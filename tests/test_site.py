"""The site: every page is in its contents, every public name in its reference, every link leads somewhere."""

import html.parser
import importlib
import re
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from urllib.parse import unquote, urldefrag

import gymnasium
import pytest

import mazegrad  # noqa: F401  (registers the environments)

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
# what users import from: rooms and their parts, and what stands beside them
PUBLIC = [
    "mazegrad.envs", "mazegrad.envs.wrappers", "mazegrad.envs.functional", "mazegrad.agents",
    "mazegrad.agents.curricula",
    "mazegrad.nn",
    "mazegrad.nn.functional", "mazegrad.nn.init", "mazegrad.nn.schedulers", "mazegrad.nn.data", "mazegrad.nn.sampling",
    "mazegrad.nn.analysis", "mazegrad.adapters", "mazegrad.adapters.minari", "mazegrad.offline", "mazegrad.distributed",
    "mazegrad.pictures.style", "mazegrad.scores", "mazegrad.progress",
]  # fmt: skip


def public_names(module: str) -> Iterator[str]:
    """Yield the names of `__all__`; without it, what is defined in a file, or what a package passes on."""
    loaded = importlib.import_module(module)
    for name in getattr(loaded, "__all__", vars(loaded)):
        value = getattr(loaded, name)
        if hasattr(loaded, "__all__"):
            yield f"{module}.{name}"
        elif not name.startswith("_") and callable(value) and not isinstance(value, ModuleType):
            home = getattr(value, "__module__", None) or ""
            inside = home.startswith(f"{module.rpartition('.')[0]}.") and not home.endswith("torch_names")
            if home == module or (hasattr(loaded, "__path__") and inside):
                yield f"{module}.{name}"


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the reference, as it is written before the site is built."""
    folder = tmp_path_factory.mktemp("reference")
    sys.path.insert(0, str(DOCS))
    try:
        importlib.import_module("reference").write(folder)
    finally:
        sys.path.remove(str(DOCS))
    return folder


def test_every_public_name_has_one_entry_in_the_reference(reference: Path) -> None:
    entries = re.findall(
        r"^\.\. (?:autoclass|autofunction|py:data|py:function):: (\S+)$",
        "\n".join(page.read_text("utf-8") for page in reference.glob("*.rst")),
        flags=re.MULTILINE,
    )
    assert len(entries) == len(set(entries)) > 500
    names = {name for module in PUBLIC for name in public_names(module)}
    assert len(names) > 500
    assert sorted(names - set(entries)) == []


def test_every_page_of_the_reference_is_listed_and_says_what_it_is_about(reference: Path) -> None:
    contents = (reference / "index.md").read_text("utf-8")
    for page in reference.glob("*.rst"):
        assert f"]({page.name})" in contents
        title, line, _, sentence = page.read_text("utf-8").splitlines()[:4]
        assert len(title) == len(line)
        assert sentence.endswith(".")


@pytest.fixture(scope="module")
def environments(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the environments' pages, as they are written before the site is built."""
    folder = tmp_path_factory.mktemp("environments")
    sys.path.insert(0, str(DOCS))
    try:
        importlib.import_module("environments").write(folder)
    finally:
        sys.path.remove(str(DOCS))
    return folder


@pytest.mark.parametrize("env_id", [env_id for env_id in gymnasium.registry if env_id.startswith("mazegrad/")])
def test_each_environment_has_a_page_that_is_true(env_id: str, environments: Path) -> None:
    name = env_id.removeprefix("mazegrad/")
    page, env = (environments / f"{name}.md").read_text("utf-8"), gymnasium.make(env_id)
    assert f"]({name}.md)" in (environments / "index.md").read_text("utf-8")
    facts = dict(re.findall(r"(?m)^\| (.*?) \| (.*) \|$", page))
    assert facts["id"] == f"`{env_id}`, version {env.spec.version}"
    assert facts["actions"] == f"`{env.action_space}`"
    assert facts["reward threshold"] == str(env.spec.reward_threshold or "none").lower()
    if env.spec.max_episode_steps is not None:
        assert facts["step limit"] == f"{env.spec.max_episode_steps:,}"
    if name != "Tabular-v0":
        env.reset(seed=0)
        assert env.unwrapped.maze.to_text().strip() in page
        assert facts["`dots`"] == f"`{gymnasium.make(env_id, observation='dots').observation_space}`"
        assert '<input type="range"' in page, "the walk"
        assert "<animate " in (environments / "images" / f"{name}.svg").read_text("utf-8")
        assert name == "GridWorld-v0" or "| V*, which knows the state |" in page, "the scores"
    (code,) = re.findall(r"(?ms)^```python\n(.*?)^```$", page)
    exec(compile(code, f"{name}.md", "exec"), {})


def test_the_front_page_leads_to_every_page() -> None:
    front = (DOCS / "index.md").read_text("utf-8")
    pages = {path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md")}
    pages = {page for page in pages if page.partition("/")[0] not in ("api", "environments", "project")}
    listed = set(re.findall(r"\]\(([^)#]+\.md)\)", front))
    assert sorted(pages - listed - {"index.md"}) == [], "pages that docs/index.md does not list"


class Page(html.parser.HTMLParser):
    """What a page points to, and what can be pointed to in it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.anchors: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for key, value in attrs:
            if key == "id" or (key == "name" and tag == "a"):
                self.anchors.add(value or "")
            elif key in ("href", "src") and value and tag != "link":
                self.links.append(value)


@pytest.fixture(scope="module")
def site() -> Path:
    """Return the site, if it was built: `make docs` comes before this in .ci/run."""
    folder = ROOT / "build" / "site"
    if not (folder / "objects.inv").exists():
        pytest.skip("needs the site: make docs")
    return folder


def test_every_link_of_the_built_site_leads_somewhere(site: Path) -> None:
    pages = {path.resolve(): Page(path.read_text("utf-8")) for path in site.rglob("*.html")}
    assert len(pages) > 50
    for path, page in pages.items():
        for link in page.links:
            if re.match(r"[a-z]+:|//", link):
                continue
            file, anchor = urldefrag(link)
            target = (path.parent / unquote(file.partition("?")[0])).resolve() if file else path
            assert target.exists(), (path.name, link)
            if anchor and target in pages and "_modules" not in path.parts:  # ways back from sources are inexact
                assert unquote(anchor) in pages[target].anchors, (path.name, link)


def test_every_public_name_is_in_the_inventory_of_the_built_site(site: Path) -> None:
    _, _, _, _, packed = (site / "objects.inv").read_bytes().split(b"\n", 4)
    known = {line.split()[0] for line in zlib.decompress(packed).decode("utf-8").splitlines()}
    names = {name for module in PUBLIC for name in public_names(module)}
    assert sorted(names - known) == []


def test_the_site_is_built_by_one_command_and_the_services_build_the_same() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    assert re.search(r"(?m)^docs:.*\n(\t.*\n)*\t.*sphinx.* -W .* docs build/site", makefile)
    assert "run: make docs" in (ROOT / ".github/workflows/docs.yml").read_text("utf-8")
    read_the_docs = (ROOT / ".readthedocs.yaml").read_text("utf-8")
    assert "configuration: docs/conf.py" in read_the_docs
    assert "fail_on_warning: true" in read_the_docs
