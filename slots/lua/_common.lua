-- Put before every script: what all transitions share. Each script carries a copy, so keep it short.
--
-- All keys of a territory share one hash tag; every script receives the same list of them:
--   docs     hash    slot id → the slot's card: open JSON text, opaque to Lua
--   states   hash    slot id → MessagePack of the state below: an array of STATE_FIELDS in load_state's order
--   holds    hash    hold id → slot id, also for a while after the hold has ended
--   holders  hash    account id → MessagePack of {hold id → when it or its slot ends, in ms, or SEALED}
--   live     zset    slot ids on the boards, by start
--   due      zset    slot ids, by the next instant at which time changes them
--   seals    zset    'slot id|hold id', by the instant of the seal
--   log      stream  type, generation, prev, slot_id, live, slot; whose hold it was, where one hold began, went on or ended
--   meta     hash    generation, state (ready, rebuilding), replid, layout, last, lease_until_ms, owner
--
-- state  version, generation, terms, capacity, audience, starts, live_from, over, withdrawn, live, over_done,
--        booked  {seat → hold id or ''}
--        held    {hold id → {seat, account, expires, sealed, terms, renewed}}
--        past    list of {hold id, account, why}: holds that have ended, the latest PAST_MAX

local LOG_LENGTH = 10000 -- entries kept, about; a reader further behind takes a snapshot
local PAST_MAX = 50
local SEALED = -1
local LAYOUT = '2' -- of what is kept under these keys; another one is begun anew
local STATE_FIELDS = 14

local docs, states, holds, holders, live, due, seals, log, meta = unpack(KEYS)
local generation, last -- where the log stands: `phase` reads it, `append` moves it

-- One clock for all: the server's own. A test passes a number instead of ''.
local function clock(now_ms)
  if now_ms ~= '' then return tonumber(now_ms) end
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

local function text(number) return string.format('%.0f', number) end

-- 'ready' or 'rebuilding'; nil where nothing can be trusted: a server that restarted or was promoted
-- has another replication id, and its log may have lost its tail.
local function phase()
  local state, replid, layout
  state, replid, layout, generation, last = unpack(redis.call('HMGET', meta, 'state', 'replid', 'layout', 'generation', 'last'))
  if layout ~= LAYOUT then return nil end
  -- Looked for, not parsed: INFO is long.
  local is_same_server = string.find(redis.call('INFO', 'replication'), 'master_replid:' .. replid, 1, true)
  return is_same_server and state or nil
end

local function trusted() return phase() == 'ready' end

-- RFC 3339 in UTC: days to a date as in Hinnant's civil_from_days; the sandbox has no os.date.
local function rfc3339(ms)
  local seconds = math.floor(ms / 1000)
  local days, rest = math.floor(seconds / 86400), seconds % 86400
  local shifted = days + 719468
  local era = math.floor(shifted / 146097)
  local day_of_era = shifted - era * 146097
  local year_of_era = math.floor((day_of_era - math.floor(day_of_era / 1460)
    + math.floor(day_of_era / 36524) - math.floor(day_of_era / 146096)) / 365)
  local day_of_year = day_of_era - (365 * year_of_era + math.floor(year_of_era / 4) - math.floor(year_of_era / 100))
  local shifted_month = math.floor((5 * day_of_year + 2) / 153)
  local day = day_of_year - math.floor((153 * shifted_month + 2) / 5) + 1
  local month = shifted_month < 10 and shifted_month + 3 or shifted_month - 9
  local year = year_of_era + era * 400 + (month <= 2 and 1 or 0)
  return string.format('%04d-%02d-%02dT%02d:%02d:%02d.%03dZ', year, month, day,
    math.floor(rest / 3600), math.floor(rest / 60) % 60, rest % 60, ms % 1000)
end

