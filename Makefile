# What people type. Everything is set up on first use; `make help` lists the targets.
.DEFAULT_GOAL := help
.PHONY: help setup base-image test-tools lint check test test-scenarios test-elsewhere test-current-tools test-fire test-registries test-swarm test-gitea test-browser bench demo demo-down lock

help: ## this list
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 20

setup: ## what the machine lacks, and .venv with freshness in it
	@scripts/setup.sh

base-image: setup
	@scripts/base_image.sh

test-tools: setup
	@scripts/test_tools.sh

lint: setup ## style, types, rooms, workflows, generated text
	@scripts/lint.sh

check: lint ## lint and the unit tests: no Docker, under a minute
	@.venv/bin/python -m pytest --numprocesses 2 tests/unit $(PYTEST_ARGS)

test: setup base-image test-tools ## unit tests, and the scenarios and actions that stand for each claim: what CI runs at each push
	@.venv/bin/python -m pytest --chosen --numprocesses 3 --dist worksteal $(PYTEST_ARGS)

test-scenarios: setup base-image test-tools ## every scenario on two Engines, and the actions through act
	@.venv/bin/python -m pytest --numprocesses 3 --dist worksteal tests/scenarios tests/action $(PYTEST_ARGS)

# What newer Engines may do otherwise, from the first image to the last rollback: stores, IDs, ports, records.
NEWER = $(patsubst %,tests/scenarios/test_%.py,compose_versions gate_build gate_fresh gate_registry image_store keeping \
	old_bytes failed_promotion promote_outcomes promote_registry registry_repositories registry_rollback rollback \
	source_host start_first status throwaway verify)
ENGINES = 28 28-classic 29 29-classic 26

test-elsewhere: setup base-image test-tools ## on Engines 28 and 29 with both stores what they may do otherwise; on 26 what else runs on the machine's Engine alone
	@scripts/engines.sh
	@for engine in $(ENGINES); do \
		[ $$engine = 26 ] && paths=tests/scenarios || paths="$(NEWER)"; echo "Engine $$engine"; \
		.venv/bin/python -m pytest --private-engine $$engine $$paths $(PYTEST_ARGS) || exit; done

test-current-tools: setup base-image test-tools ## the scenarios and the actions with Debian sid's buildx and Compose
	@.venv/bin/python -m pytest --current-tools --numprocesses 3 --dist worksteal tests/scenarios tests/action $(PYTEST_ARGS)

test-fire: setup base-image test-tools ## what breaks things, in its heavy form: hundreds of rounds in place of a few
	@.venv/bin/python -m pytest --under-fire --timeout 3600 tests/scenarios $(PYTEST_ARGS)

test-registries: setup base-image test-tools ## registries, this year's among them, which is built with Go
	@scripts/registries.sh
	@.venv/bin/python -m pytest --numprocesses 2 --dist worksteal tests/unit/registry tests/scenarios/test_gate_registry.py tests/scenarios/test_promote_registry.py tests/scenarios/test_registry_rollback.py tests/scenarios/test_registry_repositories.py $(PYTEST_ARGS)

test-swarm: setup test-tools ## production in a Swarm of three Engines, in network namespaces of their own
	@.venv/bin/python -m pytest --swarm --numprocesses 2 --dist worksteal tests/swarm $(PYTEST_ARGS)

test-gitea: setup base-image ## the workflow of Getting started on a real Gitea with its runner, which are built with Go
	@scripts/gitea.sh
	@.venv/bin/python -m pytest --gitea tests/gitea $(PYTEST_ARGS)

test-browser: setup base-image ## what a browser shows of pull requests and documents on that Gitea
	@scripts/gitea.sh
	@scripts/gitea_frontend.sh
	@.venv/bin/python -m pytest --gitea --browser tests/gitea/browser $(PYTEST_ARGS)

bench: setup base-image ## the speed targets, against what a user would do instead
	@.venv/bin/python -m benchmarks.run

demo: setup base-image ## this repository, gated and promoted by itself through act, and a shop of three services
	@.venv/bin/python -m demo

demo-down: ## takes the demo down
	@if [ -d .cache/demo ]; then .venv/bin/python -m demo.down; else echo "Nothing of the demo is up."; fi

lock: setup ## new hashes and versions for requirements/*.in
	@scripts/lock.sh
