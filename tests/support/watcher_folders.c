/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/watcher_folders.h"

#include <ftw.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/xalloc.h"

enum { WAIT_MS = 3000 };

/* --- files --- */

static char *path_of(const struct folders *f, const char *path, char out[512])
{
	CHECK(snprintf(out, 512, "%s/%s", f->root, path) < 512);
	return out;
}

static void make_parents(char *path)
{
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		(void)mkdir(path, 0755);
		*slash = '/';
	}
}

void folders_mkdir(struct folders *f, const char *path)
{
	char full[512];

	make_parents(path_of(f, path, full));
	(void)mkdir(full, 0755);
}

void folders_write(struct folders *f, const char *path, const char *text)
{
	char full[512];
	FILE *file;

	make_parents(path_of(f, path, full));
	file = fopen(full, "w");
	CHECK(file != NULL);
	CHECK(fputs(text, file) >= 0 && fclose(file) == 0);
}

void folders_link(struct folders *f, const char *target, const char *path)
{
	char full[512], fresh[520];

	make_parents(path_of(f, path, full));
	(void)snprintf(fresh, sizeof(fresh), "%s.new", full);
	CHECK(symlink(target, fresh) == 0 && rename(fresh, full) == 0);
}

void folders_rename(struct folders *f, const char *from, const char *to)
{
	char x[512], y[512];

	CHECK(rename(path_of(f, from, x), path_of(f, to, y)) == 0);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	return remove(path);
}

void folders_remove(struct folders *f, const char *path)
{
	char full[512];

	CHECK(nftw(path_of(f, path, full), remove_one, 16, FTW_DEPTH | FTW_PHYS) == 0);
}

void folders_mode(struct folders *f, const char *path, mode_t mode)
{
	char full[512];

	if (geteuid() != getuid())
		CHECK(seteuid(getuid()) == 0);
	CHECK(chmod(path_of(f, path, full), mode) == 0);
	if (geteuid() == 0)
		CHECK(seteuid(65534) == 0);
}

void folders_service(struct folders *f, const char *path, const char *name, const char *address)
{
	char text[512];

	CHECK(snprintf(text, sizeof(text),
	               "apiVersion: v1\nkind: Service\nmetadata: {name: %s}\n"
	               "status: {loadBalancer: {ingress: [{ip: %s}]}}\n",
	               name, address) < 512);
	folders_write(f, path, text);
}

/* --- life --- */

static void on_settled(void *arg)
{
	struct folders *f = arg;
	size_t count;
	bool changed;

	f->settled++;
	if (f->on_settled)
		f->on_settled(f);
	if (!facts_has_changes(f->facts))
		return;
	(void)facts_take_changes(f->facts, &count, &changed);
	facts_drop_changes(f->facts);
}

int folders_setup(void **state)
{
	struct folders *f = xcalloc(1, sizeof(*f));

	(void)umask(022);
	log_setup(LOG_ERROR, LOG_FORMAT_TEXT);
	(void)snprintf(f->root, sizeof(f->root), "/tmp/nigh-folders-XXXXXX");
	CHECK(mkdtemp(f->root) && chmod(f->root, 0755) == 0);
	CHECK(uv_loop_init(&f->loop) == 0);
	f->facts = facts_new();
	f->settle = settle_new(&f->loop, on_settled, f);
	f->store = store_new(f->facts, f->settle, NULL);
	*state = f;
	return 0;
}

static void set_true(void *arg) { *(bool *)arg = true; }

void folders_stop(struct folders *f)
{
	bool stopped = false;

	manifests_stop(f->manifests, set_true, &stopped);
	while (!stopped)
		uv_run(&f->loop, UV_RUN_ONCE);
	f->manifests = NULL;
}

int folders_teardown(void **state)
{
	struct folders *f = *state;
	bool stopped = false;

	if (geteuid() != getuid())
		CHECK(seteuid(getuid()) == 0);
	if (f->manifests)
		folders_stop(f);
	settle_stop(f->settle, set_true, &stopped);
	uv_run(&f->loop, UV_RUN_DEFAULT);
	CHECK(stopped && uv_loop_close(&f->loop) == 0);
	store_free(f->store);
	facts_free(f->facts);
	folders_remove(f, "");
	free(f);
	return 0;
}

static bool is_read(struct folders *f, const void *arg)
{
	(void)arg;
	return manifests_is_read(f->manifests);
}

void folders_start(struct folders *f, const char *dir, ...)
{
	char paths[8][512];
	const char *dirs[8];
	size_t count = 0;
	va_list args;

	va_start(args, dir);
	for (; dir && count < 8; dir = va_arg(args, const char *), count++)
		dirs[count] = path_of(f, dir, paths[count]);
	va_end(args);
	f->manifests = manifests_start(&f->loop, dirs, count, f->store);
	folders_wait(f, is_read, NULL, "everything read");
}

void folders_restore(struct folders *f, const char *cluster, const char *service,
                     const char *address)
{
	struct cluster_state state = {true, CLUSTER_MANIFESTS, KNOWLEDGE_UNSEEN, 0, ""};
	struct bytes target = bytes_of(address);
	struct fact_value value = {.kind = FACT_SERVICE,
	                           .namespace = bytes_of("default"),
	                           .name = bytes_of(service),
	                           .created = FACT_NO_TIME,
	                           .service = {.targets = &target, .target_count = 1}};
	uint16_t id = facts_cluster_id(f->facts, bytes_of(cluster));
	const struct fact *fact;

	CHECK(fact_encode(&value, &fact, NULL) == ERR_OK);
	facts_set_cluster(f->facts, id, &state);
	CHECK(facts_put(f->facts, id, fact));
}

