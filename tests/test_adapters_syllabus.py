"""Levels as tasks of Syllabus: a task is a maze, and its curricula sample and sort them."""

import gymnasium
import numpy as np
import pytest

pytest.importorskip("syllabus.curricula")
from syllabus.curricula import DomainRandomization

from mazegrad.adapters.syllabus import syllabus

pytestmark = pytest.mark.filterwarnings("ignore")
MAZE = "mazegrad/Maze-v0"


def test_a_task_is_a_level():
    env = syllabus(gymnasium.make(MAZE, size=(2, 2), time_limit=200), 20)
    rng = np.random.default_rng(0)
    completed = 0
    for task in (3, 7, 3):
        _, info = env.reset(new_task=task, seed=0)
        assert info["task"] == task and info["task_completion"] == 0
        alone = gymnasium.make(MAZE, size=(2, 2), level_seeds=[task])
        alone.reset(seed=1)
        assert env.unwrapped.maze == alone.unwrapped.maze
        over = False
        while not over:
            _, reward, terminated, truncated, info = env.step(int(rng.integers(4)))
            over = terminated or truncated
        assert info["task_completion"] == float(terminated) == reward
        completed += terminated
    assert completed
    with pytest.raises(ValueError, match="draws them"):
        syllabus(gymnasium.make("mazegrad/FourRooms-v0"), 5)


def test_curricula_sample_levels():
    env = syllabus(gymnasium.make(MAZE, size=(2, 2), time_limit=200), 20)
    curriculum = DomainRandomization(env.task_space)
    tasks = curriculum.sample(30)
    assert len({*map(int, tasks)}) > 5 and all(0 <= task < 20 for task in tasks)
    for task in tasks[:3]:
        env.reset(new_task=env.task_space.decode(task))
