"""Tianshou: PPO in four rooms, over single environments in Tianshou's own loop.

    python examples/training/tianshou_ppo.py             # a minute or two
    python examples/training/tianshou_ppo.py --quick     # in seconds, to see that it runs

Needs `pip install tianshou`. Its collectors step workers of one environment each, so they do not take native lanes.
"""

import argparse
import warnings

import gymnasium

import mazegrad  # noqa: F401  (registers the environments)
from mazegrad.adapters import as_agent
from mazegrad.agents import evaluate
from mazegrad.script import natural, start

WORLD = {"id": "mazegrad/FourRooms-v0", "observation": "net", "time_limit": 200}


def train(seed: int, epochs: int, steps: int) -> object:
    """Return a torch module from observations to logits."""
    import torch
    from tianshou.algorithm.modelfree.ppo import PPO
    from tianshou.algorithm.modelfree.reinforce import ProbabilisticActorPolicy
    from tianshou.algorithm.optim import AdamOptimizerFactory
    from tianshou.data import Collector, VectorReplayBuffer
    from tianshou.env import DummyVectorEnv
    from tianshou.trainer import OnPolicyTrainerParams
    from tianshou.utils.net.common import Net
    from tianshou.utils.net.discrete import DiscreteActor, DiscreteCritic

    torch.manual_seed(seed)
    torch.set_num_threads(1)
    lanes = 16
    single = gymnasium.make(**WORLD)
    training = DummyVectorEnv([lambda: gymnasium.make(**WORLD) for _ in range(lanes)])
    testing = DummyVectorEnv([lambda: gymnasium.make(**WORLD) for _ in range(4)])
    body = Net(state_shape=single.observation_space.shape, hidden_sizes=[64, 64], activation=torch.nn.Tanh)
    actor = DiscreteActor(preprocess_net=body, action_shape=4, softmax_output=False)
    critic = DiscreteCritic(preprocess_net=body)
    policy = ProbabilisticActorPolicy(
        actor=actor, dist_fn=lambda logits: torch.distributions.Categorical(logits=logits),
        action_space=single.action_space, deterministic_eval=True, action_scaling=False,
    )  # fmt: skip
    algorithm = PPO(
        policy=policy, critic=critic, optim=AdamOptimizerFactory(lr=1e-3), gamma=0.99, gae_lambda=0.95, ent_coef=0.01
    )
    algorithm.run_training(
        OnPolicyTrainerParams(
            training_collector=Collector(algorithm, training, VectorReplayBuffer(32 * lanes, lanes)),
            test_collector=Collector(algorithm, testing), max_epochs=epochs, epoch_num_steps=steps,
            collection_step_num_env_steps=32 * lanes, update_step_num_repetitions=5, batch_size=128,
            test_step_num_episodes=4,
        )
    )  # fmt: skip

    class Logits(torch.nn.Module):
        def forward(self, seen: torch.Tensor) -> torch.Tensor:
            return actor(seen)[0]

    return Logits()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=natural, default=0)
    parser.add_argument("--quick", action="store_true", help="in seconds, to see that it runs")
    options = parser.parse_args()
    warnings.filterwarnings("ignore")
    net = train(options.seed, 1 if options.quick else 10, 1024 if options.quick else 10_000)
    score = evaluate(gymnasium.make_vec(**WORLD, num_envs=50), as_agent(net), 50, 10**6)
    print(score)
    if not options.quick and score.successes.mean() < 0.9:
        raise SystemExit("fewer than 90 % succeed")


if __name__ == "__main__":
    start(main)
