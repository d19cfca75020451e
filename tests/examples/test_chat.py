"""The chat example's page in headless Chromium: two windows that talk to each other."""

import re
import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import pytest
from selenium.common.exceptions import TimeoutException
from selenium.webdriver import Chrome, Keys
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait

# What a reader needs in order to see a text: WCAG's contrast of each text that is shown.
CONTRASTS = """
const channels = (colour) => colour.match(/[\\d.]+/g).map(Number);
const luminance = (colour) => {
  const [r, g, b] = channels(colour)
    .map((c) => c / 255)
    .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const ground = (element) => {
  for (let e = element; e; e = e.parentElement) {
    const colour = getComputedStyle(e).backgroundColor;
    if ((channels(colour)[3] ?? 1) === 1) return colour;
  }
  return "rgb(255, 255, 255)";
};
return [...document.body.querySelectorAll("*")]
  .filter((e) => e.checkVisibility() && !e.matches("script, style"))
  .filter((e) => e.matches("input") || [...e.childNodes].some((n) => n.data?.trim()))
  .map((e) => {
    const [a, b] = [getComputedStyle(e).color, ground(e)].map(luminance).sort((x, y) => y - x);
    return [`${e.tagName} ${e.id} ${e.className} ${e.textContent}`, (a + 0.05) / (b + 0.05)];
  });
"""


@dataclass(frozen=True)
class Window:
    """One window of the browser, as somebody sits before it."""

    driver: Chrome
    handle: str

    def switch(self) -> Chrome:
        self.driver.switch_to.window(self.handle)
        return self.driver

    def open(self, url: str) -> None:
        self.switch().get(url)

    def run(self, script: str, *arguments: object) -> Any:
        return self.switch().execute_script(  # pyright: ignore[reportUnknownMemberType] - *args
            script, *arguments
        )

    def devtools(self, command: str, **arguments: object) -> None:
        self.switch().execute_cdp_cmd(  # pyright: ignore[reportUnknownMemberType] - a bare dict
            command, arguments
        )

    def find(self, selector: str) -> WebElement:
        return self.switch().find_element(By.CSS_SELECTOR, selector)

    def texts(self, selector: str) -> list[str]:
        """The visible texts of all that the selector matches, read at once."""
        script = "return [...document.querySelectorAll(arguments[0])].map((e) => e.innerText)"
        return [str(text) for text in self.run(script, selector)]

    def wait_for(self, selector: str, texts: list[str]) -> None:
        """Wait until exactly these texts are there."""
        wait = WebDriverWait(self.driver, 30, poll_frequency=0.05)
        try:
            wait.until(lambda _: self.texts(selector) == texts)
        except TimeoutException:
            assert self.texts(selector) == texts  # shows both
            raise

    def enter(self, name: str, room: str = "kitchen") -> None:
        """Go in through the door, as by hand."""
        for selector, text in (("#name", name), ("#where", room)):
            field = self.find(selector)
            field.clear()
            field.send_keys(text)
        self.find("#door button").click()
        self.wait_for("#status", [f"Connected as {name}"])

    def say(self, text: str) -> None:
        self.find("#text").send_keys(text, Keys.ENTER)

    def media(self, **features: str) -> None:
        """Make the window one of somebody who prefers dark colours, say."""
        wanted = [{"name": key.replace("_", "-"), "value": features[key]} for key in features]
        self.devtools("Emulation.setEmulatedMedia", features=wanted)

    def size(self, width: int, height: int) -> None:
        """Give the page this size in CSS pixels, whatever the window's least size is."""
        self.devtools(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 600,
        )


@pytest.fixture
def url(address: str, chat: ModuleType) -> str:
    """Where the example is being served."""
    return f"http://{address}"


@pytest.fixture
def window(browser: Chrome) -> Iterator[Callable[[], Window]]:
    """Opens windows; they are closed, and the browser's console is empty, at the end."""
    first = browser.window_handles[0]

    def new() -> Window:
        browser.switch_to.window(first)
        browser.switch_to.new_window("window")
        return Window(browser, browser.current_window_handle)

    yield new
    browser.switch_to.window(first)
    problems = browser.execute("getLog", {"type": "browser"})["value"]
    for handle in set(browser.window_handles) - {first}:
        browser.switch_to.window(handle)
        browser.close()
    browser.switch_to.window(first)
    assert problems == []


