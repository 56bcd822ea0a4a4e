/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/transport_easy.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/addr.h"
#include "base/check.h"
#include "base/text.h"
#include "base/version.h"

enum { CONNECT_MS = 10000 };

/* An option of libcurl 7.88, Debian 12's, cannot be refused but for memory. */
#define SET(option, value) CHECK(curl_easy_setopt(e->curl, option, value) == CURLE_OK)

/* --- where may be dialled --- */

/* Loopback, link-local, "this host" and a cloud's metadata: what an object in a cluster must not make nighd talk to. */
static bool is_inward(const struct addr *address)
{
	/* Amazon's fd00:ec2::254; those of others are link-local. */
	static const uint8_t metadata[16] = {0xfd, 0, 0x0e, 0xc2, [14] = 0x02, [15] = 0x54};
	struct addr a = addr_unmapped(address);

	if (addr_is_loopback(&a))
		return true;
	if (a.family == ADDR_IPV4)
		return a.bytes[0] == 0 || (a.bytes[0] == 169 && a.bytes[1] == 254);
	return a.family != ADDR_IPV6 || addr_is_any(&a) ||
	       (a.bytes[0] == 0xfe && (a.bytes[1] & 0xc0) == 0x80) ||
	       !memcmp(a.bytes, metadata, sizeof(metadata));
}

/* The address that is looked at here is the one that is dialled: a name cannot change in between. */
static curl_socket_t open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *to)
{
	struct transport_easy *e = arg;
	struct addr address = addr_from_sockaddr(&to->addr, NULL);

	if (purpose != CURLSOCKTYPE_IPCXN || is_inward(&address)) {
		e->refused = true;
		return CURL_SOCKET_BAD;
	}
	return socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
}

/* --- TLS --- */

/* What OpenSSL stumbles over on its way would hide from libcurl that it is the certificate that is no good: every
 * authority of Kubernetes is called "kubernetes", so the wrong one is found out by a signature that does not fit. */
static int verify(X509_STORE_CTX *chain, void *arg)
{
	int good = X509_verify_cert(chain);

	(void)arg;
	if (good <= 0)
		ERR_clear_error();
	return good;
}

/* KubeFed's ValidityPeriod: the chain is verified as of one second after the leaf's notBefore. */
static int verify_any_time(X509_STORE_CTX *chain, void *arg)
{
	X509 *leaf = X509_STORE_CTX_get0_cert(chain);
	struct tm from;

	if (!leaf || !ASN1_TIME_to_tm(X509_get0_notBefore(leaf), &from))
		return 0;
	X509_STORE_CTX_set_time(chain, 0, timegm(&from) + 1);
	return verify(chain, arg);
}

static CURLcode set_verify(CURL *curl, void *ssl_ctx, void *arg)
{
	const struct transport_easy *e = arg;

	(void)curl;
	SSL_CTX_set_cert_verify_callback(ssl_ctx, e->any_time ? verify_any_time : verify, NULL);
	return CURLE_OK;
}

static struct curl_blob blob_of(struct bytes pem)
{
	/* libcurl does not write to it, and has no type that says so. */
	union {
		const uint8_t *given;
		void *wanted;
	} data = {.given = pem.data};

	return (struct curl_blob){.data = data.wanted, .len = pem.len, .flags = CURL_BLOB_COPY};
}

static void set_tls(struct transport_easy *e, const struct kube_access *a)
{
	struct curl_blob ca = blob_of(bytes_of(a->ca));
	struct curl_blob certificate = blob_of(kube_secret_bytes(&a->certificate));
	struct curl_blob key = blob_of(kube_secret_bytes(&a->key));

	SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	SET(CURLOPT_SSL_VERIFYPEER, a->any_certificate ? 0L : 1L);
	SET(CURLOPT_SSL_VERIFYHOST, a->any_certificate || a->any_name ? 0L : 2L);
	if (ca.len > 0)
		SET(CURLOPT_CAINFO_BLOB, &ca);
	e->any_time = a->any_time;
	if (!a->any_certificate) {
		SET(CURLOPT_SSL_CTX_FUNCTION, set_verify);
		SET(CURLOPT_SSL_CTX_DATA, e);
	}
	if (certificate.len > 0)
		SET(CURLOPT_SSLCERT_BLOB, &certificate);
	if (key.len > 0)
		SET(CURLOPT_SSLKEY_BLOB, &key);
}

/* --- this machine --- */

static bool get_part(CURLU *url, CURLUPart part, unsigned flags, char **out)
{
	*out = NULL;
	return curl_url_get(url, part, out, flags) == CURLUE_OK;
}

