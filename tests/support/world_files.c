/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/world_inside.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* --- paths --- */

const char *world_path(const struct world *w, const char *name)
{
	struct text *path =
		(struct text *)(uintptr_t)&w->path; /* what is returned is no part of the world */

	text_reset(path);
	text_printf(path, "%s%s%s", w->dir, *name ? "/" : "", name);
	return path->data;
}

/* Makes the folders above the last slash. */
static void make_above(const char *path)
{
	char above[512];

	for (const char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		snprintf(above, sizeof(above), "%.*s", (int)(slash - path), path);
		if (mkdir(above, 0755) != 0 && errno != EEXIST)
			fail_msg("cannot make %s: %s", above, strerror(errno));
	}
}

void world_folder(struct world *w, const char *name)
{
	const char *path = world_path(w, name);

	make_above(path);
	if (mkdir(path, 0755) != 0 && errno != EEXIST)
		fail_msg("cannot make %s: %s", path, strerror(errno));
}

/* --- files --- */

static void put_file(const char *path, const char *text, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	if (fd < 0)
		fail_msg("cannot write %s: %s", path, strerror(errno));
	while (len > 0) {
		ssize_t n = write(fd, text, len);

		if (n < 0 && errno != EINTR)
			fail_msg("cannot write %s: %s", path, strerror(errno));
		text += n > 0 ? n : 0;
		len -= n > 0 ? (size_t)n : 0;
	}
	close(fd);
}

/* ".NAME.new" beside it, which no reader of manifests looks at. */
static void beside(const char *path, char out[512])
{
	const char *slash = strrchr(path, '/');

	snprintf(out, 512, "%.*s.%s.new", (int)(slash - path) + 1, path, slash + 1);
}

static void replace_file(const char *path, const char *text, size_t len)
{
	char fresh[512];

	make_above(path);
	beside(path, fresh);
	put_file(fresh, text, len);
	if (rename(fresh, path) != 0)
		fail_msg("cannot rename %s: %s", fresh, strerror(errno));
}

void world_write(struct world *w, const char *name, const char *fmt, ...)
{
	char *text = NULL;
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (len < 0)
		fail_msg("no memory");
	replace_file(world_path(w, name), text, (size_t)len);
	free(text);
}

void world_write_in_place(struct world *w, const char *name, const char *text)
{
	const char *path = world_path(w, name);

	make_above(path);
	put_file(path, text, strlen(text));
}

static void remove_tree(int parent, const char *name)
{
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *d;

	while (dir && (d = readdir(dir)) != NULL)
		if (strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0)
			remove_tree(fd, d->d_name);
	if (unlinkat(parent, name, dir ? AT_REMOVEDIR : 0) != 0)
		fail_msg("cannot remove %s: %s", name, strerror(errno));
	if (dir)
		closedir(dir);
}

void world_remove(struct world *w, const char *name) { remove_tree(AT_FDCWD, world_path(w, name)); }

void world_move(struct world *w, const char *from, const char *to)
{
	char old[512];
	const char *fresh;

	snprintf(old, sizeof(old), "%s", world_path(w, from));
	fresh = world_path(w, to);
	make_above(fresh);
	if (rename(old, fresh) != 0)
		fail_msg("cannot rename %s to %s: %s", old, fresh, strerror(errno));
}

void world_link(struct world *w, const char *target, const char *name)
{
	const char *path = world_path(w, name);
	char fresh[512];

	make_above(path);
	beside(path, fresh);
	if (symlink(target, fresh) != 0 || rename(fresh, path) != 0)
		fail_msg("cannot link %s: %s", path, strerror(errno));
}

/* --- the config --- */

/* Whether a line of the given keys begins with this one. */
static bool says(const struct world *w, const char *key)
{
	size_t len = strlen(key);

	for (const char *at = w->config.data; at; at = strchr(at, '\n')) {
		at += *at == '\n';
		if (strncmp(at, key, len) == 0 && at[len] == ':')
			return true;
	}
	return false;
}

void inside_write_config(struct world *w)
{
	bool has_networks = access(world_path(w, "networks.csv"), F_OK) == 0;

	world_write(w, "nighd.yaml", "%s%s%s%s\n",
	            says(w, "listen") ? ""
	                              : "listen: {dns: [\"127.0.0.1:0\"], http: \"127.0.0.1:0\"}\n",
	            says(w, "sources") ? "" : "sources: {manifests: [manifests]}\n",
	            says(w, "geo") || !has_networks ? "" : "geo: {networks: networks.csv}\n",
	            w->config.data ? w->config.data : "");
}

void world_config(struct world *w, const char *yaml)
{
	text_reset(&w->config);
	text_add(&w->config, yaml);
	if (w->pid)
		inside_write_config(w);
}

/* --- objects --- */

void world_cluster(struct world *w, const char *name, const char *location, const char *region,
                   const char *zone)
{
	char file[256], place[128] = "", status[256] = "";

	snprintf(file, sizeof(file), "manifests/host/cluster-%s.yaml", name);
	if (*location)
		snprintf(place, sizeof(place), "  annotations: {nigh.dev/location: \"%s\"}\n",
		         location);
	if (*region && *zone)
		snprintf(status, sizeof(status), "status: {region: %s, zones: [%s]}\n", region,
		         zone);
	else if (*region)
		snprintf(status, sizeof(status), "status: {region: %s}\n", region);
	world_write(w, file,
	            "apiVersion: core.kubefed.io/v1beta1\n"
	            "kind: KubeFedCluster\n"
	            "metadata:\n"
	            "  name: %s\n"
	            "  namespace: kube-federation-system\n"
	            "%s"
	            "spec: {apiEndpoint: \"https://%s.invalid:6443\", secretRef: {name: %s}}\n"
	            "%s",
	            name, place, name, name, status);
}

