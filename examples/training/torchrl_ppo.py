"""TorchRL on native lanes: PPO from its own parts, in four rooms.

    python examples/training/torchrl_ppo.py             # until all test episodes reach the goal
    python examples/training/torchrl_ppo.py --quick     # in seconds, to see that it runs

Needs `pip install torchrl`. One word is needed: `autoreset_mode="Disabled"`, since TorchRL resets lanes by itself.
"""

import argparse
import time
import warnings

import gymnasium

import mazegrad  # noqa: F401  (registers the environments)
from mazegrad.adapters import as_agent
from mazegrad.agents import evaluate
from mazegrad.script import natural, start

WORLD = {"id": "mazegrad/FourRooms-v0", "observation": "net"}


def train(seed: int, lanes: int, segment: int, updates: int) -> float:
    """Train until all test episodes succeed, or for a number of updates; return their share."""
    import torch
    from tensordict.nn import TensorDictModule
    from torch import nn
    from torchrl.envs import ExplorationType, GymWrapper, set_exploration_type, step_mdp
    from torchrl.modules import OneHotCategorical, ProbabilisticActor, ValueOperator
    from torchrl.objectives import ClipPPOLoss
    from torchrl.objectives.value import GAE

    torch.manual_seed(seed)
    torch.set_num_threads(1)
    env = GymWrapper(gymnasium.make_vec(**WORLD, num_envs=lanes, autoreset_mode="Disabled"))
    env.set_seed(seed)
    width = env.observation_spec["observation"].shape[-1]

    def net(outputs: int, gain: float) -> nn.Module:
        layers = [nn.Linear(width, 64), nn.Tanh(), nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, outputs)]
        for layer, scale in zip(layers[::2], (2.0, 1.4, gain), strict=True):
            nn.init.orthogonal_(layer.weight, scale)
        return nn.Sequential(*layers)

    scores = TensorDictModule(net(4, 0.01), in_keys=["observation"], out_keys=["logits"])
    actor = ProbabilisticActor(scores, in_keys=["logits"], distribution_class=OneHotCategorical, return_log_prob=True)
    critic = ValueOperator(net(1, 1.0), in_keys=["observation"])
    advantage = GAE(gamma=0.99, lmbda=0.95, value_network=critic, average_gae=True)
    loss = ClipPPOLoss(actor, critic, clip_epsilon=0.2, entropy_coeff=0.01, critic_coeff=0.5)
    optimiser = torch.optim.Adam(loss.parameters(), lr=3e-3)
    test = gymnasium.make_vec(**WORLD, num_envs=50)
    began, success, last = time.process_time(), 0.0, None
    for update in range(updates):
        with torch.no_grad(), set_exploration_type(ExplorationType.RANDOM):
            walked = env.rollout(segment, actor, break_when_any_done=False, auto_reset=last is None, tensordict=last)
            last = env.maybe_reset(step_mdp(walked[:, -1]))
            advantage(walked)
        flat = walked.reshape(-1)
        for _ in range(4):
            for part in torch.randperm(len(flat)).chunk(4):
                found = loss(flat[part])
                optimiser.zero_grad()
                (found["loss_objective"] + found["loss_critic"] + found["loss_entropy"]).backward()
                nn.utils.clip_grad_norm_(loss.parameters(), 0.5)
                optimiser.step()
        if update % 5 == 4 or update == updates - 1:
            success = float(evaluate(test, as_agent(scores), 50, 10**6).successes.mean())
            steps, seconds = (update + 1) * lanes * segment, time.process_time() - began
            print(f"{steps:>9,} steps  {seconds:6.1f} s of processor time  success {success:6.1%}", flush=True)
            if success == 1:
                break
    return success


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=natural, default=0)
    parser.add_argument("--quick", action="store_true", help="in seconds, to see that it runs")
    options = parser.parse_args()
    warnings.filterwarnings("ignore")
    train(options.seed, 64 if options.quick else 256, 32, 2 if options.quick else 100)


if __name__ == "__main__":
    start(main)
