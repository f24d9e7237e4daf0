-- Mails that have left, wrong passwords that nobody repeats, and who asked to be let in: kept for a while, and no longer.
-- A mail with a link says when somebody was invited; its address is its account's.
CREATE FUNCTION forget_old_mails(before timestamptz)
RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
  WITH gone AS (DELETE FROM mail WHERE sent_at < before AND link IS NULL RETURNING 1)
  SELECT count(*) FROM gone
$$;
CREATE FUNCTION forget_old_sign_in_failures(before timestamptz)
RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
  WITH gone AS (DELETE FROM sign_in_failure WHERE last_at < before RETURNING 1)
  SELECT count(*) FROM gone
$$;
CREATE FUNCTION forget_old_admissions(before timestamptz)
RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
  WITH gone AS (DELETE FROM admission WHERE coalesce(decided_at, asked_at) < before RETURNING 1)
  SELECT count(*) FROM gone
$$;
REVOKE EXECUTE ON FUNCTION forget_old_mails, forget_old_sign_in_failures, forget_old_admissions FROM PUBLIC;
GRANT EXECUTE ON FUNCTION forget_old_mails, forget_old_sign_in_failures, forget_old_admissions TO chrono48_app;
