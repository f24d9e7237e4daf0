"""One search, asked by a person on a page and by a program: the same slots, in the same order."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from slots.times import PARIS

ROW = re.compile(r'<li class="slot" id="slot-([0-9a-f-]+)"')
HAUTS = "hauts-cantons-et-vignobles"

# What the page's form says, and the same as the API's query.
SEARCHES = [
    ("", {}),
    ("qui=60", {"profession": "60"}),
    ("qui=10:SM54", {"profession": "10", "specialty": "SM54"}),
    ("acte=suture", {"act": "suture"}),
    ("modalite=VR", {"modality": "VR"}),
    (f"territoire={HAUTS}", {"territory": HAUTS}),
    ("commune=Hérépian", {"commune": "34119", "order": "earliest"}),
    ("commune=Hérépian&tri=proche", {"commune": "34119", "order": "nearest"}),
    ("commune=Magalas&rayon=5", {"commune": "34147", "order": "earliest", "radius_km": 5}),
    ("commune=34028&rayon=20&tri=proche", {"commune": "34028", "radius_km": 20}),
    ("insee=34301&rayon=30", {"commune": "34301", "order": "earliest", "radius_km": 30}),
    ("modalite=HH&commune=Frontignan", {"modality": "HH", "commune": "34108"}),
]


@pytest.fixture
async def board(sign_in, world):
    """Slots of every kind, no two at the same time: equals come at random."""
    people = {name: await sign_in(name) for name in ("ann", "bob", "nina", "carl", "dora")}
    everybody = {"audience": ["CPTS", "SNP", "PRO"]}
    offers = [
        ("ann", {}),
        ("ann", {"acts": ["consultation", "suture"]}),
        ("ann", {"modality": "VR", "acts": ["teleconsultation"]}),
        ("bob", {}),
        ("bob", {"modality": "HH", "area": {"insee": ["34119", "34147"]}}),
        ("nina", {"modality": "HH", "area": {"radius_km": 10}}),
        ("nina", {}),
        ("carl", {}),
        ("carl", {"modality": "HH", "area": {"radius_km": 20}}),
    ]
    for hours, (name, fields) in enumerate(offers, start=1):
        schedule_id = world.schedules[name]
        await people[name].offer(schedule_id, hours=hours, **everybody, **fields)
    await people["dora"].offer(world.schedules["radiology"], hours=12, minutes=60, **everybody)


@pytest.mark.usefixtures("board")
async def test_the_page_and_the_api_find_the_same(sign_in):
    rita = await sign_in("rita")
    sizes = set()
    for typed, query in SEARCHES:
        page = await rita.get(f"/orienter?{typed}")
        answer = await rita.get("/api/v1/slots", params=query)

        found = answer.json()["slots"]
        # The page has a heading for each French day, and the same order below it.
        found.sort(
            key=lambda slot: datetime.fromisoformat(slot["starts_at"]).astimezone(PARIS).date()
        )
        assert ROW.findall(page.text) == [slot["id"] for slot in found], typed
        sizes.add(len(found))
    assert len(sizes) > 4, "the searches tell slots apart"


@pytest.mark.usefixtures("board")
async def test_the_page_and_the_api_mean_the_same_hours(sign_in):
    rita = await sign_in("rita")
    until = datetime.now(UTC) + timedelta(hours=4)

    page = await rita.get("/orienter?delai=4")
    answer = await rita.get("/api/v1/slots", params={"starts_before": until.isoformat()})

    assert ROW.findall(page.text) == [slot["id"] for slot in answer.json()["slots"]]
