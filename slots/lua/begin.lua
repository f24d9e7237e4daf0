--[[ begin: start to rebuild the territory in place, under a new generation and a lease.

KEYS  docs states holds holders live due seals log meta
ARGV  generation owner lease_ms only_if_lost now_ms

  only_if_lost  1: where the territory is ready and may be trusted, leave it so

Returns
  {'begun'}              put every slot of the ledger, then call ready
  {'busy'}               another owner is at it, and its lease still runs; or has just done it
  {'stale', generation}  that generation is not newer than the broker's: take a later one

Until ready, holds answer `rebuilding` and readers get the ledger. The states stay: holds that
nothing contradicts survive. A repeat by the same owner starts over.
]]
local generation, owner, lease_ms, only_if_lost, now_ms = unpack(ARGV)
local now = clock(now_ms)

if only_if_lost == '1' and trusted() then return { 'busy' } end
local current, phase, lease_until, other, replid =
  unpack(redis.call('HMGET', meta, 'generation', 'state', 'lease_until_ms', 'owner', 'replid'))
-- A lease that another server gave is void: that rebuild can no longer become ready.
local is_leased = phase == 'rebuilding' and replid == replication_id() and tonumber(lease_until) > now
if is_leased and other ~= owner then return { 'busy' } end
if current and tonumber(current) >= tonumber(generation) then return { 'stale', current } end

redis.call('HSET', meta, 'generation', generation, 'state', 'rebuilding', 'owner', owner,
  'lease_until_ms', text(now + tonumber(lease_ms)), 'replid', replication_id())
redis.call('DEL', holders, live, due, seals)
return { 'begun' }
