/* DNS over TLS (RFC 7858, 8310), asked from outside: kdig, openssl s_client, and a client of our own. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <json-c/json_object.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/addr.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "tests/support/dnsd_certificate.h"
#include "tests/support/world.h"
#include "tests/support/world_tls.h"
#include "tests/support/world_wire.h"

enum { WAIT_MS = 5000, FRAME = 514 };

static unsigned tls_port;
static char connect_to[32];

/* --- nighd --- */

static void renew(struct world *w, const char *name)
{
	char certificate[256], key[256];

	snprintf(certificate, sizeof certificate, "%s", world_path(w, "cert.pem"));
	snprintf(key, sizeof key, "%s", world_path(w, "key.pem"));
	certificate_write(certificate, key, name);
}

static void find_port(struct world *w)
{
	struct json_object *status = world_json(w, "/status"), *list;
	const char *text;

	assert_true(json_object_object_get_ex(status, "tls", &list));
	assert_int_equal(json_object_array_length(list), 1);
	text = json_object_get_string(json_object_array_get_idx(list, 0));
	assert_memory_equal(text, "127.0.0.1:", 10);
	tls_port = (unsigned)strtoul(text + 10, NULL, 10);
	snprintf(connect_to, sizeof connect_to, "%s", text);
	/* Beside the others, as bound. */
	assert_true(json_object_object_get_ex(status, "listen", &list));
	assert_string_equal(json_object_get_string(json_object_array_get_idx(
				    list, json_object_array_length(list) - 1)),
	                    text);
	json_object_put(status);
}

static void start_with(struct world *w, const char *more)
{
	char config[2048];

	renew(w, "first");
	snprintf(config, sizeof config,
	         "listen: {dns: [\"127.0.0.1:0\"], http: \"127.0.0.1:0\", tls: {addresses: "
	         "[\"127.0.0.1:0\"], certificate: cert.pem, key: key.pem}}\n"
	         "zones: [{name: example.com, records: [\"www 300 IN A 192.0.2.1\"]}]\n%s",
	         more);
	world_config(w, config);
	world_folder(w, "manifests/host");
	world_start(w);
	world_expect(w, "www.example.com", "A", NULL, "192.0.2.1", WAIT_MS);
	find_port(w);
}

static void start(struct world *w) { start_with(w, ""); }

/* --- a client --- */

static void client_open(struct world *w, struct tls_client *c)
{
	tls_client_open(w, c, tls_port, TLS1_3_VERSION, false);
}

static size_t frame(uint16_t id, uint8_t out[FRAME])
{
	struct world_question q = {.name = "www.example.com", .type = "A"};
	uint8_t query[512];

	return world_wire_frame(query, world_wire_build(&q, id, query), out);
}

static void assert_answers(struct tls_client *c, uint16_t id)
{
	uint8_t out[FRAME], *reply = malloc(WIRE_ROOM);
	size_t len = frame(id, out);

	assert_int_equal(SSL_write(c->ssl, out, (int)len), len);
	assert_true(tls_client_receive(c, reply) > 12);
	assert_int_equal(bytes_get16(reply), id);
	assert_int_equal(bytes_get16(reply + 6), 1);
	free(reply);
}

static void assert_shows(struct tls_client *c, const char *name)
{
	X509 *shown = SSL_get1_peer_certificate(c->ssl);
	char text[64] = "";

	(void)X509_NAME_get_text_by_NID(X509_get_subject_name(shown), NID_commonName, text,
	                                sizeof text);
	assert_string_equal(text, name);
	X509_free(shown);
}

/* Does nighd end it, with close_notify? */
static void assert_is_ended(struct tls_client *c)
{
	uint8_t byte;
	int got = SSL_read(c->ssl, &byte, 1);

	assert_int_equal(got, 0);
	assert_int_equal(SSL_get_error(c->ssl, got), SSL_ERROR_ZERO_RETURN);
}

/* --- tools --- */

