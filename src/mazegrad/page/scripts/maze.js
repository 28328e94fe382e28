// Maps as text: tiles and the lines `key: value` above them; what cannot be read has a line and a column.

import { fraction, plus, simpleFraction, toNumber } from "./fractions.js";

export const DIRECTIONS = ["up", "right", "left", "down"];
export const OFFSETS = [
  [-1, 0],
  [0, 1],
  [0, -1],
  [1, 0],
];
export const LEGEND = " #.SGX~^><v0123456789*abcdefABCDEF{}";
export const REWARDS = { goal: 1, trap: -1, item: 1, step: 0, bump: 0 };
export const TILE_REWARDS = { G: "goal", X: "trap", "*": "item" };
const LETTERS = Array.from({ length: 94 }, (_, i) => String.fromCharCode(33 + i)).filter(
  (letter) => !LEGEND.includes(letter) && !";:,".includes(letter),
);
const WORDS = ["sideways", "left_of", "right_of", "back", "stay", "other", "any"];
const MAX_TILES = 2 ** 22;

/** What is wrong with a map, and where. */
export class MazeError extends Error {
  constructor(message, line = 1, column = 1) {
    super(message);
    this.name = "MazeError";
    this.line = line;
    this.column = column;
  }
}

// a reader throws this where a value is not what is allowed
class Unreadable extends Error {}

function fail() {
  throw new Unreadable();
}

// what Python takes for blanks, which is not quite what JavaScript does
const BLANK = "[\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]";
const EDGES = new RegExp(`^${BLANK}+|${BLANK}+$`, "g");
const BETWEEN = new RegExp(`${BLANK}+`);
const trimmed = (text) => text.replace(EDGES, "");
const words = (text) => trimmed(text).split(BETWEEN).filter(Boolean);

