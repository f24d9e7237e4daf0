"""The directory, the catalogue, the communes."""

from tests.api.conftest import problem


async def test_practitioners_are_listed_by_name_with_skills_and_places(sign_in, world):
    rolf = await sign_in("rolf")

    people = (await rolf.get("/api/v1/practitioners")).json()["practitioners"]

    assert [person["name"] for person in people] == [
        "Bob Bernard",
        "Carl Durand",
        "Ann Martin",
        "Nina Petit",
    ]
    ann = people[2]
    assert ann["skills"] == ["suture"]
    assert ann["places"][0]["schedule_id"] == str(world.schedules["ann"])
    assert ann["places"][0]["location"]["commune"] == "Bédarieux"
    assert ann["places"][0]["distance_km"] is None


async def test_the_nearest_come_first_where_a_place_is_given(sign_in, world):
    rolf = await sign_in("rolf")

    answer = await rolf.get(
        "/api/v1/practitioners",
        params={"commune": "34147", "profession": "10", "radius_km": "20"},
    )

    people = answer.json()["practitioners"]
    assert [(one["name"], one["places"][0]["distance_km"]) for one in people] == [
        ("Bob Bernard", 0.0),
        ("Ann Martin", 15.2),
    ]


async def test_the_directory_is_filtered(sign_in, world):
    rolf = await sign_in("rolf")

    for params, names in (
        ({"profession": "60"}, ["Nina Petit"]),
        ({"specialty": "SM54", "territory": "bassin-de-thau"}, ["Carl Durand"]),
        ({"skill": "SUTURE"}, ["Ann Martin"]),
        ({"profession": "99"}, []),
    ):
        answer = await rolf.get("/api/v1/practitioners", params=params)
        assert [one["name"] for one in answer.json()["practitioners"]] == names, params


async def test_services_have_a_phone_and_a_place(sign_in, world):
    rolf = await sign_in("rolf")

    [radiology] = (await rolf.get("/api/v1/services")).json()["services"]

    assert radiology["name"] == "Radiologie"
    assert radiology["place"]["location"]["phone"] == "0400000013"


async def test_the_catalogue_has_each_territorys_words(sign_in):
    ann = await sign_in("ann")

    catalogue = (await ann.get("/api/v1/catalogue", params={"territory": "bassin-de-thau"})).json()

    assert {act["territory"] for act in catalogue["acts"]} == {"bassin-de-thau"}
    assert {"x-ray"} <= {act["code"] for act in catalogue["acts"] if act["prescription_required"]}
    assert [one["code"] for one in catalogue["urgencies"]] == ["today", "within-24h", "within-48h"]
    assert catalogue["reasons"][0]["label"] == "Fièvre, infection"


async def test_communes_are_found_as_people_type_them(sign_in):
    ann = await sign_in("ann")

    for typed, insee in (("heré", ["34119"]), ("34600", ["34028", "34119"]), ("zzz", [])):
        answer = await ann.get("/api/v1/communes", params={"q": typed})
        assert [one["insee"] for one in answer.json()["communes"]] == insee
    assert problem(await ann.get("/api/v1/communes")) == (422, "invalid")


async def test_the_directory_is_for_those_who_are_signed_in(stranger):
    for path in ("practitioners", "services", "catalogue", "communes?q=a"):
        assert problem(await stranger.get(f"/api/v1/{path}")) == (401, "not-signed-in")
