-- The people of a territory, their delegations, its audit, and the installation: the narrow doors of schema.sql, each of
-- which asks by itself whether whoever has entered may. Run by slots/store/coordination.py.

-- name: people_of(territory_id) -> many
SELECT account_id, email, name, phone, organisation, rpps, roles, has_factor, has_password, invited_at, seen_at, is_elsewhere,
       signed_in, keys, screens
  FROM people_of($1);

-- name: invite(territory_id, account_id, email, name, phone, organisation, roles, rpps, mail_id, subject, body, at) -> one
SELECT outcome, account_id FROM invite($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12);

-- name: set_roles(territory_id, account_id, roles, at) -> value
SELECT set_roles($1, $2, $3, $4);

-- name: invite_again(territory_id, account_id, mail_id, subject, body, at) -> value
SELECT invite_again($1, $2, $3, $4, $5, $6);

-- name: end_sessions_of_person(territory_id, account_id, at) -> value
SELECT end_sessions_of_person($1, $2, $3);

-- name: schedules_of(territory_ids) -> many
SELECT id, territory_id FROM schedule WHERE territory_id = ANY ($1::smallint[]) ORDER BY id;

-- name: delegates_of(schedule_ids) -> many
SELECT schedule_id, account_id, name, email FROM delegates_of($1);

-- name: delegate_to(schedule_id, email) -> value
SELECT delegate_to($1, $2);

-- name: write_to_schedule(mail_id, schedule_id, subject, body, at) -> none
INSERT INTO mail (id, territory_id, schedule_id, subject, body, created_at, next_try_at)
SELECT $1, schedule.territory_id, schedule.id, $3, $4, $5, $5 FROM schedule WHERE schedule.id = $2;

-- name: end_delegation(schedule_id, account_id) -> value
SELECT end_delegation($1, $2);

-- name: audit_of(territory_id, before_id, most) -> many
SELECT id, at, account_id, name, verb, subject, subject_id, subject_name FROM audit_of($1, $2, $3);

-- name: add_territory(slug, name, department, like_territory_id, neighbour_ids) -> value
SELECT add_territory($1, $2, $3, $4, $5);

-- name: name_coordinator(territory_id, account_id, email, name, mail_id, subject, body, at) -> value
SELECT name_coordinator($1, $2, $3, $4, $5, $6, $7, $8);

-- name: delegable(schedule_ids) -> many
SELECT id FROM schedule WHERE id = ANY ($1::uuid[]) AND may_delegate(id);
