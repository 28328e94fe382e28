// The other modes: walking oneself, planning, learning, automata, and recorded runs.

import { button, card, el, parameter, say } from "./dom.js";
import { ARROWS, RULES, angleOf, chancesOf, compileRule, startOf } from "./logic.js";
import { QLearning } from "./learning.js";
import { Model, atStart, largest } from "./planning.js";
import { readReplay } from "./replay.js";
import { RuleError, readRules } from "./rulebook.js";
import { Recorded } from "./player.js";
import { curvePlot, graphPlot, shortNumber } from "./view.js";
import { Walking } from "./walking.js";
import { actionName, bitsInWords, t } from "./words.js";

const EXAMPLE =
  "left: up right -> up, right\nleft: up -> up\nleft: anything -> left\nright: up left -> up, left\nright: up -> up\nright: anything -> right\n";
const MOST_SWEEPS = 1000;
const percent = (value) => value.toFixed(2).replace(/\.?0+$/, "");

// ------------------------------------------------------------------------------------------------------------- walking
/** The mode in which a person walks. */
export class WalkMode extends Walking {
  constructor(app) {
    super(app);
    this.id = "walk";
    this.senses = true;
    this.ownMoves = true;
  }

  panel() {
    this.list = el("dl", { class: "numbers" });
    return [
      card(t("walkTitle"), el("p", { text: t("walkHelp") }), this.list),
      card(t("walkMore"), el("p", { class: "soft", text: t("walkChallenge") })),
    ];
  }

  live() {
    const { world } = this.app;
    const { now, index, frames } = this.walk;
    const before = index ? frames[index - 1].total : 0;
    const rows = [
      [t("stepFact"), index],
      [t("lastReward"), index ? shortNumber(now.total - before) : "–"],
      [t("returnFact"), shortNumber(now.total)],
      [t("sees"), bitsInWords(now.bits, world)],
      [t("stateFact"), `${now.state} / ${world.states}`],
    ];
    this.list.replaceChildren(
      ...rows.flatMap(([name, value]) => [el("dt", { text: name }), el("dd", { text: value })]),
    );
  }

  /** Return the angle of the last move. */
  ahead(frame) {
    return super.ahead(frame) ?? (frame.moved === null ? null : this.app.world.angles[frame.moved]);
  }

  move(action) {
    if (this.walk.now.over) return;
    this.walk.step(action);
    this.app.show();
    say(this.spoken());
  }
}

// ------------------------------------------------------------------------------------------------------------ planning
/** Draw values as heat and the best actions as arrows. */
function paintValues(app, board, values, best, numbers) {
  const { world } = app;
  const highest = new Float64Array(board.rows * board.columns).fill(NaN);
  const chosen = new Map();
  for (let s = 0; s < world.states; s++) {
    const cell = world.cell[s];
    if (world.terminal[s] || world.maze.tiles[cell] === "X") continue; // a trap that leads back is never stood on
    if (Number.isNaN(highest[cell]) || values[s] > highest[cell]) {
      highest[cell] = values[s];
      chosen.set(cell, s);
    }
  }
  const known = [...highest].filter((value) => !Number.isNaN(value));
  const [low, high] = [Math.min(...known), Math.max(...known)];
  board.setHeat([...highest].map((value) => (high > low ? (value - low) / (high - low) : value - value)));
  const arrows = [];
  const even = high === low;
  for (const [cell, s] of even ? [] : chosen) {
    for (let a = 0; a < world.actions; a++) if (best[s * world.actions + a]) arrows.push([cell, angleOf(world, s, a)]);
  }
  const written = numbers && board.tile >= 38;
  board.setArrows(arrows, written);
  board.setLabels(
    written
      ? [...chosen]
          .filter(([cell]) => cell !== world.cell[world.starts[0]])
          .map(([cell]) => [cell, shortNumber(Number(highest[cell].toFixed(3)))])
      : [],
  );
}

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
    paintValues(this.app, board, values, this.model.best(values), this.numbers);
  }

  facts() {
    return [
      [t("sweepFact"), this.at],
      [t("startValue"), shortNumber(this.startValue)],
      ...(this.over ? [["", t(this.converged ? "converged" : "stopped")]] : []),
    ];
  }

  spoken() {
    return `${t("sweepFact")} ${this.at}. ${t("startValue")} ${shortNumber(this.startValue)}. ${this.over ? t("converged") : ""}`;
  }
}

