/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/zones_files.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/xalloc.h"
#include "tests/support/zones_world.h"

int zfiles_setup(void **state)
{
	struct zfiles *f = xcalloc(1, sizeof(*f));

	snprintf(f->folder, sizeof(f->folder), "/tmp/nigh-zones-XXXXXX");
	CHECK(mkdtemp(f->folder));
	snprintf(f->path, sizeof(f->path), "%s/zone", f->folder);
	*state = f;
	return 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

int zfiles_teardown(void **state)
{
	struct zfiles *f = *state;

	nftw(f->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	zonefile_free(f->current);
	free(f);
	return 0;
}

void zfiles_write(const struct zfiles *f, const char *name, const char *text)
{
	char path[256];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", f->folder, name);
	file = fopen(path, "w");
	CHECK(file && fputs(text, file) >= 0 && fclose(file) == 0);
}

static struct zonefile *read_it(const struct zfiles *f, struct name_key key,
                                const struct zonefile *before)
{
	struct zonefile_request request = {
		.path = f->path,
		.apex = zworld_wire("example.com"),
		.ttl = 30,
		.key = key,
		.before = before,
	};

	return zonefile_read(&request);
}

struct zonefile *zfiles_read(const struct zfiles *f, const struct zones *z)
{
	struct name_key key = {{1, 2, 3, 4}};

	return read_it(f, z ? zones_key(z) : key, NULL);
}

bool zfiles_load(struct zfiles *f, struct zones *z)
{
	struct zonefile *fresh = read_it(f, zones_key(z), f->current);

	if (!zonefile_is_good(fresh)) {
		zonefile_free(fresh);
		return false;
	}
	CHECK(zones_set_file(z, zworld_wire("example.com"), fresh));
	zonefile_drop_images(fresh);
	zonefile_free(f->current);
	f->current = fresh;
	return true;
}

void zfiles_set_zone(struct zones *z)
{
	struct zones_zone zone = {.apex = zworld_wire("example.com"),
	                          .ttl = 30,
	                          .negative_ttl = 20,
	                          .has_file = true};

	zones_set_zones(z, &zone, 1);
}
