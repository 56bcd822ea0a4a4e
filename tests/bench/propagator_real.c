/* propagator_real.c -- nigh-propagator at size on real API servers: federated Deployments on clusters each of which is a real
 * kube-apiserver (tests/e2e/support), one etcd below them all.  Prints what it takes, beside what the servers take.
 *
 * $PROPAGATOR and $NIGHCTL are the programs; $OBJECTS and $CLUSTERS the size, $STEADY for how many seconds it is watched in
 * the end.  There are no controllers: what those would say of Deployments is said here.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "base/xalloc.h"
#include "tests/bench/process.h"
#include "tests/bench/served.h"
#include "tests/e2e/support/federation.h"
#include "tests/support/world_inside.h"

#define FEDERATED "/apis/types.kubefed.io/v1beta1/namespaces/shop/federateddeployments"
#define COPIES    "/apis/apps/v1/namespaces/shop/deployments"

enum {
	PATIENCE_S = 900,
	READY_MS = 120000,
	QUIET_MS = 5000,         /* without a write: all is done */
	EVENTS_QUIET_MS = 20000, /* they go out one by one */
	CHANGES = 5              /* of one template each */
};

struct bench {
	struct federation *f;
	unsigned objects, clusters, steady_s;
	char url[64]; /* of the propagator's HTTP */
	int replicas;
};

static void give_up(const char *why)
{
	fprintf(stderr, "propagator bench: %s\n", why);
	exit(1);
}

static void rest(unsigned ms)
{
	struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};

	nanosleep(&t, NULL);
}

static double now_s(void) { return (double)clock_monotonic_ms() / 1000; }

/* --- what nigh-propagator says --- */

static size_t on_body(char *data, size_t size, size_t count, void *arg)
{
	text_add_bytes(arg, (struct bytes){(const uint8_t *)data, size * count});
	return size * count;
}

/* Sum of all lines of one metric; the page is made anew each second. */
static uint64_t metric(const struct bench *b, const char *name)
{
	CURL *curl = curl_easy_init();
	struct text page = {0};
	size_t len = strlen(name);
	char url[80];
	double sum = 0;

	snprintf(url, sizeof(url), "%s/metrics", b->url);
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, &page);
	if (curl_easy_perform(curl) != CURLE_OK || page.len == 0)
		give_up("nigh-propagator does not answer");
	for (const char *at = page.data; (at = strstr(at, name)) != NULL; at += len)
		if (at > page.data && at[-1] == '\n' && (at[len] == '{' || at[len] == ' '))
			sum += atof(at + strcspn(at, "}\n ") + 1);
	curl_easy_cleanup(curl);
	text_fini(&page);
	return (uint64_t)sum;
}

static void find_url(struct bench *b)
{
	struct text log = {0};
	const char *at;

	federation_expect_log(b->f, "listening http=", READY_MS);
	inside_read_file(cloud_path(b->f->cloud, "propagator0.log"), &log);
	at = strstr(log.data, "listening http=") + strlen("listening http=");
	snprintf(b->url, sizeof(b->url), "http://%.*s", (int)strcspn(at, " \n"), at);
	text_fini(&log);
}

/* --- what was done, and what it took --- */

/* What was taken until now, and what the servers were asked. */
struct tally {
	double at_s, propagator_s, members_s, host_s, etcd_s;
	struct served members, host;
};

static struct tally *tally(const struct bench *b)
{
	struct tally *t = xcalloc(1, sizeof(*t));

	served_add(&t->host, b->f->host);
	for (unsigned i = 0; i < b->clusters; i++)
		served_add(&t->members, b->f->members[i]);
	t->at_s = now_s();
	t->propagator_s = process_cpu_s(b->f->propagator);
	t->host_s = process_cpu_s(cluster_server(b->f->host));
	t->etcd_s = process_cpu_s(cloud_etcd(b->f->cloud));
	for (unsigned i = 0; i < b->clusters; i++)
		t->members_s += process_cpu_s(cluster_server(b->f->members[i]));
	return t;
}

/* What was taken since `begun`, which goes. */
static struct tally *since(const struct bench *b, struct tally *begun)
{
	struct tally *t = tally(b);

