-- What a coordinator sets for their territory, and its catalogue of acts. The defaults are what was fixed until now.
ALTER TABLE territory
  ADD COLUMN horizon_h smallint,
  ADD COLUMN hold_for_s smallint NOT NULL DEFAULT 180,
  ADD COLUMN holds_per_account_max smallint NOT NULL DEFAULT 5,
  ADD COLUMN default_audience text[] NOT NULL DEFAULT '{CPTS,SNP}',
  ADD COLUMN search_radius_km smallint,
  ADD COLUMN settings_version integer NOT NULL DEFAULT 1,
  ADD CONSTRAINT territory_horizon_range CHECK (horizon_h BETWEEN 24 AND 72),
  ADD CONSTRAINT territory_hold_for_range CHECK (hold_for_s BETWEEN 60 AND 600),
  ADD CONSTRAINT territory_holds_range CHECK (holds_per_account_max BETWEEN 1 AND 20),
  ADD CONSTRAINT territory_audience_known CHECK (default_audience <@ '{CPTS,SNP,PRO,PUBLIC}' AND cardinality(default_audience) > 0),
  ADD CONSTRAINT territory_radius_range CHECK (search_radius_km BETWEEN 1 AND 100);

ALTER TABLE act
  ADD COLUMN version integer NOT NULL DEFAULT 1,
  ADD COLUMN retired_at timestamptz,
  ADD CONSTRAINT act_label_length CHECK (char_length(label) BETWEEN 1 AND 80),
  ADD CONSTRAINT act_preparation_short CHECK (char_length(preparation) <= 500);

-- A new schedule begins with the audiences of its territory.
CREATE FUNCTION schedule_begins() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  NEW.default_audience := coalesce(NEW.default_audience, (SELECT default_audience FROM territory WHERE id = NEW.territory_id));
  RETURN NEW;
END
$$;
ALTER TABLE schedule ALTER COLUMN default_audience DROP DEFAULT;
CREATE TRIGGER schedule_begins_as_its_territory BEFORE INSERT ON schedule
  FOR EACH ROW EXECUTE FUNCTION schedule_begins();

CREATE OR REPLACE VIEW ledger_slot WITH (security_invoker = true) AS
SELECT slot.*,
       territory.slug AS territory,
       schedule.daily_cap,
       practitioner.given_name || ' ' || practitioner.family_name AS practitioner_name,
       practitioner.profession AS practitioner_profession,
       practitioner.specialty AS practitioner_specialty,
       healthcare_service.name AS service_name,
       healthcare_service.profession AS service_profession,
       healthcare_service.specialty AS service_specialty,
       location.name AS location_name,
       commune.name AS location_commune,
       location.insee AS location_insee,
       location.lat AS location_lat,
       location.lon AS location_lon,
       coalesce(healthcare_service.phone, location.phone) AS location_phone,
       seats_of_slot(slot.id) AS seats,
       territory.horizon_h
  FROM slot
  JOIN territory ON territory.id = slot.territory_id
  JOIN schedule ON schedule.id = slot.schedule_id
  JOIN location ON location.id = slot.location_id
  JOIN commune ON commune.insee = location.insee
  LEFT JOIN practitioner ON practitioner.id = slot.practitioner_id
  LEFT JOIN healthcare_service ON healthcare_service.id = slot.healthcare_service_id;

-- All settings at once, as they were typed by who had seen *seen_version*. Answers `saved`, `changed` where somebody else was
-- quicker, or `not-allowed`. Another horizon is another version of every slot that it moves: whoever put a slot with the old
-- one, however late, is behind. Already live slots (*leeway*: clocks differ) stay as they are.
CREATE FUNCTION set_territory(
  of_territory_id smallint, seen_version integer, new_horizon_h smallint, new_hold_for_s smallint, new_holds_max smallint,
  new_audience text[], new_radius_km smallint, new_contact_kept_h smallint, usual_horizon_h smallint, at timestamptz, leeway interval
)
RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  was territory%ROWTYPE;
  nearer interval;
BEGIN
  IF NOT coordinates(of_territory_id) THEN RETURN 'not-allowed'; END IF;
  -- Not FOR NO KEY UPDATE: whoever inserts a slot holds this row by its foreign key. Its slot is committed, hence moved
  -- below, or it is read after us, with the new horizon.
  SELECT * INTO was FROM territory WHERE id = of_territory_id FOR UPDATE;
  IF was.settings_version <> seen_version THEN RETURN 'changed'; END IF;
  UPDATE territory
     SET horizon_h = new_horizon_h, hold_for_s = new_hold_for_s, holds_per_account_max = new_holds_max,
         default_audience = new_audience, search_radius_km = new_radius_km, contact_kept_h = new_contact_kept_h,
         settings_version = settings_version + 1
   WHERE id = of_territory_id;
  IF coalesce(new_horizon_h, usual_horizon_h) <> coalesce(was.horizon_h, usual_horizon_h) THEN
    nearer := make_interval(hours => least(coalesce(new_horizon_h, usual_horizon_h), coalesce(was.horizon_h, usual_horizon_h)));
    PERFORM FROM slot WHERE territory_id = of_territory_id AND ends_at > at AND starts_at > at + nearer - leeway
      ORDER BY id FOR UPDATE;
    WITH moved AS (
      UPDATE slot SET version = version + 1
       WHERE territory_id = of_territory_id AND ends_at > at AND starts_at > at + nearer - leeway
      RETURNING id, territory_id, version
    )
    INSERT INTO outbox (territory_id, slot_id, version, verb) SELECT territory_id, id, version, 'mend' FROM moved;
  END IF;
  RETURN 'saved';