/* --- waiting --- */

static void on_time(uv_timer_t *timer) { (void)timer; }

static void turn_once(struct folders *f)
{
	uv_timer_t timer;

	uv_timer_init(&f->loop, &timer);
	uv_timer_start(&timer, on_time, 5, 0);
	uv_run(&f->loop, UV_RUN_ONCE);
	uv_close((uv_handle_t *)&timer, NULL);
	uv_run(&f->loop, UV_RUN_NOWAIT);
}

void folders_turn(struct folders *f, unsigned ms)
{
	uint64_t end_ms = clock_monotonic_ms() + ms;

	while (clock_monotonic_ms() < end_ms)
		turn_once(f);
}

void folders_wait(struct folders *f, folders_is_so_fn *is_so, const void *arg, const char *what)
{
	uint64_t end_ms = clock_monotonic_ms() + WAIT_MS;

	while (!is_so(f, arg)) {
		if (clock_monotonic_ms() > end_ms)
			fail_msg("waited in vain for: %s", what);
		turn_once(f);
	}
}

/* --- what is seen --- */

static uint16_t id_of(struct folders *f, const char *cluster)
{
	return facts_cluster_id(f->facts, bytes_of(cluster));
}

const char *folders_address(struct folders *f, const char *cluster, const char *service)
{
	static char address[64];
	const struct fact *fact = facts_find(f->facts, id_of(f, cluster), FACT_SERVICE,
	                                     bytes_of("default"), bytes_of(service));
	struct arena *a;
	struct fact_value value;

	if (!fact)
		return NULL;
	a = arena_new();
	CHECK(fact_decode(fact, a, &value));
	address[0] = '\0';
	if (value.service.target_count > 0)
		(void)snprintf(address, sizeof(address), "%.*s", (int)value.service.targets[0].len,
		               (const char *)value.service.targets[0].data);
	arena_free(a);
	return address;
}

struct wanted {
	const char *cluster, *name, *text;
	enum knowledge knowledge;
};

static bool same_text(const char *a, const char *b) { return a && b ? !strcmp(a, b) : a == b; }

static bool has_address(struct folders *f, const void *arg)
{
	const struct wanted *w = arg;

	return same_text(folders_address(f, w->cluster, w->name), w->text);
}

void folders_wait_address(struct folders *f, const char *cluster, const char *service,
                          const char *address)
{
	struct wanted w = {cluster, service, address, KNOWLEDGE_NEVER};
	char what[256];

	(void)snprintf(what, sizeof(what), "%s of %s at %s", service, cluster,
	               address ? address : "no address, gone");
	folders_wait(f, has_address, &w, what);
}

const struct cluster_state *folders_cluster(struct folders *f, const char *cluster)
{
	return facts_cluster(f->facts, id_of(f, cluster));
}

static bool has_knowledge(struct folders *f, const void *arg)
{
	const struct wanted *w = arg;
	const struct cluster_state *state = folders_cluster(f, w->cluster);

	return state->registered && state->knowledge == w->knowledge;
}

void folders_wait_knowledge(struct folders *f, const char *cluster, enum knowledge knowledge)
{
	struct wanted w = {cluster, NULL, NULL, knowledge};

	folders_wait(f, has_knowledge, &w, cluster);
}

static bool is_gone(struct folders *f, const void *arg)
{
	return !folders_cluster(f, arg)->registered;
}

void folders_wait_gone(struct folders *f, const char *cluster)
{
	folders_wait(f, is_gone, cluster, "the cluster to be gone");
}

struct finding {
	char where[512];
	char messages[4096];
	unsigned count;
};

static void on_error(const char *where, const char *message, int64_t since, void *arg)
{
	struct finding *finding = arg;

	assert_true(since > 0);
	finding->count++;
	if (strcmp(where, finding->where) != 0)
		return;
	CHECK(strlen(finding->messages) + strlen(message) + 2 < sizeof(finding->messages));
	if (finding->messages[0] != '\0')
		strcat(finding->messages, "\n");
	strcat(finding->messages, message);
}

const char *folders_error(struct folders *f, const char *path)
{
	static char text[4096];
	struct finding finding = {.where = ""};
	size_t root = strlen(f->root) + 1, len = 0;

	(void)path_of(f, path, finding.where);
	store_each_error(f->store, on_error, &finding);
	if (finding.messages[0] == '\0')
		return NULL;
	for (const char *at = finding.messages; *at && len + 1 < sizeof(text);)
		if (!strncmp(at, f->root, root - 1) && at[root - 1] == '/')
			at += root;
		else
			text[len++] = *at++;
	text[len] = '\0';
	return text;
}

static bool has_error(struct folders *f, const void *arg)
{
	const struct wanted *w = arg;

	return same_text(folders_error(f, w->name), w->text);
}

void folders_wait_error(struct folders *f, const char *path, const char *message)
{
	struct wanted w = {NULL, path, message, KNOWLEDGE_NEVER};
	char what[4096];
	const char *have;
	uint64_t end_ms = clock_monotonic_ms() + WAIT_MS;

	while (!has_error(f, &w) && clock_monotonic_ms() < end_ms)
		turn_once(f);
	have = folders_error(f, path);
	(void)snprintf(what, sizeof(what), "%s", have ? have : "(no error)");
	assert_string_equal(what, message ? message : "(no error)");
}

unsigned folders_errors(struct folders *f)
{
	struct finding finding = {.where = ""};

	store_each_error(f->store, on_error, &finding);
	return finding.count;
}
