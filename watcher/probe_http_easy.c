/* SPDX-License-Identifier: Apache-2.0 */
#include "watcher/probe_http_easy.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/check.h"
#include "base/version.h"

enum { HOST_MOST = 253, PATH_MOST = 2048, STATUS_GOOD_FROM = 200, STATUS_GOOD_TO = 399 };

/* An option of libcurl 7.88, Debian 12's, cannot be refused but for memory. */
#define SET(option, value) CHECK(curl_easy_setopt(e->curl, option, value) == CURLE_OK)

static bool is_grpc(const struct probe_easy *e) { return e->check->is.kind == POLICY_CHECK_GRPC; }

static bool has_tls(const struct probe_easy *e)
{
	return e->check->is.kind == POLICY_CHECK_HTTPS || (is_grpc(e) && e->check->is.tls);
}

/* The first word counts. */
static void decide(struct probe_easy *e, enum probe_outcome outcome, const char *text)
{
	if (e->decided)
		return;
	e->decided = true;
	e->outcome = outcome;
	(void)snprintf(e->said, sizeof(e->said), "%.*s", (int)sizeof(e->said) - 1, text);
	/* A stranger may have written it. */
	for (char *c = e->said; *c; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
}

/* --- what comes --- */

static bool is_good_status(const struct policy_check *is, long status)
{
	if (is->status_count == 0)
		return status >= STATUS_GOOD_FROM && status <= STATUS_GOOD_TO;
	for (size_t i = 0; i < is->status_count; i++)
		if (status >= is->status[i].from && status <= is->status[i].to)
			return true;
	return false;
}

/* The status of an HTTP exchange says it all, unless a part of the body is asked for. */
static void judge_status(struct probe_easy *e, long status)
{
	char text[32];
	bool good = is_grpc(e) ? status == 200 : is_good_status(&e->check->is, status);

	(void)snprintf(text, sizeof(text), "status %ld", status);
	if (!good)
		decide(e, PROBE_BAD, text);
	else if (!is_grpc(e) && e->check->is.body.len == 0)
		decide(e, PROBE_GOOD, text);
}

static bool take_field(const char *line, size_t len, const char *name, struct bytes *value)
{
	size_t name_len = strlen(name);

	if (len <= name_len || strncasecmp(line, name, name_len) != 0 || line[name_len] != ':')
		return false;
	line += name_len + 1;
	len -= name_len + 1;
	while (len > 0 && (*line == ' ' || *line == '\t')) {
		line++;
		len--;
	}
	while (len > 0 && (line[len - 1] == '\r' || line[len - 1] == '\n'))
		len--;
	*value = (struct bytes){(const uint8_t *)line, len};
	return true;
}

/* In the trailers, or in the headers of an answer that has no more. */
static void read_grpc_field(struct probe_easy *e, const char *line, size_t len)
{
	struct bytes value;
	uint64_t status;

	if (take_field(line, len, "grpc-status", &value))
		e->grpc_status = text_to_u64(value, INT16_MAX, &status) ? (int)status : INT16_MAX;
	else if (take_field(line, len, "grpc-message", &value))
		(void)snprintf(e->grpc_message, sizeof(e->grpc_message), "%.*s", (int)value.len,
		               (const char *)value.data);
}

/* Of all headers and trailers; a return of 0 makes libcurl give it up. */
static size_t on_header(char *line, size_t size, size_t count, void *arg)
{
	struct probe_easy *e = arg;
	size_t len = size * count;
	long status = 0;

	e->header_bytes += len;
	if (e->header_bytes > PROBE_HTTP_BYTES_MOST)
		decide(e, PROBE_BAD, "more than 64 KiB of headers");
	read_grpc_field(e, line, len);
	if (!e->answered && len > 0 && (line[0] == '\r' || line[0] == '\n')) {
		curl_easy_getinfo(e->curl, CURLINFO_RESPONSE_CODE, &status);
		e->answered = status >= 200; /* not a "100 Continue" */
		if (e->answered)
			judge_status(e, status);
	}
	return e->decided ? 0 : len;
}

static bool has_wanted(const struct probe_easy *e, size_t before)
{
	struct bytes wanted = e->check->is.body;
	size_t from = before >= wanted.len ? before - wanted.len + 1 : 0;

	return memmem(e->body.data + from, e->body.len - from, wanted.data, wanted.len) != NULL;
}

static size_t on_body(char *data, size_t size, size_t count, void *arg)
{
	struct probe_easy *e = arg;
	size_t len = size * count, before = e->body.len;
	size_t room = PROBE_HTTP_BYTES_MOST - before;

	memcpy(buffer_extend(&e->body, len < room ? len : room), data, len < room ? len : room);
	if (!is_grpc(e) && has_wanted(e, before))
		decide(e, PROBE_GOOD, "the body has what is wanted");
	else if (len > room)
		decide(e, PROBE_BAD,
		       is_grpc(e) ? "more than 64 KiB of an answer"
		                  : "the first 64 KiB of the body have not what is wanted");
	return e->decided ? 0 : len;
}

/* --- the end --- */

static void judge_grpc(struct probe_easy *e)
{
	const char *said;
	char text[PROBE_HTTP_TEXT_SIZE];
	bool serving = probe_grpc_is_serving((struct bytes){e->body.data, e->body.len}, &said);

	if (e->grpc_status == 0) {
		decide(e, serving ? PROBE_GOOD : PROBE_BAD, said);
		return;
	}
	if (e->grpc_status < 0)
		(void)snprintf(text, sizeof(text), "an answer without a grpc-status");
	else
		(void)snprintf(text, sizeof(text), "grpc-status %d%s%s", e->grpc_status,
		               e->grpc_message[0] ? ": " : "", e->grpc_message);
	decide(e, PROBE_BAD, text);
}

/* "SSL certificate problem: certificate has expired" */
static const char *without_prefix(const char *text)
{
	static const char *const prefixes[] = {"SSL certificate problem: ", "SSL: "};

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
		if (strncmp(text, prefixes[i], strlen(prefixes[i])) == 0)
			return text + strlen(prefixes[i]);
	return text;
}

static void judge_error(struct probe_easy *e, CURLcode code)
{
	const char *text = e->error[0] != '\0' ? e->error : curl_easy_strerror(code);
	char longer[CURL_ERROR_SIZE + 64];

	switch ((int)code) {
	case CURLE_PEER_FAILED_VERIFICATION:
		(void)snprintf(longer, sizeof(longer), "certificate verify failed: %s",
		               without_prefix(text));
		decide(e, PROBE_BAD, longer);
		break;
	case CURLE_OUT_OF_MEMORY:
	case CURLE_FAILED_INIT:
	case CURLE_URL_MALFORMAT:
	case CURLE_SSL_CACERT_BADFILE: /* those of our side */
	case CURLE_SSL_CERTPROBLEM:
		decide(e, PROBE_VOID, text);
		break;
	default:
		decide(e, PROBE_BAD, text);
	}
}

void probe_easy_judge(struct probe_easy *e, CURLcode code)
{
	if (e->decided)
		return;
	if (code != CURLE_OK)
		judge_error(e, code);
	else if (!e->answered)
		decide(e, PROBE_BAD, "ended without an answer");
	else if (is_grpc(e))
		judge_grpc(e);
	else
		decide(e, PROBE_BAD, "the body has not what is wanted");
}

/* --- the beginning --- */

/* The connection is there: it is what libcurl gets, once. */
static curl_socket_t give_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *to)
{
	struct probe_easy *e = arg;
	int fd = e->fd;

	(void)purpose;
	(void)to;
	e->fd = -1;
	return fd < 0 ? CURL_SOCKET_BAD : fd;
}

