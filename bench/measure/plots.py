"""Plots as SVG, drawn here. Colours follow the reader's light or dark mode."""
import html
import math

from . import peers
from .generator import LOADS

WIDTH = 760
LEFT, RIGHT, TOP, ROW, BAR = 285, 120, 62, 26, 16
STYLE = """<style>
  text { font: 13px system-ui, sans-serif; fill: #24292f }
  .title { font-size: 15px; font-weight: 600 } .small { font-size: 12px; fill: #57606a }
  .axis { stroke: #d0d7de; fill: none } .floor { fill: #8c959f } .ours { fill: #0969da } .peer { fill: #bf8700 }
  .second { fill-opacity: 0.45 } .ground { fill: #ffffff }
  .line { fill: none; stroke-width: 2 } .line.floor { stroke: #8c959f } .line.ours { stroke: #0969da }
  .line.peer { stroke: #bf8700 } .dashed { stroke-dasharray: 6 4 }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 } .small { fill: #9198a1 } .axis { stroke: #3d444d } .ground { fill: #0d1117 }
    .floor { fill: #7d8590 } .ours { fill: #4493f8 } .peer { fill: #d29922 }
    .line.floor { stroke: #7d8590 } .line.ours { stroke: #4493f8 } .line.peer { stroke: #d29922 } .line { fill: none }
  }
</style>"""


def step_of(largest, count=5):
    """A round step so that about `count` of them reach `largest`."""
    if largest <= 0:
        return 1.0
    power = 10 ** math.floor(math.log10(largest / count))
    return next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power * count >= largest)


def short(value):
    """A number as a label."""
    if value >= 10_000:
        return f"{value / 1000:,.0f}k"
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _svg(height, title, parts):
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}" '
        f'role="img" aria-label="{html.escape(title)}">', STYLE,
        f'<rect class="ground" width="{WIDTH}" height="{height}" rx="6"/>',
        f'<text class="title" x="16" y="26">{html.escape(title)}</text>', *parts, "</svg>", ""])


def bars(title, legend, rows):
    """`rows`: [(name, kind, [first part, second part], label)]; the parts are laid end to end."""
    largest = max((sum(parts) for _, _, parts, _ in rows), default=1) or 1
    height = TOP + ROW * len(rows) + 30
    span = WIDTH - LEFT - RIGHT
    out = [f'<text class="small" x="16" y="46">{html.escape(legend)}</text>']
    step = step_of(largest)
    for tick in range(int(largest / step) + 1):
        x = LEFT + tick * step / largest * span
        out += [f'<line class="axis" x1="{x:.1f}" y1="{TOP - 6}" x2="{x:.1f}" y2="{height - 26}"/>',
                f'<text class="small" x="{x:.1f}" y="{height - 10}" text-anchor="middle">{short(tick * step)}</text>']
    for index, (name, kind, parts, label) in enumerate(rows):
        y, x = TOP + ROW * index, float(LEFT)
        out.append(f'<text x="{LEFT - 8}" y="{y + 13}" text-anchor="end">{html.escape(name)}</text>')
        for number, part in enumerate(parts):
            width = max(0.0, part) / largest * span
            out.append(f'<rect class="{kind}{" second" if number else ""}" x="{x:.1f}" y="{y}" width="{width:.1f}" '
                       f'height="{BAR}"/>')
            x += width
        out.append(f'<text class="small" x="{x + 6:.1f}" y="{y + 13}">{html.escape(label)}</text>')
    return _svg(height, title, out)


def lines(title, legend, series):
    """`series`: [(name, kind, dashed, [(x, y)])], x on a logarithmic scale, y from nothing."""
    height, left, bottom = 360, 70, 310
    span, tall = WIDTH - left - 190, bottom - TOP
    xs = sorted({x for _, _, _, points in series for x, _ in points})
    largest = max(y for _, _, _, points in series for _, y in points) * 1.08

    def place(x, y):
        share = (math.log(x) - math.log(xs[0])) / (math.log(xs[-1]) - math.log(xs[0]))
        return left + share * span, bottom - y / largest * tall

    out = [f'<text class="small" x="16" y="46">{html.escape(legend)}</text>']
    step = step_of(largest)
    for tick in range(int(largest / step) + 1):
        _, y = place(xs[0], tick * step)
        out += [f'<line class="axis" x1="{left}" y1="{y:.1f}" x2="{left + span}" y2="{y:.1f}"/>',
                f'<text class="small" x="{left - 8}" y="{y + 4:.1f}" text-anchor="end">{short(tick * step)}</text>']
    out += [f'<text class="small" x="{place(x, 0)[0]:.1f}" y="{bottom + 20}" text-anchor="middle">{x:,}</text>'
            for x in xs]
    ends = []
    for name, kind, dashed, points in series:
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in (place(*point) for point in points))
        out.append(f'<polyline class="line {kind}{" dashed" if dashed else ""}" points="{path}"/>')
        out += [f'<circle class="{kind}" cx="{x:.1f}" cy="{y:.1f}" r="3.5"/>' for x, y in
                (place(*point) for point in points)]
        ends.append([place(*points[-1])[1], name])
    # Names that would lie on each other are moved apart.
    ends.sort()
    for index in range(1, len(ends)):
        ends[index][0] = max(ends[index][0], ends[index - 1][0] + 16)
    out += [f'<text class="small" x="{left + span + 10}" y="{y + 4:.1f}">{html.escape(name)}</text>'
            for y, name in ends]
    return _svg(height, title, out)


def cpu_plot(everything, load):
    rows = []
    for line in peers.load_lines(everything, load):
        parts = [line["cpu_us"], 0] if line["user_us"] is None else [line["user_us"], line["system_us"]]
        rows.append((line["title"], line["kind"], parts, f"{line['cpu_us']:.2f} µs"))
    return bars(f"Server CPU per operation: {LOADS[load].title}", "µs; strong: user, faint: system", rows)


def memory_plot(everything):
    rows = [(line["title"], line["kind"], [line["user_bytes"], line["kernel_bytes"]],
             f"{short(line['user_bytes'])} + {short(max(0, line['kernel_bytes']))} B")
            for line in peers.memory_lines(everything)]
    return bars("Memory of an idle connection", "bytes; strong: the server's own, faint: the kernel's for its end",
                rows)


def growth_plot(everything):
    names = {"floor": ("the floor", "floor", False), "native": ("Wirehall, native", "ours", False),
             "socketio": ("Wirehall, Socket.IO", "ours", True), "node": ("Socket.IO on Node", "peer", False)}
    series = [(*names[server], points) for server, points in peers.growth_lines(everything).items()]
    return lines("Server CPU per delivery over the number of subscribers", "µs", series)


def write_all(everything, out):
    """Writes the plots beside `out`, as far as there is something to show. Returns [(file name, title)]."""
    chosen = [(f"cpu-{load}", f"server CPU per operation, {LOADS[load].title}",
               lambda load=load: cpu_plot(everything, load))
              for load in ("echo", "fanout-1000", "eight") if len(peers.load_lines(everything, load)) > 1]
    if len(peers.memory_lines(everything)) > 1:
        chosen.append(("memory", "memory of an idle connection", lambda: memory_plot(everything)))
    if peers.growth_lines(everything):
        chosen.append(("growth", "cost per delivery over the number of subscribers", lambda: growth_plot(everything)))
    written = []
    for name, title, draw in chosen:
        path = out.with_name(f"{out.stem}-{name}.svg")
        path.write_text(draw())
        written.append((path.name, title))
    return written
