// The page: which maze is shown, in which mode, and what happens on keys, pointers and time.

import { button, byId, el, say } from "./dom.js";
import { DrawMode } from "./draw_mode.js";
import { LearnMode } from "./learn_mode.js";
import { compileMaze, questions } from "./logic.js";
import { readMaze } from "./maze.js";
import { NetMode } from "./net_mode.js";
import { PlanMode } from "./plan_mode.js";
import { ReplayMode } from "./replay_mode.js";
import { RulesMode } from "./rules_mode.js";
import { asFragment, fromFragment } from "./sharing.js";
import { Board, thinWalls } from "./view.js";
import { WalkMode } from "./walk_mode.js";
import { actionName, currentLanguage, errorWords, mazeTitle, setLanguage, t } from "./words.js";

const FASTEST = 100;
const ANIMATED = 12;

/** Read and write what the browser remembers; it may refuse. */
const kept = {
  get(key) {
    try {
      return localStorage.getItem(`mazegrad ${key}`);
    } catch {
      return null;
    }
  },
  set(key, value) {
    try {
      localStorage.setItem(`mazegrad ${key}`, value);
    } catch {
      // a page opened from a file may have no storage
    }
  },
};

class App {
  constructor(data) {
    this.data = data;
    this.board = new Board(byId("board"));
    this.doubts = [];
    this.modes = [NetMode, DrawMode, WalkMode, PlanMode, LearnMode, RulesMode, ReplayMode].map(
      (Mode) => new Mode(this),
    );
    [this.mode] = this.modes;
    this.playing = false;
    this.original = null;
    this.drawing = null;
  }

  find(id) {
    return this.modes.find((mode) => mode.id === id);
  }

  inWords(error) {
    const message = errorWords(error.message);
    return error.line ? t("lineColumn", { line: error.line, column: error.column ?? 1, message }) : message;
  }

  // -------------------------------------------------------------------------------------------------------------- mazes
  /** Show a maze that was read, and begin in it. */
  setMaze(maze) {
    this.stop();
    this.maze = maze;
    this.world = this.error = null;
    this.doubts = [];
    try {
      this.world = compileMaze(maze);
      this.doubts = questions(this.world);
    } catch (error) {
      this.error = error;
    }
    const codes = [...maze.tiles].map((tile) => tile.charCodeAt(0));
    this.board.show(maze.rows, maze.columns, codes, {
      walls: thinWalls(maze.metadata.walls, maze.rows, maze.columns),
      wind: windOf(maze),
    });
    this.codes = codes;
    this.begin();
  }

  /** Show a text as the maze. */
  openText(text) {
    this.original = null;
    this.find("net").example = null;
    this.setMaze(readMaze(text));
    this.find("draw").load(this.maze);
    this.showBanner();
  }

  /** Take what is being drawn. */
  takeDrawing(text) {
    this.original = null;
    this.find("net").example = null;
    this.drawing = text;
    let maze;
    try {
      maze = readMaze(text);
    } catch (error) {
      maze = { ...this.find("draw").sketch.now, metadata: {} };
      this.setMaze(maze);
      this.error = error;
      this.show();
      return maze;
    }
    this.setMaze(maze);
    this.showMazes("mine");
    this.showBanner();
    return maze;
  }

  /** Show a maze for a while, with a way back. */
  openTemporary(maze, banner = t("recordBanner")) {
    this.original ??= this.maze;
    this.setMaze(maze);
    this.showBanner(banner);
    return this.maze;
  }

  openExample(text, banner) {
    this.openTemporary(readMaze(text), banner);
  }

  /** Go back to the maze before an example or a recorded run. */
  closeExample() {
    const maze = this.original;
    this.original = null;
    this.find("net").example = null;
    if (maze) this.setMaze(maze);
    this.showBanner();
  }

  showBanner(text = "") {
    const banner = byId("banner");
    banner.hidden = !text;
    if (text) byId("welcome").hidden = true;
    banner.replaceChildren(
      el("span", { text }),
      button(
        t("backToMaze"),
        () => {
          this.closeExample();
          byId("play").focus();
        },
        "quiet",
        { id: "back-to-maze" },
      ),
    );
  }

