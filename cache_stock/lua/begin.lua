#!lua flags=allow-oom
-- Cold start, first: claim the tienda with a token, for as long as the lease is renewed by calling again.
-- KEYS  1 meta
-- ARGV  1 token  2 now, ms  3 lease, ms
-- Returns {1, run_id, master_replid} for the holder of the token, {0} where the tienda is armed or another holds a live lease.
-- Runs at maxmemory, else nothing could clear a full server.
local meta, token, now, lease = KEYS[1], ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
if armed_epoch(meta) then return {0} end
local claim = redis.call('HMGET', meta, 'token', 'lease')
if claim[1] and claim[1] ~= token and claim[2] and tonumber(claim[2]) > now then return {0} end
redis.call('HSET', meta, 'token', token, 'lease', whole(now + lease))
local run_id, master_replid = server_identity()
return {1, run_id, master_replid}
