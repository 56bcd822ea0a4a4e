/* fuzz_config.c -- any bytes as nighd's config: refused, or read back from its own print. */
/* SPDX-License-Identifier: Apache-2.0 */

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/check.h"
#include "dnsd/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* config_read() wants a file: one in memory.  NULL: refused, and then it said why. */
static struct config *read_bytes(const void *data, size_t size)
{
	int fd = memfd_create("config", MFD_CLOEXEC);
	struct text errors = {0};
	struct config *c;
	char path[32];

	CHECK(fd >= 0);
	CHECK(write(fd, data, size) == (ssize_t)size);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	c = config_read(path, &errors);
	CHECK((c == NULL) == (errors.len > 0));
	text_fini(&errors);
	close(fd);
	return c;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct config *c = read_bytes(data, size), *again;
	struct text first = {0}, second = {0}, errors = {0};

	if (!c)
		return 0;
	(void)config_check(c, &errors);
	config_print(c, &first);
	again = read_bytes(first.data, first.len);
	CHECK(again != NULL);
	config_print(again, &second);
	CHECK(strcmp(first.data, second.data) == 0);
	text_fini(&first);
	text_fini(&second);
	text_fini(&errors);
	config_free(again);
	config_free(c);
	return 0;
}
