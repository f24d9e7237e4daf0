-- What a coordinator does for the people of one territory, a professional for their delegates, and an administrator.
-- Who was taken out of their last territory may come back; who was disabled by the installation may not.
ALTER TABLE account ADD COLUMN is_withdrawn boolean NOT NULL DEFAULT false;

-- Whether whoever has entered coordinates a territory that was entered: every door below asks it first.
CREATE FUNCTION coordinates(of_territory_id smallint)
RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT of_territory_id = ANY (entered_territories())
     AND EXISTS (SELECT FROM membership JOIN account ON account.id = membership.account_id
                  WHERE membership.account_id = entered_account() AND membership.territory_id = of_territory_id
                    AND membership.role = 'coordinator' AND account.disabled_at IS NULL)
$$;

CREATE FUNCTION people_of(of_territory_id smallint)
RETURNS TABLE (
  account_id uuid, email text, name text, phone text, organisation text, rpps text, roles text[],
  has_factor boolean, has_password boolean, invited_at timestamptz, seen_at timestamptz, is_elsewhere boolean
)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT account.id, account.email, account.name, account.phone, organisation.name, practitioner.rpps,
         array_agg(membership.role ORDER BY membership.role),
         EXISTS (SELECT FROM passkey WHERE passkey.account_id = account.id)
           OR EXISTS (SELECT FROM authenticator_app WHERE authenticator_app.account_id = account.id),
         account.password_hash IS NOT NULL,
         (SELECT max(mail.created_at) FROM mail WHERE mail.account_id = account.id AND mail.link = 'invitation'),
         (SELECT max(session.seen_at) FROM session WHERE session.account_id = account.id AND session.kind = 'browser'),
         account.is_administrator
           OR EXISTS (SELECT FROM membership other WHERE other.account_id = account.id AND other.territory_id <> of_territory_id)
    FROM membership
    JOIN account ON account.id = membership.account_id
    JOIN organisation ON organisation.id = account.organisation_id
    LEFT JOIN practitioner ON practitioner.id = account.practitioner_id
   WHERE membership.territory_id = of_territory_id AND account.disabled_at IS NULL AND coordinates(of_territory_id)
   GROUP BY account.id, organisation.name, practitioner.rpps
   ORDER BY account.name, account.id
$$;