// ------------------------------------------------------------------------------------------------------------ learning
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

// ------------------------------------------------------------------------------------------------------------ automata
/** The mode in which a finite-state controller walks: a wall follower, or another automaton. */
export class RulesMode extends Walking {
  constructor(app) {
    super(app);
    this.id = "rules";
    this.senses = true;
    this.chosen = Object.keys(RULES)[0];
    this.written = EXAMPLE;
    this.own = readRules(EXAMPLE);
    this.compiled = false;
  }

  get rule() {
    return this.chosen === "own" ? this.own : RULES[this.chosen];
  }

  /** Take the automaton that is written in words, if it can be read. */
  readOwn() {
    try {
      this.own = readRules(this.text.value);
      this.error.hidden = true;
    } catch (error) {
      if (!(error instanceof RuleError)) throw error;
      const what = t(error.key, error.values);
      this.error.textContent = error.line ? t("ruleLine", { line: error.line, what }) : what;
      this.error.hidden = false;
    }
    this.written = this.text.value;
    this.app.begin();
  }

  mind() {
    const { rule } = this;
    const net = this.compiled ? compileRule(rule) : null;
    this.units = net?.units ?? 0;
    return {
      begin: () => ({ node: rule.start, net: net?.begin() }),
      think: (bits, memory) => {
        if (bits.length !== 4) return { action: null, memory };
        const seen = bits.reduce((sum, bit, d) => sum + (bit ? 1 << d : 0), 0);
        const step = net?.step(bits, memory.net);
        return {
          action: step?.action ?? rule.action[memory.node][seen],
          seen,
          on: step?.on,
          memory: { node: rule.next[memory.node][seen], net: step?.memory },
        };
      },
    };
  }

  panel() {
    const select = el(
      "select",
      {
        id: "rule",
        on: {
          change: () => {
            this.chosen = select.value;
            this.ownBox.hidden = this.chosen !== "own";
            this.app.begin();
          },
        },
      },
      [...Object.keys(RULES), "own"].map((name) => el("option", { value: name, text: t(`rule_${name}`) })),
    );
    select.value = this.chosen;
    const compiled = el("input", {
      type: "checkbox",
      id: "compiled",
      on: {
        change: () => {
          this.compiled = compiled.checked;
          this.app.begin();
        },
      },
    });
    compiled.checked = this.compiled;
    this.about = el("p", { class: "soft" });
    this.text = el("textarea", { rows: 8, spellcheck: "false", id: "rules", on: { input: () => this.readOwn() } });
    this.text.value = this.written;
    this.error = el("p", { class: "trouble", role: "alert", hidden: true });
    this.ownBox = el(
      "div",
      { class: "own", hidden: this.chosen !== "own" },
      el("label", { for: "rules", class: "soft small", text: t("rulesHelp") }),
      this.text,
      this.error,
    );
    this.graph = el("figure");
    this.taken = el("p");
    this.unitBox = el("div");
    return [
      card(
        t("rulesTitle"),
        el("label", { class: "field" }, el("span", { text: t("rule") }), select),
        this.about,
        this.ownBox,
        el("label", { class: "row" }, compiled, el("span", { text: t("asNet") })),
      ),
      card(t("graphTitle"), this.graph, this.taken, this.unitBox),
    ];
  }

