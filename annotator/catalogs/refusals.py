"""The exceptions whose texts are messages: every class of labeling that speaks to people."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module

from labeling import api, domain, selectors, services
from labeling.domain.phrases import Spoken


@cache
def refusals() -> Mapping[str, int]:
    """Return the position of the message among the arguments, from 1, by the class's name."""
    for package in (domain, selectors, services, api):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            import_module(module.name)
    return {found.__name__: found.message_position for found in _below(Spoken)}


def _below(parent: type[Spoken]) -> Iterator[type[Spoken]]:
    for child in parent.__subclasses__():
        yield child
        yield from _below(child)
