# Everything is made in .venv beside this file. `make demo` needs python3 with venv, and make; `make test` also Debian's archive.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
ARGS   ?=
STAYS  ?= 100000
SEED   ?= 1
STATES ?= 9000
KILLS  ?= 1000
SECONDS ?= 60
SHOTS  ?= $(VENV)/pictures
WIRING ?= $(VENV)/wiring

.PHONY: demo test test-web lint mutants soak week month crash vectors wiring clean help

help:            ## List the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 12

demo: $(VENV)/demo   ## Run the whole line with a simulated lot; ARGS="--seed 7 --cars 80 --json out.json"
	@$(BIN)/python -m sim.demo $(ARGS)

test: lint $(VENV)/mosquitto/installed $(VENV)/strace/installed   ## Lint, types, contracts, and every test
	@$(BIN)/python -m pytest -n 2 $(ARGS)

test-web: $(VENV)/dev $(VENV)/mosquitto/installed   ## Both pages in a real browser; pictures into SHOTS; as root it installs Debian's Chromium if there is none
	@{ command -v chromium && command -v chromedriver; } >/dev/null || { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium chromium-driver fonts-wqy-zenhei; }
	@$(BIN)/python -m tests.web_page
	@$(BIN)/python -m pytest tests/web $(ARGS)
	@$(BIN)/python -m tests.web.pictures $(SHOTS)

lint: $(VENV)/dev $(VENV)/stubs/installed   ## Style, strict types on both interpreters, import contracts
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check -q .
	@$(BIN)/mypy
	@$(BIN)/mypy --config-file firmware/mypy.ini
	@$(BIN)/lint-imports --no-cache

mutants: $(VENV)/dev $(VENV)/mosquitto/installed $(VENV)/strace/installed   ## Plant each known fault; its test must catch it
	@$(BIN)/python -m tests.mutants $(ARGS)

soak: $(VENV)/dev   ## STAYS priced twice, then new seeds of the world for SECONDS (SEED=n: from n on); results in docs/SOAK.md
	@$(BIN)/python -m tests.soak_tariff --stays $(STAYS) --seed $(SEED)
	@$(BIN)/python -m tests.soak_world --seconds $(SECONDS) $(if $(filter command,$(origin SEED)),--seed $(SEED)) $(ARGS)
	@$(BIN)/python -m tests.bus_endurance --seed $(SEED)
	@$(BIN)/python -m tests.soak_peers --seed $(SEED)

week: $(VENV)/dev   ## A large lot's week, each stay judged: SEED; ARGS="--days 1 --plant swap"; result in docs/SOAK.md
	@$(BIN)/python -m tests.week --seed $(SEED) $(ARGS)

month: $(VENV)/dev   ## The large lot for a month under faults, every invariant checked: SEED; ARGS="--days 1"; result in docs/SOAK.md
	@$(BIN)/python -m tests.month --seed $(SEED) $(ARGS)

crash: $(VENV)/dev $(VENV)/strace/installed   ## Power cuts and SIGKILLs: STATES, KILLS, SEED; results in docs/DURABILITY.md
	@$(BIN)/python -m tests.crash_states --states $(STATES) --seed $(SEED)
	@$(BIN)/python -m tests.crash_kills --kills $(KILLS) --seed $(SEED)
	@$(BIN)/python -m tests.crash_faults --points 120 --seed $(SEED)
	@$(BIN)/python -m tests.crash_mounts --method ext4-shutdown --cuts 50 --seed $(SEED) || test $$? = 2
	@$(BIN)/python -m tests.crash_mounts --method blocks --cuts 120 --seed $(SEED) || test $$? = 2

wiring: | $(VENV)/bin/python   ## Wiring diagrams from hw/ into WIRING, as SVG, and as PNG where there is Chromium
	@$(BIN)/python -m hw.draw $(WIRING)

clean:           ## Remove the environment
	rm -rf $(VENV)

$(VENV)/bin/python:
	@$(PYTHON) -m venv $(VENV)

$(VENV)/demo: pyproject.toml | $(VENV)/bin/python
	@echo "setting up $(VENV) for the demo"
	@$(BIN)/python -m pip install -q --disable-pip-version-check -e '.[demo]'
	@touch $@

$(VENV)/dev: pyproject.toml | $(VENV)/bin/python
	@echo "setting up $(VENV) for the tests"
	@$(BIN)/python -m pip install -q --disable-pip-version-check -e '.[dev]'
	@touch $@ $(VENV)/demo

$(VENV)/stubs/installed: pyproject.toml | $(VENV)/dev
	@$(BIN)/python -m pip install -q --disable-pip-version-check --upgrade --no-deps --target $(VENV)/stubs micropython-rp2-stubs micropython-stdlib-stubs
	@touch $@

$(VENV)/mosquitto/installed: | $(VENV)/dev
	@$(BIN)/python -m sim.mosquitto $(VENV)/mosquitto
	@touch $@

$(VENV)/strace/installed: | $(VENV)/dev
	@$(BIN)/python -m tests.strace $(VENV)/strace
	@mkdir -p $(@D)
	@touch $@
