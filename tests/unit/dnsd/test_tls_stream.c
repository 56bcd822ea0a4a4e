/* TLS sessions in memory: a client of OpenSSL's on one side, ours on the other, every byte in the test's hands. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dnsd/tls_stream.h"
#include "tests/support/dnsd_certificate.h"

enum { ROOM = 65536, ALL = 1 << 20 };

static char folder[64], certificate[128], key[128];
static struct tls *ours;

static int setup(void **state)
{
	struct reason why = {0};

	(void)state;
	snprintf(folder, sizeof folder, "/tmp/nigh-tls-XXXXXX");
	assert_non_null(mkdtemp(folder));
	snprintf(certificate, sizeof certificate, "%s/cert.pem", folder);
	snprintf(key, sizeof key, "%s/key.pem", folder);
	certificate_write(certificate, key, "first");
	assert_int_equal(tls_new(certificate, key, &ours, &why), ERR_OK);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	tls_free(ours);
	(void)unlink(certificate);
	(void)unlink(key);
	(void)rmdir(folder);
	return 0;
}

/* --- a client, and a line between the two --- */

struct client {
	SSL_CTX *context;
	SSL *ssl;
	SSL_SESSION *session; /* the last ticket */
};

struct pair {
	struct client client;
	struct tls_stream *server;
	enum tls_result result; /* of the server's last read */
	uint8_t got[ROOM];      /* what the server read */
	size_t got_len;
	size_t to_server; /* bytes that went there */
};

static int on_session(SSL *ssl, SSL_SESSION *session)
{
	struct client *c = SSL_get_app_data(ssl);

	SSL_SESSION_free(c->session);
	c->session = session;
	return 1;
}

