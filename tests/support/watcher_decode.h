/* watcher_decode.h -- objects as YAML, and the texts that are decoded from them.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_SUPPORT_WATCHER_DECODE_H
#define TESTS_SUPPORT_WATCHER_DECODE_H

#include <stddef.h>

#include "base/bytes.h"

struct json_object;

/* The only document of the text; the caller's. */
struct json_object *watcher_read_yaml(const char *text);

/* Fails the test if it is not that text, or not those, joined by spaces. */
void watcher_expect_text(struct bytes have, const char *want);
void watcher_expect_texts(const struct bytes *have, size_t count, const char *want);

#endif
