"""Exercise 39: the gradient k u^(k-1) h f'(h_k) of a diagonal U, as values in a file or as a function."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from ..nn.analysis import power_gradient
from .report import Check
from .sandbox import Answer, Job
from .values import Array, differs, fault

SHEET: Final = {"U_1": (1.2, 2.0, 1.1), "U_2": (0.8, 0.1, 0.9)}
STEPS: Final = 100  # rows of the submitted values: k = 1 ... 100


def jobs(rng: np.random.Generator) -> list[Job]:
    """Return the calls of `power_gradient`."""
    sheet = [Job("power_gradient", [np.array(SHEET["U_1"]), np.ones(3), k, np.ones(3)]) for k in (2, 1, 30)]
    random = [
        Job("power_gradient", [*rng.normal(size=(2, n)), k, rng.normal(size=n)]) for n, k in ((1, 3), (4, 7), (5, 12))
    ]
    with_zero = Job("power_gradient", [np.array([0.0, -0.5, 1.0]), rng.normal(size=3), 2, rng.normal(size=3)])
    first = Job("power_gradient", [np.array([0.0, 0.3]), rng.normal(size=2), 1, rng.normal(size=2)])
    long = Job("power_gradient", [np.array(SHEET["U_2"]), np.ones(3), 400, np.ones(3)])
    return [*sheet, *random, with_zero, first, long]


def checks(given: Sequence[Job], answers: Sequence[Answer]) -> list[Check]:
    """Mark the function: 10 points."""
    faults = [_call(job, answer) for job, answer in zip(given, answers, strict=True)]
    changed = next((job for job, answer in zip(given, answers, strict=True) if answer.changed), None)
    kept = "" if changed is None else "it writes into its arguments; copy first"
    if not kept and all(faults):
        kept = answers[0].error or "counts as soon as one result is right"
    return [
        _check("U_1, k = 1, 2, 30", faults[:3], 3),
        _check("any u, h and f'", faults[3:6], 3),
        _check("u with zeros", faults[6:8], 2),
        _check("U_2, k = 400", faults[8:], 1),
        Check("arguments", not kept, kept or "are left as they were"),
    ]


def values(arrays: dict[str, Array]) -> list[Check]:
    """Mark values in a file: `U_1` and `U_2`, (100, 3), row k - 1 for k, with h = f' = (1, 1, 1); 10 points."""
    found = []
    for name, u in SHEET.items():
        expected = _table(u)
        if name not in arrays:
            found += [
                Check(f"{name}, {part}", False, f"{name} is missing", worth=w)
                for part, w in (("small k", 2), ("all k", 3))
            ]
            continue
        array = arrays[name]
        if array.shape != expected.shape:
            turned = " (transposed)" if array.shape == expected.shape[::-1] else ""
            rows = f"a row for each k from 1 to {STEPS}"
            what = f"{name} has the shape {array.shape}{turned}; expected {expected.shape}: {rows}"
            found += [Check(f"{name}, {part}", False, what, worth=w) for part, w in (("small k", 2), ("all k", 3))]
            continue
        for part, some, worth in (("small k", slice(0, 5), 2), ("all k", slice(0, STEPS), 3)):
            wrong = _rows(array[some], expected[some], np.array(u))
            found.append(Check(f"{name}, {part}", not wrong, f"{name} {wrong}" if wrong else "right", worth=worth))
    return found


def _table(u: Sequence[float]) -> Array:
    return np.array([power_gradient(np.array(u), np.ones(3), k, np.ones(3)) for k in range(1, STEPS + 1)])


def _rows(found: Array, expected: Array, u: Array) -> str:
    """Compare relative to each value: they span thirty powers of ten."""
    found = found.astype(float)
    good = np.isclose(found, expected, rtol=1e-5, atol=0)
    if good.all():
        return ""
    k = np.arange(1, len(found) + 1)[:, None]
    with np.errstate(all="ignore"):
        usual = {
            "has u^k": u**k,
            "has u^(k-1), without the factor k": u ** (k - 1),
            "has k u^k; the exponent is k - 1": k * u**k,
            "has the sign turned": -expected,
            "has (k-1) u^(k-2): rows begin at k = 1, not at 0": (k - 1) * u ** (k - 2.0),
            "has (k+1) u^k: row 0 is k = 1": (k + 1) * u**k,
        }
        mistake = next((f"{s}; " for s, v in usual.items() if np.allclose(found, v, rtol=1e-5, atol=0)), "")
    row, column = (int(i) for i in np.argwhere(~good)[0])
    what = f"k = {row + 1}, u = {u[column]:g} it is {found[row, column]:.6g}; expected {expected[row, column]:.6g}"
    return f"{mistake or 'is wrong: '}at {what} ({int((~good).sum())} of {good.size} values differ)"


def _call(job: Job, answer: Answer) -> str:
    u, h, k, slope = job.arrays
    case = f"u = {_short(u)}, k = {k}"
    if answer.error or len(answer.values) != 1:
        return f"{case}: {answer.error}" if answer.raised else answer.error or "it returned nothing"
    expected, found = power_gradient(u, h, k, slope), answer.values[0]
    if isinstance(found, np.ndarray) and found.shape == (len(u), len(u)) != expected.shape:
        return f"{case}: it returned a matrix; expected the gradient of the diagonal, of shape {expected.shape}"
    if isinstance(found, np.ndarray) and found.shape == expected.shape:
        scale = np.where(expected == 0, 1, np.abs(expected))  # each by itself: they may span many powers of ten
        with np.errstate(all="ignore"):
            if not differs(found / scale, expected / scale).any():
                return ""
    with np.errstate(all="ignore"):
        usual = {
            "is u^k h f'": u**k * h * slope,
            "is u^(k-1) h f', without the factor k": u ** (k - 1.0) * h * slope,
            "is k u^k h f'; the exponent is k - 1": k * u**k * h * slope,
            "is k u^(k-1) f', without h": k * u ** (k - 1.0) * slope,
            "is k u^(k-1) h, without f'": k * u ** (k - 1.0) * h,
            "has the sign turned": -expected,
        }
    return f"{case}: the gradient {fault(found, expected, usual) or 'is not exact where it is small'}"


def _short(u: Array) -> str:
    return "(" + ", ".join(f"{x:.3g}" for x in u) + ")"


def _check(name: str, faults: Sequence[str], worth: int) -> Check:
    wrong = next((text for text in faults if text), "")
    return Check(name, not wrong, wrong or "right", worth=worth)
