"""The schedule: every kind, and the same again from the same seed."""

import itertools
from random import Random

from tests.chaos.canaries import MARK, found_in_files, found_in_mails, found_in_redis, requests
from tests.chaos.faults import KINDS, schedule


def test_each_kind_comes_once_and_then_two_at_once():
    blows = list(itertools.islice(schedule(Random(1), KINDS), len(KINDS) + 20))

    assert {blow.kind for (blow,) in blows[: len(KINDS)]} == set(KINDS)
    for one, other in blows[len(KINDS) :]:
        assert one.kind.what != other.kind.what


def test_one_seed_is_one_schedule():
    first, again = (list(itertools.islice(schedule(Random(7), KINDS), 40)) for _ in range(2))

    assert first == again


def test_every_careless_request_names_a_patient():
    name = f"{MARK}-7"

    for method, path, headers, body in requests(name, "a-slot"):
        assert MARK.lower() in f"{method} {path} {headers} {body}".lower()


async def test_a_canary_is_found_wherever_redis_can_have_it(redis_client):
    await redis_client.set("string", f"x {MARK}")
    await redis_client.hset("hash", "field", MARK)
    await redis_client.sadd("set", MARK)
    await redis_client.zadd("zset", {MARK: 1})
    await redis_client.rpush("list", MARK)
    await redis_client.xadd("stream", {"slot": MARK})
    await redis_client.set(f"answer:{MARK}", "1")
    await redis_client.set("innocent", "1")

    assert len(await found_in_redis(redis_client)) == 7


def test_a_canary_is_found_in_files_and_in_mails_of_any_encoding(tmp_path):
    log, mail = tmp_path / "web.log", tmp_path / "one.eml"
    log.write_text(f"fine\nGET /?patient={MARK.upper()}\n")
    quoted = "".join(f"={byte:02X}" for byte in MARK.encode())
    mail.write_text(
        f"Subject: x\nContent-Type: text/plain\nContent-Transfer-Encoding: quoted-printable\n\n{quoted}\n"
    )

    assert len(found_in_files("log", [log])) == 1
    assert len(found_in_mails([mail])) == 1
