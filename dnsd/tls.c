/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/tls.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/check.h"
#include "base/random.h"
#include "base/xalloc.h"

/* What seals tickets (RFC 5077 4). */
struct ticket_key {
	unsigned char name[16];
	unsigned char cipher[32], mac[32];
};

struct tls {
	char *certificate, *key; /* files */
	_Atomic int64_t expires; /* Unix seconds */
	pthread_mutex_t mutex;   /* of all below */
	SSL_CTX *context;        /* each stream holds the one it began with */
	bool has_before;         /* was there a rotation? */
	struct ticket_key now, before;
};

/* --- errors --- */

/* OpenSSL's words, but where they say nothing to who has mixed up two files. */
static const char *words_of(unsigned long code)
{
	const char *text;

	if (ERR_SYSTEM_ERROR(code))
		return strerror(ERR_GET_REASON(code));
	if (ERR_GET_REASON(code) == ERR_R_INTERRUPTED_OR_CANCELLED)
		return "the key is encrypted";
	text = ERR_reason_error_string(code);
	return text != NULL ? text : "cannot be used";
}

static bool is_not_pem(unsigned long code)
{
	return ERR_GET_LIB(code) == ERR_LIB_OSSL_DECODER ||
	       (ERR_GET_LIB(code) == ERR_LIB_PEM && ERR_GET_REASON(code) == PEM_R_NO_START_LINE);
}

static enum err fail(const char *file, const char *what, struct reason *why)
{
	unsigned long code = ERR_peek_error();

	ERR_clear_error();
	if (is_not_pem(code))
		return reason_set(why, ERR_PARSE, "%s: no %s in PEM is in it", file, what);
	return reason_set(why, ERR_PARSE, "%s: %s", file, words_of(code));
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

/* --- tickets --- */

static void make_key(struct ticket_key *out)
{
	random_bytes(out->name, sizeof out->name);
	random_bytes(out->cipher, sizeof out->cipher);
	random_bytes(out->mac, sizeof out->mac);
}

/* 1: a ticket of this key; 2: of the one before, to be given anew; 0: of none. */
static int find_key(struct tls *t, const unsigned char *name, struct ticket_key *out)
{
	int found = 0;

	CHECK(pthread_mutex_lock(&t->mutex) == 0);
	if (name == NULL || memcmp(name, t->now.name, sizeof t->now.name) == 0) {
		*out = t->now;
		found = 1;
	} else if (t->has_before && memcmp(name, t->before.name, sizeof t->before.name) == 0) {
		*out = t->before;
		found = 2;
	}
	CHECK(pthread_mutex_unlock(&t->mutex) == 0);
	return found;
}

static bool set_mac(EVP_MAC_CTX *mac, struct ticket_key *key)
{
	char digest[] = "SHA256";
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key->mac, sizeof key->mac),
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
		OSSL_PARAM_construct_end(),
	};

	return EVP_MAC_CTX_set_params(mac, params) == 1;
}

static int on_ticket(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher,
                     EVP_MAC_CTX *mac, int seals)
{
	struct tls *t = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
	struct ticket_key key;
	int result = find_key(t, seals ? NULL : name, &key);

	if (result == 0)
		return 0;
	if (seals) {
		memcpy(name, key.name, sizeof key.name);
		if (RAND_bytes(iv, EVP_CIPHER_get_iv_length(EVP_aes_256_cbc())) != 1)
			result = -1;
	}
	if (result > 0 &&
	    (EVP_CipherInit_ex2(cipher, EVP_aes_256_cbc(), key.cipher, iv, seals, NULL) != 1 ||
	     !set_mac(mac, &key)))
		result = -1;
	OPENSSL_cleanse(&key, sizeof key);
	return result;
}

void tls_rotate(struct tls *t)
{
	CHECK(pthread_mutex_lock(&t->mutex) == 0);
	t->before = t->now;
	t->has_before = true;
	make_key(&t->now);
	CHECK(pthread_mutex_unlock(&t->mutex) == 0);
}

/* --- the context --- */

/* RFC 7858 has no name for it but "dot" (RFC 7301's registry).  A client that offers others alone has come to the wrong
 * place; one that offers none is let in. */
