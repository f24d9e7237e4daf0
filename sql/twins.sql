-- Two entries that are one person: the doors of schema.sql, each of which asks by itself whether whoever has entered may.
-- Run by slots/store/twins.py.

-- name: merge_practitioners(territory_id, stay_id, gone_id, at) -> value
SELECT merge_practitioners($1, $2, $3, $4);

-- name: merge_accounts(territory_id, stay_id, gone_id, at) -> value
SELECT merge_accounts($1, $2, $3, $4);
