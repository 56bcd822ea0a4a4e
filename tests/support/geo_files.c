/* geo_files.c -- mkstemp and what goes with it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/geo_files.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/check.h"
#include "base/xalloc.h"

char *geo_file_new(struct bytes content)
{
	const char *folder = getenv("TMPDIR");
	char path[4096];
	int fd;

	snprintf(path, sizeof(path), "%s/nigh-geo-XXXXXX", folder != NULL ? folder : "/tmp");
	fd = mkstemp(path);
	CHECK(fd >= 0);
	close(fd);
	geo_file_rewrite(path, content);
	return xstrdup(path);
}

void geo_file_rewrite(const char *path, struct bytes content)
{
	FILE *f = fopen(path, "wb");

	CHECK(f != NULL);
	CHECK(content.len == 0 || fwrite(content.data, 1, content.len, f) == content.len);
	CHECK(fclose(f) == 0);
}

void geo_file_remove(char *take_path)
{
	unlink(take_path);
	free(take_path);
}
