-- A second factor for everybody, invitations and new passwords by a link, and how each session was opened.
ALTER TABLE account ALTER COLUMN password_hash DROP NOT NULL;

ALTER TABLE session
  ADD COLUMN proof text NOT NULL DEFAULT 'password',
  ADD COLUMN proved_at timestamptz NOT NULL DEFAULT now(),
  ADD CONSTRAINT session_proof_known CHECK (proof IN ('password', 'totp', 'recovery', 'passkey'));

ALTER TABLE mail
  ADD COLUMN link text,
  ADD CONSTRAINT mail_link_known CHECK (link IN ('invitation', 'reset')),
  ADD CONSTRAINT mail_link_to_an_account CHECK (link IS NULL OR account_id IS NOT NULL);

CREATE TABLE authenticator_app (
  account_id  uuid PRIMARY KEY REFERENCES account,
  secret      bytea NOT NULL,              -- sealed (slots/sealing.py)
  used_step   bigint NOT NULL,             -- the last 30 s whose code was taken: none is good twice
  added_at    timestamptz NOT NULL
);

CREATE TABLE passkey (
  credential_id  bytea PRIMARY KEY,
  account_id     uuid NOT NULL REFERENCES account,
  public_key     bytea NOT NULL,           -- COSE
  sign_count     bigint NOT NULL,
  name           text NOT NULL,            -- browser and system, in two words
  added_at       timestamptz NOT NULL,
  used_at        timestamptz
);
CREATE INDEX passkey_account ON passkey (account_id);

CREATE TABLE recovery_code (
  account_id  uuid NOT NULL REFERENCES account,
  code_hash   bytea NOT NULL,              -- SHA-256 of 80 random bits
  used_at     timestamptz,
  PRIMARY KEY (account_id, code_hash)
);

CREATE TABLE ticket (
  id_hash     bytea PRIMARY KEY,           -- SHA-256 of a 256-bit id, like a session's
  account_id  uuid REFERENCES account,     -- NULL: a passkey will say whose it is
  purpose     text NOT NULL,
  opened_at   timestamptz NOT NULL,
  expires_at  timestamptz NOT NULL,
  tries       smallint NOT NULL DEFAULT 0,
  challenge   bytea,                       -- of WebAuthn
  secret      bytea,                       -- sealed: of the authenticator app that is being added
  spent_at    timestamptz,
  CONSTRAINT ticket_purpose_known CHECK (purpose IN ('sign-in', 'passkey', 'enrol', 'add', 'invitation', 'reset')),
  CONSTRAINT ticket_of_somebody CHECK (account_id IS NOT NULL OR purpose = 'passkey')
);
CREATE INDEX ticket_account ON ticket (account_id);

ALTER TABLE authenticator_app ENABLE ROW LEVEL SECURITY;
ALTER TABLE passkey ENABLE ROW LEVEL SECURITY;
ALTER TABLE recovery_code ENABLE ROW LEVEL SECURITY;
ALTER TABLE ticket ENABLE ROW LEVEL SECURITY;

DROP FUNCTION open_session(bytea, uuid, timestamptz, timestamptz, text);
CREATE FUNCTION open_session(
  new_id_hash bytea, for_account_id uuid, at timestamptz, until timestamptz, on_device text DEFAULT '', by_proof text DEFAULT 'password'
)
RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
  INSERT INTO session (id_hash, account_id, created_at, seen_at, expires_at, device, proof, proved_at)
  VALUES (new_id_hash, for_account_id, at, at, until, on_device, by_proof, at)
$$;
-- Who is behind the session has shown it again.
CREATE FUNCTION prove_session(of_id_hash bytea, at timestamptz, by_proof text)
RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
  UPDATE session SET proved_at = at, proof = by_proof WHERE id_hash = of_id_hash AND ended_at IS NULL
