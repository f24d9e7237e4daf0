--[[ hold: one seat for one account. First come, first served.

KEYS  docs states holds holders live due seals log meta answer
ARGV  slot_id hold_id account_id audiences holds_max ttl_ms answer_ttl_ms now_ms

  audiences  the words that the account hears here, with a space between: `CPTS PRO PUBLIC`
  holds_max  how many seats one account may hold at a time in the territory
  answer     what this idempotency key was answered, for answer_ttl_ms; lives and dies with Redis

Returns
  {'held', hold_id, seat, expires_at_ms}  the caller has the seat until then
  {'taken'}        every seat is held or booked
  {'unknown'}      no such slot: never put, or over
  {'withdrawn'}    the professional took it back
  {'not-live'}     beyond the horizon
  {'not-yours'}    the slot is for other audiences
  {'too-many'}     the account holds holds_max seats already
  {'mismatch'}     the key was used for another slot
  {'rebuilding'}   the log may have lost its tail; ask again soon

Safe to repeat: the same key is answered the same hold, with the same deadline.
]]
local answer = KEYS[10]
local slot_id, hold_id, account_id, audiences, holds_max, ttl_ms, answer_ttl_ms, now_ms = unpack(ARGV)
local now = clock(now_ms)

if not trusted() then return { 'rebuilding' } end
local before = redis.call('GET', answer)
if before then
  local its_slot, its_hold, seat, expires_ms = string.match(before, '^(%S+) (%S+) (%d+) (%d+)$')
  if its_slot ~= slot_id then return { 'mismatch' } end
  return { 'held', its_hold, tonumber(seat), expires_ms }
end

local state = load_state(slot_id)
if not state then return { 'unknown' } end
if settle(slot_id, state, now) then save(slot_id, state) end
if state.over_done then return { 'unknown' } end

local hears, wanted = false, ' ' .. audiences .. ' '
for word in string.gmatch(state.audience, '%S+') do
  if string.find(wanted, ' ' .. word .. ' ', 1, true) then hears = true end
end
if not hears then return { 'not-yours' } end
if state.withdrawn then return { 'withdrawn' } end
if not state.live then return { 'not-live' } end
local booked, held = count(state)
if booked + held >= state.capacity then return { 'taken' } end

local held_before, holding = held_by(account_id), 0
for _, until_ms in pairs(held_before) do
  -- An overdue unsealed hold counts as free in every script at once, swept or not.
  if until_ms == SEALED or until_ms > now then holding = holding + 1 end
end
if holding >= tonumber(holds_max) then return { 'too-many' } end

local taken = {}
for _, hold in pairs(state.held) do taken[hold.seat] = true end
local seat = 1
while taken[seat] or state.booked[tostring(seat)] do seat = seat + 1 end

local expires = now + tonumber(ttl_ms)
state.held[hold_id] = { seat = seat, account = account_id, expires = expires, sealed = false,
  terms = state.terms, renewed = false }
redis.call('HSET', holds, hold_id, slot_id)
remember_holder(account_id, hold_id, math.min(expires, state.over), held_before)
redis.call('SET', answer, slot_id .. ' ' .. hold_id .. ' ' .. seat .. ' ' .. text(expires), 'PX', answer_ttl_ms)
tell_of_hold('slot.held', slot_id, state, hold_id, account_id)
save(slot_id, state)
return { 'held', hold_id, seat, text(expires) }
