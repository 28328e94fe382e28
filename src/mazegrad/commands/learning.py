"""Options of the commands that learn: train, evaluate, scores, dataset."""

import argparse
from pathlib import Path

from ..extras import require
from ..script import count, natural, positive
from .options import FIRST_EPISODE, Commands, add_format, add_measure, add_pair, folder, lanes, output


def add(commands: Commands) -> None:
    """Add them."""
    _train(commands)
    _evaluate(commands)
    _scores(commands)
    _dataset(commands)


def _train(commands: Commands) -> None:
    train = commands.add(
        "train",
        "train:train",
        "Train an agent, save it, and print where its score stands. Ctrl-C stops and saves; --resume continues.",
        seed="seed of weights, mazes and actions",
        epilog="`mazegrad watch --agent walker.npz` shows what was trained, `mazegrad evaluate walker.npz` its score.",
    )
    train.add_argument("env", nargs="?", metavar="ID", help="an environment of mazegrad list")
    train.add_argument(
        "--agent",
        default="ppo",
        metavar="NAME",
        help="a net: ppo, reinforce or dagger; a table: q_learning, double_q_learning, sarsa, expected_sarsa, dyna_q"
        " or prioritized_sweeping (default: ppo)",
    )
    train.add_argument(
        "--steps", type=count, default=1_000_000, metavar="N", help="total number of steps (default: 1,000,000)"
    )
    train.add_argument("--save", type=output(".npz"), metavar="FILE", help="where to save it (default: walker.npz)")
    train.add_argument("--resume", type=Path, metavar="FILE", help="continue from this file, bit for bit")
    train.add_argument("--lanes", type=lanes, metavar="N", help="lanes that walk at once (default: 64)")
    train.add_argument(
        "--observation", metavar="NAME", help="what the agent sees (default: dots for a net, index for a table)"
    )
    train.add_argument("--cell", metavar="NAME", help="none, linear, rnn, gru or lstm (default: gru)")
    train.add_argument("--hidden", type=count, metavar="N", help="units of a layer (default: 64)")
    train.add_argument("--layers", type=count, metavar="N", help="recurrent layers (default: 1)")
    add_pair(train, "--net", "a setting of the net: keeps=300 or previous_action=False")
    train.add_argument("--from", dest="begin_with", type=Path, metavar="FILE", help="begin with the net of this file")
    add_pair(train, "--set", "a setting of the learner, such as segment=128")
    train.add_argument("--curve", type=output(".png"), metavar="FILE", help="draw the learning curve (extra: plot)")
    train.add_argument("--log", type=folder, metavar="FOLDER", help="write curves for TensorBoard (extra: tensorboard)")
    train.add_argument("--episodes", type=count, default=200, metavar="N", help="evaluation episodes (default: 200)")
    _add_task(train)


