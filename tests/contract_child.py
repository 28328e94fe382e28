"""Print a digest of one episode and a bit of every environment, as `test_contract` computes it too."""

import hashlib

import gymnasium

import mazegrad  # noqa: F401

IDS = sorted(name for name in gymnasium.registry if name.startswith("mazegrad/") and name != "mazegrad/Tabular-v0")


def digest(name: str) -> str:
    """Return the hash of all that 300 random steps of the environment show."""
    env = gymnasium.make(name, slip=0.3, info=("state", "action_mask"))
    env.action_space.seed(7)
    seen = [env.reset(seed=5)]
    for _ in range(300):
        seen.append(env.step(env.action_space.sample()))
        if seen[-1][2] or seen[-1][3]:
            seen.append(env.reset())
    return hashlib.sha256(repr(seen).encode()).hexdigest()


if __name__ == "__main__":
    for name in IDS:
        print(name, digest(name))
