"""Rules of the Lua commands; those of the protocol as a whole are in tests/lua/protocol/rules.py."""

from tests.mutants.mutant import Mutant


def lua(rule: str, command: str, text: str, instead: str = "") -> Mutant:
    """Looked for by the tests of that command."""
    return Mutant(rule, f"cache_stock/lua/{command}.lua", text, instead, (f"tests/lua/test_{command}.py",))


def shared(rule: str, text: str, instead: str, *tests: str) -> Mutant:
    return Mutant(rule, "cache_stock/lua/_shared.lua", text, instead, tests)


MUTANTS = [
    lua("a held key with another cart is a conflict", "reserve", "  if held[1] ~= huella then return {-4} end\n"),
    lua(
        "a persisted key with another cart is a conflict",
        "reserve",
        "  if string.sub(persisted, 1, 64) ~= huella then return {-4} end\n",
    ),
    lua("a persisted sale gets its answer", "reserve", "redis.call('GET', answer)", "false"),
    lua("one line short, and nothing is held", "reserve", "if #short > 1 then return short end\n"),
    lua("what is not active is not sold", "reserve", "if #inactive > 1 then return inactive end\n"),
    lua("a changed price is said", "reserve", "if #repriced > 1 then return repriced end\n"),
    lua("live holds are bounded", "reserve", "redis.call('ZCARD', journal) >= tonumber(most) or "),
    lua("the brake stops new holds", "reserve", " or redis.call('HEXISTS', meta, 'freno') == 1"),
    lua("each product once", "reserve", "  assert(not seen[stock], 'reserve: each product once')\n"),
    lua("quantities are positive and whole", "reserve", "'^[1-9]%d*$'", "'.'"),
    lua("a hold is in the journal", "reserve", "redis.call('ZADD', journal, look_at, venta)\n"),
    lua(
        "an old hold keeps its prices",
        "reserve",
        "return {1, 0, held[2], held[3], held[4]}",
        "return {1, 0, epoch, pedido, ''}",
    ),
    lua("full: reserve refuses", "reserve", "#!lua\n", "#!lua flags=allow-oom\n"),
    lua("what does not add up disarms", "release", "if not covers(ARGV[3], held[3]) then", "if false then"),
    lua("full: release runs", "release", "#!lua flags=allow-oom\n", "#!lua\n"),
    lua("a hold of another cart stays", "settle", "if held[1] == huella then", "if held[1] then"),
    lua("a hold that is not covered disarms", "settle", "if covers(stock_prefix, held[2]) then", "if true then"),
    lua(
        "another PostgreSQL disarms",
        "settle",
        "(not armed[1] or timeline == '' or armed[1] == timeline) and ",
    ),
    lua("a past epoch disarms", "settle", " and (not armed[2] or tonumber(armed[2]) >= epoch)"),
    lua("a flushed balance stays forgotten", "settle", "if there[1] then redis.call", "if true then redis.call"),
    lua(
        "a stock hash that is gone disarms",
        "settle",
        "elseif redis.call('ZSCORE', loaded, producto) then",
        "elseif false then",
    ),
    lua("full: no answers are kept", "settle", " and roomy and ", " and "),
    lua("another PostgreSQL leaves no answers", "settle", " and of_this_history then", " then"),
    lua("full: settle runs", "settle", "#!lua flags=allow-oom\n", "#!lua\n"),
    lua("an answer is kept for a time", "settle", ", 'EX', ttl)", ")"),
    lua("warmup never touches what is held", "warmup", "if not version then redis.call", "if true then redis.call"),
    lua("warmup only where armed", "warmup", "if not armed_epoch(meta) then return {-3} end\n"),
    lua("warmup brings a balance of the same version", "warmup", "saldo ~= ARGV[at + 1] or "),
    lua("warmup brings a version", "warmup", " or version ~= ARGV[at + 2]"),
    lua("warmup brings a price", "warmup", "precio ~= ARGV[at + 3] or "),
    lua("warmup brings a tax rate", "warmup", "impuesto ~= ARGV[at + 4] or "),
    lua("warmup brings what is sold no more", "warmup", "activo ~= ARGV[at + 5]\n      or "),
    lua(
        "warmup brings a version of the catalogue", "warmup", "      or catalogue_version ~= ARGV[at + 6] then", " then"
    ),
    lua("a flushed product is warm again", "warmup", " or 0)) == 0 then", " or 0)) < 0 then"),
    lua("full: warmup refuses", "warmup", "#!lua\n", "#!lua flags=allow-oom\n"),
    lua(
        "flush keeps the version", "flush", "'HDEL', KEYS[1 + i], 'saldo')", "'HDEL', KEYS[1 + i], 'saldo', 'version')"
    ),
    lua("only what is overdue is swept", "sweep", "if due and tonumber(due) <= now then", "if due then"),
    lua("a claim backs off", "sweep", "  redis.call('ZADD', journal, whole(now + pause), found.claim[1])\n"),
    lua("a lost hold disarms", "sweep", "      disarm(meta)\n"),
    lua("full: the sweep runs", "sweep", "#!lua flags=allow-oom\n", "#!lua\n"),
    lua("a failed sale is swept no more", "fail", "redis.call('ZADD', KEYS[1], '+inf', ARGV[1])\n"),
    lua(
        "only the failed cart's hold", "fail", "if redis.call('HGET', KEYS[2], 'huella') ~= ARGV[2] then return 0 end\n"
    ),
    lua("what is armed is not claimed", "begin", "if armed_epoch(meta) then return {0} end\n"),
    lua("where the PostgreSQL of before was is forgotten", "arm", ", 'wal'"),
    lua("a lease ends", "begin", " and left > 0"),
    lua("a lease by a wrong clock is none", "begin", " and left <= LONGEST_LEASE_MS"),
    *(
        lua(f"only who has the claim may {command}", command, "redis.call('HGET', meta, 'token') ~= ARGV[1] or ")
        for command in ("clear", "load", "rehold", "arm")
    ),
    *(
        lua(f"only on the claim's server: {command}", command, "run_id ~= ARGV[2] or master_replid ~= ARGV[3]", "false")
        for command in ("clear", "load", "rehold", "arm")
    ),
    lua("load begins with nothing held", "load", "'reservado', 0, "),
    lua("load writes whatever is there", "load", "'version', ARGV[at + 2], "),
    lua("held again once", "rehold", "if redis.call('EXISTS', hold) == 1 then return 1 end\n"),
    lua("held again it is not swept", "rehold", "'+inf'", "ARGV[8]"),
    lua("arming ends the claim", "arm", "redis.call('HDEL', meta, 'token', 'lease', 'freno', 'wal')\n"),
    shared("a restart disarms", "state[1] ~= run_id or ", "", "tests/lua/test_arm.py"),
    shared("a failover disarms", " or state[2] ~= master_replid", "", "tests/lua/test_arm.py"),
    shared(
        "a hold goes with its quantities",
        "'reservado', '-' .. cantidad)",
        "'reservado', 0)",
        "tests/lua/test_release.py",
    ),
    shared("a hold leaves the journal", "  redis.call('ZREM', journal, venta)\n", "", "tests/lua/test_settle.py"),
    shared(
        "numbers stay whole",
        "string.format('%.0f', number)",
        "tostring(number)",
        "tests/lua/test_audit.py",
        "tests/lua/test_reserve.py",
    ),
]
