# Every task of the project. Needs git and make; setup brings the rest.

NODE := node_modules/.bin/node
export PATH := $(CURDIR)/node_modules/.bin:$(PATH)

.DEFAULT_GOAL := help
.PHONY: help setup check test demo faults cloud cloud-down cloud-status pack bench bench-hook bench-backup generate flowcharts format

help: ## Lists the targets.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-14s %s\n", $$1, $$2 }' Makefile

setup: ## Installs the tools that everything else needs, if something is missing.
	@scripts/setup

check: setup ## Checks format, lint, types, unused code; runs unit, scenario and architecture tests.
	@$(NODE) scripts/run.ts check

test: setup ## Runs everything that CI runs: check, contract, integration and end-to-end tests (LEVEL=4: the long ones, too).
	@E2E_LEVEL=$(or $(LEVEL),1) $(NODE) scripts/run.ts test

demo: setup ## Shows the main job on the local cloud: deploy, back up, destroy, restore.
	@$(NODE) scripts/demo/main.ts

faults: setup ## Breaks a cluster in many ways under load: FAULTS=name,name ROUNDS=3 MODEL=keep.
	@$(NODE) scripts/faults/main.ts --faults "$(FAULTS)" $(if $(ROUNDS),--rounds $(ROUNDS)) $(if $(filter keep,$(MODEL)),--keep)

cloud: setup ## Starts the local cloud: real Juju on real Kubernetes on this machine.
	@cloud/up

cloud-down: setup ## Stops the local cloud and frees what it used.
	@cloud/down

cloud-status: setup ## Says what of the local cloud is running.
	@cloud/status

pack: setup ## Packs every charm into dist/*.charm (ARCH=amd64 or arm64); prints sizes and start-up times.
	@$(NODE) scripts/pack.ts $(if $(ARCH),--arch $(ARCH))

bench: setup ## Measures what a hook costs before its first line: Node.js, bundle, chunks.
	@$(NODE) scripts/bench.ts

bench-hook: setup ## Measures a hook in a pod: make bench-hook MODEL=demo UNIT=postgresql-k8s/0.
	@$(NODE) scripts/bench-hook.ts "$(MODEL)" "$(UNIT)" $(HOOK) $(ROUNDS)

bench-backup: setup ## Measures backups and a restore on the local cloud: MB=2000 ROUNDS=3 BEST=4:zst/3:block MODEL=keep.
	@$(NODE) scripts/bench-backup/main.ts $(if $(MB),--mb $(MB)) $(if $(ROUNDS),--rounds $(ROUNDS)) $(if $(BEST),--best $(BEST)) $(if $(filter keep,$(MODEL)),--keep)

generate: setup ## Writes config.yaml and the reference page from the table of options.
	@$(NODE) scripts/generate.ts

flowcharts: setup ## Runs the scenarios and prints, chart by chart, the edges walked of those drawn.
	@mkdir -p dist && $(NODE) --experimental-vm-modules --disable-warning=ExperimentalWarning \
	  node_modules/jest/bin/jest.js --selectProjects scenario >dist/scenario.log 2>&1 || \
	  { cat dist/scenario.log; exit 1; }
	@$(NODE) scripts/flowcharts.ts --check --missing

format: setup ## Formats all files.
	@$(NODE) node_modules/@biomejs/biome/bin/biome check --write .
