// The board: a maze as SVG, with the agent, its trail, values, arrows and marks.

const SVG = "http://www.w3.org/2000/svg";
const GROUNDS = new Set([..."#~^><v"].map((tile) => tile.charCodeAt(0)));
const PLAIN = new Map([
  [35, "wall"],
  [46, "dot"],
]);
const OWN = 36;

/** Return an SVG element. */
export function svg(name, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

/** Return the number of the symbol of a tile: letters that a map declares share one. */
function symbolOf(code) {
  return document.getElementById(`t${code}`) ? code : OWN;
}

/** Return a colour of the scale of values, 0 for the lowest and 1 for the highest, as CSS. */
export function heatColour(share) {
  const at = Math.min(Math.max(share, 0), 1) * 4;
  const low = Math.min(Math.floor(at), 3);
  const part = Math.round((at - low) * 100);
  return `color-mix(in srgb,var(--m-heat-${low + 1}) ${part}%,var(--m-heat-${low}))`;
}

/** A picture of a maze that is changed piece by piece. */
export class Board {
  constructor(host) {
    this.svg = svg("svg", { class: "maze", "aria-hidden": "true", focusable: "false" });
    const layers = ["ground", "heat", "trail", "tiles", "thin", "arrows", "labels", "senses", "agent", "marks"];
    for (const layer of layers) {
      this[layer] = svg("g", { class: `layer-${layer}` });
      this.svg.append(this[layer]);
    }
    this.disc = svg(
      "g",
      { class: "agent" },
      svg("circle", { r: 0.44, fill: "var(--m-paper)" }),
      svg("circle", { r: 0.37, fill: "var(--m-agent)" }),
    );
    this.nose = svg("path", { d: "M-.14 -.02L0 -.17L.14 -.02M0 -.15L0 .17", class: "nose" });
    this.disc.append(this.nose);
    this.agent.append(this.disc);
    this.rows = this.columns = 0;
    this.codes = [];
    host.append(this.svg);
  }

  /** Show a maze: codes of tiles, row by row, and lines [x0, y0, x1, y1] of thin walls. */
  show(rows, columns, codes, { walls = [], wind = null } = {}) {
    const fresh = rows !== this.rows || columns !== this.columns;
    if (fresh) {
      Object.assign(this, { rows, columns, codes: [] });
      this.svg.setAttribute("viewBox", `-.06 -.06 ${columns + 0.12} ${rows + 0.12}`);
      this.svg.style.setProperty("--ratio", columns / rows);
      this.svg.style.setProperty("--columns", columns);
      this.ground.replaceChildren();
      this.tiles.replaceChildren();
      this.cells = Array.from({ length: rows * columns }, () => [null, null]);
    }
    codes.forEach((code, cell) => this.setTile(cell, code));
    const lines = walls.map(([x0, y0, x1, y1]) => `M${x0} ${y0}L${x1} ${y1}`).join("");
    this.thin.replaceChildren(...(lines ? [svg("path", { d: lines, class: "thin" })] : []));
    this.setWind(wind);
  }

  /** Draw one tile. */
  setTile(cell, code) {
    if (this.codes[cell] === code) return;
    this.codes[cell] = code;
    const [ground, content] = this.cells[cell];
    ground?.remove();
    content?.remove();
    this.cells[cell] = [null, null];
    if (code === 32) return;
    const [x, y] = this.middle(cell);
    const flat = GROUNDS.has(code);
    const element = PLAIN.has(code) ? this.plain(code) : svg("use", { href: `#t${symbolOf(code)}` });
    element.setAttribute("transform", `translate(${x} ${y})`);
    this.cells[cell][flat ? 0 : 1] = element;
    (flat ? this.ground : this.tiles).append(element);
  }

  /** Return a tile that is one path; there are thousands of these, and a path is drawn much faster than a `use`. */
  plain(code) {
    this.paths ??= new Map();
    if (!this.paths.has(code)) {
      const path = document.getElementById(`t${code}`).firstElementChild.cloneNode();
      path.setAttribute("class", PLAIN.get(code));
      this.paths.set(code, path);
    }
    return this.paths.get(code).cloneNode();
  }

  /** Draw the wind: its direction, and how strong it is in each cell; null for none. */
  setWind(wind) {
    this.svg.querySelector(".wind")?.remove();
    if (!wind) return;
    const turned = {
      up: (dx, dy) => [dx, dy],
      right: (dx, dy) => [-dy, dx],
      left: (dx, dy) => [dy, -dx],
      down: (dx, dy) => [-dx, -dy],
    }[wind.direction];
    const lines = [];
    for (let cell = 0; cell < this.codes.length; cell++) {
      if (this.codes[cell] === 35 || this.codes[cell] === 32) continue;
      const [x, y] = this.middle(cell);
      for (let gust = 0; gust < Math.min(wind.strengths[cell], 3); gust++) {
        const top = 0.3 * gust - 0.35;
        const points = [turned(-0.34, top + 0.22), turned(0, top), turned(0.34, top + 0.22)];
        lines.push(`M${points.map(([dx, dy]) => `${x + dx} ${y + dy}`).join("L")}`);
      }
    }
    this.ground.append(svg("path", { class: "wind", d: lines.join("") }));
  }

  middle(cell) {
    return [(cell % this.columns) + 0.5, Math.floor(cell / this.columns) + 0.5];
  }

  /** Place the agent, or hide it with null; `ahead` is an angle in degrees, 0 for up, or null. */
  setAgent(cell, ahead = null, jump = false) {
    this.disc.style.display = cell === null ? "none" : "";
    if (cell === null) return;
    const [x, y] = this.middle(cell);
    this.disc.classList.toggle("jump", jump);
    this.disc.style.transform = `translate(${x}px,${y}px)`;
    this.nose.style.display = ahead === null ? "none" : "";
    if (ahead !== null) this.nose.setAttribute("transform", `rotate(${ahead})`);
  }

  /** Show which of the neighbours up, right, left, down are seen. */
  setSenses(cell, bits) {
    const steps = [
      [0, -1],
      [1, 0],
      [-1, 0],
      [0, 1],
    ];
    const seen = cell === null || !bits ? [] : steps.filter((_, d) => bits[d]);
    const [x, y] = cell === null ? [0, 0] : this.middle(cell);
    this.senses.replaceChildren(
      ...seen.map(([dx, dy]) => svg("circle", { cx: x + dx, cy: y + dy, r: 0.3, class: "sense" })),
    );
  }

  /** Draw the way through cells; a jump leaves a gap. */
  setTrail(cells) {
    const lines = new Set();
    for (let i = 1; i < cells.length; i++) {
      const [x0, y0] = this.middle(cells[i - 1]);
      const [x1, y1] = this.middle(cells[i]);
      if (Math.abs(x0 - x1) + Math.abs(y0 - y1) === 1) {
        lines.add(x0 < x1 || y0 < y1 ? `M${x0} ${y0}L${x1} ${y1}` : `M${x1} ${y1}L${x0} ${y0}`);
      }
    }
    this.trail.replaceChildren(svg("path", { d: [...lines].join(""), class: "trail" }));
  }

  /** Colour cells: an array of shares from 0 to 1 by cell, NaN for none; null removes all. */
  setHeat(shares) {
    this.svg.classList.toggle("heated", Boolean(shares));
    const squares = [];
    shares?.forEach?.((share, cell) => {
      if (Number.isNaN(share)) return;
      squares.push(
        svg("rect", {
          x: cell % this.columns,
          y: Math.floor(cell / this.columns),
          width: 1,
          height: 1,
          style: `fill:${heatColour(share)}`,
        }),
      );
    });
    this.heat.replaceChildren(...squares);
  }

  /** Draw arrows: a list of [cell, angle in degrees, 0 for up]; an angle of null means to stay; high leaves room below. */
  setArrows(list, high = false) {
    this.arrows.replaceChildren(
      ...list.map(([cell, angle]) => {
        const [x, y] = this.middle(cell);
        const d = angle === null ? "M-.12 0H.12" : "M0 -.05L0 -.42M-.14 -.28L0 -.42L.14 -.28";
        return svg(
          "g",
          { transform: `translate(${x} ${high ? y - 0.13 : y}) rotate(${angle ?? 0}) scale(${high ? 0.8 : 1})` },
          svg("path", { d, class: "halo" }),
          svg("path", { d, class: "arrow" }),
        );
      }),
    );
  }

  /** Write short texts: a list of [cell, text]. */
  setLabels(list) {
    this.labels.replaceChildren(
      ...list.map(([cell, text]) => {
        const [x, y] = this.middle(cell);
        const label = svg("text", { x, y: y + 0.43 });
        label.textContent = text;
        return label;
      }),
    );
  }

  /** Frame one cell, for the keyboard and for what is wrong; null removes the frame. */
  setMark(cell, kind = "cursor") {
    if (cell === null) return this.marks.replaceChildren();
    const x = (cell % this.columns) + 0.04;
    const y = Math.floor(cell / this.columns) + 0.04;
    this.marks.replaceChildren(svg("rect", { x, y, width: 0.92, height: 0.92, rx: 0.12, class: `mark ${kind}` }));
  }

  /** The side of a tile on the screen, in px. */
  get tile() {
    return this.svg.getBoundingClientRect().width / (this.columns + 0.12);
  }

  /** Return the cell under a point of the screen, or null. */
  cellAt(clientX, clientY) {
    const matrix = this.svg.getScreenCTM();
    if (!matrix) return null;
    const point = new DOMPoint(clientX, clientY).matrixTransform(matrix.inverse());
    const [column, row] = [Math.floor(point.x), Math.floor(point.y)];
    return column >= 0 && row >= 0 && column < this.columns && row < this.rows ? row * this.columns + column : null;
  }
}

/** Return the lines of a map's thin walls, from the digits of its setting `walls`. */
export function thinWalls(digits, rows, columns) {
  if (!digits) return [];
  const marks = [...digits.replace(/\D/g, "")].map(Number);
  const lines = [
    [0, 0, columns, 0],
    [columns, 0, columns, rows],
    [0, rows, columns, rows],
    [0, 0, 0, rows],
  ];
  marks.forEach((mark, cell) => {
    const [x, y] = [cell % columns, Math.floor(cell / columns)];
    if (mark & 1) lines.push([x + 1, y, x + 1, y + 1]);
    if (mark & 2) lines.push([x, y + 1, x + 1, y + 1]);
  });
  return lines;
}

// ------------------------------------------------------------------------------------------------------------ diagrams

/** Draw eigenvalues [{re, im}] in the complex plane, with the unit circle. */
export function eigenPlot(values) {
  const reach = Math.max(1.5, ...values.map((z) => Math.hypot(z.re, z.im) * 1.15));
  const unit = 90 / reach;
  const plot = svg(
    "svg",
    { viewBox: "-100 -100 200 200", class: "plot eigen", "aria-hidden": "true" },
    svg("path", { d: "M-96 0H96M0 -96V96", class: "axis" }),
    svg("circle", { r: unit, class: "unit" }),
  );
  for (const [x, text] of [
    [unit, "1"],
    [-unit, "−1"],
  ]) {
    const label = svg("text", { x: x + (x > 0 ? 5 : -5), y: 17, "text-anchor": x > 0 ? "start" : "end" });
    label.textContent = text;
    plot.append(label);
  }
  const groups = new Map();
  for (const z of values) {
    const key = `${z.re.toFixed(3)} ${z.im.toFixed(3)}`;
    groups.set(key, { z, count: (groups.get(key)?.count ?? 0) + 1 });
  }
  for (const { z, count } of groups.values()) {
    const [x, y] = [z.re * unit, -z.im * unit];
    plot.append(svg("circle", { cx: x, cy: y, r: 7, class: "eigenvalue" }));
    if (count > 1) {
      const label = svg("text", { x, y: y - 11, "text-anchor": "middle", class: "count" });
      label.textContent = `${count}×`;
      plot.append(label);
    }
  }
  return plot;
}

/** Draw a curve of numbers, with words at the end of its axis; `places` are where they lie along it, if not 0, 1, 2, ... */
export function curvePlot(numbers, words, places = numbers.map((_, i) => i)) {
  const [width, height, left, bottom] = [320, 150, 44, 24];
  const plot = svg("svg", { viewBox: `0 0 ${width} ${height}`, class: "plot curve", "aria-hidden": "true" });
  const high = Math.max(1e-9, ...numbers);
  const low = Math.min(0, ...numbers);
  const x = (i) => left + ((width - left - 8) * (places[i] - places[0])) / Math.max(places.at(-1) - places[0], 1);
  const y = (value) => height - bottom - ((height - bottom - 12) * (value - low)) / (high - low);
  plot.append(svg("path", { d: `M${left} 8V${height - bottom}H${width - 6}`, class: "axis" }));
  const every = Math.max(1, Math.ceil(numbers.length / 600));
  const points = [];
  for (let i = 0; i < numbers.length; i += every) points.push(`${x(i).toFixed(1)} ${y(numbers[i]).toFixed(1)}`);
  if (points.length > 1) plot.append(svg("path", { d: `M${points.join("L")}`, class: "line" }));
  const texts = [
    [left - 6, y(high) + 4, "end", high > 1e-8 ? shortNumber(high) : ""],
    [left - 6, y(0) + 4, "end", "0"],
    [width - 6, height - 6, "end", words],
  ];
  for (const [tx, ty, anchor, text] of texts) {
    const label = svg("text", { x: tx, y: ty, "text-anchor": anchor });
    label.textContent = text;
    plot.append(label);
  }
  return plot;
}

/** Draw the nodes of an automaton on a circle, its edges, and the node and edge that are taken. */
export function graphPlot(next, node, after, names) {
  const count = next.length;
  const radius = count === 1 ? 0 : 66;
  const size = Math.max(4, Math.min(17, 190 / count));
  const place = (i) => {
    const angle = (2 * Math.PI * i) / count - Math.PI / 2;
    return [radius * Math.cos(angle), radius * Math.sin(angle)];
  };
  const plot = svg("svg", { viewBox: "-110 -100 220 200", class: "plot graph", "aria-hidden": "true" });
  const edge = (from, to, kind) => {
    const [[x0, y0], [x1, y1]] = [place(from), place(to)];
    if (from === to) {
      const [ox, oy] = [x0 * 1.36 || 0, y0 * 1.36 || -26];
      return svg("circle", { cx: ox, cy: oy, r: size * 0.7, class: kind });
    }
    const length = Math.hypot(x1 - x0, y1 - y0);
    const [bx, by] = [(x0 + x1) / 2 - ((y1 - y0) / length) * 9, (y0 + y1) / 2 + ((x1 - x0) / length) * 9];
    return svg("path", { d: `M${x0} ${y0}Q${bx} ${by} ${x1} ${y1}`, class: kind });
  };
  next.forEach((row, from) => {
    for (const to of new Set(row)) plot.append(edge(from, to, "edge"));
  });
  if (after !== null) plot.append(edge(node, after, "edge taken"));
  for (let i = 0; i < count; i++) {
    const [cx, cy] = place(i);
    plot.append(
      svg("circle", { cx, cy, r: size, class: `node${i === node ? " here" : ""}${i === after ? " next" : ""}` }),
    );
    if (size > 8) {
      const label = svg("text", { x: cx, y: cy + 4, "text-anchor": "middle", class: i === node ? "here" : "" });
      label.textContent = names?.[i] ?? i;
      plot.append(label);
    }
  }
  return plot;
}

/** Return a number in at most three digits, with a typographic minus sign. */
export function shortNumber(value) {
  if (!Number.isFinite(value)) return value > 0 ? "∞" : Number.isNaN(value) ? "?" : "−∞";
  if (value === 0) return "0";
  const size = Math.abs(value);
  let text =
    size >= 1e5 || size < 1e-3 ? value.toExponential(1).replace("e+", "e") : String(Number(value.toPrecision(3)));
  return text.replace(/-/g, "−");
}
