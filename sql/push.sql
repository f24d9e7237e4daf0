-- name: own_push_subscriptions() -> many
-- Of the account that asks, by the policy of the table.
SELECT id, endpoint, created_at FROM push_subscription ORDER BY created_at DESC, id;

-- name: subscribe_to_push(id, endpoint, p256dh, auth, at, at_most) -> none
SELECT subscribe_to_push($1, $2, $3, $4, $5, $6);

-- name: unsubscribe_from_push(id) -> none
DELETE FROM push_subscription WHERE id = $1;

-- name: end_push_subscription(endpoint) -> none
SELECT end_push_subscription($1);

-- name: own_quiet_hours() -> one
SELECT from_minute, to_minute FROM quiet_hours;

-- name: set_quiet_hours(account_id, from_minute, to_minute) -> none
INSERT INTO quiet_hours (account_id, from_minute, to_minute) VALUES ($1, $2, $3)
ON CONFLICT (account_id) DO UPDATE SET from_minute = excluded.from_minute, to_minute = excluded.to_minute;

-- name: unset_quiet_hours(account_id) -> none
DELETE FROM quiet_hours WHERE account_id = $1;

-- name: wake_own_pushes(now) -> none
-- Other quiet hours: what waits is looked at again.
UPDATE push SET next_try_at = $1
 WHERE sent_at IS NULL AND dropped_at IS NULL AND next_try_at > $1
   AND subscription_id IN (SELECT id FROM push_subscription);

-- name: write_pushes(now, remind_until, booked_until) -> none
-- What there is to tell and was not yet. Nobody is told what they did themselves, nor of what was before they asked.
INSERT INTO push (id, territory_id, subscription_id, appointment_id, tells, next_try_at)
SELECT gen_random_uuid(), appointment.territory_id, subscriber.subscription_id, appointment.id, news.tells, $1
  FROM push_subscribers() AS subscriber
  JOIN appointment ON appointment.schedule_id = subscriber.schedule_id AND appointment.starts_at > $1
 CROSS JOIN LATERAL (
   SELECT 'booked'
    WHERE appointment.status = 'booked' AND appointment.booked_at >= subscriber.subscribed_at
      AND appointment.booked_by_account_id <> subscriber.account_id
    UNION ALL
   SELECT 'cancelled'
    WHERE appointment.status = 'cancelled' AND appointment.cancelled_at >= subscriber.subscribed_at
      AND appointment.cancelled_by IS DISTINCT FROM subscriber.account_id
    UNION ALL
   SELECT 'unseen'
    WHERE appointment.status = 'booked' AND appointment.seen_at IS NULL
      AND appointment.booked_by_account_id <> subscriber.account_id
      AND appointment.starts_at <= $2 AND appointment.booked_at <= $3
 ) AS news (tells)
 WHERE NOT EXISTS (
   SELECT FROM push
    WHERE push.subscription_id = subscriber.subscription_id AND push.appointment_id = appointment.id AND push.tells = news.tells
 )
ON CONFLICT ON CONSTRAINT push_once DO NOTHING;

-- name: pushes_to_send(now, limit_rows) -> many
-- As all stands at this moment. Without a subscriber: who may act for the schedule has changed since.
SELECT push.id, push.tells, push.attempts,
       appointment.id AS appointment_id, appointment.reference, appointment.starts_at, appointment.status,
       appointment.seen_at IS NOT NULL AS is_seen,
       appointment.seen_at IS NOT NULL
         OR appointment.booked_by_account_id = subscriber.account_id
         OR appointment.booked_at < subscriber.subscribed_at
         OR EXISTS (SELECT FROM push AS told
                     WHERE told.subscription_id = push.subscription_id AND told.appointment_id = push.appointment_id
                       AND told.tells = 'booked' AND told.sent_at IS NOT NULL) AS is_known,
       subscriber.endpoint, subscriber.p256dh, subscriber.auth,
       subscriber.quiet_from_minute, subscriber.quiet_to_minute
  FROM push
  JOIN appointment ON appointment.id = push.appointment_id
  LEFT JOIN push_subscribers() AS subscriber
         ON subscriber.subscription_id = push.subscription_id AND subscriber.schedule_id = appointment.schedule_id
 WHERE push.sent_at IS NULL AND push.dropped_at IS NULL AND push.next_try_at <= $1
 ORDER BY push.next_try_at, push.id
 LIMIT $2
   FOR UPDATE OF push SKIP LOCKED;

-- name: push_try_later(id, next_try_at, attempts) -> none
UPDATE push SET next_try_at = $2, attempts = $3 WHERE id = $1;

-- name: push_was_sent(id, at) -> none
UPDATE push SET sent_at = $2 WHERE id = $1 AND dropped_at IS NULL;

-- name: push_was_dropped(id, at) -> none
UPDATE push SET dropped_at = $2 WHERE id = $1 AND sent_at IS NULL;

-- name: forget_old_pushes(before) -> value
SELECT forget_old_pushes($1);
