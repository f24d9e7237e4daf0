-- Web Push: browsers that are told of bookings, quiet hours, and what each was told.

-- Web Push: the browsers of a person, who is told there when somebody books with them, or cancels.
CREATE TABLE push_subscription (
  id          uuid PRIMARY KEY,
  account_id  uuid NOT NULL REFERENCES account,
  endpoint    text NOT NULL,               -- whoever knows it can reach the browser: in no log line, on no page
  p256dh      text NOT NULL,               -- the browser's public key, base64url
  auth        text NOT NULL,               -- and its secret
  created_at  timestamptz NOT NULL,
  CONSTRAINT push_subscription_endpoint_unique UNIQUE (endpoint),
  CONSTRAINT push_subscription_endpoint_short CHECK (char_length(endpoint) <= 1024)
);
CREATE INDEX push_subscription_account ON push_subscription (account_id);

-- When somebody wants to hear nothing: minutes of the day on their wall, which alone is meant by it. From 22 h to 7 h is 1320 to 420.
CREATE TABLE quiet_hours (
  account_id   uuid PRIMARY KEY REFERENCES account,
  from_minute  smallint NOT NULL,
  to_minute    smallint NOT NULL,
  CONSTRAINT quiet_hours_of_a_day CHECK (from_minute BETWEEN 0 AND 1439 AND to_minute BETWEEN 0 AND 1439),
  CONSTRAINT quiet_hours_not_all_day CHECK (from_minute <> to_minute)
);

-- What one browser is told of one appointment, each thing once. A worker writes these rows, from the appointments
-- themselves: whoever books or cancels does nothing for it, and nothing is lost where a worker dies.
CREATE TABLE push (
  id               uuid PRIMARY KEY,
  territory_id     smallint NOT NULL,
  subscription_id  uuid NOT NULL REFERENCES push_subscription ON DELETE CASCADE,
  appointment_id   uuid NOT NULL,
  tells            text NOT NULL,
  attempts         smallint NOT NULL DEFAULT 0,
  next_try_at      timestamptz NOT NULL,
  sent_at          timestamptz,
  dropped_at       timestamptz,            -- nobody needs to be told any more, or it could not be sent
  CONSTRAINT push_once UNIQUE (subscription_id, appointment_id, tells),
  CONSTRAINT push_tells_known CHECK (tells IN ('booked', 'cancelled', 'unseen')),
  CONSTRAINT push_ends_once CHECK (sent_at IS NULL OR dropped_at IS NULL),
  CONSTRAINT push_appointment FOREIGN KEY (appointment_id, territory_id) REFERENCES appointment (id, territory_id)
);
CREATE INDEX push_to_send ON push (next_try_at) WHERE sent_at IS NULL AND dropped_at IS NULL;
CREATE INDEX push_by_appointment ON push (appointment_id);

ALTER TABLE push ENABLE ROW LEVEL SECURITY;
CREATE POLICY push_wall ON push USING (territory_id = ANY ((SELECT entered_territories())::smallint[]));

-- What is a person's own, whatever the territory.
ALTER TABLE push_subscription ENABLE ROW LEVEL SECURITY;
CREATE POLICY push_subscription_wall ON push_subscription USING (account_id = (SELECT entered_account()));
ALTER TABLE quiet_hours ENABLE ROW LEVEL SECURITY;
CREATE POLICY quiet_hours_wall ON quiet_hours USING (account_id = (SELECT entered_account()));

-- The browsers of those who act for the schedules of the entered territories, one row for each schedule; who that
-- is, as in addresses_of_schedule.
CREATE FUNCTION push_subscribers()
RETURNS TABLE (
  subscription_id uuid, account_id uuid, schedule_id uuid, subscribed_at timestamptz,
  endpoint text, p256dh text, auth text, quiet_from_minute smallint, quiet_to_minute smallint
)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT subscription.id, account.id, acts_for.schedule_id, subscription.created_at,
         subscription.endpoint, subscription.p256dh, subscription.auth, quiet_hours.from_minute, quiet_hours.to_minute
    FROM push_subscription subscription
    JOIN account ON account.id = subscription.account_id AND account.disabled_at IS NULL
    CROSS JOIN LATERAL (
      SELECT schedule.id AS schedule_id
        FROM practitioner_role
        JOIN schedule ON schedule.practitioner_role_id = practitioner_role.id
        JOIN membership ON membership.account_id = account.id AND membership.territory_id = schedule.territory_id
                       AND membership.role = 'professional'
       WHERE practitioner_role.practitioner_id = account.practitioner_id
         AND schedule.territory_id = ANY (entered_territories())
       UNION
      SELECT delegation.schedule_id
        FROM delegation
        JOIN membership ON membership.account_id = account.id AND membership.territory_id = delegation.territory_id
                       AND membership.role IN ('delegate', 'professional')
       WHERE delegation.account_id = account.id AND delegation.territory_id = ANY (entered_territories())
    ) AS acts_for
    LEFT JOIN quiet_hours ON quiet_hours.account_id = account.id
$$;

-- A browser is one person's, who asked last: somebody else on the same machine takes it over. Only the newest few
-- of a person stay.
CREATE FUNCTION subscribe_to_push(new_id uuid, of_endpoint text, of_p256dh text, of_auth text, at timestamptz, at_most integer)
RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
  DELETE FROM push_subscription WHERE endpoint = of_endpoint AND account_id <> entered_account();
  INSERT INTO push_subscription (id, account_id, endpoint, p256dh, auth, created_at)
  VALUES (new_id, entered_account(), of_endpoint, of_p256dh, of_auth, at)
  ON CONFLICT (endpoint) DO UPDATE SET p256dh = excluded.p256dh, auth = excluded.auth;
  DELETE FROM push_subscription
   WHERE account_id = entered_account()
     AND id NOT IN (SELECT id FROM push_subscription WHERE account_id = entered_account()
                     ORDER BY created_at DESC, id LIMIT at_most);
$$;
-- The push service says that this browser wants no more.
CREATE FUNCTION end_push_subscription(of_endpoint text)
RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
  DELETE FROM push_subscription WHERE endpoint = of_endpoint
$$;
-- What was told of appointments that are over. Returns how many rows went.
CREATE FUNCTION forget_old_pushes(before timestamptz)
RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
  WITH gone AS (
    DELETE FROM push USING appointment
     WHERE appointment.id = push.appointment_id AND appointment.starts_at < before
    RETURNING 1
  )
  SELECT count(*) FROM gone
$$;

REVOKE EXECUTE ON FUNCTION push_subscribers, subscribe_to_push, end_push_subscription, forget_old_pushes FROM PUBLIC;
GRANT EXECUTE ON FUNCTION push_subscribers, subscribe_to_push, end_push_subscription, forget_old_pushes TO chrono48_app;
GRANT SELECT, DELETE ON push_subscription TO chrono48_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON quiet_hours TO chrono48_app;
GRANT SELECT, INSERT, UPDATE ON push TO chrono48_app;
