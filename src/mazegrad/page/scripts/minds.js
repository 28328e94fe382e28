// Minds: the linear recurrent net of exercise 38 and whether it follows every path, automata, and these as nets.

const SIDE = [0, 1, 2, 3];
const OFFSETS = [
  [-1, 0],
  [0, 1],
  [0, -1],
  [1, 0],
];
const LEFT_OF = [2, 0, 3, 1];
const RIGHT_OF = LEFT_OF.map((direction) => 3 - direction);
const NOWHERE = -1;
const DOWN = 3;
const MAX_STATES = 20000;
const EXHAUSTIVE = 10;
const LONGEST = 400;
const BEAM = 256;

/** Return M x. */
export function multiply(M, x) {
  return M.map((row) => row.reduce((sum, m, i) => sum + m * x[i], 0));
}

/** Return the index of the largest entry, of equal ones the first. */
export function argmax(h) {
  let best = 0;
  for (let i = 1; i < h.length; i++) if (h[i] > h[best]) best = i;
  return best;
}

/** Return W x + U h + b. */
export function rnnStep({ W, U, b }, x, h) {
  const [fromW, fromU] = [multiply(W, x), multiply(U, h)];
  return b.map((bias, i) => fromW[i] + fromU[i] + bias);
}

// --------------------------------------------------------------------------------------------------------- eigenvalues
/** Return the eigenvalues of a real matrix, [{re, im}], the largest real part first. */
export function eigenvalues(matrix) {
  // Faddeev and LeVerrier's characteristic polynomial, and its roots by Aberth's iteration
  const n = matrix.length;
  const c = [1];
  let M = matrix.map((row) => row.map(() => 0));
  for (let k = 1; k <= n; k++) {
    const last = c[k - 1];
    M = M.map((_, i) => M.map((__, j) => matrix[i].reduce((sum, u, l) => sum + u * M[l][j], 0) + (i === j ? last : 0)));
    c.push(-matrix.reduce((sum, row, i) => sum + row.reduce((part, u, l) => part + u * M[l][i], 0), 0) / k);
  }
  const roots = polynomialRoots(c);
  return roots.sort((one, other) => other.re - one.re || other.im - one.im);
}

/** Return the roots of a monic polynomial of real coefficients; multiple roots are taken out by its common divisors. */
function polynomialRoots(c) {
  const size = Math.max(...c.map(Math.abs));
  const trimmed = [...c];
  const zeros = [];
  while (trimmed.length > 1 && Math.abs(trimmed.at(-1)) <= 1e-12 * size) {
    trimmed.pop();
    zeros.push({ re: 0, im: 0 });
  }
  if (trimmed.length === 1) return zeros;
  const n = trimmed.length - 1;
  const derivative = trimmed.slice(0, -1).map((a, i) => a * (n - i));
  const common = divisor(trimmed, derivative);
  if (common.length > 1) return [...zeros, ...simpleRoots(quotient(trimmed, common)), ...polynomialRoots(common)];
  return [...zeros, ...simpleRoots(trimmed)];
}

function remainder(a, b) {
  let rest = [...a];
  while (rest.length >= b.length) {
    const factor = rest[0] / b[0];
    rest = rest.map((value, i) => (i < b.length ? value - factor * b[i] : value)).slice(1);
  }
  return rest;
}

function quotient(a, b) {
  const found = [];
  let rest = [...a];
  while (rest.length >= b.length) {
    const factor = rest[0] / b[0];
    found.push(factor);
    rest = rest.map((value, i) => (i < b.length ? value - factor * b[i] : value)).slice(1);
  }
  return found;
}

function divisor(a, b) {
  const scale = Math.max(...a.map(Math.abs));
  while (b.length) {
    const rest = remainder(a, b);
    while (rest.length && Math.abs(rest[0]) <= 1e-9 * scale) rest.shift();
    [a, b] = [b, rest];
  }
  return a.map((value) => value / a[0]);
}

