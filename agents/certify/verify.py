"""The sceptic: checks each claim of a certificate from the raw tables, in fractions and plain loops.

It shares no code with the search. Where it needs the solution of a large system it guesses one in floating point, and
then proves from Bellman's inequality, in fractions, how far off the guess may be.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ...envs import OBSERVATIONS, World, outcomes

if TYPE_CHECKING:
    from .certificate import MemoryCertificate

EXACT: Final = 160
"""places of a walk with slips that are solved in fractions"""
TIGHT: Final = 1e-6
"""relative: values are to be known so well"""
PATIENCE: Final = 100_000
"""memoryless policies, and beliefs, that are looked at"""

State = int
Move = list[tuple[Fraction, Any, Fraction]]
"""what may happen: (probability, next state or place, reward)"""
Actions = Mapping[State, frozenset[int]]
Box = tuple[list[Fraction], list[Fraction]]


class _Wrong(Exception):
    """A claim that does not hold."""


def faults(certificate: "MemoryCertificate") -> list[str]:
    """Return what is wrong with a certificate, one sentence a claim; an empty list if all of it holds."""
    found = []
    if certificate.seal != certificate.digest():
        found.append("the seal is not that of the contents: something was changed")
    try:
        raw = _Raw(certificate)
        raw.solve()
    except (_Wrong, ValueError, IndexError, ArithmeticError, np.linalg.LinAlgError) as error:
        return [*found, str(error)]
    for check in (_full, _memoryless, _stochastic, _controller, _witness, _verdict):
        try:
            check(raw, certificate)
        except (_Wrong, ValueError, IndexError, ArithmeticError, TypeError, np.linalg.LinAlgError) as error:
            found.append(str(error) or type(error).__name__)
    return found


def _need(holds: bool, claim: str) -> None:
    if not holds:
        raise _Wrong(claim)


def _simplest(number: float) -> Fraction:
    """Return the simplest fraction that rounds to a float, if its denominator has up to six digits."""
    near = Fraction(number).limit_denominator(1_000_000)
    return near if float(near) == number else Fraction(number)


class _Raw:
    """The tables, read afresh; states have the numbers of the world."""

    def __init__(self, certificate: "MemoryCertificate") -> None:
        world = certificate.world
        drawn = World.compile(world.mazes)
        for name in ("next_state", "terminal", "goal", "dots", "start_states", "cell", "carried", "maze_of"):
            _need(
                np.array_equal(getattr(world, name), getattr(drawn, name)), f"{name} is not what the mazes compile to"
            )
        _need(certificate.observation in OBSERVATIONS, "there is no such observation")
        _need(isinstance(certificate.discount, float) and 0 <= certificate.discount <= 1, "the discount is not in 0..1")
        _need(bool(((world.slip >= 0) & (world.slip <= 1)).all()), "a slip is not in 0..1")
        _need(bool(np.isfinite(world.reward).all()), "a reward is not finite")
        self.gamma = _simplest(certificate.discount)
        self.over: list[bool] = world.terminal.tolist()
        listed = outcomes(world)
        starts = [start for start in world.start_states.tolist() if not self.over[start]]
        self.start: dict[State, Fraction] = {}
        for state in starts:
            self.start[state] = self.start.get(state, Fraction(0)) + Fraction(1, len(world.start_states))
        self.moves: dict[State, list[Move]] = {}
        self.least_cost: Fraction | None = None
        self.bonus = Fraction(0)
        waiting = list(self.start)
        while waiting:
            state = waiting.pop()
            if state in self.moves:
                continue
            slip = _simplest(float(world.slip[state]))
            chances = (slip / 2, 1 - slip, slip / 2)  # as `outcomes` lists them
            self.moves[state] = []
            for action in range(4):
                move: Move = []
                for which, chance in enumerate(chances):
                    if chance > 0:
                        after = int(listed.next_state[state, action, which])
                        reward = _simplest(float(listed.reward[state, action, which]))
                        move.append((chance, after, reward))
                        if self.over[after]:
                            self.bonus = max(self.bonus, reward)
                        else:
                            waiting.append(after)
                            if self.least_cost is None or -reward < self.least_cost:
                                self.least_cost = -reward
                self.moves[state].append(move)
        if self.gamma == 1:
            _need(self.least_cost is None or self.least_cost > 0, "at discount 1 some step is free")
        self.slippery = any(len(move) > 1 for moves in self.moves.values() for move in moves)
        states = np.array(sorted(self.moves), dtype=np.int64)
        self.order: list[State] = states.tolist()
        look = OBSERVATIONS[certificate.observation](world, certificate.view_size).look
        encode = certificate.controller.encode
        if certificate.observation == "pixels":
            known: dict[bytes, int] = {}
            numbers = [known.setdefault(look(np.array([s])).tobytes(), len(known)) for s in range(world.states)]
            numbers = [numbers[state] for state in self.order]
        else:
            numbers = np.asarray(encode(look(states))).tolist() if len(states) else []
        self.seen: dict[State, int] = dict(zip(self.order, numbers, strict=True))
        self.observations = encode.observations
        self._root = self._all_policies()
        place = {state: number for number, state in enumerate(self.order)}
        self._step = np.zeros((len(place), 4, len(place)))
        self._earned = np.zeros((len(place), 4))
        self._near = np.zeros(len(place))  # V*, about, once it is known: where guesses begin
        for state, moves in self.moves.items():
            for action, move in enumerate(moves):
                for chance, after, reward in move:
                    self._earned[place[state], action] += float(chance * reward)
                    if not self.over[after]:
                        self._step[place[state], action, place[after]] += float(chance * self.gamma)

    def solve(self) -> None:
        """Find V*, as far as it can be known, and the actions that surely are, and that may be, optimal."""
        guess, policy = self._guess(self._root)
        self.surely: dict[State, frozenset[int]] = {}
        self.maybe: dict[State, frozenset[int]] = {}
        if self.slippery and len(self.order) > EXACT:
            self._solve_nearly(guess)
            return
        # at discount 1 there may be states from which no policy surely ends; they are worth less than any number
        ends = self._can_surely_end() if self.gamma == 1 else set(self.order)
        _need(ends.issuperset(self.start), "at discount 1 no policy is sure to end from some start")
        best: dict[State, int] = {state: policy[state] for state in ends}
        while True:
            chain = {s: [(p, after, r) for p, after, r in self.moves[s][a]] for s, a in best.items()}
            value = self._exactly(chain)
            changed = False
            for state in self.order:
                q = {
                    action: self._backup(move, value)
                    for action, move in enumerate(self.moves[state])
                    if all(self.over[after] or after in ends for _, after, _ in move)
                }
                if state not in ends:
                    self.surely[state] = frozenset(range(4))
                    continue
                most = max(q.values())
                self.surely[state] = frozenset(action for action in q if q[action] == most)
                if best[state] not in self.surely[state]:
                    best[state], changed = min(self.surely[state]), True
            if not changed:
                break
        self.maybe = self.surely
        total = self._over_starts(value)
        self.full = total, total

    def _solve_nearly(self, guess: dict[State, Fraction]) -> None:
        off = max(abs(max(self._backup(move, guess) for move in self.moves[s]) - guess[s]) for s in self.order)
        above = {s: self.at_most(guess[s], off) for s in self.order}
        below = {s: self.at_least(guess[s], off) for s in self.order}
        for state, moves in self.moves.items():
            low = max(self._backup(move, below) for move in moves)
            maybe = [action for action, move in enumerate(moves) if self._backup(move, above) >= low]
            self.maybe[state] = frozenset(maybe)
            alike = all(self._same(moves[maybe[0]], moves[action]) for action in maybe)
            self.surely[state] = self.maybe[state] if alike else frozenset()
        self.full = self._over_starts(below), self._over_starts(above)

    def at_most(self, value: Fraction, off: Fraction) -> Fraction:
        """Return what no policy exceeds if no backup exceeds V by more than `off`."""
        if self.gamma < 1:
            return value + off / (1 - self.gamma)
        if self.least_cost is None:
            return value + off
        # a policy worth v takes at most 1 + (bonus - v) / least_cost steps, and each adds at most off
        return (value + off + off / self.least_cost * self.bonus) / (1 + off / self.least_cost)

    def at_least(self, value: Fraction, off: Fraction) -> Fraction:
        """Return what a policy that surely ends is worth at least if its backups are off by no more than `off`."""
        if self.gamma < 1:
            return value - off / (1 - self.gamma)
        if self.least_cost is None:
            return value - off
        rate = off / self.least_cost
        _need(rate < 1, "values at discount 1 are not known well enough")
        return (value - off - rate * self.bonus) / (1 - rate)

    def _backup(self, move: Move, value: Mapping[State, Fraction]) -> Fraction:
        total = Fraction(0)
        for chance, after, reward in move:
            total += chance * (reward if self.over[after] else reward + self.gamma * value[after])
        return total

    def _over_starts(self, value: Mapping[State, Fraction]) -> Fraction:
        return sum((chance * value[state] for state, chance in self.start.items()), Fraction(0))

    def _same(self, one: Move, other: Move) -> bool:
        """Whether two moves are the same gamble."""
        if sum((p * r for p, _, r in one), Fraction(0)) != sum((p * r for p, _, r in other), Fraction(0)):
            return False
        return all(
            sum(p for p, t, _ in one if self._end(t) == to) == sum(p for p, t, _ in other if self._end(t) == to)
            for to in {self._end(t) for _, t, _ in one + other}
        )

    def _end(self, state: State) -> State:
        return -1 if self.over[state] else state

    def _can_surely_end(self) -> set[State]:
        """Return the states from which some policy ends with probability 1."""
        keep = set(self.order)
        while True:
            ending: set[State] = set()
            growing = True
            while growing:  # within `keep`, what can lead to the end
                growing = False
                for state in keep - ending:
                    for move in self.moves[state]:
                        stays = all(self.over[t] or t in keep for _, t, _ in move)
                        if stays and any(self.over[t] or t in ending for _, t, _ in move):
                            ending.add(state)
                            growing = True
                            break
            if ending == keep:
                return keep
            keep = ending

    def _exactly(self, chain: Mapping[Any, Move], over: Callable[[Any], bool] | None = None) -> dict[Any, Fraction]:
        """Solve a walk: place -> [(probability, next place, reward)]."""
        over = over or (lambda place: self.over[place])
        value: dict[Any, Fraction] = {}
        if all(len(move) == 1 for move in chain.values()):
            for first in chain:
                at = first
                path: list[Any] = []
                on_path: dict[Any, int] = {}
                while not over(at) and at not in value and at not in on_path:
                    on_path[at] = len(path)
                    path.append(at)
                    at = chain[at][0][1]
                worth = Fraction(0)
                if at in on_path:  # round and round: sum the series
                    _need(self.gamma < 1, "at discount 1 a walk goes round for ever")
                    once, power = Fraction(0), Fraction(1)
                    for place in path[on_path[at] :]:
                        once += power * chain[place][0][2]
                        power *= self.gamma
                    worth = once / (1 - power)
                elif at in value:
                    worth = value[at]
                for place in reversed(path):
                    worth = chain[place][0][2] + self.gamma * worth
                    value[place] = worth
            return value
        _need(len(chain) <= EXACT, "too many places to solve exactly")
        equations: dict[Any, tuple[dict[Any, Fraction], Fraction]] = {}
        for place in reversed(list(chain)):  # express each place by those before it
            row: dict[Any, Fraction] = {}
            right = Fraction(0)
            for chance, after, reward in chain[place]:
                right += chance * reward
                if not over(after):
                    row[after] = row.get(after, Fraction(0)) + self.gamma * chance
            while True:
                known = next((p for p in row if p in equations), None)
                if known is None:
                    break
                weight = row.pop(known)
                if weight:
                    right += weight * equations[known][1]
                    for other, factor in equations[known][0].items():
                        row[other] = row.get(other, Fraction(0)) + weight * factor
            own = 1 - row.pop(place, Fraction(0))
            _need(own != 0, "at discount 1 a walk may never end")
            equations[place] = {other: factor / own for other, factor in row.items()}, right / own
            # those expressed before are given in terms of this one no longer
            for done, (old, constant) in equations.items():
                if done != place and place in old:
                    factor = old.pop(place)
                    for other, weight in equations[place][0].items():
                        old[other] = old.get(other, Fraction(0)) + factor * weight
                    equations[done] = old, constant + factor * equations[place][1]
        for place in chain:
            _need(not any(equations[place][0].values()), "a walk could not be solved")
            value[place] = equations[place][1]
        return value

    def worth_of(
        self, action: Callable[[Any, int], int], following: Callable[[Any, int], Any], node: Any
    ) -> tuple[Fraction, Fraction] | None:
        """Return bounds of what a controller earns; None if at discount 1 it may go on for ever."""
        chain: dict[Any, Move] = {}
        waiting = [(state, node) for state in self.start]
        for place in waiting:
            if place in chain:
                continue
            state, at = place
            seen = self.seen[state]
            move = self.moves[state][action(at, seen)]
            then = following(at, seen)
            chain[place] = [(p, (after, then), r) for p, after, r in move]
            waiting += [(after, then) for _, after, _ in move if not self.over[after]]

        def over(place: Any) -> bool:
            return self.over[place[0]]

        if self.gamma == 1:
            before: dict[Any, list[Any]] = {}
            ends = []
            for place, move in chain.items():
                for _, after, _ in move:
                    if over(after):
                        ends.append(place)
                    else:
                        before.setdefault(after, []).append(place)
            reached = set(ends)
            for place in ends:
                new = [earlier for earlier in before.get(place, []) if earlier not in reached]
                reached.update(new)
                ends += new
            if len(reached) < len(chain):
                return None
        if len(chain) <= EXACT or all(len(move) == 1 for move in chain.values()):
            value = self._exactly(chain, over)
            total = sum((chance * value[state, node] for state, chance in self.start.items()), Fraction(0))
            return total, total
        places = {place: number for number, place in enumerate(chain)}
        matrix, right = np.eye(len(chain)), np.zeros(len(chain))
        for place, move in chain.items():
            for chance, after, reward in move:
                right[places[place]] += float(chance * reward)
                if not over(after):
                    matrix[places[place], places[after]] -= float(self.gamma * chance)
        guess = dict(zip(chain, map(Fraction, np.linalg.solve(matrix, right).tolist()), strict=True))
        off = Fraction(0)
        for place, move in chain.items():
            backup = sum(p * (r if over(after) else r + self.gamma * guess[after]) for p, after, r in move)
            off = max(off, abs(backup - guess[place]))
        total = sum((chance * guess[state, node] for state, chance in self.start.items()), Fraction(0))
        return self.at_least(total, off), self.at_most(total, off)

    # boxes of memoryless policies

    def _all_policies(self) -> dict[int, Box]:
        """Return for each observation the range of each action's probability; no action twice that does the same."""
        root: dict[int, Box] = {}
        for seen in set(self.seen.values()):
            at = [state for state in self.order if self.seen[state] == seen]
            high = [Fraction(1)] * 4
            for action in range(4):
                for earlier in range(action):
                    if all(self._same(self.moves[s][earlier], self.moves[s][action]) for s in at):
                        high[action] = Fraction(0)
            root[seen] = [Fraction(0)] * 4, high
        return root

    def boxes(self, proof: Any, by_chance: bool) -> Iterator[dict[int, Box]]:
        """Yield the leaves of a proof; together they hold all memoryless policies (all without chance)."""
        visited = set()
        waiting = [(0, self._root)]
        while waiting:
            number, box = waiting.pop()
            _need(isinstance(number, int) and 0 <= number < len(proof), "a proof points outside itself")
            _need(number not in visited, "a proof is no tree")
            visited.add(number)
            if proof[number] is None:
                yield box
                continue
            seen, action, cut, children = proof[number]
            _need(seen in box, "a proof splits an observation that is never met")
            low, high = box[seen]
            if cut is None:
                _need(not by_chance and len(children) == 4, "a proof leaves out policies that choose at random")
                for a, child in enumerate(children):
                    if child == -1:
                        _need(high[a] < 1, "a proof leaves out an action")
                    else:
                        sure = [Fraction(int(a == b)) for b in range(4)]
                        waiting.append((child, {**box, seen: (sure, sure)}))
                continue
            _need(action in range(4) and len(children) == 2, "a proof does not split in two")
            at = Fraction(cut)
            waiting.append(
                (children[0], {**box, seen: (low, [min(h, at) if a == action else h for a, h in enumerate(high)])})
            )
            waiting.append(
                (children[1], {**box, seen: ([max(x, at) if a == action else x for a, x in enumerate(low)], high)})
            )

    def proves(self, proof: Any, by_chance: bool, bound: float) -> None:
        """Check that no memoryless policy earns more than a bound."""
        if self.full[1] <= Fraction(bound):
            return  # V* bounds them all
        _need(proof is not None, "a bound below V* has no proof")
        for box in self.boxes(proof, by_chance):
            if any(sum(low) > 1 or sum(high) < 1 for low, high in box.values()):
                continue  # no policy is in it
            _need(self.ceiling(box) <= Fraction(bound), "a part of a proof does not bound its policies")

    def ceiling(self, box: dict[int, Box]) -> Fraction:
        """Return what no policy of a box exceeds: the best if each state chose for itself, by Bellman's inequality."""
        guess, _ = self._guess(box)
        off = Fraction(0)
        for state, moves in self.moves.items():
            q = [self._backup(move, guess) for move in moves]
            low, high = box[self.seen[state]]
            left, best = 1 - sum(low), sum((p * x for p, x in zip(low, q, strict=True)), Fraction(0))
            for action in sorted(range(4), key=lambda a: -q[a]):
                given = min(left, high[action] - low[action])
                best += given * q[action]
                left -= given
            off = max(off, best - guess[state])
        return self.at_most(self._over_starts(guess), off)

    def _guess(self, box: dict[int, Box]) -> tuple[dict[State, Fraction], dict[State, int]]:
        """Return V of the best in a box, about, and each state's favourite action: policy iteration in floats."""
        n, step, earned = len(self.order), self._step, self._earned
        low = np.array([[float(x) for x in box[self.seen[s]][0]] for s in self.order]).reshape(n, 4)
        room = np.array([[float(x) for x in box[self.seen[s]][1]] for s in self.order]).reshape(n, 4) - low
        give_up = -1e7 * max(1.0, float(np.abs(earned).max(initial=0)))  # at discount 1 some policies never end
        gone = np.full(n, self.gamma == 1)
        mix = low.copy()
        value = np.full(n, give_up) if self.gamma == 1 else self._near
        for number in range(1000):
            q = earned + step @ value
            better = low.copy()
            left = 1 - low.sum(axis=1)
            for action in np.argsort(-q, axis=1, kind="stable").T:
                given = np.minimum(left, room[np.arange(n), action])
                better[np.arange(n), action] += given
                left = left - given
            gain = (better * q).sum(axis=1) - (mix * q).sum(axis=1)
            size = max(1.0, float(np.abs(value[~gone]).max(initial=0)))
            change = (gain > 1e-14 * size) | (number == 0)
            stays_gone = gone & ((better * q).sum(axis=1) <= give_up + 1e-9)
            if not (change & ~stays_gone).any() and (gone == stays_gone).all():
                break
            mix = np.where((change | gone)[:, None], better, mix)
            gone = stays_gone
            matrix = np.eye(n) - np.where(gone[:, None], 0.0, np.einsum("sa,sat->st", mix, step))
            value = np.linalg.solve(matrix, np.where(gone, give_up, (mix * earned).sum(axis=1)))
        if self.gamma < 1 and not self._near.any():
            self._near = value
        favourite = (earned + step @ value + np.where(room + low > 0, 0, -1e300)).argmax(axis=1)
        guess = {s: Fraction(round(v * 2**50), 2**50) for s, v in zip(self.order, value.tolist(), strict=True)}
        return guess, dict(zip(self.order, favourite.tolist(), strict=True))

    # what memory can do

    def memoryless_exists(self, allowed: Actions) -> bool:
        """Whether some map from observations to actions only ever takes allowed actions."""
        waiting: list[dict[int, int]] = [{}]
        for _ in range(PATIENCE):
            if not waiting:
                return False
            policy = waiting.pop()
            met, path, open_ones = set(self.start), list(self.start), []
            works = True
            for state in path:
                action = policy.get(self.seen[state])
                if action is None:
                    open_ones.append(state)
                    continue
                works = works and action in allowed[state]
                for _, after, _ in self.moves[state][action]:
                    if not self.over[after] and after not in met:
                        met.add(after)
                        path.append(after)
            if not works:
                continue
            if not open_ones:
                return True
            seen = self.seen[open_ones[0]]
            common = frozenset(range(4))
            for state in open_ones:
                if self.seen[state] == seen:
                    common &= allowed[state]
            waiting += [{**policy, seen: action} for action in common]
        raise _Wrong("there are too many memoryless policies to look through")

    def split(self, states: set[State]) -> list[frozenset[State]]:
        """Return the sets of states that look alike."""
        return [
            frozenset(state for state in states if self.seen[state] == seen)
            for seen in {self.seen[state] for state in states}
        ]

    def after(self, belief: frozenset[State], action: int) -> list[frozenset[State]]:
        """Return what may be, after an action and the next look."""
        return self.split({t for state in belief for _, t, _ in self.moves[state][action] if not self.over[t]})

    def memory_attains(self, allowed: Actions) -> bool:
        """Whether a policy with unlimited memory can always take actions that are allowed whatever the state is."""
        ways: dict[frozenset[State], dict[int, list[frozenset[State]]]] = {}
        begin = self.split(set(self.start))
        waiting = list(begin)
        while waiting:
            belief = waiting.pop()
            if belief in ways:
                continue
            _need(len(ways) < PATIENCE, "there are too many beliefs to look through")
            ways[belief] = {}
            for action in range(4):
                if all(action in allowed[state] for state in belief):
                    ways[belief][action] = self.after(belief, action)
                    waiting += ways[belief][action]
        shrinking = True
        while shrinking:
            shrinking = False
            for belief in list(ways):
                if not any(all(b in ways for b in following) for following in ways[belief].values()):
                    del ways[belief]
                    shrinking = True
        return all(belief in ways for belief in begin)

    def must_meet(self, target: State) -> bool:
        """Whether every policy of optimal actions comes to a state with probability 1, from some start."""
        # where one can keep away for ever, or end, without coming by
        away = {state for state in self.order if state != target}
        shrinking = True
        while shrinking:
            shrinking = False
            for state in list(away):
                if not any(
                    all(self.over[t] or t in away for _, t, _ in self.moves[state][a]) for a in self.surely[state]
                ):
                    away.remove(state)
                    shrinking = True
        growing = True
        while growing:  # where this may happen
            growing = False
            for state in self.order:
                if state != target and state not in away:
                    for a in self.surely[state]:
                        if any(self.over[t] or t in away for _, t, _ in self.moves[state][a]):
                            away.add(state)
                            growing = True
                            break
        return any(start not in away for start in self.start)


