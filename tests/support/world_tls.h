/* world_tls.h -- a client of DNS over TLS, and the certificate that nighd shows it.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_SUPPORT_WORLD_TLS_H
#define TESTS_SUPPORT_WORLD_TLS_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/support/world.h"

enum { WORLD_TLS_WAIT_MS = 5000 };

/* Where a config with a TLS listener says its files are: cert.pem and key.pem, of that name (CN), for nighd's next look. */
void world_tls_renew(struct world *w, const char *name);
/* The port of the listener of that address ("127.0.0.1", "[::1]") in /status. */
unsigned world_tls_port(struct world *w, const char *address);

/* One connection; reading waits for WORLD_TLS_WAIT_MS. */
struct tls_client {
	SSL_CTX *context;
	SSL *ssl;
	int fd;
};

/* A connection to that port of 127.0.0.1, nothing said yet; the caller closes it. */
int tls_client_dial(struct world *w, unsigned port);
/* The handshake over a connection, which it takes, of TLS up to that version; `offers_dot`: by ALPN.  The test fails when there
 * is none. */
void tls_client_begin(struct world *w, struct tls_client *c, int take_fd, int version,
                      bool offers_dot);
/* Dialled and begun. */
void tls_client_open(struct world *w, struct tls_client *c, unsigned port, int version,
                     bool offers_dot);
void tls_client_close(struct tls_client *c);
/* Bytes as they are: frame a message first. */
void tls_client_send(struct world *w, struct tls_client *c, const uint8_t *bytes, size_t len);
/* The next message, into WIRE_ROOM bytes; its length, 0: the end, or nothing in time. */
size_t tls_client_receive(struct tls_client *c, uint8_t *reply);
/* The first message of a handshake; returns its length. */
size_t tls_client_hello(uint8_t *out, size_t room);

#endif
