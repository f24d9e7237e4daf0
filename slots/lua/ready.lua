--[[ ready: the rebuild is complete. Slots that the ledger lacks go; a new log starts.

KEYS  docs states holds holders live due seals log meta
ARGV  begun_generation owner

Returns
  {'ready', entry_id, dropped}  of `log.started`, and how many slots the ledger lacked
  {'lost'}   the generation is no longer the caller's, or the server was replaced meanwhile
]]
local begun_generation, owner = unpack(ARGV)

if phase() ~= 'rebuilding' or generation ~= begun_generation or redis.call('HGET', meta, 'owner') ~= owner then
  return { 'lost' }
end
local dropped = 0
for _, slot_id in ipairs(redis.call('HKEYS', states)) do
  local state = load_state(slot_id)
  if state.generation ~= generation then
    forget_slot(slot_id, state)
    dropped = dropped + 1
  end
end
redis.call('DEL', log)
redis.call('HSET', meta, 'state', 'ready')
redis.call('HDEL', meta, 'owner', 'lease_until_ms')
last = ''
append('log.started', '', false, '')
return { 'ready', last, dropped }
