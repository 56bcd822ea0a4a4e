/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/world_wire.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ldns/ldns.h>
#include <poll.h>
#include <setjmp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/addr.h"
#include "base/bytes.h"
#include "tests/support/world_inside.h"

enum { OPTION_ECS = 8, TYPE_OPT = 41 };

/* --- a query --- */

struct writer {
	uint8_t *at;
};

static void put8(struct writer *w, unsigned v) { *w->at++ = (uint8_t)v; }

static void put16(struct writer *w, unsigned v)
{
	put8(w, v >> 8);
	put8(w, v & 0xff);
}

static void put(struct writer *w, const void *data, size_t len)
{
	memcpy(w->at, data, len);
	w->at += len;
}

/* "192.0.2.0/24", RFC 7871 6: only the octets that the length needs. */
static void put_ecs(struct writer *w, const char *client)
{
	const char *slash = strchr(client, '/');
	struct addr addr;
	unsigned source, octets;

	if (!slash ||
	    !addr_parse((struct bytes){(const uint8_t *)client, (size_t)(slash - client)}, &addr))
		fail_msg("%s is not ADDR/LEN", client);
	source = (unsigned)strtoul(slash + 1, NULL, 10);
	octets = (source + 7) / 8;
	put16(w, OPTION_ECS);
	put16(w, 4 + octets);
	put16(w, addr.family == ADDR_IPV4 ? 1 : 2);
	put8(w, source);
	put8(w, 0);
	addr = addr_masked(&addr, (uint8_t)source);
	put(w, addr.bytes, octets);
}

/* "3= 10=0102030405060708" */
static void put_options(struct writer *w, const char *options)
{
	while (*options) {
		char *at;
		uint8_t *length;

		put16(w, (unsigned)strtoul(options, &at, 10));
		if (*at++ != '=')
			fail_msg("'%s' is not CODE=HEX", options);
		length = w->at;
		put16(w, 0);
		for (; *at && *at != ' '; at += 2)
			put8(w, (unsigned)strtoul((char[]){at[0], at[1], 0}, NULL, 16));
		length[0] = (uint8_t)((w->at - length - 2) >> 8);
		length[1] = (uint8_t)(w->at - length - 2);
		options = *at ? at + 1 : at;
	}
}

static void put_opt(struct writer *w, const struct world_question *q)
{
	uint8_t *length;

	put8(w, 0);
	put16(w, TYPE_OPT);
	put16(w, q->size ? q->size : 1232);
	put8(w, 0);
	put8(w, q->version);
	put16(w, 0);
	length = w->at;
	put16(w, 0);
	if (q->client)
		put_ecs(w, q->client);
	if (q->options)
		put_options(w, q->options);
	length[0] = (uint8_t)((w->at - length - 2) >> 8);
	length[1] = (uint8_t)(w->at - length - 2);
}

size_t world_wire_build(const struct world_question *q, uint16_t id, uint8_t out[512])
{
	struct writer w = {out};
	ldns_rdf *name = ldns_dname_new_frm_str(q->name);

	if (!name)
		fail_msg("%s is not a name", q->name);
	put16(&w, id);
	put16(&w, 0);
	put16(&w, 1);
	put16(&w, 0);
	put16(&w, 0);
	put16(&w, q->no_edns ? 0 : 1);
	put(&w, ldns_rdf_data(name), ldns_rdf_size(name));
	ldns_rdf_deep_free(name);
	put16(&w, ldns_get_rr_type_by_name(q->type));
	put16(&w, q->dns_class ? q->dns_class : 1);
	if (!q->no_edns)
		put_opt(&w, q);
	return (size_t)(w.at - out);
}

/* --- UDP --- */

static socklen_t to_sockaddr(const char *address, unsigned port, struct sockaddr_storage *out)
{
	struct addr addr;

	if (!addr_parse(bytes_of(address ? address : "127.0.0.1"), &addr))
		fail_msg("%s is not an address", address);
	return addr_to_sockaddr(&addr, (uint16_t)port, out);
}

