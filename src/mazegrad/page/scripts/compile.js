// A drawing becomes tables: for each state and each move the next state and the reward; a second copy of
// envs/core/framed.py, states.py, compile.py and noise.py, held equal to them by tests.
//
// The order of a move: noise, the turn or step, at most one displacement (teleporter, conveyor or wind), what the last
// cell holds.

import { fraction, plus, simpleFraction, times, toNumber } from "./fractions.js";
import {
  DIRECTIONS,
  OFFSETS,
  REWARDS,
  TILE_REWARDS,
  movesOf,
  ownKinds,
  quoted,
  setting,
  settingError,
  tileError,
} from "./maze.js";

const CLOCKWISE = [0, 1, 3, 2];
const CLOSED = -1;
const MAX_INVENTORY = 40;
const MAX_STATES = 200000;
const ICE = 2 / 3;
const ZERO = fraction(0n);
const ONE = fraction(1n);
const WORDS = ["sideways", "left_of", "right_of", "back", "stay", "other", "any"];

/** Return a step after clockwise quarter turns. */
export function turned([row, column], quarters) {
  for (let i = 0; i < ((quarters % 4) + 4) % 4; i++) [row, column] = [column, -row || 0];
  return [row || 0, column || 0];
}

/** Return the clockwise quarter turns from facing up to a direction. */
export function quartersOf(heading) {
  return CLOCKWISE.indexOf(heading);
}

function startWeights(maze) {
  return new Map([["S", 1], ...(setting(maze, "starts") ?? [])]);
}

function cellsOf(maze, tile) {
  const cells = [];
  for (let cell = maze.tiles.indexOf(tile); cell >= 0; cell = maze.tiles.indexOf(tile, cell + 1)) cells.push(cell);
  return cells;
}

function startCells(maze) {
  const cells = [];
  for (const [letter, weight] of startWeights(maze))
    for (const cell of cellsOf(maze, letter)) for (let i = 0; i < weight; i++) cells.push(cell);
  return cells.sort((a, b) => a - b);
}

function jumpCells(maze) {
  return (setting(maze, "jump") ?? []).map(({ letter, target, number }) => {
    const cells = target === "start" ? startCells(maze) : cellsOf(maze, target);
    const distinct = [...new Set(cells)];
    return {
      letter,
      cells: distinct,
      weights: distinct.map((cell) => cells.filter((other) => other === cell).length),
      number,
    };
  });
}

/** Return what is carried and needed: bits as numbers (up to 2 ** 40). */
function inventory(maze) {
  const keys = [..."abcdef"].filter((letter) => maze.tiles.includes(letter));
  const gives = new Map();
  const bitOf = new Map(keys.map((letter, i) => [letter, 2 ** i]));
  let next = keys.length;
  const things = [];
  [...maze.tiles].forEach((tile, cell) => {
    if (bitOf.has(tile)) {
      gives.set(cell, bitOf.get(tile));
      things.push(cell);
    } else if (tile === "*") {
      if (next >= MAX_INVENTORY)
        throw tileError(maze, cell, `a maze can have ${MAX_INVENTORY} keys and items at most; this is one more`);
      gives.set(cell, 2 ** next);
      next += 1;
      things.push(cell);
    }
  });
  return { gives, bitOf, size: next, things };
}

const has = (carried, bit) => Math.floor(carried / bit) % 2 === 1;

