"""The results file: JSON with a line for each result, and no more digits than were measured."""
import json

DIGITS = 6
# What a load was told to do is in the tree; what is left is what came out.
LEFT_OUT = {"url", "mode", "protocol", "transport", "hall", "busy", "interrupted", "figures", "warnings", "failed",
            "open_loop", "in_flight", "first_error", "first_failure"}
QUANTILES = {"p50", "p90", "p99", "p99_9", "max"}


def rounded(value):
    if isinstance(value, float):
        return float(f"{value:.{DIGITS}g}")
    if isinstance(value, dict):
        return {name: rounded(part) for name, part in value.items()}
    if isinstance(value, list):
        return [rounded(part) for part in value]
    return value


def kept(result):
    """A result without what is the same in all of them."""
    out = {}
    for name, value in result.items():
        if name in LEFT_OUT:
            continue
        if name.endswith("_us") and isinstance(value, dict):
            value = {quantile: part for quantile, part in value.items() if quantile in QUANTILES}
        out[name] = rounded(value)
    return out


def text_of(everything):
    """The file's text. Reading it gives `everything`, but for digits and what kept() leaves out."""
    head = {name: rounded(value) for name, value in everything.items() if name not in ("measurements", "in_turns")}
    text = json.dumps(head, indent=1, ensure_ascii=False)
    parts = [_lines_of(everything["measurements"], 1, "measurements")]
    if in_turns := everything.get("in_turns"):
        groups = ",\n".join(_lines_of(of_keys, 2, group) for group, of_keys in in_turns.items())
        parts.append(f' "in_turns": {{\n{groups}\n }}')
    return text[:-2] + ",\n" + ",\n".join(parts) + "\n}\n"


def _lines_of(of_keys, depth, name):
    """`name` and behind it key -> {round: result}, so far indented, with a line for each result."""
    indent, lines = " " * depth, []
    for key, of_rounds in of_keys.items():
        results = ",\n".join(f"{indent}  {json.dumps(number)}: {json.dumps(kept(result), ensure_ascii=False)}"
                             for number, result in of_rounds.items())
        lines.append(f"{indent} {json.dumps(key)}: " + (f"{{\n{results}\n{indent} }}" if results else "{}"))
    return f"{indent}{json.dumps(name)}: {{\n" + ",\n".join(lines) + f"\n{indent}}}"
