"""Where files are, as Python's imports see it."""

import os
from pathlib import Path

__all__ = ["absolute", "import_root"]


def absolute(path: Path) -> Path:
    """Give a path from the top. Unlike Path.resolve, it follows no links, as Python's imports."""
    return Path(os.path.abspath(path))


def import_root(file: Path) -> Path:
    """Give the folder that a file is imported from: of one in a package, that which holds it."""
    folder = absolute(file).parent
    while folder.name.isidentifier() and (folder / "__init__.py").exists():
        folder = folder.parent
    return folder
