-- The workstations of regulation rooms: the narrow doors of schema.sql. Run by slots/store/workstation.py.

-- name: regulation_organisations() -> many
SELECT id, name FROM organisation WHERE kind = 'regulation' ORDER BY name, id;

-- name: add_workstation(workstation_id, organisation_id, name, link_hash, now, link_until, until) -> value
SELECT add_workstation($1, $2, $3, $4, $5, $6, $7);

-- name: workstations_at(now) -> many
SELECT id, name, organisation, is_confirmed, registered_by, created_at, used_at, expires_at FROM workstations_at($1);

-- name: workstation_of_link(link_hash, now) -> one
SELECT id, name, organisation, expires_at FROM workstation_of_link($1, $2);

-- name: confirm_workstation(link_hash, secret_hash, now) -> value
SELECT confirm_workstation($1, $2, $3);

-- name: revoke_workstation(workstation_id, now) -> value
SELECT revoke_workstation($1, $2);

-- name: open_session_at_workstation(secret_hash, session_hash, account_id, now, until, device) -> value
SELECT open_session_at_workstation($1, $2, $3, $4, $5, $6);
