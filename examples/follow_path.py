"""Exercise 38 in a plain Gymnasium loop: a hand-set recurrent network follows the path. `--human` opens a window."""

import sys

import gymnasium

import mazegrad  # registers the environments
from mazegrad.agents import path_follower
from mazegrad.envs import NoDisplayError
from mazegrad.script import start


def main() -> None:
    human = "--human" in sys.argv
    env = gymnasium.make("mazegrad/PathFollow-v0", render_mode="human" if human else "ansi")
    agent = path_follower()

    observation, _ = env.reset(seed=0)
    h = agent.initial_state()
    total, over = 0.0, False
    while not over:
        action, h = agent.act(observation, h)
        observation, reward, terminated, truncated, _ = env.step(action)
        total += reward
        over = terminated or truncated
    if not human:
        print(env.render())
    print(f"mazegrad {mazegrad.__version__}: {'at the goal' if terminated else 'lost'}, return {total:g}")
    env.close()


if __name__ == "__main__":
    start(main, NoDisplayError)