  live() {
    const { now } = this.walk;
    const { rule } = this;
    this.about.textContent = t(`about_${this.chosen}`);
    const { thought } = now;
    const after = thought?.memory.node ?? null;
    this.graph.replaceChildren(graphPlot(rule.next, now.memory.node, after, rule.names));
    const name = (node) => rule.names?.[node] ?? node;
    this.taken.textContent =
      thought && thought.action !== null
        ? t("edgeTaken", {
            node: name(now.memory.node),
            sees: bitsInWords(now.bits, this.app.world),
            goes: ARROWS[thought.action],
            after: name(after),
          })
        : t("nodeNow", { node: name(now.memory.node) });
    this.unitBox.replaceChildren(
      ...(thought?.on
        ? [
            el("p", { class: "soft small", text: t("unitsHelp", { n: thought.on.length }) }),
            el(
              "div",
              { class: "units", role: "img", "aria-label": t("unitOn", { n: thought.on.indexOf(true) }) },
              thought.on.map((on) => el("i", { class: on ? "on" : "" })),
            ),
          ]
        : []),
    );
  }
}

// ------------------------------------------------------------------------------------------------------------- replays
/** The mode in which a recorded run is looked through. */
export class ReplayMode extends Walking {
  constructor(app) {
    super(app);
    this.id = "replay";
    this.senses = true;
    this.run = null;
    this.episode = 0;
  }

  start() {
    const episode = this.run?.episodes[this.episode];
    this.walk =
      episode && this.app.maze === this.shown
        ? new Recorded(this.app.world, episode.states, episode.actions, episode.totals)
        : new Recorded(this.app.world, [startOf(this.app.world, chancesOf(1))], [], [0]);
  }

  restart() {
    this.walk.seek(0);
  }

  panel() {
    const input = el("input", {
      type: "file",
      accept: ".jsonl",
      class: "vh",
      id: "replay-file",
      "aria-label": t("openReplay"),
      tabindex: -1,
      on: {
        change: async () => {
          const [file] = input.files;
          if (file) this.open(await file.text(), file.name);
          input.value = "";
        },
      },
    });
    this.error = el("p", { class: "trouble", role: "alert", hidden: true });
    this.about = el("p");
    this.select = el("select", { id: "episode", on: { change: () => this.choose(Number(this.select.value)) } });
    this.episodes = el("label", { class: "field" }, el("span", { text: t("episode") }), this.select);
    const { replays } = this.app.data;
    const nodes = [
      card(
        t("replayTitle"),
        el("p", { html: t("replayHelp") }),
        el(
          "div",
          { class: "row" },
          input,
          button(t("openReplay"), () => input.click()),
          replays.map(({ name, text }) =>
            button(t("openThis", { name }), () => this.open(text, name), "quiet", { "data-replay": name }),
          ),
        ),
        this.error,
        this.about,
        this.episodes,
      ),
    ];
    this.showRun();
    return nodes;
  }

  open(text, name) {
    this.error.hidden = true;
    try {
      this.run = readReplay(text, Object.fromEntries(this.app.data.mazes.map((maze) => [maze.name, maze.text])));
      this.name = name;
    } catch (error) {
      this.error.textContent = `${name}: ${this.app.inWords(error)}`;
      this.error.hidden = false;
      return;
    }
    this.choose(0);
  }

  choose(number) {
    this.episode = number;
    this.shown = this.app.openTemporary(this.run.episodes[number].maze);
    this.start();
    this.showRun();
    this.app.show();
    say(t("replayOpened", { name: this.name, steps: this.walk.last }));
  }

  showRun() {
    this.episodes.hidden = !this.run;
    this.about.hidden = !this.run;
    if (!this.run) return;
    this.about.textContent = t("replayAbout", {
      id: this.run.id,
      n: this.run.episodes.length,
      steps: this.walk?.last ?? 0,
    });
    this.select.replaceChildren(
      ...this.run.episodes.map((episode, i) =>
        el("option", { value: i, text: t("episodeOf", { n: i + 1, steps: episode.actions.length }) }),
      ),
    );
    this.select.value = this.episode;
  }

  live() {}

  ahead(frame) {
    const next = this.walk.frames[this.walk.index + 1];
    return super.ahead(frame) ?? (next ? this.app.world.angles[next.moved] : null);
  }

  ending() {
    const { now } = this.walk;
    return now.atGoal ? t("atGoal") : this.walk.over && this.run ? t("endOfRun") : "";
  }

  spoken() {
    const { now } = this.walk;
    return `${super.spoken()} ${now.moved === null ? "" : actionName(now.moved, this.app.world)}`;
  }
}
