/* SPDX-License-Identifier: Apache-2.0 */
#include "watcher/peers_tls.h"

#include <limits.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/xalloc.h"

struct peers_tls {
	SSL_CTX *context;
};

struct peers_session {
	SSL *ssl;
	BIO *in, *out; /* the SSL's */
	size_t fed;    /* until it is open */
	bool is_open, is_broken;
	char error[160];
};

/* --- files --- */

static enum err fail(const char *file, const char *what, struct reason *why)
{
	unsigned long code = ERR_peek_error();
	const char *text = ERR_SYSTEM_ERROR(code) ? strerror(ERR_GET_REASON(code))
	                                          : ERR_reason_error_string(code);

	ERR_clear_error();
	return reason_set(why, ERR_PARSE, "%s: no %s in PEM can be read: %s", file, what,
	                  text != NULL ? text : "it cannot be used");
}

/* Of an encrypted key: there is none.  Without this OpenSSL would ask the terminal. */
static int no_password(char *buf, int size, int writing, void *arg)
{
	(void)buf;
	(void)size;
	(void)writing;
	(void)arg;
	return -1;
}

static void set_up(SSL_CTX *context)
{
	CHECK(SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION) == 1);
	(void)SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET);
	(void)SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
	(void)SSL_CTX_set_num_tickets(context, 0);
	(void)SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	SSL_CTX_set_default_passwd_cb(context, no_password);
}

static enum err read_files(SSL_CTX *context, const char *certificate, const char *key,
                           const char *ca, struct reason *why)
{
	ERR_clear_error();
	if (SSL_CTX_use_certificate_chain_file(context, certificate) != 1)
		return fail(certificate, "certificate", why);
	if (SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) != 1 &&
	    ERR_GET_LIB(ERR_peek_error()) != ERR_LIB_X509)
		return fail(key, "key", why);
	if (SSL_CTX_check_private_key(context) != 1) {
		ERR_clear_error();
		return reason_set(why, ERR_PARSE, "%s: it is not the key of the certificate in %s",
		                  key, certificate);
	}
	if (SSL_CTX_load_verify_file(context, ca) != 1)
		return fail(ca, "certificate", why);
	return ERR_OK;
}

enum err peers_tls_new(const char *certificate, const char *key, const char *ca,
                       struct peers_tls **out, struct reason *why)
{
	SSL_CTX *context = SSL_CTX_new(TLS_method());
	enum err err;

	CHECK(context != NULL);
	set_up(context);
	err = read_files(context, certificate, key, ca, why);
	*out = NULL;
	if (err != ERR_OK) {
		SSL_CTX_free(context);
		return err;
	}
	*out = xcalloc(1, sizeof(**out));
	(*out)->context = context;
	return ERR_OK;
}

static int verify_as(const struct peers_tls *t, int purpose)
{
	X509_STORE_CTX *v = X509_STORE_CTX_new();
	STACK_OF(X509) *chain = NULL;
	int code;

	CHECK(v != NULL);
	CHECK(SSL_CTX_get0_chain_certs(t->context, &chain) == 1);
	CHECK(X509_STORE_CTX_init(v, SSL_CTX_get_cert_store(t->context),
	                          SSL_CTX_get0_certificate(t->context), chain) == 1);
	(void)X509_STORE_CTX_set_purpose(v, purpose);
	code = X509_verify_cert(v) == 1 ? X509_V_OK : X509_STORE_CTX_get_error(v);
	X509_STORE_CTX_free(v);
	ERR_clear_error();
	return code;
}

enum err peers_tls_verify(const struct peers_tls *t, struct reason *why)
{
	int code = verify_as(t, X509_PURPOSE_SSL_SERVER);

	if (code == X509_V_OK)
		code = verify_as(t, X509_PURPOSE_SSL_CLIENT);
	return code == X509_V_OK
	               ? ERR_OK
	               : reason_set(why, ERR_DENIED, "%s", X509_verify_cert_error_string(code));
}

void peers_tls_free(struct peers_tls *t)
{
	if (t == NULL)
		return;
	SSL_CTX_free(t->context);
	free(t);
}

/* --- who the other end is --- */

/* Of names that are not text there is none. */
static bool has_name(X509 *certificate, const GENERAL_NAME *name)
{
	const char *text;
	int len;

	if (name->type != GEN_DNS)
		return false;
	text = (const char *)ASN1_STRING_get0_data(name->d.dNSName);
	len = ASN1_STRING_length(name->d.dNSName);
	return len > 0 &&
	       X509_check_host(certificate, text, (size_t)len,
	                       X509_CHECK_FLAG_NO_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT,
	                       NULL) == 1;
}

/* Has it one of our own DNS names, when we have any? */
static bool is_of_our_name(const SSL *ssl)
{
	X509 *theirs = SSL_get0_peer_certificate(ssl), *ours = SSL_get_certificate(ssl);
	GENERAL_NAMES *names = X509_get_ext_d2i(ours, NID_subject_alt_name, NULL, NULL);
	bool any = false, found = false;

	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);

		any |= name->type == GEN_DNS;
		found |= has_name(theirs, name);
	}
	GENERAL_NAMES_free(names);
	return found || !any;
}