def _inside(bounds: Any, low: Fraction, high: Fraction, what: str) -> None:
    """Check that an interval holds a value that is known to lie between low and high, and is narrow."""
    lower, upper = bounds
    _need(math.isfinite(lower) and math.isfinite(upper), f"{what} is not finite")
    _need(Fraction(lower) <= low and high <= Fraction(upper), f"{what} is not what it is said to be")
    _need(upper - lower <= TIGHT * max(1.0, abs(lower)), f"{what} has needlessly wide bounds")


def _full(raw: _Raw, certificate: "MemoryCertificate") -> None:
    lower, upper = certificate.full_state_value
    if raw.full[0] == raw.full[1]:
        _inside((lower, upper), *raw.full, "full_state_value")
    else:  # both are intervals around the same number
        _need(Fraction(lower) <= raw.full[1] and raw.full[0] <= Fraction(upper), "full_state_value is not V*")
        _need(upper - lower <= TIGHT * max(1.0, abs(lower)), "full_state_value has needlessly wide bounds")
        raw.full = max(raw.full[0], Fraction(lower)), min(raw.full[1], Fraction(upper))


def _policy_worth(raw: _Raw, certificate: "MemoryCertificate") -> tuple[Fraction, Fraction] | None:
    policy = certificate.memoryless_policy.tolist()
    _need(len(policy) == raw.observations, "memoryless_policy is not one action for each observation")
    _need(all(action in range(4) for action in policy), "memoryless_policy holds something that is no action")
    return raw.worth_of(lambda _, seen: policy[seen], lambda node, _: node, 0)


