-- What shows, beside a password, who somebody is: the narrow doors of schema.sql. Run by slots/store/factor.py.

-- name: factors_of(account_id) -> one
SELECT app_secret, app_added_at, recovery_codes_left, has_password FROM factors_of($1);

-- name: passkeys_of(account_id) -> many
SELECT credential_id, name, added_at, used_at FROM passkeys_of($1);

-- name: passkey_called(credential_id) -> one
SELECT account_id, public_key, sign_count FROM passkey_called($1);

-- name: use_passkey(credential_id, sign_count, at) -> none
SELECT use_passkey($1, $2, $3);

-- name: use_app_step(account_id, step) -> value
SELECT use_app_step($1, $2);

-- name: use_recovery_code(account_id, code_hash, at) -> value
SELECT use_recovery_code($1, $2, $3);

-- name: has_no_factor(account_id) -> value
SELECT has_no_factor($1);

-- name: put_authenticator_app(account_id, sealed_secret, step, at) -> none
SELECT put_authenticator_app($1, $2, $3, $4);

-- name: put_passkey(credential_id, account_id, public_key, sign_count, name, at) -> value
SELECT put_passkey($1, $2, $3, $4, $5, $6);

-- name: put_recovery_codes(account_id, code_hashes) -> none
SELECT put_recovery_codes($1, $2);

-- name: remove_own_passkey(credential_id) -> value
SELECT remove_own_passkey($1);

-- name: remove_own_app() -> value
SELECT remove_own_app();

-- name: set_password(account_id, password_hash) -> none
SELECT set_password($1, $2);

-- name: renew_password_hash(account_id, old_hash, new_hash) -> value
SELECT renew_password_hash($1, $2, $3);
