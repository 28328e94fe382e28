"""A policy: every kind of observation and every cell, in batches and alone, as an agent everywhere, and as a file."""

from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces

from mazegrad import nn
from mazegrad.agents import LinearRNN, RNNAgent, counterexample, evaluate, extract_automaton, path_follower, rollout
from mazegrad.agents.learners import PPO, Encoder, RecurrentPolicy, encoder
from mazegrad.agents.learners.cells import CELLS
from mazegrad.agents.learners.encoding import Narrow
from mazegrad.agents.learners.policy import drawn, softmax
from mazegrad.envs import load_maze

KINDS = ["dots", "index", "position", "view", "map"]


def policy_for(env: Any, **keywords: Any) -> RecurrentPolicy:
    space = getattr(env, "single_observation_space", env.observation_space)
    return RecurrentPolicy(space, 4, rng=np.random.default_rng(0), **{"hidden": 8, **keywords})


# ------------------------------------------------------------------------------------------------------------ encoding
def test_each_kind_of_observation_is_encoded() -> None:
    def inputs(observation: str) -> np.ndarray:
        env = gymnasium.make("mazegrad/FourRooms-v0", observation=observation, view_size=3)
        return encoder(env.observation_space)(env.reset(seed=0)[0])

    assert inputs("dots").tolist() == [0, 1, 0, 1]
    assert inputs("index").shape == (13 * 13,)
    assert inputs("index").argmax() == 13 + 1
    assert inputs("position").tolist() == pytest.approx([2 / 12 - 1, 2 / 12 - 1])
    assert inputs("view").shape[0] % 9 == 0
    assert (inputs("view").reshape(9, -1).sum(axis=1) == 1).all(), "one tile at each place"
    assert (inputs("map").reshape(13 * 13, -1).sum(axis=1) == 1).all()


def test_parts_stand_side_by_side_and_floats_stay() -> None:
    space = spaces.Dict({"b": spaces.Discrete(3), "a": spaces.Box(-1, 1, (2,), np.float32)})
    made = encoder(space)
    seen = {"a": np.array([[0.5, -0.5]], dtype=np.float32), "b": np.array([2])}
    assert made.size == 5
    assert made(seen).tolist() == [[0.5, -0.5, 0, 0, 1]]
    assert made.restored(made.stored(seen)).tolist() == made(seen).tolist()
    assert (
        encoder(spaces.Box(0, 255, (2, 1, 3), np.uint8))(np.full((2, 1, 3), 51, np.uint8)).tolist()
        == [pytest.approx(0.2)] * 6
    )
    assert Encoder.from_settings(made.settings()) == made


def test_what_cannot_be_encoded_is_refused() -> None:
    with pytest.raises(ValueError, match="no encoding for observations of Text"):
        encoder(spaces.Text(3))
    with pytest.raises(ValueError, match=r"the observation has shape \(3,\), expected \(\.\.\., 4"):
        encoder(spaces.MultiBinary(4))(np.zeros(3))
    with pytest.raises(ValueError, match="from 0 to 4, not 7"):
        encoder(spaces.Discrete(5))(7)
    for settings in (
        {},
        {"kind": "bits", "shape": [1], "counts": [], "parts": {}},
        {"kind": "one_hot", "shape": ["x"]},
    ):
        with pytest.raises(ValueError, match=r"encod|positive"):
            Encoder.from_settings(settings)


@pytest.mark.parametrize("previous", [False, True])
@pytest.mark.parametrize("cell", CELLS)
def test_columns_that_are_0_may_be_left_out(cell: str, previous: bool) -> None:
    """Of 6,253 inputs that show a maze of 169 tiles few are ever 1: outputs and gradients are those of all of them."""
    rng = np.random.default_rng(0)
    env = gymnasium.make_vec("mazegrad/FourRooms-v0", num_envs=3, observation="map")
    seen = np.stack([env.reset(seed=0)[0], *(env.step(rng.integers(0, 4, 3))[0] for _ in range(4))])
    policy = policy_for(env, cell=cell, previous_action=previous, dtype="float64")
    before, resets, hidden = rng.integers(0, 4, (5, 3)), rng.random((5, 3)) < 0.3, policy.begin(3)
    few, every = policy.inputs_of_stored(policy.encoder.stored(seen), before), policy.inputs(seen, before)
    assert isinstance(few, Narrow) and few.values.shape[-1] == len(few.columns) < every.shape[-1] / 20
    assert (every[..., few.columns] == few.values).all() and every.sum() == few.values.sum()
    found = []
    for x in (few, every):
        logits, values, after = policy(x, hidden, resets)
        (nn.square(logits).sum() + values.sum()).backward()
        found.append([logits.data, values.data, *after, *(p.grad for p in policy.parameters())])
        policy.zero_grad()
    for one, other in zip(*found, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-12)
    step = policy.think(Narrow(few.values[0], few.columns), hidden)
    np.testing.assert_allclose(step.logits, policy.think(every[0], hidden).logits, rtol=1e-9, atol=1e-12)