def _memoryless(raw: _Raw, certificate: "MemoryCertificate") -> None:
    lower, upper = certificate.memoryless_value
    worth = _policy_worth(raw, certificate)
    if worth is None:
        _need(lower == -math.inf, "memoryless_policy never ends: its value is -inf")
    else:
        slack = Fraction(TIGHT) * max(Fraction(1), abs(worth[0]))
        _need(
            math.isfinite(lower) and Fraction(lower) <= worth[1], "memoryless_policy earns less than memoryless_value"
        )
        _need(worth[0] - Fraction(lower) <= slack, "memoryless_policy earns more than memoryless_value")
    _need(not math.isnan(upper) and upper >= lower, "memoryless_value has its bounds the wrong way round")
    raw.proves(certificate.memoryless_proof, False, upper)


def _stochastic(raw: _Raw, certificate: "MemoryCertificate") -> None:
    bound = certificate.stochastic_bound
    _need(math.isfinite(bound), "stochastic_bound is not finite")
    _need(bound >= certificate.memoryless_value[0], "stochastic_bound is less than what memoryless_policy earns")
    raw.proves(certificate.stochastic_proof, True, bound)


def _controller(raw: _Raw, certificate: "MemoryCertificate") -> None:
    controller = certificate.controller
    action, following = controller.action.tolist(), controller.next_node.tolist()
    worth = raw.worth_of(
        lambda node, seen: action[node][seen], lambda node, seen: following[node][seen], controller.start
    )
    if worth is None:
        _need(certificate.controller_value == (-math.inf, -math.inf), "the controller may go on for ever")
        return
    lower, upper = certificate.controller_value
    _need(math.isfinite(lower) and math.isfinite(upper), "controller_value is not finite")
    _need(Fraction(lower) <= worth[1] and worth[0] <= Fraction(upper), "controller_value is not what it earns")
    _need(upper - lower <= TIGHT * max(1.0, abs(lower)), "controller_value has needlessly wide bounds")


