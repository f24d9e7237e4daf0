-- What a booking costs the ledger: one question where lists were made, one statement where there were two.
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

DROP POLICY appointment_sides ON appointment;
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

-- A confirmation in one statement, a transaction of its own, with what `write_down` leaves of it. It was decided on the slot as it stood at
-- `seen_version`, and is written only if the slot still stands there. No row: it does not, or has a daily
-- cap, which is counted under a lock; then the long way decides. Whatever contradicts it (the seat, the end
-- of the hold, the key) is a unique violation, and nothing is written.
CREATE OR REPLACE FUNCTION book_unchanged(
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
REVOKE EXECUTE ON FUNCTION is_own_side FROM PUBLIC;
GRANT EXECUTE ON FUNCTION is_own_side TO chrono48_app;
