/* world_tls.h -- a client that speaks TLS to nighd, for what no program can be told to do.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_SUPPORT_WORLD_TLS_H
#define TESTS_SUPPORT_WORLD_TLS_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/support/world.h"

struct tls_client {
	SSL_CTX *context;
	SSL *ssl;
	int fd;
};

/* A connection to that port of 127.0.0.1, nothing said yet; the caller closes it. */
int tls_client_dial(struct world *w, unsigned port);
/* Of TLS up to that version; `offers_dot`: by ALPN. */
void tls_client_open(struct world *w, struct tls_client *c, unsigned port, int version,
                     bool offers_dot);
void tls_client_close(struct tls_client *c);
/* The next message, into WIRE_ROOM bytes; its length, 0: the end. */
size_t tls_client_receive(struct tls_client *c, uint8_t *reply);

#endif
