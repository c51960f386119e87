#!lua
-- Cold start: hold again what an open failed sale holds; the customer has the goods, so it may go below what is there.
-- KEYS  1 meta  2 journal  3 the sale's hold
-- ARGV  1 token  2 run_id  3 master_replid  4 stock prefix  5 venta  6 huella  7 epoch  8 now, ms  9 pedido  10 lines
-- Returns 1 held, 0 where the token or the server is another; arming takes the token away. Idempotent.
local meta, journal, hold = KEYS[1], KEYS[2], KEYS[3]
assert(#ARGV == 10, 'rehold: ten arguments')
local run_id, master_replid = server_identity()
if redis.call('HGET', meta, 'token') ~= ARGV[1] or run_id ~= ARGV[2] or master_replid ~= ARGV[3] then
  return 0
end
if redis.call('EXISTS', hold) == 1 then return 1 end
for producto, cantidad in each_line(ARGV[10]) do
  if redis.call('EXISTS', ARGV[4] .. producto) == 1 then
    redis.call('HINCRBY', ARGV[4] .. producto, 'reservado', cantidad)
  end
end
redis.call('HSET', hold, 'huella', ARGV[6], 'nonce', 'rehold', 'pedido', ARGV[9], 'lineas', ARGV[10], 'epoch', ARGV[7],
  'creada', ARGV[8], 'intentos', 1)
redis.call('ZADD', journal, '+inf', ARGV[5])
return 1
