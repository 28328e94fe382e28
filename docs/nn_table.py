"""Write the tables of nn.md: what PyTorch has, what of it is here, and what is not. Needs PyTorch."""

from __future__ import annotations

import inspect
import re
import typing
from pathlib import Path
from typing import Any

import torch

from mazegrad import nn
from mazegrad.nn import functional, torch_names

PAGE = Path(__file__).with_name("nn.md")
BEGIN, END = "<!-- tables, written by docs/nn_table.py -->\n", "<!-- end of tables -->\n"
FAMILIES = {  # the first pattern that fits
    "losses": "Loss|loss|cross_entropy|kl_div",
    "normalisation": "Norm|norm|LRN",
    "pooling": "[Pp]ool",
    "padding": "Pad|^pad$",
    "convolution": "[Cc]onv|[Uu]nfold|Fold|fold",
    "dropout": "[Dd]ropout",
    "recurrent": "RNN|LSTM|GRU",
    "attention": "Transformer|ttention",
    "shapes": "[Ff]latten|[Pp]ixel|[Uu]psampl|interpolate|[Ss]huffle|grid|one_hot",
    "linear, embedding": "[Ll]inear|[Ee]mbedding|Identity",
    "containers": "Module|Parameter|Sequential|Container|DataParallel",
    "distances": "[Ss]imilarity|[Dd]istance|pdist",
    "activations": "",
}
IGNORED = {  # arguments that mean nothing here, or are another thing's
    *("device", "dtype", "inplace", "size_average", "reduce", "out", "generator", "tensor", "defaults"),
    *("foreach", "fused", "capturable", "differentiable", "last_epoch"),
}
NOTES = {"conv2d": "`conv2d` calls them image and kernel, and takes padding before stride"}


def family(name: str) -> str:
    """Return the family of a name that PyTorch has."""
    return next(group for group, pattern in FAMILIES.items() if re.search(pattern, name))


def here(name: str, *places: Any) -> str | None:
    """Return our name of what PyTorch calls `name`, or None."""
    spellings = [name, torch_names.RENAMED.get(name, name), re.sub(r"(\d)d$", r"\1D", name)]
    return next((word for place in places for word in spellings if word in vars(place)), None)


def arguments(thing: Any) -> set[str]:
    """Return the names of a function's or class's arguments; where Python cannot tell, from the docstring."""
    overloads = typing.get_overloads(thing.__init__) if "__init__" in getattr(thing, "__dict__", {}) else []
    text = re.match(r"\s*\w+\((.*?)\) *->", thing.__doc__ or "", re.DOTALL)
    try:
        found = set(inspect.signature(overloads[0] if overloads else thing).parameters)
    except ValueError:
        found = set()
    if text and found <= {"args", "kwargs"}:
        found = set(re.findall(r"(\w+)\s*(?:=[^,]*)?(?:,|$)", text[1]))
    return {name for name in found if name[0] != "_"} - {"args", "kwargs", "self"}


def lacking(ours: Any, theirs: Any) -> set[str]:
    """Return the arguments that PyTorch has and we lack."""
    mine, known = arguments(ours), arguments(theirs)
    return known - mine - IGNORED if mine and known else set()


def row(name: str, known: list[str], ours: dict[str, str], less: dict[str, set[str]]) -> str:
    """Return one line: what is here, with what PyTorch's takes besides, and what is not."""
    there = [f"`{ours[word]}`" for word in known if word in ours]
    without = [
        NOTES.get(word) or f"`{ours[word]}` without {', '.join(sorted(less[word]))}" for word in known if less.get(word)
    ]
    absent = [word for word in known if word not in ours]
    cells = " ".join(there) + ("; " + "; ".join(without) if without else ""), " ".join(absent) or "-"
    return f"| {name} | {cells[0] or '-'} | {cells[1]} |"


def table(title: str, names: Any, theirs: Any, *places: Any, one: str = "") -> list[str]:
    """Return a table of one of PyTorch's rooms, by family; `one`: all in one row of that name."""
    found = {name: word for name in names if (word := here(name, *places))}
    things = {name: next(vars(place)[word] for place in places if word in vars(place)) for name, word in found.items()}
    less = {name: lacking(thing, getattr(theirs, name)) for name, thing in things.items() if hasattr(theirs, name)}
    lines = ["", f"| {title} | here | not here |", "| --- | --- | --- |"]
    groups: dict[str, list[str]] = {}
    for name in sorted(names, key=str.lower):
        groups.setdefault(one or family(name), []).append(name)
    order = [one] if one else [group for group in FAMILIES if group in groups]
    return [*lines, *(row(group, groups[group], found, less) for group in order)]


def tables() -> str:
    """Return all of them."""
    functions = {name for name in torch_names.FUNCTIONS if not name.endswith("_")}
    modules = torch_names.MODULES - {"Container", "NLLLoss2d"}
    count = sum(here(name, nn) is not None for name in modules)
    counted = sum(here(name, functional, nn) is not None for name in functions)
    return "\n".join(
        [
            f"{count} of the {len(modules)} modules of `torch.nn` and {counted} of the {len(functions)} functions of"
            " `torch.nn.functional` are here, under the names in the second column.",
            *table("`torch.nn`", modules, torch.nn, nn),
            *table("`torch.nn.functional`", functions, torch.nn.functional, functional, nn),
            *table("`torch.optim`", torch_names.OPTIMISERS, torch.optim, nn, one="optimisers"),
            *table("`lr_scheduler`", torch_names.SCHEDULERS, torch.optim.lr_scheduler, nn.schedulers, one="schedulers")[
                3:
            ],
            *table("`init`", torch_names.INITIALS, torch.nn.init, nn.init, one="initial weights")[3:],
            "",
        ]
    )


def main() -> None:
    """Put the tables where the old ones stand."""
    page = PAGE.read_text(encoding="utf-8")
    before, rest = page.split(BEGIN)
    after = rest.split(END)[1]
    PAGE.write_text(before + BEGIN + tables() + END + after, encoding="utf-8")


if __name__ == "__main__":
    main()
