/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/e2e/support/story.h"

#include <json-c/json_object.h>
#include <stdio.h>
#include <string.h>

#include "tests/support/world_inside.h"

enum { SHOWN_MS = 2000, PATH_ROOM = 256 };

/* --- status --- */

static bool has(const char *text, const char *wanted)
{
	bool absent = *wanted == '!';

	return (strstr(text, wanted + absent) != NULL) != absent;
}

/* What /status says of a cluster, "" when it does not know it. */
static void status_of(struct story *s, const char *name, struct text *out)
{
	struct json_object *root = world_json(s->nighd, "/status"), *clusters = NULL, *value;

	text_reset(out);
	text_add(out, "");
	json_object_object_get_ex(root, "clusters", &clusters);
	for (size_t i = 0; clusters && i < json_object_array_length(clusters); i++) {
		struct json_object *c = json_object_array_get_idx(clusters, i);

		if (json_object_object_get_ex(c, "name", &value) &&
		    strcmp(json_object_get_string(value), name) == 0)
			text_add(out, json_object_to_json_string_ext(
					      c, JSON_C_TO_STRING_PLAIN |
							 JSON_C_TO_STRING_NOSLASHESCAPE));
	}
	json_object_put(root);
}

/* In /metrics it is 0 as long as the city is seen. */
static double age_of(struct story *s, enum site site)
{
	char sample[96];

	snprintf(sample, sizeof(sample), "watcher_cluster_age_seconds{cluster=\"%s\"}",
	         s->site[site].name);
	return world_metric(s->nighd, sample);
}

/* Of a city that it does not know /metrics has no sample. */
static bool is_told(struct story *s, enum site site)
{
	struct text status = {0};
	bool synced, known;
	double age;

	status_of(s, s->site[site].name, &status);
	known = status.len > 0;
	synced = has(status.data, "\"knowledge\":\"synced\"");
	age = age_of(s, site);
	text_fini(&status);
	return !known || (age == 0) == synced;
}

/* /status and /metrics say the same of each city. */
static void expect_told(struct story *s)
{
	struct deadline deadline = inside_deadline(SHOWN_MS);

	for (enum site i = 0; i < SITES; i++)
		while (!is_told(s, i)) {
			if (!inside_has_time(deadline))
				world_fail(s->nighd, "%s: /status and /metrics differ: age %g s",
				           s->site[i].name, age_of(s, i));
			inside_rest();
		}
}

/* --- answers --- */

static void expect_over_tcp(struct story *s, const char *client, const char *address)
{
	const char *over_tcp = world_ask_tcp(s->nighd, WEB, "A", client);

	if (strcmp(over_tcp, address) != 0)
		world_fail(s->nighd, WEB " for %s: %s over UDP, %s over TCP", client, address,
		           over_tcp);
}

/* The networks are known as /24; a scope of 0 says that everybody gets this answer (one city is left). */
static void expect_scope(struct story *s, const char *client, const char *address)
{
	static const char *const clients[SITES] = {BOSTON, AUSTIN, SAN_FRANCISCO};
	int scope = world_query(s->nighd, WEB, "A", client).scope;

	if (scope < 0 || scope > 24)
		world_fail(s->nighd, WEB " for %s: the scope is %d", client, scope);
	for (enum site i = 0; i < SITES && scope == 0; i++)
		world_expect(s->nighd, WEB, "A", clients[i], address, 0);
}

static void expect_explained(struct story *s, const char *client, const struct story_site *site)
{
	char path[PATH_ROOM], text[64];

	snprintf(path, sizeof(path), "/explain?name=" WEB "&type=A&client=%s", client);
	snprintf(text, sizeof(text), "\"site\":\"%s\"", site->name);
	world_expect_http(s->nighd, path, text, 0);
	snprintf(text, sizeof(text), " IN A %s", site->web);
	world_expect_http(s->nighd, path, text, 0);
}

void story_expect(struct story *s, const char *client, enum site site, unsigned within_ms)
{
	const struct story_site *at = &s->site[site];

	world_expect(s->nighd, WEB, "A", client, at->web, within_ms);
	expect_over_tcp(s, client, at->web);
	expect_scope(s, client, at->web);
	expect_explained(s, client, at);
	expect_told(s);
}

void story_expect_nothing_changes(struct story *s, unsigned for_ms)
{
	static const char *const clients[SITES] = {BOSTON, AUSTIN, SAN_FRANCISCO};
	uint64_t begin = inside_now_ms();

	do {
		for (enum site i = 0; i < SITES; i++)
			world_expect(s->nighd, WEB, "A", clients[i], s->site[i].web, 0);
		inside_rest();
	} while (inside_now_ms() < begin + for_ms);
	for (enum site i = 0; i < SITES; i++)
		story_expect(s, clients[i], i, 0);
}

/* --- status, told --- */

void story_expect_status(struct story *s, enum site site, const char *text, unsigned within_ms)
{
	struct deadline deadline = inside_deadline(within_ms);
	struct text status = {0};

	while (status_of(s, s->site[site].name, &status), !has(status.data, text)) {
		if (!inside_has_time(deadline))
			world_fail(s->nighd, "/status of %s: not '%s' after %u ms: %s",
			           s->site[site].name, text, within_ms, status.data);
		inside_rest();
	}
	text_fini(&status);
}

void story_expect_knowledge(struct story *s, enum site site, const char *knowledge,
                            unsigned within_ms)
{
	char text[64];

	snprintf(text, sizeof(text), "\"knowledge\":\"%s\"", knowledge);
	story_expect_status(s, site, text, within_ms);
	expect_told(s);
}

/* --- the asker --- */

void story_expect_no_loss(struct story *s)
{
	struct text story = {0};
	struct asker_result r = asker_result(s->asker, &story);

	fprintf(stderr,
	        "asked %llu, answered %llu, again %llu, lost %llu, wrong %llu, slowest %u ms\n",
	        (unsigned long long)r.asked, (unsigned long long)r.answered,
	        (unsigned long long)r.again, (unsigned long long)r.lost,
	        (unsigned long long)r.wrong, r.slowest_ms);
	if (r.lost || r.wrong)
		world_fail(s->nighd, "%s", story.data);
	text_fini(&story);
}