static bool is_host_here(struct bytes host)
{
	struct addr address;

	if (host.len > 2 && host.data[0] == '[')
		host = (struct bytes){host.data + 1, host.len - 2};
	if (addr_parse(host, &address))
		return addr_is_loopback(&address);
	return host.len == strlen("localhost") &&
	       !strncasecmp((const char *)host.data, "localhost", host.len);
}

/* Does the URL say so by itself?  What another name resolves to may be elsewhere tomorrow. */
static bool is_here(const char *server)
{
	CURLU *url = curl_url();
	char *host = NULL;
	bool is;

	CHECK(url != NULL);
	is = curl_url_set(url, CURLUPART_URL, server, 0) == CURLUE_OK &&
	     get_part(url, CURLUPART_HOST, 0, &host) && is_host_here(bytes_of(host));
	curl_free(host);
	curl_url_cleanup(url);
	return is;
}

/* One that is told wins over all that the environment says, no_proxy too.  Without one the environment's is taken, as
 * kubectl does, but not to this machine. */
static void set_proxy(struct transport_easy *e, const struct kube_access *a)
{
	if (a->proxy) {
		SET(CURLOPT_PROXY, a->proxy);
		SET(CURLOPT_NOPROXY, "");
	} else if (is_here(a->server)) {
		SET(CURLOPT_PROXY, "");
	}
}

/* --- headers --- */

static void add_header(struct transport_easy *e, const char *name, struct bytes value)
{
	struct text line = {0};
	struct curl_slist *longer;

	/* A line break would begin another header. */
	if (value.len > 0 &&
	    (memchr(value.data, '\n', value.len) || memchr(value.data, '\r', value.len)))
		return;
	text_printf(&line, "%s:%s", name, value.len > 0 ? " " : "");
	text_add_bytes(&line, value);
	longer = curl_slist_append(e->headers, line.data);
	CHECK(longer != NULL);
	e->headers = longer;
	explicit_bzero(line.data, line.len);
	text_fini(&line);
}

static void add_bearer(struct transport_easy *e, const struct kube_secret *token)
{
	struct text value = {0};

	text_add(&value, "Bearer ");
	text_add_bytes(&value, kube_secret_bytes(token));
	add_header(e, "Authorization", bytes_of(value.data));
	explicit_bzero(value.data, value.len);
	text_fini(&value);
}

/* In the clear no credential leaves the machine. */
static bool may_send_credentials(const struct kube_access *a)
{
	return !strncmp(a->server, "https://", 8) || (is_here(a->server) && !a->proxy);
}

static void set_headers(struct transport_easy *e, const struct kube_access *a,
                        const struct kube_ask *ask)
{
	add_header(e, "Accept", bytes_of(ask->accept ? ask->accept : "application/json"));
	if (ask->content_type)
		add_header(e, "Content-Type", bytes_of(ask->content_type));
	if (a->impersonate)
		add_header(e, "Impersonate-User", bytes_of(a->impersonate));
	if (a->token.len > 0 && may_send_credentials(a))
		add_bearer(e, &a->token);
	/* None waits for "100 Continue". */
	if (ask->body.len > 0)
		add_header(e, "Expect", (struct bytes){0});
	SET(CURLOPT_HTTPHEADER, e->headers);
}

/* --- the URL --- */

/* tls-server-name: the URL names it, so that SNI and the check of the certificate do, and the connection goes to the
 * host that the server's URL names. */
static void set_url_by_name(struct transport_easy *e, const struct kube_access *a, const char *path)
{
	CURLU *url = curl_url();
	char *host, *port;
	struct text entry = {0}, whole = {0};

	CHECK(url != NULL);
	if (curl_url_set(url, CURLUPART_URL, a->server, 0) == CURLUE_OK &&
	    get_part(url, CURLUPART_HOST, 0, &host) &&
	    get_part(url, CURLUPART_PORT, CURLU_DEFAULT_PORT, &port)) {
		const char *rest = strstr(a->server, "://");
		const char *base = rest ? strchr(rest + 3, '/') : NULL;

		text_printf(&entry, "%s:%s:%s:%s", a->server_name, port, host, port);
		text_printf(&whole, "https://%s:%s%s%s", a->server_name, port, base ? base : "",
		            path);
		e->connect_to = curl_slist_append(NULL, entry.data);
		SET(CURLOPT_CONNECT_TO, e->connect_to);
		SET(CURLOPT_URL, whole.data);
		curl_free(host);
		curl_free(port);
	}
	text_fini(&entry);
	text_fini(&whole);
	curl_url_cleanup(url);
}

