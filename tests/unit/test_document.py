"""The public document: a card that the scripts splice with counters."""

from uuid import uuid4

import msgspec

from slots.document import ScheduleDocument, ServiceDocument, decode_slot, encode_card
from tests.broker.stage import make_slot

COUNTERS = (
    ',"capacity":2,"free":1,"held":0,"booked":1,"held_until":null,"status":"free","version":7}'
)


def test_a_card_and_its_counters_are_a_slot():
    slot = make_slot(note='Guillemets " et } accolade')

    document = decode_slot(encode_card(slot.card) + COUNTERS)

    assert (document.id, document.note) == (slot.id, 'Guillemets " et } accolade')
    assert (document.capacity, document.free, document.version) == (2, 1, 7)


def test_a_card_lacks_only_its_brace():
    card = make_slot().card

    assert msgspec.json.decode(encode_card(card) + "}", type=type(card)) == card


def test_profession_and_specialty_are_those_of_whoever_the_time_belongs_to():
    document = make_slot().document()
    service = ServiceDocument(uuid4(), "Radiologie", "10", "SM44")
    of_service = msgspec.structs.replace(
        document,
        schedule=ScheduleDocument(uuid4(), None, service, document.schedule.location),
    )

    assert (document.profession, document.specialty) == ("10", "SM54")
    assert (of_service.profession, of_service.specialty) == ("10", "SM44")
