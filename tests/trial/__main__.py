"""Label for a long time by keyboard in a real browser and watch; prints one JSON line."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path
from random import Random
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


def main() -> None:
    """Read the command line, prepare Django, run."""
    parser = argparse.ArgumentParser(prog="python -m tests.trial", description=__doc__)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--items", type=int, default=1200, help="at most")
    parser.add_argument("--pace", type=float, default=0.12, help="mean seconds between keys")
    parser.add_argument("--ways", choices=["all", "plain"], default="all")
    asked = parser.parse_args()
    prepare()
    print(json.dumps(trial(asked)))


def prepare() -> None:
    """Start Django on the embedded servers of VAR_DIR (default var/trial), up to date."""
    os.environ.setdefault("VAR_DIR", str(ROOT / "var" / "trial"))
    os.environ["DJANGO_SETTINGS_MODULE"] = "annotator.settings"
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"  # Playwright keeps a loop in this thread

    from annotator.embedded.environment import prepare

    prepare(["manage.py", "trial"])
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)


def trial(asked: argparse.Namespace) -> dict[str, Any]:
    """Run a server, a browser and a hand until the time is up; return what was seen."""
    from django.conf import settings
    from playwright.sync_api import sync_playwright

    from annotator.benchmarks import filling
    from annotator.benchmarks.server import web
    from annotator.benchmarks.web import embedded_servers, session
    from annotator.embedded import programs
    from tests.functional.chromium import ARGUMENTS, chromium
    from tests.trial import stage
    from tests.trial.watch import Watch

    found = stage.rows(asked.data / "processbench_like")[: asked.items + 2]
    project, user = stage.build(found)
    port = programs.free_port(8760)
    log = settings.VAR_DIR / "logs" / "trial.log"
    with web(port, log) as pid, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
        base = f"http://{programs.HOST}:{port}"
        context = browser.new_context(base_url=base, viewport={"width": 1440, "height": 900})
        name = settings.SESSION_COOKIE_NAME
        context.add_cookies([{"name": name, "value": session(user), "url": base}])
        watch = Watch(context, [pid, *embedded_servers(settings.VAR_DIR)], browser)
        typing = _label(watch, project, asked)
        context.set_offline(False)
        browser.close()
    figures = {**watch.figures(), **_compare(typing.said, user)}
    figures |= {"ways": typing.ways, "stuck": typing.stuck}
    filling.delete(project)
    return figures


def _label(watch: Any, project: Any, asked: argparse.Namespace) -> Any:
    from tests.trial import hand

    if asked.ways == "plain":
        hand.WAYS = (hand.plainly,)
    page = watch.page
    page.goto(_address(project))
    typing = hand.Hand(page, pace=asked.pace, random=Random(1))
    end = time.monotonic() + 60 * asked.minutes
    for number in range(asked.items):
        if time.monotonic() > end:
            break
        _, steps = typing.item()
        typing.label(number)
        watch.note(number, steps)
        if number % 25 == 0:
            print(json.dumps(watch.last), file=sys.stderr, flush=True)
    return typing


def _address(project: Any) -> str:
    from django.urls import reverse

    return reverse("annotate", args=[project.uid])


def _compare(said: Any, user: Any) -> dict[str, Any]:
    from labeling.models import Assignment, Verdict
    from tests.trial.hand import lost

    items = Assignment.objects.filter(user=user).values_list("solution_id", "uid")
    uids = dict(items)
    kept = {
        uids[row.solution_id]: (
            row.step_labels, row.comments.get("steps", {}), row.comments.get("solution", "")
        )
        for row in Verdict.objects.filter(labeler__user=user)
    }  # fmt: skip
    gone = lost(said, kept)
    for uid, both in gone.items():
        print(f"lost: {uid} {both}", file=sys.stderr)
    return {"items": len(said), "lost": len(gone), "verdicts": len(kept)}


if __name__ == "__main__":
    main()