local function load_state(slot_id)
  local packed = redis.call('HGET', states, slot_id)
  if not packed then return nil end
  -- From behind the array's head the values come one by one: quicker than a table that grows.
  local _, version, of_generation, held, booked, past, terms, capacity, audience, starts, live_from, over, withdrawn, is_live,
    over_done = cmsgpack.unpack_limit(packed, STATE_FIELDS, 1)
  return { version = version, generation = of_generation, held = held, booked = booked, past = past, terms = terms,
    capacity = capacity, audience = audience, starts = starts, live_from = live_from, over = over, withdrawn = withdrawn,
    live = is_live, over_done = over_done, on_board = is_live and starts }
end

-- How many seats are booked and held, and when the first unsealed hold ends. A hold on a seat that
-- the ledger has given away counts once, as booked.
local function count(state)
  local booked, held, held_until = 0, 0, nil
  for _ in pairs(state.booked) do booked = booked + 1 end
  for _, hold in pairs(state.held) do
    if not state.booked[tostring(hold.seat)] then
      held = held + 1
      if not hold.sealed and (not held_until or hold.expires < held_until) then held_until = hold.expires end
    end
  end
  return booked, held, held_until
end

-- The slot as everybody sees it: the opaque card, spliced with the counters.
local function public(slot_id, state)
  local booked, held, held_until = count(state)
  local free = state.withdrawn and 0 or math.max(0, state.capacity - booked - held)
  local status = state.withdrawn and 'busy-unavailable' or free > 0 and 'free' or held > 0 and 'busy-tentative' or 'busy'
  return string.format('%s,"capacity":%d,"free":%d,"held":%d,"booked":%d,"held_until":%s,"status":"%s","version":%s}',
    redis.call('HGET', docs, slot_id), state.capacity, free, held, booked,
    held_until and '"' .. rfc3339(held_until) .. '"' or 'null', status, text(state.version))
end

-- Append one event to the log. Each names the one before it, so that a reader who stands at B and
-- sees prev = A knows that it missed something. State and event are one: same script, same step.
-- What follows the slot is not for screens: the worker that copies holds into the audit reads it.
local function append(kind, slot_id, is_live, doc, ...)
  last = redis.call('XADD', log, 'MAXLEN', '~', LOG_LENGTH, '*', 'type', kind, 'generation', generation,
    'prev', last, 'slot_id', slot_id, 'live', is_live and '1' or '0', 'slot', doc, ...)
  redis.call('HSET', meta, 'last', last)
end

local function tell(kind, slot_id, state)
  append(kind, slot_id, state.live, public(slot_id, state))
end

local function tell_of_hold(kind, slot_id, state, hold_id, account)
  append(kind, slot_id, state.live, public(slot_id, state), 'hold_id', hold_id, 'account_id', account)
end

local function held_by(account)
  local packed = redis.call('HGET', holders, account)
  return packed and cmsgpack.unpack(packed) or {}
end

-- *held*: what the account holds, where the caller has just asked.
local function remember_holder(account, hold_id, until_ms, held)
  held = held or held_by(account)
  held[hold_id] = until_ms
  if next(held) then
    redis.call('HSET', holders, account, cmsgpack.pack(held))
  else
    redis.call('HDEL', holders, account)
  end
end

-- The one way in which a hold leaves a slot.
local function end_hold(slot_id, state, hold_id, why)
  local hold = state.held[hold_id]
  state.held[hold_id] = nil
  remember_holder(hold.account, hold_id, nil)
  if hold.sealed then redis.call('ZREM', seals, slot_id .. '|' .. hold_id) end
  table.insert(state.past, { hold_id, hold.account, why })
  if #state.past > PAST_MAX then redis.call('HDEL', holds, table.remove(state.past, 1)[1]) end
end

local function has_sealed(state)
  for _, hold in pairs(state.held) do
    if hold.sealed then return true end
  end
  return false
end

local function forget_slot(slot_id, state)
  for hold_id, hold in pairs(state.held) do
    remember_holder(hold.account, hold_id, nil)
    redis.call('ZREM', seals, slot_id .. '|' .. hold_id)
    redis.call('HDEL', holds, hold_id)
  end
  for _, past in ipairs(state.past) do redis.call('HDEL', holds, past[1]) end
  redis.call('HDEL', docs, slot_id)
  redis.call('HDEL', states, slot_id)
  redis.call('ZREM', live, slot_id)
  redis.call('ZREM', due, slot_id)
