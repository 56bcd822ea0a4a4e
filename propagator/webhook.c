/* SPDX-License-Identifier: Apache-2.0 */
#include "propagator/webhook.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/http_admin.h"
#include "base/log.h"
#include "base/smallfile.h"
#include "base/stamp.h"
#include "base/xalloc.h"
#include "propagator/admission.h"

enum {
	LOOK_MS = 2000,        /* between two looks at the files */
	OLD_LOOKS = 15,        /* so long a server with an old certificate may have connections */
	PEM_MOST = 1 << 20,    /* of one file */
	BODIES_MOST = 16 << 20 /* of all requests at one time */
};

/* A server with the certificate that it has. */
struct server {
	struct http_admin *http;
	struct buffer certificate, key; /* PEM, ended with a NUL */
};

struct webhook {
	uv_timer_t *timer;
	const char *certificate, *key;
	struct stamp certificate_stamp, key_stamp;
	struct server now, old; /* the old one goes when nobody is connected */
	unsigned old_looks;
	atomic_uint_fast64_t allowed, refused, malformed;
};

/* --- on the server's thread --- */

static unsigned review(const struct http_request *r, void *arg, struct text *body,
                       const char **content_type)
{
	struct webhook *w = arg;

	(void)content_type;
	switch (admission_answer(r->path, r->body, body)) {
	case ADMISSION_ALLOWED:
		atomic_fetch_add(&w->allowed, 1);
		return 200;
	case ADMISSION_REFUSED:
		atomic_fetch_add(&w->refused, 1);
		return 200;
	case ADMISSION_MALFORMED:
		break;
	}
	atomic_fetch_add(&w->malformed, 1);
	return http_error(body, 400, "the body is no AdmissionReview of admission.k8s.io/v1");
}

static const struct http_route routes[] = {
	{"POST", "/validate-federatedtypeconfigs", review},
	{"POST", "/validate-kubefedcluster", review},
	{"POST", "/validate-kubefedconfig", review},
	{"POST", "/default-kubefedconfig", review},
	{NULL, NULL, NULL},
};

/* --- one server --- */

static void server_stop(struct server *s)
{
	http_admin_stop(s->http);
	buffer_fini(&s->certificate);
	smallfile_wipe(&s->key);
	*s = (struct server){0};
}

static enum err read_pem(const char *path, const char *what, struct buffer *out, struct reason *why)
{
	struct reason cause = {0};
	enum err err = smallfile_read(path, PEM_MOST, out, NULL, &cause);

	if (err != ERR_OK)
		return reason_set(why, err, "%s %s: %s", what, path, cause.text);
	if (memchr(out->data, 0, out->len) != NULL)
		return reason_set(why, ERR_PARSE, "%s %s: is not PEM", what, path);
	buffer_u8(out, 0);
	return ERR_OK;
}

static enum err server_start(struct webhook *w, int take_listener, struct server *out,
                             struct reason *why)
{
	enum err err = read_pem(w->certificate, "certificate", &out->certificate, why);
	struct http_more more = {.body_most = ADMISSION_BODY_MOST, .bodies_most = BODIES_MOST};

	if (err == ERR_OK)
		err = read_pem(w->key, "key", &out->key, why);
	if (err != ERR_OK) {
		close(take_listener);
	} else {
		more.certificate = (const char *)out->certificate.data;
		more.key = (const char *)out->key.data;
		err = http_admin_start_more(take_listener, &more, routes, w, &out->http, why);
	}
	if (err != ERR_OK)
		server_stop(out);
	return err;
}

/* --- new certificates --- */

static bool has_changed(struct webhook *w)
{
	struct stamp certificate = stamp_at(w->certificate), key = stamp_at(w->key);
	bool same = stamp_equal(&certificate, &w->certificate_stamp) &&
	            stamp_equal(&key, &w->key_stamp);

	w->certificate_stamp = certificate;
	w->key_stamp = key;
	return !same;
}

/* Another server on the same socket; the one that is there takes no new connections then. */
static void renew(struct webhook *w)
{
	struct server fresh = {0};
	struct reason why = {0};
	int listener = fcntl(http_admin_listener(w->now.http), F_DUPFD_CLOEXEC, 0);

	if (listener < 0 || server_start(w, listener, &fresh, &why) != ERR_OK) {
		log_warn("propagator", "webhook: %s; the old certificate stays",
		         listener < 0 ? "too many files" : why.text);
		return;
	}
	server_stop(&w->old);
	w->old = w->now;
	w->old_looks = 0;
	w->now = fresh;
	http_admin_retire(w->old.http);
	log_info("propagator", "webhook: a new certificate is used");
}

static void on_timer(uv_timer_t *timer)
{
	struct webhook *w = timer->data;

	if (w->old.http && (http_admin_is_idle(w->old.http) || ++w->old_looks > OLD_LOOKS))
		server_stop(&w->old);
	if (has_changed(w))
		renew(w);
}

/* --- life --- */

static void on_closed(uv_handle_t *handle) { free(handle); }

enum err webhook_start(uv_loop_t *loop, const struct webhook_settings *settings,
                       struct webhook **out, struct reason *why)
{
	struct webhook *w = xcalloc(1, sizeof(*w));
	int listener = -1;
	enum err err = http_admin_open(&settings->addr, settings->port, &listener, why);

	w->certificate = settings->certificate;
	w->key = settings->key;
	(void)has_changed(w);
	if (err == ERR_OK)
		err = server_start(w, listener, &w->now, why);
	if (err != ERR_OK) {
		free(w);
		return err;
	}
	w->timer = xcalloc(1, sizeof(*w->timer));
	CHECK(uv_timer_init(loop, w->timer) == 0);
	w->timer->data = w;
	uv_timer_start(w->timer, on_timer, LOOK_MS, LOOK_MS);
	*out = w;
	return ERR_OK;
}

enum err webhook_check(const struct webhook_settings *settings, struct reason *why)
{
	static const struct addr loopback = {.family = ADDR_IPV4, .bytes = {127, 0, 0, 1}};
	struct webhook w = {.certificate = settings->certificate, .key = settings->key};
	struct server server = {0};
	int listener = -1;
	enum err err = http_admin_open(&loopback, 0, &listener, why);

	if (err == ERR_OK)
		err = server_start(&w, listener, &server, why);
	server_stop(&server);
	return err;
}

void webhook_stop(struct webhook *w)
{
	if (!w)
		return;
	uv_close((uv_handle_t *)w->timer, on_closed);
	server_stop(&w->old);
	server_stop(&w->now);
	free(w);
}

uint16_t webhook_port(const struct webhook *w) { return http_admin_port(w->now.http); }

struct webhook_counts webhook_counts(const struct webhook *w)
{
	return (struct webhook_counts){atomic_load(&w->allowed), atomic_load(&w->refused),
	                               atomic_load(&w->malformed)};
}