static void pair_begin(struct pair *p, int version, const char *alpn, SSL_SESSION *resumed)
{
	struct client *c = &p->client;

	memset(p, 0, sizeof *p);
	c->context = SSL_CTX_new(TLS_client_method());
	assert_int_equal(SSL_CTX_set_min_proto_version(c->context, version), 1);
	assert_int_equal(SSL_CTX_set_max_proto_version(c->context, version), 1);
	SSL_CTX_set_security_level(c->context, 0);
	SSL_CTX_set_session_cache_mode(c->context, SSL_SESS_CACHE_CLIENT);
	SSL_CTX_sess_set_new_cb(c->context, on_session);
	c->ssl = SSL_new(c->context);
	(void)SSL_set_app_data(c->ssl, c);
	SSL_set_bio(c->ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
	SSL_set_connect_state(c->ssl);
	if (alpn != NULL)
		assert_int_equal(SSL_set_alpn_protos(c->ssl, (const unsigned char *)alpn,
		                                     (unsigned)strlen(alpn)),
		                 0);
	if (resumed != NULL) {
		/* A client of OpenSSL's uses one but once. */
		SSL_SESSION *copy = SSL_SESSION_dup(resumed);

		assert_int_equal(SSL_set_session(c->ssl, copy), 1);
		SSL_SESSION_free(copy);
	}
	p->server = tls_stream_new(ours);
	p->result = TLS_WAIT;
}

static void pair_end(struct pair *p)
{
	SSL_SESSION_free(p->client.session);
	SSL_free(p->client.ssl);
	SSL_CTX_free(p->client.context);
	tls_stream_free(p->server);
	ERR_clear_error();
}

static void server_reads(struct pair *p)
{
	size_t len;

	do {
		p->result =
			tls_stream_read(p->server, p->got + p->got_len, ROOM - p->got_len, &len);
		p->got_len += len;
	} while (p->result == TLS_DATA);
}

/* What the client has to say goes over, `step` bytes at a time, `most` in all; what the server answers comes back.  How much went
 * over. */
static size_t exchange(struct pair *p, size_t step, size_t most)
{
	BIO *from = SSL_get_wbio(p->client.ssl), *to = SSL_get_rbio(p->client.ssl);
	uint8_t buf[ROOM];
	size_t moved = 0;
	int n;

	while (most > p->to_server) {
		size_t left = most - p->to_server;
		struct bytes out;

		n = BIO_read(from, buf, (int)(left < step ? left : step));
		if (n <= 0)
			break;
		p->to_server += (size_t)n;
		moved += (size_t)n;
		tls_stream_feed(p->server, buf, (size_t)n);
		server_reads(p);
		out = tls_stream_output(p->server);
		if (out.len > 0)
			assert_int_equal(BIO_write(to, out.data, (int)out.len), out.len);
		tls_stream_sent(p->server);
	}
	return moved;
}

/* To the end of the handshake, and of what comes behind it. */
static bool shake_hands(struct pair *p, size_t step, size_t most)
{
	uint8_t byte;

	do
		(void)SSL_read(p->client.ssl, &byte, 1);
	while (exchange(p, step, most) > 0);
	(void)SSL_read(p->client.ssl, &byte, 1);
	ERR_clear_error();
	return SSL_is_init_finished(p->client.ssl) && tls_stream_is_open(p->server);
}

static void client_says(struct pair *p, const char *text)
{
	assert_int_equal(SSL_write(p->client.ssl, text, (int)strlen(text)), strlen(text));
	(void)exchange(p, ROOM, ALL);
}

static void assert_server_got(const struct pair *p, const char *text)
{
	assert_int_equal(p->got_len, strlen(text));
	assert_memory_equal(p->got, text, p->got_len);
}

/* Gives what the server has to send to the client. */
static void server_sends(struct pair *p)
{
	struct bytes out = tls_stream_output(p->server);

	assert_int_equal(BIO_write(SSL_get_rbio(p->client.ssl), out.data, (int)out.len), out.len);
	tls_stream_sent(p->server);
}

/* --- tests --- */

static void test_bytes_go_both_ways_over_tls_1_2_and_1_3(void **state)
{
	static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
	char in[16];

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct pair p;

		pair_begin(&p, versions[i], NULL, NULL);
		assert_true(shake_hands(&p, ROOM, ALL));
		client_says(&p, "hello");
		assert_server_got(&p, "hello");
		assert_true(tls_stream_write(p.server, (const uint8_t *)"world", 5));
		server_sends(&p);
		assert_int_equal(SSL_read(p.client.ssl, in, sizeof in), 5);
		assert_memory_equal(in, "world", 5);
		assert_int_equal(SSL_version(p.client.ssl), versions[i]);
		pair_end(&p);
	}
}

static void test_older_versions_are_refused(void **state)
{
	static const int versions[] = {TLS1_VERSION, TLS1_1_VERSION};

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct pair p;

		pair_begin(&p, versions[i], NULL, NULL);
		assert_false(shake_hands(&p, ROOM, ALL));
		assert_int_equal(p.result, TLS_BROKEN);
		pair_end(&p);
	}
}

