// STAND-IN until the logic modules land.
export const ARROWS = ["↑", "→", "←", "↓"];
const STEPS = [[-1, 0], [0, 1], [0, -1], [1, 0]];

export function readMaze(text) {
  const lines = text.replace(/\n$/, "").split("\n").filter((line) => !line.startsWith(";"));
  const settings = [];
  while (lines.length && /^[a-z]\w*:/.test(lines[0])) settings.push(lines.shift());
  const metadata = Object.fromEntries(settings.map((line) => [line.split(":")[0], line.slice(line.indexOf(":") + 1).trim()]));
  const size = /(\d+) x (\d+)/.exec(metadata.size ?? "");
  const rows = size ? +size[1] : lines.length;
  const columns = size ? +size[2] : Math.max(...lines.map((line) => line.length), 1);
  const tiles = Array.from({ length: rows }, (_, i) => (lines[i] ?? "").padEnd(columns, " ")).join("");
  return { rows, columns, tiles, settings, metadata, text };
}

export function compileMaze(maze) {
  const cells = [];
  const number = new Map();
  [...maze.tiles].forEach((tile, cell) => { if (!"# ".includes(tile)) { number.set(cell, cells.length); cells.push(cell); } });
  const starts = cells.map((cell, s) => s).filter((s) => maze.tiles[cells[s]] === "S");
  const world = { maze, states: cells.length, actions: 4, names: ["up", "right", "left", "down"], angles: [0, 90, 270, 180], cell: cells,
    next: [], reward: [], terminal: cells.map((c) => "GX".includes(maze.tiles[c])), dots: [], starts: starts.length ? starts : cells.map((_, s) => s) };
  cells.forEach((cell, s) => STEPS.forEach(([dr, dc]) => {
    const [r, c] = [Math.floor(cell / maze.columns) + dr, (cell % maze.columns) + dc];
    const to = r >= 0 && c >= 0 && r < maze.rows && c < maze.columns ? number.get(r * maze.columns + c) : undefined;
    world.dots.push(to === undefined ? 0 : 1);
    const n = world.terminal[s] ? s : to ?? s;
    world.next.push(n);
    world.reward.push(n !== s && maze.tiles[cells[n]] === "G" ? 1 : 0);
  }));
  return world;
}
export const questions = () => [];
export const bitsOf = (world, s) => Array.from(world.dots.slice(s * world.actions, (s + 1) * world.actions));
export const headingOf = () => null;
export const tilesNow = () => null;
export const carriedOf = () => [];
export const isGoal = (world, s) => world.maze.tiles[world.cell[s]] === "G";
export function makeRng(seed) { let x = seed; return { next: () => (x = (x * 16807 + 11) % 2147483647) / 2147483647 }; }
export const startOf = (world, rng) => world.starts[Math.floor(rng.next() * world.starts.length)];
export function stepOf(world, s, a) { const i = s * world.actions + a; return { state: world.next[i], reward: world.reward[i], end: !!world.terminal[world.next[i]] }; }
export const multiply = (M, x) => M.map((row) => row.reduce((sum, m, i) => sum + m * x[i], 0));
export const argmax = (h) => h.indexOf(Math.max(...h));

