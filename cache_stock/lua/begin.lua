#!lua flags=allow-oom
-- Cold start, first: claim the tienda with a token, for as long as the lease is renewed by calling again.
-- KEYS  1 meta
-- ARGV  1 token  2 now, ms  3 lease, ms
-- Returns {1, run_id, master_replid} for the holder of the token, {0} where the tienda is armed or another holds a live lease.
-- A lease that is further ahead than any can be was taken by a clock that was wrong, and is none.
-- Runs at maxmemory, else nothing could clear a full server.
local LONGEST_LEASE_MS = 60000
local meta, token, now, lease = KEYS[1], ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
if armed_epoch(meta) then return {0} end
local claim = redis.call('HMGET', meta, 'token', 'lease')
local left = tonumber(claim[2] or 0) - now
if claim[1] and claim[1] ~= token and left > 0 and left <= LONGEST_LEASE_MS then return {0} end
redis.call('HSET', meta, 'token', token, 'lease', whole(now + lease))
local run_id, master_replid = server_identity()
return {1, run_id, master_replid}