-- Somebody joins a territory. Regulators come from where regulation is already: by the installation. A new address gets an account and an invitation by mail; one that is known gets the
-- roles, and who invites learns of it only that. Answers `invited`, `added`, or why not.
CREATE FUNCTION invite(
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
  IF 'regulator' = ANY (with_roles)
     AND NOT EXISTS (SELECT FROM organisation WHERE organisation.id = there.organisation_id AND organisation.kind = 'regulation') THEN
    RETURN QUERY SELECT 'not-regulation', NULL::uuid; RETURN;
  END IF;
  IF there.id IS NULL THEN
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
    INSERT INTO account (id, email, password_hash, name, phone, organisation_id, practitioner_id, created_at)
    VALUES (new_account_id, lower(with_email), NULL, called, nullif(with_phone, ''), place_id, person_id, at);
    INSERT INTO mail (id, territory_id, account_id, subject, body, created_at, next_try_at, link)
    VALUES (new_mail_id, 0, new_account_id, the_subject, the_body, at, at, 'invitation');
    there.id := new_account_id;
    outcome := 'invited';
  ELSE
    UPDATE account
       SET practitioner_id = coalesce(there.practitioner_id, person_id), disabled_at = NULL, is_withdrawn = false
     WHERE account.id = there.id;
    outcome := 'added';
  END IF;
  INSERT INTO membership (account_id, territory_id, role)
  SELECT there.id, into_territory_id, unnest(with_roles) ON CONFLICT DO NOTHING;
  account_id := there.id;
  RETURN NEXT;
END
$$;

-- These roles in the territory and no others; without any, nothing of the territory is left to them, and who has no
-- other territory cannot sign in any more. False where that would leave the territory without a coordinator.
CREATE FUNCTION set_roles(in_territory_id smallint, of_account_id uuid, new_roles text[], at timestamptz)
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

-- Everything that shows who somebody is goes, and a new invitation leaves: for who has lost it all. Only where the
-- person is of no other territory, whose coordinator would have a say.
CREATE FUNCTION invite_again(
  in_territory_id smallint, of_account_id uuid, new_mail_id uuid, the_subject text, the_body text, at timestamptz
)
RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  PERFORM FROM account WHERE id = of_account_id FOR NO KEY UPDATE;
  IF NOT EXISTS (SELECT FROM people_of(in_territory_id) person WHERE person.account_id = of_account_id AND NOT person.is_elsewhere) THEN
    RETURN false;
  END IF;
  DELETE FROM passkey WHERE account_id = of_account_id;
  DELETE FROM authenticator_app WHERE account_id = of_account_id;
  DELETE FROM recovery_code WHERE account_id = of_account_id;
  UPDATE account SET password_hash = NULL WHERE id = of_account_id;
  UPDATE ticket SET spent_at = at WHERE account_id = of_account_id AND spent_at IS NULL;
  UPDATE session SET ended_at = at WHERE account_id = of_account_id AND ended_at IS NULL;
  INSERT INTO mail (id, territory_id, account_id, subject, body, created_at, next_try_at, link)
  VALUES (new_mail_id, 0, of_account_id, the_subject, the_body, at, at, 'invitation');
  RETURN true;
END
$$;
CREATE FUNCTION end_sessions_of_person(in_territory_id smallint, of_account_id uuid, at timestamptz)
RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM people_of(in_territory_id) person WHERE person.account_id = of_account_id AND NOT person.is_elsewhere) THEN
    RETURN false;
  END IF;
  UPDATE session SET ended_at = at WHERE account_id = of_account_id AND ended_at IS NULL;
  UPDATE ticket SET spent_at = at WHERE account_id = of_account_id AND spent_at IS NULL;
  RETURN true;
END
$$;

-- Who acts for a schedule beside its owner: for its coordinator, and for the owner.
CREATE FUNCTION may_delegate(of_schedule_id uuid)
RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT EXISTS (
    SELECT FROM schedule
     WHERE schedule.id = of_schedule_id AND schedule.territory_id = ANY (entered_territories())
       AND (coordinates(schedule.territory_id)
            OR EXISTS (SELECT FROM practitioner_role role
                         JOIN account ON account.practitioner_id = role.practitioner_id
                         JOIN membership ON membership.account_id = account.id AND membership.territory_id = schedule.territory_id
                                        AND membership.role = 'professional'
                        WHERE role.id = schedule.practitioner_role_id AND account.id = entered_account()
                          AND account.disabled_at IS NULL)))
