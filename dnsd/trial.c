/* SPDX-License-Identifier: Apache-2.0 */
#include "dnsd/trial.h"

#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/xalloc.h"
#include "dnsd/config_facts.h"
#include "dnsd/config_place.h"
#include "dnsd/geo_trial.h"
#include "dnsd/secrets.h"
#include "dnsd/lone_file.h"
#include "dnsd/replicas.h"
#include "dnsd/reread.h"
#include "dnsd/rulebook_compile.h"
#include "dnsd/sandbox.h"
#include "dnsd/tls.h"
#include "dnsd/transferred.h"
#include "dnsd/trial_probes.h"
#include "dnsd/whereabouts.h"
#include "dnsd/wiring.h"
#include "records/annotation_record.h"
#include "records/build.h"
#include "records/names.h"
#include "kube/kubeconfig.h"
#include "watcher/manifests.h"
#include "watcher/settle.h"
#include "watcher/store.h"
#include "zones/build.h"
#include "zones/rdata.h"

/* The stages, as far as a trial needs them. */
struct trial {
	const struct config *config;
	struct text *told;
	size_t error_count; /* of what is told; the rest are warnings */
	bool is_alone;      /* one manifest file, of whose world nothing is known */
	uv_loop_t loop;
	struct facts *facts;
	struct settle *settle;
	struct store *store;
	struct probe_secrets *secrets; /* of the manifests */
	struct manifests *manifests;   /* NULL: no directory is configured */
	struct records *records;
	struct zones *zones;
	struct whereabouts *whereabouts; /* of all objects */
	struct zonefile **zone_files;    /* those in force in `zones` */
	size_t zone_file_count;
};

/* --- what is told --- */

static void lower(char *text)
{
	for (; *text != '\0'; text++)
		if (*text >= 'A' && *text <= 'Z')
			*text |= 0x20;
}

/* Of the config's records one begins with the name that the message begins with. */
static const char *find_place(struct trial *t, uint16_t cluster, const char *where,
                              const char *message, unsigned *line)
{
	size_t len = strcspn(message, " ");
	struct text record = {0};
	const char *file;

	while (len > 0 && (message[len - 1] == ':' || message[len - 1] == '.'))
		len--;
	text_printf(&record, "%s ", where);
	text_printf(&record, "%.*s", (int)len, message);
	lower(record.data + strlen(where));
	file = whereabouts_find(t->whereabouts, cluster, record.data, line);
	text_fini(&record);
	return file != NULL ? file : whereabouts_find(t->whereabouts, cluster, where, line);
}

/* "FILE:LINE: [warning: ]WHERE: MESSAGE"; without the place where there is none. */
static void tell(struct trial *t, bool is_warning, uint16_t cluster, const char *where,
                 const char *message)
{
	unsigned line;
	const char *file = find_place(t, cluster, where, message, &line);

	if (file != NULL)
		text_printf(t->told, "%s:%u: ", file, line);
	text_printf(t->told, "%s%s: %s\n", is_warning ? "warning: " : "", where, message);
	t->error_count += !is_warning;
}

/* Lines that name their place by themselves, or but for the file; each an error. */
static void tell_lines(struct trial *t, const char *file, const char *lines)
{
	while (*lines != '\0') {
		size_t len = strcspn(lines, "\n");

		if (len > 0)
			text_printf(t->told, "%s%s%.*s\n", file != NULL ? file : "",
			            file != NULL ? ":" : "", (int)len, lines);
		t->error_count += len > 0;
		lines += len + (lines[len] == '\n');
	}
}

static void on_store_error(const char *where, const char *message, int64_t since, void *arg)
{
	struct trial *t = arg;

	(void)since;
	/* A file's message names file and line by itself. */
	if (strncmp(message, where, strlen(where)) != 0)
		tell(t, false, FACTS_HOST, where, message);
	else
		tell_lines(t, NULL, message);
}

static void on_records_problem(const struct records_problem *problem, void *arg)
{
	const struct trial *t = arg;

	if (problem->is_warning && t->is_alone)
		return;
	tell(arg, problem->is_warning, problem->cluster, problem->where, problem->message);
}

static void on_conflict(const struct records_conflict *c, void *arg)
{
	struct trial *t = arg;
	struct text message = {0};
	unsigned line;
	const char *file = find_place(t, c->winner_cluster, c->winner, c->name, &line);

	text_printf(&message, "%.*s has two sources, and %s",
	            (int)(strlen(c->name) - (strlen(c->name) > 1)), c->name, c->winner);
	if (file != NULL)
		text_printf(&message, " (%s:%u)", file, line);
	text_add(&message, " is older or comes first");
	if (*c->loser != '\0')
		tell(t, false, c->loser_cluster, c->loser, message.data);
	else
		tell(t, false, FACTS_HOST, "records", c->name);
	text_fini(&message);
}

