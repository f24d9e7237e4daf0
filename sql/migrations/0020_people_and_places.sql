-- Whoever works at a place no more is in no directory, has no schedule there and nobody acts for it.
ALTER TABLE practitioner_role ADD COLUMN ended_at timestamptz;
CREATE OR REPLACE FUNCTION renew_directory(of_role_ids uuid[], of_service_ids uuid[]) RETURNS void LANGUAGE sql VOLATILE AS $$
  DELETE FROM directory_entry USING practitioner_role role
   WHERE role.id = directory_entry.id AND role.id = ANY (of_role_ids) AND role.ended_at IS NOT NULL;
  INSERT INTO directory_entry (id, territory_id, practitioner_role_id, healthcare_service_id, name, words)
  SELECT said.id, said.territory_id, said.role_id, said.service_id, ' ' || trim(folded(said.name)) || ' ',
         ' ' || trim(folded(concat_ws(' ', said.name, said.about, location.name, commune.name,
           (SELECT string_agg(act.label, ' ' ORDER BY act.code)
              FROM act
             WHERE act.territory_id = said.territory_id AND act.code = ANY (schedule.default_acts))))) || ' '
    FROM (SELECT practitioner_role.id, practitioner_role.territory_id, practitioner_role.id AS role_id,
                 NULL::uuid AS service_id, location_id,
                 concat_ws(' ', family_name, given_name) AS name,
                 concat_ws(' ', words_of_profession(profession), words_of_specialty(specialty),
                   array_to_string(skills, ' '),
                   (SELECT string_agg(words_of_language(code), ' ') FROM unnest(languages) AS code)) AS about
            FROM practitioner_role
            JOIN practitioner ON practitioner.id = practitioner_role.practitioner_id
           WHERE practitioner_role.id = ANY (of_role_ids) AND practitioner_role.ended_at IS NULL
           UNION ALL
          SELECT id, territory_id, NULL, id, location_id, name,
                 concat_ws(' ', 'service', coalesce(words_of_specialty(specialty), words_of_profession(profession)))
            FROM healthcare_service
           WHERE id = ANY (of_service_ids)) AS said
    JOIN location ON location.id = said.location_id
    JOIN commune ON commune.insee = location.insee
    LEFT JOIN schedule ON schedule.practitioner_role_id = said.role_id OR schedule.healthcare_service_id = said.service_id
  ON CONFLICT (id) DO UPDATE
     SET territory_id = excluded.territory_id, name = excluded.name, words = excluded.words
   WHERE (directory_entry.territory_id, directory_entry.name, directory_entry.words)
         IS DISTINCT FROM (excluded.territory_id, excluded.name, excluded.words)
$$;
CREATE OR REPLACE FUNCTION account_of_session(wanted_id_hash bytea, at timestamptz, idle_since timestamptz)
RETURNS TABLE (
  account_id uuid, name text, email text, phone text, practitioner_id uuid,
  organisation_id uuid, organisation text, organisation_kind text, seen_at timestamptz,
  memberships jsonb,       -- [{"territory_id", "role"}]
  schedules jsonb,         -- [{"schedule_id", "territory_id"}]: own and delegated
  neighbours jsonb,        -- [{"territory_id", "neighbour_id"}] where the account is a member of the neighbour
  is_administrator boolean, kind text, scopes text[], walls smallint[], is_phone boolean, proved_at timestamptz
)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  WITH member AS (
    SELECT membership.* FROM session JOIN membership ON membership.account_id = session.account_id
     WHERE session.id_hash = wanted_id_hash AND session.kind <> 'wall'
  )
  SELECT account.id, account.name, account.email, account.phone, account.practitioner_id,
         organisation.id, organisation.name, organisation.kind, session.seen_at,
         (SELECT coalesce(jsonb_agg(jsonb_build_object('territory_id', m.territory_id, 'role', m.role)
                                    ORDER BY m.territory_id, m.role), '[]')
            FROM member m),
         (SELECT coalesce(jsonb_agg(jsonb_build_object('schedule_id', owned.id, 'territory_id', owned.territory_id)
                                    ORDER BY owned.id), '[]')
            FROM (SELECT s.id, s.territory_id
                    FROM schedule s
                    JOIN practitioner_role r ON r.id = s.practitioner_role_id
                    JOIN member m ON m.territory_id = s.territory_id AND m.role = 'professional'
                   WHERE r.practitioner_id = account.practitioner_id AND r.ended_at IS NULL
                   UNION
                  SELECT d.schedule_id, d.territory_id
                    FROM delegation d
                    JOIN member m ON m.territory_id = d.territory_id AND m.role IN ('delegate', 'professional')
                   WHERE d.account_id = account.id) owned),
         (SELECT coalesce(jsonb_agg(DISTINCT jsonb_build_object('territory_id', n.territory_id, 'neighbour_id', n.neighbour_id)), '[]')
            FROM territory_neighbour n
            JOIN member m ON m.territory_id = n.neighbour_id AND m.role IN ('professional', 'delegate', 'referrer')),
         account.is_administrator AND session.kind = 'browser', session.kind, session.scopes,
         ARRAY(SELECT m.territory_id FROM membership m
                WHERE m.account_id = account.id AND m.role = 'regulator' AND m.territory_id = ANY (session.walls)),
         session.is_phone, session.proved_at
    FROM session
    JOIN account ON account.id = session.account_id
    JOIN organisation ON organisation.id = account.organisation_id
   WHERE session.id_hash = wanted_id_hash
     AND session.ended_at IS NULL
     AND session.expires_at > at
     AND (session.kind <> 'browser' OR session.is_phone OR session.seen_at > idle_since)
     AND account.disabled_at IS NULL
$$;
CREATE OR REPLACE FUNCTION may_delegate(of_schedule_id uuid)
RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT EXISTS (
    SELECT FROM schedule
     WHERE schedule.id = of_schedule_id AND schedule.territory_id = ANY (entered_territories())
       AND NOT EXISTS (SELECT FROM practitioner_role ended WHERE ended.id = schedule.practitioner_role_id AND ended.ended_at IS NOT NULL)
       AND (coordinates(schedule.territory_id)
            OR EXISTS (SELECT FROM practitioner_role role
                         JOIN account ON account.practitioner_id = role.practitioner_id
                         JOIN membership ON membership.account_id = account.id AND membership.territory_id = schedule.territory_id
                                        AND membership.role = 'professional'
                        WHERE role.id = schedule.practitioner_role_id AND account.id = entered_account()
                          AND account.disabled_at IS NULL)))
