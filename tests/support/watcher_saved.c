/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/watcher_saved.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "base/xalloc.h"

char *watcher_saved_dir(void)
{
	const char *tmp = getenv("TMPDIR");
	char path[256];

	snprintf(path, sizeof(path), "%s/nigh-saved-XXXXXX", tmp ? tmp : "/tmp");
	CHECK(mkdtemp(path) != NULL);
	return xstrdup(path);
}

typedef void on_file_fn(const char *dir, const char *name, void *arg);

static void each_file(const char *dir, on_file_fn *fn, void *arg)
{
	DIR *d = opendir(dir);
	const struct dirent *entry;

	CHECK(d != NULL);
	while ((entry = readdir(d)) != NULL)
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			fn(dir, entry->d_name, arg);
	closedir(d);
}

static void path_of(const char *dir, const char *name, char out[512])
{
	snprintf(out, 512, "%s/%s", dir, name);
}

static void remove_file(const char *dir, const char *name, void *arg)
{
	char path[512];

	(void)arg;
	path_of(dir, name, path);
	if (unlink(path) != 0)
		rmdir(path);
}

void watcher_saved_remove_dir(char *dir)
{
	each_file(dir, remove_file, NULL);
	rmdir(dir);
	free(dir);
}

static void copy_file(const char *dir, const char *name, void *to)
{
	size_t len;
	uint8_t *data = watcher_saved_read(dir, name, &len);

	if (data)
		watcher_saved_write(to, name, data, len);
	free(data);
}

char *watcher_saved_copy_dir(const char *dir)
{
	char *copy = watcher_saved_dir();

	each_file(dir, copy_file, copy);
	return copy;
}

uint8_t *watcher_saved_read(const char *dir, const char *name, size_t *len)
{
	char path[512];
	struct stat st;
	uint8_t *data;
	FILE *f;

	path_of(dir, name, path);
	f = fopen(path, "rb");
	if (!f)
		return NULL;
	CHECK(fstat(fileno(f), &st) == 0);
	data = xmalloc((size_t)st.st_size + 1);
	*len = fread(data, 1, (size_t)st.st_size, f);
	fclose(f);
	return data;
}

void watcher_saved_write(const char *dir, const char *name, const void *data, size_t len)
{
	char path[512];
	FILE *f;

	path_of(dir, name, path);
	f = fopen(path, "wb");
	CHECK(f != NULL);
	CHECK(fwrite(data, 1, len, f) == len);
	CHECK(fclose(f) == 0);
}

bool watcher_saved_has(const char *dir, const char *name)
{
	char path[512];
	struct stat st;

	path_of(dir, name, path);
	return lstat(path, &st) == 0;
}

static void keep_newest(const char *dir, const char *name, void *arg)
{
	char *out = arg;

	(void)dir;
	if (strncmp(name, "journal-", 8) == 0 && !strchr(name, '.') && strcmp(name, out) > 0)
		snprintf(out, 64, "%.63s", name);
}

char *watcher_saved_journal(const char *dir, char out[64])
{
	out[0] = '\0';
	each_file(dir, keep_newest, out);
	return out;
}

const struct fact *watcher_saved_fact(const char *name, int64_t ttl, const char *address)
{
	struct bytes target = bytes_of(address);
	struct fact_endpoint endpoint = {
		.name = bytes_of(name),
		.type = bytes_of("A"),
		.ttl = ttl,
		.targets = &target,
		.target_count = 1,
	};
	struct fact_value value = {
		.kind = FACT_DNS_ENDPOINT,
		.namespace = bytes_of("test"),
		.name = bytes_of(name),
		.created = FACT_NO_TIME,
	};
	const struct fact *fact;

	value.dns_endpoint.endpoints = &endpoint;
	value.dns_endpoint.endpoint_count = 1;
	CHECK(fact_encode(&value, &fact, NULL) == ERR_OK);
	return fact;
}

static uint16_t find_cluster(const struct facts *facts, const char *name)
{
	for (uint16_t id = 0; id < facts_cluster_count(facts); id++)
		if (strcmp(facts_cluster_name(facts, id), name) == 0)
			return id;
	return UINT16_MAX;
}

int64_t watcher_saved_ttl(const struct facts *facts, const char *cluster, const char *name)
{
	uint16_t id = find_cluster(facts, cluster);
	struct arena *arena = arena_new();
	const struct fact *fact = NULL;
	struct fact_value value;
	int64_t ttl = -1;

	if (id != UINT16_MAX)
		fact = facts_find(facts, id, FACT_DNS_ENDPOINT, bytes_of("test"), bytes_of(name));
	if (fact && fact_decode(fact, arena, &value))
		ttl = value.dns_endpoint.endpoints[0].ttl;
	arena_free(arena);
	return ttl;
}