def _witness(raw: _Raw, certificate: "MemoryCertificate") -> None:
    if certificate.witness is not None:
        first, second, first_actions, second_actions = certificate.witness
        _need(first in raw.moves and second in raw.moves, "the witness names states that are never come to")
        _need(raw.surely == raw.maybe, "the optimal actions are not known well enough for a witness")
        _need(raw.seen[first] == raw.seen[second], "the witness's states do not look alike")
        for state, actions in ((first, first_actions), (second, second_actions)):
            _need(tuple(sorted(raw.surely[state])) == tuple(actions), "the witness's actions are not the optimal ones")
        _need(not set(first_actions) & set(second_actions), "the witness's states share an optimal action")
        _need(raw.must_meet(first) and raw.must_meet(second), "an optimal policy can miss the witness")
    if certificate.confusion is not None:
        actions, states = certificate.confusion
        beliefs = set(raw.split(set(raw.start)))
        for action in actions:
            beliefs = {
                following
                for belief in beliefs
                if all(action in raw.maybe[state] for state in belief)
                for following in raw.after(belief, action)
            }
        _need(frozenset(states) in beliefs, "the confusion does not come about as it is told")
        common = frozenset(range(4)).intersection(*(raw.maybe[state] for state in states))
        _need(not common, "the states of the confusion share an optimal action")


