#!lua flags=allow-oom
-- After COMMIT: drop the holds of a batch, keep their answers, write the balances of that transaction.
-- KEYS  1 meta  2 journal  3 loaded products  then hold and answer for each sale, then stock for each product
-- ARGV  1 stock prefix  2 answer TTL, s  3 timeline  4 epoch in PostgreSQL, 0 where it was not read  5 number of sales
--       then for each sale: venta, huella, answer or ''   then for each product: producto, saldo in thousandths, version
-- Returns {holds dropped, still armed 1|0}.
-- A hold of another huella is another cart: it stays. A balance is written only where its version is not older, and only
-- into a saldo that is there (a flushed one stays forgotten). Missing stock hashes disarm, as does an epoch that is past: a
-- server that others have replaced, and that is back, still believes in its own. Idempotent. Runs at maxmemory;
-- answers are a cache, so they are left out while memory is short, and where their sale may not have been kept.
local meta, journal, loaded = KEYS[1], KEYS[2], KEYS[3]
local stock_prefix, ttl, timeline, epoch, sales = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5])
local products = #KEYS - 3 - 2 * sales
assert(#ARGV == 5 + 3 * sales + 3 * products, 'settle: three arguments a sale and a product')
for i = 5 + 3 * sales, #ARGV - 3, 3 do
  assert(is_whole(ARGV[i + 2]) and is_whole(ARGV[i + 3]), 'settle: saldo and version are whole numbers')
end

local memory = redis.call('INFO', 'memory')
local most = tonumber(string.match(memory, 'maxmemory:(%d+)'))
local roomy = most == 0 or tonumber(string.match(memory, 'used_memory:(%d+)')) < 0.9 * most
local armed = redis.call('HMGET', meta, 'timeline', 'epoch')
local sound = (not armed[1] or timeline == '' or armed[1] == timeline) and (not armed[2] or tonumber(armed[2]) >= epoch)
local of_this_history = sound

local dropped = 0
for i = 1, sales do
  local hold, answer = KEYS[2 + 2 * i], KEYS[3 + 2 * i]
  local venta, huella, text = ARGV[3 + 3 * i], ARGV[4 + 3 * i], ARGV[5 + 3 * i]
  local held = redis.call('HMGET', hold, 'huella', 'lineas')
  if held[1] == huella then
    if covers(stock_prefix, held[2]) then
      drop_hold(stock_prefix, journal, hold, venta, held[2])
      dropped = dropped + 1
    else
      sound = false
    end
  end
  if text ~= '' and roomy and of_this_history then redis.call('SET', answer, huella .. ' ' .. text, 'EX', ttl) end
end
for i = 1, products do
  local stock = KEYS[3 + 2 * sales + i]
  local at = 5 + 3 * sales + 3 * (i - 1)
  local producto, saldo, version = ARGV[at + 1], ARGV[at + 2], ARGV[at + 3]
  local there = redis.call('HMGET', stock, 'saldo', 'version')
  if there[2] then
    if tonumber(version) >= tonumber(there[2]) then
      redis.call('HSET', stock, 'version', version)
      if there[1] then redis.call('HSET', stock, 'saldo', saldo) end
    end
  elseif redis.call('ZSCORE', loaded, producto) then
    sound = false
  end
end
if not sound then disarm(meta) end
return {dropped, sound and 1 or 0}
