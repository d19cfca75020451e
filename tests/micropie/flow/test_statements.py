"""Statements: where control goes, and what is found there.

What is to be found stands in comments, as conftest.py says; it is all that is found.
"""

from collections.abc import Callable
from typing import TypeAlias

import pytest

from micropie.flow import Finding

Hold: TypeAlias = Callable[[str], list[Finding]]


@pytest.mark.parametrize(
    "source",
    [
        pytest.param(
            """\
            await ws.accept()
            await ws.send_text(await ws.receive_text())
            await ws.send_bytes(await ws.receive_bytes())
            await ws.close()
            """,
            id="as it should be",
        ),
        pytest.param(
            """\
            if work():
                await ws.send_text("x")  # error: send-before-accept
            elif work():
                await ws.send_bytes(b"x")  # error: send-before-accept
            elif work():
                await ws.receive_text()  # error: receive-before-accept
            else:
                await ws.receive_bytes()  # error: receive-before-accept
            """,
            id="messages before accept",
        ),
        pytest.param(
            """\
            await ws.accept()
            await ws.accept()  # error: second-accept
            """,
            id="accept twice",
        ),
        pytest.param(
            """\
            await ws.close()
            await ws.accept()  # error: accept-after-close
            """,
            id="accept after close",
        ),
        pytest.param(
            """\
            await ws.accept()
            await ws.close()
            await ws.accept()  # error: accept-after-close
            """,
            id="accept after accept and close",
        ),
        pytest.param(
            """\
            await ws.accept()
            await ws.close()
            if work():
                await ws.send_text("x")  # error: send-after-close
            else:
                await ws.receive_text()  # error: receive-after-close
            """,
            id="messages after close",
        ),
        pytest.param(
            """\
            await ws.close()
            await ws.close()
            """,
            id="close as often as one likes",
        ),
        pytest.param(
            """\
            await ws.receive_text()  # error: receive-before-accept
            await ws.send_text("x")
            await ws.accept()
            await ws.accept()
            """,
            id="what comes after a failure is not reached",
        ),
    ],
)
def test_in_order(handler: Hold, source: str) -> None:
    handler(source)


@pytest.mark.parametrize(
    "source",
    [
        pytest.param(
            """\
            if work():
                await ws.accept()
            await ws.send_text("x")  # warning: send-before-accept
            """,
            id="on one way",
        ),
        pytest.param(
            """\
            if work():
                await ws.accept()
            else:
                await ws.accept("chat")
            await ws.accept()  # error: second-accept
            """,
            id="on both ways",
        ),
        pytest.param(
            """\
            if work():
                await ws.accept()
                await ws.close()
            else:
                await ws.close()
            await ws.accept()  # error: accept-after-close
            """,
            id="on each way another reason",
        ),
        pytest.param(
            """\
            if work():
                await ws.accept()
            elif work():
                await ws.close()
                return
            else:
                await ws.accept()
            await ws.send_text("x")
            """,
            id="elif",
        ),
        pytest.param(
            """\
            if True:
                await ws.accept()
            if not True:
                await ws.accept()
            if 0:
                await ws.accept()
            else:
                await ws.send_text("x")
            """,
            id="a condition that never holds",
        ),
        pytest.param(
            """\
            if await ws.receive_text():  # error: receive-before-accept
                await ws.accept()
            """,
            id="in the condition",
        ),
        pytest.param(
            """\
            ws
            await ws.accept()
            """,
            id="nothing but the connection's name",
        ),
    ],
)
def test_branches(handler: Hold, source: str) -> None:
    handler(source)


@pytest.mark.parametrize(
    "source",
    [
        pytest.param(
            """\
            if ws.accepted:
                await ws.send_text("x")
            await ws.accept()
            """,
            id="if",
        ),
        pytest.param(
            """\
            await ws.accept()
            if not ws.accepted:
                await ws.accept()
            await ws.accept()  # error: second-accept
            """,
            id="not",
        ),
        pytest.param(
            """\
            await ws.accept()
            if ws.accepted:
                await ws.accept()  # error: second-accept
            """,
            id="known before",
        ),
        pytest.param(
            """\
            await ws.accept()
            await ws.close()
            if not ws.accepted:
                await ws.receive_text()  # error: receive-after-close
            """,
            id="closed",
        ),
        pytest.param(
            """\
            try:
                await ws.accept()
                work()
                await ws.send_text("x")
            except Exception:
                if ws.accepted:
                    await ws.close(1011)
                else:
                    await ws.close()
                    await ws.accept()  # error: use-after-disconnect
            """,
            id="in the except",
        ),
        pytest.param(
            """\
            await ws.accept()
            try:
                await ws.receive_text()
            except ConnectionClosed:
                pass
            if ws.accepted:
                await ws.send_text("x")  # warning: use-after-disconnect
            """,
            id="open or gone",
        ),
        pytest.param(
            """\
            if ws.accepted is True:
                await ws.send_text("x")
            elif ws.accepted == False:
                await ws.accept()
            if ws.accepted is not True:
                await ws.accept()
            if ws.accepted != True:
                await ws.accept()
            await ws.send_text("x")
            """,
            id="compared",
        ),
        pytest.param(
            """\
            assert ws.accepted
            await ws.send_text("x")
            """,
            id="asserted",
        ),
        pytest.param(
            """\
            await ws.accept()
            assert not ws.accepted
            await ws.accept()
            """,
            id="asserted in vain",
        ),
        pytest.param(
            """\
            while ws.accepted:
                await ws.send_text("x")
            await ws.accept()
            """,
            id="while",
        ),
        pytest.param(
            """\
            await ws.accept()
            while ws.accepted:
                try:
                    await ws.receive_text()  # warning: use-after-disconnect
                except ConnectionClosed:
                    pass
            """,
            id="while it is, and goes on to be",
        ),
        pytest.param(
            """\
            if work() and ws.accepted and ws.session_id:
                await ws.send_text("x")
            await ws.accept()
            """,
            id="and",
        ),
        pytest.param(
            """\
            if ws.accepted or work():
                await ws.send_text("x")  # error: send-before-accept
            else:
                await ws.accept()
            """,
            id="or",
        ),
        pytest.param(
            """\
            if not (ws.accepted or work()):
                await ws.accept()
            await ws.send_text("x")  # warning: send-before-accept
            """,
            id="neither",
        ),
        pytest.param(
            """\
            if other.accepted:
                await ws.send_text("x")  # error: send-before-accept
            await ws.accept()
            """,
            id="another thing's",
        ),
    ],
)
def test_accepted(handler: Hold, source: str) -> None:
    handler(source)


