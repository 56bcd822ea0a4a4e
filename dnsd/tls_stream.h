/* tls_stream.h -- one TLS session as bytes in and bytes out: sealed on one side, plain on the other.
 *
 * No socket and no loop: what comes from the wire is fed, what is to go there is taken.  A
 * stream belongs to one worker's thread.  Foreign bytes break the stream, nothing else.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DNSD_TLS_STREAM_H
#define DNSD_TLS_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "dnsd/tls.h"

enum {
	TLS_RECORD = 16384,       /* plain bytes that one record holds at most (RFC 8446 5.1) */
	TLS_MAX_HANDSHAKE = 16384 /* sealed bytes of the client's, to the end of the handshake */
};

enum tls_result {
	TLS_DATA,  /* plain bytes */
	TLS_WAIT,  /* more must be fed first */
	TLS_END,   /* close_notify: the client says no more */
	TLS_BROKEN /* an alert may be among what is to be sent; then it is over */
};

struct tls_stream;

struct tls_stream *tls_stream_new(struct tls *t);
void tls_stream_free(struct tls_stream *s);

/* Keeps what came from the wire until it is read. */
void tls_stream_feed(struct tls_stream *s, const uint8_t *data, size_t len);
/* The next plain bytes, at most `room` (*len: how many; 0 without TLS_DATA).  Goes on with the handshake first. */
enum tls_result tls_stream_read(struct tls_stream *s, uint8_t *out, size_t room, size_t *len);
/* Seals plain bytes, a record of its own when they are TLS_RECORD at most.  False: it is broken. */
bool tls_stream_write(struct tls_stream *s, const uint8_t *data, size_t len) MUST_CHECK;
/* Says that nothing more comes (close_notify), if that can be said. */
void tls_stream_end(struct tls_stream *s);
/* What is to go over the wire, good until the next call; tls_stream_sent() forgets it. */
struct bytes tls_stream_output(const struct tls_stream *s);
void tls_stream_sent(struct tls_stream *s);

/* Is the handshake done?  Then: was the session resumed? */
bool tls_stream_is_open(const struct tls_stream *s);
bool tls_stream_is_resumed(const struct tls_stream *s);
/* And: is it one over which zones are transferred?  TLS 1.3, and `dot` agreed on (RFC 9103 7.1, 7.2). */
bool tls_stream_is_for_transfers(const struct tls_stream *s);

#endif
