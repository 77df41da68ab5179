/* SPDX-License-Identifier: Apache-2.0 */
/* A file of the source tree as a text in the program, byte for byte, so that what is served is what
 * stands in docs/. EMBED_TEXT(name, "path from the top of the tree") defines `const char name[]`,
 * ended by a NUL. The Makefile tells make that the object depends on the file. */
#pragma once

#define EMBED_TEXT(name, path)                                                                     \
    __asm__(".pushsection .rodata\n"                                                               \
            ".global " #name "\n"                                                                  \
            ".type " #name ", @object\n" #name ":\n"                                               \
            ".incbin \"" path "\"\n"                                                               \
            ".byte 0\n"                                                                            \
            ".size " #name ", . - " #name "\n"                                                     \
            ".popsection\n");                                                                      \
    extern const char name[]
