"""GET /slots: what is found, by whom, in what order, and what is kept of what was not."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.api.conftest import problem

SLOTS = "/api/v1/slots"
HAUTS, THAU = "hauts-cantons-et-vignobles", "bassin-de-thau"


async def found(person, **params):
    answer = await person.get(SLOTS, params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()["slots"]


async def test_the_board_comes_with_the_positions_of_its_logs(sign_in, world):
    ann = await sign_in("ann")
    slot = await ann.offer(world.schedules["ann"])

    answer = (await ann.get(SLOTS)).json()

    assert answer["source"] == "broker"
    assert sorted(answer["at"]) == [THAU, HAUTS]
    assert answer["slots"] == [slot]


async def test_each_sees_what_the_audience_says(sign_in, world):
    ann = await sign_in("ann")
    shown = {
        words: (await ann.offer(world.schedules["ann"], hours=hours, audience=words.split()))["id"]
        for hours, words in enumerate(("CPTS", "SNP", "PRO"), start=1)
    }
    seen = {
        "rolf": ["CPTS", "PRO"],
        "rita": ["SNP", "PRO"],
        "carl": ["PRO"],
        "cora": ["CPTS", "SNP", "PRO"],
        "olga": ["CPTS", "SNP", "PRO"],
    }
    for name, words in seen.items():
        person = await sign_in(name)
        assert [slot["id"] for slot in await found(person)] == [shown[word] for word in words], name


async def test_a_place_puts_the_nearest_first_and_tells_the_distance(sign_in, world):
    ann, bob, rita = await sign_in("ann"), await sign_in("bob"), await sign_in("rita")
    far = await bob.offer(world.schedules["bob"], hours=1)
    near = await ann.offer(world.schedules["ann"], hours=2)

    by_place = await found(rita, commune="34028")
    by_time = await found(rita, commune="34028", order="earliest")

    assert [(slot["id"], slot["distance_km"]) for slot in by_place] == [
        (near["id"], 0.0),
        (far["id"], 15.2),
    ]
    assert [slot["id"] for slot in by_time] == [far["id"], near["id"]]
    assert "distance_km" not in (await found(rita))[0]


async def test_a_position_is_rounded_before_it_is_used(sign_in, world):
    ann = await sign_in("ann")
    await ann.offer(world.schedules["ann"])

    exact = await found(ann, near="43.6126612345,3.1662387654")
    rough = await found(ann, near="43.61,3.17")

    assert exact == rough
    assert exact[0]["distance_km"] == 0.4


async def test_a_radius_leaves_out_what_is_farther(sign_in, world):
    ann, bob = await sign_in("ann"), await sign_in("bob")
    near = await ann.offer(world.schedules["ann"])
    await bob.offer(world.schedules["bob"])

    slots = await found(ann, commune="34028", radius_km=10)

    assert [slot["id"] for slot in slots] == [near["id"]]


async def test_home_visits_are_matched_with_the_patients_commune(sign_in, world):
    nina, rolf = await sign_in("nina"), await sign_in("rolf")
    await nina.offer(
        world.schedules["nina"], modality="HH", area={"insee": ["34119"]}, acts=["home-visit"]
    )

    assert len(await found(rolf, commune="34119", radius_km=1)) == 1
    assert await found(rolf, commune="34028") == []
    # Nobody says the commune, but there is only one that near.
    assert len(await found(rolf, near="43.59,3.12")) == 1


async def test_filters_keep_what_they_name(sign_in, world):
    ann, nina, dora = await sign_in("ann"), await sign_in("nina"), await sign_in("dora")
    slots = {
        "ann": await ann.offer(world.schedules["ann"], acts=["consultation", "suture"]),
        "nina": await nina.offer(world.schedules["nina"]),
        "dora": await dora.offer(world.schedules["radiology"], hours=6),
    }
    soon = (datetime.now(UTC) + timedelta(hours=4)).isoformat()

    for who, filters in (
        ("nina", {"profession": "60"}),
        ("dora", {"specialty": "SM44"}),
        ("ann", {"act": "suture"}),
        ("ann", {"profession": "10", "starts_before": soon}),
    ):
        assert [slot["id"] for slot in await found(ann, **filters)] == [slots[who]["id"]], filters
    assert await found(ann, modality="VR") == []
    assert await found(ann, territory=THAU) == []
    assert len(await found(ann, territory=[HAUTS, THAU])) == 3
    assert len(await found(ann, limit=2)) == 2
    assert len(await found(ann, status="free")) == 3


@pytest.mark.parametrize(
    "params, field",
    [
        ({"territory": "atlantis"}, "territory"),
        ({"commune": "99999"}, "commune"),
        ({"commune": "Bédarieux"}, "commune"),
        ({"near": "here"}, "near"),
        ({"near": "95,3"}, "near"),
        ({"radius_km": "-1"}, "radius_km"),
        ({"radius_km": "nan"}, "radius_km"),
        ({"starts_before": "tomorrow"}, "starts_before"),
        ({"starts_before": "2026-11-22T10:00:00"}, "starts_before"),
        ({"starts_before": "0001-01-01T00:00:00+23:59"}, "starts_before"),
        ({"limit": "0"}, "limit"),
        ({"limit": "1001"}, "limit"),
        ({"limit": "many"}, "limit"),
        ({"modality": "TELEPATHY"}, "modality"),
        ({"act": ["a", "b"]}, "act"),
        ({"act": ""}, "act"),
        ({"act": "a\x00b"}, "act"),
        ({"colour": "blue"}, "colour"),
    ],
)
async def test_a_filter_that_cannot_be_read_is_named(sign_in, params, field):
    ann = await sign_in("ann")

    answer = await ann.get(SLOTS, params=params)

    assert problem(answer) == (422, "invalid")
    assert [error["field"] for error in answer.json()["errors"]] == [field]


async def test_a_territory_out_of_reach_is_not_allowed(owner, service, sign_in, world):
    await owner.execute("DELETE FROM territory_neighbour")
    ann = await sign_in("ann")

    assert problem(await ann.get(SLOTS, params={"territory": THAU})) == (403, "not-allowed")


async def test_a_need_that_nobody_meets_is_kept_once_and_without_a_person(owner, sign_in, world):
    rolf, rosa = await sign_in("rolf"), await sign_in("rosa")
    need = {
        "act": "x-ray",
        "commune": "34119",
        "starts_before": (datetime.now(UTC) + timedelta(hours=23)).isoformat(),
    }

    for person in (rolf, rosa):
        assert await found(person, **need) == []

    kept = await owner.fetch("SELECT * FROM unmet_search")
    assert [
        (row["territory_id"], row["act"], row["profession"], row["insee"], row["within_hours"])
        for row in kept
    ] == [(world.hauts, "x-ray", None, "34119", 24)]


async def test_a_need_is_unmet_where_every_seat_is_taken(owner, sign_in, world):
    ann, rolf, rosa = await sign_in("ann"), await sign_in("rolf"), await sign_in("rosa")
    await rolf.hold(await ann.offer(world.schedules["ann"]))

    await found(rosa, act="consultation")

    assert await owner.fetchval("SELECT count(*) FROM unmet_search") == 1


@pytest.mark.parametrize("params", [{}, {"commune": "34119"}, {"act": "consultation"}])
async def test_nothing_is_kept_of_who_only_looks_around_or_finds(owner, sign_in, world, params):
    ann = await sign_in("ann")
    if "act" in params:
        await ann.offer(world.schedules["ann"])

    await found(ann, **params)

    assert await owner.fetchval("SELECT count(*) FROM unmet_search") == 0


async def test_a_regulators_need_is_kept_for_each_territory_asked(owner, sign_in, world):
    rita = await sign_in("rita")

    await found(rita, profession="50")

    kept = await owner.fetch("SELECT territory_id FROM unmet_search ORDER BY territory_id")
    assert [row["territory_id"] for row in kept] == [world.hauts, world.thau]
