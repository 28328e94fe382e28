"""PPO in one file, in PyTorch, on native lanes: nothing is copied between the environments and the net.

    python examples/training/ppo.py                                       # four rooms, about ten seconds
    python examples/training/ppo.py --env mazegrad/Maze-v0 --world 'size=(5, 5)' --observation net
    python examples/training/ppo.py --recurrent --env mazegrad/TMaze-v0 --world corridor=6 \
        --world "rewards={'goal': 4, 'trap': -0.1}" --observation dots
    python examples/training/ppo.py --steps 50000 --lanes 256             # in small

In the style of CleanRL (Huang et al. 2022): one file, from top to bottom, to be copied and changed. Two things make it
fast. All lanes step together in numpy, and what they hand out is fresh, so `torch.from_numpy` takes it as it is. And
batches are large: 1,024 lanes keep every launch of an operation busy, and 2 passes over each segment are enough.

`observation="index"` goes through an embedding, which is a one-hot vector times a matrix without the multiplication.
`--recurrent` puts a GRU behind the first layer; whole segments are learned from, and lanes that begin an episode in
the middle of one forget there. Speed is in environment steps a second of processor time, learning included.
"""

import argparse
import ast
import time
from dataclasses import dataclass

import gymnasium
import numpy as np
import torch
from torch import Tensor, nn

import mazegrad  # noqa: F401  (registers the environments)
from mazegrad.adapters import as_agent
from mazegrad.agents import evaluate
from mazegrad.progress import progress
from mazegrad.script import count, natural, start


