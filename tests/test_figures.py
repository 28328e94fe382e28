"""Every picture of README and docs is made by a command that docs/drawing.md names, and is shown; links have a form."""

import re
from fnmatch import fnmatch
from pathlib import Path
from urllib.parse import urlsplit

import pytest

ROOT = Path(__file__).parent.parent
IMAGES = ROOT / "docs" / "images"
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
PAGES = [page for page in PAGES if page.relative_to(ROOT).parts[1:2] not in (("api",), ("environments",), ("project",))]
TEXTS = {page: page.read_text("utf-8") for page in PAGES}
MADE = {
    pattern: command
    for patterns, command in re.findall(
        r"(?m)^\| (`[^|]+`) \| `(python [^|`]+)` \|$", TEXTS[ROOT / "docs" / "drawing.md"]
    )
    for pattern in re.findall(r"`([^`]+)`", patterns)
}


def pictures() -> list[str]:
    return sorted(path.relative_to(IMAGES).as_posix() for path in IMAGES.rglob("*") if path.is_file())


def test_every_picture_is_made_by_one_command() -> None:
    assert len(pictures()) > 100
    makers = {name: [pattern for pattern in MADE if fnmatch(name, pattern) and name.count("/") == pattern.count("/")]
              for name in pictures()}  # fmt: skip
    assert {name: patterns for name, patterns in makers.items() if len(patterns) != 1} == {}
    assert {pattern for patterns in makers.values() for pattern in patterns} == set(MADE), "rows without a picture"


@pytest.mark.parametrize("command", sorted(set(MADE.values())))
def test_the_command_writes_pictures(command: str) -> None:
    script, *words = command.split()[1:]
    source = (ROOT / script).read_text("utf-8")
    if script == "docs/pictures.py":
        assert re.search(rf'"{words[0]}": \w+', source), words
    else:
        for word in words:
            assert not word.startswith("--") or f'"{word}"' in source
        assert "style.save(" in with_what_it_imports(ROOT / script)


def with_what_it_imports(script: Path) -> str:
    """Return a script, and the files beside it that it takes something from."""
    source = script.read_text("utf-8")
    beside = [script.parent / f"{name}.py" for name in re.findall(r"(?m)^from (\w+) import", source)]
    return source + "".join(with_what_it_imports(path) for path in beside if path.exists())


def test_every_picture_is_shown_on_a_page() -> None:
    shown = {
        (page.parent / link).resolve() for page, text in TEXTS.items() for link in re.findall(r"\]\(([^)#\s]+)\)", text)
    }
    assert [name for name in pictures() if (IMAGES / name).resolve() not in shown] == []


# ------------------------------------------------------------------------------------------------------- outside links
def outside_links() -> set[str]:
    """Return the links of all pages, docstrings and examples that lead elsewhere."""
    files = [
        *PAGES,
        *(path for room in ("agents", "envs", "nn", "src", "examples") for path in (ROOT / room).rglob("*.py")),
    ]
    found = {link for path in files for link in re.findall(r"https?://[^\s)>\"'`\]}|]+", path.read_text("utf-8"))}
    return {link.rstrip(".,;:") for link in found if "{" not in link}


def test_outside_links_have_a_form() -> None:
    """Whether somebody answers is for `sphinx-build -b linkcheck`, which needs a network."""
    assert outside_links()
    for link in outside_links():
        parts = urlsplit(link)
        if parts.hostname in ("localhost", "127.0.0.1") or "example" in str(parts.hostname):
            continue
        assert parts.scheme == "https" or link in PLAIN, link
        assert re.fullmatch(r"([\w-]+\.)+[a-z]{2,}", str(parts.hostname)), link
        assert not parts.username and parts.port is None, link


PLAIN = {
    "http://www.w3.org/2000/svg",
    "http://pomdp.org/code/pomdp-file-spec.html",
}  # a name of a format; a site without https
