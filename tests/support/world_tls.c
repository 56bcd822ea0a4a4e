/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/world_tls.h"

#include <json-c/json_object.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "tests/support/dnsd_certificate.h"
#include "tests/support/world_wire.h"

void world_tls_renew(struct world *w, const char *name)
{
	char certificate[256], key[256];

	snprintf(certificate, sizeof certificate, "%s", world_path(w, "cert.pem"));
	snprintf(key, sizeof key, "%s", world_path(w, "key.pem"));
	certificate_write(certificate, key, name);
}

unsigned world_tls_port(struct world *w, const char *address)
{
	struct json_object *status = world_json(w, "/status"), *list = NULL;
	size_t len = strlen(address);
	unsigned port = 0;

	(void)json_object_object_get_ex(status, "tls", &list);
	for (size_t i = 0; list && i < json_object_array_length(list); i++) {
		const char *text = json_object_get_string(json_object_array_get_idx(list, i));

		if (strncmp(text, address, len) == 0 && text[len] == ':')
			port = (unsigned)strtoul(text + len + 1, NULL, 10);
	}
	json_object_put(status);
	if (port == 0)
		world_fail(w, "/status tells of no TLS on %s", address);
	return port;
}

static void limit_waiting(int fd)
{
	struct timeval wait = {WORLD_TLS_WAIT_MS / 1000, 0};

	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait), 0);
}

int tls_client_dial(struct world *w, unsigned port)
{
	int fd = world_wire_connect_to(w, &(struct world_question){.port = port}), on = 1;

	assert_int_equal(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on), 0);
	limit_waiting(fd);
	return fd;
}

void tls_client_begin(struct world *w, struct tls_client *c, int take_fd, int version,
                      bool offers_dot)
{
	c->context = SSL_CTX_new(TLS_client_method());
	assert_int_equal(SSL_CTX_set_max_proto_version(c->context, version), 1);
	if (offers_dot)
		assert_int_equal(SSL_CTX_set_alpn_protos(c->context, (const uint8_t *)"\3dot", 4),
		                 0);
	c->ssl = SSL_new(c->context);
	c->fd = take_fd;
	limit_waiting(c->fd);
	assert_int_equal(SSL_set_fd(c->ssl, c->fd), 1);
	if (SSL_connect(c->ssl) != 1)
		world_fail(w, "no TLS: %s", ERR_reason_error_string(ERR_peek_error()));
}

void tls_client_open(struct world *w, struct tls_client *c, unsigned port, int version,
                     bool offers_dot)
{
	tls_client_begin(w, c, tls_client_dial(w, port), version, offers_dot);
}

void tls_client_close(struct tls_client *c)
{
	SSL_free(c->ssl);
	SSL_CTX_free(c->context);
	close(c->fd);
	ERR_clear_error();
}

void tls_client_send(struct world *w, struct tls_client *c, const uint8_t *bytes, size_t len)
{
	if (SSL_write(c->ssl, bytes, (int)len) != (int)len)
		world_fail(w, "nighd takes no more of the session");
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

size_t tls_client_hello(uint8_t *out, size_t room)
{
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	SSL *ssl = SSL_new(context);
	BIO *wire = BIO_new(BIO_s_mem());
	int len;

	SSL_set_bio(ssl, BIO_new(BIO_s_mem()), wire);
	SSL_set_connect_state(ssl);
	(void)SSL_do_handshake(ssl);
	len = BIO_read(wire, out, (int)room);
	SSL_free(ssl);
	SSL_CTX_free(context);
	ERR_clear_error();
	assert_true(len > 100);
	return (size_t)len;
}