def _add_task(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--maze", metavar="NAME|FILE", help="a maze, for the environments that take one")
    add_format(parser)
    add_pair(parser, "--world", "a keyword of the environment, such as corridor=20")


def _evaluate(commands: Commands) -> None:
    evaluate = commands.add(
        "evaluate",
        "train:evaluate",
        "Print an agent's score beside chance, the best policy without memory, and the optimum.",
        seed=f"{FIRST_EPISODE}; plus 1,000,000",
    )
    evaluate.add_argument(
        "agent", metavar="FILE|NAME", help="what train wrote, a .zip of Stable-Baselines3, or an agent of mazegrad list"
    )
    evaluate.add_argument("--env", metavar="ID", help="an environment (default: where it was trained)")
    evaluate.add_argument("--episodes", type=count, default=200, metavar="N", help="evaluation episodes (default: 200)")
    evaluate.add_argument("--sampled", action="store_true", help="draw the actions of a net by their probabilities")
    evaluate.add_argument(
        "--within", type=positive, metavar="X", help="also say how many arrive within X times the shortest way"
    )
    _add_task(evaluate)


def _scores(commands: Commands) -> None:
    scores = commands.add(
        "scores",
        "commands.learning:run_scores",
        "Train every learner in every environment, and write a page of their scores. Ctrl-C loses nothing: the same"
        " command goes on.",
        seed="no effect: runs have the seeds 0, 1, ...",
    )
    scores.add_argument("--ids", nargs="+", metavar="ID", help="environments (default: all)")
    scores.add_argument("--learners", nargs="+", metavar="NAME", help="such as q_learning, ppo (default: all)")
    scores.add_argument("--seeds", type=count, default=10, metavar="N", help="runs of each learner (default: 10)")
    scores.add_argument(
        "--steps", type=count, metavar="N", help="steps of a run (default: 100,000 for a table, 200,000 for a net)"
    )
    scores.add_argument("--observations", nargs="+", metavar="NAME", help="for the table of difficulty (default: all)")
    scores.add_argument(
        "--wide-seeds",
        type=natural,
        default=3,
        metavar="N",
        help="runs with each of them; 0: no such table (default: 3)",
    )
    scores.add_argument(
        "--out",
        type=output(".md"),
        default=Path("scores.md"),
        metavar="FILE",
        help="the page; finished runs are kept beside it, in a .jsonl (default: scores.md)",
    )
    scores.add_argument("--jobs", type=count, default=1, metavar="N", help="processes at once (default: 1)")
    scores.add_argument(
        "--ray",
        nargs="?",
        const="local",
        metavar="ADDRESS",
        help="as tasks of Ray: on this machine, or on the cluster at an address, such as auto",
    )
    scores.add_argument(
        "--check", action="store_true", help="is this installation right? Repeat a few small runs and compare"
    )


def run_scores(arguments: argparse.Namespace) -> int | None:
    """Run `mazegrad scores`: in processes here, or as tasks of Ray."""
    from ..scores.command import scores

    if arguments.ray is None:
        return scores(arguments)
    from ..distributed import run_scores as run

    require("ray", "ray")  # said before anything else
    address = None if arguments.ray == "local" else arguments.ray
    return scores(arguments, lambda jobs, processes: run(jobs, processes=processes, address=address))


def _dataset(commands: Commands) -> None:
    dataset = commands.add(
        "dataset",
        "dataset:dataset",
        "Write data sets: an agent's steps in an environment, with V* and the best actions, for Minari; or mazes with"
        " their shortest paths (maze-hard), for those who train models to reason.",
        seed="of the first episode, and of all that is drawn",
        epilog="The same command writes the same data. For Minari the extra minari is needed.",
    )
    dataset.add_argument("name", nargs="+", metavar="ID", help="environments of mazegrad list, all, or maze-hard")
    dataset.add_argument("--size", type=count, default=30, metavar="N", help="maze-hard: tiles of a side (default: 30)")
    dataset.add_argument("--n", type=count, default=1000, metavar="N", help="maze-hard: mazes in all (default: 1000)")
    add_measure(dataset)
    dataset.add_argument("--pictures", type=natural, default=0, metavar="N", help="maze-hard: PNGs of each split too")
    dataset.add_argument(
        "--level",
        action="append",
        metavar="NAME",
        help="random, learner_1, learner_2, learner_3 (of one training), optimal; may be repeated (default: all)",
    )
    dataset.add_argument("--agent", type=Path, metavar="FILE", help="an agent that train wrote, in place of a level")
    dataset.add_argument("--epsilon", type=float, default=0.0, metavar="P", help="share of random actions (default: 0)")
    dataset.add_argument("--steps", type=count, default=100_000, metavar="N", help="of each set (default: 100,000)")
    dataset.add_argument("--lanes", type=lanes, default=1024, metavar="N", help="walking at once (default: 1024)")
    dataset.add_argument(
        "--observation", action="append", metavar="NAME", help="what is kept; may be repeated (default: view)"
    )
    dataset.add_argument(
        "--training", type=count, default=60_000, metavar="N", help="steps of the learner in all (default: 60,000)"
    )
    dataset.add_argument("--out", type=folder, metavar="FOLDER", help="where to write (default: Minari's folder)")
    add_pair(dataset, "--world", "a keyword of the environments, such as corridor=20")
