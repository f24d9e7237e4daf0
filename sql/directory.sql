-- name: directory(territory_ids, schedule_ids) -> many
-- Who works where: every schedule of these territories, publishing or not; of all schedules where
-- schedule_ids is NULL.
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
   AND ($2::uuid[] IS NULL OR schedule.id = ANY ($2))
 ORDER BY practitioner.family_name NULLS FIRST, practitioner.given_name, healthcare_service.name, location.name;

-- name: communes() -> many
SELECT insee, name, postcodes, lat, lon FROM commune ORDER BY name;

-- name: acts(territory_ids) -> many
SELECT territory_id, code, label, preparation, prescription_required
  FROM act WHERE territory_id = ANY ($1::smallint[])
 ORDER BY code, territory_id;

-- name: reasons(territory_id) -> many
SELECT code, label FROM reason WHERE territory_id = $1 ORDER BY position;

-- name: urgencies(territory_id) -> many
SELECT code, label FROM urgency WHERE territory_id = $1 ORDER BY position;