@pytest.mark.parametrize(
    "source",
    [
        pytest.param(
            """\
            await ws.accept()
            connected = True
            while connected:
                try:
                    await ws.receive_text()
                except ConnectionClosed:
                    connected = False
            """,
            id="a loop ended by one",
        ),
        pytest.param(
            """\
            await ws.accept()
            closed = False
            while not closed:
                try:
                    await ws.receive_text()
                except ConnectionClosed:
                    closed = True
            """,
            id="a loop ended by one that is not set",
        ),
        pytest.param(
            """\
            await ws.accept()
            connected = True
            while connected:
                try:
                    await ws.receive_text()  # warning: use-after-disconnect
                except ConnectionClosed:
                    pass
            """,
            id="a loop not ended by one",
        ),
        pytest.param(
            """\
            await ws.accept()
            connected = True
            while True:
                try:
                    await ws.receive_text()
                except ConnectionClosed:
                    connected = False
                if not connected:
                    break
            """,
            id="an endless loop left by one",
        ),
        pytest.param(
            """\
            await ws.accept()
            connected = False
            while True:
                try:
                    await ws.receive_text()
                except ConnectionClosed:  # warning: swallowed-disconnect
                    connected = True
                if not connected:
                    break
            """,
            id="the wrong way round",
        ),
        pytest.param(
            """\
            await ws.accept()
            text = None
            try:
                text = await ws.receive_text()
            except ConnectionClosed:
                text = None
            if text is not None:
                await ws.send_text(text)
            """,
            id="nothing has come",
        ),
        pytest.param(
            """\
            await ws.accept()
            text = None
            with suppress(ConnectionClosed):
                text = await ws.receive_text()
            if text is None:
                await ws.send_text("x")  # warning: use-after-disconnect
            """,
            id="nothing has come, asked the other way round",
        ),
        pytest.param(
            """\
            known = work()
            if known:
                await ws.accept()
            else:
                await ws.close()
            work()
            if known:
                await ws.send_text("x")
            """,
            id="the same asked twice",
        ),
        pytest.param(
            """\
            known = work()
            if known:
                await ws.accept()
            else:
                await ws.close()
            known = work()
            if known:
                await ws.send_text("x")  # warning: send-after-close
            """,
            id="the same asked twice, and it is another now",
        ),
        pytest.param(
            """\
            if name and work():
                await ws.accept()
            elif not name:
                return await ws.close()
            else:
                return await ws.close()
            if name is not None and name:
                await ws.accept()  # error: second-accept
            """,
            id="asked for in part",
        ),
        pytest.param(
            """\
            flag = 0
            if flag is None:
                await ws.accept()
            await ws.send_text("x")  # error: send-before-accept
            await ws.accept()
            """,
            id="false is not None",
        ),
        pytest.param(
            """\
            flag = None
            if not flag:
                await ws.accept()
            await ws.accept()  # error: second-accept
            """,
            id="None is false",
        ),
        pytest.param(
            """\
            ok = False
            await ws.accept() if ok else await ws.close()
            await ws.accept()  # error: accept-after-close
            """,
            id="as a choice",
        ),
        pytest.param(
            """\
            ok = work()
            if ok:
                await ws.accept()
            assert ok
            await ws.send_text("x")
            """,
            id="asserted",
        ),
        pytest.param(
            """\
            one = two = three = four = five = six = True
            if one and two and three and four and five and six:
                await ws.accept()
            await ws.send_text("x")  # warning: send-before-accept
            """,
            id="more than is kept in mind",
        ),
    ],
)
def test_flags(handler: Hold, source: str) -> None:
    """Of names that conditions ask for is known what they are."""
    handler(source)


