"""A page for each environment, written from the registry when the site is built, so that it cannot be out of date."""

import importlib
import inspect
import re
from pathlib import Path
from typing import Any, Final

import gymnasium
from reference import write_if_changed

import mazegrad  # noqa: F401  (registers the environments)
from mazegrad.agents import Rollout, agent_from_policy, rollout
from mazegrad.envs import OBSERVATIONS, REWARDS, MazeEnv, TabularMDPEnv, value_iteration
from mazegrad.scores import LEARNERS, Plan, environment_table, read_results

NAMESPACE: Final = "mazegrad/"
SCORES: Final = Path(__file__).parent / "scores.jsonl"
SHOWN: Final = 120
"""steps of a walk that is shown"""


def ids() -> list[str]:
    """Return the ids of this package."""
    return [env_id for env_id in gymnasium.registry if env_id.startswith(NAMESPACE)]


def write(folder: Path) -> None:
    """Write all pages, their pictures, and the page that lists them."""
    (folder / "images").mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*-v*.md"):
        if NAMESPACE + old.stem not in ids():
            old.unlink()
    lines = ["# Environments", "", "Every environment that `import mazegrad` registers, with an optimal walk.", ""]
    for env_id in ids():
        name = env_id.removeprefix(NAMESPACE)
        write_if_changed(folder / f"{name}.md", page(env_id, folder / "images"))
        about = _about(env_id).partition("\n")[0]
        lines += [f"## [{name}]({name}.md)", "", about, ""]
        if (folder / "images" / f"{name}.svg").exists():
            lines += [f"![{name}](images/{name}.svg)", ""]
    lines += ["```{toctree}", ":hidden:", "", *(env_id.removeprefix(NAMESPACE) for env_id in ids()), "```", ""]
    write_if_changed(folder / "index.md", "\n".join(lines))


def page(env_id: str, images: Path) -> str:
    """Return the page of one environment, and write its picture."""
    name = env_id.removeprefix(NAMESPACE)
    env = gymnasium.make(env_id).unwrapped
    text = [f"# {name}", "", _about(env_id), ""]
    if isinstance(env, MazeEnv):
        walk = best_walk(env_id)
        write_if_changed(images / f"{name}.svg", walk._repr_svg_() or "")
        text += ["```{raw} html", walk._repr_html_() or "", "```", ""]
        text += ["```sh", f"mazegrad watch --env {name}", f"mazegrad play --env {name}", "```", ""]
    text += ["```python", "import gymnasium", "import mazegrad", "", f'env = gymnasium.make("{env_id}")']
    text += ["observation, info = env.reset(seed=0)", "observation, reward, terminated, truncated, info = env.step(0)"]
    text += [f'envs = gymnasium.make_vec("{env_id}", num_envs=8)', "```", ""]
    text += ["## In short", "", _table(["", ""], _facts(env_id, env)), ""]
    if isinstance(env, MazeEnv):
        text += ["## What is observed", "", _table(["`observation=`", "space"], _spaces(env_id)), ""]
        text += ["[MazeEnv](../api/envs-environments.rst) says what each of them is, and has all other keywords.", ""]
        text += _keywords(env_id) if "maze" not in env.spec.kwargs else []
        text += ["## The map", "", *_map(env), ""]
        text += _scores(env_id)
    return "\n".join(text)


def _about(env_id: str) -> str:
    """Return what the function that makes the environment says about it, and what its map says."""
    spec = gymnasium.spec(env_id)
    about = inspect.getdoc(_maker(env_id)) or ""
    about = about.partition("\nArgs:")[0].partition("\nRaises:")[0].strip()
    env: Any = gymnasium.make(env_id).unwrapped
    if "maze" in spec.kwargs and isinstance(env, MazeEnv):
        said = env.maze.metadata
        source = said.get("source", "mazegrad")
        about = f"{said.get('title', spec.kwargs['maze'])}." + (f" {source}." if source != "mazegrad" else "")
    return about.replace(f", `{env_id}`", "")


def _maker(env_id: str) -> Any:
    """Return the function that makes an environment."""
    entry = gymnasium.spec(env_id).entry_point
    assert isinstance(entry, str)
    module, _, function = entry.partition(":")
    return getattr(importlib.import_module(module), function)


def _keywords(env_id: str) -> list[str]:
    """Return what an id takes besides the keywords of all, as its function describes it."""
    maker = _maker(env_id)
    own = [p for p in inspect.signature(maker).parameters.values() if p.name not in ("keywords", "num_envs")]
    said = (inspect.getdoc(maker) or "").partition("\nArgs:\n")[2].partition("\n\n")[0]
    entries = [entry.partition(":") for entry in re.split(r"\n {4}(?! )", f"\n{said}")]
    about = {name.strip(): " ".join(text.split()) for name, _, text in entries}
    rows = [[f"`{p.name}`", f"`{p.default!r}`", about.get(p.name, "")] for p in own]
    return ["## Its own keywords", "", _table(["keyword", "by default", ""], rows), ""] if rows else []


