-- Keep what a reader found in PostgreSQL, unless something was changed since the reader announced itself.
-- KEYS  1 acceso
-- ARGV  1 the reader's nonce  2 identidad, JSON
-- Returns 1 kept, 0 where the announcement is gone or is another reader's.
if redis.call('HGET', KEYS[1], 'lectura') ~= ARGV[1] then return 0 end
redis.call('HDEL', KEYS[1], 'lectura')
redis.call('HSET', KEYS[1], 'identidad', ARGV[2])
return 1