end

-- The first instant at which time changes this slot, and what happens then: 'offered', 'expired', 'ended'.
local function next_instant(state)
  if state.over_done then return nil end
  local instant, what, which = state.over, 'ended', nil
  if not state.live and not state.withdrawn and state.live_from < instant then
    instant, what = state.live_from, 'offered'
  end
  for hold_id, hold in pairs(state.held) do
    local sooner = hold.expires < instant or (hold.expires == instant and what == 'ended')
    -- Holds that end in the same millisecond end in the order of their ids: replays agree.
    local tie = what == 'expired' and hold.expires == instant and hold_id < which
    if not hold.sealed and (sooner or tie) then instant, what, which = hold.expires, 'expired', hold_id end
  end
  return instant, what, which
end

-- Keep the state and the instants that depend on it. A slot that is over stays only while a sealed
-- hold may still become its appointment.
local function save(slot_id, state)
  if state.over_done and not has_sealed(state) then return forget_slot(slot_id, state) end
  redis.call('HSET', states, slot_id, cmsgpack.pack({ state.version, state.generation, state.held, state.booked, state.past,
    state.terms, state.capacity, state.audience, state.starts, state.live_from, state.over, state.withdrawn, state.live,
    state.over_done }))
  local on_board = state.live and state.starts
  if on_board ~= state.on_board then
    if on_board then redis.call('ZADD', live, on_board, slot_id) else redis.call('ZREM', live, slot_id) end
    state.on_board = on_board
  end
  local instant = next_instant(state)
  if instant then
    redis.call('ZADD', due, instant, slot_id)
  else
    redis.call('ZREM', due, slot_id)
  end
end

-- Time passes only by events: emit, in order, what time has changed in this slot. Says whether it did.
local function settle(slot_id, state, now)
  local changed = false
  local instant, what, hold_id = next_instant(state)
  while instant and instant <= now do
    changed = true
    if what == 'offered' then
      state.live = true
      tell('slot.offered', slot_id, state)
    elseif what == 'expired' then
      local account = state.held[hold_id].account
      end_hold(slot_id, state, hold_id, 'expired')
      if state.live then tell_of_hold('slot.expired', slot_id, state, hold_id, account) end
    else
      for other_id, hold in pairs(state.held) do
        if not hold.sealed then end_hold(slot_id, state, other_id, 'expired') end
      end
      local was_live = state.live
      state.live, state.over_done = false, true
      if was_live then tell('slot.ended', slot_id, state) end
    end
    instant, what, hold_id = next_instant(state)
  end
  return changed
end

-- Settle every slot that is due, at most `limit`. Returns how many there were.
local function settle_all(limit, now)
  local slot_ids = redis.call('ZRANGEBYSCORE', due, '-inf', now, 'LIMIT', 0, limit)
  for _, slot_id in ipairs(slot_ids) do
    local state = load_state(slot_id)
    if state then
      settle(slot_id, state, now)
      save(slot_id, state)
    else
      redis.call('ZREM', due, slot_id)
    end
  end
  return #slot_ids
end

-- Find a hold and settle its slot. Returns slot id, state and hold; or an answer to give instead.
local function find_hold(hold_id, account_id, now)
  local slot_id = redis.call('HGET', holds, hold_id)
  local state = slot_id and load_state(slot_id)
  if not state then return nil, nil, nil, { 'unknown' } end
  if settle(slot_id, state, now) then save(slot_id, state) end
  local hold = state.held[hold_id]
  if hold then
    if hold.account ~= account_id then return nil, nil, nil, { 'not-yours' } end
    return slot_id, state, hold
  end
  for _, past in ipairs(state.past) do
    if past[1] == hold_id then
      if past[2] ~= account_id then return nil, nil, nil, { 'not-yours' } end
      return nil, nil, nil, { 'ended', past[3], slot_id }
    end
  end
  return nil, nil, nil, { 'unknown' }
end
