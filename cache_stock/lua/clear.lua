#!lua flags=allow-oom
-- Cold start, before loading: delete the journal and the old stock of a tienda, a bounded piece at a time.
-- KEYS  1 meta  2 journal  3 loaded products
-- ARGV  1 token  2 run_id  3 master_replid  4 stock prefix  5 hold prefix  6 most members a call
-- Returns how many are left; 0 ends it; -1 where the token or the server is another; arming takes the token away.
local meta, journal, loaded = KEYS[1], KEYS[2], KEYS[3]
local run_id, master_replid = server_identity()
if redis.call('HGET', meta, 'token') ~= ARGV[1] or run_id ~= ARGV[2] or master_replid ~= ARGV[3] then
  return -1
end
local last = tonumber(ARGV[6]) - 1
for _, venta in ipairs(redis.call('ZRANGE', journal, 0, last)) do
  redis.call('DEL', ARGV[5] .. venta)
  redis.call('ZREM', journal, venta)
end
for _, producto in ipairs(redis.call('ZRANGE', loaded, 0, last)) do
  redis.call('DEL', ARGV[4] .. producto)
  redis.call('ZREM', loaded, producto)
end
return redis.call('ZCARD', journal) + redis.call('ZCARD', loaded)
