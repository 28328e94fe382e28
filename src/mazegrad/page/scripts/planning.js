// Value iteration, sweep by sweep, and the values of a given policy, from the tables of a world.

import { outcomes } from "./rules.js";

const TIE = 1e-9;
const CLOSE = 1e-13;
const PATIENCE = 20;

/** What can happen, laid out flat for quick sweeps. */
export class Model {
  constructor(world, discount) {
    Object.assign(this, { world, discount });
    this.cases = [];
    for (let s = 0; s < world.states; s++)
      for (let a = 0; a < world.actions; a++) this.cases.push(world.terminal[s] ? [] : outcomes(world, s, a));
  }

  /** Return what an action is worth in a state, given the values of what follows. */
  worth(values, state, action) {
    let sum = 0;
    for (const [probability, next, reward] of this.cases[state * this.world.actions + action]) {
      sum += probability * (reward + (this.world.terminal[next] ? 0 : this.discount * values[next]));
    }
    return sum;
  }

  /** Return the values after one sweep over all states. */
  sweep(values) {
    const { states, actions, terminal } = this.world;
    const swept = new Float64Array(states);
    for (let s = 0; s < states; s++) {
      if (terminal[s]) continue;
      let best = -Infinity;
      for (let a = 0; a < actions; a++) best = Math.max(best, this.worth(values, s, a));
      swept[s] = best;
    }
    return swept;
  }

  /** Return V*, to the last bits of floating point, or null where the sweeps do not settle. */
  solve(limit = 50000) {
    let values = new Float64Array(this.world.states);
    let [least, since] = [Infinity, 0];
    for (let i = 0; i < limit; i++) {
      const swept = this.sweep(values);
      const change = largest(swept, values);
      values = swept;
      since = change < least ? 0 : since + 1;
      least = Math.min(least, change);
      const size = values.reduce((most, value) => Math.max(most, Math.abs(value)), 1);
      if (change === 0 || (change <= CLOSE * size && since > PATIENCE)) return values;
    }
    return null;
  }

  /** Return the values of a policy, the action of each state; null where they do not settle. */
  evaluate(policy, limit = 5000) {
    const { states, terminal } = this.world;
    const values = new Float64Array(states);
    for (let i = 0; i < limit; i++) {
      let change = 0;
      for (let s = 0; s < states; s++) {
        if (terminal[s]) continue;
        const value = this.worth(values, s, policy[s]);
        change = Math.max(change, Math.abs(value - values[s]));
        values[s] = value;
      }
      if (change <= 1e-10) return values;
    }
    return null;
  }

  /** Return for each state and action whether it is one of the best, given values. */
  best(values) {
    const { states, actions, terminal } = this.world;
    const found = new Array(states * actions).fill(false);
    for (let s = 0; s < states; s++) {
      if (terminal[s]) continue;
      const worths = Array.from({ length: actions }, (_, a) => this.worth(values, s, a));
      const most = Math.max(...worths);
      const slack = TIE * Math.max(1, Math.abs(most));
      worths.forEach((worth, a) => (found[s * actions + a] = worth >= most - slack));
    }
    return found;
  }
}

/** Return the largest difference of two lists of numbers. */
export function largest(one, other) {
  let most = 0;
  for (let i = 0; i < one.length; i++) most = Math.max(most, Math.abs(one[i] - other[i]));
  return most;
}

/** Return the mean over the starts of a world. */
export function atStart(world, values) {
  return world.starts.reduce((sum, s) => sum + values[s], 0) / world.starts.length;
}
