--[[ renew: hold the same seat for ttl_ms more, from now. Once only.

KEYS  docs states holds holders live due seals log meta answer
ARGV  hold_id account_id ttl_ms answer_ttl_ms now_ms

Returns
  {'held', slot_id, seat, expires_at_ms}  with the new deadline
  {'renewed'}              it was renewed before, under another key
  {'sealed'}               it is being confirmed
  {'ended', why, slot_id}  expired, released, confirmed, withdrawn, changed, taken, revoked
  {'not-yours'}            another account holds it
  {'unknown'}              never heard of, or forgotten
  {'mismatch'}             the key was used for another hold
  {'rebuilding'}           ask again soon

Safe to repeat: the same key is answered the same deadline.
]]
local answer = KEYS[10]
local hold_id, account_id, ttl_ms, answer_ttl_ms, now_ms = unpack(ARGV)
local now = clock(now_ms)

if not trusted() then return { 'rebuilding' } end
local before = redis.call('GET', answer)
if before then
  local its_slot, its_hold, seat, expires_ms = string.match(before, '^(%S+) (%S+) (%d+) (%d+)$')
  if its_hold ~= hold_id then return { 'mismatch' } end
  return { 'held', its_slot, tonumber(seat), expires_ms }
end

local slot_id, state, hold, otherwise = find_hold(hold_id, account_id, now)
if not hold then return otherwise end
if hold.sealed then return { 'sealed' } end
if hold.renewed then return { 'renewed' } end

hold.renewed = true
hold.expires = now + tonumber(ttl_ms)
remember_holder(account_id, hold_id, math.min(hold.expires, state.over))
redis.call('SET', answer, slot_id .. ' ' .. hold_id .. ' ' .. hold.seat .. ' ' .. text(hold.expires), 'PX', answer_ttl_ms)
tell_of_hold('slot.renewed', slot_id, state, hold_id, account_id)
save(slot_id, state)
return { 'held', slot_id, hold.seat, text(hold.expires) }
