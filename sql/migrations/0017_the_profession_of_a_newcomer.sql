-- Pro Santé Connect says what somebody's profession is; without its word a newcomer was taken for a doctor.
ALTER TABLE admission ADD COLUMN profession text, ADD COLUMN specialty text;

CREATE OR REPLACE FUNCTION decide_admission(of_admission_id uuid, is_let_in boolean, new_account_id uuid, at timestamptz)
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
      INSERT INTO practitioner (id, rpps, given_name, family_name, profession, specialty)
      VALUES (person_id, asked.rpps, split_part(asked.name, ' ', 1), substr(asked.name, length(split_part(asked.name, ' ', 1)) + 2),
              coalesce(asked.profession, '10'), asked.specialty);
    END IF;
    SELECT account.id INTO there FROM account WHERE practitioner_id = person_id ORDER BY disabled_at IS NOT NULL, created_at LIMIT 1;
    -- Whom the installation has disabled nobody lets in; who belonged to no territory any more may come back.
    IF EXISTS (SELECT FROM account WHERE id = there AND disabled_at IS NOT NULL AND NOT is_withdrawn) THEN RETURN NULL; END IF;
    UPDATE account SET disabled_at = NULL, is_withdrawn = false WHERE id = there AND disabled_at IS NOT NULL;
    IF there IS NULL THEN
      IF EXISTS (SELECT FROM account WHERE email = lower(asked.email)) THEN RETURN NULL; END IF;
      SELECT location.organisation_id INTO place_id
        FROM practitioner_role role JOIN location ON location.id = role.location_id
       WHERE role.practitioner_id = person_id AND role.territory_id = asked.territory_id AND role.ended_at IS NULL
         AND NOT is_organisation_elsewhere(location.organisation_id, asked.territory_id)
       ORDER BY role.id LIMIT 1;
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
     WHERE EXISTS (SELECT FROM practitioner_role
                    WHERE practitioner_id = person_id AND territory_id = asked.territory_id AND ended_at IS NULL)
    ON CONFLICT DO NOTHING;
  END IF;
  UPDATE admission SET decided_at = at, decided_by = entered_account(), account_id = there WHERE id = asked.id;
  RETURN coalesce(there, asked.id);
END
$$;
