/* fakeapi_inside.h -- what the parts of the fake API server share.
 *
 * One lock holds everything.  The server's thread has it but for the time in which it waits for sockets; only that
 * thread makes, writes and frees connections and streams.  Tests take the lock for each call, and may change what open
 * watches have to say.  For tests/support/fakeapi*.c alone.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_SUPPORT_FAKEAPI_INSIDE_H
#define TESTS_SUPPORT_FAKEAPI_INSIDE_H

#include <nghttp2/nghttp2.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <zlib.h>

#include "base/bytes.h"
#include "base/text.h"
#include "tests/support/fakeapi.h"

/* --- objects (fakeapi_object.c) --- */

/* As it is sent; counted users, under the lock. */
struct object {
	unsigned users;
	uint64_t uid;
	uint64_t version;
	size_t len;
	size_t item_at;           /* where its members begin that are not kind and apiVersion */
	size_t meta_at, meta_len; /* the value of metadata */
	size_t version_at;        /* the digits of resourceVersion; 0: they are the test's own */
	size_t version_len;
	size_t namespace_len; /* of the key; 0: none */
	const char *key;      /* "NAMESPACE/NAME" or "NAME" */
	char text[];
};

/* An object as a test writes it, in its parts. */
struct shape {
	struct text json; /* with its quotes set right; what the others point to */
	struct bytes kind, api_version;
	struct bytes name, namespace;
	struct text metadata; /* its members: ",a,b" */
	struct text others;   /* ",a,b" */
	bool has_uid, has_version, has_time, has_managed;
};

struct kind;
void shape_fini(struct shape *s);
/* Single quotes become double ones when there is no double one. */
void quotes_set_right(struct text *t);
/* Reads s->json; ends the test when it is no object of that kind. */
void shape_read(struct shape *s, const struct kind *k);
struct object *object_make(const struct shape *s, const struct kind *k, uint64_t version,
                           uint64_t uid, bool managed_fields);
/* The same with another resourceVersion. */
struct object *object_copy(const struct object *o, uint64_t version);
struct object *object_use(struct object *o);
void object_drop(struct object *o); /* NULL is fine */
const char *object_name(const struct object *o);
/* The value of a label, as it is written; none: it has no such label. */
struct bytes object_label(const struct object *o, const char *key);

/* --- the store (fakeapi_store.c) --- */

enum change { CHANGE_ADDED, CHANGE_MODIFIED, CHANGE_DELETED };

struct event {
	enum change change;
	uint64_t version;
	struct object *object; /* after it; of DELETED with the version of the deletion */
	struct object *before; /* NULL: none */
};

struct kind {
	char *path; /* of the cluster-wide list */
	char *name;
	char *group; /* "" for the core */
	char *group_version;
	const char *plural; /* in path */
	bool namespaced, custom;
	bool registered, forbidden;
	const char *pruned;      /* a field that its definition does not know; NULL: none */
	struct object **objects; /* by key */
	size_t count, room;
	struct event *events;
	size_t event_count, event_room;
	uint64_t first_event; /* how many were before events[0] */
};

/* Objects chosen once, to be sent one by one. */
struct list {
	struct object **objects;
	size_t count, at;
	size_t remaining; /* behind the limit */
	uint64_t version;
	size_t bytes;
};

/* What a request asks to see. */
struct choice {
	char *namespace, *name; /* NULL: all */
	struct label_term *labels;
	size_t label_count;
	struct field_term *fields;
	size_t field_count;
};

/* --- selectors (fakeapi_labels.c) --- */

struct field_term {
	char *path, *value; /* "involvedObject.uid" */
};

/* "a=b,c!=d,e,!f"; false: there is something in it that is not known here. */
bool labels_read(struct choice *c, const char *selector);
bool labels_take(const struct choice *c, const struct object *o);
/* False: no such field can be selected by. */
bool fields_read(struct choice *c, const char *path, const char *value);
bool fields_take(const struct choice *c, const struct object *o);
void choice_fini(struct choice *c);

struct kind *store_find(struct fakeapi *f, const char *path, size_t len);
void store_init(struct fakeapi *f);
void store_fini(struct fakeapi *f);
/* Creates or replaces. */
void store_put_shape(struct fakeapi *f, struct kind *k, const struct shape *s);
struct object *store_get(const struct kind *k, const char *key); /* NULL: none */
void store_delete(struct fakeapi *f, struct kind *k, const char *key);
/* The kind must be known. */
struct kind *store_kind(struct fakeapi *f, const char *path);
bool choice_takes(const struct choice *c, const struct object *o);
/* The objects as of `version` (0: now) whose key is greater than `after` (NULL: all), at most `limit` (0: all). */
void store_list(struct fakeapi *f, const struct kind *k, const struct choice *c, uint64_t version,
                const char *after, size_t limit, struct list *out);