END
$$;

-- Whether another act of the territory that is offered is called so.
CREATE FUNCTION is_act_label_taken(in_territory_id smallint, wanted text, but_code text)
RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT EXISTS (SELECT FROM act WHERE territory_id = in_territory_id AND code <> but_code AND retired_at IS NULL
                    AND trim(folded(label)) = trim(folded(wanted)))
$$;
-- An act gets *wanted_code*, or that with a number where it is another's. Answers its code, or why there is none.
CREATE FUNCTION add_act(
  in_territory_id smallint, wanted_code text, called text, with_preparation text, needs_prescription boolean, at_most integer
)
RETURNS TABLE (outcome text, code text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
#variable_conflict use_column
BEGIN
  IF NOT coordinates(in_territory_id) THEN RETURN QUERY SELECT 'not-allowed', NULL::text; RETURN; END IF;
  -- Two who add the same take turns.
  PERFORM FROM territory WHERE id = in_territory_id FOR NO KEY UPDATE;
  IF is_act_label_taken(in_territory_id, called, '') THEN RETURN QUERY SELECT 'taken', NULL::text; RETURN; END IF;
  IF (SELECT count(*) FROM act WHERE territory_id = in_territory_id) >= at_most THEN
    RETURN QUERY SELECT 'too-many', NULL::text; RETURN;
  END IF;
  SELECT free.code INTO add_act.code
    FROM (SELECT wanted_code AS code, 1 AS number
           UNION ALL
          SELECT wanted_code || '-' || number, number FROM generate_series(2, at_most + 1) AS number) AS free
   WHERE NOT EXISTS (SELECT FROM act WHERE act.territory_id = in_territory_id AND act.code = free.code)
   ORDER BY free.number LIMIT 1;
  INSERT INTO act (territory_id, code, label, preparation, prescription_required)
  VALUES (in_territory_id, add_act.code, called, with_preparation, needs_prescription);
  RETURN QUERY SELECT 'saved', add_act.code;
END
$$;
-- A retired act is offered no more; what carries it keeps its words. Answers as set_territory, `taken` or `unknown`.
CREATE FUNCTION change_act(
  in_territory_id smallint, of_code text, seen_version integer, called text, with_preparation text, needs_prescription boolean,
  is_offered boolean, at timestamptz
)
RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  was act%ROWTYPE;
BEGIN
  IF NOT coordinates(in_territory_id) THEN RETURN 'not-allowed'; END IF;
  PERFORM FROM territory WHERE id = in_territory_id FOR NO KEY UPDATE;
  SELECT * INTO was FROM act WHERE territory_id = in_territory_id AND code = of_code;
  IF NOT FOUND THEN RETURN 'unknown'; END IF;
  IF was.version <> seen_version THEN RETURN 'changed'; END IF;
  IF is_offered AND is_act_label_taken(in_territory_id, called, of_code) THEN RETURN 'taken'; END IF;
  UPDATE act
     SET label = called, preparation = with_preparation, prescription_required = needs_prescription, version = version + 1,
         retired_at = CASE WHEN is_offered THEN NULL ELSE coalesce(retired_at, at) END
   WHERE territory_id = in_territory_id AND code = of_code;
  RETURN 'saved';
END
$$;

CREATE OR REPLACE FUNCTION add_territory(new_slug text, called text, in_department text, like_territory_id smallint, neighbour_ids smallint[])
RETURNS smallint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  new_id smallint;
BEGIN
  IF NOT administers() THEN RETURN NULL; END IF;
  PERFORM pg_advisory_xact_lock(48, -1);
  INSERT INTO territory (id, slug, name, department, partition_id)
  SELECT coalesce(max(id), 0) + 1, new_slug, called, in_department, coalesce(min(partition_id), 0) FROM territory
  RETURNING id INTO new_id;
  -- What the new one opens to its neighbours; what they open to it is for them to say.
  INSERT INTO territory_neighbour (territory_id, neighbour_id) SELECT new_id, unnest(neighbour_ids);
  INSERT INTO act (territory_id, code, label, preparation, prescription_required)
  SELECT new_id, code, label, preparation, prescription_required FROM act
   WHERE territory_id = like_territory_id AND retired_at IS NULL;
  INSERT INTO reason (territory_id, code, label, position)
  SELECT new_id, code, label, position FROM reason WHERE territory_id = like_territory_id;
  INSERT INTO urgency (territory_id, code, label, position)
  SELECT new_id, code, label, position FROM urgency WHERE territory_id = like_territory_id;
  RETURN new_id;
END
$$;
REVOKE EXECUTE ON FUNCTION schedule_begins, set_territory, is_act_label_taken, add_act, change_act FROM PUBLIC;
GRANT EXECUTE ON FUNCTION schedule_begins, set_territory, is_act_label_taken, add_act, change_act TO chrono48_app;
