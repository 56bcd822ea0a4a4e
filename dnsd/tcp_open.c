/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dnsd/tcp.h"

static enum err fail(int fd, struct reason *why)
{
	int saved = errno;

	if (fd >= 0)
		close(fd);
	return reason_set(why,
	                  saved == EACCES       ? ERR_DENIED
	                  : saved == EADDRINUSE ? ERR_CONFLICT
	                                        : ERR_IO,
	                  "TCP: %s", strerror(saved));
}

enum err tcp_open(const struct addr *addr, uint16_t port, bool shared, int *fd, uint16_t *port_out,
                  struct reason *why)
{
	struct sockaddr_storage sa;
	socklen_t sa_len = addr_to_sockaddr(addr, port, &sa);
	int on = 1;

	*fd = socket(sa.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (*fd < 0)
		return fail(-1, why);
	if ((shared && setsockopt(*fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) != 0) ||
	    setsockopt(*fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0)
		return fail(*fd, why);
	if (addr->family == ADDR_IPV6 &&
	    setsockopt(*fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) != 0)
		return fail(*fd, why);
	/* Who connects before the workers run waits in the queue, as UDP's messages do. */
	if (bind(*fd, (struct sockaddr *)&sa, sa_len) != 0 || listen(*fd, TCP_BACKLOG) != 0)
		return fail(*fd, why);
	sa_len = sizeof sa;
	if (getsockname(*fd, (struct sockaddr *)&sa, &sa_len) != 0)
		return fail(*fd, why);
	(void)addr_from_sockaddr((struct sockaddr *)&sa, port_out);
	return ERR_OK;
}

struct addr tcp_network(const struct addr *client)
{
	return client->family == ADDR_IPV6 ? addr_masked(client, 56) : *client;
}

uint64_t tcp_idle(uint64_t idle_ms, unsigned count, unsigned most)
{
	unsigned half = most / 2, beyond = count > half ? count - half : 0, left = most - half;

	if (beyond > left)
		beyond = left;
	return idle_ms - idle_ms * 4 / 5 * beyond / left;
}

struct tcp_limits tcp_limits_usual(void)
{
	return (struct tcp_limits){
		.max_connections = 10000,
		.max_per_network = 200,
		.idle_ms = 10000,
		.max_queries = TCP_MAX_QUERIES,
	};
}
