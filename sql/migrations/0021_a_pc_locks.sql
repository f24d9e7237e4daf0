-- A PC locks when nobody is there, and opens again by a PIN or a passkey; the workstations of regulation rooms.
ALTER TABLE account ADD COLUMN pin_hash text;

-- A PC of a regulation room: there, the password of one of its regulators is enough for a shift.
CREATE TABLE workstation (
  id               uuid PRIMARY KEY,
  organisation_id  uuid NOT NULL REFERENCES organisation,
  name             text NOT NULL,
  link_hash        bytea,                  -- SHA-256 of what the link carries; NULL: the PC is there, or never came
  link_expires_at  timestamptz NOT NULL,
  secret_hash      bytea,                  -- SHA-256 of the 256 bits in the PC's cookie
  registered_by    uuid NOT NULL REFERENCES account,
  created_at       timestamptz NOT NULL,
  used_at          timestamptz,
  expires_at       timestamptz NOT NULL,
  revoked_at       timestamptz,
  CONSTRAINT workstation_link_unique UNIQUE (link_hash),
  CONSTRAINT workstation_secret_unique UNIQUE (secret_hash)
);
CREATE INDEX workstation_organisation ON workstation (organisation_id);
CREATE INDEX workstation_registered_by ON workstation (registered_by);
ALTER TABLE workstation ENABLE ROW LEVEL SECURITY;

ALTER TABLE session
  ADD COLUMN attended_at timestamptz NOT NULL DEFAULT now(),
  ADD COLUMN locked_at timestamptz,
  ADD COLUMN pin_tries smallint NOT NULL DEFAULT 0,
  ADD COLUMN workstation_id uuid REFERENCES workstation,
  DROP CONSTRAINT session_proof_known,
  ADD CONSTRAINT session_proof_known CHECK (proof IN ('password', 'totp', 'recovery', 'passkey', 'psc', 'workstation'));
CREATE INDEX session_workstation ON session (workstation_id);

-- A PC locks when nobody has touched it since `unattended_since`, or when somebody says so; a phone of one's own, a key
-- and a screen on a wall never do.
CREATE FUNCTION is_locked(one session, unattended_since timestamptz)
RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$
  SELECT one.kind = 'browser' AND NOT one.is_phone AND (one.locked_at IS NOT NULL OR one.attended_at <= unattended_since)
$$;
-- A sign of a person. It opens nothing that is locked.
CREATE FUNCTION attend_session(of_id_hash bytea, at timestamptz, unattended_since timestamptz)
RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
  UPDATE session SET attended_at = at
   WHERE id_hash = of_id_hash AND ended_at IS NULL AND attended_at < at AND NOT is_locked(session, unattended_since)
$$;
-- True where it is one that locks, whether it was locked before or not.
CREATE FUNCTION lock_session(of_id_hash bytea, at timestamptz)
RETURNS boolean
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
  UPDATE session SET locked_at = coalesce(locked_at, at)
   WHERE id_hash = of_id_hash AND ended_at IS NULL AND kind = 'browser' AND NOT is_phone
  RETURNING true
