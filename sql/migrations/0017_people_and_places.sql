-- The doors through which a coordinator brings in people and places, by a table or by hand. Each asks by itself whether
-- whoever has entered coordinates the territory, and refuses what reaches into another one. They answer `new`, `changed`,
-- `same`, or in one word why not (slots/people/findings.py); an empty text or NULL leaves what is there.

-- Whether somebody, or an organisation, is anything in another territory, where this coordinator has no say.
CREATE FUNCTION is_practitioner_in(of_practitioner_id uuid, of_territory_id smallint, is_there boolean)
RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT EXISTS (SELECT FROM practitioner_role role
                  WHERE role.practitioner_id = of_practitioner_id AND (role.territory_id = of_territory_id) = is_there)
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
  ELSE
    SELECT * INTO made
      FROM put_organisation(in_territory_id, coalesce(nullif(of_organisation, ''), held.name, called), with_finess, of_kind, with_phone);
    IF made.organisation_id IS NULL THEN RETURN QUERY SELECT made.outcome, NULL::uuid, NULL::uuid; RETURN; END IF;
  END IF;
  organisation_id := made.organisation_id;
  IF before.id IS NULL THEN
    location_id := gen_random_uuid();
    INSERT INTO location (id, territory_id, organisation_id, name, address, insee, lat, lon, phone, access, step_free, parking)
    VALUES (location_id, in_territory_id, made.organisation_id, called, at_address, in_insee, coalesce(at_lat, ground.lat),
            coalesce(at_lon, ground.lon), with_phone, with_access, is_step_free, has_parking);
    outcome := 'new';
  ELSE
    location_id := before.id;
    UPDATE location
       SET organisation_id = made.organisation_id, address = coalesce(nullif(at_address, ''), before.address),
           lat = coalesce(at_lat, before.lat), lon = coalesce(at_lon, before.lon), phone = CASE WHEN amends_phone AND with_phone <> '' THEN with_phone ELSE before.phone END,
           access = coalesce(nullif(with_access, ''), before.access), step_free = coalesce(is_step_free, before.step_free),
           parking = coalesce(has_parking, before.parking)
     WHERE id = before.id;
    outcome := CASE WHEN made.outcome = 'same' AND before = (SELECT location FROM location WHERE id = before.id) THEN 'same' ELSE 'changed' END;
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
    SELECT * INTO before FROM practitioner WHERE rpps = nullif(with_rpps, '') FOR NO KEY UPDATE;
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
  after.specialty := coalesce(nullif(of_specialty, ''), CASE WHEN of_profession = before.profession THEN before.specialty END);
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
    VALUES (gen_random_uuid(), in_territory_id, of_role_id, of_service_id, coalesce(for_audience, '{CPTS,SNP}'), offered,
            at_most_daily, coalesce(takes_overflow, false));
    RETURN 'new';
  END IF;
  UPDATE schedule
     SET default_audience = coalesce(for_audience, before.default_audience), default_acts = coalesce(of_acts, before.default_acts),
         daily_cap = coalesce(at_most_daily, before.daily_cap), accepts_overflow = coalesce(takes_overflow, before.accepts_overflow)
   WHERE id = before.id;
  RETURN CASE WHEN before = (SELECT schedule FROM schedule WHERE id = before.id) THEN 'same' ELSE 'changed' END;
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
  planned text;
BEGIN
  IF NOT coordinates(in_territory_id)
     OR NOT EXISTS (SELECT FROM location WHERE id = at_location_id AND territory_id = in_territory_id)
     OR NOT EXISTS (SELECT FROM practitioner WHERE id = of_practitioner_id) THEN
    RETURN QUERY SELECT 'not-allowed', NULL::uuid; RETURN;
  END IF;
  IF is_practitioner_in(of_practitioner_id, in_territory_id, false) AND NOT is_practitioner_in(of_practitioner_id, in_territory_id, true) THEN
    RETURN QUERY SELECT 'person-elsewhere', NULL::uuid; RETURN;
  END IF;
  SELECT * INTO before FROM practitioner_role WHERE practitioner_id = of_practitioner_id AND location_id = at_location_id;
  role_id := coalesce(before.id, gen_random_uuid());
  IF before.id IS NULL THEN
    INSERT INTO practitioner_role (id, territory_id, practitioner_id, location_id, new_patients, referral)
    VALUES (role_id, in_territory_id, of_practitioner_id, at_location_id, takes_new_patients, with_referral);
  ELSE
    UPDATE practitioner_role
       SET new_patients = coalesce(takes_new_patients, before.new_patients), referral = coalesce(nullif(with_referral, ''), before.referral)
     WHERE id = before.id;
  END IF;
  planned := put_schedule(in_territory_id, role_id, NULL, for_audience, of_acts, of_usual_acts, at_most_daily, takes_overflow);
  IF planned NOT IN ('new', 'changed', 'same') THEN RETURN QUERY SELECT planned, NULL::uuid; RETURN; END IF;
  outcome := CASE WHEN before.id IS NULL THEN 'new'
                  WHEN planned = 'same' AND before = (SELECT role FROM practitioner_role role WHERE role.id = before.id) THEN 'same'
                  ELSE 'changed' END;
  RETURN NEXT;
