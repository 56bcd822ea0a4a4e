/* fuzz_import.c -- any bytes as the lines of an import: refused with a line, or words that are found again. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/check.h"
#include "watcher/import.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct addr addr = {.family = ADDR_IPV4, .bytes = {192, 0, 2, 1}};
	struct import_words *w;
	struct reason why = {""};
	const struct import_word *word;

	if (import_parse((struct bytes){data, size}, &w, &why) != ERR_OK) {
		CHECK(atoi(why.text) > 0);
		return 0;
	}
	CHECK(import_count(w) <= size);
	word = import_find(w, &addr, 443, bytes_of("la"));
	if (word)
		CHECK(word->line > 0 &&
		      (word->addr.family == ADDR_NONE || addr_equal(&word->addr, &addr)));
	import_free(w);
	return 0;
}
