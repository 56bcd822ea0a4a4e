/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/e2e/support/story.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/xalloc.h"
#include "tests/e2e/support/data_plane.h"

#define ALL_STILL "127.10.1.20 127.10.2.20 127.10.3.20"

enum { PER_SECOND = 1000, PODS_MS = 30000, CALM_MS = 60000, YEAR_S = 365 * 24 * 3600 };

static const struct story_site sites[SITES] = {
	[NEW_YORK] = {"newyork", "40.71,-74.01", "us-east", "us-east-a", "127.10.1.10",
                      "127.10.1.20"},
	[HOUSTON] = {"houston", "29.76,-95.37", "us-south", "us-south-a", "127.10.2.10",
                     "127.10.2.20"},
	[LOS_ANGELES] = {"losangeles", "34.05,-118.24", "us-west-2", "us-west-2a", "127.10.3.10",
                         "127.10.3.20"},
};
static const char *const clients[SITES] = {BOSTON, AUSTIN, SAN_FRANCISCO};

/* --- clusters --- */

void story_open(struct story *s, enum site site)
{
	struct story_site *at = &s->site[site];
	const char *const address[2] = {at->web, at->still};

	for (size_t i = 0; i < 2; i++)
		if (at->listener[i] < 0)
			at->listener[i] = data_plane_open(address[i], &s->port);
}

void story_refuse(struct story *s, enum site site)
{
	for (size_t i = 0; i < 2; i++)
		data_plane_close(&s->site[site].listener[i]);
}

void story_new_token(struct story *s, enum site site)
{
	struct story_site *at = &s->site[site];

	free(at->token);
	snprintf(at->token_name, sizeof(at->token_name), "reader-%u", ++at->tokens);
	at->token = objects_reader_token(at->cluster, at->token_name);
}

void story_furnish(struct story *s, enum site site)
{
	struct story_site *at = &s->site[site];

	cluster_await(at->cluster);
	objects_node(at->cluster, at->region, at->zone);
	objects_reader(at->cluster);
	if (!at->token)
		story_new_token(s, site);
	objects_namespace(at->cluster, "shop");
	objects_namespace(at->cluster, "calm");
	objects_service(at->cluster, "shop", "web", at->web, s->port);
	objects_service(at->cluster, "calm", "still", at->still, s->port);
	objects_pods(at->cluster, "shop", "web", 2, true);
	objects_pods(at->cluster, "calm", "still", 1, true);
	objects_expect_endpoints(at->cluster, "shop", "web", 2, PODS_MS);
	objects_expect_endpoints(at->cluster, "calm", "still", 1, PODS_MS);
}

void story_furnish_host(struct story *s)
{
	cluster_await(s->host);
	objects_host(s->host);
	objects_namespace(s->host, "shop");
	objects_namespace(s->host, "calm");
	objects_domain(s->host, "fed", "example.com");
	objects_service_record(s->host, "shop", "web", "fed");
	objects_service_record(s->host, "calm", "still", "fed");
}

void story_join(struct story *s, enum site site)
{
	const struct story_site *at = &s->site[site];

	objects_join(s->host, at->cluster, at->token, at->location);
}

int story_setup_unjoined(void **state)
{
	struct story *s = xcalloc(1, sizeof(*s));

	*state = s;
	memcpy(s->site, sites, sizeof(sites));
	s->cloud = cloud_new();
	s->host = cluster_new(s->cloud, "host", false);
	for (enum site i = 0; i < SITES; i++) {
		s->site[i].cluster = cluster_new(s->cloud, s->site[i].name, true);
		s->site[i].listener[0] = s->site[i].listener[1] = -1;
		story_open(s, i);
	}
	story_furnish_host(s);
	for (enum site i = 0; i < SITES; i++)
		story_furnish(s, i);
	return 0;
}

/* --- nighd --- */

/* Silence is noticed soon, so that the tests need not wait as long as one would in the field. */
static struct world *new_nighd(struct story *s)
{
	struct world *w = world_new();