$$;

-- The doors through which a coordinator brings in people and places, by a table or by hand. Each asks by itself whether
-- whoever has entered coordinates the territory, and refuses what reaches into another one. They answer `new`, `changed`,
-- `same`, or in one word why not (slots/people/findings.py); NULL leaves what is there. A row that stays as it is is not
-- locked: whoever books meanwhile waits for no preview.

-- Whether somebody, or an organisation, is anything in another territory, where this coordinator has no say.
CREATE FUNCTION is_practitioner_in(of_practitioner_id uuid, of_territory_id smallint, is_there boolean)
RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT EXISTS (SELECT FROM practitioner_role role
                  WHERE role.practitioner_id = of_practitioner_id AND role.ended_at IS NULL
                    AND (role.territory_id = of_territory_id) = is_there)
      OR EXISTS (SELECT FROM account JOIN membership ON membership.account_id = account.id
                  WHERE account.practitioner_id = of_practitioner_id AND (membership.territory_id = of_territory_id) = is_there)
$$;
CREATE FUNCTION is_organisation_elsewhere(of_organisation_id uuid, than_territory_id smallint)
RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT EXISTS (SELECT FROM organisation WHERE id = of_organisation_id AND kind = 'regulation')
      OR EXISTS (SELECT FROM location WHERE organisation_id = of_organisation_id AND territory_id <> than_territory_id)
      -- One without any place is where its people are.
      OR NOT EXISTS (SELECT FROM location WHERE organisation_id = of_organisation_id)
         AND EXISTS (SELECT FROM account JOIN membership ON membership.account_id = account.id
                      WHERE account.organisation_id = of_organisation_id AND membership.territory_id <> than_territory_id)
$$;

-- An organisation that is at home in the territory: by its number, else by its name; else a new one.
CREATE FUNCTION put_organisation(in_territory_id smallint, called text, with_finess text, of_kind text, with_phone text)
RETURNS TABLE (outcome text, organisation_id uuid)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
#variable_conflict use_column
DECLARE
  there organisation%ROWTYPE;
BEGIN
  IF NOT coordinates(in_territory_id) THEN RETURN QUERY SELECT 'not-allowed', NULL::uuid; RETURN; END IF;
  IF of_kind = 'regulation' THEN RETURN QUERY SELECT 'not-regulation', NULL::uuid; RETURN; END IF;
  SELECT * INTO there FROM organisation WHERE finess = nullif(with_finess, '') ORDER BY id LIMIT 1;
  IF there.id IS NOT NULL AND is_organisation_elsewhere(there.id, in_territory_id) THEN
    RETURN QUERY SELECT 'organisation-elsewhere', NULL::uuid; RETURN;
  END IF;
  IF there.id IS NULL THEN
    SELECT * INTO there
      FROM organisation
     WHERE organisation.name = called
       AND (with_finess = '' OR organisation.finess IS NULL)
       AND NOT is_organisation_elsewhere(organisation.id, in_territory_id)
       AND (EXISTS (SELECT FROM location WHERE location.organisation_id = organisation.id)
            OR EXISTS (SELECT FROM account JOIN membership ON membership.account_id = account.id
                        WHERE account.organisation_id = organisation.id AND membership.territory_id = in_territory_id))
     ORDER BY organisation.id LIMIT 1;
  END IF;
  IF there.id IS NULL THEN
    organisation_id := gen_random_uuid();
    INSERT INTO organisation (id, name, kind, phone, finess)
    VALUES (organisation_id, called, coalesce(nullif(of_kind, ''), 'practice'), nullif(with_phone, ''), nullif(with_finess, ''));
    outcome := 'new';
  ELSE
    organisation_id := there.id;
    UPDATE organisation
       SET name = called, kind = coalesce(nullif(of_kind, ''), kind), finess = coalesce(nullif(with_finess, ''), finess)
     WHERE id = there.id
       AND (name, kind, finess) IS DISTINCT FROM
           (called, coalesce(nullif(of_kind, ''), kind), coalesce(nullif(with_finess, ''), finess));
    outcome := CASE WHEN FOUND THEN 'changed' ELSE 'same' END;
  END IF;
  RETURN NEXT;
END
$$;

-- A place of care, known by its name and its commune. Without coordinates a new one is where its commune is.
CREATE FUNCTION put_place(
  in_territory_id smallint, called text, in_insee text, at_address text, at_lat double precision, at_lon double precision,
  with_phone text, amends_phone boolean, with_access text, is_step_free boolean, has_parking boolean,
  of_organisation text, with_finess text, of_kind text
)
RETURNS TABLE (outcome text, location_id uuid, organisation_id uuid)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
#variable_conflict use_column
DECLARE
  before location%ROWTYPE;
  after location%ROWTYPE;
  held organisation%ROWTYPE;  -- the organisation that the place has
  ground commune%ROWTYPE;
  made record;
BEGIN
  IF NOT coordinates(in_territory_id) THEN RETURN QUERY SELECT 'not-allowed', NULL::uuid, NULL::uuid; RETURN; END IF;
  SELECT * INTO ground FROM commune WHERE insee = in_insee;
  IF ground.insee IS NULL THEN RETURN QUERY SELECT 'insee-unknown', NULL::uuid, NULL::uuid; RETURN; END IF;
  SELECT * INTO before FROM location
   WHERE territory_id = in_territory_id AND name = called AND insee = in_insee ORDER BY id LIMIT 1;
  SELECT * INTO held FROM organisation WHERE id = before.organisation_id;
  IF held.id IS NOT NULL AND of_organisation IN ('', held.name) AND with_finess IN ('', held.finess) AND of_kind IN ('', held.kind) THEN
    SELECT 'same' AS outcome, held.id AS organisation_id INTO made;  -- also one that is at work elsewhere too
  ELSIF held.id IS NOT NULL AND is_organisation_elsewhere(held.id, in_territory_id) THEN
    RETURN QUERY SELECT 'organisation-elsewhere', NULL::uuid, NULL::uuid; RETURN;
  ELSE
    SELECT * INTO made
      FROM put_organisation(in_territory_id, coalesce(nullif(of_organisation, ''), held.name, called), with_finess, of_kind, with_phone);
    IF made.organisation_id IS NULL THEN RETURN QUERY SELECT made.outcome, NULL::uuid, NULL::uuid; RETURN; END IF;
  END IF;
  organisation_id := made.organisation_id;
  IF before.id IS NULL THEN
    location_id := gen_random_uuid();
    INSERT INTO location (id, territory_id, organisation_id, name, address, insee, lat, lon, phone, access, step_free, parking)
    VALUES (location_id, in_territory_id, made.organisation_id, called, coalesce(at_address, ''), in_insee, coalesce(at_lat, ground.lat),
            coalesce(at_lon, ground.lon), with_phone, coalesce(with_access, ''), is_step_free, has_parking);
    outcome := 'new';
  ELSE
    location_id := before.id;
    after := before;
    after.organisation_id := made.organisation_id;
    after.address := coalesce(at_address, before.address);
    after.lat := coalesce(at_lat, before.lat);
    after.lon := coalesce(at_lon, before.lon);
    IF amends_phone AND with_phone <> '' THEN after.phone := with_phone; END IF;
    after.access := coalesce(with_access, before.access);
    after.step_free := coalesce(is_step_free, before.step_free);
    after.parking := coalesce(has_parking, before.parking);
    outcome := CASE WHEN made.outcome = 'same' AND after = before THEN 'same' ELSE 'changed' END;
    IF after <> before THEN
      UPDATE location
         SET organisation_id = after.organisation_id, address = after.address, lat = after.lat, lon = after.lon, phone = after.phone,
             access = after.access, step_free = after.step_free, parking = after.parking
       WHERE id = before.id;
    END IF;
  END IF;
  RETURN NEXT;
