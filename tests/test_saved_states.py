"""Saving is cheap enough to search with: records share their mazes, lanes are copied, nothing is compiled again."""

import gymnasium
import numpy as np
import pytest

from mazegrad.envs import Maze, MazeEnv, MazeVectorEnv, SavedState, World, distances, generate, load_maze
from mazegrad.envs.core import world as world_module

GRID, FRESH = "mazegrad/GridWorld-v0", "mazegrad/Maze-v0"


@pytest.fixture
def compiled(monkeypatch):
    """Return a list that every maze is appended to when it is compiled."""
    seen = []
    compile_tables = world_module.compile_tables

    def counting(mazes, rewards, slip):
        seen.extend(mazes)
        return compile_tables(mazes, rewards, slip)

    monkeypatch.setattr(world_module, "compile_tables", counting)
    return seen


@pytest.mark.parametrize("observation", ["dots", "index", "position", "view", "map", "pixels"])
def test_a_map_is_compiled_once_when_an_environment_is_made(observation, compiled):
    names = ("action_mask", "distance", "optimal_action", "state", "value")
    for make in (MazeEnv, MazeVectorEnv):
        env = make("four_rooms", observation=observation, info=names)
        env.reset(seed=0)
        env.action_masks()
        assert compiled == [load_maze("four_rooms")]
        compiled.clear()
    mazes = [generate("prim", 2, 2, rng=np.random.default_rng(seed)) for seed in range(5)]
    env = MazeVectorEnv([*mazes, mazes[0]], 6, observation=observation, info=names)
    env.reset(seed=0)
    assert sorted(maze.digest for maze in compiled) == sorted({maze.digest for maze in mazes})


def test_one_lane_gets_another_level_and_the_others_cost_nothing(compiled):
    mazes = [generate("prim", 6, 6, rng=np.random.default_rng(seed)) for seed in range(30)]
    env = MazeVectorEnv(mazes[:20], 20, info=("distance",))
    env.reset(seed=0)
    for lane in range(10):
        compiled.clear()
        mask = np.zeros(20, dtype=bool)
        mask[lane] = True
        env.reset(options={"maze": mazes[20 + lane], "reset_mask": mask})
        assert compiled == [mazes[20 + lane]]
        assert [env.maze_of(i) for i in range(20)] == mazes[20 : 21 + lane] + mazes[lane + 1 : 20]


def test_plain_mazes_take_the_place_of_fresh_ones_and_are_not_compiled(compiled):
    env = gymnasium.make_vec(FRESH, num_envs=4, size=(3, 3)).unwrapped
    env.reset(seed=0)
    compiled.clear()
    maze = generate("kruskal", 3, 3, rng=np.random.default_rng(0))
    env.reset(options={"maze": maze, "reset_mask": np.array([False, True, False, False])})
    assert env.maze_of(1) == maze and compiled == []


def test_going_back_compiles_nothing(compiled):
    env = gymnasium.make(FRESH, size=(3, 3)).unwrapped
    states = []
    env.reset(seed=0)
    for _ in range(5):
        states.append(env.get_state())
        env.reset()
    compiled.clear()
    for state in states:
        env.set_state(state)
        assert env.get_state() == state
    assert compiled == []


def test_a_record_shares_its_maze():
    env = MazeEnv("four_rooms")
    env.reset(seed=0)
    first = env.get_state()
    env.step(1)
    assert env.get_state().mazes[0] is first.mazes[0] is env.maze
    with pytest.raises(AttributeError):
        first.cell = 3
    hash(first)
    assert isinstance(first, SavedState)


@pytest.mark.parametrize("render_mode", [None, "ansi"])
@pytest.mark.parametrize("mode", ["NextStep", "SameStep", "Disabled"])
@pytest.mark.parametrize(
    ("name", "keywords"),
    [
        (GRID, {"maze": "ice_lake"}),
        (GRID, {"maze": "key_door", "slip": 0.2}),
        (FRESH, {"size": (2, 3), "slip": 0.3}),
        (FRESH, {"size": (2, 2), "level_seeds": range(6)}),
        ("mazegrad/TMaze-v0", {"corridor": 2}),
    ],
)
def test_copied_lanes_go_on_as_their_sources(name, keywords, mode, render_mode):
    keywords = {"time_limit": 7, "info": ("distance", "action_mask"), "render_mode": render_mode, **keywords}
    env = gymnasium.make_vec(name, num_envs=6, autoreset_mode=mode, **keywords).unwrapped
    env.reset(seed=0)
    rng = np.random.default_rng(0)
    for _ in range(40):
        source = rng.permutation(6)
        env.copy_lanes(source[:2], source[2:4])
        env.copy_lanes(int(source[0]), int(source[5]))
        state = env.get_state()
        pairs = [*zip(source[:2], source[2:4], strict=True), (source[0], source[5])]
        for one, other in pairs:
            assert state.mazes[state.maze[one]] == state.mazes[state.maze[other]]
        for column in (state.cell, state.carried, state.steps, state.key, state.episode, state.given):
            assert all(column[one] == column[other] for one, other in pairs)
        for _ in range(int(rng.integers(1, 12))):
            actions = rng.integers(0, 4, 6)
            for one, other in pairs:
                actions[other] = actions[one]
            if mode == "Disabled" and env.get_state().ended:
                mask = np.zeros(6, dtype=bool)
                mask[list(env.get_state().ended)] = True
                env.reset(options={"reset_mask": mask})
            observations, rewards, terminated, truncated, infos = env.step(actions)
            for column in (observations, rewards, terminated, truncated, infos["distance"], infos["action_mask"]):
                for one, other in pairs:
                    assert np.array_equal(column[one], column[other]), "a copy has gone another way"
            if render_mode:
                texts = env.render()
                assert all(texts[one] == texts[other] for one, other in pairs)


def test_bad_lanes_are_refused():
    env = MazeVectorEnv("four_rooms", 3)
    with pytest.raises(gymnasium.error.ResetNeeded):
        env.copy_lanes(0, 1)
    env.reset(seed=0)
    before = env.get_state()
    for source, target in ((0, 3), (-1, 0), ([0, 1], [1, 2, 0]), (0, [1, 1])):
        with pytest.raises(ValueError, match="lane"):
            env.copy_lanes(source, target)
    with pytest.raises(TypeError, match="lane"):
        env.copy_lanes(0.5, 1)
    assert env.get_state() == before


def test_monte_carlo_search_finds_the_goal_by_copied_lanes():
    """Lane 0 is where the search stands; the state of the whole is kept while the other lanes try things out."""
    maze = Maze.from_text("S....\n.###.\n...#.\n.#...\n.##.G\n")
    env = MazeVectorEnv(maze, 65, time_limit=None)
    env.reset(seed=0)
    rng = np.random.default_rng(0)
    workers, world = np.arange(1, 65), World.compile(maze)
    taken = 0
    while not env.at_goal[0]:
        here, score = env.get_state(), np.zeros(4)
        for _ in range(6):
            env.copy_lanes(np.zeros(64, dtype=np.int64), workers)
            first = np.arange(65) % 4
            for step in range(16):
                _, rewards, *_ = env.step(first if step == 0 else rng.integers(0, 4, 65))
                np.add.at(score, first[workers], 0.8**step * rewards[workers])
            env.set_state(here)
        env.step(np.full(65, score.argmax()))
        taken += 1
        assert taken < 60
    assert taken <= 2 * distances(world)[world.start_states[0]]