	t->at_s -= begun->at_s;
	t->propagator_s -= begun->propagator_s;
	t->members_s -= begun->members_s;
	t->host_s -= begun->host_s;
	t->etcd_s -= begun->etcd_s;
	served_since(&t->members, &begun->members);
	served_since(&t->host, &begun->host);
	free(begun);
	return t;
}

/* Writes on the host: Events, or all the others but Leases and heartbeats, which never end. */
static uint64_t host_writes(const struct bench *b, bool events)
{
	struct served *s = xcalloc(1, sizeof(*s));
	uint64_t sum = 0;

	served_add(s, b->f->host);
	for (size_t i = 0; i < s->count; i++) {
		const struct served_row *row = &s->row[i];
		bool endless =
			strstr(row->what, " leases") || strstr(row->what, " kubefedclusters/");

		if (row->is_write && !endless && (strstr(row->what, " events") != NULL) == events)
			sum += row->count;
	}
	free(s);
	return sum;
}

/* Applies of copies that a member has answered well. */
static uint64_t applies_of(struct cluster *member)
{
	struct served *s = xcalloc(1, sizeof(*s));
	uint64_t count = 0;

	served_add(s, member);
	for (size_t i = 0; i < s->count; i++)
		if (strcmp(s->row[i].what, "APPLY deployments") == 0)
			count = s->row[i].count;
	free(s);
	return count;
}

/* Until nothing has been written on the host for so long, but for what never ends, and nothing waits. */
static void calm(const struct bench *b)
{
	double since_s = now_s(), begin_s = since_s;
	uint64_t seen = 0;

	while (now_s() - since_s < QUIET_MS / 1e3) {
		uint64_t now = host_writes(b, false),
			 waiting = metric(b, "nigh_propagator_waiting");

		if (now != seen || waiting > 0)
			since_s = now_s();
		if (now_s() - begin_s > PATIENCE_S)
			give_up("there is no end of writes");
		seen = now;
		rest(500);
	}
}

/* Until each member has applied so many copies in all; those that have are not asked again. */
static void await_applies(const struct bench *b, uint64_t count)
{
	double begin_s = now_s();

	for (unsigned i = 0; i < b->clusters; i++)
		while (applies_of(b->f->members[i]) < count) {
			if (now_s() - begin_s > PATIENCE_S)
				give_up("it does not come to an end");
			rest(100);
		}
}

static void print_head(void)
{
	printf("%-32s %9s %9s %9s   %s\n%-32s %9s %9s %9s %16s %16s %10s %10s\n", "", "", "", "",
	       "ms of CPU for a write in a member, until all is quiet again", "", "seconds",
	       "writes", "writes/s", "nigh-propagator", "members' servers", "host's", "etcd");
}

/* Call it when all is quiet: so many writes took so many seconds.  `begun` goes. */
static void print_row(const struct bench *b, const char *what, struct tally *begun, double seconds,
                      uint64_t writes)
{
	struct tally *t = since(b, begun);
	double per_write = 1e3 / (double)writes;

	printf("%-32s %9.2f %9llu %9.0f %16.2f %16.2f %10.2f %10.2f\n", what, seconds,
	       (unsigned long long)writes, (double)writes / seconds, t->propagator_s * per_write,
	       t->members_s * per_write, t->host_s * per_write, t->etcd_s * per_write);
	printf("  writes in members: ");
	served_print(&t->members, true);
	printf("  writes on the host: ");
	served_print(&t->host, true);
	free(t);
}

/* --- what is asked for --- */

