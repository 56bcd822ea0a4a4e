/* A cache that a server would fill. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <json-c/json.h>

#include "base/text.h"
#include "kube/object.h"
#include "propagator/cache.h"
#include "tests/support/propagator_hub.h"

enum { ROOM = 64 << 10, FULL_MS = 300, FEW = 10, MANY = 200 };

struct watched {
	struct cache *cache;
	struct budget budget;
	unsigned changes, sights;
};

static void *keep(struct json_object *object, void *arg)
{
	struct bytes version = object_text(object, "metadata", "resourceVersion", NULL);

	(void)arg;
	return text_copy(version);
}

static size_t weigh(const void *value) { return strlen(value); }

static void on_change(const char *key, void *arg)
{
	(void)key;
	((struct watched *)arg)->changes++;
}

static void on_sight(void *arg) { ((struct watched *)arg)->sights++; }

static void start(struct watched *w, struct hub *h, const char *plural, const char *kind)
{
	const struct cache_settings settings = {
		.watch = {.resource = {"", "v1", plural, kind},
	                  .silence_ms = 90000,
	                  .reply_ms = 30000,
	                  .object_most = 1 << 20,
	                  .objects_most = 100000},
		.keep = keep,
		.let_go = free,
		.budget = &w->budget,
		.weigh = weigh,
		.full_ms = FULL_MS,
		.on_change = on_change,
		.on_sight = on_sight,
		.arg = w,
	};

	w->cache = cache_start(&h->loop, h->client, &h->backoff, &settings);
}

static void config_map(struct text *out, size_t i, void *arg)
{
	(void)arg;
	text_printf(out, "{'metadata':{'name':'map-%05zu','namespace':'shop'}}", i);
}

static bool is_full(void *arg) { return cache_is_full(((struct watched *)arg)->cache); }
static bool is_synced(void *arg) { return cache_is_synced(((struct watched *)arg)->cache); }

static int setup(void **state)
{
	*state = hub_new();
	return 0;
}

static int teardown(void **state)
{
	hub_free(*state);
	return 0;
}

static void test_of_more_than_may_be_kept_nothing_is_kept(void **state)
{
	struct hub *h = *state;
	struct watched w = {.budget = {.most = ROOM}};
	enum kube_sight sight;
	const char *why;

	fakeapi_put_many(h->host, FAKEAPI_CONFIG_MAPS, MANY, config_map, NULL);
	start(&w, h, "configmaps", "ConfigMap");
	hub_turn_until(h, is_full, &w);
	assert_false(cache_is_synced(w.cache));
	assert_false(cache_is_seen(w.cache, &sight, &why));
	assert_non_null(strstr(why, "more than is kept of configmaps: 64 KiB"));
	assert_int_equal(cache_count(w.cache), 0);
	assert_int_equal(w.budget.used, 0);
	assert_true(w.changes < MANY);
	assert_true(w.sights > 0);
	cache_stop(w.cache);
}

static void test_what_comes_to_be_too_much_is_let_go(void **state)
{
	struct hub *h = *state;
	struct watched w = {.budget = {.most = ROOM}};

	fakeapi_put_many(h->host, FAKEAPI_CONFIG_MAPS, FEW, config_map, NULL);
	start(&w, h, "configmaps", "ConfigMap");
	hub_turn_until(h, is_synced, &w);
	assert_int_equal(cache_count(w.cache), FEW);
	assert_in_range(w.budget.used, (size_t)FEW * CACHE_EACH, ROOM);
	fakeapi_put_many(h->host, FAKEAPI_CONFIG_MAPS, MANY, config_map, NULL);
	hub_turn_until(h, is_full, &w);
	assert_int_equal(cache_count(w.cache), 0);
	cache_stop(w.cache);
	assert_int_equal(w.budget.used, 0);
}

static void test_when_there_is_less_all_is_kept_again(void **state)
{
	struct hub *h = *state;
	struct watched w = {.budget = {.most = ROOM}};
	enum kube_sight sight;
	const char *why;

	fakeapi_put_many(h->host, FAKEAPI_CONFIG_MAPS, MANY, config_map, NULL);
	start(&w, h, "configmaps", "ConfigMap");
	hub_turn_until(h, is_full, &w);
	fakeapi_delete_all(h->host, FAKEAPI_CONFIG_MAPS);
	fakeapi_put_many(h->host, FAKEAPI_CONFIG_MAPS, FEW, config_map, NULL);
	hub_turn_until(h, is_synced, &w);
	assert_false(cache_is_full(w.cache));
	assert_int_equal(cache_count(w.cache), FEW);
	assert_true(cache_is_seen(w.cache, &sight, &why));
	cache_stop(w.cache);
}

/* It is asked again from time to time, not without end. */
static void test_what_stays_too_much_is_asked_for_rarely(void **state)
{
	struct hub *h = *state;
	struct watched w = {.budget = {.most = ROOM}};
	unsigned lists;

	fakeapi_put_many(h->host, FAKEAPI_CONFIG_MAPS, MANY, config_map, NULL);
	start(&w, h, "configmaps", "ConfigMap");
	hub_turn_until(h, is_full, &w);
	hub_turn_for(h, 4 * FULL_MS);
	lists = fakeapi_requests(h->host, "GET /api/v1/configmaps");
	assert_in_range(lists, 2, 5);
	cache_stop(w.cache);
}

static void test_one_kind_leaves_room_for_another(void **state)
{
	struct hub *h = *state;
	struct budget whole = {.most = 2 * ROOM};
	struct watched maps = {.budget = {.most = ROOM, .whole = &whole}};
	struct watched secrets = {.budget = {.most = ROOM, .whole = &whole}};

	fakeapi_put_many(h->host, FAKEAPI_CONFIG_MAPS, MANY, config_map, NULL);
	fakeapi_put_many(h->host, FAKEAPI_SECRETS, FEW, config_map, NULL);
	start(&maps, h, "configmaps", "ConfigMap");
	start(&secrets, h, "secrets", "Secret");
	hub_turn_until(h, is_full, &maps);
	hub_turn_until(h, is_synced, &secrets);
	assert_int_equal(cache_count(secrets.cache), FEW);
	assert_int_equal(whole.used, secrets.budget.used + maps.budget.used);
	cache_stop(maps.cache);
	cache_stop(secrets.cache);
	assert_int_equal(whole.used, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
		T(test_of_more_than_may_be_kept_nothing_is_kept),
		T(test_what_comes_to_be_too_much_is_let_go),
		T(test_when_there_is_less_all_is_kept_again),
		T(test_what_stays_too_much_is_asked_for_rarely),
		T(test_one_kind_leaves_room_for_another),
	};

	return cmocka_run_group_tests_name("propagator/cache", tests, NULL, NULL);
}
