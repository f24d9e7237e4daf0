-- What every command leaves beside its own rows becomes a function, so that a confirmation can be one statement.

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
  booked_version bigint;
BEGIN
  PERFORM set_config('app.account', acting_account_id::text, true), set_config('app.territories', within_territories::text, true);
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
  )
  SELECT unchanged.version INTO booked_version FROM unchanged;
  IF NOT FOUND THEN RETURN; END IF;
  IF NOT write_down('{}', ARRAY[of_slot_id], of_verb, acting_account_id,
                    ARRAY[in_territory_id], ARRAY['appointment'], ARRAY[new_id],
                    ARRAY[in_territory_id], ARRAY[of_schedule_id], ARRAY[NULL::uuid], ARRAY[letter_subject], ARRAY[letter_body],
                    of_key, of_body_hash, of_answer) THEN
    RAISE unique_violation USING CONSTRAINT = 'idempotency_key_pkey';
  END IF;
  RETURN QUERY
    SELECT booked_version, (SELECT jsonb_object_agg(appointment.seat, appointment.hold_id)
       FROM appointment
      WHERE appointment.slot_id = of_slot_id AND appointment.status <> 'cancelled' AND appointment.seat IS NOT NULL);
END
$$;

REVOKE EXECUTE ON FUNCTION write_down, book_unchanged FROM PUBLIC;
GRANT EXECUTE ON FUNCTION write_down, book_unchanged TO chrono48_app;

-- A new version of a slot stays on its page, and no index hears of it.
ALTER TABLE slot SET (fillfactor = 70);