const ESCAPES = { "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/** Return a text in quotes, what cannot be seen written out, as Python does it. */
export function quoted(text) {
  const shown = text.replace(/\\|(?! )[\p{C}\p{Z}]/gu, (sign) => {
    const code = sign.codePointAt(0).toString(16);
    const [kind, digits] = code.length < 3 ? ["x", 2] : code.length < 5 ? ["u", 4] : ["U", 8];
    return ESCAPES[sign] ?? `\\${kind}${code.padStart(digits, "0")}`;
  });
  return shown.includes("'") && !shown.includes('"') ? `"${shown}"` : `'${shown.replace(/'/g, "\\'")}'`;
}

/** Return how much of two lists of signs is alike: the longest common block, and what is so left and right of it. */
function alike(one, other) {
  let [most, i, j] = [0, 0, 0];
  for (let a = 0; a < one.length; a++) {
    for (let b = 0; b < other.length; b++) {
      let size = 0;
      while (a + size < one.length && one[a + size] === other[b + size]) size += 1;
      if (size > most) [most, i, j] = [size, a, b];
    }
  }
  if (!most) return 0;
  return most + alike(one.slice(0, i), other.slice(0, j)) + alike(one.slice(i + most), other.slice(j + most));
}

/** Return the end of an error: the word that is nearest, capitals or not (Ratcliff & Metzener 1988), or else all. */
function nearest(word, known) {
  const signs = [...word.toLowerCase()];
  const likeness = (name) => (2 * alike([...name.toLowerCase()], signs)) / (name.length + signs.length);
  const close = known.filter((name) => likeness(name) >= 0.6).sort();
  const best = close.reduce((one, other) => (likeness(other) >= likeness(one) ? other : one), close[0]);
  return best ? `; did you mean '${best}'?` : `; known: ${known.join(", ")}`;
}

/** Return a number's text in plain digits: Python takes those of all scripts, and underscores between them. */
function digits(text) {
  const value = (digit) => {
    let zero = digit.codePointAt(0);
    while (/\p{Nd}/u.test(String.fromCodePoint(zero - 1))) zero -= 1;
    return (digit.codePointAt(0) - zero) % 10;
  };
  return trimmed(text ?? "")
    .replace(/(?![0-9])\p{Nd}/gu, value)
    .replace(/(\d)_(?=\d)/g, "$1");
}

function float(text) {
  const plain = digits(text).toLowerCase();
  if (/^[+-]?inf(inity)?$/.test(plain)) return plain.startsWith("-") ? -Infinity : Infinity;
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/.test(plain) ? Number(plain) : fail();
}

function number(text) {
  const value = float(text);
  return Number.isFinite(value) ? value : fail();
}

function whole(text) {
  const plain = digits(text);
  return /^[+-]?\d+$/.test(plain) ? Number(plain) : fail();
}

function probability(text) {
  const at = text.indexOf("/");
  const value = at < 0 ? float(text) : float(text.slice(0, at)) / float(text.slice(at + 1));
  return value >= 0 && value <= 1 ? value : fail();
}

function chance(text) {
  const ratio = /^\+?(-?\d+)\/(\d+)$/.exec(digits(text));
  if (ratio && BigInt(ratio[2]) === 0n) fail();
  const value = ratio ? toNumber(fraction(BigInt(ratio[1]), BigInt(ratio[2]))) : number(text);
  return value >= 0 && value <= 1 ? simpleFraction(value) : fail();
}

function rewards(text) {
  const found = {};
  for (const entry of text.split(",")) {
    const [name, amount, ...rest] = words(entry);
    if (amount === undefined || rest.length || !Object.hasOwn(REWARDS, name) || Object.hasOwn(found, name)) fail();
    found[name] = number(amount);
  }
  return found;
}

function tileOf(text) {
  return LETTERS.includes(text) || (text?.length === 1 && LEGEND.includes(text) && !"# ".includes(text))
    ? text
    : fail();
}

function reward(text) {
  const earnings = text.split(",").map((entry) => {
    const [what, amount, ...rest] = words(entry);
    if (amount === undefined) fail();
    if (what.length > 1) return rest.length ? fail() : { what, number: number(amount), kind: "action" };
    const kind = rest.join(" ") || "floor";
    const earning = { what: tileOf(what), number: number(amount), kind };
    if (
      !["floor", "goal", "trap", "leaving"].includes(kind) ||
      (LEGEND.includes(what) && (kind === "goal" || kind === "trap"))
    )
      fail();
    return earning;
  });
  const keys = earnings.map(({ what, kind }) => `${what} ${kind === "leaving"}`);
  return new Set(keys).size === keys.length ? earnings : fail();
}

function jump(text) {
  const jumps = text.split(",").map((entry) => {
    const [letter, target, ...rest] = words(entry);
    if (target === undefined || !LETTERS.includes(letter) || rest.length > 1) fail();
    if (target !== "start" && "GX0123456789^><v".includes(tileOf(target))) fail();
    return { letter, target, number: rest.length ? number(rest[0]) : 0 };
  });
  const letters = new Set(jumps.map(({ letter }) => letter));
  return letters.size === jumps.length && !jumps.some(({ target }) => letters.has(target)) ? jumps : fail();
}

function starts(text) {
  const weights = new Map();
  for (const entry of text.split(",")) {
    const [letter, weight, ...rest] = words(entry);
    if (weight === undefined || rest.length || (letter !== "S" && !LETTERS.includes(letter)) || weights.has(letter))
      fail();
    const value = whole(weight);
    if (value < 1 || value > 1000) fail();
    weights.set(letter, value);
  }
  return weights;
}

function wind(text) {
  let parts = words(text);
  const direction = DIRECTIONS.includes(parts[0]) ? DIRECTIONS.indexOf(parts.shift()) : 0;
  let varies = fraction(0n);
  const at = parts.indexOf("varies");
  if (at >= 0) {
    varies = parts[at + 1] === undefined ? fraction(2n, 3n) : chance(parts[at + 1]);
    if (parts.length > at + 2) fail();
    parts = parts.slice(0, at);
  }
  const strengths = parts.map(whole);
  return strengths.length && Math.min(...strengths) >= 0 ? { direction, strengths, varies } : fail();
}

function noise(text) {
  const spreads = new Map();
  for (const clause of text.split(";")) {
    let tile = "";
    const entries = clause.split(",").map((entry, i) => {
      let parts = words(entry);
      if (i === 0 && parts.length === 3) {
        [tile, ...parts] = parts;
        if (!LEGEND.includes(tile) || tile.length !== 1 || tile === "#") fail();
      }
      if (parts.length !== 2) fail();
      return [parts[0], chance(parts[1])];
    });
    const [n, d] = entries.reduce((sum, [, share]) => plus(sum, share), fraction(0n));
    if (spreads.has(tile) || n > d) fail();
    spreads.set(tile, entries);
  }
  return spreads;
}

const still = (names) => names.map(() => 0);
const FOUR_STEPS = OFFSETS;
const KING_STEPS = [...OFFSETS, [-1, 1], [-1, -1], [1, 1], [1, -1]];
const KING_NAMES = [...DIRECTIONS, "up-right", "up-left", "down-right", "down-left"];
const NAMED = {
  four: [DIRECTIONS, FOUR_STEPS],
  stay: [
    [...DIRECTIONS, "stay"],
    [...FOUR_STEPS, [0, 0]],
  ],
  king: [KING_NAMES, KING_STEPS],
  king_stay: [
    [...KING_NAMES, "stay"],
    [...KING_STEPS, [0, 0]],
  ],
  turns: [
    ["left", "right", "forward"],
    [
      [0, 0],
      [0, 0],
      [-1, 0],
    ],
    [3, 1, 0],
  ],
};

function actions(text) {
  if (Object.hasOwn(NAMED, text)) {
    const [names, steps, turns = still(names)] = NAMED[text];
    return { names, steps, turns, plain: text === "four" };
  }
  if (!trimmed(text).includes(" ")) fail();
  const pairs = text.split(",").map((entry) => {
    const parts = words(entry);
    return parts.length === 3 ? [parts[0], [whole(parts[1]), whole(parts[2])]] : fail();
  });
  const names = pairs.map(([name]) => name);
  const steps = pairs.map(([, step]) => step);
  if (new Set(names).size !== names.length || names.length > 64 || steps.flat().some((part) => Math.abs(part) > 16))
    fail();
  const plain = names.join() === DIRECTIONS.join() && JSON.stringify(steps) === JSON.stringify(OFFSETS);
  return { names, steps, turns: still(names), plain };
}

function walls(text) {
  const rows = words(text);
  return rows.length && rows.every((row) => /^[0-3]+$/.test(row) && row.length === rows[0].length) ? rows : fail();
}

const oneOf =
  (...allowed) =>
  (text) =>
    allowed.includes(text) ? text : fail();
const PROBABILITY = "a probability such as 0.1 or 2/3";
const METADATA = {
  name: ["a text", String],
  title: ["a text", String],
  source: ["a text", String],
  slip: [PROBABILITY, probability],
  ice: [PROBABILITY, probability],
  rewards: [`numbers for some of ${Object.keys(REWARDS).join(", ")}, such as: step -1, trap -100`, rewards],
  trap: ["`end` or `restart`", oneOf("end", "restart")],
  wind: ["a whole number of cells for each column, such as: 0 0 1 2 1; or of each row: left 0 1 0; varies 2/3", wind],
  noise: [`probabilities for ${WORDS.join(", ")} or actions, such as: left_of 0.1, right_of 0.2; ~ stay 1/2`, noise],
  actions: [`one of ${Object.keys(NAMED).join(", ")}, or names and steps such as: up -1 0, leap 0 2`, actions],
  reward: [
    "numbers for tiles or actions, such as: $ 10 goal, m -1, q 2 leaving, up -0.1; a tile is floor, or `goal` or `trap`",
    reward,
  ],
  jump: ["letters, where they lead and a number, such as: P p 10, Q q 5, $ start", jump],
  starts: ["letters and whole numbers from 1 to 1000, such as: S 2, h 1", starts],
  exit: ["`any time` or `all items`", oneOf("any time", "all items")],
  walls: ["a digit for each cell, 1 for a wall to its right, 2 below, 3 for both, such as: 0120 2010", walls],
  corners: ["`keep` or `cut`", oneOf("keep", "cut")],
  facing: [`one of ${DIRECTIONS.join(", ")}`, oneOf(...DIRECTIONS)],
};

/** Return a metadata value of a maze, read; undefined if it is not given. */
export function setting(maze, key) {
  return key in maze.metadata ? METADATA[key][1](maze.metadata[key]) : undefined;
}

/** Return what the agents of a maze can do: names, steps, turns, how many headings there are. */
export function movesOf(maze) {
  const moves = setting(maze, "actions") ?? actions("four");
  const headings = moves.turns.some(Boolean) ? 4 : 1;
  return { ...moves, headings, cuts: "actions" in maze.metadata && maze.metadata.corners === "cut" };
}

/** Return the letters that a map declares, each with its kind: floor, goal or trap. */
export function ownKinds(metadata) {
  const found = [];
  if ("reward" in metadata)
    found.push(
      ...reward(metadata.reward)
        .filter(({ what }) => what.length === 1)
        .map(({ what, kind }) => [what, kind]),
    );
  if ("jump" in metadata) {
    for (const one of jump(metadata.jump)) {
      found.push([one.letter, "floor"]);
      if (one.target.length === 1) found.push([one.target, "floor"]);
    }
  }
  if ("starts" in metadata) found.push(...[...starts(metadata.starts).keys()].map((letter) => [letter, "floor"]));
  const kinds = new Map();
  for (const [letter, kind] of found) {
    if (LEGEND.includes(letter)) continue;
    if (kind === "leaving") {
      if (!kinds.has(letter)) kinds.set(letter, "floor");
    } else if (
      (kinds.get(letter) ?? kind) !== kind &&
      !found.some(([other, sort]) => other === letter && sort === "leaving")
    ) {
      throw new MazeError(`${quoted(letter)} is declared as ${kinds.get(letter)} and as ${kind}`);
    } else {
      kinds.set(letter, kind);
    }
  }
  return kinds;
}

function readSize(value, line, column) {
  const parts = /^([^x]*)x(.*)$/.exec(value)?.slice(1).map(trimmed);
  if (!parts?.every((part) => /^\d{1,8}$/.test(part))) {
    throw new MazeError(
      `'size' must be rows x columns, such as: 3 x 5, not ${[...quoted(value)].slice(0, 80).join("")}`,
      line,
      column,
    );
  }
  const [rows, columns] = parts.map(Number);
  if (!(rows * columns > 0 && rows * columns <= MAX_TILES)) {
    throw new MazeError(
      `a maze can have 1 to ${MAX_TILES.toLocaleString("en")} tiles, not ${rows} x ${columns}`,
      line,
      column,
    );
  }
  return { rows, columns, line };
}

function sized(rows, lines, { rows: height, columns: width, line }) {
  if (rows.length > height)
    throw new MazeError(`the drawing has more than the ${height} rows that line ${line} says`, lines[height], 1);
  rows.forEach((row, i) => {
    if (row.replace(/ +$/, "").length > width)
      throw new MazeError(`this row has more than the ${width} columns that line ${line} says`, lines[i], width + 1);
  });
  const last = lines.at(-1) ?? line;
  const missing = Math.max(height - rows.length, 0);
  return [
    [...rows.map((row) => row.slice(0, width).padEnd(width)), ...Array(missing).fill(" ".repeat(width))],
    [...lines, ...Array(missing).fill(last)],
  ];
}

function unknownTile(tile) {
  if (tile === "\t") return "a tab has no fixed width; use blanks";
  if ("sgx".includes(tile))
    return `unknown tile ${quoted(tile)}; did you mean ${quoted(tile.toUpperCase())}? keys have six letters, a to f`;
  const known = `unknown tile ${quoted(tile)}; known: a blank and ${[...LEGEND].join(" ").trim()}`;
  if (!/[a-z]/i.test(tile)) return known;
  return `${known}; keys have six letters, a to f; a header such as \`reward: m -1\` declares letters for floor and ends`;
}

function even(rows, lines, own, typos) {
  rows.forEach((row, i) =>
    [...row].forEach((tile, column) => {
      if (LEGEND.includes(tile) || own.has(tile)) return;
      throw new MazeError(unknownTile(tile), lines[i], column + 1);
    }),
  );
  if (new Set(rows.map((row) => row.length)).size === 1) return rows;
  const stripped = rows.map((row) => row.replace(/ +$/, ""));
  const width = Math.max(...stripped.map((row) => row.length)) || Math.max(...rows.map((row) => row.length));
  const walled = typos && stripped.some((row) => row.length === width && row.endsWith("#"));
  rows.forEach((row, i) => {
    if (walled && row.length < width) {
      throw new MazeError(
        `this row has ${row.length} tiles, but the drawing is ${width} wide and ends in walls; draw the missing tiles`,
        lines[i],
        row.length + 1,
      );
    }
  });
  return stripped.map((row) => row.padEnd(width));
}

/**
 * Read a map. The result has `rows`, `columns`, `tiles` (one text, row by row), `metadata` (texts by key), `settings`
 * (the lines above the drawing, as they were), `text` and `lines` (of each row, its line in the text).
 */
export function readMaze(text) {
  if (text.length > 2 * MAX_TILES) {
    const [signs, most] = [[...text].length, MAX_TILES].map((count) => count.toLocaleString("en"));
    throw new MazeError(`${signs} characters; a maze can have ${most} tiles at most`, 1, 1);
  }
  text = text.replace(/^\ufeff/, "").replace(/\r\n/g, "\n");
  const metadata = {};
  const said = {};
  const settings = [];
  let rows = [];
  let lines = [];
  let size = null;
  let heading = true;
  for (const [i, line] of text.split("\n").entries()) {
    const at = i + 1;
    if (line.startsWith(";")) {
      if (heading) settings.push(line);
      continue;
    }
    if (heading) {
      const colon = line.indexOf(":");
      if (colon >= 0) {
        const [key, value] = [trimmed(line.slice(0, colon)), trimmed(line.slice(colon + 1))];
        const known = Object.hasOwn(METADATA, key);
        if (!known && key !== "size" && [...line].every((tile) => tile === ":" || LEGEND.includes(tile))) {
          throw new MazeError(
            `':' is not a tile, and ${quoted(key)} is not a metadata key; known keys: ${[...Object.keys(METADATA), "size"].join(", ")}`,
            at,
            colon + 1,
          );
        }
        if (/^\s*[{[]"/.test(line)) throw new MazeError("this looks like JSON, not like a maze", at, 1);
        if (Object.hasOwn(metadata, key) || (key === "size" && size))
          throw new MazeError(`${quoted(key)} is given twice`, at, 1);
        settings.push(line);
        if (key === "size") {
          size = readSize(value, at, colon + 2);
          continue;
        }
        if (!known) throw new MazeError(`unknown key ${quoted(key)}${nearest(key, Object.keys(METADATA))}`, at, 1);
        metadata[key] = value;
        said[key] = at;
        try {
          if (/\r/.test(value)) fail();
          METADATA[key][1](value);
        } catch (error) {
          if (!(error instanceof Unreadable)) throw error;
          throw new MazeError(`${quoted(key)} must be ${METADATA[key][0]}, not ${quoted(value)}`, at, colon + 2);
        }
        continue;
      }
      if (!line && !size) continue;
      heading = false;
    }
    rows.push(line);
    lines.push(at);
  }
  while (rows.length && !rows.at(-1)) {
    rows.pop();
    lines.pop();
  }
  let own;
  try {
    own = ownKinds(metadata);
  } catch (error) {
    throw new MazeError(
      error.message,
      Math.max(...["reward", "jump", "starts"].filter((key) => key in said).map((key) => said[key])),
      1,
    );
  }
  if (size) [rows, lines] = sized(rows, lines, size);
  if (!rows.length) throw new MazeError("the maze is empty; draw at least one row of tiles", 1, 1);
  rows = even(rows, lines, own, !size);
  return { text, rows: rows.length, columns: rows[0].length, tiles: rows.join(""), metadata, settings, lines, said };
}

/** Return an error about a tile. */
export function tileError(maze, cell, message) {
  return new MazeError(message, maze.lines[Math.floor(cell / maze.columns)], (cell % maze.columns) + 1);
}

/** Return an error about a setting. */
export function settingError(maze, key, message) {
  const line = maze.said[key];
  return new MazeError(message, line, maze.text.split("\n")[line - 1].indexOf(":") + 2);
}
