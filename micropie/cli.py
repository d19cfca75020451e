"""The command `micropie`: its verbs, its help and how it ends."""

import argparse
import errno
import importlib
import importlib.util
import os
import platform
import sys
from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

__all__ = ["Subparsers", "main", "version"]

# What a verb adds its parser to; argparse has no public name for it.
Subparsers: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # pyright: ignore[reportPrivateUsage]


class _Verb(NamedTuple):
    # What it is for, in a few words.
    summary: str
    # Has `add_parser(subparsers)`, which sets `run`: Callable[[argparse.Namespace], int].
    module: str
    # The third-party packages it cannot do without, and the extra that installs them.
    needs: tuple[str, ...]
    extra: str


_VERBS = {
    "check": _Verb(
        "check handler code: its types, and what it does with the connection",
        "micropie.check",
        # Its analysis needs nothing; it looks for mypy itself.
        (),
        "check",
    ),
    "verify": _Verb(
        "run the conformance suite on an implementation of the contract",
        "micropie_conformance.verify",
        ("rich", "websockets", "hypercorn", "jinja2"),
        "conformance",
    ),
    "report": _Verb(
        "write results of verify as a page",
        "micropie_conformance.html",
        ("jinja2", "rich"),
        "conformance",
    ),
    "diff": _Verb(
        "compare two results of verify", "micropie_conformance.diff", ("rich",), "conformance"
    ),
    "serve": _Verb(
        "serve an application with Hypercorn", "micropie.serve", ("hypercorn",), "serve"
    ),
}

_EPILOG = """\
examples:
  micropie check handlers.py            is the handler code right?
  micropie check src/                   the same, for each .py file in a folder
  micropie verify micropie:WebSocket    does an implementation keep the contract?
  micropie verify path/to/file.py:WebSocket --live hypercorn
                                        the same, over real sockets as well
  micropie report results/*.json --html build/report
                                        results of verify as a page
  micropie diff old.json new.json       is a result of verify worse than an older one?
  micropie serve chat.py:app            serve the object app of the file chat.py
  micropie serve package.module:app --bind 0.0.0.0:80
                                        serve the object app of an installed module

exit status:
  0    all is well: no findings, conformant, no regression, stopped as asked
  1    it is not: findings, not conformant, a regression, the application failed
  2    it could not be tried: wrong call, no such file, port taken
  3    verify only: a fault of the suite itself
  130  interrupted with Ctrl+C

'micropie VERB --help' tells all about one verb.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status.

    Args:
        argv: The arguments after the command's name; those of the process by default.

    Raises:
        SystemExit: From argparse: 0 after `--help` and `--version`, 2 for a wrong call.
    """
    # Python has None for what was closed before it began, and little but print() copes with that.
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            setattr(sys, name, os.fdopen(nowhere, "w", encoding="utf-8"))
    # A name or message that the terminal's encoding does not have is no reason to fail.
    reconfigure = getattr(sys.stdout, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="backslashreplace")
    try:
        try:
            return _run(sys.argv[1:] if argv is None else argv)
        finally:
            # Not at exit, where a pipe that was closed early cannot be told from a fault.
            sys.stdout.flush()
    except KeyboardInterrupt:
        return 130
    except OSError as error:
        if error.errno not in {errno.EPIPE, errno.ENOSPC}:
            raise
        # What is still buffered would fail again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if error.errno == errno.EPIPE:
            # As by SIGPIPE.
            return 141
        print(f"micropie: {error.strerror}", file=sys.stderr)
        return 2


def _run(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="micropie",
        description="MicroPie's WebSocket contract: check handlers, verify implementations, "
        "serve applications.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "--version", action="store_true", help="show the versions of this package and of Python"
    )
    subparsers = parser.add_subparsers(title="verbs", metavar="VERB")
    for name, verb in _VERBS.items():
        # Only the verb that is called is imported: it may need much, or what is not installed.
        if argv[:1] == [name]:
            missing = [need for need in verb.needs if importlib.util.find_spec(need) is None]
            if missing:
                print(
                    f"micropie {name} needs {' and '.join(missing)}: "
                    f"pip install 'micropie-contract[{verb.extra}]'",
                    file=sys.stderr,
                )
                return 2
            importlib.import_module(verb.module).add_parser(subparsers)
        else:
            subparsers.add_parser(name, help=verb.summary)
    args = parser.parse_args(argv)
    if args.version:
        print(f"micropie-contract {version()} (Python {platform.python_version()})")
        return 0
    if "run" not in args:
        parser.error(f"a verb is needed: {', '.join(_VERBS)}; 'micropie --help' tells more")
    status: int = args.run(args)
    return status


def version() -> str:
    """Give the version of this package."""
    # It takes long to import.
    import importlib.metadata

    try:
        return importlib.metadata.version("micropie-contract")
    except importlib.metadata.PackageNotFoundError:
        return "(not installed)"
