-- A coordinator sees how many sessions, keys and screens a person has, before they end them.
DROP FUNCTION people_of(smallint);
CREATE FUNCTION people_of(of_territory_id smallint)
RETURNS TABLE (
  account_id uuid, email text, name text, phone text, organisation text, rpps text, roles text[],
  has_factor boolean, has_password boolean, invited_at timestamptz, seen_at timestamptz, is_elsewhere boolean,
  signed_in bigint, keys bigint, screens bigint
)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT account.id, account.email, account.name, account.phone, organisation.name, practitioner.rpps,
         array_agg(membership.role ORDER BY membership.role),
         EXISTS (SELECT FROM passkey WHERE passkey.account_id = account.id)
           OR EXISTS (SELECT FROM authenticator_app WHERE authenticator_app.account_id = account.id),
         account.password_hash IS NOT NULL,
         (SELECT max(mail.created_at) FROM mail WHERE mail.account_id = account.id AND mail.link = 'invitation'),
         (SELECT max(session.seen_at) FROM session WHERE session.account_id = account.id AND session.kind = 'browser'),
         account.is_administrator
           OR EXISTS (SELECT FROM membership other WHERE other.account_id = account.id AND other.territory_id <> of_territory_id),
         alive.signed_in, alive.keys, alive.screens
    FROM membership
    JOIN account ON account.id = membership.account_id
    JOIN organisation ON organisation.id = account.organisation_id
    LEFT JOIN practitioner ON practitioner.id = account.practitioner_id
   CROSS JOIN LATERAL (
     SELECT count(*) FILTER (WHERE session.kind = 'browser') AS signed_in, count(*) FILTER (WHERE session.kind = 'key') AS keys,
            count(*) FILTER (WHERE session.kind = 'wall') AS screens
       FROM session WHERE session.account_id = account.id AND session.ended_at IS NULL AND session.expires_at > now()
   ) AS alive
   WHERE membership.territory_id = of_territory_id AND account.disabled_at IS NULL AND coordinates(of_territory_id)
   GROUP BY account.id, organisation.name, practitioner.rpps, alive.signed_in, alive.keys, alive.screens
   ORDER BY account.name, account.id
$$;
REVOKE EXECUTE ON FUNCTION people_of FROM PUBLIC;
GRANT EXECUTE ON FUNCTION people_of TO chrono48_app;