END
$$;

-- Somebody of the directory: by id, else by RPPS, else by the address of their account. Who works elsewhere too says
-- nothing new here; and a number that signs somebody in is not a coordinator's to give.
CREATE FUNCTION put_practitioner(
  in_territory_id smallint, of_practitioner_id uuid, with_rpps text, with_email text, with_given_name text, with_family_name text,
  of_profession text, of_specialty text, with_skills text[], with_languages text[]
)
RETURNS TABLE (outcome text, practitioner_id uuid)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
#variable_conflict use_column
DECLARE
  before practitioner%ROWTYPE;
  after practitioner%ROWTYPE;
  of_account practitioner%ROWTYPE;  -- whom the address signs in, in this territory
BEGIN
  IF NOT coordinates(in_territory_id) THEN RETURN QUERY SELECT 'not-allowed', NULL::uuid; RETURN; END IF;
  SELECT practitioner.* INTO of_account
    FROM practitioner JOIN account ON account.practitioner_id = practitioner.id
   WHERE account.email = lower(with_email)
     AND EXISTS (SELECT FROM membership WHERE membership.account_id = account.id AND membership.territory_id = in_territory_id);
  IF of_practitioner_id IS NOT NULL THEN
    SELECT * INTO before FROM practitioner WHERE id = of_practitioner_id FOR NO KEY UPDATE;
    IF before.id IS NULL OR NOT is_practitioner_in(before.id, in_territory_id, true) THEN
      RETURN QUERY SELECT 'not-allowed', NULL::uuid; RETURN;
    END IF;
    IF EXISTS (SELECT FROM practitioner other WHERE other.rpps = nullif(with_rpps, '') AND other.id <> before.id) THEN
      RETURN QUERY SELECT 'rpps-taken', NULL::uuid; RETURN;
    END IF;
  ELSE
    SELECT * INTO before FROM practitioner WHERE rpps = nullif(with_rpps, '');
    IF of_account.id IS NOT NULL AND (before.id <> of_account.id OR before.id IS NULL AND with_rpps <> '' AND of_account.rpps IS NOT NULL) THEN
      RETURN QUERY SELECT 'somebody-else', NULL::uuid; RETURN;
    END IF;
    IF before.id IS NULL AND of_account.id IS NOT NULL THEN before := of_account; END IF;
  END IF;
  IF before.id IS NULL THEN
    practitioner_id := gen_random_uuid();
    INSERT INTO practitioner (id, rpps, given_name, family_name, profession, specialty, skills, languages)
    VALUES (practitioner_id, nullif(with_rpps, ''), with_given_name, with_family_name, of_profession, nullif(of_specialty, ''),
            coalesce(with_skills, '{}'), coalesce(with_languages, '{fr}'));
    outcome := 'new';
    RETURN NEXT; RETURN;
  END IF;
  IF is_practitioner_in(before.id, in_territory_id, false) AND NOT is_practitioner_in(before.id, in_territory_id, true) THEN
    RETURN QUERY SELECT 'person-elsewhere', NULL::uuid; RETURN;
  END IF;
  after := before;
  after.rpps := coalesce(nullif(with_rpps, ''), before.rpps);
  after.given_name := with_given_name;
  after.family_name := with_family_name;
  after.profession := of_profession;
  after.specialty := nullif(coalesce(of_specialty, CASE WHEN of_profession = before.profession THEN before.specialty END), '');
  after.skills := coalesce(with_skills, before.skills);
  after.languages := coalesce(with_languages, before.languages);
  practitioner_id := before.id;
  IF after = before THEN
    outcome := 'same';
    RETURN NEXT; RETURN;
  END IF;
  IF is_practitioner_in(before.id, in_territory_id, false) THEN
    RETURN QUERY SELECT 'person-elsewhere', NULL::uuid; RETURN;
  END IF;
  IF after.rpps IS DISTINCT FROM before.rpps AND EXISTS (SELECT FROM account WHERE account.practitioner_id = before.id) THEN
    RETURN QUERY SELECT 'rpps-of-account', NULL::uuid; RETURN;
  END IF;
  UPDATE practitioner
     SET rpps = after.rpps, given_name = after.given_name, family_name = after.family_name, profession = after.profession,
         specialty = after.specialty, skills = after.skills, languages = after.languages
   WHERE id = before.id;
  outcome := 'changed';
  RETURN NEXT;
END
$$;

-- The schedule of a place of work or of a service. What is offered there must be in the territory's catalogue; without a
-- word of it, a new one offers those of the usual acts that are.
CREATE FUNCTION put_schedule(
  in_territory_id smallint, of_role_id uuid, of_service_id uuid, for_audience text[], of_acts text[], of_usual_acts text[],
  at_most_daily smallint, takes_overflow boolean
)
RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  before schedule%ROWTYPE;
  after schedule%ROWTYPE;
  offered text[];
