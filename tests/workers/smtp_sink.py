"""A mail server that keeps what it is given: enough of RFC 5321 for one client."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Self


class SmtpSink:
    def __init__(self) -> None:
        self.received: list[tuple[list[str], bytes]] = []
        self.refusing = False
        self.port = 0

    @classmethod
    @contextlib.asynccontextmanager
    async def listening(cls) -> AsyncIterator[Self]:
        sink = cls()
        server = await asyncio.start_server(sink.converse, "127.0.0.1", 0)
        sink.port = server.sockets[0].getsockname()[1]
        async with server:
            yield sink

    async def converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        recipients: list[str] = []
        writer.write(b"220 sink\r\n")
        while line := await reader.readline():
            verb, _, rest = line.decode().strip().partition(" ")
            match verb.upper():
                case "RCPT" if self.refusing:
                    writer.write(b"451 try later\r\n")
                    continue
                case "RCPT":
                    recipients.append(rest.partition("<")[2].rstrip(">"))
                case "DATA":
                    writer.write(b"354 go on\r\n")
                    data = await reader.readuntil(b"\r\n.\r\n")
                    self.received.append((recipients, data.removesuffix(b".\r\n")))
                case "QUIT":
                    writer.write(b"221 bye\r\n")
                    break
            writer.write(b"250 ok\r\n")
        writer.close()
        await writer.wait_closed()
