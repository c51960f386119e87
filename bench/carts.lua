-- wrk's part of the bench: POST one cart after another, each under a key of its own, as the terminals of a tienda do.
-- A key ends with the number of its request and that of its cart (bench/sold.py reads them).
-- Arguments: a file of tokens and a file of carts, a line each; a seed; 8 hexadecimal digits that all keys begin with.
-- BENCH_ANSWERS, of the environment: how many answers are enough, where there is a bound. Then it says ENOUGH and stops,
-- and wrk has to be interrupted: it sleeps until its time is over. One thread.
local carts, tokens, first = {}, {}, 0
local sent, answered, run, counting = 0, 0, '', nil
followed = 0 -- answers 202, where answers are looked at; global, for done() to read from this thread

function setup(thread) counting = thread end

local function lines_of(name)
  local found = {}
  for line in io.lines(name) do table.insert(found, line) end
  return found
end

function init(arguments)
  tokens, carts = lines_of(arguments[1]), lines_of(arguments[2])
  math.randomseed(tonumber(arguments[3]))
  first, run = math.random(#carts), arguments[4]
end

-- wrk looks once, before init, whether there is such a function; each answer costs more where there is.
local most = tonumber(os.getenv('BENCH_ANSWERS') or 0)
if most > 0 then
  function response(status)
    answered = answered + 1
    if status == 202 then followed = followed + 1 end
    if answered == most then
      io.write('ENOUGH\n')
      io.flush()
      wrk.thread:stop()
    end
  end
end

local function hex(digits)
  return string.format('%0' .. digits .. 'x', math.random(0, 16 ^ digits - 1))
end

function request()
  sent = sent + 1
  local cart = (first + sent) % #carts
  local key = run .. '-' .. hex(4) .. '-4' .. hex(3) .. '-8' .. hex(3) .. '-' .. string.format('%06x%06x', sent, cart)
  return wrk.format('POST', nil, {
    ['Authorization'] = 'Bearer ' .. tokens[sent % #tokens + 1],
    ['Content-Type'] = 'application/json',
    ['Idempotency-Key'] = key,
  }, carts[cart + 1])
end

function done(summary, latency, _requests)
  local errors = summary.errors
  local broken = errors.connect + errors.read + errors.write + errors.timeout -- no part of summary.requests
  local to_follow = most > 0 and counting:get('followed') or 'null'
  io.write(string.format(
    '\nBENCH {"requests": %d, "seconds": %.6f, "refused": %d, "broken": %d, "followed": %s, "p50_ms": %.3f, "p95_ms": %.3f, "p99_ms": %.3f}\n',
    summary.requests + broken, summary.duration / 1e6, errors.status, broken, to_follow,
    latency:percentile(50) / 1e3, latency:percentile(95) / 1e3, latency:percentile(99) / 1e3))
end
