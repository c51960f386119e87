-- Take an access that is no longer kept out of an index. A reader writes its access first and the index after it,
-- so one that is on its way is never left out of an index.
-- KEYS  1 accesos (an index)  2 acceso
-- ARGV  1 the access' name
-- Returns 1 taken out, 0 where it is kept.
if redis.call('EXISTS', KEYS[2]) == 1 then return 0 end
redis.call('SREM', KEYS[1], ARGV[1])
return 1
