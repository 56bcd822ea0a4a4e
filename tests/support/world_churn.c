/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/world_churn.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "tests/support/world_hostile.h"
#include "tests/support/world_tls.h"

enum { SOON_MS = 10000 };

const struct askers_question churn_questions[CHURN_QUESTIONS] = {
	{"always.example.com", {"192.0.2.13"}},
	{"turns.example.com", {"192.0.2.10", "192.0.2.11"}},
	{"always.file.test", {"192.0.2.12"}},
	{"turns.file.test", {"192.0.2.10", "192.0.2.11"}},
	{"always.seen.example.com", {"198.18.0.12"}},
	{"turns.seen.example.com", {"198.18.0.10", "198.18.0.11"}},
};

/* Secrets are for their owner alone. */
static void write_private(struct world *w, const char *name, const char *text)
{
	char beside[64];

	snprintf(beside, sizeof beside, "%s.new", name);
	world_write(w, beside, "%s", text);
	assert_int_equal(chmod(world_path(w, beside), 0600), 0);
	world_move(w, beside, name);
}

void churn_zone_file(struct world *w, unsigned step)
{
	world_write(w, "file.zone",
	            "$TTL 60\n"
	            "@ IN SOA ns hostmaster %u 3600 600 86400 60\n"
	            "@ IN NS ns\nns IN A 192.0.2.53\n"
	            "always IN A 192.0.2.12\nturns IN A 192.0.2.%u\n",
	            step + 1, 10 + step % 2);
}

void churn_manifests(struct world *w, unsigned step)
{
	char target[32];

	snprintf(target, sizeof target, "198.18.0.%u", 10 + step % 2);
	world_endpoint(w, "turns.yaml", "turns", "turns.seen.example.com", "A", target);
	world_endpoint(w, "always.yaml", "always", "always.seen.example.com", "A", "198.18.0.12");
	if (step % 3 == 0)
		world_endpoint(w, "comes.yaml", "comes", "comes.seen.example.com", "A", target);
	else if (step % 3 == 1 && step > 1)
		world_remove(w, "manifests/host/comes.yaml");
}

void churn_certificate(struct world *w) { world_tls_renew(w, "renewed"); }

/* Two configs: what they answer, limit and say of themselves is another. */
static void write_config(struct world *w, unsigned step)
{
	char yaml[4096];
	unsigned odd = step % 2;

	snprintf(yaml, sizeof yaml,
	         "%s"
	         "zones:\n"
	         "- name: example.com\n"
	         "  nameservers: [{name: ns1.example.com, addresses: [192.0.2.53]}]\n"
	         "  transfer: {allow: [{address: 127.0.0.0/8}, {address: \"::1/128\"}]}\n"
	         "  records: [" HOSTILE_ZONE_RECORDS
	         ", \"always 300 IN A 192.0.2.13\", \"turns 300 IN A 192.0.2.%u\"%s]\n"
	         "- name: file.test\n  file: file.zone\n%s"
	         "cookies: {secretFile: cookies}\n"
	         "tsig: keys\n"
	         "rateLimit: {perSecond: %u, exempt: [127.0.0.0/8, \"::1/128\"]}\n"
	         "tcp: {idle: %us}\n"
	         "identity: {nsid: step-%u, version: \"%u\"}\n"
	         "defaults: {maxAddresses: %u}\n",
	         PROBE_LISTEN, 10 + odd, odd ? ", \"more 300 IN A 192.0.2.4\"" : "",
	         odd ? "- {name: other.test, records: [\"www 300 IN A 192.0.2.5\"]}\n" : "",
	         100 + odd, 10 + odd, step, step, 16 + odd);
	world_config(w, yaml);
}

void churn_reload(struct world *w, unsigned step)
{
	write_config(w, step);
	world_signal(w, SIGHUP);
}

void churn_start(struct world *w, struct transport transports[PROBE_TRANSPORTS])
{
	write_private(w, "keys",
	              "key \"transfer\" { algorithm hmac-sha256; secret \"" CHURN_SECRET
	              "\"; };\n");
	write_private(w, "cookies", "e5e973e5a6b2a43f48e7dc849e37bfcf\n");
	churn_zone_file(w, 0);
	churn_manifests(w, 0);
	probe_start(w, "", transports);
	churn_reload(w, 0);
	for (unsigned i = 0; i < CHURN_QUESTIONS; i++)
		world_expect(w, churn_questions[i].name, "A", NULL, churn_questions[i].right[0],
		             SOON_MS);
}
