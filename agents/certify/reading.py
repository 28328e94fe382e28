"""Certificates from text: every field is looked at before it is believed to be one."""

import json
import math
from typing import Any, NoReturn

import numpy as np

from ...envs import Maze, World
from ...envs.observations import MAX_VIEW, OBSERVATIONS
from ..automaton import Automaton
from .certificate import FORMAT, VERDICTS, Confusion, MemoryCertificate, Witness, tables_digest
from .exact import Bounds


def read(text: str) -> MemoryCertificate:
    """Return the certificate that a text holds.

    Raises:
        ValueError: it holds none; the message says what is wrong with it.
    """
    if not isinstance(text, str):
        raise TypeError(f"a certificate is read from a str, not {type(text).__name__}")
    try:
        fields = json.loads(text, parse_constant=_no_constant)
    except RecursionError:
        _refuse("it is nested too deeply")
    except ValueError as error:
        _refuse(str(error))
    if not isinstance(fields, dict):
        _refuse("it is no JSON object")
    if fields.get("format") != FORMAT:
        _refuse(f"its format is {fields.get('format')!r}, not {FORMAT!r}")
    missing, unknown = sorted(_FIELDS - fields.keys()), sorted(fields.keys() - _FIELDS)
    if missing or unknown:
        _refuse(f"it has no {missing[0]!r}" if missing else f"it has a field {unknown[0]!r} too many")
    texts = fields["mazes"]
    if not isinstance(texts, list) or not texts or not all(isinstance(maze, str) for maze in texts):
        _refuse("mazes is a list of texts")
    try:
        world = World.compile([Maze.from_text(maze) for maze in texts])
    except ValueError as error:
        _refuse(f"a maze cannot be read: {error}")
    tables = {name: getattr(world, name) for name in _TABLES}
    tables["reward"] = _table(fields, "reward", (world.states, 4))
    tables["slip"] = _table(fields, "slip", (world.states,))
    if not ((tables["slip"] >= 0) & (tables["slip"] <= 1)).all():
        _refuse("slip holds something that is no probability")
    world = World(world.mazes, **tables)
    if fields["tables"] != tables_digest(world):
        _refuse("its mazes compile to other tables than those that it is about")
    if not isinstance(fields["observation"], str) or fields["observation"] not in OBSERVATIONS:
        _refuse(f"there is no observation {fields['observation']!r}")
    size, discount = fields["view_size"], fields["discount"]
    if not _is_int(size) or not 1 <= size <= MAX_VIEW or size % 2 == 0:
        _refuse(f"view_size is an odd number, {MAX_VIEW} at most, not {size!r}")
    if not _is_number(discount) or not 0 <= discount <= 1:
        _refuse(f"discount is a number from 0 to 1, not {discount!r}")
    if fields["verdict"] not in VERDICTS:
        _refuse(f"verdict is one of {', '.join(VERDICTS)}, not {fields['verdict']!r}")
    for name in ("missing", "seal"):
        if not isinstance(fields[name], str):
            _refuse(f"{name} is a text")
    if fields["memory_helps"] not in (True, False, None) or _is_number(fields["memory_helps"]):
        _refuse("memory_helps is true, false or null")
    policy = _whole(fields["memoryless_policy"], "memoryless_policy")
    if not all(0 <= action < 4 for action in policy):
        _refuse("memoryless_policy holds something that is no action")
    try:
        controller = Automaton.from_dict(fields["controller"])
    except (ValueError, TypeError, OverflowError) as error:
        _refuse(f"its controller cannot be read: {error}")
    if len(policy) != controller.observations:
        _refuse(f"memoryless_policy has {len(policy)} entries, the controller {controller.observations} observations")
    bound = fields["stochastic_bound"]
    if not _is_number(bound):
        _refuse("stochastic_bound is a number")
    return MemoryCertificate(
        world=world,
        observation=fields["observation"],
        view_size=size,
        discount=float(discount),
        verdict=fields["verdict"],
        missing=fields["missing"],
        memory_helps=fields["memory_helps"],
        full_state_value=_bounds(fields, "full_state_value"),
        memoryless_value=_bounds(fields, "memoryless_value"),
        memoryless_policy=np.array(policy, dtype=np.int64),
        stochastic_bound=float(bound),
        controller_value=_bounds(fields, "controller_value"),
        controller=controller,
        witness=_witness(fields["witness"], world.states),
        confusion=_confusion(fields["confusion"], world.states),
        memoryless_proof=_proof(fields["memoryless_proof"], "memoryless_proof", controller.observations),
        stochastic_proof=_proof(fields["stochastic_proof"], "stochastic_proof", controller.observations),
        seal=fields["seal"] or "none",
    )


