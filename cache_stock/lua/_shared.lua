-- What several commands need; put before each of them by scripts.py.

-- This server's identity: it changes with a restart, a failover or a failback.
local function server_identity()
  return string.match(redis.call('INFO', 'server'), 'run_id:(%x+)'),
    string.match(redis.call('INFO', 'replication'), 'master_replid:(%x+)')
end

-- The epoch while the tienda is armed on this very server, else nil.
local function armed_epoch(meta)
  local state = redis.call('HMGET', meta, 'run_id', 'master_replid', 'epoch')
  if not state[1] then return nil end
  local run_id, master_replid = server_identity()
  if state[1] ~= run_id or state[2] ~= master_replid then return nil end
  return state[3]
end

-- Data is missing or does not add up: nothing more is promised until a cold start.
local function disarm(meta)
  redis.call('HDEL', meta, 'run_id', 'master_replid')
end

-- A whole number as text; Lua's own would write 1e+15.
local function whole(number)
  return string.format('%.0f', number)
end

-- A whole number, written as integer commands take it.
local function is_whole(text)
  return string.find(text, '^%d+$') ~= nil
end

-- Walk a hold's lines: "producto cantidad precio impuesto catalogo_version", one a product, parted by ';'.
local function each_line(lines)
  return string.gmatch(lines, '(%S+) (%d+) (%d+) (%d+) (%d+);')
end

-- True while every stock hash of the hold is there and holds at least what the hold says.
local function covers(stock_prefix, lines)
  for producto, cantidad in each_line(lines) do
    local reservado = redis.call('HGET', stock_prefix .. producto, 'reservado')
    if not reservado or tonumber(reservado) < tonumber(cantidad) then return false end
  end
  return true
end

-- Take a hold away, its quantities with it. Call it only where covers() was true.
local function drop_hold(stock_prefix, journal, hold, venta, lines)
  for producto, cantidad in each_line(lines) do
    redis.call('HINCRBY', stock_prefix .. producto, 'reservado', '-' .. cantidad)
  end
  redis.call('DEL', hold)
  redis.call('ZREM', journal, venta)
end
