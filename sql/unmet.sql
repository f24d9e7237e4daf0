-- Needs that nobody met, for the figures to come. No person is in them. Run by slots/store/unmet.py.

-- name: record_unmet_search(territory_id, act, profession, specialty, insee, within_hours, bucket_at, searched_at) -> none
-- The same need asked again within its quarter of an hour counts once.
INSERT INTO unmet_search (territory_id, act, profession, specialty, insee, within_hours, bucket_at, searched_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT ON CONSTRAINT unmet_search_once DO NOTHING;

-- name: unmet_since(territory_ids, since) -> value
-- A regulator's need is recorded in each territory that they cover; it is one need.
SELECT count(DISTINCT (bucket_at, act, profession, specialty, insee, within_hours))
  FROM unmet_search
 WHERE territory_id = ANY ($1::smallint[]) AND bucket_at >= $2;
