/* apex.c -- addresses at a zone's apex for a load balancer that is known by its host name: what others call ALIAS. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "tests/support/world.h"

#define LB "\2lb\4test" /* and the string's end as root */

enum { HEADER = 12, TYPE_A = 1, TYPE_AAAA = 28, TTL = 5, MESSAGE_ROOM = 1500 };
enum { LOOKED_UP_MS = 20000, TROUBLED_MS = 60000 };

/* --- the system's name server, for this process and its children alone --- */

struct nameserver {
	int fd;
	atomic_int last;     /* octet of lb.test's addresses */
	atomic_bool is_dead; /* it hears and says nothing */
	pthread_t thread;
};

static struct nameserver nameserver = {.last = 81};

static size_t put_answer(uint8_t *message, size_t len, unsigned type)
{
	uint8_t rdata[16] = {192, 0, 2};
	unsigned rdata_len = type == TYPE_A ? 4 : 16;

	if (type == TYPE_AAAA)
		memcpy(rdata, "\x20\1\xd\xb8", 4);
	rdata[rdata_len - 1] = (uint8_t)atomic_load(&nameserver.last);
	bytes_put16(message + len, 0xc00c);
	bytes_put16(message + len + 2, (uint16_t)type);
	bytes_put16(message + len + 4, 1);
	bytes_put32(message + len + 6, TTL);
	bytes_put16(message + len + 10, (uint16_t)rdata_len);
	memcpy(message + len + 12, rdata, rdata_len);
	return len + 12 + rdata_len;
}

static size_t answer(uint8_t *message, size_t len)
{
	size_t question = HEADER + sizeof LB + 4;
	unsigned type = len >= question ? bytes_get16(message + HEADER + sizeof LB) : 0;
	bool is_known = len >= question && memcmp(message + HEADER, LB, sizeof LB) == 0 &&
	                (type == TYPE_A || type == TYPE_AAAA);

	if (!is_known) {
		bytes_put16(message + 2, 0x8183); /* NXDOMAIN */
		return len;
	}
	memset(message + 6, 0, 6);
	bytes_put16(message + 2, 0x8180);
	bytes_put16(message + 6, 1);
	return put_answer(message, question, type);
}

static void *serve(void *arg)
{
	uint8_t message[MESSAGE_ROOM];
	struct sockaddr_in from;

	(void)arg;
	for (;;) {
		socklen_t from_len = sizeof from;
		ssize_t got = recvfrom(nameserver.fd, message, 512, 0, (struct sockaddr *)&from,
		                       &from_len);

		if (got >= HEADER && !atomic_load(&nameserver.is_dead))
			(void)sendto(nameserver.fd, message, answer(message, (size_t)got), 0,
			             (struct sockaddr *)&from, from_len);
	}
	return NULL;
}

static void raise_loopback(void)
{
	struct ifreq lo = {.ifr_name = "lo", .ifr_flags = IFF_UP};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &lo) != 0)
		fail_msg("no loopback of its own: %s", strerror(errno));
	close(fd);
}

/* A network with nothing but this name server, which /etc/resolv.conf names: it knows no other port than 53. */
static void become_system(void)
{
	static const char said[] = "nameserver 127.0.0.1\n";
	char path[] = "/tmp/nigh-resolv-XXXXXX";
	int fd = mkstemp(path);
	bool is_root = geteuid() == 0;

	if (fd < 0 || write(fd, said, sizeof said - 1) != sizeof said - 1 ||
	    unshare(CLONE_NEWNET | CLONE_NEWNS | (is_root ? 0 : CLONE_NEWUSER)) != 0 ||
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
	    mount(path, "/etc/resolv.conf", NULL, MS_BIND, NULL) != 0)
		fail_msg("no /etc/resolv.conf of its own: %s", strerror(errno));
	close(fd);
	unlink(path);
	raise_loopback();
}