static int is_connected(void *arg, curl_socket_t fd, curlsocktype purpose)
{
	(void)arg;
	(void)fd;
	(void)purpose;
	return CURL_SOCKOPT_ALREADY_CONNECTED;
}

static void set_connection(struct probe_easy *e, const struct addr *addr, uint16_t port)
{
	char text[ADDR_PORT_TEXT_SIZE + 2];

	text[0] = text[1] = ':'; /* whatever the URL's host and port are */
	addr_port_print(addr, port, text + 2);
	e->connect_to = curl_slist_append(NULL, text);
	CHECK(e->connect_to != NULL);
	SET(CURLOPT_CONNECT_TO, e->connect_to);
	SET(CURLOPT_OPENSOCKETFUNCTION, give_socket);
	SET(CURLOPT_OPENSOCKETDATA, e);
	SET(CURLOPT_SOCKOPTFUNCTION, is_connected);
	SET(CURLOPT_FRESH_CONNECT, 1L);
	SET(CURLOPT_FORBID_REUSE, 1L);
	SET(CURLOPT_DNS_CACHE_TIMEOUT, 0L);
	SET(CURLOPT_PROXY, "");
	SET(CURLOPT_NOPROXY, "*");
}

/* A name or an address: what else there is in a URL would mean something else. */
static bool is_host(struct bytes host)
{
	for (size_t i = 0; i < host.len; i++) {
		uint8_t c = host.data[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		      c == '-' || c == '.' || c == '_'))
			return false;
	}
	return host.len <= HOST_MOST;
}

