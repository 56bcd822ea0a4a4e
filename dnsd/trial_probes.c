/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/trial_probes.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "watcher/probe_file.h"
#include "watcher/probe_pem.h"

enum { NAME_SIZE = 256 };

struct trying {
	const struct trial_probes *with;
	const struct policy_check *is;
	struct bytes namespace;
	trial_probes_on_fault_fn *on_fault;
	void *arg;
};

static void tell(const struct trying *t, bool is_warning, const char *field, struct reason *why)
{
	reason_prefix(why,
	              "spec.probe.%s.%s: ", t->is->kind == POLICY_CHECK_GRPC ? "grpc" : "https",
	              field);
	t->on_fault(is_warning, why->text, t->arg);
}

/* --- files --- */

static struct bytes bytes_in(const struct probe_file *f)
{
	return (struct bytes){f->data.data, f->data.len};
}

/* False: it is not there, which is told. */
static bool read_file(const struct trying *t, const char *field, struct bytes name,
                      struct probe_file *out)
{
	const char *dir = t->with->config->probe.files;
	struct reason why = {0};

	if (name.len == 0)
		return false;
	if (probe_file_look(out, dir != NULL ? dir : "", name, 0, &why) == ERR_OK)
		return true;
	tell(t, false, field, &why);
	return false;
}

static const char *text_of(struct bytes name, char out[NAME_SIZE])
{
	(void)snprintf(out, NAME_SIZE, "%.*s", (int)name.len, (const char *)name.data);
	return out;
}

static bool are_certificates(const struct trying *t, const char *field, struct bytes name,
                             const struct probe_file *f)
{
	char text[NAME_SIZE];
	struct reason why = {0};

	if (probe_pem_check_certificates(bytes_in(f), text_of(name, text), &why) == ERR_OK)
		return true;
	tell(t, false, field, &why);
	return false;
}

static void try_files(const struct trying *t)
{
	const struct policy_check *is = t->is;
	struct probe_file ca = {.is_read = false}, certificate = ca, key = ca;
	char name[NAME_SIZE], certificate_name[NAME_SIZE];
	struct reason why = {0};
	bool has_both;

	if (read_file(t, "caFile", is->ca_file, &ca))
		(void)are_certificates(t, "caFile", is->ca_file, &ca);
	has_both = read_file(t, "clientCertificateFile", is->certificate_file, &certificate) &&
	           are_certificates(t, "clientCertificateFile", is->certificate_file, &certificate);
	has_both &= read_file(t, "clientKeyFile", is->key_file, &key);
	if (has_both &&
	    probe_pem_check_key(bytes_in(&key), text_of(is->key_file, name), bytes_in(&certificate),
	                        text_of(is->certificate_file, certificate_name), &why) != ERR_OK)
		tell(t, false, "clientKeyFile", &why);
	probe_file_fini(&ca);
	probe_file_fini(&certificate);
	probe_file_fini(&key);
}

/* --- Secrets --- */

/* One that is there and no good is an error; another may come. */
static void try_secret(const struct trying *t, const struct policy_check *alone, struct bytes name)
{
	bool is_there = probe_secrets_has(t->with->secrets, t->namespace, name);
	struct reason why = {0};

	if (name.len == 0 || (!is_there && !t->with->are_all) ||
	    probe_secrets_look(t->with->secrets, t->namespace, alone, &why) == PROBE_SECRETS_GOOD)
		return;
	reason_prefix(&why, "spec.probe.%s.", t->is->kind == POLICY_CHECK_GRPC ? "grpc" : "https");
	t->on_fault(!is_there, why.text, t->arg);
}

static void try_secrets(const struct trying *t)
{
	struct policy_check ca = *t->is, client = *t->is;

	ca.client_secret = client.ca_secret = (struct bytes){NULL, 0};
	try_secret(t, &ca, ca.ca_secret);
	try_secret(t, &client, client.client_secret);
}

/* --- imports --- */

static void try_import(const struct trying *t)
{
	const struct config *c = t->with->config;
	const struct config_import *found = NULL;
	struct bytes name = t->is->import;
	struct reason why = {0};

	for (size_t i = 0; i < c->probe.import_count && found == NULL; i++)
		if (bytes_equal_text(name, c->probe.imports[i].name))
			found = &c->probe.imports[i];
	if (found == NULL) {
		(void)reason_set(
			&why, ERR_NOTFOUND,
			"spec.probe.import.name: probe.imports of the config has no '%.*s'",
			(int)name.len, (const char *)name.data);
		t->on_fault(false, why.text, t->arg);
	} else if (found->file != NULL && access(found->file, R_OK) != 0) {
		(void)reason_set(&why, ERR_IO, "spec.probe.import: %s of probe.imports: %s: %s",
		                 found->name, found->file, strerror(errno));
		t->on_fault(true, why.text, t->arg);
	}
}

void trial_probes_each(const struct trial_probes *t, const struct records_policy *policy,
                       trial_probes_on_fault_fn *on_fault, void *arg)
{
	const struct policy_check *is = &policy->is->check;
	const struct trying trying = {t, is, policy->namespace, on_fault, arg};

	if (is->mode == POLICY_MODE_OFF)
		return;
	try_secrets(&trying);
	if (t->config->file == NULL)
		return;
	try_files(&trying);
	if (is->kind == POLICY_CHECK_IMPORT)
		try_import(&trying);
}
