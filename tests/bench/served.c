/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/served.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/world_inside.h"

#define METRIC "apiserver_request_total{"

enum { PATIENCE_MS = 120000 };

/* The value of a label of the line, or "". */
static void label(const char *line, const char *name, char out[64])
{
	const char *end = strchr(line, '\n'), *at;
	char key[32];

	snprintf(key, sizeof(key), "%s=\"", name);
	at = strstr(line, key);
	out[0] = '\0';
	/* "resource" is the end of "subresource", too. */
	while (at && at[-1] != '{' && at[-1] != ',')
		at = strstr(at + 1, key);
	if (!at || (end && at > end))
		return;
	at += strlen(key);
	snprintf(out, 64, "%.*s", (int)strcspn(at, "\""), at);
}

static struct served_row *find(struct served *s, const char *what)
{
	for (size_t i = 0; i < s->count; i++)
		if (strcmp(s->row[i].what, what) == 0)
			return &s->row[i];
	return NULL;
}

static void add(struct served *s, const char *what, bool is_write, uint64_t count)
{
	struct served_row *row = find(s, what);

	if (!row) {
		if (s->count == SERVED_MOST) {
			fprintf(stderr, "bench: too many kinds of requests\n");
			exit(1);
		}
		row = &s->row[s->count++];
		*row = (struct served_row){.is_write = is_write};
		snprintf(row->what, sizeof(row->what), "%s", what);
	}
	row->count += count;
}

static void add_line(struct served *s, const char *line)
{
	char verb[64], resource[64], subresource[64], code[64], what[96];
	const char *value = strstr(line, "} ");
	bool reads;

	label(line, "verb", verb);
	label(line, "resource", resource);
	label(line, "subresource", subresource);
	label(line, "code", code);
	if (!value || resource[0] == '\0')
		return;
	reads = strcmp(verb, "GET") == 0 || strcmp(verb, "LIST") == 0 || strcmp(verb, "WATCH") == 0;
	snprintf(what, sizeof(what), "%.20s %.30s%s%.20s%s%.4s", verb, resource,
	         subresource[0] ? "/" : "", subresource, code[0] == '2' ? "" : " ",
	         code[0] == '2' ? "" : code);
	add(s, what, !reads, (uint64_t)atof(value + 2));
}

void served_add(struct served *s, struct cluster *c)
{
	struct deadline deadline = inside_deadline(PATIENCE_MS);

	while (cluster_send(c, "GET", "/metrics", NULL, NULL) != 200)
		if (!inside_has_time(deadline))
			cluster_fail(c, "does not tell its metrics");
	for (const char *at = cluster_body(c); (at = strstr(at, "\n" METRIC)) != NULL; at++)
		add_line(s, at + 1);
}

void served_since(struct served *s, const struct served *before)
{
	for (size_t i = 0; i < before->count; i++) {
		struct served_row *row = find(s, before->row[i].what);

		if (row)
			row->count -= before->row[i].count;
	}
}

uint64_t served_writes(const struct served *s, const char *what)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < s->count; i++)
		if (s->row[i].is_write && strncmp(s->row[i].what, what, strlen(what)) == 0)
			sum += s->row[i].count;
	return sum;
}

void served_print(const struct served *s, bool writes)
{
	bool any = false;

	for (size_t i = 0; i < s->count; i++) {
		const struct served_row *row = &s->row[i];

		if (row->count == 0 || row->is_write != writes)
			continue;
		printf("%s%llu %s", any ? ", " : "", (unsigned long long)row->count, row->what);
		any = true;
	}
	printf("%s\n", any ? "" : "none");
}
