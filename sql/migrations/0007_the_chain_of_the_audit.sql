-- The chain of the audit: each link seals one row and all before it. Written by a worker, read by `chrono48 audit verify`.
CREATE TABLE audit_link (
  territory_id  smallint NOT NULL,
  position      bigint NOT NULL,           -- 1, 2, 3 … in each territory
  audit_id      bigint NOT NULL,           -- no foreign key: that a row is missing must be found, not prevented
  hash          bytea NOT NULL,
  CONSTRAINT audit_link_pkey PRIMARY KEY (territory_id, position),
  CONSTRAINT audit_link_once UNIQUE (audit_id),
  CONSTRAINT audit_link_sha256 CHECK (octet_length(hash) = 32)
);
CREATE TRIGGER audit_link_is_append_only BEFORE UPDATE OR DELETE ON audit_link
  FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE INDEX audit_of_territory ON audit (territory_id, id);

ALTER TABLE audit_link ENABLE ROW LEVEL SECURITY;
CREATE POLICY audit_link_wall ON audit_link USING (territory_id = ANY ((SELECT entered_territories())::smallint[]));
GRANT SELECT, INSERT ON audit_link TO chrono48_app;
