-- Pro Santé Connect: the narrow doors of schema.sql. Run by slots/store/pro_sante_connect.py.

-- name: account_of_rpps(rpps) -> value
SELECT account_of_rpps($1);

-- name: keep_id_token(session_hash, sealed_token) -> none
SELECT keep_id_token($1, $2);

-- name: id_token_of(session_hash) -> value
SELECT id_token_of($1);

-- name: open_psc_ticket(id_hash, purpose, at, expires_at, sealed) -> none
WITH opened AS (SELECT open_ticket($1, NULL, $2, $3, $4, NULL))
SELECT put_into_ticket($1, NULL, $5) FROM opened;

-- name: ask_admission(id, territory_id, rpps, name, email, organisation, at, profession, specialty) -> value
INSERT INTO admission (id, territory_id, rpps, name, email, organisation, asked_at, profession, specialty)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT (territory_id, rpps) WHERE decided_at IS NULL DO NOTHING
RETURNING true;

-- name: admissions(territory_id) -> many
SELECT id, rpps, name, email, organisation, asked_at, profession, specialty FROM admission WHERE territory_id = $1 AND decided_at IS NULL ORDER BY asked_at;

-- name: decide_admission(id, is_let_in, account_id, at) -> value
SELECT decide_admission($1, $2, $3, $4);

-- name: write_to_address(mail_id, recipient, subject, body, at) -> none
INSERT INTO mail (id, territory_id, recipient, subject, body, created_at, next_try_at) VALUES ($1, 0, $2, $3, $4, $5, $5);

-- name: forget_old_admissions(before) -> value
SELECT forget_old_admissions($1);
