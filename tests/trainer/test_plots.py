from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from pathlib import Path

from tests.trainer.test_calibration import solution
from tests.trainer.test_evaluation import scored
from trainer import plots
from trainer.best_of_n import Candidate, curve
from trainer.calibration import calibrate
from trainer.evaluation import sweep

SVG = "{http://www.w3.org/2000/svg}"


def lines(svg: str) -> list[list[tuple[float, float]]]:
    found = ElementTree.fromstring(svg).findall(f"{SVG}polyline")
    pairs = [line.attrib["points"].split() for line in found]
    return [[(float(x), float(y)) for x, y in (p.split(",") for p in pair)] for pair in pairs]


def texts(svg: str) -> list[str]:
    return [str(text.text) for text in ElementTree.fromstring(svg).iter(f"{SVG}text")]


def test_the_reliability_curve_has_a_point_per_filled_bin() -> None:
    svg = plots.reliability(calibrate([solution(1, 0.8, 0.84), solution(0, 0.25)]))
    diagonal, points = lines(svg)
    assert diagonal == [(64, 384), (490, 48)]  # from 0, 0 to 1, 1
    # .25 is right in 0 of 1, .82 in 1 of 2: x = 64 + 426 * score, y = 384 - 336 * share.
    assert points == [(170.5, 384.0), (413.3, 216.0)]
    assert any("Reliability of 3 step scores, ECE" in text for text in texts(svg))


def test_thresholds_are_drawn_by_split_and_their_mean() -> None:
    rows = [scored(0, 1, 0.9, 0.1), scored(1, -1, 0.9)]
    assert [len(line) for line in lines(plots.thresholds(sweep(rows)))] == [19]
    assert texts(plots.thresholds(sweep(rows)))[-1] == "s"
    assert lines(plots.thresholds(sweep([scored(0, -1, 0.9)]))) == []  # no F1, no line


def test_best_of_n_is_drawn_by_doublings_with_names_apart() -> None:
    group = [Candidate("1", index == 2, (0.5,)) for index in range(4)]
    svg = plots.best_of_n(curve([group]))
    assert [len(line) for line in lines(svg)] == [3] * 5  # pass@k and four aggregations at 1, 2, 4
    assert {"1", "2", "4"} <= set(texts(svg))
    names = [t for t in ElementTree.fromstring(svg).iter(f"{SVG}text") if t.text in {"min", "mean"}]
    heights = [float(name.attrib["y"]) for name in names]
    assert abs(heights[0] - heights[1]) >= plots.LABEL_GAP


def test_names_of_series_that_end_together_stand_above_the_axis() -> None:
    series = {name: [(0.0, 1.0), (1.0, 0.0)] for name in ("first", "second", "third")}
    svg = plots.chart("t", "x", "y", series, {0.0: "0", 1.0: "1"})
    named = {t.text: float(t.attrib["y"]) for t in ElementTree.fromstring(svg).iter(f"{SVG}text")}
    # 384 is the axis, a name's baseline stands 4 below its place.
    assert [named[name] for name in series] == [356.0, 372.0, 388.0]


def test_names_cannot_break_the_file(tmp_path: Path) -> None:
    svg = plots.chart("a < b", "x", "y", {"<script>": [(0.0, 1.0)]}, {0.0: "0"})
    plots.write(tmp_path / "deep" / "x.svg", svg)
    assert "<script>" in texts((tmp_path / "deep" / "x.svg").read_text())
