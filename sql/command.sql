-- name: write_down(changed_slot_ids, new_slot_ids, verb, account_id, audit_territories, audit_subjects, audit_subject_ids, letter_territories, letter_schedules, letter_accounts, letter_subjects, letter_bodies, key, body_hash, answer) -> value
-- What every command leaves beside its own rows, in one statement: new versions of the slots that it
-- has locked and changed, the outbox, the audit, mails, and the answer under its key. Says nothing
-- where the same key was answered meanwhile, by a first try still in flight: then roll back.
WITH changed AS (
  UPDATE slot SET version = version + 1 WHERE id = ANY ($1::uuid[]) RETURNING id, territory_id, version
),
announced AS (
  INSERT INTO outbox (territory_id, slot_id, version, verb)
  SELECT territory_id, id, version, $3 FROM changed
   UNION ALL
  SELECT territory_id, id, version, $3 FROM slot WHERE id = ANY ($2::uuid[])
),
audited AS (
  INSERT INTO audit (territory_id, account_id, verb, subject, subject_id)
  SELECT territory_id, $4, $3, subject, subject_id
    FROM unnest($5::smallint[], $6::text[], $7::uuid[]) AS audited (territory_id, subject, subject_id)
),
mailed AS (
  INSERT INTO mail (id, territory_id, schedule_id, account_id, subject, body)
  SELECT gen_random_uuid(), territory_id, schedule_id, account_id, subject, body
    FROM unnest($8::smallint[], $9::uuid[], $10::uuid[], $11::text[], $12::text[])
         AS letter (territory_id, schedule_id, account_id, subject, body)
)
INSERT INTO idempotency_key (account_id, verb, key, body_hash, answer)
VALUES ($4, $3, $13, $14, $15)
ON CONFLICT (account_id, verb, key) DO NOTHING
RETURNING true;