$$;
CREATE FUNCTION delegates_of(of_schedule_ids uuid[])
RETURNS TABLE (schedule_id uuid, account_id uuid, name text, email text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT delegation.schedule_id, account.id, account.name, account.email
    FROM delegation
    JOIN account ON account.id = delegation.account_id AND account.disabled_at IS NULL
   WHERE delegation.schedule_id = ANY (of_schedule_ids) AND may_delegate(delegation.schedule_id)
   ORDER BY account.name, account.id
$$;
-- To somebody who is a delegate or a professional of the territory, found by their address. Answers whose it is now.
CREATE FUNCTION delegate_to(of_schedule_id uuid, to_email text)
RETURNS uuid
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
  INSERT INTO delegation (account_id, territory_id, schedule_id)
  SELECT DISTINCT account.id, schedule.territory_id, schedule.id
    FROM schedule
    JOIN account ON account.email = lower(to_email) AND account.disabled_at IS NULL
    JOIN membership ON membership.account_id = account.id AND membership.territory_id = schedule.territory_id
                   AND membership.role IN ('delegate', 'professional')
   WHERE schedule.id = of_schedule_id AND may_delegate(schedule.id)
     -- A coordinator opens no appointment: nor by making themselves a delegate.
     AND account.id <> entered_account()
  ON CONFLICT (account_id, schedule_id) DO UPDATE SET territory_id = excluded.territory_id
  RETURNING account_id
$$;
CREATE FUNCTION end_delegation(of_schedule_id uuid, to_account_id uuid)
RETURNS boolean
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
  DELETE FROM delegation
   WHERE schedule_id = of_schedule_id AND account_id = to_account_id AND may_delegate(of_schedule_id)
  RETURNING true
$$;

-- The audit of a territory, the newest first, with the names of those who acted. Ids only of what it was about.
CREATE FUNCTION audit_of(of_territory_id smallint, before_id bigint, most integer)
RETURNS TABLE (id bigint, at timestamptz, account_id uuid, name text, verb text, subject text, subject_id uuid, subject_name text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT audit.id, audit.at, audit.account_id, account.name, audit.verb, audit.subject, audit.subject_id, person.name
    FROM audit
    LEFT JOIN account ON account.id = audit.account_id
    LEFT JOIN account person ON audit.subject = 'account' AND person.id = audit.subject_id
   WHERE audit.territory_id = of_territory_id AND audit.id < before_id AND coordinates(of_territory_id)
   ORDER BY audit.id DESC
   LIMIT most
$$;

-- A territory, with the words of another to begin with, and its first coordinator. Only for an administrator.
CREATE FUNCTION administers()
RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT EXISTS (SELECT FROM account WHERE id = entered_account() AND is_administrator AND disabled_at IS NULL)
$$;
CREATE FUNCTION add_territory(new_slug text, called text, in_department text, like_territory_id smallint, neighbour_ids smallint[])
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
  SELECT new_id, code, label, preparation, prescription_required FROM act WHERE territory_id = like_territory_id;
  INSERT INTO reason (territory_id, code, label, position)
  SELECT new_id, code, label, position FROM reason WHERE territory_id = like_territory_id;
  INSERT INTO urgency (territory_id, code, label, position)
  SELECT new_id, code, label, position FROM urgency WHERE territory_id = like_territory_id;
  RETURN new_id;
END
$$;
CREATE FUNCTION name_coordinator(
  of_territory_id smallint, new_account_id uuid, with_email text, called text, new_mail_id uuid, the_subject text, the_body text, at timestamptz
)
RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  there uuid;
  organisation_id uuid := gen_random_uuid();
BEGIN
  IF NOT administers() THEN RETURN NULL; END IF;
  SELECT id INTO there FROM account WHERE email = lower(with_email) AND disabled_at IS NULL;
  IF there IS NULL THEN
    INSERT INTO organisation (id, name, kind) SELECT organisation_id, name, 'cpts' FROM territory WHERE id = of_territory_id;
    INSERT INTO account (id, email, password_hash, name, organisation_id, created_at)
    VALUES (new_account_id, lower(with_email), NULL, called, organisation_id, at);
    INSERT INTO mail (id, territory_id, account_id, subject, body, created_at, next_try_at, link)
    VALUES (new_mail_id, 0, new_account_id, the_subject, the_body, at, at, 'invitation');
    there := new_account_id;
  END IF;
  INSERT INTO membership (account_id, territory_id, role) VALUES (there, of_territory_id, 'coordinator') ON CONFLICT DO NOTHING;
  RETURN there;
END
$$;
REVOKE EXECUTE ON FUNCTION coordinates, people_of, invite, set_roles, invite_again, end_sessions_of_person, may_delegate, delegates_of,
  delegate_to, end_delegation, audit_of, administers, add_territory, name_coordinator FROM PUBLIC;
GRANT EXECUTE ON FUNCTION coordinates, people_of, invite, set_roles, invite_again, end_sessions_of_person, may_delegate, delegates_of,
  delegate_to, end_delegation, audit_of, administers, add_territory, name_coordinator TO chrono48_app;
