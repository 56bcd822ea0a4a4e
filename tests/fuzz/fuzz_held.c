/* fuzz_held.c -- any bytes as what the guard held when the process ended: a name, or a zone. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "records/build.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void forget(struct bytes owner, struct bytes value, void *arg)
{
	(void)value;
	(void)arg;
	CHECK(owner.len > 0);
}

/* The first byte says how long the key is. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes zone = {(const uint8_t *)"example.com", 11}, owner, value;
	struct records_settings settings = {
		.default_ttl = 30, .guard_max_percent = 20, .zones = &zone, .zone_count = 1};
	struct records_times now = {5000, 1000000};
	struct records *r = records_new(&settings);
	struct facts *f = facts_new();

	if (size > 0 && data[0] < size) {
		owner = (struct bytes){data + 1, data[0]};
		value = (struct bytes){data + 1 + owner.len, size - 1 - owner.len};
		(void)records_restore_held(r, f, &now, owner, value);
	}
	while (records_build(r, f, 5000)->more)
		;
	records_take_held(r, f, &now, forget, NULL);
	if (records_release(r, "example.com") == ERR_OK)
		(void)records_build(r, f, 6000);
	records_take_held(r, f, &now, forget, NULL);
	records_free(r);
	facts_free(f);
	return 0;
}
