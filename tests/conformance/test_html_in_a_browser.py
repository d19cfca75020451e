"""The pages in headless Chromium: to look at, to go through, by keyboard and by screen reader."""

import copy
import json
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from micropie_conformance.document import parse
from micropie_conformance.html import write
from selenium.webdriver import Keys
from selenium.webdriver.common.by import By

from micropie.cli import main

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

AXE = (resources.files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")

# What axe finds wrong; what it cannot decide is left out.
PROBLEMS = """
const done = arguments[arguments.length - 1];
axe.run(document).then(
  (found) => done(found.violations.map((one) => [one.id, one.nodes.map((node) => node.html)])),
  (error) => done([[String(error), []]]),
);
"""

FAULTY = """
from micropie import ConnectionClosed, WebSocket

class Target(WebSocket):
    async def close(self, code=1000, reason=None):
        raise ValueError("<b>no</b> " + "x" * 300)
"""


class Reader:
    """Somebody before the browser."""

    def __init__(self, driver: "Chrome", folder: Path) -> None:
        self.driver = driver
        self._folder = folder

    def open(self, page: str) -> None:
        self.driver.get("about:blank")
        self.driver.get(f"{self._folder.as_uri()}/{page}")

    def run(self, script: str, *arguments: object) -> Any:
        return self.driver.execute_script(  # pyright: ignore[reportUnknownMemberType] - *args
            script, *arguments
        )

    def devtools(self, command: str, **arguments: object) -> None:
        self.driver.execute_cdp_cmd(  # pyright: ignore[reportUnknownMemberType] - a bare dict
            command, arguments
        )

    def look(self, width: int, scheme: str, media: str = "screen") -> None:
        """Have a window of this width, and prefer these colours."""
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.devtools("Emulation.setEmulatedMedia", media=media, features=features)
        self.devtools(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=844,
            deviceScaleFactor=1,
            mobile=width < 600,
        )

    def click(self, selector: str) -> None:
        self.driver.find_element(By.CSS_SELECTOR, selector).click()

    def rows(self) -> list[str]:
        """The clauses that the matrix shows."""
        rows: list[str] = self.run(
            "return [...document.querySelectorAll('tr[data-level]')]"
            ".filter((row) => row.checkVisibility()).map((row) => row.id)"
        )
        return rows

    def address(self) -> str:
        return self.driver.current_url.rpartition("/")[2]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pages of our own implementation, a faulty one, and one with every verdict there is."""
    folder = tmp_path_factory.mktemp("report")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        Path("impl.py").write_text(FAULTY)
        live = ["--live", "hypercorn:asyncio", "--depth", "1"]
        ours = ["--name", "Ours", "--json", "ours.json", *live]
        assert main(["verify", "micropie:WebSocket", *ours]) == 0
        options = ["--name", "Faulty <2>", "--depth", "1", "--case", "WS-SIGN", "WS-CLOSE"]
        assert main(["verify", "impl.py:Target", *options, "--json", "faulty.json"]) == 1
    results = [json.loads((folder / name).read_text()) for name in ("ours.json", "faulty.json")]
    every = copy.deepcopy(results[0]) | {"name": "Every"}
    verdicts = ["broken", "unreached", "server's", "not applicable", "fault"]
    for result, verdict in zip(every["results"], verdicts, strict=False):
        result |= {"verdict": verdict, "observed": "it waits", "wire": ["> text", "< close"]}
    every["results"][5] |= {"verdict": "broken", "declared": "as we like it"}
    # A few will do, of each door: axe takes long on long pages.
    every["results"] = [*every["results"][:12], *every["results"][-3:]]
    every["clauses"][-20]["cases"] = 0
    write([parse(result) for result in (*results, every)], str(folder))
    return folder


@pytest.fixture
def reader(browser: "Chrome", folder: Path) -> Iterator[Reader]:
    """A reader; the browser's console is empty, and nothing was fetched, at the end."""
    reader = Reader(browser, folder)
    # axe takes seconds, and many more where the machine is busy.
    browser.set_script_timeout(240)
    reader.look(1280, "light")
    browser.execute("getLog", {"type": "performance"})
    yield reader
    assert browser.execute("getLog", {"type": "browser"})["value"] == []
    messages = [
        json.loads(entry["message"])["message"]
        for entry in browser.execute("getLog", {"type": "performance"})["value"]
    ]
    requested = {
        message["params"]["request"]["url"].partition("#")[0]
        for message in messages
        if message["method"] == "Network.requestWillBeSent"
    }
    pages = {f"{folder.as_uri()}/{file.name}" for file in folder.glob("*.html")}
    assert requested
    assert requested <= pages | {"about:blank", "data:,"}


def test_from_the_matrix_to_what_was_observed_and_back(reader: Reader) -> None:
    reader.open("index.html")
    reader.click('[id="WS-CLOSE-001.faulty-2"] a')
    assert reader.address() == "faulty-2.html#WS-CLOSE-001"
    shown = reader.run("return document.querySelector(':target').innerText")
    assert "By default uses code 1000" in shown
    assert "ValueError('<b>no</b> x" in shown
    assert "call close()" in shown
    top = reader.run("return document.querySelector(':target').getBoundingClientRect().top")
    assert -1 <= top < 844
    # The program is there when it is asked for.
    program = "return document.querySelector(':target details details pre').checkVisibility()"
    assert not reader.run(program)
    reader.click(":target details details summary")
    assert reader.run(program)
    reader.click("nav a")
    assert reader.address() == "index.html"


@pytest.mark.parametrize("anchor", ["WS-CLOSE-001", "WS-CLOSE-001.ours"])
def test_rows_and_cells_can_be_linked_to(reader: Reader, anchor: str) -> None:
    reader.open(f"index.html#{anchor}")
    top, bottom = reader.run(
        "const { top, bottom } = document.querySelector(':target').getBoundingClientRect();"
        "return [top, bottom]"
    )
    assert 0 <= top < bottom <= 844


def test_a_link_to_a_case_opens_it(reader: Reader) -> None:
    reader.open("ours.html#WS-SIGN-001/makes-a-connection")
    assert reader.run("return document.querySelector(':target').open")
    reader.open("ours.html")
    assert not reader.run("return document.querySelector('section details').open")
    reader.run("location.hash = 'WS-SIGN-001/makes-a-connection'")
    assert reader.driver.execute_async_script(  # pyright: ignore[reportUnknownMemberType] - *args
        "setTimeout(() => arguments[0](document.querySelector(':target').open))"
    )


def test_filter(reader: Reader) -> None:
    reader.open("index.html")
    every = reader.rows()
    assert len(every) > 100
    status = "return document.querySelector('#shown').textContent"
    assert reader.run(status) == f"{len(every)} of {len(every)} clauses"
    for level in ("asgi", "robust", "info"):
        reader.click(f"input[value={level}]")
    documented = reader.run(
        "return [...document.querySelectorAll('[data-level=documented]')].map((row) => row.id)"
    )
    assert reader.rows() == documented
    reader.click("#problems")
    broken = reader.rows()
    assert "WS-CLOSE-001" in broken
    assert "WS-NEW-001" not in broken
    assert {*broken} < {*documented}
    assert reader.run(status) == f"{len(broken)} of {len(every)} clauses"
    # Areas without a row are not shown.
    assert not reader.run("return document.querySelector('#area-INFO').checkVisibility()")
    reader.click("button[type=reset]")
    reader.driver.execute_async_script(  # pyright: ignore[reportUnknownMemberType] - *args
        "setTimeout(arguments[0])"
    )
    assert reader.rows() == every


def test_by_keyboard(reader: Reader) -> None:
    reader.open("index.html")
    reader.run("document.querySelector('#filter input').focus()")
    reader.driver.switch_to.active_element.send_keys(Keys.SPACE)
    assert "WS-NEW-001" not in reader.rows()
    reader.driver.switch_to.active_element.send_keys(Keys.SPACE)
    reader.run("document.querySelector('button[type=reset]').focus()")
    reader.driver.switch_to.active_element.send_keys(Keys.TAB)
    # The matrix itself, so that the arrow keys scroll it; then what is in it.
    assert reader.driver.switch_to.active_element.accessible_name == "Matrix"
    reader.driver.switch_to.active_element.send_keys(Keys.TAB)
    names: list[str] = []
    for _ in range(7):
        names.append(reader.driver.switch_to.active_element.accessible_name)
        reader.driver.switch_to.active_element.send_keys(Keys.TAB)
    assert names == ["Ours", "Faulty <2>", "Every", "WS-SIGN-001", "passed", "passed", "broken"]
    reader.run("document.querySelector('[id=\"WS-CLOSE-001.faulty-2\"] a').focus()")
    reader.driver.switch_to.active_element.send_keys(Keys.ENTER)
    assert reader.address() == "faulty-2.html#WS-CLOSE-001"


@pytest.mark.parametrize(
    ("page", "width", "scheme"),
    [
        ("index.html", 390, "light"),
        ("index.html", 390, "dark"),
        ("index.html", 1280, "light"),
        ("index.html", 1280, "dark"),
        # What every page of an implementation may hold.
        ("every.html", 390, "light"),
        ("every.html", 1280, "dark"),
        ("faulty-2.html", 390, "dark"),
    ],
)
def test_the_pages_fit_and_can_be_read_by_all(
    reader: Reader, page: str, width: int, scheme: str
) -> None:
    reader.look(width, scheme)
    reader.open(page)
    ground = reader.run("return getComputedStyle(document.body).backgroundColor")
    assert (ground == "rgb(255, 255, 255)") == (scheme == "light")
    assert reader.run("return document.documentElement.scrollWidth <= innerWidth")
    assert reader.run("return document.body.scrollWidth <= document.body.clientWidth")
    reader.run(AXE)
    assert reader.driver.execute_async_script(PROBLEMS) == []  # pyright: ignore[reportUnknownMemberType] - *args


def test_in_print(reader: Reader) -> None:
    reader.look(800, "light", "print")
    reader.open("index.html")
    assert not reader.run("return document.querySelector('#filter').checkVisibility()")
    # Nothing is cut off.
    assert (
        reader.run(
            "return [...document.querySelectorAll('.scroll')]"
            ".filter((e) => getComputedStyle(e).overflow !== 'visible').length"
        )
        == 0
    )
    assert reader.run("return document.documentElement.scrollWidth <= innerWidth")
    assert len(reader.rows()) > 100


def test_what_a_cell_is_of_stays_in_sight(reader: Reader) -> None:
    reader.look(390, "light")
    reader.open("index.html#WS-CLOSE-001.every")
    rectangle = "const { left, right, top, bottom } = document.querySelector(arguments[0])" + (
        ".getBoundingClientRect(); return [left, right, top, bottom]"
    )
    _, row_end, _, _ = reader.run(rectangle, '[id="WS-CLOSE-001"] th')
    left, right, top, _ = reader.run(rectangle, ":target")
    assert 0 <= row_end <= left < right <= 390
    _, _, _, head = reader.run(rectangle, ".matrix thead th:last-child")
    assert 0 < head < top


def test_without_javascript(reader: Reader) -> None:
    reader.devtools("Emulation.setScriptExecutionDisabled", value=True)
    try:
        reader.open("index.html")
        reader.click('[id="WS-CLOSE-001.faulty-2"] a')
        assert reader.address() == "faulty-2.html#WS-CLOSE-001"
    finally:
        reader.devtools("Emulation.setScriptExecutionDisabled", value=False)
