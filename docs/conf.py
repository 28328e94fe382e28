"""The documentation site: `make docs` builds it, of these pages in Markdown and of others that are written then.

`api/` is the reference (`reference.py`), `environments/` has a page for each id (`environments.py`), `gallery.md` and
its pictures are made by `gallery.py`, and `project/` has README, CHANGELOG and CONTRIBUTING with their links mended.
"""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy.typing

HERE = Path(__file__).parent
ROOT = HERE.parent
sys.path.insert(0, str(HERE))
os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")

Scalar = TypeVar("Scalar")


class NDArray(Generic[Scalar]):
    """Stands in signatures for numpy's alias, which would be written out: `ndarray[tuple[Any, ...], dtype[int64]]`."""


class ArrayLike:
    """Stands for numpy's, which would be written out in eight lines."""


class DTypeLike:
    """Stands for numpy's."""


for _standing in (NDArray, ArrayLike, DTypeLike):
    _standing.__module__ = "numpy.typing"
    setattr(numpy.typing, _standing.__name__, _standing)

import environments  # noqa: E402
import gallery  # noqa: E402
import reference  # noqa: E402

import mazegrad  # noqa: E402

project, author, copyright = "mazegrad", "The mazegrad authors", "The mazegrad authors"
version = release = mazegrad.__version__
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.viewcode", "sphinx_copybutton"]
html_theme = "furo"
html_title = f"mazegrad {release}"
html_theme_options = {"sidebar_hide_name": False, "navigation_with_keys": True}
pygments_style, pygments_dark_style = "friendly", "monokai"

myst_heading_anchors = 4
suppress_warnings = ["myst.header"]  # a page may begin below its first level
default_role = "literal"
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
autodoc_typehints_format = "short"
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 100
napoleon_numpy_docstring = False
napoleon_use_rtype = False
toc_object_entries_show_parents = "hide"

linkcheck_anchors = False
linkcheck_timeout = 20
linkcheck_ignore = [r"http://localhost.*", r"http://127\.0\.0\.1.*"]

# pages that stand at the top of the repository, and their places in the site
MIRRORED = {"README.md": "readme", "CHANGELOG.md": "changelog", "CONTRIBUTING.md": "contributing"}
PLAYGROUND = """\
```{raw} html
<p><a href="play.html">Open the playground</a>: draw a maze, set W, U and b, and see who finds the way.</p>
<iframe src="play.html" title="The playground: draw a maze and walk it" loading="lazy"
  style="width: 100%; height: 44rem; border: 1px solid var(--color-background-border)"></iframe>
```
"""
LITE = ROOT / "build" / "lite"  # by `make lite`
GENERATED = ("api/", "environments/", "project/")
_metadata = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
_urls = _metadata.get("urls", {})
_here = os.environ.get("GITHUB_REPOSITORY")  # where the site is built on GitHub
repository: str | None = _urls.get("Repository") or _urls.get("Source") or (_here and f"https://github.com/{_here}")


def _playground(out: Path) -> bool:
    """Write the playground, one file of HTML, and return whether this version of mazegrad has one."""
    out.parent.mkdir(parents=True, exist_ok=True)
    done = subprocess.run([sys.executable, "-m", "mazegrad", "page", "--out", str(out)], capture_output=True)
    return done.returncode == 0


def _badges(notebook: str) -> str:
    """Return links to a notebook: its file, Colab if the public address is known, this site's JupyterLite."""
    badges = [f'<a href="notebooks/{notebook}.ipynb" download>Download</a>']
    if repository is not None and repository.startswith("https://github.com/"):
        where = repository.removeprefix("https://github.com/")
        link = f"https://colab.research.google.com/github/{where}/blob/main/notebooks/{notebook}.ipynb"
        badges.append(f"[![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)]({link})")
    if (LITE / "index.html").exists():
        badges.append(f'<a href="lite/lab/index.html?path={notebook}.ipynb">Open in JupyterLite</a>')
    return " · ".join(badges)


def _copied(app: Any, error: Exception | None) -> None:
    """Put the notebooks and the JupyterLite into the site."""
    if error is not None or app.builder.name != "html":
        return
    (Path(app.outdir) / "notebooks").mkdir(exist_ok=True)
    for notebook in (ROOT / "notebooks").glob("*.ipynb"):
        shutil.copy(notebook, Path(app.outdir) / "notebooks")
    if LITE.exists():
        shutil.copytree(LITE, Path(app.outdir) / "lite", dirs_exist_ok=True, ignore=shutil.ignore_patterns("*.map"))


