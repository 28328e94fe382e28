"""Forgeries: whatever is changed in a certificate, `verify` says so; whatever is no certificate, reading says so."""

import copy
import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mazegrad.agents import Automaton, MemoryCertificate, certify_memory
from mazegrad.envs import Maze, World, load_maze

CUED = ("G...X\n##.##\n##{##\n##S##\n", "X...G\n##.##\n##}##\n##S##\n")
MADE = {
    "sheet38": certify_memory(load_maze("sheet38")),
    "cued": certify_memory([Maze.from_text(text) for text in CUED]),
    "cueless": certify_memory([Maze.from_text("G.S.X"), Maze.from_text("X.S.G")]),
    "suffices": certify_memory(load_maze("ice_lake"), "position"),
    "slips": certify_memory(Maze.from_text("slip: 0.2\nS..\n.#.\n..S\n.#.\nG.X")),
}


def sealed(text):
    """A forger's text with a seal that fits again."""
    made = MemoryCertificate.from_json(text)
    return replace(made, seal="")


@pytest.mark.parametrize("name", MADE)
def test_a_certificate_survives_the_journey_through_json(name):
    made = MADE[name]
    read = MemoryCertificate.from_json(made.to_json())
    assert read.verify() and read.faults() == []
    assert read.to_json() == made.to_json()
    assert read.explain() == made.explain()


