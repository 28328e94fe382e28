// A walk that is recorded as it goes, so that it can be stepped, scrubbed and repeated.

import { bitsOf, chancesOf, isGoal, startOf, stepOf } from "./logic.js";

const LIMIT = 5000;

/**
 * A walk through a world. A mind has `begin()`, which returns what it remembers first, and `think(bits, memory, state)`,
 * which returns {action, memory, ...}, the memory after this observation. Without a mind, `go` says each move.
 */
export class Walk {
  constructor(world, mind, seed = 1, route = null) {
    Object.assign(this, { world, mind, route, index: 0 });
    this.chances = chancesOf(seed);
    // where nothing is random, a mind that is where it was, remembering what it did, goes on for ever
    this.met = mind && !world.noise && !world.slip.some(Boolean) ? new Set() : null;
    const state = startOf(world, this.chances);
    this.frames = [this.frame(state, mind?.begin() ?? null, 0, null)];
  }

  frame(state, memory, total, moved) {
    const over = Boolean(this.world.terminal[state]);
    const bits = bitsOf(this.world, state);
    const thought = this.mind && !over ? this.mind.think(bits, memory, state) : null;
    const key = this.met && `${state} ${JSON.stringify(memory)}`;
    const repeats = Boolean(this.met?.has(key)) && !over;
    this.met?.add(key);
    return { state, memory, total, moved, bits, thought, over, repeats, atGoal: over && isGoal(this.world, state) };
  }

  get now() {
    return this.frames[this.index];
  }

  get last() {
    return this.frames.length - 1;
  }

  /** Whether the walk is over, or long enough. */
  get over() {
    return (
      this.index === this.last && (this.now.over || this.now.repeats || this.strayed !== null || this.last >= LIMIT)
    );
  }

  /** The action that leaves a route which was to be followed, or null. */
  get strayed() {
    if (!this.route) return null;
    const { thought } = this.now;
    const wanted = this.route[this.index];
    return wanted !== undefined && thought && thought.action !== wanted ? thought.action : null;
  }

  /** Take the next step, recorded or new; `action` is chosen by the mind unless it is given. */
  step(action = null) {
    if (action === null && this.index < this.last) {
      this.index += 1;
      return true;
    }
    if (this.now.over || this.now.repeats || this.index >= LIMIT || this.strayed !== null) return false;
    const { state, thought, total } = this.now;
    const chosen = action ?? thought?.action;
    if (chosen === undefined || chosen === null) return false;
    const { state: to, reward } = stepOf(this.world, state, chosen, this.chances, this.index);
    this.frames.length = this.index + 1;
    this.frames.push(this.frame(to, thought?.memory ?? null, total + reward, chosen));
    this.index += 1;
    return true;
  }

  seek(index) {
    this.index = Math.min(Math.max(index, 0), this.last);
  }

  /** Return the cells that were visited up to now. */
  get cells() {
    return this.frames.slice(0, this.index + 1).map((frame) => this.world.cell[frame.state]);
  }
}

/** Frames from elsewhere, such as a recorded run, shown as a walk. */
export class Recorded extends Walk {
  constructor(world, states, actions, totals) {
    super(world, null);
    this.frames = states.map((state, i) => this.frame(state, null, totals[i], i ? actions[i - 1] : null));
    this.done = true;
  }

  get over() {
    return this.index === this.last;
  }

  step() {
    if (this.over) return false;
    this.index += 1;
    return true;
  }
}