static void test_dot_is_agreed_on_and_so_is_nothing_but_no_other_protocol(void **state)
{
	static const struct {
		const char *offered, *agreed; /* NULL: refused */
	} cases[] = {
		{"\3dot", "dot"}, {"\2h2\3dot", "dot"}, {NULL, ""}, {"\2h2", NULL}, {"\2do", NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const unsigned char *agreed;
		unsigned len;
		struct pair p;
		bool good;

		pair_begin(&p, TLS1_3_VERSION, cases[i].offered, NULL);
		good = shake_hands(&p, ROOM, ALL);
		assert_int_equal(good, cases[i].agreed != NULL);
		if (good) {
			SSL_get0_alpn_selected(p.client.ssl, &agreed, &len);
			assert_int_equal(len, strlen(cases[i].agreed));
			assert_true(len == 0 || memcmp(agreed, cases[i].agreed, len) == 0);
		}
		pair_end(&p);
	}
}

static void test_a_session_may_come_byte_by_byte(void **state)
{
	struct pair p;

	(void)state;
	pair_begin(&p, TLS1_3_VERSION, "\3dot", NULL);
	assert_true(shake_hands(&p, 1, ALL));
	assert_int_equal(SSL_write(p.client.ssl, "hello", 5), 5);
	(void)exchange(&p, 1, ALL);
	assert_server_got(&p, "hello");
	pair_end(&p);
}

/* Cut after each byte of hello, handshake, data and close_notify; ASan looks on. */
static void test_a_session_may_end_at_every_byte(void **state)
{
	static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		size_t all = ALL;

		for (size_t cut = 0; cut <= all; cut++) {
			struct pair p;

			pair_begin(&p, versions[i], "\3dot", NULL);
			if (shake_hands(&p, ROOM, cut)) {
				(void)SSL_write(p.client.ssl, "hello", 5);
				(void)SSL_shutdown(p.client.ssl);
				(void)exchange(&p, ROOM, cut);
			}
			assert_int_not_equal(p.result, TLS_BROKEN);
			tls_stream_end(p.server);
			if (p.result == TLS_END) {
				assert_server_got(&p, "hello");
				all = cut;
			}
			pair_end(&p);
		}
		assert_in_range(all, 300, 2000);
	}
}

static void test_what_is_not_tls_breaks_the_stream(void **state)
{
	static const uint8_t query[] =
		"\0\x1d\x12\x34\1\0\0\1\0\0\0\0\0\0\3www\7example\3com\0\0\1\0\1";
	struct pair p;

	(void)state;
	pair_begin(&p, TLS1_3_VERSION, NULL, NULL);
	tls_stream_feed(p.server, query, sizeof query);
	server_reads(&p);
	assert_int_equal(p.result, TLS_BROKEN);
	server_reads(&p);
	assert_int_equal(p.result, TLS_BROKEN);
	assert_false(tls_stream_write(p.server, query, sizeof query));
	tls_stream_end(p.server);
	pair_end(&p);
}

static void test_a_hello_that_announces_much_is_not_waited_for(void **state)
{
	/* A whole record; 65536 bytes, and 16385. */
	static const uint8_t hellos[][9] = {{22, 3, 1, 0, 4, 1, 1, 0, 0},
	                                    {22, 3, 1, 0, 4, 1, 0, 0x40, 1}};

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct pair p;

		pair_begin(&p, TLS1_3_VERSION, NULL, NULL);
		for (unsigned k = 0; k < sizeof hellos[i]; k++) {
			server_reads(&p);
			assert_int_equal(p.result, TLS_WAIT);
			tls_stream_feed(p.server, &hellos[i][k], 1);
		}
		server_reads(&p);
		assert_int_equal(p.result, TLS_BROKEN);
		pair_end(&p);
	}
}

/* As records that carry one byte of a hello each. */
static void test_a_handshake_without_end_is_given_up(void **state)
{
	static const uint8_t record[] = {22, 3, 1, 0, 1, 0};
	struct pair p;
	size_t fed = 0;

	(void)state;
	pair_begin(&p, TLS1_3_VERSION, NULL, NULL);
	tls_stream_feed(p.server, (const uint8_t *)"\x16\3\1\0\4\1\0\x40\0", 9);
	while (p.result == TLS_WAIT && fed < ALL) {
		tls_stream_feed(p.server, record, sizeof record);
		fed += sizeof record;
		server_reads(&p);
	}
	assert_int_equal(p.result, TLS_BROKEN);
	assert_in_range(fed, 1000, TLS_MAX_HANDSHAKE + sizeof record);
	pair_end(&p);
}

