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
    head = {name: rounded(value) for name, value in everything.items() if name != "measurements"}
    text = json.dumps(head, indent=1, ensure_ascii=False)
    lines = []
    for key, of_rounds in everything["measurements"].items():
        results = ",\n".join(f"   {json.dumps(number)}: {json.dumps(kept(result), ensure_ascii=False)}"
                             for number, result in of_rounds.items())
        lines.append(f"  {json.dumps(key)}: {{\n{results}\n  }}" if results else f"  {json.dumps(key)}: {{}}")
    return text[:-2] + ',\n "measurements": {\n' + ",\n".join(lines) + "\n }\n}\n"
