/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/tls_stream.h"

#include <limits.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/xalloc.h"

enum {
	KEPT_ROOM = 2048, /* what a stream without anything to send keeps allocated for it */
	HEAD_LEN = 9,     /* record header, handshake type and length */
	RECORD_HANDSHAKE = 22,
	CLIENT_HELLO = 1
};

struct tls_stream {
	SSL *ssl;
	BIO *in, *out;          /* the SSL's */
	size_t fed;             /* until the handshake is done */
	uint8_t head[HEAD_LEN]; /* the first bytes that were fed */
	bool is_broken;
};

static BIO *make_bio(void)
{
	BIO *bio = BIO_new(BIO_s_mem());

	CHECK(bio != NULL);
	return bio;
}

struct tls_stream *tls_stream_new(struct tls *t)
{
	struct tls_stream *s = xcalloc(1, sizeof *s);

	s->ssl = tls_begin(t);
	s->in = make_bio();
	s->out = make_bio();
	SSL_set_bio(s->ssl, s->in, s->out);
	return s;
}

void tls_stream_free(struct tls_stream *s)
{
	if (s == NULL)
		return;
	SSL_free(s->ssl);
	free(s);
}

/* A hello that announces much would have as much allocated for it before it is there. */
static bool is_modest(const struct tls_stream *s)
{
	const uint8_t *h = s->head;

	if (s->fed > TLS_MAX_HANDSHAKE)
		return false;
	return s->fed < HEAD_LEN || h[0] != RECORD_HANDSHAKE || h[5] != CLIENT_HELLO ||
	       (h[6] == 0 && bytes_get16(h + 7) <= TLS_MAX_HANDSHAKE);
}

static void note_handshake(struct tls_stream *s, const uint8_t *data, size_t len)
{
	if (s->fed < HEAD_LEN) {
		size_t left = HEAD_LEN - s->fed;

		memcpy(s->head + s->fed, data, len < left ? len : left);
	}
	s->fed += len;
	s->is_broken |= !is_modest(s);
}

void tls_stream_feed(struct tls_stream *s, const uint8_t *data, size_t len)
{
	if (!tls_stream_is_open(s))
		note_handshake(s, data, len);
	CHECK(len <= INT_MAX);
	if (len > 0 && !s->is_broken)
		CHECK(BIO_write(s->in, data, (int)len) == (int)len);
}

enum tls_result tls_stream_read(struct tls_stream *s, uint8_t *out, size_t room, size_t *len)
{
	int error;

	*len = 0;
	if (s->is_broken)
		return TLS_BROKEN;
	ERR_clear_error();
	if (SSL_read_ex(s->ssl, out, room, len) == 1)
		return TLS_DATA;
	error = SSL_get_error(s->ssl, 0);
	ERR_clear_error();
	if (error == SSL_ERROR_WANT_READ)
		return TLS_WAIT;
	if (error == SSL_ERROR_ZERO_RETURN)
		return TLS_END;
	s->is_broken = true;
	return TLS_BROKEN;
}

bool tls_stream_write(struct tls_stream *s, const uint8_t *data, size_t len)
{
	size_t written;

	if (s->is_broken)
		return false;
	ERR_clear_error();
	if (SSL_write_ex(s->ssl, data, len, &written) == 1 && written == len)
		return true;
	ERR_clear_error();
	s->is_broken = true;
	return false;
}

void tls_stream_end(struct tls_stream *s)
{
	/* Not in a handshake, and not after a fatal error (SSL_shutdown(3)). */
	if (s->is_broken || !tls_stream_is_open(s))
		return;
	ERR_clear_error();
	(void)SSL_shutdown(s->ssl);
	ERR_clear_error();
}

struct bytes tls_stream_output(const struct tls_stream *s)
{
	char *data;
	long len = BIO_get_mem_data(s->out, &data);

	return (struct bytes){(const uint8_t *)data, len > 0 ? (size_t)len : 0};
}

void tls_stream_sent(struct tls_stream *s)
{
	BUF_MEM *room;

	(void)BIO_get_mem_ptr(s->out, &room);
	if (room->max <= KEPT_ROOM) {
		(void)BIO_reset(s->out);
		return;
	}
	s->out = make_bio();
	SSL_set0_wbio(s->ssl, s->out);
}

bool tls_stream_is_open(const struct tls_stream *s) { return SSL_is_init_finished(s->ssl) != 0; }

bool tls_stream_is_resumed(const struct tls_stream *s) { return SSL_session_reused(s->ssl) != 0; }

bool tls_stream_is_for_transfers(const struct tls_stream *s)
{
	const unsigned char *protocol;
	unsigned len;

	SSL_get0_alpn_selected(s->ssl, &protocol, &len);
	return SSL_version(s->ssl) >= TLS1_3_VERSION && len > 0;
}
