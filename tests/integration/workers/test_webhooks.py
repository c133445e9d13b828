"""Webhooks end to end: events, a real receiver, signatures verified as documented, bad days."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import socket
import threading
import time
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from django.utils import timezone

from labeling.domain.refusals import Invalid
from labeling.models import Delivery, Event, Webhook
from labeling.services import events, training, webhooks
from tests import factories as f
from tests.api import Api
from workers import delivering, posting

pytestmark = pytest.mark.django_db


class Receiver:
    """A server on loopback that keeps what it is sent; `answers`: statuses to give first."""

    def __init__(self) -> None:
        self.got, self.answers, self.drip = [], [], 0.0
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.got.append((self.path, dict(self.headers), body))
                if receiver.drip:
                    for _ in range(100):
                        self.wfile.write(b"H")
                        time.sleep(receiver.drip)
                    return
                status = receiver.answers.pop(0) if receiver.answers else 204
                self.send_response(status)
                self.send_header("Location", "http://169.254.169.254/")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}/hook?a=b"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def receiver(settings):
    settings.WEBHOOK_PRIVATE_HOSTS = ["127.0.0.1"]
    found = Receiver()
    yield found
    found.stop()


@pytest.fixture
def made(project, owner, receiver):
    return webhooks.create(
        by=owner, project=project, url=receiver.address,
        hooks=["run.finished", "snapshot.frozen", "model.promoted"],
    )  # fmt: skip


@pytest.fixture
def webhook(made):
    return made[0]


def happen(project, action="run done", **details):
    events.record(by=project.created_by, action=action, project=project, subject="abc", **details)


def later(**wait):
    """Let time pass for what waits."""
    moved = timezone.now() - timedelta(**wait)
    Delivery.objects.filter(state="waiting").update(due_at=moved, lease_until=None)


def verified(secret, headers, body) -> bool:
    """The recipe of docs/api.md."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
    fresh = abs(time.time() - int(headers["webhook-timestamp"])) < 300
    return fresh and hmac.compare_digest(f"v1,{expected}", headers["webhook-signature"])


def test_an_event_arrives_signed(made, receiver, project):
    _, secret = made
    happen(project)
    assert delivering.send_due() == 1
    ((path, headers, body),) = receiver.got
    assert path == "/hook?a=b"
    assert verified(secret, headers, body)
    assert not verified(secret, headers, body + b" ")
    message = json.loads(body)
    assert (message["type"], message["data"]) == ("run.finished", {"run": "abc", "state": "done"})
    assert message["project"] == {"uid": project.uid, "name": project.name}
    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.status, delivery.uid) == ("delivered", 204, message["id"])
    assert delivering.send_due() == 0


def test_the_secret_is_not_in_the_database(made):
    _, secret = made
    assert len(base64.b64decode(secret.removeprefix("whsec_"))) == 32
    stored = json.dumps({k: str(v) for k, v in vars(Webhook.objects.get()).items()})
    events_ = json.dumps(list(Event.objects.values_list("details", flat=True)))
    assert secret not in stored + events_
    assert webhooks.secret_of(webhook=Webhook.objects.get()) == secret


def test_only_what_was_asked_for_is_told_and_only_while_it_is_on(webhook, receiver, project, owner):
    other = f.ProjectFactory()
    happen(other)
    happen(project, action="run paused")
    webhooks.switch(by=owner, webhook=webhook, on=False)
    happen(project)
    assert not Delivery.objects.exists()
    webhooks.switch(by=owner, webhook=webhook, on=True)
    training.promote(
        by=owner, prm=f.PRMFactory(training_run__snapshot__project=project), now=timezone.now()
    )
    assert Delivery.objects.get().event == "model.promoted"


def test_what_is_undone_is_not_told(webhook, project):
    from django.db import transaction

    with transaction.atomic():
        happen(project)
        transaction.set_rollback(True)
    assert not Delivery.objects.exists()


def test_a_failure_is_tried_again_later_with_the_same_id_and_a_new_signature(
    made, receiver, project
):
    receiver.answers = [500, 302]
    happen(project)
    delivering.send_due()
    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.reason) == ("waiting", "answered 500")
    assert timedelta(seconds=8) < delivery.due_at - timezone.now() <= timedelta(seconds=10)
    assert delivering.send_due() == 0  # not yet
    later(seconds=1)
    delivering.send_due()
    assert Delivery.objects.get().reason == "answered 302"  # redirects lead nowhere
    later(seconds=1)
    delivering.send_due()
    assert Delivery.objects.get().state == "delivered"
    assert len(receiver.got) == 3
    assert len({headers["webhook-id"] for _, headers, _ in receiver.got}) == 1
    assert all(verified(made[1], headers, body) for _, headers, body in receiver.got)


def test_after_eight_attempts_it_is_given_up_until_somebody_sends_it_again(
    webhook, receiver, project, owner
):
    receiver.answers = [500] * 8
    happen(project)
    for _ in range(9):
        later(seconds=1)
        delivering.send_due()
    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.attempts, len(receiver.got)) == ("failed", 8, 8)
    webhooks.send_again(by=owner, delivery=delivery, now=timezone.now())
    delivering.send_due()
    assert Delivery.objects.get().state == "delivered"


def test_a_worker_killed_before_it_noted_the_answer_sends_again_with_the_same_id(
    webhook, receiver, project, monkeypatch
):
    happen(project)
    with monkeypatch.context() as patch:
        patch.setattr(webhooks, "conclude", lambda **_: (_ for _ in ()).throw(SystemExit))
        with pytest.raises(SystemExit):
            delivering.send_due()
    assert delivering.send_due() == 0  # the dead worker's lease still holds
    Delivery.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert delivering.send_due() == 1
    one, two = (headers["webhook-id"] for _, headers, _ in receiver.got)
    assert one == two