static void test_kdig_is_answered_over_tls(void **state)
{
	struct world *w = *state;
	char port[16];
	const char *const argv[] = {"kdig", "@127.0.0.1",      "-p", port,
	                            "+tls", "www.example.com", "A",  NULL};
	const char *out;

	start(w);
	snprintf(port, sizeof port, "%u", tls_port);
	out = world_expect_run(w, argv, 0, "TLS session (TLS1.3)");
	assert_non_null(strstr(out, "192.0.2.1"));
	assert_true(world_metric(w, "dnsd_answers_total{transport=\"tls\",rcode=\"NOERROR\"}") ==
	            1);
	assert_true(world_metric(w, "dnsd_tls_opened_total") == 1);
}

static const char *s_client(struct world *w, const char *options, int status, const char *text)
{
	char command[512];
	const char *const argv[] = {"sh", "-c", command, NULL};

	snprintf(command, sizeof command,
	         "cd '%s' && sleep 0.3 | openssl s_client -connect %s %s 2>&1", world_path(w, "."),
	         connect_to, options);
	return world_expect_run(w, argv, status, text);
}

static void test_openssl_agrees_on_dot_and_resumes_but_gets_no_old_version(void **state)
{
	struct world *w = *state;

	start(w);
	s_client(w, "-tls1_3 -alpn dot -sess_out 3.pem", 0, "ALPN protocol: dot");
	s_client(w, "-tls1_3 -sess_in 3.pem", 0, "Reused, TLSv1.3");
	s_client(w, "-tls1_2 -sess_out 2.pem", 0, "No ALPN negotiated");
	s_client(w, "-tls1_2 -sess_in 2.pem", 0, "Reused, TLSv1.2");
	assert_true(world_metric(w, "dnsd_tls_resumed_total") == 2);
	s_client(w, "-alpn h2", 1, "no application protocol");
	s_client(w, "-tls1_1 -cipher DEFAULT@SECLEVEL=0", 1, "alert protocol version");
	assert_true(world_metric(w, "dnsd_tls_failed_total") == 2);
	s_client(w, "-tls1_2 -cipher AES128-SHA", 1, "alert handshake failure");
	assert_null(strstr(s_client(w, "-tls1_2", 0, "Compression: NONE"), "Expansion: zlib"));
}

/* --- streams --- */

static void test_many_queries_go_over_one_session(void **state)
{
	enum { COUNT = 500 };
	struct world *w = *state;
	uint8_t *all = malloc(COUNT * FRAME), *reply = malloc(WIRE_ROOM);
	struct tls_client c;
	size_t len = 0;

	start(w);
	client_open(w, &c);
	for (unsigned i = 0; i < COUNT; i++)
		len += frame((uint16_t)i, all + len);
	assert_int_equal(SSL_write(c.ssl, all, (int)len), len);
	for (unsigned i = 0; i < COUNT; i++) {
		assert_true(tls_client_receive(&c, reply) > 12);
		assert_int_equal(bytes_get16(reply), i);
	}
	tls_client_close(&c);
	free(all);
	free(reply);
}

static void test_a_query_may_come_a_record_per_octet(void **state)
{
	struct world *w = *state;
	uint8_t out[FRAME], *reply = malloc(WIRE_ROOM);
	size_t len = frame(7, out);
	struct tls_client c;

	start(w);
	client_open(w, &c);
	for (size_t i = 0; i < len; i++)
		assert_int_equal(SSL_write(c.ssl, out + i, 1), 1);
	assert_true(tls_client_receive(&c, reply) > 12);
	tls_client_close(&c);
	free(reply);
}

/* One that says it sends no more gets its answer, then the end. */
static void test_who_says_close_notify_is_answered_first(void **state)
{
	struct world *w = *state;
	uint8_t out[FRAME], *reply = malloc(WIRE_ROOM);
	size_t len = frame(7, out);
	struct tls_client c;

	start(w);
	client_open(w, &c);
	assert_int_equal(SSL_write(c.ssl, out, (int)len), len);
	assert_int_equal(SSL_shutdown(c.ssl), 0);
	assert_true(tls_client_receive(&c, reply) > 12);
	assert_is_ended(&c);
	tls_client_close(&c);
	free(reply);
}