def changes(value):
    """Yield a few other values of the same kind."""
    if isinstance(value, bool) or value is None:
        yield from (other for other in (True, False, None) if other is not value)
    elif isinstance(value, int):
        yield from (value + 1, value - 1)
    elif isinstance(value, float):
        yield from (value + 1e-3, value - 1e-3, value * 0.5 + 0.1)
    elif isinstance(value, str):
        yield value + "."
    elif isinstance(value, list):
        if value:
            yield value[:-1]
        yield [*value, value[-1] if value else 0]
        for place in sorted({0, len(value) // 2, len(value) - 1}) if value else ():
            for other in changes(value[place]):
                yield [*value[:place], other, *value[place + 1 :]]
    elif isinstance(value, dict):
        for key in value:
            for other in changes(value[key]):
                yield {**value, key: other}


@pytest.mark.parametrize("name", MADE)
def test_any_field_changed_is_refused_or_fails(name):
    fields = json.loads(MADE[name].to_json())
    tried = 0
    for key, value in fields.items():
        for other in changes(value):
            if json.dumps(other) == json.dumps(value):
                continue
            try:
                forged = MemoryCertificate.from_json(json.dumps({**fields, key: other}))
            except ValueError as error:
                assert str(error).startswith("not a memory certificate: ")
            else:
                if forged.to_dict() == fields:  # such as a comment in a maze's text, which is kept, or 1 for 1.0
                    continue
                assert forged.seal != forged.digest()
                assert "seal" in forged.faults()[0] if tried % 40 == 0 else True
            tried += 1
    assert tried > 60


LIES = {
    "more than V*": {"full_state_value": lambda v: [x + 0.01 for x in v]},
    "less than V*": {"full_state_value": lambda v: [x - 0.01 for x in v]},
    "wide bounds": {"full_state_value": lambda v: [v[0] - 0.01, v[1] + 0.01]},
    "a better memoryless policy": {"memoryless_value": lambda v: [v[0] + 0.01, max(v[1], v[0] + 0.01)]},
    "memoryless bound too low": {"memoryless_value": lambda v: [v[0] - 0.02, v[0] - 0.01]},
    "stochastic bound too low": {"stochastic_bound": lambda v: v - 0.9},
    "stochastic bound as low as the policy": {"stochastic_bound": lambda v: -0.5},
    "controller worth more": {"controller_value": lambda v: [x + 0.01 for x in v]},
    "controller worth less": {"controller_value": lambda v: [x - 0.01 for x in v]},
    "other rewards": {"reward": lambda v: [[x + 0.125 for x in row] for row in v]},
    "other slip": {"slip": lambda v: [0.5 - x for x in v]},
    "other discount": {"discount": lambda v: 0.9},
    "other observation": {"observation": lambda v: "index" if v != "index" else "position"},
    "no verdict": {"verdict": lambda v: "undecided"},
    "helps not known": {"memory_helps": lambda v: v is False},
}


@pytest.mark.parametrize("lie", LIES)
@pytest.mark.parametrize("name", MADE)
def test_lies_with_a_good_seal_fail(name, lie):
    fields = json.loads(MADE[name].to_json())
    for key, change in LIES[lie].items():
        fields[key] = change(fields[key])
    try:
        forged = sealed(json.dumps(fields))
    except ValueError:
        return
    assert forged.seal == forged.digest()
    assert not forged.verify()


@pytest.mark.parametrize("verdict", ["memoryless suffices", "memory helps", "observation hides it"])
@pytest.mark.parametrize("helps", [True, False, None])
@pytest.mark.parametrize("name", ["cued", "cueless", "suffices", "slips"])
def test_every_other_verdict_with_a_good_seal_fails(name, verdict, helps):
    made = MADE[name]
    if verdict == made.verdict and helps == made.memory_helps:
        assert made.verify()
        return
    for confusion in (made.confusion, MADE["cueless"].confusion):
        assert not replace(made, verdict=verdict, memory_helps=helps, confusion=confusion, missing="", seal="").verify()


def test_controllers_and_policies_that_were_swapped_fail():
    made = MADE["sheet38"]
    worse = Automaton(made.controller.next_node, (made.controller.action + 1) % 4, 0)
    assert not replace(made, controller=worse, seal="").verify()
    other = made.memoryless_policy.copy()
    assert not replace(
        MADE["suffices"], memoryless_policy=(MADE["suffices"].memoryless_policy + 1) % 4, seal=""
    ).verify()
    assert not replace(made, memoryless_policy=other[:-1].copy(), seal="").verify()


def test_false_witnesses_fail():
    made = MADE["sheet38"]
    first, second, one, two = made.witness
    for witness in (
        made.witness._replace(first=second),  # the same place twice
        made.witness._replace(first=first + 1),
        made.witness._replace(first_actions=two),
        made.witness._replace(second_actions=(*two, *one)),
    ):
        assert not replace(made, witness=witness, seal="").verify()
    cueless = MADE["cueless"]
    assert not replace(cueless, confusion=cueless.confusion._replace(actions=(2,)), seal="").verify()
    assert not replace(cueless, confusion=cueless.confusion._replace(states=(2,)), seal="").verify()


@pytest.mark.parametrize("name", ["sheet38", "cued", "slips"])
def test_proofs_that_leave_something_out_fail(name):
    made = MADE[name]
    assert not replace(made, stochastic_proof=(None,), seal="").verify()
    cut = tuple(None if number else entry for number, entry in enumerate(made.stochastic_proof))
    assert not replace(made, stochastic_proof=cut, seal="").verify()
    # a split by action says nothing about policies that choose at random
    bound = made.memoryless_value.upper + 1e-9
    assert not replace(made, stochastic_proof=made.memoryless_proof, stochastic_bound=bound, seal="").verify()
    seen, action, cut_at, children = made.memoryless_proof[0]
    fewer = (
        (seen, action, cut_at, (-1, *children[1:]))
        if children[0] != -1
        else (seen, action, cut_at, (*children[:3], -1))
    )
    if fewer != made.memoryless_proof[0]:
        assert not replace(made, memoryless_proof=(fewer, *made.memoryless_proof[1:]), seal="").verify()


def test_a_world_that_is_not_its_drawing_fails():
    made = MADE["suffices"]
    world = copy.copy(made.world)
    tables = {name: getattr(world, name).copy() for name in vars(world) if name not in ("mazes", "noise")}
    tables["next_state"][0] = tables["next_state"][0][::-1]
    other = World(world.mazes, **tables)
    assert not replace(made, world=other, seal="").verify()


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", "1", '{"format": 1}', "[" * 100_000, '{"format": NaN}', '"\\ud800"',
     '{"format": "mazegrad memory certificate 1"}'],
)  # fmt: skip
def test_malformed_json_is_a_clear_error(text):
    with pytest.raises(ValueError, match="not a memory certificate: "):
        MemoryCertificate.from_json(text)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)
FIELDS = json.loads(MADE["cued"].to_json())


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(sorted(FIELDS)), JSON)
def test_any_field_may_hold_anything_and_reading_never_stumbles(name, value):
    try:
        read = MemoryCertificate.from_json(json.dumps({**FIELDS, name: value}))
    except ValueError as error:
        assert "not a memory certificate: " in str(error)
    else:
        assert read.to_dict().keys() == FIELDS.keys()


def test_the_policy_is_read_only():
    with pytest.raises(ValueError, match="read-only"):
        MADE["sheet38"].memoryless_policy[0] = 1
    assert isinstance(MADE["sheet38"].memoryless_policy, np.ndarray)
