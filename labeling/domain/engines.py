"""What an engine's options may say, by kind. Knows no database and opens nothing.

Options are shown to every operator: they name an API key's environment variable, never the key.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from labeling.domain.refusals import Invalid

_SECRET = re.compile(
    r"(^|[_-])(api[_-]?key|key|token|secret|password|passwd|credentials?|auth(orization)?)$",
    re.IGNORECASE,
)
_VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]{0,63}")
_VERSION = re.compile(r"/v\d")
MAX_CONCURRENCY = 1024


class BadEngine(Invalid):
    """A configuration that names no engine."""

    code = "bad_engine"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One OpenAI-compatible server: at most `max_concurrency` requests are under way there.

    `url` may end before the "/v1" that such servers have. The API key is read from the environment
    variable `api_key_env` by the worker that asks. Raise BadEngine for values that name no server.
    """

    url: str
    max_concurrency: int = 32
    api_key_env: str = ""

    def __post_init__(self) -> None:
        _check_url(self.url)
        _check_count("max_concurrency", self.max_concurrency, MAX_CONCURRENCY)
        if self.api_key_env and not _VARIABLE.fullmatch(str(self.api_key_env)):
            raise BadEngine(
                "api_key_env is the name of an environment variable in capital letters, such as "
                "PROVIDER_API_KEY; set that variable to the key where the workers run."
            )

    @property
    def root(self) -> str:
        """Return the address without the "/v1" of the API."""
        return self.url.rstrip("/").removesuffix("/v1")

    @property
    def api(self) -> str:
        """Return the address that API paths follow; a version in `url` is left as it is."""
        address = self.url.rstrip("/")
        return address if _VERSION.search(urlsplit(address).path) else f"{address}/v1"


def endpoints_of(options: Mapping[str, Any]) -> tuple[Endpoint, ...]:
    """Return the servers of an engine's options: "endpoints", or "url", which may be several."""
    found = tuple(_endpoint(one) for one in _listed(options))
    if len({endpoint.root for endpoint in found}) < len(found):
        raise BadEngine("Each server is named once.")
    return found


def check_options(kind: str, options: Mapping[str, Any]) -> None:
    """Raise BadEngine where the kind is unknown, or knows no such options."""
    if kind not in KINDS:
        raise BadEngine(
            "There is no kind of engine {kind!r}; known: {kinds}.",
            kind=kind,
            kinds=", ".join(KINDS),
        )
    _check_secrets(options)
    known = KINDS[kind]
    unknown = sorted(options.keys() - known) if known else []
    if unknown:
        raise BadEngine(
            "An engine of kind {kind} has no option {unknown}; known: {known}.",
            kind=kind,
            unknown=", ".join(unknown),
            known=", ".join(sorted(known)),
        )
    if kind in SERVED:
        endpoints_of(options)
    if kind == "pooling" and not options.get("tokenizer"):
        raise BadEngine("An engine of kind pooling needs tokenizer: the model's folder or name.")
    for name, value in options.items():
        if name in _CHECKS and value is not None:
            _CHECKS[name](name, value)


_ENDPOINT = frozenset({"url", "max_concurrency", "api_key_env"})

KINDS: Mapping[str, frozenset[str]] = {
    "transformers": frozenset(
        {"device", "dtype", "max_rows", "max_prefill_tokens", "prefix_cache_mb"}
    ),
    "openai": _ENDPOINT | {"endpoints", "timeout", "patience"},
    "vllm": frozenset(),
    "pooling": _ENDPOINT | {"endpoints", "timeout", "tokenizer", "max_length", "batch_tokens"},
}
"""The options of each kind; none named = those of the library itself (vllm.LLM)."""

SERVED = ("openai", "pooling")
"""Kinds behind HTTP servers."""


def _listed(options: Mapping[str, Any]) -> list[Any]:
    """Return what stands for each server, unchecked."""
    beside = {key: options[key] for key in _ENDPOINT if options.get(key) is not None}
    given = options.get("endpoints")
    if given is None:
        urls = beside.get("url")
        return [beside | {"url": url} for url in (urls if isinstance(urls, list) else [urls])]
    if not isinstance(given, list):
        raise BadEngine('endpoints is a list of servers, such as [{"url": "http://host:8000"}].')
    if beside:
        raise BadEngine(
            "Say {beside} for each endpoint, not beside them.", beside=", ".join(sorted(beside))
        )
    return given or [{}]


def _endpoint(given: Any) -> Endpoint:
    if not isinstance(given, Mapping) or not given.get("url"):
        raise BadEngine("The engine needs the url of its server, such as http://host:8000.")
    unknown = sorted(given.keys() - _ENDPOINT)
    if unknown:
        raise BadEngine(
            "An endpoint has no option {unknown}; known: {endpoint}.",
            unknown=", ".join(unknown),
            endpoint=", ".join(sorted(_ENDPOINT)),
        )
    return Endpoint(**given)


def _check_url(url: Any) -> None:
    try:
        parts = urlsplit(url)
        named = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except (ValueError, TypeError, AttributeError):
        named = False
    if not named or not url.isascii() or re.search(r"[\s\x00-\x1f\x7f]", url):
        raise BadEngine("A server's url begins with http:// or https:// and names a host.")
    if "@" in parts.netloc:
        raise BadEngine("A url holds no user and password: use api_key_env for a key.")
    if parts.query or parts.fragment:
        raise BadEngine("A server's url has no ? and no #: use api_key_env for a key.")


def _check_secrets(options: Any, name: str = "options") -> None:
    if isinstance(options, Mapping):
        for key, value in options.items():
            if _SECRET.search(str(key)) and value:
                raise BadEngine(
                    "{key} looks like a secret, and options are no place for one: set an "
                    "environment variable where the workers run and name it as api_key_env.",
                    key=key,
                )
            _check_secrets(value, str(key))
    elif isinstance(options, list):
        for value in options:
            _check_secrets(value, name)


def _check_count(name: str, value: Any, most: int = 10**9, least: int = 1) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise BadEngine(
            "{name} is a whole number from {least} to {most}.", name=name, least=least, most=most
        )


def _check_seconds(name: str, value: Any) -> None:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not number or not 0 < value <= 86_400:
        raise BadEngine("{name} is a number of seconds, more than 0 and at most 86400.", name=name)


_CHECKS: Mapping[str, Callable[[str, Any], None]] = {
    "timeout": _check_seconds,
    "patience": _check_seconds,
    "max_rows": _check_count,
    "max_prefill_tokens": _check_count,
    "prefix_cache_mb": lambda name, value: _check_count(name, value, least=0),
    "max_length": _check_count,
    "batch_tokens": _check_count,
}
