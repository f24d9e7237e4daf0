-- Whoever is signed in sees their sessions, and ends them.
ALTER TABLE session
  ADD COLUMN id uuid NOT NULL DEFAULT gen_random_uuid(),
  ADD COLUMN device text NOT NULL DEFAULT '',
  ADD CONSTRAINT session_id_unique UNIQUE (id);

DROP FUNCTION open_session(bytea, uuid, timestamptz, timestamptz);
CREATE FUNCTION open_session(new_id_hash bytea, for_account_id uuid, at timestamptz, until timestamptz, on_device text DEFAULT '')
RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
  INSERT INTO session (id_hash, account_id, created_at, seen_at, expires_at, device)
  VALUES (new_id_hash, for_account_id, at, at, until, on_device)
$$;

-- The sessions of whoever has entered, and nobody else's.
CREATE FUNCTION own_sessions(at timestamptz, idle_since timestamptz)
RETURNS TABLE (id uuid, id_hash bytea, device text, created_at timestamptz, seen_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT session.id, session.id_hash, session.device, session.created_at, session.seen_at
    FROM session
   WHERE session.account_id = entered_account()
     AND session.ended_at IS NULL
     AND session.expires_at > at
     AND session.seen_at > idle_since
   ORDER BY session.seen_at DESC, session.id
$$;
-- Ends one of them (NULL: all but the one in use), and says which.
CREATE FUNCTION end_own_sessions(session_id uuid, kept_id_hash bytea, at timestamptz)
RETURNS SETOF bytea
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
  UPDATE session SET ended_at = at
   WHERE account_id = entered_account()
     AND ended_at IS NULL
     AND CASE WHEN session_id IS NULL THEN id_hash <> kept_id_hash ELSE id = session_id END
  RETURNING id_hash
$$;
REVOKE EXECUTE ON FUNCTION open_session, own_sessions, end_own_sessions FROM PUBLIC;
GRANT EXECUTE ON FUNCTION open_session, own_sessions, end_own_sessions TO chrono48_app;
