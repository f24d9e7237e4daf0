-- name: touch_slots(slot_ids, verb) -> none
-- Bump the versions and say so, for whoever brings the news to the broker. The slots are locked.
WITH touched AS (
  UPDATE slot SET version = version + 1 WHERE id = ANY ($1::uuid[]) RETURNING id, territory_id
)
INSERT INTO outbox (territory_id, slot_id, verb) SELECT territory_id, id, $2 FROM touched;

-- name: announce_slots(slot_ids, verb) -> none
-- New slots start at version 1; there is nothing to bump.
INSERT INTO outbox (territory_id, slot_id, verb)
SELECT territory_id, id, $2 FROM slot WHERE id = ANY ($1::uuid[]);

-- name: outbox_waiting(older_than, limit_rows) -> many
-- Rows whose request had time enough to bring them itself; another worker's rows are skipped.
SELECT id, territory_id, slot_id, verb
  FROM outbox
 WHERE created_at < $1
 ORDER BY id
 LIMIT $2
   FOR UPDATE SKIP LOCKED;

-- name: outbox_delivered(ids) -> none
DELETE FROM outbox WHERE id = ANY ($1::bigint[]);

-- name: outbox_size() -> value
SELECT count(*) FROM outbox;
