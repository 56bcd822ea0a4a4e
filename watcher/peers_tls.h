/* peers_tls.h -- who a replica is to the others, and who may be one: mutual TLS 1.3 (RFC 8446).
 *
 * Each end shows a certificate that leads to the CA of the config.  When one's own has DNS names (RFC 6125), the other's
 * must have one of them too: so a CA that signs for others as well does not let these in.  Addresses are not looked
 * at: they come and go.  Sessions are bytes in and bytes out, no socket and no loop.  Control thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WATCHER_PEERS_TLS_H
#define WATCHER_PEERS_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"

struct peers_tls;

/* PEM files: the certificate and what leads to the CA, its key (not encrypted), the CA's certificates.  ERR_PARSE: `why`
 * names the file. */
enum err peers_tls_new(const char *certificate, const char *key, const char *ca,
                       struct peers_tls **out, struct reason *why) MUST_CHECK;
/* Would others that have the same CA let us in, now? */
enum err peers_tls_verify(const struct peers_tls *t, struct reason *why) MUST_CHECK;
void peers_tls_free(struct peers_tls *t); /* sessions go on; NULL is fine */

enum peers_tls_result {
	PEERS_TLS_DATA,
	PEERS_TLS_WAIT, /* more must be fed first */
	PEERS_TLS_END,
	PEERS_TLS_BROKEN /* an alert may be among the output; then it is over */
};
enum {
	PEERS_TLS_MAX_HANDSHAKE = 65536
}; /* bytes of the other end's, to the end of the handshake */

struct peers_session;

struct peers_session *peers_session_new(struct peers_tls *t, bool dials);
void peers_session_free(struct peers_session *s);
/* Keeps what came from the wire until it is read. */
void peers_session_feed(struct peers_session *s, struct bytes data);
/* The next plain bytes, at most `room`; goes on with the handshake first. */
enum peers_tls_result peers_session_read(struct peers_session *s, uint8_t *out, size_t room,
                                         size_t *len);
/* False: it is broken, or not open yet. */
bool peers_session_write(struct peers_session *s, struct bytes data) MUST_CHECK;
/* Takes what is to go over the wire, and appends it. */
void peers_session_take_output(struct peers_session *s, struct buffer *out);
/* Has the other end shown who it is, and may it be a replica? */
bool peers_session_is_open(const struct peers_session *s);
/* The SHA-256 of the certificate that the other end has shown; of an open session. */
enum { PEERS_TLS_PRINT = 32 };
void peers_session_print(const struct peers_session *s, uint8_t out[PEERS_TLS_PRINT]);
/* Of the one that we show. */
void peers_tls_print(const struct peers_tls *t, uint8_t out[PEERS_TLS_PRINT]);
/* Why it is broken; "" when it is not. */
const char *peers_session_error(const struct peers_session *s);

#endif
