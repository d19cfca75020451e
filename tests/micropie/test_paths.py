"""A file's path from the top, and the folder that it is imported from."""

from pathlib import Path

import pytest

from micropie._paths import absolute, import_root


def test_a_path_from_the_top_follows_no_links(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("real").mkdir()
    Path("link").symlink_to("real", target_is_directory=True)
    assert absolute(Path("link/../link/chat.py")) == tmp_path / "link" / "chat.py"


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("chat.py", "."),
        ("plain/chat.py", "plain"),
        ("package/chat.py", "."),
        ("package/inner/chat.py", "."),
        ("package/inner/__init__.py", "."),
        ("package/plain/chat.py", "package/plain"),
        # Python imports nothing from a folder with such a name.
        ("no-name/chat.py", "no-name"),
    ],
)
def test_the_folder_that_a_file_is_imported_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str, expected: str
) -> None:
    monkeypatch.chdir(tmp_path)
    for package in ("package", "package/inner", "no-name"):
        Path(package).mkdir()
        Path(package, "__init__.py").touch()
    assert import_root(Path(file)) == absolute(Path(expected))
