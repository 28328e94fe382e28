"""The page's logic held against Python: maps, errors, tables, steps, values, minds, recorded runs."""

import base64
import hashlib
import json
import random
import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from fuzz_maps import MENAGERIE, invented, mutated
from page_browser import CHECKS, NODE, chromium, node

import mazegrad.page.build as build
from mazegrad.agents import (
    LinearRNN,
    RNNAgent,
    build_automaton,
    compile_automaton,
    counterexample,
    follows_every_path,
    path_follower_automaton,
    t_maze_automaton,
    wall_follower_automaton,
)
from mazegrad.agents.counterexample import STARTS
from mazegrad.cli import main
from mazegrad.envs import MAZES, Maze, MazeError, Replay, World, load_maze, slipped, suite, transition, value_iteration
from mazegrad.envs.core.rules import Slips
from mazegrad.envs.maps.metadata import METADATA
from mazegrad.envs.maps.randomness import STEPS, key_from_seed, stream, uniform
from mazegrad.envs.planning.values import evaluate_policy

from random_worlds import perfect_maze

pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
TEXTS = [path.read_text(encoding="utf-8") for path in MAZES.values()]
ENGINES = ("call", "in_chromium")
MODULES = ("replay", "learning", "minds", "rulebook", "words")
ARRAYS = {
    "next": np.int32, "reward": np.float64, "terminal": np.uint8, "goal": np.uint8, "dots": np.uint8, "cell": np.int32,
    "carried": np.float64, "heading": np.int32, "slip": np.float64, "kind": np.int32,
}  # fmt: skip
Call = Callable[..., Any]


def logic() -> str:
    """Return all modules of the logic as one script."""
    order: list[str] = []
    for name in MODULES:
        build._collect(name, order, ())
    return "\n".join([*map(build._wrapped, order), CHECKS])


@pytest.fixture(scope="module")
def in_chromium() -> Iterator[Call]:
    with chromium() as browser:
        page = browser.new_page()
        page.set_default_timeout(120_000)
        page.add_script_tag(content=logic())
        yield lambda name, argument=None: page.evaluate(f"(argument) => ({name})(argument)", argument)


@pytest.fixture(scope="module")
def call(request: pytest.FixtureRequest) -> Iterator[Call]:
    """Return a function that runs JavaScript with all modules of the logic: in Node.js, without it in Chromium."""
    if NODE is None:
        yield request.getfixturevalue("in_chromium")
    else:
        with node(logic()) as run:
            yield run


