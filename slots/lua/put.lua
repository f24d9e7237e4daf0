--[[ put: the ledger's slot, whole and versioned. The newest wins, whoever brings it, however late.

KEYS  docs states holds holders live due seals log meta
ARGV  slot_id card capacity version terms audience starts_ms live_from_ms over_ms withdrawn booked read_under event now_ms

  card        open JSON object without its brace; opaque
  audience    words with a space between
  withdrawn   1 or 0
  booked      `seat:hold_id` with a space between; `seat:` where no hold came before
  read_under  the generation that the caller knew before it read the ledger
  event       what to call it in the log; a slot that becomes live is `slot.offered`

Returns
  {'put'}         taken
  {'same'}        the broker had just this
  {'stale'}       the broker has a newer version
  {'over'}        the slot has ended: nothing to keep
  {'other-generation', generation}  read that one, then the ledger, and put again
  {'rebuilding'}  there is no generation to put into: a rebuild will read the ledger

While a territory is rebuilt, puts of its new generation are kept without an event: `ready` starts a new log.
]]
local slot_id, card, capacity, version, terms, audience, starts_ms, live_from_ms, over_ms, withdrawn, booked, read_under,
  event, now_ms = unpack(ARGV)
local now = clock(now_ms)
version, capacity, withdrawn = tonumber(version), tonumber(capacity), withdrawn == '1'

local now_in = phase()
if not now_in then return { 'rebuilding' } end
if read_under ~= generation then return { 'other-generation', generation } end
local is_quiet = now_in == 'rebuilding'

local state = load_state(slot_id)
if state and not is_quiet and settle(slot_id, state, now) then
  save(slot_id, state)
  state = load_state(slot_id)
end
local is_known = state and state.generation == generation
if is_known and version < state.version then return { 'stale' } end

local seats = {}
for seat, hold_id in string.gmatch(booked, '(%d+):(%S*)') do seats[seat] = hold_id end
if is_known and version == state.version and redis.call('HGET', docs, slot_id) == card
  and state.capacity == capacity and state.audience == audience and state.withdrawn == withdrawn
  and state.terms == tonumber(terms)
  and state.over == tonumber(over_ms)
  -- Since when it is live is nothing to tell: another horizon leaves the slots before both alone.
  and (state.live_from == tonumber(live_from_ms) or state.live and tonumber(live_from_ms) <= now) then
  local is_same = true
  for seat, hold_id in pairs(seats) do is_same = is_same and state.booked[seat] == hold_id end
  for seat in pairs(state.booked) do is_same = is_same and seats[seat] ~= nil end
  if is_same then return { 'same' } end
end
if not state and tonumber(over_ms) <= now then return { 'over' } end

local was_live = state and state.live or false
state = state or { held = {}, past = {}, live = false, over_done = false }
state.version, state.generation, state.terms, state.capacity = version, generation, tonumber(terms), capacity
state.audience, state.withdrawn, state.booked = audience, withdrawn, seats
state.starts, state.live_from, state.over = tonumber(starts_ms), tonumber(live_from_ms), tonumber(over_ms)

-- Where the ledger contradicts a hold, the ledger wins. A sealed hold waits for its row of hold_end.
local became = {}
for _, hold_id in pairs(seats) do became[hold_id] = true end
local unsealed = {}
for hold_id, hold in pairs(state.held) do
  local why = became[hold_id] and 'confirmed'
    or not hold.sealed and ((hold.expires <= now or state.over <= now) and 'expired'
      or withdrawn and 'withdrawn' or hold.terms ~= state.terms and 'changed'
      or seats[tostring(hold.seat)] and 'taken')
  if why then
    end_hold(slot_id, state, hold_id, why)
  elseif not hold.sealed then
    table.insert(unsealed, hold_id)
  end
end
-- More are held than there are places left: those who came last go first.
table.sort(unsealed, function(one, other)
  local a, b = state.held[one].expires, state.held[other].expires
  return a > b or (a == b and one > other)
end)
for _, hold_id in ipairs(unsealed) do
  local count_booked, count_held = count(state)
  if count_booked + count_held <= capacity then break end
  end_hold(slot_id, state, hold_id, 'taken')
end

redis.call('HSET', docs, slot_id, card)
state.over_done = state.over <= now
state.live = not withdrawn and not state.over_done and state.live_from <= now
-- `begin` emptied what is derived from the states, and another capacity may be over at another instant.
for hold_id, hold in pairs(state.held) do
  remember_holder(hold.account, hold_id, hold.sealed and SEALED or math.min(hold.expires, state.over))
end
if is_quiet then
  state.on_board = nil -- the board is empty
  for hold_id, hold in pairs(state.held) do
    redis.call('HSET', holds, hold_id, slot_id)
    if hold.sealed then redis.call('ZADD', seals, now, slot_id .. '|' .. hold_id) end
  end
elseif was_live or state.live then
  tell(was_live and event or 'slot.offered', slot_id, state)
end
save(slot_id, state)
return { 'put' }
