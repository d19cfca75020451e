"""PyPI's `micropie` 0.32, for comparison: an implementation of the same page that others wrote.

It is one untyped file and imports under the same name as this package, so it is never installed,
only unpacked and loaded by its path.
"""

import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

__all__ = ["VERSION", "fetch"]

VERSION = "0.32"


def fetch(folder: Path) -> Path | None:
    """Download it into `folder`, unless it is there, and give the path of its one file.

    Returns:
        The path of `micropie.py`; None, after a line that says why, when the package index cannot
        be reached.
    """
    module = folder / "micropie.py"
    if module.exists():
        return module
    folder.mkdir(parents=True, exist_ok=True)
    requirement = f"micropie=={VERSION}"
    print(f"Fetching {requirement} ...", flush=True)
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest"]
    done = subprocess.run(
        [*command, str(folder), "--disable-pip-version-check", "--only-binary=:all:", requirement],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        why = done.stderr.strip().splitlines()[-1:] or ["pip failed"]
        print(f"The package index did not give {requirement}: {why[0]}")
        return None
    with ZipFile(next(folder.glob("*.whl"))) as wheel:
        wheel.extract(module.name, folder)
    return module