# --------------------------------------------------------------------------------------------------------- as an agent
@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("observation", KINDS)
@pytest.mark.parametrize("previous", [False, True])
def test_a_batch_equals_its_rows_and_a_rollout_of_each(cell: str, observation: str, previous: bool) -> None:
    envs = gymnasium.make_vec("mazegrad/FourRooms-v0", num_envs=3, observation=observation, time_limit=12)
    agent = policy_for(envs, cell=cell, previous_action=previous, layers=2)
    together = rollout(envs, agent, seed=5)
    env = gymnasium.make("mazegrad/FourRooms-v0", observation=observation, time_limit=12)
    for lane, walk in enumerate(together):
        assert rollout(env, agent, seed=5 + lane).actions.tolist() == walk.actions.tolist()


@pytest.mark.parametrize("cell", CELLS)
def test_step_by_step_is_the_whole_segment_with_its_resets(cell: str) -> None:
    rng = np.random.default_rng(0)
    h0 = None if cell == "none" else rng.normal(size=(2 if cell == "lstm" else 1, 2, 5))
    policy = RecurrentPolicy(
        spaces.MultiBinary(4), 4, cell, 5, 2, previous_action=True, h0=h0, rng=rng, dtype="float64"
    )
    seen, resets = rng.integers(0, 2, (9, 3, 4)), rng.random((9, 3)) < 0.3
    previous = np.where(resets, -1, rng.integers(0, 4, (9, 3)))
    hidden = tuple(rng.normal(size=(3, 2, 5)) for _ in policy.begin(3))
    x = policy.inputs(seen, previous)
    assert x.shape == (9, 3, 8)
    logits, values, after = policy(x, hidden, resets)
    for t in range(9):
        fresh = policy.begin(3)
        hidden = tuple(np.where(resets[t, :, None, None], new, old) for new, old in zip(fresh, hidden, strict=True))
        thought = policy.think(x[t], hidden)
        hidden = thought.hidden
        np.testing.assert_allclose(logits.data[t], thought.logits, atol=1e-12)
        np.testing.assert_allclose(values.data[t], thought.values, atol=1e-12)
    for mine, stepped in zip(after, hidden, strict=True):
        np.testing.assert_allclose(mine, stepped, atol=1e-12)


def test_it_walks_is_evaluated_searched_and_extracted() -> None:
    env = gymnasium.make("mazegrad/PathFollow-v0")
    hand_set = path_follower().rnn
    policy = RecurrentPolicy(env.observation_space, 4, "linear", 4, heads=False, h0=[1, 0, 0, 0],
                             rng=np.random.default_rng(0), dtype="float64")  # fmt: skip
    policy.net.load_state_dict(
        {"weight_ih_l0": hand_set.W, "weight_hh_l0": hand_set.U, "bias_ih_l0": hand_set.b, "bias_hh_l0": np.zeros(4)}
    )
    assert evaluate(env, policy, episodes=1, seed=0).successes.all()
    assert counterexample(policy, max_length=8) is None
    assert (
        extract_automaton(policy, load_maze("sheet38")).nodes
        == extract_automaton(path_follower(), load_maze("sheet38")).nodes
    )
    agent = policy.as_rnn()
    assert isinstance(agent, RNNAgent)
    assert isinstance(agent.rnn, LinearRNN)
    assert (agent.rnn.U == hand_set.U).all()
    assert (agent.rnn.h0 == [1, 0, 0, 0]).all()
    with pytest.raises(ValueError, match="only a policy with cell"):
        policy_for(env).as_rnn()


