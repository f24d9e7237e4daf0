-- People and places brought in by their CPTS: run as the owner of the tables, whom no wall stops.
-- Each `put_` makes a row or brings it up to date, and says whether it is new. NULL keeps what is.

-- name: territories() -> many
SELECT id, slug, name FROM territory ORDER BY id;

-- name: add_territory(slug, name, department, partition) -> value
INSERT INTO territory (id, slug, name, department, partition_id)
SELECT coalesce(max(id), 0) + 1, $1, $2, $3, $4 FROM territory
RETURNING id;

-- name: keep_contacts(slug, hours) -> value
-- Whether, and how long, patients' contacts are kept. What is there when it is switched off goes with the next purge.
UPDATE territory SET contact_kept_h = $2 WHERE slug = $1 RETURNING id;

-- name: record_of_territory(territory_id, verb, subject_id) -> none
INSERT INTO audit (territory_id, account_id, verb, subject, subject_id) VALUES ($1, NULL, $2, 'territory', $3);

-- name: join_neighbours(territory_id, other_id) -> none
INSERT INTO territory_neighbour (territory_id, neighbour_id) VALUES ($1, $2), ($2, $1)
ON CONFLICT DO NOTHING;

-- name: communes() -> many
SELECT insee, lat, lon FROM commune;

-- name: acts() -> many
SELECT territory_id, code FROM act WHERE retired_at IS NULL;

-- name: lock_people() -> none
-- One import or addition at a time: two would each miss what the other is about to make.
LOCK TABLE organisation IN SHARE ROW EXCLUSIVE MODE;

-- name: location_called(territory_id, name, insee) -> one
SELECT id, organisation_id FROM location WHERE territory_id = $1 AND name = $2 AND insee = $3 LIMIT 1;

-- name: organisation_called(name, finess, territory_id) -> one
-- By its number; else by its name, where it is at home in the territory or works for several.
SELECT id
  FROM organisation
 WHERE finess = $2::text
    OR (name = $1
        AND (kind IN ('regulation', 'emergency', 'hospital', 'cpts')
             OR EXISTS (SELECT FROM location
                         WHERE location.organisation_id = organisation.id AND location.territory_id = $3)
             OR EXISTS (SELECT FROM account
                          JOIN membership ON membership.account_id = account.id
                         WHERE account.organisation_id = organisation.id AND membership.territory_id = $3)))
 ORDER BY finess = $2::text DESC NULLS LAST, id
 LIMIT 1;

-- name: organisation_at(name, territory_id, insee) -> one
-- The one that bears the name of a place, if it is nowhere else: two towns may use one name.
SELECT id
  FROM organisation
 WHERE name = $1
   AND (EXISTS (SELECT FROM location
                 WHERE location.organisation_id = organisation.id AND location.territory_id = $2)
        OR EXISTS (SELECT FROM account
                     JOIN membership ON membership.account_id = account.id
                    WHERE account.organisation_id = organisation.id AND membership.territory_id = $2))
   AND NOT EXISTS (SELECT FROM location
                    WHERE location.organisation_id = organisation.id AND location.insee <> $3)
 ORDER BY id
 LIMIT 1;

-- name: put_organisation(organisation_id, name, kind, phone, finess) -> value
INSERT INTO organisation (id, name, kind, phone, finess) VALUES ($1, $2, coalesce($3, 'practice'), $4, $5)
ON CONFLICT (id) DO UPDATE
   SET name = excluded.name,
       kind = coalesce($3, organisation.kind),
       phone = coalesce($4, organisation.phone),
       finess = coalesce($5, organisation.finess)
RETURNING (xmax = 0);

-- name: put_location(location_id, territory_id, organisation_id, name, address, insee, lat, lon, phone, access, step_free, parking) -> value
INSERT INTO location (id, territory_id, organisation_id, name, address, insee, lat, lon, phone, access, step_free, parking)
VALUES ($1, $2, $3, $4, coalesce($5, ''), $6, $7, $8, $9, coalesce($10, ''), $11, $12)
ON CONFLICT (id) DO UPDATE
   SET organisation_id = excluded.organisation_id,
       address = coalesce($5, location.address),
       lat = excluded.lat,
       lon = excluded.lon,
       phone = excluded.phone,
       access = coalesce($10, location.access),
       step_free = coalesce($11, location.step_free),
       parking = coalesce($12, location.parking)
