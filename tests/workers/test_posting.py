"""POSTs to a server that answers as it is told: whatever HTTP allows is read, and whatever else comes is told."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from workers.endpoint import Endpoint, EndpointError, Refused
from workers.posting import NOT_HTTP, Answer, Door, NoAnswer, Reading

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
DONE = b'HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n{"data":{}}'
HEAD = b"HTTP/1.1 200 OK\r\n"


def with_server(talk: Talk, work: Callable[[str], Awaitable[Any]], host: str = "127.0.0.1") -> Any:
    """`work` is given the server's URL."""

    async def main() -> Any:
        server = await asyncio.start_server(talk, host)
        port = server.sockets[0].getsockname()[1]
        async with server:
            return await work(f"http://{f'[{host}]' if ':' in host else host}:{port}")

    return asyncio.run(main())


async def request(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    return head + await reader.readexactly(int(head.lower().partition(b"content-length: ")[2].split()[0]))


@pytest.mark.parametrize(
    ("arrived", "answer"),
    [
        (HEAD + b"Content-Length: 2\r\n\r\nab", Answer(200, b"ab", True)),
        (HEAD + b"content-length:2\r\nCONNECTION: Close\r\n\r\nab", Answer(200, b"ab", False)),
        (b"HTTP/1.0 503 \r\nContent-Length: 0\r\n\r\n", Answer(503, b"", False)),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + HEAD + b"Content-Length: 1\r\n\r\na", Answer(200, b"a", True)),
        (b"HTTP/1.1 204 No Content\r\n\r\n", Answer(204, b"", True)),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n3;x=y\r\ncde\r\n0\r\n\r\n", Answer(200, b"abcde", True)),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\nSeen: yes\r\n\r\n", Answer(200, b"", True)),
    ],
)
def test_an_answer_is_read_once_it_is_all_there(arrived: bytes, answer: Answer) -> None:
    reading = Reading()
    assert [reading.feed(arrived[at : at + 1]) for at in range(len(arrived))] == [None] * (len(arrived) - 1) + [answer]
    assert Reading().feed(arrived) == answer


def test_what_nobody_has_asked_for_ends_the_connection() -> None:
    other = b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n"
    assert Reading().feed(HEAD + b"Content-Length: 1\r\n\r\na" + other) == Answer(200, b"a", False)


def test_an_answer_of_no_length_ends_with_its_connection() -> None:
    reading = Reading()
    assert reading.feed(HEAD + b"\r\nab") is None
    assert reading.end() == Answer(200, b"ab", False)


@pytest.mark.parametrize(
    "arrived",
    [
        b"SSH-2.0-x\r\n",
        b"HTTP/1.1 200 OK" + b" " * 70_000,
        b"HTTP/1.1 many\r\n\r\n",
        HEAD + b"Content-Length: two\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n-5\r\n",
    ],
)
def test_what_is_no_http_is_told(arrived: bytes) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request(reader)
        writer.write(arrived)

    async def work(url: str) -> None:
        with pytest.raises(NoAnswer, match=NOT_HTTP):
            await Door(url, {}, 20).post(b"{}")

    with_server(talk, work)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_a_request_is_whole_and_its_connection_kept(host: str) -> None:
    seen: list[list[bytes]] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append([])
        for _ in range(2):
            seen[-1].append(await request(reader))
            writer.write(DONE)

    async def work(url: str) -> str:
        endpoint = Endpoint(f"{url}/below", "secret")
        assert [await endpoint.ask(b"1"), await endpoint.ask(b"22", {"x-chunk": "{}"})] == [{}, {}]
        return url.removeprefix("http://")

    netloc = with_server(talk, work, host)
    assert [len(requests) for requests in seen] == [2]
    assert (
        seen[0][1]
        == (
            f"POST /below/graphql/ HTTP/1.1\r\nHost: {netloc}\r\nAuthorization: Bearer secret\r\n"
            "Content-Type: application/json\r\nx-chunk: {}\r\nContent-Length: 2\r\n\r\n22"
        ).encode()
    )


@pytest.mark.parametrize("farewell", [b"", b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n"])
def test_a_connection_that_was_closed_meanwhile_is_not_used_again(farewell: bytes) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request(reader)
        writer.write(DONE)
        await writer.drain()
        writer.write(farewell)
        writer.close()

    async def work(url: str) -> None:
        door = Door(url, {}, 20)
        await door.post(b"1")
        async with asyncio.timeout(20):
            while any(line.is_silent for line in door._idle):
                await asyncio.sleep(0)
        assert (await door.post(b"2")).status == 200

    with_server(talk, work)


def test_several_ask_at_once() -> None:
    met = asyncio.Barrier(3)

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request(reader)
        await met.wait()
        writer.write(DONE)

    async def work(url: str) -> list[Any]:
        endpoint = Endpoint(url, "secret")
        return list(await asyncio.gather(*(endpoint.ask(b"1") for _ in range(3))))

    assert with_server(talk, work) == [{}] * 3


def test_what_is_broken_off_or_late_is_told() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if (await request(reader)).endswith(b"break off"):
            writer.write(DONE[:-1])
            writer.close()
        else:
            await asyncio.sleep(60)

    async def work(url: str) -> None:
        endpoint = Endpoint(url, "secret", answer_seconds=0.05)
        with pytest.raises(EndpointError, match="does not answer \\(the connection was closed\\)"):
            await endpoint.ask(b"break off")
        with pytest.raises(EndpointError, match="does not answer \\(timed out\\)"):
            await endpoint.ask(b"late")
        with pytest.raises(EndpointError, match="does not answer \\(connection refused\\)"):
            await Endpoint("http://127.0.0.1:1", "secret").ask(b"")

    with_server(talk, work)


def test_what_would_begin_another_header_is_refused() -> None:
    with pytest.raises(Refused, match="no header can"):
        asyncio.run(Endpoint("http://127.0.0.1:1", "secret").ask(b"", {"x-chunk": "{}\r\nCookie: x"}))