def test_a_late_worker_changes_nothing(webhook, receiver, project):
    happen(project)
    late = webhooks.claim(now=timezone.now())
    Delivery.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    delivering.send_due()
    webhooks.conclude(delivery=late, status=None, reason="late", now=timezone.now())
    assert Delivery.objects.get().state == "delivered"


def test_nothing_private_is_asked_whatever_its_name_says(project, owner, settings, receiver):
    settings.WEBHOOK_PRIVATE_HOSTS = []
    for url in (receiver.address, "http://localhost/", "http://169.254.169.254/latest/meta-data"):
        with pytest.raises(Invalid):
            webhooks.create(by=owner, project=project, url=url, hooks=["run.finished"])
    row = f.WebhookFactory(project=project, url="http://rebound.example/")
    for address in ("127.0.0.1", "10.1.2.3", "::1", "::ffff:10.0.0.1"):
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        answer = [
            (family, socket.SOCK_STREAM, 6, "", ("8.8.8.8", 80)),
            (family, socket.SOCK_STREAM, 6, "", (address, 80)),
        ]
        delivery = f.DeliveryFactory(webhook=row)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(posting.socket, "getaddrinfo", lambda *_, a=answer, **__: a)
            delivering.send_due()
        delivery.refresh_from_db()
        assert delivery.reason == "rebound.example is no public address"
    assert receiver.got == []


def test_the_connection_goes_to_the_address_that_was_looked_at(receiver, monkeypatch):
    """A name that leads elsewhere when it is asked a second time is not asked a second time."""
    port, asked = receiver.server.server_port, []

    def resolve(host, *_, **__):
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    monkeypatch.setattr(posting.socket, "getaddrinfo", resolve)
    monkeypatch.setattr(posting, "is_public", lambda address: True)
    connected = []
    real = socket.create_connection

    def connect(address, **options):
        connected.append(address)
        return real(address, **options)

    monkeypatch.setattr(posting.socket, "create_connection", connect)
    assert posting.post(f"http://hooks.example:{port}/", b"{}", {}, []) == 204
    assert connected == [("127.0.0.1", port)]
    assert asked[0] == "hooks.example"
    assert receiver.got[0][1]["Host"] == f"hooks.example:{port}"


def test_a_receiver_that_drips_is_cut_off(receiver, monkeypatch):
    monkeypatch.setattr(posting, "LONGEST", 0.5)
    receiver.drip = 0.1
    began = time.monotonic()
    with pytest.raises(posting.Unreachable):
        posting.post(receiver.address, b"{}", {}, ["127.0.0.1"])
    assert time.monotonic() - began < 5


def test_nobody_answers(settings, project):
    settings.WEBHOOK_PRIVATE_HOSTS = ["127.0.0.1"]
    f.DeliveryFactory(webhook__url="http://127.0.0.1:1/", webhook__project=project)
    delivering.send_due()
    assert "Connection refused" in Delivery.objects.get().reason


@pytest.mark.django_db(transaction=True)
def test_a_bell_sends_beside_the_workers_own_work(webhook, receiver, project):
    happen(project)
    delivering.begin()
    deadline = time.monotonic() + 10
    while Delivery.objects.get().state != "delivered" and time.monotonic() < deadline:
        time.sleep(0.05)
    assert Delivery.objects.get().state == "delivered"
    for thread in threading.enumerate():
        if thread.name == "webhooks":
            thread.join(5)


def test_what_is_due_is_rung_for_and_old_deliveries_are_forgotten(monkeypatch):
    rung = []
    monkeypatch.setattr(webhooks.dispatch, "ring", lambda task, *_, **__: rung.append(task))
    webhooks.attend(now=timezone.now())
    assert rung == []
    f.DeliveryFactory()
    old = f.DeliveryFactory(state="failed", reason="gone")
    Delivery.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(days=31))
    webhooks.attend(now=timezone.now())
    assert rung == ["workers.deliver"]
    assert Delivery.objects.count() == 1


def test_webhooks_over_the_api(project, manager, viewer, outsider, owner, receiver):
    api = Api(project)
    body = {"url": receiver.address, "events": ["run.finished"]}
    made = api(manager, "post", "webhooks", body)
    assert made.status_code == 201
    assert made.json()["secret"].startswith("whsec_")
    uid = made.json()["uid"]
    assert "secret" not in api(manager, "get", f"webhooks/{uid}").json()
    assert api(manager, "post", "webhooks", body).status_code == 400
    assert api(manager, "post", f"webhooks/{uid}/test").json()["event"] == "ping"
    delivering.send_due()
    (row,) = api(manager, "get", f"webhooks/{uid}/deliveries").json()["results"]
    assert (row["state"], row["status"]) == ("delivered", 204)
    off = api(manager, "patch", f"webhooks/{uid}", {"active": False}).json()
    assert off["active"] is False
    for method, path, given in (
        ("get", "webhooks", None), ("post", "webhooks", body), ("get", f"webhooks/{uid}", None),
        ("patch", f"webhooks/{uid}", {"active": True}), ("delete", f"webhooks/{uid}", None),
        ("get", f"webhooks/{uid}/deliveries", None), ("post", f"webhooks/{uid}/test", {}),
    ):  # fmt: skip
        assert api(outsider, method, path, given).status_code == 404
        assert api(viewer, method, path, given).status_code == 403
        assert api(owner, method, path, given, scopes=("read", "run")).status_code == 403
    assert api(manager, "delete", f"webhooks/{uid}").status_code == 204
    assert not Webhook.objects.exists()
