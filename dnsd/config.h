/* config.h -- nighd's settings: one table, from which come parser, --check, --print-config and manual.
 *
 * Read on the control thread (or before it exists); a struct config is frozen once read.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DNSD_CONFIG_H
#define DNSD_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/conf.h"
#include "base/err.h"
#include "base/text.h"
#include "geo/place.h"

struct config_listen {
	struct addr addr;
	uint16_t port; /* 0: the kernel chooses */
};
/* DNS over TLS; without addresses there is none. */
struct config_tls {
	struct config_listen *addresses;
	size_t address_count;
	char *certificate, *key; /* files */
};
struct config_nameserver {
	char *name; /* absolute, presentation form */
	struct addr *addresses;
	size_t address_count;
};
struct config_record {
	char *text; /* "www 300 IN A 192.0.2.1" */
	unsigned line;
};
/* Some networks, where all might be meant. */
struct config_networks {
	bool limited; /* false: every address is one of them */
	struct addr_network *item;
	size_t count;
};
/* Who may have a zone transferred: all that a rule names must be so. */
enum config_transport { CONFIG_TRANSFER_ANY, CONFIG_TRANSFER_TCP, CONFIG_TRANSFER_TLS };
struct config_transfer_rule {
	bool has_network;
	struct addr_network network;
	char *key;         /* of `tsig`, presentation form; NULL: none is asked for */
	unsigned key_line; /* in the config file, as all lines here; 0: it is of a flag */
	int transport;     /* enum config_transport */
};
struct config_transfer {
	struct config_transfer_rule *rules;
	size_t rule_count;
	struct config_listen *notify; /* who is told of changes */
	size_t notify_count;
	char *as; /* the cluster whose sites are transferred; NULL: all */
};
struct config_zone {
	char *name; /* presentation form */
	struct config_nameserver *nameservers;
	size_t nameserver_count;
	uint64_t ttl_s; /* 0: defaults.ttl */
	struct config_record *records;
	size_t record_count;
	struct config_networks allow_query; /* who may ask */
	struct config_transfer transfer;
	char *file;         /* in master file format; NULL: none */
	unsigned file_line; /* of `file` in the config file */
	unsigned line;      /* in the config file */
};
/* The API server of the host cluster. */
struct config_kubernetes {
	char *kubeconfig; /* a file; NULL: none is configured, or in_cluster */
	unsigned line;    /* of kubeconfig */
	char *context;    /* NULL: the current one */
	char *namespace;  /* KubeFed's; NULL: kube-federation-system */
	bool in_cluster;
	bool allow_loopback;
	bool edge; /* it answers from published sites */
};
/* A member that needs no KubeFedCluster. */
struct config_member {
	char *name;
	char *kubeconfig;
	unsigned line; /* of kubeconfig */
	char *context; /* NULL: the current one */
	char *region;  /* NULL: not said */
	bool has_location, drain;
	struct place location;
};
/* Where another replica may be. */
struct config_peer {
	char *host; /* NULL: the address */
	struct addr addr;
	uint16_t port;
};
enum config_policy { CONFIG_NEAREST, CONFIG_ALL };
enum config_cookies { CONFIG_COOKIES_ON, CONFIG_COOKIES_OFF, CONFIG_COOKIES_REQUIRED };
/* What others say of addresses: a file or a command. */
struct config_import {
	char *name;
	char *file;           /* NULL: a command */
	const char **command; /* as execvp() takes it; NULL: a file */
	uint64_t interval_ms, timeout_ms;
};
enum config_probe_mode { CONFIG_PROBE_UNSEEN, CONFIG_PROBE_ALWAYS, CONFIG_PROBE_OFF };

