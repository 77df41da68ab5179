/* SPDX-License-Identifier: Apache-2.0 */
#include "keys_interface.h"

#include "embed.h"

EMBED_TEXT(keys_interface, "docs/varlink/io.s2sd.keys.varlink");