/** Eigenvalues by the characteristic polynomial (Faddeev and LeVerrier) and Durand and Kerner's iteration. */
export function eigenvalues(U) {
  const n = U.length;
  const c = [1];
  let M = U.map((row) => row.map(() => 0));
  for (let k = 1; k <= n; k++) {
    M = U.map((_, i) => U.map((__, j) => U[i].reduce((sum, u, l) => sum + u * M[l][j], 0) + (i === j ? c[k - 1] : 0)));
    c.push(-U.reduce((sum, row, i) => sum + row.reduce((part, u, l) => part + u * M[l][i], 0), 0) / k);
  }
  const mul = ([a, b], [d, e]) => [a * d - b * e, a * e + b * d];
  const div = ([a, b], [d, e]) => { const q = d * d + e * e || 1e-300; return [(a * d + b * e) / q, (b * d - a * e) / q]; };
  const scale = 1 + Math.max(...c.map(Math.abs));
  let z = Array.from({ length: n }, (_, i) => [scale * Math.cos(2.4 * i + 0.4) * 0.5, scale * Math.sin(2.4 * i + 0.4) * 0.5]);
  for (let turn = 0; turn < 400; turn++) z = z.map((x, i) => {
    const p = c.reduce((sum, a) => { const m = mul(sum, x); return [m[0] + a, m[1]]; }, [0, 0]);
    const d = z.reduce((product, y, j) => (i === j ? product : mul(product, [x[0] - y[0], x[1] - y[1]])), [1, 0]);
    const q = div(p, d);
    return [x[0] - q[0], x[1] - q[1]];
  });
  const near = (v) => { const r = Math.round(v * 4) / 4; return Math.abs(v - r) < 2e-4 ? r : v; };
  return z.map(([re, im]) => ({ re: near(re), im: near(im) })).sort((x, y) => y.re - x.re || y.im - x.im);
}
function act({ W, U, b }, x, h) { const next = [0, 1, 2, 3].map((i) => { let v = b[i]; for (let j = 0; j < 4; j++) v += W[i][j] * x[j] + U[i][j] * h[j]; return v; }); return [argmax(next), next]; }
const seen = (came, move) => [0, 1, 2, 3].map((d) => Number(d === came || d === move));
function proved(net, start) {
  let open = [[start === "end" ? -1 : 3, -1, net.h0]];
  const visited = new Set();
  while (open.length) {
    const fresh = [];
    for (const [came, before, h] of open) for (let m = 0; m < 4; m++) {
      if (m === came || m === before) continue;
      const [went, next] = act(net, seen(came, m), h);
      if (went !== m || visited.size > 20000) return false;
      const key = `${3 - m} ${came} ${next.map((v) => v + 0)}`;
      if (!visited.has(key)) { visited.add(key); fresh.push([3 - m, came, next]); }
    }
    open = fresh;
  }
  return true;
}
const STRIDE = 4096;
const OFFSETS = [-STRIDE, 1, -1, STRIDE];
function fails(net, start) {
  let paths = [{ cells: start === "end" ? [0] : [OFFSETS[3], 0], moves: [], h: net.h0, lead: 0 }];
  for (let length = 1; length <= 400; length++) {
    const longer = [];
    for (const path of paths) {
      const last = path.cells.at(-1);
      const came = path.moves.length ? 3 - path.moves.at(-1) : start === "end" ? -1 : 3;
      const taken = new Set(path.cells.slice(0, -1));
      for (let m = 0; m < 4; m++) {
        const ahead = last + OFFSETS[m];
        if (taken.has(ahead) || OFFSETS.some((o) => taken.has(ahead + o))) continue;
        const [went, h] = act(net, seen(came, m), path.h);
        const moves = [...path.moves, m];
        if (went !== m) return { ...drawn(moves, start), moves, went, start };
        longer.push({ cells: [...path.cells, ahead], moves, h, lead: h[m] - Math.max(...h.filter((_, i) => i !== m)) });
      }
    }
    paths = longer.length > 512 ? longer.sort((a, b) => a.lead - b.lead).slice(0, 512) : longer;
  }
  return null;
}
function drawn(moves, start) {
  const cells = [[0, 0]];
  for (const m of moves) cells.push([cells.at(-1)[0] + STEPS[m][0], cells.at(-1)[1] + STEPS[m][1]]);
  const all = start === "end" ? cells : [...cells, [1, 0]];
  const [top, left] = [0, 1].map((k) => Math.min(...all.map((c) => c[k])));
  const [high, wide] = [0, 1].map((k) => Math.max(...all.map((c) => c[k])) - (k ? left : top) + 1);
  const rows = Array.from({ length: high }, () => Array(wide).fill(" "));
  for (const [r, c] of all) rows[r - top][c - left] = ".";
  const [er, ec] = cells.at(-1);
  rows[er - top][ec - left] = "G";
  rows[-top][-left] = "S";
  return { text: `size: ${high} x ${wide}\n${rows.map((row) => row.join("")).join("\n")}\n` };
}
export function checkPaths(net) {
  return ["end", "dot below"].map((start) => {
    if (proved(net, start)) return { start, ok: true };
    const example = fails(net, start);
    return { start, ok: example ? false : null, example };
  });
}
export class Sweeps {
  constructor(world, discount) { Object.assign(this, { world, discount, values: new Float64Array(world.states), count: 0, change: null }); }
  q(s, a) { const i = s * 4 + a; return this.world.reward[i] + (this.world.terminal[this.world.next[i]] ? 0 : this.discount * this.values[this.world.next[i]]); }
  sweep() { const v = this.values.map((_, s) => this.world.terminal[s] ? 0 : Math.max(...[0, 1, 2, 3].map((a) => this.q(s, a)))); this.change = Math.max(...v.map((x, s) => Math.abs(x - this.values[s]))); this.values = v; this.count++; return this.change; }
}
export function bestActions(world, values, discount) { const v = Object.assign(new Sweeps(world, discount), { values }); const out = []; for (let s = 0; s < world.states; s++) { const q = [0, 1, 2, 3].map((a) => v.q(s, a)); const m = Math.max(...q); out.push(...q.map((x) => x >= m - 1e-9)); } return out; }
export class Learner {
  constructor(world, settings) { Object.assign(this, { world, settings, q: new Float64Array(world.states * 4), returns: [], regret: [] }); this.rng = makeRng(5); this.state = startOf(world, this.rng); this.n = 0; this.total = 0; }
  step() { const a = this.rng.next() < .1 ? Math.floor(this.rng.next() * 4) : argmax([...this.q.slice(this.state * 4, this.state * 4 + 4)]); const r = stepOf(this.world, this.state, a); const i = this.state * 4 + a;
    this.q[i] += .5 * (r.reward + (r.end ? 0 : .95 * Math.max(...this.q.slice(r.state * 4, r.state * 4 + 4))) - this.q[i]); this.state = r.state; this.n++; this.total += r.reward;
    if (r.end || this.n > 500) { this.returns.push(this.total); this.regret.push((this.regret.at(-1) ?? 0) + 1 - this.total); this.total = this.n = 0; this.state = startOf(this.world, this.rng); return true; } return false; }
}
export const RULES = { wallRight: { next: Array.from({ length: 4 }, () => Array.from({ length: 16 }, (_, o) => o % 4)), action: Array.from({ length: 4 }, (_, n) => Array.from({ length: 16 }, (_, o) => [0, 1, 2, 3].find((d) => o >> d & 1) ?? 0)), start: 0, names: ["↑", "→", "←", "↓"] } };
export const compileRule = () => null;
export function readReplay() { throw new Error("not yet"); }
