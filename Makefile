# Ujrat: plain, non-recursive. `make help` lists what there is to ask for.
#
#   make [SAN=asan|tsan|cov]     each sanitizer builds in its own folder under build/
#   make CI=true                 warnings are errors

SAN     ?=
ifeq ($(origin CC),default)
CC      := gcc
endif
BUILD   := build/$(or $(SAN),release)
GEN     := $(BUILD)/gen
BIN     := $(BUILD)/bin

.DEFAULT_GOAL := all
.SUFFIXES:
.DELETE_ON_ERROR:
.SECONDARY:

# ---------------------------------------------------------------- flags
PKGS := openssl libevent_core libnghttp2 zlib libprotobuf-c jansson libpq

WARN := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith \
        -Wwrite-strings -Wvla -Wswitch-enum -Wundef -Wimplicit-fallthrough -Wformat=2 \
        -Wconversion -Wno-sign-conversion -Wnull-dereference -Wduplicated-cond \
        -Wlogical-op -Wcast-qual -Walloca
ifeq ($(CI),true)
WARN += -Werror
endif

HARDEN := -fstack-protector-strong -fstack-clash-protection -fPIE -fcf-protection
OPT    := -O2
LDHARD := -pie -Wl,-z,relro,-z,now,-z,noexecstack

ifeq ($(SAN),)
HARDEN += -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
else ifeq ($(SAN),asan)
OPT    := -O1
SANFLAGS := -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
else ifeq ($(SAN),tsan)
OPT    := -O1
SANFLAGS := -fsanitize=thread -fno-omit-frame-pointer
else ifeq ($(SAN),cov)
OPT    := -O0
SANFLAGS := --coverage
else
$(error SAN must be empty, asan, tsan or cov, not '$(SAN)')
endif

# What the auditor's program and `ujrat receipt` stand on, and the daemon does not: XML, and pages (text, fonts, QR codes).
AUDIT_PKGS := libxml-2.0 pangocairo cairo-pdf libqrencode
# What banks' files are made of: XML. Programs that deal in files link it, the daemon does not.
ISO_PKGS := libxml-2.0

# What names are compared with: ICU, and XML for the lists. Commands link it; the daemon does not yet.
SCREEN_PKGS := icu-i18n icu-uc libxml-2.0

# What delivers webhooks: only the daemon links it.
HOOK_PKGS := libcurl

# Asked of pkg-config once, when a target that compiles is wanted and the libraries are there.
PKG_CFLAGS := $(shell pkg-config --cflags $(PKGS) 2>/dev/null)
PKG_LIBS   := $(shell pkg-config --libs $(PKGS) 2>/dev/null)
AUDIT_CFLAGS := $(shell pkg-config --cflags $(AUDIT_PKGS) 2>/dev/null)
AUDIT_LIBS := $(shell pkg-config --libs $(AUDIT_PKGS) 2>/dev/null)
ISO_LIBS   := $(shell pkg-config --libs $(ISO_PKGS) 2>/dev/null)
SCREEN_LIBS := $(shell pkg-config --libs $(SCREEN_PKGS) 2>/dev/null)
HOOK_LIBS  := $(shell pkg-config --libs $(HOOK_PKGS) 2>/dev/null)

# What cannot be built without is asked for by name, in one line, before anything is tried.
NOT_HERE := $(if $(and $(PKG_LIBS),$(AUDIT_LIBS),$(SCREEN_LIBS),$(HOOK_LIBS)),,libraries) \
            $(shell for p in $(firstword $(CC)) pkg-config protoc protoc-c; do command -v $$p >/dev/null || echo $$p; done)
READY    := $(if $(strip $(NOT_HERE)),not-ready)
.PHONY: not-ready
not-ready:
	@echo 'Not installed yet: $(strip $(NOT_HERE)). Run: make deps' >&2; exit 1

CPPFLAGS := -D_GNU_SOURCE -I. -I$(GEN) $(PKG_CFLAGS) $(patsubst -I%,-isystem %,$(AUDIT_CFLAGS))
BANNED   := -include base/banned.h
CFLAGS   := -std=gnu17 $(OPT) -g $(WARN) $(HARDEN) $(SANFLAGS)
LDFLAGS  := $(LDHARD) $(SANFLAGS) -Wl,--as-needed
LDLIBS   := $(PKG_LIBS)

