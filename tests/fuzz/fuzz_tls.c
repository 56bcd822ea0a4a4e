/* fuzz_tls.c -- any bytes where a TLS client's should come: as they are, or over what a client sends, cut and bent. */
/* SPDX-License-Identifier: Apache-2.0 */

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "dnsd/tls_stream.h"
#include "tests/support/dnsd_certificate.h"

enum { ROOM = 65536, MOST = 1 << 17 };
/* The first byte of an input: what comes before its bytes. */
enum { AFTER_HANDSHAKE = 1, OVER_CLIENT = 2, TLS_1_2 = 4 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct tls *make_tls(void)
{
	char folder[] = "/tmp/nigh-fuzz-XXXXXX", certificate[64], key[64];
	struct reason why = {0};
	struct tls *tls;

	CHECK(mkdtemp(folder) != NULL);
	snprintf(certificate, sizeof certificate, "%s/cert.pem", folder);
	snprintf(key, sizeof key, "%s/key.pem", folder);
	certificate_write(certificate, key, "fuzz");
	CHECK(tls_new(certificate, key, &tls, &why) == ERR_OK);
	CHECK(unlink(certificate) == 0 && unlink(key) == 0 && rmdir(folder) == 0);
	return tls;
}

/* What it says is bounded by what it was given; once broken it stays so. */
static void give(struct tls_stream *s, const uint8_t *data, size_t size, BIO *answers)
{
	static uint8_t plain[TLS_RECORD];
	enum tls_result result;
	struct bytes out;
	size_t len, all = 0;

	tls_stream_feed(s, data, size);
	do {
		result = tls_stream_read(s, plain, sizeof plain, &len);
		all += len;
		CHECK((result == TLS_DATA) == (len > 0) && all <= MOST);
	} while (result == TLS_DATA);
	if (result == TLS_BROKEN)
		CHECK(!tls_stream_write(s, plain, 1) &&
		      tls_stream_read(s, plain, sizeof plain, &len) == TLS_BROKEN);
	out = tls_stream_output(s);
	CHECK(out.len <= MOST);
	if (answers != NULL && out.len > 0)
		CHECK(BIO_write(answers, out.data, (int)out.len) == (int)out.len);
	tls_stream_sent(s);
}

/* What a client has to send now, with the input's bytes XORed over it. */
static void move(struct tls_stream *s, SSL *client, const uint8_t *bend, size_t bend_len)
{
	static uint8_t buf[ROOM];
	int n = BIO_read(SSL_get_wbio(client), buf, sizeof buf);

	for (int i = 0; i < n && (size_t)i < bend_len; i++)
		buf[i] ^= bend[i];
	if (n > 0)
		give(s, buf, (size_t)n, SSL_get_rbio(client));
}

static void be_client(struct tls_stream *s, unsigned kind, const uint8_t *data, size_t size)
{
	static SSL_CTX *context;
	bool bends_data = (kind & AFTER_HANDSHAKE) != 0;
	SSL *client;

	if (context == NULL)
		context = SSL_CTX_new(TLS_client_method());
	client = SSL_new(context);
	CHECK(client != NULL);
	if ((kind & TLS_1_2) != 0)
		CHECK(SSL_set_max_proto_version(client, TLS1_2_VERSION) == 1);
	SSL_set_bio(client, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
	SSL_set_connect_state(client);
	for (unsigned i = 0; i < 4 && SSL_do_handshake(client) != 1; i++)
		move(s, client, data, !bends_data && i == (kind >> 4) % 4 ? size : 0);
	move(s, client, NULL, 0);
	if (SSL_is_init_finished(client)) {
		(void)SSL_write(client, "hello", 5);
		(void)SSL_shutdown(client);
		move(s, client, data, bends_data ? size : 0);
	}
	SSL_free(client);
	ERR_clear_error();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct tls *tls;
	struct tls_stream *s;

	if (tls == NULL)
		tls = make_tls();
	if (size == 0 || size > ROOM)
		return 0;
	s = tls_stream_new(tls);
	if ((data[0] & (OVER_CLIENT | AFTER_HANDSHAKE)) != 0)
		be_client(s, data[0], data + 1, size - 1);
	if ((data[0] & OVER_CLIENT) == 0) {
		give(s, data + 1, (size - 1) / 2, NULL);
		give(s, data + 1 + (size - 1) / 2, size - 1 - (size - 1) / 2, NULL);
	}
	tls_stream_end(s);
	tls_stream_free(s);
	return 0;
}
