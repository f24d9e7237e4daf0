-- name: record(territory_id, account_id, verb, subject, subject_ids) -> none
INSERT INTO audit (territory_id, account_id, verb, subject, subject_id)
SELECT $1, $2, $3, $4, unnest($5::uuid[]);
