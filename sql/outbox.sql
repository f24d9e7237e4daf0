-- name: outbox_waiting(older_than, limit_rows) -> many
-- Rows whose request had time enough to bring them itself; another worker's rows are skipped.
SELECT id, territory_id, slot_id, version, verb
  FROM outbox
 WHERE created_at < $1
 ORDER BY id
 LIMIT $2
   FOR UPDATE SKIP LOCKED;

-- name: outbox_delivered(ids) -> none
DELETE FROM outbox WHERE id = ANY ($1::bigint[]);