static int start_nameserver(void **state)
{
	struct sockaddr_in sa = {.sin_family = AF_INET,
	                         .sin_port = htons(53),
	                         .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

	(void)state;
	become_system();
	nameserver.fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_true(nameserver.fd >= 0);
	assert_int_equal(bind(nameserver.fd, (struct sockaddr *)&sa, sizeof sa), 0);
	assert_int_equal(pthread_create(&nameserver.thread, NULL, serve, NULL), 0);
	return 0;
}

/* --- the world --- */

static void start(struct world *w)
{
	atomic_store(&nameserver.last, 81);
	atomic_store(&nameserver.is_dead, false);
	world_write(w, "example.zone",
	            "$TTL 600\n@ SOA ns1 host 7 3600 900 604800 60\n@ NS ns1\n@ MX 10 mail\n"
	            "@ TXT \"of the file\"\nns1 A 192.0.2.53\nmail A 192.0.2.25\n");
	world_cluster(w, "la", "34.05,-118.24", "", "");
	world_write(w, "manifests/clusters/la/ingress.yaml",
	            "apiVersion: networking.k8s.io/v1\nkind: Ingress\n"
	            "metadata: {name: door, namespace: shop}\nspec: {}\n"
	            "status: {loadBalancer: {ingress: [{hostname: LB.test}]}}\n");
	world_write(w, "manifests/host/record.yaml",
	            "apiVersion: multiclusterdns.kubefed.io/v1alpha1\nkind: IngressDNSRecord\n"
	            "metadata: {name: door, namespace: shop}\n"
	            "spec: {hosts: [example.com], recordTTL: 300}\n");
	world_config(w, "zones: [{name: example.com, file: example.zone}]\nstate: saved\n");
	world_start(w);
}

static void expect_zone(struct world *w, const char *a, const char *aaaa)
{
	world_expect(w, "example.com", "A", NULL, a, LOOKED_UP_MS);
	world_expect(w, "example.com", "AAAA", NULL, aaaa, LOOKED_UP_MS);
	world_expect(w, "example.com", "MX", NULL, "10 mail.example.com.", 0);
	world_expect(w, "example.com", "TXT", NULL, "\"of the file\"", 0);
	world_expect(w, "example.com", "NS", NULL, "ns1.example.com.", 0);
	assert_true(world_query(w, "example.com", "SOA", NULL).authoritative);
}

static void test_the_apex_has_the_load_balancers_addresses_beside_the_files_records(void **state)
{
	struct world *w = *state;
	struct world_answer a;

	start(w);
	expect_zone(w, "192.0.2.81", "2001:db8::51");
	a = world_query(w, "example.com", "A", NULL);
	/* As who has the host name says, not the record's 300 (RFC 1034 3.6). */
	assert_int_equal(a.ttl, TTL);
	assert_true(a.authoritative);
	assert_int_equal(world_query(w, "example.com", "MX", NULL).ttl, 600);
}

static void test_they_follow_and_stay_when_nobody_tells_them_any_more(void **state)
{
	struct world *w = *state;

	start(w);
	expect_zone(w, "192.0.2.81", "2001:db8::51");
	atomic_store(&nameserver.last, 82);
	expect_zone(w, "192.0.2.82", "2001:db8::52");
	atomic_store(&nameserver.is_dead, true);
	world_expect_http(w, "/status", "host name lb.test", TROUBLED_MS);
	world_expect_stays(w, "example.com", "A", NULL, "192.0.2.82", 1000);
	expect_zone(w, "192.0.2.82", "2001:db8::52");
	/* Nor does a restart take them. */
	world_stop(w);
	world_start(w);
	expect_zone(w, "192.0.2.82", "2001:db8::52");
	world_expect_stays(w, "example.com", "A", NULL, "192.0.2.82", 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(test_the_apex_has_the_load_balancers_addresses_beside_the_files_records),
		world_test(test_they_follow_and_stay_when_nobody_tells_them_any_more),
	};

	return cmocka_run_group_tests_name("scenario/apex", tests, start_nameserver, NULL);
}
