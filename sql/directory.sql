-- name: directory(territory_ids, schedule_ids) -> many
-- Who works where: every schedule of these territories, publishing or not, where schedule_ids is NULL; else these,
-- also of who works there no more.
SELECT schedule.id,
       schedule.territory_id,
       schedule.default_acts,
       schedule.default_audience,
       schedule.daily_cap,
       schedule.accepts_overflow,
       practitioner.id AS practitioner_id,
       practitioner.given_name || ' ' || practitioner.family_name AS practitioner_name,
       practitioner.profession AS practitioner_profession,
       practitioner.specialty AS practitioner_specialty,
       coalesce(practitioner.skills, '{}') AS skills,
       coalesce(practitioner.languages, '{}') AS languages,
       healthcare_service.id AS healthcare_service_id,
       healthcare_service.name AS service_name,
       healthcare_service.profession AS service_profession,
       healthcare_service.specialty AS service_specialty,
       location.id AS location_id,
       location.name AS location_name,
       location.address,
       location.access,
       location.insee AS location_insee,
       location.lat AS location_lat,
       location.lon AS location_lon,
       coalesce(healthcare_service.phone, location.phone) AS location_phone,
       commune.name AS location_commune
  FROM schedule
  LEFT JOIN practitioner_role ON practitioner_role.id = schedule.practitioner_role_id
  LEFT JOIN practitioner ON practitioner.id = practitioner_role.practitioner_id
  LEFT JOIN healthcare_service ON healthcare_service.id = schedule.healthcare_service_id
  JOIN location ON location.id = coalesce(practitioner_role.location_id, healthcare_service.location_id)
  JOIN commune ON commune.insee = location.insee
 WHERE schedule.territory_id = ANY ($1::smallint[])
   AND ($2::uuid[] IS NULL AND practitioner_role.ended_at IS NULL OR schedule.id = ANY ($2))
 ORDER BY practitioner.family_name NULLS FIRST, practitioner.given_name, healthcare_service.name, location.name;

-- name: find_in_directory(territory_ids, typed, profession, specialty) -> many
-- Places of work and services, publishing or not, the likest to what was typed first. What the page or the
-- answer shows of them is read by `directory_lines`.
SELECT found.entry_id,
       found.is_exact,
       found.rank,
       entry.territory_id,
       coalesce(practitioner.id, healthcare_service.id) AS owner_id,
       healthcare_service.id IS NOT NULL AS is_service,
       coalesce(practitioner_role.new_patients, healthcare_service.new_patients) AS new_patients,
       coalesce(practitioner.languages, '{}') AS languages,
       schedule.id AS schedule_id,
       location.lat,
       location.lon
  FROM find_in_directory($2) AS found
  JOIN directory_entry AS entry ON entry.id = found.entry_id
  LEFT JOIN practitioner_role ON practitioner_role.id = entry.practitioner_role_id
  LEFT JOIN practitioner ON practitioner.id = practitioner_role.practitioner_id
  LEFT JOIN healthcare_service ON healthcare_service.id = entry.healthcare_service_id
  JOIN location ON location.id = coalesce(practitioner_role.location_id, healthcare_service.location_id)
  LEFT JOIN schedule ON coalesce(schedule.practitioner_role_id, schedule.healthcare_service_id) = entry.id
 WHERE entry.territory_id = ANY ($1::smallint[])
   AND ($3::text IS NULL OR coalesce(practitioner.profession, healthcare_service.profession) = $3)
   AND ($4::text IS NULL OR coalesce(practitioner.specialty, healthcare_service.specialty) = $4)
 ORDER BY found.rank DESC, entry.name, location.name, entry.id;

-- name: directory_lines(territory_ids, owner_ids) -> many
-- Everything that the directory says of these people and services, in all their places.
SELECT coalesce(practitioner_role.id, healthcare_service.id) AS entry_id,
       location.territory_id,
       schedule.id AS schedule_id,
       coalesce(schedule.default_acts, '{}') AS default_acts,
       coalesce(schedule.accepts_overflow, false) AS accepts_overflow,
       coalesce(practitioner_role.new_patients, healthcare_service.new_patients) AS new_patients,
       coalesce(practitioner_role.referral, healthcare_service.referral) AS referral,
       practitioner.id AS practitioner_id,
       practitioner.given_name || ' ' || practitioner.family_name AS practitioner_name,
       practitioner.profession AS practitioner_profession,
       practitioner.specialty AS practitioner_specialty,
       coalesce(practitioner.skills, '{}') AS skills,
       coalesce(practitioner.languages, '{}') AS languages,
       healthcare_service.id AS healthcare_service_id,
       healthcare_service.name AS service_name,
       healthcare_service.profession AS service_profession,
       healthcare_service.specialty AS service_specialty,
       location.id AS location_id,
       location.name AS location_name,
       location.address,
       location.access,
       location.step_free,
       location.parking,
       location.insee AS location_insee,
       location.lat AS location_lat,
       location.lon AS location_lon,
       coalesce(healthcare_service.phone, location.phone) AS location_phone,
       commune.name AS location_commune
  FROM practitioner
  JOIN practitioner_role ON practitioner_role.practitioner_id = practitioner.id
  FULL JOIN healthcare_service ON false
  JOIN location ON location.id = coalesce(practitioner_role.location_id, healthcare_service.location_id)
  JOIN commune ON commune.insee = location.insee
  LEFT JOIN schedule ON schedule.practitioner_role_id = practitioner_role.id
                     OR schedule.healthcare_service_id = healthcare_service.id
 WHERE location.territory_id = ANY ($1::smallint[])
   AND practitioner_role.ended_at IS NULL
   AND (practitioner.id = ANY ($2::uuid[]) OR healthcare_service.id = ANY ($2::uuid[]));

-- name: directory_with_account(entry_ids) -> many
SELECT entry_id FROM directory_with_account($1::uuid[]) AS entry_id;

-- name: offered_since(schedule_ids, heard, since) -> many
-- Which of these schedules have published since: to the audiences (apart by commas) that the one who asks
-- belongs to, or to anybody. A slot that was offered since starts since: hence the index serves.
SELECT asked.schedule_id,
       EXISTS (SELECT FROM slot
                WHERE slot.schedule_id = asked.schedule_id AND slot.starts_at > $3 AND slot.offered_at > $3
                  AND slot.audience && string_to_array(asked.heard, ',')) AS to_viewer,
       EXISTS (SELECT FROM slot
                WHERE slot.schedule_id = asked.schedule_id AND slot.starts_at > $3 AND slot.offered_at > $3) AS to_anybody
  FROM unnest($1::uuid[], $2::text[]) AS asked (schedule_id, heard);

-- name: communes() -> many
SELECT insee, name, postcodes, lat, lon FROM commune ORDER BY name;

-- name: acts(territory_ids) -> many
SELECT territory_id, code, label, preparation, prescription_required, retired_at IS NULL AS is_offered
  FROM act WHERE territory_id = ANY ($1::smallint[])
 ORDER BY code, territory_id;

-- name: reasons(territory_id) -> many
SELECT code, label FROM reason WHERE territory_id = $1 ORDER BY position;

-- name: urgencies(territory_id) -> many
SELECT code, label FROM urgency WHERE territory_id = $1 ORDER BY position;
