"""workflows/ca-onboarding, run step by step, with the lab as the authority."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.commands import Ran, Workshop, call, listing
from tests.support.scripts import WORKFLOWS, error, script

ONBOARDING = WORKFLOWS / "ca-onboarding" / "ca-onboarding.sh"
SUBJECT = "CN=Acme Release,O=Acme,C=DE"


@pytest.fixture
def shop(tmp_path: Path) -> Workshop:
    """A store without keys, and an authority."""
    (tmp_path / "work").mkdir()
    return Workshop.create(tmp_path)


def step(shop: Workshop, *arguments: str, **variables: str) -> Ran:
    given = {"SIGNKIT_HOME": str(shop.home), "SIGNKIT_ALIAS": "alias/release", "SIGNKIT_SUBJECT": SUBJECT}
    return script(ONBOARDING, *arguments, folder=shop.folder / "work", **{**given, **variables})


def issue(shop: Workshop, request: Path) -> None:
    shop.do("lab", "issue", shop.folder / "lab", request, "--out", shop.folder / "work" / "chain.pem", "--force")


def onboard(shop: Workshop, key: str, handover: str) -> None:
    """One round: request, the authority's answer, import."""
    work = shop.folder / "work"
    asked = step(shop, "request", SIGNKIT_HANDOVER=handover, GITHUB_OUTPUT=str(work / "output"))
    assert asked.status == 0, asked.out + asked.err
    assert f"key={key}\nhandover={handover}\n" in (work / "output").read_text()
    issue(shop, work / handover / "request.csr")
    bound = step(shop, "import", "chain.pem", SIGNKIT_KEY=key, SIGNKIT_TRUST=str(shop.root))
    assert bound.status == 0, bound.out + bound.err


def test_a_key_is_made_certified_and_rotated(shop: Workshop) -> None:
    onboard(shop, "alias/release@1", "handover")
    onboard(shop, "alias/release@2", "handover-2")
    artifact = shop.folder / "app.bin"
    artifact.write_bytes(b"artifact")
    for number, out in (("1", "first"), ("2", "second")):
        (shop.folder / out).mkdir()
        # The root came with the chain, so that the kit has its anchor.
        options = ("--out-dir", shop.folder / out, "--kit", shop.folder / out / "kit")
        shop.do("sign", artifact, "--key", f"alias/release@{number}", *options)


def test_handover_tells_the_authority_what_to_compare(shop: Workshop) -> None:
    assert step(shop, "request").status == 0
    listed = shop.do("version", "show", "alias/release@1", "--json").json()
    text = (shop.folder / "work" / "handover" / "README.txt").read_text()
    assert listed["public_key_sha256"] in text.replace(" ", "").replace("\n", "")
    assert "CN=Acme Release" in text
    assert call("csr", "check", shop.folder / "work" / "handover" / "request.csr").status == 0
    again = step(shop, "request")
    error(again, 4)  # the hand-over that was not sent yet is kept, and no version is made
    assert len(shop.do("version", "list", "alias/release", "--json").json()["versions"]) == 1


def test_a_foreign_authority_is_not_bound(shop: Workshop, tmp_path: Path) -> None:
    assert step(shop, "request").status == 0
    shop.do("lab", "create", tmp_path / "foreign")
    request = shop.folder / "work" / "handover" / "request.csr"
    shop.do("lab", "issue", tmp_path / "foreign", request, "--out", shop.folder / "work" / "chain.pem")
    done = step(shop, "import", "chain.pem", SIGNKIT_KEY="alias/release@1", SIGNKIT_TRUST=str(shop.root))
    assert done.status == 14, done.out + done.err
    assert shop.do("cert", "list", "--json").json()["certificates"] == []


def test_another_keys_certificate_is_not_bound(shop: Workshop) -> None:
    assert step(shop, "request").status == 0
    other = shop.new_key(name="other")
    issue(shop, shop.request(other))
    done = step(shop, "import", "chain.pem", SIGNKIT_KEY="alias/release@1", SIGNKIT_TRUST=str(shop.root))
    assert done.status == 4, done.out + done.err


@pytest.mark.parametrize(
    ("arguments", "variables", "status"),
    [
        ((), {}, 2),
        (("renew",), {}, 2),
        (("request", "more"), {}, 2),
        (("import",), {}, 2),
        (("request",), {"SIGNKIT_HOME": ""}, 2),
        (("request",), {"SIGNKIT_HOME": "absent"}, 3),
        (("request",), {"SIGNKIT_SUBJECT": ""}, 2),
        (("request",), {"SIGNKIT_ALIAS": ""}, 2),
        (("request",), {"SIGNKIT_PASSPHRASE_FILE": "absent"}, 3),
        (("import", "absent.pem"), {"SIGNKIT_KEY": "alias/release@1", "SIGNKIT_TRUST": "absent"}, 3),
        (("import", "absent.pem"), {"SIGNKIT_KEY": "alias/release@1"}, 2),
    ],
)
def test_what_is_missing_is_said_before_anything_is_made(
    arguments: tuple[str, ...], variables: dict[str, str], status: int, shop: Workshop
) -> None:
    before = listing(shop.folder / "work")
    error(step(shop, *arguments, **variables), status)
    assert listing(shop.folder / "work") == before
    assert shop.do("key", "list", "--json").json()["keys"] == []


def test_watch_tells_what_runs_out(shop: Workshop) -> None:
    if "expiry" not in call("cert", "--help").out:
        pytest.skip("this signkit has no 'cert expiry'")
    onboard(shop, "alias/release@1", "handover")
    assert step(shop, "watch").status == 0
    calendar = shop.folder / "work" / "expiry.ics"
    done = step(shop, "watch", SIGNKIT_WITHIN="3650d", SIGNKIT_CALENDAR="expiry.ics")
    assert done.status == 15, done.out + done.err
    assert "CN=Acme Release" in (found := step(shop, "watch", SIGNKIT_WITHIN="3650d").out + calendar.read_text()), found
    assert "BEGIN:VCALENDAR" in calendar.read_text()
