-- People and places that a coordinator brings in: the doors of schema.sql, each of which asks by itself whether whoever
-- has entered may. Run by slots/store/bringing_in.py, people_table.py and professionals.py.

-- name: lock_people() -> none
-- One at a time: two would each miss what the other is about to make.
SELECT pg_advisory_xact_lock(49, 0);

-- name: put_place(territory_id, name, insee, address, lat, lon, phone, amends_phone, access, step_free, parking, organisation, finess, kind) -> one
SELECT outcome, location_id, organisation_id FROM put_place($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14);

-- name: put_practitioner(territory_id, practitioner_id, rpps, email, given_name, family_name, profession, specialty, skills, languages) -> one
SELECT outcome, practitioner_id AS id FROM put_practitioner($1, $2, $3, $4, $5, $6, $7, $8, $9, $10);

-- name: put_place_of_work(territory_id, practitioner_id, location_id, new_patients, referral, audience, acts, usual_acts, daily_cap, overflow) -> one
SELECT outcome, role_id AS id FROM put_place_of_work($1, $2, $3, $4, $5, $6, $7, $8, $9, $10);

-- name: put_service(territory_id, service_id, location_id, name, finess, phone, profession, specialty, rooms, new_patients, referral, audience, acts, daily_cap, overflow) -> one
SELECT outcome, service_id AS id FROM put_service($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15);

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
 WHERE schedule.territory_id = $1 AND practitioner_role.ended_at IS NULL
   AND (practitioner.rpps = $2 OR healthcare_service.finess = $2)
 ORDER BY schedule.id;

-- name: people_table(territory_id) -> many
SELECT roles, email, given_name, family_name, rpps, profession, specialty, skills, languages, place, address, insee, lat, lon, phone,
       step_free, parking, access, new_patients, referral, organisation, organisation_kind, finess, service, rooms, acts, audience,
       daily_cap, overflow, delegate_of
  FROM people_table($1);

-- name: end_place_of_work(territory_id, role_id, at) -> value
SELECT end_place_of_work($1, $2, $3);

-- name: professionals(territory_id, practitioner_id) -> many
-- Who works where in the territory: all, or one person. One row a place.
SELECT practitioner.id, practitioner.rpps, practitioner.given_name, practitioner.family_name, practitioner.profession,
       practitioner.specialty, practitioner.skills, practitioner.languages,
       role.id AS role_id, role.new_patients, role.referral,
       location.id AS location_id, location.name AS place, location.insee, location.address, location.phone, location.access,
       location.step_free, location.parking, commune.name AS commune
  FROM practitioner_role role
  JOIN practitioner ON practitioner.id = role.practitioner_id
  JOIN location ON location.id = role.location_id
  JOIN commune ON commune.insee = location.insee
 WHERE role.territory_id = $1 AND role.ended_at IS NULL AND ($2::uuid IS NULL OR practitioner.id = $2)
 ORDER BY practitioner.family_name, practitioner.given_name, practitioner.id, location.name;

-- name: services(territory_id, service_id) -> many
-- The services of the territory: all, or one.
SELECT service.id, service.name AS service, service.finess, service.phone, service.rooms, service.new_patients, service.referral,
       service.location_id, location.name AS place, commune.name AS commune
  FROM healthcare_service service
  JOIN location ON location.id = service.location_id
  JOIN commune ON commune.insee = location.insee
 WHERE service.territory_id = $1 AND ($2::uuid IS NULL OR service.id = $2)
 ORDER BY service.name, location.name, service.id;

-- name: locations(territory_id) -> many
SELECT location.id, location.name, commune.name AS commune
  FROM location JOIN commune ON commune.insee = location.insee
 WHERE location.territory_id = $1
 ORDER BY location.name, commune.name, location.id;
