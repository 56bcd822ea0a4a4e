/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/kubeconfig_user.h"

#include <string.h>

#include "base/text.h"
#include "base/xalloc.h"

enum { LIST_MOST = 1024, PASSWORD_MOST = 64 * 1024, ENV_MOST = 128 * 1024 };

static char *copy(const char *text) { return text ? xstrdup(text) : NULL; }

static void read_token(const struct kubefields *user, struct kube_access *out)
{
	struct bytes token = kube_token_trim(kubefields_raw(user, "token", KUBE_SECRET_MOST));
	struct reason why;
	enum err err;

	if (token.len > 0) {
		err = kube_token_check(token, &why);
		if (err)
			kubefields_fail(user, "token", err, "%s", why.text);
		else
			kube_secret_set(&out->token, token);
	}
	out->token_file = kubefields_path(user, "tokenFile");
}

/* Data wins over a file; half a pair is an error. */
static void read_certificate(const struct kubefields *user, struct kube_access *out)
{
	bool has_certificate, has_key;

	kubefields_pem(user, "client-certificate-data", &out->certificate);
	kubefields_pem(user, "client-key-data", &out->key);
	if (!out->certificate.data)
		out->certificate_file = kubefields_path(user, "client-certificate");
	if (!out->key.data)
		out->key_file = kubefields_path(user, "client-key");
	has_certificate = out->certificate.data || out->certificate_file;
	has_key = out->key.data || out->key_file;
	if (has_certificate && !has_key)
		kubefields_fail(user, "client-key", ERR_PARSE,
		                "missing: there is a client-certificate");
	if (has_key && !has_certificate)
		kubefields_fail(user, "client-certificate", ERR_PARSE,
		                "missing: there is a client-key");
}

static void read_password(const struct kubefields *user, struct kube_access *out)
{
	struct bytes password = kubefields_raw(user, "password", PASSWORD_MOST);

	out->user = copy(kubefields_text(user, "username"));
	if (password.len > 0 && !out->user)
		kubefields_fail(user, "username", ERR_PARSE, "missing: there is a password");
	/* RFC 7617 2: the first colon ends the name. */
	if (out->user && strchr(out->user, ':'))
		kubefields_fail(user, "username", ERR_PARSE, "holds a colon");
	if (out->user && (out->token.data || out->token_file))
		kubefields_fail(user, "username", ERR_CONFLICT,
		                "there is a token, too: one of them must go");
	kube_secret_set(&out->password, password);
}

/* "NAME=VALUE" */
static char *read_variable(const struct kubefields *entry)
{
	const char *name = kubefields_text(entry, "name");
	struct bytes value = kubefields_raw(entry, "value", ENV_MOST);
	struct text text = {0};

	if (!name)
		kubefields_fail(entry, "name", ERR_PARSE, "missing");
	else if (strchr(name, '='))
		kubefields_fail(entry, "name", ERR_PARSE, "holds an equals sign");
	text_add(&text, name ? name : "");
	text_add(&text, "=");
	text_add_bytes(&text, value);
	return text_take(&text);
}

static void read_env(const struct kubefields *fields, struct kube_exec *out)
{
	size_t count = kubefields_count(fields, "env", LIST_MOST);

	out->env = count > 0 ? xcalloc(count, sizeof(*out->env)) : NULL;
	for (; out->env_count < count; out->env_count++) {
		struct kubefields entry;

		kubefields_item(fields, "env", out->env_count, &entry);
		out->env[out->env_count] = read_variable(&entry);
	}
}

/* A bare name is looked for in PATH; one with a slash is relative to the kubeconfig's folder. */
static char *read_command(const struct kubefields *fields)
{
	const char *command = kubefields_text(fields, "command");

	if (!command)
		kubefields_fail(fields, "command", ERR_PARSE, "missing");
	return command && strchr(command, '/') ? kubefields_path(fields, "command") : copy(command);
}

static void read_exec(const struct kubefields *user, struct kube_exec *out)
{
	struct kubefields fields;
	const char *version, *mode;

	kubefields_child(user, "exec", &fields);
	if (!fields.map)
		return;
	version = kubefields_text(&fields, "apiVersion");
	mode = kubefields_text(&fields, "interactiveMode");
	if (!version)
		kubefields_fail(&fields, "apiVersion", ERR_PARSE, "missing");
	else if (strcmp(version, "client.authentication.k8s.io/v1") != 0 &&
	         strcmp(version, "client.authentication.k8s.io/v1beta1") != 0)
		kubefields_fail(&fields, "apiVersion", ERR_UNSUPPORTED,
		                "only client.authentication.k8s.io/v1 and v1beta1 are known");
	if (mode && strcmp(mode, "Always") == 0)
		kubefields_fail(&fields, "interactiveMode", ERR_UNSUPPORTED,
		                "Always: there is nobody to type");
	else if (mode && strcmp(mode, "Never") != 0 && strcmp(mode, "IfAvailable") != 0)
		kubefields_fail(&fields, "interactiveMode", ERR_PARSE,
		                "must be Never or IfAvailable");
	out->command = read_command(&fields);
	out->api_version = copy(version);
	out->arg = kubefields_list(&fields, "args", LIST_MOST, &out->arg_count);
	read_env(&fields, out);
	out->wants_cluster = kubefields_bool(&fields, "provideClusterInfo");
}

/* Who asks with less or with more than what was meant is worse off than who does not ask. */
static void refuse_unsupported(const struct kubefields *user)
{
	static const char *const keys[] = {"auth-provider", "as-uid", "as-groups", "as-user-extra"};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (kubefields_has(user, keys[i]))
			kubefields_fail(user, keys[i], ERR_UNSUPPORTED, "not supported");
}

void kubeconfig_user_read(const struct kubefields *user, struct kube_access *out)
{
	refuse_unsupported(user);
	read_token(user, out);
	read_certificate(user, out);
	read_password(user, out);
	read_exec(user, &out->exec);
	out->impersonate = copy(kubefields_text(user, "as"));
}
