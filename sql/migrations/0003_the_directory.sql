-- The directory: how to refer, new patients, access; and a search that forgives accents and typing errors.

CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE EXTENSION IF NOT EXISTS unaccent;

ALTER TABLE location ADD COLUMN step_free boolean, ADD COLUMN parking boolean;
ALTER TABLE practitioner_role
  ADD COLUMN new_patients boolean,
  ADD COLUMN referral text NOT NULL DEFAULT '',
  ADD CONSTRAINT practitioner_role_referral_short CHECK (char_length(referral) <= 300);
ALTER TABLE healthcare_service
  ADD COLUMN new_patients boolean,
  ADD COLUMN referral text NOT NULL DEFAULT '',
  ADD CONSTRAINT healthcare_service_referral_short CHECK (char_length(referral) <= 300);
CREATE INDEX account_practitioner ON account (practitioner_id);
CREATE INDEX delegation_by_schedule ON delegation (schedule_id);

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
-- For a territory, and for words within one: gist takes both, and siglen keeps long texts apart.
CREATE INDEX directory_entry_by_words ON directory_entry USING gist (territory_id, words gist_trgm_ops (siglen = 128));
CREATE INDEX directory_entry_by_territory ON directory_entry (territory_id);
ALTER TABLE directory_entry ENABLE ROW LEVEL SECURITY;
CREATE POLICY directory_entry_wall ON directory_entry
  USING (territory_id = ANY ((SELECT entered_territories())::smallint[]));

-- Write the rows of these places of work and services anew, as the other tables have them now.
CREATE FUNCTION renew_directory(of_role_ids uuid[], of_service_ids uuid[]) RETURNS void LANGUAGE sql VOLATILE AS $$
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
           WHERE practitioner_role.id = ANY (of_role_ids)
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

SELECT renew_directory(ARRAY(SELECT id FROM practitioner_role), ARRAY(SELECT id FROM healthcare_service));

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

REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA public FROM PUBLIC;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO chrono48_app;
GRANT SELECT ON directory_entry TO chrono48_app;