static void fill_object(struct cluster_request *r, unsigned i, void *arg)
{
	const struct bench *b = arg;

	r->method = "POST";
	r->type = "application/json";
	snprintf(r->path, sizeof(r->path), FEDERATED);
	snprintf(
		r->body, sizeof(r->body),
		"{\"apiVersion\":\"types.kubefed.io/v1beta1\",\"kind\":\"FederatedDeployment\","
		"\"metadata\":{\"name\":\"web-%05u\"},\"spec\":{\"template\":{\"metadata\":{"
		"\"labels\":{\"app\":\"web-%05u\"}},\"spec\":{\"replicas\":%d,\"selector\":{"
		"\"matchLabels\":{\"app\":\"web-%05u\"}},\"template\":{\"metadata\":{\"labels\":{"
		"\"app\":\"web-%05u\"}},\"spec\":{\"containers\":[{\"name\":\"web\",\"image\":"
		"\"registry.example/web:1.2.3\",\"ports\":[{\"containerPort\":8080}],\"resources\":"
		"{\"requests\":{\"cpu\":\"100m\",\"memory\":\"128Mi\"}},\"env\":[{\"name\":\"A\","
		"\"value\":\"b\"}]}]}}}},\"placement\":{\"clusterSelector\":{}}}}",
		i, i, b->replicas, i, i);
}

static void fill_change(struct cluster_request *r, unsigned i, void *arg)
{
	const struct bench *b = arg;

	r->method = "PATCH";
	r->type = "application/merge-patch+json";
	snprintf(r->path, sizeof(r->path), FEDERATED "/web-%05u", i);
	snprintf(r->body, sizeof(r->body), "{\"spec\":{\"template\":{\"spec\":{\"replicas\":%d}}}}",
	         b->replicas);
}

/* As controllers of the member would say it, when each object was changed once, the first ones twice. */
static void fill_status(struct cluster_request *r, unsigned i, void *arg)
{
	const struct bench *b = arg;
	int generation = i < CHANGES ? 3 : 2;

	r->method = "PATCH";
	r->type = "application/merge-patch+json";
	snprintf(r->path, sizeof(r->path), COPIES "/web-%05u/status", i);
	snprintf(r->body, sizeof(r->body),
	         "{\"status\":{\"observedGeneration\":%d,\"replicas\":%d,\"updatedReplicas\":%d,"
	         "\"readyReplicas\":%d,\"availableReplicas\":%d,\"conditions\":["
	         "{\"type\":\"Available\",\"status\":\"True\"},{\"type\":\"Progressing\","
	         "\"status\":\"True\",\"reason\":\"NewReplicaSetAvailable\"}]}}",
	         generation, b->replicas, b->replicas, b->replicas, b->replicas);
}

/* --- what is done --- */

static void begin(struct bench *b)
{
	double begin_s = now_s();

	b->f = federation_new_many(b->clusters);
	federation_enable(b->f, "namespaces");
	federation_enable(b->f, "deployments.apps");
	federation_start(b->f);
	find_url(b);
	federation_namespace(b->f, "shop");
	for (unsigned i = 0; i < b->clusters; i++)
		cluster_expect(b->f->members[i], "/api/v1/namespaces/shop", "kubefed.io/managed",
		               READY_MS);
	calm(b);
	printf("%u real API servers and a host, %u objects; ready after %.0f s\n", b->clusters,
	       b->objects, now_s() - begin_s);
	print_head();
}

