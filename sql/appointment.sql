-- name: book_seat(id, territory_id, schedule_id, slot_id, seat, hold_id, reference, origin, reason, urgency, starts_at, account_id, organisation_id, booked_by_name, booked_by_organisation, booked_by_phone, held_at, booked_at) -> value
-- Makes a sealed hold true. Says nothing where the hold has ended already: revoked while we slept,
-- or confirmed by our own earlier try.
WITH ended AS (
  INSERT INTO hold_end (hold_id, territory_id, appointment_id) VALUES ($6, $2, $1)
  ON CONFLICT ON CONSTRAINT hold_end_pkey DO NOTHING
  RETURNING appointment_id
)
INSERT INTO appointment (id, territory_id, schedule_id, slot_id, seat, hold_id, reference, origin, reason, urgency, starts_at,
                         booked_by_account_id, booked_by_organisation_id, booked_by_name, booked_by_organisation,
                         booked_by_phone, held_at, booked_at)
SELECT appointment_id, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18 FROM ended
RETURNING id;

-- name: book_unchanged(account_id, territories, version, terms, heard, id, territory_id, schedule_id, slot_id, seat, hold_id, reference, origin, reason, urgency, starts_at, organisation_id, booked_by_name, booked_by_organisation, booked_by_phone, held_at, booked_at, letter_subject, letter_body, verb, key, body_hash, answer) -> one
SELECT version, seats
  FROM book_unchanged($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23,
                      $24, $25, $26, $27, $28);

-- name: book_overflow(id, territory_id, schedule_id, reference, origin, reason, urgency, starts_at, account_id, organisation_id, booked_by_name, booked_by_organisation, booked_by_phone, booked_at) -> none
INSERT INTO appointment (id, territory_id, schedule_id, reference, origin, reason, urgency, starts_at,
                         booked_by_account_id, booked_by_organisation_id, booked_by_name, booked_by_organisation,
                         booked_by_phone, booked_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14);

-- name: revoke_hold(hold_id, territory_id) -> value
-- Ends a hold without an appointment. Says nothing where it had ended already.
INSERT INTO hold_end (hold_id, territory_id) VALUES ($1, $2)
ON CONFLICT ON CONSTRAINT hold_end_pkey DO NOTHING
RETURNING true;

-- name: hold_end(hold_id) -> one
SELECT hold_id, appointment_id FROM hold_end WHERE hold_id = $1;

-- name: booked_that_day(schedule_id, day_starts_at, day_ends_at) -> value
SELECT booked_that_day($1, $2, $3);

-- name: appointments(ids) -> many
SELECT * FROM appointment WHERE id = ANY ($1::uuid[]);

-- name: lock_appointments(ids) -> many
SELECT * FROM appointment WHERE id = ANY ($1::uuid[]) ORDER BY id FOR UPDATE;

-- name: taken_in_slots(slot_ids) -> many
SELECT * FROM appointment WHERE slot_id = ANY ($1::uuid[]) AND status <> 'cancelled' ORDER BY id FOR UPDATE;

-- name: cancel_appointments(ids, at, by, side, moved_to) -> none
UPDATE appointment
   SET status = 'cancelled', cancelled_at = $2, cancelled_by = $3, cancelled_by_side = $4, moved_to = $5
 WHERE id = ANY ($1::uuid[]);

-- name: set_outcome(id, status, at) -> none
UPDATE appointment SET status = $2, outcome_at = $3, seen_at = coalesce(seen_at, $3) WHERE id = $1;

-- name: mark_seen(ids, at) -> none
UPDATE appointment SET seen_at = $2 WHERE id = ANY ($1::uuid[]) AND seen_at IS NULL;

-- name: mark_address_told(id, at) -> none
UPDATE appointment SET address_told_at = $2, seen_at = coalesce(seen_at, $2)
 WHERE id = $1 AND address_told_at IS NULL;

-- name: mark_patient_told(id, at, by) -> none
UPDATE appointment SET patient_told_at = $2, patient_told_by = $3 WHERE id = $1 AND patient_told_at IS NULL;

-- name: unseen_of_schedules(schedule_ids, since, until) -> many
SELECT id, slot_id FROM appointment
 WHERE schedule_id = ANY ($1::uuid[]) AND starts_at >= $2 AND starts_at < $3 AND status = 'booked' AND seen_at IS NULL
 ORDER BY id;

-- name: appointments_of_schedules(schedule_ids, since, until) -> many
SELECT * FROM appointment
 WHERE schedule_id = ANY ($1::uuid[]) AND starts_at >= $2 AND starts_at < $3
 ORDER BY starts_at, id;

-- name: appointments_of_organisation(organisation_id, since) -> many
SELECT * FROM appointment
 WHERE booked_by_organisation_id = $1 AND starts_at >= $2
 ORDER BY starts_at, id;

-- name: patients_to_tell(organisation_id) -> many
SELECT * FROM appointment
 WHERE booked_by_organisation_id = $1
   AND status = 'cancelled' AND cancelled_by_side = 'professional' AND patient_told_at IS NULL
 ORDER BY starts_at, id;

-- name: booked_since(territory_ids, first_id) -> value
SELECT booked_since($1, $2);

-- name: regulated_in_span(territory_ids, first_id, starts_at, ends_at) -> many
SELECT id, name, profession, specialty, patients FROM regulated_in_span($1, $2, $3, $4);

-- name: schedule_documents(schedule_ids) -> many
SELECT schedule.id,
       practitioner.id AS practitioner_id,
       practitioner.given_name || ' ' || practitioner.family_name AS practitioner_name,
       practitioner.profession AS practitioner_profession,
       practitioner.specialty AS practitioner_specialty,
       healthcare_service.id AS healthcare_service_id,
       healthcare_service.name AS service_name,
       healthcare_service.profession AS service_profession,
       healthcare_service.specialty AS service_specialty,
       location.id AS location_id,
       location.name AS location_name,
       commune.name AS location_commune,
       location.insee AS location_insee,
       location.lat AS location_lat,
       location.lon AS location_lon,
       coalesce(healthcare_service.phone, location.phone) AS location_phone
  FROM schedule
  LEFT JOIN practitioner_role ON practitioner_role.id = schedule.practitioner_role_id
  LEFT JOIN practitioner ON practitioner.id = practitioner_role.practitioner_id
  LEFT JOIN healthcare_service ON healthcare_service.id = schedule.healthcare_service_id
  JOIN location ON location.id = coalesce(practitioner_role.location_id, healthcare_service.location_id)
  JOIN commune ON commune.insee = location.insee
 WHERE schedule.id = ANY ($1::uuid[]);
