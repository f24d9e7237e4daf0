--[[ unseal: take away a hold that hold_end has ended without an appointment.

KEYS  docs states holds holders live due seals log meta
ARGV  slot_id hold_id event now_ms

  event  slot.revoked or slot.released: why the seat is free again

Returns
  {'unsealed'}    the seat is free, unless the ledger gave it away
  {'ended'}       there is no such hold any more
  {'rebuilding'}  ask again soon

The caller has committed hold_end(hold_id, NULL) first; so this may come late, or twice.
]]
local slot_id, hold_id, event, now_ms = unpack(ARGV)
local now = clock(now_ms)

if not trusted() then return { 'rebuilding' } end
redis.call('ZREM', seals, slot_id .. '|' .. hold_id)
local state = load_state(slot_id)
if not state then return { 'ended' } end
local changed = settle(slot_id, state, now)
local hold = state.held[hold_id]
if hold then
  end_hold(slot_id, state, hold_id, 'revoked')
  if state.live then tell(event, slot_id, state) end
end
if hold or changed then save(slot_id, state) end
return { hold and 'unsealed' or 'ended' }