void list_fini(struct list *l);
static inline uint64_t kind_end(const struct kind *k) { return k->first_event + k->event_count; }
static inline const struct event *kind_event(const struct kind *k, uint64_t number)
{
	return &k->events[number - k->first_event];
}
/* The number of the first event newer than `version`. */
uint64_t kind_events_after(const struct kind *k, uint64_t version);

/* --- changes by clients (fakeapi_write.c, fakeapi_patch.c, fakeapi_apply.c) --- */

/* Answers POST, PUT, PATCH and DELETE; `sub`: the subresource, "" for none. */
struct stream;
void write_answer(struct stream *s, struct kind *k, const struct choice *c, const char *sub);
/* To who wants to know of every write. */
void write_tell(struct stream *s);
struct json_object;
/* A JSON merge patch (RFC 7396). */
void patch_merge(struct json_object *to, struct json_object *patch);
/* Of a Secret: what is written as text is kept as data. */
void patch_secret(struct json_object *secret);
/* A JSON patch (RFC 6902; without move and copy); false: a test failed, or it cannot be applied. */
bool patch_json(struct json_object **to, struct json_object *patch);
/* Server-side apply of `body` to `to` (which has nothing when the object is new), lists as a whole, managedFields kept.
 * False: others own fields, and it is not forced; then `causes` has the conflicts of a Status. */
bool apply_fields(struct json_object *to, struct json_object *body, const char *manager, bool force,
                  struct json_object *causes);

/* --- rules (fakeapi_rules.c) --- */

enum rule_what {
	RULE_ANSWER,
	RULE_WIRE,
	RULE_STALL,
	RULE_ENDLESS,
	RULE_LOSE,
	RULE_DELAY,
	RULE_DRIP,
	RULE_CUT,
	RULE_HANG
};

struct rule {
	struct rule *next; /* older */
	char *where;
	unsigned times; /* left; 0: for ever */
	enum rule_what what;
	uint64_t number; /* ms, bytes a second, bytes, enum fakeapi_endless, enum fakeapi_loss */
	enum fakeapi_cut how;
	int status;
	char *headers; /* lines */
	char *content_type;
	struct text body;
};

bool where_fits(const char *where, const char *target);
void rules_fini(struct fakeapi *f);
struct stream;
/* Sets delay, drip, cut and hang of the stream; returns the rule that answers it, which is the caller's, or NULL. */
struct rule *rules_apply(struct fakeapi *f, struct stream *s);
void rule_free(struct rule *r);

/* --- connections and streams --- */

struct request {
	char *method;
	char *raw;    /* path and query as they came */
	char *target; /* the same, decoded */
	char *authorization, *accept, *content_type;
	bool accepts_gzip;
	struct text body;
};

enum stream_phase { STREAM_READING, STREAM_WAITING, STREAM_STALLED, STREAM_ANSWERING };
enum body { BODY_TEXT, BODY_LIST, BODY_WATCH, BODY_ENDLESS };

struct watch {
	struct kind *kind;
	struct choice choice;
	struct list first; /* what is there at the beginning */
	bool tells_end;    /* of it, by a bookmark */
	bool bookmarks;
	bool bookmark_now;
	bool partial;
	uint64_t next;      /* event */
	uint64_t end_at_ms; /* 0: never */
	uint64_t bookmark_at_ms;
	bool is_over;   /* no more events, only what is pending */
	bool cuts_next; /* event */
	size_t cut_offset;
	enum fakeapi_cut cut_how;
};

struct stream {
	struct stream *next;
	struct conn *conn;
	int32_t id;
	struct request request;
	enum stream_phase phase;
	uint64_t start_at_ms;
	struct rule *rule; /* that answers it, or NULL */
	int status;
	struct text headers; /* lines "name: value\n" */
	bool has_length;

	enum body body;
	struct list list;
	struct kind *list_kind;
	bool list_partial, list_begun;
	char *list_continue;
	struct watch *watch;
	enum fakeapi_endless endless;
	uint64_t endless_count;
	bool is_watch_request;
	bool is_lost; /* what is answered is not sent */

	struct text pending; /* ready to go */
	size_t pending_at;
	struct text raw; /* before gzip */
	z_stream *gzip;
	bool is_made; /* nothing comes behind `pending` */
	uint64_t made, sent;

	uint64_t cut_at, hang_at; /* UINT64_MAX: never */
	enum fakeapi_cut cut_how;
	bool cut_now;
	uint64_t
		reset_at_ms; /* RST_STREAM; later than the last bytes, which clients would drop with it */
	uint64_t drip_per_s; /* 0: as quickly as possible */
	uint64_t drip_since_ms, drip_sent;
	bool hushed;
	bool deferred; /* its protocol waits for it */
	bool closes;   /* the client wants the connection to end behind it */
};

enum protocol { PROTOCOL_UNKNOWN, PROTOCOL_HTTP1, PROTOCOL_HTTP2 };