def _outside(folder: Path, text: str) -> str:
    """Return Markdown whose links to files outside of docs/ lead to their copies in the site, or to the repository.

    Args:
        folder: of the page, as it stands in the repository.
        text: the page.
    """

    def moved(match: re.Match[str]) -> str:
        label, link, anchor = match[1], match[2], match[3] or ""
        target = (folder / link).resolve()
        if not target.exists() or not target.is_relative_to(ROOT):
            return match[0]
        name = target.relative_to(ROOT).as_posix()
        if name in MIRRORED:
            return f"{label}(/project/{MIRRORED[name]}.md{anchor})"
        if target.is_relative_to(HERE):
            return f"{label}(/{target.relative_to(HERE).as_posix()}{anchor})"
        if repository is not None:
            return f"{label}({repository}/blob/main/{name}{anchor})"
        if target.suffix == ".ipynb":  # which has a link of its own, see `_badges`
            return label[1:-1]
        return label[1:-1] if label.startswith("[`") else f"{label[1:-1]} (`{name}`)"

    return re.sub(r"(!?\[[^]]*\])\((?!https?:|#|/)([^)#\s]+)(#[^)\s]*)?\)", moved, text)


def _toctrees(text: str) -> str:
    """Return the front page with a table of contents for each heading: the pages that the list below it links to."""
    parts = re.split(r"(?m)^## (.*)$", text)
    trees = []
    for caption, body in zip(parts[1::2], parts[2::2], strict=True):
        pages = re.findall(r"(?m)^- \[([^]]*)\]\(/?([^)#]+)\.(?:md|rst)\)", body)
        lines = "\n".join(f"{title} </{page}>" for title, page in pages)
        trees.append(f"```{{toctree}}\n:hidden:\n:caption: {caption}\n\n{lines}\n```\n")
    return text + "\n" + "\n".join(trees)


def _read(app: Any, docname: str, source: list[str]) -> None:
    path = HERE / f"{docname}.md"
    if not path.exists():
        return
    text = source[0]
    if docname == "index":
        text = re.sub(r"<!-- site: (.*?) -->", r"\1", text)
        if _playground(Path(app.outdir) / "play.html"):
            text = text.replace("<!-- playground -->", PLAYGROUND)
    text = re.sub(r"<!-- open: (\w+) -->", lambda match: _badges(match[1]), text)
    if not docname.startswith(GENERATED):
        text = _outside(path.parent, text)
    source[0] = _toctrees(text) if docname == "index" else text


_attributes: dict[str, list[str]] = {}


def _docstring(app: Any, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """Make reStructuredText of a docstring, whose only markup is `code` and, indented, text as it stands."""
    lines[:] = reference.rst_lines(lines)
    if what in ("attribute", "property"):  # napoleon takes what is before a colon, such as a shape, for a type
        _attributes[name], lines[:] = list(lines), []


def _attribute(app: Any, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """Give an attribute the text that napoleon was not shown."""
    lines[:] = _attributes.pop(name, lines)


def _signature(
    app: Any, what: str, name: str, obj: Any, options: Any, signature: str | None, returns: str | None
) -> Any:
    """Write defaults as they can be read."""
    if signature is None:
        return None
    signature = re.sub(r"<(?:function|class) '?([\w.]+)[^>]*>", r"\1", signature)
    return re.sub(r"<[\w.]+ object[^>]*>", "...", signature).replace("MappingProxyType({})", "{}"), returns


def _generate(app: Any) -> None:
    reference.write(HERE / "api")
    environments.write(HERE / "environments")
    gallery.write(HERE)
    (HERE / "project").mkdir(exist_ok=True)
    for name, page in MIRRORED.items():
        reference.write_if_changed(
            HERE / "project" / f"{page}.md", _outside(ROOT, (ROOT / name).read_text(encoding="utf-8"))
        )


def setup(app: Any) -> None:
    """Connect the above with Sphinx."""
    app.connect("builder-inited", _generate)
    app.connect("source-read", _read)
    app.connect("build-finished", _copied)
    app.connect("autodoc-process-docstring", _docstring, priority=400)
    app.connect("autodoc-process-docstring", _attribute, priority=600)
    app.connect("autodoc-process-signature", _signature)
