/* SPDX-License-Identifier: Apache-2.0 */
#include "interfaces.h"

#include "embed.h"

EMBED_TEXT(interface_mint, "docs/varlink/io.s2sd.mint.varlink");
EMBED_TEXT(interface_validate, "docs/varlink/io.s2sd.validate.varlink");
