# Two commands: `make run` and `make test`. Both do all of their own set-up.

PYTHON ?= python3
VENV := .venv/installed
# Settings for what reads them without reaching a server.
NO_SERVERS := SECRET_KEY=none DATABASE_URL=postgres://none@127.0.0.1:9/none REDIS_URL=redis://127.0.0.1:9/0 \
	RABBITMQ_URL=amqp://127.0.0.1:9//

.DEFAULT_GOAL := help
.PHONY: help run replay test bench faults model simulate mutants fuzz check till shots pictures lock clean

help:  ## What can be made
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 10
	@echo
	@echo "INSTALL=1  lets run, test and the like install what is missing (apt-get); no system service is started"
	@echo "ONCE=1     make run: stop after one sale; the exit status says whether it was persisted"
	@echo "PORT=8000  make run, make replay: the web server's port;  SERVICE_PORTS=21430: six for the private servers, from there on"
	@echo "FILE=…     make replay: one basket a line, product names parted by commas"
	@echo "STOCK=20   make replay: units of each product; else twice what the file asks for"
	@echo "TILLS=8    make replay: how many sell at once;  RATE=50: baskets a second, else as fast as they can"
	@echo "QUICK=1    make bench: only what the goals need, smaller;  ONLY=matrix,open: parts of it"
	@echo "ONLY=…     make faults: these rows of the matrix, parted by commas;  N=20: so often;  SEED=7;  JOBS=2 grounds;  HOURS=8"
	@echo "SCHEDULES=1000000  make simulate: so many;  ACTS=20: so long;  SEED=7: those, else any"
	@echo "ONLY=…     make model: these rules, parted by commas (protocol: what must hold); make mutants: a part of the name"
	@echo "CASES=50   make fuzz: so many times what make test tries"
	@echo "ARGS=…     make test: arguments for pytest"

run: $(VENV)  ## Start everything, sell one cart, show its passage, stay up until Ctrl-C
	@.venv/bin/python -m scripts.run

replay: $(VENV)  ## Sell the baskets of FILE through the whole of it, and check that all adds up
	@test -n "$(FILE)" || { echo "Name a file of baskets: make replay FILE=groceries.csv" >&2; exit 2; }
	@.venv/bin/python -m scripts.replay $(if $(STOCK),--stock=$(STOCK)) $(if $(TILLS),--tills=$(TILLS)) \
		$(if $(RATE),--rate=$(RATE)) $(if $(PORT),--port=$(PORT)) "$(FILE)"

test: $(VENV)  ## Every test, on real servers of its own
	@.venv/bin/python -m scripts.install
	@.venv/bin/python -m pytest $(or $(ARGS),-n 2 --no-loadscope-reorder)

bench: $(VENV)  ## How fast this is, beside SELECT FOR UPDATE and beside what the machine can do
	@.venv/bin/python -m scripts.install bench
	@$(if $(filter-out 1,$(QUICK)),echo "QUICK=1 or nothing; not QUICK=$(QUICK)" >&2; exit 2)
	@$(NO_SERVERS) .venv/bin/python -m bench $(if $(QUICK),--quick) $(if $(ONLY),--only=$(ONLY)) $(if $(SEED),--seed=$(SEED))

faults: $(VENV)  ## Break every part while tills sell, and count what is lost, doubled or oversold
	@.venv/bin/python -m scripts.install
	@FAULTS=$(or $(FAULTS),faults) RESULTS=$(or $(RESULTS),.run/faults.json) $(NO_SERVERS) .venv/bin/python -m tests.faults

model: $(VENV)  ## Search the Spin model of the protocol, and see that each rule taken out of it is missed
	@.venv/bin/python -m scripts.model $(if $(ONLY),--only=$(ONLY))

simulate: $(VENV)  ## Run SCHEDULES random schedules of the protocol, crashes and losses in them, on the real Lua
	@$(NO_SERVERS) .venv/bin/python -m tests.lua.protocol.simulate $(if $(SCHEDULES),--schedules=$(SCHEDULES)) \
		$(if $(ACTS),--acts=$(ACTS)) $(if $(SEED),--seed=$(SEED)) $(ARGS)

mutants: $(VENV)  ## Take each rule out of the real code, and see that a test misses it
	@.venv/bin/python -m scripts.install
	@$(NO_SERVERS) .venv/bin/python -m tests.mutants $(if $(ONLY),--only='$(ONLY)') $(ARGS)

fuzz: $(VENV)  ## Give each parser, each page and each operation of the API anything, thousands of times, as each role
	@.venv/bin/python -m scripts.install
	@CASES=$(or $(CASES),50) SCHEMA_COUNTS=$(or $(RESULTS),.run/fuzz.tsv) .venv/bin/python -m pytest -q --timeout=0 \
		tests/fuzz tests/test_telling.py tests/inventario/test_csv_export.py tests/pipeline/test_secrets.py \
		tests/pipeline/test_hostile_messages.py tests/pipeline/test_schema.py $(ARGS)

check: $(VENV)  ## Lint, format, types, layers, migrations; the till's as well, and that its assets are built
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	$(NO_SERVERS) .venv/bin/mypy
	.venv/bin/lint-imports
	$(NO_SERVERS) .venv/bin/python -W ignore::RuntimeWarning manage.py makemigrations --check
	$(NO_SERVERS) .venv/bin/python manage.py check
	.venv/bin/python -m scripts.till check

till: $(VENV)  ## Build till/ into ventas/static/till, to be committed with it
	@.venv/bin/python -m scripts.till build

shots: $(VENV)  ## Take the pictures in docs/till anew, in the real browser
	@.venv/bin/python -m scripts.install
	@SCREENSHOTS=docs/till .venv/bin/python -m pytest -q tests/browser/test_shots.py

pictures: $(VENV)  ## Draw the dashboard's panels anew, from a run of some minutes and a real Prometheus
	@.venv/bin/python -m scripts.install
	@$(NO_SERVERS) .venv/bin/python -m bench.pictures

lock: $(VENV)  ## Lock requirements*.in anew, with hashes, for every platform (ARGS=--upgrade: newer versions)
	@sh scripts/lock.sh $(ARGS)

# A settings file that somebody wrote stays; a run's own names servers that are gone then.
clean:  ## Remove the virtual environment, and `make run`'s servers with all their data; not a .env that you wrote
	@if sed -n 1p .env 2>/dev/null | grep -q '^# Written by `make run`'; then set -x; rm -f .env; fi
	rm -rf .venv .run till/node_modules .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

$(VENV): requirements-dev.txt
	@sh scripts/venv.sh $(PYTHON)
	@touch $@
