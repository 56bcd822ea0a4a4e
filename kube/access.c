/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/access.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "base/smallfile.h"

/* --- the value --- */

#define AT(member) offsetof(struct kube_access, member)

static const size_t texts[] = {
	AT(server),   AT(server_name), AT(proxy),        AT(ca),
	AT(ca_file),  AT(user),        AT(token_file),   AT(certificate_file),
	AT(key_file), AT(impersonate), AT(exec.command), AT(exec.api_version),
};
static const size_t secrets[] = {AT(token), AT(certificate), AT(key), AT(password)};

#undef AT

enum { TEXTS = sizeof(texts) / sizeof(texts[0]), SECRETS = sizeof(secrets) / sizeof(secrets[0]) };

static char *text_at(const struct kube_access *a, size_t offset)
{
	char *text;

	memcpy(&text, (const char *)a + offset, sizeof(text));
	return text;
}

static const struct kube_secret *secret_at(const struct kube_access *a, size_t offset)
{
	return (const struct kube_secret *)(const void *)((const char *)a + offset);
}

/* A proxy's URL and a plugin's environment may hold a password, so every text goes like one. */
static void wipe(char *text)
{
	if (text)
		explicit_bzero(text, strlen(text));
	free(text);
}

static void wipe_list(char **text, size_t count)
{
	for (size_t i = 0; i < count; i++)
		wipe(text[i]);
	free(text);
}

void kube_access_fini(struct kube_access *a)
{
	for (size_t i = 0; i < TEXTS; i++)
		wipe(text_at(a, texts[i]));
	wipe(a->namespace);
	wipe_list(a->exec.arg, a->exec.arg_count);
	wipe_list(a->exec.env, a->exec.env_count);
	kube_secret_fini(&a->token);
	kube_secret_fini(&a->certificate);
	kube_secret_fini(&a->key);
	kube_secret_fini(&a->password);
	*a = (struct kube_access){0};
}

static char **copy_list(char *const *text, size_t count)
{
	char **copy = xcalloc(count + 1, sizeof(*copy));

	for (size_t i = 0; i < count; i++)
		copy[i] = xstrdup(text[i]);
	return copy;
}

void kube_access_copy(struct kube_access *to, const struct kube_access *from)
{
	*to = *from;
	for (size_t i = 0; i < TEXTS; i++) {
		const char *text = text_at(from, texts[i]);
		char *copy = text ? xstrdup(text) : NULL;

		memcpy((char *)to + texts[i], &copy, sizeof(copy));
	}
	for (size_t i = 0; i < SECRETS; i++) {
		struct kube_secret copy = {0};

		kube_secret_set(&copy, kube_secret_bytes(secret_at(from, secrets[i])));
		memcpy((char *)to + secrets[i], &copy, sizeof(copy));
	}
	to->namespace = from->namespace ? xstrdup(from->namespace) : NULL;
	to->exec.arg = copy_list(from->exec.arg, from->exec.arg_count);
	to->exec.env = copy_list(from->exec.env, from->exec.env_count);
}

static bool text_equal(const char *a, const char *b) { return a && b ? strcmp(a, b) == 0 : a == b; }

static bool lists_equal(char *const *a, size_t a_count, char *const *b, size_t b_count)
{
	if (a_count != b_count)
		return false;
	for (size_t i = 0; i < a_count; i++)
		if (!text_equal(a[i], b[i]))
			return false;
	return true;
}

bool kube_access_is_in(const struct kube_access *a, struct bytes text)
{
	return kube_secret_is_in(&a->token, text) || kube_secret_is_in(&a->password, text);
}

bool kube_access_equal(const struct kube_access *a, const struct kube_access *b)
{
	for (size_t i = 0; i < TEXTS; i++)
		if (!text_equal(text_at(a, texts[i]), text_at(b, texts[i])))
			return false;
	for (size_t i = 0; i < SECRETS; i++)
		if (!kube_secret_equal(secret_at(a, secrets[i]), secret_at(b, secrets[i])))
			return false;
	return a->any_certificate == b->any_certificate && a->any_name == b->any_name &&
	       a->any_time == b->any_time && a->no_loopback == b->no_loopback &&
	       a->no_compression == b->no_compression &&
	       a->exec.wants_cluster == b->exec.wants_cluster &&
	       lists_equal(a->exec.arg, a->exec.arg_count, b->exec.arg, b->exec.arg_count) &&
	       lists_equal(a->exec.env, a->exec.env_count, b->exec.env, b->exec.env_count);
}