struct config {
	char *file; /* where it was read from; NULL: no file */
	struct config_listen *dns;
	size_t dns_count;
	struct config_listen http;
	struct config_tls tls;          /* listen.tls */
	unsigned tls_line;              /* of `listen.tls` in the file */
	struct conf_strings proxy_from; /* networks */
	uint64_t workers;               /* 0: usable CPUs */
	char *user;                     /* NULL: stay who started it */
	unsigned user_line;             /* of `user` in the file */
	struct conf_strings manifests;  /* directories */
	struct config_kubernetes kubernetes;
	struct config_member *members;
	size_t member_count;
	struct {
		uint64_t silence_ms, reply_ms, backoff_ms;
		uint64_t max_object_mib;
	} watch; /* how patient nighd is with API servers */
	struct config_zone *zones;
	size_t zone_count;
	struct {
		struct conf_strings databases;
		unsigned databases_line;
		char *networks;
		unsigned networks_line;
		char *latency;
		unsigned latency_line;
		struct conf_strings unknown_order;
	} geo;
	struct {
		int policy; /* enum config_policy */
		uint64_t ttl_s, degraded_ttl_s, negative_ttl_s;
		uint64_t rise_after_ms;   /* of capacity */
		uint64_t unseen_after_ms; /* 0: for ever */
		uint64_t max_addresses;
	} defaults;
	struct {
		int mode; /* enum config_probe_mode */
		uint64_t interval_ms, timeout_ms, down, up;
		char *files; /* a folder; NULL: none */
		struct config_import *imports;
		size_t import_count;
		uint64_t flap_threshold, flap_window_ms, flap_hold_ms, flap_most_ms;
	} probe;
	struct {
		struct config_listen listen; /* ADDR_NONE: nobody dials here */
		char *name;                  /* NULL: that of the host */
		struct config_peer *peers;
		size_t peer_count;
		char *certificate, *key, *ca; /* files; NULL: there is no vote */
		unsigned line;                /* of certificate */
	} replicas;
	struct {
		struct conf_strings allow, deny; /* networks */
	} publish;
	struct {
		char *nsid, *hostname, *version; /* NULL: not said */
	} identity;
	struct {
		int mode;          /* enum config_cookies */
		char *secret_file; /* NULL: a random secret */
		unsigned secret_file_line;
	} cookies;
	char *tsig; /* the file with keys; NULL: none */
	unsigned tsig_line;
	struct {
		uint64_t max_connections, max_per_network, idle_ms;
	} tcp;
	struct {
		int mode; /* enum rrl_mode */
		uint64_t per_second, slip;
		struct conf_strings exempt; /* networks */
	} rate_limit;
	struct config_networks ecs_from; /* of resolvers whose client subnets are believed */
	struct {
		uint64_t min_names, max_withdraw_percent, hold_for_ms;
	} guard;
	uint64_t patience_ms; /* startup.patience */
	char *state;          /* directory; NULL: nothing is saved */
	int log_level;        /* enum log_level */
	int log_format;       /* enum log_format */
};

/* Defaults, then FILE (NULL: none).  Errors as lines "FILE:LINE: text". NULL on error. */
struct config *config_read(const char *file, struct text *errors);
/* Replaces one setting as a flag does (its path as in the file, lists as a whole: items joined with
 * newlines; relative paths are relative to the working directory). Bad values: a line in errors, false. */
bool config_override(struct config *c, const char *path, const char *value, struct text *errors);
/* --kubeconfig and --context (NULL: not given); a relative file is relative to the working directory. */
bool config_override_host(struct config *c, const char *kubeconfig, const char *context,
                          struct text *errors);
/* Are API servers, and how they are watched, the same? */
bool config_same_clusters(const struct config *a, const struct config *b);
/* Is the API server of a host configured? */
static inline bool config_has_host(const struct config *c)
{
	return c->kubernetes.kubeconfig != NULL || c->kubernetes.in_cluster;
}
/* Is a command of probe.imports to be run? */
static inline bool config_has_command(const struct config *c)
{
	for (size_t i = 0; i < c->probe.import_count; i++)
		if (c->probe.imports[i].command != NULL)
			return true;
	return false;
}
/* KubeFed's namespace. */
const char *config_namespace(const struct config *c);
/* What spans several settings; called once after overrides.  False with lines in errors. */
bool config_check(const struct config *c, struct text *errors);
void config_free(struct config *c);
void config_print(const struct config *c, struct text *out);
/* Names of settings that differ and need a restart, joined by ", "; empty: none. */
void config_needs_restart(const struct config *before, const struct config *after,
                          struct text *out);
void config_manual(struct text *out); /* mdoc list for nighd.8 */

#endif
