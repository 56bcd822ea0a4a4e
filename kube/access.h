/* access.h -- where one API server is and how to be let in: a value, made from a kubeconfig, a pod's
 * service account or a KubeFedCluster, and used by the transport alone.
 *
 * Control thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KUBE_ACCESS_H
#define KUBE_ACCESS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"
#include "base/err.h"
#include "kube/secret.h"

/* A program that prints a credential (client.authentication.k8s.io), only ever from a kubeconfig that the
 * operator's own config names. */
struct kube_exec {
	char *command; /* NULL: none */
	char **arg;
	size_t arg_count;
	char **env; /* "NAME=VALUE", besides the process's own */
	size_t env_count;
	char *api_version;  /* "client.authentication.k8s.io/v1" or ".../v1beta1" */
	bool wants_cluster; /* provideClusterInfo */
};

/* Zeroed, with a server, it is a plain HTTPS endpoint with system roots and no credential.  All pointers are
 * owned; NULL or empty: not set. */
struct kube_access {
	char *server; /* "https://host:port" or "http://...", with a path or none, no slash at its end */
	char *server_name; /* tls-server-name: checked and sent instead of the host */
	char *proxy;       /* "http://", "https://", "socks5://" URL */
	char *ca;          /* PEM certificates; NULL: the system's roots */
	char *ca_file;     /* they come from this file and are read again when it changes */
	char *namespace;   /* of the kubeconfig's context; of a pod, its own */

	/* What KubeFed calls disabledTLSValidations. */
	bool any_certificate; /* "*": nothing is verified */
	bool any_name;        /* "SubjectName": the chain is, the name is not */
	bool any_time; /* "ValidityPeriod": as if it were one second after the leaf's notBefore */

	bool no_loopback; /* loopback and link-local addresses are refused when they are dialled */
	bool no_compression; /* disable-compression */

	struct kube_secret token;
	char *token_file; /* wins over token; read again at most once a minute and on 401 */
	struct kube_secret certificate, key; /* PEM, of the client */
	char *certificate_file, *key_file;   /* they come from these files */
	char *user;                          /* basic authentication, with `password` */
	struct kube_secret password;
	char *impersonate; /* "as" */
	struct kube_exec exec;
};

/* A copy of all of it into a zeroed struct. */
void kube_access_copy(struct kube_access *to, const struct kube_access *from);
/* Frees and wipes; leaves zeros. */
void kube_access_fini(struct kube_access *a);
/* Would the same be dialled with the same credentials?  (The namespace aside.) */
bool kube_access_equal(const struct kube_access *a, const struct kube_access *b);

/* Does a stranger's text give away its token or password? */
bool kube_access_is_in(const struct kube_access *a, struct bytes text);

/* "HOST", "HOST:PORT" or a URL, as client-go and KubeFed's webhook take it -> "https://HOST:PORT/path" for
 * .server (the caller frees): without a scheme it is https and has no path; only http and https; a host; a
 * port, when given, of 1..65535; no user, query or fragment.  ERR_PARSE says what is wrong with it
 * (tests/vectors/kubefed/access_vectors.json, api_endpoint). */
enum err kube_endpoint_read(const char *text, char **out, struct reason *why) MUST_CHECK;
/* Is it a proxy's URL as KubeFed takes it: http, https or socks5, a host? (proxy_url of the vectors)  A user and
 * password may be in it.  Neither of the two repeats a part of the text in `why`. */
enum err kube_proxy_check(const char *text, struct reason *why) MUST_CHECK;

/* Reads again what comes from files (CA, token, client certificate and key), if they can be read and hold such a
 * thing; what cannot be keeps what was there, and `why` names the first by its kubeconfig field ("tokenFile: No such
 * file or directory").  A certificate and its key are replaced together.  *changed: something is another now. */
enum err kube_access_refresh(struct kube_access *a, bool *changed, struct reason *why) MUST_CHECK;

/* Without the white space around it. */
struct bytes kube_token_trim(struct bytes text);
/* May it stand in a header as it is: some visible ASCII, not more than KUBE_SECRET_MOST? */
enum err kube_token_check(struct bytes token, struct reason *why) MUST_CHECK;
/* Does it look like PEM at all, and is it one text? */
enum err kube_pem_check(struct bytes pem, struct reason *why) MUST_CHECK;

#endif
