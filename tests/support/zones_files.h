/* zones_files.h -- zone files of tests, in a temporary folder of their own. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_ZONES_FILES_H
#define TESTS_ZONES_FILES_H

#include "zones/build.h"
#include "zones/zonefile.h"

#define ZFILES_HEAD "@ 300 SOA ns1 host 7 3600 900 604800 60\n@ 300 NS ns1\n"

struct zfiles {
	char folder[64];
	char path[96];            /* of the zone file, FOLDER/zone */
	struct zonefile *current; /* in force in the zones of zfiles_load() */
};

/* Of cmocka: *state is a struct zfiles. */
int zfiles_setup(void **state);
int zfiles_teardown(void **state);
void zfiles_write(const struct zfiles *f, const char *name, const char *text);

/* Reads FOLDER/zone as example.com; the caller frees. */
struct zonefile *zfiles_read(const struct zfiles *f, const struct zones *z);
/* Reads it and, when it is good, puts it in force; the problems go with the next. */
bool zfiles_load(struct zfiles *f, struct zones *z);
/* A zone example.com with a file and without name servers in the config. */
void zfiles_set_zone(struct zones *z);

#endif
