// Chance and steps: whatever is random is a hash of (key, episode, counter), as in Python, so that recorded runs can be
// followed; a step is three look-ups.

const MASK = (1n << 64n) - 1n;
const GAMMA = 0x9e3779b97f4a7c15n;
const LEFT_OF = [2, 0, 3, 1];
const START = 1n;
const STEPS = 2n;

function mix(x) {
  x = ((x ^ (x >> 30n)) * 0xbf58476d1ce4e5b9n) & MASK;
  x = ((x ^ (x >> 27n)) * 0x94d049bb133111ebn) & MASK;
  return x ^ (x >> 31n);
}

/** The chances of one episode of an environment that was seeded. */
export class Chances {
  constructor(seed, episode = 0) {
    const key = mix((BigInt(seed) + GAMMA) & MASK);
    this.stream = mix((key + BigInt(episode) * GAMMA) & MASK);
  }

  bits(counter) {
    return mix((this.stream + (counter + 1n) * GAMMA) & MASK);
  }

  /** Return one of n things for the start. */
  start(n) {
    return Number(((this.bits(START) >> 32n) * BigInt(n)) >> 32n);
  }

  /** Return a uniform number in [0, 1) for step t, from 0. */
  step(t) {
    return Number(this.bits(STEPS + BigInt(t)) >> 11n) / 2 ** 53;
  }
}

/** Return the move that is executed for an action, u being uniform in [0, 1). */
export function executed(world, state, action, u) {
  if (world.noise) {
    const { executed: moves, below } = world.noise[world.kind[state]][action];
    let number = 0;
    while (number < below.length && u < below[number]) number += 1;
    return moves[number];
  }
  const slip = world.slip[state];
  if (!slip || world.actions !== 4 || u >= slip) return action;
  return u < slip / 2 ? 3 - LEFT_OF[action] : LEFT_OF[action];
}

/** Return what a step leads to: {state, reward, end}. */
export function step(world, state, action, u) {
  const at = state * world.moves + executed(world, state, action, u);
  return { state: world.next[at], reward: world.reward[at], end: world.terminal[world.next[at]] === 1 };
}

/** Return what can happen after an action: a list of [probability, next state, reward]. */
export function outcomes(world, state, action) {
  const lead = (probability, move) => [
    probability,
    world.next[state * world.moves + move],
    world.reward[state * world.moves + move],
  ];
  if (world.noise) {
    const { executed: moves, probability } = world.noise[world.kind[state]][action];
    return moves.map((move, i) => lead(probability[i], move));
  }
  const slip = world.slip[state];
  if (!slip || world.actions !== 4) return [lead(1, action)];
  return [lead(slip / 2, 3 - LEFT_OF[action]), lead(1 - slip, action), lead(slip / 2, LEFT_OF[action])];
}
