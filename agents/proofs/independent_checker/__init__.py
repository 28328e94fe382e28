"""The independent checker: a deliberate second copy of the mathematics of certificates, for whoever doubts the first.

It shares no code with the search in `proofs`: it reads the claims, compiles the mazes again, takes the physics from
`outcomes` and works in fractions and plain loops. Values of large systems are guessed in floating point, and then the
error of each guess is bounded in fractions, by Bellman's inequality. One file checks one claim:

    problem.py            the tables are those of the mazes
    full_state_value.py   V*, and the optimal actions
    policy_values.py      the values of the memoryless policy and of the controller
    upper_bounds.py       no memoryless policy has a larger value
    witness.py            two aliased states that every optimal policy visits
    confusion.py          a history after which no action is right
    verdict.py            what follows from all this
"""

from collections.abc import Callable
from typing import Final

import numpy as np

from ..claims import Claims
from .claim import FalseClaim
from .confusion import check_confusion
from .full_state_value import check_full_state_value, find_optimum
from .guesses import Guesser
from .policy_values import check_controller, check_memoryless_policy
from .problem import read_problem
from .upper_bounds import check_memoryless_bound, check_stochastic_bound
from .verdict import check_verdict
from .witness import check_witness

# forged fields may break a computation in any of these ways
_ERRORS: Final = (FalseClaim, ValueError, IndexError, ArithmeticError, TypeError, KeyError, np.linalg.LinAlgError)


def find_faults(claims: Claims) -> list[str]:
    """Return what is wrong with a certificate, one sentence for each claim; an empty list if every claim holds."""
    found = []
    if claims.seal != claims.digest():
        found.append("the seal is not that of the contents: something was changed")
    try:
        problem = read_problem(claims)
        guesser = Guesser(problem)
        optimum = find_optimum(problem, guesser)
    except _ERRORS as error:
        return [*found, _sentence(error)]
    checks: tuple[Callable[[], None], ...] = (
        lambda: check_full_state_value(claims, optimum),
        lambda: check_memoryless_policy(claims, problem),
        lambda: check_memoryless_bound(claims, problem, optimum, guesser),
        lambda: check_stochastic_bound(claims, problem, optimum, guesser),
        lambda: check_controller(claims, problem),
        lambda: check_witness(claims, problem, optimum),
        lambda: check_confusion(claims, problem, optimum),
        lambda: check_verdict(claims, problem, optimum),
    )
    for check in checks:
        try:
            check()
        except _ERRORS as error:
            found.append(_sentence(error))
    return found


def _sentence(error: Exception) -> str:
    return str(error) or type(error).__name__
