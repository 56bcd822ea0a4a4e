/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/lone_file.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/check.h"
#include "watcher/manifests_file.h"

enum { TRIES = 10 }; /* while it is being written */

struct lone_file {
	const char *path;
	struct facts *facts;
	struct probe_secrets *secrets;
	lone_file_on_object_fn *on_object;
	void *arg;
	struct text *errors;
};

bool lone_file_is_at(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && !S_ISDIR(st.st_mode);
}

static struct manifests_file *read_as(const char *path, enum decode_role role)
{
	struct manifests_source source = {.path = path, .role = role};
	struct manifests_file *f = NULL;

	for (unsigned i = 0; i < TRIES && f == NULL; i++)
		f = manifests_file_read(&source, AT_FDCWD, path);
	return f != NULL ? f : manifests_file_unreadable(&source, "changes while it is read");
}

static void put(const struct lone_file *l, uint16_t cluster, const struct manifests_object *object)
{
	const struct fact *fact = object->fact;

	if (facts_find(l->facts, cluster, fact_get_kind(fact), fact_namespace(fact),
	               fact_name(fact)) != NULL)
		text_printf(l->errors, "%s:%u: this object is in the file already\n", l->path,
		            object->line);
	else
		(void)facts_put(l->facts, cluster, fact_ref(fact));
	l->on_object(cluster, fact, l->path, object->line, l->arg);
}

static void put_all(const struct lone_file *l, uint16_t cluster, enum decode_role role)
{
	struct manifests_file *f = read_as(l->path, role);
	const char *error = f->error != NULL ? f->error : f->warning;

	/* What is no object at all is none in either role. */
	if (error != NULL && (l->errors->data == NULL || strstr(l->errors->data, error) == NULL))
		text_printf(l->errors, "%s\n", error);
	for (size_t i = 0; i < f->count; i++)
		put(l, cluster, &f->objects[i]);
	if (role == DECODE_HOST)
		probe_secrets_set_files(l->secrets, f->secrets, f->secret_count, true);
	manifests_file_unref(f);
}

/* --- Domains --- */

static void note_domain(uint16_t cluster, const struct fact *fact, void *arg)
{
	struct arena *a = arena_new();
	struct fact_value v;

	(void)cluster;
	if (fact_decode(fact, a, &v))
		buffer_str16(arg, v.service_record.domain_ref);
	arena_free(a);
}

static void put_domains(struct facts *facts)
{
	struct buffer names = {0};
	struct cursor c;

	facts_each(facts, FACTS_HOST, FACT_SERVICE_DNS_RECORD, note_domain, &names);
	c = cursor_over(names.data, names.len);
	while (cursor_left(&c) > 0) {
		const struct fact *fact;
		/* Behind every Domain of the same name that there is. */
		struct fact_value v = {.kind = FACT_DOMAIN,
		                       .namespace = bytes_of("~"),
		                       .name = cursor_str16(&c),
		                       .created = FACT_NO_TIME,
		                       .domain.domain = bytes_of("test")};

		CHECK(fact_encode(&v, &fact, NULL) == ERR_OK);
		(void)facts_put(facts, FACTS_HOST, fact);
	}
	buffer_fini(&names);
}

void lone_file_put(const char *path, struct facts *facts, struct probe_secrets *secrets,
                   lone_file_on_object_fn *on_object, void *arg, struct text *errors)
{
	struct lone_file l = {path, facts, secrets, on_object, arg, errors};
	uint16_t member = facts_cluster_id(facts, bytes_of("member"));

	facts_set_cluster(facts, member,
	                  &(struct cluster_state){.registered = true,
	                                          .source = CLUSTER_MANIFESTS,
	                                          .knowledge = KNOWLEDGE_SYNCED});
	put_all(&l, FACTS_HOST, DECODE_HOST);
	put_all(&l, member, DECODE_MEMBER);
	put_domains(facts);
}
