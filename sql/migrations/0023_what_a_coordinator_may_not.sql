-- What a second reading found that a coordinator could: give roles to themselves, make a regulator of who is none, and
-- bring back whom the installation has disabled by another address.
CREATE OR REPLACE FUNCTION invite(
  into_territory_id smallint, new_account_id uuid, with_email text, called text, with_phone text, of_organisation text,
  with_roles text[], with_rpps text, new_mail_id uuid, the_subject text, the_body text, at timestamptz
)
RETURNS TABLE (outcome text, account_id uuid)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
#variable_conflict use_column
DECLARE
  there account%ROWTYPE;
  place_id uuid;   -- of the organisation
  person_id uuid;  -- of the practitioner
BEGIN
  IF NOT coordinates(into_territory_id) THEN
    RETURN QUERY SELECT 'not-allowed', NULL::uuid; RETURN;
  END IF;
  IF with_rpps <> '' THEN
    SELECT practitioner.id INTO person_id
      FROM practitioner JOIN practitioner_role role ON role.practitioner_id = practitioner.id
     WHERE practitioner.rpps = with_rpps AND role.territory_id = into_territory_id LIMIT 1;
  END IF;
  IF 'professional' = ANY (with_roles) AND person_id IS NULL THEN
    RETURN QUERY SELECT 'rpps-unknown', NULL::uuid; RETURN;
  END IF;
  SELECT * INTO there FROM account WHERE account.email = lower(with_email) FOR NO KEY UPDATE;
  IF there.disabled_at IS NOT NULL AND NOT there.is_withdrawn THEN
    RETURN QUERY SELECT 'disabled', NULL::uuid; RETURN;
  END IF;
  IF there.practitioner_id IS NOT NULL AND person_id IS NOT NULL AND there.practitioner_id <> person_id THEN
    RETURN QUERY SELECT 'somebody-else', NULL::uuid; RETURN;
  END IF;
  -- A number is one person's: nobody else is tied to it, and nobody from elsewhere by a coordinator who only types it.
  IF person_id IS NOT NULL AND there.practitioner_id IS NULL
     AND (EXISTS (SELECT FROM account other WHERE other.practitioner_id = person_id AND other.id IS DISTINCT FROM there.id
                     AND other.disabled_at IS NULL)
          OR EXISTS (SELECT FROM membership WHERE membership.account_id = there.id)) THEN
    RETURN QUERY SELECT 'rpps-taken', NULL::uuid; RETURN;
  END IF;
  -- Whom the installation has disabled nobody brings back, by whatever address.
  IF EXISTS (SELECT FROM account other WHERE other.practitioner_id = person_id AND other.disabled_at IS NOT NULL AND NOT other.is_withdrawn) THEN
    RETURN QUERY SELECT 'disabled', NULL::uuid; RETURN;
  END IF;
  IF there.id = entered_account() THEN RETURN QUERY SELECT 'own-roles', NULL::uuid; RETURN; END IF;
  -- Who regulates already may do so here too; the first time is the installation's to say.
  IF 'regulator' = ANY (with_roles)
     AND NOT (EXISTS (SELECT FROM organisation WHERE organisation.id = there.organisation_id AND organisation.kind = 'regulation')
              AND EXISTS (SELECT FROM membership WHERE membership.account_id = there.id AND membership.role = 'regulator')) THEN
    RETURN QUERY SELECT 'not-regulation', NULL::uuid; RETURN;
  END IF;
  -- Who comes back after having been taken out comes back to where they work, not to whose bookings they shared.
  IF there.id IS NULL OR there.disabled_at IS NOT NULL
     AND NOT EXISTS (SELECT FROM practitioner_role role JOIN location ON location.id = role.location_id
                      WHERE role.practitioner_id = there.practitioner_id AND role.ended_at IS NULL
                        AND location.organisation_id = there.organisation_id) THEN
    SELECT organisation.id INTO place_id
      FROM organisation
     WHERE organisation.name = of_organisation
       -- Colleagues share their bookings: only where all of the organisation's places are in this territory.
       AND EXISTS (SELECT FROM location WHERE location.organisation_id = organisation.id AND location.territory_id = into_territory_id)
       AND NOT EXISTS (SELECT FROM location WHERE location.organisation_id = organisation.id AND location.territory_id <> into_territory_id)
       AND organisation.kind <> 'regulation'
     ORDER BY organisation.id LIMIT 1;
    IF place_id IS NULL THEN
      place_id := gen_random_uuid();
      INSERT INTO organisation (id, name, kind, phone)
      VALUES (place_id, of_organisation, 'practice', nullif(with_phone, ''));
    END IF;
  END IF;
  IF there.id IS NULL THEN
    INSERT INTO account (id, email, password_hash, name, phone, organisation_id, practitioner_id, created_at)
    VALUES (new_account_id, lower(with_email), NULL, called, nullif(with_phone, ''), place_id, person_id, at);
    INSERT INTO mail (id, territory_id, account_id, subject, body, created_at, next_try_at, link)
    VALUES (new_mail_id, 0, new_account_id, the_subject, the_body, at, at, 'invitation');
    there.id := new_account_id;
    outcome := 'invited';
  ELSE
    UPDATE account
       SET practitioner_id = coalesce(there.practitioner_id, person_id), organisation_id = coalesce(place_id, there.organisation_id),
           disabled_at = NULL, is_withdrawn = false
     WHERE account.id = there.id;
    outcome := 'added';
  END IF;
  INSERT INTO membership (account_id, territory_id, role)
  SELECT there.id, into_territory_id, unnest(with_roles) ON CONFLICT DO NOTHING;
  account_id := there.id;
  RETURN NEXT;
