/* fakeapi.h -- a Kubernetes API server that does what a test tells it to.
 *
 * It listens on 127.0.0.1 at a port of the kernel's choice, speaks TLS with a certificate authority of its own, HTTP/2
 * where the client offers it and HTTP/1.1 where not, and serves what it was given: lists with pages, watches with
 * bookmarks, single objects, label selectors; and takes writes: POST, PUT, DELETE, merge and JSON patches and server-side
 * apply, also of the status.  Then it is told to fail.  It runs in a thread of its own; several may run at once.
 * All calls are for one test thread per server; they take effect at once, and what open watches are sent follows
 * without further doing.  A mistake of the test (an object without a name, an unknown resource) ends the test.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_SUPPORT_FAKEAPI_H
#define TESTS_SUPPORT_FAKEAPI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

struct fakeapi;
struct world;

/* Resources are named by the path of their cluster-wide list.  These and a few more are known from the start;
 * others are told by fakeapi_register(). */
#define FAKEAPI_SERVICES             "/api/v1/services"
#define FAKEAPI_NODES                "/api/v1/nodes"
#define FAKEAPI_NAMESPACES           "/api/v1/namespaces"
#define FAKEAPI_SECRETS              "/api/v1/secrets"
#define FAKEAPI_CONFIG_MAPS          "/api/v1/configmaps"
#define FAKEAPI_DEPLOYMENTS          "/apis/apps/v1/deployments"
#define FAKEAPI_LEASES               "/apis/coordination.k8s.io/v1/leases"
#define FAKEAPI_SLICES               "/apis/discovery.k8s.io/v1/endpointslices"
#define FAKEAPI_INGRESSES            "/apis/networking.k8s.io/v1/ingresses"
#define FAKEAPI_CLUSTERS             "/apis/core.kubefed.io/v1beta1/kubefedclusters"
#define FAKEAPI_DOMAINS              "/apis/multiclusterdns.kubefed.io/v1alpha1/domains"
#define FAKEAPI_SERVICE_RECORDS      "/apis/multiclusterdns.kubefed.io/v1alpha1/servicednsrecords"
#define FAKEAPI_INGRESS_RECORDS      "/apis/multiclusterdns.kubefed.io/v1alpha1/ingressdnsrecords"
#define FAKEAPI_ENDPOINTS_OF_KUBEFED "/apis/multiclusterdns.kubefed.io/v1alpha1/dnsendpoints"
#define FAKEAPI_ENDPOINTS            "/apis/externaldns.k8s.io/v1alpha1/dnsendpoints"
#define FAKEAPI_POLICIES             "/apis/nigh.dev/v1alpha1/trafficpolicies"

enum fakeapi_certificate {
	FAKEAPI_CERTIFICATE_GOOD, /* IP 127.0.0.1 and DNS localhost, a year */
	FAKEAPI_CERTIFICATE_EXPIRED,
	FAKEAPI_CERTIFICATE_NOT_YET,
	FAKEAPI_CERTIFICATE_WRONG_NAME,
	FAKEAPI_CERTIFICATE_STRANGE /* of an authority that nobody was told of */
};

/* What it makes of sendInitialEvents=true. */
enum fakeapi_watch_list {
	FAKEAPI_WATCH_LIST_SERVED,
	FAKEAPI_WATCH_LIST_REFUSED, /* 422, as with the feature switched off */
	FAKEAPI_WATCH_LIST_IGNORED /* an ordinary watch, as before 1.27: no bookmark ends the beginning */
};

/* Zeroed: TLS, HTTP/2, all known resources, token "fakeapi-token-N". */
struct fakeapi_options {
	bool plain;          /* http://; HTTP/2 by prior knowledge */
	bool http1;          /* no HTTP/2, whatever the client offers */
	bool gzip;           /* of lists from 128 KiB on, for clients that accept it */
	bool no_custom;      /* no custom kinds but those that fakeapi_register() brings */
	bool managed_fields; /* every object has some, as real ones do */
	enum fakeapi_certificate certificate;
	enum fakeapi_watch_list watch_list;
	const char *token; /* "": everybody is let in */
	unsigned streams;  /* at once on a connection; 0: 250 */
	unsigned
		bookmark_ms; /* between two bookmarks of a watch that asks for them; 0: only when told */
};

