/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/kube_folder.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[64];

void kube_folder_make(void)
{
	snprintf(folder, sizeof(folder), "/tmp/nigh-kube-XXXXXX");
	assert_non_null(mkdtemp(folder));
}

const char *kube_folder(void) { return folder; }

char *kube_folder_path(const char *name)
{
	static char path[4][sizeof(folder) + 256];
	static unsigned turn;
	char *out = path[turn++ % 4];

	snprintf(out, sizeof(path[0]), "%s/%.250s", folder, name);
	return out;
}

void kube_folder_put(const char *name, const char *text)
{
	FILE *f = fopen(kube_folder_path(name), "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

void kube_folder_remove(void)
{
	DIR *d = opendir(folder);
	struct dirent *entry;

	assert_non_null(d);
	while ((entry = readdir(d)) != NULL)
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			unlink(kube_folder_path(entry->d_name));
	closedir(d);
	rmdir(folder);
}