static bool is_path(struct bytes path)
{
	for (size_t i = 0; i < path.len; i++)
		if (path.data[i] <= ' ' || path.data[i] > '~' || path.data[i] == '#')
			return false;
	return path.len <= PATH_MOST && (path.len == 0 || path.data[0] == '/');
}

/* The host is that of the check; without one it is the address. */
static bool set_url(struct probe_easy *e, const struct addr *addr, uint16_t port)
{
	const struct policy_check *is = &e->check->is;
	char text[ADDR_PORT_TEXT_SIZE];

	if (!is_host(is->host) || (!is_grpc(e) && !is_path(is->path))) {
		decide(e, PROBE_VOID,
		       is_host(is->host) ? "the check's path is none" : "the check's host is none");
		return false;
	}
	text_reset(&e->url);
	text_add(&e->url, has_tls(e) ? "https://" : "http://");
	if (is->host.len > 0) {
		text_add_bytes(&e->url, is->host);
		text_printf(&e->url, ":%u", port);
	} else {
		text_add(&e->url, addr_port_print(addr, port, text));
	}
	if (is_grpc(e))
		text_add(&e->url, PROBE_GRPC_PATH);
	else
		text_add_bytes(&e->url, is->path.len > 0 ? is->path : bytes_of("/"));
	SET(CURLOPT_URL, e->url.data);
	SET(CURLOPT_PATH_AS_IS, 1L);
	return true;
}

static void add_header(struct probe_easy *e, const char *line)
{
	struct curl_slist *longer = curl_slist_append(e->headers, line);

	CHECK(longer != NULL);
	e->headers = longer;
}

static bool is_one_line(struct bytes b)
{
	return b.len == 0 || (!memchr(b.data, '\n', b.len) && !memchr(b.data, '\r', b.len) &&
	                      !memchr(b.data, '\0', b.len));
}

static void set_headers(struct probe_easy *e)
{
	const struct policy_check *is = &e->check->is;

	for (size_t i = 0; i < is->header_count; i++) {
		struct text line = {0};

		if (!is_one_line(is->headers[i].name) || !is_one_line(is->headers[i].value))
			continue; /* a line break would begin another header */
		text_add_bytes(&line, is->headers[i].name);
		text_add(&line, is->headers[i].value.len > 0 ? ": " : ";");
		text_add_bytes(&line, is->headers[i].value);
		add_header(e, line.data);
		text_fini(&line);
	}
	if (is_grpc(e)) {
		add_header(e, "Content-Type: application/grpc");
		add_header(e, "TE: trailers");
		add_header(e, "Accept:");
	}
	SET(CURLOPT_HTTPHEADER, e->headers);
}

/* Little is read of an answer whose status says it all, and malloc() keeps a small buffer at hand. */
static void set_small(struct probe_easy *e)
{
	enum { SMALLEST = 1024 }; /* of CURLOPT_BUFFERSIZE */

	if (e->check->is.body.len == 0)
		SET(CURLOPT_BUFFERSIZE, (long)SMALLEST);
	/* A request is one message: only of one that is longer than a segment the rest waits, for a round trip. */
	if (!has_tls(e))
		SET(CURLOPT_TCP_NODELAY, 0L);
}

