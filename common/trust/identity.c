/* SPDX-License-Identifier: Apache-2.0 */
#include "identity.h"

bool identity_has_host(const struct identity *id, struct span host)
{
    for (size_t i = 0; i < id->n_hosts; i++)
        if (span_eq_nocase(span_of(id->hosts[i]), host))
            return true;
    return false;
}
