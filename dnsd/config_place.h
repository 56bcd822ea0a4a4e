/* config_place.h -- where in the config a file is named that cannot be used.
 *
 * Any thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DNSD_CONFIG_PLACE_H
#define DNSD_CONFIG_PLACE_H

#include <stdbool.h>

#include "base/err.h"
#include "dnsd/config.h"

/* Does the text begin with FILE:LINE?  `file` NULL: it does not. */
bool config_place_is_in(const char *text, const char *file);
/* Puts "CONFIG:LINE: KEY: " before what is wrong with a file, unless that begins with a line of the file itself; without a config
 * file, and with `line` 0 (a flag's), the key alone. */
void config_place_add(const struct config *c, unsigned line, const char *key, const char *file,
                      struct reason *why);

#endif
