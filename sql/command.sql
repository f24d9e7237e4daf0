-- name: write_down(changed_slot_ids, new_slot_ids, verb, account_id, audit_territories, audit_subjects, audit_subject_ids, letter_territories, letter_schedules, letter_accounts, letter_subjects, letter_bodies, key, body_hash, answer) -> value
SELECT write_down($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15);
