# One door to everything: `make help`. Each target first makes sure of its own environment.
SHELL := bash
PYTHON ?= python3
VENV := .venv/bin
# one thread per process: on few cores more threads make tiny models many times slower
export OMP_NUM_THREADS ?= 1
export TOKENIZERS_PARALLELISM ?= false

.DEFAULT_GOAL := help
.PHONY: help demo serve pipeline shell test test-vllm test-chaos bench-labeling bench-web bench-dashboards bench-datasets bench-trainer check format messages lock clean bootstrap bootstrap-dev

help: ## show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 14

demo: bootstrap ## everything on this machine [DATA=problems.jsonl ENGINE=url ENGINE_MODEL= BACKBONE=folder PORT=]
	@$(VENV)/python manage.py demo $(if $(PORT),--port $(PORT)) $(PIPELINE)

serve: bootstrap ## web, workers and schedule without the demonstration's job [PORT=8000]
	@$(VENV)/python manage.py serve $(if $(PORT),--port $(PORT))

pipeline: bootstrap ## the demonstration's job alone [DATA= ENGINE= ENGINE_MODEL= BACKBONE= ARGS=other options]
	@$(VENV)/python manage.py pipeline $(PIPELINE) $(ARGS)

shell: bootstrap ## Django's shell on the embedded database
	@$(VENV)/python manage.py shell

PROCESSES ?= 2
test: bootstrap-dev ## all tests but those that need a vLLM server [PROCESSES=2 ARGS=pytest arguments]
	$(VENV)/python -m pytest -n $(PROCESSES) --dist loadfile $(ARGS)

test-vllm: ## the tests against a real vLLM server (CPU build, 2.5 GB) [ARGS=]
	@$(PYTHON) -m annotator.bootstrap --vllm
	VLLM_PYTHON=$(CURDIR)/.venv-vllm/bin/python $(VENV)/python -m pytest -m vllm $(ARGS)

test-chaos: bootstrap-dev ## label 2,000 solutions while everything is killed at random [CHAOS_SEED= CHAOS_PROBLEMS=]
	$(VENV)/python -m pytest -m chaos -s tests/chaos $(ARGS)

bench-labeling: bootstrap ## what labeling costs by method: one JSON line [ARGS=--problems 300 …]
	@$(VENV)/python -m workers.benchmarks.labeling $(ARGS)

bench-web: bootstrap ## what annotating costs on 100,000 solutions: one JSON line [ARGS=--annotators 8 32 …]
	@VAR_DIR=$${VAR_DIR:-var/bench} $(VENV)/python manage.py migrate -v 0
	@VAR_DIR=$${VAR_DIR:-var/bench} $(VENV)/python manage.py bench_web $(ARGS)

bench-dashboards: bootstrap ## what dashboards cost at three sizes: one JSON line [ARGS=--solutions 10000 …]
	@VAR_DIR=$${VAR_DIR:-var/bench} $(VENV)/python manage.py migrate -v 0
	@VAR_DIR=$${VAR_DIR:-var/bench} $(VENV)/python manage.py bench_dashboards $(ARGS)

bench-datasets: bootstrap ## what import and export cost at two sizes: one JSON line [ARGS=--solutions 10000 …]
	@VAR_DIR=$${VAR_DIR:-var/bench} $(VENV)/python manage.py migrate -v 0
	@VAR_DIR=$${VAR_DIR:-var/bench} $(VENV)/python manage.py bench_datasets $(ARGS)

bench-trainer: bootstrap ## the trainer beside TRL's last one: one JSON line [ARGS=--examples 500 …]
	@$(PYTHON) -m annotator.bootstrap --trl
	@$(VENV)/python -m trainer.bench --trl-python .venv-trl/bin/python $(ARGS)

check: bootstrap ## format, lint, types, architecture, migrations, static files
	$(VENV)/ruff format --check .
	$(VENV)/ruff check .
	$(VENV)/mypy .
	$(VENV)/lint-imports
	$(VENV)/python manage.py makemigrations --check --dry-run
	@scratch=$$(mktemp -d) && trap 'rm -rf "$$scratch"' EXIT && echo "collectstatic (production)" && \
	PRODUCTION=1 SECRET_KEY=check VAR_DIR=$$scratch $(VENV)/python manage.py collectstatic --noinput -v 0

format: bootstrap ## rewrite the code as `check` wants it
	$(VENV)/ruff format .
	$(VENV)/ruff check --fix .

messages: bootstrap ## bring the catalogs of translations up to the code, list what is untranslated
	@$(VENV)/python manage.py messages

lock: bootstrap ## resolve the lock files anew
	@$(VENV)/python -m annotator.bootstrap.lock

clean: ## remove the environments and, if you say yes, all data in var/
	rm -rf .venv .venv-vllm .venv-trl .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@if [ -d var ]; then read -rp "Also delete var/, with every label in it? [y/N] " answer; \
	if [ "$$answer" = y ]; then rm -rf var; fi; fi

PIPELINE = $(if $(DATA),--data "$(DATA)") $(if $(ENGINE),--engine "$(ENGINE)") \
	$(if $(ENGINE_MODEL),--engine-model "$(ENGINE_MODEL)") $(if $(BACKBONE),--backbone "$(BACKBONE)")

bootstrap:
	@$(PYTHON) -m annotator.bootstrap

bootstrap-dev:
	@$(PYTHON) -m annotator.bootstrap --dev
