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
