#!lua flags=allow-oom
-- FAIL: the sale is a VentaFallida now: its hold stays, and the sweep leaves it alone.
-- KEYS  1 journal  2 the sale's hold
-- ARGV  1 venta  2 huella
-- Returns 1 if the hold is there, else 0. Idempotent.
assert(#KEYS == 2 and #ARGV == 2, 'fail: two keys, two arguments')
if redis.call('HGET', KEYS[2], 'huella') ~= ARGV[2] then return 0 end
redis.call('ZADD', KEYS[1], '+inf', ARGV[1])
return 1