@pytest.mark.parametrize(
    "source",
    [
        pytest.param(
            """\
            tries = 0
            tries += 1
            if tries:
                await ws.accept()
            await ws.send_text("x")  # warning: send-before-accept
            """,
            id="augmented",
        ),
        pytest.param(
            """\
            flag = False
            for flag in work():
                pass
            if flag:
                await ws.send_text("x")  # error: send-before-accept
            await ws.accept()
            """,
            id="in a loop",
        ),
        pytest.param(
            """\
            flag = False
            flag, other = work()
            if flag:
                await ws.send_text("x")  # error: send-before-accept
            await ws.accept()
            """,
            id="in a tuple",
        ),
        pytest.param(
            """\
            flag = False
            with work() as flag:
                if flag:
                    await ws.send_text("x")  # error: send-before-accept
            await ws.accept()
            """,
            id="by with",
        ),
        pytest.param(
            """\
            flag = False
            try:
                work()
            except ValueError as flag:
                if flag:
                    await ws.send_text("x")  # error: send-before-accept
            await ws.accept()
            """,
            id="by except",
        ),
        pytest.param(
            """\
            flag = False
            match work():
                case [flag]:
                    if flag:
                        await ws.send_text("x")  # error: send-before-accept
            await ws.accept()
            """,
            id="by match",
        ),
        pytest.param(
            """\
            flag = False
            del flag
            if flag:
                await ws.send_text("x")  # error: send-before-accept
            await ws.accept()
            """,
            id="del",
        ),
        pytest.param(
            """\
            flag = False
            if work(flag := work()):
                pass
            if flag:
                await ws.send_text("x")  # error: send-before-accept
            await ws.accept()
            """,
            id="by a walrus",
        ),
        pytest.param(
            """\
            flag = None
            flag = ws
            if flag:
                await flag.accept()
            await ws.accept()  # error: second-accept
            """,
            id="the connection",
        ),
        pytest.param(
            """\
            flag = None
            flag = ws.accept()
            if flag:
                await flag
            await ws.send_text("x")  # warning: send-before-accept
            """,
            id="a coroutine",
        ),
        pytest.param(
            """\
            flag = False
            async def inner():
                nonlocal flag
                flag = True
            await inner()
            if flag:
                await ws.send_text("x")  # error: send-before-accept
            await ws.accept()
            """,
            id="by a nested function",
        ),
        pytest.param(
            """\
            global flag
            flag = False
            await work()
            if flag:
                await ws.send_text("x")  # error: send-before-accept
            await ws.accept()
            """,
            id="by anybody",
        ),
        pytest.param(
            """\
            flag = None
            def flag():
                pass
            if flag:
                await ws.send_text("x")  # error: send-before-accept
            await ws.accept()
            """,
            id="a nested function",
        ),
        pytest.param(
            """\
            flag = None
            try:
                import flag
            except ImportError:
                pass
            if flag:
                await ws.send_text("x")  # error: send-before-accept
            await ws.accept()
            """,
            id="an import",
        ),
        pytest.param(
            """\
            flag = False
            [await ws.send_text("x") for flag in work() if flag]  # error: send-before-accept
            if flag:
                work()
            await ws.accept()
            """,
            id="another in a comprehension",
        ),
        pytest.param(
            """\
            pending = list(work())
            if not pending:
                await ws.accept()
                pending.append("x")
            if pending:
                await ws.send_text("x")  # warning: send-before-accept
            await ws.close()
            """,
            id="a list that is filled",
        ),
        pytest.param(
            """\
            flag = False
            if any((flag := one) for one in work()):
                pass
            if flag:
                await ws.accept()
            await ws.send_text("x")  # warning: send-before-accept
            """,
            id="in a generator",
        ),
    ],
)
def test_flags_that_change(handler: Hold, source: str) -> None:
    handler(source)


@pytest.mark.parametrize(
    "source",
    [
        pytest.param(
            """\
            assert work()
            await ws.accept()
            """,
            id="something else",
        ),
        pytest.param(
            """\
            await ws.accept()
            assert False, "not reached"
            await ws.accept()
            """,
            id="what is never so",
        ),
        pytest.param(
            """\
            assert await ws.receive_text()  # error: receive-before-accept
            await ws.accept()
            """,
            id="with a call in it",
        ),
    ],
)
def test_asserts(handler: Hold, source: str) -> None:
    handler(source)


@pytest.mark.parametrize(
    "source",
    [
        pytest.param(
            """\
            while work():
                await ws.accept()  # warning: second-accept
            await ws.send_text("x")  # warning: send-before-accept
            """,
            id="none or more",
        ),
        pytest.param(
            """\
            await ws.accept()
            while True:
                await ws.send_text(await ws.receive_text())
            """,
            id="endless",
        ),
        pytest.param(
            """\
            await ws.accept()
            while 1:
                await ws.receive_text()
            await ws.accept()
            """,
            id="nothing comes after an endless one",
        ),
        pytest.param(
            """\
            while True:
                await ws.accept()
                break
            await ws.accept()  # error: second-accept
            """,
            id="left by break",
        ),
        pytest.param(
            """\
            while True:
                if work():
                    continue
                await ws.accept()
                break
            await ws.send_text("x")
            """,
            id="continue",
        ),
        pytest.param(
            """\
            await ws.accept()
            while work():
                await ws.close()
                if work():
                    break
            else:
                await ws.send_text("x")  # warning: send-after-close
            """,
            id="else",
        ),
        pytest.param(
            """\
            while work():
                break
            else:
                await ws.accept()
            await ws.send_text("x")  # warning: send-before-accept
            """,
            id="else that a break goes past",
        ),
        pytest.param(
            """\
            await ws.accept()
            while work():
                while work():
                    await ws.receive_text()
                    if work():
                        break
                await ws.send_text("x")
            await ws.accept()  # error: second-accept
            """,
            id="a loop in a loop",
        ),
        pytest.param(
            """\
            await ws.accept()
            while await ws.receive_text():
                pass
            await ws.accept()  # error: second-accept
            """,
            id="the condition is a call",
        ),
        pytest.param(
            """\
            await ws.accept()
            while (await work()).ok:
                await ws.send_text("x")
            """,
            id="the condition awaits something else",
        ),
        pytest.param(
            """\
            while False:
                await ws.receive_text()
            await ws.accept()
            """,
            id="never",
        ),
    ],
)
def test_while_loops(handler: Hold, source: str) -> None:
    handler(source)