def test_actions_are_drawn_by_their_probabilities() -> None:
    logits = np.array([[0.0, 1.0, -2.0, 3.0]])
    rng = np.random.default_rng(0)
    counts = np.bincount(drawn(np.repeat(logits, 100_000, axis=0), rng), minlength=4) / 100_000
    np.testing.assert_allclose(counts, softmax(logits)[0], atol=0.005)
    env = gymnasium.make("mazegrad/FourRooms-v0", time_limit=30)
    policy = policy_for(env)
    walks = [rollout(env, policy.sampling(np.random.default_rng(seed)), seed=0).actions.tolist() for seed in (0, 0, 1)]
    assert walks[0] == walks[1] != walks[2]
    assert policy.probabilities(env.reset(seed=0)[0], policy.initial_state()).sum() == pytest.approx(1)


# ----------------------------------------------------------------------------------------------------------- as a file
@pytest.mark.parametrize("cell", CELLS)
def test_a_file_holds_the_same_policy(cell: str, tmp_path: Path) -> None:
    env = gymnasium.make("mazegrad/FourRooms-v0", observation="view", time_limit=30)
    policy = policy_for(env, cell=cell, previous_action=True, layers=2)
    policy.save(tmp_path / "policy.npz")
    same = RecurrentPolicy.load(tmp_path / "policy.npz")
    assert same.settings().keys() == policy.settings().keys()
    assert rollout(env, same, seed=0).actions.tolist() == rollout(env, policy, seed=0).actions.tolist()


def test_a_file_keeps_what_the_critic_says(tmp_path: Path) -> None:
    env = gymnasium.make("mazegrad/FourRooms-v0", time_limit=30)
    policy = policy_for(env)
    observation, before = env.reset(seed=0)[0], policy.initial_state()
    says = policy.value(observation, before)
    policy.rescale(3.0, 0.5)
    assert policy.value(observation, before) == pytest.approx(says, abs=1e-5)
    policy.save(tmp_path / "policy.npz")
    assert RecurrentPolicy.load(tmp_path / "policy.npz").value(observation, before) == pytest.approx(says, abs=1e-5)


