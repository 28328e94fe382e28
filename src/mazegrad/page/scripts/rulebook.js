// Automata in words, a line for each rule: `node: sees -> go` or `node: sees -> go, next node`.

const WORDS = {
  up: 0,
  right: 1,
  left: 2,
  down: 3,
  oben: 0,
  rechts: 1,
  links: 2,
  unten: 3,
  "↑": 0,
  "→": 1,
  "←": 2,
  "↓": 3,
};
const NO = ["no", "kein"];
const ONLY = ["only", "nur"];
const ANYTHING = ["anything", "alles"];
const MAX_NODES = 60;

/** What cannot be read of a rule, and where. */
export class RuleError extends Error {
  constructor(key, values, line = 0) {
    super(key);
    Object.assign(this, { key, values, line });
  }
}

/** Return the lower and upper limits of the four bits that a pattern matches. */
function pattern(sees, line) {
  const words = sees
    .replace(/[↑→←↓]/g, " $& ")
    .split(/\s+/)
    .filter(Boolean);
  const only = ONLY.includes(words[0]);
  const least = [0, 0, 0, 0];
  const most = [1, 1, 1, 1].map((bit) => bit - Number(only));
  if (words.length === 1 && ANYTHING.includes(words[0])) return { least, most };
  let absent = false;
  for (const word of only ? words.slice(1) : words) {
    if (Object.hasOwn(WORDS, word)) least[WORDS[word]] = most[WORDS[word]] = Number(!absent);
    else if (!NO.includes(word) || absent) throw new RuleError("ruleWord", { word }, line);
    absent = NO.includes(word);
  }
  if (absent || !words.length) throw new RuleError("ruleEmpty", {}, line);
  return { least, most };
}

/**
 * Read an automaton: rules in words, of which in each node the first that matches applies, or the JSON of `to_dict`.
 *
 * Returns {next, action, start, names}, tables of nodes and the 16 observations of four bits.
 */
export function readRules(text) {
  if (text.trim().startsWith("{")) return readTables(text);
  const rules = [];
  text.split("\n").forEach((line, i) => {
    if (!line.trim() || line.trim().startsWith(";")) return;
    const parts = /^\s*([^:]+?)\s*:\s*(.*?)\s*->\s*([^,\s]+)\s*(?:,\s*(.+?)\s*)?$/.exec(line);
    if (!parts) throw new RuleError("ruleShape", {}, i + 1);
    const [, node, sees, go, next = node] = parts;
    if (!Object.hasOwn(WORDS, go)) throw new RuleError("ruleWord", { word: go }, i + 1);
    rules.push({ node, ...pattern(sees, i + 1), go: WORDS[go], next, line: i + 1 });
  });
  const names = [...new Set(rules.map(({ node }) => node))];
  if (!names.length) throw new RuleError("ruleShape", {}, 1);
  if (names.length > MAX_NODES) throw new RuleError("ruleMany", { n: MAX_NODES });
  for (const { next, line } of rules) if (!names.includes(next)) throw new RuleError("ruleNode", { node: next }, line);
  const chosen = names.map((name) =>
    Array.from({ length: 16 }, (_, dots) => {
      const bits = [0, 1, 2, 3].map((d) => (dots >> d) & 1);
      const rule = rules.find(
        ({ node, least, most }) => node === name && bits.every((bit, d) => least[d] <= bit && bit <= most[d]),
      );
      if (!rule)
        throw new RuleError("ruleMissing", {
          node: name,
          sees: [..."↑→←↓"].filter((_, d) => bits[d]).join(" ") || "–",
        });
      return rule;
    }),
  );
  return {
    next: chosen.map((row) => row.map(({ next }) => names.indexOf(next))),
    action: chosen.map((row) => row.map(({ go }) => go)),
    start: 0,
    names,
  };
}

/** Read the JSON that `Automaton.to_dict` gives. */
function readTables(text) {
  let given;
  try {
    given = JSON.parse(text);
  } catch {
    throw new RuleError("ruleTables", {});
  }
  const { next_node: next, action, start } = given ?? {};
  const fits = (table, limit) =>
    Array.isArray(table) &&
    table.length > 0 &&
    table.length <= MAX_NODES &&
    table.every(
      (row) =>
        Array.isArray(row) &&
        row.length === 16 &&
        row.every((entry) => Number.isInteger(entry) && entry >= 0 && entry < limit),
    );
  const starts = Number.isInteger(start) && start >= 0 && start < next?.length;
  if (!fits(next, next?.length) || !fits(action, 4) || action.length !== next.length || !starts)
    throw new RuleError("ruleTables", {});
  return { next, action, start, names: next.map((_, node) => String(node)) };
}