END
$$;

-- A service with its rooms: by its number, else by its name at its place.
CREATE FUNCTION put_service(
  in_territory_id smallint, at_location_id uuid, called text, with_finess text, with_phone text, of_profession text, of_specialty text,
  with_rooms smallint, takes_new_patients boolean, with_referral text,
  for_audience text[], of_acts text[], at_most_daily smallint, takes_overflow boolean
)
RETURNS TABLE (outcome text, service_id uuid)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  before healthcare_service%ROWTYPE;
  planned text;
BEGIN
  IF NOT coordinates(in_territory_id) OR NOT EXISTS (SELECT FROM location WHERE id = at_location_id AND territory_id = in_territory_id) THEN
    RETURN QUERY SELECT 'not-allowed', NULL::uuid; RETURN;
  END IF;
  SELECT * INTO before FROM healthcare_service
   WHERE territory_id = in_territory_id AND (finess = nullif(with_finess, '') OR (location_id = at_location_id AND name = called))
   ORDER BY finess = nullif(with_finess, '') DESC NULLS LAST, id LIMIT 1;
  service_id := coalesce(before.id, gen_random_uuid());
  IF before.id IS NULL THEN
    INSERT INTO healthcare_service (id, territory_id, location_id, name, finess, phone, profession, specialty, rooms, new_patients, referral)
    VALUES (service_id, in_territory_id, at_location_id, called, nullif(with_finess, ''), with_phone, nullif(of_profession, ''),
            nullif(of_specialty, ''), coalesce(with_rooms, 1), takes_new_patients, with_referral);
  ELSE
    UPDATE healthcare_service
       SET location_id = at_location_id, name = called, finess = coalesce(nullif(with_finess, ''), before.finess),
           phone = coalesce(nullif(with_phone, ''), before.phone), profession = coalesce(nullif(of_profession, ''), before.profession),
           specialty = coalesce(nullif(of_specialty, ''), before.specialty), rooms = coalesce(with_rooms, before.rooms),
           new_patients = coalesce(takes_new_patients, before.new_patients), referral = coalesce(nullif(with_referral, ''), before.referral)
     WHERE id = before.id;
  END IF;
  planned := put_schedule(in_territory_id, NULL, service_id, for_audience, of_acts, '{}', at_most_daily, takes_overflow);
  IF planned NOT IN ('new', 'changed', 'same') THEN RETURN QUERY SELECT planned, NULL::uuid; RETURN; END IF;
  outcome := CASE WHEN before.id IS NULL THEN 'new'
                  WHEN planned = 'same' AND before = (SELECT service FROM healthcare_service service WHERE service.id = before.id) THEN 'same'
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
     WHERE schedule.territory_id = of_territory_id
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
   WHERE role.territory_id = of_territory_id AND coordinates(of_territory_id)
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
                      WHERE role.practitioner_id = member.practitioner_id AND role.territory_id = of_territory_id)
   ORDER BY 4 NULLS LAST, 3, 2, 24, 10
$$;
REVOKE EXECUTE ON FUNCTION is_practitioner_in, is_organisation_elsewhere, put_organisation, put_place, put_practitioner, put_schedule,
  put_place_of_work, put_service, put_member, people_table FROM PUBLIC;
GRANT EXECUTE ON FUNCTION is_practitioner_in, is_organisation_elsewhere, put_organisation, put_place, put_practitioner, put_schedule,
  put_place_of_work, put_service, put_member, people_table TO chrono48_app;