# ---------------------------------------------------------------- sources, by folder
BASE_C   := $(wildcard base/*.c)
DOMAIN_C := $(wildcard domain/*.c)
LEDGER_C := $(wildcard ledger/*.c)
SEAL_C   := $(wildcard seal/*.c)
HOOK_C   := $(wildcard hook/*.c)
ISO_C    := $(wildcard iso20022/*.c)
SCREEN_C := $(wildcard screen/*.c)
NET_C    := $(wildcard gateway/net/*.c)
WIRE_C   := $(wildcard gateway/wire/*.c)
RPC_C    := $(wildcard gateway/rpc/*.c)
REST_C   := $(wildcard gateway/rest/*.c)
GATEWAY_C := $(filter-out gateway/main.c,$(wildcard gateway/*.c))
CLI_C    := $(wildcard cli/*.c)
SETTLE_C := $(filter-out settle/main.c,$(wildcard settle/*.c))
AUDIT_LIB_C := $(filter-out audit/main.c,$(wildcard audit/*.c))

PROTOS   := $(filter-out proto/grpc/testing/%,$(shell find proto -name '*.proto' 2>/dev/null | LC_ALL=C sort))
TEST_PROTOS := $(shell find proto/grpc/testing -name '*.proto' 2>/dev/null | LC_ALL=C sort)
PB_C     := $(patsubst proto/%.proto,$(GEN)/%.pb-c.c,$(PROTOS)) \
            $(patsubst %,$(GEN)/google/protobuf/%.pb-c.c,timestamp any duration)
TEST_PB_C := $(patsubst proto/%.proto,$(GEN)/%.pb-c.c,$(TEST_PROTOS))

obj = $(patsubst $(GEN)/%.c,$(BUILD)/obj/gen/%.o,$(patsubst %.c,$(BUILD)/obj/%.o,$(filter-out $(GEN)/%,$(1))) $(filter $(GEN)/%,$(1)))

LIB_BASE   := $(BUILD)/lib/libujrat-base.a
LIB_DOMAIN := $(BUILD)/lib/libujrat-domain.a
LIB_LEDGER := $(BUILD)/lib/libujrat-ledger.a
LIB_SEAL   := $(BUILD)/lib/libujrat-seal.a
LIB_HOOK   := $(BUILD)/lib/libujrat-hook.a
LIB_ISO    := $(BUILD)/lib/libujrat-iso20022.a
LIB_SCREEN := $(BUILD)/lib/libujrat-screen.a
LIB_NET    := $(BUILD)/lib/libujrat-net.a
LIB_WIRE   := $(BUILD)/lib/libujrat-wire.a
LIB_GATEWAY := $(BUILD)/lib/libujrat-gateway.a
LIB_AUDIT  := $(BUILD)/lib/libujrat-audit.a
LIB_SETTLE := $(BUILD)/lib/libujrat-settle.a
LIBS := $(LIB_GATEWAY) $(LIB_WIRE) $(LIB_NET) $(LIB_SEAL) $(LIB_HOOK) $(LIB_LEDGER) $(LIB_DOMAIN) $(LIB_BASE)

$(LIB_BASE):   $(call obj,$(BASE_C))
$(LIB_DOMAIN): $(call obj,$(DOMAIN_C))
$(LIB_LEDGER): $(call obj,$(LEDGER_C)) $(BUILD)/obj/gen/ledger_sql.o
$(LIB_SEAL):   $(call obj,$(SEAL_C))
$(LIB_HOOK):   $(call obj,$(HOOK_C))
$(LIB_ISO):    $(call obj,$(ISO_C))
$(LIB_SCREEN): $(call obj,$(SCREEN_C))
$(LIB_AUDIT):  $(call obj,$(AUDIT_LIB_C))
$(LIB_SETTLE): $(call obj,$(SETTLE_C))
$(LIB_NET):    $(call obj,$(NET_C)) $(BUILD)/obj/gen/descriptors.o
$(LIB_WIRE):   $(call obj,$(WIRE_C) $(PB_C))
$(LIB_GATEWAY): $(call obj,$(RPC_C) $(REST_C) $(GATEWAY_C)) $(BUILD)/obj/gen/claim_files.o

# ---------------------------------------------------------------- programs
PROGRAMS := $(if $(wildcard gateway/main.c),$(BIN)/ujratd) $(if $(wildcard cli/main.c),$(BIN)/ujrat) $(BIN)/ujrat-audit $(if $(wildcard settle/main.c),$(BIN)/ujrat-settle)

.PHONY: all
all: $(PROGRAMS) $(LIBS) $(LIB_ISO) $(LIB_SCREEN) ## build the programs (default)

$(BIN)/ujratd: $(BUILD)/obj/gateway/main.o $(LIBS)
$(BIN)/ujratd: EXTRA_LIBS := $(HOOK_LIBS)
# Its sandbox bank exchanges files with ujrat-settle: the same messages, the same manifests.
$(BIN)/ujrat:  $(call obj,$(CLI_C)) $(BUILD)/obj/gen/banks_pk.o $(LIBS) $(LIB_SETTLE) $(LIB_ISO) $(LIB_SCREEN)
$(BIN)/ujrat: EXTRA_LIBS := $(AUDIT_LIBS) $(SCREEN_LIBS)

# The auditor's program links nothing that posts: base and itself.
$(BIN)/ujrat-audit: $(BUILD)/obj/audit/main.o $(LIB_AUDIT) $(LIB_BASE)
$(BIN)/ujrat-audit: EXTRA_LIBS := $(AUDIT_LIBS)

# Settlement reads and writes ISO 20022 (XML), and has no network but the ledger's.
SETTLE_LIBS := $(LIB_SETTLE) $(LIB_ISO) $(LIB_LEDGER) $(LIB_DOMAIN) $(LIB_BASE)
$(BIN)/ujrat-settle: $(BUILD)/obj/settle/main.o $(SETTLE_LIBS)
$(BIN)/ujrat-settle: EXTRA_LIBS := $(ISO_LIBS)

# One cmocka binary a module. Those of the auditor's program begin with test_audit_, those of
# settlement with test_settle_, and link what it links.
AUDIT_UNIT_BINS := $(patsubst tests/unit/%.c,$(BIN)/unit/%,$(wildcard tests/unit/test_audit_*.c))
SETTLE_UNIT_BINS := $(patsubst tests/unit/%.c,$(BIN)/unit/%,$(wildcard tests/unit/test_settle_*.c))
UNIT_BINS := $(patsubst tests/unit/%.c,$(BIN)/unit/%,$(wildcard tests/unit/test_*.c))
$(filter-out $(AUDIT_UNIT_BINS) $(SETTLE_UNIT_BINS),$(UNIT_BINS)): $(BIN)/unit/%: $(BUILD)/obj/tests/unit/%.o $(LIBS)
$(AUDIT_UNIT_BINS): $(BIN)/unit/%: $(BUILD)/obj/tests/unit/%.o $(LIB_AUDIT) $(LIB_BASE)
$(SETTLE_UNIT_BINS): $(BIN)/unit/%: $(BUILD)/obj/tests/unit/%.o $(SETTLE_LIBS)
$(filter $(BIN)/unit/test_iso20022_%,$(UNIT_BINS)): $(LIB_ISO)
$(filter $(BIN)/unit/test_screen_%,$(UNIT_BINS)): $(LIB_SCREEN)
$(UNIT_BINS): EXTRA_LIBS := -lcmocka $(AUDIT_LIBS) $(ISO_LIBS) $(SCREEN_LIBS)

# Tests that speak to a private PostgreSQL (they are handed its URI in UJRAT_TEST_DB).
PG_BINS := $(patsubst tests/pg/%.c,$(BIN)/pg/%,$(wildcard tests/pg/test_*.c))
$(PG_BINS): $(BIN)/pg/%: $(BUILD)/obj/tests/pg/%.o $(LIBS)
$(PG_BINS): EXTRA_LIBS := -lcmocka

# A fuzz target defines LLVMFuzzerTestOneInput; here it replays its corpus, `make fuzz` runs it under libFuzzer.
FUZZ_BINS := $(patsubst tests/fuzz/%.c,$(BIN)/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))
$(FUZZ_BINS): $(BIN)/fuzz/%: $(BUILD)/obj/tests/fuzz/%.o $(BUILD)/obj/tests/fuzz/replay.o $(LIBS) $(LIB_AUDIT) $(LIB_SETTLE) $(LIB_ISO) $(LIB_SCREEN)
$(FUZZ_BINS): EXTRA_LIBS := $(AUDIT_LIBS) $(ISO_LIBS) $(SCREEN_LIBS)

BENCH_BINS := $(patsubst tests/bench/%.c,$(BIN)/bench/%,$(wildcard tests/bench/bench_*.c))
$(BENCH_BINS): $(BIN)/bench/%: $(BUILD)/obj/tests/bench/%.o $(LIBS)
$(BIN)/bench/bench_screen: $(LIB_SCREEN)
$(BIN)/bench/bench_screen: EXTRA_LIBS := $(SCREEN_LIBS)

# Our transport with grpc.testing.TestService on it, for the public interop clients and h2spec.
INTEROP_BIN := $(if $(wildcard tests/e2e/interop/server.c),$(BIN)/ujrat-interop)
$(BIN)/ujrat-interop: $(call obj,$(wildcard tests/e2e/interop/*.c) $(TEST_PB_C)) $(BUILD)/obj/gen/test_descriptors.o $(LIBS)

.PHONY: test-programs
test-programs: all $(UNIT_BINS) $(PG_BINS) $(FUZZ_BINS) $(BENCH_BINS) $(INTEROP_BIN)

# ---------------------------------------------------------------- rules
$(BIN)/%:
	@mkdir -p $(@D)
	@echo '  LD   $@'
	@$(CC) $(LDFLAGS) -o $@ $(filter %.o,$^) -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(LDLIBS) $(EXTRA_LIBS)

$(BUILD)/lib/%.a:
	@mkdir -p $(@D)
	@echo '  AR   $@'
	@rm -f $@ && ar rcs $@ $^

# A change of flags rebuilds everything; a no-op build compiles nothing.
STAMP := $(BUILD)/flags
FLAGS_TEXT := $(CC) $(CPPFLAGS) $(BANNED) $(CFLAGS) $(LDFLAGS) $(LDLIBS)
ifneq ($(file <$(STAMP)),$(FLAGS_TEXT))
$(shell mkdir -p $(BUILD))
$(file >$(STAMP),$(FLAGS_TEXT))
endif

$(BUILD)/obj/%.o: %.c $(STAMP) | $(READY) $(PB_C) $(TEST_PB_C)
	@mkdir -p $(@D)
	@echo '  CC   $<'
	@$(CC) $(CPPFLAGS) $(BANNED) $(CFLAGS) -MMD -MP -c -o $@ $<

# Generated code is not ours to warn about.
$(BUILD)/obj/gen/%.o: $(GEN)/%.c $(STAMP) | $(READY) $(PB_C) $(TEST_PB_C)
	@mkdir -p $(@D)
	@echo '  CC   $<'
	@$(CC) $(CPPFLAGS) $(filter-out -W%,$(CFLAGS)) -w -MMD -MP -c -o $@ $<

$(GEN)/google/protobuf/%.pb-c.c: | $(READY)
	@mkdir -p $(GEN)
	@echo '  PB   google/protobuf/$*.proto'
	@protoc-c -I/usr/include --c_out=$(GEN) google/protobuf/$*.proto

$(GEN)/%.pb-c.c: proto/%.proto | $(READY)
	@mkdir -p $(GEN)
	@echo '  PB   $<'
	@protoc-c -Iproto -I/usr/include --c_out=$(GEN) $(patsubst proto/%,%,$<)

# The descriptors that server reflection answers with.
$(GEN)/descriptors.binpb: $(PROTOS) | $(READY)
	@mkdir -p $(@D)
	@$(if $(PROTOS),protoc -Iproto -I/usr/include --include_imports --descriptor_set_out=$@ $(patsubst proto/%,%,$(PROTOS)),: >$@)
$(GEN)/test_descriptors.binpb: $(TEST_PROTOS) | $(READY)
	@mkdir -p $(@D)
	@protoc -Iproto -I/usr/include --include_imports --descriptor_set_out=$@ $(patsubst proto/%,%,$(TEST_PROTOS))

$(GEN)/descriptors.c $(GEN)/test_descriptors.c: %.c: %.binpb tools/embed.sh
	@tools/embed.sh $(notdir $*) $< >$@

# The banks that `ujrat db migrate` puts into a new database.
$(GEN)/banks_pk.c: data/banks_pk.csv tools/embed.sh
	@mkdir -p $(@D)
	@tools/embed.sh banks_pk $< >$@

# What the claim page is made of.
CLAIM_FILES := $(addprefix gateway/rest/claim/,done.html form.html note.html page.html style.css words.en words.ur)
$(GEN)/claim_files.c: $(CLAIM_FILES) tools/embed.sh
	@mkdir -p $(@D)
	@tools/embed.sh --table claim_files $(CLAIM_FILES) >$@

SQL_FILES := $(shell find ledger/sql ledger/schema -name '*.sql' 2>/dev/null | LC_ALL=C sort)
# The folders too: they change when a file is taken away.
$(GEN)/ledger_sql.c: $(SQL_FILES) $(sort $(dir $(SQL_FILES))) tools/embed.sh
	@mkdir -p $(@D)
	@tools/embed.sh --table ledger_sql $(SQL_FILES) >$@

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)

include tools/targets.mk
