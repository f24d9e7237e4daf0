-- Signing in and sessions: the narrow doors that precede any territory (see schema.sql).
-- Run by slots/store/session.py.

-- name: answers() -> value
-- Whether the database answers and has its schema.
SELECT to_regclass('public.session') IS NOT NULL;

-- name: account_to_sign_in(email) -> one
SELECT account_id, password_hash FROM account_to_sign_in($1);

-- name: one_try_at_a_time(email, address) -> none
-- Until the end of the transaction, in all processes: the next one sees this one counted.
SELECT pg_advisory_xact_lock(hashtextextended(lower($1) || ' ' || $2, 0));

-- name: sign_in_failures(email, address) -> one
SELECT failures, last_at FROM sign_in_failures($1, $2);

-- name: record_sign_in_failure(email, address, now) -> none
SELECT record_sign_in_failure($1, $2, $3);

-- name: forget_sign_in_failures(email, address) -> none
SELECT forget_sign_in_failures($1, $2);

-- name: open_session(session_hash, account_id, now, expires_at, device, proof, is_phone) -> none
SELECT open_session($1, $2, $3, $4, $5, $6, $7);

-- name: session_proof(session_hash) -> one
SELECT proof, proved_at FROM session_proof($1);

-- name: prove_session(session_hash, new_hash, now, proof) -> value
SELECT prove_session($1, $2, $3, $4);

-- name: end_sessions_of(account_id, kept_hash, now) -> many
SELECT end_sessions_of($1, $2, $3) AS id_hash;

-- name: own_sessions(now, idle_since) -> many
SELECT id, id_hash, device, created_at, seen_at FROM own_sessions($1, $2);

-- name: open_key(session_hash, name, scopes, now, expires_at) -> none
SELECT open_key($1, $2, $3, $4, $5);

-- name: own_devices(now) -> many
SELECT id, kind, device, scopes, walls, created_at, seen_at, expires_at, is_offered FROM own_devices($1);

-- name: end_own_sessions(session_id, kept_hash, now) -> many
SELECT end_own_sessions($1, $2, $3) AS id_hash;

-- name: end_session(session_hash, now) -> none
SELECT end_session($1, $2);

-- name: touch_session(session_hash, now) -> none
-- A mark, not a promise: who only looks need not wait for a standby that is away.
SELECT set_config('synchronous_commit', 'local', true), touch_session($1, $2);

-- name: sessions_alive(session_hashes, now, idle_since, unattended_since) -> many
SELECT id_hash, rights, is_locked, attended_at FROM sessions_alive($1, $2, $3, $4);

-- name: account_of_session(session_hash, now, idle_since) -> one
SELECT account_id, name, email, phone, practitioner_id, organisation_id, organisation,
       organisation_kind, seen_at, memberships, schedules, neighbours, is_administrator, kind, scopes, walls, is_phone, proved_at
  FROM account_of_session($1, $2, $3);

-- name: forget_old_sessions(before) -> value
SELECT forget_old_sessions($1);

-- name: forget_old_sign_in_failures(before) -> value
SELECT forget_old_sign_in_failures($1);
