/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/records_world.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/check.h"
#include "base/xalloc.h"
#include "records/names.h"
#include "tests/support/records_facts.h"

struct records_world *records_world_new(void)
{
	struct records_world *w = xcalloc(1, sizeof(*w));

	w->settings = (struct records_settings){.default_ttl = 30,
	                                        .guard_min_names = 50,
	                                        .guard_max_percent = 100,
	                                        .guard_hold_ms = 600000};
	w->facts = facts_new();
	w->records = records_new(&w->settings);
	w->now_ms = 1000000;
	return w;
}

static void forget_names(struct records_world *w)
{
	for (size_t i = 0; i < w->count; i++) {
		free(w->names[i].owner);
		free(w->names[i].spelling);
		free(w->names[i].text);
	}
	w->count = 0;
}

void records_world_free(struct records_world *w)
{
	forget_names(w);
	free(w->names);
	records_free(w->records);
	facts_free(w->facts);
	free(w);
}

void records_world_configure(struct records_world *w)
{
	records_configure(w->records, &w->settings);
}

uint16_t records_world_cluster(struct records_world *w, const char *name, bool registered)
{
	uint16_t id = facts_cluster_id(w->facts, bytes_of(name));
	struct cluster_state s = {.registered = registered,
	                          .source = CLUSTER_MANIFESTS,
	                          .knowledge = KNOWLEDGE_SYNCED};

	facts_set_cluster(w->facts, id, &s);
	return id;
}

void records_world_put(struct records_world *w, const char *cluster, const struct fact *fact)
{
	facts_put(w->facts, facts_cluster_id(w->facts, bytes_of(cluster)), fact);
}

void records_world_remove(struct records_world *w, const char *cluster, enum fact_kind kind,
                          const char *key)
{
	const char *slash = strchr(key, '/');
	struct bytes namespace = {(const uint8_t *)key, slash ? (size_t)(slash - key) : 0};

	facts_remove(w->facts, facts_cluster_id(w->facts, bytes_of(cluster)), kind, namespace,
	             bytes_of(slash ? slash + 1 : key));
}

/* --- endpoints as text --- */

static void print_rrsets(struct text *t, const struct endpoint_rrset *sets, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		text_add(t, " ");
		text_add_bytes(t, sets[i].type);
		text_printf(t, " %u", sets[i].ttl);
		for (size_t k = 0; k < sets[i].count; k++) {
			char addr[ADDR_TEXT_SIZE];

			text_add(t, " ");
			if (sets[i].addresses)
				text_add(t, addr_print(&sets[i].addresses[k], addr));
			else
				text_add_bytes(t, sets[i].texts[k]);
		}
	}
}

static void print_hold(const struct records_world *w, struct text *t, const struct endpoint_site *s)
{
	const struct records_hold_back *h = &w->last->holds_back[s->hold];
	char name[NAMES_TEXT_SIZE];

	if (!s->hold)
		return;
	CHECK(s->hold < w->last->hold_back_count && h->cluster == s->cluster && h->owner.len > 0);
	text_printf(t, " held as %s", names_to_text(h->owner.data, name));
}

static void print_check(const struct records_world *w, struct text *t, uint32_t check)
{
	static const char *const kinds[] = {"none", "tcp", "http", "https", "grpc", "import"};
	const struct records_check *c = &w->last->checks[check];

	CHECK(check < w->last->check_count && (check == 0) == (c->is == NULL));
	if (check == 0)
		return;
	text_printf(t, " %s %.*s%.*s", kinds[c->is->kind], (int)c->is->host.len,
	            (const char *)c->is->host.data, (int)c->is->path.len,
	            (const char *)c->is->path.data);
	if (c->is->ca_secret.len > 0) {
		text_add(t, " by ");
		text_add_bytes(t, c->namespace);
		text_add(t, "/");
		text_add_bytes(t, c->is->ca_secret);
	}
}

static void print_site(const struct records_world *w, struct text *t, const struct endpoint_site *s)
{
	text_printf(t, "; %s %s%s%s%s", facts_cluster_name(w->facts, s->cluster),
	            s->layers & SITE_ENDPOINTS ? "E" : "",
	            s->layers & SITE_LOAD_BALANCER ? "L" : "",
	            s->layers & SITE_FEW_READY ? "f" : "", s->layers & SITE_NO_GATEWAY ? "g" : "");
	if (s->endpoints)
		text_printf(t, " %u/%u", s->ready, s->endpoints);
	if (s->capacity)
		text_printf(t, " capacity %u", s->capacity);
	print_hold(w, t, s);
	print_rrsets(t, s->rrsets, s->rrset_count);
	for (size_t i = 0; i < s->probe_count; i++) {
		const struct records_probe *p = &w->last->probes[s->probes[i]];
		char text[ADDR_PORT_TEXT_SIZE];

		CHECK(s->probes[i] < w->last->probe_count && p->cluster == s->cluster);
		text_printf(t, "%s%s", i ? " " : " [", addr_port_print(&p->addr, p->port, text));
		print_check(w, t, p->check);
	}
	text_add(t, s->probe_count ? "]" : "");
}

