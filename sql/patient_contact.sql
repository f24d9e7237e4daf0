-- name: contact_terms(appointment_id) -> one
-- What decides whether a contact may be left, and until when.
SELECT coalesce(slot.ends_at, appointment.starts_at) AS ends_at, slot.modality, territory.contact_kept_h
  FROM appointment
  JOIN territory ON territory.id = appointment.territory_id
  LEFT JOIN slot ON slot.id = appointment.slot_id
 WHERE appointment.id = $1;

-- name: put_contact(appointment_id, territory_id, sealed, written_at, purge_at) -> none
INSERT INTO patient_contact (appointment_id, territory_id, sealed, written_at, purge_at) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (appointment_id) DO UPDATE
   SET sealed = excluded.sealed, written_at = excluded.written_at, purge_at = excluded.purge_at;

-- name: contact_of(appointment_id, now) -> one
SELECT patient_contact.sealed, patient_contact.written_at, patient_contact.purge_at
  FROM patient_contact
  JOIN territory ON territory.id = patient_contact.territory_id
 WHERE patient_contact.appointment_id = $1 AND patient_contact.purge_at > $2 AND territory.contact_kept_h IS NOT NULL;

-- name: contacts_kept(appointment_ids, now) -> many
SELECT patient_contact.appointment_id
  FROM patient_contact
  JOIN territory ON territory.id = patient_contact.territory_id
 WHERE patient_contact.appointment_id = ANY ($1::uuid[]) AND patient_contact.purge_at > $2
   AND territory.contact_kept_h IS NOT NULL;

-- name: erase_contact(appointment_id) -> value
DELETE FROM patient_contact WHERE appointment_id = $1 RETURNING true;

-- name: purge_contacts(now) -> value
SELECT purge_patient_contacts($1);