struct conn {
	struct conn *next;
	struct fakeapi *f;
	int fd;
	SSL *ssl;    /* NULL: plain */
	bool shaken; /* hands */
	enum protocol protocol;
	nghttp2_session *h2;
	struct stream *streams;
	struct buffer in;
	struct buffer out;
	size_t out_at;
	bool wants_write; /* the socket was full */
	bool busy;        /* has more to write now */
	bool frozen;
	bool lingers; /* has said its last word, and waits for the client to end */
	bool ends;    /* when `out` is written */
	enum fakeapi_cut end_how;
	bool dead;
};

struct fakeapi {
	struct fakeapi_options options;
	char url[64];
	char *token;
	char *version_text;
	char *ca_pem, *ca_base64;
	struct tls *tls;

	pthread_t thread;
	pthread_mutex_t gate,
		lock; /* lock; a test that waits for it holds the gate, so that its turn comes */
	int wake_fd, listen_fd;
	unsigned port;
	bool quit, frozen;
	bool order_down, order_up, order_drop, order_goaway;
	enum fakeapi_cut drop_how;
	uint64_t asked, done; /* orders */
	struct conn *conns;
	unsigned conn_count, conns_ever, http2_ever;
	uint64_t bytes;

	struct kind **kinds;
	size_t kind_count;
	uint64_t version, compacted, uid;
	struct rule *rules; /* newest first */

	void (*on_write)(const char *request, void *arg);
	void *on_write_arg;

	char **requests;
	size_t request_count, request_room;
	char *authorization;
	struct text written; /* the body of the newest request that had one */
	struct text said;    /* what was returned last */
};

void fake_lock(struct fakeapi *f);
void fake_unlock(struct fakeapi *f);
void fake_wake(struct fakeapi *f);
static inline void fake_unlock_and_wake(struct fakeapi *f)
{
	fake_wake(f);
	fake_unlock(f);
}

/* --- certificates (fakeapi_tls.c) --- */

struct tls *tls_new(void);
void tls_free(struct tls *t);
char *tls_ca_pem(const struct tls *t);
void tls_certify(struct tls *t, enum fakeapi_certificate certificate, bool http1);
SSL *tls_accept(struct tls *t, int fd);
/* Of a client that is let in while it is not expired; PEM, the caller frees. */
void tls_client(const struct tls *t, bool expired, char **certificate, char **key);
/* Has it shown such a certificate? */
bool tls_knows(const SSL *ssl);
/* Standard base64; the caller frees. */
char *tls_base64(const void *data, size_t len);

/* --- answers (fakeapi_serve.c, fakeapi_stream.c) --- */

/* The request is whole: notes it, and answers now or when its time has come. */
void serve_request(struct stream *s);
void serve_answer(struct stream *s);
/* An answer that is one text, and one that is a Status. */
void serve_text(struct stream *s, int status, const char *content_type, struct bytes body);
void serve_status(struct stream *s, int status, const char *message);
/* Appends a Status object. */
void status_add(struct text *out, int status, const char *message, const char *list_continue);
void watch_begin(struct stream *s, struct kind *k, struct choice *c, const char *query,
                 bool partial);
void watch_free(struct watch *w);
/* The value of a query parameter, decoded, the caller frees; NULL: it is not there. */
char *query_get(const char *raw, const char *name);

/* Is a parameter of the query there, and neither 0 nor false? */
bool query_is_true(const char *raw, const char *name);

struct stream *stream_new(struct conn *c, int32_t id);
void stream_free(struct stream *s); /* takes it out of its connection */
/* Work that its time or events have brought; false: nothing new.  *wake_at_ms is lowered to when it must be asked again. */
bool stream_tick(struct stream *s, uint64_t now_ms, uint64_t *wake_at_ms);
enum pull { PULL_DATA, PULL_WAIT, PULL_END, PULL_CUT };
enum pull stream_pull(struct stream *s, uint8_t *to, size_t room, size_t *len);
void stream_gzip(struct stream *s);
/* Appends one event to what is pending. */
void watch_add_event(struct stream *s, const char *type, const char *json, size_t len);
void watch_add_bookmark(struct stream *s, uint64_t version, bool ends_first);
void watch_fill(struct stream *s);
/* Events that are no more have not been seen. */
void watches_go_back(struct fakeapi *f);
/* Makes a Status event of it and ends it. */
void watch_add_failure(struct stream *s, int status);

/* --- protocols (fakeapi_h1.c, fakeapi_h2.c) --- */

void h1_read(struct conn *c);
void h1_begin(struct stream *s);
void h1_fill(struct conn *c);
void h2_open(struct conn *c);
void h2_read(struct conn *c, const uint8_t *data, size_t len);
void h2_begin(struct stream *s);
void h2_resume(struct stream *s);
void h2_fill(struct conn *c);
void h2_goaway(struct conn *c);

enum { OUT_FULL = 256 * 1024, PIECE = 64 * 1024 };
static inline size_t conn_waiting(const struct conn *c) { return c->out.len - c->out_at; }
/* Ends it as told; of a stream of HTTP/2, maybe only that. */
void conn_end(struct conn *c, enum fakeapi_cut how);

#endif