def _attains(raw: _Raw, certificate: "MemoryCertificate") -> bool:
    """Whether the controller takes optimal actions alone."""
    controller = certificate.controller
    waiting = [(state, controller.start) for state in raw.start]
    met = set(waiting)
    for state, node in waiting:
        seen = raw.seen[state]
        action, then = int(controller.action[node, seen]), int(controller.next_node[node, seen])
        if action not in raw.surely[state]:
            return False
        for _, after, _ in raw.moves[state][action]:
            if not raw.over[after] and (after, then) not in met:
                met.add((after, then))
                waiting.append((after, then))
    return True


def _verdict(raw: _Raw, certificate: "MemoryCertificate") -> None:
    verdict = certificate.verdict
    _need((verdict == "undecided") == bool(certificate.missing), "`missing` and the verdict disagree")
    _need((verdict == "observation hides it") == (certificate.confusion is not None), "a confusion and no such verdict")
    better = certificate.controller_value[0] > certificate.stochastic_bound
    if verdict == "memoryless suffices":
        policy = certificate.memoryless_policy.tolist()
        allowed = {state: raw.surely[state] & {policy[raw.seen[state]]} for state in raw.order}
        _need(raw.memoryless_exists(allowed), "memoryless_policy does not earn V*")
        _need(certificate.memory_helps is False, "a memoryless policy earns V*, so memory cannot help")
        return
    _need(certificate.memory_helps is not False, "only where a memoryless policy earns V* can memory not help")
    if verdict == "memory helps":
        _need(certificate.memory_helps is True, "the verdict says that memory helps")
        _need(raw.surely != raw.maybe or raw.memory_attains(raw.surely), "the observation hides what V* needs")
    if certificate.memory_helps:
        # by the numbers; or since the controller earns V*, which no memoryless policy does: then none comes near it
        # either, for values are continuous and the memoryless policies, with those that choose at random, compact
        shown = better or (_attains(raw, certificate) and not raw.memoryless_exists(raw.maybe))
        _need(shown, "that memory helps is not shown")
    if verdict == "observation hides it":
        _need(not raw.memory_attains(raw.maybe), "memory can earn V*: nothing is hidden")
    _need(verdict in ("memory helps", "observation hides it", "undecided"), "there is no such verdict")