/* --- what credentials must be like --- */

struct bytes kube_token_trim(struct bytes text) { return bytes_trimmed(text, " \t\r\n"); }

enum err kube_token_check(struct bytes token, struct reason *why)
{
	if (token.len == 0)
		return reason_set(why, ERR_PARSE, "empty");
	if (token.len > KUBE_SECRET_MOST)
		return reason_set(why, ERR_RANGE, "more than %d bytes", KUBE_SECRET_MOST);
	for (size_t i = 0; i < token.len; i++)
		if (token.data[i] <= ' ' || token.data[i] >= 0x7f)
			return reason_set(why, ERR_PARSE,
			                  "holds a space, a control character or one that is not "
			                  "ASCII");
	return ERR_OK;
}

enum err kube_pem_check(struct bytes pem, struct reason *why)
{
	static const char begin[] = "-----BEGIN ";

	if (pem.len > KUBE_SECRET_MOST)
		return reason_set(why, ERR_RANGE, "more than %d bytes", KUBE_SECRET_MOST);
	if (pem.len == 0 || !memmem(pem.data, pem.len, begin, sizeof(begin) - 1))
		return reason_set(why, ERR_PARSE, "has no PEM in it");
	if (memchr(pem.data, 0, pem.len))
		return reason_set(why, ERR_PARSE, "holds a NUL");
	return ERR_OK;
}

/* --- what comes from files --- */

struct refresh {
	struct reason *why;
	enum err err; /* the first */
	bool changed;
};

/* Reads a file and looks at what it holds; false, and told, when it cannot be used.  Paths are not told: a token
 * that was written where its file's name belongs would be. */
static bool read_sound(struct refresh *r, const char *path, const char *field,
                       enum err (*check)(struct bytes, struct reason *), struct buffer *out)
{
	struct reason why = {""};
	enum err err = smallfile_read(path, KUBE_SECRET_MOST, out, NULL, &why);
	struct bytes read = {out->data, out->len};

	if (!err)
		err = check(check == kube_token_check ? kube_token_trim(read) : read, &why);
	if (err && !r->err) {
		r->err = err;
		(void)reason_set(r->why, err, "%s: %s", field, why.text);
	}
	return !err;
}

static void replace_secret(struct refresh *r, struct kube_secret *s, struct bytes value)
{
	if (bytes_equal(kube_secret_bytes(s), value))
		return;
	kube_secret_set(s, value);
	r->changed = true;
}

static void refresh_ca(struct refresh *r, struct kube_access *a)
{
	struct buffer read = {0};

	if (read_sound(r, a->ca_file, "certificate-authority", kube_pem_check, &read) &&
	    !bytes_equal_text((struct bytes){read.data, read.len}, a->ca)) {
		wipe(a->ca);
		a->ca = xstrndup((const char *)read.data, read.len);
		r->changed = true;
	}
	smallfile_wipe(&read);
}

static void refresh_token(struct refresh *r, struct kube_access *a)
{
	struct buffer read = {0};

	if (read_sound(r, a->token_file, "tokenFile", kube_token_check, &read))
		replace_secret(r, &a->token, kube_token_trim((struct bytes){read.data, read.len}));
	smallfile_wipe(&read);
}

/* A certificate and its key belong together: both are new, or none. */
static void refresh_pair(struct refresh *r, struct kube_access *a)
{
	struct buffer certificate = {0}, key = {0};
	bool sound = true;

	if (a->certificate_file)
		sound = read_sound(r, a->certificate_file, "client-certificate", kube_pem_check,
		                   &certificate);
	if (a->key_file)
		sound = read_sound(r, a->key_file, "client-key", kube_pem_check, &key) && sound;
	if (sound && a->certificate_file)
		replace_secret(r, &a->certificate,
		               (struct bytes){certificate.data, certificate.len});
	if (sound && a->key_file)
		replace_secret(r, &a->key, (struct bytes){key.data, key.len});
	smallfile_wipe(&certificate);
	smallfile_wipe(&key);
}

enum err kube_access_refresh(struct kube_access *a, bool *changed, struct reason *why)
{
	struct refresh r = {.why = why};

	if (a->ca_file)
		refresh_ca(&r, a);
	if (a->token_file)
		refresh_token(&r, a);
	refresh_pair(&r, a);
	*changed = r.changed;
	return r.err;
}
