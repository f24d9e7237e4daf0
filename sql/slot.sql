-- name: slots_by_id(slot_ids) -> many
SELECT * FROM ledger_slot WHERE id = ANY ($1::uuid[]);

-- name: lock_slots(slot_ids) -> many
-- The row lock that every change of a slot or of its appointments takes first. Read the slot in a
-- statement after this one: a row read while waiting for the lock would be an old one.
SELECT id FROM slot WHERE id = ANY ($1::uuid[]) ORDER BY id FOR UPDATE;

-- name: slots_of_schedules(schedule_ids, since, until) -> many
SELECT * FROM ledger_slot
 WHERE schedule_id = ANY ($1::uuid[]) AND ends_at > $2 AND starts_at < $3
 ORDER BY starts_at, id;

-- name: slots_on_the_books(territory_id, now) -> many
-- What the broker keeps: every slot that has not ended, tombstones too.
SELECT * FROM ledger_slot WHERE territory_id = $1 AND ends_at > $2 ORDER BY starts_at, id;

-- name: slots_before_horizon(territory_id, now, usual) -> many
SELECT * FROM ledger_slot
 WHERE territory_id = $1 AND ends_at > $2 AND withdrawn_at IS NULL
   AND starts_at <= $2 + coalesce(make_interval(hours => horizon_h), $3::interval)
 ORDER BY starts_at, id;

-- name: lock_practitioners(practitioner_ids) -> many
-- First of all locks: concurrent identical inserts would otherwise end in deadlocks.
SELECT id FROM practitioner WHERE id = ANY ($1::uuid[]) ORDER BY id FOR NO KEY UPDATE;

-- name: lock_services(healthcare_service_ids) -> many
SELECT id FROM healthcare_service WHERE id = ANY ($1::uuid[]) ORDER BY id FOR NO KEY UPDATE;

-- name: lock_capped_schedules(schedule_ids) -> many
-- Two seats of one day in two slots: a daily cap is counted under this lock.
SELECT id FROM schedule WHERE id = ANY ($1::uuid[]) AND daily_cap IS NOT NULL ORDER BY id FOR NO KEY UPDATE;

-- name: lock_to_book(slot_ids) -> many
-- The locks of a booking, and the slots as they are under them, in one round trip.
SELECT * FROM lock_to_book($1::uuid[]);

-- name: schedules(schedule_ids) -> many
SELECT schedule.id, schedule.territory_id, schedule.default_audience,
       -- In their order, without what the territory has retired.
       ARRAY(SELECT usual.code FROM unnest(schedule.default_acts) WITH ORDINALITY AS usual (code, number)
              WHERE NOT EXISTS (SELECT FROM act WHERE act.territory_id = schedule.territory_id AND act.code = usual.code
                                   AND act.retired_at IS NOT NULL)
              ORDER BY usual.number) AS default_acts,
       schedule.daily_cap, schedule.accepts_overflow,
       practitioner_role.practitioner_id,
       schedule.healthcare_service_id,
       coalesce(practitioner_role.location_id, healthcare_service.location_id) AS location_id,
       healthcare_service.rooms
  FROM schedule
  LEFT JOIN practitioner_role ON practitioner_role.id = schedule.practitioner_role_id
  LEFT JOIN healthcare_service ON healthcare_service.id = schedule.healthcare_service_id
 WHERE schedule.id = ANY ($1::uuid[]);

-- name: has_ended(schedule_ids) -> value
-- Whether any of them is of somebody who works there no more: asked under the lock of who offers.
SELECT EXISTS (SELECT FROM schedule JOIN practitioner_role ON practitioner_role.id = schedule.practitioner_role_id
                WHERE schedule.id = ANY ($1::uuid[]) AND practitioner_role.ended_at IS NOT NULL);

-- name: act_codes(territory_id) -> many
SELECT code FROM act WHERE territory_id = $1 AND retired_at IS NULL;

-- name: known_communes(insee_codes) -> many
SELECT insee FROM commune WHERE insee = ANY ($1::text[]);

-- name: overlapping_slot(practitioner_id, starts_at, ends_at, but_slot_id) -> one
SELECT slot_id, starts_at, ends_at, place FROM overlapping_slot($1, $2, $3, $4);

-- name: free_room(healthcare_service_id, rooms, starts_at, ends_at, but_slot_id) -> value
-- Inside, a bare `room` would be the slot's own, and every room would look taken.
SELECT free.room
  FROM generate_series(1, $2::integer) AS free (room)
 WHERE NOT EXISTS (
         SELECT FROM slot
          WHERE slot.healthcare_service_id = $1
            AND slot.room = free.room
            AND slot.withdrawn_at IS NULL
            AND slot.modality IN ('AMB', 'HH')
            AND tstzrange(slot.starts_at, slot.ends_at, '[)') && tstzrange($3, $4, '[)')
            AND slot.id IS DISTINCT FROM $5)
 ORDER BY free.room
 LIMIT 1;

-- name: insert_slot(id, territory_id, schedule_id, location_id, practitioner_id, healthcare_service_id, room, starts_at, ends_at, capacity, modality, area, acts, audience, note, offered_at, offered_by) -> none
INSERT INTO slot (id, territory_id, schedule_id, location_id, practitioner_id, healthcare_service_id, room,
                  starts_at, ends_at, capacity, modality, area, acts, audience, note, offered_at, offered_by)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17);

-- name: amend_slot(id, starts_at, ends_at, capacity, modality, area, acts, audience, note, room, new_terms) -> none
UPDATE slot
   SET starts_at = $2, ends_at = $3, capacity = $4, modality = $5, area = $6, acts = $7, audience = $8, note = $9,
       room = $10, terms = terms + $11::integer
 WHERE id = $1;

-- name: withdraw_slots(slot_ids, at, by) -> none
UPDATE slot SET withdrawn_at = $2, withdrawn_by = $3 WHERE id = ANY ($1::uuid[]) AND withdrawn_at IS NULL;

-- name: slots_to_withdraw(schedule_ids, since, until) -> many
-- Still ahead, or a plage still open, on that day.
SELECT id FROM slot
 WHERE schedule_id = ANY ($1::uuid[]) AND withdrawn_at IS NULL AND ends_at > $2 AND starts_at < $3
 ORDER BY id;

-- name: offered_before(schedule_ids, since, until, at_most) -> many
-- What these schedules published in the span and did not take back, the newest first.
SELECT id, schedule_id, starts_at, ends_at, capacity, modality, area, acts, audience, note
  FROM slot
 WHERE schedule_id = ANY ($1::uuid[]) AND starts_at >= $2 AND starts_at < $3 AND withdrawn_at IS NULL
 ORDER BY starts_at DESC, id
 LIMIT $4;

-- name: accept_overflow(schedule_id, accepts) -> none
UPDATE schedule SET accepts_overflow = $2 WHERE id = $1;
