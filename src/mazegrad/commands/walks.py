"""Options of the commands that show walks: watch, play, record, replay."""

from pathlib import Path

from .options import FIRST_EPISODE, Commands, add_walk, add_world, output, walks


def add(commands: Commands) -> None:
    """Add them."""
    _watch(commands)
    _play(commands)
    _record(commands)
    _replay(commands)


def _watch(commands: Commands) -> None:
    watch = commands.add(
        "watch",
        "watching:watch",
        "Watch an agent walk a maze, and what it computes. Without a display: the walk as text, and a GIF.",
        seed=FIRST_EPISODE,
        epilog="Keys: space pauses, right arrow steps, up/down speed, r restarts, f full screen, s saves, q quits.",
    )
    watch.add_argument("agents", nargs="*", metavar="AGENT", help="agents of mazegrad list; several walk side by side")
    add_walk(watch)
    watch.add_argument("--many", type=walks, default=1, metavar="N", help="N walks of each agent, side by side")
    watch.add_argument("--gif", type=output(".gif"), metavar="FILE", help="write the walk as a GIF (extra: video)")
    watch.add_argument("--headless", action="store_true", help="do not open a window")


def _play(commands: Commands) -> None:
    play = commands.add(
        "play",
        "watching:play",
        "Walk a maze yourself, with the arrow keys.",
        seed=FIRST_EPISODE,
        epilog="Keys: the arrows move, r restarts, f full screen, s saves a PNG, q quits.",
    )
    add_world(play)


def _record(commands: Commands) -> None:
    record = commands.add(
        "record",
        "watching:record",
        "Record an agent's walk: a .gif, an .mp4, or a .jsonl for `replay`.",
        seed=FIRST_EPISODE,
    )
    record.add_argument("file", type=output(".gif", ".mp4", ".jsonl"), metavar="FILE")
    add_walk(record)


def _replay(commands: Commands) -> None:
    replay = commands.add("replay", "watching:replay", "Run a recorded .jsonl again, and check each step bit for bit.")
    replay.add_argument("file", type=Path, metavar="FILE")
