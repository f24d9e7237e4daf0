-- name: write_to_schedule(territory_id, schedule_id, subject, body) -> none
-- To everybody who acts for the schedule.
INSERT INTO mail (id, territory_id, recipient, subject, body)
SELECT gen_random_uuid(), $1, email, $3, $4 FROM addresses_of_schedule($2);

-- name: write_to_account(territory_id, account_id, subject, body) -> none
INSERT INTO mail (id, territory_id, recipient, subject, body)
SELECT gen_random_uuid(), $1, email, $3, $4 FROM address_of_account($2) AS email WHERE email IS NOT NULL;

-- name: mails_to_send(now, limit_rows) -> many
SELECT id, recipient, subject, body, attempts
  FROM mail
 WHERE sent_at IS NULL AND next_try_at <= $1
 ORDER BY next_try_at
 LIMIT $2
   FOR UPDATE SKIP LOCKED;

-- name: mail_was_sent(id, at) -> none
UPDATE mail SET sent_at = $2 WHERE id = $1;

-- name: mail_try_later(id, next_try_at) -> none
UPDATE mail SET attempts = attempts + 1, next_try_at = $2 WHERE id = $1;