@pytest.mark.parametrize(
    "source",
    [
        pytest.param(
            """\
            for _ in work():
                await ws.accept()  # warning: second-accept
            await ws.send_text("x")  # warning: send-before-accept
            """,
            id="none or more",
        ),
        pytest.param(
            """\
            for _ in range(100):
                await ws.send_text("x")  # error: send-before-accept
            await ws.accept()
            """,
            id="at least once",
        ),
        pytest.param(
            """\
            for _ in range(2):
                await ws.accept()  # warning: second-accept
            await ws.accept()
            """,
            id="so often",
        ),
        pytest.param(
            """\
            for _ in range(1):
                await ws.accept()
            await ws.accept()  # error: second-accept
            """,
            id="once",
        ),
        pytest.param(
            """\
            for _ in range(0):
                await ws.send_text("x")
            await ws.accept()
            """,
            id="not once",
        ),
        pytest.param(
            """\
            for text in ["a", "b"]:
                await ws.send_text(text)  # error: send-before-accept
            await ws.accept()
            """,
            id="over what is known",
        ),
        pytest.param(
            """\
            for text in ("a", *work()):
                await ws.accept()  # warning: second-accept
            await ws.send_text("x")
            """,
            id="over what is known in part",
        ),
        pytest.param(
            """\
            for _ in work():
                await ws.accept()
                break
            else:
                await ws.close()
            await ws.receive_text()  # warning: receive-after-close
            """,
            id="left by break",
        ),
        pytest.param(
            """\
            for _ in "ab":
                await ws.accept()
                if work():
                    break
                await ws.close()
                return
            await ws.send_text("x")
            """,
            id="left by break in the first turn",
        ),
        pytest.param(
            """\
            for _ in range(2):
                if work():
                    continue
                await ws.accept()  # warning: second-accept
            await ws.send_text("x")  # warning: send-before-accept
            """,
            id="continue",
        ),
        pytest.param(
            """\
            await ws.accept()
            for ws in work():
                await ws.accept()
            await ws.accept()  # warning: second-accept
            """,
            id="the name is lost",
        ),
        pytest.param(
            """\
            for _ in range(3):
                work()
            else:
                await ws.accept()
            await ws.accept()  # error: second-accept
            """,
            id="else",
        ),
        pytest.param(
            """\
            for word in (await ws.receive_text()).split():  # error: receive-before-accept
                work()
            await ws.accept()
            """,
            id="over what is received",
        ),
        pytest.param(
            """\
            async for text in work():
                await ws.send_text(text)  # error: send-before-accept
            await ws.accept()
            """,
            id="async",
        ),
        pytest.param(
            """\
            async for text in work(ws):
                await ws.send_text(text)
            await ws.close()
            """,
            id="async, over what has the connection",
        ),
        pytest.param(
            """\
            await ws.accept()
            for (a, *b), holder.c, [ws] in work():
                await ws.accept()
            """,
            id="targets",
        ),
    ],
)
def test_for_loops(handler: Hold, source: str) -> None:
    handler(source)


@pytest.mark.parametrize(
    "source",
    [
        pytest.param(
            """\
            await ws.accept()
            try:
                await ws.receive_text()
            except ConnectionClosed:
                await ws.send_text("x")  # error: use-after-disconnect
            await ws.send_text("x")
            """,
            id="what raises is told from what is done",
        ),
        pytest.param(
            """\
            await ws.accept()
            try:
                await ws.receive_text()
            except ConnectionClosed:
                return
            await ws.send_text("x")
            """,
            id="an except that leaves",
        ),
        pytest.param(
            """\
            try:
                await ws.accept()
            except ConnectionClosed:
                await ws.accept()  # error: use-after-disconnect
            await ws.send_text("x")
            """,
            id="accept itself",
        ),
        pytest.param(
            """\
            try:
                await ws.accept()
            except RuntimeError:
                await ws.accept()
            """,
            id="accept is tried again",
        ),
        pytest.param(
            """\
            try:
                await ws.accept()
            except ConnectionClosed:
                return
            else:
                await ws.send_text("x")
            await ws.accept()  # error: second-accept
            """,
            id="else",
        ),
        pytest.param(
            """\
            await ws.accept()
            try:
                work()
            except ConnectionClosed:
                await ws.send_text("x")
            else:
                await ws.receive_text()
            await ws.send_text("x")
            """,
            id="what an else raises is not caught",
        ),
        pytest.param(
            """\
            await ws.accept()
            try:
                await ws.receive_text()
            finally:
                await ws.close()
            await ws.send_text("x")  # error: send-after-close
            """,
            id="finally",
        ),
        pytest.param(
            """\
            await ws.accept()
            try:
                work()
                if work():
                    return
            finally:
                await ws.accept()  # error: second-accept
            """,
            id="finally on every way out",
        ),
        pytest.param(
            """\
            try:
                await ws.accept()
                work()
            finally:
                if not ws.accepted:
                    await ws.close()
            """,
            id="finally after an exception",
        ),
        pytest.param(
            """\
            try:
                return
            finally:
                await ws.accept()
            """,
            id="finally around return",
        ),
        pytest.param(
            """\
            await ws.accept()
            try:
                try:
                    await ws.receive_text()
                finally:
                    work()
            except ConnectionClosed:
                await ws.send_text("x")  # warning: use-after-disconnect
            """,
            id="finally that does not matter, within except",
        ),
        pytest.param(
            """\
            try:
                try:
                    await ws.accept()
                    await ws.receive_text()
                finally:
                    await ws.close()
            except ConnectionClosed:
                await ws.send_text("x")  # error: use-after-disconnect
            except RuntimeError:
                await ws.send_text("x")
            """,
            id="finally on the way of each exception",
        ),
        pytest.param(
            """\
            await ws.accept()
            try:
                await ws.receive_text()
            finally:
                return
            """,
            id="finally that returns",
        ),
        pytest.param(
            """\
            for _ in work():
                try:
                    if work():
                        break
                    continue
                finally:
                    await ws.accept()  # warning: second-accept
            else:
                await ws.close()
                return
            await ws.send_text("x")
            """,
            id="finally around break and continue",
        ),
        pytest.param(
            """\
            await ws.accept()
            try:
                await ws.receive_text()
            except ConnectionClosed:
                return
            except Exception:
                await ws.send_text("x")
            """,
            id="the first that catches",
        ),
        pytest.param(
            """\
            await ws.accept()
            try:
                await ws.receive_text()
            except (ConnectionClosed, ValueError):
                await ws.send_text("x")  # warning: use-after-disconnect
            """,
            id="more than one class",
        ),
        pytest.param(
            """\
            await ws.accept()
            try:
                await ws.receive_text()
            except:
                await ws.send_text("x")  # warning: use-after-disconnect
            """,
            id="all",
        ),
        pytest.param(
            """\
            await ws.accept()
            try:
                await ws.receive_text()
            except work.Error:
                await ws.send_text("x")
            """,
            id="a class that is not known",
        ),
        pytest.param(
            """\
            try:
                await ws.accept()
            except ConnectionClosed as ws:
                await ws.accept()
            """,
            id="the own name of an except",
        ),
        pytest.param(
            """\
            try:
                x = 1
            except ConnectionClosed:
                await ws.send_text("x")
            await ws.accept()
            """,
            id="nothing in it raises",
        ),
        pytest.param(
            """\
            try:
                work()
            except* ValueError:
                await ws.accept()
            await ws.send_text("x")  # warning: send-before-accept
            """,
            id="except of groups",
        ),
        pytest.param(
            """\
            await ws.accept()
            try:
                await ws.receive_text()
            except* ConnectionClosed:
                await ws.accept()  # error: second-accept
            """,
            id="except of groups catches a part only",
        ),
        pytest.param(
            """\
            try:
                await ws.accept()
                await ws.accept()  # error: second-accept
            except RuntimeError:
                await ws.send_text("x")
            """,
            id="a call that fails is caught",
        ),
    ],
)
def test_tries(handler: Hold, source: str) -> None:
    handler(source)


