"""Options of the commands that write the page: page, edit."""

from pathlib import Path

from .options import Commands, add_format, add_pair, output


def add(commands: Commands) -> None:
    """Add them."""
    _page(commands)
    _edit(commands)


def _page(commands: Commands) -> None:
    page = commands.add(
        "page",
        "page.command:page",
        "Write the playground as one HTML file, for any browser, without a server.",
        seed="seed of an ID's first episode",
    )
    page.add_argument(
        "mazes",
        nargs="*",
        metavar="MAP|FILE|ID",
        help="offered first: mazes, environments, recorded .jsonl runs; an .npz with W, U, b; an automaton's JSON",
    )
    page.add_argument(
        "--out", type=output(".html"), default=Path("page.html"), metavar="FILE", help="default: page.html"
    )
    add_format(page)
    add_pair(page, "--world", "a keyword of an ID's environment, such as actions=king")


def _edit(commands: Commands) -> None:
    edit = commands.add("edit", "page.command:edit", "Draw a maze in a browser.", seed="seed of an ID's first episode")
    edit.add_argument("maze", nargs="?", metavar="MAP|FILE|ID", help="to begin with (default: exercise 38's path)")
    edit.add_argument(
        "--out", type=output(".html"), metavar="FILE", help="keep the page (default: in the temporary folder)"
    )
    add_format(edit)
    add_pair(edit, "--world", "a keyword of an ID's environment, such as size=5,5")
