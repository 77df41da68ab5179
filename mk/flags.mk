# SPDX-License-Identifier: Apache-2.0
CFLAGS   ?= -O2 -g
WARN     := -std=gnu17 -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith \
            -Wcast-qual -Wwrite-strings -Wformat=2 -Wvla -Wundef -Wimplicit-fallthrough
IS_CLANG := $(if $(findstring clang,$(CC)),1)
WARN     += $(if $(IS_CLANG),-Wno-gnu-statement-expression,-Wnull-dereference)
WARN     += $(if $(WERROR),-Werror)
HARDEN   := -fPIE -fstack-protector-strong -fstack-clash-protection \
            $(if $(SAN),,-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
SANFLAGS := $(if $(SAN),-fsanitize=$(SAN) -fno-sanitize-recover=all -fno-omit-frame-pointer)
DEFS     := -D_GNU_SOURCE -DS2SD_VERSION='"$(VERSION)"' -DS2SD_LIBEXECDIR='"$(LIBEXECDIR)"'
ALL_CFLAGS  = $(WARN) $(HARDEN) $(CFLAGS) $(SANFLAGS) $(DEFS) $(CPPFLAGS)
ALL_LDFLAGS = -fPIE -pie -Wl,-z,relro,-z,now -Wl,--as-needed $(LDFLAGS) $(SANFLAGS)

V ?= 0
Q  = $(if $(filter 0,$(V)),@)
# quiet with make -s
is_loud = $(if $(findstring s,$(filter-out --%,$(firstword $(MAKEFLAGS)))),,$(filter 0,$(V)))
say = $(if $(is_loud),@printf '  %-5s %s\n' '$(1)' '$(2)')

pc_cflags = $(shell $(PKG_CONFIG) --cflags $(1))
pc_libs   = $(shell $(PKG_CONFIG) --libs $(1))

# Floors: a folder sees only the folders below it; third-party headers by floor.
# -iquote, because "check.h" is ours and <check.h> is of the test library.
INC_base    := -iquote common/base
INC_jose    := $(INC_base) -iquote common/jose
INC_trust   := $(INC_jose) -iquote common/trust
INC_shared  := $(INC_trust) -iquote daemon/shared
INC_broker  := $(INC_shared) -iquote daemon/broker
INC_worker  := $(INC_shared) -iquote daemon/worker
INC_signer  := $(INC_shared) -iquote daemon/signer
INC_fetcher := $(INC_shared) -iquote daemon/fetcher
INC_client  := $(INC_trust) -iquote client
