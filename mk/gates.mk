# SPDX-License-Identifier: Apache-2.0
# Gates: cheap facts about the tree that must hold before a commit.
SOURCES = $(shell git ls-files -co --exclude-standard '*.c' '*.h')

.PHONY: floors shape format format-check tidy analyze docs-check reuse compile_commands.json valgrind coverage tags
floors: ## a folder uses only the floors below it, each library only where it may
	$(Q)tools/floors
shape: ## sizes, branches, parameters, width, banned functions
	$(Q)tools/shape $(SOURCES)
format: ## clang-format all sources in place
	$(Q)clang-format -i $(filter-out common/base/reason_table.h,$(SOURCES))
format-check: ## fail when a source is not formatted
	$(Q)clang-format --dry-run -Werror $(filter-out common/base/reason_table.h,$(SOURCES))
docs-check: manuals ## lint the manual pages
	$(Q)tools/docs-check $(MANUALS)
reuse: ## every file says its licence (needs reuse 3 or later)
	$(Q)reuse lint --quiet || reuse lint
tidy: compile_commands.json ## clang-tidy
	$(Q)clang-tidy --quiet -p . $(filter common/%.c daemon/%.c client/%.c,$(SOURCES))
analyze: ## gcc -fanalyzer over common and daemon
	$(Q)$(MAKE) B=build/analyze CFLAGS='-O1 -fanalyzer -Wno-analyzer-malloc-leak' WERROR=1 programs
compile_commands.json: ## for editors and clang-tidy
	$(Q)tools/compile-commands > $@
valgrind: $(UNIT) ## unit tests under valgrind
	$(Q)CK_FORK=no tools/tally --wrap 'valgrind -q --error-exitcode=9 --leak-check=full' $(UNIT)
coverage: ## line and branch coverage of unit, replay and corpora
	$(Q)tools/coverage
tags:
	$(Q)ctags -R common daemon client