static void set_url(struct transport_easy *e, const struct kube_access *a, const char *path)
{
	struct text url = {0};

	text_printf(&url, "%s%s", a->server, path);
	SET(CURLOPT_URL, url.data);
	text_fini(&url);
	SET(CURLOPT_PATH_AS_IS, 1L);
	if (a->server_name && !strncmp(a->server, "https://", 8))
		set_url_by_name(e, a, path);
}

/* --- whole --- */

static void set_method(struct transport_easy *e, const struct kube_ask *ask)
{
	if (ask->body.len > 0) {
		SET(CURLOPT_POSTFIELDS, (const char *)ask->body.data);
		SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)ask->body.len);
	}
	if (ask->method)
		SET(CURLOPT_CUSTOMREQUEST, ask->method);
}

static void set_credentials(struct transport_easy *e, const struct kube_access *a)
{
	if (!a->user || !may_send_credentials(a))
		return;
	SET(CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
	SET(CURLOPT_USERNAME, a->user);
	SET(CURLOPT_PASSWORD, a->password.data ? a->password.data : "");
}

void transport_easy_init(struct transport_easy *e, const struct kube_access *access,
                         const struct kube_ask *ask)
{
	*e = (struct transport_easy){.curl = curl_easy_init()};
	CHECK(e->curl != NULL);
	SET(CURLOPT_ERRORBUFFER, e->error);
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_QUICK_EXIT, 1L);
	SET(CURLOPT_PROTOCOLS_STR, "http,https");
	SET(CURLOPT_FOLLOWLOCATION, 0L);
	SET(CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
	SET(CURLOPT_TCP_KEEPALIVE, 1L);
	SET(CURLOPT_TCP_KEEPIDLE, 15L);
	SET(CURLOPT_TCP_KEEPINTVL, 15L);
	SET(CURLOPT_USERAGENT, "nigh/" NIGH_VERSION);
	SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
	SET(CURLOPT_PIPEWAIT, 1L);
	if (ask->compressed && !access->no_compression)
		SET(CURLOPT_ACCEPT_ENCODING, "gzip");
	set_proxy(e, access);
	if (access->no_loopback) {
		SET(CURLOPT_OPENSOCKETFUNCTION, open_socket);
		SET(CURLOPT_OPENSOCKETDATA, e);
	}
	set_url(e, access, ask->path);
	set_method(e, ask);
	set_credentials(e, access);
	set_headers(e, access, ask);
	set_tls(e, access);
}

void transport_easy_fini(struct transport_easy *e)
{
	curl_easy_cleanup(e->curl);
	for (struct curl_slist *h = e->headers; h; h = h->next)
		explicit_bzero(h->data, strlen(h->data));
	curl_slist_free_all(e->headers);
	curl_slist_free_all(e->connect_to);
	*e = (struct transport_easy){0};
}

/* libcurl says how long it took, which is another number each time: " after 12 ms", " after 10001 milliseconds". */
static void without_duration(const char *text, char *out, size_t room)
{
	const char *from = strstr(text, " after ");
	const char *to = from ? from + strlen(" after ") : NULL;
	size_t digits = to ? strspn(to, "0123456789") : 0;

	if (digits > 0) {
		to += digits;
		to += strspn(to, " ");
		to += strncmp(to, "milliseconds", 12) == 0 ? 12 : strncmp(to, "ms", 2) == 0 ? 2 : 0;
		(void)snprintf(out, room, "%.*s%s", (int)(from - text), text, to);
	} else {
		(void)snprintf(out, room, "%s", text);
	}
}

enum err transport_easy_result(const struct transport_easy *e, CURLcode code, struct reason *why)
{
	char text[CURL_ERROR_SIZE];

	without_duration(e->error[0] != '\0' ? e->error : curl_easy_strerror(code), text,
	                 sizeof(text));
	if (code == CURLE_OK)
		return ERR_OK;
	if (e->refused)
		return reason_set(why, ERR_DENIED,
		                  "a loopback or link-local address is not dialled "
		                  "(sources.kubernetes.allowLoopback)");
	if (e->flooded)
		return reason_set(why, ERR_UNREACHABLE, "sends too much at once");
	switch ((int)code) {
	case CURLE_COULDNT_RESOLVE_PROXY:
		/* libcurl's text may have the URL in it, and that a password. */
		return reason_set(why, ERR_UNREACHABLE, "the proxy is not to be found by its URL");
	case CURLE_OPERATION_TIMEDOUT:
		return reason_set(why, ERR_TIMEOUT, "%s", text);
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CERTPROBLEM:
		return reason_set(why, ERR_DENIED, "TLS: %s", text);
	case CURLE_WRITE_ERROR:
		return reason_set(why, ERR_UNREACHABLE, "abandoned");
	default:
		return reason_set(why, ERR_UNREACHABLE, "%s", text);
	}
}
