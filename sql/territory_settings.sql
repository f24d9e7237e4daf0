-- What a coordinator sets: the settings of a territory, and its catalogue of acts. The doors of schema.sql ask by themselves
-- whether whoever has entered may. Run by slots/store/territory_settings.py and slots/store/acts.py.

-- name: set_territory(territory_id, seen_version, horizon_h, hold_for_s, holds_max, audience, radius_km, contact_kept_h, usual_horizon_h, at, leeway) -> value
SELECT set_territory($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11);

-- name: acts_to_rule(territory_id, now) -> many
-- Also those that are retired. How many slots that are still ahead carry each, and how many schedules propose it.
SELECT act.code, act.label, act.preparation, act.prescription_required, act.version, act.retired_at,
       (SELECT count(*) FROM slot
         WHERE slot.territory_id = act.territory_id AND slot.acts @> ARRAY[act.code] AND slot.ends_at > $2 AND slot.withdrawn_at IS NULL) AS slots,
       (SELECT count(*) FROM schedule
         WHERE schedule.territory_id = act.territory_id AND schedule.default_acts @> ARRAY[act.code]) AS schedules
  FROM act
 WHERE act.territory_id = $1
 ORDER BY act.retired_at IS NOT NULL, folded(act.label), act.code;

-- name: add_act(territory_id, code, label, preparation, prescription_required, at_most) -> one
SELECT outcome, code FROM add_act($1, $2, $3, $4, $5, $6);

-- name: change_act(territory_id, code, seen_version, label, preparation, prescription_required, is_offered, at) -> value
SELECT change_act($1, $2, $3, $4, $5, $6, $7, $8);
