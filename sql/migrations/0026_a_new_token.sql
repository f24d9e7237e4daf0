DROP FUNCTION prove_session(bytea, timestamptz, text);
-- Who is behind the session has shown it again: it goes on, as old as it is, and under its old id nobody has it any more.
-- Answers when it ends; nothing where it has ended, or where somebody else was quicker.
CREATE FUNCTION prove_session(of_id_hash bytea, new_id_hash bytea, at timestamptz, by_proof text)
RETURNS timestamptz
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
  UPDATE session SET id_hash = new_id_hash, proved_at = at, proof = by_proof
   WHERE id_hash = of_id_hash AND ended_at IS NULL AND expires_at > at AND kind = 'browser'
  RETURNING expires_at
$$;
REVOKE EXECUTE ON FUNCTION prove_session FROM PUBLIC;
GRANT EXECUTE ON FUNCTION prove_session TO chrono48_app;

-- The same password, hashed as one does it now: never over another one that was chosen meanwhile, and waiting for nobody.
CREATE FUNCTION renew_password_hash(of_account_id uuid, old_password_hash text, new_password_hash text)
RETURNS boolean
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
  UPDATE account SET password_hash = new_password_hash
   WHERE id = (SELECT one.id FROM account one
                WHERE one.id = of_account_id AND one.password_hash = old_password_hash AND one.disabled_at IS NULL
                  FOR NO KEY UPDATE SKIP LOCKED)
  RETURNING true
$$;
REVOKE EXECUTE ON FUNCTION renew_password_hash FROM PUBLIC;
GRANT EXECUTE ON FUNCTION renew_password_hash TO chrono48_app;