@pytest.mark.parametrize(
    "source",
    [
        pytest.param(
            """\
            if work():
                raise ValueError
            await ws.accept()
            """,
            id="ends the handler",
        ),
        pytest.param(
            """\
            try:
                raise ValueError
            except (KeyError, ValueError):
                await ws.accept()
            await ws.accept()  # error: second-accept
            """,
            id="is caught for sure",
        ),
        pytest.param(
            """\
            try:
                raise ValueError
            except KeyError:
                await ws.accept()
                await ws.accept()
            """,
            id="is not caught",
        ),
        pytest.param(
            """\
            try:
                raise KeyError
            except LookupError:
                await ws.accept()
            await ws.accept()  # error: second-accept
            """,
            id="its base is caught",
        ),
        pytest.param(
            """\
            await ws.accept()
            try:
                raise ConnectionClosed(1000)
            except ConnectionClosed:
                await ws.send_text("x")
            await ws.accept()  # error: second-accept
            """,
            id="ConnectionClosed",
        ),
        pytest.param(
            """\
            await ws.accept()
            try:
                await ws.receive_text()
            except Exception:
                try:
                    raise
                except ConnectionClosed:
                    await ws.send_text("x")  # error: use-after-disconnect
            """,
            id="again",
        ),
        pytest.param(
            """\
            await ws.accept()
            try:
                raise
            except RuntimeError:
                await ws.send_text("x")
            """,
            id="nothing to raise again",
        ),
        pytest.param(
            """\
            await ws.accept()
            try:
                await ws.receive_text()
            except ConnectionClosed as closed:
                raise work.Error(ws) from closed
            await ws.accept()  # error: second-accept
            """,
            id="with a cause",
        ),
        pytest.param(
            """\
            await ws.accept()
            try:
                raise work.Error
            except ConnectionClosed:
                await ws.send_text("x")
            await ws.send_text("x")
            """,
            id="what is not known",
        ),
        pytest.param(
            """\
            import sys
            import typing
            if work():
                await ws.accept()
            elif work():
                typing.assert_never(1)
            else:
                sys.exit(1)
            await ws.send_text("x")
            """,
            id="what never returns",
        ),
        pytest.param(
            """\
            if work():
                await ws.accept()
            else:
                work.exit(1)
                work().exit(1)
                work[0](1)
            await ws.send_text("x")  # warning: send-before-accept
            """,
            id="what has the name of that only",
        ),
        pytest.param(
            """\
            await ws.accept()
            class Own(ConnectionClosed):
                pass
            try:
                raise Own
            except ConnectionClosed:
                await ws.send_text("x")
            """,
            id="what is raised is a local class",
        ),
    ],
)
def test_raises(handler: Hold, source: str) -> None:
    handler(source)


@pytest.mark.parametrize(
    "source",
    [
        pytest.param(
            """\
            await ws.accept()
            if work():
                await ws.close()
                return
            await ws.send_text("x")
            """,
            id="ends the handler",
        ),
        pytest.param(
            """\
            return await ws.accept()
            """,
            id="awaits in it",
        ),
        pytest.param(
            """\
            await ws.accept()
            return await ws.send_text("x"), await ws.accept()  # error: second-accept
            """,
            id="a value",
        ),
        pytest.param(
            """\
            await ws.accept()
            return ws
            """,
            id="the connection itself",
        ),
        pytest.param(
            """\
            await ws.accept()
            return work
            """,
            id="something else",
        ),
    ],
)
def test_returns(handler: Hold, source: str) -> None:
    handler(source)