static char *print_endpoint(const struct records_world *w, const struct endpoint *e)
{
	struct text t = {0};
	char name[NAMES_TEXT_SIZE];

	text_add(&t, e->source);
	text_add(&t, e->fail_open ? "; open" : "");
	if (e->policy) {
		CHECK(e->policy < w->last->policy_count);
		text_add(&t, "; policy ");
		text_add_bytes(&t, w->last->policies[e->policy].namespace);
		text_add(&t, "/");
		text_add_bytes(&t, w->last->policies[e->policy].name);
	}
	if (e->passed_over) {
		CHECK(e->passed_over < w->last->policy_count);
		text_add(&t, "; before ");
		text_add_bytes(&t, w->last->policies[e->passed_over].namespace);
		text_add(&t, "/");
		text_add_bytes(&t, w->last->policies[e->passed_over].name);
	}
	CHECK(e->has_sites == (e->site_count > 0));
	for (size_t i = 0; i < e->site_count; i++)
		print_site(w, &t, &e->sites[i]);
	if (e->fixed_count)
		text_add(&t, "; fixed");
	print_rrsets(&t, e->fixed, e->fixed_count);
	if (e->fallback.len)
		text_printf(&t, "; fallback %s %u", names_to_text(e->fallback.data, name),
		            e->fallback_ttl);
	return text_take(&t);
}

/* --- the set of names --- */

static char *spelling_of(struct bytes owner)
{
	char text[NAMES_TEXT_SIZE];

	return xstrdup(names_to_text(owner.data, text));
}

static char *lower(char *text)
{
	for (char *p = text; *p; p++)
		*p = (char)tolower((unsigned char)*p);
	return text;
}

static size_t find(const struct records_world *w, const char *owner, bool *found)
{
	size_t from = 0, to = w->count;

	while (from < to) {
		size_t middle = (from + to) / 2;

		if (strcmp(w->names[middle].owner, owner) < 0)
			from = middle + 1;
		else
			to = middle;
	}
	*found = from < w->count && strcmp(w->names[from].owner, owner) == 0;
	return from;
}

static void set(struct records_world *w, char *owner, char *spelling, char *text)
{
	bool found;
	size_t at = find(w, owner, &found);

	if (found) {
		CHECK(!text || strcmp(w->names[at].text, text) != 0 ||
		      strcmp(w->names[at].spelling, spelling) != 0);
		free(w->names[at].owner);
		free(w->names[at].spelling);
		free(w->names[at].text);
		memmove(&w->names[at], &w->names[at + 1], (--w->count - at) * sizeof(*w->names));
	} else {
		/* After forgetting all, what went is told as gone, too. */
		CHECK(text || w->last->everything);
	}
	if (!text) {
		free(owner);
		free(spelling);
		return;
	}
	w->names = xreallocarray(w->names, w->count + 1, sizeof(*w->names));
	memmove(&w->names[at + 1], &w->names[at], (w->count++ - at) * sizeof(*w->names));
	w->names[at] = (struct records_world_name){owner, spelling, text};
}

size_t records_world_step(struct records_world *w)
{
	w->last = records_build(w->records, w->facts, w->now_ms);
	if (w->last->everything)
		forget_names(w);
	for (size_t i = 0; i < w->last->change_count; i++) {
		const struct records_change *c = &w->last->changes[i];

		CHECK(!c->endpoint || bytes_equal(c->owner, c->endpoint->owner));
		set(w, lower(spelling_of(c->owner)), spelling_of(c->owner),
		    c->endpoint ? print_endpoint(w, c->endpoint) : NULL);
	}
	return w->last->change_count;
}

size_t records_world_build(struct records_world *w)
{
	size_t changes = 0;

	do
		changes += records_world_step(w);
	while (w->last->more);
	return changes;
}

const char *records_world_show(const struct records_world *w, const char *owner)
{
	bool found;
	size_t at = find(w, owner, &found);

	return found ? w->names[at].text : NULL;
}

char *records_world_print(const struct records_world *w)
{
	struct text t = {0};

	for (size_t i = 0; i < w->count; i++)
		text_printf(&t, "%s: %s\n", w->names[i].spelling, w->names[i].text);
	return text_take(&t);
}

static void on_problem(const struct records_problem *problem, void *arg)
{
	text_printf(arg, "%s: %s\n", problem->where, problem->message);
}

char *records_world_problems(const struct records_world *w)
{
	struct text t = {0};

	records_each_problem(w->records, on_problem, &t);
	return text_take(&t);
}

static void on_conflict(const struct records_conflict *conflict, void *arg)
{
	text_printf(arg, "%s: %s over %s\n", conflict->name, conflict->winner, conflict->loser);
}

char *records_world_conflicts(const struct records_world *w)
{
	struct text t = {0};

	records_each_conflict(w->records, on_conflict, &t);
	return text_take(&t);
}

/* --- policies as text --- */

enum { POLICY_LINES_MOST = 256 };