END
$$;
CREATE OR REPLACE FUNCTION set_roles(in_territory_id smallint, of_account_id uuid, new_roles text[], at timestamptz)
RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  -- Nobody changes their own roles. The row is locked: whoever joins somewhere else meanwhile takes turns with us.
  IF NOT coordinates(in_territory_id) OR of_account_id = entered_account()
     OR NOT EXISTS (SELECT FROM account WHERE id = of_account_id AND disabled_at IS NULL FOR NO KEY UPDATE)
     OR NOT EXISTS (SELECT FROM membership WHERE account_id = of_account_id AND territory_id = in_territory_id) THEN
    RETURN NULL;
  END IF;
  -- Two who take each other's last role take turns.
  PERFORM FROM territory WHERE id = in_territory_id FOR NO KEY UPDATE;
  IF NOT 'coordinator' = ANY (new_roles)
     AND NOT EXISTS (SELECT FROM membership JOIN account ON account.id = membership.account_id
                      WHERE territory_id = in_territory_id AND role = 'coordinator'
                        AND account_id <> of_account_id AND account.disabled_at IS NULL) THEN
    RETURN false;
  END IF;
  IF 'professional' = ANY (new_roles)
     AND NOT EXISTS (SELECT FROM account JOIN practitioner_role role ON role.practitioner_id = account.practitioner_id
                      WHERE account.id = of_account_id AND role.territory_id = in_territory_id) THEN
    RETURN NULL;
  END IF;
  IF 'regulator' = ANY (new_roles)
     AND NOT EXISTS (SELECT FROM account JOIN organisation ON organisation.id = account.organisation_id
                       JOIN membership ON membership.account_id = account.id AND membership.role = 'regulator'
                      WHERE account.id = of_account_id AND organisation.kind = 'regulation') THEN
    RETURN NULL;
  END IF;
  DELETE FROM membership WHERE account_id = of_account_id AND territory_id = in_territory_id AND role <> ALL (new_roles);
  INSERT INTO membership (account_id, territory_id, role)
  SELECT of_account_id, in_territory_id, unnest(new_roles) ON CONFLICT DO NOTHING;
  IF NOT new_roles && '{delegate,professional}' THEN
    DELETE FROM delegation WHERE account_id = of_account_id AND territory_id = in_territory_id;
  END IF;
  IF NOT EXISTS (SELECT FROM membership WHERE account_id = of_account_id) THEN
    UPDATE account SET disabled_at = at, is_withdrawn = true WHERE id = of_account_id AND NOT is_administrator;
    UPDATE session SET ended_at = at WHERE account_id = of_account_id AND ended_at IS NULL;
    UPDATE ticket SET spent_at = at WHERE account_id = of_account_id AND spent_at IS NULL;
  END IF;
  RETURN true;
END
$$;
