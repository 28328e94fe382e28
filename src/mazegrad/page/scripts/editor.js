// The drawing that is edited: tiles, size, settings, and what undo and redo go back to.

const LIMIT = 64;
const HISTORY = 200;

/** A drawing with a past and a future; `settings` are the lines `key: value` above it, kept as they are. */
export class Sketch {
  constructor(changed) {
    this.changed = changed;
    this.past = [];
    this.future = [];
    this.now = { rows: 1, columns: 1, tiles: " ", settings: [] };
  }

  /** Replace everything; what was before can be gone back to unless `forget`. */
  load({ rows, columns, tiles, settings }, forget = false) {
    if (!forget) this.remember();
    else this.past = [];
    this.future = [];
    this.now = { rows, columns, tiles, settings };
    this.changed();
  }

  remember() {
    const last = this.past.at(-1);
    if (last !== this.now) this.past.push(this.now);
    if (this.past.length > HISTORY) this.past.shift();
  }

  /** Begin a stroke of the pointer: it is undone as a whole. */
  beginStroke() {
    this.stroke = this.now;
  }

  /** Put a tile into a cell; return whether that changed anything. */
  paint(cell, tile) {
    const { tiles } = this.now;
    if (tiles[cell] === tile) return false;
    this.now = { ...this.now, tiles: tiles.slice(0, cell) + tile + tiles.slice(cell + 1) };
    return true;
  }

  endStroke() {
    if (!this.stroke || this.stroke === this.now) return;
    const now = this.now;
    this.now = this.stroke;
    this.remember();
    this.now = now;
    this.future = [];
    this.stroke = null;
    this.changed();
  }

  get canUndo() {
    return this.past.length > 0;
  }

  get canRedo() {
    return this.future.length > 0;
  }

  undo() {
    if (!this.canUndo) return;
    this.future.push(this.now);
    this.now = this.past.pop();
    this.changed();
  }

  redo() {
    if (!this.canRedo) return;
    this.past.push(this.now);
    this.now = this.future.pop();
    this.changed();
  }

  /** Make every cell blank. */
  clear() {
    const { rows, columns } = this.now;
    this.load({ ...this.now, tiles: " ".repeat(rows * columns) });
  }

  /** Change the size; what lies outside is cut off, what is new is blank. */
  resize(rows, columns) {
    rows = Math.min(Math.max(rows, 1), LIMIT);
    columns = Math.min(Math.max(columns, 1), LIMIT);
    const { tiles, columns: before } = this.now;
    let grown = "";
    for (let row = 0; row < rows; row++) {
      grown += tiles
        .slice(row * before, (row + 1) * before)
        .slice(0, columns)
        .padEnd(columns, " ");
    }
    this.load({ ...this.now, rows, columns, tiles: grown });
  }

  /** Return the map as our text. */
  get text() {
    const { rows, columns, tiles, settings } = this.now;
    const lines = Array.from({ length: rows }, (_, row) => tiles.slice(row * columns, (row + 1) * columns));
    const head = settings.filter((line) => !/^(size|walls)\s*:/.test(line));
    const walls = settings.filter(
      (line) => /^walls\s*:/.test(line) && line.replace(/^walls/, "").replace(/\D/g, "").length === rows * columns,
    );
    const size = lines.some((line) => line.endsWith(" ")) ? [`size: ${rows} x ${columns}`] : [];
    return `${[...head, ...walls, ...size, ...lines].join("\n")}\n`;
  }
}

/** Tiles in the order of the palette, in groups. */
export const PALETTE = [
  ["path", [..." .#SG"]],
  ["ground", [..."X~^><v"]],
  ["things", [..."*{}"]],
  ["gates", [..."0123456789"]],
  ["locks", [..."aAbBcCdDeEfF"]],
];
