"""Receivers that mean ill: what they answer, and how slowly, is nobody else's trouble."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from labeling.models import Delivery
from labeling.services import webhooks
from tests import factories as f
from workers import delivering, posting

pytestmark = pytest.mark.django_db
PEM = Path(__file__).parents[2] / "localhost.pem"


@pytest.fixture
def answering(settings):
    """Start a server that does this with each connection; return its port."""
    settings.WEBHOOK_PRIVATE_HOSTS = ["127.0.0.1", "localhost"]
    listeners = []

    def start(serve):
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)

        def loop():
            with contextlib.suppress(OSError):
                while True:
                    client, _ = listener.accept()
                    threading.Thread(target=one, args=(client,), daemon=True).start()

        def one(client):
            with contextlib.suppress(OSError), client:
                serve(client)

        threading.Thread(target=loop, daemon=True).start()
        return listener.getsockname()[1]

    yield start
    for listener in listeners:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def saying(words):
    def serve(client):
        client.recv(65536)
        client.sendall(words)

    return serve


def drip(client):
    for _ in range(60):
        client.sendall(b"H")
        time.sleep(0.1)


@pytest.mark.parametrize(
    "words", [b"\0oops\r\n\r\n", b"-ERR redis_version:7.2.4 requirepass\r\n", b"\xff\0" * 99]
)
def test_what_is_no_http_is_a_failure_of_which_only_the_kind_is_kept(words, answering):
    bad = f.DeliveryFactory(webhook__url=f"http://127.0.0.1:{answering(saying(words))}/")
    good_port = answering(saying(b"HTTP/1.1 204 No Content\r\n\r\n"))
    good = f.DeliveryFactory(webhook__url=f"http://127.0.0.1:{good_port}/")
    assert delivering.send_due() == 2
    bad.refresh_from_db()
    good.refresh_from_db()
    assert (bad.state, bad.reason) == ("waiting", "BadStatusLine")
    assert good.state == "delivered"


def test_an_error_that_nobody_foresaw_concludes_the_delivery_too(monkeypatch, caplog):
    def fail(*_):
        raise LookupError("what a stranger said")

    monkeypatch.setattr(delivering, "post", fail)
    delivery = f.DeliveryFactory()
    assert delivering.send_due() == 1
    delivery.refresh_from_db()
    assert (delivery.reason, delivery.lease_until) == ("LookupError", None)
    assert "what a stranger said" in caplog.text  # the operator's log has it


def test_a_reason_with_a_nul_can_be_kept():
    delivery = f.DeliveryFactory(attempts=1)
    webhooks.conclude(delivery=delivery, status=None, reason="a\0b", now=timezone.now())
    assert Delivery.objects.get().reason == "a\ufffdb"


def test_attempts_that_never_come_to_their_end_have_one():
    """Workers die of it, one after the other: it must not be claimed for ever."""
    now = timezone.now()
    f.DeliveryFactory()
    for _ in range(9):
        webhooks.claim(now=now)
        now += timedelta(seconds=61)
    stuck = Delivery.objects.get()
    assert (stuck.state, stuck.attempts) == ("waiting", 8)
    f.DeliveryFactory(attempts=8, lease_until=now + timedelta(seconds=9))  # at its last attempt
    webhooks.attend(now=now)
    failed = Delivery.objects.get(state="failed")
    assert (failed.pk, failed.reason) == (stuck.pk, "no attempt came to its end")


def test_a_receiver_cannot_let_the_time_run_out_during_the_handshake_and_then_drip(
    answering, monkeypatch
):
    """The time is over while TLS is shaking hands; the other side then ends that and drips."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(PEM)
    trusting = ssl.create_default_context(cafile=PEM)
    monkeypatch.setattr(posting.ssl, "create_default_context", lambda: trusting)

    def serve(client):
        time.sleep(0.8)
        with context.wrap_socket(client, server_side=True) as secured:
            drip(secured)

    monkeypatch.setattr(posting, "LONGEST", 1.0)
    slow_to_connect(monkeypatch, 0.3)
    assert seconds_of_failing(f"https://localhost:{answering(serve)}/") < 3


def test_time_that_is_over_before_there_is_a_connection_is_over(answering, monkeypatch):
    monkeypatch.setattr(posting, "LONGEST", 0.3)
    slow_to_connect(monkeypatch, 0.6)
    assert seconds_of_failing(f"http://127.0.0.1:{answering(drip)}/") < 3


def slow_to_connect(monkeypatch, seconds):
    real = socket.create_connection

    def connect(*place, **options):
        time.sleep(seconds)
        return real(*place, **options)

    monkeypatch.setattr(posting.socket, "create_connection", connect)


def seconds_of_failing(url):
    began = time.monotonic()
    with pytest.raises(posting.Unreachable):
        posting.post(url, b"{}", {}, ["127.0.0.1", "localhost"])
    return time.monotonic() - began