_FIELDS = {
    "format", "mazes", "reward", "slip", "tables", "observation", "view_size", "discount", "verdict", "missing",
    "memory_helps", "full_state_value", "memoryless_value", "memoryless_policy", "stochastic_bound", "controller_value",
    "controller", "witness", "confusion", "memoryless_proof", "stochastic_proof", "seal",
}  # fmt: skip
_TABLES = (
    "next_state", "reward", "terminal", "goal", "slip", "dots", "start_states", "cell", "carried", "maze_of",
)  # fmt: skip


def _refuse(why: str) -> NoReturn:
    raise ValueError(f"this is no memory certificate: {why}") from None


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


def _is_int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**53


def _is_number(value: Any) -> bool:
    return _is_int(value) or (isinstance(value, float) and math.isfinite(value))


def _table(fields: dict[str, Any], name: str, shape: tuple[int, ...]) -> Any:
    rows = fields[name]
    flat = [rows] if len(shape) == 1 else rows
    alright = isinstance(rows, list) and len(rows) == shape[0]
    if not alright or not all(isinstance(row, list) and len(row) == shape[-1] for row in flat):
        _refuse(f"{name} is not a table of shape {shape}")
    if not all(_is_number(number) for row in flat for number in row):
        _refuse(f"{name} holds something that is no finite number")
    return np.array(rows, dtype=np.float64).reshape(shape)


def _whole(value: Any, name: str) -> list[int]:
    if not isinstance(value, list) or not all(_is_int(number) for number in value):
        _refuse(f"{name} is a list of whole numbers")
    return value


def _bounds(fields: dict[str, Any], name: str) -> Bounds:
    value = fields[name]
    if not isinstance(value, list) or len(value) != 2 or not all(x is None or _is_number(x) for x in value):
        _refuse(f"{name} is two numbers, or null for minus infinity")
    lower, upper = (-math.inf if x is None else float(x) for x in value)
    if lower > upper:
        _refuse(f"{name} has its bounds the wrong way round")
    return Bounds(lower, upper)


def _states(value: Any, name: str, states: int) -> tuple[int, ...]:
    numbers = _whole(value, name)
    if not all(0 <= number < states for number in numbers):
        _refuse(f"{name} names a state that there is not")
    return tuple(numbers)


def _witness(value: Any, states: int) -> Witness | None:
    if value is None:
        return None
    if not isinstance(value, list) or len(value) != 4:
        _refuse("witness is two states and their optimal actions, or null")
    first, second = _states(value[:2], "witness", states)
    return Witness(first, second, _actions(value[2], "witness"), _actions(value[3], "witness"))


def _actions(value: Any, name: str) -> tuple[int, ...]:
    actions = _whole(value, name)
    if not all(0 <= action < 4 for action in actions):
        _refuse(f"{name} holds something that is no action")
    return tuple(actions)


def _confusion(value: Any, states: int) -> Confusion | None:
    if value is None:
        return None
    if not isinstance(value, list) or len(value) != 2:
        _refuse("confusion is a list of actions and a list of states, or null")
    return Confusion(_actions(value[0], "confusion"), _states(value[1], "confusion", states))


def _proof(value: Any, name: str, observations: int) -> tuple[Any, ...] | None:
    if value is None:
        return None
    if not isinstance(value, list) or not value:
        _refuse(f"{name} is a list of splits, or null")
    return tuple(None if entry is None else _split(entry, name, observations, len(value)) for entry in value)


def _split(entry: Any, name: str, observations: int, boxes: int) -> tuple[Any, ...]:
    if not isinstance(entry, list) or len(entry) != 4:
        _refuse(f"{name} holds something that is no split")
    seen, action, cut, children = entry
    if not _is_int(seen) or not 0 <= seen < observations or not _is_int(action) or not -1 <= action < 4:
        _refuse(f"{name} splits something that is no observation or no action")
    if cut is not None and not (_is_number(cut) and 0 <= cut <= 1):
        _refuse(f"{name} cuts at something that is no probability")
    parts = _whole(children, name)
    if len(parts) != (4 if cut is None else 2) or not all(-1 <= part < boxes for part in parts):
        _refuse(f"{name} points outside itself")
    return seen, action, cut, tuple(parts)
