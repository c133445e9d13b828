"""Curves as SVG files, drawn by hand: three small charts need no plotting library.

Every chart has shares from 0 to 1 upwards. Colors are those of Okabe and Ito, which color-blind
readers tell apart; each series is also named at its end.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from itertools import pairwise
from pathlib import Path

from trainer.best_of_n import Curve
from trainer.calibration import Calibration
from trainer.evaluation import Report

Points = Sequence[tuple[float, float]]

WIDTH, HEIGHT = 680, 440
LEFT, RIGHT, TOP, BOTTOM = 64, 190, 48, 56
COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
LABEL_GAP = 16
"""Pixels between the names of two series."""


def reliability(calibration: Calibration) -> str:
    """Draw the share of right steps by mean score; the diagonal is perfect calibration."""
    found = [bin for bin in calibration.bins if bin.score is not None and bin.right is not None]
    points = [(bin.score or 0.0, bin.right or 0.0) for bin in found]
    ece = "" if calibration.ece is None else f", ECE {calibration.ece:.3f}"
    title = f"Reliability of {calibration.steps} step scores{ece}"
    series = {"perfect": [(0.0, 0.0), (1.0, 1.0)], "this PRM": points}
    return chart(title, "mean score", "share of right steps", series, _tenths())


def thresholds(reports: Sequence[Report]) -> str:
    """Draw F1 by threshold, for every split and their mean."""
    names = reports[0].splits if reports else {}
    series: dict[str, Points] = {
        name: [(r.threshold, f1) for r in reports if (f1 := r.splits[name].f1) is not None]
        for name in names
    }
    if len(series) > 1:
        series["mean"] = [(r.threshold, r.mean_f1) for r in reports if r.mean_f1 is not None]
    return chart("F1 by threshold", "a step below it is wrong", "F1", series, _tenths())


def best_of_n(curve: Curve) -> str:
    """Draw accuracy by number of candidates (a doubling is a step to the right)."""
    ticks = {math.log2(k): str(k) for k in curve.k}
    places = tuple(ticks)
    series = {"pass@k": list(zip(places, curve.pass_at, strict=True))}
    for name, values in curve.best_of.items():
        series[name] = list(zip(places, values, strict=True))
    return chart("Best-of-N", "candidates", "accuracy", series, ticks)


def write(path: str | Path, svg: str) -> None:
    """Write a chart, with the folder it stands in."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(svg, encoding="utf-8")


def chart(
    title: str, across: str, up: str, series: Mapping[str, Points], ticks: Mapping[float, str]
) -> str:
    """Draw named series over `ticks` (value to label, at least one) and shares; return SVG."""
    body = [*_frame(title, across, up, ticks), *_series(series, ticks)]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" '
        f'height="{HEIGHT}" role="img" font-family="sans-serif" font-size="13">\n'
        f"<title>{escape(title)}</title>\n" + "\n".join(body) + "\n</svg>\n"
    )


def _tenths() -> dict[float, str]:
    return {tenth / 10: f"{tenth / 10:.1f}" for tenth in range(0, 11, 2)}


def _frame(title: str, across: str, up: str, ticks: Mapping[float, str]) -> Iterator[str]:
    yield f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>'
    yield _text(LEFT, TOP - 20, title, 'font-size="16"')
    for value, label in _tenths().items():
        y = _y(value)
        yield f'<path d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}" stroke="#ddd"/>'
        yield _text(LEFT - 8, y + 4, label, 'text-anchor="end"')
    for value, label in ticks.items():
        yield _text(_x(value, ticks), HEIGHT - BOTTOM + 20, label, 'text-anchor="middle"')
    middle = (TOP + HEIGHT - BOTTOM) / 2
    yield _text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 12, across, 'text-anchor="middle"')
    yield _text(18, middle, up, f'text-anchor="middle" transform="rotate(-90 18 {middle})"')


def _series(series: Mapping[str, Points], ticks: Mapping[float, str]) -> Iterator[str]:
    shown = {name: points for name, points in series.items() if points}
    labels = _spread([_y(points[-1][1]) for points in shown.values()])
    for place, ((name, points), label) in enumerate(zip(shown.items(), labels, strict=True)):
        color = COLORS[place % len(COLORS)]
        pixels = [(_x(x, ticks), _y(y)) for x, y in points]
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y in pixels)
        yield f'<polyline points="{line}" fill="none" stroke="{color}" stroke-width="2"/>'
        for x, y in pixels:
            yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{color}"/>'
        yield _text(WIDTH - RIGHT + 10, label + 4, name, f'fill="{color}"')


def _spread(heights: Sequence[float]) -> list[float]:
    """Move names apart that would cover each other: downwards, then up from the bottom's edge."""
    order = sorted(range(len(heights)), key=lambda i: heights[i])
    placed = list(heights)
    for above, below in pairwise(order):
        placed[below] = max(placed[below], placed[above] + LABEL_GAP)
    edge = float(HEIGHT - BOTTOM)
    for index in reversed(order):
        placed[index] = min(placed[index], edge)
        edge = placed[index] - LABEL_GAP
    return placed


def _x(value: float, ticks: Mapping[float, str]) -> float:
    low, high = min(ticks), max(ticks)
    share = (value - low) / (high - low) if high > low else 0.5
    return LEFT + share * (WIDTH - LEFT - RIGHT)


def _y(value: float) -> float:
    return HEIGHT - BOTTOM - value * (HEIGHT - TOP - BOTTOM)


def _text(x: float, y: float, words: str, more: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" {more}>{escape(words)}</text>'
