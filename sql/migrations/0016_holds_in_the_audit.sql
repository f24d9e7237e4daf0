-- How far the log of each territory has been copied into its audit.
CREATE TABLE audit_copy (
  territory_id  smallint NOT NULL REFERENCES territory,
  generation    bigint NOT NULL,
  entry_id      text NOT NULL,             -- of the log's stream
  CONSTRAINT audit_copy_pkey PRIMARY KEY (territory_id)
);
ALTER TABLE audit_copy ENABLE ROW LEVEL SECURITY;
CREATE POLICY audit_copy_wall ON audit_copy USING (territory_id = ANY ((SELECT entered_territories())::smallint[]));
GRANT SELECT, INSERT, UPDATE ON audit_copy TO chrono48_app;