// --------------------------------------------------------------------------------------------------------------- noise
class Plan {
  constructor(maze, moves, jumps) {
    Object.assign(this, { maze, moves, rows: [], numbers: new Map(), kindOf: null });
    this.columns = moves.steps.map(([row, column], i) => ({
      row,
      column,
      turn: moves.turns[i] % 4,
      gust: 0,
      jump: 0,
      meant: -1,
    }));
    this.actions = [...this.columns];
    const earnings = (setting(maze, "reward") ?? []).filter(({ kind }) => kind === "action");
    this.acting = earnings.length > 0;
    const wind = setting(maze, "wind");
    const random = jumps.some(({ letter, cells }) => cells.length > 1 && maze.tiles.includes(letter));
    const plain = !(wind && wind.varies[0] > 0n) && !("noise" in maze.metadata) && !random && !this.acting;
    if (plain && moves.plain && !moves.cuts) return;
    const spreads = this.spreads();
    if (plain && ![...spreads.values()].some((spread) => spread.some(([, [n]]) => n > 0n))) return;
    const kinds = new Map();
    for (const blows of [0, 1]) {
      const varies = wind && blows ? wind.varies : ZERO;
      for (const [tile, spread] of spreads) kinds.set(`${tile}${blows}`, this.kind(spread, varies));
    }
    for (const { letter, weights } of jumps)
      for (const blows of [0, 1]) kinds.set(`${letter}${blows}`, this.jumpKind(weights));
    this.kindOf = (tile, blows) => kinds.get(`${tile}${blows}`) ?? kinds.get(`${blows}`);
  }

  spreads() {
    const { maze } = this;
    const given = setting(maze, "noise") ?? new Map();
    const spreads = new Map([["", given.get("") ?? [["sideways", simpleFraction(setting(maze, "slip") ?? 0)]]]]);
    if (maze.tiles.includes("~")) spreads.set("~", [["sideways", simpleFraction(setting(maze, "ice") ?? ICE)]]);
    for (const [tile, spread] of given) if (tile) spreads.set(tile, spread);
    return spreads;
  }

  numbered(key, row) {
    if (!this.numbers.has(key)) {
      this.numbers.set(key, this.rows.length);
      this.rows.push(null);
      this.rows[this.numbers.get(key)] = this.actions.map((_, action) => row(action));
    }
    return this.numbers.get(key);
  }

  kind(spread, varies) {
    return this.numbered(`${spread} | ${varies}`, (action) => this.cases(spread, varies, action));
  }

  jumpKind(weights) {
    const total = BigInt(weights.reduce((sum, weight) => sum + weight, 0));
    return this.numbered(`jump ${weights}`, (action) => [
      [action, weights.length ? fraction(BigInt(weights[0]), total) : ONE],
      ...weights
        .slice(1)
        .map((weight, i) => [
          this.column({ row: 0, column: 0, turn: 0, gust: 0, jump: i + 1, meant: this.acting ? action : -1 }),
          fraction(BigInt(weight), total),
        ]),
    ]);
  }

  cases(spread, varies, action) {
    const meant = this.actions[action];
    const key = (column) => JSON.stringify(column);
    const happens = new Map();
    for (const [what, chance] of spread) {
      const parts = this.parts(what, action);
      for (const part of parts) {
        const before = happens.get(key(part))?.[1] ?? ZERO;
        happens.set(key(part), [part, plus(before, times(chance, fraction(1n, BigInt(parts.length))))]);
      }
    }
    happens.delete(key(meant));
    const sum = [...happens.values()].reduce((total, [, chance]) => plus(total, chance), ZERO);
    if (sum[0] > sum[1])
      throw settingError(this.maze, "noise", "the probabilities of what may happen sum to more than 1");
    let cases = [[meant, plus(ONE, [-sum[0], sum[1]])], ...happens.values()];
    if (varies[0] > 0n) {
      const half = times(varies, fraction(1n, 2n));
      cases = [
        [0, plus(ONE, [-varies[0], varies[1]])],
        [1, half],
        [-1, half],
      ].flatMap(([gust, share]) => cases.map(([column, chance]) => [{ ...column, gust }, times(chance, share)]));
    }
    const same = key(meant);
    if (this.acting)
      cases = cases.map(([column, chance]) => [key(column) === same ? column : { ...column, meant: action }, chance]);
    return cases
      .filter(([column, chance]) => chance[0] !== 0n || key(column) === same)
      .map(([column, chance]) => [this.column(column), chance]);
  }

