/* SPDX-License-Identifier: Apache-2.0 */
/* A worker process: validator (judges strangers' tokens, no way to the signer) or minter (asks the
 * signer, never parses a token). Started by the broker as `s2sd --worker=KIND --index=I --of=N`. */
#pragma once

/* Runs until the broker's link ends. `kind`: "validator" or "minter"; `index` below `of`: which
 * page of the counters is ours; `config_dir` NULL: the standard folders. Descriptors by name:
 * "broker", "counters", "config" (the settings in force; without it the files are read), and
 * "validate" + "validate-varlink" or "mint" + "mint-varlink". fds_open and log_open have been
 * called. Returns the exit status: 0, 78 for a configuration with mistakes, 1 for what could not be
 * started. */
int worker_main(const char *kind, unsigned index, unsigned of, const char *config_dir);
