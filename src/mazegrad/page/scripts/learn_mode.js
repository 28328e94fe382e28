// The mode of Q-learning, with its regret.

import { card, el, parameter } from "./dom.js";
import { QLearning } from "./learning.js";
import { paintValues, percent } from "./values.js";
import { curvePlot, shortNumber } from "./view.js";
import { t } from "./words.js";

/** The mode of Q-learning. */
export class LearnMode {
  constructor(app) {
    this.app = app;
    this.id = "learn";
    this.settings = { rate: 0.5, epsilon: 0.1, discount: 0.95, seed: 1 };
    this.quick = true;
  }

  start() {
    this.learner = new QLearning(this.app.world, this.settings);
    this.regrets = [];
  }

  get playWord() {
    return t("learn");
  }

  get stepWord() {
    return t("oneEpisode");
  }

  get index() {
    return this.learner.returns.length;
  }

  get last() {
    return this.index;
  }

  get over() {
    return this.index >= 5000;
  }

  /** Take one step of the environment; return whether learning goes on. */
  tick() {
    this.learner.step();
    return !this.over;
  }

  /** Finish an episode. */
  step() {
    for (let i = 0; i < 100000 && !this.learner.step(); i++);
    return !this.over;
  }

  back() {}

  seek() {}

  restart() {
    this.start();
  }

  panel() {
    const set = (name) => (value) => {
      this.settings = { ...this.settings, [name]: value };
      this.app.begin();
    };
    this.list = el("dl", { class: "numbers" });
    this.regret = el("figure");
    this.returns = el("figure");
    return [
      card(
        t("learnTitle"),
        el("p", { html: t("learnHelp") }),
        el(
          "div",
          { class: "params" },
          parameter(t("rate"), this.settings.rate, { min: 0.05, max: 1, step: 0.05 }, percent, set("rate")),
          parameter(t("epsilon"), this.settings.epsilon, { min: 0, max: 1, step: 0.05 }, percent, set("epsilon")),
          parameter(t("discount"), this.settings.discount, { min: 0.5, max: 1, step: 0.01 }, percent, set("discount")),
        ),
      ),
      card(t("regretTitle"), this.regret, this.list),
    ];
  }

  live() {
    const { returns } = this.learner;
    if (this.regrets.at(-1)?.[0] !== returns.length) this.regrets.push([returns.length, this.learner.regret()]);
    const known = this.regrets.filter(([, regret]) => regret !== null);
    const recent = returns.slice(-20);
    const mean = recent.length ? recent.reduce((sum, value) => sum + value, 0) / recent.length : 0;
    const rows = [
      [t("episodes"), returns.length],
      [t("recentReturn"), recent.length ? shortNumber(mean) : "–"],
      [t("regretFact"), known.length ? shortNumber(Number(known.at(-1)[1].toFixed(9))) : "–"],
    ];
    this.list.replaceChildren(
      ...rows.flatMap(([name, value]) => [el("dt", { text: name }), el("dd", { text: value })]),
    );
    this.regret.replaceChildren(
      curvePlot(
        known.map(([, regret]) => regret),
        `${t("episodes")}: ${returns.length}`,
        known.map(([episode]) => episode),
      ),
      el("figcaption", { class: "soft small", text: t("regretHelp") }),
    );
  }

  paint(board) {
    const { world } = this.app;
    const { q, state } = this.learner;
    const values = new Float64Array(world.states);
    const best = new Array(world.states * world.actions).fill(false);
    for (let s = 0; s < world.states; s++) {
      const row = q.slice(s * world.actions, (s + 1) * world.actions);
      values[s] = Math.max(...row);
      if (row.some((value) => value !== row[0]))
        row.forEach((value, a) => (best[s * world.actions + a] = value === values[s]));
    }
    board.setAgent(world.cell[state], null, !this.app.slow);
    paintValues(this.app, board, values, best, false);
  }

  facts() {
    return [
      [t("episodes"), this.learner.returns.length],
      ...(this.learner.returns.length ? [[t("returnFact"), shortNumber(this.learner.returns.at(-1))]] : []),
    ];
  }

  spoken() {
    return `${t("episodes")}: ${this.learner.returns.length}. ${t("returnFact")}: ${shortNumber(this.learner.returns.at(-1) ?? 0)}`;
  }
}