static void test_plain_dns_gets_no_answer_on_the_tls_port(void **state)
{
	struct world *w = *state;
	uint8_t out[FRAME], in[512];
	size_t len = frame(7, out), got = 0;
	int fd;
	ssize_t n;

	start(w);
	fd = tls_client_dial(w, tls_port);
	world_wire_send(w, fd, out, len);
	while ((n = recv(fd, in + got, sizeof in - got, 0)) > 0)
		got += (size_t)n;
	/* An alert record at most. */
	assert_in_range(got, 0, 7);
	assert_true(got == 0 || in[0] == 21);
	close(fd);
	assert_true(world_metric(w, "dnsd_answers_total{transport=\"tls\",rcode=\"NOERROR\"}") ==
	            0);
}

static void test_silence_ends_a_session_and_a_handshake(void **state)
{
	struct world *w = *state;
	struct tls_client c;
	uint64_t begun;
	uint8_t byte;
	int fd;

	start_with(w, "tcp: {idle: 1s}\n");
	client_open(w, &c);
	fd = tls_client_dial(w, tls_port);
	begun = clock_monotonic_ms();
	assert_is_ended(&c);
	assert_in_range(clock_monotonic_ms() - begun, 500, 3000);
	assert_int_equal(recv(fd, &byte, 1, 0), 0);
	assert_in_range(clock_monotonic_ms() - begun, 500, 3000);
	tls_client_close(&c);
	close(fd);
}

/* Who stops is told so, and what was asked is answered before. */
static void test_the_end_of_nighd_is_said_to_sessions(void **state)
{
	struct world *w = *state;
	struct tls_client c;

	start(w);
	client_open(w, &c);
	assert_answers(&c, 1);
	world_stop(w);
	assert_is_ended(&c);
	tls_client_close(&c);
}

/* The length of the answer to a query with a padding option of so many octets; < 0: without one. */
static size_t answer_len(struct world *w, struct tls_client *c, int padding)
{
	struct world_question q = {.name = "www.example.com", .type = "A"};
	uint8_t query[1024] = {0}, out[1026], *reply = malloc(WIRE_ROOM);
	size_t len = world_wire_build(&q, 3, query), got;

	if (padding >= 0) {
		bytes_put16(query + len - 2, (uint16_t)(4 + padding));
		bytes_put16(query + len, 12);
		bytes_put16(query + len + 2, (uint16_t)padding);
		len += 4 + (size_t)padding;
	}
	if (c == NULL) {
		got = world_wire_udp(w, NULL, query, len, reply, WAIT_MS);
	} else {
		len = world_wire_frame(query, len, out);
		assert_int_equal(SSL_write(c->ssl, out, (int)len), len);
		got = tls_client_receive(c, reply);
	}
	free(reply);
	return got;
}

/* Its sessions cannot go over: they end, with a word, between two messages. */
static void test_a_process_that_takes_over_has_the_port_and_the_old_ones_sessions_end(void **state)
{
	struct world *w = *state;
	struct tls_client before, after;
	unsigned port;

	start(w);
	port = tls_port;
	client_open(w, &before);
	assert_answers(&before, 1);
	world_replace(w);
	assert_is_ended(&before);
	tls_client_close(&before);
	find_port(w);
	assert_int_equal(tls_port, port);
	client_open(w, &after);
	assert_answers(&after, 2);
	tls_client_close(&after);
}

static void test_who_pads_is_answered_in_blocks(void **state)
{
	struct world *w = *state;
	struct tls_client c;

	start(w);
	client_open(w, &c);
	assert_int_equal(answer_len(w, &c, 83), 468);
	assert_int_equal(answer_len(w, &c, 0), 468);
	assert_in_range(answer_len(w, &c, -1), 12, 100);
	assert_in_range(answer_len(w, NULL, 83), 12, 100);
	tls_client_close(&c);
}

