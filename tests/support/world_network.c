/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/world_network.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/xalloc.h"
#include "tests/support/world_inside.h"

enum { FRAME_MOST = 2048, MAC_LEN = 6, MAC_GROUP = 1 /* a bit of the first octet */ };
enum { LISTEN_BACKLOG = 4096 };

/* A frame that is still under way. */
struct late {
	struct late *next; /* by time */
	uint64_t due_ms;
	int to;
	size_t len;
	uint8_t frame[FRAME_MOST];
};

struct node {
	int space; /* its network namespace */
	int tap;
	char address[24]; /* "10.77.0.N", whatever a compiler thinks N can be */
	unsigned more;    /* addresses */
};

struct network {
	struct node node[NETWORK_MOST_NODES];
	int count;
	int home;
	int stop; /* an eventfd */
	pthread_t thread;
	pthread_mutex_t lock; /* around what follows */
	struct network_fault fault[NETWORK_MOST_NODES][NETWORK_MOST_NODES];
	struct network_counts counts;
	struct late *late; /* the wire's alone, as the seed */
	uint32_t seed;
};

/* --- nodes --- */

static void control(int fd, unsigned long request, void *arg, const char *what)
{
	if (ioctl(fd, request, arg) != 0)
		fail_msg("a network of its own: %s: %s", what, strerror(errno));
}

static void raise_interface(int fd, const char *name)
{
	struct ifreq r = {.ifr_flags = IFF_UP | IFF_RUNNING};

	snprintf(r.ifr_name, sizeof r.ifr_name, "%s", name);
	control(fd, SIOCSIFFLAGS, &r, "raising an interface");
}

/* `name`: eth0, or eth0:N for one more. */
static void address_interface(int fd, const char *name, const char *text)
{
	struct ifreq r = {0};
	struct sockaddr_in address = {.sin_family = AF_INET};

	snprintf(r.ifr_name, sizeof r.ifr_name, "%s", name);
	assert_int_equal(inet_pton(AF_INET, text, &address.sin_addr), 1);
	memcpy(&r.ifr_addr, &address, sizeof address);
	control(fd, SIOCSIFADDR, &r, "an address");
	assert_int_equal(inet_pton(AF_INET, "255.255.0.0", &address.sin_addr), 1);
	memcpy(&r.ifr_netmask, &address, sizeof address);
	control(fd, SIOCSIFNETMASK, &r, "a netmask");
}

/* Its hardware address ends in its number, so that the wire knows where a frame goes. */
static void number_interface(int fd, int number)
{
	struct ifreq r = {.ifr_name = "eth0"};

	r.ifr_hwaddr.sa_family = ARPHRD_ETHER;
	r.ifr_hwaddr.sa_data[0] = 2; /* of our own making */
	r.ifr_hwaddr.sa_data[MAC_LEN - 1] = (char)number;
	control(fd, SIOCSIFHWADDR, &r, "a hardware address");
}

static int open_tap(void)
{
	struct ifreq r = {.ifr_name = "eth0", .ifr_flags = IFF_TAP | IFF_NO_PI};
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		fail_msg("a network of its own: /dev/net/tun: %s", strerror(errno));
	control(fd, TUNSETIFF, &r, "an interface");
	return fd;
}

static int this_namespace(void)
{
	int fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		fail_msg("a network of its own: %s", strerror(errno));
	return fd;
}

static void make_node(struct node *node, int number)
{
	int fd;

	if (unshare(CLONE_NEWNET) != 0)
		fail_msg("a network of its own: %s", strerror(errno));
	node->space = this_namespace();
	node->tap = open_tap();
	snprintf(node->address, sizeof node->address, "10.77.0.%d", number + 1);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	raise_interface(fd, "lo");
	number_interface(fd, number);
	address_interface(fd, "eth0", node->address);
	raise_interface(fd, "eth0");
	close(fd);
}

void network_enter(struct network *n, int node)
{
	int space = node == NETWORK_OUTSIDE ? n->home : n->node[node].space;

	if (setns(space, CLONE_NEWNET) != 0)
		fail_msg("a network of its own: %s", strerror(errno));
}

void network_add_address(struct network *n, int node, const char *address)
{
	char name[IFNAMSIZ];
	int fd;

	network_enter(n, node);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	snprintf(name, sizeof name, "eth0:%u", ++n->node[node].more % 100);
	address_interface(fd, name, address);
	close(fd);
	network_enter(n, NETWORK_OUTSIDE);
}

const char *network_address(const struct network *n, int node) { return n->node[node].address; }

int network_listen(struct network *n, int node, uint16_t port)
{
	struct sockaddr_in local = {.sin_family = AF_INET, .sin_port = htons(port)};
	int on = 1, fd;

	network_enter(n, node);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	assert_int_equal(inet_pton(AF_INET, network_address(n, node), &local.sin_addr), 1);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	assert_int_equal(bind(fd, (void *)&local, sizeof local), 0);
	assert_int_equal(listen(fd, LISTEN_BACKLOG), 0);
	network_enter(n, NETWORK_OUTSIDE);
	return fd;
}

/* --- the wire --- */

static bool happens(struct network *n, unsigned permille)
{
	n->seed ^= n->seed << 13;
	n->seed ^= n->seed >> 17;
	n->seed ^= n->seed << 5;
	return n->seed % 1000 < permille;
}

