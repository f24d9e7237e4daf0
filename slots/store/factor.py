"""Second factors in the ledger. The application's role reaches them only through narrow doors."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from slots import queries
from slots.database import Connection
from slots.ids import AccountId
from slots.second_factor import Factors

QUERIES: Final = queries.load("factor.sql")


@dataclass(frozen=True, slots=True)
class Passkey:
    """A passkey as its owner sees it. *name*: the browser and system that it was made on."""

    credential_id: bytes
    name: str
    added_at: datetime
    used_at: datetime | None


@dataclass(frozen=True, slots=True)
class KnownPasskey:
    """A passkey as its answer is verified. *public_key* is COSE's."""

    account_id: AccountId
    public_key: bytes
    sign_count: int


async def factors_of(conn: Connection, account_id: AccountId) -> Factors:
    """What the account can show; nothing where it is disabled."""
    row = await QUERIES["factors_of"].one(conn, account_id=account_id)
    passkeys = await passkeys_of(conn, account_id)
    if row is None:
        return Factors(None, None, 0, 0, has_password=False)
    return Factors(passkeys=len(passkeys), **dict(row))


async def passkeys_of(conn: Connection, account_id: AccountId) -> list[Passkey]:
    """The account's passkeys, the oldest first."""
    return [
        Passkey(**dict(row))
        for row in await QUERIES["passkeys_of"].many(conn, account_id=account_id)
    ]


async def passkey_called(conn: Connection, credential_id: bytes) -> KnownPasskey | None:
    """The passkey of this id; None where nobody who may sign in has it."""
    row = await QUERIES["passkey_called"].one(conn, credential_id=credential_id)
    return (
        KnownPasskey(AccountId(row["account_id"]), row["public_key"], row["sign_count"])
        if row
        else None
    )


async def use_passkey(
    conn: Connection, credential_id: bytes, sign_count: int, at: datetime
) -> None:
    """It was shown."""
    await QUERIES["use_passkey"].none(
        conn, credential_id=credential_id, sign_count=sign_count, at=at
    )


async def use_app_step(conn: Connection, account_id: AccountId, step: int) -> bool:
    """Whether the code of this step is good: no code of it or of a later one was taken before."""
    return bool(await QUERIES["use_app_step"].value(conn, account_id=account_id, step=step))


async def use_recovery_code(
    conn: Connection, account_id: AccountId, code_hash: bytes, at: datetime
) -> bool:
    """Whether this is one of the account's codes, used for the first time."""
    return bool(
        await QUERIES["use_recovery_code"].value(
            conn, account_id=account_id, code_hash=code_hash, at=at
        )
    )


async def has_no_factor(conn: Connection, account_id: AccountId) -> bool:
    """Whether the account has only its password; nobody adds one until the transaction ends."""
    return bool(await QUERIES["has_no_factor"].value(conn, account_id=account_id))


async def put_authenticator_app(
    conn: Connection, account_id: AccountId, sealed_secret: bytes, step: int, at: datetime
) -> None:
    """The account's app from now on; *step*'s code is used."""
    await QUERIES["put_authenticator_app"].none(
        conn, account_id=account_id, sealed_secret=sealed_secret, step=step, at=at
    )


async def put_passkey(
    conn: Connection,
    account_id: AccountId,
    credential_id: bytes,
    public_key: bytes,
    sign_count: int,
    name: str,
    at: datetime,
) -> bool:
    """Add a passkey. False where that one is somebody's already."""
    return bool(
        await QUERIES["put_passkey"].value(
            conn,
            credential_id=credential_id,
            account_id=account_id,
            public_key=public_key,
            sign_count=sign_count,
            name=name,
            at=at,
        )
    )


async def put_recovery_codes(
    conn: Connection, account_id: AccountId, code_hashes: Iterable[bytes]
) -> None:
    """These codes and no others from now on."""
    await QUERIES["put_recovery_codes"].none(
        conn, account_id=account_id, code_hashes=list(code_hashes)
    )


async def remove_own_passkey(conn: Connection, credential_id: bytes) -> bool:
    """Take away a passkey of whoever has entered. False where it is not theirs."""
    return bool(await QUERIES["remove_own_passkey"].value(conn, credential_id=credential_id))


async def remove_own_app(conn: Connection) -> bool:
    """Take away the app of whoever has entered."""
    return bool(await QUERIES["remove_own_app"].value(conn))


async def set_password(conn: Connection, account_id: AccountId, password_hash: str) -> None:
    """The account's password from now on."""
    await QUERIES["set_password"].none(conn, account_id=account_id, password_hash=password_hash)


async def renew_password_hash(
    conn: Connection, account_id: AccountId, old_hash: str, new_hash: str
) -> bool:
    """Keep another hash of the same password. False where it is not *old_hash* any more, or in use."""
    return bool(
        await QUERIES["renew_password_hash"].value(
            conn, account_id=account_id, old_hash=old_hash, new_hash=new_hash
        )
    )
