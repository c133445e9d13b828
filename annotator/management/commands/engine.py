"""`manage.py engine`: the table of engines, and a doctor for each."""

from __future__ import annotations

import json
import os
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from labeling.domain.engines import endpoints_of
from labeling.domain.refusals import Refusal
from labeling.models import Engine, User
from labeling.models.engines import EngineKind
from labeling.selectors import run_choices
from labeling.services import engines, projects
from labeling.services.engines import PriceTable
from workers.chunks.models import model_of
from workers.engines.doctor import examine
from workers.engines.findings import Finding, State
from workers.engines.protocol import EngineError
from workers.engines.registry import close_engines

EXAMPLES = """
  manage.py engine add qwen --model Qwen/Qwen2.5-Math-7B-Instruct --url http://gpu1:8000
  manage.py engine add qwen --model Qwen/Qwen2.5-Math-7B-Instruct \\
      --url http://gpu1:8000 --url http://gpu2:8000 --concurrency 64 --hour-price 4
  manage.py engine add judge --model some-model --url https://provider.example/v1 \\
      --api-key-env PROVIDER_API_KEY --prompt-price 0.4 --completion-price 1.2
  manage.py engine add demo --kind transformers --model demo/checkpoint
  manage.py engine check qwen
"""


class Command(BaseCommand):
    """Runs name an engine of the table; where it runs may change at any time."""

    help = "List, add, check and retire the engines that runs may use."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Offer a sub-command for each thing to do."""
        does = parser.add_subparsers(dest="do", required=True, metavar="list|add|check|retire")
        shown = does.add_parser("list", help="show all engines")
        shown.add_argument("--json", action="store_true", help="one JSON line")
        add = does.add_parser(
            "add",
            help="add an engine, or change the one of this name",
            epilog=f"Examples:{EXAMPLES}",
            formatter_class=RawDescriptionHelpFormatter,
        )
        _offer_add(add)
        check = does.add_parser("check", help="say what works, how fast, and what to do")
        check.add_argument("name")
        check.add_argument("--json", action="store_true", help="one JSON line at the end")
        does.add_parser("retire", help="offer it for no new run").add_argument("name")

    def handle(self, *_args: Any, **given: Any) -> None:
        """Do what was asked; what is refused ends with the reason."""
        try:
            getattr(self, f"_{given['do']}")(given)
        except (Refusal, EngineError) as error:
            raise CommandError(str(error)) from error

    def _list(self, given: Mapping[str, Any]) -> None:
        rows = [_described(engine) for engine in run_choices.engines()]
        if given["json"]:
            self.stdout.write(json.dumps(rows))
            return
        if not rows:
            self.stdout.write(f"There is no engine yet. Examples:{EXAMPLES}")
        for row in rows:
            self.stdout.write("  ".join(str(value) for value in row.values() if value))

    def _add(self, given: Mapping[str, Any]) -> None:
        engine = engines.save(
            by=_actor(given["by"]),
            name=given["name"],
            kind=given["kind"],
            model=given["model"],
            options=_options(given),
            prices=PriceTable(**{name: given[name] for name in PriceTable.__slots__}),
        )
        self.stdout.write(f"{engine.name} is kept. Next: manage.py engine check {engine.name}")

    def _retire(self, given: Mapping[str, Any]) -> None:
        engine = engines.retire(by=_actor(None), engine=_named(given["name"]))
        self.stdout.write(f"{engine.name} is retired: new runs cannot use it.")

    def _check(self, given: Mapping[str, Any]) -> None:
        # Its warnings are about what is tried on purpose.
        os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
        engine, found = _named(given["name"]), []
        try:
            for finding in _findings(engine):
                found.append(finding)
                if not given["json"]:
                    self._show(finding)
        finally:
            close_engines()
        failed = [finding.check for finding in found if finding.state == State.BAD]
        if given["json"]:
            rows = [asdict(finding) for finding in found]
            self.stdout.write(
                json.dumps({"engine": engine.name, "ok": not failed, "findings": rows})
            )
        if failed:
            raise CommandError(f"{engine.name} is not fit for labeling: {', '.join(failed)}")

    def _show(self, finding: Finding) -> None:
        paint = {
            State.OK: self.style.SUCCESS,
            State.NOTE: self.style.WARNING,
            State.BAD: self.style.ERROR,
        }[finding.state]
        self.stdout.write(f"{paint(finding.state.ljust(4))}  {finding.check}: {finding.said}")
        if finding.advice:
            self.stdout.write(f"      {finding.advice}")
        self.stdout.flush()


def _offer_add(add: ArgumentParser) -> None:
    add.add_argument("name")
    add.add_argument("--model", required=True, help="its name there, or a model folder")
    add.add_argument("--kind", default="openai", choices=[str(kind) for kind in EngineKind])
    add.add_argument("--url", action="append", default=[], help="of a server; may be repeated")
    add.add_argument("--concurrency", type=int, help="requests at once per server")
    add.add_argument("--api-key-env", help="the environment variable that holds the API key")
    add.add_argument(
        "--option", action="append", default=[], metavar="KEY=VALUE", help="any other option"
    )
    for price in ("prompt", "completion"):
        add.add_argument(f"--{price}-price", help=f"per million {price} tokens")
    add.add_argument("--hour-price", help="per hour of its machine")
    add.add_argument("--currency", help="such as USD, the default")
    add.add_argument("--by", help="the user who does it; default: the workers' account")


def _findings(engine: Engine) -> Iterator[Finding]:
    return examine(engine.kind, model_of(engine), engine.options)


def _named(name: str) -> Engine:
    engine = run_choices.engine_named(name)
    if engine is None:
        known = ", ".join(engine.name for engine in run_choices.engines()) or "none"
        raise CommandError(f"there is no engine {name}; known: {known}")
    return engine


def _actor(username: str | None) -> User:
    if username is None:
        return projects.machine()
    user = User.objects.filter(username=username).first()
    if user is None:
        raise CommandError(f"--by: there is no user {username}")
    return user


def _options(given: Mapping[str, Any]) -> dict[str, Any]:
    urls = given["url"]
    short = {
        "url": urls[0] if len(urls) == 1 else urls,
        "max_concurrency": given["concurrency"],
        "api_key_env": given["api_key_env"],
    }
    options = {key: value for key, value in short.items() if value}
    for text in given["option"]:
        key, equals, value = text.partition("=")
        if not equals:
            raise CommandError(f"--option is KEY=VALUE, and not {text!r}")
        options[key] = _value(value)
    return options


def _value(text: str) -> Any:
    """Return JSON where it is some (numbers, lists, true), else the text itself."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def _described(engine: Engine) -> dict[str, Any]:
    served = engine.kind in (EngineKind.OPENAI, EngineKind.POOLING)
    where = ", ".join(e.root for e in endpoints_of(engine.options)) if served else "in the worker"
    prices = {
        "million prompt tokens": engine.prompt_price,
        "million completion tokens": engine.completion_price,
        "hour": engine.hour_price,
    }
    said = ", ".join(
        f"{price:f} {engine.currency} per {what}" for what, price in prices.items() if price
    )
    return {
        "name": engine.name,
        "kind": engine.kind,
        "model": engine.model,
        "where": where,
        "prices": said,
        "state": "" if engine.active else "retired",
    }
