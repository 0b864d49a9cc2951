"""The tables, in Markdown."""
from . import peers
from .exact import COMPRESSION_SUBSCRIBERS
from .generator import LOADS
from .machine import headline

VERDICTS = {"met": "yes", "missed": "**NO**", "not decided": "not decided", "": ""}


def number(value, unit):
    """As many digits as say something."""
    if value is None:
        return "–"
    if unit in ("B", "1/s"):
        return f"{value:,.0f}"
    if unit == "ms":
        return f"{value:,.1f}"
    return f"{value:,.2f}" if abs(value) < 100 else f"{value:,.0f}"


def markdown(head, lines):
    return "\n".join(["| " + " | ".join(head) + " |", "| " + " | ".join(["---"] * len(head)) + " |",
                      *("| " + " | ".join(line) + " |" for line in lines)])


def _figure(line, value):
    if line["unit"]:
        return f"{number(value, line['unit'])} {line['unit']}"
    return f"{value:.3f}"


def interval(line):
    text = f"{_figure(line, line['low'])} to {_figure(line, line['high'])}"
    return text if line["coverage"] >= 0.95 else f"{text} ({line['coverage']:.0%})"


def wanted(line):
    if line["wanted"] is None:
        return ""
    sign = {"<=": "≤", ">=": "≥"}[line["wanted"]["relation"]]
    return f"{sign} {line['wanted']['limit']:,g} {line['unit']}".strip()


def exactly(line, exact, name):
    """Ours and the floor's, beside each other."""
    found = [exact.get(key) for key in line["exact"]]
    if not found or None in found:
        return ""
    shape = "{:.3f}" if name == "system_calls" else "{:,.0f}"
    return " / ".join(shape.format(one[name]) for one in found)


def verdict_table(everything, before=None):
    earlier = {line["row"]: line for line in before["rows"]} if before else {}
    head = ["", "figure", "95 % interval of the median", "rounds", "wanted", "met?", "of", "system calls per operation",
            "instructions per operation"] + (["before"] if before else [])
    lines = []
    for line in everything["rows"]:
        values = " / ".join(number(value, line["part_unit"]) for value in line["part_medians"])
        cells = [line["row"], f"**{_figure(line, line['figure'])}**", interval(line), rounds_cell(line), wanted(line),
                 VERDICTS[line["verdict"]], f"{values} {line['part_unit']}" if len(line["part_medians"]) > 1 else "",
                 exactly(line, everything["exact"], "system_calls"), exactly(line, everything["exact"], "instructions")]
        if before:
            cells.append(_figure(line, earlier[line["row"]]["figure"]) if line["row"] in earlier else "")
        lines.append(cells)
    return markdown(head, lines)


def load_table(everything, load):
    lines = [[line["title"], number(line["cpu_us"], "µs"), number(line["user_us"], "µs"),
              number(line["system_us"], "µs"), number(line["per_second"], "1/s"),
              *(number(line[name] / 1e3, "µs") for name in ("p50", "p99", "p99_9"))]
             for line in peers.load_lines(everything, load)]
    head = ["", "server CPU per operation, µs", "user", "system", "operations/s", "p50, ms", "p99", "p99.9"]
    return markdown(head, lines) if lines else ""


def memory_table(everything):
    lines = [[line["title"], number(line["user_bytes"], "B"), number(line["kernel_bytes"], "B")]
             for line in peers.memory_lines(everything)]
    return markdown(["", "user memory, bytes", "kernel memory, bytes"], lines) if lines else ""


def handshake_table(everything):
    lines = [[line["load"], line["title"], number(line["cpu_us"], "µs"), number(line["per_core_second"], "1/s"),
              number(line["p99"] / 1e3, "ms")] for line in peers.handshake_lines(everything)]
    head = ["", "", "server CPU per handshake, µs", "handshakes per second and core", "p99, ms"]
    return markdown(head, lines) if lines else ""


def system_call_lines(everything):
    return [f"- {key}: " + ", ".join(f"{name} {count:.3f}" for name, count in
                                     sorted(of_key["by_name"].items(), key=lambda item: -item[1]))
            for key, of_key in everything["exact"].items()]


def rounds_cell(line):
    if line.get("in_turns"):
        return f"{line['rounds']} in turns"
    if not line["disturbed"]:
        return str(line["rounds"])
    if line["untrusted"]:
        return f"{line['rounds']}, all disturbed"
    return f"{line['rounds']} of {line['rounds'] + line['disturbed']}"


def notes(everything):
    out, lines = [], everything["rows"]
    if any(line["disturbed"] for line in lines):
        out.append("- Rounds in which others had more than 5 % of our cores are left out. Where that were all, the "
                   "figure is shown but decides nothing.")
    if waited := dict.fromkeys(title for line in lines for title in line["waited"]):
        out.append(f"- Waited for the generator, so that their figures are upper bounds: {'; '.join(waited)}.")
    out += [f"- MISSING, not measured: {title} ({why})." for title, why in everything["missing"].items()]
    out += [f"- FAILED {len(texts)} times: {texts[-1]}." for texts in everything["failures"].values()]
    out += [f"- Not measured: {title}." for title in everything["not_measured"]]
    return out


def document(everything, before=None, plots=()):
    """The whole text; `plots`: [(file name, what it shows)]."""
    machine = everything["machine"]
    parts = [f"# Measured {machine['time'][:10]}, commit {machine['commit']}",
             f"{headline(machine)}; {everything['rounds']} rounds, {everything['tight_rounds']} where so few do not "
             f"decide, of {everything['seconds']:g} s; {everything['took_seconds'] / 60:.0f} minutes. "
             "What rows mean: [bench/README.md](../README.md)."
             + (" **A quick run: it decides nothing.**" if everything["quick"] else "")
             + (" **It was interrupted.**" if everything["interrupted"] else ""),
             "## What is wanted", verdict_table(everything, before)]
    for file, title in plots:
        parts.append(f"![{title}]({file})")
    for load in peers.LOADS_SHOWN:
        if text := load_table(everything, load):
            parts += [f"## {LOADS[load].title[0].upper()}{LOADS[load].title[1:]}", text]
    if text := handshake_table(everything):
        parts += ["## Handshakes", text]
    if text := memory_table(everything):
        parts += [f"## An idle connection, {everything['idle_connections']:,} in a process", text,
                  "User memory is the growth of the server's resident memory. Kernel memory is the growth of the "
                  "kernel's objects and of TCP's queues for both ends of a connection, halved: the generator's end "
                  "holds the same objects on the same machine."]
    if everything["compressions_per_message"] is not None:
        parts.append(f"Compressions for a message to {COMPRESSION_SUBSCRIBERS} subscribers that compress: "
                     f"{everything['compressions_per_message']:g}, counted by callgrind.")
    if lines := system_call_lines(everything):
        parts += ["## System calls per operation, by name", "\n".join(lines)]
    if lines := notes(everything):
        parts += ["## Notes", "\n".join(lines)]
    return "\n\n".join(parts) + "\n"