$$;
CREATE FUNCTION session_proof(of_id_hash bytea)
RETURNS TABLE (proof text, proved_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT session.proof, session.proved_at FROM session WHERE id_hash = of_id_hash AND ended_at IS NULL
$$;
-- All of an account's sessions, or all but one: after a new password.
CREATE FUNCTION end_sessions_of(of_account_id uuid, kept_id_hash bytea, at timestamptz)
RETURNS SETOF bytea
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
  UPDATE session SET ended_at = at
   WHERE account_id = of_account_id AND ended_at IS NULL AND id_hash IS DISTINCT FROM kept_id_hash
  RETURNING id_hash
$$;

CREATE FUNCTION open_ticket(
  new_id_hash bytea, of_account_id uuid, for_purpose text, at timestamptz, until timestamptz, with_challenge bytea
)
RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
  INSERT INTO ticket (id_hash, account_id, purpose, opened_at, expires_at, challenge)
  VALUES (new_id_hash, of_account_id, for_purpose, at, until, with_challenge)
$$;
-- What a ticket is good for now; nothing where it is spent or too old, or where its account is disabled.
CREATE FUNCTION ticket_at(of_id_hash bytea, at timestamptz)
RETURNS TABLE (
  account_id uuid, email text, name text, purpose text, expires_at timestamptz, tries smallint, challenge bytea, secret bytea
)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT ticket.account_id, account.email, account.name, ticket.purpose, ticket.expires_at, ticket.tries, ticket.challenge, ticket.secret
    FROM ticket LEFT JOIN account ON account.id = ticket.account_id
   WHERE ticket.id_hash = of_id_hash AND ticket.spent_at IS NULL AND ticket.expires_at > at AND account.disabled_at IS NULL
$$;
-- Counted before the answer is looked at: an interrupted try counts too. False where there were too many.
CREATE FUNCTION try_ticket(of_id_hash bytea, most smallint, at timestamptz)
RETURNS boolean
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
  UPDATE ticket SET tries = tries + 1
   WHERE id_hash = of_id_hash AND spent_at IS NULL AND expires_at > at AND tries < most
  RETURNING true
$$;
-- True for one caller only, however many ask at once.
CREATE FUNCTION spend_ticket(of_id_hash bytea, at timestamptz)
RETURNS boolean
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
  UPDATE ticket SET spent_at = at WHERE id_hash = of_id_hash AND spent_at IS NULL AND expires_at > at RETURNING true
$$;
-- Whatever else this account has open: a new password leaves no older link behind.
CREATE FUNCTION spend_tickets_of(of_account_id uuid, at timestamptz)
RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
  UPDATE ticket SET spent_at = at WHERE account_id = of_account_id AND spent_at IS NULL
$$;
CREATE FUNCTION put_into_ticket(of_id_hash bytea, new_challenge bytea, new_secret bytea)
RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
  UPDATE ticket SET challenge = coalesce(new_challenge, challenge), secret = coalesce(new_secret, secret)
   WHERE id_hash = of_id_hash AND spent_at IS NULL
$$;
-- A challenge is good once: whoever answers takes it away.
CREATE FUNCTION take_challenge(of_id_hash bytea, at timestamptz)
RETURNS bytea
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
  UPDATE ticket SET challenge = NULL
    FROM (SELECT id_hash, challenge FROM ticket WHERE id_hash = of_id_hash FOR UPDATE) AS before
   WHERE ticket.id_hash = before.id_hash AND ticket.spent_at IS NULL AND ticket.expires_at > at
  RETURNING before.challenge
$$;
CREATE FUNCTION forget_old_tickets(before timestamptz)
RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
  WITH gone AS (
    -- Those that anybody can open are kept for a day; the others until their link can be asked for again no more.
    DELETE FROM ticket WHERE expires_at < before OR (account_id IS NULL AND expires_at < before + interval '6 days') RETURNING 1
  )
  SELECT count(*) FROM gone
$$;

-- What an account can show beside its password.
CREATE FUNCTION factors_of(of_account_id uuid)
RETURNS TABLE (app_secret bytea, app_added_at timestamptz, recovery_codes_left integer, has_password boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT app.secret, app.added_at,
         (SELECT count(*) FROM recovery_code WHERE account_id = account.id AND used_at IS NULL)::integer,
         account.password_hash IS NOT NULL
    FROM account LEFT JOIN authenticator_app app ON app.account_id = account.id
   WHERE account.id = of_account_id AND account.disabled_at IS NULL
$$;
CREATE FUNCTION passkeys_of(of_account_id uuid)
RETURNS TABLE (credential_id bytea, name text, added_at timestamptz, used_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT passkey.credential_id, passkey.name, passkey.added_at, passkey.used_at
    FROM passkey WHERE account_id = of_account_id ORDER BY passkey.added_at, passkey.credential_id
$$;
CREATE FUNCTION passkey_called(wanted_credential_id bytea)
RETURNS TABLE (account_id uuid, public_key bytea, sign_count bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT passkey.account_id, passkey.public_key, passkey.sign_count
    FROM passkey JOIN account ON account.id = passkey.account_id
   WHERE credential_id = wanted_credential_id AND account.disabled_at IS NULL
$$;
CREATE FUNCTION use_passkey(of_credential_id bytea, new_sign_count bigint, at timestamptz)
RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
  UPDATE passkey SET sign_count = new_sign_count, used_at = at WHERE credential_id = of_credential_id
$$;
-- True where no code of this step or a later one was taken before.
CREATE FUNCTION use_app_step(of_account_id uuid, step bigint)
RETURNS boolean
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
  UPDATE authenticator_app SET used_step = step WHERE account_id = of_account_id AND used_step < step RETURNING true
$$;
CREATE FUNCTION use_recovery_code(of_account_id uuid, of_code_hash bytea, at timestamptz)
RETURNS boolean
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
  UPDATE recovery_code SET used_at = at
   WHERE account_id = of_account_id AND code_hash = of_code_hash AND used_at IS NULL
  RETURNING true
$$;
-- Whether an account has nothing yet beside its password; nobody else adds anything until the end of the transaction.
CREATE FUNCTION has_no_factor(of_account_id uuid)
RETURNS boolean
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT NOT EXISTS (SELECT FROM authenticator_app WHERE account_id = locked.id)
     AND NOT EXISTS (SELECT FROM passkey WHERE account_id = locked.id)
    FROM (SELECT id FROM account WHERE id = of_account_id FOR NO KEY UPDATE) AS locked
$$;
CREATE FUNCTION put_authenticator_app(of_account_id uuid, sealed_secret bytea, step bigint, at timestamptz)
RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
  INSERT INTO authenticator_app (account_id, secret, used_step, added_at) VALUES (of_account_id, sealed_secret, step, at)
  ON CONFLICT (account_id) DO UPDATE
     SET secret = excluded.secret, used_step = excluded.used_step, added_at = excluded.added_at
$$;
CREATE FUNCTION put_passkey(
  new_credential_id bytea, of_account_id uuid, new_public_key bytea, new_sign_count bigint, called text, at timestamptz
)
RETURNS boolean
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
  INSERT INTO passkey (credential_id, account_id, public_key, sign_count, name, added_at)
  VALUES (new_credential_id, of_account_id, new_public_key, new_sign_count, called, at)
  ON CONFLICT DO NOTHING
  RETURNING true
$$;
-- New codes replace all that there were.
CREATE FUNCTION put_recovery_codes(of_account_id uuid, code_hashes bytea[])
RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
  DELETE FROM recovery_code WHERE account_id = of_account_id;
  INSERT INTO recovery_code (account_id, code_hash) SELECT of_account_id, unnest(code_hashes)
$$;
CREATE FUNCTION remove_own_passkey(of_credential_id bytea)
RETURNS boolean
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
  DELETE FROM passkey WHERE credential_id = of_credential_id AND account_id = entered_account() RETURNING true
$$;
CREATE FUNCTION remove_own_app()
RETURNS boolean
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
  DELETE FROM authenticator_app WHERE account_id = entered_account() RETURNING true
$$;
CREATE FUNCTION set_password(of_account_id uuid, new_password_hash text)
RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
  UPDATE account SET password_hash = new_password_hash WHERE id = of_account_id AND disabled_at IS NULL
$$;
-- The mail with a link to a new password, for whoever has this address; nothing where nobody has, or where one was
-- asked for a moment ago. It answers nothing: who asks must not learn which.
CREATE FUNCTION ask_new_password(wanted_email text, new_mail_id uuid, the_subject text, the_body text, at timestamptz, not_since timestamptz)
RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
  INSERT INTO mail (id, territory_id, account_id, subject, body, created_at, next_try_at, link)
  SELECT new_mail_id, 0, account.id, the_subject, the_body, at, at, 'reset'
    FROM account
   WHERE account.email = lower(wanted_email) AND account.disabled_at IS NULL
     AND NOT EXISTS (SELECT FROM mail WHERE mail.account_id = account.id AND mail.link = 'reset' AND mail.created_at > not_since)
$$;
-- A link that came too late: another one to whoever it was for, unless one has just left.
CREATE FUNCTION ask_link_again(
  of_id_hash bytea, new_mail_id uuid, purposes text[], subjects text[], bodies text[], at timestamptz, not_since timestamptz
)
RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
  INSERT INTO mail (id, territory_id, account_id, subject, body, created_at, next_try_at, link)
  SELECT new_mail_id, 0, account.id, letter.subject, letter.body, at, at, ticket.purpose
    FROM ticket
    JOIN account ON account.id = ticket.account_id
    JOIN unnest(purposes, subjects, bodies) AS letter (purpose, subject, body) ON letter.purpose = ticket.purpose
   WHERE ticket.id_hash = of_id_hash AND ticket.spent_at IS NULL AND account.disabled_at IS NULL
     AND NOT EXISTS (SELECT FROM mail WHERE mail.account_id = account.id AND mail.link = ticket.purpose AND mail.created_at > not_since)
$$;
REVOKE EXECUTE ON FUNCTION open_session, prove_session, session_proof, end_sessions_of, open_ticket, ticket_at, try_ticket, spend_ticket,
  spend_tickets_of, put_into_ticket, take_challenge, forget_old_tickets, factors_of, passkeys_of, passkey_called, use_passkey,
  use_app_step, use_recovery_code, put_authenticator_app, put_passkey, put_recovery_codes, remove_own_passkey, remove_own_app,
  set_password, ask_new_password, ask_link_again, has_no_factor FROM PUBLIC;
GRANT EXECUTE ON FUNCTION open_session, prove_session, session_proof, end_sessions_of, open_ticket, ticket_at, try_ticket, spend_ticket,
  spend_tickets_of, put_into_ticket, take_challenge, forget_old_tickets, factors_of, passkeys_of, passkey_called, use_passkey,
  use_app_step, use_recovery_code, put_authenticator_app, put_passkey, put_recovery_codes, remove_own_passkey, remove_own_app,
  set_password, ask_new_password, ask_link_again, has_no_factor TO chrono48_app;
