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
      JOIN practitioner_role role ON role.practitioner_id = account.practitioner_id
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

CREATE POLICY appointment_sides ON appointment AS RESTRICTIVE
  USING ((SELECT entered_account()) IS NULL
         OR booked_by_organisation_id = (SELECT entered_organisation())
            AND territory_id = ANY ((SELECT entered_to_refer())::smallint[])
         OR schedule_id = ANY ((SELECT entered_schedules())::uuid[]));
CREATE POLICY audit_reading ON audit AS RESTRICTIVE FOR SELECT USING ((SELECT entered_account()) IS NULL);
CREATE POLICY mail_reading ON mail AS RESTRICTIVE FOR SELECT USING ((SELECT entered_account()) IS NULL);
CREATE POLICY admission_reading ON admission AS RESTRICTIVE FOR SELECT
  USING ((SELECT entered_account()) IS NULL OR coordinates(territory_id));
CREATE POLICY push_own ON push AS RESTRICTIVE
  USING ((SELECT entered_account()) IS NULL OR subscription_id IN (SELECT id FROM push_subscription));

-- What everybody in a territory may know of its appointments: which seats are taken, and how many there are.
CREATE FUNCTION seats_of_slot(of_slot_id uuid) RETURNS jsonb
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  RETURN (SELECT coalesce(jsonb_object_agg(appointment.seat, appointment.hold_id), '{}')
            FROM appointment
           WHERE appointment.slot_id = of_slot_id AND appointment.status <> 'cancelled' AND appointment.seat IS NOT NULL
             AND appointment.territory_id = ANY (entered_territories()));
END
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

-- The seats of a slot are counted by that door, whoever asks.
CREATE OR REPLACE VIEW ledger_slot WITH (security_invoker = true) AS
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
       seats_of_slot(slot.id) AS seats
  FROM slot
  JOIN territory ON territory.id = slot.territory_id
  JOIN schedule ON schedule.id = slot.schedule_id
  JOIN location ON location.id = slot.location_id
  JOIN commune ON commune.insee = location.insee
  LEFT JOIN practitioner ON practitioner.id = slot.practitioner_id
  LEFT JOIN healthcare_service ON healthcare_service.id = slot.healthcare_service_id;
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
    SELECT booked_version, seats_of_slot(of_slot_id);
END
$$;

REVOKE EXECUTE ON FUNCTION entered_organisation, entered_schedules, entered_to_refer, seats_of_slot, booked_that_day, booked_since, regulated_in_span FROM PUBLIC;
GRANT EXECUTE ON FUNCTION entered_organisation, entered_schedules, entered_to_refer, seats_of_slot, booked_that_day, booked_since, regulated_in_span TO chrono48_app;
