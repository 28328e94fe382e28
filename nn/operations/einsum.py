"""Einstein's notation: sums of products of any arrays, as a chain of matrix products of two at a time."""

from __future__ import annotations

import math
import string
from functools import cache
from typing import Any

import numpy as np

from ..graph import Array
from ..rules import Operand, Rule, composite, operation
from .reductions import sum as sum_over
from .shapes import getitem, reshape, transpose

LETTERS = string.ascii_letters


@composite
def einsum(equation: str, *operands: Operand) -> Any:
    """Multiply the operands element by element along axes of the same letter, and sum over what the output leaves out.

    `einsum("bqd,bkd->bqk", queries, keys)`, `einsum("ii", x)`, `einsum("...ij->...ji", x)`. An index may stand twice
    in one operand, which takes the diagonal; "..." stands for all axes without a letter, which are broadcast; without
    "->" the output has the letters that stand once, in the order of the alphabet. Several operands are contracted from
    left to right, two at a time, each time by one stacked matrix product.

    Args:
        equation: a term for each operand, and perhaps one for the output.
        operands: tensors, arrays or numbers.

    Raises:
        ValueError: the equation cannot be read, or does not fit the operands' shapes.

    Example:
        >>> import numpy as np
        >>> from mazegrad import nn
        >>> nn.einsum("bqd,bkd->bqk", np.ones((2, 3, 4)), np.ones((2, 5, 4))).shape
        (2, 3, 5)
        >>> nn.einsum("i,j->ij", [1.0, 2.0], [10.0, 20.0])
        array([[10., 20.],
               [20., 40.]])
    """
    inputs, out = _parsed(equation, tuple(np.ndim(x) for x in operands))
    sizes: dict[str, int] = {}
    for x, letters in zip(operands, inputs, strict=True):
        for letter, size in zip(letters, np.shape(x), strict=True):
            known = sizes.setdefault(letter, size)
            if known == 1:
                sizes[letter] = size
            elif size not in (1, known):
                raise ValueError(f"einsum: in {equation!r} an index {letter!r} is {known} here and {size} there")
    terms = [_prepared(x, letters, sizes) for x, letters in zip(operands, inputs, strict=True)]
    value, have = terms[0]
    for i, (x, letters) in enumerate(terms[1:], 2):
        wanted = set(out).union(*(other for _, other in terms[i:]))
        kept = "".join(letter for letter in dict.fromkeys(have + letters) if letter in wanted)
        kept = out if i == len(terms) and set(kept) == set(out) else kept
        value, have = _einsum(value, x, parts=(have, letters, kept)), kept
    return _arranged(value, have, out)


@cache
def _parsed(equation: str, ranks: tuple[int, ...]) -> tuple[list[str], str]:
    """The letters of each operand's axes, and of the output's; axes of "..." get letters of their own."""
    text = equation.replace(" ", "")
    left, arrow, right = text.partition("->")
    terms = left.split(",")
    if len(terms) != len(ranks):
        raise ValueError(f"einsum: {equation!r} has {len(terms)} operands, but {len(ranks)} were given")
    for term in (*terms, right):
        if not set(term.replace("...", "", 1)) <= set(LETTERS):
            raise ValueError(f"einsum: {term!r} in {equation!r} should be letters, and perhaps one '...'")
    spare = [letter for letter in LETTERS if letter not in text]
    hidden = []
    for term, rank in zip(terms, ranks, strict=True):
        named = len(term.replace("...", ""))
        if named > rank or ("..." not in term and named != rank):
            raise ValueError(f"einsum: {term!r} in {equation!r} names {named} axes, but the operand has {rank}")
        hidden.append(rank - named)
    dots = "".join(spare[: max(hidden)])
    if len(dots) < max(hidden):
        raise ValueError(f"einsum: {equation!r} has more axes than there are letters")
    inputs = [term.replace("...", dots[len(dots) - n :]) for term, n in zip(terms, hidden, strict=True)]
    if not arrow:
        right = "..." + "".join(sorted(letter for letter in set(left) - set(".,") if left.count(letter) == 1))
    out = right.replace("...", dots)
    if len(set(out)) != len(out):
        raise ValueError(f"einsum: an index stands twice in the output of {equation!r}")
    if strange := set(out) - set("".join(inputs)):
        raise ValueError(f"einsum: output index {min(strange)!r} of {equation!r} is in no operand")
    return inputs, out