class Net(nn.Module):
    """A first layer, a second one or a GRU, and two heads: logits of actions, and the value."""

    def __init__(self, space: gymnasium.Space, actions: int, hidden: int, recurrent: bool) -> None:
        super().__init__()
        if isinstance(space, gymnasium.spaces.Discrete):
            self.first = nn.Embedding(int(space.n), hidden)
            nn.init.normal_(self.first.weight, std=2**0.5)
        else:
            self.first = nn.Linear(int(np.prod(space.shape)), hidden)
        self.hidden, self.recurrent = hidden, recurrent
        self.second = nn.GRUCell(hidden, hidden) if recurrent else nn.Linear(hidden, hidden)
        self.heads = nn.Linear(hidden, actions + 1)
        for layer in (self.first, self.second, self.heads):
            if isinstance(layer, nn.Linear):
                nn.init.orthogonal_(layer.weight, 2**0.5 if layer is not self.heads else 0.1)
                nn.init.zeros_(layer.bias)

    def initial_state(self, lanes: int) -> Tensor:
        """Return what is remembered at the start, (lanes, hidden); nothing without a GRU."""
        return torch.zeros(lanes, self.hidden if self.recurrent else 0)

    def forward(self, seen: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits, (lanes, actions), and the next state: what `as_agent` takes."""
        outputs, state = self.step(seen, state)
        return outputs[:, :-1], state

    def step(self, seen: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits with the value behind them, (lanes, actions + 1), and the next state."""
        inputs = self._inputs(seen)
        memory = self.second(inputs, state) if self.recurrent else state
        return self.heads(memory if self.recurrent else torch.tanh(self.second(inputs))), memory

    def _inputs(self, seen: Tensor) -> Tensor:
        if isinstance(self.first, nn.Linear):
            seen = seen.reshape(len(seen), -1).to(torch.float32)
        return torch.tanh(self.first(seen))

    def segment(self, seen: Tensor, state: Tensor, starts: Tensor) -> Tensor:
        """Return the outputs of a segment, (steps * lanes, actions + 1).

        Args:
            seen: (steps, lanes, ...).
            state: (lanes, hidden), at the start of the segment.
            starts: (steps, lanes, 1) float, 0 where an episode begins.
        """
        inputs = self._inputs(seen.flatten(0, 1))
        if not self.recurrent:
            return self.heads(torch.tanh(self.second(inputs)))
        memories = []
        for row, begins in zip(inputs.unflatten(0, seen.shape[:2]).unbind(), starts.unbind(), strict=True):
            state = self.second(row, state * begins)
            memories.append(state)
        return self.heads(torch.cat(memories))


@dataclass
class Settings:
    """What is learned with; see Schulman et al. 2017."""

    lanes: int = 1024
    segment: int = 64
    minibatches: int = 4
    epochs: int = 2
    learning_rate: float = 4e-3
    discount: float = 0.99
    trace: float = 0.95
    clip: float = 0.2
    entropy: float = 0.01
    hidden: int = 64


def train(envs: gymnasium.vector.VectorEnv, steps: int, settings: Settings, *, recurrent: bool, seed: int) -> Net:
    """Return a net that has learned for about this many environment steps; prints how it goes."""
    torch.manual_seed(seed)
    lanes, length = settings.lanes, settings.segment
    actions_count = int(envs.single_action_space.n)
    net = Net(envs.single_observation_space, actions_count, settings.hidden, recurrent)
    optimiser = torch.optim.Adam(net.parameters(), lr=settings.learning_rate, eps=1e-5, fused=True)
    updates = max(1, steps // (lanes * length))

    observation, _ = envs.reset(seed=seed)
    seen = torch.from_numpy(observation)
    # a segment, time first
    observations = torch.empty(length, *seen.shape, dtype=seen.dtype)
    taken, log_likelihoods = torch.empty(length, lanes, dtype=torch.int64), torch.empty(length, lanes)
    rewards, dones, values = torch.empty(length, lanes), torch.empty(length, lanes), torch.empty(length + 1, lanes)
    starts = torch.ones(length + 1, lanes, 1)
    state, begins = net.initial_state(lanes), torch.zeros(lanes, 1)
    returns, finished, began = torch.zeros(lanes), [], time.process_time()

    for update in progress(range(updates), updates, "training"):
        for group in optimiser.param_groups:
            group["lr"] = settings.learning_rate * (1 - update / updates)
        first_state = state
        with torch.no_grad():
            for step in range(length):
                observations[step], starts[step] = seen, begins
                outputs, state = net.step(seen, state * begins)
                logits = outputs[:, :-1].log_softmax(1)
                # the largest of logits with Gumbel noise is a draw: one launch fewer than a Categorical
                action = (logits - torch.empty_like(logits).exponential_().log()).argmax(1)
                taken[step], values[step] = action, outputs[:, -1]
                log_likelihoods[step] = logits.gather(1, action[:, None])[:, 0]
                observation, reward, terminated, truncated, info = envs.step(action.numpy())
                seen, earned = torch.from_numpy(observation), torch.from_numpy(reward)
                over = torch.from_numpy(terminated | truncated)
                returns += earned
                rewards[step], dones[step] = earned, over
                if truncated.any():  # an episode that was cut is worth what was still to come
                    cut = np.flatnonzero(truncated & ~terminated)
                    if len(cut):
                        last = torch.from_numpy(np.stack(info["final_obs"][cut]))
                        rewards[step, cut] += settings.discount * net.step(last, state[cut])[0][:, -1]
                begins = (~over)[:, None].to(torch.float32)
                if terminated.any() or truncated.any():
                    finished.append(returns[over])
                    returns[over] = 0
            values[length] = net.step(seen, state * begins)[0][:, -1]
            advantages = torch.empty(length, lanes)
            advantage = torch.zeros(lanes)
            for step in reversed(range(length)):
                alive = 1 - dones[step]
                error = rewards[step] + settings.discount * values[step + 1] * alive - values[step]
                advantage = error + settings.discount * settings.trace * alive * advantage
                advantages[step] = advantage
            targets = advantages + values[:length]
            advantages = (advantages - advantages.mean()) / (advantages.std() + 1e-8)

        for _ in range(settings.epochs):
            for part in torch.randperm(lanes).chunk(settings.minibatches):  # whole lanes: a GRU needs them
                outputs = net.segment(observations[:, part], first_state[part], starts[:length, part])
                logits = outputs[:, :-1].log_softmax(1)
                now = logits.gather(1, taken[:, part].reshape(-1, 1))[:, 0]
                ratio = (now - log_likelihoods[:, part].flatten()).exp()
                gain = advantages[:, part].flatten()
                clipped = ratio.clamp(1 - settings.clip, 1 + settings.clip)
                actor = -torch.minimum(ratio * gain, clipped * gain).mean()
                critic = (outputs[:, -1] - targets[:, part].flatten()).square().mean()
                entropy = -(logits.exp() * logits).sum(1).mean()
                optimiser.zero_grad()
                (actor + 0.5 * critic - settings.entropy * entropy).backward()
                nn.utils.clip_grad_norm_(net.parameters(), 0.5)
                optimiser.step()

    made, seconds = updates * lanes * length, time.process_time() - began
    last = torch.cat(finished[-length:] or [torch.zeros(1)]).mean()
    print(
        f"{made:,} steps in {seconds:.1f} s of processor time: {made / seconds:,.0f} steps/s; last returns {last:.3f}"
    )
    return net


def keyword(text: str) -> tuple[str, object]:
    """Parse NAME=VALUE, the value as Python writes it, else a text; a type for argparse."""
    name, equals, value = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError(f"must be NAME=VALUE, not {text!r}")
    try:
        return name, ast.literal_eval(value)
    except (ValueError, SyntaxError):
        return name, value


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--env", default="mazegrad/FourRooms-v0", help="an id")
    parser.add_argument("--world", type=keyword, action="append", default=[], help="a keyword of it, NAME=VALUE")
    parser.add_argument("--observation", default="index")
    parser.add_argument("--recurrent", action="store_true", help="a net with a GRU")
    parser.add_argument("--steps", type=count, default=2_000_000)
    parser.add_argument("--lanes", type=count, default=1024)
    parser.add_argument("--segment", type=count, default=None, help="steps of each lane between updates")
    parser.add_argument("--hidden", type=count, default=None)
    parser.add_argument("--rate", type=float, default=4e-3, help="learning rate")
    parser.add_argument("--epochs", type=count, default=2)
    parser.add_argument("--minibatches", type=count, default=4)
    parser.add_argument("--entropy", type=float, default=0.01)
    parser.add_argument("--episodes", type=count, default=100, help="of the evaluation")
    parser.add_argument("--seed", type=natural, default=0)
    options = parser.parse_args()

    torch.set_num_threads(1)
    keywords = {"observation": options.observation, **dict(options.world)}
    envs = gymnasium.make_vec(options.env, num_envs=options.lanes, autoreset_mode="SameStep", **keywords)
    settings = Settings(
        lanes=options.lanes, segment=options.segment or 64, hidden=options.hidden or 64, epochs=options.epochs,
        learning_rate=options.rate, entropy=options.entropy, minibatches=options.minibatches,
    )  # fmt: skip
    net = train(envs, options.steps, settings, recurrent=options.recurrent, seed=options.seed)
    test = gymnasium.make_vec(options.env, num_envs=min(options.episodes, 100), **keywords)
    print(evaluate(test, as_agent(net), options.episodes, 10**6))


if __name__ == "__main__":
    start(main)
