"""Learners with nets: exact gradients and advantages, training that goes on exactly, small tasks that are learned."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest

from mazegrad import nn
from mazegrad.agents import certify_memory, evaluate
from mazegrad.agents.learners import PPO, DAgger, Experience, Learner, RecurrentPolicy, Reinforce, advantages
from mazegrad.agents.learners.cells import CELLS
from mazegrad.agents.learners.ppo import Batch, ValueScale, log_probability, ppo_loss
from mazegrad.agents.learners.training import at

LABELS = ("optimal_actions",)


def lanes(id: str = "FourRooms-v0", count: int = 4, **keywords: Any) -> Any:
    return gymnasium.make_vec(f"mazegrad/{id}", num_envs=count, **keywords)


def small(env: Any, cell: str = "gru", **keywords: Any) -> RecurrentPolicy:
    return RecurrentPolicy(
        env.single_observation_space, env.single_action_space, cell, 8, rng=np.random.default_rng(0), **keywords
    )


def learner_of(kind: type[Learner], seed: int = 0, **keywords: Any) -> Learner:
    """A small one, in fresh mazes with short episodes."""
    env = lanes("Maze-v0", size=(2, 2), time_limit=9, info=LABELS)
    policy = keywords.pop("policy", None) or small(env, "lstm", previous_action=True)
    return kind(env, policy, segment=7, rng=np.random.default_rng(seed), **keywords)


KINDS: dict[str, Callable[..., Learner]] = {
    "ppo": lambda **keywords: learner_of(PPO, minibatches=2, **keywords),
    "reinforce": lambda **keywords: learner_of(Reinforce, **keywords),
    "dagger": lambda **keywords: learner_of(DAgger, minibatches=2, memory=2, expert_share=0.5, **keywords),
}
every_kind = pytest.mark.parametrize("kind", KINDS)


def weights(learner: Learner) -> list[np.ndarray]:
    return list(learner.policy.state_dict().values())


# ---------------------------------------------------------------------------------------------------------- experience
def test_experience_tells_episodes_apart() -> None:
    learner = learner_of(DAgger, minibatches=1)
    rng = np.random.default_rng(0)
    seen = learner.lanes.collect(60, lambda logits, info: rng.integers(0, 4, len(logits)))
    over = seen.terminated | seen.truncated
    assert over.any(axis=0).all()
    assert (seen.live[1:] == ~over[:-1]).all(), "the step after the last only resets"
    assert (seen.begins[2:] == over[:-2]).all()
    assert seen.begins[0].all()
    assert ((seen.previous == -1) == seen.begins).all()
    kept = ~seen.begins[1:]
    assert (seen.previous[1:][kept] == seen.actions[:-1][kept]).all()
    assert (seen.labels.any(axis=2) | ~seen.live).all(), "an expert speaks at every step that counts"
    episodes = learner.lanes.take_finished()
    assert len(episodes.returns) == over.sum()
    assert max(episodes.lengths) == 9
    assert np.mean(episodes.successes) == pytest.approx(seen.terminated.sum() / over.sum())
    assert not learner.lanes.take_finished().returns


def made_up(rng: np.random.Generator, times: int = 12, count: int = 3) -> Experience:
    """Rewards and ends at random, with the step that resets after each end."""
    over = rng.random((times, count)) < 0.25
    live = np.ones((times, count), dtype=bool)
    for t in range(1, times):
        live[t] = ~over[t - 1]
        over[t] &= live[t]
    terminated = over & (rng.random(over.shape) < 0.5)
    begins = np.zeros_like(over)
    begins[2:] = over[:-2]
    actions = rng.integers(0, 4, (times, count))
    return Experience(
        observations=rng.integers(0, 2, (times, count, 4)).astype(np.int8),
        previous=np.where(begins, -1, rng.integers(0, 4, (times, count))),
        begins=begins,
        live=live,
        actions=actions,
        rewards=rng.normal(size=(times, count)) * live,
        terminated=terminated,
        truncated=over & ~terminated,
        logits=rng.normal(size=(times, count, 4)),
        values=rng.normal(size=(times + 1, count)),
        labels=np.zeros((times, count, 0), dtype=bool),
        hidden=(),
    )


@pytest.mark.parametrize("smoothing", [0.0, 0.9, 1.0])
def test_advantages_are_their_definition(smoothing: float) -> None:
    """Step by step: temporal-difference errors, weighted, until the episode ends; a value for the rest."""
    seen, discount = made_up(np.random.default_rng(3)), 0.9
    found = advantages(seen, seen.values, discount, smoothing)
    for lane in range(3):
        for t in range(len(seen.rewards)):
            expected, weight = 0.0, 1.0
            for k in range(t, len(seen.rewards)):
                if not seen.live[t, lane]:
                    break
                rest = 0.0 if seen.terminated[k, lane] else seen.values[k + 1, lane]
                expected += weight * (seen.rewards[k, lane] + discount * rest - seen.values[k, lane])
                weight *= discount * smoothing
                if seen.terminated[k, lane] or seen.truncated[k, lane]:
                    break
            assert found[t, lane] == pytest.approx(expected)


@pytest.mark.parametrize(
    "train_on",
    [PPO, partial(PPO, normalise_values=False), Reinforce],
    ids=["PPO", "PPO without a scale", "Reinforce"],
)
def test_a_critic_that_is_trained_on_says_what_it_said(train_on: Callable[..., Learner], tmp_path: Path) -> None:
    """The rewards are 100, so a scale that is lost would show."""
    envs = gymnasium.make_vec("mazegrad/TMaze-v0", num_envs=8, corridor=2, rewards={"goal": 100, "trap": 90})
    first = PPO(envs, segment=16, rng=np.random.default_rng(0))
    first.train(steps=2000)
    first.save(tmp_path / "first.npz")
    policy = RecurrentPolicy.load(tmp_path / "first.npz")
    observation, state = envs.reset(seed=0)[0][0], policy.initial_state()
    says = policy.value(observation, state)
    assert says == pytest.approx(first.policy.value(observation, state))
    assert says > 10
    learner = train_on(envs, policy, learning_rate=1e-12, rng=np.random.default_rng(1))
    learner.train(steps=500)
    assert policy.value(observation, state) == pytest.approx(says, rel=1e-4)


# ----------------------------------------------------------------------------------------------------------- gradients
@pytest.mark.parametrize("cell", [cell for cell in CELLS if cell != "none"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_gradients_of_the_whole_ppo_loss_are_those_of_torch(cell: str, dtype: str) -> None:
    """Through both heads, the clipped surrogate, values, entropy, weights, and time with resets."""
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    seen = made_up(rng, times=20, count=5)
    policy = RecurrentPolicy(gymnasium.spaces.MultiBinary(4), 4, cell, 16, previous_action=True, rng=rng, dtype=dtype)
    hidden = tuple(rng.normal(size=part.shape).astype(dtype) for part in policy.begin(5))
    old = log_probability(seen.logits, seen.actions) + rng.normal(size=seen.actions.shape) * 0.3
    batch = Batch(
        seen.actions,
        *(part.astype(dtype) for part in (old, rng.normal(size=old.shape), rng.normal(size=old.shape))),
        (seen.live / seen.live.sum()).astype(dtype),
    )
    policy.heads.weight.assign(rng.normal(size=policy.heads.weight.shape))  # type: ignore[union-attr]
    x = policy.inputs(seen.observations, seen.previous)
    logits, values, _ = policy(x, hidden, seen.begins)
    losses = ppo_loss(logits, values, batch, clip=0.2, value_weight=0.7, entropy=0.05)
    losses.total.backward()

    kind = {"linear": "RNN", "rnn": "RNN", "gru": "GRU", "lstm": "LSTM"}[cell]
    net = getattr(torch.nn, kind)(x.shape[-1], 16, dtype=getattr(torch, dtype))
    w = {name: torch.tensor(p.data.copy(), requires_grad=True) for name, p in policy.named_parameters()}
    state = [torch.tensor(part[:, 0]) for part in hidden]
    outs = []
    for t in range(len(x)):  # torch's layers know no resets, and its RNN is never linear
        state = [torch.where(torch.tensor(seen.begins[t])[:, None], torch.zeros_like(part), part) for part in state]
        if cell == "linear":
            state = [
                torch.tensor(x[t]) @ w["net.weight_ih_l0"].T + w["net.bias_ih_l0"]
                + state[0] @ w["net.weight_hh_l0"].T + w["net.bias_hh_l0"]
            ]  # fmt: skip
        else:
            start = tuple(part[None] for part in state)
            inside = {name.removeprefix("net."): value for name, value in w.items() if name.startswith("net.")}
            _, after = torch.func.functional_call(
                net, inside, (torch.tensor(x[t : t + 1]), start if cell == "lstm" else start[0])
            )
            state = [part[0] for part in (after if cell == "lstm" else (after,))]
        outs.append(state[0])
    both = torch.stack(outs) @ w["heads.weight"].T + w["heads.bias"]
    actions, old_t, better, targets, weight = (torch.tensor(part) for part in batch)
    chosen = torch.distributions.Categorical(logits=both[..., :4])
    ratio = torch.exp(chosen.log_prob(actions) - old_t)
    surrogate = torch.minimum(ratio * better, torch.clamp(ratio, 0.8, 1.2) * better)
    value = (both[..., 4] - targets) ** 2
    total = ((0.7 * value - surrogate - 0.05 * chosen.entropy()) * weight).sum()
    total.backward()

    tolerance = 1e-5 if dtype == "float32" else 1e-10
    assert losses.total.item() == pytest.approx(total.item(), abs=tolerance)
    for name, parameter in policy.named_parameters():
        theirs = w[name].grad.numpy()
        assert np.abs(theirs).max() > 1e-4, "there is something to compare"
        np.testing.assert_allclose(parameter.grad, theirs, rtol=0, atol=tolerance * max(1, np.abs(theirs).max()))


def test_the_gradient_of_imitation_is_that_of_any_optimal_action() -> None:
    learner = learner_of(DAgger, minibatches=1, expert_share=1.0)
    seen = learner.lanes.collect(20, learner._choose)  # type: ignore[attr-defined]
    learner.loss(seen)[0].backward()  # type: ignore[attr-defined]
    policy = learner.policy
    found = [p.grad for p in policy.parameters()]
    policy.zero_grad()
    logits, _, _ = policy(policy.inputs(seen.observations, seen.previous), seen.hidden, seen.begins)
    told = seen.live & seen.labels.any(axis=2)
    likely = (nn.softmax(logits, -1) * seen.labels).sum(-1)
    (-(nn.log(nn.where(told, likely, 1.0))).sum() / told.sum()).backward()
    for mine, parameter in zip(found, policy.parameters(), strict=True):
        np.testing.assert_allclose(mine, parameter.grad, atol=1e-6)


# ---------------------------------------------------------------------------------------------------------- going on
@every_kind
@pytest.mark.parametrize("cell", ["lstm", "none"])
def test_stopped_and_resumed_is_never_stopped(kind: str, cell: str, tmp_path: Path) -> None:
    def begun() -> Learner:
        env = lanes("Maze-v0", size=(2, 2))
        return KINDS[kind](policy=small(env, cell, previous_action=True), seed=3)

    whole = begun()
    whole.train(200)
    part = begun()
    part.train(100)
    part.save(tmp_path / "x.npz")
    resumed = type(part).load(tmp_path / "x.npz")
    resumed.train(200 - part.steps)
    assert resumed.steps == whole.steps
    assert resumed.curve == whole.curve
    for mine, theirs in zip(weights(resumed), weights(whole), strict=True):
        np.testing.assert_array_equal(mine, theirs)
    again = RecurrentPolicy.load(tmp_path / "x.npz")
    assert again.cell == cell


@every_kind
def test_the_same_rng_learns_the_same_and_another_does_not(kind: str) -> None:
    one, same, other = (KINDS[kind](seed=seed) for seed in (1, 1, 2))
    for learner in (one, same, other):
        learner.train(60)
    assert all((a == b).all() for a, b in zip(weights(one), weights(same), strict=True))
    assert any((a != b).any() for a, b in zip(weights(one), weights(other), strict=True))


@pytest.mark.parametrize("times", [1, 2])
def test_ctrl_c_ends_after_an_update_and_all_is_whole(times: int, tmp_path: Path) -> None:
    """Also where it comes twice at once, as from `timeout -s INT`."""
    learner = KINDS["ppo"]()
    before = signal.getsignal(signal.SIGINT)

    def press(learner: Learner) -> None:
        if len(learner.curve) == 3:
            for _ in range(times):
                signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt, match="stopped after"):
        learner.train(10**9, press)
    assert signal.getsignal(signal.SIGINT) is before
    assert len(learner.curve) == 3
    learner.save(tmp_path / "x.npz")
    assert len(PPO.load(tmp_path / "x.npz").train(10)) == 4


def test_a_later_ctrl_c_ends_at_once() -> None:
    def press_twice(learner: Learner) -> None:
        signal.raise_signal(signal.SIGINT)
        time.sleep(0.6)
        signal.raise_signal(signal.SIGINT)
        raise AssertionError("goes on")

    with pytest.raises(KeyboardInterrupt, match=r"^$"):
        KINDS["ppo"]().train(10**9, press_twice)


def test_the_curve_counts_and_scores() -> None:
    learner = KINDS["ppo"]()
    assert np.isnan(learner.score())
    seen: list[int] = []
    curve = learner.train(150, lambda learner: seen.append(learner.steps))
    assert [row["steps"] for row in curve] == seen
    assert sum(row["episodes"] for row in curve) > 10
    assert 0 <= learner.score("success") <= 1
    assert learner.score("length") <= 9


def test_a_checkpoint_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.npz"
    learner = KINDS["ppo"]()
    learner.save(path)
    with pytest.raises(ValueError, match="is a checkpoint of 'ppo', not of 'dagger'"):
        DAgger.load(path)
    with pytest.raises(ValueError, match="not a state that get_state returned"):
        PPO.load(path, lanes("Maze-v0", size=(2, 2), count=9))
    learner.policy.save(path)
    with pytest.raises(ValueError, match="checkpoint of None"):
        PPO.load(path)
    saved = nn.load(path) | {"learner": "ppo", "learner_settings": {"surprise": 1}}
    nn.save(path, **saved)
    with pytest.raises(ValueError, match="is damaged"):
        PPO.load(path)


def test_an_environment_of_another_library_begins_anew(tmp_path: Path) -> None:
    learner = PPO(gymnasium.make_vec("CartPole-v1", 4), segment=8, rng=np.random.default_rng(0))
    learner.train(50)
    learner.save(tmp_path / "x.npz")
    with pytest.raises(ValueError, match=r"'CartPole-v1': make it"):
        PPO.load(tmp_path / "x.npz")
    again = PPO.load(tmp_path / "x.npz", gymnasium.make_vec("CartPole-v1", 4))
    again.train(50)
    assert again.steps >= 100


# ------------------------------------------------------------------------------------------------------ parts of PPO
def test_an_update_ends_when_the_policy_has_moved_too_far() -> None:
    def epochs(target_kl: float | None) -> list[float]:
        curve = learner_of(PPO, minibatches=2, learning_rate=1e-2, target_kl=target_kl).train(100)
        return [row["epochs"] for row in curve]

    assert set(epochs(1e-9)) == {1.0}
    assert set(epochs(None)) == {4.0}


def test_the_weight_of_the_entropy_follows_its_schedule() -> None:
    """A weight that outdoes all rewards keeps the policy uniform for as long as it lasts."""
    env = lanes("Maze-v0", count=16, size=(2, 2), level_seeds=[1], time_limit=20)
    policy = small(env, "none")
    learner = PPO(env, policy, segment=16, learning_rate=1e-2, entropy=(100.0, 0.0, 6000), rng=np.random.default_rng(0))
    learner.train(12_000)
    spread = [row["entropy"] for row in learner.curve]
    assert min(spread[:10]) > 0.99 * np.log(4)
    assert spread[-1] < 0.8 * np.log(4)


def test_the_scale_of_the_values_moves_and_what_the_critic_says_does_not() -> None:
    policy = small(lanes())
    scale = ValueScale(policy)
    rng = np.random.default_rng(0)
    x, hidden = policy.inputs(rng.integers(0, 2, (50, 4))), policy.begin(50)

    def said() -> np.ndarray:
        return scale.undone(policy.think(x, hidden).values)

    before = said()
    for _ in range(100):
        scale.follow(rng.normal(40.0, 5.0, 1000))
        np.testing.assert_allclose(said(), before, rtol=1e-4, atol=1e-4)
    assert scale.mean_and_std == pytest.approx((40, 5), rel=0.05)
    assert abs(scale.done(np.array([45.0]))[0] - 1) < 0.1


@pytest.mark.parametrize("normalised", [True, False])
def test_rewards_of_any_size_are_learned_from(normalised: bool) -> None:
    """Values and advantages are normalised; without that, rewards a thousand times as large are too large."""
    env = lanes("Maze-v0", count=16, size=(2, 2), level_seeds=[1], rewards={"goal": 1000.0}, time_limit=30)
    how = {"normalise_values": normalised, "normalise_advantages": normalised}
    learner = PPO(env, small(env, "none"), segment=16, learning_rate=1e-2, rng=np.random.default_rng(0), **how)
    learner.train(12_000)
    last = [row["value_error"] for row in learner.curve[-5:]]
    assert (max(last) < 2) is normalised, "the error is in units of the values' spread"
    if normalised:
        assert learner.score("success") > 0.9


# ------------------------------------------------------------------------------------------------------------ learning
def test_ppo_learns_one_small_maze_and_the_critic_its_value() -> None:
    env = lanes("Maze-v0", count=16, size=(3, 3), level_seeds=[1], observation="index", time_limit=200)
    learner = PPO(env, small(env, "none"), segment=32, learning_rate=1e-2, rng=np.random.default_rng(0))
    learner.train(25_000)
    single = gymnasium.make("mazegrad/Maze-v0", size=(3, 3), level_seeds=[1], observation="index", info=("value",))
    result = evaluate(single, learner, episodes=1, seed=0)
    seen, info = single.reset(seed=0)
    assert result.successes.all()
    assert 0.99 ** (result.lengths[0] - 1) == pytest.approx(info["value"])
    policy = learner.policy
    value = learner.scale.undone(policy.think(policy.inputs(np.array([seen])), policy.begin(1)).values)  # type: ignore[attr-defined]
    assert value == pytest.approx(info["value"], abs=0.1)


@pytest.mark.slow
def test_ppo_is_shown_the_way_where_its_critic_does_not_take_it_off_again() -> None:
    """A path of 70 steps whose end a random walk meets after 10,500: in docs/learning.md 5 of 5 seeds arrive."""
    rng, steps = np.random.default_rng(0), 100_000
    env = lanes("PathFollow-v0", count=64, observation="index", shaping="distance")
    policy = RecurrentPolicy(env.single_observation_space, 4, "none", rng=rng)
    falling = {"learning_rate": (1e-3, 1e-4, steps), "entropy": (0.02, 0.0, steps)}  # as `mazegrad train` has them
    learner = PPO(env, policy, value_weight=0, **falling, rng=rng)
    learner.train(steps)
    result = evaluate(gymnasium.make("mazegrad/PathFollow-v0", observation="index"), learner, episodes=1, seed=0)
    assert result.successes.all() and result.lengths[0] == 70


def test_reinforce_remembers_the_sign() -> None:
    env = lanes("TMaze-v0", count=64, corridor=2, rewards={"goal": 4.0, "trap": -0.1}, time_limit=30)
    policy = RecurrentPolicy(env.single_observation_space, 4, "gru", 16, rng=np.random.default_rng(0))
    learner = Reinforce(env, policy, segment=16, learning_rate=1e-2, rng=np.random.default_rng(0))
    while learner.steps < 400_000 and not learner.score("success", 500) > 0.95:
        learner.train(2000)
    drawing = learner.policy.sampling(np.random.default_rng(0))
    assert evaluate(lanes("TMaze-v0", count=100, corridor=2), drawing, episodes=100, seed=0).successes.mean() > 0.9


@pytest.mark.slow
def test_ppo_with_a_memory_passes_the_bound_that_holds_without_one() -> None:
    """The T-maze by policy gradient alone: who remembers earns nearly V*; who does not, at most the certified bound."""
    bakker = {"goal": 4.0, "trap": -0.1}
    env = gymnasium.make("mazegrad/TMaze-v0", corridor=5, rewards=bakker)
    worlds: dict[str, tuple[int, Any]] = {}
    for seed in range(20):
        env.reset(seed=seed)
        worlds.setdefault(env.unwrapped.maze.digest, (seed, env.unwrapped.world))
    assert len(worlds) == 2
    bound = certify_memory([world for _, world in worlds.values()], "dots", 0.99).memoryless_value

    def trained(cell: str, most: int) -> tuple[Learner, float]:
        made = lanes("TMaze-v0", count=64, corridor=5, rewards=bakker)
        rng = np.random.default_rng(0)
        policy = RecurrentPolicy(made.single_observation_space, 4, cell, 32, previous_action=cell != "none", rng=rng)
        learner = PPO(made, policy, segment=64, learning_rate=2e-3, rng=rng)
        seeds, value = [seed for seed, _ in worlds.values()], -np.inf
        while learner.steps < most and not (learner.score("success", 500) > 0.97 and value > 1.9 * bound.upper):
            learner.train(1)
            if learner.score("success", 500) > 0.9:  # what is drawn succeeds before what is likeliest does
                value = float(np.mean([evaluate(env, learner, 1, seed, discount=0.99).returns for seed in seeds]))
        value = float(np.mean([evaluate(env, learner, 1, seed, discount=0.99).returns for seed in seeds]))
        return learner, value

    learner, value = trained("lstm", 500_000)
    assert learner.score("success", 500) > 0.97
    assert value > 1.9 * bound.upper
    learner, value = trained("none", 60_000)
    assert 0.4 < learner.score("success", 500) < 0.6
    assert value <= bound.upper + 1e-9


def test_dagger_follows_the_path_of_the_sheet() -> None:
    env = lanes("PathFollow-v0", count=32, info=LABELS)
    learner = DAgger(env, small(env, previous_action=True), segment=32, learning_rate=1e-2,
                     expert_share=(1.0, 0.0, 20_000), rng=np.random.default_rng(0))  # fmt: skip
    learner.train(40_000)
    assert learner.curve[-1]["agreement"] > 0.95
    assert evaluate(gymnasium.make("mazegrad/PathFollow-v0"), learner, episodes=1, seed=0).successes.all()


# ---------------------------------------------------------------------------------------------------------- bad input
@pytest.mark.parametrize(
    ("kind", "keywords", "message"),
    [
        (PPO, {"epochs": 0}, "epochs must be an integer >= 1, not 0"),
        (PPO, {"discount": 1.5}, "discount must be a number from 0 to 1, not 1.5"),
        (PPO, {"clip": 0}, "clip must be a number above 0, not 0"),
        (
            PPO,
            {"learning_rate": (1, 2)},
            r"must be a number from 0 on, or \(first, last, steps\), not \(1, 2\)",
        ),
        (PPO, {"entropy": float("nan")}, "entropy must be a number from 0 on"),
        (PPO, {"minibatches": 5}, "4 lanes cannot be dealt into 5 minibatches"),
        (DAgger, {"memory": 0}, "memory must be an integer >= 1, not 0"),
        (Reinforce, {"max_norm": -1}, "max_norm must be a number above 0, not -1"),
    ],
)
def test_bad_settings_are_refused(kind: type[Learner], keywords: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        learner_of(kind, **keywords)


def test_bad_environments_and_policies_are_refused() -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(TypeError, match="a learner walks in a vector environment"):
        PPO(gymnasium.make("mazegrad/FourRooms-v0"), small(lanes()), rng=rng)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="autoreset_mode NEXT_STEP, which is the default, not SAME_STEP"):
        PPO(lanes(autoreset_mode="SameStep"), rng=rng)
    with pytest.raises(ValueError, match=r"make the environment with info=\('optimal_actions',\)"):
        DAgger(lanes(), rng=rng)
    with pytest.raises(TypeError, match="a policy is a RecurrentPolicy, not a str"):
        PPO(lanes(), "gru", rng=rng)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="rng must be a numpy"):
        PPO(lanes(), rng=0)  # type: ignore[arg-type]
    headless = RecurrentPolicy(lanes().single_observation_space, 4, "linear", 4, heads=False, rng=rng)
    with pytest.raises(ValueError, match="needs a critic"):
        Reinforce(lanes(), headless, rng=rng)
    with pytest.raises(ValueError, match="steps must be an integer >= 1, not 0"):
        PPO(lanes(), rng=rng).train(0)


def test_a_schedule_is_a_line() -> None:
    assert at(0.5, 10) == 0.5
    assert [at((1.0, 0.0, 100), steps) for steps in (0, 25, 100, 200)] == [1, 0.75, 0, 0]


def test_agents_are_imported_without_nn() -> None:
    code = "import sys, mazegrad.agents.learners; print([m for m in sys.modules if m.startswith('mazegrad.nn')])"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"