@pytest.mark.parametrize(
    "source",
    [
        pytest.param(
            """\
            await ws.accept()
            with suppress(ConnectionClosed):
                await ws.receive_text()
            await ws.send_text("x")  # warning: use-after-disconnect
            """,
            id="suppress",
        ),
        pytest.param(
            """\
            await ws.accept()
            with contextlib.suppress(ConnectionClosed):
                while True:
                    await ws.receive_text()
            await ws.send_text("x")  # error: use-after-disconnect
            """,
            id="suppress, and there is no other way out",
        ),
        pytest.param(
            """\
            with suppress():
                await ws.accept()
            await ws.accept()  # error: second-accept
            """,
            id="suppress nothing",
        ),
        pytest.param(
            """\
            await ws.accept()
            with suppress(KeyError):
                await ws.receive_text()
            await ws.send_text("x")
            """,
            id="suppress something else",
        ),
        pytest.param(
            """\
            await ws.accept()
            with suppress(ConnectionClosed, ValueError), open("x") as file:
                await ws.receive_text()
            await ws.send_text("x")  # warning: use-after-disconnect
            """,
            id="more than one",
        ),
        pytest.param(
            """\
            await ws.accept()
            with open("x") as file:
                await ws.receive_text()
            await ws.send_text("x")
            """,
            id="one that lets everything through",
        ),
        pytest.param(
            """\
            await ws.accept()
            with work():
                while True:
                    await ws.receive_text()
            await ws.close()
            """,
            id="one that may swallow",
        ),
        pytest.param(
            """\
            await ws.accept()
            with work():
                await ws.receive_text()
            await ws.send_text("x")
            """,
            id="one that may swallow is no reason to warn",
        ),
        pytest.param(
            """\
            await ws.accept()
            with work() as ws:
                await ws.accept()
            """,
            id="the name is lost",
        ),
        pytest.param(
            """\
            async with work(ws):
                await ws.send_text("x")
            await ws.close()
            """,
            id="it gets the connection",
        ),
        pytest.param(
            """\
            async with work() as session:
                await ws.send_text("x")  # error: send-before-accept
            await ws.accept()
            """,
            id="it is not given the connection",
        ),
        pytest.param(
            """\
            with open(await ws.receive_text()):  # error: receive-before-accept
                work()
            await ws.accept()
            """,
            id="in its expression",
        ),
        pytest.param(
            """\
            await ws.accept()
            try:
                async with asyncio.timeout(10):
                    await ws.receive_text()
            except TimeoutError:
                await ws.accept()  # error: second-accept
            """,
            id="asyncio.timeout",
        ),
        pytest.param(
            """\
            await ws.accept()
            async with asyncio.TaskGroup() as group:
                group.create_task(ws.send_text("x"))
                group.create_task(ws.close())
                await ws.receive_text()
            await ws.accept()  # error: second-accept
            """,
            id="asyncio.TaskGroup waits for its tasks",
        ),
        pytest.param(
            """\
            await ws.accept()
            try:
                async with asyncio.TaskGroup() as group:
                    group.create_task(ws.receive_text())
            except* ConnectionClosed:
                pass
            await ws.close()
            """,
            id="asyncio.TaskGroup raises a group",
        ),
        pytest.param(
            """\
            await ws.accept()
            with open("x"):
                return
            await ws.accept()
            """,
            id="return from within",
        ),
    ],
)
def test_withs(handler: Hold, source: str) -> None:
    handler(source)


@pytest.mark.parametrize(
    "source",
    [
        pytest.param(
            """\
            match work():
                case 1:
                    await ws.accept()
                case 2:
                    await ws.close()
                    return
                case _:
                    raise ValueError
            await ws.send_text("x")
            """,
            id="all cases",
        ),
        pytest.param(
            """\
            match work():
                case 1:
                    await ws.accept()
                case 2:
                    await ws.accept()
            await ws.send_text("x")  # warning: send-before-accept
            """,
            id="none may match",
        ),
        pytest.param(
            """\
            match work():
                case 1 if ws.accepted:
                    await ws.send_text("x")
                case _ if work():
                    await ws.close()
                    return
                case x:
                    await ws.accept()
            await ws.send_text("x")
            """,
            id="a guard",
        ),
        pytest.param(
            """\
            match work():
                case (1 | _) as number:
                    await ws.accept()
            await ws.accept()  # error: second-accept
            """,
            id="after what matches everything",
        ),
        pytest.param(
            """\
            match await ws.receive_text():  # error: receive-before-accept
                case _:
                    await ws.accept()
            """,
            id="the subject is a call",
        ),
        pytest.param(
            """\
            match ws:
                case WebSocket() as conn:
                    await conn.accept()
                    await ws.send_text("x")
                case _:
                    await ws.accept()
            """,
            id="the connection under another name",
        ),
        pytest.param(
            """\
            match ws:
                case None:
                    raise ValueError
                case _:
                    await ws.accept()
            await ws.accept()  # error: second-accept
            """,
            id="the connection, and no name for it",
        ),
        pytest.param(
            """\
            await ws.accept()
            match work():
                case [1, *ws]:
                    await ws.accept()
                case {"a": ws}:
                    await ws.accept()
            """,
            id="the name is lost",
        ),
        pytest.param(
            """\
            match work():
                case {"a": 1, **ws}:
                    await ws.send_text("x")
            await ws.close()  # (of the other)
            return  # warning: no-answer
            """,
            id="the rest of a mapping",
        ),
        pytest.param(
            """\
            flag = None
            match work():
                case {"a": 1, **flag}:
                    pass
            if flag:
                await ws.accept()
            await ws.send_text("x")  # warning: send-before-accept
            """,
            id="the rest of a mapping that is asked for",
        ),
        pytest.param(
            """\
            if work():
                await ws.accept()
            match ws.accepted:
                case True:
                    await ws.send_text("x")
                    await ws.accept()  # error: second-accept
                case False:
                    await ws.send_text("x")  # error: send-before-accept
                case _:
                    await ws.send_text("x")
            """,
            id="whether it is accepted",
        ),
        pytest.param(
            """\
            match ws.accepted:
                case False if work():
                    await ws.accept()
                case False:
                    await ws.close()
            await ws.receive_text()  # warning: receive-after-close
            """,
            id="whether it is accepted, and more",
        ),
        pytest.param(
            """\
            match ws.accepted:
                case None | True:
                    await ws.accept()
                case None:
                    await ws.accept()
            match work().accepted:
                case True:
                    await ws.send_text("x")  # warning: send-before-accept
            return  # warning: no-answer
            """,
            id="whether something else is accepted",
        ),
    ],
)
def test_matches(handler: Hold, source: str) -> None:
    handler(source)


