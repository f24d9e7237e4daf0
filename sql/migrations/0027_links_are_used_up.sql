-- The link of a screen on a wall is good once, for a day, and its cookie is another secret. Screens that were hung up
-- before keep the cookie that they have; a link of theirs opens nothing any more.
ALTER TABLE session
  ADD COLUMN link_hash bytea,
  ADD CONSTRAINT session_link_of_a_wall CHECK (link_hash IS NULL OR kind = 'wall');
CREATE UNIQUE INDEX session_link ON session (link_hash) WHERE link_hash IS NOT NULL;

DROP FUNCTION open_device(bytea, text, text, text[], smallint[], timestamptz, timestamptz);
-- A key for software: a session of whoever has entered, without a browser.
CREATE FUNCTION open_key(new_id_hash bytea, called text, with_scopes text[], at timestamptz, until timestamptz)
RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
  INSERT INTO session (id_hash, account_id, created_at, seen_at, expires_at, device, proof, proved_at, kind, scopes)
  VALUES (new_id_hash, entered_account(), at, at, until, called, 'password', at, 'key', with_scopes)
$$;
-- A screen on a wall, of whoever has entered. Until its link is spent it lasts as long as that; no cookie has its id.
CREATE FUNCTION offer_screen(
  new_id_hash bytea, new_link_hash bytea, called text, on_walls smallint[], at timestamptz, link_until timestamptz
)
RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
  INSERT INTO session (id_hash, account_id, created_at, seen_at, expires_at, device, proof, proved_at, kind, walls, link_hash)
  VALUES (new_id_hash, entered_account(), at, at, link_until, called, 'password', at, 'wall', on_walls, new_link_hash)
$$;
-- What the link is for, as long as it is good. Looking spends nothing.
CREATE FUNCTION screen_of_link(of_link_hash bytea, at timestamptz)
RETURNS TABLE (name text, walls smallint[])
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT session.device, session.walls
    FROM session JOIN account ON account.id = session.account_id
   WHERE session.link_hash = of_link_hash AND session.ended_at IS NULL AND session.expires_at > at AND account.disabled_at IS NULL
$$;
-- Whose screen it is, for one browser only, however many ask at once: the link is spent.
CREATE FUNCTION begin_screen(of_link_hash bytea, new_id_hash bytea, at timestamptz, until timestamptz)
RETURNS uuid
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
  UPDATE session SET id_hash = new_id_hash, link_hash = NULL, seen_at = at, expires_at = until
    FROM account
   WHERE session.link_hash = of_link_hash AND session.ended_at IS NULL AND session.expires_at > at
     AND account.id = session.account_id AND account.disabled_at IS NULL
  RETURNING account.id
$$;
DROP FUNCTION own_devices(timestamptz);
CREATE FUNCTION own_devices(at timestamptz)
RETURNS TABLE (
  id uuid, kind text, device text, scopes text[], walls smallint[], created_at timestamptz, seen_at timestamptz, expires_at timestamptz,
  is_offered boolean
)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT session.id, session.kind, session.device, session.scopes, session.walls, session.created_at,
         nullif(session.seen_at, session.created_at), session.expires_at, session.link_hash IS NOT NULL
    FROM session
   WHERE session.account_id = entered_account() AND session.kind <> 'browser'
     AND session.ended_at IS NULL AND session.expires_at > at
   ORDER BY session.created_at DESC, session.id
$$;

REVOKE EXECUTE ON FUNCTION open_key, offer_screen, screen_of_link, begin_screen, own_devices FROM PUBLIC;
GRANT EXECUTE ON FUNCTION open_key, offer_screen, screen_of_link, begin_screen, own_devices TO chrono48_app;