BEGIN
  IF NOT coordinates(in_territory_id) THEN RETURN 'not-allowed'; END IF;
  IF EXISTS (SELECT FROM unnest(of_acts) AS asked(code)
              WHERE NOT EXISTS (SELECT FROM act WHERE act.territory_id = in_territory_id AND act.code = asked.code)) THEN
    RETURN 'act-unknown';
  END IF;
  SELECT * INTO before FROM schedule
   WHERE (practitioner_role_id = of_role_id OR healthcare_service_id = of_service_id) AND territory_id = in_territory_id;
  IF before.id IS NULL THEN
    offered := coalesce(of_acts, ARRAY(SELECT code FROM unnest(of_usual_acts) AS usual(code)
                                        WHERE EXISTS (SELECT FROM act WHERE act.territory_id = in_territory_id AND act.code = usual.code)));
    IF cardinality(offered) = 0 THEN RETURN 'acts-needed'; END IF;
    INSERT INTO schedule (id, territory_id, practitioner_role_id, healthcare_service_id, default_audience, default_acts, daily_cap, accepts_overflow)
    VALUES (gen_random_uuid(), in_territory_id, of_role_id, of_service_id, for_audience, offered,
            at_most_daily, coalesce(takes_overflow, false));
    RETURN 'new';
  END IF;
  after := before;
  after.default_audience := coalesce(for_audience, before.default_audience);
  after.default_acts := coalesce(of_acts, before.default_acts);
  after.daily_cap := coalesce(at_most_daily, before.daily_cap);
  after.accepts_overflow := coalesce(takes_overflow, before.accepts_overflow);
  IF after = before THEN RETURN 'same'; END IF;
  UPDATE schedule
     SET default_audience = after.default_audience, default_acts = after.default_acts, daily_cap = after.daily_cap,
         accepts_overflow = after.accepts_overflow
   WHERE id = before.id;
  RETURN 'changed';
END
$$;

-- Where somebody works: they, a place of the territory, and their schedule there.
CREATE FUNCTION put_place_of_work(
  in_territory_id smallint, of_practitioner_id uuid, at_location_id uuid, takes_new_patients boolean, with_referral text,
  for_audience text[], of_acts text[], of_usual_acts text[], at_most_daily smallint, takes_overflow boolean
)
RETURNS TABLE (outcome text, role_id uuid)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  before practitioner_role%ROWTYPE;
  after practitioner_role%ROWTYPE;
  planned text;
BEGIN
  IF NOT coordinates(in_territory_id)
     OR NOT EXISTS (SELECT FROM location WHERE id = at_location_id AND territory_id = in_territory_id)
     OR NOT EXISTS (SELECT FROM practitioner WHERE id = of_practitioner_id) THEN
    RETURN QUERY SELECT 'not-allowed', NULL::uuid; RETURN;
  END IF;
  SELECT * INTO before FROM practitioner_role WHERE practitioner_id = of_practitioner_id AND location_id = at_location_id;
  -- Whoever is at work elsewhere is brought here by the installation, not by who has made them a referrer.
  IF (before.id IS NULL OR before.ended_at IS NOT NULL) AND is_practitioner_in(of_practitioner_id, in_territory_id, false)
     AND NOT EXISTS (SELECT FROM practitioner_role role
                      WHERE role.practitioner_id = of_practitioner_id AND role.territory_id = in_territory_id AND role.ended_at IS NULL) THEN
    RETURN QUERY SELECT 'person-elsewhere', NULL::uuid; RETURN;
  END IF;
  role_id := coalesce(before.id, gen_random_uuid());
  IF before.id IS NULL THEN
    INSERT INTO practitioner_role (id, territory_id, practitioner_id, location_id, new_patients, referral)
    VALUES (role_id, in_territory_id, of_practitioner_id, at_location_id, takes_new_patients, coalesce(with_referral, ''));
  ELSE
    after := before;
    after.new_patients := coalesce(takes_new_patients, before.new_patients);
    after.referral := coalesce(with_referral, before.referral);
    after.ended_at := NULL;
    IF after <> before THEN
      UPDATE practitioner_role SET new_patients = after.new_patients, referral = after.referral, ended_at = NULL WHERE id = before.id;
    END IF;
  END IF;
  planned := put_schedule(in_territory_id, role_id, NULL, for_audience, of_acts, of_usual_acts, at_most_daily, takes_overflow);
  IF planned NOT IN ('new', 'changed', 'same') THEN RETURN QUERY SELECT planned, NULL::uuid; RETURN; END IF;
  outcome := CASE WHEN before.id IS NULL OR before.ended_at IS NOT NULL THEN 'new'
                  WHEN planned = 'same' AND after = before THEN 'same'
                  ELSE 'changed' END;
  RETURN NEXT;
END
$$;

-- Somebody works at a place no more. What was booked there stays as it was; what is still to come stands against it, and
-- is withdrawn or cancelled first by whose it is. Under the lock that an offer takes (invariant 2).
-- Colleagues share their bookings: who works at none of an organisation's places any more is of it no more, but of another
-- one where they work, or of one of their own.
CREATE FUNCTION leave_organisation(in_territory_id smallint, of_practitioner_id uuid, left_organisation_id uuid)
RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  leaver account%ROWTYPE;
  next_id uuid;
BEGIN
  IF NOT coordinates(in_territory_id)
     OR EXISTS (SELECT FROM practitioner_role role JOIN location ON location.id = role.location_id
                 WHERE role.practitioner_id = of_practitioner_id AND role.ended_at IS NULL
                   AND location.organisation_id = left_organisation_id) THEN
    RETURN;
  END IF;
  FOR leaver IN SELECT * FROM account WHERE practitioner_id = of_practitioner_id AND organisation_id = left_organisation_id LOOP
    SELECT location.organisation_id INTO next_id
      FROM practitioner_role role JOIN location ON location.id = role.location_id
     WHERE role.practitioner_id = of_practitioner_id AND role.ended_at IS NULL
     ORDER BY role.id LIMIT 1;
    IF next_id IS NULL THEN
      next_id := gen_random_uuid();
      INSERT INTO organisation (id, name, kind, phone) VALUES (next_id, leaver.name, 'practice', leaver.phone);
    END IF;
    UPDATE account SET organisation_id = next_id WHERE id = leaver.id;
  END LOOP;
END
$$;
CREATE FUNCTION end_place_of_work(in_territory_id smallint, of_role_id uuid, at timestamptz)
RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  there practitioner_role%ROWTYPE;
  of_schedule_id uuid;
