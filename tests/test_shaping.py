"""Shaped rewards show the way, and no policy becomes better than another."""

import gymnasium
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode

from mazegrad.envs import SHAPINGS, Maze, World, distances, evaluate_policy, load_maze, shaped, value_iteration

from random_worlds import random_worlds


@pytest.mark.parametrize("discount", [0.5, 0.99])
def test_every_policy_is_worth_the_potential_less(discount):
    """So the best ones stay the best: Ng, Harada & Russell 1999, theorem 1."""
    rng = np.random.default_rng(0)
    for world in random_worlds(25, seed=5):
        potential = SHAPINGS["distance"](world)
        assert (potential[world.terminal] == 0).all()
        for policy in (rng.integers(4, size=world.states), rng.dirichlet(np.ones(4), size=world.states)):
            plain, other = (evaluate_policy(w, policy, discount=discount) for w in (world, shaped(world, discount)))
            np.testing.assert_allclose(other.values, plain.values - potential, atol=1e-9)
        plain, other = (value_iteration(w, discount=discount) for w in (world, shaped(world, discount)))
        np.testing.assert_allclose(other.values, plain.values - potential, atol=1e-8)
        assert (plain.optimal == other.optimal).mean() > 0.999


def test_without_discount_too():
    world = World.compile(load_maze("cliff_walk"))
    best = value_iteration(shaped(world, 1.0, "distance"), discount=0.999999)
    assert (best.optimal == value_iteration(world, discount=0.999999).optimal).all()


def test_a_step_nearer_earns_one():
    world = World.compile(Maze.from_text("S..G\n.#..\n"))
    nearer = shaped(world, 1.0).reward - world.reward
    way = distances(world)
    going = ~world.terminal
    assert (nearer[going] == (way[:, None] - way[world.next_state])[going]).all()
    assert (nearer[~going] == 0).all()


@pytest.mark.parametrize(
    ("name", "keywords"),
    [
        ("Maze", {"size": (2, 3)}),
        ("Maze", {"size": (2, 2), "slip": 0.3, "rewards": {"step": -0.1}, "level_seeds": range(5)}),
        ("Maze", {"size": (3, 3), "generator": "caves", "info": ("value", "optimal_actions", "distance")}),
        ("KeyDoor", {}),
        ("CliffWalk", {}),
    ],
)
@pytest.mark.parametrize("mode", AutoresetMode)
def test_lanes_earn_what_single_environments_earn(name, keywords, mode):
    name, lanes = f"mazegrad/{name}-v0", 3
    keywords = {"shaping": "distance", "discount": 0.9, "time_limit": 25, **keywords}
    many = gymnasium.make_vec(name, num_envs=lanes, autoreset_mode=mode, **keywords)
    singles = [gymnasium.make(name, **keywords) for _ in range(lanes)]
    _, info = many.reset(seed=4)
    infos = [env.reset(seed=4 + lane)[1] for lane, env in enumerate(singles)]
    rng, over = np.random.default_rng(0), np.zeros(lanes, dtype=bool)
    shaped_rewards = set()
    for _ in range(120):
        for key in keywords.get("info", ()):
            assert [row.tolist() for row in info[key]] == [np.asarray(one[key]).tolist() for one in infos]
        actions = rng.integers(4, size=lanes)
        _, rewards, terminated, truncated, info = many.step(actions)
        for lane, env in enumerate(singles):
            if mode is AutoresetMode.NEXT_STEP and over[lane]:
                infos[lane] = env.reset()[1]
                assert rewards[lane] == 0
                continue
            _, reward, *_, infos[lane] = env.step(int(actions[lane]))
            assert rewards[lane] == reward
            shaped_rewards.add(reward)
        over = terminated | truncated
        if over.any() and mode is AutoresetMode.SAME_STEP:
            for lane in np.flatnonzero(over):
                infos[lane] = singles[lane].reset()[1]
        if over.any() and mode is AutoresetMode.DISABLED:
            fresh = many.reset(options={"reset_mask": over})[1]
            for lane in np.flatnonzero(over):
                infos[lane] = singles[lane].reset()[1]
                for key in keywords.get("info", ()):
                    info[key][lane] = fresh[key][lane]
    assert len(shaped_rewards) > 5


def test_returns_telescope():
    plain, other = (gymnasium.make("mazegrad/Maze-v0", size=(2, 2), shaping=s) for s in (None, "distance"))
    for seed in range(5):
        plain.reset(seed=seed), other.reset(seed=seed)
        start = distances(plain.unwrapped.world)[plain.unwrapped.state]
        difference, decay, over, rng = 0.0, 1.0, False, np.random.default_rng(seed)
        while not over:
            action = int(rng.integers(4))
            (_, one, over, *_), (_, two, *_) = plain.step(action), other.step(action)
            difference, decay = difference + decay * (two - one), 0.99 * decay
        assert difference == pytest.approx(start)


def test_bad_shapings_are_refused():
    world = World.compile(load_maze("ice_lake"))
    with pytest.raises(ValueError, match="unknown shaping 'distanc'; did you mean 'distance'"):
        shaped(world, 0.9, "distanc")
    with pytest.raises(ValueError, match="unknown shaping 3; known: distance"):
        gymnasium.make("mazegrad/IceLake-v0", shaping=3)
    with pytest.raises(ValueError, match="discount"):
        shaped(world, 1.5)
    with pytest.raises(TypeError, match="World"):
        shaped(load_maze("ice_lake"), 0.9)