static void measure_creation(struct bench *b)
{
	uint64_t copies = (uint64_t)b->objects * b->clusters;
	unsigned before_kib = process_memory_kib(b->f->propagator), kib;
	struct tally *begun = tally(b);
	double seconds;

	b->replicas = 1;
	cluster_send_many(b->f->host, b->objects, fill_object, b);
	await_applies(b, b->objects);
	seconds = now_s() - begun->at_s;
	calm(b);
	print_row(b, "all created", begun, seconds, copies);
	kib = process_memory_kib(b->f->propagator);
	printf("%-32s %u KiB, before %u KiB: %.2f KiB for an object and its %u copies\n", "memory",
	       kib, before_kib, (double)(kib - before_kib) / b->objects, b->clusters);
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double change_one(struct bench *b, unsigned i)
{
	struct cluster_request r;
	char path[128], text[32];
	double begin_s = now_s();

	fill_change(&r, i, b);
	snprintf(path, sizeof(path), COPIES "/web-%05u", i);
	snprintf(text, sizeof(text), "\"replicas\":%d", b->replicas);
	if (cluster_send(b->f->host, r.method, r.path, r.type, r.body) != 200)
		give_up("a template does not change");
	for (unsigned m = 0; m < b->clusters; m++)
		cluster_expect(b->f->members[m], path, text, READY_MS);
	return now_s() - begin_s;
}

static void measure_one_change(struct bench *b)
{
	struct tally *begun = tally(b);
	double seconds[CHANGES], sum = 0;

	b->replicas = 2;
	for (unsigned i = 0; i < CHANGES; i++)
		seconds[i] = change_one(b, i);
	calm(b);
	qsort(seconds, CHANGES, sizeof(*seconds), by_size);
	for (unsigned i = 0; i < CHANGES; i++)
		sum += seconds[i];
	print_row(b, "one template changed, 5 times", begun, sum, (uint64_t)CHANGES * b->clusters);
	printf("  each reached its last cluster within %.3f s (%.3f to %.3f)\n",
	       seconds[CHANGES / 2], seconds[0], seconds[CHANGES - 1]);
}

static void measure_change(struct bench *b)
{
	uint64_t copies = (uint64_t)b->objects * b->clusters;
	struct tally *begun = tally(b);
	double seconds;

	b->replicas = 3;
	cluster_send_many(b->f->host, b->objects, fill_change, b);
	await_applies(b, 2ULL * b->objects + CHANGES);
	seconds = now_s() - begun->at_s;
	calm(b);
	print_row(b, "all templates changed", begun, seconds, copies);
}

static void measure_statuses(struct bench *b)
{
	uint64_t copies = (uint64_t)b->objects * b->clusters;
	struct tally *begun = tally(b);
	double seconds;

	for (unsigned m = 0; m < b->clusters; m++)
		cluster_send_many(b->f->members[m], b->objects, fill_status, b);
	seconds = now_s() - begun->at_s;
	calm(b);
	print_row(b, "all become Current (by the test)", begun, seconds, copies);
}

/* Events about what was done go out one by one, for minutes. */
static void await_events(const struct bench *b)
{
	double since_s = now_s(), begin_s = since_s;
	uint64_t seen = 0;

	while (now_s() - since_s < EVENTS_QUIET_MS / 1e3) {
		uint64_t now = metric(b, "nigh_propagator_events_total") + host_writes(b, true);

		if (now != seen)
			since_s = now_s();
		if (now_s() - begin_s > PATIENCE_S)
			give_up("there is no end of Events");
		seen = now;
		rest(1000);
	}
	printf("%-32s %.0f s later\n", "the last Event", since_s - begin_s);
}

static void print_asked(const char *whom, const struct served *s)
{
	printf("  writes %s: ", whom);
	served_print(s, true);
	printf("  reads %s: ", whom);
	served_print(s, false);
}

static void measure_steady(struct bench *b)
{
	struct tally *t;
	double percent;

	await_events(b);
	calm(b);
	t = tally(b);
	rest(b->steady_s * 1000);
	t = since(b, t);
	percent = 100 / t->at_s;
	printf("%-32s %.2f %% of a core (servers: %.1f %% in members, %.1f %% the host's, %.1f %% "
	       "etcd) in "
	       "%u s; %u KiB\n",
	       "steady", t->propagator_s * percent, t->members_s * percent, t->host_s * percent,
	       t->etcd_s * percent, b->steady_s, process_memory_kib(b->f->propagator));
	print_asked("in members", &t->members);
	print_asked("on the host", &t->host);
	free(t);
}

static unsigned size_of(const char *name, unsigned otherwise)
{
	const char *text = getenv(name);

	return text ? (unsigned)atoi(text) : otherwise;
}

int main(void)
{
	static struct bench b;

	b.objects = size_of("OBJECTS", 1000);
	b.clusters = size_of("CLUSTERS", 10);
	b.steady_s = size_of("STEADY", 180);
	if (b.clusters < 1 || b.clusters > FEDERATION_MEMBERS_MOST || b.objects < CHANGES)
		give_up("CLUSTERS is 1 to 64, and OBJECTS at least 5");
	begin(&b);
	measure_creation(&b);
	measure_one_change(&b);
	measure_change(&b);
	measure_statuses(&b);
	measure_steady(&b);
	federation_stop(b.f);
	federation_free(b.f);
	return 0;
}