RETURNING (xmax = 0);

-- name: location(location_id) -> one
SELECT lat, lon, phone FROM location WHERE id = $1;

-- name: practitioner_of(rpps, email) -> one
-- By number; else by the address that signs in, as long as that has no other number.
SELECT practitioner.id, practitioner.rpps
  FROM practitioner
  LEFT JOIN account ON account.practitioner_id = practitioner.id AND account.email = $2::text
 WHERE practitioner.rpps = $1::text
    OR (account.id IS NOT NULL AND (practitioner.rpps IS NULL OR $1::text IS NULL))
 ORDER BY practitioner.rpps = $1::text DESC NULLS LAST
 LIMIT 1;

-- name: put_practitioner(practitioner_id, rpps, given_name, family_name, profession, specialty, skills, languages) -> value
INSERT INTO practitioner (id, rpps, given_name, family_name, profession, specialty, skills, languages)
VALUES ($1, $2, $3, $4, $5, $6, coalesce($7::text[], '{}'), coalesce($8::text[], '{fr}'))
ON CONFLICT (id) DO UPDATE
   SET rpps = coalesce($2, practitioner.rpps),
       given_name = excluded.given_name,
       family_name = excluded.family_name,
       profession = excluded.profession,
       specialty = excluded.specialty,
       skills = coalesce($7::text[], practitioner.skills),
       languages = coalesce($8::text[], practitioner.languages)
RETURNING (xmax = 0);

-- name: put_practitioner_role(role_id, territory_id, practitioner_id, location_id, new_patients, referral) -> value
INSERT INTO practitioner_role (id, territory_id, practitioner_id, location_id, new_patients, referral)
VALUES ($1, $2, $3, $4, $5, coalesce($6, ''))
ON CONFLICT (practitioner_id, location_id) DO UPDATE
   SET new_patients = coalesce($5, practitioner_role.new_patients),
       referral = coalesce($6, practitioner_role.referral)
RETURNING id;

-- name: service_called(territory_id, location_id, name, finess) -> value
SELECT id
  FROM healthcare_service
 WHERE territory_id = $1 AND (finess = $4::text OR (location_id = $2 AND name = $3))
 ORDER BY finess = $4::text DESC NULLS LAST, id
 LIMIT 1;

-- name: put_service(service_id, territory_id, location_id, name, finess, phone, profession, specialty, rooms, new_patients, referral) -> value
INSERT INTO healthcare_service (id, territory_id, location_id, name, finess, phone, profession, specialty, rooms, new_patients, referral)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, coalesce($9::smallint, 1), $10, coalesce($11, ''))
ON CONFLICT (id) DO UPDATE
   SET location_id = excluded.location_id,
       name = excluded.name,
       finess = coalesce($5, healthcare_service.finess),
       phone = excluded.phone,
       profession = coalesce($7, healthcare_service.profession),
       specialty = coalesce($8, healthcare_service.specialty),
       rooms = coalesce($9::smallint, healthcare_service.rooms),
       new_patients = coalesce($10, healthcare_service.new_patients),
       referral = coalesce($11, healthcare_service.referral)
RETURNING (xmax = 0);

-- name: schedule_of(role_id, service_id) -> value
SELECT id FROM schedule WHERE practitioner_role_id = $1 OR healthcare_service_id = $2;

-- name: put_schedule(schedule_id, territory_id, role_id, service_id, audience, acts, usual_acts, daily_cap, accepts_overflow) -> value
INSERT INTO schedule (id, territory_id, practitioner_role_id, healthcare_service_id,
                      default_audience, default_acts, daily_cap, accepts_overflow)
VALUES ($1, $2, $3, $4, $5::text[], coalesce($6::text[], $7::text[]), $8, coalesce($9, false))
ON CONFLICT (id) DO UPDATE
   SET default_audience = coalesce($5::text[], schedule.default_audience),
       default_acts = coalesce($6::text[], schedule.default_acts),
       daily_cap = coalesce($8, schedule.daily_cap),
       accepts_overflow = coalesce($9, schedule.accepts_overflow)
RETURNING (xmax = 0);

-- name: account_called(email) -> one
SELECT account.id, account.practitioner_id, account.disabled_at, practitioner.rpps
  FROM account LEFT JOIN practitioner ON practitioner.id = account.practitioner_id
 WHERE account.email = $1;

