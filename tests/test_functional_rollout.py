"""Rollouts of the functional engine: the same as step after step, and agents do in them what they do elsewhere."""

import contextlib
import functools
import os

import gymnasium
import numpy as np
import pytest

from mazegrad.agents import (
    RecurrentAgent,
    WallFollower,
    agent_value,
    compile_automaton,
    evaluate,
    path_follower,
    t_maze_automaton,
    wall_follower_automaton,
    wall_follower_rnn,
)
from mazegrad.agents.functional import policy_of
from mazegrad.envs import Maze, World, functional, load_maze
from mazegrad.envs.functional import graph
from mazegrad.envs.functional.namespace import namespace
from mazegrad.envs.functional.stepping import like
from mazegrad.nn import GRU, LSTM, RNN, Linear, ReLU, Sequential

from test_functional import MODULES, PURE, as_numpy, using

# a CPU is several devices of JAX, for shards; it reads this when it is first used
os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} --xla_force_host_platform_device_count=3"

LANES = 6
MAZE = "S..\n.#.\n..G\n"
T_MAZE = "mazegrad/TMaze-v0"


@pytest.fixture(params=MODULES)
def xp(request):
    with using(request.param) as (xp, _):
        yield xp


def nets():
    rng = np.random.default_rng(0)
    return {
        "rnn": RecurrentAgent(RNN(4, 5, leak=0.7, rng=rng), Linear(5, 4, rng=rng)),
        "relu": RecurrentAgent(RNN(4, 4, nonlinearity="relu", bias=False, rng=rng)),
        "lstm": RecurrentAgent(LSTM(4, 5, num_layers=2, rng=rng), Linear(5, 4, rng=rng)),
        "gru": RecurrentAgent(GRU(4, 5, rng=rng), Sequential(Linear(5, 6, rng=rng), ReLU(), Linear(6, 4, rng=rng))),
    }


AGENTS = {
    "path follower": path_follower,
    "wall follower": wall_follower_rnn,
    "left hand": lambda: wall_follower_rnn("left"),
    "automaton": wall_follower_automaton,
    "compiled": lambda: compile_automaton(wall_follower_automaton()),
    "T-maze": t_maze_automaton,
    **{name: lambda name=name: nets()[name] for name in ("rnn", "relu", "lstm", "gru")},
}


@pytest.mark.parametrize("mode", ["NextStep", "SameStep", "Disabled"])
def test_a_rollout_is_step_after_step(xp, mode):
    info = ("state", "success")
    tables = functional.tables(MAZE, xp=xp, slip=0.2, time_limit=20, autoreset_mode=mode, info=info)
    seen, state = functional.reset(tables, functional.keys(tables, 4, LANES))
    actions = like(tables, np.random.default_rng(0).integers(0, 4, (60, LANES)))
    happened, last, _ = functional.rollout(tables, actions, state, 60)
    episodes, also, _ = functional.rollout(tables, actions, state, 60, keep="episodes")
    half, middle, _ = functional.rollout(tables, actions[:30, ...], state, 30, keep="episodes")
    halves, _, _ = functional.rollout(tables, actions[30:, ...], middle, 30, keep="episodes", before=half)
    returns, lengths, count, wins = np.zeros((4, LANES))
    earned, made, begun = np.zeros(LANES), np.zeros(LANES), np.zeros(LANES, dtype=bool)
    for time in range(60):
        assert (as_numpy(happened.observation[time, ...]) == as_numpy(seen)).all()
        seen, state, reward, terminated, truncated, told = functional.step(tables, state, actions[time, ...])
        for one, other in (
            (happened.reward, reward),
            (happened.terminated, terminated),
            (happened.truncated, truncated),
        ):
            assert (as_numpy(one[time, ...]) == as_numpy(other)).all()
        assert (as_numpy(happened.info["state"][time, ...]) == as_numpy(told["state"])).all()
        over = as_numpy(terminated) | as_numpy(truncated)
        earned += as_numpy(reward)
        made += ~begun
        returns[over], lengths[over] = earned[over], made[over]
        count += over
        final = told["final_info"] if mode == "SameStep" else told
        wins += over & as_numpy(final["success"])
        begun = over if mode == "NextStep" else begun | over if mode == "Disabled" else begun
    assert count.sum() >= LANES and wins.any()
    for one, other in zip(last, also, strict=True):
        assert one is other is None or (as_numpy(one) == as_numpy(other)).all()
    for found in (episodes, halves):
        for one, other in zip(found[:4], (returns, lengths, count, wins), strict=True):
            assert (as_numpy(one) == other).all()


