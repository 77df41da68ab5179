# SPDX-License-Identifier: Apache-2.0
MANUALS := $(patsubst docs/%.scd,$(B)/docs/%,$(wildcard docs/*.scd))

.PHONY: manuals install uninstall dist deb hooks
manuals: $(MANUALS)
$(B)/docs/%: docs/%.scd
	$(call say,MAN,$@)
	$(Q)mkdir -p $(@D) && scdoc < $< > $@

CONF_FILES := $(shell cd conf && find . -type f -name '*.conf*' | sed 's|^\./||')
units = $(wildcard systemd/*.service systemd/*.socket)

# Units and sysusers name absolute paths; the installed copies say where PREFIX put things.
path_edit = sed -e 's|/usr/sbin/|$(SBINDIR)/|g;s|/usr/bin/|$(BINDIR)/|g;s|/usr/libexec/s2sd/|$(LIBEXECDIR)/|g'

install: all ## install below $(DESTDIR)$(PREFIX); configuration in $(DESTDIR)/etc/s2sd is never overwritten
	$(call say,INST,$(DESTDIR)$(PREFIX) $(DESTDIR)$(UNITDIR) $(DESTDIR)$(SYSCONFDIR)/s2sd)
	$(Q)install -D -m755 $(B)/s2sd $(DESTDIR)$(SBINDIR)/s2sd
	$(Q)install -D -m755 $(B)/s2sctl $(DESTDIR)$(BINDIR)/s2sctl
	$(Q)install -D -m755 -t $(DESTDIR)$(LIBEXECDIR) $(B)/s2sd-signer $(B)/s2sd-fetcher
	$(Q)install -d $(DESTDIR)$(UNITDIR)
	$(Q)for u in $(units); do $(path_edit) $$u > $(DESTDIR)$(UNITDIR)/$${u##*/} && chmod 644 $(DESTDIR)$(UNITDIR)/$${u##*/} || exit 1; done
	$(Q)install -D -m644 systemd/s2sd.sysusers $(DESTDIR)$(SYSUSERSDIR)/s2sd.conf
	$(Q)install -D -m644 systemd/s2sd.tmpfiles $(DESTDIR)$(TMPFILESDIR)/s2sd.conf
	$(Q)for f in $(CONF_FILES); do install -D -m644 conf/$$f $(DESTDIR)$(DATADIR)/doc/s2sd/examples/$$f || exit 1; done
	$(Q)install -D -m644 -t $(DESTDIR)$(DATADIR)/doc/s2sd/examples/s2sd-fetcher.service.d systemd/s2sd-fetcher.service.d/*.example
	$(Q)for f in $(CONF_FILES); do d=$(DESTDIR)$(SYSCONFDIR)/s2sd/$$f; [ -e $$d ] || install -D -m644 conf/$$f $$d || exit 1; done
	$(Q)for m in $(MANUALS); do install -D -m644 $$m $(DESTDIR)$(MANDIR)/man$${m##*.}/$${m##*/} || exit 1; done
	$(Q)install -D -m644 -t $(DESTDIR)$(DATADIR)/s2sd/varlink docs/varlink/*.varlink

uninstall: ## remove what install put there; configuration and state stay
	$(Q)rm -f $(DESTDIR)$(SBINDIR)/s2sd $(DESTDIR)$(BINDIR)/s2sctl $(DESTDIR)$(SYSUSERSDIR)/s2sd.conf $(DESTDIR)$(TMPFILESDIR)/s2sd.conf
	$(Q)rm -rf $(DESTDIR)$(LIBEXECDIR) $(DESTDIR)$(DATADIR)/doc/s2sd $(DESTDIR)$(DATADIR)/s2sd
	$(Q)for u in $(units); do rm -f $(DESTDIR)$(UNITDIR)/$${u##*/}; done
	$(Q)for m in $(MANUALS); do rm -f $(DESTDIR)$(MANDIR)/man$${m##*.}/$${m##*/}; done

dist: ## s2sd-VERSION.tar.xz of the committed files
	git archive --format=tar --prefix=s2sd-$(VERSION)/ HEAD | xz -9e > s2sd-$(VERSION).tar.xz

# The tree as it stands, changes included, and packaging/debian where the tools look for it. Distributions bring their own
# debian folder, so ours stays out of their way. TAIL: more words for dpkg-buildpackage, such as TAIL=-d.
DEB := $(B)/deb
deb: ## Debian packages in build/deb (needs dpkg-dev and debhelper)
	$(Q)[ "$$(dpkg-parsechangelog -l packaging/debian/changelog -S Version | sed 's/-[^-]*$$//')" = $(VERSION) ] || \
	    { echo 'packaging/debian/changelog does not speak of $(VERSION)' >&2; exit 1; }
	$(Q)rm -rf $(DEB) && mkdir -p $(DEB)/s2sd-$(VERSION)
	$(Q)tar -c --exclude=./build --exclude=./.git --exclude=./compile_commands.json . | tar -x -C $(DEB)/s2sd-$(VERSION)
	$(Q)cp -r packaging/debian $(DEB)/s2sd-$(VERSION)/debian
	$(Q)cd $(DEB)/s2sd-$(VERSION) && env -u MAKEFLAGS -u MAKEOVERRIDES -u MFLAGS -u MAKELEVEL -u B -u SAN dpkg-buildpackage -us -uc -b $(TAIL)
	$(Q)ls -1 $(DEB)/*.deb

hooks: ## install the pre-commit hook
	install -m755 tools/git-hooks/pre-commit "$$(git rev-parse --git-path hooks)/pre-commit"
