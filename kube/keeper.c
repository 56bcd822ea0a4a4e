/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/keeper.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/xalloc.h"
#include "kube/exec.h"

enum {
	REFRESH_MS = 60000, /* files with credentials */
	AGAIN_MS = 5000,    /* when it does not help */
	EXEC_EARLY_S = 60   /* before a plugin's credential expires */
};

struct kube_keeper {
	uv_loop_t *loop;
	struct kube_access access;
	struct kube_keeper_events events;
	uint64_t renewed_ms;
	uint64_t unauthorized;      /* 401s that were looked at */
	struct kube_exec_run *exec; /* a plugin that runs */
	int64_t exec_expires_at;
};

/* --- files --- */

static void refresh_files(struct kube_keeper *k)
{
	struct reason why = {0};
	bool changed = false;
	enum err err = kube_access_refresh(&k->access, &changed, &why);

	k->renewed_ms = clock_monotonic_ms();
	k->events.on_trouble(err != ERR_OK ? why.text : NULL, k->events.arg);
	if (changed)
		k->events.on_access(k->events.arg);
}

/* --- a plugin --- */

static void on_exec(enum err err, struct kube_credential *got, const struct reason *why, void *arg)
{
	struct kube_keeper *k = arg;

	k->exec = NULL;
	k->renewed_ms = clock_monotonic_ms();
	k->events.on_trouble(err != ERR_OK ? why->text : NULL, k->events.arg);
	if (err != ERR_OK)
		return;
	kube_secret_set(&k->access.token, kube_secret_bytes(&got->token));
	if (got->certificate.len > 0) {
		kube_secret_set(&k->access.certificate, kube_secret_bytes(&got->certificate));
		kube_secret_set(&k->access.key, kube_secret_bytes(&got->key));
	}
	k->exec_expires_at = got->expires_at;
	k->events.on_access(k->events.arg);
}

static void run_plugin(struct kube_keeper *k)
{
	const struct kube_exec_cluster cluster = kube_exec_cluster_of(&k->access);

	if (!k->exec)
		k->exec = kube_exec_run(k->loop, &k->access.exec, &cluster, on_exec, k);
}

/* What it gave is about to end, or it has given nothing yet. */
static bool is_plugin_due(const struct kube_keeper *k)
{
	if (k->exec_expires_at > 0)
		return clock_unix_s() + EXEC_EARLY_S >= k->exec_expires_at;
	return k->access.token.len == 0 && k->access.certificate.len == 0;
}

void kube_keeper_tick(struct kube_keeper *k, uint64_t unauthorized)
{
	uint64_t ago_ms = clock_monotonic_ms() - k->renewed_ms;
	bool was_refused = unauthorized != k->unauthorized && ago_ms >= AGAIN_MS;

	if (was_refused)
		k->unauthorized = unauthorized;
	if (k->access.exec.command) {
		if (was_refused || (is_plugin_due(k) && ago_ms >= AGAIN_MS))
			run_plugin(k);
	} else if (was_refused || ago_ms >= REFRESH_MS) {
		refresh_files(k);
	}
}

/* --- life --- */

struct kube_keeper *kube_keeper_new(uv_loop_t *loop, const struct kube_access *access,
                                    const struct kube_keeper_events *events)
{
	struct kube_keeper *k = xcalloc(1, sizeof(*k));

	k->loop = loop;
	k->events = *events;
	k->renewed_ms = clock_monotonic_ms();
	kube_access_copy(&k->access, access);
	if (k->access.exec.command)
		run_plugin(k);
	return k;
}

void kube_keeper_free(struct kube_keeper *k)
{
	if (!k)
		return;
	kube_exec_cancel(k->exec);
	kube_access_fini(&k->access);
	free(k);
}

/* What a plugin of before gives is for the way of before. */
void kube_keeper_set_access(struct kube_keeper *k, const struct kube_access *access)
{
	kube_exec_cancel(k->exec);
	k->exec = NULL;
	k->exec_expires_at = 0;
	kube_access_fini(&k->access);
	kube_access_copy(&k->access, access);
	if (k->access.exec.command)
		run_plugin(k);
}

const struct kube_access *kube_keeper_access(const struct kube_keeper *k) { return &k->access; }
int64_t kube_keeper_expires_at(const struct kube_keeper *k) { return k->exec_expires_at; }