@pytest.mark.parametrize("agent", AGENTS)
def test_agents_do_what_they_do_elsewhere(xp, agent):
    agent, steps = AGENTS[agent](), 40
    keywords = {"corridor": 3, "time_limit": 12, "autoreset_mode": "SameStep"}
    env = gymnasium.make_vec(T_MAZE, num_envs=LANES, **keywords)
    tables = functional.tables(T_MAZE, xp=xp, **keywords)
    seen, _ = env.reset(seed=2)
    _, begin = functional.reset(tables, functional.keys(tables, 2, LANES))
    happened, _, _ = functional.rollout(tables, policy_of(agent, tables, LANES), begin, steps)
    state = agent.initial_state(LANES)
    for time in range(steps):
        assert (as_numpy(happened.observation[time, ...]) == seen).all()
        action, state = agent.act(seen, state)
        assert (as_numpy(happened.action[time, ...]) == action).all()
        seen, reward, terminated, truncated, _ = env.step(action)
        assert (as_numpy(happened.reward[time, ...]) == reward).all()
        state = renewed(agent, state, terminated | truncated)


def renewed(agent, state, over):
    """Return the state of an agent that begins anew in some lanes."""
    fresh = agent.initial_state(LANES)
    if isinstance(state, tuple):
        return tuple(renewed_part(one, other, over) for one, other in zip(fresh, state, strict=True))
    return renewed_part(fresh, state, over)


def renewed_part(fresh, state, over):
    return np.where(over.reshape(-1, *[1] * (fresh.ndim - 1)), fresh, state)


def test_a_function_is_a_policy_too(xp):
    tables = functional.tables("mazegrad/FourRooms-v0", xp=xp)
    _, state = functional.reset(tables, functional.keys(tables, 0, LANES))
    begin = state.at * 0

    def turning(seen, hidden):
        return hidden % 4, hidden + 1

    happened, state, hidden = functional.rollout(tables, turning, state, 7, hidden=begin)
    assert (as_numpy(happened.action) == np.arange(7)[:, None] % 4).all() and (as_numpy(hidden) == 7).all()


def test_a_policy_of_nan_is_harmless(xp):
    """Its actions are some, or not of this environment: then agents stay. The lanes beside it go on as they did."""
    tables = functional.tables("mazegrad/FourRooms-v0", xp=xp, observation="position", time_limit=30)
    _, state = functional.reset(tables, functional.keys(tables, 0, LANES))
    spoiled = np.arange(LANES) % 2 == 1

    def act(weights, seen, hidden):  # the number of the best action, and a nan where weights are
        xp = namespace(weights)
        scores = xp.astype(seen[:, :1], weights.dtype) * 0 + weights
        best = xp.astype(xp.argmax(scores, axis=1), xp.int32)
        return xp.where(xp.isnan(scores[:, 0]), 99, best), hidden

    found = []
    for bad in (np.nan, 0.0):
        weights = np.where(spoiled[:, None], bad, np.random.default_rng(0).normal(size=(LANES, 4)))
        policy = functional.Policy(act, like(tables, weights), None)
        steps, last, _ = functional.rollout(tables, policy, state, 40)
        assert as_numpy(steps.truncated[29, ...]).all() or as_numpy(steps.terminated).any()
        found.append([as_numpy(part) for part in (steps.observation, steps.reward, steps.terminated, last.at)])
    for one, other in zip(*found, strict=True):
        assert (one[..., ~spoiled, :] == other[..., ~spoiled, :]).all() if one.ndim == 3 else True
    seen, reward, *_ = found[0]
    assert (seen[:30, spoiled] == seen[0, spoiled]).all() and not reward[:, spoiled].any()  # they stay