static int on_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len,
                   const unsigned char *offered, unsigned offered_len, void *arg)
{
	static const unsigned char dot[] = {3, 'd', 'o', 't'};
	unsigned char *chosen;

	(void)ssl;
	(void)arg;
	if (SSL_select_next_proto(&chosen, out_len, dot, sizeof dot, offered, offered_len) !=
	    OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	*out = chosen;
	return SSL_TLSEXT_ERR_OK;
}

static void set_up(SSL_CTX *context, struct tls *t)
{
	static const unsigned char id[] = "nigh";

	CHECK(SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1);
	CHECK(SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20") == 1);
	(void)SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
	                                           SSL_OP_CIPHER_SERVER_PREFERENCE);
	(void)SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
	(void)SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
	(void)SSL_CTX_set_timeout(context, TLS_TICKET_S);
	(void)SSL_CTX_set_num_tickets(context, 1);
	CHECK(SSL_CTX_set_session_id_context(context, id, sizeof id - 1) == 1);
	CHECK(SSL_CTX_set_app_data(context, t) == 1);
	CHECK(SSL_CTX_set_tlsext_ticket_key_evp_cb(context, on_ticket) == 1);
	SSL_CTX_set_alpn_select_cb(context, on_alpn, NULL);
	SSL_CTX_set_default_passwd_cb(context, no_password);
}

static enum err read_files(struct tls *t, SSL_CTX *context, struct reason *why)
{
	ERR_clear_error();
	if (SSL_CTX_use_certificate_chain_file(context, t->certificate) != 1)
		return fail(t->certificate, "certificate", why);
	if (SSL_CTX_use_PrivateKey_file(context, t->key, SSL_FILETYPE_PEM) != 1 &&
	    ERR_GET_LIB(ERR_peek_error()) != ERR_LIB_X509)
		return fail(t->key, "key", why);
	/* One of another kind than the certificate's is only found out now. */
	if (SSL_CTX_check_private_key(context) != 1) {
		ERR_clear_error();
		return reason_set(why, ERR_PARSE, "%s: it is not the key of the certificate in %s",
		                  t->key, t->certificate);
	}
	return ERR_OK;
}

static int64_t find_end(const SSL_CTX *context)
{
	const X509 *certificate = SSL_CTX_get0_certificate(context);
	struct tm at;

	if (certificate == NULL || ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &at) != 1)
		return 0;
	return timegm(&at);
}

enum err tls_reload(struct tls *t, struct reason *why)
{
	SSL_CTX *fresh = SSL_CTX_new(TLS_server_method()), *old;
	enum err err;

	CHECK(fresh != NULL);
	set_up(fresh, t);
	err = read_files(t, fresh, why);
	if (err != ERR_OK) {
		SSL_CTX_free(fresh);
		return err;
	}
	atomic_store(&t->expires, find_end(fresh));
	CHECK(pthread_mutex_lock(&t->mutex) == 0);
	old = t->context;
	t->context = fresh;
	CHECK(pthread_mutex_unlock(&t->mutex) == 0);
	SSL_CTX_free(old);
	return ERR_OK;
}

int64_t tls_expires(const struct tls *t) { return atomic_load(&t->expires); }

struct ssl_st *tls_begin(struct tls *t)
{
	SSL *ssl;

	CHECK(pthread_mutex_lock(&t->mutex) == 0);
	ssl = SSL_new(t->context);
	CHECK(pthread_mutex_unlock(&t->mutex) == 0);
	CHECK(ssl != NULL);
	SSL_set_accept_state(ssl);
	return ssl;
}

/* --- begin and end --- */

enum err tls_new(const char *certificate, const char *key, struct tls **out, struct reason *why)
{
	struct tls *t = xcalloc(1, sizeof *t);
	enum err err;

	*out = NULL;
	t->certificate = xstrdup(certificate);
	t->key = xstrdup(key);
	CHECK(pthread_mutex_init(&t->mutex, NULL) == 0);
	make_key(&t->now);
	err = tls_reload(t, why);
	if (err != ERR_OK) {
		tls_free(t);
		return err;
	}
	*out = t;
	return ERR_OK;
}

void tls_free(struct tls *t)
{
	if (t == NULL)
		return;
	SSL_CTX_free(t->context);
	(void)pthread_mutex_destroy(&t->mutex);
	OPENSSL_cleanse(&t->now, sizeof t->now);
	OPENSSL_cleanse(&t->before, sizeof t->before);
	free(t->certificate);
	free(t->key);
	free(t);
}
