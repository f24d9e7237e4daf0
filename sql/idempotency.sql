-- name: answered(account_id, verb, key) -> one
SELECT body_hash, answer FROM idempotency_key WHERE account_id = $1 AND verb = $2 AND key = $3;

-- name: before_confirm(account_id, verb, key, hold_id, territory_id, reason, urgency) -> one
SELECT body_hash, answer, hold_has_ended, appointment_id, is_own, reason_known, urgency_known
  FROM before_confirm($1, $2, $3, $4, $5, $6, $7);

-- name: write_a_mark() -> none
-- A little WAL, so that this transaction's commit waits for the disk and the standby, as do all
-- commits before it.
SELECT pg_logical_emit_message(true, 'chrono48', '');

-- name: forget_old_keys(before) -> value
SELECT forget_old_keys($1);
