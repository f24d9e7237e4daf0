-- People and places that a coordinator brings in: the doors of schema.sql, each of which asks by itself whether whoever
-- has entered may. Run by slots/store/bringing_in.py and slots/store/people_table.py.

-- name: lock_people() -> none
-- One at a time: two would each miss what the other is about to make.
SELECT pg_advisory_xact_lock(49, 0);

-- name: put_place(territory_id, name, insee, address, lat, lon, phone, amends_phone, access, step_free, parking, organisation, finess, kind) -> one
SELECT outcome, location_id, organisation_id FROM put_place($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14);

-- name: put_practitioner(territory_id, practitioner_id, rpps, email, given_name, family_name, profession, specialty, skills, languages) -> one
SELECT outcome, practitioner_id AS id FROM put_practitioner($1, $2, $3, $4, $5, $6, $7, $8, $9, $10);

-- name: put_place_of_work(territory_id, practitioner_id, location_id, new_patients, referral, audience, acts, usual_acts, daily_cap, overflow) -> one
SELECT outcome, role_id AS id FROM put_place_of_work($1, $2, $3, $4, $5, $6, $7, $8, $9, $10);

-- name: put_service(territory_id, location_id, name, finess, phone, profession, specialty, rooms, new_patients, referral, audience, acts, daily_cap, overflow) -> one
SELECT outcome, service_id AS id FROM put_service($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14);

-- name: put_member(territory_id, account_id, email, name, phone, organisation_id, organisation, finess, kind, roles, practitioner_id, amends_name, amends_phone, mail_id, subject, body, at) -> one
SELECT outcome, account_id AS id FROM put_member($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17);

-- name: schedules_of_number(territory_id, number, account_id) -> many
-- What a delegate of this RPPS or FINESS number acts for, and whether this one does so already.
SELECT schedule.id,
       EXISTS (SELECT FROM delegation WHERE delegation.schedule_id = schedule.id AND delegation.account_id = $3) AS is_known
  FROM schedule
  LEFT JOIN practitioner_role ON practitioner_role.id = schedule.practitioner_role_id
  LEFT JOIN practitioner ON practitioner.id = practitioner_role.practitioner_id
  LEFT JOIN healthcare_service ON healthcare_service.id = schedule.healthcare_service_id
 WHERE schedule.territory_id = $1 AND (practitioner.rpps = $2 OR healthcare_service.finess = $2)
 ORDER BY schedule.id;

-- name: people_table(territory_id) -> many
SELECT roles, email, given_name, family_name, rpps, profession, specialty, skills, languages, place, address, insee, lat, lon, phone,
       step_free, parking, access, new_patients, referral, organisation, organisation_kind, finess, service, rooms, acts, audience,
       daily_cap, overflow, delegate_of
  FROM people_table($1);
