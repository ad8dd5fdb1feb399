/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hex.h - bytes as lower-case hexadecimal digits, and comparing secrets */
#ifndef VOL_HEX_H
#define VOL_HEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* 2 * n digits and NUL into text. */
void vol_hex_encode(const uint8_t *bytes, size_t n, char *text);

/* Exactly 2 * n lower-case digits: true and n bytes; else false, and bytes are
 * not touched.  text may be NULL. */
bool vol_hex_decode(const char *text, uint8_t *bytes, size_t n);

/* Equal?  The time that takes tells nothing of where they differ. */
bool vol_equal_secret(const uint8_t *a, const uint8_t *b, size_t n);

/* n bytes from getrandom(2): 0, or -1 with errno. */
int vol_random(uint8_t *bytes, size_t n);

#endif