def _facts(env_id: str, env: Any) -> list[list[str]]:
    spec = env.spec
    facts = [
        ["id", f"`{env_id}`, version {spec.version}"],
        ["actions", _space(env.action_space)],
        ["observations", f"{_space(env.observation_space)} by default"],
        ["arguments", ", ".join(f"`{key}={value!r}`" for key, value in spec.kwargs.items()) or "none by default"],
    ]
    if isinstance(env, MazeEnv):
        rewards = _rewards(env)
        facts += [
            ["rewards", ", ".join(f"{thing} {reward:g}" for thing, reward in rewards.items())],
            ["slip", f"{env.world.slip.max():g}" if env.world.slip.any() else "moves never slip"],
            ["ends", _ends(env)],
            ["states", f"{env.world.states}" + ("" if env.spec.max_episode_steps else ", in the first maze")],
        ]
    else:
        assert isinstance(env, TabularMDPEnv)
        facts += [["ends", "as the process says; the default, `tiger`, goes on for ever"]]
    limit = getattr(env, "time_limit", None)
    fixed = spec.max_episode_steps is not None
    facts += [
        ["step limit", "none" if limit is None else f"{limit:,}" + ("" if fixed else ", another in each maze")],
        ["reward threshold", "none" if spec.reward_threshold is None else f"{spec.reward_threshold:g}"],
        ["render modes", ", ".join(f"`{mode}`" for mode in env.metadata["render_modes"])],
    ]
    if isinstance(env, MazeEnv):
        values = value_iteration(env.world, discount=0.99)
        facts.append(["V*, discount 0.99", f"{values.expected_return:.4f}" + ("" if fixed else " in the first maze")])
    return facts


def _rewards(env: MazeEnv) -> dict[str, float]:
    """Return what counts in the maze: the rewards of what is drawn in it, and of steps and bumps."""
    said = dict(REWARDS)
    for entry in env.maze.metadata.get("rewards", "").split(","):
        if entry.strip():
            thing, value = entry.split()
            said[thing] = float(value)
    drawn = {"goal": "G", "trap": "X", "item": "*"}
    rows = env.maze.to_text()
    return {thing: value for thing, value in said.items() if thing not in drawn or drawn[thing] in rows}


def _ends(env: MazeEnv) -> str:
    world, ends = env.world, []
    if world.goal.any():
        ends.append("at a goal")
    if (world.terminal & ~world.goal).any():
        ends.append("in a trap")
    return " or ".join(ends) or "never by itself"


def _spaces(env_id: str) -> list[list[str]]:
    rows = []
    for kind in [*OBSERVATIONS, "net"]:
        try:
            space = gymnasium.make(env_id, observation=kind).observation_space
        except ValueError as error:
            rows.append([f"`{kind}`", f"not here: {error}"])
        else:
            rows.append([f"`{kind}`", _space(space)])
    return rows


def _space(space: gymnasium.Space[Any]) -> str:
    if isinstance(space, gymnasium.spaces.Box) and space.shape:
        return f"`Box`, {space.shape}, {space.dtype}, {space.low.min():g} to {space.high.max():g}"
    if isinstance(space, gymnasium.spaces.MultiDiscrete):
        return f"`MultiDiscrete({space.nvec.ravel().tolist() if space.nvec.size < 5 else space.shape})`"
    return f"`{space}`"


def _map(env: MazeEnv) -> list[str]:
    env.reset(seed=0)
    lines = [] if env.spec is not None and env.spec.max_episode_steps else ["The maze of `reset(seed=0)`:", ""]
    return [*lines, "```text", *env.maze.to_text().rstrip("\n").split("\n"), "```"]


def best_walk(env_id: str) -> Rollout:
    """Return an optimal episode."""
    env = gymnasium.make(env_id, observation="state")
    maze_env = env.unwrapped
    assert isinstance(maze_env, MazeEnv)
    env.reset(seed=0)
    agent = agent_from_policy(value_iteration(maze_env.world).policy)
    return rollout(env, agent, seed=0, max_steps=SHOWN)


def _scores(env_id: str) -> list[str]:
    """Return the table of scores, if the runs of this environment are there."""
    results = {key: result for key, result in read_results(SCORES).items() if result.job.env_id == env_id}
    if not results:
        return []
    plan = Plan((env_id,), tuple(LEARNERS), seeds=1 + max(result.job.seed for result in results.values()))
    title, _, table = environment_table(plan, results, env_id).partition("\n")
    seen = title.partition(", seen as ")[2]
    return ["## Scores", "", f"Seen as {seen}; [scores](../scores.md) says how they are measured.", table]


def _table(head: list[str], rows: list[list[str]]) -> str:
    return "\n".join("| " + " | ".join(row) + " |" for row in [head, ["---"] * len(head), *rows])
