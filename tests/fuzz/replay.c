/* SPDX-License-Identifier: Apache-2.0 */
/* Feeds files to a fuzz target with an ordinary compiler, so that every corpus is replayed in each
 * check. Each file is also fed cut at every eighth byte: truncation is the commonest damage. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#define REPLAY_MAX (2 * 1024 * 1024)

static int replay_file(const char *path, uint8_t *room)
{
    FILE *f = fopen(path, "rb");
    if (!f) {
        perror(path);
        return 1;
    }
    size_t n = fread(room, 1, REPLAY_MAX, f);
    fclose(f);
    for (size_t cut = 0; cut < n && n <= 8192; cut += 8) {
        /* an exact copy on the heap lets the sanitizer see a read past the end */
        uint8_t *copy = malloc(cut ? cut : 1);
        if (!copy)
            return 1;
        for (size_t i = 0; i < cut; i++)
            copy[i] = room[i];
        LLVMFuzzerTestOneInput(copy, cut);
        free(copy);
    }
    LLVMFuzzerTestOneInput(room, n);
    return 0;
}

int main(int argc, char **argv)
{
    uint8_t *room = malloc(REPLAY_MAX);
    int failures = room ? 0 : 1;
    for (int i = 1; i < argc && room; i++)
        failures += replay_file(argv[i], room);
    free(room);
    printf("%d files replayed, %d unreadable\n", argc - 1, failures);
    return failures != 0 || argc < 2;
}