def test_two_windows_talk(url: str, window: Callable[[], Window]) -> None:
    ada, grace = window(), window()
    ada.open(url)
    ada.enter("Ada")
    grace.open(f"{url}/chat/kitchen")  # the link for friends: the room is filled in
    grace.find("#name").send_keys("Grace", Keys.ENTER)
    grace.wait_for("#status", ["Connected as Grace"])
    ada.wait_for(".notice", ["Ada joined", "Grace joined"])
    for one in (ada, grace):
        one.wait_for("#people li", ["Ada", "Grace"])
        assert one.texts("h1:not([hidden] *)") == ["kitchen"]

    grace.say("Tea?")
    ada.wait_for(".said .text", ["Tea?"])
    ada.find("#text").send_keys("Yes, please.")
    ada.find("#say button").click()
    for one in (ada, grace):
        one.wait_for(".said .text", ["Tea?", "Yes, please."])
        one.wait_for(".said b", ["Grace", "Ada"])
    assert ada.texts(".mine .text") == ["Yes, please."]
    assert grace.texts(".mine .text") == ["Tea?"]
    assert ada.run("return $('#text').value") == ""
    assert ada.switch().switch_to.active_element == ada.find("#text")

    grace.switch().close()
    ada.wait_for(".notice", ["Ada joined", "Grace joined", "Grace left"])
    ada.wait_for("#people li", ["Ada"])
    ada.find("a[href='/']").click()
    ada.wait_for("h1:not([hidden] *)", ["Chat"])


@pytest.mark.parametrize(
    ("name", "room"),
    [("<img src=x>", "<b>x</b>"), ("100% & 'co'?", "a/../b?c#d"), ("Zoë 李 🐈", "Café #1")],
)
def test_markup_is_shown_as_text(
    url: str, window: Callable[[], Window], name: str, room: str
) -> None:
    evil = "<script>window.hit = 1</script><img src=x onerror='window.hit = 1'>"
    ada = window()
    ada.open(url)
    # By script, since the driver types nothing beyond the basic plane.
    ada.run(
        "[$('#name').value, $('#where').value] = arguments; $('#door button').click()", name, room
    )
    ada.wait_for("#status", [f"Connected as {name}"])
    ada.wait_for("h1:not([hidden] *)", [re.sub(r"[\s/.]+", "-", room)])
    ada.say(evil)
    ada.wait_for(".said .text", [evil])
    assert ada.texts(".said b") == [name]
    assert ada.texts(".notice") == [f"{name} joined"]
    assert ada.texts("#log img, #log script, #people img, h1 b") == []
    assert ada.run("return window.hit") is None


def test_nothing_empty_is_sent_and_nothing_overlong(url: str, window: Callable[[], Window]) -> None:
    ada = window()
    ada.open(f"{url}/chat/kitchen?name=Ada")
    ada.wait_for(".notice", ["Ada joined"])
    ada.say("   ")
    ada.find("#text").clear()
    script = "$('#text').value = 'x'.repeat(arguments[0]); $('#say button').click()"
    ada.run(script, 2001)
    ada.wait_for(".notice", ["Ada joined", "Not sent: over 2000 characters."])
    ada.run(script, 2000)
    ada.wait_for(".said .text", ["x" * 2000])


@pytest.mark.parametrize("path", ["/chat/kitchen?name=", "/chat/?name=Ada", "/chat/%FF", "/"])
def test_the_door_asks_for_what_is_missing(
    url: str, window: Callable[[], Window], path: str
) -> None:
    ada = window()
    ada.open(url + path)
    ada.wait_for("h1:not([hidden] *)", ["Chat"])
    assert ada.switch().switch_to.active_element == ada.find("#name")
    ada.find("#name").clear()
    ada.find("#name").send_keys("  ", Keys.ENTER)
    assert ada.switch().current_url == url + path
    ada.find("#name").send_keys("Ada", Keys.ENTER)
    ada.wait_for("#status", ["Connected as Ada"])