BEGIN
  SELECT * INTO there FROM practitioner_role WHERE id = of_role_id AND territory_id = in_territory_id;
  IF NOT coordinates(in_territory_id) OR there.id IS NULL THEN RETURN 'not-allowed'; END IF;
  IF there.ended_at IS NOT NULL THEN RETURN 'same'; END IF;
  PERFORM FROM practitioner WHERE id = there.practitioner_id FOR NO KEY UPDATE;
  SELECT id INTO of_schedule_id FROM schedule WHERE practitioner_role_id = there.id;
  IF EXISTS (SELECT FROM slot WHERE schedule_id = of_schedule_id AND withdrawn_at IS NULL AND ends_at > at)
     OR EXISTS (SELECT FROM appointment WHERE schedule_id = of_schedule_id AND status = 'booked' AND starts_at > at) THEN
    RETURN 'still-to-come';
  END IF;
  UPDATE practitioner_role SET ended_at = at WHERE id = there.id;
  UPDATE schedule SET accepts_overflow = false WHERE id = of_schedule_id;
  PERFORM leave_organisation(in_territory_id, there.practitioner_id, location.organisation_id) FROM location WHERE location.id = there.location_id;
  DELETE FROM delegation WHERE schedule_id = of_schedule_id;
  RETURN 'changed';
END
$$;

-- A service with its rooms: by id, else by its number, else by its name at its place.
CREATE FUNCTION put_service(
  in_territory_id smallint, of_service_id uuid, at_location_id uuid, called text, with_finess text, with_phone text, of_profession text, of_specialty text,
  with_rooms smallint, takes_new_patients boolean, with_referral text,
  for_audience text[], of_acts text[], at_most_daily smallint, takes_overflow boolean
)
RETURNS TABLE (outcome text, service_id uuid)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  before healthcare_service%ROWTYPE;
  after healthcare_service%ROWTYPE;
  planned text;
BEGIN
  IF NOT coordinates(in_territory_id) OR NOT EXISTS (SELECT FROM location WHERE id = at_location_id AND territory_id = in_territory_id) THEN
    RETURN QUERY SELECT 'not-allowed', NULL::uuid; RETURN;
  END IF;
  IF of_service_id IS NULL THEN
    SELECT * INTO before FROM healthcare_service
     WHERE territory_id = in_territory_id AND (finess = nullif(with_finess, '') OR (location_id = at_location_id AND name = called))
     ORDER BY finess = nullif(with_finess, '') DESC NULLS LAST, id LIMIT 1;
  ELSE
    SELECT * INTO before FROM healthcare_service WHERE id = of_service_id AND territory_id = in_territory_id;
    IF before.id IS NULL THEN RETURN QUERY SELECT 'not-allowed', NULL::uuid; RETURN; END IF;
    IF EXISTS (SELECT FROM healthcare_service other
                WHERE other.finess = with_finess AND other.territory_id = in_territory_id AND other.id <> before.id) THEN
      RETURN QUERY SELECT 'finess-taken', NULL::uuid; RETURN;
    END IF;
  END IF;
  service_id := coalesce(before.id, gen_random_uuid());
  IF before.id IS NULL THEN
    INSERT INTO healthcare_service (id, territory_id, location_id, name, finess, phone, profession, specialty, rooms, new_patients, referral)
    VALUES (service_id, in_territory_id, at_location_id, called, nullif(with_finess, ''), with_phone, nullif(of_profession, ''),
            nullif(of_specialty, ''), coalesce(with_rooms, 1), takes_new_patients, coalesce(with_referral, ''));
  ELSE
    after := before;
    after.location_id := at_location_id;
    after.name := called;
    after.finess := coalesce(nullif(with_finess, ''), before.finess);
    after.phone := coalesce(nullif(with_phone, ''), before.phone);
    after.profession := coalesce(nullif(of_profession, ''), before.profession);
    after.specialty := coalesce(nullif(of_specialty, ''), before.specialty);
    after.rooms := coalesce(with_rooms, before.rooms);
    after.new_patients := coalesce(takes_new_patients, before.new_patients);
    after.referral := coalesce(with_referral, before.referral);
    IF after <> before THEN
      UPDATE healthcare_service
         SET location_id = after.location_id, name = after.name, finess = after.finess, phone = after.phone, profession = after.profession,
             specialty = after.specialty, rooms = after.rooms, new_patients = after.new_patients, referral = after.referral
       WHERE id = before.id;
    END IF;
  END IF;
  planned := put_schedule(in_territory_id, NULL, service_id, for_audience, of_acts, '{}', at_most_daily, takes_overflow);
  IF planned NOT IN ('new', 'changed', 'same') THEN RETURN QUERY SELECT planned, NULL::uuid; RETURN; END IF;
  outcome := CASE WHEN before.id IS NULL THEN 'new'
                  WHEN planned = 'same' AND after = before THEN 'same'
                  ELSE 'changed' END;
  RETURN NEXT;
END
$$;

-- Somebody's account and roles. Roles are added and never taken; an account that is there keeps its organisation, its
-- practitioner and its address; a new one gets an invitation only where one is given.
CREATE FUNCTION put_member(
  in_territory_id smallint, new_account_id uuid, with_email text, called text, with_phone text, at_organisation_id uuid,
  of_organisation text, with_finess text, of_kind text, with_roles text[], of_practitioner_id uuid,
  amends_name boolean, amends_phone boolean,   new_mail_id uuid, the_subject text, the_body text, at timestamptz
)
RETURNS TABLE (outcome text, account_id uuid)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
#variable_conflict use_column
DECLARE
  there account%ROWTYPE;
  held text[];
  made record;