struct policy_lines {
	const struct records_world *w;
	char *lines[POLICY_LINES_MOST];
	size_t count;
};

static void add_policy_name(struct text *t, const struct records_policy *p)
{
	text_add_bytes(t, p->namespace);
	text_add(t, "/");
	text_add_bytes(t, p->name);
}

static void add_line(struct policy_lines *l, struct text *t)
{
	CHECK(l->count < POLICY_LINES_MOST);
	l->lines[l->count++] = text_take(t);
}

static void on_policy_conflict(const struct records_policy_conflict *c, void *arg)
{
	struct policy_lines *l = arg;
	struct text t = {0};

	add_policy_name(&t, &l->w->last->policies[c->loser]);
	text_add(&t, " lost ");
	text_add_bytes(&t, c->target->name);
	text_add(&t, " to ");
	add_policy_name(&t, &l->w->last->policies[c->winner]);
	add_line(l, &t);
}

/* Which example there is depends on what was before. */
static void on_policy_override(const struct records_policy_override *o, void *arg)
{
	struct policy_lines *l = arg;
	struct text t = {0};

	add_policy_name(&t, &l->w->last->policies[o->loser]);
	text_printf(&t, " is passed over for %llu by ", (unsigned long long)o->names);
	add_policy_name(&t, &l->w->last->policies[o->winner]);
	add_line(l, &t);
}

static int by_line(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

char *records_world_policies(const struct records_world *w)
{
	struct policy_lines l = {.w = w};
	struct text all = {0};

	for (size_t i = 1; i < w->last->policy_count; i++) {
		const struct records_policy *p = &w->last->policies[i];
		struct text t = {0};

		CHECK(p->is || p->names == 0);
		if (!p->is)
			continue;
		add_policy_name(&t, p);
		text_printf(&t, " of %zu names", p->names);
		add_line(&l, &t);
	}
	records_each_policy_conflict(w->records, on_policy_conflict, &l);
	records_each_policy_override(w->records, on_policy_override, &l);
	if (l.count > 0)
		qsort(l.lines, l.count, sizeof(char *), by_line);
	for (size_t i = 0; i < l.count; i++) {
		text_printf(&all, "%s\n", l.lines[i]);
		free(l.lines[i]);
	}
	return text_take(&all);
}

/* --- a small world --- */

struct records_world *records_world_small(void)
{
	struct records_world *w = records_world_new();

	records_world_put(w, "", records_fact_domain("kube-federation-system/d", "example.com", 1));
	records_world_cluster(w, "la", true);
	records_world_cluster(w, "ny", true);
	records_world_put(w, "",
	                  records_fact_cluster("la", "us-west-2", "us-west-2a", NULL, false));
	records_world_put(w, "",
	                  records_fact_cluster("ny", "us-east-1", "us-east-1a", "40.7,-74", false));
	return w;
}

void records_world_put_service(struct records_world *w, const char *cluster, const char *addresses)
{
	records_world_put(w, cluster,
	                  records_fact_service("shop/web", addresses, 443, NULL, NULL, NULL, 1));
	records_world_put(w, cluster, records_fact_slice("shop/web-1", "web", 1));
}

struct records_world *records_world_of_web(void)
{
	struct records_world *w = records_world_small();

	records_world_put(w, "", records_fact_service_record("shop/web", "d", 60, NULL, NULL));
	records_world_put_service(w, "la", "192.0.2.1");
	records_world_build(w);
	return w;
}

void records_world_put_annotated(struct records_world *w, const char *cluster, const char *key,
                                 const char *address, const char *hostname, int64_t created)
{
	records_world_put(w, cluster,
	                  records_fact_service(key, address, 80, hostname, NULL, NULL, created));
}

void records_world_expect(const struct records_world *w, const char *owner, const char *want)
{
	const char *shown = records_world_show(w, owner);

	assert_string_equal(shown ? shown : "(not given out)", want);
}

void records_world_expect_text(char *have, const char *want)
{
	assert_string_equal(have, want);
	free(have);
}

/* --- the same from scratch --- */

struct copying {
	const struct records_world *from;
	struct records_world *to;
};

static void copy_fact(uint16_t cluster, const struct fact *fact, void *arg)
{
	struct copying *c = arg;

	records_world_put(c->to, facts_cluster_name(c->from->facts, cluster), fact_ref(fact));
}

struct records_world *records_world_again(const struct records_world *w)
{
	struct copying c = {w, records_world_new()};

	c.to->settings = w->settings;
	records_world_configure(c.to);
	/* From the last to the first: ids and order differ from the original's. */
	for (uint16_t id = facts_cluster_count(w->facts); id-- > 0;) {
		uint16_t copy =
			facts_cluster_id(c.to->facts, bytes_of(facts_cluster_name(w->facts, id)));

		facts_set_cluster(c.to->facts, copy, facts_cluster(w->facts, id));
		facts_each(w->facts, id, 0, copy_fact, &c);
	}
	records_world_build(c.to);
	return c.to;
}
