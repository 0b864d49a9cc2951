// Where two transcripts differ, and the table of all of them.

/** The places where two plain values differ: [path, Node's, ours]. */
export function differences(reference, ours, path = "") {
  if (Object.is(reference, ours)) return [];
  if (!isTree(reference) || !isTree(ours) || Array.isArray(reference) !== Array.isArray(ours)) return [[path, reference, ours]];
  const keys = new Set([...Object.keys(reference), ...Object.keys(ours)]);
  const found = [...keys].flatMap(key => {
    const at = Array.isArray(reference) ? `${path}[${key}]` : path ? `${path}.${key}` : key;
    return differences(reference[key], ours[key], at);
  });
  // The same members in another order are another text on the wire.
  if (found.length === 0 && Object.keys(reference).join() !== Object.keys(ours).join())
    return [[path, Object.keys(reference), Object.keys(ours)]];
  return found;
}

const isTree = value => typeof value === "object" && value !== null;
const short = value => {
  const text = JSON.stringify(value) ?? "nothing";
  return text.length > 300 ? text.slice(0, 300) + "…" : text;
};

/** Differences for people: the first ones. */
export function told(found) {
  const most = 6;
  const lines = found.slice(0, most).map(([path, reference, ours]) =>
    `    ${path || "the whole"}\n      Node:     ${short(reference)}\n      Wirehall: ${short(ours)}`);
  if (found.length > most) lines.push(`    … and ${found.length - most} more`);
  return lines.join("\n");
}

/** Rows {group, transport, parser, outcome} as a table. */
export function table(results) {
  const rows = new Map();
  for (const { group, transport, parser, outcome } of results) {
    const key = [group, transport, parser].join(" × ");
    const row = rows.get(key) ?? { behaviours: 0, equal: 0, deliberate: 0, defect: 0, different: 0, waiting: 0 };
    ++row.behaviours;
    ++row[outcome];
    rows.set(key, row);
  }
  const columns = ["behaviours", "equal", "deliberate", "defect", "different", "waiting"];
  const total = Object.fromEntries(columns.map(column => [column, [...rows.values()].reduce((sum, row) => sum + row[column], 0)]));
  const all = [...rows, ["all", total]];
  const width = Math.max(...all.map(([key]) => key.length));
  const line = (key, cells) => `| ${key.padEnd(width)} | ${cells.map((cell, i) => String(cell).padStart(columns[i].length)).join(" | ")} |`;
  return [
    line("group × transport × parser", columns),
    `| ${"-".repeat(width)} | ${columns.map(column => "-".repeat(column.length)).join(" | ")} |`,
    ...all.map(([key, row]) => line(key, columns.map(column => row[column]))),
  ].join("\n");
}
