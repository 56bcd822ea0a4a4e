/* world.h -- a world for scenarios: a folder of clusters, a real nighd on loopback, clients anywhere.
 *
 * Every scenario reads as prose: write files, start, ask, expect within a time.  Ports are the
 * kernel's choice; waiting is polling with a deadline; a failed expectation prints what was
 * expected, what came, nighd's log, and ends the test.  One world at a time per thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_SUPPORT_WORLD_H
#define TESTS_SUPPORT_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct world;

/* For cmocka: each test has a world of its own in *state, which ends with it also when it fails. */
int world_setup(void **state);
int world_teardown(void **state);
#define world_test(function) cmocka_unit_test_setup_teardown(function, world_setup, world_teardown)

/* A new temporary folder with an empty manifests/; nighd ($NIGHD) is not yet started. */
struct world *world_new(void);
/* Ends nighd (SIGTERM, exit status 0 demanded; then SIGKILL) and removes the folder. */
void world_free(struct world *w);
const char *world_path(const struct world *w,
                       const char *name); /* in the folder; good until the next call */

/* Ends the test: these words, then the end of nighd's log. */
void world_fail(struct world *w, const char *fmt, ...)
	__attribute__((noreturn, format(printf, 2, 3)));

/* --- files; names are relative to the folder, "manifests/clusters/la/web.yaml"; folders are made --- */
/* Written beside it under a dot name, then renamed: readers see the old or the new. */
void world_write(struct world *w, const char *name, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* Written into the file itself, as an editor or a shell does. */
void world_write_in_place(struct world *w, const char *name, const char *text);
void world_folder(struct world *w, const char *name);               /* an empty folder */
void world_remove(struct world *w, const char *name);               /* a file or a whole folder */
void world_move(struct world *w, const char *from, const char *to); /* rename(2) */
void world_link(struct world *w, const char *target,
                const char *name); /* symlink, swapped by rename */

/* --- objects in files of the usual places --- */
/* host/cluster-NAME.yaml: a KubeFedCluster with location, region and zone ("" for none). */
void world_cluster(struct world *w, const char *name, const char *location, const char *region,
                   const char *zone);
void world_domain(struct world *w, const char *name, const char *zone);
/* clusters/CLUSTER/service-NAME.yaml: Service shop/NAME of type LoadBalancer with that address (or host name), and an
 * EndpointSlice with one endpoint. `annotations`: flow mapping inside braces, or "". */
void world_service(struct world *w, const char *cluster, const char *name, const char *address,
                   bool ready, const char *annotations);
/* The same with the Service's first port. */
void world_service_on(struct world *w, const char *cluster, const char *name, const char *address,
                      unsigned port, bool ready, const char *annotations);
/* host/policy.yaml: the TrafficPolicy shop/web for the ServiceDNSRecord web; `spec`: lines "  KEY: VALUE\n". */
void world_policy(struct world *w, const char *spec);
void world_service_record(struct world *w, const char *name,
                          const char *domain_ref); /* shop/NAME */
/* host/FILE: the DNSEndpoint shop/OBJECT with one endpoint; `target` as a YAML scalar or several, "192.0.2.1, 192.0.2.2". */
void world_endpoint(struct world *w, const char *file, const char *object, const char *dns_name,
                    const char *type, const char *target);
/* networks.csv: 192.0.2.0/24 Boston, 198.51.100.0/24 Austin, 203.0.113.0/24 San Francisco, and three IPv6 networks. */
void world_networks(struct world *w);
/* The networks, zone example.com as Domain fed, and the clusters newyork, houston, losangeles (regions us-east, us-south,
 * us-west, zones REGION-a) that serve shop/web at 198.18.1.10, 198.18.2.10, 198.18.3.10, published by a
 * ServiceDNSRecord: web.shop.fed.svc.example.com. */
void world_three_cities(struct world *w);

/* --- nighd --- */
/* More keys for the config, besides listen, sources.manifests, and geo.networks when networks.csv exists; of these, a
 * section that begins a line of `yaml` replaces ours.  Written at each start, and now when nighd runs. */
void world_config(struct world *w, const char *yaml);
/* Flags for the next starts, behind -c; ends with NULL, and outlives them. */
void world_flags(struct world *w, const char *const *flags);
void world_start(struct world *w);         /* and waits until /readyz is 200 */
void world_start_unready(struct world *w); /* waits for /livez only */
/* Starts and expects it to end by itself with that status and that text in its words. */
void world_expect_start_fails(struct world *w, int status, const char *text);
/* Starts another one with --takeover and the same config; returns its process. */
int world_spawn_heir(struct world *w);
/* That one takes over and is our nighd from now on; the one before ends by itself, exit status 0 demanded. */
void world_expect_replaced(struct world *w, int heir);
/* It serves, as our nighd; the one before has been seen to its end. */
void world_expect_heir(struct world *w, int heir);
void world_replace(struct world *w); /* starts one that takes over */
/* Starts another one with --takeover and expects it to end by itself with that status and that text in its words, while
 * nighd goes on. */
void world_expect_replace_fails(struct world *w, int status, const char *text);
void world_stop(struct world *w);                   /* SIGTERM; exit status 0 demanded */
void world_expect_end(struct world *w, int status); /* by itself, or by a signal sent before */
void world_kill(struct world *w);                   /* SIGKILL */
void world_signal(struct world *w, int signum);
/* nighd's words since it was started last; good until the next call. */
const char *world_log(struct world *w);
void world_expect_log(struct world *w, const char *text, unsigned within_ms);
int world_pid(const struct world *w); /* 0: not running */

/* --- asking --- */
/* A UDP query of `type` for `name`; `client`: ECS prefix "192.0.2.0/24", or NULL for none. Answer: the RDATA of all records
 * of the answer section, RRsets in order, the records of one sorted, joined by " "; without records the rcode
 * ("NXDOMAIN", "SERVFAIL", "REFUSED"), "NODATA" (NOERROR with a SOA), "REFERRAL" (with NS), "EMPTY" or "SILENCE".
 * Good until the next call. */
const char *world_ask(struct world *w, const char *name, const char *type, const char *client);
/* Like world_ask over TCP. */
const char *world_ask_tcp(struct world *w, const char *name, const char *type, const char *client);
struct world_answer {
	int rcode;
	bool authoritative, truncated;
	uint32_t ttl;          /* of the first answer record; of the SOA when there is none */
	int scope;             /* of ECS; -1: no ECS in the answer */
	int ede;               /* first extended error code; -1: none */
	char records[2048];    /* as world_ask() */
	char authority[2048];  /* "NAME TYPE RDATA", joined by "; " */
	char additional[2048]; /* the same, without OPT */
	char options[512];     /* of EDNS: "CODE=HEX", joined by " "; "" also without OPT */
	bool has_opt;
	int address_count; /* A and AAAA records of the answer section */
};
/* What a query can be besides. */
struct world_question {
	const char *name, *type, *client; /* as world_ask() */
	const char *from, *to;            /* loopback addresses; NULL: 127.0.0.1 */
	unsigned port;                    /* 0: that of nighd's first address */
	bool tcp, no_edns;
	unsigned size;       /* of EDNS; 0: 1232 */
	unsigned version;    /* of EDNS */
	unsigned dns_class;  /* 0: IN */
	const char *options; /* of EDNS, behind client's: "CODE=HEX", joined by " "; NULL: none */
};
struct world_answer world_question(struct world *w, const struct world_question *q);
struct world_answer world_query(struct world *w, const char *name, const char *type,
                                const char *client);
/* Polls until the answer is `expected`, for at most within_ms (0: it is so now); fails the test otherwise. */
void world_expect(struct world *w, const char *name, const char *type, const char *client,
                  const char *expected, unsigned within_ms);
/* The answer is `expected` now and stays so for for_ms. */
void world_expect_stays(struct world *w, const char *name, const char *type, const char *client,
                        const char *expected, unsigned for_ms);

/* --- HTTP --- */
/* The body of GET path (status in *status, may be NULL); good until the next call. */
const char *world_get(struct world *w, const char *path, int *status);
const char *world_send(struct world *w, const char *method, const char *path, int *status);
/* The same as JSON, status 200 demanded; the caller puts it. */
struct json_object *world_json(struct world *w, const char *path);
/* Polls GET path until its body holds `text` (or, with a leading '!', does not), for at most within_ms. */
void world_expect_http(struct world *w, const char *path, const char *text, unsigned within_ms);
/* A counter or gauge of /metrics ("dnsd_answers_total{transport=\"udp\",rcode=\"NOERROR\"}"); -1 when absent. */
double world_metric(struct world *w, const char *sample);

/* Runs a program (argv ends with NULL) and returns its exit status; its output (both streams) in *out, good until
 * the next call.  "$NIGHCTL" style words are looked up in the environment. */
int world_run(struct world *w, const char *const *argv, const char **out);
/* Expects world_run() to end with that status and `text` in its output; returns the output. */
const char *world_expect_run(struct world *w, const char *const *argv, int status,
                             const char *text);
unsigned world_dns_port(const struct world *w);
unsigned world_http_port(const struct world *w);

/* --- what to expect of this machine and build --- */
/* Is $NIGHD built with sanitizers?  It is several times slower then, ... */
bool world_is_sanitized(void);
/* ... and keeps so many bytes of what was freed, which are not nighd's; 0 otherwise. */
double world_sanitizer_bytes(void);
/* So many descriptors as this process may open beside its own, and not more than wanted. */
unsigned world_descriptors(unsigned wanted);

#endif