  parts(what, action) {
    const { row, column, turn } = this.actions[action];
    const plain = { turn, gust: 0, jump: 0, meant: -1 };
    const rotated = (quarters) => {
      const [r, c] = turned([row, column], quarters);
      return { row: r, column: c, ...plain };
    };
    if (what === "sideways") return [rotated(3), rotated(1)];
    if (what === "left_of") return [rotated(3)];
    if (what === "right_of") return [rotated(1)];
    if (what === "back") return [rotated(2)];
    if (what === "stay") return [{ row: 0, column: 0, ...plain, turn: 0 }];
    if (what === "any") return this.actions;
    if (what === "other") {
      const others = this.actions.filter((_, i) => i !== action);
      return others.length ? others : [this.actions[action]];
    }
    const number = this.moves.names.indexOf(what);
    if (number < 0)
      throw settingError(
        this.maze,
        "noise",
        `unknown ${quoted(what)}; known here: ${[...WORDS, ...this.moves.names].join(", ")}`,
      );
    return [this.actions[number]];
  }

  column(column) {
    const key = JSON.stringify(column);
    const at = this.columns.findIndex((other) => JSON.stringify(other) === key);
    if (at >= 0) return at;
    this.columns.push(column);
    return this.columns.length - 1;
  }

  /** Return, by kind and action, the cases [column, probability] and what a uniform number must be below for each. */
  tables() {
    return this.rows.map((rows) =>
      rows.map((row) => {
        const below = row.map((_, i) => toNumber(row.slice(i).reduce((sum, [, chance]) => plus(sum, chance), ZERO)));
        return {
          executed: row.map(([column]) => column),
          probability: row.map(([, chance]) => toNumber(chance)),
          below: below.slice(1),
        };
      }),
    );
  }
}

// -------------------------------------------------------------------------------------------------------------- tables
/**
 * Return the tables of a maze: `next`, `reward` (states x moves), `terminal`, `goal`, `cell`, `carried`, `heading`,
 * `dots` (states x seen), `starts`, and what noise makes of actions: `slip` by state, or `kind` by state and `noise` by
 * kind and action. The first `actions` of the `moves` are the actions as they are meant.
 */
