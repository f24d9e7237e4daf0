-- What comes near what was typed is cut off where it is far from the best, and is looked for in one territory.

CREATE INDEX directory_entry_by_territory ON directory_entry (territory_id);

-- The entries of the entered territories that answer what somebody typed: those in which every word begins a
-- word; only where there are none, those that come near (typing errors). Without words all of them. Not through
-- row level security, before which no index of words may be used: the wall is the first condition instead.
CREATE OR REPLACE FUNCTION find_in_directory(typed text)
RETURNS TABLE (entry_id uuid, is_exact boolean, rank real)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  walls smallint[] := entered_territories();
  wanted text[] := ARRAY(
    SELECT DISTINCT word
      FROM unnest(string_to_array(trim(folded(typed)), ' ')) AS word
     WHERE word <> '' AND word <> ALL ('{a,au,aux,d,de,des,du,en,et,l,la,le,les}')
     LIMIT 8);
  longest text := (SELECT word FROM unnest(wanted) AS word ORDER BY length(word) DESC, word LIMIT 1);
BEGIN
  IF longest IS NULL THEN
    RETURN QUERY SELECT entry.id, true, 0::real FROM directory_entry entry WHERE entry.territory_id = ANY (walls);
    RETURN;
  END IF;
  RETURN QUERY
    SELECT entry.id, true, likeness_in_directory(wanted, entry.name, entry.words)
      FROM directory_entry entry
     WHERE entry.territory_id = ANY (walls) AND entry.words LIKE '% ' || longest || '%'
       AND NOT EXISTS (SELECT FROM unnest(wanted) AS word WHERE entry.words NOT LIKE '% ' || word || '%');
  IF FOUND THEN RETURN; END IF;
  -- What `%>>` takes for near, in this transaction: two letters changed about in `suture` are 0.27.
  PERFORM set_config('pg_trgm.strict_word_similarity_threshold', '0.25', true);
  RETURN QUERY
    SELECT near.id, false, near.likeness
      FROM (SELECT entry.id, likeness_in_directory(wanted, entry.name, entry.words) AS likeness,
                   max(likeness_in_directory(wanted, entry.name, entry.words)) OVER () AS best
              FROM directory_entry entry
             WHERE entry.territory_id = ANY (walls)
               AND (entry.words LIKE '% ' || longest || '%' OR entry.words %>> longest)
               AND NOT EXISTS (SELECT FROM unnest(wanted) AS word
                                WHERE entry.words NOT LIKE '% ' || word || '%' AND NOT entry.words %>> word)) AS near
     WHERE near.likeness >= 0.6 * near.best;
END
$$;
