"""The page in a real browser: ask, watch the answer come, click a citation, see the player move."""

import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import pytest
from fastapi import FastAPI
from playwright.sync_api import ConsoleMessage, Page, Request, expect, sync_playwright
from test_server import Served

from graphs.desk import Desk
from graphs.server.app import create_app

pytest_plugins = ("tiny_nkr", "tiny_library")

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


@contextmanager
def opened(app: FastAPI, *, answers: Sequence[str] = ()) -> Iterator[Page]:
    """The page, open in Chromium, where dialogs are answered with ``answers``, one after another.

    A request to another host, an error in the page or a dialog without an answer fails the test.
    """
    if CHROMIUM is None:
        pytest.skip("needs chromium (on Debian and Ubuntu: apt install chromium)")
    served = Served(app)
    left = list(answers)
    wrong: list[str] = []

    def said(message: ConsoleMessage) -> None:
        refused = answers and "401" in message.text
        if message.type == "error" and not refused:
            wrong.append(message.text)

    def asked(request: Request) -> None:
        if not request.url.startswith((served.url, "data:")):
            wrong.append(request.url)

    with sync_playwright() as browsers:
        browser = browsers.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        made = browser.new_page(viewport={"width": 1280, "height": 760})
        made.on("pageerror", lambda error: wrong.append(str(error)))
        made.on("console", said)
        made.on("request", asked)
        made.on("dialog", lambda dialog: dialog.accept(left.pop(0)))
        made.goto(served.url)
        yield made
        browser.close()
    served.stop()
    assert (wrong, left) == ([], [])


@pytest.fixture
def page(desk: Desk) -> Iterator[Page]:
    """The page of a server that needs no key."""
    with opened(create_app(desk)) as made:
        yield made


def until(holds: Callable[[], bool]) -> None:
    """Wait for something that the page does on its own."""
    end = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_asking_and_seeking(page: Page) -> None:
    page.get_by_text("lamp.mp4").click()
    expect(page.locator("#chapters .chip")).to_have_text(["00:00 The Lamp", "00:10 The Kettle"])
    page.fill("#question", "When is the kettle shown?")
    page.keyboard.press("Enter")
    answer = page.locator(".it").last
    expect(answer.locator("p")).to_have_text("00:12", timeout=20_000)
    chip = answer.locator(".cite").first
    expect(chip).to_have_text("00:10-00:20")
    chip.click()

    def time_shown() -> float:
        return page.evaluate("document.getElementById('player').currentTime")

    until(lambda: abs(time_shown() - 10.0) < 0.5)
    page.locator("#chapters .chip").first.click()
    until(lambda: time_shown() < 0.5)
    expect(answer.locator("details li").first).to_be_hidden()
    answer.locator("summary").click()
    expect(answer.locator("details li").last).to_have_text("answer from the weights")
    expect(answer.locator("summary")).to_contain_text("from the weights")


def test_a_key_is_asked_for_until_it_is_right(desk: Desk) -> None:
    with opened(create_app(desk, keys=["sésame"]), answers=["guessed", "sésame"]) as page:
        page.get_by_text("lamp.mp4").click()
        player = "document.getElementById('player')"
        until(lambda: page.evaluate(f"{player}.duration") > 10)
        page.fill("#question", "When is the kettle shown?")
        page.keyboard.press("Enter")
        expect(page.locator(".it").last.locator("p")).to_have_text("00:12", timeout=20_000)


def test_the_library_is_searched_and_all_videos_are_asked(page: Page) -> None:
    expect(page.locator(".card")).to_have_count(3)
    page.fill("#find", "kettle")
    expect(page.locator(".card b")).to_have_text(["lamp.mp4"])
    page.fill("#find", "")
    page.fill("#question", "Who walks to the quay of Lindmoor?")
    page.keyboard.press("Enter")
    answer = page.locator(".it").last
    expect(answer.locator("summary")).to_contain_text("harbour.mp4", timeout=20_000)
    expect(page.locator("#nofile")).to_be_visible()


def test_what_is_told_is_text_and_never_markup(page: Page) -> None:
    page.fill("#question", "<img src=x onerror=alert(1)>")
    page.keyboard.press("Enter")
    expect(page.locator(".you")).to_have_text("<img src=x onerror=alert(1)>")
    expect(page.locator("#said img")).to_have_count(0)
    expect(page.locator(".it details")).to_have_count(1, timeout=20_000)
