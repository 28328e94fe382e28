// The mode of value iteration, a sweep at a time or until nothing changes.

import { button, card, el, parameter, say } from "./dom.js";
import { Model, atStart, largest } from "./planning.js";
import { paintValues, percent } from "./values.js";
import { curvePlot, shortNumber } from "./view.js";
import { t } from "./words.js";

const MOST_SWEEPS = 1000;

/** The mode of value iteration. */
export class PlanMode {
  constructor(app) {
    this.app = app;
    this.id = "plan";
    this.discount = 0.95;
    this.numbers = true;
  }

  start() {
    this.model = new Model(this.app.world, this.discount);
    this.history = [new Float64Array(this.app.world.states)];
    this.changes = [];
    this.at = 0;
  }

  get playWord() {
    return t("play");
  }

  get stepWord() {
    return t("sweepOnce");
  }

  get index() {
    return this.at;
  }

  get last() {
    return this.history.length - 1;
  }

  /** Whether another sweep changes nothing that can be seen. */
  get converged() {
    return this.changes.length > 0 && this.changes.at(-1) <= 1e-12;
  }

  get over() {
    return this.at === this.last && (this.converged || this.last >= MOST_SWEEPS);
  }

  step() {
    if (this.at < this.last) this.at += 1;
    else if (this.over) return false;
    else {
      const swept = this.model.sweep(this.history[this.at]);
      this.changes.push(largest(swept, this.history[this.at]));
      this.history.push(swept);
      this.at += 1;
    }
    return true;
  }

  back() {
    this.seek(this.at - 1);
  }

  seek(index) {
    this.at = Math.min(Math.max(index, 0), this.last);
  }

  restart() {
    this.start();
  }

  converge() {
    this.app.stop();
    while (this.step());
    this.app.show();
    say(this.spoken());
  }

  panel() {
    const numbers = el("input", {
      type: "checkbox",
      id: "numbers",
      on: {
        change: () => {
          this.numbers = numbers.checked;
          this.app.show();
        },
      },
    });
    numbers.checked = this.numbers;
    this.list = el("dl", { class: "numbers" });
    this.curve = el("figure");
    return [
      card(
        t("planTitle"),
        el("p", { html: t("planHelp") }),
        el(
          "div",
          { class: "row" },
          button(t("converge"), () => this.converge(), "quiet", { id: "converge" }),
        ),
        el(
          "div",
          { class: "params" },
          parameter(t("discount"), this.discount, { min: 0.5, max: 1, step: 0.01 }, percent, (value) => {
            this.discount = value;
            this.app.begin();
          }),
        ),
        el("label", { class: "row" }, numbers, el("span", { text: t("showNumbers") })),
      ),
      card(t("sweepsTitle"), this.list, this.curve),
    ];
  }

  get startValue() {
    return atStart(this.app.world, this.history[this.at]);
  }

  live() {
    const rows = [
      [t("sweepFact"), this.at],
      [t("largestChange"), this.at ? shortNumber(this.changes[this.at - 1]) : "–"],
      [t("startValue"), shortNumber(this.startValue)],
    ];
    this.list.replaceChildren(
      ...rows.flatMap(([name, value]) => [el("dt", { text: name }), el("dd", { text: value })]),
    );
    const curve = this.history.slice(0, this.at + 1).map((values) => atStart(this.app.world, values));
    this.curve.replaceChildren(
      curvePlot(curve, `${t("sweepFact")}: ${this.at}`),
      el("figcaption", { class: "soft small", text: t("startCurve") }),
    );
  }

  paint(board) {
    const { world } = this.app;
    const values = this.history[this.at];
    board.setAgent(world.cell[world.starts[0]], null, true);
    this.chosen = paintValues(this.app, board, values, this.model.best(values), this.numbers);
  }

  /** Look at a cell; return whether that changes what is said. */
  hover(cell) {
    const changed = cell !== this.hovered;
    this.hovered = cell;
    return changed;
  }

  facts() {
    const here = this.chosen?.get(this.hovered);
    const columns = this.app.maze.columns;
    const where = { row: Math.floor(this.hovered / columns), column: this.hovered % columns };
    return [
      [t("sweepFact"), this.at],
      [t("startValue"), shortNumber(this.startValue)],
      ...(here === undefined ? [] : [[t("valueHere", where), shortNumber(this.history[this.at][here])]]),
      ...(this.over ? [["", t(this.converged ? "converged" : "stopped")]] : []),
    ];
  }

  spoken() {
    return `${t("sweepFact")} ${this.at}. ${t("startValue")} ${shortNumber(this.startValue)}. ${this.over ? t("converged") : ""}`;
  }
}
