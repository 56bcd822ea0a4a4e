/* fuzz_zonefile.c -- bytes as the zone file of example.com: errors with lines, or a zone that can be served. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/check.h"
#include "base/text.h"
#include "zones/build.h"
#include "zones/zonefile.h"

static const uint8_t apex[] = "\7example\3com";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
const char *__lsan_default_suppressions(void);

/* As in fuzz_rdata.c. */
const char *__lsan_default_suppressions(void) { return "leak:libldns\n"; }

static struct zonefile *read_bytes(const uint8_t *data, size_t size, const struct zones *z,
                                   const struct zonefile *before)
{
	struct zonefile_request request = {
		.apex = {apex, sizeof(apex)},
		.ttl = 30,
		.has_nameservers = true,
		.key = zones_key(z),
		.before = before,
	};
	struct zonefile *file;
	char path[32];
	int fd = memfd_create("zone", MFD_CLOEXEC);

	CHECK(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	request.path = path;
	file = zonefile_read(&request);
	close(fd);
	return file;
}

static void check(const struct zonefile *file)
{
	const char *errors = zonefile_errors(file);

	CHECK(zonefile_is_good(file) == (errors == NULL));
	for (; errors && *errors; errors += strcspn(errors, "\n") + 1)
		CHECK(strncmp(errors, "/proc/self/fd/", 14) == 0 && strchr(errors, '\n'));
}

/* The zone, then its first half: by difference, and without what has gone. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct zones *z = zones_new();
	struct zones_zone zone = {.apex = {apex, sizeof(apex)}, .ttl = 30, .has_file = true};
	struct zonefile *whole, *half;
	struct text printed = {NULL, 0, 0};

	zones_set_zones(z, &zone, 1);
	whole = read_bytes(data, size, z, NULL);
	check(whole);
	if (zonefile_is_good(whole))
		zones_set_file(z, zone.apex, whole);
	snapshot_print(zones_build(z, 1), &printed);
	half = read_bytes(data, size / 2, z, zonefile_is_good(whole) ? whole : NULL);
	check(half);
	if (zonefile_is_good(half))
		zones_set_file(z, zone.apex, half);
	snapshot_print(zones_build(z, 1), &printed);
	text_fini(&printed);
	zones_free(z);
	zonefile_free(whole);
	zonefile_free(half);
	return 0;
}
