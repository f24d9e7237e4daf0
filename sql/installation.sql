-- What an installation needs to know about itself. Run by slots/migration.py and slots/database.py.

-- name: role_rights() -> one
-- What the connected role may do beyond what the application needs.
SELECT current_user AS role_name,
       rolsuper AS is_superuser,
       rolbypassrls AS bypasses_row_security,
       ARRAY(
         SELECT format('%I.%I', pg_namespace.nspname, pg_class.relname)
           FROM pg_class
           JOIN pg_namespace ON pg_namespace.oid = pg_class.relnamespace
          WHERE pg_class.relkind IN ('r', 'p')
            AND pg_namespace.nspname <> 'information_schema'
            AND pg_namespace.nspname NOT LIKE 'pg\_%'
            AND pg_has_role(current_user, pg_class.relowner, 'MEMBER')
          ORDER BY 1
       )::text[] AS owned_tables
  FROM pg_roles
 WHERE rolname = current_user;

-- name: is_empty() -> value
-- Whether nobody has filled this installation: run as the owner, whom no wall stops.
SELECT NOT EXISTS (SELECT FROM territory);

-- name: lock_migrations(key) -> none
-- One migrator at a time, until its connection closes.
SELECT pg_advisory_lock($1);

-- name: has_migrations() -> value
SELECT to_regclass('public.migration') IS NOT NULL;

-- name: create_migrations() -> none
CREATE TABLE public.migration (
  name        text PRIMARY KEY,
  checksum    text NOT NULL,   -- SHA-256 of the file, so that an edit of the past is noticed
  applied_at  timestamptz NOT NULL DEFAULT now()
);

-- name: applied_migrations() -> many
SELECT name, checksum FROM public.migration ORDER BY name;

-- name: record_migration(name, checksum) -> none
INSERT INTO public.migration (name, checksum) VALUES ($1, $2);

-- name: role_exists(role_name) -> value
SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1);

-- name: command_create_role(role_name) -> value
-- DDL takes no parameters: PostgreSQL itself quotes the name into the command.
SELECT format('CREATE ROLE %I LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS', $1::text);

-- name: command_set_password(role_name, password) -> value
SELECT format('ALTER ROLE %I PASSWORD %L', $1::text, $2::text);
