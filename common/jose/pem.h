/* SPDX-License-Identifier: Apache-2.0 */
/* PEM as RFC 7468 has it, without headers inside a block (so nothing encrypted). For the files of
 * this folder. */
#pragma once

#include "attr.h"
#include "span.h"

#include <stdint.h>

enum pem_step { PEM_BLOCK, PEM_END, PEM_BROKEN };

/* Finds the next block of *text and moves *text behind it; text outside of blocks is skipped.
 * PEM_BLOCK: the label ("CERTIFICATE") and what stands between the two lines. PEM_BROKEN: a block
 * that does not end. */
enum pem_step pem_next(struct span *text, struct span *ret_label, struct span *ret_body)
    WARN_UNUSED;

/* Decodes a body; `out` must hold body.n bytes (it is also used as scratch). Returns the number of
 * bytes, or -1 when anything else than base64 and line ends is in it, or nothing at all. */
long pem_decode(struct span body, uint8_t *out) WARN_UNUSED;
