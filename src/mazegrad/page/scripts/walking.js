// What all modes share in which somebody walks: how a step is drawn, said and scrubbed.

import { carriedOf, headingOf, tilesNow } from "./logic.js";
import { Walk } from "./player.js";
import { shortNumber } from "./view.js";
import { actionName, bitsInWords, t } from "./words.js";

const TRAIL = 600;

/** A mode with a walk; a mode of its own gives `mind()`, `panel()` and `live()`. */
export class Walking {
  constructor(app) {
    this.app = app;
    this.seed = 1;
    this.walk = null;
  }

  mind() {
    return null;
  }

  /** Begin again, in the maze that is shown. */
  start() {
    this.walk = new Walk(this.app.world, this.mind(), this.seed, this.route ?? null);
  }

  get playWord() {
    return t("play");
  }

  get stepWord() {
    return t("step");
  }

  get index() {
    return this.walk.index;
  }

  get last() {
    return this.walk.last;
  }

  get over() {
    return this.walk.over;
  }

  step() {
    return this.walk.step();
  }

  back() {
    this.walk.seek(this.walk.index - 1);
  }

  seek(index) {
    this.walk.seek(index);
  }

  restart() {
    this.start();
  }

  live() {}

  /** Return the angle in which the agent goes or looks, or null. */
  ahead(frame) {
    const heading = headingOf(this.app.world, frame.state);
    if (heading !== null) return heading;
    const action = frame.thought?.action ?? null;
    return action === null ? null : this.app.world.angles[action];
  }

  paint(board) {
    const { world } = this.app;
    const { now } = this.walk;
    const codes = tilesNow(world, now.state);
    if (codes) codes.forEach((code, cell) => board.setTile(cell, code));
    const cell = world.cell[now.state];
    const before = this.walk.index ? world.cell[this.walk.frames[this.walk.index - 1].state] : cell;
    const far =
      Math.abs((cell % board.columns) - (before % board.columns)) +
        Math.abs(Math.floor(cell / board.columns) - Math.floor(before / board.columns)) >
      1;
    board.setAgent(cell, this.ahead(now), far || !this.walk.index);
    board.setTrail(this.walk.cells.slice(-TRAIL));
    board.setSenses(this.senses ? cell : null, now.bits);
  }

  /** Return how the walk ended, in words, or nothing. */
  ending() {
    const { now } = this.walk;
    if (now.atGoal) return t("atGoal");
    if (now.over) return t("ended");
    if (now.repeats) return t("repeats");
    return this.walk.over ? t("stopped") : "";
  }

  facts() {
    const { now, index } = this.walk;
    const carries = carriedOf(this.app.world, now.state);
    return [
      [t("stepFact"), index],
      [t("returnFact"), shortNumber(now.total)],
      [t("sees"), bitsInWords(now.bits, this.app.world)],
      ...(carries.length ? [[t("carries"), carries.join(" ")]] : []),
      ...(this.ending() ? [["", this.ending()]] : []),
    ];
  }

  /** Return what a screen reader says after a step. */
  spoken() {
    const { now, index } = this.walk;
    const went = now.moved === null ? "" : t("went", { direction: actionName(now.moved, this.app.world) });
    const after = this.ending() || t("seesNow", { what: bitsInWords(now.bits, this.app.world) });
    return `${t("stepNumber", { n: index })} ${went} ${after}`;
  }
}
