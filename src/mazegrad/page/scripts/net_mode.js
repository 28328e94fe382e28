// The mode of exercise 38: W, U, b as tables of numbers, what the net computes, and whether it follows every path.

import { byId, button, card, el, say } from "./dom.js";
import { ARROWS } from "./logic.js";
import { argmax, checkPaths, eigenvalues, multiply } from "./minds.js";
import { Walk } from "./player.js";
import { eigenPlot, shortNumber, svg } from "./view.js";
import { Walking } from "./walking.js";
import { hints, t } from "./words.js";

const SIDE = [0, 1, 2, 3];
const REACH = 3;
const LARGEST = 1e6;
const limited = (value) => Math.min(Math.max(value, -LARGEST), LARGEST);
const PATIENCE = 1000;

const eye = () => SIDE.map((i) => SIDE.map((j) => Number(i === j)));
const zeros = () => SIDE.map(() => [0, 0, 0, 0]);

/** Read a number as students write them: 2, -0.5, ,5, 1/2; NaN if it is something else. */
export function readNumber(text) {
  const parts = text.trim().replace(/−/g, "-").replace(/,/g, ".").split("/");
  const numbers = parts.map((part) => (/^[+-]?(\d+\.?\d*|\.\d+)$/.test(part.trim()) ? Number(part) : NaN));
  const value = numbers.length === 1 ? numbers[0] : numbers.length === 2 ? numbers[0] / numbers[1] : NaN;
  return Math.abs(value) <= LARGEST ? value : NaN;
}

/** Return a number as it is shown in a table: exact where that is short. */
function written(value) {
  return String(Number(value.toFixed(3))).replace("-", "−");
}

/** The mode in which a linear recurrent net walks. */
export class NetMode extends Walking {
  constructor(app) {
    super(app);
    this.id = "net";
    this.senses = true;
    this.net = { W: eye(), U: zeros(), b: [0, 0, 0, 0], h0: [1, 0, 0, 0] };
    this.chosen = ["U", 0, 0];
    this.hinted = 0;
    this.result = null;
    this.example = null;
  }

  mind() {
    const { W, U, b, h0 } = this.net;
    return {
      begin: () => h0,
      think: (x, h) => {
        if (x.length !== 4) return { action: null, memory: h };
        const [fromW, fromU] = [multiply(W, x), multiply(U, h)];
        const next = SIDE.map((i) => fromW[i] + fromU[i] + b[i]);
        return { action: argmax(next), memory: next, fromW, fromU };
      },
    };
  }

  start() {
    this.route = this.example?.moves ?? null;
    super.start();
  }

  /** Whether this net arrives in the maze that is shown. */
  arrives() {
    const walk = new Walk(this.app.world, this.mind(), this.seed);
    for (let i = 0; i < PATIENCE && walk.step(); i++);
    return walk.now.atGoal;
  }

  // ------------------------------------------------------------------------------------------------------------ changes
  /** Take other numbers, and begin again. */
  changed(spoken = "") {
    this.result = null;
    if (this.example) this.app.closeExample();
    this.start();
    this.app.stop();
    this.showNumbers();
    this.app.show();
    this.app.remember();
    if (spoken) say(spoken);
  }

  /** Take the numbers of a net that came with the page. */
  take({ name, W, U, b, h0 }) {
    this.net = { W: W.map((row) => [...row]), U: U.map((row) => [...row]), b: [...b], h0: [...h0] };
    this.changed(t("tableChanged", { name }));
  }

  set(name, row, column, value) {
    if (name === "b") this.net.b[row] = value;
    else this.net[name][row][column] = value;
    this.changed();
  }

  value(name, row, column) {
    return name === "b" ? this.net.b[row] : this.net[name][row][column];
  }

  /** Change a whole table by a function of its number, its row and its column. */
  setAll(name, change) {
    this.net[name] = this.net[name].map((row, i) => row.map((value, j) => limited(change(value, i, j))));
    this.changed(t("tableChanged", { name }));
  }

  // -------------------------------------------------------------------------------------------------------------- panel
  panel() {
    return [this.taskCard(), this.tablesCard(), this.mindCard(), this.eigenCard()];
  }

