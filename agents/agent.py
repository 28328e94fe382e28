"""What an agent is: it sees an observation, keeps nothing, and hands its state back to the caller."""

from typing import Any, Protocol, TypeVar, runtime_checkable


@runtime_checkable
class Agent(Protocol):
    """Anything that chooses actions.

    The agent's state goes through the caller's hands, so one agent walks any number of mazes at once, and a walk can be
    stopped, copied and continued anywhere. With `batch_size=None` there is one observation, and the action is an int;
    with a number, observations, states and actions are arrays whose first axis is the batch.
    """

    def initial_state(self, batch_size: int | None = None) -> Any:
        """Return the state before the first observation of an episode."""

    def act(self, observation: Any, state: Any) -> tuple[Any, Any]:
        """Return the action, and the state for the next observation; the state given is left as it is."""


A = TypeVar("A", bound=Agent)


def checked_agent(agent: A) -> A:
    """Return the agent.

    Raises:
        TypeError: it is none, but a function or a class, say.
    """
    if isinstance(agent, type):
        raise TypeError(f"give an agent, not its class: {agent.__name__}(...)")
    if not isinstance(agent, Agent):
        raise TypeError(f"an agent has the methods initial_state and act, which a {type(agent).__name__} lacks")
    return agent