def assert_equal_tables(found: Any, world: World, text: str) -> None:
    assert "tables" in found, (found, text)
    tables = found["tables"]
    assert (tables["states"], tables["moves"]) == (world.states, world.next_state.shape[1]), text
    assert tables["starts"] == world.start_states.tolist(), text
    here = {name: np.frombuffer(base64.b64decode(tables[name]), dtype=kind) for name, kind in ARRAYS.items()}
    heading = world.heading if world.moves.headings > 1 else np.zeros(world.states)
    expected = {
        "next": world.next_state, "reward": world.reward, "terminal": world.terminal, "goal": world.goal,
        "dots": world.dots, "cell": world.cell, "carried": world.carried, "heading": heading, "slip": world.slip,
    }  # fmt: skip
    for name, array in expected.items():
        assert np.array_equal(here[name], np.ravel(array)), (name, text)
    assert (tables["noise"] is None) == (world.noise is None), text
    if world.noise is not None:
        noise = world.noise
        for state in range(0, world.states, max(1, world.states // 50)):
            for action, row in enumerate(tables["noise"][here["kind"][state]]):
                kind, cases = noise.kind[state], len(row["executed"])
                assert row["executed"] == noise.executed[kind, action, :cases].tolist(), text
                assert row["probability"] == noise.probability[kind, action, :cases].tolist(), text
                assert row["below"] == noise.below[kind, action, : cases - 1].tolist(), text
                assert not noise.probability[kind, action, cases:].any(), text


def assert_equal(call: Call, texts: list[str]) -> tuple[int, int]:
    """Check that texts give equal tables or equal errors; return how many of each."""
    worlds = errors = 0
    for first in range(0, len(texts), 200):
        some = texts[first : first + 200]
        for text, found in zip(some, call("compiled", [some, list(ARRAYS)]), strict=True):
            try:
                world = World.compile(Maze.from_text(text))
            except MazeError as error:
                assert "error" in found, (text, error, found)
                assert found["error"] == [error.message, error.line, error.column], (text, error, found)
                errors += 1
            else:
                assert_equal_tables(found, world, text)
                worlds += 1
    return worlds, errors


def fuzzed(count: int, seed: int) -> list[str]:
    rng = random.Random(seed)
    texts = (mutated(rng, [MENAGERIE, *TEXTS]) if i % 3 else invented(rng) for i in range(count))
    return [text for text in texts if not re.search("[\ud800-\udfff]", text)]  # JSON cannot carry them


def test_tables_of_all_shipped_mazes_are_pythons(call: Call) -> None:
    assert assert_equal(call, [MENAGERIE, *TEXTS]) == (len(TEXTS) + 1, 0)


def test_mutated_maps_give_pythons_tables_or_its_errors(call: Call) -> None:
    worlds, errors = assert_equal(call, fuzzed(1500, 1))
    assert worlds > 200 and errors > 200


@pytest.mark.slow
@pytest.mark.parametrize("seed", [2, 3])
def test_10000_mutated_maps_give_pythons_tables_or_its_errors(seed: int, call: Call) -> None:
    worlds, errors = assert_equal(call, fuzzed(10_000, seed))
    assert worlds + errors > 9_500


def test_tables_of_the_frozen_suite_are_pythons(call: Call) -> None:
    mazes = [maze for level in ("easy", "medium") for split in ("train", "test") for maze in suite(level, split)]
    assert assert_equal(call, [maze.to_text() for maze in mazes]) == (400, 0)


@pytest.mark.slow
def test_tables_of_the_hard_frozen_suite_are_pythons(call: Call) -> None:
    mazes = [maze for split in ("train", "test") for maze in suite("hard", split)]
    assert assert_equal(call, [maze.to_text() for maze in mazes]) == (200, 0)


SETTINGS = [
    "actions: king\ncorners: cut",
    "actions: turns\nfacing: left\nnoise: other 1/3",
    "actions: up -1 0, leap 0 2, back 0 -1\nnoise: stay 0.1",
    "noise: left_of 0.1, right_of 0.2; ~ stay 1/2",
    "wind: left 1 0 2 0 1 varies",
    "actions: king_stay\nslip: 0.25\nwind: 0 1 0 2 0 1 0 varies 1/2",
    "reward: m -2, $ 10 goal, x -100 trap, up -0.1\njump: P p 10\nnoise: any 1/7",
    "starts: h 3, S 2\nexit: all items\ntrap: end",
    "walls: 0120123 3000121 0102030 1111111 2222222\nactions: king",
    "rewards: step -0.1, bump -1\nice: 1/3\nslip: 2/7",
]


@pytest.mark.parametrize("settings", SETTINGS)
def test_settings_give_pythons_tables(settings: str, call: Call) -> None:
    rng = np.random.default_rng(len(settings))
    declared = {"m", "$", "x", "P", "p"} if "jump" in settings else {"h"} if "starts" in settings else set()
    texts = []
    for _ in range(20):
        tiles = rng.choice([*"......##~^><v*aAX{}G01", *declared], size=(5, 7))
        tiles[rng.integers(5), rng.integers(7)] = "S"
        texts.append(f"{settings}\n" + "\n".join("".join(row) for row in tiles) + "\n")
    worlds, _ = assert_equal(call, texts)
    for _ in range(3):
        maze = perfect_maze(3, rng)
        worlds += (
            assert_equal(call, [settings.split("\nwind")[0] + "\n" + maze.to_text()])[0]
            if "wind" not in settings
            else 1
        )
    assert worlds > 0


@pytest.mark.parametrize(
    ("engine", "steps"),
    [
        ("call", 10**5),
        ("in_chromium", 10**5),
        *(pytest.param(engine, 10**6, marks=pytest.mark.slow) for engine in ENGINES),
    ],
)
@pytest.mark.parametrize("name", MAZES)
def test_seeded_walks_hash_as_pythons(name: str, engine: str, steps: int, request: pytest.FixtureRequest) -> None:
    """Walk at random, for equal seeds: the chances of steps from episode 0, the actions from those of episode 1."""
    walked = request.getfixturevalue(engine)("walked", [MAZES[name].read_text(encoding="utf-8"), 7, steps])
    world, key = World.compile(load_maze(name)), key_from_seed(7)
    when = np.arange(steps, dtype=np.uint64) + np.uint64(STEPS)
    chances, drawn = (uniform(np.uint64(stream(key, episode)), when) for episode in (0, 1))
    actions = (drawn * world.actions).astype(int).tolist()
    rules = Slips(world.slip.tolist(), world.noise)
    following, terminal = world.next_state.tolist(), world.terminal.tolist()
    state = start = int(world.start_states[0])
    states = np.empty(steps, dtype="<i4")
    for t, (action, u) in enumerate(zip(actions, chances.tolist(), strict=True)):
        state = following[state][slipped(rules, state, action, u)]
        if terminal[state]:
            state = start
        states[t] = state
    found = base64.b64decode(walked)
    assert hashlib.sha256(found).hexdigest() == hashlib.sha256(states.tobytes()).hexdigest()


@pytest.mark.parametrize("discount", [0.9, 0.99])
@pytest.mark.parametrize("name", MAZES)
def test_values_are_pythons_to_1e_12(name: str, discount: float, call: Call) -> None:
    found = call("solved", [MAZES[name].read_text(encoding="utf-8"), discount])
    expected = value_iteration(World.compile(load_maze(name)), discount=discount, tol=1e-14).values
    assert np.abs(np.array(found) - expected).max() <= 1e-12 * max(1, np.abs(expected).max())


def test_the_regret_of_q_learning_is_pythons_and_falls_to_zero(call: Call) -> None:
    text = MAZES["dyna_maze"].read_text(encoding="utf-8")
    q, regret, returns = call("learned", text)
    world = World.compile(load_maze("dyna_maze"))
    greedy = np.array(q).reshape(world.states, 4).argmax(axis=1)
    best = value_iteration(world, discount=0.95).expected_return
    assert regret[0] == pytest.approx(best - evaluate_policy(world, greedy, discount=0.95).expected_return, abs=1e-8)
    assert regret[1] == pytest.approx(0, abs=0.1) and len(returns) == 400


# ---------------------------------------------------------------------------------------------------------------- minds
def test_eigenvalues_are_numpys(call: Call) -> None:
    rng = np.random.default_rng(0)
    J, I = np.eye(4)[::-1], np.eye(4)
    matrices = [I, J, -J, -J / 2, (I - J) / 2, np.zeros((4, 4)), I + J, np.diag([1.2, 2, 1.1, 0]), np.eye(4, k=1)]
    matrices += [rng.normal(size=(4, 4)) for _ in range(200)] + [
        rng.integers(-2, 3, size=(4, 4)) / 2 for _ in range(200)
    ]
    for U, found in zip(
        matrices,
        call("(all) => all.map($minds.eigenvalues)", [np.array(U).tolist() for U in matrices]),
        strict=True,
    ):
        here = np.array([complex(z["re"], z["im"]) for z in found])
        expected = np.linalg.eigvals(U)
        assert len(here) == 4
        for z in expected:  # each is near one: multiple ones are only known to some digits
            nearest = int(np.abs(here - z).argmin())
            assert abs(here[nearest] - z) < 2e-3 * max(1, np.abs(expected).max()), (U, here, expected)
            here = np.delete(here, nearest)


def test_whether_a_net_follows_every_path_is_what_python_says(call: Call) -> None:
    """Ask for the verdict and the shortest example; the beam search may find another one."""
    rng = np.random.default_rng(1)
    J, I, zeros = np.eye(4)[::-1], np.eye(4), np.zeros(4)
    nets = [
        (2 * I, (I - J) / 2, zeros),
        (I, -J, zeros),
        (I, -J / 2, zeros),
        (I, 0 * J, zeros),
        (I, (I - J) / 2, zeros),
        (3 * I, (I - J) / 2, zeros),
        (2 * I, (I - J) / 2, zeros + 5),
        (2 * I, 0.875 * (I - J) / 2, zeros),
    ]
    nets += [(2 * I + 0.25 * rng.integers(-1, 2, size=(4, 4)), (I - J) / 2, zeros) for _ in range(20)]
    nets += [(2 * I + 0.1 * rng.normal(size=(4, 4)), (I - J) / 2, 0.1 * rng.normal(size=4)) for _ in range(20)]
    said: Counter[bool | None] = Counter()
    for W, U, b in nets:
        found = call(
            "(net) => $minds.checkPaths(net)", {"W": W.tolist(), "U": U.tolist(), "b": b.tolist(), "h0": [1, 0, 0, 0]}
        )
        agent = RNNAgent(LinearRNN(W, U, b, [1, 0, 0, 0]))
        for part, start in zip(found, STARTS, strict=True):
            assert part["start"] == start
            said[part["ok"]] += 1
            assert (part["ok"] is True) == follows_every_path(agent, starts=[start])
            if part["ok"] is False:
                expected = counterexample(agent, 10, starts=[start], beam_width=256)
                assert expected is not None, (W, U, b)
                example = part["example"]
                check_example(agent, example)
                assert example["shortest"] == expected.shortest
                if expected.shortest:  # else rounding decides between equal leads
                    assert (example["moves"], example["went"]) == (list(expected.moves), expected.went)
                    assert Maze.from_text(example["text"]) == expected.maze
    assert said[True] > 4 and said[False] > 20


def check_example(agent: RNNAgent, example: dict[str, Any]) -> None:
    """Check that the agent follows the drawn path up to its last step, and then goes where the example says."""
    world = World.compile(Maze.from_text(example["text"]))
    state, mind = int(world.start_states[0]), agent.initial_state()
    for number, move in enumerate(example["moves"]):
        action, mind = agent.act(world.dots[state], mind)
        last = number == len(example["moves"]) - 1
        assert action == (example["went"] if last else move) and example["went"] != example["moves"][-1]
        state = int(transition(world, state, move)[0])
    assert world.terminal[state]


def test_automata_are_pythons_and_their_nets_behave_alike(call: Call) -> None:
    expected = {
        "wallRight": wall_follower_automaton("right"), "wallLeft": wall_follower_automaton("left"),
        "path": path_follower_automaton(), "tMaze": t_maze_automaton(),
    }  # fmt: skip
    found = call("() => $minds.AUTOMATA")
    assert found.keys() == expected.keys()
    for name, automaton in expected.items():
        assert (
            found[name]["next"] == automaton.next_node.tolist() and found[name]["action"] == automaton.action.tolist()
        )
        assert found[name]["start"] == automaton.start
        net = call("(name) => $minds.compileAutomaton($minds.AUTOMATA[name])", name)
        compiled = compile_automaton(automaton)
        for part in ("W", "U", "b"):
            assert np.array_equal(net[part], getattr(compiled.rnn, part)), (name, part)
        assert net["action"] == automaton.action.ravel().tolist()
        fired = call("fired", name)
        node = automaton.start
        for i, units in enumerate(fired):
            seen = i * 7 & 15
            assert units == [node * 16 + seen]
            node = int(automaton.next_node[node, seen])


def test_rules_in_words_are_read_as_python_reads_them(call: Call) -> None:
    rules = {
        "first": [("only up down", "up"), ("no left right", "right", "second"), ("↑ no →", "←"), ("anything", "down")],
        "second": [("left", "left", "first"), ("anything", "up", "first")],
    }
    lines = [
        f"{node}: {rule[0]} -> {rule[1]}" + (f", {rule[2]}" if len(rule) > 2 else "")
        for node, some in rules.items()
        for rule in some
    ]
    found = call("$rulebook.readRules", "\n".join(["; a comment", "", *lines]))
    expected = build_automaton(rules)
    assert found["next"] == expected.next_node.tolist() and found["action"] == expected.action.tolist()
    again = call("$rulebook.readRules", json.dumps(wall_follower_automaton().to_dict()))
    assert again["next"] == wall_follower_automaton().next_node.tolist()


# -------------------------------------------------------------------------------------------------------------- replays
def test_a_run_through_generated_mazes_is_given_with_them(
    call: Call, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run, out = tmp_path / "walk.jsonl", tmp_path / "page.html"
    words = ["--env", "Maze-v0", "--agent", "wall_follower", "--episodes", "3", "--seed", "4"]
    assert main(["record", str(run), *words]) == 0 and main(["page", str(run), "--out", str(out)]) == 0
    capsys.readouterr()
    data = re.search(r'id="data">(.*?)</script>', out.read_text(encoding="utf-8"), re.DOTALL)
    assert data
    (replay,) = json.loads(data[1])["replays"]
    found = call(
        "(text) => $replay.readReplay(text, {}).episodes.map(({states, totals}) => totals.at(-1))", replay["text"]
    )
    assert found == [1, 1, 1]


@pytest.mark.parametrize(
    "words",
    [
        ["--maze", "sheet38"],
        ["--env", "IceLake-v0", "--agent", "random", "--seed", "5"],
        ["--env", "KeyDoor-v0", "--agent", "optimal", "--episodes", "3"],
        ["--env", "CliffWalk-v0", "--agent", "random"],
        ["--env", "FourRooms-v0", "--agent", "shortest_path"],
        ["--maze", "windy_grid", "--agent", "optimal"],
    ],
)
def test_recorded_runs_are_walked_as_they_were(
    words: list[str], call: Call, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "walk.jsonl"
    assert main(["record", str(file), *words]) == 0
    capsys.readouterr()
    mazes = {name: path.read_text(encoding="utf-8") for name, path in MAZES.items()}
    found = call(
        "([text, mazes]) => $replay.readReplay(text, mazes).episodes.map(({states, totals}) => [states, totals])",
        [file.read_text(), mazes],
    )
    replay = Replay.load(file)
    env = gymnasium.make(replay.id, **replay.keywords)
    for (states, totals), episode in zip(found, replay.episodes, strict=True):
        env.reset(seed=episode.seed, options=dict(episode.options))
        walked, total, sums = [env.unwrapped.state], 0.0, [0.0]
        for action in episode.actions:
            total += float(env.step(action)[1])
            walked.append(env.unwrapped.state)
            sums.append(total)
        assert states == walked and totals == pytest.approx(sums)


def test_the_chances_are_pythons(call: Call) -> None:
    found = call(
        "() => { const c = new $rules.Chances(12345678901n, 3); return [c.step(0), c.step(999), c.start(7)]; }"
    )
    here = stream(key_from_seed(12345678901), 3)
    assert found[:2] == [uniform(here, STEPS), uniform(here, STEPS + 999)]


HEAD = '{"format": "mazegrad replay 1", "id": "mazegrad/Maze-v0", "keywords": %s}\n'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "line 1: this is not JSON"),
        ("S.G\n", "line 1: this is not JSON"),
        ('{"format": "other"}\n', "line 1: this is not a replay"),
        (HEAD % "{}", "there is no episode"),
        (HEAD % "{}" + '{"seed": 0, "actions": [], "options": {}}', "line 2: the mazes of mazegrad/Maze-v0 are not in"),
        (HEAD % '{"maze": "S.G\\n"}' + '{"seed": 0, "actions": [9], "options": {}}', "line 2: action 9"),
    ],
)
def test_what_is_not_a_recorded_run_is_refused(text: str, said: str, call: Call) -> None:
    message = call("refusal", text)
    assert said in message


def test_every_error_about_a_map_has_german_words(call: Call) -> None:
    """What is quoted from the map, and words of the map language, stay as they are."""
    texts = [text for text in fuzzed(3000, 5) if text]
    texts += ["size: 99999 x 99999\nS\n", '{"a":1}: x\nS\n', "reward: m 1 goal, m 2 trap\nS\n", "jump: P p\nSP\n"]
    texts += [f"{key}: ?\nS.G\n" for key in METADATA] + ["noise: up 0.5, nowhere 0.5\nS.G\n", "reward: leap 3\nS.G\n"]
    messages = sorted({found["error"][0] for found in call("compiled", [texts, list(ARRAYS)]) if "error" in found})
    assert len({re.sub(r"'.*?'|\".*?\"|\d+", "", message) for message in messages}) > 25
    spoken = call(
        "(messages) => { $words.setLanguage('de'); const said = messages.map($words.errorWords);"
        " $words.setLanguage('en'); return said; }",
        messages,
    )
    english = r"\b(the|not|must|known|such as|maze|unknown|tiles|given|cells|row|is|drawing|letters|where)\b"
    for message, said in zip(messages, spoken, strict=True):
        assert said != message, message
        assert not re.search(english, re.sub(r"'.*?'|\".*?\"|`.*?`", "", said)), (message, said)
