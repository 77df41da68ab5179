/* SPDX-License-Identifier: Apache-2.0 */
/* Everything asked of a modulus is a question about its residues modulo the odd primes below 2^10.
 * They are taken for many primes at once, modulo products of primes that fit one machine word. */
#include "keypolicy.h"

#include <stdint.h>

#define PRIME_BOUND 1024
#define PRIME_COUNT 171 /* odd primes below PRIME_BOUND */
#define GROUP_MAX 24    /* that many are needed; table_make never makes more from these primes */

/* The weak generator of CVE-2017-15361 made primes of the form k * M + (65537^a mod M), where M is
 * a product of the first primes, at least those up to 167: so modulo each of these the modulus is a
 * power of 65537. */
#define ROCA_GENERATOR 65537
#define ROCA_LAST_PRIME 167

/* Primes first[g] .. first[g + 1] - 1 and their product. */
static struct {
    unsigned n_groups;
    uint16_t prime[PRIME_COUNT];
    unsigned first[GROUP_MAX + 1];
    uint64_t product[GROUP_MAX];
} table;

static void table_list_primes(void)
{
    unsigned count = 0;
    for (unsigned candidate = 3; candidate < PRIME_BOUND; candidate += 2) {
        unsigned i = 0;
        while (i < count && candidate % table.prime[i])
            i++;
        if (i == count)
            table.prime[count++] = (uint16_t)candidate;
    }
}

static void table_make(void)
{
    table_list_primes();
    unsigned g = 0;
    table.product[0] = 1;
    for (unsigned i = 0; i < PRIME_COUNT; i++) {
        if (table.product[g] > UINT64_MAX / table.prime[i]) {
            table.first[++g] = i;
            table.product[g] = 1;
        }
        table.product[g] *= table.prime[i];
    }
    table.first[g + 1] = PRIME_COUNT;
    table.n_groups = g + 1;
}

static uint64_t residue(const uint8_t *n, size_t len, uint64_t modulus)
{
    uint64_t r = 0;
    size_t head = len % sizeof(uint64_t);
    for (size_t i = 0; i < head; i++)
        r = r << 8 | n[i];
    for (size_t i = head; i < len; i += sizeof(uint64_t)) {
        uint64_t word;
        __builtin_memcpy(&word, n + i, sizeof(word));
        if (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__)
            word = __builtin_bswap64(word);
        r = (uint64_t)(((unsigned __int128)r << 64 | word) % modulus);
    }
    return r;
}

static void small_residues(struct span n, uint16_t ret[PRIME_COUNT])
{
    if (!table.n_groups)
        table_make();
    for (unsigned g = 0; g < table.n_groups; g++) {
        uint64_t r = residue((const uint8_t *)n.p, n.n, table.product[g]);
        for (unsigned i = table.first[g]; i < table.first[g + 1]; i++)
            ret[i] = (uint16_t)(r % table.prime[i]);
    }
}

static bool has_small_factor(const uint16_t r[PRIME_COUNT])
{
    for (unsigned i = 0; i < PRIME_COUNT; i++)
        if (r[i] == 0)
            return true;
    return false;
}

static bool is_power_of_generator(unsigned r, unsigned prime)
{
    unsigned x = 1;
    do {
        if (x == r)
            return true;
        x = x * (ROCA_GENERATOR % prime) % prime;
    } while (x != 1);
    return false;
}

/* A weak modulus passes always, an honest one with a chance of 2^-27.8. */
static bool is_roca(const uint16_t r[PRIME_COUNT])
{
    for (unsigned i = 0; table.prime[i] <= ROCA_LAST_PRIME; i++)
        if (!is_power_of_generator(r[i], table.prime[i]))
            return false;
    return true;
}

/* Euler's criterion: r^((prime-1)/2) is 1 for squares. */
static bool is_square_modulo(unsigned r, unsigned prime)
{
    unsigned x = 1;
    for (unsigned e = (prime - 1) / 2; e; e >>= 1) {
        if (e & 1)
            x = x * r % prime;
        r = r * r % prime;
    }
    return x == 1;
}

/* p * p is a square modulo every prime; a product of two different primes is with a chance of
 * 2^-171. */
static bool is_square(const uint16_t r[PRIME_COUNT])
{
    for (unsigned i = 0; i < PRIME_COUNT; i++)
        if (!is_square_modulo(r[i], table.prime[i]))
            return false;
    return true;
}

static enum reason check_exponent(struct span e)
{
    if (e.n == 0 || e.p[0] == 0)
        return REASON_KEY_FORM;
    if (e.n > RSA_E_BYTES_MAX)
        return REASON_KEY_WEAK;
    uint32_t v = 0;
    for (size_t i = 0; i < e.n; i++)
        v = v << 8 | (uint8_t)e.p[i];
    return v >= 65537 && v & 1 ? REASON_OK : REASON_KEY_WEAK;
}

enum reason keypolicy_check_rsa(struct span n, struct span e)
{
    if (n.n == 0 || n.p[0] == 0)
        return REASON_KEY_FORM;
    /* Without leading zero bytes, a top bit that is clear means "not a multiple of 8". */
    if (n.n < RSA_BYTES_MIN || n.n > RSA_BYTES_MAX || !(n.p[0] & 0x80))
        return REASON_KEY_SIZE;
    enum reason r = check_exponent(e);
    if (r != REASON_OK)
        return r;
    uint16_t residues[PRIME_COUNT] = {0}; /* a residue that were forgotten would refuse the key */
    small_residues(n, residues);
    bool weak = !(n.p[n.n - 1] & 1) || has_small_factor(residues) || is_roca(residues) ||
                is_square(residues);
    return weak ? REASON_KEY_WEAK : REASON_OK;
}
