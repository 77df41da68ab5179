/* SPDX-License-Identifier: Apache-2.0 */
/* The interface files that the workers serve. */
#pragma once

extern const char interface_mint[];     /* docs/varlink/io.s2sd.mint.varlink */
extern const char interface_validate[]; /* docs/varlink/io.s2sd.validate.varlink */
