-- Signing in by Pro Santé Connect; who is not known yet asks a coordinator for admission.
ALTER TABLE session
  DROP CONSTRAINT session_proof_known,
  ADD COLUMN id_token bytea,
  ADD CONSTRAINT session_proof_known CHECK (proof IN ('password', 'totp', 'recovery', 'passkey', 'psc'));
ALTER TABLE ticket
  DROP CONSTRAINT ticket_purpose_known,
  DROP CONSTRAINT ticket_of_somebody,
  ADD CONSTRAINT ticket_purpose_known
    CHECK (purpose IN ('sign-in', 'passkey', 'enrol', 'add', 'invitation', 'reset', 'psc', 'admission', 'address')),
  ADD CONSTRAINT ticket_of_somebody CHECK (account_id IS NOT NULL OR purpose IN ('passkey', 'psc', 'admission', 'address'));

CREATE TABLE admission (
  id            uuid PRIMARY KEY,
  territory_id  smallint NOT NULL REFERENCES territory,
  rpps          text NOT NULL,
  name          text NOT NULL,             -- as Pro Santé Connect has it
  email         text NOT NULL,
  organisation  text NOT NULL,
  asked_at      timestamptz NOT NULL,
  decided_at    timestamptz,
  decided_by    uuid REFERENCES account,
  account_id    uuid REFERENCES account,   -- NULL, where it was decided: refused
  CONSTRAINT admission_rpps_format CHECK (rpps ~ '^[0-9]{11}$')
);
CREATE UNIQUE INDEX admission_once ON admission (territory_id, rpps) WHERE decided_at IS NULL;
ALTER TABLE admission ENABLE ROW LEVEL SECURITY;
CREATE POLICY admission_wall ON admission USING (territory_id = ANY ((SELECT entered_territories())::smallint[]));
GRANT SELECT, INSERT ON admission TO chrono48_app;

CREATE FUNCTION account_of_rpps(wanted_rpps text)
RETURNS uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT account.id
    FROM practitioner JOIN account ON account.practitioner_id = practitioner.id AND account.disabled_at IS NULL
   WHERE practitioner.rpps = wanted_rpps
   ORDER BY account.created_at, account.id
   LIMIT 1
$$;
CREATE FUNCTION keep_id_token(of_id_hash bytea, sealed_token bytea)
RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
  UPDATE session SET id_token = sealed_token WHERE id_hash = of_id_hash AND ended_at IS NULL
$$;
CREATE FUNCTION id_token_of(of_id_hash bytea)
RETURNS bytea
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT id_token FROM session WHERE id_hash = of_id_hash AND ended_at IS NULL
$$;
-- A coordinator lets somebody in, or not. Who is let in is linked to the directory where their number is in it, refers
-- from the territory, and publishes where they work there. NULL: not for whoever has entered, or decided already.
CREATE FUNCTION decide_admission(of_admission_id uuid, is_let_in boolean, new_account_id uuid, at timestamptz)
RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
#variable_conflict use_column
DECLARE
  asked admission%ROWTYPE;
  person_id uuid;
  place_id uuid;
  there uuid;
BEGIN
  SELECT * INTO asked FROM admission WHERE id = of_admission_id AND decided_at IS NULL FOR UPDATE;
  IF asked.id IS NULL OR NOT coordinates(asked.territory_id) THEN RETURN NULL; END IF;
  IF is_let_in THEN
    PERFORM pg_advisory_xact_lock(48, -2);  -- two territories that let in one new number take turns
    SELECT id INTO person_id FROM practitioner WHERE rpps = asked.rpps;
    IF person_id IS NULL THEN
      person_id := gen_random_uuid();
      INSERT INTO practitioner (id, rpps, given_name, family_name, profession)
      VALUES (person_id, asked.rpps, split_part(asked.name, ' ', 1), substr(asked.name, length(split_part(asked.name, ' ', 1)) + 2), '10');
    END IF;
    SELECT account.id INTO there FROM account WHERE practitioner_id = person_id ORDER BY disabled_at IS NOT NULL, created_at LIMIT 1;
    -- Whom the installation has disabled nobody lets in; who belonged to no territory any more may come back.
    IF EXISTS (SELECT FROM account WHERE id = there AND disabled_at IS NOT NULL AND NOT is_withdrawn) THEN RETURN NULL; END IF;
    UPDATE account SET disabled_at = NULL, is_withdrawn = false WHERE id = there AND disabled_at IS NOT NULL;
    IF there IS NULL THEN
      IF EXISTS (SELECT FROM account WHERE email = lower(asked.email)) THEN RETURN NULL; END IF;
      SELECT location.organisation_id INTO place_id
        FROM practitioner_role role JOIN location ON location.id = role.location_id
       WHERE role.practitioner_id = person_id AND role.territory_id = asked.territory_id ORDER BY role.id LIMIT 1;
      IF place_id IS NULL THEN
        place_id := gen_random_uuid();
        INSERT INTO organisation (id, name, kind) VALUES (place_id, asked.organisation, 'practice');
      END IF;
      there := new_account_id;
      INSERT INTO account (id, email, password_hash, name, organisation_id, practitioner_id, created_at)
      VALUES (there, lower(asked.email), NULL, asked.name, place_id, person_id, at);
    END IF;
    INSERT INTO membership (account_id, territory_id, role)
    SELECT there, asked.territory_id, 'referrer'
     UNION ALL
    SELECT there, asked.territory_id, 'professional'
     WHERE EXISTS (SELECT FROM practitioner_role WHERE practitioner_id = person_id AND territory_id = asked.territory_id)
    ON CONFLICT DO NOTHING;
  END IF;
  UPDATE admission SET decided_at = at, decided_by = entered_account(), account_id = there WHERE id = asked.id;
  RETURN coalesce(there, asked.id);
END
$$;
REVOKE EXECUTE ON FUNCTION account_of_rpps, keep_id_token, id_token_of, decide_admission FROM PUBLIC;
GRANT EXECUTE ON FUNCTION account_of_rpps, keep_id_token, id_token_of, decide_admission TO chrono48_app;
