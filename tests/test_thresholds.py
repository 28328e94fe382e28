"""What the registry says of an environment follows from its tables; and rewards that depend on the time, an option."""

import gymnasium
import numpy as np
import pytest

from mazegrad.envs import MazeEnv, MazeVectorEnv, Replay, SavedState, World, load_maze, outcomes

# Tabular-v0 has no world of its own
IDS = [env_id for env_id in gymnasium.registry if env_id.startswith("mazegrad/") and "Tabular" not in env_id]
SEEDS = 10  # mazes of an environment that draws a new one each time


def best_return(world: World, limit: int) -> float:
    """Return the best expected return within a step limit, not discounted, by induction backwards from the limit."""
    moves, values = outcomes(world), np.zeros(world.states)
    for _ in range(limit):
        after = np.where(moves.terminal, 0.0, values[moves.next_state])
        better = np.where(world.terminal, 0.0, (moves.probability * (moves.reward + after)).sum(axis=2).max(axis=1))
        if np.array_equal(better, values):
            break
        values = better
    return float(values[world.start_states].mean())


@pytest.mark.parametrize("env_id", IDS)
def test_the_threshold_is_the_optimum_less_five_percent(env_id: str) -> None:
    env = gymnasium.make(env_id).unwrapped
    best = []
    for seed in range(SEEDS):
        env.reset(seed=seed)
        best.append(best_return(env.world, env.time_limit))
    assert np.ptp(best) < 1e-9, "the same in every maze that it draws"
    threshold = gymnasium.spec(env_id).reward_threshold
    exact = best[0] - 0.05 * abs(best[0])
    if "IceLake" in env_id:  # the source's, which is that, rounded
        assert threshold == gymnasium.spec("FrozenLake-v1").reward_threshold == round(exact, 1)
    else:
        assert threshold == pytest.approx(exact, abs=5e-4)
    assert env.spec.reward_threshold == threshold


def test_the_spec_says_the_step_limit() -> None:
    made = {
        "mazegrad/IceLake-v0": ({}, 100),
        "mazegrad/FourRooms-v0": ({}, 1611),
        "mazegrad/GridWorld-v0": ({"maze": "S.G\n"}, 24),
        "mazegrad/CliffWalk-v0": ({"time_limit": None}, None),
        "mazegrad/Maze-v0": ({}, None),  # each maze has its own
        "mazegrad/TMaze-v0": ({"time_limit": 9}, 9),
        "mazegrad/DynaMaze-v0": ({"max_episode_steps": 7}, 7),
    }
    for env_id, (keywords, limit) in made.items():
        env = gymnasium.make(env_id, **keywords)
        assert env.spec.max_episode_steps == limit
        assert gymnasium.make(env.spec).spec.max_episode_steps == limit


def test_a_time_limit_is_not_cut_by_the_registry() -> None:
    for time_limit in (None, 5000):
        env = gymnasium.make("mazegrad/FourRooms-v0", time_limit=time_limit)
        env.reset(seed=0)
        assert not any(env.step(0)[3] for _ in range(4000))


# ------------------------------------------------------------------------------------------------------------- lateness
def test_minigrids_reward() -> None:
    env = MazeEnv("S..G\n", lateness=0.9, time_limit=20)
    env.reset(seed=0)
    rewards = [env.step(action)[1] for action in (1, 2, 1, 1, 1)]
    assert rewards == [0, 0, 0, 0, 1 - 0.9 * (5 / 20)]


def test_a_trap_and_a_step_earn_what_they_did() -> None:
    env = MazeEnv("XS.G\n", lateness=0.9, rewards={"step": -0.1})
    env.reset(seed=0)
    assert env.step(2)[1] == -1.1
    env.reset()
    assert env.step(1)[1] == -0.1
    assert env.step(1)[1] == 0.9 - 0.9 * (2 / env.time_limit)


