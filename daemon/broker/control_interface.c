/* SPDX-License-Identifier: Apache-2.0 */
#include "control_interface.h"

#include "embed.h"

EMBED_TEXT(control_interface, "docs/varlink/io.s2sd.control.varlink");
