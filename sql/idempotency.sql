-- name: answered(account_id, verb, key) -> one
SELECT body_hash, answer FROM idempotency_key WHERE account_id = $1 AND verb = $2 AND key = $3;

-- name: before_confirms(account_ids, verbs, keys, hold_ids, territory_ids, reasons, urgencies) -> many
-- Many at once, in their order; each sees only what is of its own account.
SELECT body_hash, answer, hold_has_ended, appointment_id, is_own, reason_known, urgency_known
  FROM unnest($1::uuid[], $2::text[], $3::text[], $4::uuid[], $5::smallint[], $6::text[], $7::text[])
       WITH ORDINALITY AS asked (account_id, verb, key, hold_id, territory_id, reason, urgency, place),
       before_confirm(asked.account_id, asked.verb, asked.key, asked.hold_id, asked.territory_id, asked.reason, asked.urgency)
 ORDER BY place;

-- name: write_a_mark() -> none
-- A little WAL, so that this transaction's commit waits for the disk and the standby, as do all
-- commits before it.
SELECT pg_logical_emit_message(true, 'chrono48', '');

-- name: forget_old_keys(before) -> value
SELECT forget_old_keys($1);
