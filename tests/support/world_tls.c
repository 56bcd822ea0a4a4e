/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/world_tls.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/addr.h"
#include "base/bytes.h"

enum { WAIT_S = 5 };

int tls_client_dial(struct world *w, unsigned port)
{
	static const struct addr loopback = {.family = ADDR_IPV4, .bytes = {127, 0, 0, 1}};
	struct sockaddr_storage sa;
	socklen_t len = addr_to_sockaddr(&loopback, (uint16_t)port, &sa);
	struct timeval wait = {WAIT_S, 0};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

	assert_true(fd >= 0);
	if (connect(fd, (struct sockaddr *)&sa, len) != 0)
		world_fail(w, "cannot connect to port %u", port);
	assert_int_equal(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on), 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait), 0);
	return fd;
}

void tls_client_open(struct world *w, struct tls_client *c, unsigned port, int version,
                     bool offers_dot)
{
	c->context = SSL_CTX_new(TLS_client_method());
	assert_int_equal(SSL_CTX_set_max_proto_version(c->context, version), 1);
	if (offers_dot)
		assert_int_equal(SSL_CTX_set_alpn_protos(c->context, (const uint8_t *)"\3dot", 4),
		                 0);
	c->ssl = SSL_new(c->context);
	c->fd = tls_client_dial(w, port);
	assert_int_equal(SSL_set_fd(c->ssl, c->fd), 1);
	if (SSL_connect(c->ssl) != 1)
		world_fail(w, "no TLS: %s", ERR_reason_error_string(ERR_peek_error()));
}

void tls_client_close(struct tls_client *c)
{
	SSL_free(c->ssl);
	SSL_CTX_free(c->context);
	close(c->fd);
	ERR_clear_error();
}

static bool read_all(struct tls_client *c, uint8_t *out, size_t len)
{
	size_t got = 0, n;

	while (got < len && SSL_read_ex(c->ssl, out + got, len - got, &n) == 1)
		got += n;
	return got == len;
}

size_t tls_client_receive(struct tls_client *c, uint8_t *reply)
{
	uint8_t prefix[2];
	size_t len;

	if (!read_all(c, prefix, 2))
		return 0;
	len = bytes_get16(prefix);
	return read_all(c, reply, len) ? len : 0;
}
