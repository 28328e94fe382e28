// The mode in which a finite-state controller walks: a wall follower, another one, or one of one's own.

import { card, el } from "./dom.js";
import { ARROWS, RULES, compileRule } from "./logic.js";
import { RuleError, readRules } from "./rulebook.js";
import { graphPlot } from "./view.js";
import { Walking } from "./walking.js";
import { bitsInWords, t } from "./words.js";

const EXAMPLE =
  "left: up right -> up, right\nleft: up -> up\nleft: anything -> left\nright: up left -> up, left\nright: up -> up\nright: anything -> right\n";

/** The mode in which a finite-state controller walks: a wall follower, or another automaton. */
export class RulesMode extends Walking {
  constructor(app) {
    super(app);
    this.id = "rules";
    this.senses = true;
    // those that came with the page, by number, then those that are known by name
    this.known = { ...Object.fromEntries((app.data.automata ?? []).map((given, i) => [`given${i}`, given])), ...RULES };
    [this.chosen] = Object.keys(this.known);
    this.written = EXAMPLE;
    this.own = readRules(EXAMPLE);
    this.compiled = false;
  }

  title(name) {
    return this.known[name]?.name ?? t(`rule_${name}`);
  }

  get rule() {
    return this.chosen === "own" ? this.own : this.known[this.chosen];
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
      [...Object.keys(this.known), "own"].map((name) => el("option", { value: name, text: this.title(name) })),
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
    this.about.textContent = this.rule.name ?? t(`about_${this.chosen}`);
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
