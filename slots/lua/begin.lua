--[[ begin: start to rebuild the territory in place, under a new generation and a lease.

KEYS  docs states holds holders live due seals log meta
ARGV  new_generation owner lease_ms only_if_lost now_ms

  only_if_lost  1: where the territory is ready and may be trusted, leave it so

Returns
  {'begun'}              put every slot of the ledger, then call ready
  {'busy'}               another owner is at it, and its lease still runs; or has just done it
  {'stale', generation}  that generation is not newer than the broker's: take a later one

Until ready, holds answer `rebuilding` and readers get the ledger. The states stay: holds that
nothing contradicts survive. A repeat by the same owner starts over.
]]
local new_generation, owner, lease_ms, only_if_lost, now_ms = unpack(ARGV)
local now, now_in = clock(now_ms), phase()

if only_if_lost == '1' and now_in == 'ready' then return { 'busy' } end
local layout, lease_until, other = unpack(redis.call('HMGET', meta, 'layout', 'lease_until_ms', 'owner'))
-- A lease that another server gave is void: that rebuild can no longer become ready.
local is_leased = now_in == 'rebuilding' and tonumber(lease_until) > now
if is_leased and other ~= owner then return { 'busy' } end
if generation and tonumber(generation) >= tonumber(new_generation) then return { 'stale', generation } end

local replid = string.match(redis.call('INFO', 'replication'), 'master_replid:(%x+)')
redis.call('HSET', meta, 'generation', new_generation, 'state', 'rebuilding', 'owner', owner,
  'lease_until_ms', text(now + tonumber(lease_ms)), 'replid', replid, 'layout', LAYOUT)
redis.call('DEL', holders, live, due, seals)
-- Another version of this service kept its states in another way: its holds are forgotten.
if layout ~= LAYOUT then redis.call('DEL', docs, states, holds) end
return { 'begun' }
