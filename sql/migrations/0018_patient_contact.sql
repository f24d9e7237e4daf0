-- An optional contact of the patient, off until a territory switches it on: sealed, for the two sides of the booking
-- only, and gone one to three days after the slot. The address of a visit that 0006 leaves to the phone may be in it.
ALTER TABLE territory ADD COLUMN contact_kept_h smallint;
ALTER TABLE territory ADD CONSTRAINT territory_contact_kept_range CHECK (contact_kept_h BETWEEN 24 AND 72);

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

REVOKE EXECUTE ON FUNCTION is_a_side_of_appointment, purge_patient_contacts FROM PUBLIC;
GRANT EXECUTE ON FUNCTION is_a_side_of_appointment, purge_patient_contacts TO chrono48_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON patient_contact TO chrono48_app;
