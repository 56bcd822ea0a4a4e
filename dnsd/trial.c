/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/trial.h"

#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "base/check.h"
#include "base/clock.h"
#include "dnsd/config_facts.h"
#include "dnsd/wiring.h"
#include "geo/geodb.h"
#include "records/build.h"
#include "watcher/manifests.h"
#include "watcher/settle.h"
#include "watcher/store.h"

/* The stages, as far as a trial needs them. */
struct trial {
	const struct config *config;
	struct text *told;
	size_t error_count; /* of what is told; the rest are warnings */
	uv_loop_t loop;
	struct facts *facts;
	struct settle *settle;
	struct store *store;
	struct manifests *manifests; /* NULL: no directory is configured */
	struct records *records;
};

/* --- what is told --- */

static void tell_error(struct trial *t, const char *where, const char *message)
{
	t->error_count++;
	text_printf(t->told, "%s: %s\n", where, message);
}

static void tell_warning(struct trial *t, const char *where, const char *message)
{
	text_printf(t->told, "warning: %s: %s\n", where, message);
}

/* Lines that name their place by themselves, each an error. */
static void tell_lines(struct trial *t, const char *lines)
{
	while (*lines != '\0') {
		size_t len = strcspn(lines, "\n");

		t->error_count++;
		text_printf(t->told, "%.*s\n", (int)len, lines);
		lines += len + (lines[len] == '\n');
	}
}

static void on_store_error(const char *where, const char *message, int64_t since, void *arg)
{
	struct trial *t = arg;

	(void)since;
	/* A file's message names file and line by itself. */
	if (strncmp(message, where, strlen(where)) != 0)
		tell_error(t, where, message);
	else
		tell_lines(t, message);
}

static void on_records_problem(const struct records_problem *problem, void *arg)
{
	if (problem->is_warning)
		tell_warning(arg, problem->where, problem->message);
	else
		tell_error(arg, problem->where, problem->message);
}

/* --- stages --- */

static void try_geo(struct trial *t)
{
	const struct config *c = t->config;
	struct geodb *geodb = NULL;
	char *errors = NULL;

	if (geodb_open((const char *const *)c->geo.databases.item, c->geo.databases.count,
	               c->geo.networks, NULL, &geodb, &errors) != ERR_OK)
		tell_lines(t, errors != NULL ? errors : "geo: cannot be read");
	free(errors);
	geodb_free(geodb);
}

static void on_settled(void *arg) { (void)arg; }
static void on_stopped(void *arg) { (void)arg; }

static void read_manifests(struct trial *t)
{
	const struct conf_strings *dirs = &t->config->manifests;

	if (dirs->count > 0)
		t->manifests = manifests_start(&t->loop, (const char *const *)dirs->item,
		                               dirs->count, t->store);
	while (t->manifests != NULL && !manifests_is_read(t->manifests))
		uv_run(&t->loop, UV_RUN_ONCE);
	store_each_error(t->store, on_store_error, t);
	for (uint16_t id = 0; id < facts_cluster_count(t->facts); id++) {
		const struct cluster_state *state = facts_cluster(t->facts, id);

		if (state->registered && state->knowledge != KNOWLEDGE_SYNCED)
			text_printf(t->told, "warning: %s\n", state->error);
	}
}

static void put_config_facts(struct trial *t)
{
	const struct fact **list;
	struct text errors = {0};

	CHECK(config_facts_build(t->config, &list, &errors));
	for (size_t i = 0; list[i] != NULL; i++)
		facts_put(t->facts, FACTS_HOST, list[i]);
	free(list);
	text_fini(&errors);
}

static void build_records(struct trial *t)
{
	wiring_configure_records(&t->records, t->config);
	put_config_facts(t);
	while (records_build(t->records, t->facts, clock_monotonic_ms())->more)
		;
	records_each_problem(t->records, on_records_problem, t);
}

/* --- life --- */

static void start(struct trial *t)
{
	CHECK(uv_loop_init(&t->loop) == 0);
	t->facts = facts_new();
	t->settle = settle_new(&t->loop, on_settled, NULL);
	t->store = store_new(t->facts, t->settle, NULL);
}

static void end(struct trial *t)
{
	if (t->manifests != NULL)
		manifests_stop(t->manifests, on_stopped, NULL);
	settle_stop(t->settle, on_stopped, NULL);
	uv_run(&t->loop, UV_RUN_DEFAULT);
	CHECK(uv_loop_close(&t->loop) == 0);
	records_free(t->records);
	store_free(t->store);
	facts_free(t->facts);
}

bool trial_run(const struct config *config, struct text *told)
{
	struct trial t = {.config = config, .told = told};

	start(&t);
	try_geo(&t);
	read_manifests(&t);
	build_records(&t);
	end(&t);
	return t.error_count == 0;
}
