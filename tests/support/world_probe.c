/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/world_probe.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "tests/support/world_wire.h"

enum { REPLY_MS = 5000, SILENCE_MS = 300, UDP_TRIES = 3 };

/* --- messages as text --- */

static const struct {
	char letter;
	const char *wire;
	size_t len;
} names[] = {
	{'Z', "\7example\3com", 13},
	{'X', "\6absent\7example\3com", 20},
	{'N', "\11elsewhere\4test", 16},
	{'W', "\3www\7example\3com", 17},
};

static size_t put_name(char letter, uint8_t *out)
{
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (names[i].letter == letter) {
			memcpy(out, names[i].wire, names[i].len);
			return names[i].len;
		}
	return 0;
}

size_t probe_build(const char *text, uint8_t *out)
{
	size_t len = 0;

	for (; *text != '\0'; text++) {
		size_t name = put_name(*text, out + len);

		len += name;
		if (name > 0 || *text == ' ')
			continue;
		out[len++] = (uint8_t)strtoul((char[]){text[0], text[1], 0}, NULL, 16);
		text++;
	}
	return len;
}

/* --- what came --- */

/* NULL: beyond the end. */
static const uint8_t *skip_name(const uint8_t *at, const uint8_t *end)
{
	for (; at < end && *at != 0; at += 1 + *at)
		if (*at >= 0xc0)
			return end - at >= 2 ? at + 2 : NULL;
	return at < end ? at + 1 : NULL;
}

static bool read_opt(struct probe_reply *r, unsigned extended, const uint8_t *data, size_t len)
{
	size_t at = 0;

	r->has_opt = true;
	r->opt_count++;
	r->rcode |= (extended >> 24) << 4;
	r->version = extended >> 16 & 0xff;
	r->edns_flags = extended & 0xffff;
	while (at + 4 <= len) {
		size_t used = strlen(r->options);

		snprintf(r->options + used, sizeof r->options - used, "%s%u", used ? " " : "",
		         bytes_get16(data + at));
		at += 4U + bytes_get16(data + at + 2);
	}
	return at == len;
}

/* RFC 8945 4.2: algorithm, time, fudge, MAC, ID, error. */
static bool read_tsig(struct probe_reply *r, const uint8_t *at, const uint8_t *end)
{
	at = skip_name(at, end);
	if (at == NULL || end - at < 10 || end - at < 10 + bytes_get16(at + 8) + 6)
		return false;
	r->tsig_error = bytes_get16(at + 10 + bytes_get16(at + 8) + 2);
	return true;
}

/* NULL: it is cut. */
static const uint8_t *read_record(struct probe_reply *r, const uint8_t *at, const uint8_t *end,
                                  bool is_answer)
{
	unsigned type, rdlength;

	at = skip_name(at, end);
	if (at == NULL || end - at < 10)
		return NULL;
	type = bytes_get16(at);
	rdlength = bytes_get16(at + 8);
	if ((size_t)(end - at) < 10U + rdlength)
		return NULL;
	r->has_soa |= type == TYPE_SOA && is_answer;
	if (type == TYPE_OPT && !read_opt(r, bytes_get32(at + 4), at + 10, rdlength))
		return NULL;
	if (type == TYPE_TSIG && !read_tsig(r, at + 10, at + 10 + rdlength))
		return NULL;
	return at + 10 + rdlength;
}

bool probe_read(const uint8_t *packet, size_t len, struct probe_reply *out)
{
	const uint8_t *at = packet + PROBE_HEADER, *end = packet + len;

	*out = (struct probe_reply){.len = len};
	if (len < PROBE_HEADER)
		return false;
	out->flags = bytes_get16(packet + 2);
	out->rcode = out->flags & 15;
	for (unsigned i = 0; i < 4; i++)
		out->counts[i] = bytes_get16(packet + 4 + 2 * i);
	for (unsigned i = 0; i < out->counts[0]; i++) {
		at = skip_name(at, end);
		if (at == NULL || end - at < 4)
			return false;
		at += 4;
	}
	for (unsigned i = 0; i < out->counts[1] + out->counts[2] + out->counts[3]; i++) {
		at = read_record(out, at, end, i < out->counts[1]);
		if (at == NULL)
			return false;
	}
	return at == end;
}

/* --- transports --- */

static unsigned port_of(struct world *w, bool v6)
{
	const char *at = v6 ? strstr(world_get(w, "/status", NULL), "[::1]:") : NULL;

	if (!v6)
		return world_dns_port(w);
	assert_non_null(at);
	return (unsigned)strtoul(at + strlen("[::1]:"), NULL, 10);
}

void probe_start(struct world *w, const char *config, struct transport out[PROBE_TRANSPORTS])
{
	static const struct transport all[PROBE_TRANSPORTS] = {
		{"UDP, IPv4", PROBE_UDP, false, 0}, {"TCP, IPv4", PROBE_TCP, false, 0},
		{"TLS, IPv4", PROBE_TLS, false, 0}, {"UDP, IPv6", PROBE_UDP, true, 0},
		{"TCP, IPv6", PROBE_TCP, true, 0},  {"TLS, IPv6", PROBE_TLS, true, 0},
	};
	char yaml[8192];

	world_tls_renew(w, "probes");
	snprintf(yaml, sizeof yaml, "%s%s", PROBE_LISTEN, config);
	world_config(w, yaml);
	world_folder(w, "manifests/host");
	world_start(w);
	for (unsigned i = 0; i < PROBE_TRANSPORTS; i++) {
		out[i] = all[i];
		out[i].port = all[i].kind == PROBE_TLS
		                      ? world_tls_port(w, all[i].v6 ? "[::1]" : "127.0.0.1")
		                      : port_of(w, all[i].v6);
	}
}

