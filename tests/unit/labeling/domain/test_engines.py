"""Options of engines: what is refused, and why."""

from __future__ import annotations

from typing import Any

import pytest

from labeling.domain.engines import BadEngine, Endpoint, check_options, endpoints_of

URL = "http://host:8000"


def test_one_url_several_urls_and_endpoints_name_servers() -> None:
    assert endpoints_of({"url": URL}) == (Endpoint(URL, 32, ""),)
    assert endpoints_of({"url": [URL, "https://b"], "max_concurrency": 4, "api_key_env": None}) == (
        Endpoint(URL, 4),
        Endpoint("https://b", 4),
    )
    given = [{"url": URL, "max_concurrency": 4}, {"url": "https://b", "api_key_env": "B_KEY"}]
    assert endpoints_of({"endpoints": given}) == (
        Endpoint(URL, 4),
        Endpoint("https://b", 32, "B_KEY"),
    )


@pytest.mark.parametrize(
    ("url", "root", "api"),
    [
        ("http://h:1", "http://h:1", "http://h:1/v1"),
        ("http://h:1/", "http://h:1", "http://h:1/v1"),
        ("http://h:1/v1/", "http://h:1", "http://h:1/v1"),
        ("https://h/openai/v1", "https://h/openai", "https://h/openai/v1"),
        # Providers whose version stands in the middle of the path.
        ("https://h/v1beta/openai/", "https://h/v1beta/openai", "https://h/v1beta/openai"),
    ],
)
def test_a_url_may_end_before_its_version(url: str, root: str, api: str) -> None:
    assert Endpoint(url).root == root
    assert Endpoint(url).api == api


@pytest.mark.parametrize(
    "url",
    [
        "", "host:8000", "ftp://host", "file:///etc/passwd", "http://", "http://:80",
        "http://host:port", "http://host:99999", "http://ho st", "http://host\r\nX: y",
        "http://h\u00f6st", None, 7, "http://[::1", "http://h:0",
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused(url: Any) -> None:
    with pytest.raises(BadEngine):
        endpoints_of({"url": url})


@pytest.mark.parametrize(
    "url", ["http://me:pass@host", "http://key@host", "http://host?api_key=1", "http://host#key"]
)
def test_a_url_holds_no_secret(url: str) -> None:
    with pytest.raises(BadEngine, match="api_key_env"):
        Endpoint(url)


@pytest.mark.parametrize(
    "options",
    [
        {"url": URL, "api_key": "sk-1"},
        {"url": URL, "API-KEY": "sk-1"},
        {"endpoints": [{"url": URL, "token": "sk-1"}]},
        {"headers": {"Authorization": "Bearer x"}},
        {"hf_token": "hf_x"},
        {"nested": [[{"client_secret": "x"}]]},
    ],
)
def test_a_secret_in_the_options_is_refused_and_not_repeated(options: dict[str, Any]) -> None:
    for kind in ("openai", "vllm"):
        with pytest.raises(BadEngine, match="environment variable") as refusal:
            check_options(kind, options)
        assert "sk-1" not in str(refusal.value)


@pytest.mark.parametrize("name", ["sk-proj-1", "hf_abcDEF", "my key", "1KEY", "K" * 65])
def test_a_key_in_the_place_of_its_variables_name_is_refused_and_not_repeated(name: str) -> None:
    with pytest.raises(BadEngine, match="name of an environment variable") as refusal:
        Endpoint(URL, api_key_env=name)
    assert name not in str(refusal.value)


@pytest.mark.parametrize(
    ("kind", "options", "text"),
    [
        ("magic", {}, "no kind of engine 'magic'"),
        ("openai", {}, "needs the url"),
        ("openai", {"endpoints": []}, "needs the url"),
        ("openai", {"endpoints": [URL]}, "needs the url"),
        ("openai", {"endpoints": URL}, "a list of servers"),
        ("openai", {"endpoints": [{"url": URL}], "url": URL}, "Say url for each"),
        ("openai", {"endpoints": [{"url": URL}, {"url": URL + "/v1"}]}, "named once"),
        ("openai", {"endpoints": [{"url": URL, "timeout": 3}]}, "no option timeout"),
        ("openai", {"url": URL, "max_concurrency": 0}, "from 1 to 1024"),
        ("openai", {"url": URL, "max_concurrency": True}, "from 1 to 1024"),
        ("openai", {"url": URL, "max_concurrency": "8"}, "from 1 to 1024"),
        ("openai", {"url": URL, "timeout": 0}, "timeout is a number of seconds"),
        ("openai", {"url": URL, "timeout": float("nan")}, "timeout is a number of seconds"),
        ("openai", {"url": URL, "patience": "long"}, "patience is a number of seconds"),
        ("transformers", {"url": URL}, "no option url; known: device, dtype"),
        ("transformers", {"max_rows": 1.5}, "max_rows is a whole number"),
        ("pooling", {"url": URL}, "needs tokenizer"),
        ("pooling", {"tokenizer": "m"}, "needs the url"),
    ],
)
def test_a_wrong_option_is_refused_and_named(kind: str, options: dict[str, Any], text: str) -> None:
    with pytest.raises(BadEngine, match=text):
        check_options(kind, options)


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("openai", {"url": URL, "timeout": 30, "patience": 0.5, "api_key_env": "MY_KEY"}),
        ("transformers", {}),
        ("transformers", {"device": "cuda", "max_rows": 8}),
        # Names that only begin like secrets are vLLM's own.
        ("vllm", {"max_num_batched_tokens": 8192, "tokenizer_mode": "auto", "any": [1, {"x": 2}]}),
        ("pooling", {"url": [URL], "tokenizer": "m", "max_length": 4096, "batch_tokens": 1}),
    ],
)
def test_right_options_pass(kind: str, options: dict[str, Any]) -> None:
    check_options(kind, options)
