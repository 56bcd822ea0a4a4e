/* world_probe.h -- messages written by hand, sent over every transport, and what each answer must keep to (RFC 8906 8).
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_SUPPORT_WORLD_PROBE_H
#define TESTS_SUPPORT_WORLD_PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/support/world.h"
#include "tests/support/world_tls.h"

/* Listens where every transport can be asked, with a listed proxy; cert.pem and key.pem are written by probe_start(). */
#define PROBE_PROXY "127.0.0.9"
#define PROBE_LISTEN                                                                               \
	"listen: {dns: [\"127.0.0.1:0\", \"[::1]:0\"], http: \"127.0.0.1:0\", proxyFrom: "         \
	"[" PROBE_PROXY "], tls: {addresses: "                                                     \
	"[\"127.0.0.1:0\", \"[::1]:0\"], certificate: cert.pem, key: key.pem}}\n"

/* --- messages as text --- */

/* Hex digits and blanks; "Z" is example.com, "X" absent.example.com, "N" elsewhere.test, "W" www.example.com.  Returns the
 * length. */
size_t probe_build(const char *text, uint8_t *out);

#define HEAD(flags, additional)    "1234" flags "0001 0000 0000" additional
#define ASK_SOA                    "Z 0006 0001"
#define OPT(ttl, len, options)     "00 0029 04d0" ttl len options
#define PLAIN(flags)               HEAD(flags, "0000") ASK_SOA
#define EDNS(flags, ttl, len, opt) HEAD(flags, "0001") ASK_SOA OPT(ttl, len, opt)
#define COOKIE                     "000a 0008 0102030405060708"
#define ECS_NONE                   "0008 0004 0001 00 00"

enum {
	NOERROR = 0,
	FORMERR = 1,
	NXDOMAIN = 3,
	NOTIMP = 4,
	REFUSED = 5,
	NOTAUTH = 9,
	BADVERS = 16,
	BADCOOKIE = 23,
	SILENCE = 255 /* no answer, and a connection ends */
};
enum { QR = 0x8000, OPCODE = 0x7800, AA = 0x0400, TC = 0x0200, RD = 0x0100, DO = 0x8000 };
enum { PROBE_HEADER = 12, TYPE_SOA = 6, TYPE_OPT = 41, TYPE_TSIG = 250 };

/* --- what came --- */

struct probe_reply {
	unsigned flags, rcode, counts[4];
	bool has_opt, has_soa;
	unsigned opt_count, edns_flags, version;
	unsigned tsig_error; /* 0: no TSIG */
	char options[256];   /* codes, joined by " " */
	size_t len;
};

/* False when it does not end where its counts say. */
bool probe_read(const uint8_t *packet, size_t len, struct probe_reply *out);

/* --- transports --- */

enum probe_kind { PROBE_UDP, PROBE_TCP, PROBE_TLS };
enum { PROBE_TRANSPORTS = 6 };

struct transport {
	const char *label;
	enum probe_kind kind;
	bool v6;
	unsigned port;
};

/* for (EACH_TRANSPORT(t)), of an array of that name. */
#define EACH_TRANSPORT(t)                                                                          \
	const struct transport *t = transports;                                                    \
	t < transports + PROBE_TRANSPORTS;                                                         \
	t++

/* Starts nighd with PROBE_LISTEN and these keys, and learns its ports. */
void probe_start(struct world *w, const char *config, struct transport out[PROBE_TRANSPORTS]);
/* Asks once (over UDP again, when nothing comes), from `from` or from anywhere (NULL); returns the length of the reply, 0: SILENCE. */
size_t probe_exchange(struct world *w, const struct transport *t, const char *from,
                      const uint8_t *query, size_t len, uint8_t *reply);
/* The answer, that there must be, after what every answer keeps to, whatever was asked. */
struct probe_reply probe_ask(struct world *w, const struct transport *t, const uint8_t *query,
                             size_t len);

/* A connection over TCP or TLS; its messages have their length before them (world_wire_frame()). */
struct probe_stream {
	bool is_tls;
	struct tls_client tls; /* of TCP, its fd alone */
};
void probe_stream_open(struct world *w, const struct transport *t, const char *from,
                       struct probe_stream *out);
void probe_stream_send(struct world *w, struct probe_stream *s, const uint8_t *bytes, size_t len);
/* The next message; 0 when the connection ends or nothing comes in time. */
size_t probe_stream_receive(struct world *w, struct probe_stream *s, uint8_t *reply);
/* Says that nothing more will be sent: FIN, or close_notify. */
void probe_stream_end(struct probe_stream *s);
void probe_stream_close(struct probe_stream *s);

/* --- a probe --- */

struct probe {
	const char *label, *message;
	unsigned rcode;
	bool has_soa, has_opt;
	const char *options; /* codes in the answer; NULL: none */
};

void probe_expect(struct world *w, const struct transport *t, const struct probe *p);

#endif
