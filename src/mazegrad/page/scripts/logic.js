// What the page asks of the logic, in one place: mazes, worlds, steps and minds as its modes need them.

import { carriedIn, compile, tilesNow as tilesIn, turned, quartersOf } from "./compile.js";
import { AUTOMATA, compileAutomaton, thresholdStep } from "./minds.js";
import { Chances, step } from "./rules.js";

export const ARROWS = ["↑", "→", "←", "↓"];
export const RULES = AUTOMATA;
const ANGLES = [0, 90, 270, 180];

/** Return the tables of a maze, with the angle in which each action leads, null where it leads nowhere. */
export function compileMaze(maze) {
  const world = compile(maze);
  world.angles = world.steps.map(([row, column]) =>
    row || column ? Math.round((Math.atan2(column, -row) * 180) / Math.PI) : null,
  );
  world.four = world.actions === 4 && world.names.join() === "up,right,left,down";
  return world;
}

/** Return what is odd about a map: keys of words, with blanks. */
export function questions(world) {
  const { maze, states, moves, terminal } = world;
  const said = [];
  const reached = new Set(world.starts);
  const open = [...reached];
  while (open.length) {
    const state = open.pop();
    for (let move = 0; move < moves && !terminal[state]; move++) {
      const to = world.next[state * moves + move];
      if (!reached.has(to)) {
        reached.add(to);
        open.push(to);
      }
    }
  }
  const goals = Array.from({ length: states }, (_, s) => s).filter((s) => world.goal[s]);
  if (!goals.length && !maze.tiles.includes("*")) said.push(["noGoal"]);
  else if (goals.length && !goals.some((s) => reached.has(s))) said.push(["noWay"]);
  for (const door of "ABCDEF")
    if (maze.tiles.includes(door) && !maze.tiles.includes(door.toLowerCase())) said.push(["noKey", { door }]);
  return said;
}

/** Return the bits that are seen in a state. */
export function bitsOf(world, state) {
  return Array.from(world.dots.slice(state * world.seen, (state + 1) * world.seen));
}

/** Return the angle in which an agent looks that has a heading, else null. */
export function headingOf(world, state) {
  return world.headings > 1 ? ANGLES[world.heading[state]] : null;
}

/** Return the angle in which an action leads in a state, or null. */
export function angleOf(world, state, action) {
  if (world.headings === 1 || world.angles[action] === null) return world.angles[action];
  const [row, column] = turned(world.steps[action], quartersOf(world.heading[state]));
  return Math.round((Math.atan2(column, -row) * 180) / Math.PI);
}

/** Return the tiles as codes where something was taken or opened, else null. */
export function tilesNow(world, state) {
  return world.gives.size ? tilesIn(world, state) : null;
}

/** Return what an agent carries. */
export function carriedOf(world, state) {
  return world.gives.size ? carriedIn(world, state) : [];
}

/** Return whether a state is a goal. */
export function isGoal(world, state) {
  return world.goal[state] === 1;
}

/** The chances of a walk: where it starts, and what happens at step t. */
export function chancesOf(seed) {
  return new Chances(seed);
}

/** Return where a walk starts. */
export function startOf(world, chances) {
  return world.starts[chances.start(world.starts.length)];
}

/** Return {state, reward, end} of step t. */
export function stepOf(world, state, action, chances, t) {
  return step(world, state, action, chances.step(t));
}

/** Return an automaton compiled into threshold units, as a mind with a step. */
export function compileRule(rule) {
  const net = compileAutomaton(rule);
  return {
    begin: () => net.h0,
    step: (bits, h) => {
      const on = thresholdStep(net, bits, h);
      return { on, memory: on, action: net.action[on.indexOf(true)] };
    },
  };
}
