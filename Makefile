# Every entry point. `make help` lists them; a newcomer needs `make demo` and `make test`.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

LOCAL := tools/cluster/cluster
PYTHON := .venv/bin/python
PACKAGES := controller/api/kubeless_api controller/kube/kubeless_kube controller/kubeless_controller cli/kubeless_cli triggers/kafka/kubeless_kafka

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: setup
setup: ## Make the development environment in .venv
	@tools/setup

.PHONY: demo
demo: ## Set everything up, deploy the examples and call them
	@tools/setup
	@$(MAKE) up GATEWAY=contour
	@$(PYTHON) tools/demo.py

.PHONY: test
test: ## Run all tests
	@tools/setup
	@tools/test

.PHONY: check
check: ## Lint, types, unit tests and chart rendering: quick, no cluster
	@tools/setup
	@tools/check

.PHONY: images
images: ## Build all images (docker, or buildah where no engine answers)
	@tools/setup
	@$(PYTHON) tools/images/kubeless_images build

.PHONY: push
push: images ## Push all images: make push REGISTRY=registry.example.com/team
	@$(PYTHON) tools/images/kubeless_images push "$(REGISTRY)"

# For `make up`: the cluster to install into, `local` or `current`; REGISTRY and YES=1 go with the latter.
CLUSTER ?= local
# The local cluster's gateway: `none` leaves it as it is, `contour` serves Ingress and Gateway API.
GATEWAY ?= none

.PHONY: up
up: ## Bring up the local cluster with Kubeless in it, GATEWAY=contour with a gateway; CLUSTER=current: into the current kube context
	@tools/setup
	@$(PYTHON) tools/up.py --cluster "$(CLUSTER)" --gateway "$(GATEWAY)" --registry "$(REGISTRY)" $(if $(filter 1 y yes true,$(YES)),--yes)

.PHONY: down
down: ## Remove the local cluster and all that it made on this machine
	@$(LOCAL) down

.PHONY: env
env: ## Print exports for a shell to eval: KUBECONFIG, PATH with kubectl, helm, kubeless
	@$(LOCAL) env --path "$(CURDIR)/.venv/bin"

.PHONY: status
status: ## Say what of the local cluster is up
	@$(LOCAL) status

.PHONY: bench
bench: ## Measure, and print tables
	@tools/setup
	@$(MAKE) up
	@PYTHONPATH=tests $(PYTHON) -m bench

.PHONY: bench-runtimes
bench-runtimes: ## Measure the runtimes beside bare servers and others of their kind
	@tools/setup
	@PYTHONPATH=tests $(PYTHON) -m bench.runtimes

.PHONY: bench-controller
bench-controller: ## Measure the controller with thousands of Functions, on a bare API server
	@tools/setup
	@PYTHONPATH=tests $(PYTHON) -m bench.controller

.PHONY: bench-kafka
bench-kafka: ## Measure the consumer of KafkaTriggers beside a plain loop, with a broker in the local cluster
	@tools/setup
	@$(MAKE) up
	@PYTHONPATH=tests $(PYTHON) -m bench.kafka

# How many records `make chaos` sends; `make test` sends 20,000.
RECORDS ?= 200000

.PHONY: chaos
chaos: ## Kill consumers, functions and brokers while records flow, and check that none is lost: make chaos RECORDS=200000
	@tools/setup
	@KUBELESS_CHAOS_RECORDS=$(RECORDS) $(PYTHON) -m pytest -s tests/chaos

.PHONY: conformance
conformance: ## Hold every runtime and image to the contract, the long tests under strain too
	@tools/setup
	@$(PYTHON) -m pytest --long --where both tests/conformance images

# How long each server gets requests that are half broken; `make test` takes 5 seconds.
FUZZ_SECONDS ?= 60

.PHONY: soak
soak: ## What takes hours in all: records under chaos, runtimes under strain, long fuzzing
	@tools/setup
	@KUBELESS_CHAOS_RECORDS=$(RECORDS) KUBELESS_FUZZ_SECONDS=$(FUZZ_SECONDS) $(PYTHON) -m pytest --long --where both tests/conformance images tests/chaos