  showMazes(chosen) {
    const select = byId("maze");
    const value = chosen ?? select.value;
    const { mazes, given } = this.data;
    const option = (maze, i) => el("option", { value: i, text: mazeTitle(maze) });
    select.replaceChildren(
      ...(this.drawing ? [el("option", { value: "mine", text: t("mine") })] : []),
      ...(given ? [el("optgroup", { label: t("given") }, mazes.slice(0, given).map(option))] : []),
      el(
        "optgroup",
        { label: t("shipped") },
        mazes.slice(given).map((maze, i) => option(maze, given + i)),
      ),
    );
    select.value = value;
    if (select.selectedIndex < 0) select.selectedIndex = 0;
  }

  // -------------------------------------------------------------------------------------------------------------- modes
  setMode(id, focus = false) {
    this.stop();
    const leaving = this.mode;
    this.mode = this.find(id);
    if (this.original && leaving !== this.mode) this.closeExample();
    for (const layer of ["setHeat", "setTrail", "setArrows", "setLabels"])
      this.board[layer](layer === "setHeat" ? null : []);
    this.board.setSenses(null);
    this.board.setMark(null);
    if (this.mode.load) this.mode.load(this.maze);
    byId("board").classList.toggle("draws", Boolean(this.mode.pointer));
    this.showTabs(focus);
    if (id !== "net") byId("welcome").hidden = true;
    this.begin();
    this.showPanel();
  }

  /** Begin the mode again in the maze that is shown. */
  begin() {
    this.codes?.forEach((code, cell) => this.board.setTile(cell, code));
    if (this.world) this.mode.start();
    this.show();
  }

  showPanel() {
    byId("side").replaceChildren(
      el(
        "div",
        { role: "tabpanel", id: `panel-${this.mode.id}`, "aria-labelledby": `tab-${this.mode.id}` },
        this.mode.panel(),
      ),
    );
    this.mode.showNumbers?.();
    this.showPad();
    this.show();
  }