@pytest.mark.parametrize("keep", ["everything", "episodes"])
@pytest.mark.parametrize("name", ["mazegrad/FourRooms-v0", "mazegrad/Maze-v0"])
@pytest.mark.parametrize("xp", ["numpy", "jax"], indirect=True)
def test_shards_change_nothing(xp, name, keep):
    keywords = {"size": (2, 2)} if name.endswith("/Maze-v0") else {}
    tables = functional.tables(name, xp=xp, slip=0.2, time_limit=15, **keywords)
    _, state = functional.reset(tables, functional.keys(tables, 1, 12))
    given = like(tables, np.random.default_rng(0).integers(0, 4, (40, 12)))
    for policy in (given, policy_of(wall_follower_rnn(), tables, 12)):
        whole, parts = (functional.rollout(tables, policy, state, 40, keep=keep, shards=count) for count in (1, 3))
        # which mazes were made ahead, for all that have room when one is missing, may differ
        whole, parts = ((happened, last._replace(mazes=None), hidden) for happened, last, hidden in (whole, parts))
        for one, other in zip(arrays(whole), arrays(parts), strict=True):
            assert one.dtype == other.dtype and (as_numpy(one) == as_numpy(other)).all()


def played(torch, monkeypatch):
    """Make torch record on a CPU what it would record on a GPU: operations on tensors, played again with the same."""
    from torch.utils._python_dispatch import TorchDispatchMode

    class Tape(TorchDispatchMode):
        """A graph that is also its recording."""

        tapes = []  # noqa: RUF012

        def __init__(self):
            super().__init__()
            self.calls, self.times = [], 0
            self.tapes.append(self)

        def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
            # no number may go to the host, and no array come from there
            if any(name in str(operation) for name in ("_local_scalar_dense", "lift_fresh", "nonzero")):
                raise RuntimeError("operation not permitted when stream is capturing")
            # what is recorded does not happen yet
            out = args[0] if operation._schema.is_mutable else operation(*args, **(kwargs or {}))
            self.calls.append((operation, args, kwargs or {}, out))
            return out

        def replay(self):
            self.times += 1
            for operation, args, kwargs, out in self.calls:
                again = operation(*args, **kwargs)
                for old, new in zip(*([x] if isinstance(x, torch.Tensor) else x for x in (out, again)), strict=True):
                    if old.data_ptr() != new.data_ptr():
                        old.copy_(new)

    monkeypatch.setattr(torch.cuda, "CUDAGraph", Tape)
    monkeypatch.setattr(torch.cuda, "graph", lambda tape: tape)
    for name in ("device", "stream", "current_stream"):
        monkeypatch.setattr(torch.cuda, name, lambda *given: contextlib.nullcontext())
    monkeypatch.setattr(graph, "on_cuda", lambda array: True)
    return Tape.tapes


@pytest.mark.parametrize("mode", ["NextStep", "SameStep", "Disabled"])
@pytest.mark.parametrize("keep", ["everything", "episodes"])
@pytest.mark.parametrize("policy", ["actions", "path follower", "compiled", "T-maze", "lstm"])
def test_the_graph_that_a_gpu_would_replay_is_the_loop(policy, keep, mode, monkeypatch):
    with using("torch"):
        import torch

        info = ("success",)
        keywords = {"slip": 0.2, "time_limit": 9, "autoreset_mode": mode, "info": info, "dots_error": 0.1}
        tables = functional.tables(MAZE.replace("S..", "SSS"), xp="torch", **keywords)
        _, state = functional.reset(tables, functional.keys(tables, 4, LANES))
        given = like(tables, np.random.default_rng(0).integers(0, 4, (40, LANES)))
        acts = given if policy == "actions" else policy_of(AGENTS[policy](), tables, LANES)
        run = functools.partial(functional.rollout, tables, acts, state, 40, keep=keep, discount=0.9)
        expected = run()
        tapes = played(torch, monkeypatch)
        found = run()
        assert len(tapes) == 1 and tapes[0].times == 39
        for one, other in zip(arrays(expected), arrays(found), strict=True):
            assert one.dtype == other.dtype and torch.equal(one, other)


@pytest.mark.parametrize("why", ["the host is asked", "the hidden state grows"])
def test_what_cannot_be_recorded_goes_on_with_a_warning(why, monkeypatch):
    with using("torch"):
        import torch

        def act(parameters, seen, hidden):
            if why == "the host is asked":
                return seen[:, 0] * 0 + int(hidden.sum()) % 4, hidden + 1
            return hidden.shape[1] + seen[:, 0] * 0, torch.cat([hidden, hidden], dim=1)[:, : 1 + hidden.shape[1] % 3]

        tables = functional.tables("mazegrad/FourRooms-v0", xp="torch", autoreset_mode="SameStep")
        _, state = functional.reset(tables, functional.keys(tables, 4, LANES))
        hidden = torch.zeros((LANES, 1), dtype=torch.int64)
        policy = functional.Policy(act, None, None)
        expected = functional.rollout(tables, policy, state, 12, hidden=hidden)
        tapes = played(torch, monkeypatch)
        with pytest.warns(UserWarning, match="cannot be recorded as a CUDA graph"):
            found = functional.rollout(tables, policy, state, 12, hidden=hidden)
        assert len(tapes) == 1 and tapes[0].times == 0
        assert all(torch.equal(one, other) for one, other in zip(arrays(expected), arrays(found), strict=True))


