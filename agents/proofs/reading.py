"""Claims from JSON: every field is checked before it is used, and nothing is executed."""

import json
import math
from dataclasses import fields
from typing import Any, NoReturn

import numpy as np

from ...envs import OBSERVATIONS, Maze, World
from ...envs.core.world import TABLES
from ...envs.maps.arguments import nearest
from ...envs.observations import MAX_VIEW
from ..automata import Automaton
from .claims import FORMAT, VERDICTS, Bounds, Claims, Confusion, Witness, tables_digest


def read_claims(text: str) -> dict[str, Any]:
    """Return the fields of `Claims` from the text of a certificate.

    Raises:
        TypeError: not a str.
        ValueError: not a certificate; the message says what is wrong.
    """
    if not isinstance(text, str):
        raise TypeError(f"a certificate must be a str, not {type(text).__name__}")
    try:
        data = json.loads(text, parse_constant=_no_constant)
    except RecursionError:
        _refuse("it is nested too deeply")
    except ValueError as error:
        _refuse(str(error))
    if not isinstance(data, dict):
        _refuse("it must be a JSON object")
    if data.get("format") != FORMAT:
        _refuse(f"its format must be {FORMAT!r}, not {data.get('format')!r}")
    missing, unknown = sorted(_NAMES - data.keys()), sorted(data.keys() - _NAMES - {_OPTIONAL})
    if missing:
        _refuse(f"the field {missing[0]!r} is missing")
    if unknown:
        _refuse(f"unknown field {unknown[0]!r}")
    question = _question(data)
    return question | _answer(data, question["world"])


# the fields of `to_dict`: a world is written as its mazes and the tables that they do not determine
_OPTIONAL = "interrupted"  # only in certificates of interrupted searches
_NAMES = {field.name for field in fields(Claims)} - {"world", _OPTIONAL}
_NAMES |= {"format", "mazes", "reward", "slip", "tables"}


def _question(data: dict[str, Any]) -> dict[str, Any]:
    """Return what the certificate is about: world, observation, view_size and discount."""
    if not isinstance(data["observation"], str) or data["observation"] not in OBSERVATIONS:
        _refuse(f"unknown observation {data['observation']!r:.80}{nearest(data['observation'], OBSERVATIONS)}")
    size, discount = data["view_size"], data["discount"]
    if not _is_int(size) or not 1 <= size <= MAX_VIEW or size % 2 == 0:
        _refuse(f"view_size must be an odd integer from 1 to {MAX_VIEW}, not {size!r:.80}")
    if not _is_number(discount) or not 0 <= discount <= 1:
        _refuse(f"discount must be a number from 0 to 1, not {discount!r:.80}")
    world = _world(data)
    return {"world": world, "observation": data["observation"], "view_size": size, "discount": float(discount)}


def _world(data: dict[str, Any]) -> World:
    texts = data["mazes"]
    if not isinstance(texts, list) or not texts or not all(isinstance(maze, str) for maze in texts):
        _refuse("mazes must be a list of texts")
    try:
        world = World.compile([Maze.from_text(maze) for maze in texts])
    except ValueError as error:
        _refuse(f"a maze cannot be read: {error}")
    tables = {name: getattr(world, name) for name in TABLES}
    tables["reward"] = _table(data, "reward", world.reward.shape)
    tables["slip"] = _table(data, "slip", (world.states,))
    if not ((tables["slip"] >= 0) & (tables["slip"] <= 1)).all():
        _refuse("slip must hold probabilities, from 0 to 1")
    world = World(world.mazes, **tables, noise=world.noise)
    if data["tables"] != tables_digest(world):
        _refuse("its mazes do not compile to the tables for which it was made")
    return world


def _answer(data: dict[str, Any], world: World) -> dict[str, Any]:
    """Return what the certificate claims of a world."""
    states, actions = world.states, world.actions
    if data["verdict"] not in VERDICTS:
        _refuse(f"verdict must be one of {', '.join(VERDICTS)}, not {data['verdict']!r:.80}")
    for name in ("missing", "seal"):
        if not isinstance(data[name], str):
            _refuse(f"{name} must be a text")
    if data["memory_helps"] is not None and not isinstance(data["memory_helps"], bool):
        _refuse("memory_helps must be true, false or null")
    try:
        controller = Automaton.from_dict(data["controller"])
    except (ValueError, TypeError, OverflowError) as error:
        _refuse(f"its controller cannot be read: {error}")
    observations = controller.observations
    policy = _actions(data["memoryless_policy"], "memoryless_policy", actions)
    if len(policy) != observations:
        _refuse(f"memoryless_policy must have {observations} entries, as many as the controller, not {len(policy)}")
    bound = data["stochastic_bound"]
    if not _is_number(bound):
        _refuse("stochastic_bound must be a number")
    if data.get(_OPTIONAL, True) is not True:
        _refuse("interrupted must be true, or missing")
    return {
        "verdict": data["verdict"],
        "missing": data["missing"],
        "memory_helps": data["memory_helps"],
        "full_state_value": _bounds(data, "full_state_value"),
        "memoryless_value": _bounds(data, "memoryless_value"),
        "memoryless_policy": np.array(policy, dtype=np.int64),
        "stochastic_bound": float(bound),
        "controller_value": _bounds(data, "controller_value"),
        "controller": controller,
        "witness": _witness(data["witness"], states, actions),
        "confusion": _confusion(data["confusion"], states, actions),
        "memoryless_proof": _proof(data["memoryless_proof"], "memoryless_proof", observations, actions),
        "stochastic_proof": _proof(data["stochastic_proof"], "stochastic_proof", observations, actions),
        "interrupted": _OPTIONAL in data,
        "seal": data["seal"] or "none",  # an empty one would be computed
    }


