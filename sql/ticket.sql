-- What is under way before a session: the narrow doors of schema.sql. Run by slots/store/ticket.py.

-- name: open_ticket(id_hash, account_id, purpose, at, expires_at, challenge) -> none
SELECT open_ticket($1, $2, $3, $4, $5, $6);

-- name: ticket_at(id_hash, at) -> one
SELECT account_id, email, name, purpose, expires_at, challenge, secret FROM ticket_at($1, $2);

-- name: try_ticket(id_hash, most, at) -> value
SELECT try_ticket($1, $2, $3);

-- name: spend_ticket(id_hash, at) -> value
SELECT spend_ticket($1, $2);

-- name: spend_tickets_of(account_id, at) -> none
SELECT spend_tickets_of($1, $2);

-- name: put_into_ticket(id_hash, challenge, secret) -> none
SELECT put_into_ticket($1, $2, $3);

-- name: take_challenge(id_hash, at) -> value
SELECT take_challenge($1, $2);

-- name: forget_old_tickets(before) -> value
SELECT forget_old_tickets($1);

-- name: ask_new_password(email, mail_id, subject, body, at, not_since) -> none
-- Whether there is a commit to wait for must not be told by the time it takes.
SELECT set_config('synchronous_commit', 'off', true), ask_new_password($1, $2, $3, $4, $5, $6);

-- name: ask_link_again(id_hash, mail_id, purposes, subjects, bodies, at, not_since) -> none
SELECT ask_link_again($1, $2, $3, $4, $5, $6, $7);

-- name: write_to_account(mail_id, account_id, subject, body, at) -> none
INSERT INTO mail (id, territory_id, account_id, subject, body, created_at, next_try_at) VALUES ($1, 0, $2, $3, $4, $5, $5);
