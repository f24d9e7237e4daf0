--[[ snapshot: every live slot of the territory, and the position that they stand at.

KEYS  docs states holds holders live due seals log meta
ARGV  limit now_ms

Returns
  {'snapshot', generation, entry_id, slot, …}  public slots, by start
  {'settling'}    more than limit slots were due; call again
  {'rebuilding'}  the ledger answers meanwhile

What is due is emitted first, so `last snapshot + events = fresh snapshot` at any moment.
]]
local limit, now_ms = unpack(ARGV)
local now = clock(now_ms)

if not trusted() then return { 'rebuilding' } end
if settle_all(limit, now) >= tonumber(limit) then return { 'settling' } end
local result = { 'snapshot', generation, last }
for index, slot_id in ipairs(redis.call('ZRANGE', live, 0, -1)) do
  result[index + 3] = public(slot_id, load_state(slot_id))
end
return result
