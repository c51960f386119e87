#!lua
-- RESERVE and MULTI_RESERVE: hold every line of a cart, or none of them. One or many lines.
-- KEYS  1 meta  2 journal  3 loaded products  4 the sale's hold  5 the sale's answer  6… stock, one a distinct product
-- ARGV  1 venta  2 huella  3 nonce  4 now, ms  5 when the sweep may look first, ms  6 most live holds
--       7 pedido: the request, opaque  8 '1' if inactive products are refused
--       then for each stock key: producto, cantidad in thousandths, expected price in cents or ''
-- Returns, first what was decided:
--   { 1, created 1|0, epoch, pedido, lines}   held now, or already held (one more publish intent; the held message)
--   { 2, answer}                              persisted already
--   {-1, producto, available, …}              insufficient: each product that is short, thousandths; nothing changed
--   {-2, producto, …}                         not in the cache
--   {-3}                                      not armed
--   {-4}                                      the sale's id was used with another cart
--   {-5, producto, price, …}                  the price is another than expected, cents
--   {-6}                                      too many live holds
--   {-7, producto, …}                         not active
-- Idempotent: the same sale with the same huella holds once. Without allow-oom: at maxmemory it refuses.
local meta, journal, loaded, hold, answer = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local venta, huella, nonce, now, look_at, most = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6]
local pedido, only_active = ARGV[7], ARGV[8] == '1'
local products = #KEYS - 5
assert(products > 0 and #ARGV == 8 + 3 * products, 'reserve: three arguments a product')
local seen = {}
for i = 1, products do
  local stock, cantidad = KEYS[5 + i], ARGV[7 + 3 * i]
  assert(string.find(cantidad, '^[1-9]%d*$'), 'reserve: cantidad is a positive whole number')
  assert(not seen[stock], 'reserve: each product once')
  seen[stock] = true
end

local epoch = armed_epoch(meta)
if not epoch then return {-3} end

local held = redis.call('HMGET', hold, 'huella', 'epoch', 'pedido', 'lineas')
if held[1] then
  if held[1] ~= huella then return {-4} end
  redis.call('HINCRBY', hold, 'intentos', 1)
  return {1, 0, held[2], held[3], held[4]}
end
local persisted = redis.call('GET', answer)
if persisted then
  if string.sub(persisted, 1, 64) ~= huella then return {-4} end
  return {2, string.sub(persisted, 66)}
end

local cold, inactive, repriced, short, lines = {-2}, {-7}, {-5}, {-1}, {}
for i = 1, products do
  local producto, cantidad, expected = ARGV[6 + 3 * i], ARGV[7 + 3 * i], ARGV[8 + 3 * i]
  local stock = redis.call('HMGET', KEYS[5 + i], 'saldo', 'reservado', 'precio', 'impuesto', 'activo', 'catalogo_version')
  if not stock[1] then
    if not stock[2] and redis.call('ZSCORE', loaded, producto) then
      disarm(meta)
      return {-3}
    end
    cold[#cold + 1] = producto
  else
    local available = tonumber(stock[1]) - tonumber(stock[2])
    if only_active and stock[5] ~= '1' then inactive[#inactive + 1] = producto end
    if expected ~= '' and expected ~= stock[3] then
      repriced[#repriced + 1] = producto
      repriced[#repriced + 1] = stock[3]
    end
    if available < tonumber(cantidad) then
      short[#short + 1] = producto
      short[#short + 1] = whole(available)
    end
    lines[i] = producto .. ' ' .. cantidad .. ' ' .. stock[3] .. ' ' .. stock[4] .. ' ' .. stock[6] .. ';'
  end
end
redis.call('HINCRBY', meta, 'aciertos', products - (#cold - 1))
if #cold > 1 then
  redis.call('HINCRBY', meta, 'fallos', #cold - 1)
  return cold
end
if #inactive > 1 then return inactive end
if #repriced > 1 then return repriced end
if #short > 1 then return short end
if redis.call('ZCARD', journal) >= tonumber(most) or redis.call('HEXISTS', meta, 'freno') == 1 then return {-6} end

local held_lines = table.concat(lines)
for i = 1, products do
  redis.call('HINCRBY', KEYS[5 + i], 'reservado', ARGV[7 + 3 * i])
end
redis.call('HSET', hold, 'huella', huella, 'nonce', nonce, 'pedido', pedido, 'lineas', held_lines,
  'epoch', epoch, 'creada', now, 'intentos', 1)
redis.call('ZADD', journal, look_at, venta)
return {1, 1, epoch, pedido, held_lines}
