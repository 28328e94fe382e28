"""Trained nets as agents: the hand-set net of exercise 38 is a linear `nn.RNN`, and others walk as they compute."""

import gymnasium
import numpy as np
import pytest

from mazegrad import nn
from mazegrad.agents import (
    EXCHANGE,
    LinearRNN,
    RecurrentAgent,
    RNNAgent,
    evaluate,
    path_follower,
    rollout,
)

J = EXCHANGE
NETS = {
    "(I - J) / 2": path_follower().rnn,
    "-J": LinearRNN(np.eye(4), -J, np.zeros(4), [1, 0, 0, 0]),
    "-J / 2, b": LinearRNN(np.eye(4), -J / 2, np.array([0.25, 0, 0, -0.25]), [0, 1, 0, 0]),
}


def loaded(rnn: LinearRNN, **keywords: bool) -> RecurrentAgent:
    """W, U, b as the weights of a linear `nn.RNN`."""
    net = nn.RNN(4, 4, nonlinearity="linear", dtype=np.float64, **keywords)
    net.load_state_dict(
        {"weight_ih_l0": rnn.W, "weight_hh_l0": rnn.U, "bias_ih_l0": rnn.b, "bias_hh_l0": np.zeros_like(rnn.b)}
    )
    return RecurrentAgent(net, h0=rnn.h0[None])


@pytest.mark.parametrize("name", NETS)
@pytest.mark.parametrize("maze", ["sheet38", "long_way", "spiral", "loop"])
def test_a_hand_set_net_loaded_into_nn_walks_the_same(name: str, maze: str) -> None:
    """Bit for bit: every number of these walks is a small multiple of a power of two."""
    env = gymnasium.make("mazegrad/PathFollow-v0", maze=maze, max_episode_steps=300)
    by_hand = rollout(env, RNNAgent(NETS[name]), seed=0)
    by_nn = rollout(env, loaded(NETS[name]), seed=0)
    assert by_nn.actions.tolist() == by_hand.actions.tolist()
    assert len(by_nn.actions) > 10
    assert all((mine[0] == theirs).all() for mine, theirs in zip(by_nn.states, by_hand.states, strict=True))


def test_the_sequence_is_the_walk() -> None:
    """What was seen, given to the layer at once, gives the hidden states of the walk."""
    walk = rollout(gymnasium.make("mazegrad/PathFollow-v0"), path_follower(), seed=0)
    net = loaded(path_follower().rnn).net
    seen = np.array(walk.observations[:-1], dtype=np.float64)[:, None]
    output, last = net(seen, walk.states[0][None, None])
    assert (output.data[:, 0] == np.array(walk.states[1:])).all()
    assert (last.data[0, 0] == walk.states[-1]).all()


@pytest.mark.parametrize("kind", [nn.RNN, nn.LSTM, nn.GRU])
@pytest.mark.parametrize("batch_first", [False, True])
def test_step_by_step_is_the_whole_sequence(kind: type, batch_first: bool) -> None:
    rng = np.random.default_rng(0)
    net = kind(3, 5, num_layers=2, batch_first=batch_first, rng=rng, dtype=np.float64)
    readout = nn.Linear(5, 7, rng=rng, dtype=np.float64)
    agent, seen = RecurrentAgent(net, readout), rng.normal(size=(9, 4, 3))
    output, _ = net(seen.swapaxes(0, 1) if batch_first else seen)
    expected = readout(output).argmax(-1)
    state = agent.initial_state(4)
    for t, x in enumerate(seen):
        actions, state = agent.act(x, state)
        assert actions.tolist() == (expected[:, t] if batch_first else expected[t]).tolist()


def test_it_learns_with_its_net_and_encodes() -> None:
    """One-hot cells to actions: by imitation of one walk the agent comes to walk it, in one lane and in several."""
    env = gymnasium.make("mazegrad/FourRooms-v0", observation="index", info=("optimal_action",))
    count, rng = int(env.observation_space.n), np.random.default_rng(0)
    net, readout = nn.GRU(count, 16, rng=rng), nn.Linear(16, 4, rng=rng)
    agent = RecurrentAgent(net, readout, encode=lambda index: np.eye(count)[index])
    assert not evaluate(env, agent, episodes=1, seed=0).successes.any()
    observation, info = env.reset(seed=0)
    seen, done, over = [], [], False
    while not over:
        seen.append(observation)
        done.append(info["optimal_action"])
        observation, _, over, _, info = env.step(done[-1])
    x = np.eye(count, dtype=np.float32)[seen][:, None]
    optimizer = nn.Adam([*net.parameters(), *readout.parameters()], lr=1e-2)
    for _ in range(60):
        optimizer.zero_grad()
        nn.cross_entropy(readout(net(x)[0][:, 0]), np.array(done)).backward()
        optimizer.step()
    assert evaluate(env, agent, episodes=1, seed=0).lengths.tolist() == [len(done)]
    envs = gymnasium.make_vec("mazegrad/FourRooms-v0", num_envs=3, observation="index")
    assert evaluate(envs, agent, episodes=3, seed=0).successes.all()


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="must not be bidirectional"):
        RecurrentAgent(nn.GRU(4, 4, bidirectional=True))
    with pytest.raises(ValueError, match=r"h0 must be an array of the shape \(1, 4\), .* not \(4,\)"):
        RecurrentAgent(nn.RNN(4, 4), h0=np.zeros(4))
    with pytest.raises(ValueError, match=r"h0 must be a pair of arrays of the shape \(1, 4\)"):
        RecurrentAgent(nn.LSTM(4, 4), h0=[np.zeros((1, 4))])
    agent = RecurrentAgent(nn.LSTM(4, 4))
    for seen, state in ((np.zeros(3), agent.initial_state()), (np.zeros((2, 4)), agent.initial_state(3))):
        with pytest.raises(ValueError, match="the observation must have the shape"):
            agent.act(seen, state)
