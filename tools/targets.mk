# The targets that compile nothing themselves. Included at the end of the Makefile.

.PHONY: help
help: ## this list
	@grep -hE '^[a-zA-Z0-9_.-]+:.*## ' $(MAKEFILE_LIST) | LC_ALL=C sort | \
	    sed -E 's/^([a-zA-Z0-9_.-]+):.*## (.*)$$/  make \1\t\2/' | expand -t 32
	@printf '%s\t%s\n' '  ... SAN=asan|tsan|cov' 'with sanitizers or coverage, in a build folder of its own' \
	    '  ... CI=true' 'warnings are errors' | expand -t 32

.PHONY: clean
clean: ## remove what was built
	rm -rf build

.PHONY: deps
deps: ## install the Debian packages that building and testing need
	@tools/deps.sh test

.PHONY: layers
layers: $(LIB_BASE) $(LIB_DOMAIN) ## check that includes point one way only, and that domain/ is pure
	@tools/layers.sh . $(LIB_DOMAIN)

.PHONY: demo demo-stop
demo: ## install what is missing, build, and watch payouts land
	@MAKE='$(MAKE)' exec deploy/demo/demo.sh
demo-stop: ## end what the demo left running
	@exec deploy/demo/stop.sh

.PHONY: bench
bench: ## measure it: payouts per second against the machine's limit, latency, CPU, memory
	@SAN='$(SAN)' MAKE='$(MAKE)' exec tests/bench/run.sh

# The number of histories in `make test` is in tests/pg/test_settlement_model.py.
HISTORIES ?= 20000
SEED      ?= 1
.PHONY: model
model: $(BUILD)/bin/ujrat ## many random histories of settlement, and crowds, against the reference model (HISTORIES=20000 SEED=1)
	@UJRAT_BUILD=$(CURDIR)/$(BUILD) UJRAT_MODEL_HISTORIES=$(HISTORIES) UJRAT_MODEL_SEED=$(SEED) UJRAT_MODEL_PROGRESS=1 PYTHONDONTWRITEBYTECODE=1 \
	    exec /usr/bin/python3 -m pytest -q -s -p no:cacheprovider tests/pg/test_settlement_model.py -k 'histories or crowds'

.PHONY: distclean
distclean: clean ## also end the demo and remove what was made at run time: var/, node_modules/
	@[ ! -d var/demo ] || deploy/demo/stop.sh
	@for d in var/*/pg; do [ ! -d "$$d" ] || tools/pg_cluster.sh destroy "$$d"; done
	rm -rf var compile_commands.json node_modules
	find . -name __pycache__ -prune -exec rm -rf {} +

# The script builds what it tests: nothing is compiled before the libraries are there.
.PHONY: test
test: ## install what is missing, build, run every test (T="unit pg ..." for some; SAN=asan)
	@SAN='$(SAN)' CI='$(CI)' TEST_CC='$(if $(filter command environment,$(origin CC)),$(CC))' MAKE='$(MAKE)' exec tools/run_tests.sh $(T)

.PHONY: lint lint-now
lint: ## clang-format, clang-tidy, cppcheck, shellcheck and the layers, on what has changed
	@tools/deps.sh lint
	@$(MAKE) --no-print-directory lint-now
lint-now: $(PB_C) $(TEST_PB_C) $(LIB_BASE) $(LIB_DOMAIN)
	@CC='$(CC)' CPPFLAGS='$(CPPFLAGS)' BUILD='$(BUILD)' tools/lint.sh $(FILES)

# One entry a source, for editors and clang's tools.
compile_commands.json: $(STAMP) $(MAKEFILE_LIST) | $(PB_C) $(TEST_PB_C) ## what editors and clang's tools read
	@find base domain ledger seal hook iso20022 screen gateway audit cli settle tests -name '*.c' | LC_ALL=C sort | sed 's|.*|  {"directory": "$(CURDIR)", "file": "&", "command": "$(CC) $(CPPFLAGS) -std=gnu17 -Wall -Wextra -c &"},|; 1s/^/[\n/; $$s/,$$/\n]/' >$@

.PHONY: format
format: ## put every C file into the house's form
	@tools/deps.sh lint
	@find base domain ledger seal hook iso20022 screen gateway audit cli settle tests -name '*.[ch]' -exec clang-format-14 -i {} +

# libFuzzer over every decoder. What it finds lands in build/fuzz/corpus/ and, when it crashes, build/fuzz/crash-*;
# a finding worth keeping goes into tests/fuzz/corpus/, which `make test` replays.
FUZZ_SECONDS ?= 60
FUZZ         ?= $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
FUZZ_FLAGS   := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=undefined
FUZZ_LIB     := build/fuzz/libujrat.a
fuzz_obj      = $(patsubst %.c,build/fuzz/obj/%.o,$(1))
.PHONY: fuzz fuzz-build
fuzz: ## run the fuzzers (FUZZ=name for one, FUZZ_SECONDS=60 each)
	@tools/deps.sh lint
	@$(MAKE) --no-print-directory fuzz-build
	@for f in $(FUZZ); do \
	    mkdir -p build/fuzz/corpus/$$f; \
	    seeds=tests/fuzz/corpus/$$f; [ -d $$seeds ] || seeds=; \
	    echo "== fuzz_$$f, $(FUZZ_SECONDS) s"; \
	    build/fuzz/bin/fuzz_$$f -max_total_time=$(FUZZ_SECONDS) -timeout=10 -rss_limit_mb=1024 -print_final_stats=1 \
	        -artifact_prefix=build/fuzz/crash-$$f- build/fuzz/corpus/$$f $$seeds || exit 1; done
fuzz-build: $(FUZZ:%=build/fuzz/bin/fuzz_%)
build/fuzz/obj/%.o: %.c $(STAMP) | $(READY) $(PB_C)
	@mkdir -p $(@D)
	@echo '  CC   $< (libFuzzer)'
	@clang-14 $(CPPFLAGS) -std=gnu17 -w $(FUZZ_FLAGS) -fsanitize=fuzzer-no-link -MMD -MP -c -o $@ $<
$(FUZZ_LIB): $(call fuzz_obj,$(BASE_C) $(DOMAIN_C) $(LEDGER_C) $(SEAL_C) $(HOOK_C) $(ISO_C) $(SCREEN_C) $(AUDIT_LIB_C) $(SETTLE_C) $(NET_C) $(WIRE_C) $(RPC_C) $(REST_C) $(GATEWAY_C) $(PB_C)) \
             $(BUILD)/obj/gen/ledger_sql.o $(BUILD)/obj/gen/descriptors.o
	@rm -f $@ && ar rcs $@ $^
$(patsubst %,build/fuzz/bin/fuzz_%,$(FUZZ)): build/fuzz/bin/%: build/fuzz/obj/tests/fuzz/%.o $(FUZZ_LIB)
	@mkdir -p $(@D)
	@echo '  LD   $@'
	@clang-14 $(FUZZ_FLAGS) -fsanitize=fuzzer -o $@ $^ $(LDLIBS) $(AUDIT_LIBS) $(ISO_LIBS) $(SCREEN_LIBS) $(HOOK_LIBS)
-include $(shell find build/fuzz/obj -name '*.d' 2>/dev/null)