def test_what_cannot_be_recorded_is_a_loop(monkeypatch):
    with using("torch"):
        import torch

        tapes = played(torch, monkeypatch)
        tables = functional.tables(MAZE, xp="torch")
        _, state = functional.reset(tables, functional.keys(tables, 4, LANES))

        functional.rollout(tables, lambda seen, hidden: (seen[:, 0] * 0, hidden), state, 20)  # it may do anything
        learned = torch.ones((4, 4), dtype=torch.int64).float().requires_grad_()
        policy = functional.Policy(lambda w, seen, hidden: ((seen.float() @ w).argmax(1), hidden), learned, None)
        functional.rollout(tables, policy, state, 20)
        fresh = functional.tables("mazegrad/Maze-v0", xp="torch", size=(2, 2))
        _, begin = functional.reset(fresh, functional.keys(fresh, 4, LANES))
        functional.rollout(fresh, like(fresh, np.zeros((20, LANES), dtype=int)), begin, 20)
        functional.rollout(tables, like(tables, np.zeros((3, LANES), dtype=int)), state, 3)  # too few
        assert not tapes


def arrays(tree):
    """Return the arrays in tuples and dicts."""
    if tree is None:
        return []
    if isinstance(tree, tuple | list | dict):
        return [array for part in (tree.values() if isinstance(tree, dict) else tree) for array in arrays(part)]
    return [tree]


@pytest.mark.parametrize("hidden", ["from the start", "gone on with"])
@pytest.mark.parametrize("shards", [1, 2])
def test_many_lanes_are_walked_as_few_are(shards, hidden):
    lanes, keywords = 20_000, {"slip": 0.2, "time_limit": 7, "info": ("success",)}
    found = {}
    with using("jax"):
        for library in ("numpy", "jax"):
            tables = functional.tables(MAZE, xp=library, **keywords)
            _, state = functional.reset(tables, functional.keys(tables, 1, lanes))
            actions = like(tables, np.random.default_rng(0).integers(-1, 4, (12, lanes)))
            found[library] = []
            for policy in (actions, policy_of(wall_follower_rnn(), tables, lanes)):
                run = functools.partial(functional.rollout, tables, policy, keep="episodes", shards=shards)
                got = run(state, 12)
                if hidden == "gone on with":
                    got = run(got[1], 12, hidden=got[2], before=got[0])
                found[library] += arrays(got)
    assert found["numpy"][3].sum() > 100  # goals that were reached
    for one, other in zip(found["numpy"], found["jax"], strict=True):
        assert (one == as_numpy(other)).all()


def test_a_rollout_can_be_compiled_with_what_is_around_it():
    with using("jax") as (xp, compiled):
        import jax

        tables = functional.tables(MAZE, xp=xp, time_limit=7)
        _, state = functional.reset(tables, functional.keys(tables, 1, 20_000))
        run = functools.partial(functional.rollout, steps=9, keep="episodes")
        policy = policy_of(path_follower(), tables, 20_000)
        expected = run(tables, policy, state)
        found = compiled(lambda state: run(tables, policy, state))(state)
        for one, other in zip(jax.tree.leaves(expected), jax.tree.leaves(found), strict=True):
            assert (one == other).all()


