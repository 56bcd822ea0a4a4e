/* fuzz_latency.c -- any bytes as a latency table: refused with a line, or rows in order, each once. */
/* SPDX-License-Identifier: Apache-2.0 */

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "geo/latency.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_row(const struct latency_table *t, size_t at)
{
	const struct latency_row *row = &t->rows[at], *last = at > 0 ? row - 1 : NULL;
	const char *name = latency_cluster(t, row);
	int order = last != NULL ? addr_network_compare(&last->network, &row->network) : -1;

	CHECK(order < 0 || (order == 0 && strcmp(latency_cluster(t, last), name) < 0));
	CHECK(row->ms >= 0 && row->ms <= LATENCY_MAX_MS);
	CHECK(row->line > 0 && strlen(name) > 0 && strlen(name) <= LATENCY_MAX_NAME);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct text faults = {0};
	struct reason why = {{0}};
	struct latency_table t;
	bool is_good = latency_parse((struct bytes){data, size}, &t, &why) == ERR_OK;

	if (!is_good) {
		CHECK(t.rows == NULL && t.count == 0);
		CHECK(strtoul(why.text, NULL, 10) > 0);
	}
	for (size_t i = 0; i < t.count; i++)
		check_row(&t, i);
	(void)latency_faults((struct bytes){data, size}, 3, &faults);
	CHECK((faults.len == 0) == is_good);
	text_fini(&faults);
	latency_fini(&t);
	return 0;
}