/* "NAME TYPE: the zone file has this name's data; what SOURCE has is left out": with the place of the source as well. */
static void on_zones_problem(const char *where, const char *message, void *arg)
{
	static const char before[] = "; what ", behind[] = " has is left out";
	const char *source = strstr(message, before);
	const char *end = source != NULL ? strstr(source, behind) : NULL;
	struct trial *t = arg;
	struct text told = {0};
	const char *file = NULL;
	unsigned line;

	if (end != NULL) {
		text_printf(&told, "%.*s", (int)(end - source) - (int)strlen(before),
		            source + strlen(before));
		file = find_place(t, FACTS_HOST, told.data, message, &line);
		text_reset(&told);
	}
	if (file != NULL)
		text_printf(&told, "%.*s (%s:%u)%s", (int)(end - message), message, file, line,
		            end);
	tell(t, false, FACTS_HOST, where, file != NULL ? told.data : message);
	text_fini(&told);
}

/* --- where it stands --- */

/* What a name of an annotation comes from, in zones' words. */
static void put_hostnames(struct trial *t, const struct fact *fact, const char *file, unsigned line)
{
	struct arena *a = arena_new();
	struct bytes list = {NULL, 0}, item;
	struct fact_value v;

	if (fact_decode(fact, a, &v))
		list = annotation_record_of(&v).hostname;
	while (annotation_record_next(&list, &item)) {
		uint8_t wire[NAMES_WIRE_MAX];
		char name[NAMES_TEXT_SIZE];
		struct text title = {0};
		size_t len;

		if (names_from_text(item, wire, &len, NULL) != ERR_OK)
			continue;
		lower(names_to_text(wire, name));
		text_printf(&title, "annotation %.*s", (int)strlen(name) - 1, name);
		whereabouts_put(t->whereabouts, FACTS_HOST, title.data, file, line);
		text_fini(&title);
	}
	arena_free(a);
}

static void put_object(uint16_t cluster, const struct fact *fact, const char *file, unsigned line,
                       void *arg)
{
	struct trial *t = arg;
	struct bytes namespace = fact_namespace(fact), name = fact_name(fact);
	struct text title = {0};

	text_printf(&title, "%s %.*s%s%.*s", fact_kind_text(fact_get_kind(fact)),
	            (int)namespace.len, (const char *)namespace.data, namespace.len > 0 ? "/" : "",
	            (int)name.len, (const char *)name.data);
	whereabouts_put(t->whereabouts, cluster, title.data, file, line);
	text_reset(&title);
	text_printf(&title, "cluster %.*s", (int)name.len, (const char *)name.data);
	if (fact_get_kind(fact) == FACT_KUBEFED_CLUSTER)
		whereabouts_put(t->whereabouts, cluster, title.data, file, line);
	put_hostnames(t, fact, file, line);
	text_fini(&title);
}

static void put_fact(uint16_t cluster, const struct fact *fact, void *arg)
{
	struct trial *t = arg;
	unsigned line;
	const char *file = manifests_find(t->manifests, cluster, fact, &line);

	if (file != NULL)
		put_object(cluster, fact, file, line, t);
}

/* The titles are those of records (world_title), and behind them the names of the records. */
static void put_config_zone(struct trial *t, const struct config_zone *zone)
{
	struct text title = {0};

	text_printf(&title, "config zone %s", zone->name);
	whereabouts_put(t->whereabouts, FACTS_HOST, title.data, t->config->file, zone->line);
	for (size_t i = 0; i < zone->record_count; i++) {
		const struct config_record *record = &zone->records[i];
		struct rdata_line line;

		CHECK(rdata_parse_line(record->text, zone->name, &line, NULL) == ERR_OK);
		lower(line.owner);
		text_reset(&title);
		text_printf(&title, "config zone %s %.*s", zone->name, (int)strlen(line.owner) - 1,
		            line.owner);
		whereabouts_put(t->whereabouts, FACTS_HOST, title.data, t->config->file,
		                record->line);
		rdata_line_fini(&line);
	}
	text_fini(&title);
}

