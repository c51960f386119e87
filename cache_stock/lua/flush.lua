#!lua flags=allow-oom
-- FLUSH: forget the balances of some products, so that they answer "not in the cache" until they are warmed.
-- KEYS  1 loaded products  then stock for each product
-- ARGV  the products, in the same order
-- Returns how many were forgotten. Version, reservado and the journal stay. Idempotent.
local loaded = KEYS[1]
assert(#ARGV == #KEYS - 1, 'flush: one argument a product')
local forgotten = 0
for i = 1, #ARGV do
  forgotten = forgotten + redis.call('HDEL', KEYS[1 + i], 'saldo')
  if redis.call('ZSCORE', loaded, ARGV[i]) then redis.call('ZADD', loaded, 0, ARGV[i]) end
end
return forgotten