@pytest.mark.parametrize(
    "source",
    [
        pytest.param(
            """\
            conn = ws
            await conn.accept()
            await ws.accept()  # error: second-accept
            """,
            id="an alias",
        ),
        pytest.param(
            """\
            conn: WebSocket = ws
            later: int
            await conn.accept()
            await ws.accept()  # error: second-accept
            """,
            id="an alias with a type",
        ),
        pytest.param(
            """\
            one = two = ws
            await one.accept()
            await two.accept()  # error: second-accept
            """,
            id="more than one",
        ),
        pytest.param(
            """\
            one = ws
            two = one
            ws = None
            await two.accept()
            await one.accept()  # error: second-accept
            """,
            id="an alias of an alias",
        ),
        pytest.param(
            """\
            other = work()
            if work():
                other = ws
            await other.accept()
            await ws.accept()  # warning: second-accept
            """,
            id="an alias on one way",
        ),
        pytest.param(
            """\
            await ws.accept()
            ws = work()
            await ws.accept()
            """,
            id="something else",
        ),
        pytest.param(
            """\
            conn = ws
            del ws
            await conn.accept()
            await conn.accept()  # error: second-accept
            """,
            id="del",
        ),
        pytest.param(
            """\
            del holder[ws], holder.ws
            await ws.accept()
            await ws.accept()  # error: second-accept
            """,
            id="del of something",
        ),
        pytest.param(
            """\
            import work.ws
            from work import *
            await ws.accept()
            await ws.accept()  # error: second-accept
            """,
            id="import",
        ),
        pytest.param(
            """\
            ws: WebSocket
            await ws.accept()
            await ws.accept()  # error: second-accept
            """,
            id="only a type",
        ),
        pytest.param(
            """\
            text = ""
            text += await ws.receive_text()  # error: receive-before-accept
            await ws.accept()
            """,
            id="augmented",
        ),
        pytest.param(
            """\
            import work as ws
            await ws.send_text("x")
            return  # warning: no-answer
            """,
            id="an import",
        ),
        pytest.param(
            """\
            class ws: ...
            await ws.send_text("x")
            """,
            id="a class",
        ),
        pytest.param(
            """\
            def ws(): ...
            await ws.send_text("x")
            return  # warning: no-answer
            """,
            id="a function",
        ),
        pytest.param(
            """\
            from micropie import ConnectionClosed as Gone
            await ws.accept()
            while True:
                try:
                    await ws.receive_text()
                except Gone:
                    break
                except Exception:
                    print("bad")
            await ws.send_text("x")  # error: use-after-disconnect
            """,
            id="an import of the exception",
        ),
    ],
)
def test_names(handler: Hold, source: str) -> None:
    handler(source)


@pytest.mark.parametrize(
    "source",
    [
        pytest.param(
            """\
            await ws.accept()
            ws.send_text("x")  # warning: never-awaited
            """,
            id="a call alone",
        ),
        pytest.param(
            """\
            await ws.accept()
            ws.send_text(await ws.receive_text())  # warning: never-awaited
            """,
            id="an argument is awaited",
        ),
        pytest.param(
            """\
            ws.accept()  # warning: never-awaited
            await ws.send_text("x")  # error: send-before-accept
            """,
            id="nothing happens",
        ),
        pytest.param(
            """\
            await ws.accept()
            return ws.send_text("x")  # warning: never-awaited
            """,
            id="returned by a handler",
        ),
        pytest.param(
            """\
            await ws.accept()
            other = work()
            if work():
                other = ws
            other.close()  # warning: never-awaited
            await ws.send_text("x")
            """,
            id="something else has the name on one way",
        ),
        pytest.param(
            """\
            await ws.accept()
            other = work()
            other.close()
            await other
            """,
            id="something else has the name",
        ),
        pytest.param(
            """\
            await ws.accept()
            other = ws
            other = work()
            other.close()
            """,
            id="something else has it now",
        ),
        pytest.param(
            """\
            await ws.accept()
            _ = ws.send_text("x")  # warning: never-awaited
            """,
            id="kept, and never looked at",
        ),
        pytest.param(
            """\
            coroutine = ws.accept()
            await coroutine
            await ws.accept()  # error: second-accept
            """,
            id="kept for later",
        ),
        pytest.param(
            """\
            ws.unknown()
            await ws.accept()
            await ws.accept()  # error: second-accept
            """,
            id="another method",
        ),
    ],
)
def test_never_awaited(handler: Hold, source: str) -> None:
    handler(source)