/* --- early ends --- */

/* Goes on until the client has sent `most` bytes; then it is away, by FIN or by RST.  False: it came to its end before. */
static bool cut_after(struct world *w, SSL_CTX *context, size_t most, bool resets)
{
	SSL *ssl = SSL_new(context);
	BIO *in = BIO_new(BIO_s_mem()), *out = BIO_new(BIO_s_mem());
	struct linger linger = {1, 0};
	size_t sent = 0, len;
	uint8_t query[FRAME], buf[4096];
	int fd = tls_client_dial(w, tls_port), stage = 0;

	len = frame(9, query);
	SSL_set_bio(ssl, in, out);
	SSL_set_connect_state(ssl);
	while (sent < most && stage < 3) {
		ssize_t n;
		int ready;

		ERR_clear_error();
		if (stage == 0 && SSL_do_handshake(ssl) == 1)
			stage = SSL_write(ssl, query, (int)len) == (int)len ? 1 : 3;
		else if (stage == 1 && SSL_read(ssl, buf, sizeof buf) > 0)
			stage = SSL_shutdown(ssl) >= 0 ? 2 : 3;
		while (sent < most && (ready = BIO_read(out, buf, sizeof buf)) > 0) {
			size_t part = most - sent < (size_t)ready ? most - sent : (size_t)ready;

			world_wire_send(w, fd, buf, part);
			sent += part;
		}
		if (sent >= most)
			break;
		n = recv(fd, buf, sizeof buf, 0);
		if (n <= 0)
			stage = 3;
		else
			(void)BIO_write(in, buf, (int)n);
	}
	if (resets)
		(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
	close(fd);
	SSL_free(ssl);
	return sent >= most;
}

static void test_a_client_may_be_gone_after_each_byte(void **state)
{
	struct world *w = *state;
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	size_t cut = 0;

	start(w);
	while (cut_after(w, context, cut, cut % 2))
		cut++;
	/* Hello, Finished, query, close_notify. */
	assert_in_range(cut, 400, 1500);
	world_expect_http(w, "/metrics", "dnsd_tcp_connections 0\n", 5000);
	SSL_CTX_free(context);
}

/* --- crowds --- */

/* A third says nothing, a third half a hello, a third a whole one, and no more. */
static void test_ten_thousand_half_handshakes_cost_bounded_memory_and_end(void **state)
{
	struct world *w = *state;
	unsigned count = world_descriptors(10000), late = 0;
	int *fd = calloc(count, sizeof *fd);
	uint8_t hello[4096], query[512], *reply = malloc(WIRE_ROOM);
	struct world_question q = {.name = "www.example.com", .type = "A"};
	size_t hello_len = tls_client_hello(hello, sizeof hello),
	       query_len = world_wire_build(&q, 1, query);
	double before, after;
	struct tls_client c;

	start(w);
	before = world_metric(w, "process_resident_memory_bytes");
	for (unsigned i = 0; i < count; i++) {
		fd[i] = tls_client_dial(w, tls_port);
		if (i % 3 > 0)
			world_wire_send(w, fd[i], hello, i % 3 == 1 ? hello_len / 2 : hello_len);
		if (i % 50 == 0)
			late += world_wire_udp(w, NULL, query, query_len, reply, 250) == 0;
	}
	assert_in_range(late, 0, 2);
	after = world_metric(w, "process_resident_memory_bytes");
	print_message("%.0f bytes for each of %u\n", (after - before) / count, count);
	assert_true(after - before < count * 65536.0 + world_sanitizer_bytes());
	client_open(w, &c);
	assert_answers(&c, 1);
	tls_client_close(&c);
	world_expect_http(w, "/metrics", "dnsd_tcp_connections 0\n", 15000);
	for (unsigned i = 0; i < count; i++)
		close(fd[i]);
	free(fd);
	free(reply);
}

/* --- behind a proxy --- */

/* What is behind 127.0.0.9 sends such a header first, over TCP and over TLS. */
static size_t put_header(uint8_t out[28], const char *client)
{
	static const char begin[16] = "\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c";
	struct addr a;

	assert_true(addr_parse(bytes_of(client), &a));
	memcpy(out, begin, 16);
	memcpy(out + 16, a.bytes, 4);
	memcpy(out + 20, "\x7f\0\0\1\xd4\x31\0\x35", 8);
	return 28;
}

static int dial_behind(struct world *w, unsigned port, const char *client)
{
	struct sockaddr_in from = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000009)},
			   to = {.sin_family = AF_INET,
	                         .sin_port = htons((uint16_t)port),
	                         .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct timeval wait = {WAIT_MS / 1000, 0};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	uint8_t header[28];

	assert_int_equal(bind(fd, (struct sockaddr *)&from, sizeof from), 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait), 0);
	if (client != NULL)
		world_wire_send(w, fd, header, put_header(header, client));
	return fd;
}

