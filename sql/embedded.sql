-- What the superuser of the embedded PostgreSQL does once. Run by workers/embedded/postgres.py.

-- name: role_exists(role_name) -> value
SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1);

-- name: database_exists(database) -> value
SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1);

-- name: command_create_owner(role_name, password) -> value
-- Owns the tables, makes the application's role. BYPASSRLS, since its SECURITY DEFINER functions
-- look over the walls; nobody signs in with it but the migrations.
SELECT format('CREATE ROLE %I LOGIN NOSUPERUSER CREATEROLE BYPASSRLS PASSWORD %L', $1::text, $2::text);

-- name: command_create_database(database, owner) -> value
SELECT format('CREATE DATABASE %I OWNER %I', $1::text, $2::text);