/* A tap whose queue is full loses frames as any wire does. */
static void deliver(struct network *n, int to, const uint8_t *frame, size_t len)
{
	if (write(n->node[to].tap, frame, len) < 0 && errno != EAGAIN && errno != ENOBUFS)
		perror("network");
}

static void delay(struct network *n, int to, const uint8_t *frame, size_t len, unsigned ms)
{
	struct late *l = xcalloc(1, sizeof *l), **at = &n->late;

	l->due_ms = inside_now_ms() + ms;
	l->to = to;
	l->len = len;
	memcpy(l->frame, frame, len);
	while (*at != NULL && (*at)->due_ms <= l->due_ms)
		at = &(*at)->next;
	l->next = *at;
	*at = l;
}

static void carry(struct network *n, int from, int to, const uint8_t *frame, size_t len)
{
	struct network_fault f;
	bool lost, twice;

	pthread_mutex_lock(&n->lock);
	f = n->fault[from][to];
	lost = f.cut || happens(n, f.lost_permille);
	twice = !lost && happens(n, f.doubled_permille);
	n->counts.carried += !lost;
	n->counts.lost += lost;
	n->counts.doubled += twice;
	pthread_mutex_unlock(&n->lock);
	for (int i = 0; !lost && i <= twice; i++) {
		if (f.late_ms > 0)
			delay(n, to, frame, len, f.late_ms);
		else
			deliver(n, to, frame, len);
	}
}

static void read_from(struct network *n, int from)
{
	uint8_t frame[FRAME_MOST];
	ssize_t len;

	while ((len = read(n->node[from].tap, frame, sizeof frame)) > MAC_LEN) {
		int to = frame[MAC_LEN - 1];

		if ((frame[0] & MAC_GROUP) == 0) {
			if (to < n->count && to != from)
				carry(n, from, to, frame, (size_t)len);
			continue;
		}
		for (to = 0; to < n->count; to++)
			if (to != from)
				carry(n, from, to, frame, (size_t)len);
	}
}

/* How long the wire may sleep. */
static int deliver_due(struct network *n)
{
	uint64_t now = inside_now_ms();

	while (n->late != NULL && n->late->due_ms <= now) {
		struct late *l = n->late;

		n->late = l->next;
		deliver(n, l->to, l->frame, l->len);
		free(l);
	}
	return n->late != NULL ? (int)(n->late->due_ms - now) : -1;
}

static void *run_wire(void *arg)
{
	struct network *n = arg;
	struct pollfd fds[NETWORK_MOST_NODES + 1];

	for (int i = 0; i < n->count; i++)
		fds[i] = (struct pollfd){.fd = n->node[i].tap, .events = POLLIN};
	fds[n->count] = (struct pollfd){.fd = n->stop, .events = POLLIN};
	for (;;) {
		int ready = poll(fds, (nfds_t)n->count + 1, deliver_due(n));

		if (ready < 0 && errno != EINTR)
			abort();
		if (ready <= 0)
			continue;
		if (fds[n->count].revents != 0)
			return NULL;
		for (int i = 0; i < n->count; i++)
			if (fds[i].revents & POLLIN)
				read_from(n, i);
	}
}

void network_set(struct network *n, int from, int to, const struct network_fault *fault)
{
	pthread_mutex_lock(&n->lock);
	for (int i = 0; i < n->count; i++)
		for (int j = 0; j < n->count; j++)
			if ((from == NETWORK_ALL || from == i) && (to == NETWORK_ALL || to == j))
				n->fault[i][j] = *fault;
	pthread_mutex_unlock(&n->lock);
}

void network_set_pair(struct network *n, int a, int b, const struct network_fault *fault)
{
	network_set(n, a, b, fault);
	network_set(n, b, a, fault);
}

struct network_counts network_counts(struct network *n)
{
	struct network_counts counts;

	pthread_mutex_lock(&n->lock);
	counts = n->counts;
	pthread_mutex_unlock(&n->lock);
	return counts;
}

/* --- life --- */

struct network *network_new(int nodes)
{
	struct network *n = xcalloc(1, sizeof *n);

	assert_true(nodes <= NETWORK_MOST_NODES);
	if (geteuid() != 0 && unshare(CLONE_NEWUSER) != 0)
		fail_msg("a network of its own: %s", strerror(errno));
	n->count = nodes;
	n->seed = 2463534242U;
	n->home = this_namespace();
	for (int i = 0; i < nodes; i++)
		make_node(&n->node[i], i);
	network_enter(n, NETWORK_OUTSIDE);
	n->stop = eventfd(0, EFD_CLOEXEC);
	assert_true(n->stop >= 0);
	assert_int_equal(pthread_mutex_init(&n->lock, NULL), 0);
	assert_int_equal(pthread_create(&n->thread, NULL, run_wire, n), 0);
	return n;
}

void network_free(struct network *n)
{
	uint64_t one = 1;

	if (n == NULL)
		return;
	network_enter(n, NETWORK_OUTSIDE);
	assert_int_equal(write(n->stop, &one, sizeof one), sizeof one);
	pthread_join(n->thread, NULL);
	while (n->late != NULL) {
		struct late *l = n->late;

		n->late = l->next;
		free(l);
	}
	for (int i = 0; i < n->count; i++) {
		close(n->node[i].tap);
		close(n->node[i].space);
	}
	close(n->stop);
	close(n->home);
	pthread_mutex_destroy(&n->lock);
	free(n);
}
