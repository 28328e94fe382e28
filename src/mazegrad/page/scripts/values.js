// Values on the board: how they are drawn and written.

import { angleOf } from "./logic.js";
import { shortNumber } from "./view.js";

/** Return a share in at most two digits. */
export const percent = (value) => value.toFixed(2).replace(/\.?0+$/, "");

/** Draw values as heat and the best actions as arrows; return the state that is shown for each cell, the best one. */
export function paintValues(app, board, values, best, numbers) {
  const { world } = app;
  const highest = new Float64Array(board.rows * board.columns).fill(NaN);
  const chosen = new Map();
  for (let s = 0; s < world.states; s++) {
    const cell = world.cell[s];
    if (world.terminal[s] || world.maze.tiles[cell] === "X") continue; // a trap that leads back is never stood on
    if (Number.isNaN(highest[cell]) || values[s] > highest[cell]) {
      highest[cell] = values[s];
      chosen.set(cell, s);
    }
  }
  const known = [...highest].filter((value) => !Number.isNaN(value));
  const [low, high] = [Math.min(...known), Math.max(...known)];
  board.setHeat([...highest].map((value) => (high > low ? (value - low) / (high - low) : value - value)));
  const arrows = [];
  const even = high === low;
  for (const [cell, s] of even ? [] : chosen) {
    for (let a = 0; a < world.actions; a++) if (best[s * world.actions + a]) arrows.push([cell, angleOf(world, s, a)]);
  }
  const written = numbers && board.tile >= 38;
  board.setArrows(arrows, written);
  board.setLabels(
    written
      ? [...chosen]
          .filter(([cell]) => cell !== world.cell[world.starts[0]])
          .map(([cell]) => [cell, shortNumber(Number(highest[cell].toFixed(3)))])
      : [],
  );
  return chosen;
}