static void print_of(const X509 *certificate, uint8_t out[PEERS_TLS_PRINT])
{
	unsigned len = 0;

	CHECK(certificate != NULL && X509_digest(certificate, EVP_sha256(), out, &len) == 1);
	CHECK(len == PEERS_TLS_PRINT);
}

void peers_session_print(const struct peers_session *s, uint8_t out[PEERS_TLS_PRINT])
{
	CHECK(s->is_open);
	print_of(SSL_get0_peer_certificate(s->ssl), out);
}

void peers_tls_print(const struct peers_tls *t, uint8_t out[PEERS_TLS_PRINT])
{
	print_of(SSL_CTX_get0_certificate(t->context), out);
}

/* --- a session --- */

static BIO *make_bio(void)
{
	BIO *bio = BIO_new(BIO_s_mem());

	CHECK(bio != NULL);
	return bio;
}

struct peers_session *peers_session_new(struct peers_tls *t, bool dials)
{
	struct peers_session *s = xcalloc(1, sizeof *s);

	s->ssl = SSL_new(t->context);
	CHECK(s->ssl != NULL);
	s->in = make_bio();
	s->out = make_bio();
	SSL_set_bio(s->ssl, s->in, s->out);
	if (dials)
		SSL_set_connect_state(s->ssl);
	else
		SSL_set_accept_state(s->ssl);
	return s;
}

void peers_session_free(struct peers_session *s)
{
	if (s == NULL)
		return;
	SSL_free(s->ssl);
	free(s);
}

static void break_off(struct peers_session *s, const char *error)
{
	s->is_broken = true;
	snprintf(s->error, sizeof s->error, "%s", error);
}

static void break_by_openssl(struct peers_session *s)
{
	long verified = SSL_get_verify_result(s->ssl);
	const char *text = ERR_reason_error_string(ERR_peek_last_error());

	if (verified != X509_V_OK)
		text = X509_verify_cert_error_string(verified);
	break_off(s, text != NULL ? text : "the connection ended");
	ERR_clear_error();
}

void peers_session_feed(struct peers_session *s, struct bytes data)
{
	if (!s->is_open) {
		s->fed += data.len;
		if (s->fed > PEERS_TLS_MAX_HANDSHAKE && !s->is_broken)
			break_off(s, "the handshake is too long");
	}
	CHECK(data.len <= INT_MAX);
	if (data.len > 0 && !s->is_broken)
		CHECK(BIO_write(s->in, data.data, (int)data.len) == (int)data.len);
}

/* Nothing is read of the other end before it is known. */
static enum peers_tls_result shake_hands(struct peers_session *s)
{
	int result = SSL_do_handshake(s->ssl);

	if (result != 1) {
		if (SSL_get_error(s->ssl, result) == SSL_ERROR_WANT_READ)
			return PEERS_TLS_WAIT;
		break_by_openssl(s);
		return PEERS_TLS_BROKEN;
	}
	if (!is_of_our_name(s->ssl)) {
		break_off(s, "its certificate has none of the DNS names of ours");
		return PEERS_TLS_BROKEN;
	}
	s->is_open = true;
	return PEERS_TLS_DATA;
}

enum peers_tls_result peers_session_read(struct peers_session *s, uint8_t *out, size_t room,
                                         size_t *len)
{
	int error;

	*len = 0;
	if (s->is_broken)
		return PEERS_TLS_BROKEN;
	ERR_clear_error();
	if (!s->is_open) {
		enum peers_tls_result result = shake_hands(s);

		if (result != PEERS_TLS_DATA)
			return result;
	}
	if (SSL_read_ex(s->ssl, out, room, len) == 1)
		return PEERS_TLS_DATA;
	error = SSL_get_error(s->ssl, 0);
	if (error == SSL_ERROR_WANT_READ)
		return PEERS_TLS_WAIT;
	if (error == SSL_ERROR_ZERO_RETURN)
		return PEERS_TLS_END;
	break_by_openssl(s);
	return PEERS_TLS_BROKEN;
}

bool peers_session_write(struct peers_session *s, struct bytes data)
{
	size_t written;

	if (s->is_broken || !s->is_open)
		return false;
	ERR_clear_error();
	if (SSL_write_ex(s->ssl, data.data, data.len, &written) == 1 && written == data.len)
		return true;
	break_by_openssl(s);
	return false;
}

void peers_session_take_output(struct peers_session *s, struct buffer *out)
{
	char *data;
	long len = BIO_get_mem_data(s->out, &data);

	if (len > 0)
		buffer_put(out, data, (size_t)len);
	(void)BIO_reset(s->out);
}

bool peers_session_is_open(const struct peers_session *s) { return s->is_open; }

const char *peers_session_error(const struct peers_session *s) { return s->error; }
