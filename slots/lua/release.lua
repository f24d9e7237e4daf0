--[[ release: give a held seat back.

KEYS  docs states holds holders live due seals log meta
ARGV  hold_id account_id now_ms

Returns
  {'released'}             the seat is free, and everybody hears it
  {'sealed'}               it is being confirmed: a sealed hold is never freed by release
  {'ended', why, slot_id}  it had ended already
  {'not-yours'}            another account holds it
  {'unknown'}              never heard of, or forgotten
  {'rebuilding'}           ask again soon

Safe to repeat: the second time it has ended already.
]]
local hold_id, account_id, now_ms = unpack(ARGV)
local now = clock(now_ms)

if not trusted() then return { 'rebuilding' } end
local slot_id, state, hold, otherwise = find_hold(hold_id, account_id, now)
if not hold then return otherwise end
if hold.sealed then return { 'sealed' } end

end_hold(slot_id, state, hold_id, 'released')
tell_of_hold('slot.released', slot_id, state, hold_id, account_id)
save(slot_id, state)
return { 'released' }
