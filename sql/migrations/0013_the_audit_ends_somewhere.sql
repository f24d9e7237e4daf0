-- The audit may be shortened from its beginning, behind an anchor: where the chain stood, signed.
CREATE TABLE audit_anchor (
  territory_id  smallint NOT NULL,
  position      bigint NOT NULL,           -- of the last link that is gone
  hash          bytea NOT NULL,
  retired_at    timestamptz NOT NULL,
  signature     bytea NOT NULL,            -- Ed25519 (slots/audit_signing.py)
  CONSTRAINT audit_anchor_pkey PRIMARY KEY (territory_id, position),
  CONSTRAINT audit_anchor_sha256 CHECK (octet_length(hash) = 32)
);
CREATE TRIGGER audit_anchor_is_append_only BEFORE UPDATE OR DELETE ON audit_anchor
  FOR EACH ROW EXECUTE FUNCTION refuse_change();
ALTER TABLE audit_anchor ENABLE ROW LEVEL SECURITY;
CREATE POLICY audit_anchor_wall ON audit_anchor USING (territory_id = ANY ((SELECT entered_territories())::smallint[]));
GRANT SELECT ON audit_anchor TO chrono48_app;

-- Only what lies behind an anchor may go, and only in a transaction that says that it retires.
CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' AND TG_TABLE_NAME IN ('audit', 'audit_link') AND current_setting('app.retires', true) = 'yes'
     AND EXISTS (SELECT FROM audit_anchor anchor JOIN audit_link link ON link.territory_id = anchor.territory_id AND link.position <= anchor.position
                  WHERE link.territory_id = OLD.territory_id
                    AND link.audit_id = (CASE TG_TABLE_NAME WHEN 'audit' THEN to_jsonb(OLD) ->> 'id' ELSE to_jsonb(OLD) ->> 'audit_id' END)::bigint) THEN
    RETURN OLD;
  END IF;
  RAISE EXCEPTION 'audit rows are append-only' USING ERRCODE = 'insufficient_privilege';
END
$$;