function simpleRoots(c) {
  const n = c.length - 1;
  if (n === 1) return [{ re: -c[1] / c[0], im: 0 }];
  if (n === 2) {
    const [a, b, d] = c;
    const root = b * b - 4 * a * d;
    if (root >= 0) {
      const q = -(b + (b < 0 ? -1 : 1) * Math.sqrt(root)) / 2;
      return [
        { re: q / a, im: 0 },
        { re: q === 0 ? 0 : d / q, im: 0 },
      ];
    }
    return [1, -1].map((sign) => ({ re: -b / (2 * a), im: (sign * Math.sqrt(-root)) / (2 * a) }));
  }
  const times = ([a, b], [x, y]) => [a * x - b * y, a * y + b * x];
  const over = ([a, b], [x, y]) => {
    const q = x * x + y * y || 1e-300;
    return [(a * x + b * y) / q, (b * x - a * y) / q];
  };
  const at = (coefficients, z) =>
    coefficients.reduce(
      (sum, a) => {
        const [x, y] = times(sum, z);
        return [x + a, y];
      },
      [0, 0],
    );
  const slope = c.slice(0, -1).map((a, i) => a * (n - i));
  const reach = 1 + Math.max(...c.slice(1).map((a) => Math.abs(a / c[0])));
  let z = Array.from({ length: n }, (_, i) => [
    reach * Math.cos(2.4 * i + 0.4) * 0.7,
    reach * Math.sin(2.4 * i + 0.4) * 0.7,
  ]);
  for (let turn = 0; turn < 200; turn++) {
    let moved = 0;
    z = z.map((x, i) => {
      const newton = over(at(c, x), at(slope, x));
      const push = z.reduce(
        ([a, b], y, j) => {
          if (i === j) return [a, b];
          const [u, v] = over([1, 0], [x[0] - y[0], x[1] - y[1]]);
          return [a + u, b + v];
        },
        [0, 0],
      );
      const [u, v] = times(newton, push);
      const by = over(newton, [1 - u, -v]);
      moved = Math.max(moved, Math.hypot(...by));
      return [x[0] - by[0], x[1] - by[1]];
    });
    if (moved < 1e-15 * reach) break;
  }
  return z.map(([re, im]) => ({ re, im: Math.abs(im) < 1e-9 * reach ? 0 : im }));
}

// --------------------------------------------------------------------------------------------------------------- paths
/** Return the step of a net inside paths: from h, where it came from and the move ahead to the next h. */
function stepper({ W, U, b }) {
  const fromW = [NOWHERE, ...SIDE].map((came) =>
    SIDE.map((move) =>
      multiply(
        W,
        SIDE.map((d) => Number(d === came || d === move)),
      ),
    ),
  );
  return (h, came, move) => {
    const w = fromW[came + 1][move];
    return [
      w[0] + (U[0][0] * h[0] + U[0][1] * h[1] + U[0][2] * h[2] + U[0][3] * h[3]) + b[0],
      w[1] + (U[1][0] * h[0] + U[1][1] * h[1] + U[1][2] * h[2] + U[1][3] * h[3]) + b[1],
      w[2] + (U[2][0] * h[0] + U[2][1] * h[1] + U[2][2] * h[2] + U[2][3] * h[3]) + b[2],
      w[3] + (U[3][0] * h[0] + U[3][1] * h[1] + U[3][2] * h[2] + U[3][3] * h[3]) + b[3],
    ];
  };
}

/** Return whether a net follows all paths, of any length: its state takes finitely many values, and all are tried. */
function isProved(net, start) {
  const next = stepper(net);
  let open = [[start === "end" ? NOWHERE : DOWN, NOWHERE, net.h0]];
  const visited = new Set();
  while (open.length) {
    const fresh = [];
    for (const [came, before, h] of open) {
      for (const move of SIDE) {
        if (move === came || move === before) continue;
        const after = next(h, came, move);
        if (argmax(after) !== move || visited.size > MAX_STATES) return false;
        const key = `${move} ${came} ${after[0] + 0} ${after[1] + 0} ${after[2] + 0} ${after[3] + 0}`;
        if (visited.has(key)) continue;
        visited.add(key);
        fresh.push([3 - move, came, after]);
      }
    }
    open = fresh;
  }
  return true;
}

// A path is its last cell, which knows the cell before (`back`) and that LEAP cells before (`leap`).
const LEAP = 8;

function extended(back, row, column, move, h) {
  let leap = back;
  for (let i = 1; i < LEAP && leap; i++) leap = leap.back;
  return { back, leap, row, column, move, h };
}

/** Return whether a cell lies on a path or beside one of its cells but the last. */
function touches(last, row, column) {
  for (let cell = last.back; cell;) {
    const far = Math.abs(cell.row - row) + Math.abs(cell.column - column);
    if (far <= 1) return true;
    // the next far - 2 cells back are nearer to this one than to that
    let steps = far - 1;
    for (; steps >= LEAP && cell; steps -= LEAP) cell = cell.leap;
    for (; steps > 0 && cell; steps--) cell = cell.back;
  }
  return false;
}

function movesOf(last) {
  const moves = [];
  for (let cell = last; cell && cell.move !== null; cell = cell.back) moves.push(cell.move);
  return moves.reverse();
}

/**
 * Return the shortest path that a net does not follow: of all up to `EXHAUSTIVE` steps, then of those with the smallest
 * leads, which finds memory that fades; null if none fails.
 */
function failure(net, start) {
  const next = stepper(net);
  const below = start === "end" ? null : extended(null, 1, 0, null, null);
  let paths = [extended(below, 0, 0, null, net.h0)];
  for (let length = 1; length <= LONGEST; length++) {
    const found = [];
    for (const path of paths) {
      const came = path.move !== null ? 3 - path.move : below ? DOWN : NOWHERE;
      for (const move of SIDE) {
        const [row, column] = [path.row + OFFSETS[move][0], path.column + OFFSETS[move][1]];
        if (move === came || touches(path, row, column)) continue;
        const h = next(path.h, came, move);
        const went = argmax(h);
        if (went !== move) {
          const moves = [...movesOf(path), move];
          return { start, moves, went, shortest: length <= EXHAUSTIVE, text: pathText(moves, start) };
        }
        let other = -Infinity;
        for (const i of SIDE) if (i !== move && h[i] > other) other = h[i];
        found.push({ path, row, column, move, h, lead: h[move] - other });
      }
    }
    const kept = length < EXHAUSTIVE ? found : found.sort((one, two) => one.lead - two.lead).slice(0, BEAM);
    paths = kept.map(({ path, row, column, move, h }) => extended(path, row, column, move, h));
  }
  return null;
}

