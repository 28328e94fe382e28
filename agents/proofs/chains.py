"""Markov chains with rewards: the exact value of each state, in fractions."""

from fractions import Fraction

from .model import OVER, Distribution

Chain = list[tuple[Fraction, Distribution]]
"""state of the chain -> (expected reward, distribution of the next state)"""


def solve_chain(chain: Chain, discount: Fraction) -> list[Fraction] | None:
    """Return the value of each state; None if at discount 1 the chain may fail to end from some state."""
    if discount == 1 and not ends_surely(chain):
        return None
    if all(len(distribution) == 1 for _, distribution in chain):
        return _follow(chain, discount)
    return _eliminate(chain, discount)


def ends_surely(chain: Chain) -> bool:
    """Return whether the chain ends with probability 1 from every state, that is, can end from every state."""
    before: dict[int, list[int]] = {}
    for state, (_, distribution) in enumerate(chain):
        for _, after in distribution:
            before.setdefault(after, []).append(state)
    ends, frontier = {OVER}, [OVER]
    for state in frontier:
        for earlier in before.get(state, []):
            if earlier not in ends:
                ends.add(earlier)
                frontier.append(earlier)
    return len(ends) == len(chain) + 1


def _follow(chain: Chain, discount: Fraction) -> list[Fraction]:
    """Solve a deterministic chain: each state is followed to the end, to a known value or round a cycle."""
    values: dict[int, Fraction] = {OVER: Fraction(0)}
    for first in range(len(chain)):
        index: dict[int, int] = {}  # of each state on the way
        state = first
        while state not in values and state not in index:
            index[state] = len(index)
            state = chain[state][1][0][1]
        path = list(index)
        if state not in values:  # a cycle begins here: a geometric series
            cycle = path[index[state] :]
            once, factor = Fraction(0), Fraction(1)
            for at in cycle:
                once += factor * chain[at][0]
                factor *= discount
            values[state] = once / (1 - factor)
            path = path[: index[state]] + cycle[1:]
        for at in reversed(path):
            reward, ((_, after),) = chain[at]
            values[at] = reward + discount * values[after]
    return [values[state] for state in range(len(chain))]


def _eliminate(chain: Chain, discount: Fraction) -> list[Fraction]:
    """Solve v = r + A v by sparse Gaussian elimination; states with the fewest neighbours go first."""
    rows: list[dict[int, Fraction]] = []  # A
    users: list[set[int]] = [set() for _ in chain]  # the rows that have an entry in a column
    for state, (_, distribution) in enumerate(chain):
        row: dict[int, Fraction] = {}
        for chance, after in distribution:
            if after != OVER:
                row[after] = row.get(after, Fraction(0)) + discount * chance
                users[after].add(state)
        rows.append(row)
    right = [reward for reward, _ in chain]
    left, order = set(range(len(chain))), []
    while left:
        state = min(left, key=lambda s: len(rows[s]) * len(users[s]))
        left.remove(state)
        order.append(state)
        row = rows[state]
        own = 1 - row.pop(state, Fraction(0))
        users[state].discard(state)
        if own != 1:
            right[state] /= own
            for after in row:
                row[after] /= own
        for user in users[state]:
            if user in left:
                weight = rows[user].pop(state)
                right[user] += weight * right[state]
                for after, value in row.items():
                    rows[user][after] = rows[user].get(after, Fraction(0)) + weight * value
                    users[after].add(user)
        for after in row:
            users[after].discard(state)
    for state in reversed(order):
        for after, weight in rows[state].items():
            right[state] += weight * right[after]
    return right
