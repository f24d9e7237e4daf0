-- What is stored about persons: run as the owner of the tables, whom no wall stops. Counts and instants, never a content.

-- name: tables() -> many
SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename;

-- name: counts() -> many
-- Rows of each table that has something about somebody, and when the oldest of them is from, where it says so.
SELECT 'account' AS name, count(*) AS count, min(created_at) AS oldest_at FROM account
 UNION ALL SELECT 'admission', count(*), min(asked_at) FROM admission
 UNION ALL SELECT 'appointment', count(*), min(booked_at) FROM appointment
 UNION ALL SELECT 'audit', count(*), min(at) FROM audit
 UNION ALL SELECT 'authenticator_app', count(*), min(added_at) FROM authenticator_app
 UNION ALL SELECT 'delegation', count(*), NULL FROM delegation
 UNION ALL SELECT 'directory_entry', count(*), NULL FROM directory_entry
 UNION ALL SELECT 'idempotency_key', count(*), min(created_at) FROM idempotency_key
 UNION ALL SELECT 'location', count(*), NULL FROM location
 UNION ALL SELECT 'mail', count(*), min(created_at) FROM mail
 UNION ALL SELECT 'membership', count(*), NULL FROM membership
 UNION ALL SELECT 'organisation', count(*), NULL FROM organisation
 UNION ALL SELECT 'passkey', count(*), min(added_at) FROM passkey
 UNION ALL SELECT 'patient_contact', count(*), min(written_at) FROM patient_contact
 UNION ALL SELECT 'practitioner', count(*), NULL FROM practitioner
 UNION ALL SELECT 'practitioner_role', count(*), NULL FROM practitioner_role
 UNION ALL SELECT 'push', count(*), NULL FROM push
 UNION ALL SELECT 'push_subscription', count(*), min(created_at) FROM push_subscription
 UNION ALL SELECT 'quiet_hours', count(*), NULL FROM quiet_hours
 UNION ALL SELECT 'workstation', count(*), min(created_at) FROM workstation
 UNION ALL SELECT 'recovery_code', count(*), NULL FROM recovery_code
 UNION ALL SELECT 'session', count(*), min(created_at) FROM session
 UNION ALL SELECT 'sign_in_failure', count(*), min(last_at) FROM sign_in_failure
 UNION ALL SELECT 'slot', count(*), min(offered_at) FROM slot
 UNION ALL SELECT 'ticket', count(*), min(opened_at) FROM ticket;

-- name: kept_contacts() -> many
-- Which contacts of patients are kept, and until when.
SELECT territory.slug AS territory, appointment.reference, appointment.starts_at, contact.written_at, contact.purge_at
  FROM patient_contact contact
  JOIN appointment ON appointment.id = contact.appointment_id
  JOIN territory ON territory.id = contact.territory_id
 ORDER BY contact.purge_at, appointment.reference;

-- name: territories_that_keep() -> many
SELECT slug, contact_kept_h FROM territory ORDER BY slug;
