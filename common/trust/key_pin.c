/* SPDX-License-Identifier: Apache-2.0 */
#include "key_pin.h"

#include "b64.h"

#include <stdio.h>

static const struct span spki_head = SPAN("sha256//");

/* `hex` has exactly two digits for each byte. */
static bool is_hex_of(const char *hex, const uint8_t *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        char byte[3];
        snprintf(byte, sizeof(byte), "%02X", bytes[i]);
        if (memcmp(hex + 2 * i, byte, 2) != 0)
            return false;
    }
    return true;
}

bool key_pin_is(const char *pin, const uint8_t x5t[X5T_LEN], const uint8_t x5t_s256[X5T_S256_LEN],
    const struct pubkey *key)
{
    struct span text = span_of(pin);
    uint8_t pinned[X5T_S256_LEN + 1], spki[X5T_S256_LEN];
    if (span_starts(text, spki_head))
        return b64_decode(span_skip(text, spki_head.n), pinned, sizeof(pinned)) == X5T_S256_LEN &&
               pubkey_spki_sha256(key, spki) && memcmp(pinned, spki, X5T_S256_LEN) == 0;
    if (text.n == (size_t)2 * X5T_LEN)
        return is_hex_of(pin, x5t, X5T_LEN);
    return text.n == (size_t)2 * X5T_S256_LEN && is_hex_of(pin, x5t_s256, X5T_S256_LEN);
}

bool key_pin_in(const struct names *pins, const uint8_t x5t[X5T_LEN],
    const uint8_t x5t_s256[X5T_S256_LEN], const struct pubkey *key)
{
    for (size_t i = 0; i < pins->n; i++)
        if (key_pin_is(pins->list[i], x5t, x5t_s256, key))
            return true;
    return false;
}
