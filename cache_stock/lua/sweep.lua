#!lua flags=allow-oom
-- SWEEP: claim overdue holds for another publish, with back-off. It gives nothing back. Runs at maxmemory: what it
-- publishes is what makes room.
-- KEYS  1 meta  2 journal  then the hold of each sale
-- ARGV  1 now, ms  2 first pause, ms  3 longest pause, ms  then the sales, in the same order
-- Returns one {venta, huella, epoch, pedido, lines} a claimed hold: not those that another sweep has claimed since,
-- not those of failed sales (+inf), and none at all while the tienda is not armed. A journal entry without its hold disarms.
local meta, journal, now = KEYS[1], KEYS[2], tonumber(ARGV[1])
assert(#ARGV == 3 + #KEYS - 2, 'sweep: one argument a hold')
if not armed_epoch(meta) then return {} end
local overdue = {}
for i = 1, #KEYS - 2 do
  local hold, venta = KEYS[2 + i], ARGV[3 + i]
  local due = redis.call('ZSCORE', journal, venta)
  if due and tonumber(due) <= now then
    local held = redis.call('HMGET', hold, 'huella', 'epoch', 'pedido', 'lineas')
    if not held[1] then
      disarm(meta)
      return {}
    end
    overdue[#overdue + 1] = {hold = hold, claim = {venta, held[1], held[2], held[3], held[4]}}
  end
end
local claimed = {}
for i, found in ipairs(overdue) do
  local swept = redis.call('HINCRBY', found.hold, 'barridos', 1)
  redis.call('HINCRBY', found.hold, 'intentos', 1)
  local pause = math.min(tonumber(ARGV[2]) * 2 ^ math.min(swept, 20), tonumber(ARGV[3]))
  redis.call('ZADD', journal, whole(now + pause), found.claim[1])
  claimed[i] = found.claim
end
return claimed
