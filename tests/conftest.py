import os
import shutil
import signal
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

# The Pythons that tests start import the wheel too, even those that stand in the checkout.
os.environ["PYTHONSAFEPATH"] = "1"

# A job in the background, or under nohup, has these ignored, and so has all that it starts.
for number in (signal.SIGINT, signal.SIGHUP):
    if signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, signal.SIG_DFL)
if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def own_path() -> Iterator[None]:
    """What is verified in this process puts its folder on the path; other tests go without it."""
    before = sys.path.copy()
    yield
    sys.path[:] = before


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator["Chrome"]:
    """Headless Chromium; what pages write to its console can be asked for."""
    # Only who needs a browser waits for what drives it.
    from selenium.webdriver import Chrome, ChromeOptions
    from selenium.webdriver.chrome.service import Service

    chromium, chromedriver = shutil.which("chromium"), shutil.which("chromedriver")
    if chromium is None or chromedriver is None:
        pytest.skip("chromium and chromedriver are not installed (apt install chromium-driver)")
    options = ChromeOptions()
    options.binary_location = chromium
    for argument in (
        "headless=new",
        "no-sandbox",  # which root cannot have
        "disable-dev-shm-usage",  # which is small in containers
        "disable-gpu",
        "disable-quic",
        "no-first-run",
        "no-proxy-server",
        "disable-background-networking",
        "disable-component-update",
        "disable-sync",
        f"user-data-dir={tmp_path_factory.mktemp('chromium')}",
    ):
        options.add_argument(f"--{argument}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = Chrome(options, Service(chromedriver))
    yield driver
    driver.quit()
