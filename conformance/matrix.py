"""Hold WebSocket classes of others to the contract, and write what was found: `make matrix`.

Each class has an adapter in conformance/adapters. conformance/results gets one document for each,
which changes only when the class, the suite or Python does; the page of them all is written to
build/matrix. docs/matrix.md says in words what was found.
"""

import json
import subprocess
import sys
import sysconfig
from importlib.metadata import version
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ADAPTERS = HERE / "adapters"
RESULTS = HERE / "results"
ROOT = HERE.parent
COMMAND = [sys.executable, "-m", "micropie"]

# By the name of the adapter: what its users call it, and the distribution that has it.
PEERS = {
    "starlette": ("Starlette", "starlette"),
    "litestar": ("Litestar", "litestar"),
    "quart": ("Quart", "quart"),
    "falcon": ("Falcon", "falcon"),
    "blacksheep": ("BlackSheep", "blacksheep"),
    "channels": ("Django Channels", "channels"),
    "pypi": ("PyPI's micropie", "micropie"),
}


def arguments(peer: str) -> list[str]:
    """Give what `micropie verify` is called with for one of PEERS, in the checkout's root."""
    adapter = (ADAPTERS / f"{peer}_adapter.py").relative_to(ROOT)
    name, distribution = PEERS[peer]
    return [
        *(f"{adapter}:WebSocket", "--name", f"{name} {version(distribution)}"),
        *("--live", "hypercorn:asyncio", "--depth", "2"),
    ]


def lasting(document: dict[str, Any]) -> dict[str, Any]:
    """Give a document without what differs from run to run, and without how cases passed."""
    site = f"{Path(sysconfig.get_path('purelib')).relative_to(ROOT)}/"
    for field in ("implementation", "closed"):
        document[field] = document[field].replace(site, "")
    for result in document["results"]:
        live = result["door"] not in ("memory", "explored:2")
        if live or result["verdict"] == "passed":
            # Over sockets, the two sides tell what they do in any order.
            result["trace"], result["wire"] = [], []
        # `micropie verify --repro` prints it.
        result["repro"] = ""
    return document


def main() -> int:
    """Verify each, and give the exit status: 1 where one could not be."""
    RESULTS.mkdir(exist_ok=True)
    for peer in PEERS:
        command = [*COMMAND, "verify", *arguments(peer), "--json", "-"]
        done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=False)
        if done.returncode not in (0, 1):
            return 1
        document = lasting(json.loads(done.stdout))
        path = RESULTS / f"{peer}.json"
        before: dict[str, Any] = (
            json.loads(path.read_text(encoding="ascii")) if path.exists() else {}
        )
        if {**before, "date": ""} != {**document, "date": ""}:
            path.write_text(json.dumps(document, indent=1) + "\n", encoding="ascii")
    results = [str(path.relative_to(ROOT)) for path in sorted(RESULTS.glob("*.json"))]
    page = [*COMMAND, "report", *results, "--html", "build/matrix"]
    return 1 if subprocess.run(page, cwd=ROOT, check=False).returncode else 0


if __name__ == "__main__":
    sys.exit(main())
