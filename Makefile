# Assay: the verbs. `make` alone lists them. First time: `make run`, then `make test`; both do all the set-up they need.
SHELL := /bin/bash
.DEFAULT_GOAL := help
SWIFT ?= swift
CONFIGURATION := release
BIN = .build/$(CONFIGURATION)/assay
# Folder of a run's reports; `make run RUN=name` names it.
RUN := $(or $(RUN),$(shell date -u +%Y%m%d-%H%M%S))

VERIFY = verify --calibrate
# Random convolutions that each sanitizer sees.
SANITIZED_PROBLEMS = 40

.PHONY: help deps build install wheel run example test fuzz sanitize lint format docs verify goldens peers odd-inputs

help: ## list the verbs
	@awk -F':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# Pictures are optional: without their libraries the rest is built, and says so when it meets one.
deps: ## install the system packages (libhdf5-dev, pkg-config; for pictures libpng-dev, libjpeg-dev) when they are missing
	@if ! command -v $(SWIFT) >/dev/null; then \
	  echo "swift is not on the PATH: install Swift 6.2 or later from swift.org" >&2; exit 1; fi
	@has() { command -v pkg-config >/dev/null && pkg-config --exists "$$@"; }; \
	as_root=; [ "$$(id -u)" = 0 ] || as_root=sudo; \
	install() { \
	  if command -v apt-get >/dev/null; then \
	    echo "==> installing $$1 with apt-get (missing)"; \
	    $$as_root apt-get update -qq && DEBIAN_FRONTEND=noninteractive $$as_root apt-get install -y -qq $$1 >/dev/null; \
	  elif command -v brew >/dev/null; then echo "==> installing $$2 with brew (missing)"; brew install -q $$2; \
	  else return 1; fi; }; \
	has hdf5 || install "libhdf5-dev pkg-config" "hdf5 pkg-config" || \
	  { echo "HDF5 is missing: install its development package and pkg-config" >&2; exit 1; }; \
	has libpng libjpeg || install "libpng-dev libjpeg-dev" "libpng jpeg-turbo" || \
	  echo "==> without libpng-dev and libjpeg-dev pictures are not read"

build: deps ## build the release binary
	@echo "==> building (release)"
	@$(SWIFT) build -c $(CONFIGURATION) --product assay

# It comes with the argument parser, and makes manual pages of a command's help.
MANUAL = .build/$(CONFIGURATION)/generate-manual
$(MANUAL): deps
	@$(SWIFT) build -c $(CONFIGURATION) --product generate-manual

PREFIX = /usr/local
install: build $(MANUAL) ## bin/assay, share/assay, include/assay.h, manual pages and completions below PREFIX (/usr/local)
	@Packaging/install.sh $(BIN) "$(PREFIX)" $(MANUAL)
	@echo "==> installed below $(PREFIX)"

# A program that needs nothing but the C and C++ libraries: Swift's runtime and the libraries of files are linked into it, as
# archives, which the linker finds in a folder that holds no other.
WHEEL = .build/wheel
wheel: deps $(MANUAL) ## dist/assay-VERSION-py3-none-manylinux_….whl: the command, its files and assay_engine for pip, on Linux
	@Packaging/static_libraries.sh $(WHEEL)
	@echo "==> building (release, static)"
	@PKG_CONFIG_PATH=$(CURDIR)/$(WHEEL)/pkgconfig $(SWIFT) build -c release --static-swift-stdlib --product assay \
	  --scratch-path $(WHEEL)/build -Xlinker $(CURDIR)/$(WHEEL)/no_icu_data.o \
	  -Xlinker "$$(cat $(WHEEL)/no_icu_data.txt)"
	@rm -rf $(WHEEL)/tree; strip -o $(WHEEL)/assay $(WHEEL)/build/release/assay
	@Packaging/install.sh $(WHEEL)/assay $(WHEEL)/tree $(MANUAL)
	@python3 Packaging/wheel.py $(WHEEL)/tree dist

