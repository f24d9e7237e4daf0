-- name: mails_to_send(now, limit_rows) -> many
-- With the addresses of this moment: who acts for a schedule may have changed since it was written.
SELECT id, subject, body, attempts, account_id, link,
       ARRAY(
         SELECT recipient WHERE recipient IS NOT NULL
          UNION
         SELECT email FROM addresses_of_schedule(schedule_id) WHERE schedule_id IS NOT NULL
          UNION
         SELECT email FROM address_of_account(account_id) AS email WHERE email IS NOT NULL
       ) AS recipients
  FROM mail
 WHERE sent_at IS NULL AND next_try_at <= $1
 ORDER BY next_try_at
 LIMIT $2
   FOR UPDATE SKIP LOCKED;

-- name: mail_was_sent(id, at) -> none
UPDATE mail SET sent_at = $2 WHERE id = $1;

-- name: mail_try_later(id, next_try_at) -> none
UPDATE mail SET attempts = attempts + 1, next_try_at = $2 WHERE id = $1;

-- name: forget_old_mails(before) -> value
SELECT forget_old_mails($1);
