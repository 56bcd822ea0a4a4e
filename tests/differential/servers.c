/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/differential/servers.h"

#include <stdio.h>
#include <string.h>

#include "tests/support/world_inside.h"

enum { START_MS = 60000 };

static void write_zones(struct world *w, const struct made *m)
{
	for (size_t i = 0; i < m->zone_count; i++) {
		char name[32];

		snprintf(name, sizeof(name), "zones/%zu", i);
		world_write(w, name, "%s", m->zone[i].file.data);
	}
}

/* For each zone: its apex and its file, with words before, between and after. */
static void add_zones(const struct made *m, struct text *config, const char *before,
                      const char *between, const char *after)
{
	for (size_t i = 0; i < m->zone_count; i++) {
		text_add(config, before);
		dname_print(&m->zone[i].apex, config);
		text_printf(config, "%s%zu%s", between, i, after);
	}
}

static void start_nighd(struct servers *s, const struct made *m)
{
	struct text config = {0};

	text_add(&config, "workers: 1\ncookies: {mode: off}\nrateLimit: {mode: off}\n"
	                  "defaults: {maxAddresses: 1000}\nzones:\n");
	add_zones(m, &config, "  - {name: \"", "\", file: zones/", "}\n");
	world_config(s->world, config.data);
	text_fini(&config);
	world_folder(s->world, "manifests/host");
	world_start(s->world);
	s->peer[NIGHD].port = world_dns_port(s->world);
}

static void start_nsd(struct servers *s, const struct made *m)
{
	struct peer *p = &s->peer[NSD];
	struct text config = {0};
	char dir[200], file[256];

	snprintf(dir, sizeof(dir), "%s", world_path(s->world, p->name));
	text_printf(&config,
	            "server:\n  ip-address: %s\n  port: %u\n  username: \"\"\n"
	            "  zonesdir: \"%s/../zones\"\n  database: \"\"\n  pidfile: \"%s/pid\"\n"
	            "  xfrdfile: \"%s/xfrd\"\n  xfrdir: \"%s\"\n  zonelistfile: \"%s/list\"\n"
	            "  server-count: 1\n  verbosity: 1\n  minimal-responses: yes\n"
	            "  rrl-ratelimit: 0\n  hide-version: yes\n  hide-identity: yes\n"
	            "remote-control:\n  control-enable: no\n",
	            p->address, p->port, dir, dir, dir, dir, dir);
	add_zones(m, &config, "zone:\n  name: \"", "\"\n  zonefile: \"", "\"\n");
	world_write(s->world, "nsd/c", "%s", config.data);
	text_fini(&config);
	snprintf(file, sizeof(file), "%s/c", dir);
	peers_run(s->world, p, (const char *[]){"nsd", "-d", "-c", file, NULL});
}

static void start_knot(struct servers *s, const struct made *m)
{
	struct peer *p = &s->peer[KNOT];
	struct text config = {0};
	char dir[200], file[256];

	snprintf(dir, sizeof(dir), "%s", world_path(s->world, p->name));
	text_printf(&config,
	            "server:\n  rundir: %s\n  listen: %s@%u\n  udp-workers: 1\n  tcp-workers: 1\n"
	            "  background-workers: 1\n"
	            "database:\n  storage: %s\n"
	            "template:\n  - id: default\n    storage: %s/../zones\n"
	            "    journal-content: none\n    semantic-checks: off\n"
	            "zone:\n",
	            dir, p->address, p->port, dir, dir);
	add_zones(m, &config, "  - domain: \"", "\"\n    file: \"", "\"\n");
	world_write(s->world, "knot/c", "%s", config.data);
	text_fini(&config);
	snprintf(file, sizeof(file), "%s/c", dir);
	peers_run(s->world, p, (const char *[]){"knotd", "-c", file, NULL});
}

/* Does it have the zone? */
static bool is_serving(struct servers *s, const struct peer *p, const struct dname *apex)
{
	struct text name = {0};
	struct world_question q = {.type = "SOA", .port = p->port, .size = 512};
	struct world_answer a;

	dname_print(apex, &name);
	q.name = name.data;
	a = world_question(s->world, &q);
	text_fini(&name);
	return a.rcode == 0 && a.authoritative;
}

static void await(struct servers *s, const struct made *m, const struct peer *p)
{
	struct deadline deadline = inside_deadline(START_MS);

	for (size_t i = 0; i < m->zone_count; i++) {
		while (!is_serving(s, p, &m->zone[i].apex)) {
			if (!inside_has_time(deadline)) {
				peers_print_logs(s->world, &s->peer[NSD], SERVERS - NSD);
				peers_stop(&s->peer[NSD], SERVERS - NSD);
				world_fail(s->world, "%s does not serve zone %zu:\n%s", p->name, i,
				           m->zone[i].file.data);
			}
			inside_rest();
		}
	}
}

void servers_start(struct servers *s, const struct made *m)
{
	*s = (struct servers){
		.world = world_new(),
		.peer = {{.name = "nighd"}, {.name = "nsd"}, {.name = "knot"}},
	};
	write_zones(s->world, m);
	for (unsigned i = 0; i < SERVERS; i++) {
		s->peer[i].address = "127.0.0.1";
		s->peer[i].port = peers_free_port(i);
	}
	start_nsd(s, m);
	start_knot(s, m);
	start_nighd(s, m);
	for (unsigned i = 0; i < SERVERS; i++)
		await(s, m, &s->peer[i]);
}

void servers_stop(struct servers *s)
{
	peers_stop(&s->peer[NSD], SERVERS - NSD);
	world_free(s->world);
}