MAZES = ["S.G#.\n", "S.S~G\n", "S#G..\n", "S.G#X\n"]
CASES = {
    "a maze for each": ({"maze": MAZES, "slip": 0.2}, [{"maze": maze, "slip": 0.2} for maze in MAZES]),
    "one for all": ({"maze": "four_rooms", "time_limit": 900}, [{"maze": "four_rooms", "time_limit": 900}] * 4),
}


@pytest.mark.parametrize("mode", ["NextStep", "SameStep"])
@pytest.mark.parametrize("name", CASES)
def test_lanes_earn_what_single_environments_earn(name: str, mode: str) -> None:
    many, alone = CASES[name]
    lanes = MazeVectorEnv(num_envs=4, lateness=0.7, autoreset_mode=mode, max_episode_steps=500, **many)
    single = [gymnasium.make("mazegrad/GridWorld-v0", lateness=0.7, max_episode_steps=500, **kept) for kept in alone]
    lanes.reset(seed=3)
    for lane, env in enumerate(single):
        env.reset(seed=3 + lane)
    rng, over, late = np.random.default_rng(0), np.zeros(4, dtype=bool), 0
    for step in range(4000):
        if step == 100:
            lanes.set_state(SavedState.from_json(lanes.get_state().to_json()))
        actions = rng.integers(4, size=4)
        _, rewards, terminated, truncated, _ = lanes.step(actions)
        for lane, env in enumerate(single):
            if over[lane]:
                env.reset()
                assert rewards[lane] == 0
                continue
            _, reward, ends, cut, _ = env.step(int(actions[lane]))
            assert (rewards[lane], terminated[lane], truncated[lane]) == (reward, ends, cut)
            late += 0 < reward < 1
            if mode == "SameStep" and (ends or cut):
                env.reset()
        over = (terminated | truncated) & (mode == "NextStep")
    assert late > 5


def test_generated_mazes_and_replays() -> None:
    keywords = {"size": (2, 2), "lateness": 0.5}
    lanes = gymnasium.make_vec("mazegrad/Maze-v0", num_envs=3, **keywords)
    lanes.reset(seed=5)
    recorder = Replay.record(gymnasium.make("mazegrad/Maze-v0", **keywords))
    recorder.reset(seed=5)
    rng, earned, goes_on = np.random.default_rng(1), [], True
    while goes_on:
        actions = rng.integers(4, size=3)
        together, (_, reward, ends, cut, _) = lanes.step(actions)[1], recorder.step(int(actions[0]))
        assert together[0] == reward
        earned.append(reward)
        goes_on = not (ends or cut)
    assert recorder.replay.verify() is None
    assert earned[-1] == 1 - 0.5 * (len(earned) / recorder.unwrapped.time_limit)


def test_the_state_is_saved_with_its_time() -> None:
    env = MazeEnv("S..G\n", lateness=1.0)
    env.reset(seed=0)
    env.step(2), env.step(1)
    kept = SavedState.from_json(env.get_state().to_json())
    first = env.step(1)[1], env.step(1)[1]
    env.reset(seed=9)
    env.set_state(kept)
    assert (env.step(1)[1], env.step(1)[1]) == first == (0.0, 1 - 4 / env.time_limit)


def test_what_lateness_may_be() -> None:
    for keywords, message in (
        ({"lateness": float("nan")}, "lateness must be a finite number, not nan"),
        ({"lateness": "0.9"}, "lateness must be a finite number, not '0.9'"),
        ({"lateness": 0.9, "time_limit": None}, "lateness is a share of the step limit: give a time_limit"),
    ):
        for kind in (MazeEnv, MazeVectorEnv):
            with pytest.raises(ValueError, match=message):
                kind(load_maze("four_rooms"), **keywords)
    plain, without = MazeEnv("S.G\n"), MazeEnv("S.G\n", lateness=0)
    for env in (plain, without):
        env.reset(seed=0)
        assert (env.step(1)[1], env.step(1)[1]) == (0.0, 1.0)