static const char *read_web(struct world *w, const uint8_t *reply, size_t len)
{
	static char records[2048];

	assert_true(len > 12);
	snprintf(records, sizeof records, "%s", world_wire_read(w, reply, len).records);
	return records;
}

static const char *web_over_tls(struct world *w, const char *client)
{
	struct world_question q = {.name = "web.shop.fed.svc.example.com", .type = "A"};
	uint8_t query[512], out[FRAME], *reply = malloc(WIRE_ROOM);
	size_t len = world_wire_frame(query, world_wire_build(&q, 5, query), out);
	struct tls_client c = {.context = SSL_CTX_new(TLS_client_method())};
	const char *records;

	c.ssl = SSL_new(c.context);
	c.fd = dial_behind(w, tls_port, client);
	assert_int_equal(SSL_set_fd(c.ssl, c.fd), 1);
	assert_int_equal(SSL_connect(c.ssl), 1);
	assert_int_equal(SSL_write(c.ssl, out, (int)len), len);
	records = read_web(w, reply, tls_client_receive(&c, reply));
	tls_client_close(&c);
	free(reply);
	return records;
}

static const char *web_over_tcp(struct world *w, const char *client)
{
	struct world_question q = {.name = "web.shop.fed.svc.example.com", .type = "A"};
	uint8_t query[512], out[FRAME], *reply = malloc(WIRE_ROOM);
	size_t len = world_wire_frame(query, world_wire_build(&q, 5, query), out);
	int fd = dial_behind(w, world_dns_port(w), client);
	const char *records;

	world_wire_send(w, fd, out, len);
	records = read_web(w, reply, world_wire_receive(w, fd, reply, WAIT_MS));
	close(fd);
	free(reply);
	return records;
}

static void test_behind_a_proxy_the_client_decides_over_tcp_and_tls(void **state)
{
	struct world *w = *state;
	uint8_t out[FRAME], byte;
	size_t len = frame(7, out);
	int fd;

	renew(w, "first");
	world_three_cities(w);
	world_config(w, "listen: {dns: [\"127.0.0.1:0\"], http: \"127.0.0.1:0\", proxyFrom: "
	                "[127.0.0.9/32], tls: {addresses: [\"127.0.0.1:0\"], certificate: "
	                "cert.pem, key: key.pem}}\n"
	                "publish: {allow: [198.18.0.0/16]}\n");
	world_start(w);
	find_port(w);
	assert_string_equal(web_over_tcp(w, "192.0.2.7"), "198.18.1.10");
	assert_string_equal(web_over_tcp(w, "203.0.113.7"), "198.18.3.10");
	assert_string_equal(web_over_tls(w, "192.0.2.7"), "198.18.1.10");
	assert_string_equal(web_over_tls(w, "198.51.100.7"), "198.18.2.10");
	assert_true(world_metric(w, "dnsd_tcp_proxied_total") == 4);
	fd = dial_behind(w, world_dns_port(w), NULL);
	world_wire_send(w, fd, out, len);
	assert_true(recv(fd, &byte, 1, 0) <= 0);
	close(fd);
	assert_true(world_metric(w, "dnsd_tcp_proxy_broken_total") == 1);
}

