// The mode in which the maze is drawn, with pointer, finger or keyboard, and read from and written as text.

import { button, card, el, say } from "./dom.js";
import { readMaze } from "./maze.js";
import { PALETTE, Sketch } from "./editor.js";
import { svg } from "./view.js";
import { t, tileName } from "./words.js";
import { SAMPLES } from "./samples.js";

/** The mode in which the maze is drawn. */
export class DrawMode {
  constructor(app) {
    this.app = app;
    this.id = "draw";
    this.tile = ".";
    this.cursor = 0;
    this.sketch = new Sketch(() => this.takeOver());
  }

  start() {}

  /** Take the maze that is shown, unless it is the one that is being drawn. */
  load(maze) {
    if (this.drawn === maze) return;
    this.quiet = true;
    this.sketch.load(maze, !this.loaded);
    this.quiet = false;
    this.loaded = true;
    this.drawn = maze;
  }

  /** Hand what is drawn to the page. */
  takeOver() {
    const { rows, columns } = this.sketch.now;
    this.cursor = Math.min(this.cursor, rows * columns - 1);
    if (!this.quiet) this.drawn = this.app.takeDrawing(this.sketch.text);
    this.showState();
  }

  panel() {
    this.undoButton = button(t("undo"), () => this.sketch.undo(), "quiet", { id: "undo" });
    this.redoButton = button(t("redo"), () => this.sketch.redo(), "quiet", { id: "redo" });
    const clear = button(
      t("clear"),
      () => {
        this.sketch.clear();
        say(t("cleared"));
      },
      "quiet",
      { id: "clear" },
    );
    this.text = el("textarea", {
      rows: 10,
      spellcheck: "false",
      id: "map-text",
      "aria-describedby": "map-error",
      on: { input: () => this.readText() },
    });
    this.error = el("p", { id: "map-error", class: "trouble", role: "alert", hidden: true });
    this.questions = el("ul", { class: "soft small" });
    const nodes = [
      card(
        t("drawTitle"),
        el("p", { class: "soft small", text: t("drawHelp") }),
        this.palette(),
        el("div", { class: "row" }, this.undoButton, this.redoButton, clear),
        this.size(),
        this.questions,
      ),
      card(
        t("samplesTitle"),
        el(
          "div",
          { class: "row" },
          Object.entries(SAMPLES).map(([name, text]) =>
            button(t(`sample_${name}`), () => this.open(text), "chip", { "data-sample": name }),
          ),
        ),
      ),
      card(
        t("textTitle"),
        el("label", { for: "map-text", class: "soft small", text: t("textHelp") }),
        this.text,
        this.error,
        el(
          "div",
          { class: "row" },
          button(t("saveText"), () => this.save()),
          this.chooser(),
        ),
      ),
    ];
    this.showState();
    return nodes;
  }

  palette() {
    const groups = PALETTE.map(([group, tiles]) =>
      el(
        "div",
        { class: "group", role: "group", "aria-label": t(`group_${group}`) },
        tiles.map((tile) => {
          const input = el("input", {
            type: "radio",
            name: "tile",
            value: tile,
            "aria-label": tileName(tile),
            on: {
              change: () => {
                this.tile = tile;
                this.showTile();
              },
            },
          });
          input.checked = tile === this.tile;
          const picture = svg("svg", { viewBox: "-.5 -.5 1 1", "aria-hidden": "true" });
          if (tile !== " ") picture.append(svg("use", { href: `#t${tile.charCodeAt(0)}` }));
          else
            picture.append(
              svg("path", { d: "M-.22 -.22L.22 .22M.22 -.22L-.22 .22", stroke: "var(--soft)", "stroke-width": 0.06 }),
            );
          return el("label", { title: tileName(tile) }, input, picture);
        }),
      ),
    );
    this.tileShown = el("p", { class: "small", "aria-hidden": "true" });
    this.showTile();
    return el("div", { class: "palette", role: "radiogroup", "aria-label": t("palette") }, groups, this.tileShown);
  }

  showTile() {
    this.tileShown.textContent = tileName(this.tile);
  }

  size() {
    const stepper = (name, key) => {
      const output = el("output", { text: this.sketch.now[key] });
      const change = (by) => {
        const { rows, columns } = this.sketch.now;
        this.sketch.resize(rows + (key === "rows" ? by : 0), columns + (key === "columns" ? by : 0));
      };
      this[`${key}Shown`] = output;
      return el(
        "span",
        { class: "stepper", role: "group", "aria-label": name },
        el("span", { class: "soft", text: name }),
        button("−", () => change(-1), "quiet icon", { "aria-label": t("less", { name }) }),
        output,
        button("+", () => change(1), "quiet icon", { "aria-label": t("more", { name }) }),
      );
    };
    return el("div", { class: "row" }, stepper(t("rows"), "rows"), stepper(t("columns"), "columns"));
  }