static void find_whereabouts(struct trial *t)
{
	for (size_t i = 0; i < t->config->zone_count; i++)
		put_config_zone(t, &t->config->zones[i]);
	for (uint16_t id = 0; t->manifests != NULL && id < facts_cluster_count(t->facts); id++)
		facts_each(t->facts, id, 0, put_fact, t);
}

/* --- stages --- */

static void try_user(struct trial *t)
{
	const struct config *c = t->config;
	struct reason why;

	if (c->user != NULL && sandbox_find_user(c->user, &why) != ERR_OK) {
		text_printf(t->told, "%s:%u: %s\n", c->file, c->user_line, why.text);
		t->error_count++;
	}
}

static void try_tls(struct trial *t)
{
	const struct config *c = t->config;
	struct tls *tls;
	struct reason why;

	if (c->tls.address_count == 0)
		return;
	if (tls_new(c->tls.certificate, c->tls.key, &tls, &why) == ERR_OK) {
		tls_free(tls);
		return;
	}
	config_place_add(c, c->tls_line, "listen.tls", NULL, &why);
	tell_lines(t, NULL, why.text);
}

static void on_refused(const char *text, void *arg)
{
	struct trial *t = arg;

	text_printf(t->told, "warning: %s\n", text);
}

/* As at a start: what follows is read by the user, not by root. */
static void become_user(struct trial *t)
{
	const struct config *c = t->config;
	struct reason why;

	if (c->user == NULL || sandbox_find_user(c->user, &why) != ERR_OK)
		return;
	if (sandbox_drop_user(c->user, &why) != ERR_OK)
		tell_lines(t, NULL, why.text);
	reread_each_refused(c, on_refused, t);
}

static void on_geo_fault(void *arg, const char *file, const char *lines)
{
	tell_lines(arg, file, lines);
}

static void try_cookies(struct trial *t)
{
	struct cookie_jar jar;
	struct reason why = {0};

	cookie_jar_init(&jar);
	if (secrets_fill_cookies(t->config, &jar, &why) != ERR_OK)
		tell_lines(t, NULL, why.text);
	cookie_jar_fini(&jar);
}

static void try_keys(struct trial *t)
{
	const struct tsig_keys *keys = NULL;
	struct reason why = {0};

	if (secrets_read_keys(t->config, &keys, &why) != ERR_OK)
		tell_lines(t, NULL, why.text);
	tsig_keys_unref(keys);
}

static void try_replicas(struct trial *t)
{
	struct reason why = {0};

	if (replicas_check(t->config, &why) != ERR_OK)
		tell_lines(t, NULL, why.text);
	else if (replicas_verify(t->config, &why) != ERR_OK)
		text_printf(t->told, "warning: %s\n", why.text);
}

static void on_settled(void *arg) { (void)arg; }
static void on_stopped(void *arg) { (void)arg; }

static void read_manifests(struct trial *t)
{
	const struct conf_strings *dirs = &t->config->manifests;

	if (dirs->count > 0)
		t->manifests = manifests_start(&t->loop, (const char *const *)dirs->item,
		                               dirs->count, t->store);
	while (t->manifests != NULL && !manifests_is_read(t->manifests))
		uv_run(&t->loop, UV_RUN_ONCE);
	store_each_error(t->store, on_store_error, t);
	for (uint16_t id = 0; id < facts_cluster_count(t->facts); id++) {
		const struct cluster_state *state = facts_cluster(t->facts, id);

		if (state->registered && state->knowledge != KNOWLEDGE_SYNCED)
			text_printf(t->told, "warning: %s\n", state->error);
	}
}

static void read_file(struct trial *t, const char *path)
{
	struct text errors = {0};

	lone_file_put(path, t->facts, t->secrets, put_object, t, &errors);
	if (errors.len > 0)
		tell_lines(t, NULL, errors.data);
	text_fini(&errors);
}

static void try_kubeconfig(struct trial *t, const char *key, const char *file, unsigned line,
                           const char *context)
{
	struct kube_access access = {0};
	struct reason why = {0};

	if (file != NULL && kubeconfig_read(file, context, &access, &why) != ERR_OK) {
		config_place_add(t->config, line, key, file, &why);
		tell_lines(t, NULL, why.text);
	}
	kube_access_fini(&access);
}

/* API servers are not asked: what they have is not in the hand of who writes the config. */
static void try_kubeconfigs(struct trial *t)
{
	const struct config *c = t->config;

	try_kubeconfig(t, "sources.kubernetes.kubeconfig", c->kubernetes.kubeconfig,
	               c->kubernetes.line, c->kubernetes.context);
	for (size_t i = 0; i < c->member_count; i++)
		try_kubeconfig(t, "sources.members.kubeconfig", c->members[i].kubeconfig,
		               c->members[i].line, c->members[i].context);
}

