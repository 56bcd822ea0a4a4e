/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/world_secondaries.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/text.h"
#include "base/xalloc.h"
#include "tests/support/dnsd_certificate.h"
#include "tests/support/world_inside.h"

enum { FOLLOWED_MS = 30000, RECORDS_MOST = 1000 };

void secondaries_write_keys(struct world *w)
{
	world_write(w, "keys",
	            "key \"transfer\" { algorithm hmac-sha256; secret \"" SECONDARIES_SECRET
	            "\"; };\n");
	assert_int_equal(chmod(world_path(w, "keys"), 0640), 0);
}

void secondaries_write_certificate(struct world *w)
{
	char certificate[256], key[256];

	snprintf(certificate, sizeof(certificate), "%s", world_path(w, "cert.pem"));
	snprintf(key, sizeof(key), "%s", world_path(w, "key.pem"));
	certificate_write(certificate, key, SECONDARIES_PRIMARY);
}

unsigned secondaries_tls_port(struct world *w)
{
	static const char before[] = "\"tls\":[\"127.0.0.1:";
	const char *at = strstr(world_get(w, "/status", NULL), before);

	assert_non_null(at);
	return (unsigned)strtoul(at + strlen(before), NULL, 10);
}

/* --- dig --- */

char *secondaries_dig_over(struct world *w, const char *transport, unsigned port, const char *from,
                           const char *key, const char *type)
{
	char port_text[16];
	const char *argv[] = {"dig",     "-p",      port_text,     "@127.0.0.1", "-b",
	                      from,      "+noall",  "+answer",     "+onesoa",    "+tries=1",
	                      "+time=5", transport, "example.com", type,         NULL,
	                      NULL,      NULL};
	const char *out;

	if (*key) {
		argv[14] = "-y";
		argv[15] = key;
	}
	snprintf(port_text, sizeof(port_text), "%u", port);
	(void)world_run(w, argv, &out);
	return xstrdup(strstr(out, "Transfer failed") || strstr(out, "failed:") ? "" : out);
}

