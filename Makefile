# SPDX-License-Identifier: Apache-2.0
# Plain GNU make. `make help` lists the targets; every directory and tool can be overridden.
VERSION := 0.1.0

PREFIX      ?= /usr/local
SBINDIR     ?= $(PREFIX)/sbin
BINDIR      ?= $(PREFIX)/bin
LIBEXECDIR  ?= $(PREFIX)/libexec/s2sd
DATADIR     ?= $(PREFIX)/share
MANDIR      ?= $(DATADIR)/man
SYSCONFDIR  ?= /etc
UNITDIR     ?= /usr/lib/systemd/system
SYSUSERSDIR ?= /usr/lib/sysusers.d
TMPFILESDIR ?= /usr/lib/tmpfiles.d
DESTDIR     ?=
PKG_CONFIG  ?= pkg-config

# SAN=address,undefined builds with sanitizers; each variant has a folder of its own, objects never mix.
SAN     ?=
WERROR  ?=
VARIANT := $(if $(SAN),$(notdir $(firstword $(CC)))-san,plain)
B       ?= $(if $(SAN),build/$(VARIANT),build)
O       := $(B)/o

include mk/flags.mk
include mk/build.mk
include mk/tests.mk
include mk/gates.mk
include mk/install.mk

.DEFAULT_GOAL := all
.PHONY: all help clean
all: programs manuals ## build programs and manuals into build/

help: ## list the targets
	@grep -hE '^[a-zA-Z_.-]+:.*##' $(MAKEFILE_LIST) | sort -u | awk -F ':.*## *' '{ printf "  %-22s %s\n", $$1, $$2 }'
	@echo
	@echo 'Variables: CC=$(CC) SAN=address,undefined V=1 WERROR=1 PREFIX=$(PREFIX) DESTDIR='

clean: ## remove what was built
	rm -rf build compile_commands.json