# Every part writes its record, also when it fails; `merge` decides what all of them amount to, and a part that wrote nothing
# counts by the exit code of its command.
run: build ## build, verify, check gradients and the gate itself, time the strategies, and write Reports/<run>/
	@parts=Reports/$(RUN)/parts; mkdir -p $$parts; ended=; \
	for part in "verification $(VERIFY)" "gradients gradcheck" "self_test selftest --smoke" "benchmark bench --quick"; do \
	  words=$${part#* }; code=0; \
	  echo; echo "==> assay $$words"; \
	  ASSAY_PART=1 $(BIN) $$words --out $$parts/$${words%% *} || code=$$?; \
	  ended="$$ended --expect $${part%% *}=$$code"; \
	done; \
	echo; echo "==> Reports/$(RUN)"; shopt -s nullglob; \
	$(BIN) merge $$parts/*/run.json $$ended --out Reports/$(RUN)

example: build ## measure the run in Reports/example again, which the README shows (on a quiet machine)
	@rm -rf Reports/example
	@$(MAKE) --no-print-directory run RUN=example VERIFY="verify --tag smoke"; code=$$?; \
	rm -rf Reports/example/parts; exit $$code

verify: build ## verify the corpus alone, without a report
	@$(BIN) verify

test: deps lint $(MANUAL) ## lint, then every test
	@$(SWIFT) build -c $(CONFIGURATION) --build-tests
	@$(SWIFT) test -c $(CONFIGURATION) --skip-build --disable-xctest

# A test has a fixed seed; this one is another every time.
BUILT_IN = reference direct im2col im2col-materialised gemm auto execution winograd2 winograd4 winograd6
fuzz: build ## ten seconds of random problems that nobody saw before: the log names the seed, and each failure its command
	@echo "==> assay fuzz, a fresh seed"
	@$(BIN) fuzz $(BUILT_IN:%=--engine %) --seed random --time 10s --quiet

odd-inputs: build ## 100,000 odd inputs: none may end by a signal, hang or take a gigabyte
	@$(SWIFT) build -c $(CONFIGURATION) --product OddInputs
	@.build/$(CONFIGURATION)/OddInputs 100000

# One test at a time: the thread sanitizer does not see Swift's Mutex, which keeps tests that share a pool apart. What it is to
# see is the threads of the pool, which are the same whatever the instructions: the portable ones are compiled soonest.
SANITIZED = ASSAY_RANDOM_PROBLEMS=$(SANITIZED_PROBLEMS) $(SWIFT) test -c $(CONFIGURATION) --disable-xctest --no-parallel \
  --package-path Tests/Sanitizers
sanitize: ## random convolutions under the address sanitizer, then with several threads under the thread sanitizer
	@echo "==> address sanitizer"
	@$(SANITIZED) --scratch-path .build/sanitizers/address --sanitize address
	@echo "==> thread sanitizer"
	@ASSAY_ISA=portable $(SANITIZED) --scratch-path .build/sanitizers/thread --sanitize thread --skip randomProblems

lint: ## swift format in lint mode: any finding fails
	@echo "==> swift format lint"
	@$(SWIFT) format lint --strict --recursive --parallel Package.swift Sources Tests

format: ## rewrite the sources in the project's format
	@$(SWIFT) format --in-place --recursive --parallel Package.swift Sources Tests

# The library modules alone: kernels and tests have no page. DocC belongs to the toolchain; Xcode's is not on the PATH.
DOCUMENTATION = .build/documentation
docs: deps ## the pages of every library module from its comments, in .build/documentation: any warning fails
	@$(SWIFT) build -c $(CONFIGURATION) --build-tests
	@echo "==> symbol graphs"
	@symbols=$$(dirname "$$($(SWIFT) build -c $(CONFIGURATION) --show-bin-path)")/symbolgraph; rm -rf $$symbols $(DOCUMENTATION); \
	$(SWIFT) package -c $(CONFIGURATION) dump-symbol-graph --minimum-access-level public --skip-synthesized-members >/dev/null && \
	rm -f $$symbols/Kernels* $$symbols/OracleLoops* $$symbols/*Tests.symbols.json $$symbols/TestSupport* && \
	echo "==> docc" && docc=$$(command -v docc || xcrun --find docc) && \
	$$docc convert --fallback-display-name Assay --fallback-bundle-identifier assay --analyze --warnings-as-errors \
	  --additional-symbol-graph-dir $$symbols --output-dir $(DOCUMENTATION)

.venv/goldens: Fixtures/generate/requirements.txt
	@echo "==> making .venv with PyTorch and h5py (a large download)"
	@python3 -m venv .venv
	@.venv/bin/pip install --quiet --requirement Fixtures/generate/requirements.txt
	@touch $@

goldens: .venv/goldens ## write Fixtures/*.h5 again with PyTorch, in a Python environment of its own
	@.venv/bin/python Fixtures/generate/generate.py

peers: .peers/installed .peers/onednn.so ## the frameworks of Benchmarks/engines.toml in .peers: 3 GB of download, 8 GB on disk

.peers/installed: Benchmarks/engines/requirements.txt
	@echo "==> installing the peers into .peers (minutes of download; 8 GB on disk, of which PyTorch takes 5 and oneDNN 2)"
	@python3 -m venv .peers
	@.peers/bin/pip install --quiet --requirement Benchmarks/engines/requirements.txt
	@touch $@

# The engines onednn and pytorch-compiled need a C++ compiler; the others do without.
.peers/onednn.so: .peers/installed Benchmarks/engines/onednn.cpp Benchmarks/engines/include/assay.h
	@if command -v $(CXX) >/dev/null; then \
	  echo "==> building the engine onednn"; \
	  $(CXX) -std=c++17 -O3 -fPIC -shared -I Benchmarks/engines/include -I .peers/include -o $@ \
	    Benchmarks/engines/onednn.cpp -L .peers/lib -ldnnl -ltbb -ldl -Wl,--disable-new-dtags,-rpath,'$$ORIGIN/lib'; \
	else echo "no C++ compiler ($(CXX)): the engine onednn is left out" >&2; fi
