--[[ due: emit what time has changed: holds that ran out, slots that crossed the horizon or ended.

KEYS  docs states holds holders live due seals log meta
ARGV  limit now_ms

Returns
  {'settled', count, generation, entry_id}  how many slots had something due; as many as limit: call
                  again. And where the log stands
  {'rebuilding'}  ask again soon

Every other script settles its own slot first, so a late sweep delays the news, never the seat.
]]
local limit, now_ms = unpack(ARGV)
if not trusted() then return { 'rebuilding' } end
local count = settle_all(limit, clock(now_ms))
return { 'settled', count, generation, last }