struct sought {
	const char *cluster;
	bool is_found;
};

static void on_kubefed_cluster(uint16_t cluster, const struct fact *fact, void *arg)
{
	struct sought *sought = arg;

	(void)cluster;
	sought->is_found |= bytes_equal(fact_name(fact), bytes_of(sought->cluster));
}

static void on_transferred(const struct config_zone *zone, const char *where, const char *message,
                           void *arg)
{
	struct trial *t = arg;
	struct sought sought = {zone->transfer.as, false};

	/* One without a folder is a member, too, once its API server is asked. */
	facts_each(t->facts, FACTS_HOST, FACT_KUBEFED_CLUSTER, on_kubefed_cluster, &sought);
	if (message != NULL && !sought.is_found)
		tell(t, true, FACTS_HOST, where, message);
}

/* They may know clusters that nothing here names. */
static bool has_api_servers(const struct config *c)
{
	return config_has_host(c) || c->member_count > 0;
}

static void try_transferred(struct trial *t, const struct records_result *r)
{
	if (!has_api_servers(t->config))
		transferred_each_zone(t->config, r, on_transferred, t);
}

static void give_zones(struct trial *t, const struct records_result *r)
{
	const struct config *c = t->config;
	struct server_address *listening = xcalloc(c->dns_count, sizeof *listening);

	for (size_t i = 0; i < c->dns_count; i++)
		listening[i] = (struct server_address){c->dns[i].addr, c->dns[i].port};
	wiring_set_zones(t->zones, r, c, listening, c->dns_count, NULL);
	free(listening);
}

/* A file that cannot be read has no lines: it stands in the config's. */
static void tell_zone_errors(struct trial *t, const struct zone_loader_zone *zone,
                             const char *lines)
{
	struct reason why = {0};
	size_t len = strcspn(lines, "\n"), path_len = strlen(zone->path);

	if (strncmp(lines, zone->path, path_len) != 0 || lines[path_len + 1] != ' ') {
		tell_lines(t, NULL, lines);
		return;
	}
	(void)reason_set(&why, ERR_IO, "%.*s", (int)len, lines);
	config_place_add(t->config, zone->line, "zones.file", NULL, &why);
	tell_lines(t, NULL, why.text);
}

static void read_zone_file(struct trial *t, const struct zone_loader_zone *zone)
{
	struct zonefile *file = zonefile_read(&(struct zonefile_request){
		.path = zone->path,
		.apex = zone->apex,
		.ttl = zone->ttl,
		.has_nameservers = zone->has_nameservers,
		.key = zones_key(t->zones),
	});

	if (zonefile_errors(file) != NULL)
		tell_zone_errors(t, zone, zonefile_errors(file));
	zone_loader_print_warnings(zonefile_warnings(file), t->told);
	if (zonefile_is_good(file))
		zones_set_file(t->zones, zone->apex, file);
	t->zone_files[t->zone_file_count++] = file;
}

/* Once the zones are there, before the names of objects: what both have is told. */
static void read_zone_files(struct trial *t)
{
	struct arena *a = arena_new();
	const struct zone_loader_zone *list;
	size_t count = wiring_zone_files(a, t->config, &list);

	if (t->zone_files == NULL)
		t->zone_files = xcalloc(count + 1, sizeof(struct zonefile *));
	for (size_t i = t->zone_file_count; i < count; i++)
		read_zone_file(t, &list[i]);
	arena_free(a);
}

static bool has_places(const struct config *c)
{
	return c->geo.databases.count > 0 || c->geo.networks != NULL;
}

static void tell_policy(struct trial *t, const struct records_result *r,
                        const struct records_policy *from)
{
	const struct rulebook_defaults defaults = rulebook_defaults_of(t->config);
	struct rulebook_policy *p =
		rulebook_compile(from, r->clusters, r->cluster_count, &defaults);
	struct text title = {0}, unknown = {0};

	text_printf(&title, "TrafficPolicy %s", p->policy.name);
	text_printf(&unknown, "no cluster is registered as %s", p->unknown);
	if (*p->unknown != '\0' && !t->is_alone && !has_api_servers(t->config))
		tell(t, true, FACTS_HOST, title.data, unknown.data);
	if (*p->warning != '\0')
		tell(t, true, FACTS_HOST, title.data, p->warning);
	if (p->has_areas && !t->is_alone && !has_places(t->config))
		tell(t, true, FACTS_HOST, title.data,
		     p->fences_areas ? "there is no file of `geo`, and a fence of places must "
		                       "hold: its names "
		                       "answer SERVFAIL"
		                     : "there is no file of `geo`: rules of places match nobody");
	text_fini(&title);
	text_fini(&unknown);
	rulebook_policy_free(p);
}

