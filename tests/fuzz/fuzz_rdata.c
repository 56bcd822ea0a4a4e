/* fuzz_rdata.c -- text as RDATA of a type (two bytes, then the text), and as a zone's line (type 0). */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdint.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/xalloc.h"
#include "zones/rdata.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
const char *__lsan_default_suppressions(void);

/* ldns 1.8 loses a few bytes of its own on some bad texts (two on "CERT 0 5 506 s"); that our
 * side frees what it gets is seen in tests/unit/zones/test_rdata.c. */
const char *__lsan_default_suppressions(void) { return "leak:libldns\n"; }

/* What is printed must mean the same bytes. */
static void check_round_trip(uint16_t type, struct bytes wire)
{
	struct buffer again = {NULL, 0, 0};
	char *text = rdata_to_text(type, wire);

	CHECK(rdata_from_text(type, bytes_of(text), &again, NULL) == ERR_OK);
	CHECK(bytes_equal((struct bytes){again.data, again.len}, wire));
	free(text);
	buffer_fini(&again);
}

static void try_line(const uint8_t *data, size_t size)
{
	char *line = xstrndup((const char *)data, size);
	struct rdata_line out;

	if (rdata_parse_line(line, "example.com", &out, NULL) == ERR_OK) {
		struct buffer wire = {NULL, 0, 0};

		CHECK(rdata_from_text(rdata_type(bytes_of(out.type)), bytes_of(out.rdata), &wire,
		                      NULL) == ERR_OK);
		buffer_fini(&wire);
	}
	rdata_line_fini(&out);
	free(line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buffer wire = {NULL, 0, 0};
	struct reason why = {""};
	char name[16];
	uint16_t type;

	if (size < 2)
		return 0;
	type = bytes_get16(data);
	if (type == 0) {
		try_line(data + 2, size - 2);
		return 0;
	}
	if (rdata_type(bytes_of(rdata_type_text(type, name))) != type)
		return 0;
	if (rdata_from_text(type, (struct bytes){data + 2, size - 2}, &wire, &why) == ERR_OK)
		check_round_trip(type, (struct bytes){wire.data, wire.len});
	else
		CHECK(why.text[0] != '\0');
	buffer_fini(&wire);
	return 0;
}