def test_the_page_comes_back_after_the_server_was_away(
    serving: Callable[[socket.socket], AbstractContextManager[ModuleType]],
    listener: socket.socket,
    address: str,
    window: Callable[[], Window],
) -> None:
    ada = window()
    with serving(listener):
        ada.open(f"http://{address}/chat/kitchen?name=Ada")
        ada.wait_for("#status", ["Connected as Ada"])
        ada.run(
            "window.shown = [];"
            "new MutationObserver(() => shown.push($('#status').textContent))"
            ".observe($('#status'), { childList: true })"
        )
        ada.find("#text").send_keys("A draft")
    wait = WebDriverWait(ada.driver, 30, poll_frequency=0.05)
    wait.until(lambda _: len(ada.run("return shown")) >= 2)
    assert ada.texts("#people li") == []
    ada.find("#text").send_keys(Keys.ENTER)
    ada.wait_for("#status", ["Not sent: there is no connection yet."])
    with serving(listener):
        ada.wait_for("#status", ["Connected as Ada"])
        assert ada.run("return shown")[:2] == ["Disconnected. Trying again in 1 s.", "Connecting…"]
        ada.find("#text").send_keys(Keys.ENTER)
        ada.wait_for(".said .text", ["A draft"])


def test_the_log_follows_unless_one_reads_further_up(
    url: str, window: Callable[[], Window]
) -> None:
    ada, grace = window(), window()
    for one, name in ((ada, "Ada"), (grace, "Grace")):
        one.open(f"{url}/chat/kitchen?name={name}")
        one.wait_for("#status", [f"Connected as {name}"])
    below = (
        "return Math.round($('#log').scrollHeight - $('#log').scrollTop - $('#log').clientHeight)"
    )
    many = [f"Line {number}" for number in range(60)]
    grace.run("for ($('#text').value of arguments[0]) $('#say').requestSubmit()", many)
    ada.wait_for(".said .text", many)
    assert ada.run(below) <= 1
    ada.run("$('#log').scrollTop = 0")
    grace.say("One more")
    ada.wait_for(".said .text", [*many, "One more"])
    assert ada.run("return $('#log').scrollTop") == 0
    ada.say("Me too")
    ada.wait_for(".said .text", [*many, "One more", "Me too"])
    assert ada.run(below) <= 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("width", "height"), [(320, 560), (390, 844), (1280, 800)])
@pytest.mark.parametrize("path", ["/", "/chat/kitchen?name=Ada"])
def test_the_page_fits_and_can_be_read(
    url: str,
    window: Callable[[], Window],
    scheme: str,
    width: int,
    height: int,
    path: str,
) -> None:
    ada = window()
    ada.size(width, height)
    ada.media(prefers_color_scheme=scheme, prefers_reduced_motion="reduce")
    ada.open(url + path)
    if path != "/":
        ada.wait_for("#status", ["Connected as Ada"])
        long = "Donaudampfschifffahrt" * 20
        ada.say(long)
        ada.wait_for(".said .text", [long])
        assert ada.run("return $('#log').scrollWidth - $('#log').clientWidth") == 0
        assert ada.run("return document.getAnimations().length") == 0
        last = ada.run("return $('#say').getBoundingClientRect().bottom")
        assert last <= height
    assert ada.run("return document.documentElement.scrollWidth") == width
    contrasts = ada.run(CONTRASTS)
    assert len(contrasts) >= 7
    assert [(what, ratio) for what, ratio in contrasts if ratio < 4.5] == []


@pytest.mark.parametrize("path", ["/", "/chat/kitchen?name=Ada"])
def test_the_page_tells_assistive_technology_what_is_what(
    url: str, window: Callable[[], Window], path: str
) -> None:
    ada = window()
    ada.open(url + path)
    ada.wait_for("h1:not([hidden] *)", ["Chat" if path == "/" else "kitchen"])
    assert ada.find("html").get_attribute("lang") == "en"
    assert (
        len(
            ada.run(
                "return [...document.querySelectorAll('main')].filter((e) => e.checkVisibility())"
            )
        )
        == 1
    )
    unlabelled = "return [...document.querySelectorAll('input')].filter((e) => !e.labels.length)"
    assert ada.run(unlabelled) == []
    if path == "/":
        reached, focused = ["Your name", "Room", "Enter"], "#name"
    else:
        reached, focused = ["Link for friends", "Leave", "Messages", "Message", "Send"], "#invite"
        assert ada.find("#log").aria_role == "log"
        assert ada.find("#log").get_attribute("aria-live") == "polite"
        assert ada.find("#status").aria_role == "status"
    ada.run("$(arguments[0]).focus()", focused)
    names: list[str] = []
    for _ in reached:
        active = ada.switch().switch_to.active_element
        names.append(active.accessible_name)
        active.send_keys(Keys.TAB)
    assert names == reached
