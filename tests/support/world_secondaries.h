/* world_secondaries.h -- who follows nighd: dig, and BIND, Knot and NSD as secondaries of the zone example.com.
 *
 * All is in the world's folder and on 127.0.0.1.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_SUPPORT_WORLD_SECONDARIES_H
#define TESTS_SUPPORT_WORLD_SECONDARIES_H

#include "tests/support/world.h"
#include "tests/support/world_peers.h"

/* The key `transfer`, as dig has it, and its secret. */
#define SECONDARIES_SECRET "c2VjcmV0IHNlY3JldCBzZWNyZXQgc2VjcmV0IDEyMzQ="
#define SECONDARIES_KEY    "hmac-sha256:transfer:" SECONDARIES_SECRET

/* The file `keys` with that key, for nighd's `tsig`. */
void secondaries_write_keys(struct world *w);

/* The files cert.pem, with the name SECONDARIES_PRIMARY, and key.pem; the config's section with them; and the port of TLS then. */
#define SECONDARIES_PRIMARY "primary.example"
#define SECONDARIES_LISTEN                                                                         \
	"listen: {dns: [\"127.0.0.1:0\"], http: \"127.0.0.1:0\", tls: {addresses: "                \
	"[\"127.0.0.1:0\"], certificate: cert.pem, key: key.pem}}\n"
void secondaries_write_certificate(struct world *w);
unsigned secondaries_tls_port(struct world *w);

/* What dig prints of example.com, asked for by `type` ("AXFR", "IXFR=7") at that port from that address, with a key or "":
 * records, one a line; "" when it fails.  The caller frees it. */
char *secondaries_dig(struct world *w, unsigned port, const char *from, const char *key,
                      const char *type);
/* The same over "+tcp", "+tls" or "+notcp". */
char *secondaries_dig_over(struct world *w, const char *transport, unsigned port, const char *from,
                           const char *key, const char *type);
/* The whole zone at that port, asked for from SECONDARIES_VIEWER: records sorted, single blanks.  The caller frees it. */
#define SECONDARIES_VIEWER "127.0.0.5"
char *secondaries_zone_at(struct world *w, unsigned port);
/* The serial of the first SOA in such a text; 0: there is none. */
unsigned secondaries_serial_in(const char *zone);

enum { SECONDARIES_KNOT, SECONDARIES_NSD, SECONDARIES_NAMED, SECONDARIES_COUNT };

/* Chooses the ports. */
void secondaries_init(struct peer s[SECONDARIES_COUNT]);
/* "127.0.0.1:PORT", ... for `notify`. */
void secondaries_print(const struct peer s[SECONDARIES_COUNT], char *out, size_t room);
/* nighd, which has been started with the keys, is their primary; NOTIFY has to be signed. */
void secondaries_start(struct world *w, struct peer s[SECONDARIES_COUNT]);
/* The same over TLS alone, and for BIND and NSD: Knot 3.2 does not speak it.  They demand that certificate. */
void secondaries_start_over_tls(struct world *w, struct peer s[SECONDARIES_COUNT],
                                unsigned tls_port);
void secondaries_stop(struct peer s[SECONDARIES_COUNT]);
/* Waits until each that runs has what nighd has, record by record. */
void secondaries_expect(struct world *w, struct peer s[SECONDARIES_COUNT]);

#endif
