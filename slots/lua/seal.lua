--[[ seal: from here on only the ledger ends this hold, by one row of hold_end.

KEYS  docs states holds holders live due seals log meta
ARGV  hold_id account_id now_ms

Returns
  {'sealed', slot_id, seat, terms, slot, live_from_ms}  time, release and other tabs cannot free the seat any more;
    `slot`: as everybody sees it
  {'ended', why, slot_id}  too late: see renew.lua
  {'not-yours'}  another account holds it
  {'unknown'}  never heard of, or forgotten
  {'rebuilding'}  ask again soon

Safe to repeat: a sealed hold is sealed again, and its age starts anew. Only the first seal is told:
held_until no longer counts down.
]]
local hold_id, account_id, now_ms = unpack(ARGV)
local now = clock(now_ms)

if not trusted() then return { 'rebuilding' } end
local slot_id, state, hold, otherwise = find_hold(hold_id, account_id, now)
if not hold then return otherwise end

redis.call('ZADD', seals, now, slot_id .. '|' .. hold_id)
local is_first = not hold.sealed
hold.sealed = true
local slot = public(slot_id, state)
if is_first then
  remember_holder(account_id, hold_id, SEALED)
  append('slot.sealed', slot_id, state.live, slot)
  save(slot_id, state)
end
return { 'sealed', slot_id, hold.seat, text(hold.terms), slot, text(state.live_from) }
