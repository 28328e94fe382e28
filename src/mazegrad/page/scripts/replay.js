// Recorded runs: JSON Lines, one about the environment and one for each episode, walked again from their seeds.

import { compile } from "./compile.js";
import { readMaze } from "./maze.js";
import { Chances, step } from "./rules.js";

const FORMAT = "mazegrad replay 1";
/** the mazes of environments that were recorded without naming one */
const DEFAULTS = {
  PathFollow: "sheet38",
  GridWorld: "four_rooms",
  FourRooms: "four_rooms",
  CliffWalk: "cliff_walk",
  WindyGrid: "windy_grid",
  DynaMaze: "dyna_maze",
  KeyDoor: "key_door",
  IceLake: "ice_lake",
};

function check(holds, line, message) {
  if (!holds) throw new Error(`line ${line}: ${message}`);
}

function parsed(text, line) {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error(`line ${line}: this is not JSON; is this file a replay?`);
  }
}

/**
 * Read a recorded run.
 *
 * Returns {id, episodes}; each episode has the `maze` it was walked in, `states`, `actions` and `totals`,
 * the return after each step.
 *
 * `mazes` are texts by name.
 */
export function readReplay(text, mazes) {
  const lines = text.replace(/\n$/, "").split("\n");
  const head = parsed(lines[0], 1);
  check(head?.format === FORMAT, 1, `this is not a replay, which begins with {"format": "${FORMAT}", ...}`);
  check(
    typeof head.id === "string" && typeof head.keywords === "object" && head.keywords,
    1,
    "id or keywords are missing",
  );
  const name = head.id.replace(/^mazegrad\//, "").replace(/-v\d+$/, "");
  const { keywords } = head;
  let seed = null;
  let number = 0;
  const episodes = lines.slice(1).map((line, i) => {
    const at = i + 2;
    const episode = parsed(line, at);
    check(
      Array.isArray(episode?.actions) && episode.actions.every((action) => Number.isInteger(action) && action >= 0),
      at,
      "actions must be integers >= 0",
    );
    if (Number.isInteger(episode.seed)) [seed, number] = [BigInt(/"seed":\s*(\d+)/.exec(line)?.[1] ?? episode.seed), 0];
    check(seed !== null, at, "the first episode needs a seed");
    const drawn = episode.options?.maze ?? keywords.maze ?? DEFAULTS[name];
    check(typeof drawn === "string", at, `the mazes of ${head.id} are not in the file; record it with --maze`);
    const maze = readMaze(withKeywords(Object.hasOwn(mazes, drawn) ? mazes[drawn] : drawn, keywords));
    const world = compile(maze);
    const chances = new Chances(seed, number);
    number += 1;
    const start = episode.options?.start;
    let state = start
      ? world.cell.findIndex((cell, s) => cell === start[0] * maze.columns + start[1] && world.carried[s] === 0)
      : world.starts[chances.start(world.starts.length)];
    const [states, totals] = [[state], [0]];
    episode.actions.forEach((action, t) => {
      check(action < world.actions, at, `action ${action} is not one of this maze's ${world.actions}`);
      const { state: to, reward } = step(world, state, action, chances.step(t));
      state = to;
      states.push(state);
      totals.push(totals.at(-1) + reward);
    });
    return { maze, states, actions: episode.actions, totals };
  });
  check(episodes.length > 0, 1, "there is no episode in this file");
  return { id: head.id, episodes };
}

/** Return a map with the keywords of an environment that stand for its settings. */
function withKeywords(text, keywords) {
  const lines = [];
  if (typeof keywords.slip === "number") lines.push(["slip", keywords.slip]);
  if (keywords.rewards)
    lines.push([
      "rewards",
      Object.entries(keywords.rewards)
        .map(([key, value]) => `${key} ${value}`)
        .join(", "),
    ]);
  for (const key of ["actions", "noise", "wind"])
    if (typeof keywords[key] === "string") lines.push([key, keywords[key]]);
  for (const [key, value] of lines) {
    const others = text.split("\n").filter((line) => !line.startsWith(`${key}:`));
    text = [`${key}: ${value}`, ...others].join("\n");
  }
  return text;
}
