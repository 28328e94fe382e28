// What tests ask of the page from inside it.

const parsed = (colour) => {
  const canvas = (parsed.canvas ??= document.createElement("canvas").getContext("2d", { willReadFrequently: true }));
  canvas.clearRect(0, 0, 1, 1);
  canvas.fillStyle = "#000";
  canvas.fillStyle = colour;
  canvas.fillRect(0, 0, 1, 1);
  return [...canvas.getImageData(0, 0, 1, 1).data];
};

// relative luminance (WCAG 2.2)
const luminance = ([r, g, b]) =>
  [r, g, b]
    .map((c) => c / 255)
    .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);

function ground(element) {
  for (let at = element; at; at = at.parentElement) {
    const colour = parsed(getComputedStyle(at).backgroundColor);
    if (colour[3] === 255) return colour;
  }
  return [255, 255, 255, 255];
}

/** Texts whose contrast with their ground is below 4.5. */
function faint() {
  const bad = [];
  for (const e of document.body.querySelectorAll("*")) {
    const own =
      [...e.childNodes].some((node) => node.nodeType === 3 && node.data.trim()) ||
      ["INPUT", "TEXTAREA", "SELECT"].includes(e.tagName);
    if (!own || e.closest(".vh, script, style, noscript, :disabled") || !e.checkVisibility() || e.closest("svg.maze"))
      continue;
    const style = getComputedStyle(e);
    const text = parsed(e.closest("svg") ? style.fill : style.color);
    const here = e.matches(".plot text.here")
      ? parsed(getComputedStyle(e.closest("svg").querySelector(".node.here")).fill)
      : ground(e);
    const [low, high] = [luminance(text), luminance(here)].sort((a, b) => a - b);
    const ratio = (high + 0.05) / (low + 0.05);
    if (ratio < 4.5)
      bad.push([
        e.tagName,
        String(e.className.baseVal ?? e.className),
        e.textContent.slice(0, 30),
        Math.round(ratio * 100) / 100,
      ]);
  }
  return bad;
}

/** Pairs of controls that lie over each other. */
function overlapping() {
  const controls = [...document.querySelectorAll("button, select, textarea, input:not([type=radio]), summary")]
    .filter((e) => e.checkVisibility() && !e.closest(".vh"))
    .map((e) => [e, e.getBoundingClientRect()])
    .filter(([, box]) => box.width > 2);
  const bad = [];
  controls.forEach(([a, r], i) =>
    controls.slice(i + 1).forEach(([b, s]) => {
      const wide = Math.min(r.right, s.right) - Math.max(r.left, s.left);
      const high = Math.min(r.bottom, s.bottom) - Math.max(r.top, s.top);
      if (wide > 1.5 && high > 1.5) bad.push([a.id || a.textContent, b.id || b.textContent]);
    }),
  );
  return bad;
}

/** Controls that are too small for a finger: below 24 px (WCAG 2.2, 2.5.8). */
function small() {
  return [...document.querySelectorAll("button, select, [role=tab], .palette label")]
    .filter((e) => e.checkVisibility())
    .map((e) => [e.id || e.textContent || e.title, e.getBoundingClientRect()])
    .filter(([, box]) => box.width < 24 || box.height < 24)
    .map(([name]) => name);
}

/** The middle of a cell on the screen. */
function middle([row, column]) {
  const point = new DOMPoint(column + 0.5, row + 0.5).matrixTransform(
    document.querySelector("svg.maze").getScreenCTM(),
  );
  return [point.x, point.y];
}

/** What has the focus, and whether that can be seen; null for nothing. */
function focused() {
  const e = document.activeElement;
  if (e === document.body) return null;
  const style = getComputedStyle(e.matches(".palette input") ? e.nextElementSibling : e);
  return [
    e.id || e.dataset.weight || e.dataset.chip || e.textContent || e.getAttribute("aria-label"),
    style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2,
  ];
}

// --------------------------------------------------------------------------------------------------------------- logic
function packed(array) {
  const bytes = new Uint8Array(array.buffer);
  let text = "";
  for (let i = 0; i < bytes.length; i += 32768) text += String.fromCharCode(...bytes.subarray(i, i + 32768));
  return btoa(text);
}

/** The tables of maps, or their errors. */
function compiled([texts, names]) {
  return texts.map((text) => {
    try {
      const world = $compile.compile($maze.readMaze(text));
      const tables = { states: world.states, moves: world.moves, starts: world.starts, noise: world.noise };
      for (const name of names) tables[name] = packed(world[name]);
      return { tables };
    } catch (error) {
      return error.name === "MazeError" ? { error: [error.message, error.line, error.column] } : { crash: error.stack };
    }
  });
}

/** The states of a random walk: chances from episode 0 of a seed, actions from episode 1. */
function walked([text, seed, steps]) {
  const world = $compile.compile($maze.readMaze(text));
  const [chances, drawn] = [new $rules.Chances(seed, 0), new $rules.Chances(seed, 1)];
  const states = new Int32Array(steps);
  let state = world.starts[0];
  for (let t = 0; t < steps; t++) {
    const action = Math.floor(drawn.step(t) * world.actions);
    const now = $rules.step(world, state, action, chances.step(t));
    state = now.end ? world.starts[0] : now.state;
    states[t] = state;
  }
  return packed(states);
}

/** Values V* of a map. */
function solved([text, discount]) {
  return [...new $planning.Model($compile.compile($maze.readMaze(text)), discount).solve()];
}

/** What Q-learning knows early, its regret then and later, and the returns. */
function learned(text) {
  const learner = new $learning.QLearning($compile.compile($maze.readMaze(text)), {
    rate: 0.5,
    epsilon: 0.1,
    discount: 0.95,
    seed: 3,
  });
  while (learner.returns.length < 12) learner.step();
  const [q, early] = [[...learner.q], learner.regret()];
  while (learner.returns.length < 400) learner.step();
  return [q, [early, learner.regret()], learner.returns];
}

/** The units of a compiled automaton that fire, step by step. */
function fired(name) {
  const net = $minds.compileAutomaton($minds.AUTOMATA[name]);
  let h = net.h0;
  return Array.from({ length: 64 }, (_, i) => {
    h = $minds.thresholdStep(
      net,
      [0, 1, 2, 3].map((d) => ((i * 7) >> d) & 1),
      h,
    );
    return h.flatMap((on, unit) => (on ? [unit] : []));
  });
}

/** The message of the error that reading a recorded run ends with. */
function refusal(text) {
  try {
    $replay.readReplay(text, {});
    return "";
  } catch (error) {
    return error.message;
  }
}
