"""What a trial sees: times from key to paint, jumps, errors, the browser's heap, processor time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from playwright.sync_api import Browser, BrowserContext

from annotator.benchmarks.server import cpu_seconds

SCRIPT = Path(__file__).with_name("stopwatch.js")
EXPECTED = ("ERR_INTERNET_DISCONNECTED", "status of 409")
"""What the browser complains of while the network is away on purpose, or two tabs differ."""
JUMP = 0.02
"""Layout shifts below this share of the window are not counted as jumps."""
PART = 50
"""Items whose figures are put together, to compare the beginning with the end."""


class Watch:
    """Reads the stopwatch of the page after each item."""

    def __init__(self, context: BrowserContext, servers: Sequence[int], browser: Browser) -> None:
        context.add_init_script(path=SCRIPT)
        self.page = context.new_page()
        self.errors: list[str] = []
        context.on("console", lambda m: m.type == "error" and self._complain(m.text))
        context.on("weberror", lambda e: self._complain(str(e.error)))
        self._cdp = context.new_cdp_session(self.page)
        self._cdp.send("Performance.enable")
        self._root = browser.new_browser_cdp_session()
        self._servers, self._begun = servers, None
        self.items: list[dict[str, Any]] = []

    def note(self, number: int, steps: int) -> None:
        """Take what the page has seen since the item before; collect garbage now and then."""
        seen = self.page.evaluate("() => window.trialSeen()")
        cpu = self._cpu()
        before = self._begun or cpu
        self._begun = cpu
        row = {"number": number, "steps": steps, **seen}
        row["cpu"] = {name: round(cpu[name] - before[name], 3) for name in cpu}
        if number % 25 == 0:
            row["heap"] = self._heap()
        self.items.append(row)

    @property
    def last(self) -> dict[str, Any]:
        """The last item in few words."""
        row = self.items[-1]
        return {key: row[key] for key in ("number", "steps", "swaps", "cpu", "heap") if key in row}

    def figures(self) -> dict[str, Any]:
        """Return the figures of the whole trial, and of its first and last items."""
        parts = {"all": self.items, "first": self.items[:PART], "last": self.items[-PART:]}
        longest = max(self.items, key=lambda row: row["steps"])
        heaps = [(row["number"], row["heap"]) for row in self.items if "heap" in row]
        return {
            **{name: _figures(rows) for name, rows in parts.items()},
            "longest": {"steps": longest["steps"], **_figures([longest])},
            "heap_mb": heaps, "errors": self.errors,
            "jumps": [s for row in self.items for s in row["shifts"] if s[1] > JUMP][:20],
        }  # fmt: skip

    def _complain(self, words: str) -> None:
        if not any(part in words for part in EXPECTED):
            self.errors.append(words)

    def _heap(self) -> dict[str, float]:
        self._cdp.send("HeapProfiler.collectGarbage")
        found = {m["name"]: m["value"] for m in self._cdp.send("Performance.getMetrics")["metrics"]}
        return {
            "mb": round(found["JSHeapUsedSize"] / 1e6, 2), "nodes": found["Nodes"],
            "listeners": found["JSEventListeners"],
        }  # fmt: skip

    def _cpu(self) -> dict[str, float]:
        told = self._root.send("SystemInfo.getProcessInfo")["processInfo"]
        drawn = sum(one["cpuTime"] for one in told if one["type"] == "renderer")
        return {"renderer": drawn, "server": sum(map(cpu_seconds, self._servers))}


def _figures(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    times: dict[str, list[float]] = defaultdict(list)
    for row in rows:
        times["key_ms"] += [ms for key, ms in row["keys"] if key != "Enter"]
        for kind, key, ms in row["swaps"]:
            if key == "Enter":
                times[f"enter_to_{kind}_ms"].append(ms)
        times["long_tasks_ms"] += [ms for _, ms in row["tasks"]]
        for name, seconds in row["cpu"].items():
            times[f"{name}_cpu_ms"].append(1000 * seconds)
    return {name: _spread(found) for name, found in sorted(times.items())}


def _spread(found: Sequence[float]) -> dict[str, float]:
    if len(found) < 2:
        return {"n": len(found), "p50": round(found[0], 1) if found else 0.0}
    cuts = quantiles(found, n=20, method="inclusive")
    return {
        "n": len(found), "p50": round(median(found), 1), "p95": round(cuts[18], 1),
        "max": round(max(found), 1),
    }  # fmt: skip
