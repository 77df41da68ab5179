# SPDX-License-Identifier: Apache-2.0
MANUALS := $(patsubst docs/%.scd,$(B)/docs/%,$(wildcard docs/*.scd))

.PHONY: manuals install uninstall dist hooks
manuals: $(MANUALS)
$(B)/docs/%: docs/%.scd
	$(call say,MAN,$@)
	$(Q)mkdir -p $(@D) && scdoc < $< > $@

CONF_FILES := $(shell cd conf && find . -type f -name '*.conf*' | sed 's|^\./||')
units = $(wildcard systemd/*.service systemd/*.socket)

# Units and sysusers name absolute paths; the installed copies say where PREFIX put things.
path_edit = sed -e 's|/usr/sbin/|$(SBINDIR)/|g;s|/usr/bin/|$(BINDIR)/|g;s|/usr/libexec/s2sd/|$(LIBEXECDIR)/|g'

install: all ## install below $(DESTDIR)$(PREFIX); configuration in $(DESTDIR)/etc/s2sd is never overwritten
	install -D -m755 $(B)/s2sd $(DESTDIR)$(SBINDIR)/s2sd
	install -D -m755 $(B)/s2sctl $(DESTDIR)$(BINDIR)/s2sctl
	install -D -m755 -t $(DESTDIR)$(LIBEXECDIR) $(B)/s2sd-signer $(B)/s2sd-fetcher
	install -d $(DESTDIR)$(UNITDIR)
	for u in $(units); do $(path_edit) $$u > $(DESTDIR)$(UNITDIR)/$${u##*/} && chmod 644 $(DESTDIR)$(UNITDIR)/$${u##*/} || exit 1; done
	install -D -m644 systemd/s2sd.sysusers $(DESTDIR)$(SYSUSERSDIR)/s2sd.conf
	install -D -m644 systemd/s2sd.tmpfiles $(DESTDIR)$(TMPFILESDIR)/s2sd.conf
	for f in $(CONF_FILES); do install -D -m644 conf/$$f $(DESTDIR)$(DATADIR)/doc/s2sd/examples/$$f || exit 1; done
	for f in $(CONF_FILES); do d=$(DESTDIR)$(SYSCONFDIR)/s2sd/$$f; [ -e $$d ] || install -D -m644 conf/$$f $$d || exit 1; done
	for m in $(MANUALS); do install -D -m644 $$m $(DESTDIR)$(MANDIR)/man$${m##*.}/$${m##*/} || exit 1; done
	install -D -m644 -t $(DESTDIR)$(DATADIR)/s2sd/varlink docs/varlink/*.varlink

uninstall: ## remove what install put there; configuration and state stay
	rm -f $(DESTDIR)$(SBINDIR)/s2sd $(DESTDIR)$(BINDIR)/s2sctl $(DESTDIR)$(SYSUSERSDIR)/s2sd.conf $(DESTDIR)$(TMPFILESDIR)/s2sd.conf
	rm -rf $(DESTDIR)$(LIBEXECDIR) $(DESTDIR)$(DATADIR)/doc/s2sd $(DESTDIR)$(DATADIR)/s2sd
	for u in $(units); do rm -f $(DESTDIR)$(UNITDIR)/$${u##*/}; done
	for m in $(MANUALS); do rm -f $(DESTDIR)$(MANDIR)/man$${m##*.}/$${m##*/}; done

dist: ## s2sd-VERSION.tar.xz of the committed files
	git archive --format=tar --prefix=s2sd-$(VERSION)/ HEAD | xz -9e > s2sd-$(VERSION).tar.xz

hooks: ## install the pre-commit hook
	install -m755 tools/git-hooks/pre-commit "$$(git rev-parse --git-path hooks)/pre-commit"
