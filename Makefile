# SPDX-License-Identifier: AGPL-3.0-or-later
# `make demo` and `make test` are all that a newcomer needs; both see to everything else.

PYTHON ?= python3
PORTAL_PORT ?= 8000
OFFICE_PORT ?= 8001
export PATH := $(CURDIR)/.venv/bin:$(PATH)
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help setup setup-portal setup-office locks demo demo-code demo-clean dev test lint bench mutants fuzz messages migrations screenshots
.DEFAULT_GOAL := help

help: ## What can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

setup: ## Environment, locked dependencies, bundled scripts; quick when nothing has changed
	@PYTHON=$(PYTHON) .ci/setup

setup-portal: ## What the portal runs on and no more, for its machine
	@PYTHON=$(PYTHON) .ci/setup portal

setup-office: ## What the office runs on and no more, for its machine
	@PYTHON=$(PYTHON) .ci/setup office

locks: ## Write the locks from pyproject.toml (needs uv; UPGRADE="httpx idna": else versions stay as they are)
	@UPGRADE="$(UPGRADE)" .ci/locks

demo: setup ## Found a demonstration commission, fill it, and stay up (PORTAL_PORT=, OFFICE_PORT=)
	@python -m oversight demo --folder var/demo --portal-port $(PORTAL_PORT) --office-port $(OFFICE_PORT)

demo-code: ## A login code for a member of the demonstration (USERNAME=registrar)
	@python -m oversight demo-code --folder var/demo $(or $(USERNAME),registrar)

demo-clean: ## Throw the demonstration's data away
	rm -rf var/demo

dev: setup ## The demonstration with scripts and styles rebuilt on change (start again to serve them)
	@node static/build.mjs --watch & watcher=$$!; trap "kill $$watcher" EXIT; \
	python -m oversight demo --folder var/demo --portal-port $(PORTAL_PORT) --office-port $(OFFICE_PORT)

lint: setup ## ruff, mypy, unused code, import contracts, tsc, budgets
	ruff check .
	ruff format --check .
	mypy
	vulture
	lint-imports
	cd static && npx --no-install tsc -p .
	node static/build.mjs --check-budget

test: setup ## Everything, the browser included (SEED=7 for other inputs than the commit's own)
	@.ci/test

bench: setup ## Every measurement of benchmarks/, with its method and its bound; about half an hour
	@for name in age submissions workers uploads queue office logins hostile_text ledger register receipt_code formats memory proof_of_work floods flood_storage backups restores failover slow_line; do echo "== $$name"; python -m benchmarks.$$name || exit 1; done

mutants: setup ## Small faults put into the pure packages, one at a time: a test must fail for each (ONLY=crypto/note.py SAMPLE=600 JOBS=1)
	@python -m tests.mutation --jobs $(or $(JOBS),1) $(if $(SAMPLE),--sample $(SAMPLE)) $(foreach path,$(ONLY),--only $(path))

fuzz: setup ## Altered inputs for every parser and both programs (SECONDS=3600 SEED=7 ONLY="parsers wire"); prints the seed
	@python -m tests.fuzz --seconds $(or $(SECONDS),60) --seed $(or $(SEED),$$(date +%s)) $(foreach name,$(ONLY),--only $(name))

screenshots: setup ## Pictures of every page, phone and desktop, into var/screenshots
	@python -m tests.browser.screenshots && python -m tests.browser.tour

messages: setup ## Bring the translation catalogs up to date with the sources
	@.ci/messages

migrations: setup ## Write what the models of portal and office have and their migrations lack
	@python -m portal makemigrations && python -m oversight makemigrations
