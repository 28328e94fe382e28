"""Options of the commands that mark and prove: check, certify."""

from pathlib import Path

from ..script import count, positive
from .options import Commands, add_format, add_pair, output


def add(commands: Commands) -> None:
    """Add them."""
    _check(commands)
    _certify(commands)


def _check(commands: Commands) -> None:
    check = commands.add(
        "check",
        "check:check",
        "Mark what is handed in for exercises 38, 39 and 41, or a folder of it: points, and what is wrong where.",
        seed="seed of the numbers that submitted functions are called with",
    )
    check.add_argument(
        "submission", type=Path, metavar="FILE|FOLDER",
        help="38: an .npz with W, U, b (and h0, feedback); 39: an .npz with U_1, U_2, or a .py; 41: a .py",
    )  # fmt: skip
    check.add_argument(
        "--exercise", type=int, choices=(38, 39, 41), metavar="N", help="38, 39 or 41 (default: what a file holds)"
    )
    check.add_argument("--maze", metavar="NAME|FILE", help="38: check this maze only")
    add_format(check)
    check.add_argument(
        "--length",
        type=count,
        default=12,
        metavar="N",
        help="38: try all paths up to this length, 1 to 16 (default: 12)",
    )
    check.add_argument(
        "--time", type=count, default=10, metavar="SECONDS", help="processor time of a Python file (default: 10)"
    )
    check.add_argument("--memory", type=count, default=1024, metavar="MIB", help="memory of it (default: 1024)")
    check.add_argument("--jobs", type=count, default=1, metavar="N", help="mark N submissions at once (default: 1)")
    check.add_argument("--csv", type=output(".csv"), metavar="FILE", help="write the points as a table")
    check.add_argument("--json", action="store_true", help="print JSON")


def _certify(commands: Commands) -> None:
    certify = commands.add(
        "certify",
        "certify:certify",
        "Prove whether a maze needs memory, or check such a proof.",
        seed="seed of an ID's first episode",
    )
    certify.add_argument(
        "maze", nargs="+", metavar="MAZE|ID|FILE.json", help="the mazes of one task, or a certificate to check"
    )
    add_format(certify)
    certify.add_argument("--observation", default="dots", metavar="NAME", help="what the agent sees (default: dots)")
    certify.add_argument("--view-size", type=count, default=7, metavar="N", help="side of the view (default: 7)")
    certify.add_argument(
        "--discount", type=float, default=0.99, metavar="X", help="discount of rewards (default: 0.99)"
    )
    certify.add_argument("--nodes", type=count, default=8, metavar="N", help="largest controller to try (default: 8)")
    certify.add_argument("--time", type=positive, default=20.0, metavar="SECONDS", help="time limit (default: 20)")
    certify.add_argument(
        "--levels", type=count, default=8, metavar="N", help="take the mazes of an ID's first N episodes (default: 8)"
    )
    add_pair(certify, "--world", "a keyword of an ID's environment, such as size=3,3")
    certify.add_argument(
        "--agent",
        action="append",
        default=[],
        dest="agents",
        metavar="NAME|FILE",
        help="measure an agent too: a name of mazegrad list, an .npz or a .zip; may be given several times",
    )
    certify.add_argument(
        "--episodes", type=count, default=1000, metavar="N", help="by which agents are measured (default: 1,000)"
    )
    certify.add_argument("--json", type=output(".json"), metavar="FILE", help="write the certificate to this file")
    certify.add_argument(
        "--png", type=output(".png"), metavar="FILE", help="draw the two places that look alike to this file"
    )