void world_domain(struct world *w, const char *name, const char *zone)
{
	char file[256];

	snprintf(file, sizeof(file), "manifests/host/domain-%s.yaml", name);
	world_write(w, file,
	            "apiVersion: multiclusterdns.kubefed.io/v1alpha1\n"
	            "kind: Domain\n"
	            "metadata: {name: %s, namespace: kube-federation-system}\n"
	            "domain: %s\n",
	            name, zone);
}

void world_service_on(struct world *w, const char *cluster, const char *name, const char *address,
                      unsigned port, bool ready, const char *annotations)
{
	bool is_ip = strspn(address, "0123456789.") == strlen(address) || strchr(address, ':');
	char file[256];

	snprintf(file, sizeof(file), "manifests/clusters/%s/service-%s.yaml", cluster, name);
	world_write(w, file,
	            "apiVersion: v1\n"
	            "kind: Service\n"
	            "metadata: {name: %s, namespace: shop, annotations: {%s}}\n"
	            "spec: {type: LoadBalancer, ports: [{name: http, port: %u, protocol: TCP}]}\n"
	            "status: {loadBalancer: {ingress: [{%s: \"%s\"}]}}\n"
	            "---\n"
	            "apiVersion: discovery.k8s.io/v1\n"
	            "kind: EndpointSlice\n"
	            "metadata: {name: %s-1, namespace: shop, labels: {kubernetes.io/service-name: "
	            "%s}}\n"
	            "addressType: IPv4\n"
	            "ports: [{name: http, port: 8080, protocol: TCP}]\n"
	            "endpoints: [{addresses: [10.1.0.4], conditions: {ready: %s}}]\n",
	            name, annotations, port, is_ip ? "ip" : "hostname", address, name, name,
	            ready ? "true" : "false");
}

void world_service(struct world *w, const char *cluster, const char *name, const char *address,
                   bool ready, const char *annotations)
{
	world_service_on(w, cluster, name, address, 80, ready, annotations);
}

void world_service_record(struct world *w, const char *name, const char *domain_ref)
{
	char file[256];

	snprintf(file, sizeof(file), "manifests/host/record-%s.yaml", name);
	world_write(w, file,
	            "apiVersion: multiclusterdns.kubefed.io/v1alpha1\n"
	            "kind: ServiceDNSRecord\n"
	            "metadata: {name: %s, namespace: shop}\n"
	            "spec: {domainRef: %s}\n",
	            name, domain_ref);
}

void world_policy(struct world *w, const char *spec)
{
	world_write(w, "manifests/host/policy.yaml",
	            "apiVersion: nigh.dev/v1alpha1\n"
	            "kind: TrafficPolicy\n"
	            "metadata: {name: web, namespace: shop}\n"
	            "spec:\n"
	            "  targetRefs:\n"
	            "  - {group: multiclusterdns.kubefed.io, kind: ServiceDNSRecord, name: web}\n"
	            "%s",
	            spec);
}

void world_endpoint(struct world *w, const char *file, const char *object, const char *dns_name,
                    const char *type, const char *target)
{
	char name[256];

	snprintf(name, sizeof(name), "manifests/host/%s", file);
	world_write(w, name,
	            "apiVersion: externaldns.k8s.io/v1alpha1\n"
	            "kind: DNSEndpoint\n"
	            "metadata: {name: %s, namespace: shop}\n"
	            "spec: {endpoints: [{dnsName: \"%s\", recordType: %s, targets: [%s]}]}\n",
	            object, dns_name, type, target);
}

/* --- a map --- */

void world_networks(struct world *w)
{
	world_write(w, "networks.csv",
	            "# network,latitude,longitude,label\n"
	            "192.0.2.0/24,42.36,-71.06,Boston\n"
	            "198.51.100.0/24,30.27,-97.74,Austin\n"
	            "203.0.113.0/24,37.77,-122.42,San Francisco\n"
	            "2001:db8:b0::/48,42.36,-71.06,Boston\n"
	            "2001:db8:a0::/48,30.27,-97.74,Austin\n"
	            "2001:db8:5f::/48,37.77,-122.42,San Francisco\n");
}

void world_three_cities(struct world *w)
{
	world_networks(w);
	world_domain(w, "fed", "example.com");
	world_cluster(w, "newyork", "40.71,-74.01", "us-east", "us-east-a");
	world_cluster(w, "houston", "29.76,-95.37", "us-south", "us-south-a");
	world_cluster(w, "losangeles", "34.05,-118.24", "us-west", "us-west-a");
	world_service(w, "newyork", "web", "198.18.1.10", true, "");
	world_service(w, "houston", "web", "198.18.2.10", true, "");
	world_service(w, "losangeles", "web", "198.18.3.10", true, "");
	world_service_record(w, "web", "fed");
}
