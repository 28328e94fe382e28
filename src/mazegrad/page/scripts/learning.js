// Q-learning in a world's tables, a step at a time, and the regret of what it has learned.

import { Model, atStart } from "./planning.js";
import { Chances, step } from "./rules.js";

const LIMIT = 2000;

/** A learner of a table of values, one number for each state and action (Watkins 1989). */
export class QLearning {
  constructor(world, { rate, epsilon, discount, seed }) {
    Object.assign(this, { world, rate, epsilon, discount });
    this.q = new Float64Array(world.states * world.actions);
    this.chances = new Chances(seed);
    this.drawn = 0;
    this.returns = [];
    this.begin();
  }

  random() {
    this.drawn += 1;
    return this.chances.step(this.drawn);
  }

  begin() {
    const { starts } = this.world;
    this.state = starts[Math.floor(this.random() * starts.length)];
    this.length = this.total = 0;
  }

  /** Return an action: at random with probability epsilon, else one of the best, each equally likely. */
  choose() {
    const { actions } = this.world;
    if (this.random() < this.epsilon) return Math.floor(this.random() * actions);
    const row = this.q.subarray(this.state * actions, (this.state + 1) * actions);
    const most = Math.max(...row);
    const best = [...row.keys()].filter((a) => row[a] === most);
    return best.length === 1 ? best[0] : best[Math.floor(this.random() * best.length)];
  }

  /** Take one step and learn from it; return whether it ended an episode. */
  step() {
    const { world, q } = this;
    const action = this.choose();
    const { state, reward, end } = step(world, this.state, action, this.random());
    const at = this.state * world.actions + action;
    let ahead = 0;
    if (!end) {
      ahead = -Infinity;
      for (let a = 0; a < world.actions; a++) ahead = Math.max(ahead, q[state * world.actions + a]);
    }
    q[at] += this.rate * (reward + this.discount * ahead - q[at]);
    this.state = state;
    this.length += 1;
    this.total += reward;
    if (!end && this.length < LIMIT) return false;
    this.returns.push(this.total);
    this.begin();
    return true;
  }

  /** Return by how much the greedy policy falls short of the best one at the start; null where it may never end. */
  regret() {
    const { world } = this;
    this.model ??= new Model(world, this.discount);
    this.optimum ??= this.model.solve();
    if (!this.optimum) return null;
    const policy = Array.from({ length: world.states }, (_, s) => {
      const row = this.q.subarray(s * world.actions, (s + 1) * world.actions);
      return row.indexOf(Math.max(...row));
    });
    const values = this.model.evaluate(policy);
    return values ? Math.max(atStart(world, this.optimum) - atStart(world, values), 0) : null;
  }
}
