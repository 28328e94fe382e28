"""A process as the files of other programs: `.POMDP` of pomdp-solve, DRN of Storm, and the explicit files of PRISM.

The last two have no discount, nor several starts with probabilities: unless one state is the start, a first state is
added whose only action leads to the starts. PRISM's files have no observations.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..maps.directions import DIRECTION_NAMES


class Process(Protocol):
    """What is written of a `TabularMDP`, which has these tables."""

    @property
    def probability(self) -> NDArray[np.float64]:
        """(S, A, K)"""

    @property
    def next_state(self) -> NDArray[np.int64]:
        """(S, A, K)"""

    @property
    def reward(self) -> NDArray[np.float64]:
        """(S, A, K)"""

    @property
    def terminal(self) -> NDArray[np.bool_]:
        """(S,)"""

    @property
    def start(self) -> NDArray[np.float64]:
        """(S,)"""

    @property
    def observation(self) -> NDArray[Any]:
        """(S,) ints, or distributions"""

    @property
    def observations(self) -> int:
        """the number of different ones"""

    @property
    def states(self) -> int:
        """S"""

    @property
    def actions(self) -> int:
        """A"""

    def sights(self) -> NDArray[np.float64]:
        """Return the observations as distributions, (A or 1, S, observations)."""


Choice = tuple[str, float, list[tuple[int, float]]]
"""an action's name, its expected reward, and (next state, probability), equal next states merged"""


def pomdp(mdp: Process, discount: float) -> str:
    """Return the text of a `.POMDP` file, as Cassandra's pomdp-solve reads it.

    Outcomes with equal next states are merged, with their mean reward. The observation is that of the next state.
    """
    names = _action_names(mdp)
    lines = [
        f"discount: {_decimal(discount)}",
        "values: reward",
        f"states: {mdp.states}",
        f"actions: {' '.join(names)}",
        f"observations: {mdp.observations}",
        f"start: {' '.join(map(_decimal, mdp.start.tolist()))}",
    ]
    if mdp.observation.ndim == 1:
        lines += [f"O: * : {state} : {number} 1.0" for state, number in enumerate(mdp.observation.tolist())]
    else:
        for name, table in zip(["*"] if mdp.observation.ndim == 2 else names, mdp.sights(), strict=True):
            for state, number in np.argwhere(table).tolist():
                lines.append(f"O: {name} : {state} : {number} {_decimal(table[state, number])}")
    for action, name in enumerate(names):
        flat = (np.arange(mdp.states)[:, None] * mdp.states + mdp.next_state[:, action]).ravel()
        pairs, which = np.unique(flat, return_inverse=True)
        chances = mdp.probability[:, action].ravel()
        P = np.bincount(which.ravel(), chances)
        rewards = np.bincount(which.ravel(), chances * mdp.reward[:, action].ravel())
        for pair, p, r in zip(pairs.tolist(), P.tolist(), rewards.tolist(), strict=True):
            if p > 0:
                state, after = divmod(pair, mdp.states)
                lines.append(f"T: {name} : {state} : {after} {_decimal(p)}")
                if r:
                    lines.append(f"R: {name} : {state} : {after} : * {_decimal(r / p)}")
    return "\n".join(lines) + "\n"


def drn(mdp: Process) -> str:
    """Return the text of a DRN file: of an MDP, or where several states look alike of a POMDP.

    Terminal states have the label `end`.

    Raises:
        ValueError: the process has noisy observations, which a DRN file does not have.
    """
    sees = _sight(mdp)
    start, states = _states(mdp)
    hidden = len(np.unique(sees)) < len(sees)
    first = 0 if sees.size == len(states) else 1
    lines = [f"@type: {'POMDP' if hidden else 'MDP'}", "@parameters", "", "@reward_models", "reward", "@nr_states"]
    lines += [f"{len(states)}", "@nr_choices", f"{sum(len(choices) for choices, _ in states)}", "@model"]
    for number, (choices, ends) in enumerate(states):
        shown = "" if not hidden else f" {{{sees[number] if number < len(sees) else int(sees.max()) + first}}}"
        labels = (" init" if number == start else "") + (" end" if ends else "")
        lines.append(f"state {number}{shown} [0]{labels}")
        for name, reward, outcomes in choices:
            lines.append(f"\taction {name} [{_number(reward)}]")
            lines += [f"\t\t{after} : {_number(chance)}" for after, chance in outcomes]
    return "\n".join(lines) + "\n"


def prism(mdp: Process) -> dict[str, str]:
    """Return the explicit files of PRISM: suffix -> text.

    `.tra` has the transitions, `.trew` the rewards of transitions, `.sta` the states, `.lab` the labels init, deadlock
    and end. `prism -mdp -importmodel NAME.tra,sta,lab,trew` reads them.
    """
    start, states = _states(mdp)
    rows, earned = [], []
    for number, (choices, _) in enumerate(states):
        for choice, (name, reward, outcomes) in enumerate(choices):
            rows += [f"{number} {choice} {after} {_number(chance)} {name}" for after, chance in outcomes]
            earned += [f"{number} {choice} {after} {_number(reward)}" for after, _ in outcomes if reward]
    total = sum(len(found) for found, _ in states)
    labels = ['0="init" 1="deadlock" 2="end"']
    for number, (_, ends) in enumerate(states):
        marks = ([0] if number == start else []) + ([2] if ends else [])
        if marks:
            labels.append(f"{number}: {' '.join(map(str, marks))}")
    return {
        ".tra": "\n".join([f"{len(states)} {total} {len(rows)}", *rows]) + "\n",
        ".trew": "\n".join([f"{len(states)} {total} {len(earned)}", *earned]) + "\n",
        ".sta": "\n".join(["(state)", *(f"{number}:({number})" for number in range(len(states)))]) + "\n",
        ".lab": "\n".join(labels) + "\n",
    }


def _states(mdp: Process) -> tuple[int, list[tuple[list[Choice], bool]]]:
    """Return the number of the start, and each state's choices and whether it is terminal."""
    states = [([*_choices(mdp, state)], bool(mdp.terminal[state])) for state in range(mdp.states)]
    starts = np.flatnonzero(mdp.start)
    if len(starts) == 1:
        return int(starts[0]), states
    states.append(([("begin", 0.0, [(int(state), float(mdp.start[state])) for state in starts])], False))
    return mdp.states, states


def _action_names(mdp: Process) -> Sequence[str]:
    return DIRECTION_NAMES if mdp.actions == 4 else [f"a{action}" for action in range(mdp.actions)]


def _choices(mdp: Process, state: int) -> Iterator[Choice]:
    if mdp.terminal[state]:
        yield "stay", 0.0, [(state, 1.0)]
        return
    for action, name in enumerate(_action_names(mdp)):
        chances, after = mdp.probability[state, action], mdp.next_state[state, action]
        reached, which = np.unique(after, return_inverse=True)
        total = np.bincount(which.ravel(), chances)
        kept = [(int(one), float(chance)) for one, chance in zip(reached, total, strict=True) if chance > 0]
        yield name, float(chances @ mdp.reward[state, action]), kept


def _sight(mdp: Process) -> NDArray[Any]:
    if mdp.observation.ndim > 1:
        raise ValueError("the process has noisy observations; DRN has one observation for each state: use to_pomdp")
    return np.asarray(mdp.observation)


def _number(number: float) -> str:
    return repr(float(number)).removesuffix(".0")


def _decimal(number: float) -> str:
    """Return a number exactly, without an exponent, which the format does not allow."""
    return np.format_float_positional(number, trim="0")
