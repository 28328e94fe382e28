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
export function eigenvalues(U) { return [0, 1, 2, 3].map((i) => ({ re: U[i][i], im: 0 })); }
export function checkPaths(net) { return [{ start: "end", ok: false, proved: true, example: { text: "S..\n  .\n  .\n", moves: [1, 1, 3, 3], went: 2, step: 3 } }, { start: "dot below", ok: true, proved: true }]; }
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
