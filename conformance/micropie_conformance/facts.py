"""What is looked for in events and errors.

A program that shows a failure holds a copy of those that it needs, so they stand alone: they use
each other and what Python has without an import.
"""

__all__ = ["causes", "cookies", "header_pairs", "is_header", "line_breaks"]


def causes(error: BaseException) -> list[BaseException]:
    """Give the errors that this one was raised from, the nearest first."""
    found: list[BaseException] = []
    cause = error.__cause__
    while cause is not None and all(cause is not one for one in found):
        found.append(cause)
        cause = cause.__cause__
    return found


def is_header(header: object) -> bool:
    """Whether this is a header as ASGI has it: a pair of lower-case bytes and bytes."""
    match header:
        case (bytes(name), bytes()):
            return name == name.lower()
        case _:
            return False


def header_pairs(headers: list[object]) -> list[tuple[str, str]]:
    """Give the headers as text, however they are typed; what is no pair is left out."""
    found: list[tuple[str, str]] = []
    for header in headers:
        match header:
            case (str() | bytes() as name, str() | bytes() as value):
                name = name.decode("latin-1") if isinstance(name, bytes) else name
                value = value.decode("latin-1") if isinstance(value, bytes) else value
                found.append((name, value))
            case _:
                pass
    return found


def cookies(headers: list[object]) -> list[str]:
    """Give the values of the set-cookie headers."""
    return [value for name, value in header_pairs(headers) if name.lower() == "set-cookie"]


def line_breaks(headers: list[object], subprotocol: object) -> list[str]:
    """Give what has CR or LF in it, of an accept event."""
    words = [part for pair in header_pairs(headers) for part in pair]
    return [part for part in [*words, str(subprotocol)] if "\r" in part or "\n" in part]
