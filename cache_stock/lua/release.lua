#!lua flags=allow-oom
-- ROLLBACK: give a hold back, and only by the request that made this very hold, while nobody else may have published it.
-- KEYS  1 meta  2 journal  3 the sale's hold
-- ARGV  1 venta  2 nonce  3 stock prefix
-- Returns 1 given back, 0 refused (not armed, no such hold, another's hold, or somebody else published it).
-- Idempotent: the second call finds no hold.
local meta, journal, hold = KEYS[1], KEYS[2], KEYS[3]
assert(#KEYS == 3 and #ARGV == 3, 'release: three keys, three arguments')
local held = redis.call('HMGET', hold, 'nonce', 'intentos', 'lineas')
if not held[1] or not armed_epoch(meta) then return 0 end
if held[1] ~= ARGV[2] then return 0 end
if held[2] ~= '1' then return 0 end
if not covers(ARGV[3], held[3]) then
  disarm(meta)
  return 0
end
drop_hold(ARGV[3], journal, hold, ARGV[1], held[3])
return 1
