#!lua
-- Cold start: write the balances that were read under the exclusive lock, whatever is there.
-- KEYS  1 meta  2 loaded products  then stock for each product
-- ARGV  1 token  2 run_id  3 master_replid  4 now, ms
--       then for each product: producto, saldo, version, precio, impuesto, activo 1|0, catalogo_version
-- Returns 1, or 0 where the token or the server is another; arming takes the token away. Idempotent: holds come after it.
local meta, loaded, now = KEYS[1], KEYS[2], ARGV[4]
local products = #KEYS - 2
assert(#ARGV == 4 + 7 * products, 'load: seven arguments a product')
local run_id, master_replid = server_identity()
if redis.call('HGET', meta, 'token') ~= ARGV[1] or run_id ~= ARGV[2] or master_replid ~= ARGV[3] then
  return 0
end
for i = 1, products do
  local stock, at = KEYS[2 + i], 7 * i - 2
  redis.call('HSET', stock, 'saldo', ARGV[at + 1], 'version', ARGV[at + 2], 'reservado', 0, 'precio', ARGV[at + 3],
    'impuesto', ARGV[at + 4], 'activo', ARGV[at + 5], 'catalogo_version', ARGV[at + 6])
  redis.call('ZADD', loaded, now, ARGV[at])
end
return 1
