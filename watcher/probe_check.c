/* SPDX-License-Identifier: Apache-2.0 */
#include "watcher/probe_check.h"

static struct bytes copy(struct arena *a, struct bytes b)
{
	return (struct bytes){(const uint8_t *)arena_strndup(a, (const char *)b.data, b.len),
	                      b.len};
}

static const struct policy_header *copy_headers(struct arena *a, const struct policy_check *is)
{
	struct policy_header *headers = arena_calloc(a, is->header_count + 1, sizeof(*headers));

	for (size_t i = 0; i < is->header_count; i++)
		headers[i] = (struct policy_header){copy(a, is->headers[i].name),
		                                    copy(a, is->headers[i].value)};
	return headers;
}

struct probe_check *probe_check_new(const struct policy_check *is, struct bytes key,
                                    struct bytes namespace)
{
	struct arena *a = arena_new();
	struct probe_check *c = arena_calloc(a, 1, sizeof(*c));

	*c = (struct probe_check){.arena = a, .is = *is, .key = copy(a, key), .users = 1};
	c->namespace = copy(a, namespace);
	c->is.host = copy(a, is->host);
	c->is.path = copy(a, is->path);
	c->is.import = copy(a, is->import);
	c->is.body = copy(a, is->body);
	c->is.ca_file = copy(a, is->ca_file);
	c->is.certificate_file = copy(a, is->certificate_file);
	c->is.key_file = copy(a, is->key_file);
	c->is.ca_secret = copy(a, is->ca_secret);
	c->is.client_secret = copy(a, is->client_secret);
	c->is.headers = copy_headers(a, is);
	c->is.status = arena_memdup(a, is->status, is->status_count * sizeof(*is->status));
	return c;
}

void probe_check_unref(struct probe_check *c)
{
	if (!c || --c->users > 0)
		return;
	probe_file_fini(&c->ca);
	probe_file_fini(&c->certificate);
	probe_file_fini(&c->key_file);
	arena_free(c->arena);
}

bool probe_check_has_exchange(const struct probe_check *c)
{
	return c && (c->is.kind == POLICY_CHECK_HTTP || c->is.kind == POLICY_CHECK_HTTPS ||
	             c->is.kind == POLICY_CHECK_GRPC);
}

bool probe_check_is_import(const struct probe_check *c)
{
	return c && c->is.kind == POLICY_CHECK_IMPORT;
}

static void take_secrets(struct probe_check *c, const struct probe_secrets *secrets)
{
	struct probe_secret ca = probe_secrets_find(secrets, c->namespace, c->is.ca_secret);
	struct probe_secret client = probe_secrets_find(secrets, c->namespace, c->is.client_secret);

	if (c->is.ca_secret.len > 0 && c->ca_version != ca.version) {
		probe_file_set(&c->ca, ca.ca);
		c->ca_version = ca.version;
	}
	if (c->is.client_secret.len > 0 && c->client_version != client.version) {
		probe_file_set(&c->certificate, client.certificate);
		probe_file_set(&c->key_file, client.key);
		c->client_version = client.version;
	}
}

static enum err look_at_secrets(struct probe_check *c, const struct probe_secrets *secrets,
                                struct reason *why)
{
	if (c->is.ca_secret.len == 0 && c->is.client_secret.len == 0)
		return ERR_OK;
	if (!secrets)
		return reason_set(why, ERR_UNSUPPORTED, "Secrets are not read here");
	if (probe_secrets_look(secrets, c->namespace, &c->is, why) == PROBE_SECRETS_NONE)
		return ERR_NOTFOUND;
	take_secrets(c, secrets);
	return ERR_OK;
}

enum err probe_check_look(struct probe_check *c, const char *dir,
                          const struct probe_secrets *secrets, uint64_t now_ms, struct reason *why)
{
	const struct {
		struct bytes name;
		struct probe_file *file;
	} files[] = {{c->is.ca_file, &c->ca},
	             {c->is.certificate_file, &c->certificate},
	             {c->is.key_file, &c->key_file}};
	enum err err = look_at_secrets(c, secrets, why);

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]) && !err; i++)
		if (files[i].name.len > 0)
			err = probe_file_look(files[i].file, dir, files[i].name, now_ms, why);
	return err;
}
