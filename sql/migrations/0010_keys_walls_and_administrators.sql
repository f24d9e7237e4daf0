-- Sessions of software (API keys) and of screens on a wall; administrators of the installation.
ALTER TABLE account ADD COLUMN is_administrator boolean NOT NULL DEFAULT false;

ALTER TABLE session
  ADD COLUMN kind text NOT NULL DEFAULT 'browser',
  ADD COLUMN scopes text[] NOT NULL DEFAULT '{}',
  ADD COLUMN walls smallint[] NOT NULL DEFAULT '{}',
  ADD CONSTRAINT session_kind_known CHECK (kind IN ('browser', 'key', 'wall')),
  ADD CONSTRAINT session_scopes_of_a_key CHECK ((kind = 'key') = (cardinality(scopes) > 0)),
  ADD CONSTRAINT session_walls_of_a_wall CHECK ((kind = 'wall') = (cardinality(walls) > 0));

-- A key for software, or a screen on a wall: a session of whoever has entered, without a browser.
CREATE FUNCTION open_device(
  new_id_hash bytea, of_kind text, called text, with_scopes text[], on_walls smallint[], at timestamptz, until timestamptz
)
RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
  INSERT INTO session (id_hash, account_id, created_at, seen_at, expires_at, device, proof, proved_at, kind, scopes, walls)
  VALUES (new_id_hash, entered_account(), at, at, until, called, 'password', at, of_kind, with_scopes, on_walls)
$$;
CREATE FUNCTION own_devices(at timestamptz)
RETURNS TABLE (
  id uuid, kind text, device text, scopes text[], walls smallint[], created_at timestamptz, seen_at timestamptz, expires_at timestamptz
)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT session.id, session.kind, session.device, session.scopes, session.walls, session.created_at,
         nullif(session.seen_at, session.created_at), session.expires_at
    FROM session
   WHERE session.account_id = entered_account() AND session.kind <> 'browser'
     AND session.ended_at IS NULL AND session.expires_at > at
   ORDER BY session.created_at DESC, session.id
$$;

-- Signing out; a screen on a wall has nobody who could.
CREATE OR REPLACE FUNCTION end_session(old_id_hash bytea, at timestamptz)
RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
  UPDATE session SET ended_at = at WHERE id_hash = old_id_hash AND ended_at IS NULL AND kind = 'browser'
$$;

DROP FUNCTION own_sessions(timestamptz, timestamptz);
CREATE FUNCTION own_sessions(at timestamptz, idle_since timestamptz)
RETURNS TABLE (id uuid, id_hash bytea, device text, created_at timestamptz, seen_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT session.id, session.id_hash, session.device, session.created_at, session.seen_at
    FROM session
   WHERE session.account_id = entered_account()
     AND session.kind = 'browser'
     AND session.ended_at IS NULL
     AND session.expires_at > at
     AND session.seen_at > idle_since
   ORDER BY session.seen_at DESC, session.id
$$;
DROP FUNCTION end_own_sessions(uuid, bytea, timestamptz);
-- Ends one of them, whatever its kind (NULL: all browsers but the one in use), and says which.
CREATE FUNCTION end_own_sessions(session_id uuid, kept_id_hash bytea, at timestamptz)
RETURNS SETOF bytea
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
  UPDATE session SET ended_at = at
   WHERE account_id = entered_account()
     AND ended_at IS NULL
     AND CASE WHEN session_id IS NULL THEN kind = 'browser' AND id_hash <> kept_id_hash ELSE id = session_id END
  RETURNING id_hash
$$;

DROP FUNCTION sessions_alive(bytea[], timestamptz, timestamptz);
DROP FUNCTION account_of_session(bytea, timestamptz, timestamptz);
-- Which of these sessions are still good: each process asks once a second for its open sockets.
-- Where `rights` differs from the time before, the account's memberships or delegations have changed.
CREATE FUNCTION sessions_alive(wanted_id_hashes bytea[], at timestamptz, idle_since timestamptz)
RETURNS TABLE (id_hash bytea, rights text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT session.id_hash,
         md5(concat_ws(';', account.practitioner_id, account.is_administrator,
           (SELECT string_agg(concat(m.territory_id, m.role), ',' ORDER BY m.territory_id, m.role)
              FROM membership m WHERE m.account_id = account.id),
           (SELECT string_agg(d.schedule_id::text, ',' ORDER BY d.schedule_id)
              FROM delegation d WHERE d.account_id = account.id),
           (SELECT string_agg(concat(n.territory_id, '-', n.neighbour_id), ',' ORDER BY n.territory_id, n.neighbour_id)
              FROM territory_neighbour n)))
    FROM session
    JOIN account ON account.id = session.account_id
   WHERE session.id_hash = ANY (wanted_id_hashes)
     AND session.ended_at IS NULL
     AND session.expires_at > at
     AND (session.kind <> 'browser' OR session.seen_at > idle_since)
     AND account.disabled_at IS NULL
$$;

-- Everything a request must know about who asks, in one look: the account, its roles, what it reaches. A screen on a
-- wall has none of its maker's roles, and of the territories that it was made for only those that they still regulate.
CREATE FUNCTION account_of_session(wanted_id_hash bytea, at timestamptz, idle_since timestamptz)
RETURNS TABLE (
  account_id uuid, name text, email text, phone text, practitioner_id uuid,
  organisation_id uuid, organisation text, organisation_kind text, seen_at timestamptz,
  memberships jsonb,       -- [{"territory_id", "role"}]
  schedules jsonb,         -- [{"schedule_id", "territory_id"}]: own and delegated
  neighbours jsonb,        -- [{"territory_id", "neighbour_id"}] where the account is a member of the neighbour
  is_administrator boolean, kind text, scopes text[], walls smallint[]
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
                   WHERE r.practitioner_id = account.practitioner_id
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
                WHERE m.account_id = account.id AND m.role = 'regulator' AND m.territory_id = ANY (session.walls))
    FROM session
    JOIN account ON account.id = session.account_id
    JOIN organisation ON organisation.id = account.organisation_id
   WHERE session.id_hash = wanted_id_hash
     AND session.ended_at IS NULL
     AND session.expires_at > at
     AND (session.kind <> 'browser' OR session.seen_at > idle_since)
     AND account.disabled_at IS NULL
$$;
REVOKE EXECUTE ON FUNCTION open_device, own_devices, own_sessions, end_own_sessions, sessions_alive, account_of_session FROM PUBLIC;
GRANT EXECUTE ON FUNCTION open_device, own_devices, own_sessions, end_own_sessions, sessions_alive, account_of_session TO chrono48_app;
