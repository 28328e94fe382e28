"""MazeEditor: an agent draws a maze; its promises are Gymnasium's, and what is drawn is a maze."""

from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from hypothesis import given, settings
from hypothesis import strategies as st

from mazegrad.envs import TILE_CODES, Maze, MazeEditor, World, distances


def drawn(editor: MazeEditor, actions: list[int]) -> tuple[Maze, float]:
    editor.reset()
    for action in actions:
        _, reward, ended, _, info = editor.step(action)
    assert ended
    return Maze.from_text(info["maze"]), reward


def test_a_maze_is_drawn() -> None:
    editor = MazeEditor((2, 3), edits=5)
    maze, reward = drawn(editor, [5, 0, 1, 4, 4])
    assert maze.rows() == ["#####", "#S#.#", "#..G#", "#####"]
    assert reward == 0


def test_the_reward_is_of_the_finished_maze() -> None:
    def steps(maze: Maze) -> float:
        world = World.compile(maze)
        return float(distances(world)[world.start_states[0]])

    assert drawn(MazeEditor((2, 3), edits=3, reward=steps), [2, 0, 1])[1] == 4


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 11), min_size=2, max_size=20))
def test_whatever_is_done_there_is_one_start_and_one_goal(actions: list[int]) -> None:
    editor = MazeEditor((3, 4), edits=len(actions))
    maze, _ = drawn(editor, actions)
    assert len(maze.find("S")) == len(maze.find("G")) == 1
    seen, _ = editor.reset()
    assert (seen["map"][1:-1, 1:-1] == TILE_CODES[ord(".")]).all() and seen["edits"] == 0


def test_gymnasiums_checker_passes() -> None:
    check_env(MazeEditor((4, 4), edits=6, render_mode="rgb_array"), skip_render_check=True)
    envs = gymnasium.vector.SyncVectorEnv([lambda: MazeEditor((4, 4), edits=6)] * 3)
    envs.reset(seed=0)
    assert envs.step(np.array([1, 2, 3]))[0]["edits"].tolist() == [1, 1, 1]


def test_what_is_refused() -> None:
    editor: Any = MazeEditor((2, 2), edits=2)
    with pytest.raises(gymnasium.error.ResetNeeded):
        editor.step(0)
    editor.reset()
    with pytest.raises(ValueError, match="action"):
        editor.step(4)
    drawn(editor, [0, 0])
    with pytest.raises(gymnasium.error.ResetNeeded):
        editor.step(0)
    for wrong, message in ({"size": (1, 1)}, "room"), ({"edits": 1}, "edits"), ({"render_mode": "human"}, "rgb_array"):
        with pytest.raises(ValueError, match=message):
            MazeEditor(**wrong)
