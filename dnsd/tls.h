/* tls.h -- who nighd is to those who ask over TLS (RFC 7858, 8310): certificate, key, session tickets.
 *
 * One for all workers, so that a session may be resumed with any of them.  Made, read again and rotated by the control
 * thread; workers take streams from it (tls_stream.h).  A mutex is held while a stream begins or is resumed, never for a
 * query.  TLS 1.2 and 1.3, forward secrecy and AEAD alone (RFC 9325 4.2), no renegotiation, no compression, no early data.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DNSD_TLS_H
#define DNSD_TLS_H

#include <stdint.h>

#include "base/err.h"

enum {
	TLS_TICKET_S =
		3600 /* a session may be resumed for so long; tls_rotate() comes no oftener */
};

struct tls;
struct ssl_st;

/* Both files are PEM: the certificate and what leads to its issuer; its key, not encrypted.  ERR_IO, ERR_PARSE: `why` names
 * the file. */
enum err tls_new(const char *certificate, const char *key, struct tls **out,
                 struct reason *why) MUST_CHECK;
/* No stream is left. */
void tls_free(struct tls *t);
/* Reads both files again, for streams that begin from now on; on an error what was read last stays.  Control thread. */
enum err tls_reload(struct tls *t, struct reason *why) MUST_CHECK;
/* Tickets are sealed with a new key from now on; those of the one before are still taken, older ones are not. */
void tls_rotate(struct tls *t);
/* When the certificate ends, Unix seconds; 0: nobody knows.  Any thread. */
int64_t tls_expires(const struct tls *t);
/* The server's end of a new session; the caller frees it.  For tls_stream.c.  Any thread. */
struct ssl_st *tls_begin(struct tls *t);

#endif
