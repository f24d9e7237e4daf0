.DEFAULT_GOAL := help
.PHONY: run test prove check bench chaos screenshots lighthouse help unit race db

# More for pytest: make test PYTEST_ARGS="-k hold -x"
PYTEST_ARGS ?=
RACE_ROUNDS ?= 10
# Processes that test at once, each with servers of its own: they wait more than they work.
AT_ONCE ?= 2
PYTEST = .venv/bin/python -m pytest

run:       ## Everything, set up and embedded: PostgreSQL, Valkey, web, worker, a demo (HOST, PORT, DATA_DIR)
	@.ci/environment run
	@exec .venv/bin/chrono48 up

test:      ## The whole suite, set up by itself: PostgreSQL, Valkey, Chromium
	@.ci/environment dev
	@.ci/chromium
	$(PYTEST) -m "not prove" -n $(AT_ONCE) --dist worksteal -o faulthandler_timeout=400 $(PYTEST_ARGS)

prove:     ## The long proofs: kills, faults, every browser mode
	@.ci/environment dev
	@.ci/chromium
	@.ci/redis
	$(PYTEST) -m prove $(PYTEST_ARGS)

check:     ## Format, lint, types, import contracts
	@.ci/environment dev
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy
	.venv/bin/lint-imports

bench:     ## Ratios against a baseline in the same run; results in DATA_DIR/bench.json
	@.ci/environment dev
	.venv/bin/python -m tests.bench

chaos:     ## Kills, freezes and cuts under load, then a verdict (CHAOS_SECONDS=120, CHAOS_SEED); kept in DATA_DIR/chaos
	@.ci/environment dev
	.venv/bin/python -m tests.chaos

screenshots: ## A picture of each main state, on a fresh demo, in reports/screenshots
	@.ci/environment dev
	@.ci/chromium
	.venv/bin/python -m tests.screenshots

lighthouse: ## What Lighthouse (npm) says of the main screens: medians of five; reports/lighthouse
	@.ci/environment dev
	@.ci/chromium
	.venv/bin/python -m tests.lighthouse

unit:      ## Only the pure core: seconds
	@.ci/environment dev
	$(PYTEST) tests/unit $(PYTEST_ARGS)

race:      ## Many clients want the same slot, RACE_ROUNDS times
	@.ci/environment dev
	@for round in $$(seq $(RACE_ROUNDS)); do $(PYTEST) -q tests/booking/test_races.py $(PYTEST_ARGS) || exit 1; done

db:        ## psql on the embedded database, as the owner of the tables
	@.ci/environment run
	@exec .venv/bin/python -m workers.embedded.shell

help:
	@grep -hE '^[a-z]+: +##' $(MAKEFILE_LIST) | sed -E 's/: +## /|/' | column -t -s '|' 2>/dev/null || grep -hE '^[a-z]+: +##' $(MAKEFILE_LIST)