  taskCard() {
    this.goals = el("ul", { class: "goals" });
    this.verdict = el("div", { class: "verdict", hidden: true });
    this.hintBox = el("div", { class: "hint", hidden: true, tabindex: -1 });
    this.hintButton = button("", () => this.hint());
    const check = button(t("checkEvery"), () => this.check(), "quiet", { id: "check" });
    const task = card(
      t("taskTitle"),
      el("p", { html: t("task") }),
      this.goals,
      el("div", { class: "row" }, check, this.hintButton),
      this.verdict,
      this.hintBox,
    );
    task.classList.add("task");
    return task;
  }

  tablesCard() {
    this.inputs = [];
    const tables = el("div", { class: "matrices" }, this.table("W", 4), this.table("U", 4), this.table("b", 1));
    this.slider = el("input", {
      type: "range",
      min: -REACH,
      max: REACH,
      step: 0.25,
      id: "weight",
      on: {
        input: () => this.set(...this.chosen, Number(this.slider.value)),
      },
    });
    this.sliderName = el("label", { for: "weight" });
    this.sliderValue = el("output", { for: "weight" });
    const slider = el("div", { class: "slider" }, el("span", {}, this.sliderName), this.slider, this.sliderValue);
    const given = (this.app.data.nets ?? []).map((net) =>
      button(t("openThis", { name: net.name }), () => this.take(net), "quiet", { "data-net": net.name }),
    );
    const row = given.length ? el("div", { class: "row" }, given) : null;
    return card(t("tablesTitle"), el("p", { class: "soft small", text: t("tablesHelp") }), row, slider, tables);
  }

  /** Return a table of numbers to type into, and buttons that change it as a whole. */
  table(name, columns) {
    const head = el(
      "tr",
      {},
      el("td"),
      SIDE.slice(0, columns).map((j) => el("th", { scope: "col", text: columns > 1 ? ARROWS[j] : "" })),
    );
    const rows = SIDE.map((i) =>
      el(
        "tr",
        {},
        el("th", { scope: "row", text: ARROWS[i] }),
        SIDE.slice(0, columns).map((j) => el("td", {}, this.input(name, i, j))),
      ),
    );
    const on = (i, j) => Number(i === j);
    const across = (i, j) => Number(i + j === 3);
    const chips =
      columns === 1
        ? []
        : [
            ["0", () => 0, "setZero"],
            ["+I", (v, i, j) => v + on(i, j), "addI"],
            ["−I", (v, i, j) => v - on(i, j), "takeI"],
            ["+J", (v, i, j) => v + across(i, j), "addJ"],
            ["−J", (v, i, j) => v - across(i, j), "takeJ"],
            ["×2", (v) => 2 * v, "double"],
            ["×½", (v) => v / 2, "halve"],
          ];
    return el(
      "fieldset",
      { class: "matrix" },
      el("legend", {}, `${name} `, el("span", { text: t(`about${name}`) })),
      el("table", {}, el("tbody", {}, columns > 1 ? head : null, rows)),
      chips.length
        ? el(
            "div",
            { class: "chips" },
            chips.map(([text, change, about]) =>
              button(text, () => this.setAll(name, change), "chip", {
                "aria-label": t("onTable", { name, text, what: t(about) }),
                title: t(about),
                "data-chip": `${name}${text}`,
              }),
            ),
          )
        : null,
    );
  }

  input(name, i, j) {
    const input = el("input", {
      type: "text",
      inputmode: "decimal",
      autocomplete: "off",
      "aria-label": this.nameOf(name, i, j),
      "data-weight": `${name}${i}${j}`,
      on: {
        focus: () => {
          this.chosen = [name, i, j];
          this.showSlider();
          input.select();
        },
        input: () => {
          const value = readNumber(input.value);
          input.setAttribute("aria-invalid", String(Number.isNaN(value)));
          if (!Number.isNaN(value)) this.set(name, i, j, value);
        },
        blur: () => {
          input.removeAttribute("aria-invalid");
          input.value = written(this.value(name, i, j));
        },
        keydown: (event) => {
          const step = { ArrowUp: 0.5, ArrowDown: -0.5 }[event.key];
          if (!step) return;
          event.preventDefault();
          this.set(name, i, j, Math.round((this.value(name, i, j) + step) * 1000) / 1000);
          input.value = written(this.value(name, i, j));
        },
      },
    });
    this.inputs.push([input, name, i, j]);
    return input;
  }

