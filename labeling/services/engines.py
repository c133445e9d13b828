"""The table of engines: operators add, change and retire them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_slug
from django.db import transaction

from labeling.domain.engines import BadEngine, check_options
from labeling.models import Engine, User
from labeling.services import events

_HIGHEST = Decimal(10) ** 8
"""The columns hold so many before the point."""


@dataclass(frozen=True, slots=True)
class PriceTable:
    """Prices per million tokens and per hour; what is None stays as it is (at first: nothing)."""

    prompt_price: Decimal | str | float | None = None
    completion_price: Decimal | str | float | None = None
    hour_price: Decimal | str | float | None = None
    currency: str | None = None


@transaction.atomic
def save(
    *,
    by: User,
    name: str,
    kind: str,
    model: str,
    options: Mapping[str, Any],
    prices: PriceTable | None = None,
) -> Engine:
    """Return the engine of this name, made or changed to be as given; a retired one serves again.

    Raise BadEngine. Runs name the row: those of a model that it no longer serves come to a halt.
    """
    _check_names(name, model)
    check_options(kind, options)
    wanted = {"kind": kind, "model": model, "options": dict(options), "active": True}
    wanted |= _priced(prices or PriceTable())
    engine, made = Engine.objects.select_for_update().get_or_create(name=name, defaults=wanted)
    if _changed(engine, wanted) or made:
        _record(by, "engine saved", engine, wanted)
    return engine


@transaction.atomic
def set_prices(*, by: User, engine: Engine, prices: PriceTable) -> Engine:
    """Change what the engine costs from now on; raise BadEngine."""
    engine = Engine.objects.select_for_update().get(pk=engine.pk)
    wanted = _priced(prices)
    if _changed(engine, wanted):
        _record(by, "engine priced", engine, wanted)
    return engine


@transaction.atomic
def retire(*, by: User, engine: Engine) -> Engine:
    """Offer the engine for no new run; those that it serves go on."""
    engine = Engine.objects.select_for_update().get(pk=engine.pk)
    if _changed(engine, {"active": False}):
        _record(by, "engine retired", engine, {})
    return engine


def _changed(engine: Engine, wanted: Mapping[str, Any]) -> bool:
    """Save what differs; return whether anything did."""
    changed = [name for name, value in wanted.items() if getattr(engine, name) != value]
    for name in changed:
        setattr(engine, name, wanted[name])
    if changed:
        engine.save(update_fields=changed)
    return bool(changed)


def _record(by: User, action: str, engine: Engine, values: Mapping[str, Any]) -> None:
    shown: dict[str, Any] = {
        name: str(v) if isinstance(v, Decimal) else v for name, v in values.items()
    }
    events.record(by=by, action=action, subject=engine.uid, name=engine.name, **shown)


def _check_names(name: str, model: str) -> None:
    try:
        validate_slug(name)
    except ValidationError:
        raise BadEngine("An engine's name is made of letters, digits, - and _.") from None
    if len(name) > 60:
        raise BadEngine("An engine's name has at most 60 letters.")
    if not model.strip() or len(model) > 500 or not model.isprintable():
        raise BadEngine("An engine needs the name of its model, or the model's folder.")


def _priced(prices: PriceTable) -> dict[str, Any]:
    given = {key: value for key, value in asdict(prices).items() if value is not None}
    currency = given.pop("currency", None)
    found: dict[str, Any] = {name: _price(name, value) for name, value in given.items()}
    if currency is not None:
        if not re.fullmatch(r"[A-Z]{3}", currency):
            raise BadEngine("A currency is a code of three capital letters, such as USD.")
        found["currency"] = currency
    return found


def _price(name: str, value: Any) -> Decimal:
    try:
        price = Decimal(str(value)).quantize(Decimal("0.0001"))
    except InvalidOperation:
        price = Decimal("NaN")
    if not (price.is_finite() and 0 <= price < _HIGHEST):
        raise BadEngine(
            "{name} is a number from 0 to {highest}.", name=name.replace("_", " "), highest=_HIGHEST
        )
    return price
