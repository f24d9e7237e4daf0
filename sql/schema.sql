-- 48H Chrono: the whole schema as it is now. Read this, not the migrations.
--
-- PostgreSQL is the truth for what must not be lost. Three ideas carry the file:
--   * one seat, one appointment: `appointment_one_per_seat` is the last judge of every race;
--   * a hold ends once: `hold_end_pkey` decides between a confirmation and a revocation;
--   * territories are walls: row level security under `chrono48_app`, which owns nothing.
-- Each transaction of the application starts by saying who acts, and where (`app.account`, `app.territories`).
-- Instants are `timestamptz`; France's wall clock never enters here.

CREATE EXTENSION IF NOT EXISTS btree_gist;
CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE EXTENSION IF NOT EXISTS unaccent;

-- Generations of the live log: each rebuild of Redis takes the next one (invariant 7 and 10).
CREATE SEQUENCE generation AS bigint;

------------------------------------------------------------------------------------------------
-- Ground: communes and territories. Reference data without persons; no row level security.
------------------------------------------------------------------------------------------------

CREATE TABLE commune (
  insee       text PRIMARY KEY,
  name        text NOT NULL,
  postcodes   text[] NOT NULL,
  population  integer NOT NULL,
  lat         double precision NOT NULL,   -- degrees, WGS 84
  lon         double precision NOT NULL,
  CONSTRAINT commune_insee_format CHECK (insee ~ '^[0-9][0-9AB][0-9]{3}$')
);

CREATE TABLE territory (
  id            smallint PRIMARY KEY,       -- travels inside slot and hold ids (UUIDv8, 14 bits)
  slug          text NOT NULL,
  name          text NOT NULL,
  department    text NOT NULL,
  partition_id  smallint NOT NULL DEFAULT 0, -- the Redis hash tag that it lives under
  contact_kept_h smallint,                  -- hours after a slot that a patient's contact is kept; NULL: none is taken
  -- What its coordinator sets (slots/territory_settings.py).
  horizon_h              smallint,          -- NULL: the installation's HORIZON_HOURS
  hold_for_s             smallint NOT NULL DEFAULT 180,
  holds_per_account_max  smallint NOT NULL DEFAULT 5,
  default_audience       text[] NOT NULL DEFAULT '{CPTS,SNP}',  -- of new schedules
  search_radius_km       smallint,          -- that searches begin with; NULL: none
  settings_version       integer NOT NULL DEFAULT 1,
  CONSTRAINT territory_horizon_range CHECK (horizon_h BETWEEN 24 AND 72),
  CONSTRAINT territory_hold_for_range CHECK (hold_for_s BETWEEN 60 AND 600),
  CONSTRAINT territory_holds_range CHECK (holds_per_account_max BETWEEN 1 AND 20),
  CONSTRAINT territory_audience_known CHECK (default_audience <@ '{CPTS,SNP,PRO,PUBLIC}' AND cardinality(default_audience) > 0),
  CONSTRAINT territory_radius_range CHECK (search_radius_km BETWEEN 1 AND 100),
  CONSTRAINT territory_number_fits_an_id CHECK (id BETWEEN 1 AND 16383),
  CONSTRAINT territory_slug_unique UNIQUE (slug),
  CONSTRAINT territory_slug_format CHECK (slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$'),
  CONSTRAINT territory_contact_kept_range CHECK (contact_kept_h BETWEEN 24 AND 72)
);

-- Members of `neighbour_id` see and book what `territory_id` opens to PRO or PUBLIC.
CREATE TABLE territory_neighbour (
  territory_id  smallint NOT NULL REFERENCES territory,
  neighbour_id  smallint NOT NULL REFERENCES territory,
  PRIMARY KEY (territory_id, neighbour_id),
  CONSTRAINT territory_neighbour_is_another CHECK (territory_id <> neighbour_id)
);

CREATE TABLE organisation (
  id            uuid PRIMARY KEY,
  name          text NOT NULL,
  kind          text NOT NULL,
  phone         text,
  finess        text,
  CONSTRAINT organisation_kind_known CHECK (kind IN ('practice', 'centre', 'hospital', 'regulation', 'emergency', 'cpts'))
);

------------------------------------------------------------------------------------------------
-- Accounts and sessions. The application's role reads them only through the functions below.
------------------------------------------------------------------------------------------------

CREATE TABLE practitioner (
  id           uuid PRIMARY KEY,
  rpps         text,
  given_name   text NOT NULL,
  family_name  text NOT NULL,
  profession   text NOT NULL,              -- TRE_G15
  specialty    text,                       -- TRE_R38, doctors only
  skills       text[] NOT NULL DEFAULT '{}',
  languages    text[] NOT NULL DEFAULT '{fr}',
  CONSTRAINT practitioner_rpps_unique UNIQUE (rpps),
  CONSTRAINT practitioner_rpps_format CHECK (rpps ~ '^[0-9]{11}$')
);

CREATE TABLE account (
  id               uuid PRIMARY KEY,
  email            text NOT NULL,
  password_hash    text,                   -- argon2id, RFC 9106; NULL: passkeys only, or not yet accepted
  name             text NOT NULL,
  phone            text,                   -- whom to call about a booking
  organisation_id  uuid NOT NULL REFERENCES organisation,
  practitioner_id  uuid REFERENCES practitioner,
  created_at       timestamptz NOT NULL DEFAULT now(),
  disabled_at      timestamptz,
  is_administrator boolean NOT NULL DEFAULT false,  -- of the installation
  is_withdrawn     boolean NOT NULL DEFAULT false,  -- disabled as no territory's any more, not by the installation
  pin_hash         text,                   -- argon2id, of six digits: opens a PC that has locked, and nothing else
  CONSTRAINT account_email_is_lower_case CHECK (email = lower(email)),
  CONSTRAINT account_email_unique UNIQUE (email)
);
CREATE INDEX account_organisation ON account (organisation_id);
CREATE INDEX account_practitioner ON account (practitioner_id);

CREATE TABLE membership (
  account_id    uuid NOT NULL REFERENCES account,
  territory_id  smallint NOT NULL REFERENCES territory,
  role          text NOT NULL,
  PRIMARY KEY (account_id, territory_id, role),
  CONSTRAINT membership_role_known
    CHECK (role IN ('professional', 'delegate', 'referrer', 'regulator', 'coordinator'))
);

-- A PC of a regulation room: there, the password of one of its regulators is enough for a shift.
CREATE TABLE workstation (
  id               uuid PRIMARY KEY,
  organisation_id  uuid NOT NULL REFERENCES organisation,
  name             text NOT NULL,
  link_hash        bytea,                  -- SHA-256 of what the link carries; NULL: the PC is there, or never came
  link_expires_at  timestamptz NOT NULL,
  secret_hash      bytea,                  -- SHA-256 of the 256 bits in the PC's cookie
  registered_by    uuid NOT NULL REFERENCES account,
  created_at       timestamptz NOT NULL,
  used_at          timestamptz,
  expires_at       timestamptz NOT NULL,
  revoked_at       timestamptz,
  CONSTRAINT workstation_link_unique UNIQUE (link_hash),
  CONSTRAINT workstation_secret_unique UNIQUE (secret_hash)
);
CREATE INDEX workstation_organisation ON workstation (organisation_id);
CREATE INDEX workstation_registered_by ON workstation (registered_by);

CREATE TABLE session (
  id_hash      bytea PRIMARY KEY,          -- SHA-256 of a 256-bit id; the id itself is only in the cookie
  account_id   uuid NOT NULL REFERENCES account,
  created_at   timestamptz NOT NULL,
  seen_at      timestamptz NOT NULL,
  expires_at   timestamptz NOT NULL,
  ended_at     timestamptz,
  id           uuid NOT NULL DEFAULT gen_random_uuid(),  -- what its owner's page calls it; it opens nothing
  device       text NOT NULL DEFAULT '',   -- browser and system, in two words
  proof        text NOT NULL DEFAULT 'password',  -- how who it is was shown last, and
  proved_at    timestamptz NOT NULL DEFAULT now(),  -- when
  kind         text NOT NULL DEFAULT 'browser',  -- or key: of software; or wall: of a screen
  scopes       text[] NOT NULL DEFAULT '{}',     -- what a key may do
  walls        smallint[] NOT NULL DEFAULT '{}', -- the territories that a screen shows
  id_token     bytea,                      -- sealed: of Pro Santé Connect, to sign out there too
  is_phone     boolean NOT NULL DEFAULT false,  -- the person's own: signed in longer, for less
  attended_at  timestamptz NOT NULL DEFAULT now(),  -- the last sign of a person, not of the page by itself
  locked_at    timestamptz,                -- when somebody locked it by hand
  pin_tries    smallint NOT NULL DEFAULT 0,  -- since it was open last
  workstation_id  uuid REFERENCES workstation,  -- where it was opened, and with which it ends
  link_hash    bytea,                      -- SHA-256 of what a screen's link carries; NULL: it was opened, or is none
  CONSTRAINT session_id_unique UNIQUE (id),
  CONSTRAINT session_kind_known CHECK (kind IN ('browser', 'key', 'wall')),
  CONSTRAINT session_scopes_of_a_key CHECK ((kind = 'key') = (cardinality(scopes) > 0)),
  CONSTRAINT session_walls_of_a_wall CHECK ((kind = 'wall') = (cardinality(walls) > 0)),
  CONSTRAINT session_link_of_a_wall CHECK (link_hash IS NULL OR kind = 'wall'),
  CONSTRAINT session_proof_known CHECK (proof IN ('password', 'totp', 'recovery', 'passkey', 'psc', 'workstation'))
);
CREATE INDEX session_account ON session (account_id);
CREATE INDEX session_workstation ON session (workstation_id);
CREATE UNIQUE INDEX session_link ON session (link_hash) WHERE link_hash IS NOT NULL;

-- What shows, beside a password, who somebody is. A passkey (WebAuthn) is enough alone.
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

-- What is under way before a session: a sign-in whose second factor is due, an invitation, a new password.
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
  CONSTRAINT ticket_purpose_known
    CHECK (purpose IN ('sign-in', 'passkey', 'enrol', 'add', 'invitation', 'reset', 'psc', 'admission', 'address')),
  CONSTRAINT ticket_of_somebody CHECK (account_id IS NOT NULL OR purpose IN ('passkey', 'psc', 'admission', 'address'))
);
CREATE INDEX ticket_account ON ticket (account_id);

-- Who signed in by Pro Santé Connect, is not known yet, and asks to be let into a territory.
CREATE TABLE admission (
  id            uuid PRIMARY KEY,
  territory_id  smallint NOT NULL REFERENCES territory,
  rpps          text NOT NULL,
  name          text NOT NULL,             -- as Pro Santé Connect has it
  email         text NOT NULL,
  organisation  text NOT NULL,
  asked_at      timestamptz NOT NULL,
  decided_at    timestamptz,
  decided_by    uuid REFERENCES account,
  account_id    uuid REFERENCES account,   -- NULL, where it was decided: refused
  profession    text,                      -- TRE_G15, as Pro Santé Connect has it; NULL: it did not say
  specialty     text,                      -- TRE_R38, doctors only
  CONSTRAINT admission_rpps_format CHECK (rpps ~ '^[0-9]{11}$')
);
CREATE UNIQUE INDEX admission_once ON admission (territory_id, rpps) WHERE decided_at IS NULL;

-- Failed sign-ins per (account, address), so that nobody can lock another out.
CREATE TABLE sign_in_failure (
  email     text NOT NULL,
  address   text NOT NULL,
  failures  integer NOT NULL,
  last_at   timestamptz NOT NULL,
  PRIMARY KEY (email, address)
);

------------------------------------------------------------------------------------------------
-- The directory: places, roles, services, schedules, acts.
------------------------------------------------------------------------------------------------

CREATE TABLE location (
  id               uuid PRIMARY KEY,
  territory_id     smallint NOT NULL REFERENCES territory,
  organisation_id  uuid NOT NULL REFERENCES organisation,
  name             text NOT NULL,
  address          text NOT NULL DEFAULT '',
  insee            text NOT NULL REFERENCES commune,
  lat              double precision NOT NULL,
  lon              double precision NOT NULL,
  phone            text NOT NULL,
  access           text NOT NULL DEFAULT '',
  step_free        boolean,                 -- no stairs, or a lift; NULL: not known
  parking          boolean,
  CONSTRAINT location_in_territory UNIQUE (id, territory_id)
);

CREATE TABLE practitioner_role (
  id               uuid PRIMARY KEY,
  territory_id     smallint NOT NULL REFERENCES territory,
  practitioner_id  uuid NOT NULL REFERENCES practitioner,
  location_id      uuid NOT NULL,
  new_patients     boolean,                 -- whether they are taken here; NULL: not known
  referral         text NOT NULL DEFAULT '',  -- how to refer somebody here
  ended_at         timestamptz,             -- they work here no more: kept for what was booked
  CONSTRAINT practitioner_role_in_territory UNIQUE (id, territory_id),
  CONSTRAINT practitioner_role_referral_short CHECK (char_length(referral) <= 300),
  CONSTRAINT practitioner_role_once_per_place UNIQUE (practitioner_id, location_id),
  CONSTRAINT practitioner_role_location FOREIGN KEY (location_id, territory_id) REFERENCES location (id, territory_id)
);

CREATE TABLE healthcare_service (
  id            uuid PRIMARY KEY,
  territory_id  smallint NOT NULL REFERENCES territory,
  location_id   uuid NOT NULL,
  name          text NOT NULL,
  finess        text,
  phone         text NOT NULL,
  profession    text,                      -- who works there, for searches by profession
  specialty     text,
  rooms         smallint NOT NULL DEFAULT 1,
  new_patients  boolean,
  referral      text NOT NULL DEFAULT '',
  CONSTRAINT healthcare_service_in_territory UNIQUE (id, territory_id),
  CONSTRAINT healthcare_service_location FOREIGN KEY (location_id, territory_id) REFERENCES location (id, territory_id),
  CONSTRAINT healthcare_service_finess_format CHECK (finess ~ '^[0-9A-Z]{9}$'),
  CONSTRAINT healthcare_service_rooms CHECK (rooms BETWEEN 1 AND 50),
  CONSTRAINT healthcare_service_referral_short CHECK (char_length(referral) <= 300)
);

-- Whose time it is: a practitioner at a place, or a service with its rooms.
CREATE TABLE schedule (
  id                     uuid PRIMARY KEY,
  territory_id           smallint NOT NULL REFERENCES territory,
  practitioner_role_id   uuid,
  healthcare_service_id  uuid,
  default_audience       text[] NOT NULL,  -- its territory's, where it begins without
  default_acts           text[] NOT NULL DEFAULT '{consultation}',
  daily_cap              smallint,         -- appointments a Paris day; NULL: no cap
  accepts_overflow       boolean NOT NULL DEFAULT false,
  CONSTRAINT schedule_in_territory UNIQUE (id, territory_id),
  CONSTRAINT schedule_one_owner CHECK (num_nonnulls(practitioner_role_id, healthcare_service_id) = 1),
  CONSTRAINT schedule_of_role UNIQUE (practitioner_role_id),
  CONSTRAINT schedule_of_service UNIQUE (healthcare_service_id),
  CONSTRAINT schedule_practitioner_role FOREIGN KEY (practitioner_role_id, territory_id)
    REFERENCES practitioner_role (id, territory_id),
  CONSTRAINT schedule_healthcare_service FOREIGN KEY (healthcare_service_id, territory_id)
    REFERENCES healthcare_service (id, territory_id),
  CONSTRAINT schedule_audience_known CHECK (default_audience <@ '{CPTS,SNP,PRO,PUBLIC}' AND cardinality(default_audience) > 0),
  CONSTRAINT schedule_daily_cap_positive CHECK (daily_cap > 0)
);

-- A new schedule begins with the audiences of its territory.
CREATE FUNCTION schedule_begins() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  NEW.default_audience := coalesce(NEW.default_audience, (SELECT default_audience FROM territory WHERE id = NEW.territory_id));
  RETURN NEW;
END
$$;
CREATE TRIGGER schedule_begins_as_its_territory BEFORE INSERT ON schedule
  FOR EACH ROW EXECUTE FUNCTION schedule_begins();

-- Who may act for a schedule that is not their own: secretaries, colleagues.
CREATE TABLE delegation (
  account_id    uuid NOT NULL REFERENCES account,
  territory_id  smallint NOT NULL REFERENCES territory,
  schedule_id   uuid NOT NULL,
  PRIMARY KEY (account_id, schedule_id),
  CONSTRAINT delegation_schedule FOREIGN KEY (schedule_id, territory_id) REFERENCES schedule (id, territory_id)
);
CREATE INDEX delegation_by_schedule ON delegation (schedule_id);

CREATE TABLE act (
  territory_id           smallint NOT NULL REFERENCES territory,
  code                   text NOT NULL,
  label                  text NOT NULL,
  preparation            text NOT NULL DEFAULT '',
  prescription_required  boolean NOT NULL DEFAULT false,
  version                integer NOT NULL DEFAULT 1,
  retired_at             timestamptz,      -- offered no more; what carries it keeps its words
  PRIMARY KEY (territory_id, code),
  CONSTRAINT act_label_length CHECK (char_length(label) BETWEEN 1 AND 80),
  CONSTRAINT act_preparation_short CHECK (char_length(preparation) <= 500)
);

CREATE TABLE reason (
  territory_id  smallint NOT NULL REFERENCES territory,
  code          text NOT NULL,
  label         text NOT NULL,
  position      smallint NOT NULL,
  PRIMARY KEY (territory_id, code)
);

CREATE TABLE urgency (
  territory_id  smallint NOT NULL REFERENCES territory,
  code          text NOT NULL,
  label         text NOT NULL,
  position      smallint NOT NULL,
  PRIMARY KEY (territory_id, code)
);