  nameOf(name, i, j) {
    const [to, from] = [t(`direction${i}`), t(`direction${j}`)];
    if (name === "b") return t("weightB", { to });
    return t(name === "W" ? "weightW" : "weightU", { to, from });
  }

  mindCard() {
    this.mindTable = el("table", { class: "mind" });
    return card(t("mindTitle"), this.mindTable, el("p", { class: "soft small", html: t("mindHelp") }));
  }

  eigenCard() {
    this.eigenHost = el("div");
    this.eigenList = el("p", { class: "sum" });
    const about = el(
      "div",
      {},
      el("h2", { text: t("eigenTitle") }),
      this.eigenList,
      el("p", { class: "soft small", text: t("eigenHelp") }),
    );
    return el("section", { class: "card" }, el("div", { class: "beside" }, this.eigenHost, about));
  }

  // ------------------------------------------------------------------------------------------------------------- showing
  /** Show what depends on the numbers alone. */
  showNumbers() {
    if (!this.inputs) return;
    for (const [input, name, i, j] of this.inputs) {
      const value = this.value(name, i, j);
      if (document.activeElement !== input || readNumber(input.value) !== value) input.value = written(value);
      input.style.setProperty("--heat", value > 0 ? "var(--positive)" : "var(--negative)");
      input.style.setProperty("--share", `${Math.min(Math.abs(value) / REACH, 1) * 42}%`);
    }
    this.showSlider();
    const values = eigenvalues(this.net.U);
    this.eigenHost.replaceChildren(eigenPlot(values));
    this.eigenList.textContent = values.map(inWords).join(", ");
    this.showGoals();
    this.showHint();
  }

  showSlider() {
    const [name, i, j] = this.chosen;
    const value = this.value(name, i, j);
    this.slider.value = value;
    this.slider.setAttribute("aria-valuetext", written(value));
    this.sliderValue.textContent = written(value);
    this.sliderName.replaceChildren(
      el("b", { text: name }),
      ` ${ARROWS[i]}${name === "b" ? "" : ` ${t("from")} ${ARROWS[j]}`}`,
    );
    this.slider.setAttribute("aria-label", this.nameOf(name, i, j));
  }

  showGoals() {
    const [end, inside] = this.result ?? [null, null];
    const goals = [
      [t("goal1"), this.app.original ? this.onSheet : this.arrives()],
      [t("goal2"), end?.ok],
      [t("goal3"), inside?.ok],
    ];
    this.goals.replaceChildren(
      ...goals.map(([text, done]) =>
        el(
          "li",
          { class: done ? "done" : "" },
          el("span", {}, text, el("span", { class: "vh", text: ` (${t(done ? "done" : "open")})` })),
        ),
      ),
    );
  }

  /** Show what the net computes at this step. */
  live() {
    const { now } = this.walk;
    const { thought } = now;
    if (now.bits.length !== 4) return this.mindTable.replaceChildren(el("caption", { text: t("fourOnly") }));
    const { b } = this.net;
    const next = thought?.memory;
    const reach = Math.max(2, ...(next ?? [0]).map(Math.abs));
    const head = el(
      "thead",
      {},
      el(
        "tr",
        {},
        ["", "x", "h", "W x", "+ U h", "+ b", "= h′", ""].map((text, i) =>
          el(
            "th",
            { scope: "col", class: i === 1 ? "see" : "", title: t(`column${i}`), text },
            text ? null : el("span", { class: "vh", text: t(`column${i}`) }),
          ),
        ),
      ),
    );
    const body = SIDE.map((d) => {
      const chosen = thought && thought.action === d;
      const numbers = thought ? [thought.fromW[d], thought.fromU[d], b[d]] : ["", "", ""];
      return el(
        "tr",
        { class: chosen ? "chosen" : "" },
        el("th", { scope: "row" }, `${ARROWS[d]} `, el("span", { class: "vh", text: t(`direction${d}`) })),
        el("td", { class: "see" }, now.bits[d] ? "●" : "○", el("span", { class: "vh", text: now.bits[d] ? "1" : "0" })),
        el("td", { class: "soft", text: shortNumber(now.memory[d]) }),
        numbers.map((value) => el("td", { text: value === "" ? "" : shortNumber(value) })),
        el("td", { class: "sum", text: next ? shortNumber(next[d]) : "" }),
        el("td", { class: "bar" }, next ? bar(next[d], reach) : null),
      );
    });
    this.mindTable.replaceChildren(head, el("tbody", {}, body));
  }

