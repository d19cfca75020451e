"""The main job on real input: `make demo`.

It checks an example, verifies our implementation and PyPI's `micropie` 0.32 (an independent one,
written by others from the same page), and compares what came out with what is known to be so.
It exits 0 when the outcome is the expected one, else 1.
"""

import asyncio
import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from upstream import VERSION, fetch

import micropie

ROOT = Path(__file__).resolve().parents[1]
BUILD = ROOT / "build" / "demo"
WORKERS = ("asyncio", "uvloop", "trio")

# What PyPI's micropie 0.32 does, by the clause that it breaks. Each was looked up in its source.
IN_MEMORY = {
    "WS-MSG-001": "receive_text() fails where a server sends both keys, as Hypercorn does",
    "WS-MSG-002": "receive_bytes() of an empty binary message fails there, too",
    "WS-REJECT-001": "close() before accept() sends nothing",
    "WS-GONE-001": "a second receive after the disconnect waits for ever",
    "WS-NEW-004": "a receive before accept() swallows the connect event",
    "WS-ACCEPT-003": "the header name Set-Cookie is not lower-case",
    "WS-ACCEPT-005": "an accept() that was broken off can never be finished",
    "WS-TASKS-002": "two accept() at once are not told apart",
}
LIVE = {
    "WS-WIRE-002": "close() before accept(): the client gets HTTP 500 instead of 403",
    "WS-WIRE-009": "receive_text() of a text message raises AttributeError",
    "WS-WIRE-011": "receive_text() of a binary message returns None",
    "WS-WIRE-013": "receive_bytes() of an empty binary message raises AttributeError",
    "WS-WIRE-021": "a second receive after the disconnect waits for ever",
}


def heading(words: str) -> None:
    """Set a part of the output apart."""
    print(f"\n=== {words} ===\n", flush=True)


def command(*arguments: str, output: Path | None = None) -> int:
    """Run `micropie` as a user would, and give its exit status."""
    print("$ micropie", *arguments, f"> {output.relative_to(ROOT)}" if output else "", flush=True)
    program = Path(sys.executable).with_name("micropie")
    if output is None:
        return subprocess.run([program, *arguments], cwd=ROOT, check=False).returncode
    with output.open("w", encoding="utf-8") as file:
        return subprocess.run([program, *arguments], cwd=ROOT, stdout=file, check=False).returncode


def verify_upstream(module: Path) -> list[str]:
    """Verify PyPI's micropie in memory and live; give what is not as expected."""
    target = f"{module.relative_to(ROOT)}:WebSocket"
    unexpected = []
    heading(f"PyPI's micropie {VERSION}: the documented and asgi clauses, in memory")
    if (status := command("verify", target, "--level=asgi")) != 1:
        unexpected.append(f"verify {target}: exit status {status} instead of 1")

    heading(f"PyPI's micropie {VERSION}: every clause, in memory and behind Hypercorn")
    report = BUILD / "upstream.json"
    arguments = ["verify", target, "--live=hypercorn:asyncio", f"--json={report.relative_to(ROOT)}"]
    if (status := command(*arguments, output=BUILD / "upstream.txt")) != 1:
        return [*unexpected, f"live, {target}: exit status {status} instead of 1"]
    results = json.loads(report.read_text(encoding="utf-8"))
    print(results["sentence"])
    broken = set(results["broken"])
    for place, known in (("in memory", IN_MEMORY), ("behind Hypercorn", LIVE)):
        print(f"\nKnown from its source, and found {place}:")
        for clause, words in known.items():
            print(f"  {clause:<14} {'' if clause in broken else 'NOT FOUND: '}{words}")
        unexpected += [f"{clause} was not found" for clause in known if clause not in broken]
    return unexpected


def root_answer(package: Any) -> str:
    """Ask an application that has a handler `ws_index` for `/`; give the type of its answer."""

    class Index(package.App):  # type: ignore[misc]  # PyPI's package has no types
        async def ws_index(self, ws: Any) -> None:
            await ws.accept()

    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "websocket.connect"}

    async def send(event: dict[str, Any]) -> None:
        sent.append(event)

    scope = {"type": "websocket", "path": "/", "query_string": b"", "headers": []}
    asyncio.run(Index()(scope, receive, send))
    return " ".join(str(value) for key, value in sent[0].items() if key != "headers")


def compare_index(module: Path) -> list[str]:
    """Compare what a client gets that connects to `/`; give what is not as expected."""
    heading("The application around it: who serves a client that connects to /")
    spec = importlib.util.spec_from_file_location("upstream_micropie", module)
    if spec is None or spec.loader is None:
        return [f"{module} cannot be loaded"]
    upstream = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(upstream)
    theirs, ours = root_answer(upstream), root_answer(micropie)
    print(f"with ws_index, PyPI's App answers {theirs}\nwith ws_index, our App answers    {ours}")
    reached = "websocket.accept"
    if ours.startswith(reached) and not theirs.startswith(reached):
        return []
    return ["ws_index at /: ours is to be reached, PyPI's is known not to be"]


def main() -> int:
    """Run the demo and give its exit status."""
    BUILD.mkdir(parents=True, exist_ok=True)
    unexpected: list[str] = []

    heading("Check handler code: examples/chat.py")
    if command("check", "examples/chat.py") != 0:
        unexpected.append("examples/chat.py has findings")

    heading("Verify our implementation: in memory, and behind Hypercorn on three workers")
    live = [f"--live=hypercorn:{worker}" for worker in WORKERS]
    if command("verify", "micropie:WebSocket", "--strict", *live) != 0:
        unexpected.append("micropie:WebSocket is not strictly conformant")

    heading("Verify an implementation that nobody here wrote")
    module = fetch(ROOT / "build" / "upstream")
    if module is None:
        print("So this part is left out.")
    else:
        unexpected += verify_upstream(module)
        unexpected += compare_index(module)

    heading("Outcome")
    for words in unexpected:
        print("unexpected:", words)
    if not unexpected:
        print("As expected: examples/chat.py has no findings, ours is strictly conformant,")
        print(
            "and the suite was not run on another."
            if module is None
            else "and the suite finds what another implementation breaks."
        )
    return 1 if unexpected else 0


if __name__ == "__main__":
    sys.exit(main())
