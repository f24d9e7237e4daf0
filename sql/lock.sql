-- The lock of a PC: when it closes, and who opens it again (see schema.sql). Run by slots/store/lock.py.

-- name: attend_sessions(session_hashes, times, unattended_since) -> none
-- A mark, as `touch_session` is one: who only looks need not wait for a standby that is away.
-- In the order of the hashes, so that two processes never wait for each other in a circle.
SELECT set_config('synchronous_commit', 'local', true), attend_session(id_hash, at, since)
  FROM (SELECT * FROM unnest($1::bytea[], $2::timestamptz[], $3::timestamptz[]) AS one (id_hash, at, since)
         ORDER BY id_hash) AS ordered;

-- name: lock_session(session_hash, now) -> value
SELECT lock_session($1, $2);

-- name: lock_of_session(session_hash, now, idle_since, unattended_since) -> one
SELECT account_id, name, is_locked, attended_at, has_pin, has_passkey FROM lock_of_session($1, $2, $3, $4);

-- name: try_pin(session_hash, most, now, unattended_since) -> one
SELECT pin_hash, tries FROM try_pin($1, $2, $3, $4);

-- name: unlock_session(session_hash, now) -> value
SELECT unlock_session($1, $2);

-- name: put_own_pin(pin_hash) -> none
SELECT put_own_pin($1);

-- name: has_own_pin() -> value
SELECT has_own_pin();