/** Return a path as a map, from S to G. */
function pathText(moves, start) {
  const cells = [[0, 0]];
  for (const move of moves) cells.push(cells.at(-1).map((at, axis) => at + OFFSETS[move][axis]));
  const all = start === "end" ? cells : [...cells, [1, 0]];
  const [top, left] = [0, 1].map((axis) => Math.min(...all.map((cell) => cell[axis])));
  const [rows, columns] = [0, 1].map((axis) => Math.max(...all.map((cell) => cell[axis])) - [top, left][axis] + 1);
  const tiles = Array.from({ length: rows }, () => Array(columns).fill(" "));
  for (const [row, column] of all) tiles[row - top][column - left] = ".";
  const [row, column] = cells.at(-1);
  tiles[row - top][column - left] = "G";
  tiles[-top][-left] = "S";
  return `size: ${rows} x ${columns}\n${tiles.map((line) => line.join("")).join("\n")}\n`;
}

/**
 * Ask whether a net follows every path, from its end and with a dot below the start; `ok` is true where it is proved,
 * false with an example where it fails, null where neither was found.
 */
export function checkPaths(net) {
  return ["end", "dot below"].map((start) => {
    if (isProved(net, start)) return { start, ok: true, example: null };
    const example = failure(net, start);
    return { start, ok: example ? false : null, example };
  });
}

// ------------------------------------------------------------------------------------------------------------ automata
/** Return the automaton that goes to the dot that its heading prefers, which is the next heading; else straight on. */
function byHeading(preferences) {
  const goes = SIDE.map((heading) =>
    Array.from({ length: 16 }, (_, dots) => preferences(heading).find((d) => (dots >> d) & 1) ?? heading),
  );
  return { next: goes, action: goes, start: 0, names: ["↑", "→", "←", "↓"] };
}

function tMaze() {
  const table = (side) =>
    Array.from({ length: 16 }, (_, dots) => {
      const [up, right, left] = [dots & 1, dots & 2, dots & 4];
      if (up) return [0, side === 0 && right ? 1 : side === 1 && left ? 0 : side];
      return [side === 0 ? 2 : 1, side];
    });
  const tables = [table(0), table(1)];
  return {
    action: tables.map((rows) => rows.map(([action]) => action)),
    next: tables.map((rows) => rows.map(([, node]) => node)),
    start: 0,
    names: ["←", "→"],
  };
}

/** Automata by name: `next` and `action` are tables of nodes and the 16 observations of four bits. */
export const AUTOMATA = {
  wallRight: byHeading((heading) => [RIGHT_OF[heading], heading, LEFT_OF[heading], 3 - heading]),
  wallLeft: byHeading((heading) => [LEFT_OF[heading], heading, RIGHT_OF[heading], 3 - heading]),
  path: byHeading((heading) => [heading, RIGHT_OF[heading], LEFT_OF[heading], 3 - heading]),
  tMaze: tMaze(),
};

/** Return an automaton as a net of threshold units: W, U, b and what each unit does (Minsky 1967, chapter 3). */
export function compileAutomaton({ next, action, start }) {
  const nodes = next.length;
  const units = nodes * 16 + 1;
  const bits = Array.from({ length: 16 }, (_, dots) => SIDE.map((d) => (dots >> d) & 1));
  const nodeAfter = [...next.flat(), start];
  const W = Array.from({ length: units }, (_, unit) =>
    unit < units - 1 ? bits[unit % 16].map((bit) => 4 * bit - 2) : [0, 0, 0, 0],
  );
  const U = Array.from({ length: units }, (_, unit) =>
    nodeAfter.map((node) => (unit < units - 1 && node === Math.floor(unit / 16) ? 2 : 0)),
  );
  const b = Array.from({ length: units }, (_, unit) =>
    unit < units - 1 ? -2 * bits[unit % 16].reduce((sum, bit) => sum + bit, 0) - 1 : -1,
  );
  return { W, U, b, action: action.flat(), h0: nodeAfter.map((_, unit) => unit === units - 1) };
}

/** Return which units fire after an observation. */
export function thresholdStep({ W, U, b }, x, h) {
  const firing = h.flatMap((on, unit) => (on ? [unit] : []));
  return b.map((bias, unit) => {
    let z = bias;
    for (let i = 0; i < 4; i++) z += W[unit][i] * x[i];
    for (const other of firing) z += U[unit][other];
    return z > 0;
  });
}
