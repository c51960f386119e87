#!lua flags=allow-oom
-- Cold start, last: this server, in this epoch, may promise stock again.
-- KEYS  1 meta
-- ARGV  1 token  2 run_id  3 master_replid  4 epoch  5 timeline
-- Returns 1 armed, 0 where the token or the server is another.
local meta = KEYS[1]
local run_id, master_replid = server_identity()
if redis.call('HGET', meta, 'token') ~= ARGV[1] or run_id ~= ARGV[2] or master_replid ~= ARGV[3] then return 0 end
redis.call('HSET', meta, 'run_id', run_id, 'master_replid', master_replid, 'epoch', ARGV[4], 'timeline', ARGV[5])
redis.call('HDEL', meta, 'token', 'lease', 'freno', 'wal')
return 1