  showTabs(focus = false) {
    const tabs = this.modes.map((mode) => {
      const selected = mode === this.mode;
      return el("button", {
        type: "button",
        role: "tab",
        id: `tab-${mode.id}`,
        "aria-selected": String(selected),
        "aria-controls": selected ? `panel-${mode.id}` : null,
        tabindex: selected ? 0 : -1,
        text: t(`tab_${mode.id}`),
        on: {
          click: (event) => {
            this.setMode(mode.id, true);
            // who clicked wants to walk or draw with the keys; who came with the keyboard stays among the tabs
            if (event.detail > 0) byId("board").focus({ preventScroll: true });
          },
          keydown: (event) => {
            const at = this.modes.indexOf(mode);
            const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: this.modes.length - 1 }[event.key];
            if (to === undefined) return;
            event.preventDefault();
            event.stopPropagation();
            this.setMode(this.modes[(to + this.modes.length) % this.modes.length].id, true);
          },
        },
      });
    });
    byId("tabs").replaceChildren(...tabs);
    if (focus) byId(`tab-${this.mode.id}`).focus({ preventScroll: true });
  }

  showPad() {
    const pad = byId("pad");
    pad.hidden = !this.mode.ownMoves;
    if (pad.hidden || !this.world) return;
    const { four } = this.world;
    pad.classList.toggle("many", !four);
    pad.replaceChildren(
      ...this.world.names.map((name, action) =>
        button(
          four ? ["↑", "→", "←", "↓"][action] : name,
          () => this.mode.move(action),
          four ? `quiet ${name}` : "quiet",
          { "aria-label": actionName(action, this.world) },
        ),
      ),
    );
  }

  // ------------------------------------------------------------------------------------------------------------ showing
  /** Show the mode as it is now. */
  show() {
    const { mode } = this;
    const drawing = Boolean(mode.pointer);
    const trouble = byId("trouble");
    trouble.hidden = !this.error;
    trouble.textContent = this.error ? t("cannotWalk", { what: this.inWords(this.error) }) : "";
    byId("transport").hidden = drawing;
    if (!this.world && !drawing) {
      this.board.setAgent(null);
      for (const id of ["play", "step", "back", "restart", "timeline"]) byId(id).disabled = true;
      byId("facts").replaceChildren();
      return;
    }
    mode.paint(this.board);
    if (byId(`panel-${mode.id}`)) mode.live();
    this.showFacts();
    const now = mode
      .facts()
      .map((fact) => fact.join(" "))
      .join(", ");
    byId("board").setAttribute(
      "aria-label",
      t("boardLabel", { name: this.maze.metadata.name ?? "", rows: this.maze.rows, columns: this.maze.columns, now }),
    );
    if (!drawing) this.showTransport();
  }

  showFacts() {
    const items = this.mode.facts().map(([name, value]) => {
      const shown = el("dd", { class: name ? "" : "ending", text: value });
      return el("div", {}, name ? el("dt", { text: name }) : null, shown);
    });
    byId("facts").replaceChildren(...items);
  }

  showTransport() {
    const { mode } = this;
    const own = Boolean(mode.ownMoves);
    byId("play").hidden = byId("step").hidden = own;
    byId("play").closest(".buttons").querySelector(".speed").hidden = own;
    byId("play").disabled = mode.over && !this.playing && mode.index === 0;
    byId("step").disabled = mode.over;
    byId("restart").disabled = false;
    byId("back").disabled = mode.index === 0 || mode.id === "learn";
    byId("play").classList.toggle("moving", this.playing);
    byId("play-word").textContent = this.playing ? t("pause") : mode.playWord;
    byId("step-word").textContent = mode.stepWord;
    const timeline = byId("timeline");
    timeline.closest("label").hidden = mode.id === "learn";
    timeline.max = mode.last;
    timeline.value = mode.index;
    timeline.disabled = mode.last === 0;
    timeline.setAttribute("aria-valuetext", `${mode.index} / ${mode.last}`);
  }

  /** Put all words of the fixed parts into the current language. */
  showWords() {
    document.documentElement.lang = currentLanguage();
    for (const element of document.querySelectorAll("[data-t]")) element.textContent = t(element.dataset.t);
    for (const element of document.querySelectorAll("[data-label]")) {
      element.setAttribute("aria-label", t(element.dataset.label));
      if (element.tagName === "BUTTON") element.title = t(element.dataset.label);
    }
    byId("other-language").textContent = t("other");
    byId("board-help").textContent = t(
      this.mode.pointer ? "boardHelp_draw" : this.mode.ownMoves ? "boardHelp_walk" : "boardHelp_net",
    );
    this.showMazes();
    this.showTabs();
    this.showPanel();
    if (this.original)
      this.showBanner(
        this.find("net").example ? t("exampleBanner", { n: this.find("net").example.moves.length }) : t("recordBanner"),
      );
  }

  // --------------------------------------------------------------------------------------------------------------- time
  get speed() {
    return FASTEST ** (Number(byId("speed").value) / 100);
  }

  get slow() {
    return this.speed <= ANIMATED;
  }

  play() {
    if (!this.world) return;
    if (this.mode.over) this.mode.restart();
    this.playing = true;
    this.due = 0;
    this.then = performance.now();
    byId("board").classList.toggle("fast", !this.slow);
    this.show();
    requestAnimationFrame((time) => this.tick(time));
  }

  stop() {
    if (!this.playing) return;
    this.playing = false;
    this.showTransport();
  }

  tick(time) {
    if (!this.playing) return;
    const { mode } = this;
    byId("board").classList.toggle("fast", !this.slow);
    this.due += (Math.min(Math.max(time - this.then, 0), 100) / 1000) * this.rate;
    this.then = time;
    let goes = true;
    const moved = this.due >= 1;
    const until = performance.now() + 14;
    for (; this.due >= 1 && goes && performance.now() < until; this.due -= 1)
      goes = mode.tick ? mode.tick() : mode.step();
    this.due = Math.min(this.due, 1000);
    if (!goes || mode.over) {
      this.playing = false;
      say(mode.spoken?.() ?? "");
    }
    if (moved || !this.playing) this.show();
    if (this.playing) requestAnimationFrame((next) => this.tick(next));
  }

  /** Steps a second; learning goes much faster where the slider is far to the right. */
  get rate() {
    return this.mode.tick && !this.slow ? this.speed ** 2.5 : this.speed;
  }

  stepOnce(forward = true) {
    this.stop();
    if (!this.world || (this.mode.ownMoves && forward)) return;
    if (forward) this.mode.step();
    else this.mode.back();
    byId("board").classList.remove("fast");
    this.show();
    say(this.mode.spoken());
  }

  // ------------------------------------------------------------------------------------------------------------- events
  listen() {
    byId("play").addEventListener("click", () => (this.playing ? this.stop() : this.play()));
    byId("step").addEventListener("click", () => this.stepOnce());
    byId("back").addEventListener("click", () => this.stepOnce(false));
    byId("restart").addEventListener("click", () => {
      this.stop();
      this.mode.restart();
      this.begin();
      say(t("restart"));
    });
    byId("timeline").addEventListener("input", () => {
      this.stop();
      this.mode.seek(Number(byId("timeline").value));
      this.show();
    });
    byId("maze").addEventListener("change", () => {
      const { value } = byId("maze");
      this.openText(value === "mine" ? this.drawing : this.data.mazes[Number(value)].text);
      this.showPanel();
    });
    byId("theme").addEventListener("click", () => {
      const dark =
        getComputedStyle(document.documentElement).colorScheme === "dark" ||
        (!document.documentElement.dataset.theme && matchMedia("(prefers-color-scheme: dark)").matches);
      document.documentElement.dataset.theme = dark ? "light" : "dark";
      kept.set("theme", document.documentElement.dataset.theme);
    });
    byId("language").addEventListener("click", () => {
      setLanguage(currentLanguage() === "de" ? "en" : "de");
      kept.set("language", currentLanguage());
      this.showWords();
    });
    byId("share").addEventListener("click", () => this.share());
    byId("welcome-close").addEventListener("click", () => {
      byId("welcome").hidden = true;
      kept.set("welcomed", "1");
      byId("play").focus();
    });
    document.addEventListener("keydown", (event) => this.key(event));
    addEventListener("hashchange", () => this.openFragment());
    const board = byId("board");
    board.addEventListener("contextmenu", (event) => this.mode.pointer && event.preventDefault());
    board.addEventListener("pointerdown", (event) => {
      if (!this.mode.pointer || event.button > 2) return;
      board.setPointerCapture(event.pointerId);
      this.mode.pointer("down", this.board.cellAt(event.clientX, event.clientY), event.button === 2);
    });
    board.addEventListener("pointermove", (event) => {
      const cell = this.board.cellAt(event.clientX, event.clientY);
      if (this.mode.pointer && event.buttons) this.mode.pointer("move", cell);
      if (this.mode.hover?.(cell)) this.showFacts();
    });
    for (const end of ["pointerup", "pointercancel"])
      board.addEventListener(end, () => this.mode.pointer?.("up", null));
  }

  key(event) {
    const drawing = Boolean(this.mode.pointer);
    if (
      (event.ctrlKey || event.metaKey) &&
      drawing &&
      event.target.tagName !== "TEXTAREA" &&
      /^[zy]$/i.test(event.key)
    ) {
      event.preventDefault();
      const { sketch } = this.mode;
      if (event.key.toLowerCase() === "y" || event.shiftKey) sketch.redo();
      else sketch.undo();
      return;
    }
    const free = event.target === document.body || event.target === byId("board");
    if (!free || event.ctrlKey || event.metaKey || event.altKey) return;
    if (drawing) {
      if (event.target === byId("board") && event.key !== "Tab" && this.mode.key(event)) event.preventDefault();
      return;
    }
    const direction = ["ArrowUp", "ArrowRight", "ArrowLeft", "ArrowDown"].indexOf(event.key);
    if (this.mode.ownMoves && direction >= 0 && this.world) {
      event.preventDefault();
      if (this.world.actions === 4) this.mode.move(direction);
      else {
        const action = this.world.names.indexOf(
          ["up", "right", "left", "down"][direction] === "up" && this.world.names.includes("forward")
            ? "forward"
            : ["up", "right", "left", "down"][direction],
        );
        if (action >= 0) this.mode.move(action);
      }
    } else if (event.key === "ArrowRight" || event.key === "ArrowLeft") {
      event.preventDefault();
      this.stepOnce(event.key === "ArrowRight");
    } else if (event.key === " " && !this.mode.ownMoves) {
      event.preventDefault();
      if (this.playing) this.stop();
      else this.play();
    }
  }

  // ------------------------------------------------------------------------------------------------------------ sharing
  async share() {
    this.stop();
    const { net } = this.find("net");
    const { sketch } = this.find("draw");
    const text = this.mode.id === "draw" ? sketch.text : ((this.original ?? this.maze).text ?? sketch.text);
    const link = `${location.href.split("#")[0]}#${await asFragment({ mode: this.mode.id, map: text, net, lang: currentLanguage() })}`;
    const field = el("input", { type: "text", readonly: true, value: link, id: "link", "aria-label": t("shareTitle") });
    const copy = button(
      t("copy"),
      async () => {
        field.select();
        try {
          await navigator.clipboard.writeText(link);
          copy.textContent = t("copied");
        } catch {
          copy.textContent = document.execCommand("copy") ? t("copied") : t("copyByHand");
        }
        say(copy.textContent);
      },
      "primary",
    );
    byId("dialog-title").textContent = t("shareTitle");
    byId("dialog-body").replaceChildren(el("p", { text: t("shareHelp") }), field, el("div", { class: "row" }, copy));
    byId("dialog").showModal();
  }

  /** Open what the address holds; return whether it holds something. */
  async openFragment() {
    const fragment = location.hash.slice(1);
    if (!fragment) return false;
    try {
      const { mode, map, net, lang } = await fromFragment(fragment);
      if (lang) setLanguage(lang);
      if (net) this.find("net").net = net;
      if (map) {
        const known = this.data.mazes.findIndex((maze) => maze.text === map);
        this.drawing = known < 0 ? map : this.drawing;
        this.openText(map);
        this.showMazes(known < 0 ? "mine" : String(known));
      }
      if (mode && this.find(mode)) this.mode = this.find(mode);
      this.setMode(this.mode.id);
      this.showWords();
      return true;
    } catch {
      byId("trouble").hidden = false;
      byId("trouble").textContent = t("badLink");
      return false;
    }
  }

  /** Keep the weights for the next visit. */
  remember() {
    kept.set("net", JSON.stringify(this.find("net").net));
  }

  async run() {
    const theme = kept.get("theme");
    if (theme) document.documentElement.dataset.theme = theme;
    setLanguage(kept.get("language") ?? (navigator.language.startsWith("de") ? "de" : "en"));
    const net = this.data.nets?.[0] ?? readNet(kept.get("net"));
    if (net) this.find("net").net = structuredClone({ W: net.W, U: net.U, b: net.b, h0: net.h0 });
    this.showMazes("0");
    this.openText(this.data.mazes[0].text);
    this.setMode("net");
    this.showWords();
    byId("welcome").hidden = Boolean(kept.get("welcomed"));
    this.listen();
    await this.openFragment();
    document.documentElement.dataset.ready = "";
  }
}

/** Return weights that were kept, or null. */
function readNet(text) {
  try {
    const net = JSON.parse(text ?? "null");
    const table = (rows) => rows.length === 4 && rows.every((row) => row.length === 4 && row.every(Number.isFinite));
    return net && table(net.W) && table(net.U) && net.b.length === 4 && net.b.every(Number.isFinite)
      ? { W: net.W, U: net.U, b: net.b, h0: [1, 0, 0, 0] }
      : null;
  } catch {
    return null;
  }
}

/** Return where the wind blows and how strong it is in each cell, or null. */
function windOf({ metadata, rows, columns }) {
  if (!metadata.wind) return null;
  const [side] = /^(up|down|left|right)?/.exec(metadata.wind);
  const given = (metadata.wind.match(/-?\d+/g) ?? []).map((digit) => Math.abs(Number(digit)));
  const across = side === "left" || side === "right";
  const strengths = Array.from(
    { length: rows * columns },
    (_, cell) => given[across ? Math.floor(cell / columns) : cell % columns] ?? 0,
  );
  return { direction: side || "up", strengths };
}

const app = new App(JSON.parse(byId("data").textContent));
app.run();
