-- What is old leaves the audit: run as the owner of the tables, whom a trigger lets only behind an anchor.

-- name: put_anchor(territory_id, position, hash, retired_at, signature) -> none
INSERT INTO audit_anchor (territory_id, position, hash, retired_at, signature) VALUES ($1, $2, $3, $4, $5);

-- name: retire_rows(territory_id, position) -> value
WITH gone AS (
  DELETE FROM audit USING audit_link
   WHERE audit_link.territory_id = $1 AND audit_link.position <= $2 AND audit.territory_id = $1 AND audit.id = audit_link.audit_id
  RETURNING 1
)
SELECT count(*) FROM gone;

-- name: retire_links(territory_id, position) -> none
DELETE FROM audit_link WHERE territory_id = $1 AND position <= $2;
