"""What is written for model checkers is read by readers of their own, and means the same process."""

import re
from pathlib import Path

import numpy as np
import pytest

from mazegrad.envs import POMDPS, Maze, TabularMDP, World, load_maze, value_iteration

Model = dict[tuple[int, int], list[tuple[int, float]]]


def read_drn(text: str) -> tuple[int, int, set[int], Model, dict[tuple[int, int], float], dict[int, int]]:
    """Return states, the start, the ends, transitions, rewards and observations, by the grammar in Storm's manual."""
    head, _, body = text.partition("@model\n")
    fields = re.findall(r"@(\w+):? ?(.*)\n(?:(\d+)\n)?", head)
    states = int(next(number for name, _, number in fields if name == "nr_states"))
    model: Model = {}
    rewards, ends, sees, start, choice = {}, set(), {}, -1, -1
    state = -1
    for line in body.splitlines():
        if found := re.fullmatch(r"state (\d+)(?: \{(\d+)\})? \[0\](.*)", line):
            assert int(found[1]) == state + 1, "states are numbered in order"
            state, choice = int(found[1]), -1
            labels = found[3].split()
            start = state if "init" in labels else start
            ends |= {state} if "end" in labels else set()
            if found[2]:
                sees[state] = int(found[2])
        elif found := re.fullmatch(r"\taction (\w+) \[(\S+)\]", line):
            choice += 1
            rewards[state, choice] = float(found[2])
            model[state, choice] = []
        else:
            after, chance = line.removeprefix("\t\t").split(" : ")
            model[state, choice].append((int(after), float(chance)))
    assert state + 1 == states and len(model) == int(next(n for name, _, n in fields if name == "nr_choices"))
    return states, start, ends, model, rewards, sees


def read_prism(files: dict[str, str]) -> tuple[int, int, set[int], Model, dict[tuple[int, int], float]]:
    """Return the same of PRISM's explicit files."""
    head, *rows = files[".tra"].splitlines()
    states, choices, transitions = map(int, head.split())
    model: Model = {}
    for row in rows:
        state, choice, after, chance, _ = row.split()
        model.setdefault((int(state), int(choice)), []).append((int(after), float(chance)))
    assert len(rows) == transitions and len(model) == choices and len(files[".sta"].splitlines()) == states + 1
    rewards = dict.fromkeys(model, 0.0)
    for row in files[".trew"].splitlines()[1:]:
        state, choice, _, reward = row.split()
        rewards[int(state), int(choice)] = float(reward)
    labels = {int(row.split(":")[0]): row.split(":")[1].split() for row in files[".lab"].splitlines()[1:]}
    (start,) = (state for state, marks in labels.items() if "0" in marks)
    return states, start, {state for state, marks in labels.items() if "2" in marks}, model, rewards


def best(states: int, start: int, model: Model, rewards: dict[tuple[int, int], float], discount: float) -> float:
    """Return V* of the start, by plain value iteration."""
    values = np.zeros(states)
    for _ in range(1000):
        new = np.full(states, -np.inf)
        for (state, choice), outcomes in model.items():
            assert sum(chance for _, chance in outcomes) == pytest.approx(1)
            expected = sum(chance * values[after] for after, chance in outcomes)
            new[state] = max(new[state], rewards[state, choice] + discount * expected)
        values = new
    return float(values[start])


WORLDS = {
    "one start": load_maze("ice_lake"),
    "several starts": Maze.from_text("slip: 0.1\nS..X\n.#.G\nS~.."),
}


@pytest.mark.parametrize("name", WORLDS)
def test_what_is_written_is_the_same_process(name: str, tmp_path: Path) -> None:
    mdp = TabularMDP.from_world(World.compile(WORLDS[name]), "index")
    wanted = value_iteration(mdp, discount=0.9).expected_return
    mdp.save_drn(tmp_path / "m.drn")
    mdp.save_prism(tmp_path / "m")
    states, start, ends, model, rewards, sees = read_drn((tmp_path / "m.drn").read_text())
    explicit = read_prism(
        {suffix: (tmp_path / f"m{suffix}").read_text() for suffix in (".tra", ".trew", ".sta", ".lab")}
    )
    assert explicit == (states, start, ends, model, rewards)
    assert ends == set(np.flatnonzero(mdp.terminal).tolist()) and not sees
    assert states == mdp.states + (name == "several starts")
    late = 0.9 if name == "several starts" else 1.0  # the first state takes a step
    assert best(states, start, model, rewards, 0.9) == pytest.approx(late * wanted, abs=1e-9)


def test_states_that_look_alike_are_a_pomdp() -> None:
    mdp = TabularMDP.from_world(World.compile(load_maze("four_rooms")), "dots")
    text = mdp.to_drn()
    assert text.startswith("@type: POMDP\n")
    *_, sees = read_drn(text)
    numbers = [sees[state] for state in range(mdp.states)]
    assert numbers == mdp.observation.tolist()
    with pytest.raises(ValueError, match="noisy observations; DRN has one observation for each state: use to_pomdp"):
        POMDPS["tiger"]().mdp.to_drn()


def test_storm_reads_them(tmp_path: Path) -> None:
    storm = pytest.importorskip("stormpy", reason="read by Storm itself where stormpy is installed")
    mdp = TabularMDP.from_world(World.compile(load_maze("ice_lake")), "index")
    mdp.save_drn(tmp_path / "m.drn")
    model = storm.build_model_from_drn(str(tmp_path / "m.drn"))
    assert (model.nr_states, model.nr_choices) == (mdp.states, 4 * (~mdp.terminal).sum() + mdp.terminal.sum())
    formula = storm.parse_properties('R{"reward"}max=? [C]')[0]
    found = storm.model_checking(model, formula).get_value_vector()[model.initial_states[0]]
    assert found == pytest.approx(14 / 17, abs=1e-4)  # how likely the goal of the 4 x 4 lake is reached