@pytest.mark.parametrize(
    "source",
    [
        pytest.param(
            """\
            await ws.accept()
            while True:
                try:
                    await ws.receive_text()
                except ConnectionClosed:  # warning: swallowed-disconnect
                    work()
            """,
            id="in an endless loop",
        ),
        pytest.param(
            """\
            await ws.accept()
            while True:
                try:
                    text = await ws.receive_text()
                    print(text)
                except Exception:  # warning: swallowed-disconnect
                    work()
                    continue
            """,
            id="by a class above",
        ),
        pytest.param(
            """\
            await ws.accept()
            while True:
                with suppress(ConnectionClosed):  # warning: swallowed-disconnect
                    await ws.receive_text()
            """,
            id="by contextlib.suppress",
        ),
        pytest.param(
            """\
            await ws.accept()
            while True:
                try:
                    await ws.receive_text()
                except ConnectionClosed:
                    break
            await ws.send_text("x")  # error: use-after-disconnect
            """,
            id="the loop is left",
        ),
        pytest.param(
            """\
            await ws.accept()
            while True:
                try:
                    await ws.receive_text()
                except ConnectionClosed:
                    if work():
                        raise
                    return
            """,
            id="the handler is left",
        ),
        pytest.param(
            """\
            await ws.accept()
            while True:
                try:
                    await ws.receive_text()
                except ValueError:
                    pass
            """,
            id="something else is swallowed",
        ),
        pytest.param(
            """\
            await ws.accept()
            while True:
                await ws.receive_text()  # warning: use-after-disconnect
                try:
                    await ws.send_text("x")
                except ConnectionClosed:
                    pass
            """,
            id="only what is sent",
        ),
        pytest.param(
            """\
            await ws.accept()
            while work():
                try:
                    await ws.receive_text()  # warning: use-after-disconnect
                except ConnectionClosed:
                    pass
            """,
            id="the loop may end",
        ),
        pytest.param(
            """\
            await ws.accept()
            try:
                await ws.receive_text()
            except ConnectionClosed:
                pass
            while True:
                try:
                    await ws.receive_text()
                except ConnectionClosed:  # warning: swallowed-disconnect
                    pass
            """,
            id="once more, for ever",
        ),
    ],
)
def test_swallowed(handler: Hold, source: str) -> None:
    handler(source)


@pytest.mark.parametrize(
    "source",
    [
        pytest.param(
            """\
            holder.ws = ws
            await work()
            await ws.send_text("x")
            """,
            id="stored",
        ),
        pytest.param(
            """\
            holder.ws = ws
            await ws.send_text("x")  # error: send-before-accept
            """,
            id="stored, and nobody has run",
        ),
        pytest.param(
            """\
            clients.add(ws)
            await work()
            await ws.send_text("x")
            """,
            id="in a container",
        ),
        pytest.param(
            """\
            conn, other = ws, 1
            await conn.accept()
            await ws.accept()
            """,
            id="in a tuple",
        ),
        pytest.param(
            """\
            clients["x"] = ws
            await work()
            await ws.send_text("x")
            """,
            id="by an item",
        ),
        pytest.param(
            """\
            await ws.accept()
            clients[ws.session_id] = ws
            await ws.send_text("x")
            await ws.accept()  # error: second-accept
            """,
            id="stored when it is known what it is",
        ),
        pytest.param(
            """\
            global ws
            await work()
            await ws.send_text("x")
            """,
            id="global",
        ),
        pytest.param(
            """\
            async def inner():
                nonlocal other
                await work()
            await ws.send_text("x")  # error: send-before-accept
            await ws.accept()
            """,
            id="nonlocal of another",
        ),
        pytest.param(
            """\
            class Inner:
                conn = ws
            await work()
            await ws.send_text("x")
            """,
            id="a class",
        ),
        pytest.param(
            """\
            async def inner():
                await ws.accept()
            register(inner)
            await work()
            await ws.send_text("x")
            """,
            id="what a nested function may do",
        ),
        pytest.param(
            """\
            async def inner():
                await ws.receive_text()
            register(inner)
            await work()
            await ws.send_text("x")  # error: send-before-accept
            await ws.accept()
            """,
            id="what a nested function may not do",
        ),
        pytest.param(
            """\
            @work
            async def inner():
                await ws.accept()
            await work()
            await ws.send_text("x")
            """,
            id="a decorated function",
        ),
        pytest.param(
            """\
            @work(ws)
            async def inner(a=work, *, b, c=1):
                pass
            await work()
            await ws.send_text("x")
            """,
            id="a decorator with it",
        ),
        pytest.param(
            """\
            def inner(a=ws, *, b, c=ws):
                pass
            await work()
            await ws.send_text("x")
            """,
            id="a default",
        ),
        pytest.param(
            """\
            async def inner(ws=ws):
                await ws.accept()
            await inner()
            await ws.send_text("x")
            """,
            id="a default, under the same name",
        ),
        pytest.param(
            """\
            async def inner(ws):
                await ws.accept()
            register(inner)
            await work()
            await ws.send_text("x")  # error: send-before-accept
            await ws.accept()
            """,
            id="a nested function with a name of its own",
        ),
    ],
)
def test_escapes(handler: Hold, source: str) -> None:
    """It may be anything from there, once others have run."""
    handler(source)


def test_many_ways(handler: Hold) -> None:
    """Where there are too many ways, nothing is said of what comes after."""
    names = [f"conn{number}" for number in range(8)]
    choices = "".join(f"if work():\n    {name} = ws\n" for name in names)
    handler(f"await ws.accept()\n{choices}await ws.accept()\n")


def test_not_many_ways(handler: Hold) -> None:
    """The same, with so few ways that something can be said."""
    names = [f"conn{number}" for number in range(3)]
    choices = "".join(f"if work():\n    {name} = ws\n" for name in names)
    handler(f"await ws.accept()\n{choices}await ws.accept()  # error: second-accept\n")


def test_many_finally_in_one_another(handler: Hold) -> None:
    # Each on all ways out of the one around it, it would not end.
    lines = ["await ws.accept()"]
    for depth in range(18):
        before = "    " * depth
        lines += [f"{before}try:", f"{before}    if work(): return", f"{before}finally:"]
    lines += ["    " * 18 + "await ws.accept()  # error: second-accept"]
    handler("\n".join(lines))


def test_many_loops_of_a_few_turns_in_one_another(handler: Hold) -> None:
    lines = ["await ws.accept()"]
    lines += ["    " * depth + "for _ in range(3):" for depth in range(18)]
    lines += ["    " * 18 + "await ws.send_text('x')", "await ws.accept()  # error: second-accept"]
    handler("\n".join(lines))