BEGIN
  IF NOT coordinates(in_territory_id) THEN RETURN QUERY SELECT 'not-allowed', NULL::uuid; RETURN; END IF;
  IF 'professional' = ANY (with_roles)
     AND NOT EXISTS (SELECT FROM practitioner_role role WHERE role.practitioner_id = of_practitioner_id AND role.territory_id = in_territory_id) THEN
    RETURN QUERY SELECT 'rpps-unknown', NULL::uuid; RETURN;
  END IF;
  IF of_practitioner_id IS NOT NULL AND is_practitioner_in(of_practitioner_id, in_territory_id, false)
     AND NOT is_practitioner_in(of_practitioner_id, in_territory_id, true) THEN
    RETURN QUERY SELECT 'person-elsewhere', NULL::uuid; RETURN;
  END IF;
  SELECT * INTO there FROM account WHERE email = lower(with_email) FOR NO KEY UPDATE;
  held := ARRAY(SELECT role FROM membership WHERE membership.account_id = there.id AND territory_id = in_territory_id);
  IF there.disabled_at IS NOT NULL THEN
    RETURN QUERY SELECT CASE WHEN there.is_withdrawn THEN 'withdrawn' ELSE 'disabled' END, NULL::uuid; RETURN;
  END IF;
  IF there.id IS NOT NULL AND cardinality(held) = 0 THEN RETURN QUERY SELECT 'account-elsewhere', NULL::uuid; RETURN; END IF;
  IF there.practitioner_id <> of_practitioner_id THEN RETURN QUERY SELECT 'somebody-else', NULL::uuid; RETURN; END IF;
  IF there.id IS NOT NULL AND there.practitioner_id IS NULL AND of_practitioner_id IS NOT NULL THEN
    RETURN QUERY SELECT 'account-untied', NULL::uuid; RETURN;
  END IF;
  IF 'regulator' = ANY (with_roles) AND NOT 'regulator' = ANY (held) THEN RETURN QUERY SELECT 'not-regulation', NULL::uuid; RETURN; END IF;
  IF there.id = entered_account() AND NOT with_roles <@ held THEN RETURN QUERY SELECT 'own-roles', NULL::uuid; RETURN; END IF;
  IF there.id IS NOT NULL THEN
    account_id := there.id;
    outcome := 'same';
    IF NOT amends_name THEN called := there.name; END IF;
    IF NOT amends_phone THEN with_phone := ''; END IF;
    IF (there.name, there.phone) IS DISTINCT FROM (called, coalesce(nullif(with_phone, ''), there.phone)) THEN
      IF there.is_administrator
         OR EXISTS (SELECT FROM membership WHERE membership.account_id = there.id AND territory_id <> in_territory_id) THEN
        RETURN QUERY SELECT 'account-elsewhere', NULL::uuid; RETURN;
      END IF;
      UPDATE account SET name = called, phone = coalesce(nullif(with_phone, ''), there.phone) WHERE id = there.id;
      outcome := 'changed';
    END IF;
    IF NOT with_roles <@ held THEN outcome := 'changed'; END IF;
  ELSE
    -- A number is one person's: nobody else is tied to it.
    IF EXISTS (SELECT FROM account other WHERE other.practitioner_id = of_practitioner_id AND other.disabled_at IS NULL) THEN
      RETURN QUERY SELECT 'rpps-taken', NULL::uuid; RETURN;
    END IF;
    -- Nor does anybody come back by another address.
    IF EXISTS (SELECT FROM account other WHERE other.practitioner_id = of_practitioner_id) THEN
      RETURN QUERY SELECT CASE WHEN EXISTS (SELECT FROM account other WHERE other.practitioner_id = of_practitioner_id AND NOT other.is_withdrawn)
                               THEN 'disabled' ELSE 'withdrawn' END, NULL::uuid;
      RETURN;
    END IF;
    IF at_organisation_id IS NULL THEN
      SELECT * INTO made FROM put_organisation(in_territory_id, of_organisation, with_finess, of_kind, with_phone);
      IF made.organisation_id IS NULL THEN RETURN QUERY SELECT made.outcome, NULL::uuid; RETURN; END IF;
      at_organisation_id := made.organisation_id;
    ELSIF is_organisation_elsewhere(at_organisation_id, in_territory_id) THEN
      RETURN QUERY SELECT 'organisation-elsewhere', NULL::uuid; RETURN;
    END IF;
    account_id := new_account_id;
    INSERT INTO account (id, email, password_hash, name, phone, organisation_id, practitioner_id, created_at)
    VALUES (new_account_id, lower(with_email), NULL, called, nullif(with_phone, ''), at_organisation_id, of_practitioner_id, at);
    IF new_mail_id IS NOT NULL THEN
      INSERT INTO mail (id, territory_id, account_id, subject, body, created_at, next_try_at, link)
      VALUES (new_mail_id, 0, new_account_id, the_subject, the_body, at, at, 'invitation');
    END IF;
    outcome := 'new';
  END IF;
  INSERT INTO membership (account_id, territory_id, role)
  SELECT account_id, in_territory_id, unnest(with_roles) ON CONFLICT DO NOTHING;
  RETURN NEXT;
END
$$;