export function compile(maze) {
  const { rows, columns: width, tiles } = maze;
  const size = rows * width;
  const moves = movesOf(maze);
  const jumps = jumpCells(maze);
  const plan = new Plan(maze, moves, jumps);
  const reward = { ...REWARDS, ...setting(maze, "rewards") };
  const facing = moves.headings > 1 ? DIRECTIONS.indexOf(maze.metadata.facing ?? "up") : 0;
  const starts = startCells(maze);
  if (!starts.length) throw tileError(maze, 0, "the maze has no start; put an S where the agent begins");
  const { gives, bitOf, size: bits, things } = inventory(maze);
  const needs = [...tiles].map((tile) => {
    if (tile === "#" || tile === " ") return CLOSED;
    return /[A-F]/.test(tile) ? (bitOf.get(tile.toLowerCase()) ?? CLOSED) : 0;
  });
  const inside = (row, column) => row >= 0 && column >= 0 && row < rows && column < width;
  const enter = (row, column, carried) => {
    if (!inside(row, column)) return false;
    const need = needs[row * width + column];
    return need === 0 || (need !== CLOSED && has(carried, need));
  };

  // displacements
  const twin = new Map();
  for (const digit of "0123456789") {
    const ends = cellsOf(maze, digit);
    if (ends.length && ends.length !== 2) {
      const count = ends.length === 1 ? "once" : `${ends.length} times`;
      throw tileError(maze, ends.at(-1), `a teleporter joins two cells; '${digit}' is drawn ${count}`);
    }
    if (ends.length) twin.set(ends[0], ends[1]).set(ends[1], ends[0]);
  }
  const given = setting(maze, "wind");
  const blows = OFFSETS[given?.direction ?? 0];
  const gusts = new Int32Array(size);
  if (given) {
    const vertical = given.direction === 0 || given.direction === 3;
    const [length, other] = vertical ? [width, rows] : [rows, width];
    if (given.strengths.length !== length) {
      const lines = vertical ? "column" : "row";
      throw settingError(
        maze,
        "wind",
        `${given.strengths.length} numbers for ${length} ${lines}s; give one for each ${lines}`,
      );
    }
    for (let cell = 0; cell < size; cell++)
      gusts[cell] = Math.min(given.strengths[vertical ? cell % width : Math.floor(cell / width)], other);
  }
  const restart = maze.metadata.trap === "restart";
  const distinct = [...new Set(starts)];
  if (restart && distinct.length > 1)
    throw tileError(maze, distinct[1], "`trap: restart` needs a single start S; this is another one");
  const sides = sidesOf(maze);
  const free = (row, column, [down, across]) => {
    if (!sides || Math.abs(down) + Math.abs(across) !== 1) return true;
    const side = OFFSETS.findIndex(([r, c]) => r === down && c === across);
    return !inside(row, column) || !((sides[row * width + column] >> side) & 1);
  };
  const canStep = (row, column, [down, across], carried) => {
    if (!enter(row + down, column + across, carried) || !free(row, column, [down, across])) return false;
    if (Math.abs(down) !== 1 || Math.abs(across) !== 1) return true;
    if (sides) {
      const first = free(row, column, [down, 0]) && free(row + down, column, [0, across]);
      const other = free(row, column, [0, across]) && free(row, column + across, [down, 0]);
      if (!(moves.cuts ? first || other : first && other)) return false;
    }
    return moves.cuts || (enter(row + down, column, carried) && enter(row, column + across, carried));
  };

  // what cells hold
  const kinds = ownKinds(maze.metadata);
  const isGoal = [...tiles].map((tile) => tile === "G" || kinds.get(tile) === "goal");
  const ends = [...tiles].map(
    (tile) => tile === "G" || (tile === "X" && !restart) || ["goal", "trap"].includes(kinds.get(tile)),
  );
  let needed = 0;
  if (maze.metadata.exit === "all items") for (const [cell, bit] of gives) if (tiles[cell] === "*") needed += bit;
  const items = [...gives].filter(([cell]) => tiles[cell] === "*").map(([, bit]) => bit);
  const over = (cell, carried) => ends[cell] && (!needed || !isGoal[cell] || items.every((bit) => has(carried, bit)));
  const arrival = [...tiles].map((tile) => (tile in TILE_REWARDS ? reward[TILE_REWARDS[tile]] : 0));
  const extra = "reward" in maze.metadata || "jump" in maze.metadata;
  const [entering, leaving, acting] = [
    new Float64Array(size),
    new Float64Array(size),
    new Float64Array(moves.names.length),
  ];
  const jumpOf = new Map();
  for (const jump of jumps) {
    const here = cellsOf(maze, jump.letter);
    if (here.length && !jump.cells.length)
      throw tileError(maze, here[0], `agents jump from ${quoted(jump.letter)}, but to a place that is not drawn`);
    for (const cell of here) jumpOf.set(cell, jump);
  }
  const alternatives = Math.max(0, ...jumps.map(({ cells }) => cells.length));
  for (const { what, number, kind } of setting(maze, "reward") ?? []) {
    if (kind === "action") {
      const action = moves.names.indexOf(what);
      if (action < 0)
        throw settingError(maze, "reward", `unknown action ${quoted(what)}; known here: ${moves.names.join(", ")}`);
      acting[action] = number;
      continue;
    }
    const table = kind === "leaving" ? leaving : kind === "floor" && !(what in TILE_REWARDS) ? entering : arrival;
    for (const cell of cellsOf(maze, what)) table[cell] = number;
  }

  // one move
  const move = (cell, carried, heading, column) => {
    const [row, across] = [Math.floor(cell / width), cell % width];
    const step =
      moves.headings > 1 ? turned([column.row, column.column], quartersOf(heading)) : [column.row, column.column];
    let at = cell;
    let can = true;
    if (column.row || column.column) {
      can = canStep(row, across, step, carried);
      if (can) at = (row + step[0]) * width + across + step[1];
    }
    let end = at;
    const belt = "^><v".indexOf(tiles[at]);
    const displaced = belt >= 0 || twin.has(at);
    const [r, c] = [Math.floor(at / width), at % width];
    if (belt >= 0 && enter(r + OFFSETS[belt][0], c + OFFSETS[belt][1], carried) && free(r, c, OFFSETS[belt]))
      end = at + OFFSETS[belt][0] * width + OFFSETS[belt][1];
    if (twin.has(at)) end = twin.get(at);
    let gust = displaced ? 0 : gusts[cell];
    if (gust > 0) gust += column.gust;
    for (; gust > 0; gust--) {
      const [y, x] = [Math.floor(end / width), end % width];
      if (!enter(y + blows[0], x + blows[1], carried) || !free(y, x, blows)) break;
      end += blows[0] * width + blows[1];
    }
    const jump = jumpOf.get(cell);
    if (jump) {
      const which = Math.min(column.jump, alternatives - 1);
      end = jump.cells[which] ?? jump.cells[0];
      can = true;
    }
    const lands = tiles[end] === "X" && restart ? distinct[0] : end;
    let after = heading;
    if (moves.headings > 1) {
      if (lands !== end) after = facing;
      else if (!jump) after = CLOCKWISE[(quartersOf(heading) + column.turn) % 4];
    }
    const bit = gives.get(end) ?? 0;
    const fresh = bit === 0 || !has(carried, bit);
    return { end, lands, after, blocked: !can, carried: fresh ? carried + bit : carried, fresh };
  };

  // states: every open cell, or with keys and items the reachable ones, in the order of (carried, heading, cell)
  const code = (cell, carried, heading) => (carried * moves.headings + heading) * size + cell;
  const codes = new Set();
  if (!bits) {
    for (let heading = 0; heading < moves.headings; heading++)
      for (let cell = 0; cell < size; cell++) if (!"# ".includes(tiles[cell])) codes.add(code(cell, 0, heading));
  }
  const decode = (number) => [
    number % size,
    Math.floor(number / size / moves.headings),
    Math.floor(number / size) % moves.headings,
  ];
  if (bits) {
    const frontier = distinct.map((cell) => code(cell, 0, facing));
    frontier.forEach((start) => codes.add(start));
    while (frontier.length) {
      const [cell, carried, heading] = decode(frontier.pop());
      if (over(cell, carried)) continue;
      for (const column of plan.columns) {
        const to = move(cell, carried, heading, column);
        const reached = code(to.lands, to.carried, to.after);
        if (codes.has(reached)) continue;
        codes.add(reached);
        frontier.push(reached);
        if (codes.size > MAX_STATES) {
          throw tileError(
            maze,
            things.at(-1),
            `${2 ** bits} combinations of keys and items are too many for a maze of this size: it has more than ${MAX_STATES.toLocaleString("en")} states`,
          );
        }
      }
    }
  }
  const sorted = Float64Array.from(codes).sort();
  const stateOf = new Map(Array.from(sorted, (number, state) => [number, state]));
  const states = sorted.length;

  // noise
  const noise = plan.kindOf ? plan.tables() : null;
  const slip = new Float64Array(states);
  const kind = new Int32Array(states);
  const places = Array.from(sorted, decode);
  places.forEach(([cell], state) => {
    if (plan.kindOf) kind[state] = plan.kindOf(tiles[cell], Number(gusts[cell] > 0));
    else slip[state] = tiles[cell] === "~" ? (setting(maze, "ice") ?? ICE) : (setting(maze, "slip") ?? 0);
  });
  let used = moves.names.length;
  let random = false;
  if (noise) {
    for (const present of new Set(kind)) {
      for (const row of noise[present]) {
        random ||= row.executed.length > 1;
        for (const column of row.executed) used = Math.max(used, column + 1);
      }
    }
    if (!random) used = moves.names.length;
  }
  const columns = plan.columns.slice(0, used);
  const next = new Int32Array(states * used);
  const earned = new Float64Array(states * used);
  const terminal = new Uint8Array(states);
  places.forEach(([cell, carried, heading], state) => {
    terminal[state] = Number(over(cell, carried));
    columns.forEach((column, number) => {
      const at = state * used + number;
      if (terminal[state]) {
        next[at] = state;
        return;
      }
      const to = move(cell, carried, heading, column);
      next[at] = stateOf.get(code(to.lands, to.carried, to.after));
      const paid = to.fresh && (!isGoal[to.end] || over(to.end, carried));
      let sum = reward.step + (paid ? arrival[to.end] : 0);
      if (extra) sum += (to.end !== cell ? entering[to.end] + leaving[cell] : 0) + (jumpOf.get(cell)?.number ?? 0);
      const meant = number < moves.names.length ? number : column.meant;
      if (plan.acting && meant >= 0) sum += acting[meant];
      if (to.blocked) sum += reward.bump;
      earned[at] = sum;
    });
  });

  // the bits that are seen
  const seenSteps =
    moves.headings > 1
      ? OFFSETS
      : [...new Map(moves.steps.filter(([r, c]) => r || c).map((step) => [String(step), step])).values()];
  if (!seenSteps.length) seenSteps.push([0, 0]);
  const dots = new Uint8Array(states * seenSteps.length);
  places.forEach(([cell, carried, heading], state) => {
    const sign = { "{": OFFSETS[2], "}": OFFSETS[1] }[tiles[cell]];
    seenSteps.forEach((ahead, number) => {
      const step = moves.headings > 1 ? turned(ahead, quartersOf(heading)) : ahead;
      const shown = sign && step[0] === sign[0] && step[1] === sign[1];
      dots[state * seenSteps.length + number] = Number(
        shown || canStep(Math.floor(cell / width), cell % width, step, carried),
      );
    });
  });
  return {
    maze,
    states,
    actions: moves.names.length,
    moves: used,
    names: moves.names,
    steps: moves.steps,
    turns: moves.turns,
    headings: moves.headings,
    next,
    reward: earned,
    terminal,
    goal: Uint8Array.from(places, ([cell], state) => Number(terminal[state] && isGoal[cell])),
    slip,
    kind,
    noise: random ? noise : null,
    dots,
    seen: seenSteps.length,
    cell: Int32Array.from(places, ([cell]) => cell),
    carried: Float64Array.from(places, ([, carried]) => carried),
    heading: Int32Array.from(places, ([, , heading]) => heading),
    starts: starts.map((cell) => stateOf.get(code(cell, 0, facing))),
    gives,
    bitOf,
  };
}

