-- name: territories() -> many
SELECT id, slug, name, department, partition_id, contact_kept_h, horizon_h, hold_for_s, holds_per_account_max,
       default_audience, search_radius_km, settings_version
  FROM territory ORDER BY id;

-- name: next_generation() -> value
SELECT nextval('generation');

-- name: advance_generation(at_least) -> value
-- After a PostgreSQL restored to an earlier moment the sequence may lag behind Redis.
SELECT setval('generation', greatest($1::bigint, nextval('generation')));

-- name: ledger_identity() -> value
-- A restore needs a start of the server, or another database.
SELECT concat(pg_postmaster_start_time(), ' ', oid) FROM pg_database WHERE datname = current_database();
