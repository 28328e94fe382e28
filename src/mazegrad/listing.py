"""`mazegrad list`: what there are names for."""

import sys
from argparse import Namespace

from .agents import AGENTS
from .colour import paint
from .envs import FORMATS, GENERATORS, LEGEND, MAZES, MEASURES, POMDPS, REWARDS, SOLVERS, load_maze
from .envs.maps.legend import CODES, TILE_REWARDS
from .envs.maps.metadata import METADATA
from .named import environment_ids


def show_list(arguments: Namespace) -> None:
    """Print environments, mazes, agents, map files, generators and solvers; or the tiles and settings of maps."""
    if arguments.tiles:
        _heading("tiles, by the code that agents observe")
        for tile, meaning in LEGEND.items():
            earns = f" (earns {REWARDS[TILE_REWARDS[tile]]:+g})" if tile in TILE_REWARDS else ""
            print(f"  {CODES[tile]:3} {'blank' if tile == ' ' else tile:6} {meaning}{earns}")
        _heading("settings, lines `key: value` before the drawing")
        for key, (allowed, _) in METADATA.items():
            print(f"  {key:9} {allowed}")
        print(f"  {'size':9} rows x columns, such as: 3 x 5; keeps blanks at the edges")
        return
    _heading("environments")
    for env_id in sorted(environment_ids()):
        print(f"  {env_id}")
    _heading("mazes")
    for name in MAZES:
        maze = load_maze(name)
        size = f"{maze.height:3} x {maze.width:<3} {maze.open.sum():4} open tiles"
        print(f"  {name:19} {maze.metadata.get('title', ''):34} {size}")
    _heading("agents")
    for name, agent in AGENTS.items():
        print(f"  {name:18} {agent.about} (sees: {agent.observation})")
    _heading("map files")
    for name, kept in FORMATS.items():
        print(f"  {name:18} {kept.about} ({', '.join(kept.suffixes) or f'--format {name}'})")
    _heading("processes for mazegrad/Tabular-v0")
    print(f"  {' '.join(POMDPS)}")
    _heading("generators")
    print(f"  {' '.join(GENERATORS)}")
    _heading("measures of mazes")
    print(f"  {' '.join(MEASURES)}")
    _heading("solvers")
    print(f"  {' '.join(SOLVERS)}")


def _heading(text: str) -> None:
    print(paint(text, "strong", sys.stdout))