/** Return which sides of each cell have a thin wall, bit d for direction d; null without any. */
function sidesOf(maze) {
  const lines = setting(maze, "walls");
  if (!lines) return null;
  const { rows, columns } = maze;
  const found = new Uint8Array(rows * columns);
  lines.slice(0, rows).forEach((line, row) =>
    [...line.slice(0, columns)].forEach((digit, column) => {
      const cell = row * columns + column;
      if (digit & 1) {
        found[cell] |= 2;
        if (column + 1 < columns) found[cell + 1] |= 4;
      }
      if (digit & 2) {
        found[cell] |= 8;
        if (row + 1 < rows) found[cell + columns] |= 1;
      }
    }),
  );
  return found;
}

/** Return the tiles as an agent finds them in a state, as codes: what was taken is floor, open doors have 128 more. */
export function tilesNow(world, state) {
  const carried = world.carried[state];
  return [...world.maze.tiles].map((tile, cell) => {
    const bit = world.gives.get(cell);
    if (bit && has(carried, bit)) return 46;
    const key = world.bitOf.get(tile.toLowerCase());
    return /[A-F]/.test(tile) && key && has(carried, key) ? tile.charCodeAt(0) + 128 : tile.charCodeAt(0);
  });
}

/** Return what an agent carries in a state: letters of keys, and stars. */
export function carriedIn(world, state) {
  const carried = world.carried[state];
  const keys = [...world.bitOf].filter(([, bit]) => has(carried, bit)).map(([letter]) => letter.toUpperCase());
  const items = [...world.gives]
    .filter(([cell, bit]) => world.maze.tiles[cell] === "*" && has(carried, bit))
    .map(() => "*");
  return [...keys, ...items];
}
