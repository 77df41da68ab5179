# SPDX-License-Identifier: Apache-2.0
# Tests. A unit test links no more than its floor: test_base_*, test_jose_*, test_trust_*; all others see everything.
VECTORS ?= $(abspath ../shared/vectors)
ALL_INC := $(INC_trust) -iquote daemon/shared -iquote daemon/broker -iquote daemon/worker -iquote daemon/signer -iquote daemon/fetcher -iquote client -iquote tests
ARCHIVES := $(addprefix $(O)/,libbroker.a libworker.a libsigner.a libfetcher.a libclient.a libshared.a) $(COMMON)
ALL_LIBS := -levent_openssl -levent_core -lcurl -lssl -lcrypto -lyajl
CHECK_LIBS = $(call pc_libs,check)

unit_base  := $(wildcard tests/unit/test_base_*.c)
unit_jose  := $(wildcard tests/unit/test_jose_*.c)
unit_trust := $(wildcard tests/unit/test_trust_*.c)
unit_rest  := $(filter-out $(unit_base) $(unit_jose) $(unit_trust),$(wildcard tests/unit/test_*.c))
test_bin    = $(patsubst tests/%.c,$(B)/%,$(1))

UNIT    := $(call test_bin,$(unit_base) $(unit_jose) $(unit_trust) $(unit_rest))
REPLAY  := $(call test_bin,$(wildcard tests/replay/replay_*.c))
FUZZ    := $(patsubst tests/%.c,$(B)/%,$(filter-out tests/fuzz/replay.c,$(wildcard tests/fuzz/*.c)))
DRIVERS := $(call test_bin,$(wildcard tests/drivers/*.c))

$(O)/tests/%.o: FLOOR_CFLAGS := $(ALL_INC)

# The allocator fails on demand there.
$(B)/unit/test_trust_memory: ALL_LDFLAGS += $(patsubst %,-Wl$(comma)--wrap=%,malloc calloc realloc reallocarray strdup strndup)
comma := ,
LINK = $(Q)mkdir -p $(@D) && $(if $(is_loud),printf '  %-5s %s\n' LD $@ &&) $(CC) $(ALL_LDFLAGS) -o $@
$(call test_bin,$(unit_base)): $(B)/%: $(O)/tests/%.o $(O)/libbase.a
	$(LINK) $^ $(CHECK_LIBS) -lyajl
$(call test_bin,$(unit_jose)): $(B)/%: $(O)/tests/%.o $(O)/libjose.a $(O)/libbase.a
	$(LINK) $^ $(CHECK_LIBS) -lcrypto -lyajl
$(call test_bin,$(unit_trust)): $(B)/%: $(O)/tests/%.o $(COMMON)
	$(LINK) $^ $(CHECK_LIBS) -lcrypto -lyajl
$(call test_bin,$(unit_rest)) $(REPLAY): $(B)/%: $(O)/tests/%.o $(ARCHIVES)
	$(LINK) $(filter %.o,$^) -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(CHECK_LIBS) $(ALL_LIBS)
$(DRIVERS): $(B)/%: $(O)/tests/%.o $(ARCHIVES)
	$(LINK) $(filter %.o,$^) -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(ALL_LIBS)
$(FUZZ): $(B)/%: $(O)/tests/%.o $(O)/tests/fuzz/replay.o $(ARCHIVES)
	$(LINK) $(filter %.o,$^) -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(ALL_LIBS)

.PHONY: unit replay drivers corpora fuzz-check fuzz system container bench check demo
.SECONDARY:
unit: $(UNIT) ## build and run the unit tests
	$(Q)tools/tally $(UNIT)
replay: $(REPLAY) ## build and run the replay tests (real code, fake clock, scripted partners)
	$(Q)tools/tally $(REPLAY)
drivers: $(DRIVERS) ## build the corpus drivers into build/drivers/
corpora: $(DRIVERS) ## judge every corpus of VECTORS through the real functions
	$(Q)tools/corpora $(B)/drivers $(VECTORS)
fuzz-check: $(FUZZ) ## replay the corpus of each fuzz target with an ordinary compiler
	$(Q)tools/fuzz-check $(B)/fuzz tests/fuzz/corpus
fuzz: ## campaign with libFuzzer: make fuzz TIME=60 [TARGET=json]
	$(Q)tools/fuzz-campaign '$(TIME)' '$(TARGET)'
system: all ## start the real programs and drive them from outside
	$(Q)B=$(B) tools/tally $(filter-out tests/system/lib.sh,$(wildcard tests/system/*.sh))
container: all ## the units in a real systemd in a container (root; skipped elsewhere)
	$(Q)B=$(B) tools/tally tests/container/boot.sh
bench: all $(B)/bench/load ## throughput as ratios to the RSA arithmetic of this machine
	$(Q)tests/bench/run $(B)
check: ## everything: the same as ./check without installing packages
	$(Q)./check --no-install
demo: all ## two servers trust each other over real TLS
	$(Q)./demo --no-install

$(B)/bench/load: $(patsubst %.c,$(O)/%.o,$(wildcard tests/bench/*.c)) $(O)/libclient.a $(COMMON)
	$(LINK) $^ -lcrypto -lyajl

# libFuzzer builds (tools/fuzz-campaign): the same objects with coverage, the fuzzer's own main.
.PHONY: $(O)/archives
$(O)/archives: $(ARCHIVES)
$(B)/campaign/%: $(O)/tests/fuzz/%.o $(ARCHIVES)
	$(LINK) -fsanitize=fuzzer $(filter %.o,$^) -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(ALL_LIBS)
