#!lua
-- WARMUP: write what PostgreSQL said of some products. No arithmetic with holds: a stale read does no harm, any moment will do.
-- KEYS  1 meta  2 loaded products  then stock for each product
-- ARGV  1 now, ms
--       then for each product: producto, saldo, version, precio, impuesto, activo 1|0, catalogo_version
-- Returns {1, written, stale} or {-3} where the tienda is not armed.
-- The balance and the catalogue guard themselves by their own version, apart. `reservado` is never touched. Idempotent.
local meta, loaded, now = KEYS[1], KEYS[2], ARGV[1]
local products = #KEYS - 2
assert(#ARGV == 1 + 7 * products, 'warmup: seven arguments a product')
if not armed_epoch(meta) then return {-3} end

local there = {}
for i = 1, products do
  there[i] = redis.call('HMGET', KEYS[2 + i], 'version', 'catalogo_version', 'saldo')
  if not there[i][1] and redis.call('ZSCORE', loaded, ARGV[7 * i - 5]) then
    disarm(meta)
    return {-3}
  end
end

local written, stale = 0, 0
for i = 1, products do
  local stock, at = KEYS[2 + i], 7 * i - 5
  local version, catalogue_version = there[i][1], there[i][2]
  if not version then redis.call('HSET', stock, 'reservado', 0) end
  if not version or tonumber(ARGV[at + 2]) >= tonumber(version) then
    redis.call('HSET', stock, 'saldo', ARGV[at + 1], 'version', ARGV[at + 2])
    written = written + 1
  else
    stale = stale + 1
  end
  if not catalogue_version or tonumber(ARGV[at + 6]) >= tonumber(catalogue_version) then
    redis.call('HSET', stock, 'precio', ARGV[at + 3], 'impuesto', ARGV[at + 4], 'activo', ARGV[at + 5],
      'catalogo_version', ARGV[at + 6])
  end
  if redis.call('HEXISTS', stock, 'saldo') == 1 then redis.call('ZADD', loaded, now, ARGV[at]) end
end
return {1, written, stale}