static void set_request(struct probe_easy *e)
{
	size_t len;

	if (!is_grpc(e)) {
		set_small(e);
		SET(CURLOPT_HTTP_VERSION,
		    (long)(has_tls(e) ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1));
		return;
	}
	len = probe_grpc_encode(e->check->is.path, e->request);
	SET(CURLOPT_HTTP_VERSION,
	    (long)(has_tls(e) ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE));
	SET(CURLOPT_POSTFIELDS, (const char *)e->request);
	SET(CURLOPT_POSTFIELDSIZE, (long)len);
}

static struct curl_blob blob_of(const struct probe_file *f)
{
	return (struct curl_blob){
		.data = f->data.data, .len = f->data.len, .flags = CURL_BLOB_COPY};
}

/* As in kube/transport_easy.c: authorities that share a name are told apart by a signature that does not fit, and what OpenSSL
 * says of that would hide from libcurl that it is the certificate that is no good. */
static int verify(X509_STORE_CTX *chain, void *arg)
{
	int good = X509_verify_cert(chain);

	(void)arg;
	if (good <= 0)
		ERR_clear_error();
	return good;
}

static CURLcode set_verify(CURL *curl, void *ssl_ctx, void *arg)
{
	(void)curl;
	(void)arg;
	SSL_CTX_set_cert_verify_callback(ssl_ctx, verify, NULL);
	return CURLE_OK;
}

/* A full handshake each time: a certificate that has expired must show. */
static void set_tls(struct probe_easy *e)
{
	const struct probe_check *c = e->check;
	struct curl_blob ca = blob_of(&c->ca), certificate = blob_of(&c->certificate);
	struct curl_blob key = blob_of(&c->key_file);

	SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	SET(CURLOPT_SSL_SESSIONID_CACHE, 0L);
	if (!c->is.insecure)
		SET(CURLOPT_SSL_CTX_FUNCTION, set_verify);
	SET(CURLOPT_SSL_VERIFYPEER, c->is.insecure ? 0L : 1L);
	SET(CURLOPT_SSL_VERIFYHOST, c->is.insecure ? 0L : 2L);
	/* Without a folder the machine's own authorities are read once a day, not for each probe. */
	SET(CURLOPT_CAPATH, NULL);
	if (c->ca.is_read)
		SET(CURLOPT_CAINFO_BLOB, &ca);
	if (c->certificate.is_read)
		SET(CURLOPT_SSLCERT_BLOB, &certificate);
	if (c->key_file.is_read)
		SET(CURLOPT_SSLKEY_BLOB, &key);
}

static void set_reading(struct probe_easy *e)
{
	SET(CURLOPT_ERRORBUFFER, e->error);
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_PROTOCOLS_STR, "http,https");
	SET(CURLOPT_FOLLOWLOCATION, 0L);
	SET(CURLOPT_USERAGENT, "nigh/" NIGH_VERSION);
	SET(CURLOPT_HEADERFUNCTION, on_header);
	SET(CURLOPT_HEADERDATA, e);
	SET(CURLOPT_WRITEFUNCTION, on_body);
	SET(CURLOPT_WRITEDATA, e);
}

bool probe_easy_begin(struct probe_easy *e, const struct probe_check *check,
                      const struct addr *addr, uint16_t port, int take_fd)
{
	if (!e->curl)
		e->curl = curl_easy_init();
	CHECK(e->curl != NULL);
	e->check = check;
	e->fd = take_fd;
	e->grpc_status = -1;
	set_reading(e);
	set_connection(e, addr, port);
	if (!set_url(e, addr, port))
		return false;
	set_headers(e);
	set_request(e);
	if (has_tls(e))
		set_tls(e);
	return true;
}

void probe_easy_end(struct probe_easy *e)
{
	CURL *curl = e->curl;
	struct text url = e->url;
	struct buffer body = e->body;

	if (e->fd >= 0)
		close(e->fd);
	curl_easy_reset(curl);
	curl_slist_free_all(e->headers);
	curl_slist_free_all(e->connect_to);
	buffer_reset(&body);
	*e = (struct probe_easy){.curl = curl, .url = url, .body = body, .fd = -1};
}

void probe_easy_fini(struct probe_easy *e)
{
	probe_easy_end(e);
	curl_easy_cleanup(e->curl);
	text_fini(&e->url);
	buffer_fini(&e->body);
}