def _prepared(x: Any, letters: str, sizes: dict[str, int]) -> tuple[Any, str]:
    """An operand of which each letter stands for one axis, of the size it has elsewhere: diagonals and 1s are gone."""
    for letter in dict.fromkeys(letters):
        places = [i for i, other in enumerate(letters) if other == letter]
        if len(places) > 1:
            shape = np.shape(x)
            if len({shape[i] for i in places}) > 1:
                raise ValueError(f"einsum: no diagonal along {letter!r} of shape {shape}: its axes differ")
            rest = [i for i in range(len(letters)) if i not in places]
            steps = np.arange(shape[places[0]])
            x = getitem(transpose(x, (*rest, *places)), (..., *[steps] * len(places)))
            letters = "".join(letters[i] for i in rest) + letter
    alone = [i for i, letter in enumerate(letters) if np.shape(x)[i] == 1 != sizes[letter]]
    if alone:
        x = reshape(x, [n for i, n in enumerate(np.shape(x)) if i not in alone])
        letters = "".join(letter for i, letter in enumerate(letters) if i not in alone)
    return x, letters


def _arranged(x: Any, letters: str, out: str) -> Any:
    """Sum over the letters that the output leaves out, and put the others in its order."""
    alone = tuple(i for i, letter in enumerate(letters) if letter not in out)
    if alone:
        x = sum_over(x, alone)
        letters = "".join(letter for letter in letters if letter in out)
    return x if letters == out else transpose(x, [letters.index(letter) for letter in out])


@operation
def _einsum(a: Operand, b: Operand, parts: tuple[str, str, str]) -> Rule:
    of_a, of_b, of_out = parts
    a, b = np.asarray(a), np.asarray(b)  # plain numbers too are operands, without axes
    sizes: dict[str, int] = {}
    for x, letters in (a, of_a), (b, of_b):
        sizes.update(zip(letters, x.shape, strict=True))

    def back(grad: Array, other: Array, of_other: str, mine: str) -> Array:
        found = "".join(letter for letter in mine if letter in of_out or letter in of_other)  # others were summed alone
        small = _contract(grad, of_out, other, of_other, found)
        spread = tuple(i for i, letter in enumerate(mine) if letter not in found)
        return np.broadcast_to(np.expand_dims(small, spread), [sizes[letter] for letter in mine])

    return _contract(a, of_a, b, of_b, of_out), lambda grad, needs, a=a, b=b, of_a=of_a, of_b=of_b, of_out=of_out: (
        back(grad, b, of_b, of_a) if needs[0] else None,
        back(grad, a, of_a, of_b) if needs[1] else None,
    )


def _contract(a: Array, of_a: str, b: Array, of_b: str, of_out: str) -> Array:
    """One stacked matrix product: (batch, left, inner) @ (batch, inner, right)."""
    a, of_a = _sum_alone(a, of_a, of_b + of_out)
    b, of_b = _sum_alone(b, of_b, of_a + of_out)
    batch = [i for i in of_a if i in of_b and i in of_out]
    inner = [i for i in of_a if i in of_b and i not in of_out]
    left, right = [i for i in of_a if i not in of_b], [i for i in of_b if i not in of_a]
    x = a.transpose([of_a.index(i) for i in (*batch, *left, *inner)])
    y = b.transpose([of_b.index(i) for i in (*batch, *inner, *right)])
    outer, rows = x.shape[: len(batch)], x.shape[len(batch) : len(batch) + len(left)]
    columns = y.shape[len(batch) + len(inner) :]
    depth = math.prod(y.shape[len(batch) : len(batch) + len(inner)])
    product = np.matmul(x.reshape(*outer, math.prod(rows), depth), y.reshape(*outer, depth, math.prod(columns)))
    product = product.reshape((*outer, *rows, *columns))  # a tuple, which may be empty
    return product.transpose([(*batch, *left, *right).index(i) for i in of_out])


def _sum_alone(x: Array, letters: str, wanted: str) -> tuple[Array, str]:
    """Sum over the axes that no other operand names."""
    alone = tuple(i for i, letter in enumerate(letters) if letter not in wanted)
    return (x.sum(alone) if alone else x), "".join(letter for letter in letters if letter in wanted)