def test_a_file_that_is_not_a_policy_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.npz"
    policy = policy_for(gymnasium.make("mazegrad/FourRooms-v0"))
    np.savez(path, W=np.eye(4))
    with pytest.raises(ValueError, match=r"x\.npz holds no policy"):
        RecurrentPolicy.load(path)
    path.write_text("hello")
    with pytest.raises(ValueError, match=r"x\.npz is not a whole npz"):
        RecurrentPolicy.load(path)
    with pytest.raises(FileNotFoundError):
        RecurrentPolicy.load(tmp_path / "nothing.npz")
    wrong: list[dict[str, Any]] = [
        {"hidden": 10**9}, {"layers": 10**9}, {"cell": "elman"}, {"actions": "4"}, {"encoder": {}}, {"dtype": "int8"},
        {"h0": np.zeros(3)}, {"surprise": 1}, {"value_scale": [0.0]}, {"value_scale": [0.0, -1.0]},
        {"value_scale": [float("nan"), 1.0]},
    ]  # fmt: skip
    for change in wrong:
        nn.save(path, format="mazegrad policy 1", settings=policy.settings() | change, weights=policy)
        with pytest.raises(ValueError, match="holds a damaged policy"):
            pytest.fail(f"{change} was taken: {RecurrentPolicy.load(path)}")
    nan = {name: array * np.nan for name, array in policy.state_dict().items()}
    nn.save(path, format="mazegrad policy 1", settings=policy.settings(), weights=nan)
    with pytest.raises(ValueError, match="NaN or infinity"):
        RecurrentPolicy.load(path)


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"cell": "gruu"}, "unknown cell 'gruu'; did you mean 'gru'"),
        ({"hidden": 0}, "hidden must be an integer >= 1, not 0"),
        ({"heads": False}, "each hidden unit is an action: 4 of them, not 8"),
        ({"h0": [1, 2]}, r"h0 holds 2 numbers of shape \(2,\), expected 1 x \(1, 8\)"),
        ({"cell": "none", "h0": [1]}, "no memory"),
        ({"cell": "lstm", "keeps": 2}, "keeps must be an integer >= 3, not 2"),
        ({"cell": "rnn", "keeps": 9}, 'keeps= sets gates: it needs cell="lstm" or cell="gru"'),
    ],
)
def test_bad_settings_are_refused(keywords: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        policy_for(gymnasium.make("mazegrad/FourRooms-v0"), **keywords)


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_gates_keep_at_first_for_as_long_as_asked(cell: str) -> None:
    """A unit that is set and then left alone is still there after many steps only if its gate keeps."""

    def left(keeps: int | None) -> np.ndarray:
        rng = np.random.default_rng(0)
        policy = RecurrentPolicy(spaces.MultiBinary(4), 4, cell, 32, keeps=keeps, rng=rng, dtype="float64")
        for name, weight in policy.net.named_parameters():
            if name.startswith("weight"):
                weight.assign(np.zeros(weight.shape))  # gates say what their biases say
        _, _, after = policy(np.zeros((100, 1, 4)), tuple(np.ones((1, 1, 32)) for _ in policy.begin(1)))
        return np.array(after[-1]).ravel()

    assert left(None).max() < 0.01
    assert np.isclose(left(1000), np.exp(-100 / 1000), atol=0.1).any(), "the longest keep for about 1,000 steps"
    assert left(3).max() < 0.01


def test_bad_input_is_refused() -> None:
    policy = policy_for(gymnasium.make("mazegrad/FourRooms-v0"), previous_action=True)
    with pytest.raises(ValueError, match="the observation has shape"):
        policy.act(np.zeros(3), policy.initial_state())
    with pytest.raises(ValueError, match="does not belong to 2 observations"):
        policy.act(np.zeros((2, 4)), policy.initial_state(3))
    with pytest.raises(ValueError, match="sees its previous action"):
        policy.inputs(np.zeros(4))
    with pytest.raises(ValueError, match="discrete actions"):
        RecurrentPolicy(spaces.MultiBinary(4), spaces.Box(0, 1), rng=np.random.default_rng(0))


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_gates_are_those_that_make_the_next_state(cell: str, layers: int) -> None:
    policy = RecurrentPolicy(
        spaces.MultiBinary(4), 4, cell, 5, layers, previous_action=True, rng=np.random.default_rng(3)
    )
    state = policy.initial_state()
    for seen in np.random.default_rng(4).integers(0, 2, (4, 4)):
        gates = policy.gates(seen, state)
        before, (_, state) = policy.units(state).reshape(-1, layers, 5)[:, -1], policy.act(seen, state)
        after = policy.units(state).reshape(-1, layers, 5)[:, -1]
        assert all(gate.shape == (5,) and (gate > 0).all() and (gate < 1).all() for gate in gates.values())
        if cell == "lstm":
            assert list(gates) == ["input", "forget", "output"]
            assert np.allclose(after[0], gates["output"] * np.tanh(after[1]), atol=1e-6)
            new = (after[1] - gates["forget"] * before[1]) / gates["input"]
        else:
            assert list(gates) == ["reset", "update"]
            new = (after[0] - gates["update"] * before[0]) / (1 - gates["update"])
        assert (np.abs(new) <= 1 + 1e-4).all(), "a tanh"
    assert (
        RecurrentPolicy(spaces.MultiBinary(4), 4, "rnn", 5, rng=np.random.default_rng(3)).gates(seen, np.zeros((1, 5)))
        == {}
    )


def test_the_value_is_on_the_scale_of_rewards_also_from_a_file(tmp_path: Path) -> None:
    env = gymnasium.make_vec("mazegrad/CliffWalk-v0", num_envs=8, observation="index", time_limit=40)
    learner = PPO(env, segment=16, rng=np.random.default_rng(0))
    learner.train(1_000)
    policy, seen = learner.policy, 36
    assert learner.scale is not None and learner.scale.mean_and_std != (0, 1)
    said = policy.think(policy.inputs(np.array([seen]), np.array([-1])), policy.begin(1)).values
    value = policy.value(seen, policy.initial_state())
    assert value == pytest.approx(float(learner.scale.undone(said)[0]))
    learner.save(tmp_path / "cliff.npz")
    assert RecurrentPolicy.load(tmp_path / "cliff.npz").value(seen, policy.initial_state()) == pytest.approx(value)
    assert PPO.load(tmp_path / "cliff.npz", env).policy.value(seen, policy.initial_state()) == pytest.approx(value)
    bare = RecurrentPolicy(spaces.MultiBinary(4), 4, "rnn", 4, heads=False, rng=np.random.default_rng(0))
    assert bare.value(np.ones(4), bare.initial_state()) is None