  chooser() {
    const input = el("input", {
      type: "file",
      accept: ".txt,.maze,text/plain",
      class: "vh",
      id: "map-file",
      "aria-label": t("openText"),
      tabindex: -1,
      on: {
        change: async () => {
          const [file] = input.files;
          if (file) this.open(await file.text());
          input.value = "";
        },
      },
    });
    return el(
      "span",
      {},
      input,
      button(t("openText"), () => input.click()),
    );
  }

  /** Show a text as the maze that is drawn. */
  open(text) {
    try {
      this.sketch.load(readMaze(text));
      this.showError(null);
    } catch (error) {
      this.showError(error);
    }
  }

  readText() {
    try {
      const maze = readMaze(this.text.value);
      this.typing = true;
      this.sketch.load(maze);
      this.showError(null);
    } catch (error) {
      this.showError(error);
    }
    this.typing = false;
  }

  showError(error) {
    if (!this.error) return;
    this.error.hidden = !error;
    this.text.setAttribute("aria-invalid", String(Boolean(error)));
    this.error.textContent = error ? this.app.inWords(error) : "";
  }

  save() {
    const link = el("a", {
      href: URL.createObjectURL(new Blob([this.sketch.text], { type: "text/plain" })),
      download: "maze.txt",
    });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
    say(t("saved"));
  }

  showState() {
    if (!this.undoButton) return;
    this.undoButton.disabled = !this.sketch.canUndo;
    this.redoButton.disabled = !this.sketch.canRedo;
    this.rowsShown.textContent = this.sketch.now.rows;
    this.columnsShown.textContent = this.sketch.now.columns;
    if (!this.typing) {
      this.text.value = this.sketch.text;
      this.showError(null);
    }
    this.questions.replaceChildren(
      ...this.app.doubts.map(([key, values]) => el("li", { text: `⚠ ${t(key, values)}` })),
    );
  }

  // ------------------------------------------------------------------------------------------------------------ drawing
  live() {}

  facts() {
    const { columns } = this.sketch.now;
    return [
      [t("cell"), `${Math.floor(this.cursor / columns)}, ${this.cursor % columns}`],
      [t("tileFact"), tileName(this.sketch.now.tiles[this.cursor])],
    ];
  }

  paint(board) {
    board.setAgent(null);
    board.setMark(this.cursor);
  }

  pointer(kind, cell, erases) {
    if (kind === "down") {
      if (cell === null) return;
      this.sketch.beginStroke();
      this.brush = erases || this.sketch.now.tiles[cell] === this.tile ? " " : this.tile;
      this.previous = cell;
    }
    if (this.brush === undefined) return;
    if (kind === "up") {
      this.brush = undefined;
      this.sketch.endStroke();
      return;
    }
    if (cell === null) return;
    for (const passed of between(this.previous, cell, this.sketch.now.columns)) {
      if (this.sketch.paint(passed, this.brush)) this.app.board.setTile(passed, this.brush.charCodeAt(0));
    }
    this.previous = this.cursor = cell;
    this.app.show();
  }

  /** Handle a key on the board; return whether it meant something. */
  key(event) {
    const { rows, columns } = this.sketch.now;
    const step = { ArrowUp: -columns, ArrowDown: columns, ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (step) {
      const column = (this.cursor % columns) + (Math.abs(step) === 1 ? step : 0);
      if (column >= 0 && column < columns && this.cursor + step >= 0 && this.cursor + step < rows * columns)
        this.cursor += step;
    } else if (event.key === " " || event.key === "Enter") {
      this.stroke(this.sketch.now.tiles[this.cursor] === this.tile ? " " : this.tile);
    } else if (event.key === "Backspace" || event.key === "Delete") {
      this.stroke(" ");
    } else if (event.key.length === 1 && PALETTE.some(([, tiles]) => tiles.includes(event.key))) {
      this.stroke(event.key);
    } else {
      return false;
    }
    this.app.show();
    say(
      t("cellIs", {
        row: Math.floor(this.cursor / columns),
        column: this.cursor % columns,
        what: tileName(this.sketch.now.tiles[this.cursor]),
      }),
    );
    return true;
  }

  stroke(tile) {
    this.sketch.beginStroke();
    this.sketch.paint(this.cursor, tile);
    this.sketch.endStroke();
  }
}

/** Return the cells from one to another in a straight line, so that a fast pointer leaves no gaps. */
function between(from, to, columns) {
  const [x0, y0, x1, y1] = [from % columns, Math.floor(from / columns), to % columns, Math.floor(to / columns)];
  const steps = Math.max(Math.abs(x1 - x0), Math.abs(y1 - y0), 1);
  return Array.from(
    { length: steps + 1 },
    (_, i) => Math.round(y0 + ((y1 - y0) * i) / steps) * columns + Math.round(x0 + ((x1 - x0) * i) / steps),
  );
}