/* From and to where q says (NULL: from anywhere to nighd), connected. */
static int open_socket(struct world *w, const struct world_question *q, int kind)
{
	const char *from = q ? q->from : NULL, *to = q ? q->to : NULL;
	struct sockaddr_storage local, remote;
	socklen_t remote_len = to_sockaddr(to, q && q->port ? q->port : w->dns_port, &remote);
	int fd = socket(remote.ss_family, kind | SOCK_CLOEXEC, 0);

	if (fd < 0)
		fail_msg("cannot open a socket: %s", strerror(errno));
	if (from && bind(fd, (void *)&local, to_sockaddr(from, 0, &local)) != 0)
		fail_msg("cannot ask from %s: %s", from, strerror(errno));
	if (connect(fd, (void *)&remote, remote_len) != 0)
		world_fail(w, "cannot connect to nighd: %s", strerror(errno));
	return fd;
}

/* Only what comes from the asked address is received. */
int world_wire_open(struct world *w, const struct world_question *q)
{
	return open_socket(w, q, SOCK_DGRAM);
}

size_t world_wire_udp(struct world *w, const struct world_question *q, const uint8_t *query,
                      size_t len, uint8_t *reply, unsigned within_ms)
{
	int fd = world_wire_open(w, q);
	struct pollfd p = {.fd = fd, .events = POLLIN};
	ssize_t got = 0;

	if (send(fd, query, len, 0) == (ssize_t)len && poll(&p, 1, (int)within_ms) == 1)
		got = recv(fd, reply, WIRE_ROOM, 0);
	close(fd);
	inside_demand_alive(w);
	return got > 0 ? (size_t)got : 0;
}

/* --- TCP --- */

int world_wire_connect(struct world *w)
{
	return world_wire_connect_to(w, &(struct world_question){0});
}

int world_wire_connect_to(struct world *w, const struct world_question *q)
{
	return open_socket(w, q, SOCK_STREAM);
}

void world_wire_send(struct world *w, int fd, const uint8_t *bytes, size_t len)
{
	while (len > 0) {
		ssize_t n = send(fd, bytes, len, MSG_NOSIGNAL);

		if (n < 0 && errno != EINTR)
			world_fail(w, "nighd takes no more on the connection: %s", strerror(errno));
		bytes += n > 0 ? n : 0;
		len -= n > 0 ? (size_t)n : 0;
	}
}

size_t world_wire_frame(const uint8_t *query, size_t len, uint8_t *out)
{
	struct writer w = {out};

	put16(&w, (unsigned)len);
	put(&w, query, len);
	return len + 2;
}

static bool receive_all(int fd, uint8_t *out, size_t len, uint64_t deadline)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	for (size_t have = 0; have < len;) {
		uint64_t now = inside_now_ms();
		ssize_t n;

		if (now >= deadline || poll(&p, 1, (int)(deadline - now)) != 1)
			return false;
		n = recv(fd, out + have, len - have, 0);
		if (n <= 0)
			return false;
		have += (size_t)n;
	}
	return true;
}

size_t world_wire_receive(struct world *w, int fd, uint8_t *reply, unsigned within_ms)
{
	uint64_t deadline = inside_now_ms() + within_ms;
	uint8_t prefix[2];
	size_t len;

	inside_demand_alive(w);
	if (!receive_all(fd, prefix, sizeof(prefix), deadline))
		return 0;
	len = (size_t)prefix[0] << 8 | prefix[1];
	return receive_all(fd, reply, len, deadline) ? len : 0;
}

/* --- behind a proxy --- */

size_t world_wire_proxy(const char *client, bool tcp, uint8_t out[WIRE_PROXY_ROOM])
{
	static const char signature[] = "\r\n\r\n\0\r\nQUIT\n";
	struct addr a;
	size_t len;

	if (!addr_parse(bytes_of(client), &a))
		fail_msg("%s is not an address", client);
	len = a.family == ADDR_IPV4 ? 4 : 16;
	memcpy(out, signature, 12);
	out[12] = 0x21;
	out[13] = (uint8_t)((a.family == ADDR_IPV4 ? 0x10 : 0x20) | (tcp ? 1 : 2));
	bytes_put16(out + 14, (uint16_t)(2 * len + 4));
	memcpy(out + 16, a.bytes, len);
	memset(out + 16 + len, 0, len);
	bytes_put16(out + 16 + 2 * len, 54321);
	bytes_put16(out + 18 + 2 * len, 53);
	return 20 + 2 * len;
}