/* Listens when it returns; NULL: zeroed options. */
struct fakeapi *fakeapi_new(const struct fakeapi_options *options);
void fakeapi_free(struct fakeapi *f); /* NULL is fine */

const char *fakeapi_url(const struct fakeapi *f); /* "https://127.0.0.1:PORT" */
unsigned fakeapi_port(const struct fakeapi *f);
const char *fakeapi_token(const struct fakeapi *f);
const char *fakeapi_ca_pem(const struct fakeapi *f);
const char *fakeapi_ca_base64(
	const struct fakeapi *f); /* of the PEM, as caBundle and kubeconfigs have it */
/* Of a client that is let in without a token, unless it is expired: then it is 401.  PEM; the caller frees both. */
void fakeapi_client_certificate(const struct fakeapi *f, bool expired, char **certificate,
                                char **key);
/* Writes a kubeconfig with server, certificate authority and token; `name` is relative to the world's folder. */
void fakeapi_kubeconfig(const struct fakeapi *f, struct world *w, const char *name);

/* --- objects --- */

/* Creates or replaces an object, JSON; without any double quote, single quotes stand for them.  It needs metadata.name,
 * and metadata.namespace where the kind has one.  The bytes are kept as they are; kind, apiVersion, uid,
 * creationTimestamp and resourceVersion are added where they are not given.  Returns the resourceVersion that the change has. */
