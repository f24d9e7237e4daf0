"""What people write is text wherever it is shown: on pages, and in the rows of live boards."""

import pytest

NOTE = '<img src=x onerror=alert(1)>"</script>'
ESCAPED = "&lt;img src=x onerror=alert(1)&gt;&#34;&lt;/script&gt;"


@pytest.mark.parametrize(("who", "path"), [("rolf", "/orienter"), ("rita", "/regulation")])
async def test_markup_in_a_note_is_shown_and_not_obeyed(sign_in, world, who, path):
    await (await sign_in("ann")).offer(
        world.schedules["ann"], note=NOTE, audience=["CPTS", "PRO", "SNP"]
    )

    shown = (await (await sign_in(who)).get(path)).text

    assert "<img src=x" not in shown
    assert ESCAPED in shown


async def test_so_it_is_in_a_row_that_arrives_live(sign_in, world):
    await (await sign_in("ann")).offer(world.schedules["ann"], note=NOTE)

    answer = await (await sign_in("rolf")).get(
        "/live/snapshot", params={"territory": "hauts-cantons-et-vignobles", "as": "html"}
    )

    assert answer.headers["content-type"] == "application/json"
    rows = str([territory["html"] for territory in answer.json()["snapshots"]])
    assert "<img src=x" not in rows
    assert ESCAPED in rows


@pytest.mark.parametrize(
    "path", ["/connexion?suite=/%22%3E%3Cscript%3E", "/%3Cscript%3E", "/annuaire?q=%3Cscript%3E"]
)
async def test_so_it_is_in_an_address(sign_in, stranger, path):
    for person in (stranger, await sign_in("rolf")):
        answer = await person.get(path, follow_redirects=True)

        assert "<script>" not in answer.text