struct probe_of {
	struct trial *trial;
	const struct records_policy *policy;
};

static void on_probe_fault(bool is_warning, const char *text, void *arg)
{
	const struct probe_of *of = arg;
	struct text title = {0};

	text_printf(&title, "TrafficPolicy %.*s/%.*s", (int)of->policy->namespace.len,
	            (const char *)of->policy->namespace.data, (int)of->policy->name.len,
	            (const char *)of->policy->name.data);
	tell(of->trial, is_warning, FACTS_HOST, title.data, text);
	text_fini(&title);
}

static void tell_policies(struct trial *t, const struct records_result *r)
{
	const struct trial_probes probes = {t->config, t->secrets,
	                                    !t->is_alone && !config_has_host(t->config)};

	(void)wiring_want_secrets(t->secrets, r);
	(void)probe_secrets_judge(t->secrets);
	for (size_t i = 1; i < r->policy_count; i++) {
		struct probe_of of = {t, &r->policies[i]};

		if (of.policy->is == NULL)
			continue;
		tell_policy(t, r, of.policy);
		trial_probes_each(&probes, of.policy, on_probe_fault, &of);
	}
}

static void build(struct trial *t)
{
	const struct records_result *r;

	wiring_configure_records(&t->records, t->config);
	config_facts_put(t->config, t->facts);
	do {
		r = records_build(t->records, t->facts, clock_monotonic_ms());
		if (r->everything || r->zones_changed)
			give_zones(t, r);
		read_zone_files(t);
		for (size_t i = 0; i < r->change_count; i++)
			if (r->changes[i].endpoint != NULL)
				zones_put(t->zones, r->changes[i].endpoint);
	} while (r->more);
	(void)zones_build(t->zones, clock_unix_s());
	try_transferred(t, r);
	tell_policies(t, r);
	records_each_problem(t->records, on_records_problem, t);
	records_each_conflict(t->records, on_conflict, t);
	zones_each_problem(t->zones, on_zones_problem, t);
}

/* --- life --- */

static void start(struct trial *t)
{
	CHECK(uv_loop_init(&t->loop) == 0);
	t->facts = facts_new();
	t->settle = settle_new(&t->loop, on_settled, NULL);
	t->store = store_new(t->facts, t->settle, NULL);
	t->secrets = probe_secrets_new();
	store_set_probe_secrets(t->store, t->secrets);
	t->zones = zones_new();
	t->whereabouts = whereabouts_new();
}

static void end(struct trial *t)
{
	if (t->manifests != NULL)
		manifests_stop(t->manifests, on_stopped, NULL);
	settle_stop(t->settle, on_stopped, NULL);
	uv_run(&t->loop, UV_RUN_DEFAULT);
	CHECK(uv_loop_close(&t->loop) == 0);
	records_free(t->records);
	zones_free(t->zones);
	for (size_t i = 0; i < t->zone_file_count; i++)
		zonefile_free(t->zone_files[i]);
	free(t->zone_files);
	store_free(t->store);
	probe_secrets_free(t->secrets);
	facts_free(t->facts);
	whereabouts_free(t->whereabouts);
}

static void run(struct trial *t)
{
	start(t);
	try_user(t);
	try_tls(t);
	become_user(t);
	geo_trial(t->config, on_geo_fault, t);
	try_cookies(t);
	try_keys(t);
	try_replicas(t);
	try_kubeconfigs(t);
	if (t->is_alone)
		read_file(t, t->config->manifests.item[0]);
	else
		read_manifests(t);
	find_whereabouts(t);
	build(t);
	end(t);
}

bool trial_run(const struct config *config, struct text *told)
{
	struct trial t = {.config = config, .told = told};
	struct config alone = *config;
	struct config_zone every_name = {.name = (char[]){"."}};

	if (config->file == NULL && config->manifests.count == 1 &&
	    lone_file_is_at(config->manifests.item[0])) {
		alone.zones = &every_name;
		alone.zone_count = 1;
		t.config = &alone;
		t.is_alone = true;
	}
	run(&t);
	return t.error_count == 0;
}
