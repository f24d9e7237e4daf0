"""Bytes and query strings into typed values, once, at the edge; or one French sentence per field."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Annotated, Any, Final, TypeVar, get_args, get_origin

import msgspec
from starlette.datastructures import QueryParams

from slots.errors import FieldError, Invalid
from web.refusals import Malformed

T = TypeVar("T", bound=msgspec.Struct)

PATH: Final = re.compile(r" - at `\$?\.?(?P<path>[^`]*)`$")
# What msgspec says, and what people read. A test keeps each of them alive.
SENTENCES: Final = (
    (re.compile(r"missing required field `(?P<field>[^`]+)`"), "Ce champ est obligatoire."),
    (re.compile(r"contains unknown field `(?P<field>[^`]+)`"), "Ce champ n’existe pas."),
    (re.compile(r"with a timezone component"), "L’instant doit dire son fuseau (Z ou ±hh:mm)."),
    (re.compile(r"RFC3339|Expected `datetime"), "Un instant RFC 3339 est attendu."),
    (re.compile(r"UUID"), "Un identifiant UUID est attendu."),
    (re.compile(r"Invalid enum value|matching regex"), "Cette valeur n’est pas admise."),
    (re.compile(r"`(str|array)` of length <= (?P<n>\d+)"), "{n} au plus."),
    (re.compile(r"`(str|array)` of length >= (?P<n>\d+)"), "{n} au moins."),
    (re.compile(r"`(int|float)` <= (?P<n>[-\d.]+)"), "Au plus {n}."),
    (re.compile(r"`(int|float)` >= (?P<n>[-\d.]+)"), "Au moins {n}."),
    (re.compile(r"Expected `int"), "Un nombre entier est attendu."),
    (re.compile(r"Expected `float|Number out of range"), "Un nombre est attendu."),
    (re.compile(r"Expected `bool"), "true ou false est attendu."),
    (re.compile(r"Expected `str"), "Un texte est attendu."),
    (re.compile(r"Expected `array"), "Une liste est attendue."),
    (re.compile(r"Expected `object"), "Un objet est attendu."),
)
DIGITS_MAX: Final = 5
OTHERWISE: Final = "Cette valeur n’est pas admise."


def parse_json(body: bytes, kind: type[T]) -> T:
    """The value of a JSON body. An empty body is an empty object.

    Raises:
        Malformed: It is not JSON, or not text that can be stored.
        Invalid: It is JSON of another shape; the one field that is wrong first.
    """
    # PostgreSQL stores no NUL in a text, and nobody types one.
    if b"\x00" in body or b"\\u0000" in body:
        raise Malformed
    body = body or b"{}"
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError as error:
        # The first wrong field is found before the end is read.
        if not _is_json(body):
            raise Malformed from error
        raise Invalid([field_error(error)]) from error
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise Malformed from error


def _is_json(body: bytes) -> bool:
    try:
        msgspec.json.decode(body, type=msgspec.Raw)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return False
    return True


def parse_query(query: QueryParams, kind: type[T]) -> T:
    """The value of a query string. Only lists may be given more than once.

    Raises:
        Invalid: A name is unknown or twice there, or a value cannot be read.
    """
    lists = {field.name for field in msgspec.structs.fields(kind) if _is_list(field.type)}
    values: dict[str, Any] = {}
    for name, value in query.multi_items():
        if "\x00" in value:
            raise Invalid([FieldError(name, OTHERWISE)])
        if name in lists:
            values.setdefault(name, []).append(value)
        elif name in values:
            raise Invalid([FieldError(name, "Ce paramètre ne peut être donné qu’une fois.")])
        else:
            values[name] = value
    try:
        return msgspec.convert(values, kind, strict=False)
    except msgspec.ValidationError as error:
        raise Invalid([field_error(error)]) from error


def _is_list(kind: Any) -> bool:
    plain = get_args(kind)[0] if get_origin(kind) is Annotated else kind
    return get_origin(plain) is list


def field_error(error: msgspec.ValidationError) -> FieldError:
    """The field that msgspec stumbled on, as `slots[0].ends_at`, and a French sentence."""
    said = str(error)
    at = PATH.search(said)
    path = at["path"] if at else ""
    for pattern, sentence in SENTENCES:
        found = pattern.search(said)
        if found:
            named = found.groupdict()
            if "field" in named:
                path = f"{path}.{named['field']}".strip(".")
            return FieldError(path, sentence.format(**named))
    return FieldError(path, OTHERWISE)


def whole_number(typed: str) -> int | None:
    """The number in a form's field or an address; None where it is none, or too long to be meant.

    Not every digit is one to count with (`²`), and not every number is one of a clock's.
    """
    is_one = len(typed) <= DIGITS_MAX and typed.isascii() and typed.isdigit()
    return int(typed) if is_one else None


def utc(field: str, instant: datetime) -> datetime:
    """The same instant in UTC.

    Raises:
        Invalid: It lies beyond what a calendar can say.
    """
    try:
        return instant.astimezone(UTC)
    except (OverflowError, ValueError) as error:
        raise Invalid([FieldError(field, "Cet instant est hors du calendrier.")]) from error


def one_of(field: str, value: str, known: Iterable[str]) -> None:
    """Refuse a word that is not known.

    Raises:
        Invalid: It is not.
    """
    if value not in known:
        raise Invalid([FieldError(field, OTHERWISE)])
