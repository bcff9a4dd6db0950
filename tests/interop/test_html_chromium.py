"""The HTML report in a browser: it fits small and large windows, can be used by keyboard, and nothing hostile runs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from signkit.report import html
from tests.support.chromium import PROGRAM, Browser, browser
from tests.support.components import need_component
from tests.support.sample_report import HOSTILE, artifact, check, document, refused

PAGES = {
    "accepted": document(artifact("good.bin", check("artifact.digest"))),
    "refused": document(artifact("good.bin", check("artifact.digest")), refused()),
    "hostile": document(refused(HOSTILE, subject=HOSTILE), refused("x" * 500, subject="CN=" + "y" * 500)),
}


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    need_component(PROGRAM)
    with browser(tmp_path_factory.mktemp("profile")) as running:
        yield running


@pytest.fixture(params=PAGES)
def page(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / f"{request.param}.html"
    text = html.render(PAGES[request.param], ["signkit verify " + "long-name/" * 40])
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("width", [360, 1280])
def test_nothing_overflows(chromium: Browser, page: Path, width: int) -> None:
    chromium.open(page, width)
    chromium.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    wide = "[...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > innerWidth + 1)"
    assert chromium.evaluate(f"{wide}.map(e => e.tagName + ' ' + e.textContent.slice(0, 40))") == []
    assert chromium.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert chromium.evaluate("document.querySelector('h1').getBoundingClientRect().height > 0")


def test_nothing_runs_and_nothing_is_loaded(chromium: Browser, page: Path) -> None:
    chromium.open(page, 1280)
    assert chromium.evaluate("typeof top.ran") == "undefined"
    assert chromium.evaluate("document.scripts.length") == 0
    assert chromium.requested() == [page.as_uri()]
    told = [event["params"]["entry"]["text"] for event in chromium.events if event.get("method") == "Log.entryAdded"]
    assert not [text for text in told if "Content Security Policy" in text]  # the style sheet itself is allowed
    assert chromium.evaluate("getComputedStyle(document.querySelector('header')).borderTopWidth") == "3px"


def test_the_policy_of_the_page_stops_what_was_not_escaped(chromium: Browser, tmp_path: Path) -> None:
    broken = tmp_path / "broken.html"
    whole = html.render(PAGES["accepted"])
    broken.write_text(whole.replace("</main>", "<script>top.ran=1</script><img src=x onerror='top.ran=2'></main>"))
    chromium.open(broken, 1280)
    assert chromium.evaluate("typeof top.ran") == "undefined"


def test_it_can_be_used_by_keyboard(chromium: Browser, page: Path) -> None:
    chromium.open(page, 1280)
    seen, opened = [], False
    for _step in range(12):
        chromium.press("Tab", 9)
        tag = chromium.evaluate("document.activeElement.tagName")
        seen.append(tag)
        if tag == "SUMMARY" and not opened:
            before = chromium.evaluate("document.activeElement.parentElement.open")
            chromium.press("Enter", 13)
            assert chromium.evaluate("document.activeElement.parentElement.open") is not before
            opened = True
    assert seen[0] == "A" and opened
    assert chromium.evaluate("document.querySelector('a.skip').getAttribute('href')") == "#artifacts"