  paint(board) {
    super.paint(board);
    const strayed = this.walk.strayed;
    board.setMark(strayed === null ? null : this.app.world.cell[this.walk.now.state], "wrong");
  }

  ending() {
    const { strayed, now, index, route } = this.walk;
    if (strayed !== null) return t("strays", { went: ARROWS[strayed], wanted: ARROWS[route[index]] });
    return now.over && route ? t("atGoal") : super.ending();
  }

  // -------------------------------------------------------------------------------------------------------------- check
  /** Ask whether the net follows every path of dots; the answer may take a second. */
  check() {
    this.app.stop();
    this.verdict.replaceChildren(el("p", { text: t("checking") }));
    this.verdict.className = "verdict";
    this.verdict.hidden = false;
    setTimeout(() => this.judge(), 30);
  }

  judge() {
    this.onSheet = this.app.original ? this.onSheet : this.arrives();
    this.result = checkPaths(this.net);
    this.showGoals();
    const failed = this.result.filter((part) => part.ok === false);
    const all = this.result.every((part) => part.ok);
    const lines = [
      el("p", {}, el("b", { text: t(all ? "followsAll" : failed.length ? "doesNotFollow" : "notProved") })),
    ];
    for (const part of failed) {
      lines.push(
        el(
          "div",
          { class: "row apart" },
          el("span", { text: t(part.start === "end" ? "failsEnd" : "failsInside", { n: part.example.moves.length }) }),
          button(t("watchFailure"), () => this.showExample(part.example), "quiet", { "data-watch": part.start }),
        ),
      );
    }
    if (all) lines.push(el("p", { html: t("followsAllMore") }));
    this.verdict.replaceChildren(...lines);
    this.verdict.className = `verdict ${all ? "good" : "bad"}`;
    this.verdict.hidden = false;
    say(lines[0].textContent);
  }

  /** Walk a path that the net fails to follow. */
  showExample(example) {
    this.onSheet = this.app.original ? this.onSheet : this.arrives();
    this.example = example;
    this.app.openExample(example.text, t("exampleBanner", { n: example.moves.length }));
    byId("step").focus({ preventScroll: true });
    byId("banner").scrollIntoView({ block: "nearest" });
  }

  // --------------------------------------------------------------------------------------------------------------- hints
  hint() {
    this.hinted = Math.min(this.hinted + 1, hints().length);
    this.showHint();
    this.hintBox.focus();
  }

  showHint() {
    const all = hints();
    this.hintBox.hidden = this.hinted === 0;
    this.hintButton.textContent =
      this.hinted === 0
        ? t("firstHint")
        : this.hinted < all.length
          ? t("nextHint", { n: this.hinted + 1, of: all.length })
          : t("noMoreHints");
    this.hintButton.disabled = this.hinted >= all.length;
    if (!this.result) this.verdict.hidden = true;
    this.hintBox.replaceChildren(
      ...all.slice(0, this.hinted).map((text, i) => el("p", { html: `<b>${i + 1}.</b> ${text}` })),
    );
  }
}

function inWords({ re, im }) {
  const real = shortNumber(Math.abs(re) < 1e-9 ? 0 : re);
  if (Math.abs(im) < 1e-9) return real;
  return `${real} ${im > 0 ? "+" : "−"} ${shortNumber(Math.abs(im))} i`;
}

function bar(value, reach) {
  const length =
    Number.isFinite(value) && Number.isFinite(reach) ? (50 * Math.min(Math.abs(value), reach)) / reach : 50;
  return svg(
    "svg",
    { viewBox: "0 0 100 16", preserveAspectRatio: "none", "aria-hidden": "true" },
    svg("rect", {
      x: value < 0 ? 50 - length : 50,
      y: 2,
      width: length,
      height: 12,
      rx: 1.5,
      class: value < 0 ? "neg" : "pos",
    }),
    svg("path", { d: "M50 0V16", class: "zero" }),
  );
}