void probe_stream_open(struct world *w, const struct transport *t, const char *from,
                       struct probe_stream *out)
{
	struct world_question where = {
		.from = from, .to = t->v6 ? "::1" : "127.0.0.1", .port = t->port};
	int fd = world_wire_connect_to(w, &where);

	*out = (struct probe_stream){.is_tls = t->kind == PROBE_TLS, .tls.fd = fd};
	if (out->is_tls)
		tls_client_begin(w, &out->tls, fd, TLS1_3_VERSION, true);
}

void probe_stream_send(struct world *w, struct probe_stream *s, const uint8_t *bytes, size_t len)
{
	if (s->is_tls)
		tls_client_send(w, &s->tls, bytes, len);
	else
		world_wire_send(w, s->tls.fd, bytes, len);
}

size_t probe_stream_receive(struct world *w, struct probe_stream *s, uint8_t *reply)
{
	return s->is_tls ? tls_client_receive(&s->tls, reply)
	                 : world_wire_receive(w, s->tls.fd, reply, REPLY_MS);
}

void probe_stream_end(struct probe_stream *s)
{
	if (s->is_tls)
		assert_true(SSL_shutdown(s->tls.ssl) >= 0);
	else
		assert_int_equal(shutdown(s->tls.fd, SHUT_WR), 0);
}

void probe_stream_close(struct probe_stream *s)
{
	if (s->is_tls)
		tls_client_close(&s->tls);
	else
		close(s->tls.fd);
}

size_t probe_exchange(struct world *w, const struct transport *t, const char *from,
                      const uint8_t *query, size_t len, uint8_t *reply)
{
	struct world_question where = {
		.from = from, .to = t->v6 ? "::1" : "127.0.0.1", .port = t->port};
	uint8_t framed[WIRE_ROOM];
	struct probe_stream s;
	size_t got = 0;

	if (t->kind == PROBE_UDP) {
		for (int i = 0; i < UDP_TRIES && got == 0; i++)
			got = world_wire_udp(w, &where, query, len, reply, REPLY_MS);
		return got;
	}
	probe_stream_open(w, t, from, &s);
	probe_stream_send(w, &s, framed, world_wire_frame(query, len, framed));
	got = probe_stream_receive(w, &s, reply);
	probe_stream_close(&s);
	return got;
}

/* --- a probe --- */

struct probe_reply probe_ask(struct world *w, const struct transport *t, const uint8_t *query,
                             size_t len)
{
	uint8_t *packet = malloc(WIRE_ROOM);
	size_t got = probe_exchange(w, t, NULL, query, len, packet);
	unsigned asked = bytes_get16(query + 2);
	struct probe_reply r;

	assert_true(got >= PROBE_HEADER);
	assert_memory_equal(packet, query, 2);
	assert_true(probe_read(packet, got, &r));
	assert_int_equal(r.flags & (QR | OPCODE), QR | (asked & OPCODE));
	/* RA, Z, AD and CD are clear, TC too unless it is cut; RD is as it was, but to an unknown opcode. */
	assert_int_equal(r.flags & 0x00f0, 0);
	assert_int_equal(r.flags & RD, (asked & OPCODE) != 0 ? 0 : asked & RD);
	assert_true(r.opt_count <= 1);
	assert_int_equal(r.version, 0);
	assert_int_equal(r.edns_flags & ~(unsigned)DO, 0);
	free(packet);
	return r;
}

static bool says_do(const char *message)
{
	const char *opt = strstr(message, "0029 ");

	return opt != NULL && strncmp(opt + strlen("0029 04d0"), "00008000", 8) == 0;
}

static void expect_silence(struct world *w, const struct transport *t, const struct probe *p,
                           const uint8_t *query, size_t len)
{
	struct world_question where = {.to = t->v6 ? "::1" : "127.0.0.1", .port = t->port};
	uint8_t *reply = malloc(WIRE_ROOM);
	size_t got = t->kind == PROBE_UDP ? world_wire_udp(w, &where, query, len, reply, SILENCE_MS)
	                                  : probe_exchange(w, t, NULL, query, len, reply);

	if (got != 0)
		world_fail(w, "%s over %s is answered with %zu octets", p->label, t->label, got);
	free(reply);
}

void probe_expect(struct world *w, const struct transport *t, const struct probe *p)
{
	uint8_t query[8192];
	size_t len = probe_build(p->message, query);
	const char *options = p->options ? p->options : "";
	struct probe_reply r;

	if (p->rcode == SILENCE) {
		expect_silence(w, t, p, query, len);
		return;
	}
	r = probe_ask(w, t, query, len);
	if (r.rcode != p->rcode || r.has_soa != p->has_soa || r.has_opt != p->has_opt ||
	    strcmp(r.options, options) != 0)
		world_fail(w,
		           "%s over %s: rcode %u (%u expected), SOA %d (%d), OPT %d (%d), options "
		           "'%s' ('%s')",
		           p->label, t->label, r.rcode, p->rcode, r.has_soa, p->has_soa, r.has_opt,
		           p->has_opt, r.options, options);
	if (p->rcode == NOERROR)
		assert_int_equal(r.flags & (AA | TC), AA);
	if (p->rcode == NOTIMP && (r.flags & OPCODE) != 0)
		assert_int_equal(r.counts[0] + r.counts[1] + r.counts[2], 0);
	/* RFC 3225 3 */
	if (r.has_opt && p->rcode == NOERROR)
		assert_int_equal(r.edns_flags & DO, says_do(p->message) ? DO : 0);
}