/* --- the certificate --- */

static void test_a_new_certificate_is_taken_up_without_a_dropped_session(void **state)
{
	struct world *w = *state;
	struct tls_client before, after;

	start(w);
	client_open(w, &before);
	assert_shows(&before, "first");
	renew(w, "second");
	world_expect_log(w, "certificate of listen.tls taken up", WAIT_MS);
	client_open(w, &after);
	assert_shows(&after, "second");
	assert_answers(&before, 1);
	assert_answers(&after, 2);
	world_expect_http(w, "/status", "!\"where\":\"tls\"", WAIT_MS);
	tls_client_close(&before);
	tls_client_close(&after);
}

static void test_a_broken_certificate_changes_nothing_but_the_status(void **state)
{
	struct world *w = *state;
	struct tls_client c;

	start(w);
	world_write(w, "cert.pem", "no certificate\n");
	world_expect_http(w, "/status", "\"where\":\"tls\"", WAIT_MS);
	world_expect_http(w, "/status", "cert.pem: ", WAIT_MS);
	client_open(w, &c);
	assert_shows(&c, "first");
	assert_answers(&c, 1);
	tls_client_close(&c);
	renew(w, "mended");
	world_expect_http(w, "/status", "!\"where\":\"tls\"", WAIT_MS);
	client_open(w, &c);
	assert_shows(&c, "mended");
	tls_client_close(&c);
}

static void test_sighup_reads_the_certificate_again(void **state)
{
	struct world *w = *state;
	struct tls_client c;

	start(w);
	client_open(w, &c);
	world_signal(w, SIGHUP);
	world_expect_log(w, "certificate of listen.tls taken up", 900);
	assert_answers(&c, 1);
	tls_client_close(&c);
}

static void test_without_a_good_certificate_it_does_not_start_and_says_why(void **state)
{
	struct world *w = *state;
	char file[256];
	const char *const argv[] = {"$NIGHD", "-c", file, "--check", NULL};

	world_write(w, "checked.yaml",
	            "listen:\n  tls: {addresses: [\"127.0.0.1:0\"], certificate: none.pem, key: "
	            "none.pem}\n");
	snprintf(file, sizeof file, "%s", world_path(w, "checked.yaml"));
	assert_non_null(
		strstr(world_expect_run(w, argv, 1, "checked.yaml:2: listen.tls: "), "none.pem: "));
	world_config(w, "listen: {dns: [\"127.0.0.1:0\"], http: \"127.0.0.1:0\", tls: {addresses: "
	                "[\"127.0.0.1:0\"], certificate: none.pem, key: none.pem}}\n");
	world_expect_start_fails(w, 1, "none.pem: ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(test_kdig_is_answered_over_tls),
		world_test(test_openssl_agrees_on_dot_and_resumes_but_gets_no_old_version),
		world_test(test_many_queries_go_over_one_session),
		world_test(test_a_query_may_come_a_record_per_octet),
		world_test(test_who_says_close_notify_is_answered_first),
		world_test(test_plain_dns_gets_no_answer_on_the_tls_port),
		world_test(test_silence_ends_a_session_and_a_handshake),
		world_test(test_the_end_of_nighd_is_said_to_sessions),
		world_test(
			test_a_process_that_takes_over_has_the_port_and_the_old_ones_sessions_end),
		world_test(test_who_pads_is_answered_in_blocks),
		world_test(test_a_client_may_be_gone_after_each_byte),
		world_test(test_ten_thousand_half_handshakes_cost_bounded_memory_and_end),
		world_test(test_behind_a_proxy_the_client_decides_over_tcp_and_tls),
		world_test(test_a_new_certificate_is_taken_up_without_a_dropped_session),
		world_test(test_a_broken_certificate_changes_nothing_but_the_status),
		world_test(test_sighup_reads_the_certificate_again),
		world_test(test_without_a_good_certificate_it_does_not_start_and_says_why),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests_name("scenario/tls", tests, NULL, NULL);
}
