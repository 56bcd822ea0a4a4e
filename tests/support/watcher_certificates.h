/* watcher_certificates.h -- an authority of a test, a server's certificate for shop.test, and a client's. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_SUPPORT_WATCHER_CERTIFICATES_H
#define TESTS_SUPPORT_WATCHER_CERTIFICATES_H

#include <openssl/ssl.h>
#include <stdbool.h>

/* A server's context; ca.crt, client.crt and client.key are in `dir` then. */
SSL_CTX *certificates_context(const char *dir, bool expired, bool asks_client);

#endif
