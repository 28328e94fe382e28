"""Write the table of certificates.md: each shipped map and two T-mazes, under three observations."""

from pathlib import Path

from mazegrad.agents import MemoryCertificate, certify_memory
from mazegrad.envs import MAZES, Maze, load_maze

PAGE = Path(__file__).with_name("certificates.md")
CUED = ("G...X\n##.##\n##{##\n##S##\n", "X...G\n##.##\n##}##\n##S##\n")
CUELESS = ("G.S.X", "X.S.G")
OBSERVATIONS = ("dots", "view", "position")
HEAD = (
    "| maze | observation | verdict | V* | best memoryless | stochastic bound | controller | nodes | memory helps |\n"
    "| --- | --- | --- | --- | --- | --- | --- | --- | --- |\n"
)


def subjects() -> dict[str, list[Maze]]:
    """Return name -> the mazes of one policy."""
    named = {name: [load_maze(name)] for name in MAZES}
    named["the T-maze with its cue"] = [Maze.from_text(text) for text in CUED]
    named["the T-maze without"] = [Maze.from_text(text) for text in CUELESS]
    return named


def row(name: str, made: MemoryCertificate) -> str:
    """Return the line of a certificate in the table, after a check of the certificate."""
    assert made.verify(), made.faults()
    helps = {True: "yes", False: "no", None: "not known"}[made.memory_helps]
    assert made.memoryless_value.upper - made.memoryless_value.lower < 1e-6  # so one number is enough
    values = [f"{number:.5f}" for number in (made.full_state_value.lower, made.memoryless_value.lower)]
    values += [f"{made.stochastic_bound:.5f}", f"{made.controller_value.lower:.5f}"]
    cells = [name, made.observation, made.verdict, *values, str(made.controller.nodes), helps]
    return f"| {' | '.join(cells)} |\n"


def main() -> None:
    lines = []
    for name, mazes in subjects().items():
        for observation in OBSERVATIONS:
            lines.append(row(name, certify_memory(mazes, observation)))
            print(lines[-1], end="", flush=True)
    before, _, rest = PAGE.read_text(encoding="utf-8").partition("<!-- table -->\n")
    _, _, after = rest.partition("<!-- end -->\n")
    PAGE.write_text(f"{before}<!-- table -->\n{HEAD}{''.join(lines)}<!-- end -->\n{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