def test_lanes_stay_divided_over_devices():
    with using("jax") as (xp, _):
        import jax

        tables = functional.tables("mazegrad/FourRooms-v0", xp=xp)
        _, state = functional.reset(tables, functional.keys(tables, 1, 12))
        policy, hidden = policy_of(wall_follower_rnn(), tables, 12), None
        with jax.transfer_guard_host_to_device("allow"):
            for _ in range(2):
                steps, state, hidden = functional.rollout(tables, policy, state, 5, hidden=hidden, shards=3)
        expected, *_ = functional.rollout(tables, policy, state, 5, hidden=hidden, shards=1)
        steps, state, hidden = functional.rollout(tables, policy, state, 5, hidden=hidden)
        assert (as_numpy(steps.action) == as_numpy(expected.action)).all()
        assert len(expected.action.devices()) == 1
        for array in jax.tree.leaves((state, hidden)):
            assert {part.data.shape[0] for part in array.addressable_shards} == {4}
            assert len({part.device for part in array.addressable_shards}) == 3
        assert all(part.data.shape[:2] == (5, 4) for part in steps.observation.addressable_shards)


def test_shards_that_cannot_be_are_said():
    with using("jax") as (xp, _):
        import jax

        tables = functional.tables("mazegrad/FourRooms-v0", xp=xp)
        _, state = functional.reset(tables, functional.keys(tables, 0, LANES))
        with pytest.raises(ValueError, match="6 lanes cannot be divided into 4 shards"):
            functional.rollout(tables, np.zeros((3, LANES), dtype=int), state, 3, shards=4)
        with pytest.raises(ValueError, match="hidden state is by lane"):
            functional.rollout(tables, lambda seen, key: (seen, key), state, 3, hidden=jax.random.key(0), shards=2)
        with pytest.raises(ValueError, match=r"6 shards need as many devices, and JAX has 3; .*jax_num_cpu_devices"):
            functional.rollout(tables, np.zeros((3, LANES), dtype=int), state, 3, shards=6)


def test_what_rollout_cannot_take_is_said():
    tables = functional.tables("mazegrad/FourRooms-v0")
    _, state = functional.reset(tables, functional.keys(tables, 0, LANES))
    with pytest.raises(ValueError, match=r"shape \(3, 6\)"):
        functional.rollout(tables, np.zeros((4, LANES), dtype=int), state, 3)
    with pytest.raises(ValueError, match="unknown keep 'everythin'; did you mean 'everything'"):
        functional.rollout(tables, np.zeros((3, LANES), dtype=int), state, 3, keep="everythin")
    with pytest.raises(ValueError, match="the policy is for 5 lanes, and there are 6"):
        functional.rollout(tables, policy_of(path_follower(), tables, 5), state, 3)
    with pytest.raises(TypeError, match="not str"):
        functional.rollout(tables, "random", state, 3)
    with pytest.raises(TypeError, match="not WallFollower"):
        policy_of(WallFollower(), tables, 3)


WORLDS = {
    "levels": ("wall follower", "mazegrad/Maze-v0", {"size": (4, 4), "level_seeds": range(7)}),
    "new mazes": ("wall follower", "mazegrad/Maze-v0", {"size": (3, 3)}),
    "T": ("T-maze", T_MAZE, {}),
}


@pytest.mark.parametrize("engine", PURE)
@pytest.mark.parametrize("worlds", WORLDS)
def test_evaluate_on_an_engine_is_evaluate(engine, worlds):
    with using(engine):
        agent, name, keywords = WORLDS[worlds]
        for make in (
            lambda: gymnasium.make(name, **keywords),
            lambda: gymnasium.make_vec(name, num_envs=4, **keywords),
        ):
            agent_ = AGENTS[agent]()
            ours = evaluate(make(), agent_, 25, 3, engine=engine, discount=0.9)
            theirs = evaluate(make(), agent_, 25, 3, discount=0.9)
            assert (ours.lengths == theirs.lengths).all() and (ours.successes == theirs.successes).all()
            np.testing.assert_allclose(ours.returns, theirs.returns, rtol=1e-5)


@pytest.mark.parametrize("engine", PURE)
def test_the_value_of_an_agent_on_an_engine_is_its_value(engine):
    with using(engine):
        worlds = [World.compile(load_maze("four_rooms"), slip=0.3), World.compile(Maze.from_text("S..S\n.#..\n..GX\n"))]
        for agent in (wall_follower_rnn(), wall_follower_automaton()):
            ours = agent_value(worlds, agent, discount=0.9, episodes=40, seed=5, engine=engine)
            theirs = agent_value(worlds, agent, discount=0.9, episodes=40, seed=5)
            assert ours.episodes == theirs.episodes
            np.testing.assert_allclose(ours[:2], theirs[:2], rtol=1e-4)
        with pytest.raises(TypeError, match="not WallFollower"):
            agent_value(worlds, WallFollower(), engine=engine)