-- The people and places of a territory as lines of the table that brings them in (slots/people/table.py): somebody at two
-- places has two. A number is whom a delegate acts for only where it is for all that the number has here.
CREATE FUNCTION people_table(of_territory_id smallint)
RETURNS TABLE (
  roles text[], email text, given_name text, family_name text, rpps text, profession text, specialty text, skills text[], languages text[],
  place text, address text, insee text, lat double precision, lon double precision, phone text, step_free boolean, parking boolean,
  access text, new_patients boolean, referral text, organisation text, organisation_kind text, finess text, service text, rooms smallint,
  acts text[], audience text[], daily_cap smallint, overflow boolean, delegate_of text[]
)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  WITH member AS (
    SELECT account.*, ARRAY(SELECT role FROM membership WHERE membership.account_id = account.id AND territory_id = of_territory_id
                             ORDER BY role) AS roles
      FROM account
     WHERE account.disabled_at IS NULL
       AND EXISTS (SELECT FROM membership WHERE membership.account_id = account.id AND territory_id = of_territory_id)
  ), numbered AS (
    SELECT schedule.id, coalesce(practitioner.rpps, service.finess) AS number
      FROM schedule
      LEFT JOIN practitioner_role role ON role.id = schedule.practitioner_role_id
      LEFT JOIN practitioner ON practitioner.id = role.practitioner_id
      LEFT JOIN healthcare_service service ON service.id = schedule.healthcare_service_id
     WHERE schedule.territory_id = of_territory_id AND role.ended_at IS NULL
  ), acting AS (
    SELECT member.id, array_agg(found.number ORDER BY found.number) AS numbers
      FROM member
      CROSS JOIN LATERAL (
        SELECT numbered.number FROM numbered LEFT JOIN delegation ON delegation.schedule_id = numbered.id AND delegation.account_id = member.id
         WHERE numbered.number IS NOT NULL
         GROUP BY numbered.number HAVING bool_and(delegation.schedule_id IS NOT NULL)) AS found
     WHERE 'delegate' = ANY (member.roles)
     GROUP BY member.id
  )
  SELECT member.roles, member.email, practitioner.given_name, practitioner.family_name, practitioner.rpps, practitioner.profession,
         practitioner.specialty, practitioner.skills, practitioner.languages, location.name, location.address, location.insee, location.lat,
         location.lon, location.phone, location.step_free, location.parking, location.access, role.new_patients, role.referral,
         organisation.name, organisation.kind, organisation.finess, NULL, NULL::smallint, schedule.default_acts, schedule.default_audience,
         schedule.daily_cap, schedule.accepts_overflow, acting.numbers
    FROM practitioner_role role
    JOIN practitioner ON practitioner.id = role.practitioner_id
    JOIN location ON location.id = role.location_id
    JOIN organisation ON organisation.id = location.organisation_id
    LEFT JOIN schedule ON schedule.practitioner_role_id = role.id
    LEFT JOIN member ON member.practitioner_id = practitioner.id
    LEFT JOIN acting ON acting.id = member.id
   WHERE role.territory_id = of_territory_id AND role.ended_at IS NULL AND coordinates(of_territory_id)
   UNION ALL
  SELECT NULL, NULL, NULL, NULL, NULL, service.profession, service.specialty, NULL, NULL, location.name, location.address, location.insee,
         location.lat, location.lon, service.phone, location.step_free, location.parking, location.access, service.new_patients,
         service.referral, organisation.name, organisation.kind, service.finess, service.name, service.rooms, schedule.default_acts,
         schedule.default_audience, schedule.daily_cap, schedule.accepts_overflow, NULL
    FROM healthcare_service service
    JOIN location ON location.id = service.location_id
    JOIN organisation ON organisation.id = location.organisation_id
    LEFT JOIN schedule ON schedule.healthcare_service_id = service.id
   WHERE service.territory_id = of_territory_id AND coordinates(of_territory_id)
   UNION ALL
  SELECT member.roles, member.email, CASE WHEN member.name LIKE '% %' THEN split_part(member.name, ' ', 1) END,
         CASE WHEN member.name LIKE '% %' THEN substr(member.name, strpos(member.name, ' ') + 1) ELSE member.name END,
         NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, member.phone, NULL, NULL, NULL, NULL, NULL,
         organisation.name, organisation.kind, organisation.finess, NULL, NULL, NULL, NULL, NULL, NULL, acting.numbers
    FROM member
    JOIN organisation ON organisation.id = member.organisation_id
    LEFT JOIN acting ON acting.id = member.id
   WHERE coordinates(of_territory_id)
     AND NOT EXISTS (SELECT FROM practitioner_role role
                      WHERE role.practitioner_id = member.practitioner_id AND role.territory_id = of_territory_id AND role.ended_at IS NULL)
   ORDER BY 4 NULLS LAST, 3, 2, 24, 10
$$;

-- Two entries of the directory are one person: one stays. Only where that is clear, all of both is of this territory, and
-- nothing is still to come for the one that goes: what the broker has, and who comes, keeps the name that it was booked under.
CREATE FUNCTION merge_practitioners(in_territory_id smallint, stay_id uuid, gone_id uuid, at timestamptz)
RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  stay practitioner%ROWTYPE;
  gone practitioner%ROWTYPE;
  with_account uuid;  -- whichever of both signs in
  moved record;
  kept record;
BEGIN
  IF NOT coordinates(in_territory_id) OR stay_id = gone_id THEN RETURN 'not-allowed'; END IF;
  PERFORM FROM practitioner WHERE id IN (stay_id, gone_id) ORDER BY id FOR UPDATE;
  SELECT * INTO stay FROM practitioner WHERE id = stay_id;
  SELECT * INTO gone FROM practitioner WHERE id = gone_id;
  IF NOT is_practitioner_in(stay.id, in_territory_id, true) OR NOT is_practitioner_in(gone.id, in_territory_id, true) THEN
    RETURN 'not-allowed';
  END IF;
  IF is_practitioner_in(stay.id, in_territory_id, false) OR is_practitioner_in(gone.id, in_territory_id, false)
     OR EXISTS (SELECT FROM practitioner_role WHERE practitioner_id IN (stay.id, gone.id) AND territory_id <> in_territory_id) THEN
    RETURN 'person-elsewhere';
  END IF;
  -- Whose appointments an entry has, nobody makes their own.
  IF EXISTS (SELECT FROM account WHERE id = entered_account() AND practitioner_id IN (stay.id, gone.id)) THEN RETURN 'own-roles'; END IF;
  IF stay.rpps <> gone.rpps OR stay.profession <> gone.profession
     OR folded(stay.given_name || ' ' || stay.family_name) <> folded(gone.given_name || ' ' || gone.family_name) THEN
    RETURN 'two-people';
  END IF;
  IF (SELECT count(*) FROM account WHERE practitioner_id IN (stay.id, gone.id) AND disabled_at IS NULL) > 1 THEN RETURN 'two-accounts'; END IF;
  -- A number opens an account, with Pro Santé Connect: none comes by it to another number.
  SELECT practitioner_id INTO with_account FROM account WHERE practitioner_id IN (stay.id, gone.id) AND disabled_at IS NULL;
  IF with_account IS NOT NULL
     AND coalesce(stay.rpps, gone.rpps) IS DISTINCT FROM (SELECT rpps FROM practitioner WHERE id = with_account) THEN
    RETURN 'rpps-of-account';
  END IF;
  IF EXISTS (SELECT FROM slot WHERE practitioner_id = gone.id AND withdrawn_at IS NULL AND ends_at > at)
     OR EXISTS (SELECT FROM appointment JOIN schedule ON schedule.id = appointment.schedule_id
                  JOIN practitioner_role role ON role.id = schedule.practitioner_role_id
                 WHERE role.practitioner_id = gone.id AND appointment.status = 'booked' AND appointment.starts_at > at) THEN
    RETURN 'still-to-come';
  END IF;
  BEGIN
    FOR moved IN SELECT role.id, role.location_id, role.ended_at, schedule.id AS schedule_id
                   FROM practitioner_role role LEFT JOIN schedule ON schedule.practitioner_role_id = role.id
                  WHERE role.practitioner_id = gone.id LOOP
      SELECT role.id, schedule.id AS schedule_id INTO kept
        FROM practitioner_role role LEFT JOIN schedule ON schedule.practitioner_role_id = role.id
       WHERE role.practitioner_id = stay.id AND role.location_id = moved.location_id;
      IF kept.id IS NULL THEN
        UPDATE practitioner_role SET practitioner_id = stay.id WHERE id = moved.id;
      ELSE
        IF kept.schedule_id IS NULL THEN
          UPDATE schedule SET practitioner_role_id = kept.id WHERE id = moved.schedule_id;
        ELSE
          INSERT INTO delegation (account_id, territory_id, schedule_id)
          SELECT account_id, territory_id, kept.schedule_id FROM delegation WHERE schedule_id = moved.schedule_id ON CONFLICT DO NOTHING;
          DELETE FROM delegation WHERE schedule_id = moved.schedule_id;
          UPDATE slot SET schedule_id = kept.schedule_id WHERE schedule_id = moved.schedule_id;
          UPDATE appointment SET schedule_id = kept.schedule_id WHERE schedule_id = moved.schedule_id;
          UPDATE mail SET schedule_id = kept.schedule_id WHERE schedule_id = moved.schedule_id;
          DELETE FROM schedule WHERE id = moved.schedule_id;
        END IF;
        IF moved.ended_at IS NULL THEN UPDATE practitioner_role SET ended_at = NULL WHERE id = kept.id AND ended_at IS NOT NULL; END IF;
        DELETE FROM practitioner_role WHERE id = moved.id;
      END IF;
    END LOOP;
    UPDATE slot SET practitioner_id = stay.id WHERE practitioner_id = gone.id;
  EXCEPTION WHEN exclusion_violation THEN
    RETURN 'overlap';  -- they were at two places at once: perhaps two people after all
  END;
  UPDATE account SET practitioner_id = CASE WHEN disabled_at IS NULL OR NOT is_withdrawn THEN stay.id END WHERE practitioner_id = gone.id;
  DELETE FROM practitioner WHERE id = gone.id;
  UPDATE practitioner
     SET rpps = coalesce(stay.rpps, gone.rpps),
         specialty = coalesce(stay.specialty, gone.specialty),
         skills = stay.skills || ARRAY(SELECT skill FROM unnest(gone.skills) AS skill WHERE skill <> ALL (stay.skills)),
         languages = stay.languages || ARRAY(SELECT code FROM unnest(gone.languages) AS code WHERE code <> ALL (stay.languages))
   WHERE id = stay.id;
  RETURN 'changed';