char *secondaries_dig(struct world *w, unsigned port, const char *from, const char *key,
                      const char *type)
{
	return secondaries_dig_over(w, "+tcp", port, from, key, type);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The lines sorted, so that two transfers can be compared. */
static char *sorted(char *text)
{
	char *line[RECORDS_MOST], *save, *at = strtok_r(text, "\n", &save);
	struct text out = {0};
	size_t count = 0;

	for (; at && count < RECORDS_MOST; at = strtok_r(NULL, "\n", &save))
		if (!strstr(at, "TSIG"))
			line[count++] = at;
	qsort(line, count, sizeof(*line), by_text);
	text_add(&out, "");
	for (size_t i = 0; i < count; i++) {
		for (const char *c = line[i]; *c; c++)
			if (*c != '\t' && *c != ' ')
				text_add_bytes(&out, (struct bytes){(const uint8_t *)c, 1});
			else if (out.data[out.len - 1] != ' ')
				text_add(&out, " ");
		text_add(&out, "\n");
	}
	free(text);
	return text_take(&out);
}

unsigned secondaries_serial_in(const char *zone)
{
	const char *at = strstr(zone, "hostmaster.example.com. ");

	return at ? (unsigned)strtoul(at + strlen("hostmaster.example.com. "), NULL, 10) : 0;
}

char *secondaries_zone_at(struct world *w, unsigned port)
{
	return sorted(secondaries_dig(w, port, SECONDARIES_VIEWER, "", "AXFR"));
}

/* --- the programs --- */

static void start_knot(struct world *w, struct peer *s)
{
	char dir[200], config[256];

	snprintf(dir, sizeof(dir), "%s", world_path(w, "knot"));
	world_write(w, "knot/c",
	            "server:\n  rundir: %s\n  listen: 127.0.0.1@%u\n"
	            "database:\n  storage: %s\n"
	            "key:\n  - id: transfer\n    algorithm: hmac-sha256\n    "
	            "secret: " SECONDARIES_SECRET "\n"
	            "remote:\n  - id: primary\n    address: 127.0.0.1@%u\n    key: transfer\n"
	            "acl:\n  - id: all\n    address: 127.0.0.0/8\n    action: transfer\n"
	            "  - id: told\n    address: 127.0.0.1\n    key: transfer\n    action: notify\n"
	            "zone:\n  - domain: example.com\n    master: primary\n    acl: [all, told]\n"
	            "    storage: %s\n",
	            dir, s->port, dir, world_dns_port(w), dir);
	snprintf(config, sizeof(config), "%s/c", dir);
	peers_run(w, s, (const char *[]){"knotd", "-c", config, NULL});
}

/* How NSD and BIND reach nighd. */
struct primary {
	unsigned port;
	const char *nsd, *named;           /* declares TLS */
	const char *nsd_uses, *named_uses; /* with the primary's address */
};

static struct primary plain_primary(const struct world *w)
{
	return (struct primary){world_dns_port(w), "", "", "", ""};
}

static void start_nsd(struct world *w, struct peer *s, const struct primary *p)
{
	char dir[200], config[256];

	snprintf(dir, sizeof(dir), "%s", world_path(w, "nsd"));
	world_write(
		w, "nsd/c",
		"server:\n  ip-address: 127.0.0.1\n  port: %u\n  username: \"\"\n"
		"  zonesdir: \"%s\"\n  database: \"\"\n  pidfile: \"%s/pid\"\n"
		"  xfrdfile: \"%s/xfrd\"\n  xfrdir: \"%s\"\n  zonelistfile: \"%s/list\"\n"
		"  server-count: 1\n  verbosity: 2\n"
		"%s"
		"remote-control:\n  control-enable: no\n"
		"key:\n  name: transfer\n  algorithm: hmac-sha256\n  secret: \"" SECONDARIES_SECRET
		"\"\n"
		"zone:\n  name: example.com\n  zonefile: zone\n"
		"  request-xfr: 127.0.0.1@%u transfer%s\n  allow-notify: 127.0.0.1 transfer\n"
		"  provide-xfr: 127.0.0.0/8 NOKEY\n",
		s->port, dir, dir, dir, dir, dir, p->nsd, p->port, p->nsd_uses);
	snprintf(config, sizeof(config), "%s/c", dir);
	peers_run(w, s, (const char *[]){"nsd", "-d", "-c", config, NULL});
}

static void start_named(struct world *w, struct peer *s, const struct primary *p)
{
	char dir[200], config[256];

	snprintf(dir, sizeof(dir), "%s", world_path(w, "named"));
	world_write(
		w, "named/c",
		"options { directory \"%s\"; listen-on port %u { 127.0.0.1; };\n"
		"  listen-on-v6 { none; }; pid-file \"%s/pid\"; session-keyfile \"%s/session\";\n"
		"  lock-file none; recursion no; dnssec-validation no; notify no;\n"
		"  allow-transfer { any; }; };\n"
		"controls { };\n%s"
		"key \"transfer\" { algorithm hmac-sha256; secret \"" SECONDARIES_SECRET "\"; };\n"
		"zone \"example.com\" { type secondary; file \"zone\"; allow-notify { key "
		"transfer; };\n"
		"  primaries port %u { 127.0.0.1 key transfer%s; }; };\n",
		dir, s->port, dir, dir, p->named, p->port, p->named_uses);
	snprintf(config, sizeof(config), "%s/c", dir);
	peers_run(w, s, (const char *[]){"named", "-g", "-c", config, NULL});
}

void secondaries_init(struct peer s[SECONDARIES_COUNT])
{
	static const char *const names[] = {"knot", "nsd", "named"};

	for (unsigned i = 0; i < SECONDARIES_COUNT; i++)
		s[i] = (struct peer){
			.name = names[i], .address = "127.0.0.1", .port = peers_free_port(i)};
}

void secondaries_print(const struct peer s[SECONDARIES_COUNT], char *out, size_t room)
{
	snprintf(out, room, "\"127.0.0.1:%u\", \"127.0.0.1:%u\", \"127.0.0.1:%u\"", s[0].port,
	         s[1].port, s[2].port);
}

void secondaries_start(struct world *w, struct peer s[SECONDARIES_COUNT])
{
	struct primary p = plain_primary(w);

	start_knot(w, &s[SECONDARIES_KNOT]);
	start_nsd(w, &s[SECONDARIES_NSD], &p);
	start_named(w, &s[SECONDARIES_NAMED], &p);
}

void secondaries_start_over_tls(struct world *w, struct peer s[SECONDARIES_COUNT],
                                unsigned tls_port)
{
	char nsd[512], named[512];
	const char *certificate = world_path(w, "cert.pem");
	struct primary p = {tls_port, nsd, named, " primary", " tls primary"};

	snprintf(nsd, sizeof(nsd),
	         "  tls-cert-bundle: \"%s\"\n"
	         "tls-auth:\n  name: primary\n  auth-domain-name: \"" SECONDARIES_PRIMARY "\"\n",
	         certificate);
	snprintf(named, sizeof(named),
	         "tls primary { ca-file \"%s\"; remote-hostname \"" SECONDARIES_PRIMARY "\"; };\n",
	         certificate);
	start_nsd(w, &s[SECONDARIES_NSD], &p);
	start_named(w, &s[SECONDARIES_NAMED], &p);
}

void secondaries_stop(struct peer s[SECONDARIES_COUNT]) { peers_stop(s, SECONDARIES_COUNT); }

/* All that run have what nighd has, record by record. */
static bool have_all(struct world *w, struct peer *s, const char *zone, char **differs)
{
	for (int i = 0; i < SECONDARIES_COUNT; i++) {
		char *its;

		if (s[i].pid == 0)
			continue;
		its = secondaries_zone_at(w, s[i].port);
		if (strcmp(its, zone) != 0) {
			free(*differs);
			*differs = its;
			if (*its == '\0')
				*differs = xstrdup(s[i].name);
			return false;
		}
		free(its);
	}
	return true;
}

void secondaries_expect(struct world *w, struct peer s[SECONDARIES_COUNT])
{
	struct deadline deadline = inside_deadline(FOLLOWED_MS);
	char *zone = secondaries_zone_at(w, world_dns_port(w)), *differs = NULL;

	while (*zone == '\0' || !have_all(w, s, zone, &differs)) {
		if (!inside_has_time(deadline)) {
			peers_print_logs(w, s, SECONDARIES_COUNT);
			secondaries_stop(s);
			world_fail(w, "a secondary has\n%s\nand nighd has\n%s",
			           differs ? differs : "nothing", zone);
		}
		inside_rest();
		free(zone);
		zone = secondaries_zone_at(w, world_dns_port(w));
	}
	free(differs);
	free(zone);
}
