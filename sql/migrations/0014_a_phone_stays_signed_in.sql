-- A person's own phone stays signed in for what is their own; for more it asks again who it is.
ALTER TABLE session ADD COLUMN is_phone boolean NOT NULL DEFAULT false;

DROP FUNCTION open_session(bytea, uuid, timestamptz, timestamptz, text, text);
CREATE FUNCTION open_session(
  new_id_hash bytea, for_account_id uuid, at timestamptz, until timestamptz, on_device text DEFAULT '', by_proof text DEFAULT 'password',
  on_own_phone boolean DEFAULT false
)
RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
  INSERT INTO session (id_hash, account_id, created_at, seen_at, expires_at, device, proof, proved_at, is_phone)
  VALUES (new_id_hash, for_account_id, at, at, until, on_device, by_proof, at, on_own_phone)
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
     AND (session.is_phone OR session.seen_at > idle_since)
   ORDER BY session.seen_at DESC, session.id
$$;

DROP FUNCTION sessions_alive(bytea[], timestamptz, timestamptz);
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
     AND (session.kind <> 'browser' OR session.is_phone OR session.seen_at > idle_since)
     AND account.disabled_at IS NULL
$$;

DROP FUNCTION account_of_session(bytea, timestamptz, timestamptz);
CREATE FUNCTION account_of_session(wanted_id_hash bytea, at timestamptz, idle_since timestamptz)
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
REVOKE EXECUTE ON FUNCTION open_session, own_sessions, sessions_alive, account_of_session FROM PUBLIC;
GRANT EXECUTE ON FUNCTION open_session, own_sessions, sessions_alive, account_of_session TO chrono48_app;
