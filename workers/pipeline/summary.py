"""The report's main figures as a table on the terminal."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rich.table import Table

from workers.pipeline.progress import Terminal


def show(terminal: Terminal, report: dict[str, Any], path: Path) -> None:
    """Print the tables and where the whole report lies."""
    terminal.console.print(_stages(report))
    if report["labelers"]:
        terminal.console.print(_labelers(report))
    if report["prm"]:
        terminal.console.print(_prms(report))
    for note in report["notes"]:
        terminal.warn(note)
    terminal.say(f"Report: {path}")


def _stages(report: dict[str, Any]) -> Table:
    table = _table("Stages", "stage", "wall s", "completions", "avoided", "tokens")
    for name, cost in report["stages"].items():
        tokens = cost.get("prompt_tokens", 0) + cost.get("completion_tokens", 0)
        table.add_row(
            name,
            _number(cost["wall_seconds"], 1),
            _number(cost.get("completions")),
            _number(cost.get("completions_avoided")),
            _number(tokens or None),
        )
    return table


def _labelers(report: dict[str, Any]) -> Table:
    table = _table(
        "Labels against the known truth",
        "labeler", "solutions", "exact %", "wrong called right %", "right called wrong %",
    )  # fmt: skip
    for name in ("mc", "judge", "consensus"):
        figures = report["labelers"][name]
        table.add_row(
            name,
            _number(figures["n"]),
            _percent(figures["exact"]),
            _percent(figures["wrong_called_right"]),
            _percent(figures["right_called_wrong"]),
        )
    kept = report["retention"]
    table.caption = (
        f"consensus keeps {_percent(kept['share'])} % ({kept['kept']} of {kept['labeled']}); right "
        f"answer with a wrong step: {_percent(report['labelers']['right_answer_wrong_process'])} % "
        "of the right answers"
    )
    return table


def _prms(report: dict[str, Any]) -> Table:
    table = _table(
        "PRMs on held-out problems (first-error F1 at 0.5)",
        "labels", "solutions", "F1 mean", "± std", "seeds",
    )  # fmt: skip
    for source, figures in report["prm"].items():
        table.add_row(
            source,
            _number(figures["train_solutions"]),
            _number(figures["f1_mean"], 3),
            _number(figures["f1_std"], 3),
            str(len(figures["f1"])),
        )
    return table


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", caption_justify="left")
    for index, column in enumerate(columns):
        table.add_column(column, justify="left" if index == 0 else "right")
    return table


def _number(value: float | None, digits: int = 0) -> str:
    return "—" if value is None else f"{value:,.{digits}f}"


def _percent(value: float | None) -> str:
    return "—" if value is None else f"{100 * value:.1f}"
