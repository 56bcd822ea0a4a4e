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
	struct text *problems;
	uv_loop_t loop;
	struct facts *facts;
	struct settle *settle;
	struct store *store;
	struct manifests *manifests; /* NULL: no directory is configured */
	struct records *records;
};

/* --- problems --- */

static void add_problem(const char *where, const char *message, void *arg)
{
	struct trial *t = arg;

	text_printf(t->problems, "%s: %s\n", where, message);
}

static void add_error(const char *where, const char *message, int64_t since, void *arg)
{
	struct trial *t = arg;

	(void)since;
	/* A file's message names file and line by itself. */
	if (strncmp(message, where, strlen(where)) == 0)
		text_printf(t->problems, "%s\n", message);
	else
		add_problem(where, message, t);
}

/* --- stages --- */

static void try_geo(struct trial *t)
{
	const struct config *c = t->config;
	struct geodb *geodb = NULL;
	char *errors = NULL;

	if (geodb_open((const char *const *)c->geo.databases.item, c->geo.databases.count,
	               c->geo.networks, NULL, &geodb, &errors) != ERR_OK)
		text_add(t->problems, errors != NULL ? errors : "geo: cannot be read\n");
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
	store_each_error(t->store, add_error, t);
}

static void put_config_facts(struct trial *t)
{
	const struct fact **list;

	CHECK(config_facts_build(t->config, &list, t->problems));
	for (size_t i = 0; list[i] != NULL; i++)
		facts_put(t->facts, FACTS_HOST, list[i]);
	free(list);
}

static void build_records(struct trial *t)
{
	wiring_configure_records(&t->records, t->config);
	put_config_facts(t);
	while (records_build(t->records, t->facts, clock_monotonic_ms())->more)
		;
	records_each_problem(t->records, add_problem, t);
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

bool trial_run(const struct config *config, struct text *problems)
{
	struct trial t = {.config = config, .problems = problems};

	start(&t);
	try_geo(&t);
	read_manifests(&t);
	build_records(&t);
	end(&t);
	return problems->len == 0;
}
