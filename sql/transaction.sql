-- name: enter(account_id, territories) -> none
-- The first statement of each transaction: who acts, and behind which walls.
SELECT enter($1::uuid, $2::smallint[]);