-- name: add_account(account_id, email, name, phone, organisation_id, practitioner_id) -> none
-- Without a password: its person chooses one by a link.
INSERT INTO account (id, email, name, phone, organisation_id, practitioner_id)
VALUES ($1, $2, $3, $4, $5, $6);

-- name: amend_account(account_id, name, phone, organisation_id, practitioner_id) -> none
UPDATE account
   SET name = $2,
       phone = coalesce($3, phone),
       organisation_id = coalesce($4::uuid, organisation_id),
       practitioner_id = coalesce($5::uuid, practitioner_id)
 WHERE id = $1;

-- name: forget_password(email) -> value
-- A disabled account would have a link that opens nothing.
UPDATE account SET password_hash = NULL WHERE email = $1 AND disabled_at IS NULL RETURNING id;

-- name: disable_account(email) -> value
UPDATE account SET disabled_at = coalesce(disabled_at, now()), is_withdrawn = false WHERE email = $1 RETURNING id;

-- name: forget_factors(email) -> value
-- Everything that shows who somebody is.
WITH found AS (UPDATE account SET password_hash = NULL, pin_hash = NULL WHERE email = $1 AND disabled_at IS NULL RETURNING id),
     keys AS (DELETE FROM passkey WHERE account_id IN (SELECT id FROM found)),
     app AS (DELETE FROM authenticator_app WHERE account_id IN (SELECT id FROM found)),
     codes AS (DELETE FROM recovery_code WHERE account_id IN (SELECT id FROM found))
SELECT id FROM found;

-- name: mail_invitation(mail_id, account_id, subject, body) -> none
INSERT INTO mail (id, territory_id, account_id, subject, body, link) VALUES ($1, 0, $2, $3, $4, 'invitation');

-- name: set_administrator(email, is_on) -> value
UPDATE account SET is_administrator = $2 WHERE email = $1 RETURNING id;

-- name: end_sessions(account_id) -> none
WITH spent AS (UPDATE ticket SET spent_at = now() WHERE account_id = $1 AND spent_at IS NULL)
UPDATE session SET ended_at = now() WHERE account_id = $1 AND ended_at IS NULL;

-- name: practitioner_with_rpps(rpps, territory_id) -> value
SELECT practitioner.id
  FROM practitioner
  JOIN practitioner_role ON practitioner_role.practitioner_id = practitioner.id
 WHERE practitioner.rpps = $1 AND practitioner_role.territory_id = $2
 LIMIT 1;

-- name: put_membership(account_id, territory_id, role) -> value
-- True where it is new.
INSERT INTO membership (account_id, territory_id, role) VALUES ($1, $2, $3)
ON CONFLICT DO NOTHING
RETURNING true;

-- name: schedules_of_number(territory_id, number) -> many
-- What a delegate of this RPPS or FINESS number acts for.
SELECT schedule.id
  FROM schedule
  LEFT JOIN practitioner_role ON practitioner_role.id = schedule.practitioner_role_id
  LEFT JOIN practitioner ON practitioner.id = practitioner_role.practitioner_id
  LEFT JOIN healthcare_service ON healthcare_service.id = schedule.healthcare_service_id
 WHERE schedule.territory_id = $1 AND (practitioner.rpps = $2 OR healthcare_service.finess = $2);

-- name: put_delegation(account_id, territory_id, schedule_id) -> none
INSERT INTO delegation (account_id, territory_id, schedule_id) VALUES ($1, $2, $3)
ON CONFLICT DO NOTHING;

-- name: record(territory_id, verb, subject_id) -> none
-- The audit of what was done to an account from the command line: by nobody who signed in.
INSERT INTO audit (territory_id, account_id, verb, subject, subject_id) VALUES ($1, NULL, $2, 'account', $3);

-- name: record_everywhere(account_id, verb) -> none
INSERT INTO audit (territory_id, account_id, verb, subject, subject_id)
SELECT DISTINCT territory_id, NULL::uuid, $2::text, 'account', $1::uuid FROM membership WHERE account_id = $1;

-- name: put_commune(insee, name, postcodes, population, lat, lon) -> none
INSERT INTO commune (insee, name, postcodes, population, lat, lon) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (insee) DO UPDATE
   SET name = excluded.name, postcodes = excluded.postcodes, population = excluded.population,
       lat = excluded.lat, lon = excluded.lon;
