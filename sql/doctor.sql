-- What `chrono48 doctor` asks PostgreSQL.

-- name: server() -> one
SELECT current_setting('server_version_num')::integer AS version,
       current_setting('server_version') AS version_text,
       current_setting('fsync') AS fsync,
       current_setting('synchronous_commit') AS synchronous_commit,
       current_setting('synchronous_standby_names') AS synchronous_standby_names,
       clock_timestamp() AS now;

-- name: has_schema() -> value
SELECT to_regclass('public.territory') IS NOT NULL;

-- name: territory_ids() -> value
SELECT coalesce(array_agg(id ORDER BY id), '{}') FROM territory;

-- name: enter_all(territories) -> none
-- The first statement of a transaction: nobody in person, all territories.
SELECT enter(NULL, $1::smallint[]);

-- name: backlog(now) -> one
-- What waits for a worker, in the territories entered: changes to bring to the broker, mails to send.
SELECT (SELECT count(*) FROM outbox) AS changes,
       (SELECT $1 - min(created_at) FROM outbox) AS oldest_change,
       (SELECT count(*) FROM mail WHERE sent_at IS NULL) AS mails,
       (SELECT $1 - min(created_at) FROM mail WHERE sent_at IS NULL) AS oldest_mail,
       (SELECT max(attempts) FROM mail WHERE sent_at IS NULL) AS attempts;
