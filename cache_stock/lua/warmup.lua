#!lua
-- WARMUP: write what PostgreSQL said of some products. No arithmetic with holds: a stale read does no harm, any moment will do.
-- KEYS  1 meta  2 loaded products  then stock for each product
-- ARGV  1 now, ms
--       then for each product: producto, saldo, version, precio, impuesto, activo 1|0, catalogo_version
-- Returns {1, current, stale}: balances that are as PostgreSQL said, and newer ones; or {-3} where the tienda is not armed.
-- The balance and the catalogue guard themselves by their own version, apart. `reservado` is never touched. Idempotent.
-- What is there already is not written again: a warmup of what has not changed leaves the append-only file alone.
local meta, loaded, now = KEYS[1], KEYS[2], ARGV[1]
local products = #KEYS - 2
assert(#ARGV == 1 + 7 * products, 'warmup: seven arguments a product')
if not armed_epoch(meta) then return {-3} end

local there = {}
for i = 1, products do
  there[i] = redis.call('HMGET', KEYS[2 + i], 'version', 'saldo', 'catalogo_version', 'precio', 'impuesto', 'activo')
  if not there[i][1] and redis.call('ZSCORE', loaded, ARGV[7 * i - 5]) then
    disarm(meta)
    return {-3}
  end
end

local current, stale = 0, 0
for i = 1, products do
  local stock, at = KEYS[2 + i], 7 * i - 5
  local version, saldo, catalogue_version, precio, impuesto, activo = unpack(there[i])
  if not version then redis.call('HSET', stock, 'reservado', 0) end
  if version and tonumber(ARGV[at + 2]) < tonumber(version) then
    stale = stale + 1
  else
    current = current + 1
    if saldo ~= ARGV[at + 1] or version ~= ARGV[at + 2] then
      redis.call('HSET', stock, 'saldo', ARGV[at + 1], 'version', ARGV[at + 2])
      saldo = ARGV[at + 1]
    end
  end
  if not catalogue_version or tonumber(ARGV[at + 6]) >= tonumber(catalogue_version) then
    if precio ~= ARGV[at + 3] or impuesto ~= ARGV[at + 4] or activo ~= ARGV[at + 5]
      or catalogue_version ~= ARGV[at + 6] then
      redis.call('HSET', stock, 'precio', ARGV[at + 3], 'impuesto', ARGV[at + 4], 'activo', ARGV[at + 5],
        'catalogo_version', ARGV[at + 6])
    end
  end
  if saldo and (tonumber(redis.call('ZSCORE', loaded, ARGV[at]) or 0)) == 0 then
    redis.call('ZADD', loaded, now, ARGV[at])
  end
end
return {1, current, stale}
