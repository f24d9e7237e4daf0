-- Screens on a wall, from a link to a cookie: the narrow doors of schema.sql. Run by slots/store/screen.py.

-- name: offer_screen(session_hash, link_hash, name, walls, now, link_until) -> none
SELECT offer_screen($1, $2, $3, $4, $5, $6);

-- name: screen_of_link(link_hash, now) -> one
SELECT name, walls FROM screen_of_link($1, $2);

-- name: begin_screen(link_hash, session_hash, now, until) -> value
SELECT begin_screen($1, $2, $3, $4);
