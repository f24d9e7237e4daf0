-- name: record(territory_id, account_id, verb, subject, subject_ids) -> none
INSERT INTO audit (territory_id, account_id, verb, subject, subject_id)
SELECT $1, $2, $3, $4, unnest($5::uuid[]);

-- name: chain_alone(territory_id) -> value
-- One worker at a time chains a territory. Nobody waits for another, who may be frozen.
SELECT pg_try_advisory_xact_lock(48, $1::smallint);

-- name: last_link(territory_id) -> one
SELECT position, audit_id, hash FROM audit_link WHERE territory_id = $1 ORDER BY position DESC LIMIT 1;

-- name: unchained(territory_id, since_id, most) -> many
-- A transaction may commit after one that took a later id: hence those that have no link, from long before the last.
SELECT audit.* FROM audit
  LEFT JOIN audit_link ON audit_link.audit_id = audit.id
 WHERE audit.territory_id = $1 AND audit.id > $2 AND audit_link.audit_id IS NULL
 ORDER BY audit.id
 LIMIT $3;

-- name: add_links(territory_id, positions, audit_ids, hashes) -> none
INSERT INTO audit_link (territory_id, position, audit_id, hash)
SELECT $1, * FROM unnest($2::bigint[], $3::bigint[], $4::bytea[]);

-- name: links_after(territory_id, position, most) -> many
SELECT audit_link.position, audit_link.audit_id, audit_link.hash, audit.id, audit.territory_id, audit.at, audit.account_id,
       audit.verb, audit.subject, audit.subject_id
  FROM audit_link LEFT JOIN audit ON audit.id = audit_link.audit_id AND audit.territory_id = audit_link.territory_id
 WHERE audit_link.territory_id = $1 AND audit_link.position > $2
 ORDER BY audit_link.position
 LIMIT $3;

-- name: unchained_count(territory_id) -> value
SELECT count(*) FROM audit
  LEFT JOIN audit_link ON audit_link.audit_id = audit.id
 WHERE audit.territory_id = $1 AND audit_link.audit_id IS NULL;

-- name: last_anchor(territory_id) -> one
SELECT position, hash, retired_at, signature FROM audit_anchor WHERE territory_id = $1 ORDER BY position DESC LIMIT 1;

-- name: last_link_before(territory_id, before) -> one
-- Up to the first row that is younger: nothing younger lies behind it, however late it committed. The newest link
-- always stays, for the next one to follow.
SELECT link.position, link.audit_id, link.hash
  FROM audit_link link
 WHERE link.territory_id = $1
   AND link.position < coalesce((SELECT min(young.position)
                                   FROM audit_link young JOIN audit ON audit.id = young.audit_id AND audit.territory_id = young.territory_id
                                  WHERE young.territory_id = $1 AND audit.at >= $2), 9223372036854775807)
   AND link.position < (SELECT max(position) FROM audit_link WHERE territory_id = $1)
 ORDER BY link.position DESC
 LIMIT 1;

-- name: copied_to() -> many
SELECT territory_id, generation, entry_id FROM audit_copy;

-- name: copy(territory_id, before_generation, before_entry_id, generation, entry_id, ats, account_ids, verbs, subjects, subject_ids) -> value
-- Only where nobody has copied meanwhile: the place is moved from where we read it, or not at all.
WITH moved AS (
  INSERT INTO audit_copy (territory_id, generation, entry_id) VALUES ($1, $4, $5)
  ON CONFLICT ON CONSTRAINT audit_copy_pkey DO UPDATE SET generation = excluded.generation, entry_id = excluded.entry_id
    WHERE audit_copy.generation = $2 AND audit_copy.entry_id = $3
  RETURNING true
),
copied AS (
  INSERT INTO audit (territory_id, at, account_id, verb, subject, subject_id)
  SELECT $1, row.* FROM moved, unnest($6::timestamptz[], $7::uuid[], $8::text[], $9::text[], $10::uuid[]) AS row
)
SELECT EXISTS (SELECT FROM moved);
