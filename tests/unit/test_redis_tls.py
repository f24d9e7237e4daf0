"""`rediss://` speaks to the server that it names, and to no other with a good certificate."""

import asyncio
import contextlib
import re
import ssl
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from redis.exceptions import ConnectionError  # noqa: A004

from slots import redis_url

A_DAY = timedelta(days=1)


def certificate_of(host, folder):
    """A file with a certificate for *host*, which signs itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, host)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - A_DAY)
        .not_valid_after(now + A_DAY)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .sign(key, SHA256())
    )
    file = folder / f"{host}.pem"
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file.write_bytes(made.public_bytes(Encoding.PEM) + private)
    return file


@contextlib.asynccontextmanager
async def server_with(certificate):
    """What answers PONG to everything, behind TLS. Yields its port and what it has heard."""
    heard = []

    async def answer(reader, writer):
        with contextlib.suppress(ConnectionResetError):
            while words := await reader.read(4096):
                heard.append(words)
                writer.write(b"+PONG\r\n" * len(re.findall(rb"(?m)^\*\d+\r$", words)))
        writer.close()

    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context)
    async with server:
        yield server.sockets[0].getsockname()[1], heard


async def test_the_server_that_is_named_is_spoken_to(tmp_path):
    certificate = certificate_of("localhost", tmp_path)
    async with server_with(certificate) as (port, heard):
        client = redis_url.connect(f"rediss://localhost:{port}?ssl_ca_certs={certificate}")

        assert await client.ping()

        assert heard
        await client.aclose()


async def test_another_server_with_a_good_certificate_hears_no_password(tmp_path):
    certificate = certificate_of("elsewhere.example", tmp_path)
    async with server_with(certificate) as (port, heard):
        client = redis_url.connect(f"rediss://:word@localhost:{port}?ssl_ca_certs={certificate}")

        with pytest.raises(ConnectionError, match="localhost"):
            await client.ping()

        assert heard == []
        await client.aclose()