static void test_a_message_goes_in_one_record(void **state)
{
	static uint8_t message[TLS_RECORD];
	struct bytes out;
	struct pair p;

	(void)state;
	pair_begin(&p, TLS1_3_VERSION, NULL, NULL);
	assert_true(shake_hands(&p, ROOM, ALL));
	assert_true(tls_stream_write(p.server, message, sizeof message));
	out = tls_stream_output(p.server);
	assert_int_equal(5 + bytes_get16(out.data + 3), out.len);
	pair_end(&p);
}

static void test_the_end_is_said_and_understood(void **state)
{
	struct pair p;
	uint8_t byte;

	(void)state;
	pair_begin(&p, TLS1_3_VERSION, NULL, NULL);
	assert_true(shake_hands(&p, ROOM, ALL));
	tls_stream_end(p.server);
	server_sends(&p);
	assert_int_equal(SSL_read(p.client.ssl, &byte, 1), 0);
	assert_int_equal(SSL_get_error(p.client.ssl, 0), SSL_ERROR_ZERO_RETURN);
	(void)SSL_shutdown(p.client.ssl);
	(void)exchange(&p, ROOM, ALL);
	assert_int_equal(p.result, TLS_END);
	pair_end(&p);
}

static void test_a_client_may_not_renegotiate(void **state)
{
	struct pair p;

	(void)state;
	pair_begin(&p, TLS1_2_VERSION, NULL, NULL);
	assert_true(shake_hands(&p, ROOM, ALL));
	if (SSL_renegotiate(p.client.ssl) == 1)
		(void)shake_hands(&p, ROOM, ALL);
	(void)exchange(&p, ROOM, ALL);
	assert_int_equal(SSL_num_renegotiations(p.client.ssl), 1); /* that it asked for */
	assert_false(SSL_is_init_finished(p.client.ssl));
	pair_end(&p);
}

/* Is a session resumed with this ticket? */
static bool is_resumed(int version, SSL_SESSION *session)
{
	struct pair p;
	bool resumed;

	pair_begin(&p, version, "\3dot", session);
	assert_true(shake_hands(&p, ROOM, ALL));
	resumed = tls_stream_is_resumed(p.server);
	assert_int_equal(SSL_session_reused(p.client.ssl), resumed);
	pair_end(&p);
	return resumed;
}

static SSL_SESSION *get_session(int version)
{
	SSL_SESSION *session;
	struct pair p;

	pair_begin(&p, version, "\3dot", NULL);
	assert_true(shake_hands(&p, ROOM, ALL));
	assert_false(tls_stream_is_resumed(p.server));
	assert_non_null(p.client.session);
	/* A copy: what a context had is not resumed after its end. */
	session = SSL_SESSION_dup(p.client.session);
	pair_end(&p);
	return session;
}

static void test_a_session_is_resumed_until_its_tickets_key_is_two_rotations_old(void **state)
{
	static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		SSL_SESSION *session = get_session(versions[i]);

		assert_true(is_resumed(versions[i], session));
		tls_rotate(ours);
		assert_true(is_resumed(versions[i], session));
		tls_rotate(ours);
		assert_false(is_resumed(versions[i], session));
		SSL_SESSION_free(session);
	}
}

static void assert_shown(const char *name)
{
	struct pair p;
	X509 *shown;
	char text[64];

	pair_begin(&p, TLS1_3_VERSION, NULL, NULL);
	assert_true(shake_hands(&p, ROOM, ALL));
	shown = SSL_get1_peer_certificate(p.client.ssl);
	assert_true(X509_NAME_get_text_by_NID(X509_get_subject_name(shown), NID_commonName, text,
	                                      sizeof text) > 0);
	assert_string_equal(text, name);
	X509_free(shown);
	pair_end(&p);
}

