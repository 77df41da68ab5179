/* SPDX-License-Identifier: Apache-2.0 */
/* docs/varlink/io.s2sd.keys.varlink as a NUL-terminated string: what people read is what the socket
 * answers with. */
#pragma once

extern const char keys_interface[];