END
$$;

-- Two accounts are one person's: one stays, with the roles and delegations of both. The other has never been used, and
-- is closed; what bears its name keeps it.
CREATE FUNCTION merge_accounts(in_territory_id smallint, stay_id uuid, gone_id uuid, at timestamptz)
RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  stay account%ROWTYPE;
  gone account%ROWTYPE;
BEGIN
  IF NOT coordinates(in_territory_id) OR stay_id = gone_id
     OR (SELECT count(*) FROM people_of(in_territory_id) person WHERE person.account_id IN (stay_id, gone_id)) <> 2 THEN
    RETURN 'not-allowed';
  END IF;
  IF entered_account() IN (stay_id, gone_id) THEN RETURN 'own-roles'; END IF;
  PERFORM FROM account WHERE id IN (stay_id, gone_id) ORDER BY id FOR NO KEY UPDATE;
  SELECT * INTO stay FROM account WHERE id = stay_id;
  SELECT * INTO gone FROM account WHERE id = gone_id;
  IF EXISTS (SELECT FROM people_of(in_territory_id) person WHERE person.account_id IN (stay_id, gone_id) AND person.is_elsewhere) THEN
    RETURN 'account-elsewhere';
  END IF;
  IF folded(stay.name) <> folded(gone.name) OR stay.practitioner_id <> gone.practitioner_id THEN RETURN 'two-people'; END IF;
  IF stay.practitioner_id IS NULL AND gone.practitioner_id IS NOT NULL THEN RETURN 'account-untied'; END IF;
  IF gone.password_hash IS NOT NULL
     OR EXISTS (SELECT FROM passkey WHERE account_id = gone.id)
     OR EXISTS (SELECT FROM authenticator_app WHERE account_id = gone.id)
     OR EXISTS (SELECT FROM session WHERE account_id = gone.id) THEN
    RETURN 'account-in-use';
  END IF;
  IF EXISTS (SELECT FROM membership WHERE account_id = gone.id AND role = 'regulator')
     AND NOT EXISTS (SELECT FROM membership WHERE account_id = stay.id AND territory_id = in_territory_id AND role = 'regulator') THEN
    RETURN 'not-regulation';
  END IF;
  INSERT INTO membership (account_id, territory_id, role)
  SELECT stay.id, territory_id, role FROM membership WHERE account_id = gone.id ON CONFLICT DO NOTHING;
  DELETE FROM membership WHERE account_id = gone.id;
  INSERT INTO delegation (account_id, territory_id, schedule_id)
  SELECT stay.id, territory_id, schedule_id FROM delegation WHERE account_id = gone.id ON CONFLICT DO NOTHING;
  DELETE FROM delegation WHERE account_id = gone.id;
  UPDATE account SET disabled_at = at, is_withdrawn = true, practitioner_id = NULL WHERE id = gone.id;
  UPDATE ticket SET spent_at = at WHERE account_id = gone.id AND spent_at IS NULL;
  RETURN 'changed';
END
$$;
REVOKE EXECUTE ON FUNCTION is_practitioner_in, is_organisation_elsewhere, put_organisation, put_place, put_practitioner, put_schedule,
  put_place_of_work, leave_organisation, end_place_of_work, put_service, put_member, people_table, merge_practitioners, merge_accounts FROM PUBLIC;
GRANT EXECUTE ON FUNCTION is_practitioner_in, is_organisation_elsewhere, put_organisation, put_place, put_practitioner, put_schedule,
  put_place_of_work, leave_organisation, end_place_of_work, put_service, put_member, people_table, merge_practitioners, merge_accounts TO chrono48_app;

-- A place of work that has ended is nobody's, for row level security as for the session.
CREATE OR REPLACE FUNCTION entered_schedules() RETURNS uuid[]
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  RETURN ARRAY(
    SELECT schedule.id
      FROM account
      JOIN practitioner_role role ON role.practitioner_id = account.practitioner_id AND role.ended_at IS NULL
      JOIN schedule ON schedule.practitioner_role_id = role.id
      JOIN membership ON membership.account_id = account.id AND membership.territory_id = schedule.territory_id
                     AND membership.role = 'professional'
     WHERE account.id = entered_account()
     UNION
    SELECT delegation.schedule_id
      FROM delegation
      JOIN membership ON membership.account_id = delegation.account_id AND membership.territory_id = delegation.territory_id
                     AND membership.role IN ('delegate', 'professional')
     WHERE delegation.account_id = entered_account());
END
$$;
