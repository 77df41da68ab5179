# SPDX-License-Identifier: Apache-2.0
# Objects of a folder go into one archive; programs link what they need of it.
objs = $(patsubst %.c,$(O)/%.o,$(wildcard $(1)/*.c))

define archive
$(O)/$(1): FLOOR_CFLAGS := $(3)
$(call objs,$(2)): FLOOR_CFLAGS := $(3)
$(O)/$(1): $(call objs,$(2))
	$$(call say,AR,$$@)
	$$(Q)mkdir -p $$(@D) && rm -f $$@ && $$(AR) rcs $$@ $$^
endef

$(eval $(call archive,libbase.a,common/base,$(INC_base)))
$(eval $(call archive,libjose.a,common/jose,$(INC_jose)))
$(eval $(call archive,libtrust.a,common/trust,$(INC_trust)))
$(eval $(call archive,libshared.a,daemon/shared,$(INC_shared)))
$(eval $(call archive,libbroker.a,daemon/broker,$(INC_broker)))
$(eval $(call archive,libworker.a,daemon/worker,$(INC_worker)))
$(eval $(call archive,libsigner.a,daemon/signer,$(INC_signer)))
$(eval $(call archive,libfetcher.a,daemon/fetcher,$(INC_fetcher)))
$(eval $(call archive,libclient.a,client,$(INC_client)))

$(O)/daemon/main.o: FLOOR_CFLAGS := $(INC_broker) -iquote daemon/worker

$(O)/%.o: %.c
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D) && $(CC) $(ALL_CFLAGS) $(FLOOR_CFLAGS) -MMD -MP -c -o $@ $<

# the interface files are embedded byte for byte; -MMD does not see .incbin
$(O)/daemon/worker/interfaces.o $(O)/daemon/broker/control_interface.o $(O)/daemon/signer/keys_interface.o: $(wildcard docs/varlink/*.varlink)

COMMON := $(O)/libtrust.a $(O)/libjose.a $(O)/libbase.a

.PHONY: programs
programs: $(B)/s2sd $(B)/s2sd-signer $(B)/s2sd-fetcher $(B)/s2sctl

define program
$(B)/$(1): $(2)
	$$(call say,LD,$$@)
	$$(Q)mkdir -p $$(@D) && $$(CC) $$(ALL_LDFLAGS) -o $$@ $$^ $(3)
endef
$(eval $(call program,s2sd,$(O)/daemon/main.o $(O)/libbroker.a $(O)/libworker.a $(O)/libshared.a $(COMMON),-levent_openssl -levent_core -lssl -lcrypto -lyajl))
$(eval $(call program,s2sd-signer,$(O)/daemon/signer_main.o $(O)/libsigner.a $(O)/libshared.a $(COMMON),-levent_core -lcrypto -lyajl))
$(eval $(call program,s2sd-fetcher,$(O)/daemon/fetcher_main.o $(O)/libfetcher.a $(O)/libshared.a $(COMMON),-lcurl -levent_core -lssl -lcrypto -lyajl))
$(eval $(call program,s2sctl,$(O)/client/main/s2sctl.o $(O)/libclient.a $(COMMON),-lcrypto -lyajl))
$(O)/daemon/signer_main.o: FLOOR_CFLAGS := $(INC_signer)
$(O)/daemon/fetcher_main.o: FLOOR_CFLAGS := $(INC_fetcher)
$(O)/client/main/s2sctl.o: FLOOR_CFLAGS := $(INC_client)

-include $(shell find $(O) -name '*.d' 2>/dev/null)
