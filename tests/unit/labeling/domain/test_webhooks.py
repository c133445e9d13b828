"""What webhooks are told, how it is signed, and which addresses may be named."""

from __future__ import annotations

import base64

import pytest

from labeling.domain.refusals import Invalid
from labeling.domain.webhooks import Hook, signature, split_url, told, wait_after


def test_a_signature_is_that_of_the_standard():
    # the example of https://www.standardwebhooks.com, computed there
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    body = '{"test": 2432232314}'
    found = signature(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body)
    assert found == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_it_depends_on_every_part():
    secret = "whsec_" + base64.b64encode(b"k" * 32).decode()
    other = "whsec_" + base64.b64encode(b"l" * 32).decode()
    found = {
        signature(secret, "a", 1, "x"), signature(secret, "b", 1, "x"),
        signature(secret, "a", 2, "x"), signature(secret, "a", 1, "y"),
        signature(other, "a", 1, "x"),
    }  # fmt: skip
    assert len(found) == 5


@pytest.mark.parametrize(
    ("action", "hook", "data"),
    [
        ("run done", Hook.RUN_FINISHED, {"run": "u", "state": "done"}),
        ("run failed", Hook.RUN_FINISHED, {"run": "u", "state": "failed", "reason": "gone"}),
        ("snapshot frozen", Hook.SNAPSHOT_FROZEN, {"snapshot": "u", "content_hash": "abc"}),
        ("PRM promoted", Hook.MODEL_PROMOTED, {"model": "u", "f1": 0.5}),
    ],
)
def test_some_events_are_told(action, hook, data):
    details = {key: data[key] for key in ("reason", "content_hash", "f1") if key in data}
    assert told(action, "u", {**details, "secret": "x"}) == (hook, data)


@pytest.mark.parametrize("action", ["run paused", "verdict submitted", "token issued", "f1"])
def test_others_are_not(action):
    assert told(action, "u", {}) is None


def test_attempts_come_ever_later_and_end():
    # 10 s, 1 min, 5 min, 30 min, 2 h, 6 h, 12 h: eight attempts in all
    waits = [wait_after(n) for n in range(1, 9)]
    assert waits == [10, 60, 300, 1800, 7200, 21_600, 43_200, None]


@pytest.mark.parametrize(
    "url",
    ["https://example.org/a?b=c", "http://example.org:8080", "https://8.8.8.8/", "http://here/x"],
)
def test_addresses_that_may_be_named(url):
    assert split_url(url, frozenset({"here"})).hostname


@pytest.mark.parametrize(
    "url",
    [
        "", "example.org", "ftp://example.org", "file:///etc/passwd", "https://", "http:///x",
        "https://user:pw@example.org", "https://example.org/#a", "https://exa mple.org",
        "https://example.org/\r\nX: y", "https://münchen.example", "https://example.org:99999",
        "http://[::1", "http://localhost/", "http://127.0.0.1/", "http://169.254.169.254/latest",
        "http://[::1]/", "http://[::ffff:127.0.0.1]/", "http://127.1/", "http://2130706433/",
        "https://example.org/" + "a" * 500,
    ],
)  # fmt: skip
def test_addresses_that_may_not(url):
    with pytest.raises(Invalid):
        split_url(url, frozenset())
