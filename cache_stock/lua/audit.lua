#!lua flags=no-writes
-- AUDIT: what the holds of the whole journal add up to, beside what some products say is held. Reads only.
-- KEYS  1 meta  2 journal  then stock for each product
-- ARGV  1 hold prefix  then the products, in the same order
-- Returns {epoch or '' while not armed, {journal entries without their hold}, then for each product {reservado or '', sum}}.
-- It walks the whole journal at once: ask it for what a look in pieces found doubtful.
local meta, journal, hold_prefix = KEYS[1], KEYS[2], ARGV[1]
assert(#ARGV == 1 + #KEYS - 2, 'audit: one argument a product')
local sums, lost = {}, {}
for i = 2, #ARGV do sums[ARGV[i]] = 0 end
for _, venta in ipairs(redis.call('ZRANGE', journal, 0, -1)) do
  local lines = redis.call('HGET', hold_prefix .. venta, 'lineas')
  if lines then
    for producto, cantidad in each_line(lines) do
      if sums[producto] then sums[producto] = sums[producto] + tonumber(cantidad) end
    end
  else
    lost[#lost + 1] = venta
  end
end
local result = {armed_epoch(meta) or '', lost}
for i = 3, #KEYS do
  result[i] = {redis.call('HGET', KEYS[i], 'reservado') or '', whole(sums[ARGV[i - 1]])}
end
return result
