"""Authorities that lie, dawdle or are not there: each is refused with its reason, and the next one is asked."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from signkit.der import oids
from signkit.errors import UnavailableError, UsageError
from signkit.lab import timestamping
from signkit.lab.authority import Authority
from signkit.net import http
from signkit.net.http import HttpClient
from signkit.net.tsa import PAUSES, HttpTimestampAuthority
from signkit.operations.timestamp import SignatureStamper, Stamping, StampOptions
from signkit.tsp import request, response
from tests.support import pki, tsa
from tests.support.http_server import Handler, Server, answer
from tests.support.tsa import Token

VALUE = b"a signature value"
REPLY = "application/timestamp-reply"
ANCHORS = StampOptions(trust_anchors=(pki.chain().root,))


@dataclass
class Fake:
    """An authority that answers with a token by the test authority, honest unless told otherwise."""

    changes: dict[str, Any]
    url: str = "http://fake/"
    asked: int = 0

    def ask(self, data: bytes) -> bytes:
        self.asked += 1
        if "raw" in self.changes:
            return self.changes["raw"]
        wanted = request.decode(data)
        changes = dict(self.changes)
        fields = (("nonce", wanted.nonce), *changes.pop("fields", ()))
        usual = {"time": pki.NOW, "fields": tuple(dict(fields).items())}
        return response.granted(Token(**{"stamped": VALUE} | usual | changes).encode()).encode()


def stamping(*authorities: Fake, options: StampOptions = ANCHORS) -> Stamping:
    return Stamping(authorities, options, clock=lambda: pki.NOW, random=os.urandom)


@pytest.mark.parametrize("options", [ANCHORS, StampOptions(), ANCHORS._replace(policy=tsa.POLICY)])
def test_an_honest_one(options: StampOptions) -> None:
    stamp = stamping(Fake({}), options=options).stamp(VALUE)
    assert (stamp.time, stamp.url, str(stamp.authority.subject)) == (pki.NOW, "http://fake/", tsa.TSA)


EXPIRED = {"not_before": pki.NOW - timedelta(days=30), "not_after": pki.NOW - timedelta(days=1)}
LIES: dict[str, tuple[dict[str, Any], str]] = {
    "wrong nonce": ({"fields": (("nonce", 1),)}, "timestamp.nonce"),
    "no nonce": ({"fields": (("nonce", None),)}, "nonce is none"),
    "another value": ({"stamped": b"another"}, "timestamp.message-imprint"),
    "another digest": ({"digest": "sha512"}, "made with sha512, expected sha256"),
    "no signing-certificate": ({"binding": ()}, "timestamp.signing-certificate"),
    "signed by another key": ({"key": 9}, "timestamp.signature"),
    "without certificates": ({"certificate": tsa.certificate(number=21), "key": 20, "bag": ()}, "timestamp.signature"),
    "expired": ({"certificate": tsa.certificate(**EXPIRED)}, "valid"),
    "for code signing": ({"certificate": tsa.certificate(purposes=(oids.CODE_SIGNING,))}, "timeStamping alone"),
    "for more than stamping": (
        {"certificate": tsa.certificate(purposes=(oids.TIME_STAMPING, oids.CODE_SIGNING))},
        "timeStamping alone",
    ),
    "not critical": ({"certificate": tsa.certificate(critical=False)}, "expected critical"),
    "the past": ({"time": pki.NOW - timedelta(minutes=6)}, "the clock of the authority or of this machine"),
    "the future": ({"time": pki.NOW + timedelta(minutes=6)}, "the clock of the authority or of this machine"),
    "rejected": (
        {"raw": response.rejected(response.BAD_ALGORITHM, "no such").encode()},
        "rejected, .*badAlg.*'no such'",
    ),
    "granted without token": ({"raw": response.TimeStampResponse(0).encode()}, "without a token"),
    "no response": ({"raw": b"<html>"}, "found 6 bytes, expected a timestamp response"),
    "nothing": ({"raw": b""}, "found 0 bytes, expected"),
}


@pytest.mark.parametrize("anchors", [True, False])
@pytest.mark.parametrize("lie", LIES)
def test_lies(lie: str, anchors: bool) -> None:
    changes, reason = LIES[lie]
    liar, honest = Fake(changes, "http://liar/"), Fake({})
    options = ANCHORS if anchors else StampOptions()
    with pytest.raises(UnavailableError, match=f"no timestamp: 'http://liar/': .*({reason})"):
        stamping(liar, options=options).stamp(VALUE)
    assert stamping(liar, honest, options=options).stamp(VALUE).url == honest.url


def test_another_policy_than_asked_for() -> None:
    with pytest.raises(UnavailableError, match=r"timestamp\.policy"):
        stamping(Fake({}), options=ANCHORS._replace(policy="1.2.3")).stamp(VALUE)


def test_another_root() -> None:

    lab = Authority.create(datetime.now(UTC), os.urandom)

    options = StampOptions(trust_anchors=(lab.root.certificate.der,))
    with pytest.raises(UnavailableError, match=r"timestamp\.path"):
        stamping(Fake({}), options=options).stamp(VALUE)


@pytest.mark.parametrize(("policy", "digest"), [("1", "sha256"), ("x.y", "sha256"), ("3.1", "sha256"), ("", "md5")])
def test_what_cannot_be_asked_for(policy: str, digest: str) -> None:
    with pytest.raises(UsageError):
        stamping(Fake({}), options=StampOptions(policy=policy, digest=digest))
    with pytest.raises(UsageError):
        stamping()


def test_optional_gives_up_once_and_says_so() -> None:
    dead = Fake({"raw": b""})
    stamper = SignatureStamper(stamping(dead), optional=True)
    assert not any(stamper(VALUE).unsigned_attributes for _ in range(3))
    assert dead.asked == 1
    assert len(stamper.notices) == 1 and "without a timestamp" in stamper.notices[0]


# --- over HTTP ---


def ask(handler: Handler, **limits: Any) -> tuple[UnavailableError, Server, list[float]]:
    pauses: list[float] = []
    with Server({"/tsa": handler}) as server:
        authority = HttpTimestampAuthority(server.url("/tsa"), HttpClient(**limits), pause=pauses.append)
        with pytest.raises(UnavailableError) as error:
            authority.ask(b"request")
    return error.value, server, pauses


def dawdle() -> Handler:
    def handler(_request: bytes, connection: socket.socket) -> None:
        connection.settimeout(3)
        connection.recv(1)  # until the client gives up

    return handler


@pytest.mark.parametrize(
    ("handler", "reason"),
    [
        (answer(b"<html>no</html>", media_type="text/html"), "an answer of type text/html, expected"),
        (answer(bytes(2000), media_type=REPLY), "an answer of 2000 bytes, expected at most 1000"),
        (answer(b"", "302 Found", "Location: file:///etc/passwd"), "redirected to 'file:///etc/passwd'"),
        (answer(b"", "301 Moved", "Location: https://elsewhere/"), "redirected to 'https://elsewhere/'"),
        (answer(b"", "403 Forbidden"), "status 403"),
        (dawdle(), "no answer"),
    ],
)
def test_a_definite_failure_is_not_tried_again(handler: Handler, reason: str) -> None:
    error, server, pauses = ask(handler, maximum_bytes=1000, timeout_seconds=0.5)
    assert reason in error.message and "/tsa" in error.message
    assert len(server.requests) == 1 and pauses == []


def test_a_busy_server_is_asked_again() -> None:
    error, server, pauses = ask(answer(b"", "503 Busy"))
    assert error.code == http.TRANSIENT and "status 503" in error.message
    assert len(server.requests) == 1 + len(PAUSES) and tuple(pauses) == PAUSES


def test_nobody_there_is_asked_again_and_then_the_next() -> None:
    lab = Authority.create(datetime.now(UTC), os.urandom)
    good = timestamping.create(lab, clock=lambda: datetime.now(UTC), random=os.urandom)
    pauses: list[float] = []

    def reply(data: bytes, connection: socket.socket) -> None:
        assert b"content-type: application/timestamp-query" in data.lower()
        answer(good.answer(data.partition(b"\r\n\r\n")[2]), media_type=REPLY)(data, connection)

    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with Server({"/tsa": reply}) as server:
        urls = (f"http://127.0.0.1:{port}/", server.url("/tsa"))
        asked = [HttpTimestampAuthority(url, HttpClient(), pause=pauses.append) for url in urls]
        options = StampOptions(trust_anchors=(lab.root.certificate.der,))
        made = Stamping(asked, options, clock=lambda: datetime.now(UTC), random=os.urandom)
        assert made.stamp(VALUE).url == urls[1]
    assert tuple(pauses) == PAUSES


def test_the_reason_of_each_is_kept() -> None:
    dead = [Fake({"raw": b""}, f"http://{name}/") for name in "ab"]
    with pytest.raises(UnavailableError) as error:
        stamping(*dead).stamp(VALUE)
    assert "'http://a/'" in error.value.message and "'http://b/'" in error.value.message
    assert error.value.exit_status == 3 and error.value.hint