	world_remove(w, "manifests");
	world_networks(w);
	cluster_kubeconfig(s->host, NIGH_TOKEN, world_path(w, "host.kubeconfig"));
	world_config(w,
	             "sources: {kubernetes: {kubeconfig: host.kubeconfig, allowLoopback: true}}\n"
	             "publish: {allow: [127.0.0.0/8]}\n"
	             "watch: {silence: 4s, reply: 2s, backoff: 1s}\n"
	             /* Each test takes the same few sites down and up. */
	             "probe: {flapHold: 0}\n"
	             "state: state\n"
	             "log: {level: debug}");
	return w;
}

void story_ask(struct story *s)
{
	static const struct asker_question questions[] = {
		{STILL, "A", BOSTON, ALL_STILL},
		{STILL, "A", AUSTIN, ALL_STILL},
		{STILL, "A", SAN_FRANCISCO, ALL_STILL},
		{STILL, "A", NULL, ALL_STILL},
		{WEB, "A", BOSTON, NULL},
		{WEB, "A", AUSTIN, NULL},
		{WEB, "A", SAN_FRANCISCO, NULL},
		{STILL, "AAAA", BOSTON, NULL},
		{"example.com", "SOA", NULL, NULL},
		{"still.calm.fed.svc.us-east.example.com", "A", NULL, NULL},
	};

	s->asker = asker_start(PER_SECOND, questions, sizeof(questions) / sizeof(questions[0]));
	asker_server(s->asker, 0, world_dns_port(s->nighd));
	asker_server(s->asker, 1, world_dns_port(s->replica));
}

void story_start(struct story *s)
{
	s->nighd = new_nighd(s);
	s->replica = new_nighd(s);
	world_start(s->nighd);
	world_start(s->replica);
}

static void restart(struct story *s, unsigned index, struct world *w, void (*end)(struct world *w))
{
	asker_server(s->asker, index, 0);
	end(w);
	world_start(w);
	asker_server(s->asker, index, world_dns_port(w));
}

void story_restart_nighd(struct story *s) { restart(s, 0, s->nighd, world_stop); }
void story_restart_replica(struct story *s) { restart(s, 1, s->replica, world_stop); }
void story_kill_nighd(struct story *s) { restart(s, 0, s->nighd, world_kill); }

/* --- fixtures --- */

int story_setup(void **state)
{
	struct story *s;

	story_setup_unjoined(state);
	s = *state;
	for (enum site i = 0; i < SITES; i++)
		story_join(s, i);
	story_start(s);
	for (enum site i = 0; i < SITES; i++)
		story_expect(s, clients[i], i, BACK_MS);
	story_ask(s);
	return 0;
}

int story_teardown(void **state)
{
	struct story *s = *state;

	asker_stop(s->asker);
	world_free(s->nighd);
	world_free(s->replica);
	for (enum site i = 0; i < SITES; i++) {
		story_refuse(s, i);
		free(s->site[i].token);
	}
	cloud_free(s->cloud);
	free(s);
	return 0;
}

static void heal_cluster(struct cluster *c)
{
	cluster_resume(c);
	if (cluster_send(c, "GET", "/readyz", NULL, NULL) != 200) {
		cluster_certificate(c, YEAR_S);
		cluster_kill(c);
	}
	cluster_start(c);
}

static void heal_nighd(struct story *s, unsigned index, struct world *w)
{
	if (world_pid(w))
		world_signal(w, SIGCONT);
	else
		world_start(w);
	if (s->asker)
		asker_server(s->asker, index, world_dns_port(w));
}

int story_begin_test(void **state)
{
	struct story *s = *state;

	heal_cluster(s->host);
	for (enum site i = 0; i < SITES; i++)
		heal_cluster(s->site[i].cluster);
	story_furnish_host(s);
	for (enum site i = 0; i < SITES; i++) {
		story_open(s, i);
		story_furnish(s, i);
		story_join(s, i);
	}
	heal_nighd(s, 0, s->nighd);
	heal_nighd(s, 1, s->replica);
	for (enum site i = 0; i < SITES; i++) {
		story_expect_knowledge(s, i, "synced", CALM_MS);
		story_expect(s, clients[i], i, CALM_MS);
	}
	if (!s->asker)
		story_ask(s);
	s->before = asker_result(s->asker, NULL);
	return 0;
}

int story_end_test(void **state)
{
	struct story *s = *state;
	struct asker_result now = asker_result(s->asker, NULL);

	if (now.lost != s->before.lost || now.wrong != s->before.wrong)
		story_expect_no_loss(s);
	return 0;
}