$$;
-- What the lock's own page must know; nothing of what lies behind it.
CREATE FUNCTION lock_of_session(of_id_hash bytea, at timestamptz, idle_since timestamptz, unattended_since timestamptz)
RETURNS TABLE (account_id uuid, name text, is_locked boolean, attended_at timestamptz, has_pin boolean, has_passkey boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT account.id, account.name, is_locked(session, unattended_since), session.attended_at, account.pin_hash IS NOT NULL,
         EXISTS (SELECT FROM passkey WHERE passkey.account_id = account.id)
    FROM session JOIN account ON account.id = session.account_id
   WHERE session.id_hash = of_id_hash AND session.kind = 'browser' AND NOT session.is_phone
     AND session.ended_at IS NULL AND session.expires_at > at AND session.seen_at > idle_since
     AND account.disabled_at IS NULL
$$;
-- Counts a try as it looks, so that many at once are as many. No row: not locked, or there were too many before.
CREATE FUNCTION try_pin(of_id_hash bytea, most smallint, at timestamptz, unattended_since timestamptz)
RETURNS TABLE (pin_hash text, tries smallint)
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
  UPDATE session SET pin_tries = session.pin_tries + 1
    FROM account
   WHERE session.id_hash = of_id_hash AND account.id = session.account_id AND account.disabled_at IS NULL
     AND session.ended_at IS NULL AND session.expires_at > at AND is_locked(session, unattended_since)
     AND session.pin_tries < most
  RETURNING account.pin_hash, session.pin_tries
$$;
-- It goes on where it was; who is behind it has not shown more than that they are back.
CREATE FUNCTION unlock_session(of_id_hash bytea, at timestamptz)
RETURNS boolean
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
  UPDATE session SET attended_at = at, seen_at = at, locked_at = NULL, pin_tries = 0
   WHERE id_hash = of_id_hash AND ended_at IS NULL AND expires_at > at AND kind = 'browser' AND NOT is_phone
  RETURNING true
$$;
CREATE FUNCTION put_own_pin(new_pin_hash text)
RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
  UPDATE account SET pin_hash = new_pin_hash WHERE id = entered_account() AND disabled_at IS NULL
$$;
CREATE FUNCTION has_own_pin()
RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT pin_hash IS NOT NULL FROM account WHERE id = entered_account()
$$;

DROP FUNCTION sessions_alive(bytea[], timestamptz, timestamptz);
CREATE FUNCTION sessions_alive(wanted_id_hashes bytea[], at timestamptz, idle_since timestamptz, unattended_since timestamptz)
RETURNS TABLE (id_hash bytea, rights text, is_locked boolean, attended_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT session.id_hash,
         md5(concat_ws(';', account.practitioner_id, account.organisation_id, account.is_administrator,
           (SELECT string_agg(role.id::text, ',' ORDER BY role.id)
              FROM practitioner_role role WHERE role.practitioner_id = account.practitioner_id AND role.ended_at IS NULL),
           (SELECT string_agg(concat(m.territory_id, m.role), ',' ORDER BY m.territory_id, m.role)
              FROM membership m WHERE m.account_id = account.id),
           (SELECT string_agg(d.schedule_id::text, ',' ORDER BY d.schedule_id)
              FROM delegation d WHERE d.account_id = account.id),
           (SELECT string_agg(concat(n.territory_id, '-', n.neighbour_id), ',' ORDER BY n.territory_id, n.neighbour_id)
              FROM territory_neighbour n))),
         is_locked(session, unattended_since), session.attended_at
    FROM session
    JOIN account ON account.id = session.account_id
   WHERE session.id_hash = ANY (wanted_id_hashes)
     AND session.ended_at IS NULL
     -- One factor was enough for a regulator of that room, and for as long as they are one.
     AND (session.workstation_id IS NULL
          OR EXISTS (SELECT FROM workstation WHERE workstation.id = session.workstation_id
                        AND workstation.organisation_id = account.organisation_id)
             AND EXISTS (SELECT FROM membership WHERE membership.account_id = account.id AND membership.role = 'regulator'))
     AND session.expires_at > at
     AND (session.kind <> 'browser' OR session.is_phone OR session.seen_at > idle_since)
     AND account.disabled_at IS NULL
$$;

CREATE OR REPLACE FUNCTION invite_again(
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
  UPDATE account SET password_hash = NULL, pin_hash = NULL WHERE id = of_account_id;
  UPDATE ticket SET spent_at = at WHERE account_id = of_account_id AND spent_at IS NULL;
  UPDATE session SET ended_at = at WHERE account_id = of_account_id AND ended_at IS NULL;
  INSERT INTO mail (id, territory_id, account_id, subject, body, created_at, next_try_at, link)
  VALUES (new_mail_id, 0, of_account_id, the_subject, the_body, at, at, 'invitation');
  RETURN true;
END
$$;

-- The workstations of regulation rooms. Only for an administrator; a link, told once, makes a PC one of them.
CREATE FUNCTION add_workstation(
  new_id uuid, of_organisation_id uuid, called text, new_link_hash bytea, at timestamptz, link_until timestamptz, until timestamptz
)
RETURNS boolean
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
  INSERT INTO workstation (id, organisation_id, name, link_hash, link_expires_at, registered_by, created_at, expires_at)
  SELECT new_id, organisation.id, called, new_link_hash, link_until, entered_account(), at, until
    FROM organisation
   WHERE organisation.id = of_organisation_id AND organisation.kind = 'regulation' AND administers()
  RETURNING true
$$;
CREATE FUNCTION workstations_at(at timestamptz)
RETURNS TABLE (
  id uuid, name text, organisation text, is_confirmed boolean, registered_by text, created_at timestamptz, used_at timestamptz,
  expires_at timestamptz
)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT workstation.id, workstation.name, organisation.name, workstation.secret_hash IS NOT NULL, account.name,
         workstation.created_at, workstation.used_at,
         CASE WHEN workstation.secret_hash IS NULL THEN workstation.link_expires_at ELSE workstation.expires_at END
    FROM workstation
    JOIN organisation ON organisation.id = workstation.organisation_id
    JOIN account ON account.id = workstation.registered_by
   WHERE administers() AND workstation.revoked_at IS NULL AND workstation.expires_at > at
     AND (workstation.secret_hash IS NOT NULL OR workstation.link_expires_at > at)
   ORDER BY organisation.name, workstation.name, workstation.id
$$;
-- What the link is for, as long as it is good. Looking spends nothing.
CREATE FUNCTION workstation_of_link(of_link_hash bytea, at timestamptz)
RETURNS TABLE (id uuid, name text, organisation text, expires_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT workstation.id, workstation.name, organisation.name, workstation.expires_at
    FROM workstation JOIN organisation ON organisation.id = workstation.organisation_id
   WHERE workstation.link_hash = of_link_hash AND workstation.link_expires_at > at
     AND workstation.revoked_at IS NULL AND workstation.expires_at > at
$$;
-- True for one PC only, however many ask at once: the link is spent.
CREATE FUNCTION confirm_workstation(of_link_hash bytea, new_secret_hash bytea, at timestamptz)
RETURNS boolean
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
  UPDATE workstation SET secret_hash = new_secret_hash, link_hash = NULL
   WHERE link_hash = of_link_hash AND link_expires_at > at AND revoked_at IS NULL AND expires_at > at
  RETURNING true
$$;
-- From now on no factor, and what was opened there ends. True where it was one.
CREATE FUNCTION revoke_workstation(of_id uuid, at timestamptz)
RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  UPDATE workstation SET revoked_at = at, link_hash = NULL WHERE id = of_id AND revoked_at IS NULL AND administers();
  IF NOT FOUND THEN RETURN false; END IF;
  UPDATE session SET ended_at = at WHERE workstation_id = of_id AND ended_at IS NULL;
  RETURN true;
END
$$;
-- A session of a regulator who has shown their password at a workstation of their own organisation. NULL: it is none,
-- or none for them; then their other factor is due. The row of the workstation is locked: a revocation ends this one too.
CREATE FUNCTION open_session_at_workstation(
  of_secret_hash bytea, new_id_hash bytea, for_account_id uuid, at timestamptz, until timestamptz, on_device text
)
RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  there uuid;
BEGIN
  UPDATE workstation SET used_at = at
    FROM account
   WHERE workstation.secret_hash = of_secret_hash AND workstation.revoked_at IS NULL AND workstation.expires_at > at
     AND account.id = for_account_id AND account.disabled_at IS NULL AND account.organisation_id = workstation.organisation_id
     AND EXISTS (SELECT FROM organisation WHERE organisation.id = workstation.organisation_id AND organisation.kind = 'regulation')
     AND EXISTS (SELECT FROM membership WHERE membership.account_id = account.id AND membership.role = 'regulator')
  RETURNING workstation.id INTO there;
  IF there IS NULL THEN RETURN NULL; END IF;
  INSERT INTO session (id_hash, account_id, created_at, seen_at, attended_at, expires_at, device, proof, proved_at, workstation_id)
  VALUES (new_id_hash, for_account_id, at, at, at, until, on_device, 'workstation', at, there);
  RETURN there;
END
$$;

REVOKE EXECUTE ON FUNCTION sessions_alive, is_locked, attend_session, lock_session, lock_of_session, try_pin, unlock_session, put_own_pin,
  has_own_pin, add_workstation, workstations_at, workstation_of_link, confirm_workstation, revoke_workstation,
  open_session_at_workstation FROM PUBLIC;
GRANT EXECUTE ON FUNCTION sessions_alive, is_locked, attend_session, lock_session, lock_of_session, try_pin, unlock_session, put_own_pin,
  has_own_pin, add_workstation, workstations_at, workstation_of_link, confirm_workstation, revoke_workstation,
  open_session_at_workstation TO chrono48_app;
