"""Who may see and who may book: the whole table, every role and every audience."""

from dataclasses import replace
from uuid import uuid4

import pytest

from slots.account import EMERGENCY_DEPARTMENT, Account
from slots.appointment import Origin
from slots.audience import DEFAULT_AUDIENCE, Audience, Role
from slots.ids import ScheduleId, TerritoryId
from tests.broker.stage import make_account

HERE, BESIDE, FAR = TerritoryId(1), TerritoryId(2), TerritoryId(3)

MEMBERS = (Role.PROFESSIONAL, Role.DELEGATE, Role.REFERRER)
#                  members  neighbours  regulators  coordinator
MAY_BOOK = {
    Audience.CPTS: (True, False, False, False),
    Audience.SNP: (False, False, True, False),
    Audience.PRO: (True, True, True, False),
    Audience.PUBLIC: (True, True, True, False),
}


def neighbour() -> Account:
    return make_account(neighbours=frozenset({HERE}))


def sees(account: Account, *audience: Audience) -> bool:
    return account.may_see(HERE, uuid4(), frozenset(audience))


@pytest.mark.parametrize("audience", Audience)
@pytest.mark.parametrize("role", MEMBERS)
def test_a_member_books_what_is_for_members(role, audience):
    assert (audience in make_account(role).hears(HERE)) is MAY_BOOK[audience][0]


@pytest.mark.parametrize("audience", Audience)
def test_a_neighbour_books_what_is_for_professionals_and_the_public(audience):
    assert (audience in neighbour().hears(HERE)) is MAY_BOOK[audience][1]


@pytest.mark.parametrize("audience", Audience)
def test_a_regulator_books_what_is_for_regulators(audience):
    assert (audience in make_account(Role.REGULATOR).hears(HERE)) is MAY_BOOK[audience][2]


@pytest.mark.parametrize("audience", Audience)
def test_a_coordinator_sees_all_of_the_territory_and_books_nothing(audience):
    coordinator = make_account(Role.COORDINATOR)

    assert (audience in coordinator.hears(HERE)) is MAY_BOOK[audience][3]
    assert sees(coordinator, audience)


@pytest.mark.parametrize("audience", Audience)
@pytest.mark.parametrize("role", Role)
def test_whoever_may_book_may_see_and_whoever_may_not_sees_nothing_but_for_coordinators(
    role, audience
):
    account = make_account(role)

    may_book = audience in account.hears(HERE)
    assert sees(account, audience) is (may_book or role is Role.COORDINATOR)


@pytest.mark.parametrize("audience", Audience)
def test_nobody_hears_of_a_territory_that_they_have_nothing_to_do_with(audience):
    for account in (*map(make_account, Role), neighbour()):
        assert account.hears(FAR) == frozenset()
        assert not account.may_see(FAR, uuid4(), frozenset({audience}))


def test_one_of_the_words_is_enough():
    assert sees(neighbour(), Audience.CPTS, Audience.PRO)
    assert not sees(neighbour(), Audience.CPTS, Audience.SNP)


def test_by_default_members_and_regulators_are_meant():
    everyone = {*make_account(Role.REFERRER).hears(HERE), *make_account(Role.REGULATOR).hears(HERE)}

    assert set(DEFAULT_AUDIENCE) == {Audience.CPTS, Audience.SNP}
    assert set(DEFAULT_AUDIENCE) <= everyone
    assert neighbour().hears(HERE).isdisjoint(DEFAULT_AUDIENCE)


def test_several_roles_hear_what_each_of_them_hears():
    referrer = make_account(Role.REFERRER).hears(HERE)

    assert make_account(Role.REFERRER, Role.REGULATOR).hears(HERE) == frozenset(Audience)
    assert make_account(Role.REFERRER, Role.COORDINATOR).hears(HERE) == referrer
    assert neighbour().hears(FAR) == frozenset()


def test_owner_and_delegate_always_see_their_own():
    schedule = ScheduleId(uuid4())
    account = replace(make_account(Role.PROFESSIONAL), schedules={schedule: HERE})

    assert account.may_see(HERE, schedule, frozenset({Audience.SNP}))
    assert not account.may_see(HERE, ScheduleId(uuid4()), frozenset({Audience.SNP}))
    assert account.acts_for(schedule)


def test_the_reach_of_an_account_are_its_territories_and_those_that_list_them():
    account = replace(make_account(Role.REFERRER), neighbours=frozenset({FAR, BESIDE}))

    assert account.reach == [HERE, BESIDE, FAR]
    assert account.roles_in(HERE) == {Role.REFERRER}
    assert account.roles_in(BESIDE) == frozenset()


OWN = ScheduleId(uuid4())


@pytest.mark.parametrize(
    ("account", "schedule", "origins"),
    [
        (make_account(Role.REFERRER), uuid4(), [Origin.REFERRER]),
        (make_account(Role.PROFESSIONAL), uuid4(), [Origin.REFERRER]),
        (make_account(Role.DELEGATE), uuid4(), [Origin.REFERRER]),
        (make_account(Role.REGULATOR), uuid4(), [Origin.REGULATION]),
        (make_account(Role.COORDINATOR), uuid4(), []),
        (neighbour(), uuid4(), [Origin.REFERRER]),
        (replace(make_account(Role.PROFESSIONAL), schedules={OWN: HERE}), OWN, [Origin.SELF]),
        (
            replace(make_account(Role.REFERRER), organisation_kind=EMERGENCY_DEPARTMENT),
            uuid4(),
            [Origin.EMERGENCY, Origin.REFERRER],
        ),
        (
            make_account(Role.REGULATOR, Role.REFERRER),
            uuid4(),
            [Origin.REGULATION, Origin.REFERRER],
        ),
    ],
)
def test_the_origin_follows_from_the_acting_role(account, schedule, origins):
    assert account.origins_in(HERE, schedule) == origins
