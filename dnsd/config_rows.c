/* config_rows.c -- the settings, a row each. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>

#include "base/log.h"
#include "dnsd/config_parts.h"
#include "dnsd/rrl.h"

enum {
	ADDRESSES_MOST = 1000, /* they fit a message */
	WORKERS_MOST = 60,     /* the handover has 64 places for readers */
	FLAPS_MOST = 16,       /* FLAP_THRESHOLD_MOST of watcher/flap.h */
	TTL_MOST = 2147483647  /* RFC 2181 8 */
};

#define MINUTE (60 * 1000ULL)
#define YEAR   (365 * 24 * 60 * MINUTE)

#define AT(field) .offset = offsetof(struct config, field)

const struct conf_row config_rows[] = {
	{.path = "listen.dns",
         .type = CONF_CUSTOM,
         AT(dns),
         .preset = "[\"127.0.0.1:5300\", \"[::1]:5300\"]",
         .custom = config_dns_read,
         .print = config_dns_print,
         .sentence = "The addresses, as A.B.C.D:PORT or [V6]:PORT, on which DNS is answered over "
                     "UDP and TCP; port 0 is the kernel's choice."},
	{.path = "listen.http",
         .type = CONF_CUSTOM,
         AT(http),
         .preset = "\"127.0.0.1:8053\"",
         .custom = config_http_read,
         .print = config_http_print,
         .sentence = "The address and port of the HTTP interface: status, metrics, explain."},
	{.path = "listen.proxyFrom",
         .type = CONF_NETWORKS,
         AT(proxy_from),
         .sentence =
                 "Networks of load balancers that set a header of the PROXY protocol, version 2, "
                 "before each DNS message over UDP, and before all else on a TCP connection, TLS "
                 "too: its client counts as the one who asks; "
                 "without a good header they get no answer; from others no header is read."},
	{.path = "listen.tls",
         .type = CONF_CUSTOM,
         AT(tls),
         .line_offset = offsetof(struct config, tls_line),
         .custom = config_tls_read,
         .print = config_tls_print,
         .sentence =
                 "DNS over TLS: a mapping with addresses, a list as listen.dns; certificate, a PEM "
                 "file with the certificate and what leads to its issuer; and key, a PEM file "
                 "with its key. The files are read again when they change, and at SIGHUP."},
	{.path = "workers",
         .type = CONF_U64,
         AT(workers),
         .preset = "0",
         .max = WORKERS_MOST,
         .sentence = "The number of threads that answer; 0 is one for every CPU that may be used."},
	{.path = "user",
         .type = CONF_STRING,
         AT(user),
         .line_offset = offsetof(struct config, user_line),
         .sentence = "Started as root, become this user when the sockets are bound; without it, "
                     "stay who started it. Files are read again as this user, and all but this one "
                     "and those of listen.tls are from the first."},
	{.path = "tcp.maxConnections",
         .type = CONF_U64,
         AT(tcp.max_connections),
         .preset = "10000",
         .min = 1,
         .max = 1000000,
         .sentence =
                 "How many connections there may be, over TCP and TLS together; for one more the "
                 "idlest is closed."},
	{.path = "tcp.maxPerNetwork",
         .type = CONF_U64,
         AT(tcp.max_per_network),
         .preset = "200",
         .min = 1,
         .max = 1000000,
         .sentence = "How many of them one client may have: an IPv4 address, or an IPv6 /56; one "
                     "more is closed. Networks of rateLimit.exempt may have all."},
	{.path = "tcp.idle",
         .type = CONF_DURATION,
         AT(tcp.idle_ms),
         .preset = "10s",
         .min = 100,
         .max = 60 * MINUTE,
         .sentence = "How long a connection may be silent; less when more than half of all are "
                     "taken, a fifth when all are."},
	{.path = "sources.manifests",
         .type = CONF_PATHS,
         AT(manifests),
         .reloadable = true,
         .sentence = "Folders that stand in for clusters: DIR/host is the host cluster, "
                     "DIR/clusters/NAME a member."},
	{.path = "sources.kubernetes",
         .type = CONF_CUSTOM,
         AT(kubernetes),
         .custom = config_kubernetes_read,
         .print = config_kubernetes_print,
         .reloadable = true,
         .sentence = "The API server of the host cluster: a mapping with kubeconfig (a file) and "
                     "context, or with inCluster: true; namespace, where KubeFedClusters, Domains "
                     "and Secrets are (kube-federation-system); allowLoopback, whether what "
                     "KubeFedClusters name may be a loopback or link-local address (false); and "
                     "edge, whether records are answered from the sites that nigh-propagator "
                     "publishes there, without a look at members (false)."},
	{.path = "sources.members",
         .type = CONF_CUSTOM,
         AT(members),
         .custom = config_members_read,
         .print = config_members_print,
         .reloadable = true,
         .sentence = "Member clusters that need no KubeFedCluster: a list of mappings with name, "
                     "kubeconfig and context, and location, region and drain."},
	{.path = "watch.silence",
         .type = CONF_DURATION,
         AT(watch.silence_ms),
         .preset = "90s",
         .min = 100,
         .max = 60 * MINUTE,
         .reloadable = true,
         .sentence = "After so long without a byte or a bookmark on a watch, the API server is "
                     "asked whether it is there."},
	{.path = "watch.reply",
         .type = CONF_DURATION,
         AT(watch.reply_ms),
         .preset = "30s",
         .min = 100,
         .max = 10 * MINUTE,
         .reloadable = true,
         .sentence = "How long an API server may take to begin an answer, and to go on with one."},
	{.path = "watch.backoff",
         .type = CONF_DURATION,
         AT(watch.backoff_ms),
         .preset = "10s",
         .max = 10 * MINUTE,
         .reloadable = true,
         .sentence = "The most that an API server that has failed is left alone; the time is "
                     "random, and doubles up to this."},
	{.path = "watch.maxObjectMiB",
         .type = CONF_U64,
         AT(watch.max_object_mib),
         .preset = "16",
         .min = 1,
         .max = 1024,
         .reloadable = true,
         .sentence = "A larger API object is passed over and named in /status; its last good state "
                     "stays."},
	{.path = "zones",
         .type = CONF_CUSTOM,
         AT(zones),
         .custom = config_zones_read,
         .print = config_zones_print,
         .reloadable = true,
         .sentence =
                 "Zones beside those of Domain objects, or of the same name to give such a zone "
                 "name servers: a list of mappings with name, nameservers, ttl, file, records, "
                 "allowQuery and transfer."},
	{.path = "identity.nsid",
         .type = CONF_CUSTOM,
         AT(identity.nsid),
         .custom = config_nsid_read,
         .print = config_identity_print,
         .reloadable = true,
         .sentence = "The text, of at most 128 bytes, that who asks for it with EDNS gets as this "
                     "server's NSID (RFC 5001); without it, nobody does."},
	{.path = "identity.hostname",
         .type = CONF_CUSTOM,
         AT(identity.hostname),
         .custom = config_hostname_read,
         .print = config_identity_print,
         .reloadable = true,
         .sentence = "What TXT of hostname.bind and id.server is in the class CHAOS, at most 255 "
                     "bytes; without it, they are REFUSED."},
	{.path = "identity.version",
         .type = CONF_CUSTOM,
         AT(identity.version),
         .custom = config_version_read,
         .print = config_identity_print,
         .reloadable = true,
         .sentence = "What TXT of version.bind and version.server is in the class CHAOS, at most "
                     "255 bytes; without it, they are REFUSED."},
	{.path = "cookies.mode",
         .type = CONF_ENUM,
         AT(cookies.mode),
         .preset = "on",
         .words = "on|off|required-for-large",
         .reloadable = true,
         .sentence = "Whether DNS cookies (RFC 7873, RFC 9018) are answered; with "
                     "required-for-large, who asks over UDP without a good one gets no answer of "
                     "more than 512 bytes: it is truncated, and asked for again over TCP."},
	{.path = "cookies.secretFile",
         .type = CONF_PATH,
         AT(cookies.secret_file),
         .line_offset = offsetof(struct config, cookies.secret_file_line),
         .reloadable = true,
         .sentence = "The file with the secrets of cookies, 32 hexadecimal digits in each line, 8 "
                     "lines at most, readable by its owner and its group alone: the first makes "
                     "cookies, all verify them. It is read again when it changes; replicas share "
                     "one. Without "
                     "it, each start has a random secret."},
	{.path = "tsig",
         .type = CONF_PATH,
         AT(tsig),
         .line_offset = offsetof(struct config, tsig_line),
         .reloadable = true,
         .sentence = "The file with the keys of transaction signatures (TSIG, RFC 8945), in BIND's "
                     "syntax, of hmac-sha256, hmac-sha384 or hmac-sha512, which not everybody may "
                     "read. Who signs with one of them gets signed answers; it is read again with "
                     "SIGHUP."},
	{.path = "ecs.from",
         .type = CONF_CUSTOM,
         AT(ecs_from),
         .preset = "any",
         .custom = config_ecs_read,
         .print = config_ecs_print,
         .reloadable = true,
         .sentence = "The networks of resolvers whose client subnets (RFC 7871) are believed, or "
                     "any; the subnets of others are answered with scope 0, as if their own "
                     "address decided. No right comes of a client subnet."},
	{.path = "geo.databases",
         .type = CONF_PATHS,
         AT(geo.databases),
         .line_offset = offsetof(struct config, geo.databases_line),
         .reloadable = true,
         .sentence = "Databases in MaxMind's format that say where clients are; the first that "
                     "knows a place counts."},
	{.path = "geo.networks",
         .type = CONF_PATH,
         AT(geo.networks),
         .line_offset = offsetof(struct config, geo.networks_line),
         .reloadable = true,
         .sentence =
                 "A CSV file, network,latitude,longitude[,label], that overrides the databases."},
	{.path = "geo.latency",
         .type = CONF_PATH,
         AT(geo.latency),
         .line_offset = offsetof(struct config, geo.latency_line),
         .reloadable = true,
         .sentence =
                 "A CSV file, network,cluster,milliseconds, for traffic policies with the stage "
                 "latency; a network's rows hold for all of it, those of the longest network "
                 "around a client count."},
	{.path = "geo.unknownOrder",
         .type = CONF_STRINGS,
         AT(geo.unknown_order),
         .reloadable = true,
         .sentence = "The clusters' order for clients without a place; clusters not named follow "
                     "by name."},
	{.path = "defaults.policy",
         .type = CONF_ENUM,
         AT(defaults.policy),
         .preset = "nearest",
         .words = "nearest|all",
         .reloadable = true,
         .sentence =
                 "Whether a client gets the nearest usable site or the union of all usable sites, "
                 "as far as it fits a message."},
	{.path = "defaults.ttl",
         .type = CONF_U64,
         AT(defaults.ttl_s),
         .preset = "30",
         .max = TTL_MOST,
         .reloadable = true,
         .sentence = "Seconds that an answer may be kept where nothing else is set."},
	{.path = "defaults.degradedTTL",
         .type = CONF_U64,
         AT(defaults.degraded_ttl_s),
         .preset = "5",
         .max = TTL_MOST,
         .reloadable = true,
         .sentence = "The most seconds for an answer of a name whose clusters are in trouble."},
	{.path = "defaults.negativeTTL",
         .type = CONF_U64,
         AT(defaults.negative_ttl_s),
         .preset = "30",
         .max = TTL_MOST,
         .reloadable = true,
         .sentence = "Seconds that the absence of a name may be kept."},
	{.path = "defaults.unseenAfter",
         .type = CONF_DURATION,
         AT(defaults.unseen_after_ms),
         .preset = "0",
         .reloadable = true,
         .max = YEAR,
         .sentence = "How long the last data of a cluster that cannot be seen are answered; 0 is "
                     "for ever."},
	{.path = "defaults.maxAddresses",
         .type = CONF_U64,
         AT(defaults.max_addresses),
         .preset = "16",
         .min = 1,
         .max = ADDRESSES_MOST,
         .reloadable = true,
         .sentence = "The most addresses of a name and type in one answer; where there are more, "
                     "other clients "
                     "are told others of them."},
	{.path = "defaults.riseAfter",
         .type = CONF_DURATION,
         AT(defaults.rise_after_ms),
         .preset = "2m",
         .max = 24 * 60 * MINUTE,
         .reloadable = true,
         .sentence = "For how long more ready endpoints must not become fewer again before the "
                     "stage capacity gives their site a larger share. 0: at once."},
	{.path = "probe.mode",
         .type = CONF_ENUM,
         AT(probe.mode),
         .preset = "unseen",
         .words = "unseen|always|off",
         .reloadable = true,
         .sentence = "Which clusters' published addresses are probed: those that cannot be seen, "
                     "all, or none."},
	{.path = "probe.interval",
         .type = CONF_DURATION,
         AT(probe.interval_ms),
         .preset = "1s",
         .min = 100,
         .max = 60 * MINUTE,
         .reloadable = true,
         .sentence = "The time from the beginning of a probe to the next."},
	{.path = "probe.timeout",
         .type = CONF_DURATION,
         AT(probe.timeout_ms),
         .preset = "1s",
         .min = 10,
         .max = MINUTE,
         .reloadable = true,
         .sentence = "The time in which a probe has to succeed."},
	{.path = "probe.down",
         .type = CONF_U64,
         AT(probe.down),
         .preset = "3",
         .min = 1,
         .max = 100,
         .reloadable = true,
         .sentence = "After so many failed probes in a row an address counts as down."},
	{.path = "probe.up",
         .type = CONF_U64,
         AT(probe.up),
         .preset = "2",
         .min = 1,
         .max = 100,
         .reloadable = true,
         .sentence = "After so many good probes in a row an address counts as up again."},
	{.path = "probe.files",
         .type = CONF_PATH,
         AT(probe.files),
         .reloadable = true,
         .sentence = "The folder of the PEM files that policies may name for their probes: "
                     "authorities, certificates and keys. They are read again when they change."},
	{.path = "probe.imports",
         .type = CONF_CUSTOM,
         AT(probe.imports),
         .custom = config_imports_read,
         .print = config_imports_print,
         .reloadable = true,
         .sentence =
                 "What others say of addresses, for policies that ask for it by name: a list of "
                 "mappings with name, and file, or command (a list of the program and its "
                 "arguments), interval (10s) and timeout (5s)."},
	{.path = "probe.flapThreshold",
         .type = CONF_U64,
         AT(probe.flap_threshold),
         .preset = "3",
         .min = 2,
         .max = FLAPS_MOST,
         .reloadable = true,
         .sentence = "From so many times on that an address, or a site, went down within "
                     "probe.flapWindow it is held down when it comes back."},
	{.path = "probe.flapWindow",
         .type = CONF_DURATION,
         AT(probe.flap_window_ms),
         .preset = "10m",
         .min = 1000,
         .max = 24 * 60 * MINUTE,
         .reloadable = true,
         .sentence =
                 "The time in which those count; each such time in which it stays up halves the "
                 "next hold."},
	{.path = "probe.flapHold",
         .type = CONF_DURATION,
         AT(probe.flap_hold_ms),
         .preset = "30s",
         .max = 24 * 60 * MINUTE,
         .reloadable = true,
         .sentence = "How long it is held down first; each further time twice as long. 0: never."},
	{.path = "probe.flapMaxHold",
         .type = CONF_DURATION,
         AT(probe.flap_most_ms),
         .preset = "10m",
         .max = 24 * 60 * MINUTE,
         .reloadable = true,
         .sentence = "How long it is held down at most."},
	{.path = "replicas.listen",
         .type = CONF_CUSTOM,
         AT(replicas.listen),
         .custom = config_replicas_listen_read,
         .print = config_replicas_listen_print,
         .sentence = "The address and port at which other replicas are heard, which vote with this "
                     "one on the addresses that are down; without it this one dials alone."},
	{.path = "replicas.name",
         .type = CONF_STRING,
         AT(replicas.name),
         .reloadable = true,
         .sentence = "What the others call this one, in /status and explain; without it the name "
                     "of its host. No two have one."},
	{.path = "replicas.peers",
         .type = CONF_CUSTOM,
         AT(replicas.peers),
         .custom = config_peers_read,
         .print = config_peers_print,
         .reloadable = true,
         .sentence = "Where the other replicas are: a list of ADDR:PORT and NAME:PORT; a name is "
                     "looked "
                     "up every few seconds as it is written, without a search list, and all its "
                     "addresses are dialled. This one may be among them."},
	{.path = "replicas.certificate",
         .type = CONF_PATH,
         AT(replicas.certificate),
         .line_offset = offsetof(struct config, replicas.line),
         .reloadable = true,
         .sentence =
                 "A PEM file with the certificate that this one shows the others, good for servers "
                 "and clients, and what leads to replicas.ca. When it has DNS names, those of the "
                 "others must have one of them. The three files are read again when they change."},
	{.path = "replicas.key",
         .type = CONF_PATH,
         AT(replicas.key),
         .reloadable = true,
         .sentence = "A PEM file with its key."},
	{.path = "replicas.ca",
         .type = CONF_PATH,
         AT(replicas.ca),
         .reloadable = true,
         .sentence = "A PEM file with the certificates of the authority that those of the replicas "
                     "lead to."},
	{.path = "publish.allow",
         .type = CONF_NETWORKS,
         AT(publish.allow),
         .reloadable = true,
         .sentence = "Networks that may be published although they are on the list of those that "
                     "never are: 0.0.0.0/8, 127.0.0.0/8, 169.254.0.0/16, 224.0.0.0/4, "
                     "255.255.255.255, ::, ::1, fe80::/10 and ff00::/8; private addresses such as "
                     "10.0.0.0/8 are published."},
	{.path = "publish.deny",
         .type = CONF_NETWORKS,
         AT(publish.deny),
         .reloadable = true,
         .sentence = "Networks whose addresses are never published."},
	{.path = "rateLimit.mode",
         .type = CONF_ENUM,
         AT(rate_limit.mode),
         .preset = "on",
         .words = "off|log-only|on",
         .reloadable = true,
         .sentence = "Whether answers over UDP to a client's network (/24, IPv6 /56) are limited, "
                     "or what would be is "
                     "only counted and logged."},
	{.path = "rateLimit.perSecond",
         .type = CONF_U64,
         AT(rate_limit.per_second),
         .preset = "200",
         .min = 1,
         .max = RRL_MOST_PER_SECOND,
         .reloadable = true,
         .sentence =
                 "The answers that a network gets in a second of each class: those of a name or a "
                 "wildcard, its absence of data, names that a zone does not have, a referral, "
                 "errors."},
	{.path = "rateLimit.slip",
         .type = CONF_U64,
         AT(rate_limit.slip),
         .preset = "2",
         .max = RRL_MOST_SLIP,
         .reloadable = true,
         .sentence = "Each so many-th answer over the limit is sent empty with TC set, so that who "
                     "is there asks "
                     "again over TCP; the others are not sent. 0: none is."},
	{.path = "rateLimit.exempt",
         .type = CONF_NETWORKS,
         AT(rate_limit.exempt),
         .preset = "[127.0.0.0/8, \"::1/128\"]",
         .reloadable = true,
         .sentence = "Networks that are counted, but never limited."},
	{.path = "guard.minNames",
         .type = CONF_U64,
         AT(guard.min_names),
         .preset = "50",
         .max = 1000000000,
         .reloadable = true,
         .sentence = "The guard against mass changes lets so many names of a zone lose their last "
                     "address within a minute."},
	{.path = "guard.maxWithdrawPercent",
         .type = CONF_U64,
         AT(guard.max_withdraw_percent),
         .preset = "20",
         .max = 100,
         .reloadable = true,
         .sentence = "It also lets so many of a hundred names go; beyond both limits it holds "
                     "them. 100 is off."},
	{.path = "guard.holdFor",
         .type = CONF_DURATION,
         AT(guard.hold_for_ms),
         .preset = "10m",
         .max = YEAR,
         .reloadable = true,
         .sentence = "How long the guard holds names; 0 is until it is released by hand."},
	{.path = "startup.patience",
         .type = CONF_DURATION,
         AT(patience_ms),
         .preset = "10s",
         .max = 24 * 60 * MINUTE,
         .reloadable = true,
         .sentence = "How long a source that cannot be read keeps a new server from being ready."},
	{.path = "state",
         .type = CONF_PATH,
         AT(state),
         .sentence = "The folder in which the last known data are kept for the next start, "
                     "writable by user; without it nothing is kept."},
	{.path = "log.level",
         .type = CONF_ENUM,
         AT(log_level),
         .preset = "info",
         .words = "error|warn|info|debug",
         .reloadable = true,
         .sentence = "How much is told on standard error."},
	{.path = "log.format",
         .type = CONF_ENUM,
         AT(log_format),
         .preset = "text",
         .words = "text|json",
         .reloadable = true,
         .sentence = "Whether a line of the log is text or a JSON object."},
};

const size_t config_row_count = sizeof(config_rows) / sizeof(config_rows[0]);

_Static_assert((int)LOG_ERROR == 0 && (int)LOG_DEBUG == 3,
               "log.level's words follow enum log_level");
_Static_assert((int)RRL_OFF == 0 && (int)RRL_LOG_ONLY == 1 && (int)RRL_ON == 2,
               "rateLimit.mode's words follow enum rrl_mode");
_Static_assert((int)LOG_FORMAT_JSON == 1, "log.format's words follow enum log_format");
