// Exact fractions, so that probabilities are the same floating-point numbers as in Python.

const LIMIT = 1000000n;

function gcd(a, b) {
  while (b) [a, b] = [b, a % b];
  return a < 0n ? -a : a;
}

/** Return the fraction n / d in lowest terms, as [n, d]. */
export function fraction(n, d = 1n) {
  const divisor = gcd(n, d) || 1n;
  return d < 0n ? [-n / divisor, -d / divisor] : [n / divisor, d / divisor];
}

/** Return the sum of two fractions. */
export function plus([a, b], [c, d]) {
  return fraction(a * d + c * b, b * d);
}

/** Return the product of two fractions. */
export function times([a, b], [c, d]) {
  return fraction(a * c, b * d);
}

/** Return the nearest floating-point number. */
export function toNumber([n, d]) {
  const bits = Math.max(n.toString(2).length, d.toString(2).length);
  if (bits <= 53) return Number(n) / Number(d);
  const scaled = (n << 1074n) / d;
  return (
    Number(scaled.toString(2).length > 1100 ? scaled : (n << 200n) / d) /
    (scaled.toString(2).length > 1100 ? 2 ** 1074 : 2 ** 200)
  );
}

/** Return a floating-point number as the fraction that it is. */
function exact(number) {
  let d = 1n;
  while (!Number.isInteger(number)) {
    number *= 2;
    d *= 2n;
  }
  return fraction(BigInt(number), d);
}

/** Return the simplest fraction that rounds to a number, for denominators up to a million; else its exact value. */
export function simpleFraction(number) {
  const whole = exact(number);
  let [n, d] = whole;
  let [p0, q0, p1, q1] = [0n, 1n, 1n, 0n];
  if (d <= LIMIT) return whole;
  for (;;) {
    const a = n / d;
    const q2 = q0 + a * q1;
    if (q2 > LIMIT) break;
    [p0, q0, p1, q1] = [p1, q1, p0 + a * p1, q2];
    [n, d] = [d, n - a * d];
    if (d === 0n) break;
  }
  const k = (LIMIT - q0) / q1;
  const one = fraction(p0 + k * p1, q0 + k * q1);
  const other = fraction(p1, q1);
  const off = ([x, y]) => {
    const [u, v] = fraction(x * whole[1] - whole[0] * y, y * whole[1]);
    return [u < 0n ? -u : u, v];
  };
  const [a, b] = [off(other), off(one)];
  const simple = a[0] * b[1] <= b[0] * a[1] ? other : one;
  return toNumber(simple) === number ? simple : whole;
}