-- Words as the directory compares them: no accents, no capitals, no hyphens nor apostrophes. Said to be immutable,
-- since the dictionary is named: what `unaccent` alone is not.
CREATE FUNCTION folded(words text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT AS $$
  SELECT regexp_replace(lower(public.unaccent('public.unaccent'::regdictionary, words)), '[^a-z0-9]+', ' ', 'g')
$$;

-- What people type for a code of TRE_G15, of TRE_R38, or a language: labels, feminines and short forms.
CREATE FUNCTION words_of_profession(code text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE code
    WHEN '10' THEN 'médecin docteur dr'
    WHEN '21' THEN 'pharmacien pharmacienne pharmacie'
    WHEN '40' THEN 'chirurgien-dentiste chirurgienne dentiste docteur dr'
    WHEN '50' THEN 'sage-femme maïeuticien'
    WHEN '60' THEN 'infirmier infirmière ide idel'
    WHEN '70' THEN 'masseur-kinésithérapeute kinésithérapie kiné'
    WHEN '80' THEN 'pédicure-podologue podologie'
    WHEN '91' THEN 'orthophoniste orthophonie'
    WHEN '92' THEN 'orthoptiste orthoptie'
    WHEN '93' THEN 'psychologue psy'
    WHEN '94' THEN 'ergothérapeute ergothérapie'
    WHEN '95' THEN 'diététicien diététicienne diététique'
    WHEN '98' THEN 'manipulateur d’électroradiologie manipulatrice erm'
  END
$$;
CREATE FUNCTION words_of_specialty(code text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE code
    WHEN 'SM54' THEN 'médecine générale généraliste mg traitant'
    WHEN 'SM26' THEN 'médecine générale généraliste mg traitant'
    WHEN 'SM53' THEN 'médecine générale généraliste mg traitant'
    WHEN 'SM04' THEN 'cardiologie cardiologue cardio'
    WHEN 'SM08' THEN 'chirurgie orthopédique chirurgien orthopédiste'
    WHEN 'SM15' THEN 'dermatologie dermatologue dermato'
    WHEN 'SM18' THEN 'gériatrie gériatre'
    WHEN 'SM20' THEN 'gynécologie gynécologue gynéco obstétrique'
    WHEN 'SM24' THEN 'gastro-entérologie gastro-entérologue gastro'
    WHEN 'SM34' THEN 'orl oto-rhino-laryngologie oto-rhino-laryngologue'
    WHEN 'SM38' THEN 'ophtalmologie ophtalmologue ophtalmo'
    WHEN 'SM40' THEN 'pédiatrie pédiatre'
    WHEN 'SM41' THEN 'pneumologie pneumologue pneumo'
    WHEN 'SM42' THEN 'psychiatrie psychiatre psy'
    WHEN 'SM44' THEN 'imagerie médicale radiologie radiologue radio radiodiagnostic'
    WHEN 'SM48' THEN 'rhumatologie rhumatologue rhumato'
  END
$$;
CREATE FUNCTION words_of_language(code text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE code
    WHEN 'ar' THEN 'arabe'
    WHEN 'ber' THEN 'berbère'
    WHEN 'ca' THEN 'catalan'
    WHEN 'de' THEN 'allemand'
    WHEN 'en' THEN 'anglais'
    WHEN 'es' THEN 'espagnol'
    WHEN 'fa' THEN 'persan'
    WHEN 'fr' THEN 'français'
    WHEN 'fsl' THEN 'langue des signes lsf'
    WHEN 'it' THEN 'italien'
    WHEN 'nl' THEN 'néerlandais'
    WHEN 'oc' THEN 'occitan'
    WHEN 'pl' THEN 'polonais'
    WHEN 'pt' THEN 'portugais'
    WHEN 'ro' THEN 'roumain'
    WHEN 'ru' THEN 'russe'
    WHEN 'tr' THEN 'turc'
    WHEN 'uk' THEN 'ukrainien'
    WHEN 'vi' THEN 'vietnamien'
    WHEN 'zh' THEN 'chinois'
    ELSE code
  END
$$;

-- What the directory is searched by: one row for each place where somebody works and for each service, publishing
-- or not, kept current by triggers. Both texts are `folded`, with a space before and after every word.
CREATE TABLE directory_entry (
  id                     uuid PRIMARY KEY,  -- of its practitioner_role or healthcare_service
  territory_id           smallint NOT NULL REFERENCES territory,
  practitioner_role_id   uuid,
  healthcare_service_id  uuid,
  name                   text NOT NULL,     -- family name first: the order of a paper list
  words                  text NOT NULL,     -- name, profession, specialty, skills, languages, acts, place, commune
  CONSTRAINT directory_entry_one_owner CHECK (num_nonnulls(practitioner_role_id, healthcare_service_id) = 1),
  CONSTRAINT directory_entry_is_its_owner CHECK (id = coalesce(practitioner_role_id, healthcare_service_id)),
  CONSTRAINT directory_entry_practitioner_role FOREIGN KEY (practitioner_role_id, territory_id)
    REFERENCES practitioner_role (id, territory_id) ON DELETE CASCADE,
  CONSTRAINT directory_entry_healthcare_service FOREIGN KEY (healthcare_service_id, territory_id)
    REFERENCES healthcare_service (id, territory_id) ON DELETE CASCADE
);
-- For words as they are typed: gist takes the territory too, and siglen keeps long texts apart. What only comes near
-- is looked for among all of a territory.
CREATE INDEX directory_entry_by_words ON directory_entry USING gist (territory_id, words gist_trgm_ops (siglen = 128));
CREATE INDEX directory_entry_by_territory ON directory_entry (territory_id);

-- Write the rows of these places of work and services anew, as the other tables have them now.
CREATE FUNCTION renew_directory(of_role_ids uuid[], of_service_ids uuid[]) RETURNS void LANGUAGE sql VOLATILE AS $$
  DELETE FROM directory_entry USING practitioner_role role
   WHERE role.id = directory_entry.id AND role.id = ANY (of_role_ids) AND role.ended_at IS NOT NULL;
  INSERT INTO directory_entry (id, territory_id, practitioner_role_id, healthcare_service_id, name, words)
  SELECT said.id, said.territory_id, said.role_id, said.service_id, ' ' || trim(folded(said.name)) || ' ',
         ' ' || trim(folded(concat_ws(' ', said.name, said.about, location.name, commune.name,
           (SELECT string_agg(act.label, ' ' ORDER BY act.code)
              FROM act
             WHERE act.territory_id = said.territory_id AND act.code = ANY (schedule.default_acts))))) || ' '
    FROM (SELECT practitioner_role.id, practitioner_role.territory_id, practitioner_role.id AS role_id,
                 NULL::uuid AS service_id, location_id,
                 concat_ws(' ', family_name, given_name) AS name,
                 concat_ws(' ', words_of_profession(profession), words_of_specialty(specialty),
                   array_to_string(skills, ' '),
                   (SELECT string_agg(words_of_language(code), ' ') FROM unnest(languages) AS code)) AS about
            FROM practitioner_role
            JOIN practitioner ON practitioner.id = practitioner_role.practitioner_id
           WHERE practitioner_role.id = ANY (of_role_ids) AND practitioner_role.ended_at IS NULL
           UNION ALL
          SELECT id, territory_id, NULL, id, location_id, name,
                 concat_ws(' ', 'service', coalesce(words_of_specialty(specialty), words_of_profession(profession)))
            FROM healthcare_service
           WHERE id = ANY (of_service_ids)) AS said
    JOIN location ON location.id = said.location_id
    JOIN commune ON commune.insee = location.insee
    LEFT JOIN schedule ON schedule.practitioner_role_id = said.role_id OR schedule.healthcare_service_id = said.service_id
  ON CONFLICT (id) DO UPDATE
     SET territory_id = excluded.territory_id, name = excluded.name, words = excluded.words
   WHERE (directory_entry.territory_id, directory_entry.name, directory_entry.words)
         IS DISTINCT FROM (excluded.territory_id, excluded.name, excluded.words)
$$;

CREATE FUNCTION directory_has_changed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  CASE TG_TABLE_NAME
    WHEN 'practitioner_role' THEN
      PERFORM renew_directory(ARRAY[NEW.id], '{}');
    WHEN 'healthcare_service' THEN
      PERFORM renew_directory('{}', ARRAY[NEW.id]);
    WHEN 'schedule' THEN
      PERFORM renew_directory(ARRAY[NEW.practitioner_role_id], ARRAY[NEW.healthcare_service_id]);
    WHEN 'practitioner' THEN
      PERFORM renew_directory(ARRAY(SELECT id FROM practitioner_role WHERE practitioner_id = NEW.id), '{}');
    WHEN 'location' THEN
      PERFORM renew_directory(ARRAY(SELECT id FROM practitioner_role WHERE location_id = NEW.id),
                              ARRAY(SELECT id FROM healthcare_service WHERE location_id = NEW.id));
    WHEN 'commune' THEN
      PERFORM renew_directory(
        ARRAY(SELECT role.id FROM practitioner_role role JOIN location ON location.id = role.location_id
               WHERE location.insee = NEW.insee),
        ARRAY(SELECT service.id FROM healthcare_service service JOIN location ON location.id = service.location_id
               WHERE location.insee = NEW.insee));
    WHEN 'act' THEN
      PERFORM renew_directory(array_agg(practitioner_role_id), array_agg(healthcare_service_id))
         FROM schedule
        WHERE territory_id = NEW.territory_id AND default_acts @> ARRAY[NEW.code];
  END CASE;
  RETURN NULL;
END
$$;
CREATE TRIGGER practitioner_in_directory
  AFTER UPDATE OF given_name, family_name, profession, specialty, skills, languages ON practitioner
  FOR EACH ROW EXECUTE FUNCTION directory_has_changed();
CREATE TRIGGER practitioner_role_in_directory AFTER INSERT OR UPDATE ON practitioner_role
  FOR EACH ROW EXECUTE FUNCTION directory_has_changed();
CREATE TRIGGER healthcare_service_in_directory
  AFTER INSERT OR UPDATE OF territory_id, location_id, name, profession, specialty ON healthcare_service
  FOR EACH ROW EXECUTE FUNCTION directory_has_changed();
CREATE TRIGGER schedule_in_directory AFTER INSERT OR UPDATE OF default_acts ON schedule
  FOR EACH ROW EXECUTE FUNCTION directory_has_changed();
CREATE TRIGGER location_in_directory AFTER UPDATE OF name, insee ON location
  FOR EACH ROW EXECUTE FUNCTION directory_has_changed();
CREATE TRIGGER commune_in_directory AFTER UPDATE OF name ON commune
  FOR EACH ROW WHEN (old.name <> new.name) EXECUTE FUNCTION directory_has_changed();
CREATE TRIGGER act_in_directory AFTER INSERT OR UPDATE OF label ON act
  FOR EACH ROW EXECUTE FUNCTION directory_has_changed();

------------------------------------------------------------------------------------------------
-- Slots and appointments.
------------------------------------------------------------------------------------------------

CREATE TABLE slot (
  id                     uuid PRIMARY KEY,
  territory_id           smallint NOT NULL REFERENCES territory,
  schedule_id            uuid NOT NULL,
  location_id            uuid NOT NULL,
  practitioner_id        uuid REFERENCES practitioner,  -- copied from the schedule, for slot_no_overlap
  healthcare_service_id  uuid,
  room                   smallint,                      -- of a healthcare service
  starts_at              timestamptz NOT NULL,
  ends_at                timestamptz NOT NULL,
  capacity               smallint NOT NULL,
  modality               text NOT NULL,
  area                   jsonb,            -- HH only: {"insee": [...]} or {"radius_km": n}
  acts                   text[] NOT NULL,
  audience               text[] NOT NULL,
  note                   text,
  version                bigint NOT NULL DEFAULT 1,  -- every change of the slot or of its appointments
  terms                  bigint NOT NULL DEFAULT 1,  -- changes of time, place, modality, acts: what a holder agreed to
  offered_at             timestamptz NOT NULL,
  offered_by             uuid NOT NULL REFERENCES account,
  withdrawn_at           timestamptz,
  withdrawn_by           uuid REFERENCES account,
  CONSTRAINT slot_in_territory UNIQUE (id, territory_id),
  CONSTRAINT slot_schedule FOREIGN KEY (schedule_id, territory_id) REFERENCES schedule (id, territory_id),
  CONSTRAINT slot_location FOREIGN KEY (location_id, territory_id) REFERENCES location (id, territory_id),
  CONSTRAINT slot_healthcare_service FOREIGN KEY (healthcare_service_id, territory_id)
    REFERENCES healthcare_service (id, territory_id),
  CONSTRAINT slot_one_owner CHECK (num_nonnulls(practitioner_id, healthcare_service_id) = 1),
  CONSTRAINT slot_service_has_room CHECK ((healthcare_service_id IS NULL) = (room IS NULL)),
  CONSTRAINT slot_ends_after_start CHECK (ends_at > starts_at),
  CONSTRAINT slot_at_most_a_day CHECK (ends_at <= starts_at + interval '24 hours'),
  CONSTRAINT slot_capacity_range CHECK (capacity BETWEEN 1 AND 50),
  CONSTRAINT slot_modality_known CHECK (modality IN ('AMB', 'HH', 'VR')),
  CONSTRAINT slot_home_has_area CHECK ((modality = 'HH') = (area IS NOT NULL)),
  CONSTRAINT slot_has_acts CHECK (cardinality(acts) > 0),
  CONSTRAINT slot_audience_known CHECK (audience <@ '{CPTS,SNP,PRO,PUBLIC}' AND cardinality(audience) > 0),
  CONSTRAINT slot_note_short CHECK (char_length(note) <= 80),
  -- Nobody is in two places (invariant 2), across places and territories: constraints ignore row level security.
  CONSTRAINT slot_no_overlap EXCLUDE USING gist (practitioner_id WITH =, tstzrange(starts_at, ends_at, '[)') WITH &&)
    WHERE (withdrawn_at IS NULL AND modality IN ('AMB', 'HH')),
  CONSTRAINT slot_no_overlap_in_room
    EXCLUDE USING gist (healthcare_service_id WITH =, room WITH =, tstzrange(starts_at, ends_at, '[)') WITH &&)
    WHERE (withdrawn_at IS NULL AND modality IN ('AMB', 'HH'))
) WITH (fillfactor = 70);  -- a new version of a slot stays on its page, and no index hears of it
CREATE INDEX slot_by_end ON slot (territory_id, ends_at);
CREATE INDEX slot_by_schedule ON slot (schedule_id, starts_at);

CREATE TABLE appointment (
  id                          uuid PRIMARY KEY,
  territory_id                smallint NOT NULL,  -- as its schedule's, by the composite key
  schedule_id                 uuid NOT NULL,
  slot_id                     uuid,        -- NULL: overflow, an appointment without a seat
  seat                        smallint,
  hold_id                     uuid,
  reference                   text NOT NULL,  -- spoken on the phone: 6 unambiguous characters
  status                      text NOT NULL DEFAULT 'booked',
  origin                      text NOT NULL,
  reason                      text NOT NULL,
  urgency                     text NOT NULL,
  starts_at                   timestamptz NOT NULL,  -- the slot's, or the overflow's own
  booked_by_account_id        uuid NOT NULL REFERENCES account,
  booked_by_organisation_id   uuid NOT NULL REFERENCES organisation,
  booked_by_name              text NOT NULL,
  booked_by_organisation      text NOT NULL,
  booked_by_phone             text NOT NULL,
  held_at                     timestamptz,
  booked_at                   timestamptz NOT NULL,
  seen_at                     timestamptz,
  outcome_at                  timestamptz,
  cancelled_at                timestamptz,
  cancelled_by                uuid REFERENCES account,
  cancelled_by_side           text,        -- professional: then the referrer's organisation has a patient to tell
  patient_told_at             timestamptz,
  patient_told_by             uuid REFERENCES account,
  moved_to                    uuid,
  address_told_at             timestamptz, -- of a visit at home: told by phone, never written down here
  CONSTRAINT appointment_in_territory UNIQUE (id, territory_id),
  -- Not the territory first: a foreign key's plan that was made on a small table would take such an index.
  CONSTRAINT appointment_reference_unique UNIQUE (reference, territory_id),
  CONSTRAINT appointment_slot FOREIGN KEY (slot_id, territory_id) REFERENCES slot (id, territory_id),
  CONSTRAINT appointment_schedule FOREIGN KEY (schedule_id, territory_id) REFERENCES schedule (id, territory_id),
  -- Without the territory: who covers two of them moves a patient from one to the other.
  CONSTRAINT appointment_moved_to FOREIGN KEY (moved_to) REFERENCES appointment DEFERRABLE INITIALLY DEFERRED,
  CONSTRAINT appointment_seat_of_slot CHECK ((slot_id IS NULL) = (seat IS NULL)),
  CONSTRAINT appointment_seat_positive CHECK (seat >= 1),
  CONSTRAINT appointment_status_known CHECK (status IN ('booked', 'fulfilled', 'noshow', 'cancelled')),
  CONSTRAINT appointment_origin_known CHECK (origin IN ('referrer', 'regulation', 'emergency', 'self')),
  CONSTRAINT appointment_reference_format CHECK (reference ~ '^[2-9A-HJ-NP-Z]{6}$'),
  CONSTRAINT appointment_cancelled_has_side
    CHECK ((status = 'cancelled') = (cancelled_at IS NOT NULL AND cancelled_by_side IS NOT NULL)),
  CONSTRAINT appointment_side_known CHECK (cancelled_by_side IN ('referrer', 'professional', 'move'))
);
-- One seat, one appointment (invariant 1). A fulfilled seat of a plage is still taken.
CREATE UNIQUE INDEX appointment_one_per_seat ON appointment (slot_id, seat)
  WHERE status <> 'cancelled' AND seat IS NOT NULL;
CREATE INDEX appointment_by_schedule ON appointment (schedule_id, starts_at);
CREATE INDEX appointment_by_organisation ON appointment (booked_by_organisation_id, starts_at);
CREATE INDEX appointment_patient_to_tell ON appointment (booked_by_organisation_id)
  WHERE status = 'cancelled' AND cancelled_by_side = 'professional' AND patient_told_at IS NULL;

-- What everybody in a territory may know of its appointments: which seats are taken (and below, how many there are).
CREATE FUNCTION seats_of_slot(of_slot_id uuid) RETURNS jsonb
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  RETURN (SELECT coalesce(jsonb_object_agg(appointment.seat, appointment.hold_id), '{}')
            FROM appointment
           WHERE appointment.slot_id = of_slot_id AND appointment.status <> 'cancelled' AND appointment.seat IS NOT NULL
             AND appointment.territory_id = ANY (entered_territories()));
END
$$;

-- The optional contact of a patient: sealed, for the two sides of the booking only, and gone after the slot. Off unless
-- a territory switches it on.
CREATE TABLE patient_contact (
  appointment_id  uuid PRIMARY KEY,
  territory_id    smallint NOT NULL,
  sealed          bytea NOT NULL,          -- slots/sealing.py; what is in it: slots/patient_contact.py
  written_at      timestamptz NOT NULL,
  purge_at        timestamptz NOT NULL,    -- as was promised to whoever wrote it
  CONSTRAINT patient_contact_appointment FOREIGN KEY (appointment_id, territory_id) REFERENCES appointment (id, territory_id),
  CONSTRAINT patient_contact_short CHECK (octet_length(sealed) <= 2048)
);
CREATE INDEX patient_contact_by_purge ON patient_contact (purge_at);

-- The whole slot as the ledger has it, with its booked seats, in one look (invariant 9). It reads with
-- the rights of whoever asks, so the walls hold; the seats by their door.
CREATE VIEW ledger_slot WITH (security_invoker = true) AS
SELECT slot.*,
       territory.slug AS territory,
       schedule.daily_cap,
       practitioner.given_name || ' ' || practitioner.family_name AS practitioner_name,
       practitioner.profession AS practitioner_profession,
       practitioner.specialty AS practitioner_specialty,
       healthcare_service.name AS service_name,
       healthcare_service.profession AS service_profession,
       healthcare_service.specialty AS service_specialty,
       location.name AS location_name,
       commune.name AS location_commune,
       location.insee AS location_insee,
       location.lat AS location_lat,
       location.lon AS location_lon,
       coalesce(healthcare_service.phone, location.phone) AS location_phone,
       seats_of_slot(slot.id) AS seats,
       territory.horizon_h
  FROM slot
  JOIN territory ON territory.id = slot.territory_id
  JOIN schedule ON schedule.id = slot.schedule_id
  JOIN location ON location.id = slot.location_id
  JOIN commune ON commune.insee = location.insee
  LEFT JOIN practitioner ON practitioner.id = slot.practitioner_id
  LEFT JOIN healthcare_service ON healthcare_service.id = slot.healthcare_service_id;

-- The locks of a booking, in the one order that everybody keeps: schedules that have a daily cap
-- (counted under their lock), then slots; and then the slots, whole. Each statement of a VOLATILE
-- function sees what was committed before it began: the slots are read after the lock, not before.
CREATE FUNCTION lock_to_book(of_slot_ids uuid[]) RETURNS SETOF ledger_slot
LANGUAGE plpgsql VOLATILE SET plan_cache_mode = force_generic_plan AS $$
BEGIN
  PERFORM FROM schedule
    WHERE id = ANY (ARRAY(SELECT schedule_id FROM slot WHERE slot.id = ANY (of_slot_ids))) AND daily_cap IS NOT NULL
    ORDER BY id FOR NO KEY UPDATE;
  PERFORM FROM slot WHERE id = ANY (of_slot_ids) ORDER BY id FOR UPDATE;
  RETURN QUERY SELECT * FROM ledger_slot WHERE id = ANY (of_slot_ids);
END
$$;

-- A hold ends once (invariant 4): by confirmation, or by revocation (appointment_id NULL).
CREATE TABLE hold_end (
  hold_id         uuid,
  territory_id    smallint NOT NULL,
  appointment_id  uuid,
  ended_at        timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT hold_end_pkey PRIMARY KEY (hold_id),
  CONSTRAINT hold_end_appointment FOREIGN KEY (appointment_id, territory_id) REFERENCES appointment (id, territory_id)
    DEFERRABLE INITIALLY DEFERRED
);

-- What a command answered, so that repeating it has one effect (invariant 5). Only successes are here.
CREATE TABLE idempotency_key (
  account_id   uuid NOT NULL REFERENCES account,
  verb         text NOT NULL,
  key          text NOT NULL,
  body_hash    bytea NOT NULL,
  answer       jsonb NOT NULL,             -- ids of what was made; the answer is read again from them
  created_at   timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (account_id, verb, key),
  CONSTRAINT idempotency_key_length CHECK (char_length(key) BETWEEN 1 AND 100)
);
CREATE INDEX idempotency_key_by_age ON idempotency_key (created_at);

-- Slot X changed, by verb V: to be put to the broker (invariant 9).
CREATE TABLE outbox (
  id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  territory_id  smallint NOT NULL,
  slot_id       uuid NOT NULL,
  version       bigint NOT NULL,           -- that the broker must have, or a newer one
  verb          text NOT NULL,
  created_at    timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT outbox_slot FOREIGN KEY (slot_id, territory_id) REFERENCES slot (id, territory_id)
);
CREATE INDEX outbox_by_age ON outbox (created_at);

-- Mails that transactions wrote; a worker sends them. Never a word about a patient.
CREATE TABLE mail (
  id            uuid PRIMARY KEY,
  territory_id  smallint NOT NULL,
  recipient     text,                      -- an address; or
  schedule_id   uuid,                      -- everybody who acts for it when the mail leaves; or
  account_id    uuid,                      -- one person
  subject       text NOT NULL,
  body          text NOT NULL,
  created_at    timestamptz NOT NULL DEFAULT now(),
  attempts      smallint NOT NULL DEFAULT 0,
  next_try_at   timestamptz NOT NULL DEFAULT now(),
  sent_at       timestamptz,
  link          text,                      -- what `{link}` in the body becomes when it leaves: a ticket of this purpose
  CONSTRAINT mail_one_addressee CHECK (num_nonnulls(recipient, schedule_id, account_id) = 1),
  CONSTRAINT mail_link_known CHECK (link IN ('invitation', 'reset')),
  CONSTRAINT mail_link_to_an_account CHECK (link IS NULL OR account_id IS NOT NULL)
);
CREATE INDEX mail_to_send ON mail (next_try_at) WHERE sent_at IS NULL;

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

-- A search that found nothing: the need that nobody met. No person is in it.
CREATE TABLE unmet_search (
  id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  territory_id  smallint NOT NULL REFERENCES territory,
  act           text,
  profession    text,
  specialty     text,
  insee         text,
  within_hours  smallint,
  bucket_at     timestamptz NOT NULL,      -- start of the quarter of an hour: the same need asked again counts once
  searched_at   timestamptz NOT NULL,
  CONSTRAINT unmet_search_once
    UNIQUE NULLS NOT DISTINCT (territory_id, bucket_at, act, profession, specialty, insee, within_hours)
);

-- Who did what: ids only, append-only.
CREATE TABLE audit (
  id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  territory_id  smallint NOT NULL,
  at            timestamptz NOT NULL DEFAULT now(),
  account_id    uuid,                      -- NULL: the service itself (a worker)
  verb          text NOT NULL,
  subject       text NOT NULL,             -- slot, appointment, hold, schedule, account
  subject_id    uuid NOT NULL
);
CREATE INDEX audit_by_subject ON audit (subject_id);

-- Only what lies behind an anchor may go, and only in a transaction that says that it retires.
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' AND TG_TABLE_NAME IN ('audit', 'audit_link') AND current_setting('app.retires', true) = 'yes'
     AND EXISTS (SELECT FROM audit_anchor anchor JOIN audit_link link ON link.territory_id = anchor.territory_id AND link.position <= anchor.position
                  WHERE link.territory_id = OLD.territory_id
                    AND link.audit_id = (CASE TG_TABLE_NAME WHEN 'audit' THEN to_jsonb(OLD) ->> 'id' ELSE to_jsonb(OLD) ->> 'audit_id' END)::bigint) THEN
    RETURN OLD;
  END IF;
  RAISE EXCEPTION 'audit rows are append-only' USING ERRCODE = 'insufficient_privilege';
END
$$;
CREATE TRIGGER audit_is_append_only BEFORE UPDATE OR DELETE ON audit
  FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE INDEX audit_of_territory ON audit (territory_id, id);

-- The chain of the audit: each link seals one row and all before it (slots/audit_chain.py).
CREATE TABLE audit_link (
  territory_id  smallint NOT NULL,
  position      bigint NOT NULL,           -- 1, 2, 3 … in each territory
  audit_id      bigint NOT NULL,           -- no foreign key: that a row is missing must be found, not prevented
  hash          bytea NOT NULL,
  CONSTRAINT audit_link_pkey PRIMARY KEY (territory_id, position),
  CONSTRAINT audit_link_once UNIQUE (audit_id),
  CONSTRAINT audit_link_sha256 CHECK (octet_length(hash) = 32)
);
CREATE TRIGGER audit_link_is_append_only BEFORE UPDATE OR DELETE ON audit_link
  FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- How far the log of each territory has been copied into its audit: who held what.
CREATE TABLE audit_copy (
  territory_id  smallint NOT NULL REFERENCES territory,
  generation    bigint NOT NULL,
  entry_id      text NOT NULL,             -- of the log's stream
  CONSTRAINT audit_copy_pkey PRIMARY KEY (territory_id)
);

-- The audit may be shortened from its beginning, behind an anchor: where the chain stood, signed.
CREATE TABLE audit_anchor (
  territory_id  smallint NOT NULL,
  position      bigint NOT NULL,           -- of the last link that is gone
  hash          bytea NOT NULL,
  retired_at    timestamptz NOT NULL,
  signature     bytea NOT NULL,            -- Ed25519 (slots/audit_signing.py)
  CONSTRAINT audit_anchor_pkey PRIMARY KEY (territory_id, position),
  CONSTRAINT audit_anchor_sha256 CHECK (octet_length(hash) = 32)
);
CREATE TRIGGER audit_anchor_is_append_only BEFORE UPDATE OR DELETE ON audit_anchor
  FOR EACH ROW EXECUTE FUNCTION refuse_change();

------------------------------------------------------------------------------------------------
-- Walls: row level security for the role that owns nothing.
------------------------------------------------------------------------------------------------

-- After a transaction-local set_config the value is '' and not NULL, hence nullif.
CREATE FUNCTION entered_territories() RETURNS smallint[] LANGUAGE sql STABLE AS $$
  SELECT nullif(current_setting('app.territories', true), '')::smallint[]
$$;
CREATE FUNCTION entered_account() RETURNS uuid LANGUAGE sql STABLE AS $$
  SELECT nullif(current_setting('app.account', true), '')::uuid
$$;
-- The first statement of each transaction: who acts, and in which territories.
CREATE FUNCTION enter(account_id uuid, territories smallint[]) RETURNS void LANGUAGE sql AS $$
  SELECT set_config('app.account', coalesce(account_id::text, ''), true),
         set_config('app.territories', territories::text, true)
$$;

DO $$
DECLARE
  walled text;
BEGIN
  FOREACH walled IN ARRAY ARRAY[
    'location', 'practitioner_role', 'healthcare_service', 'schedule', 'delegation', 'act', 'reason', 'urgency',
    'slot', 'appointment', 'hold_end', 'outbox', 'mail', 'unmet_search', 'audit', 'audit_link', 'audit_anchor', 'audit_copy', 'directory_entry', 'push',
    'admission'
  ] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', walled);
    EXECUTE format(
      'CREATE POLICY %I ON %I USING (territory_id = ANY ((SELECT entered_territories())::smallint[]))',
      walled || '_wall', walled
    );
  END LOOP;
END
$$;

ALTER TABLE practitioner ENABLE ROW LEVEL SECURITY;
CREATE POLICY practitioner_wall ON practitioner
  USING (EXISTS (SELECT FROM practitioner_role WHERE practitioner_role.practitioner_id = practitioner.id));

ALTER TABLE idempotency_key ENABLE ROW LEVEL SECURITY;
CREATE POLICY idempotency_key_wall ON idempotency_key USING (account_id = (SELECT entered_account()));

-- What is a person's own, whatever the territory.
ALTER TABLE push_subscription ENABLE ROW LEVEL SECURITY;
CREATE POLICY push_subscription_wall ON push_subscription USING (account_id = (SELECT entered_account()));
ALTER TABLE quiet_hours ENABLE ROW LEVEL SECURITY;
CREATE POLICY quiet_hours_wall ON quiet_hours USING (account_id = (SELECT entered_account()));

-- Inside a territory, too, an appointment is its two sides' alone; the audit, mails and pushes are the service's, and
-- who asks to be let in is the coordinator's to read. The service itself enters as nobody.
-- Whose bookings whoever has entered shares, and for whom they act, as account_of_session has it. In PL/pgSQL: its
-- plans are kept, and a policy asks once for each statement.
CREATE FUNCTION entered_organisation() RETURNS uuid
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  RETURN (SELECT organisation_id FROM account WHERE id = entered_account());
END
$$;
CREATE FUNCTION entered_schedules() RETURNS uuid[]
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  RETURN ARRAY(
    SELECT schedule.id
      FROM account
      JOIN practitioner_role role ON role.practitioner_id = account.practitioner_id AND role.ended_at IS NULL
      JOIN schedule ON schedule.practitioner_role_id = role.id
      JOIN membership ON membership.account_id = account.id AND membership.territory_id = schedule.territory_id
                     AND membership.role = 'professional'
     WHERE account.id = entered_account()
     UNION
    SELECT delegation.schedule_id
      FROM delegation
      JOIN membership ON membership.account_id = delegation.account_id AND membership.territory_id = delegation.territory_id
                     AND membership.role IN ('delegate', 'professional')
     WHERE delegation.account_id = entered_account());
END
$$;

-- Where whoever has entered may send patients, hence shares the bookings of their organisation: a coordinator does not.
CREATE FUNCTION entered_to_refer() RETURNS smallint[]
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  RETURN ARRAY(
    SELECT territory_id FROM membership
     WHERE account_id = entered_account() AND role IN ('professional', 'delegate', 'referrer', 'regulator')
     UNION
    SELECT neighbour.territory_id
      FROM territory_neighbour neighbour JOIN membership ON membership.territory_id = neighbour.neighbour_id
     WHERE membership.account_id = entered_account() AND membership.role IN ('professional', 'delegate', 'referrer'));
END
$$;

-- A booking is written by one of its own sides. One question about the new row, where the lists of whoever has entered
-- would be made for it alone: who books in their own territory for their own organisation, as nearly always, is found
-- by two keys.
CREATE FUNCTION is_own_side(of_organisation_id uuid, in_territory_id smallint, of_schedule_id uuid) RETURNS boolean
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  RETURN EXISTS (
      SELECT FROM account JOIN membership ON membership.account_id = account.id
       WHERE account.id = entered_account() AND account.organisation_id = of_organisation_id
         AND membership.territory_id = in_territory_id
         AND membership.role IN ('professional', 'delegate', 'referrer', 'regulator'))
    OR of_organisation_id = entered_organisation() AND in_territory_id = ANY (entered_to_refer())
    OR of_schedule_id = ANY (entered_schedules());
END
$$;

CREATE POLICY appointment_sides ON appointment AS RESTRICTIVE FOR SELECT
  USING ((SELECT entered_account()) IS NULL
         OR booked_by_organisation_id = (SELECT entered_organisation())
            AND territory_id = ANY ((SELECT entered_to_refer())::smallint[])
         OR schedule_id = ANY ((SELECT entered_schedules())::uuid[]));
CREATE POLICY appointment_changed ON appointment AS RESTRICTIVE FOR UPDATE
  USING ((SELECT entered_account()) IS NULL
         OR booked_by_organisation_id = (SELECT entered_organisation())
            AND territory_id = ANY ((SELECT entered_to_refer())::smallint[])
         OR schedule_id = ANY ((SELECT entered_schedules())::uuid[]));
CREATE POLICY appointment_booked ON appointment AS RESTRICTIVE FOR INSERT
  WITH CHECK ((SELECT entered_account()) IS NULL OR is_own_side(booked_by_organisation_id, territory_id, schedule_id));
CREATE POLICY audit_reading ON audit AS RESTRICTIVE FOR SELECT USING ((SELECT entered_account()) IS NULL);
CREATE POLICY mail_reading ON mail AS RESTRICTIVE FOR SELECT USING ((SELECT entered_account()) IS NULL);
CREATE POLICY push_own ON push AS RESTRICTIVE
  USING ((SELECT entered_account()) IS NULL OR subscription_id IN (SELECT id FROM push_subscription));

-- Whether whoever has entered is a side of this appointment: of the organisation that booked it, its effector, or one
-- of their delegates, with a role in its territory that makes it so. `Account.is_side_of` and the matrix in SQL.
CREATE FUNCTION is_a_side_of_appointment(of_appointment_id uuid)
RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT EXISTS (
    SELECT FROM appointment
      JOIN account ON account.id = entered_account() AND account.disabled_at IS NULL
     WHERE appointment.id = of_appointment_id AND appointment.territory_id = ANY (entered_territories())
       AND (appointment.booked_by_organisation_id = account.organisation_id AND appointment.territory_id = ANY (entered_to_refer())
            OR appointment.schedule_id = ANY (entered_schedules())))
$$;

-- Behind the wall of the territory stands a second one, of the persons.
ALTER TABLE patient_contact ENABLE ROW LEVEL SECURITY;
CREATE POLICY patient_contact_wall ON patient_contact USING (territory_id = ANY ((SELECT entered_territories())::smallint[]));
CREATE POLICY patient_contact_sides ON patient_contact AS RESTRICTIVE USING (is_a_side_of_appointment(appointment_id));

ALTER TABLE account ENABLE ROW LEVEL SECURITY;
ALTER TABLE membership ENABLE ROW LEVEL SECURITY;
ALTER TABLE session ENABLE ROW LEVEL SECURITY;
ALTER TABLE workstation ENABLE ROW LEVEL SECURITY;
ALTER TABLE sign_in_failure ENABLE ROW LEVEL SECURITY;
ALTER TABLE authenticator_app ENABLE ROW LEVEL SECURITY;
ALTER TABLE passkey ENABLE ROW LEVEL SECURITY;
ALTER TABLE recovery_code ENABLE ROW LEVEL SECURITY;
ALTER TABLE ticket ENABLE ROW LEVEL SECURITY;

------------------------------------------------------------------------------------------------
-- Narrow doors for what precedes a territory: SECURITY DEFINER, one purpose each.
------------------------------------------------------------------------------------------------

-- The password's hash of one address, to verify it; nothing else of the account.
CREATE FUNCTION account_to_sign_in(wanted_email text)
RETURNS TABLE (account_id uuid, password_hash text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT id, account.password_hash FROM account WHERE email = lower(wanted_email) AND disabled_at IS NULL
$$;

CREATE FUNCTION sign_in_failures(wanted_email text, wanted_address text)
RETURNS TABLE (failures integer, last_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT sign_in_failure.failures, sign_in_failure.last_at FROM sign_in_failure
   WHERE email = lower(wanted_email) AND address = wanted_address
$$;
CREATE FUNCTION record_sign_in_failure(wanted_email text, wanted_address text, at timestamptz)
RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
  INSERT INTO sign_in_failure (email, address, failures, last_at)
  VALUES (lower(wanted_email), wanted_address, 1, at)
  ON CONFLICT (email, address)
  DO UPDATE SET failures = sign_in_failure.failures + 1, last_at = excluded.last_at
$$;
CREATE FUNCTION forget_sign_in_failures(wanted_email text, wanted_address text)
RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
  DELETE FROM sign_in_failure WHERE email = lower(wanted_email) AND address = wanted_address
$$;

CREATE FUNCTION open_session(
  new_id_hash bytea, for_account_id uuid, at timestamptz, until timestamptz, on_device text DEFAULT '', by_proof text DEFAULT 'password',
  on_own_phone boolean DEFAULT false
)
RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
  INSERT INTO session (id_hash, account_id, created_at, seen_at, expires_at, device, proof, proved_at, is_phone)
  VALUES (new_id_hash, for_account_id, at, at, until, on_device, by_proof, at, on_own_phone)
$$;
-- A key for software: a session of whoever has entered, without a browser.
CREATE FUNCTION open_key(new_id_hash bytea, called text, with_scopes text[], at timestamptz, until timestamptz)
RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
  INSERT INTO session (id_hash, account_id, created_at, seen_at, expires_at, device, proof, proved_at, kind, scopes)
  VALUES (new_id_hash, entered_account(), at, at, until, called, 'password', at, 'key', with_scopes)
$$;
-- A screen on a wall, of whoever has entered. Until its link is spent it lasts as long as that; no cookie has its id.
CREATE FUNCTION offer_screen(
  new_id_hash bytea, new_link_hash bytea, called text, on_walls smallint[], at timestamptz, link_until timestamptz
)
RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
  INSERT INTO session (id_hash, account_id, created_at, seen_at, expires_at, device, proof, proved_at, kind, walls, link_hash)
  VALUES (new_id_hash, entered_account(), at, at, link_until, called, 'password', at, 'wall', on_walls, new_link_hash)
$$;
-- What the link is for, as long as it is good. Looking spends nothing.
CREATE FUNCTION screen_of_link(of_link_hash bytea, at timestamptz)
RETURNS TABLE (name text, walls smallint[])
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT session.device, session.walls
    FROM session JOIN account ON account.id = session.account_id
   WHERE session.link_hash = of_link_hash AND session.ended_at IS NULL AND session.expires_at > at AND account.disabled_at IS NULL
$$;
-- Whose screen it is, for one browser only, however many ask at once: the link is spent.
CREATE FUNCTION begin_screen(of_link_hash bytea, new_id_hash bytea, at timestamptz, until timestamptz)
RETURNS uuid
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
  UPDATE session SET id_hash = new_id_hash, link_hash = NULL, seen_at = at, expires_at = until
    FROM account
   WHERE session.link_hash = of_link_hash AND session.ended_at IS NULL AND session.expires_at > at
     AND account.id = session.account_id AND account.disabled_at IS NULL
  RETURNING account.id
$$;
CREATE FUNCTION own_devices(at timestamptz)
RETURNS TABLE (
  id uuid, kind text, device text, scopes text[], walls smallint[], created_at timestamptz, seen_at timestamptz, expires_at timestamptz,
  is_offered boolean
)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT session.id, session.kind, session.device, session.scopes, session.walls, session.created_at,
         nullif(session.seen_at, session.created_at), session.expires_at, session.link_hash IS NOT NULL
    FROM session
   WHERE session.account_id = entered_account() AND session.kind <> 'browser'
     AND session.ended_at IS NULL AND session.expires_at > at
   ORDER BY session.created_at DESC, session.id
$$;

-- Who is behind the session has shown it again: it goes on, as old as it is, and under its old id nobody has it any more.
-- Answers when it ends; nothing where it has ended, or where somebody else was quicker.
CREATE FUNCTION prove_session(of_id_hash bytea, new_id_hash bytea, at timestamptz, by_proof text)
RETURNS timestamptz
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
  UPDATE session SET id_hash = new_id_hash, proved_at = at, proof = by_proof
   WHERE id_hash = of_id_hash AND ended_at IS NULL AND expires_at > at AND kind = 'browser'
  RETURNING expires_at
$$;
CREATE FUNCTION session_proof(of_id_hash bytea)
RETURNS TABLE (proof text, proved_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT session.proof, session.proved_at FROM session WHERE id_hash = of_id_hash AND ended_at IS NULL
$$;
-- Signing out; a screen on a wall has nobody who could.
CREATE FUNCTION end_session(old_id_hash bytea, at timestamptz)
RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
  UPDATE session SET ended_at = at WHERE id_hash = old_id_hash AND ended_at IS NULL AND kind = 'browser'
$$;
CREATE FUNCTION touch_session(old_id_hash bytea, at timestamptz)
RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
  UPDATE session SET seen_at = at WHERE id_hash = old_id_hash AND ended_at IS NULL
$$;

-- A PC locks when nobody has touched it since `unattended_since`, or when somebody says so; a phone of one's own, a key
-- and a screen on a wall never do.
CREATE FUNCTION is_locked(one session, unattended_since timestamptz)
RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$
  SELECT one.kind = 'browser' AND NOT one.is_phone AND (one.locked_at IS NOT NULL OR one.attended_at <= unattended_since)
$$;
-- A sign of a person. It opens nothing that is locked.
CREATE FUNCTION attend_session(of_id_hash bytea, at timestamptz, unattended_since timestamptz)
RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
  UPDATE session SET attended_at = at
   WHERE id_hash = of_id_hash AND ended_at IS NULL AND attended_at < at AND NOT is_locked(session, unattended_since)
$$;
-- True where it is one that locks, whether it was locked before or not.
CREATE FUNCTION lock_session(of_id_hash bytea, at timestamptz)
RETURNS boolean
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
  UPDATE session SET locked_at = coalesce(locked_at, at)
   WHERE id_hash = of_id_hash AND ended_at IS NULL AND kind = 'browser' AND NOT is_phone
  RETURNING true
$$;
-- What the lock's own page must know; nothing of what lies behind it.
CREATE FUNCTION lock_of_session(of_id_hash bytea, at timestamptz, idle_since timestamptz, unattended_since timestamptz)
RETURNS TABLE (account_id uuid, name text, is_locked boolean, attended_at timestamptz, has_pin boolean, has_passkey boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT account.id, account.name, is_locked(session, unattended_since), session.attended_at, account.pin_hash IS NOT NULL,
         EXISTS (SELECT FROM passkey WHERE passkey.account_id = account.id)
    FROM session JOIN account ON account.id = session.account_id
   WHERE session.id_hash = of_id_hash AND session.kind = 'browser' AND NOT session.is_phone
     AND session.ended_at IS NULL AND session.expires_at > at AND session.seen_at > idle_since
     AND account.disabled_at IS NULL
$$;
-- Counts a try as it looks, so that many at once are as many. No row: not locked, or there were too many before.
CREATE FUNCTION try_pin(of_id_hash bytea, most smallint, at timestamptz, unattended_since timestamptz)
RETURNS TABLE (pin_hash text, tries smallint)
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
  UPDATE session SET pin_tries = session.pin_tries + 1
    FROM account
   WHERE session.id_hash = of_id_hash AND account.id = session.account_id AND account.disabled_at IS NULL
     AND session.ended_at IS NULL AND session.expires_at > at AND is_locked(session, unattended_since)
     AND session.pin_tries < most
  RETURNING account.pin_hash, session.pin_tries
$$;
-- It goes on where it was; who is behind it has not shown more than that they are back.
CREATE FUNCTION unlock_session(of_id_hash bytea, at timestamptz)
RETURNS boolean
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
  UPDATE session SET attended_at = at, seen_at = at, locked_at = NULL, pin_tries = 0
   WHERE id_hash = of_id_hash AND ended_at IS NULL AND expires_at > at AND kind = 'browser' AND NOT is_phone
  RETURNING true
$$;
CREATE FUNCTION put_own_pin(new_pin_hash text)
RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
  UPDATE account SET pin_hash = new_pin_hash WHERE id = entered_account() AND disabled_at IS NULL
$$;
CREATE FUNCTION has_own_pin()
RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT pin_hash IS NOT NULL FROM account WHERE id = entered_account()
$$;

-- The sessions of whoever has entered, and nobody else's.
CREATE FUNCTION own_sessions(at timestamptz, idle_since timestamptz)
RETURNS TABLE (id uuid, id_hash bytea, device text, created_at timestamptz, seen_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT session.id, session.id_hash, session.device, session.created_at, session.seen_at
    FROM session
   WHERE session.account_id = entered_account()
     AND session.kind = 'browser'
     AND session.ended_at IS NULL
     AND session.expires_at > at
     AND (session.is_phone OR session.seen_at > idle_since)
   ORDER BY session.seen_at DESC, session.id
$$;
-- Ends one of them, whatever its kind (NULL: all browsers but the one in use), and says which.
CREATE FUNCTION end_own_sessions(session_id uuid, kept_id_hash bytea, at timestamptz)
RETURNS SETOF bytea
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
  UPDATE session SET ended_at = at
   WHERE account_id = entered_account()
     AND ended_at IS NULL
     AND CASE WHEN session_id IS NULL THEN kind = 'browser' AND id_hash <> kept_id_hash ELSE id = session_id END
  RETURNING id_hash
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
-- The same password, hashed as one does it now: never over another one that was chosen meanwhile, and waiting for nobody.
CREATE FUNCTION renew_password_hash(of_account_id uuid, old_password_hash text, new_password_hash text)
RETURNS boolean
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
  UPDATE account SET password_hash = new_password_hash
   WHERE id = (SELECT one.id FROM account one
                WHERE one.id = of_account_id AND one.password_hash = old_password_hash AND one.disabled_at IS NULL
                  FOR NO KEY UPDATE SKIP LOCKED)
  RETURNING true
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

-- Which of these sessions are still good: each process asks once a second for its open sockets.
-- Where `rights` differs from the time before, the account's memberships or delegations have changed.
CREATE FUNCTION sessions_alive(wanted_id_hashes bytea[], at timestamptz, idle_since timestamptz, unattended_since timestamptz)
RETURNS TABLE (id_hash bytea, rights text, is_locked boolean, attended_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT session.id_hash,
         md5(concat_ws(';', account.practitioner_id, account.organisation_id, account.is_administrator,
           (SELECT string_agg(role.id::text, ',' ORDER BY role.id)
              FROM practitioner_role role WHERE role.practitioner_id = account.practitioner_id AND role.ended_at IS NULL),
           (SELECT string_agg(concat(m.territory_id, m.role), ',' ORDER BY m.territory_id, m.role)
              FROM membership m WHERE m.account_id = account.id),
           (SELECT string_agg(d.schedule_id::text, ',' ORDER BY d.schedule_id)
              FROM delegation d WHERE d.account_id = account.id),
           (SELECT string_agg(concat(n.territory_id, '-', n.neighbour_id), ',' ORDER BY n.territory_id, n.neighbour_id)
              FROM territory_neighbour n))),
         is_locked(session, unattended_since), session.attended_at
    FROM session
    JOIN account ON account.id = session.account_id
   WHERE session.id_hash = ANY (wanted_id_hashes)
     AND session.ended_at IS NULL
     -- One factor was enough for a regulator of that room, and for as long as they are one.
     AND (session.workstation_id IS NULL
          OR EXISTS (SELECT FROM workstation WHERE workstation.id = session.workstation_id
                        AND workstation.organisation_id = account.organisation_id)
             AND EXISTS (SELECT FROM membership WHERE membership.account_id = account.id AND membership.role = 'regulator'))
     AND session.expires_at > at
     AND (session.kind <> 'browser' OR session.is_phone OR session.seen_at > idle_since)
     AND account.disabled_at IS NULL
$$;

-- Everything a request must know about who asks, in one look: the account, its roles, what it reaches. A screen on a
-- wall has none of its maker's roles, and of the territories that it was made for only those that they still regulate.
CREATE FUNCTION account_of_session(wanted_id_hash bytea, at timestamptz, idle_since timestamptz)
RETURNS TABLE (
  account_id uuid, name text, email text, phone text, practitioner_id uuid,
  organisation_id uuid, organisation text, organisation_kind text, seen_at timestamptz,
  memberships jsonb,       -- [{"territory_id", "role"}]
  schedules jsonb,         -- [{"schedule_id", "territory_id"}]: own and delegated
  neighbours jsonb,        -- [{"territory_id", "neighbour_id"}] where the account is a member of the neighbour
  is_administrator boolean, kind text, scopes text[], walls smallint[], is_phone boolean, proved_at timestamptz
)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  WITH member AS (
    SELECT membership.* FROM session JOIN membership ON membership.account_id = session.account_id
     WHERE session.id_hash = wanted_id_hash AND session.kind <> 'wall'
  )
  SELECT account.id, account.name, account.email, account.phone, account.practitioner_id,
         organisation.id, organisation.name, organisation.kind, session.seen_at,
         (SELECT coalesce(jsonb_agg(jsonb_build_object('territory_id', m.territory_id, 'role', m.role)
                                    ORDER BY m.territory_id, m.role), '[]')
            FROM member m),
         (SELECT coalesce(jsonb_agg(jsonb_build_object('schedule_id', owned.id, 'territory_id', owned.territory_id)
                                    ORDER BY owned.id), '[]')
            FROM (SELECT s.id, s.territory_id
                    FROM schedule s
                    JOIN practitioner_role r ON r.id = s.practitioner_role_id
                    JOIN member m ON m.territory_id = s.territory_id AND m.role = 'professional'
                   WHERE r.practitioner_id = account.practitioner_id AND r.ended_at IS NULL
                   UNION
                  SELECT d.schedule_id, d.territory_id
                    FROM delegation d
                    JOIN member m ON m.territory_id = d.territory_id AND m.role IN ('delegate', 'professional')
                   WHERE d.account_id = account.id) owned),
         (SELECT coalesce(jsonb_agg(DISTINCT jsonb_build_object('territory_id', n.territory_id, 'neighbour_id', n.neighbour_id)), '[]')
            FROM territory_neighbour n
            JOIN member m ON m.territory_id = n.neighbour_id AND m.role IN ('professional', 'delegate', 'referrer')),
         account.is_administrator AND session.kind = 'browser', session.kind, session.scopes,
         ARRAY(SELECT m.territory_id FROM membership m
                WHERE m.account_id = account.id AND m.role = 'regulator' AND m.territory_id = ANY (session.walls)),
         session.is_phone, session.proved_at
    FROM session
    JOIN account ON account.id = session.account_id
    JOIN organisation ON organisation.id = account.organisation_id
   WHERE session.id_hash = wanted_id_hash
     AND session.ended_at IS NULL
     AND session.expires_at > at
     AND (session.kind <> 'browser' OR session.is_phone OR session.seen_at > idle_since)
     AND account.disabled_at IS NULL
$$;

-- What a coordinator does for the people of one territory, a professional for their delegates, and an administrator.
-- Whether whoever has entered coordinates a territory that was entered: every door below asks it first.
CREATE FUNCTION coordinates(of_territory_id smallint)
RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT of_territory_id = ANY (entered_territories())
     AND EXISTS (SELECT FROM membership JOIN account ON account.id = membership.account_id
                  WHERE membership.account_id = entered_account() AND membership.territory_id = of_territory_id
                    AND membership.role = 'coordinator' AND account.disabled_at IS NULL)
$$;
CREATE POLICY admission_reading ON admission AS RESTRICTIVE FOR SELECT
  USING ((SELECT entered_account()) IS NULL OR coordinates(territory_id));

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

-- Somebody joins a territory. Regulators come from where regulation is already: by the installation. A new address gets an account and an invitation by mail; one that is known gets the
-- roles, and who invites learns of it only that. Answers `invited`, `added`, or why not.
CREATE FUNCTION invite(
  into_territory_id smallint, new_account_id uuid, with_email text, called text, with_phone text, of_organisation text,
  with_roles text[], with_rpps text, new_mail_id uuid, the_subject text, the_body text, at timestamptz
)
RETURNS TABLE (outcome text, account_id uuid)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
#variable_conflict use_column
DECLARE
  there account%ROWTYPE;
  place_id uuid;   -- of the organisation
  person_id uuid;  -- of the practitioner
BEGIN
  IF NOT coordinates(into_territory_id) THEN
    RETURN QUERY SELECT 'not-allowed', NULL::uuid; RETURN;
  END IF;
  IF with_rpps <> '' THEN
    SELECT practitioner.id INTO person_id
      FROM practitioner JOIN practitioner_role role ON role.practitioner_id = practitioner.id
     WHERE practitioner.rpps = with_rpps AND role.territory_id = into_territory_id LIMIT 1;
  END IF;
  IF 'professional' = ANY (with_roles) AND person_id IS NULL THEN
    RETURN QUERY SELECT 'rpps-unknown', NULL::uuid; RETURN;
  END IF;
  SELECT * INTO there FROM account WHERE account.email = lower(with_email) FOR NO KEY UPDATE;
  IF there.disabled_at IS NOT NULL AND NOT there.is_withdrawn THEN
    RETURN QUERY SELECT 'disabled', NULL::uuid; RETURN;
  END IF;
  IF there.practitioner_id IS NOT NULL AND person_id IS NOT NULL AND there.practitioner_id <> person_id THEN
    RETURN QUERY SELECT 'somebody-else', NULL::uuid; RETURN;
  END IF;
  -- A number is one person's: nobody else is tied to it, and nobody from elsewhere by a coordinator who only types it.
  IF person_id IS NOT NULL AND there.practitioner_id IS NULL
     AND (EXISTS (SELECT FROM account other WHERE other.practitioner_id = person_id AND other.id IS DISTINCT FROM there.id
                     AND other.disabled_at IS NULL)
          OR EXISTS (SELECT FROM membership WHERE membership.account_id = there.id)) THEN
    RETURN QUERY SELECT 'rpps-taken', NULL::uuid; RETURN;
  END IF;
  -- Whom the installation has disabled nobody brings back, by whatever address.
  IF EXISTS (SELECT FROM account other WHERE other.practitioner_id = person_id AND other.disabled_at IS NOT NULL AND NOT other.is_withdrawn) THEN
    RETURN QUERY SELECT 'disabled', NULL::uuid; RETURN;
  END IF;
  IF there.id = entered_account() THEN RETURN QUERY SELECT 'own-roles', NULL::uuid; RETURN; END IF;
  -- Who regulates already may do so here too; the first time is the installation's to say.
  IF 'regulator' = ANY (with_roles)
     AND NOT (EXISTS (SELECT FROM organisation WHERE organisation.id = there.organisation_id AND organisation.kind = 'regulation')
              AND EXISTS (SELECT FROM membership WHERE membership.account_id = there.id AND membership.role = 'regulator')) THEN
    RETURN QUERY SELECT 'not-regulation', NULL::uuid; RETURN;
  END IF;
  -- Who comes back after having been taken out comes back to where they work, not to whose bookings they shared.
  IF there.id IS NULL OR there.disabled_at IS NOT NULL
     AND NOT EXISTS (SELECT FROM practitioner_role role JOIN location ON location.id = role.location_id
                      WHERE role.practitioner_id = there.practitioner_id AND role.ended_at IS NULL
                        AND location.organisation_id = there.organisation_id) THEN
    SELECT organisation.id INTO place_id
      FROM organisation
     WHERE organisation.name = of_organisation
       -- Colleagues share their bookings: only where all of the organisation's places are in this territory.
       AND EXISTS (SELECT FROM location WHERE location.organisation_id = organisation.id AND location.territory_id = into_territory_id)
       AND NOT EXISTS (SELECT FROM location WHERE location.organisation_id = organisation.id AND location.territory_id <> into_territory_id)
       AND organisation.kind <> 'regulation'
     ORDER BY organisation.id LIMIT 1;
    IF place_id IS NULL THEN
      place_id := gen_random_uuid();
      INSERT INTO organisation (id, name, kind, phone)
      VALUES (place_id, of_organisation, 'practice', nullif(with_phone, ''));
    END IF;
  END IF;
  IF there.id IS NULL THEN
    INSERT INTO account (id, email, password_hash, name, phone, organisation_id, practitioner_id, created_at)
    VALUES (new_account_id, lower(with_email), NULL, called, nullif(with_phone, ''), place_id, person_id, at);
    INSERT INTO mail (id, territory_id, account_id, subject, body, created_at, next_try_at, link)
    VALUES (new_mail_id, 0, new_account_id, the_subject, the_body, at, at, 'invitation');
    there.id := new_account_id;
    outcome := 'invited';
  ELSE
    UPDATE account
       SET practitioner_id = coalesce(there.practitioner_id, person_id), organisation_id = coalesce(place_id, there.organisation_id),
           disabled_at = NULL, is_withdrawn = false
     WHERE account.id = there.id;
    outcome := 'added';
  END IF;
  INSERT INTO membership (account_id, territory_id, role)
  SELECT there.id, into_territory_id, unnest(with_roles) ON CONFLICT DO NOTHING;
  account_id := there.id;
  RETURN NEXT;
END
$$;

-- These roles in the territory and no others; without any, nothing of the territory is left to them, and who has no
-- other territory cannot sign in any more. False where that would leave the territory without a coordinator.
CREATE FUNCTION set_roles(in_territory_id smallint, of_account_id uuid, new_roles text[], at timestamptz)
RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  -- Nobody changes their own roles. The row is locked: whoever joins somewhere else meanwhile takes turns with us.
  IF NOT coordinates(in_territory_id) OR of_account_id = entered_account()
     OR NOT EXISTS (SELECT FROM account WHERE id = of_account_id AND disabled_at IS NULL FOR NO KEY UPDATE)
     OR NOT EXISTS (SELECT FROM membership WHERE account_id = of_account_id AND territory_id = in_territory_id) THEN
    RETURN NULL;
  END IF;
  -- Two who take each other's last role take turns.
  PERFORM FROM territory WHERE id = in_territory_id FOR NO KEY UPDATE;
  IF NOT 'coordinator' = ANY (new_roles)
     AND NOT EXISTS (SELECT FROM membership JOIN account ON account.id = membership.account_id
                      WHERE territory_id = in_territory_id AND role = 'coordinator'
                        AND account_id <> of_account_id AND account.disabled_at IS NULL) THEN
    RETURN false;
  END IF;
  IF 'professional' = ANY (new_roles)
     AND NOT EXISTS (SELECT FROM account JOIN practitioner_role role ON role.practitioner_id = account.practitioner_id
                      WHERE account.id = of_account_id AND role.territory_id = in_territory_id) THEN
    RETURN NULL;
  END IF;
  IF 'regulator' = ANY (new_roles)
     AND NOT EXISTS (SELECT FROM account JOIN organisation ON organisation.id = account.organisation_id
                       JOIN membership ON membership.account_id = account.id AND membership.role = 'regulator'
                      WHERE account.id = of_account_id AND organisation.kind = 'regulation') THEN
    RETURN NULL;
  END IF;
  DELETE FROM membership WHERE account_id = of_account_id AND territory_id = in_territory_id AND role <> ALL (new_roles);
  INSERT INTO membership (account_id, territory_id, role)
  SELECT of_account_id, in_territory_id, unnest(new_roles) ON CONFLICT DO NOTHING;
  IF NOT new_roles && '{delegate,professional}' THEN
    DELETE FROM delegation WHERE account_id = of_account_id AND territory_id = in_territory_id;
  END IF;
  IF NOT EXISTS (SELECT FROM membership WHERE account_id = of_account_id) THEN
    UPDATE account SET disabled_at = at, is_withdrawn = true WHERE id = of_account_id AND NOT is_administrator;
    UPDATE session SET ended_at = at WHERE account_id = of_account_id AND ended_at IS NULL;
    UPDATE ticket SET spent_at = at WHERE account_id = of_account_id AND spent_at IS NULL;
  END IF;
  RETURN true;
END
$$;

-- Everything that shows who somebody is goes, and a new invitation leaves: for who has lost it all. Only where the
-- person is of no other territory, whose coordinator would have a say.
CREATE FUNCTION invite_again(
  in_territory_id smallint, of_account_id uuid, new_mail_id uuid, the_subject text, the_body text, at timestamptz
)
RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  PERFORM FROM account WHERE id = of_account_id FOR NO KEY UPDATE;
  IF NOT EXISTS (SELECT FROM people_of(in_territory_id) person WHERE person.account_id = of_account_id AND NOT person.is_elsewhere) THEN
    RETURN false;
  END IF;
  DELETE FROM passkey WHERE account_id = of_account_id;
  DELETE FROM authenticator_app WHERE account_id = of_account_id;
  DELETE FROM recovery_code WHERE account_id = of_account_id;
  UPDATE account SET password_hash = NULL, pin_hash = NULL WHERE id = of_account_id;
  UPDATE ticket SET spent_at = at WHERE account_id = of_account_id AND spent_at IS NULL;
  UPDATE session SET ended_at = at WHERE account_id = of_account_id AND ended_at IS NULL;
  INSERT INTO mail (id, territory_id, account_id, subject, body, created_at, next_try_at, link)
  VALUES (new_mail_id, 0, of_account_id, the_subject, the_body, at, at, 'invitation');
  RETURN true;
END
$$;
CREATE FUNCTION end_sessions_of_person(in_territory_id smallint, of_account_id uuid, at timestamptz)
RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM people_of(in_territory_id) person WHERE person.account_id = of_account_id AND NOT person.is_elsewhere) THEN
    RETURN false;
  END IF;
  UPDATE session SET ended_at = at WHERE account_id = of_account_id AND ended_at IS NULL;
  UPDATE ticket SET spent_at = at WHERE account_id = of_account_id AND spent_at IS NULL;
  RETURN true;
END
$$;

-- Who acts for a schedule beside its owner: for its coordinator, and for the owner.
CREATE FUNCTION may_delegate(of_schedule_id uuid)
RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT EXISTS (
    SELECT FROM schedule
     WHERE schedule.id = of_schedule_id AND schedule.territory_id = ANY (entered_territories())
       AND NOT EXISTS (SELECT FROM practitioner_role ended WHERE ended.id = schedule.practitioner_role_id AND ended.ended_at IS NOT NULL)
       AND (coordinates(schedule.territory_id)
            OR EXISTS (SELECT FROM practitioner_role role
                         JOIN account ON account.practitioner_id = role.practitioner_id
                         JOIN membership ON membership.account_id = account.id AND membership.territory_id = schedule.territory_id
                                        AND membership.role = 'professional'
                        WHERE role.id = schedule.practitioner_role_id AND account.id = entered_account()
                          AND account.disabled_at IS NULL)))
$$;
CREATE FUNCTION delegates_of(of_schedule_ids uuid[])
RETURNS TABLE (schedule_id uuid, account_id uuid, name text, email text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT delegation.schedule_id, account.id, account.name, account.email
    FROM delegation
    JOIN account ON account.id = delegation.account_id AND account.disabled_at IS NULL
   WHERE delegation.schedule_id = ANY (of_schedule_ids) AND may_delegate(delegation.schedule_id)
   ORDER BY account.name, account.id
$$;
-- To somebody who is a delegate or a professional of the territory, found by their address. Answers whose it is now.
CREATE FUNCTION delegate_to(of_schedule_id uuid, to_email text)
RETURNS uuid
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
  INSERT INTO delegation (account_id, territory_id, schedule_id)
  SELECT DISTINCT account.id, schedule.territory_id, schedule.id
    FROM schedule
    JOIN account ON account.email = lower(to_email) AND account.disabled_at IS NULL
    JOIN membership ON membership.account_id = account.id AND membership.territory_id = schedule.territory_id
                   AND membership.role IN ('delegate', 'professional')
   WHERE schedule.id = of_schedule_id AND may_delegate(schedule.id)
     -- A coordinator opens no appointment: nor by making themselves a delegate.
     AND account.id <> entered_account()
  ON CONFLICT (account_id, schedule_id) DO UPDATE SET territory_id = excluded.territory_id
  RETURNING account_id
$$;
CREATE FUNCTION end_delegation(of_schedule_id uuid, to_account_id uuid)
RETURNS boolean
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
  DELETE FROM delegation
   WHERE schedule_id = of_schedule_id AND account_id = to_account_id AND may_delegate(of_schedule_id)
  RETURNING true
$$;

-- The audit of a territory, the newest first, with the names of those who acted. Ids only of what it was about.
CREATE FUNCTION audit_of(of_territory_id smallint, before_id bigint, most integer)
RETURNS TABLE (id bigint, at timestamptz, account_id uuid, name text, verb text, subject text, subject_id uuid, subject_name text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT audit.id, audit.at, audit.account_id, account.name, audit.verb, audit.subject, audit.subject_id, person.name
    FROM audit
    LEFT JOIN account ON account.id = audit.account_id
    LEFT JOIN account person ON audit.subject = 'account' AND person.id = audit.subject_id
   WHERE audit.territory_id = of_territory_id AND audit.id < before_id AND coordinates(of_territory_id)
   ORDER BY audit.id DESC
   LIMIT most
$$;

-- All settings at once, as they were typed by who had seen *seen_version*. Answers `saved`, `changed` where somebody else was
-- quicker, or `not-allowed`. Another horizon is another version of every slot that it moves: whoever put a slot with the old
-- one, however late, is behind. Already live slots (*leeway*: clocks differ) stay as they are.
CREATE FUNCTION set_territory(
  of_territory_id smallint, seen_version integer, new_horizon_h smallint, new_hold_for_s smallint, new_holds_max smallint,
  new_audience text[], new_radius_km smallint, new_contact_kept_h smallint, usual_horizon_h smallint, at timestamptz, leeway interval
)
RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  was territory%ROWTYPE;
  nearer interval;
BEGIN
  IF NOT coordinates(of_territory_id) THEN RETURN 'not-allowed'; END IF;
  -- Not FOR NO KEY UPDATE: whoever inserts a slot holds this row by its foreign key. Its slot is committed, hence moved
  -- below, or it is read after us, with the new horizon.
  SELECT * INTO was FROM territory WHERE id = of_territory_id FOR UPDATE;
  IF was.settings_version <> seen_version THEN RETURN 'changed'; END IF;
  UPDATE territory
     SET horizon_h = new_horizon_h, hold_for_s = new_hold_for_s, holds_per_account_max = new_holds_max,
         default_audience = new_audience, search_radius_km = new_radius_km, contact_kept_h = new_contact_kept_h,
         settings_version = settings_version + 1
   WHERE id = of_territory_id;
  IF coalesce(new_horizon_h, usual_horizon_h) <> coalesce(was.horizon_h, usual_horizon_h) THEN
    nearer := make_interval(hours => least(coalesce(new_horizon_h, usual_horizon_h), coalesce(was.horizon_h, usual_horizon_h)));
    PERFORM FROM slot WHERE territory_id = of_territory_id AND ends_at > at AND starts_at > at + nearer - leeway
      ORDER BY id FOR UPDATE;
    WITH moved AS (
      UPDATE slot SET version = version + 1
       WHERE territory_id = of_territory_id AND ends_at > at AND starts_at > at + nearer - leeway
      RETURNING id, territory_id, version
    )
    INSERT INTO outbox (territory_id, slot_id, version, verb) SELECT territory_id, id, version, 'mend' FROM moved;
  END IF;
  RETURN 'saved';
END
$$;

-- Whether another act of the territory that is offered is called so.
CREATE FUNCTION is_act_label_taken(in_territory_id smallint, wanted text, but_code text)
RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT EXISTS (SELECT FROM act WHERE territory_id = in_territory_id AND code <> but_code AND retired_at IS NULL
                    AND trim(folded(label)) = trim(folded(wanted)))
$$;
-- An act gets *wanted_code*, or that with a number where it is another's. Answers its code, or why there is none.
CREATE FUNCTION add_act(
  in_territory_id smallint, wanted_code text, called text, with_preparation text, needs_prescription boolean, at_most integer
)
RETURNS TABLE (outcome text, code text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
#variable_conflict use_column
BEGIN
  IF NOT coordinates(in_territory_id) THEN RETURN QUERY SELECT 'not-allowed', NULL::text; RETURN; END IF;
  -- Two who add the same take turns.
  PERFORM FROM territory WHERE id = in_territory_id FOR NO KEY UPDATE;
  IF is_act_label_taken(in_territory_id, called, '') THEN RETURN QUERY SELECT 'taken', NULL::text; RETURN; END IF;
  IF (SELECT count(*) FROM act WHERE territory_id = in_territory_id) >= at_most THEN
    RETURN QUERY SELECT 'too-many', NULL::text; RETURN;
  END IF;
  SELECT free.code INTO add_act.code
    FROM (SELECT wanted_code AS code, 1 AS number
           UNION ALL
          SELECT wanted_code || '-' || number, number FROM generate_series(2, at_most + 1) AS number) AS free
   WHERE NOT EXISTS (SELECT FROM act WHERE act.territory_id = in_territory_id AND act.code = free.code)
   ORDER BY free.number LIMIT 1;
  INSERT INTO act (territory_id, code, label, preparation, prescription_required)
  VALUES (in_territory_id, add_act.code, called, with_preparation, needs_prescription);
  RETURN QUERY SELECT 'saved', add_act.code;
END
$$;
-- A retired act is offered no more; what carries it keeps its words. Answers as set_territory, `taken` or `unknown`.
CREATE FUNCTION change_act(
  in_territory_id smallint, of_code text, seen_version integer, called text, with_preparation text, needs_prescription boolean,
  is_offered boolean, at timestamptz
)
RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  was act%ROWTYPE;
BEGIN
  IF NOT coordinates(in_territory_id) THEN RETURN 'not-allowed'; END IF;
  PERFORM FROM territory WHERE id = in_territory_id FOR NO KEY UPDATE;
  SELECT * INTO was FROM act WHERE territory_id = in_territory_id AND code = of_code;
  IF NOT FOUND THEN RETURN 'unknown'; END IF;
  IF was.version <> seen_version THEN RETURN 'changed'; END IF;
  IF is_offered AND is_act_label_taken(in_territory_id, called, of_code) THEN RETURN 'taken'; END IF;
  UPDATE act
     SET label = called, preparation = with_preparation, prescription_required = needs_prescription, version = version + 1,
         retired_at = CASE WHEN is_offered THEN NULL ELSE coalesce(retired_at, at) END
   WHERE territory_id = in_territory_id AND code = of_code;
  RETURN 'saved';
END
$$;

-- A territory, with the words of another to begin with, and its first coordinator. Only for an administrator.
CREATE FUNCTION administers()
RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT EXISTS (SELECT FROM account WHERE id = entered_account() AND is_administrator AND disabled_at IS NULL)
$$;
CREATE FUNCTION add_territory(new_slug text, called text, in_department text, like_territory_id smallint, neighbour_ids smallint[])
RETURNS smallint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  new_id smallint;
BEGIN
  IF NOT administers() THEN RETURN NULL; END IF;
  PERFORM pg_advisory_xact_lock(48, -1);
  INSERT INTO territory (id, slug, name, department, partition_id)
  SELECT coalesce(max(id), 0) + 1, new_slug, called, in_department, coalesce(min(partition_id), 0) FROM territory
  RETURNING id INTO new_id;
  -- What the new one opens to its neighbours; what they open to it is for them to say.
  INSERT INTO territory_neighbour (territory_id, neighbour_id) SELECT new_id, unnest(neighbour_ids);
  INSERT INTO act (territory_id, code, label, preparation, prescription_required)
  SELECT new_id, code, label, preparation, prescription_required FROM act
   WHERE territory_id = like_territory_id AND retired_at IS NULL;
  INSERT INTO reason (territory_id, code, label, position)
  SELECT new_id, code, label, position FROM reason WHERE territory_id = like_territory_id;
  INSERT INTO urgency (territory_id, code, label, position)
  SELECT new_id, code, label, position FROM urgency WHERE territory_id = like_territory_id;
  RETURN new_id;
END
$$;
CREATE FUNCTION name_coordinator(
  of_territory_id smallint, new_account_id uuid, with_email text, called text, new_mail_id uuid, the_subject text, the_body text, at timestamptz
)
RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  there uuid;
  organisation_id uuid := gen_random_uuid();
BEGIN
  IF NOT administers() THEN RETURN NULL; END IF;
  SELECT id INTO there FROM account WHERE email = lower(with_email) AND disabled_at IS NULL;
  IF there IS NULL THEN
    INSERT INTO organisation (id, name, kind) SELECT organisation_id, name, 'cpts' FROM territory WHERE id = of_territory_id;
    INSERT INTO account (id, email, password_hash, name, organisation_id, created_at)
    VALUES (new_account_id, lower(with_email), NULL, called, organisation_id, at);
    INSERT INTO mail (id, territory_id, account_id, subject, body, created_at, next_try_at, link)
    VALUES (new_mail_id, 0, new_account_id, the_subject, the_body, at, at, 'invitation');
    there := new_account_id;
  END IF;
  INSERT INTO membership (account_id, territory_id, role) VALUES (there, of_territory_id, 'coordinator') ON CONFLICT DO NOTHING;
  RETURN there;
END
$$;

-- The doors through which a coordinator brings in people and places, by a table or by hand. Each asks by itself whether
-- whoever has entered coordinates the territory, and refuses what reaches into another one. They answer `new`, `changed`,
-- `same`, or in one word why not (slots/people/findings.py); NULL leaves what is there. A row that stays as it is is not
-- locked: whoever books meanwhile waits for no preview.

-- Whether somebody, or an organisation, is anything in another territory, where this coordinator has no say.
CREATE FUNCTION is_practitioner_in(of_practitioner_id uuid, of_territory_id smallint, is_there boolean)
RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT EXISTS (SELECT FROM practitioner_role role
                  WHERE role.practitioner_id = of_practitioner_id AND role.ended_at IS NULL
                    AND (role.territory_id = of_territory_id) = is_there)
      OR EXISTS (SELECT FROM account JOIN membership ON membership.account_id = account.id
                  WHERE account.practitioner_id = of_practitioner_id AND (membership.territory_id = of_territory_id) = is_there)
$$;
CREATE FUNCTION is_organisation_elsewhere(of_organisation_id uuid, than_territory_id smallint)
RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT EXISTS (SELECT FROM organisation WHERE id = of_organisation_id AND kind = 'regulation')
      OR EXISTS (SELECT FROM location WHERE organisation_id = of_organisation_id AND territory_id <> than_territory_id)
      -- One without any place is where its people are.
      OR NOT EXISTS (SELECT FROM location WHERE organisation_id = of_organisation_id)
         AND EXISTS (SELECT FROM account JOIN membership ON membership.account_id = account.id
                      WHERE account.organisation_id = of_organisation_id AND membership.territory_id <> than_territory_id)
$$;

-- An organisation that is at home in the territory: by its number, else by its name; else a new one.
CREATE FUNCTION put_organisation(in_territory_id smallint, called text, with_finess text, of_kind text, with_phone text)
RETURNS TABLE (outcome text, organisation_id uuid)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
#variable_conflict use_column
DECLARE
  there organisation%ROWTYPE;
BEGIN
  IF NOT coordinates(in_territory_id) THEN RETURN QUERY SELECT 'not-allowed', NULL::uuid; RETURN; END IF;
  IF of_kind = 'regulation' THEN RETURN QUERY SELECT 'not-regulation', NULL::uuid; RETURN; END IF;
  SELECT * INTO there FROM organisation WHERE finess = nullif(with_finess, '') ORDER BY id LIMIT 1;
  IF there.id IS NOT NULL AND is_organisation_elsewhere(there.id, in_territory_id) THEN
    RETURN QUERY SELECT 'organisation-elsewhere', NULL::uuid; RETURN;
  END IF;
  IF there.id IS NULL THEN
    SELECT * INTO there
      FROM organisation
     WHERE organisation.name = called
       AND (with_finess = '' OR organisation.finess IS NULL)
       AND NOT is_organisation_elsewhere(organisation.id, in_territory_id)
       AND (EXISTS (SELECT FROM location WHERE location.organisation_id = organisation.id)
            OR EXISTS (SELECT FROM account JOIN membership ON membership.account_id = account.id
                        WHERE account.organisation_id = organisation.id AND membership.territory_id = in_territory_id))
     ORDER BY organisation.id LIMIT 1;
  END IF;
  IF there.id IS NULL THEN
    organisation_id := gen_random_uuid();
    INSERT INTO organisation (id, name, kind, phone, finess)
    VALUES (organisation_id, called, coalesce(nullif(of_kind, ''), 'practice'), nullif(with_phone, ''), nullif(with_finess, ''));
    outcome := 'new';
  ELSE
    organisation_id := there.id;
    UPDATE organisation
       SET name = called, kind = coalesce(nullif(of_kind, ''), kind), finess = coalesce(nullif(with_finess, ''), finess)
     WHERE id = there.id
       AND (name, kind, finess) IS DISTINCT FROM
           (called, coalesce(nullif(of_kind, ''), kind), coalesce(nullif(with_finess, ''), finess));
    outcome := CASE WHEN FOUND THEN 'changed' ELSE 'same' END;
  END IF;
  RETURN NEXT;
END
$$;

-- A place of care, known by its name and its commune. Without coordinates a new one is where its commune is.
CREATE FUNCTION put_place(
  in_territory_id smallint, called text, in_insee text, at_address text, at_lat double precision, at_lon double precision,
  with_phone text, amends_phone boolean, with_access text, is_step_free boolean, has_parking boolean,
  of_organisation text, with_finess text, of_kind text
)
RETURNS TABLE (outcome text, location_id uuid, organisation_id uuid)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
#variable_conflict use_column
DECLARE
  before location%ROWTYPE;
  after location%ROWTYPE;
  held organisation%ROWTYPE;  -- the organisation that the place has
  ground commune%ROWTYPE;
  made record;
BEGIN
  IF NOT coordinates(in_territory_id) THEN RETURN QUERY SELECT 'not-allowed', NULL::uuid, NULL::uuid; RETURN; END IF;
  SELECT * INTO ground FROM commune WHERE insee = in_insee;
  IF ground.insee IS NULL THEN RETURN QUERY SELECT 'insee-unknown', NULL::uuid, NULL::uuid; RETURN; END IF;
  SELECT * INTO before FROM location
   WHERE territory_id = in_territory_id AND name = called AND insee = in_insee ORDER BY id LIMIT 1;
  SELECT * INTO held FROM organisation WHERE id = before.organisation_id;
  IF held.id IS NOT NULL AND of_organisation IN ('', held.name) AND with_finess IN ('', held.finess) AND of_kind IN ('', held.kind) THEN
    SELECT 'same' AS outcome, held.id AS organisation_id INTO made;  -- also one that is at work elsewhere too
  ELSIF held.id IS NOT NULL AND is_organisation_elsewhere(held.id, in_territory_id) THEN
    RETURN QUERY SELECT 'organisation-elsewhere', NULL::uuid, NULL::uuid; RETURN;
  ELSE
    SELECT * INTO made
      FROM put_organisation(in_territory_id, coalesce(nullif(of_organisation, ''), held.name, called), with_finess, of_kind, with_phone);
    IF made.organisation_id IS NULL THEN RETURN QUERY SELECT made.outcome, NULL::uuid, NULL::uuid; RETURN; END IF;
  END IF;
  organisation_id := made.organisation_id;
  IF before.id IS NULL THEN
    location_id := gen_random_uuid();
    INSERT INTO location (id, territory_id, organisation_id, name, address, insee, lat, lon, phone, access, step_free, parking)
    VALUES (location_id, in_territory_id, made.organisation_id, called, coalesce(at_address, ''), in_insee, coalesce(at_lat, ground.lat),
            coalesce(at_lon, ground.lon), with_phone, coalesce(with_access, ''), is_step_free, has_parking);
    outcome := 'new';
  ELSE
    location_id := before.id;
    after := before;
    after.organisation_id := made.organisation_id;
    after.address := coalesce(at_address, before.address);
    after.lat := coalesce(at_lat, before.lat);
    after.lon := coalesce(at_lon, before.lon);
    IF amends_phone AND with_phone <> '' THEN after.phone := with_phone; END IF;
    after.access := coalesce(with_access, before.access);
    after.step_free := coalesce(is_step_free, before.step_free);
    after.parking := coalesce(has_parking, before.parking);
    outcome := CASE WHEN made.outcome = 'same' AND after = before THEN 'same' ELSE 'changed' END;
    IF after <> before THEN
      UPDATE location
         SET organisation_id = after.organisation_id, address = after.address, lat = after.lat, lon = after.lon, phone = after.phone,
             access = after.access, step_free = after.step_free, parking = after.parking
       WHERE id = before.id;
    END IF;
  END IF;
  RETURN NEXT;
END
$$;

-- Somebody of the directory: by id, else by RPPS, else by the address of their account. Who works elsewhere too says
-- nothing new here; and a number that signs somebody in is not a coordinator's to give.
CREATE FUNCTION put_practitioner(
  in_territory_id smallint, of_practitioner_id uuid, with_rpps text, with_email text, with_given_name text, with_family_name text,
  of_profession text, of_specialty text, with_skills text[], with_languages text[]
)
RETURNS TABLE (outcome text, practitioner_id uuid)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
#variable_conflict use_column
DECLARE
  before practitioner%ROWTYPE;
  after practitioner%ROWTYPE;
  of_account practitioner%ROWTYPE;  -- whom the address signs in, in this territory
BEGIN
  IF NOT coordinates(in_territory_id) THEN RETURN QUERY SELECT 'not-allowed', NULL::uuid; RETURN; END IF;
  SELECT practitioner.* INTO of_account
    FROM practitioner JOIN account ON account.practitioner_id = practitioner.id
   WHERE account.email = lower(with_email)
     AND EXISTS (SELECT FROM membership WHERE membership.account_id = account.id AND membership.territory_id = in_territory_id);
  IF of_practitioner_id IS NOT NULL THEN
    SELECT * INTO before FROM practitioner WHERE id = of_practitioner_id FOR NO KEY UPDATE;
    IF before.id IS NULL OR NOT is_practitioner_in(before.id, in_territory_id, true) THEN
      RETURN QUERY SELECT 'not-allowed', NULL::uuid; RETURN;
    END IF;
    IF EXISTS (SELECT FROM practitioner other WHERE other.rpps = nullif(with_rpps, '') AND other.id <> before.id) THEN
      RETURN QUERY SELECT 'rpps-taken', NULL::uuid; RETURN;
    END IF;
  ELSE
    SELECT * INTO before FROM practitioner WHERE rpps = nullif(with_rpps, '');
    IF of_account.id IS NOT NULL AND (before.id <> of_account.id OR before.id IS NULL AND with_rpps <> '' AND of_account.rpps IS NOT NULL) THEN
      RETURN QUERY SELECT 'somebody-else', NULL::uuid; RETURN;
    END IF;
    IF before.id IS NULL AND of_account.id IS NOT NULL THEN before := of_account; END IF;
  END IF;
  IF before.id IS NULL THEN
    practitioner_id := gen_random_uuid();
    INSERT INTO practitioner (id, rpps, given_name, family_name, profession, specialty, skills, languages)
    VALUES (practitioner_id, nullif(with_rpps, ''), with_given_name, with_family_name, of_profession, nullif(of_specialty, ''),
            coalesce(with_skills, '{}'), coalesce(with_languages, '{fr}'));
    outcome := 'new';
    RETURN NEXT; RETURN;
  END IF;
  IF is_practitioner_in(before.id, in_territory_id, false) AND NOT is_practitioner_in(before.id, in_territory_id, true) THEN
    RETURN QUERY SELECT 'person-elsewhere', NULL::uuid; RETURN;
  END IF;
  after := before;
  after.rpps := coalesce(nullif(with_rpps, ''), before.rpps);
  after.given_name := with_given_name;
  after.family_name := with_family_name;
  after.profession := of_profession;
  after.specialty := nullif(coalesce(of_specialty, CASE WHEN of_profession = before.profession THEN before.specialty END), '');
  after.skills := coalesce(with_skills, before.skills);
  after.languages := coalesce(with_languages, before.languages);
  practitioner_id := before.id;
  IF after = before THEN
    outcome := 'same';
    RETURN NEXT; RETURN;
  END IF;
  IF is_practitioner_in(before.id, in_territory_id, false) THEN
    RETURN QUERY SELECT 'person-elsewhere', NULL::uuid; RETURN;
  END IF;
  IF after.rpps IS DISTINCT FROM before.rpps AND EXISTS (SELECT FROM account WHERE account.practitioner_id = before.id) THEN
    RETURN QUERY SELECT 'rpps-of-account', NULL::uuid; RETURN;
  END IF;
  UPDATE practitioner
     SET rpps = after.rpps, given_name = after.given_name, family_name = after.family_name, profession = after.profession,
         specialty = after.specialty, skills = after.skills, languages = after.languages
   WHERE id = before.id;
  outcome := 'changed';
  RETURN NEXT;
END
$$;

-- The schedule of a place of work or of a service. What is offered there must be in the territory's catalogue; without a
-- word of it, a new one offers those of the usual acts that are.
CREATE FUNCTION put_schedule(
  in_territory_id smallint, of_role_id uuid, of_service_id uuid, for_audience text[], of_acts text[], of_usual_acts text[],
  at_most_daily smallint, takes_overflow boolean
)
RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  before schedule%ROWTYPE;
  after schedule%ROWTYPE;
  offered text[];
BEGIN
  IF NOT coordinates(in_territory_id) THEN RETURN 'not-allowed'; END IF;
  IF EXISTS (SELECT FROM unnest(of_acts) AS asked(code)
              WHERE NOT EXISTS (SELECT FROM act WHERE act.territory_id = in_territory_id AND act.code = asked.code)) THEN
    RETURN 'act-unknown';
  END IF;
  SELECT * INTO before FROM schedule
   WHERE (practitioner_role_id = of_role_id OR healthcare_service_id = of_service_id) AND territory_id = in_territory_id;
  IF before.id IS NULL THEN
    offered := coalesce(of_acts, ARRAY(SELECT code FROM unnest(of_usual_acts) AS usual(code)
                                        WHERE EXISTS (SELECT FROM act WHERE act.territory_id = in_territory_id AND act.code = usual.code)));
    IF cardinality(offered) = 0 THEN RETURN 'acts-needed'; END IF;
    INSERT INTO schedule (id, territory_id, practitioner_role_id, healthcare_service_id, default_audience, default_acts, daily_cap, accepts_overflow)
    VALUES (gen_random_uuid(), in_territory_id, of_role_id, of_service_id, for_audience, offered,
            at_most_daily, coalesce(takes_overflow, false));
    RETURN 'new';
  END IF;
  after := before;
  after.default_audience := coalesce(for_audience, before.default_audience);
  after.default_acts := coalesce(of_acts, before.default_acts);
  after.daily_cap := coalesce(at_most_daily, before.daily_cap);
  after.accepts_overflow := coalesce(takes_overflow, before.accepts_overflow);
  IF after = before THEN RETURN 'same'; END IF;
  UPDATE schedule
     SET default_audience = after.default_audience, default_acts = after.default_acts, daily_cap = after.daily_cap,
         accepts_overflow = after.accepts_overflow
   WHERE id = before.id;
  RETURN 'changed';
END
$$;

-- Where somebody works: they, a place of the territory, and their schedule there.
CREATE FUNCTION put_place_of_work(
  in_territory_id smallint, of_practitioner_id uuid, at_location_id uuid, takes_new_patients boolean, with_referral text,
  for_audience text[], of_acts text[], of_usual_acts text[], at_most_daily smallint, takes_overflow boolean
)
RETURNS TABLE (outcome text, role_id uuid)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  before practitioner_role%ROWTYPE;
  after practitioner_role%ROWTYPE;
  planned text;
BEGIN
  IF NOT coordinates(in_territory_id)
     OR NOT EXISTS (SELECT FROM location WHERE id = at_location_id AND territory_id = in_territory_id)
     OR NOT EXISTS (SELECT FROM practitioner WHERE id = of_practitioner_id) THEN
    RETURN QUERY SELECT 'not-allowed', NULL::uuid; RETURN;
  END IF;
  SELECT * INTO before FROM practitioner_role WHERE practitioner_id = of_practitioner_id AND location_id = at_location_id;
  -- Whoever is at work elsewhere is brought here by the installation, not by who has made them a referrer.
  IF (before.id IS NULL OR before.ended_at IS NOT NULL) AND is_practitioner_in(of_practitioner_id, in_territory_id, false)
     AND NOT EXISTS (SELECT FROM practitioner_role role
                      WHERE role.practitioner_id = of_practitioner_id AND role.territory_id = in_territory_id AND role.ended_at IS NULL) THEN
    RETURN QUERY SELECT 'person-elsewhere', NULL::uuid; RETURN;
  END IF;
  role_id := coalesce(before.id, gen_random_uuid());
  IF before.id IS NULL THEN
    INSERT INTO practitioner_role (id, territory_id, practitioner_id, location_id, new_patients, referral)
    VALUES (role_id, in_territory_id, of_practitioner_id, at_location_id, takes_new_patients, coalesce(with_referral, ''));
  ELSE
    after := before;
    after.new_patients := coalesce(takes_new_patients, before.new_patients);
    after.referral := coalesce(with_referral, before.referral);
    after.ended_at := NULL;
    IF after <> before THEN
      UPDATE practitioner_role SET new_patients = after.new_patients, referral = after.referral, ended_at = NULL WHERE id = before.id;
    END IF;
  END IF;
  planned := put_schedule(in_territory_id, role_id, NULL, for_audience, of_acts, of_usual_acts, at_most_daily, takes_overflow);
  IF planned NOT IN ('new', 'changed', 'same') THEN RETURN QUERY SELECT planned, NULL::uuid; RETURN; END IF;
  outcome := CASE WHEN before.id IS NULL OR before.ended_at IS NOT NULL THEN 'new'
                  WHEN planned = 'same' AND after = before THEN 'same'
                  ELSE 'changed' END;
  RETURN NEXT;
END
$$;

-- Somebody works at a place no more. What was booked there stays as it was; what is still to come stands against it, and
-- is withdrawn or cancelled first by whose it is. Under the lock that an offer takes (invariant 2).
-- Colleagues share their bookings: who works at none of an organisation's places any more is of it no more, but of another
-- one where they work, or of one of their own.
CREATE FUNCTION leave_organisation(in_territory_id smallint, of_practitioner_id uuid, left_organisation_id uuid)
RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  leaver account%ROWTYPE;
  next_id uuid;
BEGIN
  IF NOT coordinates(in_territory_id)
     OR EXISTS (SELECT FROM practitioner_role role JOIN location ON location.id = role.location_id
                 WHERE role.practitioner_id = of_practitioner_id AND role.ended_at IS NULL
                   AND location.organisation_id = left_organisation_id) THEN
    RETURN;
  END IF;
  FOR leaver IN SELECT * FROM account WHERE practitioner_id = of_practitioner_id AND organisation_id = left_organisation_id LOOP
    SELECT location.organisation_id INTO next_id
      FROM practitioner_role role JOIN location ON location.id = role.location_id
     WHERE role.practitioner_id = of_practitioner_id AND role.ended_at IS NULL
     ORDER BY role.id LIMIT 1;
    IF next_id IS NULL THEN
      next_id := gen_random_uuid();
      INSERT INTO organisation (id, name, kind, phone) VALUES (next_id, leaver.name, 'practice', leaver.phone);
    END IF;
    UPDATE account SET organisation_id = next_id WHERE id = leaver.id;
  END LOOP;
END
$$;
CREATE FUNCTION end_place_of_work(in_territory_id smallint, of_role_id uuid, at timestamptz)
RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  there practitioner_role%ROWTYPE;
  of_schedule_id uuid;
BEGIN
  SELECT * INTO there FROM practitioner_role WHERE id = of_role_id AND territory_id = in_territory_id;
  IF NOT coordinates(in_territory_id) OR there.id IS NULL THEN RETURN 'not-allowed'; END IF;
  IF there.ended_at IS NOT NULL THEN RETURN 'same'; END IF;
  PERFORM FROM practitioner WHERE id = there.practitioner_id FOR NO KEY UPDATE;
  SELECT id INTO of_schedule_id FROM schedule WHERE practitioner_role_id = there.id;
  IF EXISTS (SELECT FROM slot WHERE schedule_id = of_schedule_id AND withdrawn_at IS NULL AND ends_at > at)
     OR EXISTS (SELECT FROM appointment WHERE schedule_id = of_schedule_id AND status = 'booked' AND starts_at > at) THEN
    RETURN 'still-to-come';
  END IF;
  UPDATE practitioner_role SET ended_at = at WHERE id = there.id;
  UPDATE schedule SET accepts_overflow = false WHERE id = of_schedule_id;
  PERFORM leave_organisation(in_territory_id, there.practitioner_id, location.organisation_id) FROM location WHERE location.id = there.location_id;
  DELETE FROM delegation WHERE schedule_id = of_schedule_id;
  RETURN 'changed';
END
$$;

-- A service with its rooms: by id, else by its number, else by its name at its place.
CREATE FUNCTION put_service(
  in_territory_id smallint, of_service_id uuid, at_location_id uuid, called text, with_finess text, with_phone text, of_profession text, of_specialty text,
  with_rooms smallint, takes_new_patients boolean, with_referral text,
  for_audience text[], of_acts text[], at_most_daily smallint, takes_overflow boolean
)
RETURNS TABLE (outcome text, service_id uuid)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  before healthcare_service%ROWTYPE;
  after healthcare_service%ROWTYPE;
  planned text;
BEGIN
  IF NOT coordinates(in_territory_id) OR NOT EXISTS (SELECT FROM location WHERE id = at_location_id AND territory_id = in_territory_id) THEN
    RETURN QUERY SELECT 'not-allowed', NULL::uuid; RETURN;
  END IF;
  IF of_service_id IS NULL THEN
    SELECT * INTO before FROM healthcare_service
     WHERE territory_id = in_territory_id AND (finess = nullif(with_finess, '') OR (location_id = at_location_id AND name = called))
     ORDER BY finess = nullif(with_finess, '') DESC NULLS LAST, id LIMIT 1;
  ELSE
    SELECT * INTO before FROM healthcare_service WHERE id = of_service_id AND territory_id = in_territory_id;
    IF before.id IS NULL THEN RETURN QUERY SELECT 'not-allowed', NULL::uuid; RETURN; END IF;
    IF EXISTS (SELECT FROM healthcare_service other
                WHERE other.finess = with_finess AND other.territory_id = in_territory_id AND other.id <> before.id) THEN
      RETURN QUERY SELECT 'finess-taken', NULL::uuid; RETURN;
    END IF;
  END IF;
  service_id := coalesce(before.id, gen_random_uuid());
  IF before.id IS NULL THEN
    INSERT INTO healthcare_service (id, territory_id, location_id, name, finess, phone, profession, specialty, rooms, new_patients, referral)
    VALUES (service_id, in_territory_id, at_location_id, called, nullif(with_finess, ''), with_phone, nullif(of_profession, ''),
            nullif(of_specialty, ''), coalesce(with_rooms, 1), takes_new_patients, coalesce(with_referral, ''));
  ELSE
    after := before;
    after.location_id := at_location_id;
    after.name := called;
    after.finess := coalesce(nullif(with_finess, ''), before.finess);
    after.phone := coalesce(nullif(with_phone, ''), before.phone);
    after.profession := coalesce(nullif(of_profession, ''), before.profession);
    after.specialty := coalesce(nullif(of_specialty, ''), before.specialty);
    after.rooms := coalesce(with_rooms, before.rooms);
    after.new_patients := coalesce(takes_new_patients, before.new_patients);
    after.referral := coalesce(with_referral, before.referral);
    IF after <> before THEN
      UPDATE healthcare_service
         SET location_id = after.location_id, name = after.name, finess = after.finess, phone = after.phone, profession = after.profession,
             specialty = after.specialty, rooms = after.rooms, new_patients = after.new_patients, referral = after.referral
       WHERE id = before.id;
    END IF;
  END IF;
  planned := put_schedule(in_territory_id, NULL, service_id, for_audience, of_acts, '{}', at_most_daily, takes_overflow);
  IF planned NOT IN ('new', 'changed', 'same') THEN RETURN QUERY SELECT planned, NULL::uuid; RETURN; END IF;
  outcome := CASE WHEN before.id IS NULL THEN 'new'
                  WHEN planned = 'same' AND after = before THEN 'same'
                  ELSE 'changed' END;
  RETURN NEXT;
END
$$;

-- Somebody's account and roles. Roles are added and never taken; an account that is there keeps its organisation, its
-- practitioner and its address; a new one gets an invitation only where one is given.
CREATE FUNCTION put_member(
  in_territory_id smallint, new_account_id uuid, with_email text, called text, with_phone text, at_organisation_id uuid,
  of_organisation text, with_finess text, of_kind text, with_roles text[], of_practitioner_id uuid,
  amends_name boolean, amends_phone boolean,   new_mail_id uuid, the_subject text, the_body text, at timestamptz
)
RETURNS TABLE (outcome text, account_id uuid)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
#variable_conflict use_column
DECLARE
  there account%ROWTYPE;
  held text[];
  made record;
BEGIN
  IF NOT coordinates(in_territory_id) THEN RETURN QUERY SELECT 'not-allowed', NULL::uuid; RETURN; END IF;
  IF 'professional' = ANY (with_roles)
     AND NOT EXISTS (SELECT FROM practitioner_role role WHERE role.practitioner_id = of_practitioner_id AND role.territory_id = in_territory_id) THEN
    RETURN QUERY SELECT 'rpps-unknown', NULL::uuid; RETURN;
  END IF;
  IF of_practitioner_id IS NOT NULL AND is_practitioner_in(of_practitioner_id, in_territory_id, false)
     AND NOT is_practitioner_in(of_practitioner_id, in_territory_id, true) THEN
    RETURN QUERY SELECT 'person-elsewhere', NULL::uuid; RETURN;
  END IF;
  SELECT * INTO there FROM account WHERE email = lower(with_email) FOR NO KEY UPDATE;
  held := ARRAY(SELECT role FROM membership WHERE membership.account_id = there.id AND territory_id = in_territory_id);
  IF there.disabled_at IS NOT NULL THEN
    RETURN QUERY SELECT CASE WHEN there.is_withdrawn THEN 'withdrawn' ELSE 'disabled' END, NULL::uuid; RETURN;
  END IF;
  IF there.id IS NOT NULL AND cardinality(held) = 0 THEN RETURN QUERY SELECT 'account-elsewhere', NULL::uuid; RETURN; END IF;
  IF there.practitioner_id <> of_practitioner_id THEN RETURN QUERY SELECT 'somebody-else', NULL::uuid; RETURN; END IF;
  IF there.id IS NOT NULL AND there.practitioner_id IS NULL AND of_practitioner_id IS NOT NULL THEN
    RETURN QUERY SELECT 'account-untied', NULL::uuid; RETURN;
  END IF;
  IF 'regulator' = ANY (with_roles) AND NOT 'regulator' = ANY (held) THEN RETURN QUERY SELECT 'not-regulation', NULL::uuid; RETURN; END IF;
  IF there.id = entered_account() AND NOT with_roles <@ held THEN RETURN QUERY SELECT 'own-roles', NULL::uuid; RETURN; END IF;
  IF there.id IS NOT NULL THEN
    account_id := there.id;
    outcome := 'same';
    IF NOT amends_name THEN called := there.name; END IF;
    IF NOT amends_phone THEN with_phone := ''; END IF;
    IF (there.name, there.phone) IS DISTINCT FROM (called, coalesce(nullif(with_phone, ''), there.phone)) THEN
      IF there.is_administrator
         OR EXISTS (SELECT FROM membership WHERE membership.account_id = there.id AND territory_id <> in_territory_id) THEN
        RETURN QUERY SELECT 'account-elsewhere', NULL::uuid; RETURN;
      END IF;
      UPDATE account SET name = called, phone = coalesce(nullif(with_phone, ''), there.phone) WHERE id = there.id;
      outcome := 'changed';
    END IF;
    IF NOT with_roles <@ held THEN outcome := 'changed'; END IF;
  ELSE
    -- A number is one person's: nobody else is tied to it.
    IF EXISTS (SELECT FROM account other WHERE other.practitioner_id = of_practitioner_id AND other.disabled_at IS NULL) THEN
      RETURN QUERY SELECT 'rpps-taken', NULL::uuid; RETURN;
    END IF;
    -- Nor does anybody come back by another address.
    IF EXISTS (SELECT FROM account other WHERE other.practitioner_id = of_practitioner_id) THEN
      RETURN QUERY SELECT CASE WHEN EXISTS (SELECT FROM account other WHERE other.practitioner_id = of_practitioner_id AND NOT other.is_withdrawn)
                               THEN 'disabled' ELSE 'withdrawn' END, NULL::uuid;
      RETURN;
    END IF;
    IF at_organisation_id IS NULL THEN
      SELECT * INTO made FROM put_organisation(in_territory_id, of_organisation, with_finess, of_kind, with_phone);
      IF made.organisation_id IS NULL THEN RETURN QUERY SELECT made.outcome, NULL::uuid; RETURN; END IF;
      at_organisation_id := made.organisation_id;
    ELSIF is_organisation_elsewhere(at_organisation_id, in_territory_id) THEN
      RETURN QUERY SELECT 'organisation-elsewhere', NULL::uuid; RETURN;
    END IF;
    account_id := new_account_id;
    INSERT INTO account (id, email, password_hash, name, phone, organisation_id, practitioner_id, created_at)
    VALUES (new_account_id, lower(with_email), NULL, called, nullif(with_phone, ''), at_organisation_id, of_practitioner_id, at);
    IF new_mail_id IS NOT NULL THEN
      INSERT INTO mail (id, territory_id, account_id, subject, body, created_at, next_try_at, link)
      VALUES (new_mail_id, 0, new_account_id, the_subject, the_body, at, at, 'invitation');
    END IF;
    outcome := 'new';
  END IF;
  INSERT INTO membership (account_id, territory_id, role)
  SELECT account_id, in_territory_id, unnest(with_roles) ON CONFLICT DO NOTHING;
  RETURN NEXT;
END
$$;

-- The people and places of a territory as lines of the table that brings them in (slots/people/table.py): somebody at two
-- places has two. A number is whom a delegate acts for only where it is for all that the number has here.
CREATE FUNCTION people_table(of_territory_id smallint)
RETURNS TABLE (
  roles text[], email text, given_name text, family_name text, rpps text, profession text, specialty text, skills text[], languages text[],
  place text, address text, insee text, lat double precision, lon double precision, phone text, step_free boolean, parking boolean,
  access text, new_patients boolean, referral text, organisation text, organisation_kind text, finess text, service text, rooms smallint,
  acts text[], audience text[], daily_cap smallint, overflow boolean, delegate_of text[]
)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  WITH member AS (
    SELECT account.*, ARRAY(SELECT role FROM membership WHERE membership.account_id = account.id AND territory_id = of_territory_id
                             ORDER BY role) AS roles
      FROM account
     WHERE account.disabled_at IS NULL
       AND EXISTS (SELECT FROM membership WHERE membership.account_id = account.id AND territory_id = of_territory_id)
  ), numbered AS (
    SELECT schedule.id, coalesce(practitioner.rpps, service.finess) AS number
      FROM schedule
      LEFT JOIN practitioner_role role ON role.id = schedule.practitioner_role_id
      LEFT JOIN practitioner ON practitioner.id = role.practitioner_id
      LEFT JOIN healthcare_service service ON service.id = schedule.healthcare_service_id
     WHERE schedule.territory_id = of_territory_id AND role.ended_at IS NULL
  ), acting AS (
    SELECT member.id, array_agg(found.number ORDER BY found.number) AS numbers
      FROM member
      CROSS JOIN LATERAL (
        SELECT numbered.number FROM numbered LEFT JOIN delegation ON delegation.schedule_id = numbered.id AND delegation.account_id = member.id
         WHERE numbered.number IS NOT NULL
         GROUP BY numbered.number HAVING bool_and(delegation.schedule_id IS NOT NULL)) AS found
     WHERE 'delegate' = ANY (member.roles)
     GROUP BY member.id
  )
  SELECT member.roles, member.email, practitioner.given_name, practitioner.family_name, practitioner.rpps, practitioner.profession,
         practitioner.specialty, practitioner.skills, practitioner.languages, location.name, location.address, location.insee, location.lat,
         location.lon, location.phone, location.step_free, location.parking, location.access, role.new_patients, role.referral,
         organisation.name, organisation.kind, organisation.finess, NULL, NULL::smallint, schedule.default_acts, schedule.default_audience,
         schedule.daily_cap, schedule.accepts_overflow, acting.numbers
    FROM practitioner_role role
    JOIN practitioner ON practitioner.id = role.practitioner_id
    JOIN location ON location.id = role.location_id
    JOIN organisation ON organisation.id = location.organisation_id
    LEFT JOIN schedule ON schedule.practitioner_role_id = role.id
    LEFT JOIN member ON member.practitioner_id = practitioner.id
    LEFT JOIN acting ON acting.id = member.id
   WHERE role.territory_id = of_territory_id AND role.ended_at IS NULL AND coordinates(of_territory_id)
   UNION ALL
  SELECT NULL, NULL, NULL, NULL, NULL, service.profession, service.specialty, NULL, NULL, location.name, location.address, location.insee,
         location.lat, location.lon, service.phone, location.step_free, location.parking, location.access, service.new_patients,
         service.referral, organisation.name, organisation.kind, service.finess, service.name, service.rooms, schedule.default_acts,
         schedule.default_audience, schedule.daily_cap, schedule.accepts_overflow, NULL
    FROM healthcare_service service
    JOIN location ON location.id = service.location_id
    JOIN organisation ON organisation.id = location.organisation_id
    LEFT JOIN schedule ON schedule.healthcare_service_id = service.id
   WHERE service.territory_id = of_territory_id AND coordinates(of_territory_id)
   UNION ALL
  SELECT member.roles, member.email, CASE WHEN member.name LIKE '% %' THEN split_part(member.name, ' ', 1) END,
         CASE WHEN member.name LIKE '% %' THEN substr(member.name, strpos(member.name, ' ') + 1) ELSE member.name END,
         NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, member.phone, NULL, NULL, NULL, NULL, NULL,
         organisation.name, organisation.kind, organisation.finess, NULL, NULL, NULL, NULL, NULL, NULL, acting.numbers
    FROM member
    JOIN organisation ON organisation.id = member.organisation_id
    LEFT JOIN acting ON acting.id = member.id
   WHERE coordinates(of_territory_id)
     AND NOT EXISTS (SELECT FROM practitioner_role role
                      WHERE role.practitioner_id = member.practitioner_id AND role.territory_id = of_territory_id AND role.ended_at IS NULL)
   ORDER BY 4 NULLS LAST, 3, 2, 24, 10
$$;

-- Two entries of the directory are one person: one stays. Only where that is clear, all of both is of this territory, and
-- nothing is still to come for the one that goes: what the broker has, and who comes, keeps the name that it was booked under.
CREATE FUNCTION merge_practitioners(in_territory_id smallint, stay_id uuid, gone_id uuid, at timestamptz)
RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  stay practitioner%ROWTYPE;
  gone practitioner%ROWTYPE;
  with_account uuid;  -- whichever of both signs in
  moved record;
  kept record;
BEGIN
  IF NOT coordinates(in_territory_id) OR stay_id = gone_id THEN RETURN 'not-allowed'; END IF;
  PERFORM FROM practitioner WHERE id IN (stay_id, gone_id) ORDER BY id FOR UPDATE;
  SELECT * INTO stay FROM practitioner WHERE id = stay_id;
  SELECT * INTO gone FROM practitioner WHERE id = gone_id;
  IF NOT is_practitioner_in(stay.id, in_territory_id, true) OR NOT is_practitioner_in(gone.id, in_territory_id, true) THEN
    RETURN 'not-allowed';
  END IF;
  IF is_practitioner_in(stay.id, in_territory_id, false) OR is_practitioner_in(gone.id, in_territory_id, false)
     OR EXISTS (SELECT FROM practitioner_role WHERE practitioner_id IN (stay.id, gone.id) AND territory_id <> in_territory_id) THEN
    RETURN 'person-elsewhere';
  END IF;
  -- Whose appointments an entry has, nobody makes their own.
  IF EXISTS (SELECT FROM account WHERE id = entered_account() AND practitioner_id IN (stay.id, gone.id)) THEN RETURN 'own-roles'; END IF;
  IF stay.rpps <> gone.rpps OR stay.profession <> gone.profession
     OR folded(stay.given_name || ' ' || stay.family_name) <> folded(gone.given_name || ' ' || gone.family_name) THEN
    RETURN 'two-people';
  END IF;
  IF (SELECT count(*) FROM account WHERE practitioner_id IN (stay.id, gone.id) AND disabled_at IS NULL) > 1 THEN RETURN 'two-accounts'; END IF;
  -- A number opens an account, with Pro Santé Connect: none comes by it to another number.
  SELECT practitioner_id INTO with_account FROM account WHERE practitioner_id IN (stay.id, gone.id) AND disabled_at IS NULL;
  IF with_account IS NOT NULL
     AND coalesce(stay.rpps, gone.rpps) IS DISTINCT FROM (SELECT rpps FROM practitioner WHERE id = with_account) THEN
    RETURN 'rpps-of-account';
  END IF;
  IF EXISTS (SELECT FROM slot WHERE practitioner_id = gone.id AND withdrawn_at IS NULL AND ends_at > at)
     OR EXISTS (SELECT FROM appointment JOIN schedule ON schedule.id = appointment.schedule_id
                  JOIN practitioner_role role ON role.id = schedule.practitioner_role_id
                 WHERE role.practitioner_id = gone.id AND appointment.status = 'booked' AND appointment.starts_at > at) THEN
    RETURN 'still-to-come';
  END IF;
  BEGIN
    FOR moved IN SELECT role.id, role.location_id, role.ended_at, schedule.id AS schedule_id
                   FROM practitioner_role role LEFT JOIN schedule ON schedule.practitioner_role_id = role.id
                  WHERE role.practitioner_id = gone.id LOOP
      SELECT role.id, schedule.id AS schedule_id INTO kept
        FROM practitioner_role role LEFT JOIN schedule ON schedule.practitioner_role_id = role.id
       WHERE role.practitioner_id = stay.id AND role.location_id = moved.location_id;
      IF kept.id IS NULL THEN
        UPDATE practitioner_role SET practitioner_id = stay.id WHERE id = moved.id;
      ELSE
        IF kept.schedule_id IS NULL THEN
          UPDATE schedule SET practitioner_role_id = kept.id WHERE id = moved.schedule_id;
        ELSE
          INSERT INTO delegation (account_id, territory_id, schedule_id)
          SELECT account_id, territory_id, kept.schedule_id FROM delegation WHERE schedule_id = moved.schedule_id ON CONFLICT DO NOTHING;
          DELETE FROM delegation WHERE schedule_id = moved.schedule_id;
          UPDATE slot SET schedule_id = kept.schedule_id WHERE schedule_id = moved.schedule_id;
          UPDATE appointment SET schedule_id = kept.schedule_id WHERE schedule_id = moved.schedule_id;
          UPDATE mail SET schedule_id = kept.schedule_id WHERE schedule_id = moved.schedule_id;
          DELETE FROM schedule WHERE id = moved.schedule_id;
        END IF;
        IF moved.ended_at IS NULL THEN UPDATE practitioner_role SET ended_at = NULL WHERE id = kept.id AND ended_at IS NOT NULL; END IF;
        DELETE FROM practitioner_role WHERE id = moved.id;
      END IF;
    END LOOP;
    UPDATE slot SET practitioner_id = stay.id WHERE practitioner_id = gone.id;
  EXCEPTION WHEN exclusion_violation THEN
    RETURN 'overlap';  -- they were at two places at once: perhaps two people after all
  END;
  UPDATE account SET practitioner_id = CASE WHEN disabled_at IS NULL OR NOT is_withdrawn THEN stay.id END WHERE practitioner_id = gone.id;
  DELETE FROM practitioner WHERE id = gone.id;
  UPDATE practitioner
     SET rpps = coalesce(stay.rpps, gone.rpps),
         specialty = coalesce(stay.specialty, gone.specialty),
         skills = stay.skills || ARRAY(SELECT skill FROM unnest(gone.skills) AS skill WHERE skill <> ALL (stay.skills)),
         languages = stay.languages || ARRAY(SELECT code FROM unnest(gone.languages) AS code WHERE code <> ALL (stay.languages))
   WHERE id = stay.id;
  RETURN 'changed';
END
$$;

-- Two accounts are one person's: one stays, with the roles and delegations of both. The other has never been used, and
-- is closed; what bears its name keeps it.
CREATE FUNCTION merge_accounts(in_territory_id smallint, stay_id uuid, gone_id uuid, at timestamptz)
RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  stay account%ROWTYPE;
  gone account%ROWTYPE;
BEGIN
  IF NOT coordinates(in_territory_id) OR stay_id = gone_id
     OR (SELECT count(*) FROM people_of(in_territory_id) person WHERE person.account_id IN (stay_id, gone_id)) <> 2 THEN
    RETURN 'not-allowed';
  END IF;
  IF entered_account() IN (stay_id, gone_id) THEN RETURN 'own-roles'; END IF;
  PERFORM FROM account WHERE id IN (stay_id, gone_id) ORDER BY id FOR NO KEY UPDATE;
  SELECT * INTO stay FROM account WHERE id = stay_id;
  SELECT * INTO gone FROM account WHERE id = gone_id;
  IF EXISTS (SELECT FROM people_of(in_territory_id) person WHERE person.account_id IN (stay_id, gone_id) AND person.is_elsewhere) THEN
    RETURN 'account-elsewhere';
  END IF;
  IF folded(stay.name) <> folded(gone.name) OR stay.practitioner_id <> gone.practitioner_id THEN RETURN 'two-people'; END IF;
  IF stay.practitioner_id IS NULL AND gone.practitioner_id IS NOT NULL THEN RETURN 'account-untied'; END IF;
  IF gone.password_hash IS NOT NULL
     OR EXISTS (SELECT FROM passkey WHERE account_id = gone.id)
     OR EXISTS (SELECT FROM authenticator_app WHERE account_id = gone.id)
     OR EXISTS (SELECT FROM session WHERE account_id = gone.id) THEN
    RETURN 'account-in-use';
  END IF;
  IF EXISTS (SELECT FROM membership WHERE account_id = gone.id AND role = 'regulator')
     AND NOT EXISTS (SELECT FROM membership WHERE account_id = stay.id AND territory_id = in_territory_id AND role = 'regulator') THEN
    RETURN 'not-regulation';
  END IF;
  INSERT INTO membership (account_id, territory_id, role)
  SELECT stay.id, territory_id, role FROM membership WHERE account_id = gone.id ON CONFLICT DO NOTHING;
  DELETE FROM membership WHERE account_id = gone.id;
  INSERT INTO delegation (account_id, territory_id, schedule_id)
  SELECT stay.id, territory_id, schedule_id FROM delegation WHERE account_id = gone.id ON CONFLICT DO NOTHING;
  DELETE FROM delegation WHERE account_id = gone.id;
  UPDATE account SET disabled_at = at, is_withdrawn = true, practitioner_id = NULL WHERE id = gone.id;
  UPDATE ticket SET spent_at = at WHERE account_id = gone.id AND spent_at IS NULL;
  RETURN 'changed';
END
$$;

-- The workstations of regulation rooms. Only for an administrator; a link, told once, makes a PC one of them.
CREATE FUNCTION add_workstation(
  new_id uuid, of_organisation_id uuid, called text, new_link_hash bytea, at timestamptz, link_until timestamptz, until timestamptz
)
RETURNS boolean
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
  INSERT INTO workstation (id, organisation_id, name, link_hash, link_expires_at, registered_by, created_at, expires_at)
  SELECT new_id, organisation.id, called, new_link_hash, link_until, entered_account(), at, until
    FROM organisation
   WHERE organisation.id = of_organisation_id AND organisation.kind = 'regulation' AND administers()
  RETURNING true
$$;
CREATE FUNCTION workstations_at(at timestamptz)
RETURNS TABLE (
  id uuid, name text, organisation text, is_confirmed boolean, registered_by text, created_at timestamptz, used_at timestamptz,
  expires_at timestamptz
)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT workstation.id, workstation.name, organisation.name, workstation.secret_hash IS NOT NULL, account.name,
         workstation.created_at, workstation.used_at,
         CASE WHEN workstation.secret_hash IS NULL THEN workstation.link_expires_at ELSE workstation.expires_at END
    FROM workstation
    JOIN organisation ON organisation.id = workstation.organisation_id
    JOIN account ON account.id = workstation.registered_by
   WHERE administers() AND workstation.revoked_at IS NULL AND workstation.expires_at > at
     AND (workstation.secret_hash IS NOT NULL OR workstation.link_expires_at > at)
   ORDER BY organisation.name, workstation.name, workstation.id
$$;
-- What the link is for, as long as it is good. Looking spends nothing.
CREATE FUNCTION workstation_of_link(of_link_hash bytea, at timestamptz)
RETURNS TABLE (id uuid, name text, organisation text, expires_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT workstation.id, workstation.name, organisation.name, workstation.expires_at
    FROM workstation JOIN organisation ON organisation.id = workstation.organisation_id
   WHERE workstation.link_hash = of_link_hash AND workstation.link_expires_at > at
     AND workstation.revoked_at IS NULL AND workstation.expires_at > at
$$;
-- True for one PC only, however many ask at once: the link is spent.
CREATE FUNCTION confirm_workstation(of_link_hash bytea, new_secret_hash bytea, at timestamptz)
RETURNS boolean
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
  UPDATE workstation SET secret_hash = new_secret_hash, link_hash = NULL
   WHERE link_hash = of_link_hash AND link_expires_at > at AND revoked_at IS NULL AND expires_at > at
  RETURNING true
$$;
-- From now on no factor, and what was opened there ends. True where it was one.
CREATE FUNCTION revoke_workstation(of_id uuid, at timestamptz)
RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  UPDATE workstation SET revoked_at = at, link_hash = NULL WHERE id = of_id AND revoked_at IS NULL AND administers();
  IF NOT FOUND THEN RETURN false; END IF;
  UPDATE session SET ended_at = at WHERE workstation_id = of_id AND ended_at IS NULL;
  RETURN true;
END
$$;
-- A session of a regulator who has shown their password at a workstation of their own organisation. NULL: it is none,
-- or none for them; then their other factor is due. The row of the workstation is locked: a revocation ends this one too.
CREATE FUNCTION open_session_at_workstation(
  of_secret_hash bytea, new_id_hash bytea, for_account_id uuid, at timestamptz, until timestamptz, on_device text
)
RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  there uuid;
BEGIN
  UPDATE workstation SET used_at = at
    FROM account
   WHERE workstation.secret_hash = of_secret_hash AND workstation.revoked_at IS NULL AND workstation.expires_at > at
     AND account.id = for_account_id AND account.disabled_at IS NULL AND account.organisation_id = workstation.organisation_id
     AND EXISTS (SELECT FROM organisation WHERE organisation.id = workstation.organisation_id AND organisation.kind = 'regulation')
     AND EXISTS (SELECT FROM membership WHERE membership.account_id = account.id AND membership.role = 'regulator')
  RETURNING workstation.id INTO there;
  IF there IS NULL THEN RETURN NULL; END IF;
  INSERT INTO session (id_hash, account_id, created_at, seen_at, attended_at, expires_at, device, proof, proved_at, workstation_id)
  VALUES (new_id_hash, for_account_id, at, at, at, until, on_device, 'workstation', at, there);
  RETURN there;
END
$$;

-- Pro Santé Connect.
CREATE FUNCTION account_of_rpps(wanted_rpps text)
RETURNS uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT account.id
    FROM practitioner JOIN account ON account.practitioner_id = practitioner.id AND account.disabled_at IS NULL
   WHERE practitioner.rpps = wanted_rpps
   ORDER BY account.created_at, account.id
   LIMIT 1
$$;
CREATE FUNCTION keep_id_token(of_id_hash bytea, sealed_token bytea)
RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
  UPDATE session SET id_token = sealed_token WHERE id_hash = of_id_hash AND ended_at IS NULL
$$;
CREATE FUNCTION id_token_of(of_id_hash bytea)
RETURNS bytea
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT id_token FROM session WHERE id_hash = of_id_hash AND ended_at IS NULL
$$;
-- A coordinator lets somebody in, or not. Who is let in is linked to the directory where their number is in it, refers
-- from the territory, and publishes where they work there. NULL: not for whoever has entered, or decided already.
CREATE FUNCTION decide_admission(of_admission_id uuid, is_let_in boolean, new_account_id uuid, at timestamptz)
RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
#variable_conflict use_column
DECLARE
  asked admission%ROWTYPE;
  person_id uuid;
  place_id uuid;
  there uuid;
BEGIN
  SELECT * INTO asked FROM admission WHERE id = of_admission_id AND decided_at IS NULL FOR UPDATE;
  IF asked.id IS NULL OR NOT coordinates(asked.territory_id) THEN RETURN NULL; END IF;
  IF is_let_in THEN
    PERFORM pg_advisory_xact_lock(48, -2);  -- two territories that let in one new number take turns
    SELECT id INTO person_id FROM practitioner WHERE rpps = asked.rpps;
    IF person_id IS NULL THEN
      person_id := gen_random_uuid();
      INSERT INTO practitioner (id, rpps, given_name, family_name, profession, specialty)
      VALUES (person_id, asked.rpps, split_part(asked.name, ' ', 1), substr(asked.name, length(split_part(asked.name, ' ', 1)) + 2),
              coalesce(asked.profession, '10'), asked.specialty);
    END IF;
    SELECT account.id INTO there FROM account WHERE practitioner_id = person_id ORDER BY disabled_at IS NOT NULL, created_at LIMIT 1;
    -- Whom the installation has disabled nobody lets in; who belonged to no territory any more may come back.
    IF EXISTS (SELECT FROM account WHERE id = there AND disabled_at IS NOT NULL AND NOT is_withdrawn) THEN RETURN NULL; END IF;
    UPDATE account SET disabled_at = NULL, is_withdrawn = false WHERE id = there AND disabled_at IS NOT NULL;
    IF there IS NULL THEN
      IF EXISTS (SELECT FROM account WHERE email = lower(asked.email)) THEN RETURN NULL; END IF;
      SELECT location.organisation_id INTO place_id
        FROM practitioner_role role JOIN location ON location.id = role.location_id
       WHERE role.practitioner_id = person_id AND role.territory_id = asked.territory_id AND role.ended_at IS NULL
         AND NOT is_organisation_elsewhere(location.organisation_id, asked.territory_id)
       ORDER BY role.id LIMIT 1;
      IF place_id IS NULL THEN
        place_id := gen_random_uuid();
        INSERT INTO organisation (id, name, kind) VALUES (place_id, asked.organisation, 'practice');
      END IF;
      there := new_account_id;
      INSERT INTO account (id, email, password_hash, name, organisation_id, practitioner_id, created_at)
      VALUES (there, lower(asked.email), NULL, asked.name, place_id, person_id, at);
    END IF;
    INSERT INTO membership (account_id, territory_id, role)
    SELECT there, asked.territory_id, 'referrer'
     UNION ALL
    SELECT there, asked.territory_id, 'professional'
     WHERE EXISTS (SELECT FROM practitioner_role
                    WHERE practitioner_id = person_id AND territory_id = asked.territory_id AND ended_at IS NULL)
    ON CONFLICT DO NOTHING;
  END IF;
  UPDATE admission SET decided_at = at, decided_by = entered_account(), account_id = there WHERE id = asked.id;
  RETURN coalesce(there, asked.id);
END
$$;

-- The other slot of this practitioner at this time, wherever it is: only when, never for whom.
CREATE FUNCTION overlapping_slot(of_practitioner_id uuid, from_at timestamptz, to_at timestamptz, but_slot_id uuid)
RETURNS TABLE (slot_id uuid, starts_at timestamptz, ends_at timestamptz, place text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT slot.id, slot.starts_at, slot.ends_at, location.name
    FROM slot
    JOIN location ON location.id = slot.location_id
   WHERE slot.practitioner_id = of_practitioner_id
     AND slot.withdrawn_at IS NULL
     AND slot.modality IN ('AMB', 'HH')
     AND tstzrange(slot.starts_at, slot.ends_at, '[)') && tstzrange(from_at, to_at, '[)')
     AND slot.id IS DISTINCT FROM but_slot_id
   ORDER BY slot.starts_at
   LIMIT 1
$$;

-- Mail addresses of those who act for a schedule, as account_of_session has it: its practitioner's
-- accounts and its delegates, as long as they are members.
CREATE FUNCTION addresses_of_schedule(of_schedule_id uuid)
RETURNS TABLE (email text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT account.email
    FROM schedule
    JOIN practitioner_role ON practitioner_role.id = schedule.practitioner_role_id
    JOIN account ON account.practitioner_id = practitioner_role.practitioner_id
    JOIN membership ON membership.account_id = account.id AND membership.territory_id = schedule.territory_id
                   AND membership.role = 'professional'
   WHERE schedule.id = of_schedule_id AND account.disabled_at IS NULL
     AND schedule.territory_id = ANY (entered_territories())
   UNION
  SELECT account.email
    FROM delegation
    JOIN account ON account.id = delegation.account_id
    JOIN membership ON membership.account_id = account.id AND membership.territory_id = delegation.territory_id
                   AND membership.role IN ('delegate', 'professional')
   WHERE delegation.schedule_id = of_schedule_id AND account.disabled_at IS NULL
     AND delegation.territory_id = ANY (entered_territories())
$$;
CREATE FUNCTION address_of_account(of_account_id uuid)
RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT email FROM account WHERE id = of_account_id AND disabled_at IS NULL
$$;

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

-- How well an entry answers: for each word the likeness of the word most like it, twice where that is a name.
CREATE FUNCTION likeness_in_directory(wanted text[], of_name text, of_words text) RETURNS real
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT sum(public.strict_word_similarity(word, of_words)
             + CASE WHEN of_name LIKE '% ' || word || '%' OR public.strict_word_similarity(word, of_name) >= 0.4
                    THEN public.strict_word_similarity(word, of_name) ELSE 0 END)::real
    FROM unnest(wanted) AS word
$$;

-- The entries of the entered territories that answer what somebody typed: those in which every word begins a
-- word; only where there are none, those that come near (typing errors). Without words all of them. Not through
-- row level security, before which no index of words may be used: the wall is the first condition instead.
CREATE FUNCTION find_in_directory(typed text)
RETURNS TABLE (entry_id uuid, is_exact boolean, rank real)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  walls smallint[] := entered_territories();
  wanted text[] := ARRAY(
    SELECT DISTINCT word
      FROM unnest(string_to_array(trim(folded(typed)), ' ')) AS word
     WHERE word <> '' AND word <> ALL ('{a,au,aux,d,de,des,du,en,et,l,la,le,les}')
     LIMIT 8);
  longest text := (SELECT word FROM unnest(wanted) AS word ORDER BY length(word) DESC, word LIMIT 1);
BEGIN
  IF longest IS NULL THEN
    RETURN QUERY SELECT entry.id, true, 0::real FROM directory_entry entry WHERE entry.territory_id = ANY (walls);
    RETURN;
  END IF;
  RETURN QUERY
    SELECT entry.id, true, likeness_in_directory(wanted, entry.name, entry.words)
      FROM directory_entry entry
     WHERE entry.territory_id = ANY (walls) AND entry.words LIKE '% ' || longest || '%'
       AND NOT EXISTS (SELECT FROM unnest(wanted) AS word WHERE entry.words NOT LIKE '% ' || word || '%');
  IF FOUND THEN RETURN; END IF;
  -- What `%>>` takes for near, in this transaction: two letters changed about in `suture` are 0.27.
  PERFORM set_config('pg_trgm.strict_word_similarity_threshold', '0.25', true);
  RETURN QUERY
    SELECT near.id, false, near.likeness
      FROM (SELECT entry.id, likeness_in_directory(wanted, entry.name, entry.words) AS likeness,
                   max(likeness_in_directory(wanted, entry.name, entry.words)) OVER () AS best
              FROM directory_entry entry
             WHERE entry.territory_id = ANY (walls)
               AND (entry.words LIKE '% ' || longest || '%' OR entry.words %>> longest)
               AND NOT EXISTS (SELECT FROM unnest(wanted) AS word
                                WHERE entry.words NOT LIKE '% ' || word || '%' AND NOT entry.words %>> word)) AS near
     WHERE near.likeness >= 0.6 * near.best;
END
$$;

-- Which of these entries somebody could publish for: their practitioner has an account, or a delegate does.
CREATE FUNCTION directory_with_account(of_entry_ids uuid[])
RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT role.id
    FROM practitioner_role role
    JOIN account ON account.practitioner_id = role.practitioner_id
    JOIN membership ON membership.account_id = account.id AND membership.territory_id = role.territory_id
                   AND membership.role = 'professional'
   WHERE role.id = ANY (of_entry_ids) AND account.disabled_at IS NULL AND role.territory_id = ANY (entered_territories())
   UNION
  SELECT coalesce(schedule.practitioner_role_id, schedule.healthcare_service_id)
    FROM schedule
    JOIN delegation ON delegation.schedule_id = schedule.id
    JOIN account ON account.id = delegation.account_id
    JOIN membership ON membership.account_id = account.id AND membership.territory_id = delegation.territory_id
                   AND membership.role IN ('delegate', 'professional')
   WHERE (schedule.practitioner_role_id = ANY (of_entry_ids) OR schedule.healthcare_service_id = ANY (of_entry_ids))
     AND account.disabled_at IS NULL AND schedule.territory_id = ANY (entered_territories())
$$;

CREATE FUNCTION booked_that_day(of_schedule_id uuid, day_starts_at timestamptz, day_ends_at timestamptz) RETURNS bigint
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT count(*) FROM appointment
   WHERE schedule_id = of_schedule_id AND starts_at >= day_starts_at AND starts_at < day_ends_at AND status <> 'cancelled'
     AND territory_id = ANY (entered_territories())
$$;
-- An id says when it was made, and is found by the primary key.
CREATE FUNCTION booked_since(in_territory_ids smallint[], first_id uuid) RETURNS bigint
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT count(*) FROM appointment
   WHERE id >= first_id AND territory_id = ANY (in_territory_ids) AND territory_id = ANY (entered_territories())
     AND status <> 'cancelled'
$$;
CREATE FUNCTION regulated_in_span(in_territory_ids smallint[], first_id uuid, from_at timestamptz, to_at timestamptz)
RETURNS TABLE (id uuid, name text, profession text, specialty text, patients bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT practitioner.id, practitioner.given_name || ' ' || practitioner.family_name AS name,
         practitioner.profession, practitioner.specialty, count(*) AS patients
    FROM appointment
    JOIN schedule ON schedule.id = appointment.schedule_id
    JOIN practitioner_role ON practitioner_role.id = schedule.practitioner_role_id
    JOIN practitioner ON practitioner.id = practitioner_role.practitioner_id
   WHERE appointment.id >= first_id
     AND appointment.territory_id = ANY (in_territory_ids) AND appointment.territory_id = ANY (entered_territories())
     AND appointment.starts_at >= from_at AND appointment.starts_at < to_at
     AND appointment.origin = 'regulation' AND appointment.status <> 'cancelled'
   GROUP BY practitioner.id
   ORDER BY patients DESC, name
$$;

-- What a confirmation must know before it seals, in one look: was the key answered, has the hold
-- ended, are the codes known. Only of the account that asks.
CREATE FUNCTION before_confirm(
  of_account_id uuid, of_verb text, of_key text, of_hold_id uuid, in_territory_id smallint, of_reason text, of_urgency text
)
RETURNS TABLE (
  body_hash bytea, answer jsonb, hold_has_ended boolean, appointment_id uuid, is_own boolean, reason_known boolean, urgency_known boolean
)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT idempotency_key.body_hash, idempotency_key.answer, hold_end.hold_id IS NOT NULL, hold_end.appointment_id,
         coalesce(appointment.booked_by_account_id = of_account_id, false),
         EXISTS (SELECT FROM reason WHERE territory_id = in_territory_id AND code = of_reason),
         EXISTS (SELECT FROM urgency WHERE territory_id = in_territory_id AND code = of_urgency)
    FROM (VALUES (1)) AS always
    LEFT JOIN idempotency_key ON idempotency_key.account_id = of_account_id AND verb = of_verb AND key = of_key
    LEFT JOIN hold_end ON hold_end.hold_id = of_hold_id AND hold_end.territory_id = in_territory_id
    LEFT JOIN appointment ON appointment.id = hold_end.appointment_id
$$;

-- Old keys protect nothing any more. Returns how many went.
CREATE FUNCTION forget_old_keys(before timestamptz)
RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
  WITH gone AS (DELETE FROM idempotency_key WHERE created_at < before RETURNING 1)
  SELECT count(*) FROM gone
$$;
CREATE FUNCTION forget_old_sessions(before timestamptz)
RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
  WITH gone AS (DELETE FROM session WHERE expires_at < before OR ended_at < before RETURNING 1)
  SELECT count(*) FROM gone
$$;

-- What nobody may read any more goes, and the audit says so: late contacts, those of a territory that has switched them
-- off, and those of bookings that were cancelled. Where the other side cancelled, once the patient is told; where the
-- patient moved, once the contact had an hour to be carried along. Returns how many.
CREATE FUNCTION purge_patient_contacts(at timestamptz)
RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
  WITH gone AS (
    DELETE FROM patient_contact contact
     USING appointment, territory
     WHERE appointment.id = contact.appointment_id AND territory.id = contact.territory_id
       AND (contact.purge_at <= at OR territory.contact_kept_h IS NULL
            OR appointment.status = 'cancelled'
               AND CASE appointment.cancelled_by_side
                     WHEN 'professional' THEN appointment.patient_told_at IS NOT NULL
                     WHEN 'move' THEN appointment.cancelled_at <= at - interval '1 hour'
                     ELSE true
                   END)
    RETURNING contact.territory_id, contact.appointment_id
  ),
  noted AS (
    INSERT INTO audit (territory_id, account_id, verb, subject, subject_id)
    SELECT territory_id, NULL, 'purge-contact', 'appointment', appointment_id FROM gone ORDER BY appointment_id
  )
  SELECT count(*) FROM gone
$$;

-- Mails that have left, wrong passwords that nobody repeats, and who asked to be let in: kept for a while, and no longer.
-- A mail with a link says when somebody was invited; its address is its account's.
CREATE FUNCTION forget_old_mails(before timestamptz)
RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
  WITH gone AS (DELETE FROM mail WHERE sent_at < before AND link IS NULL RETURNING 1)
  SELECT count(*) FROM gone
$$;
CREATE FUNCTION forget_old_sign_in_failures(before timestamptz)
RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
  WITH gone AS (DELETE FROM sign_in_failure WHERE last_at < before RETURNING 1)
  SELECT count(*) FROM gone
$$;
CREATE FUNCTION forget_old_admissions(before timestamptz)
RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
  WITH gone AS (DELETE FROM admission WHERE coalesce(decided_at, asked_at) < before RETURNING 1)
  SELECT count(*) FROM gone
$$;

-- What every command leaves beside its own rows: new versions of the slots that it has locked and
-- changed, the outbox, the audit, mails, and the answer under its key. False where the same key was
-- answered meanwhile, by a first try still in flight: then roll back.
CREATE FUNCTION write_down(
  changed_slot_ids uuid[], new_slot_ids uuid[], of_verb text, of_account_id uuid,
  audit_territories smallint[], audit_subjects text[], audit_subject_ids uuid[],
  letter_territories smallint[], letter_schedules uuid[], letter_accounts uuid[], letter_subjects text[], letter_bodies text[],
  of_key text, of_body_hash bytea, of_answer jsonb
)
RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  WITH changed AS (
    UPDATE slot SET version = version + 1 WHERE id = ANY (changed_slot_ids) RETURNING id, territory_id, version
  ),
  announced AS (
    INSERT INTO outbox (territory_id, slot_id, version, verb)
    SELECT territory_id, id, version, of_verb FROM changed
     UNION ALL
    SELECT territory_id, id, version, of_verb FROM slot WHERE id = ANY (new_slot_ids)
  ),
  audited AS (
    INSERT INTO audit (territory_id, account_id, verb, subject, subject_id)
    SELECT territory_id, of_account_id, of_verb, subject, subject_id
      FROM unnest(audit_territories, audit_subjects, audit_subject_ids) AS audited (territory_id, subject, subject_id)
  ),
  mailed AS (
    INSERT INTO mail (id, territory_id, schedule_id, account_id, subject, body)
    SELECT gen_random_uuid(), territory_id, schedule_id, account_id, subject, body
      FROM unnest(letter_territories, letter_schedules, letter_accounts, letter_subjects, letter_bodies)
           AS letter (territory_id, schedule_id, account_id, subject, body)
  )
  INSERT INTO idempotency_key (account_id, verb, key, body_hash, answer)
  VALUES (of_account_id, of_verb, of_key, of_body_hash, of_answer)
  ON CONFLICT (account_id, verb, key) DO NOTHING;
  RETURN FOUND;
END
$$;

-- A confirmation in one statement, a transaction of its own. It was decided on the slot as it stood at
-- `seen_version`, and is written only if the slot still stands there. No row: it does not, or has a daily
-- cap, which is counted under a lock; then the long way decides. Whatever contradicts it (the seat, the end
-- of the hold, the key) is a unique violation, and nothing is written.
CREATE FUNCTION book_unchanged(
  acting_account_id uuid, within_territories smallint[], seen_version bigint, seen_terms bigint, heard text[],
  new_id uuid, in_territory_id smallint, of_schedule_id uuid, of_slot_id uuid, of_seat smallint, of_hold_id uuid,
  new_reference text, of_origin text, of_reason text, of_urgency text, slot_starts_at timestamptz,
  by_organisation_id uuid, by_name text, by_organisation text, by_phone text, was_held_at timestamptz, now_booked_at timestamptz,
  letter_subject text, letter_body text, of_verb text, of_key text, of_body_hash bytea, of_answer jsonb
)
RETURNS TABLE (version bigint, seats jsonb) LANGUAGE plpgsql VOLATILE AS $$
#variable_conflict use_column
DECLARE
  entered text;
BEGIN
  entered := set_config('app.account', acting_account_id::text, true) || set_config('app.territories', within_territories::text, true);
  WITH unchanged AS (
    UPDATE slot SET version = slot.version + 1
      FROM schedule
     WHERE slot.id = of_slot_id AND slot.version = seen_version AND slot.terms = seen_terms
       AND slot.starts_at = slot_starts_at AND slot.schedule_id = of_schedule_id AND slot.capacity >= of_seat
       AND slot.withdrawn_at IS NULL AND slot.audience && heard
       AND schedule.id = slot.schedule_id AND schedule.daily_cap IS NULL
    RETURNING slot.version
  ),
  ended AS (
    INSERT INTO hold_end (hold_id, territory_id, appointment_id)
    SELECT of_hold_id, in_territory_id, new_id FROM unchanged
  ),
  booked AS (
    INSERT INTO appointment (id, territory_id, schedule_id, slot_id, seat, hold_id, reference, origin, reason, urgency, starts_at,
                             booked_by_account_id, booked_by_organisation_id, booked_by_name, booked_by_organisation,
                             booked_by_phone, held_at, booked_at)
    SELECT new_id, in_territory_id, of_schedule_id, of_slot_id, of_seat, of_hold_id, new_reference, of_origin, of_reason,
           of_urgency, slot_starts_at, acting_account_id, by_organisation_id, by_name, by_organisation, by_phone,
           was_held_at, now_booked_at
      FROM unchanged
  ),
  announced AS (
    INSERT INTO outbox (territory_id, slot_id, version, verb)
    SELECT in_territory_id, of_slot_id, unchanged.version, of_verb FROM unchanged
  ),
  audited AS (
    INSERT INTO audit (territory_id, account_id, verb, subject, subject_id)
    SELECT in_territory_id, acting_account_id, of_verb, 'appointment', new_id FROM unchanged
  ),
  mailed AS (
    INSERT INTO mail (id, territory_id, schedule_id, subject, body)
    SELECT gen_random_uuid(), in_territory_id, of_schedule_id, letter_subject, letter_body FROM unchanged
  ),
  answered AS (
    INSERT INTO idempotency_key (account_id, verb, key, body_hash, answer)
    SELECT acting_account_id, of_verb, of_key, of_body_hash, of_answer FROM unchanged
  )
  SELECT unchanged.version INTO version FROM unchanged;
  IF NOT FOUND THEN RETURN; END IF;
  seats := seats_of_slot(of_slot_id);
  RETURN NEXT;
END
$$;

------------------------------------------------------------------------------------------------
-- Rights of the application's role.
------------------------------------------------------------------------------------------------

REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO chrono48_app;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO chrono48_app;
GRANT USAGE, UPDATE ON SEQUENCE generation TO chrono48_app;
GRANT SELECT ON commune, territory, territory_neighbour, organisation, location, practitioner_role, healthcare_service,
  schedule, delegation, act, reason, urgency, practitioner, ledger_slot, directory_entry, audit_anchor TO chrono48_app;
-- The row lock of a practitioner or a service (invariant 2) needs one updatable column.
GRANT UPDATE (skills, languages) ON practitioner TO chrono48_app;
GRANT UPDATE (phone) ON healthcare_service TO chrono48_app;
GRANT UPDATE (default_audience, default_acts, daily_cap, accepts_overflow) ON schedule TO chrono48_app;
GRANT SELECT, INSERT, UPDATE ON slot, appointment, mail TO chrono48_app;
GRANT SELECT, INSERT ON hold_end, idempotency_key, unmet_search, audit, audit_link, admission TO chrono48_app;
GRANT SELECT, INSERT, UPDATE ON audit_copy TO chrono48_app;
GRANT SELECT, INSERT, DELETE ON outbox TO chrono48_app;
-- A worker skips the rows that another one has locked: that, too, takes one updatable column.
GRANT UPDATE (verb) ON outbox TO chrono48_app;
GRANT SELECT, DELETE ON push_subscription TO chrono48_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON quiet_hours TO chrono48_app;
GRANT SELECT, INSERT, UPDATE ON push TO chrono48_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON patient_contact TO chrono48_app;
