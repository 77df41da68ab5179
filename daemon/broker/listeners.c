/* SPDX-License-Identifier: Apache-2.0 */
#include "listeners.h"

#include "cleanup.h"
#include "fds.h"

struct listeners listeners_take(void)
{
    return (struct listeners){.https = fds_take("https"),
        .http = fds_take("http"),
        .control = fds_take("control"),
        .validate = fds_take("validate"),
        .validate_varlink = fds_take("validate-varlink"),
        .mint = fds_take("mint"),
        .mint_varlink = fds_take("mint-varlink")};
}

bool listeners_any(const struct listeners *d)
{
    return d->https >= 0 || d->http >= 0 || d->control >= 0 || d->validate >= 0 ||
           d->validate_varlink >= 0 || d->mint >= 0 || d->mint_varlink >= 0;
}

void listeners_close(struct listeners *d)
{
    closep(&d->https);
    closep(&d->http);
    closep(&d->control);
    closep(&d->validate);
    closep(&d->validate_varlink);
    closep(&d->mint);
    closep(&d->mint_varlink);
}
