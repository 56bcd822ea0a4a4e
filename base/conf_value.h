/* conf_value.h -- the settings' values as text: for conf.c and conf_print.c alone. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_CONF_VALUE_H
#define BASE_CONF_VALUE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/conf.h"

enum { CONF_VALUE_TEXT_SIZE = 24 };

/* "7", or milliseconds as "500ms", "10s", "5m", "2h", "0".  Returns out. */
char *conf_value_print_u64(bool is_duration, uint64_t v, char out[CONF_VALUE_TEXT_SIZE]);

/* The index of `word` in "a|b|c", or -1. */
int conf_value_find_word(const char *words, struct bytes word);

#endif
