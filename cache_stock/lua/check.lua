#!lua flags=no-writes
-- CHECK: what can be promised of some products. Reads only.
-- KEYS  1 meta  then stock for each product
-- Returns {epoch or '' while not armed, then for each product {saldo or '', reservado or '', version or '', catalogo_version or ''}}.
local result = {armed_epoch(KEYS[1]) or ''}
for i = 2, #KEYS do
  local stock = redis.call('HMGET', KEYS[i], 'saldo', 'reservado', 'version', 'catalogo_version')
  result[i] = {stock[1] or '', stock[2] or '', stock[3] or '', stock[4] or ''}
end
return result