def _refuse(why: str) -> NoReturn:
    raise ValueError(f"not a memory certificate: {why}") from None


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")


def _is_int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**53


def _is_number(value: Any) -> bool:
    return _is_int(value) or (isinstance(value, float) and math.isfinite(value))


def _table(data: dict[str, Any], name: str, shape: tuple[int, ...]) -> Any:
    value = data[name]
    rows = [value] if len(shape) == 1 else value
    right_length = isinstance(value, list) and len(value) == shape[0]
    if not right_length or not all(isinstance(row, list) and len(row) == shape[-1] for row in rows):
        _refuse(f"{name} must be a table of the shape {shape}")
    if not all(_is_number(number) for row in rows for number in row):
        _refuse(f"{name} must hold finite numbers")
    return np.array(value, dtype=np.float64).reshape(shape)


def _ints(value: Any, name: str) -> list[int]:
    if not isinstance(value, list) or not all(_is_int(number) for number in value):
        _refuse(f"{name} must be a list of integers")
    return value


def _actions(value: Any, name: str, actions: int) -> tuple[int, ...]:
    numbers = _ints(value, name)
    if not all(0 <= action < actions for action in numbers):
        _refuse(f"{name} must hold actions, from 0 to {actions - 1}")
    return tuple(numbers)


def _states(value: Any, name: str, states: int) -> tuple[int, ...]:
    numbers = _ints(value, name)
    if not all(0 <= number < states for number in numbers):
        _refuse(f"{name} must hold states, from 0 to {states - 1}")
    return tuple(numbers)


def _bounds(data: dict[str, Any], name: str) -> Bounds:
    value = data[name]
    if not isinstance(value, list) or len(value) != 2 or not all(x is None or _is_number(x) for x in value):
        _refuse(f"{name} must be two numbers, or null for minus infinity")
    lower, upper = (-math.inf if x is None else float(x) for x in value)
    if lower > upper:
        _refuse(f"{name} must have its lower bound first")
    return Bounds(lower, upper)


def _witness(value: Any, states: int, actions: int) -> Witness | None:
    if value is None:
        return None
    if not isinstance(value, list) or len(value) != 4:
        _refuse("witness must be two states and their optimal actions, or null")
    first, second = _states(value[:2], "witness", states)
    return Witness(first, second, *(_actions(part, "witness", actions) for part in value[2:]))


def _confusion(value: Any, states: int, actions: int) -> Confusion | None:
    if value is None:
        return None
    if not isinstance(value, list) or len(value) != 2:
        _refuse("confusion must be a list of actions and a list of states, or null")
    return Confusion(_actions(value[0], "confusion", actions), _states(value[1], "confusion", states))


def _proof(value: Any, name: str, observations: int, actions: int) -> tuple[Any, ...] | None:
    if value is None:
        return None
    if not isinstance(value, list) or not value:
        _refuse(f"{name} must be a list of splits, or null")
    return tuple(None if entry is None else _split(entry, name, observations, actions, len(value)) for entry in value)


def _split(entry: Any, name: str, observations: int, actions: int, boxes: int) -> tuple[Any, ...]:
    if not isinstance(entry, list) or len(entry) != 4:
        _refuse(f"each split of {name} must be [observation, action, cut, children]")
    observation, action, cut, children = entry
    if not _is_int(observation) or not 0 <= observation < observations:
        _refuse(f"each split of {name} must have an observation from 0 to {observations - 1}")
    if not _is_int(action) or not -1 <= action < actions:
        _refuse(f"each split of {name} must have an action from 0 to {actions - 1}, or -1")
    if cut is not None and not (_is_number(cut) and 0 <= cut <= 1):
        _refuse(f"each cut of {name} must be a probability, or null")
    parts = _ints(children, name)
    if len(parts) != (actions if cut is None else 2) or not all(-1 <= part < boxes for part in parts):
        _refuse(f"each split of {name} must have 2 children, or {actions} without a cut, from -1 to {boxes - 1}")
    return observation, action, cut, tuple(parts)
