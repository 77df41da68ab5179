/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration in force as sealed memory, for a worker that starts while the files on disk say
 * something that was not reloaded (or not even finished): it takes what all others have. */
#pragma once

#include "settings.h"

/* Everything that `s` was made of, as a sealed memory file: descriptor or -errno. */
int config_snapshot_make(const struct settings *s) WARN_UNUSED;
/* Settings with the same digest out of it. False: `errors` says why; *ret is untouched. */
bool config_snapshot_read(int fd, struct conf_errors *errors, struct settings **ret) WARN_UNUSED;