static void spoil(const char *file, const char *text)
{
	FILE *f = fopen(file, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static void test_a_new_certificate_is_shown_to_who_comes_after_it(void **state)
{
	struct reason why = {0};
	SSL_SESSION *session = get_session(TLS1_3_VERSION);
	struct pair before;

	(void)state;
	assert_shown("first");
	pair_begin(&before, TLS1_3_VERSION, NULL, NULL);
	assert_true(shake_hands(&before, ROOM, ALL));
	certificate_write(certificate, key, "second");
	assert_shown("first");
	assert_int_equal(tls_reload(ours, &why), ERR_OK);
	assert_shown("second");
	client_says(&before, "hello");
	assert_server_got(&before, "hello");
	assert_true(is_resumed(TLS1_3_VERSION, session));
	SSL_SESSION_free(session);
	pair_end(&before);
}

static void test_what_cannot_be_used_changes_nothing_and_is_told(void **state)
{
	struct reason why = {0};
	char other[160];
	int64_t expires = tls_expires(ours);

	(void)state;
	certificate_write(certificate, key, "good");
	assert_int_equal(tls_reload(ours, &why), ERR_OK);
	spoil(certificate, "no certificate\n");
	assert_int_equal(tls_reload(ours, &why), ERR_PARSE);
	assert_non_null(strstr(why.text, "cert.pem: "));
	assert_shown("good");
	assert_int_equal(unlink(certificate), 0);
	assert_int_not_equal(tls_reload(ours, &why), ERR_OK);
	assert_non_null(strstr(why.text, "cert.pem: "));
	snprintf(other, sizeof other, "%s.other", key);
	certificate_write(certificate, other, "of another key");
	assert_int_equal(tls_reload(ours, &why), ERR_PARSE);
	assert_non_null(strstr(why.text, "key.pem: "));
	assert_shown("good");
	assert_int_equal(unlink(other), 0);
	assert_true(expires > 0);
}

/* What comes is neither TLS nor the same twice. */
static void test_noise_breaks_a_stream_and_nothing_else(void **state)
{
	(void)state;
	srand(7);
	for (unsigned i = 0; i < 2000; i++) {
		struct pair p;
		uint8_t buf[ROOM];
		int n;

		pair_begin(&p, i % 2 ? TLS1_2_VERSION : TLS1_3_VERSION, "\3dot", NULL);
		(void)shake_hands(&p, ROOM, i % 3 ? 0 : ALL);
		(void)SSL_write(p.client.ssl, "hello", 5);
		n = BIO_read(SSL_get_wbio(p.client.ssl), buf, sizeof buf);
		for (int k = 0; n > 0 && k <= rand() % 8; k++)
			buf[rand() % n] = (uint8_t)rand();
		if (n > 0)
			tls_stream_feed(p.server, buf, (size_t)n);
		server_reads(&p);
		tls_stream_end(p.server);
		pair_end(&p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bytes_go_both_ways_over_tls_1_2_and_1_3),
		cmocka_unit_test(test_older_versions_are_refused),
		cmocka_unit_test(test_dot_is_agreed_on_and_so_is_nothing_but_no_other_protocol),
		cmocka_unit_test(test_a_session_may_come_byte_by_byte),
		cmocka_unit_test(test_a_session_may_end_at_every_byte),
		cmocka_unit_test(test_what_is_not_tls_breaks_the_stream),
		cmocka_unit_test(test_a_hello_that_announces_much_is_not_waited_for),
		cmocka_unit_test(test_a_handshake_without_end_is_given_up),
		cmocka_unit_test(test_a_message_goes_in_one_record),
		cmocka_unit_test(test_the_end_is_said_and_understood),
		cmocka_unit_test(test_a_client_may_not_renegotiate),
		cmocka_unit_test(
			test_a_session_is_resumed_until_its_tickets_key_is_two_rotations_old),
		cmocka_unit_test(test_a_new_certificate_is_shown_to_who_comes_after_it),
		cmocka_unit_test(test_what_cannot_be_used_changes_nothing_and_is_told),
		cmocka_unit_test(test_noise_breaks_a_stream_and_nothing_else),
	};

	return cmocka_run_group_tests_name("dnsd/tls_stream", tests, setup, teardown);
}