uint64_t fakeapi_put(struct fakeapi *f, const char *resource, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* As another client changes it: a JSON merge patch, in that notation; generation and resourceVersion follow. */
uint64_t fakeapi_edit(struct fakeapi *f, const char *resource, const char *object, const char *fmt,
                      ...) __attribute__((format(printf, 4, 5)));
/* As another client deletes it: what has finalizers gets a deletionTimestamp, and goes with the last of them. */
void fakeapi_ask_to_delete(struct fakeapi *f, const char *resource, const char *object);
/* Its JSON, or NULL; good until the next call. */
const char *fakeapi_get(struct fakeapi *f, const char *resource, const char *object);
/* The same of the first one that has that text: for those whose names are made by chance. */
const char *fakeapi_find(struct fakeapi *f, const char *resource, const char *text);
/* "NAMESPACE/NAME" or "NAME"; it must be there.  Its finalizers are not waited for. */
uint64_t fakeapi_delete(struct fakeapi *f, const char *resource, const char *object);
/* Writes object number `i` as fakeapi_put() takes it; `out` is empty. */
typedef void fakeapi_generate_fn(struct text *out, size_t i, void *arg);
/* `count` objects; quickest when they come in the order of their names. */
void fakeapi_put_many(struct fakeapi *f, const char *resource, size_t count,
                      fakeapi_generate_fn *generate, void *arg);
void fakeapi_delete_all(struct fakeapi *f, const char *resource);
size_t fakeapi_count(struct fakeapi *f, const char *resource);
/* How often it has come, changed or gone, as far as is not forgotten. */
unsigned fakeapi_changes(struct fakeapi *f, const char *resource, const char *object);
/* One that has become again what it was before it was something else, but for counters and times: its states, one a line; good until
 * the next call.  NULL: none has. */
const char *fakeapi_returned(struct fakeapi *f);
uint64_t fakeapi_version(struct fakeapi *f); /* the newest resourceVersion */
/* Leaves out that many resourceVersions, as changes elsewhere do. */
void fakeapi_skip_versions(struct fakeapi *f, uint64_t count);

/* A custom kind; a registered one is served again after fakeapi_unregister(). */
void fakeapi_register(struct fakeapi *f, const char *resource, const char *kind, bool namespaced);
/* 404 for it and the end of its watches; its objects are kept. */
void fakeapi_unregister(struct fakeapi *f, const char *resource);
/* Its definition does not know that field, wherever it stands: what is written loses it.  NULL: it knows all.  Borrowed. */
void fakeapi_prune(struct fakeapi *f, const char *resource, const char *field);
void fakeapi_forbid(struct fakeapi *f, const char *resource); /* 403; open watches go on */
void fakeapi_allow(struct fakeapi *f, const char *resource);
void fakeapi_set_token(struct fakeapi *f,
                       const char *token); /* others are 401; open watches go on */
void fakeapi_set_certificate(struct fakeapi *f, enum fakeapi_certificate certificate);
void fakeapi_set_watch_list(struct fakeapi *f, enum fakeapi_watch_list watch_list);
/* The gitVersion of /version: any text. */
void fakeapi_set_version_text(struct fakeapi *f, const char *version);

/* --- time --- */

/* Forgets what was before now: older watches and continue tokens are 410. */
void fakeapi_compact(struct fakeapi *f);
/* An etcd restored from a backup: all is as it was at that resourceVersion, and counted on from there.  Open
 * watches are not told, as none of the real ones is: end them, or drop the connections.  Not behind a compaction. */
void fakeapi_go_back(struct fakeapi *f, uint64_t version);

/* --- rules: what happens to requests ---
 *
 * `where`: how the path begins, "" for all; then, if wanted, "?TEXT" or "?!TEXT": a text that the query has, or has not.
 * "/api/v1/services?watch=" are the watches of Services, "/api/v1/services?!watch=" the lists.
 * With a method before it, or WRITE for all but GET, the path is that of the cluster-wide list and what of it is meant:
 * "WRITE /api/v1/services" are all writes of Services, "PATCH /api/v1/services/shop/web" the patches of one,
 * "PUT /api/v1/services/shop/web/status" those of its status; a POST is "POST /api/v1/services/shop".
 * `times`: for so many requests; 0: until it is removed.  The newest that fits counts; of delay, drip, cut and hang
 * each one may join it. */

void fakeapi_answer(struct fakeapi *f, const char *where, unsigned times, int status,
                    const char *headers); /* Status; "Retry-After: 1\nX-Y: z", NULL: none */
/* These bytes as the body. */
void fakeapi_answer_bytes(struct fakeapi *f, const char *where, unsigned times, int status,
                          const char *content_type, const void *data, size_t len);
void fakeapi_redirect(struct fakeapi *f, const char *where, unsigned times, const char *url);
/* These bytes on the connection in place of an answer, be it HTTP or not. */
void fakeapi_answer_wire(struct fakeapi *f, const char *where, unsigned times, const void *data,
                         size_t len);
void fakeapi_stall(struct fakeapi *f, const char *where, unsigned times); /* not even a status */
/* So many bytes of the body and no more, for ever. */
void fakeapi_hang(struct fakeapi *f, const char *where, unsigned times, uint64_t after_bytes);

enum fakeapi_loss {
	FAKEAPI_LOSS_BEFORE, /* the stream is reset (of HTTP/1.1 the connection), and nothing was done */
	FAKEAPI_LOSS_AFTER, /* it was done, then the same */
	FAKEAPI_LOSS_ANSWER /* it was done, and no answer comes */
};
void fakeapi_lose(struct fakeapi *f, const char *where, unsigned times, enum fakeapi_loss what);

enum fakeapi_cut {
	FAKEAPI_CUT_CLOSE, /* the connection, without the end of TLS or HTTP */
	FAKEAPI_CUT_RESET, /* the connection, by RST; what is under way may be lost */
	FAKEAPI_CUT_STREAM /* RST_STREAM; of HTTP/1.1 the connection */
};
/* So many bytes of the body (as the client's HTTP sees it), then the end. */
void fakeapi_cut(struct fakeapi *f, const char *where, unsigned times, uint64_t after_bytes,
                 enum fakeapi_cut how);

enum fakeapi_endless {
	FAKEAPI_ENDLESS_OBJECT, /* an item or event with a string that does not end */
	FAKEAPI_ENDLESS_ITEMS,  /* or events: one object after the other */
	FAKEAPI_ENDLESS_DEPTH,  /* [[[[ */
	FAKEAPI_ENDLESS_SPACE   /* white space before the first byte of JSON */
};
void fakeapi_endless(struct fakeapi *f, const char *where, unsigned times,
                     enum fakeapi_endless what);
void fakeapi_delay(struct fakeapi *f, const char *where, unsigned times, unsigned ms);
void fakeapi_drip(struct fakeapi *f, const char *where, unsigned times, unsigned bytes_per_s);
/* All rules made with this `where`; NULL: all. */
void fakeapi_no_rule(struct fakeapi *f, const char *where);

/* --- open watches; `where` as of rules --- */

void fakeapi_send(struct fakeapi *f, const char *where, const void *data, size_t len);
/* As fakeapi_put() writes JSON, and a newline. */
void fakeapi_send_line(struct fakeapi *f, const char *where, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void fakeapi_bookmark(struct fakeapi *f, const char *where); /* to those that asked for them */
void fakeapi_close_watches(struct fakeapi *f, const char *where);
/* An ERROR event (410: Expired; others by their names), then the end. */
void fakeapi_fail_watches(struct fakeapi *f, const char *where, int status);
void fakeapi_hush_watches(struct fakeapi *f,
                          const char *where); /* they stay open and say no more */
#define FAKEAPI_MID_CHARACTER SIZE_MAX        /* in the first character of several bytes */
/* The next event that these watches are sent ends after so many of its bytes. */
void fakeapi_cut_next_event(struct fakeapi *f, const char *where, size_t offset,
                            enum fakeapi_cut how);

/* --- the whole server --- */

/* Connections are accepted; nothing is read, nothing is written. */
void fakeapi_freeze(struct fakeapi *f);
void fakeapi_thaw(struct fakeapi *f);
/* The connections that are open now are frozen for ever; new ones are served. */
void fakeapi_freeze_open(struct fakeapi *f);
/* Refuses connections, having dropped those that were open; objects and rules stay. */
void fakeapi_down(struct fakeapi *f);
void fakeapi_up(struct fakeapi *f);                         /* at the same port */
void fakeapi_drop(struct fakeapi *f, enum fakeapi_cut how); /* all connections */
void fakeapi_goaway(struct fakeapi *f); /* HTTP/2's: what is open goes on, new requests elsewhere */

/* --- what came --- */

/* Requests so far whose line, "GET /path?query HTTP/2" without percent-encoding, has that text. */
unsigned fakeapi_requests(struct fakeapi *f, const char *text);
/* The same of those that have both texts. */
unsigned fakeapi_requests_with(struct fakeapi *f, const char *text, const char *and);
/* Called for every write from now on, when it has been done (or a rule answers as if it had) and before it is answered: in the server's thread, which
 * serves nobody meanwhile, and without leave to call anything of fakeapi.  `request`: "PATCH /path".  NULL: no more. */
void fakeapi_on_write(struct fakeapi *f, void (*on_write)(const char *request, void *arg),
                      void *arg);
/* The newest such line, or NULL; good until the next call. */
const char *fakeapi_last_request(struct fakeapi *f, const char *text);
void fakeapi_forget_requests(struct fakeapi *f);
/* The Authorization header of the newest request, "" without one; good until the next call. */
const char *fakeapi_authorization(struct fakeapi *f);
/* The body of the newest request that had one, "" before; good until the next call. */
const char *fakeapi_last_body(struct fakeapi *f);
unsigned fakeapi_watches(struct fakeapi *f, const char *where); /* open now */
unsigned fakeapi_connections(struct fakeapi *f);                /* open now */
unsigned fakeapi_connections_ever(struct fakeapi *f);
unsigned fakeapi_http2_connections(struct fakeapi *f); /* of those ever, these spoke HTTP/2 */
uint64_t fakeapi_bytes(struct fakeapi *f);             /* written to sockets, ever */

/* Polls until it is so, for at most within_ms; fails the test otherwise, telling what came. */
void fakeapi_expect_requests(struct fakeapi *f, const char *text, unsigned at_least,
                             unsigned within_ms);
void fakeapi_expect_watches(struct fakeapi *f, const char *where, unsigned count,
                            unsigned within_ms);
void fakeapi_expect_connections(struct fakeapi *f, unsigned count, unsigned within_ms);

#endif
