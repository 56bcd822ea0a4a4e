/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/xalloc.h"
#include "tests/support/watcher_authority.h"
#include "watcher/peers.h"
#include "watcher/peers_link.h"

enum { PATIENCE_MS = 20000, DAY_S = 86400, MOST = 4, MANY = 100000 };

struct replica {
	struct vote *vote;
	struct peers *peers;
	unsigned changes;
};

struct world {
	uv_loop_t loop;
	char dir[64];
	struct authority *authority;
	struct replica replica[MOST];
	unsigned stopping;
};

static void run(struct world *w)
{
	uv_run(&w->loop, UV_RUN_NOWAIT);
	usleep(500);
}

#define run_until(w, condition)                                                                    \
	for (uint64_t end_ = clock_monotonic_ms() + PATIENCE_MS; !(condition); run(w))             \
	assert_true(clock_monotonic_ms() < end_)

static void run_for(struct world *w, uint64_t ms)
{
	for (uint64_t end = clock_monotonic_ms() + ms; clock_monotonic_ms() < end;)
		run(w);
}

static int setup(void **state)
{
	struct world *w = xcalloc(1, sizeof *w);

	snprintf(w->dir, sizeof w->dir, "/tmp/nigh-peers-XXXXXX");
	assert_non_null(mkdtemp(w->dir));
	assert_int_equal(uv_loop_init(&w->loop), 0);
	w->authority = authority_new(w->dir);
	authority_issue_named(w->authority, "nighd", "replica.nigh", DAY_S);
	*state = w;
	return 0;
}

static void on_stopped(void *arg) { ((struct world *)arg)->stopping--; }

static void stop(struct world *w, unsigned i)
{
	struct replica *r = &w->replica[i];

	if (r->peers == NULL)
		return;
	w->stopping++;
	peers_stop(r->peers, on_stopped, w);
	run_until(w, w->stopping == 0);
	vote_free(r->vote);
	*r = (struct replica){0};
}

static int teardown(void **state)
{
	struct world *w = *state;
	char command[128];

	for (unsigned i = 0; i < MOST; i++)
		stop(w, i);
	uv_run(&w->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&w->loop), 0);
	authority_free(w->authority);
	snprintf(command, sizeof command, "rm -rf %s", w->dir);
	assert_int_equal(system(command), 0);
	free(w);
	return 0;
}

static void on_change(void *arg) { ((struct replica *)arg)->changes++; }

static const struct addr LOOPBACK = {ADDR_IPV4, {127, 0, 0, 1}};

/* A replica by that name and those files, which dials the ports (ends with 0). */
static struct peers *start_named(struct world *w, unsigned i, const char *name, const char *files,
                                 const char *ca, const uint16_t *ports)
{
	struct replica *r = &w->replica[i];
	char path[3][128];
	struct peers_place places[MOST];
	struct peers_settings s = {.addr = LOOPBACK, .places = places, .name = name};
	struct peers_events events = {on_change, r};
	struct reason why = {0};

	snprintf(path[0], sizeof path[0], "%s/%s.crt", w->dir, files);
	snprintf(path[1], sizeof path[1], "%s/%s.key", w->dir, files);
	snprintf(path[2], sizeof path[2], "%s/%s.crt", w->dir, ca);
	s.certificate = path[0];
	s.key = path[1];
	s.ca = path[2];
	for (; ports != NULL && ports[s.place_count] != 0; s.place_count++)
		places[s.place_count] = (struct peers_place){LOOPBACK, ports[s.place_count], NULL};
	/* Each its own, as nighd's are random: in the order of one table nothing is put into another quickly. */
	r->vote = vote_new(&(struct hash_key){i, 6});
	assert_int_equal(peers_new(&w->loop, &s, r->vote, &events, &r->peers, &why), ERR_OK);
	peers_tell_reach(r->peers, true);
	return r->peers;
}

static struct peers *start_with(struct world *w, unsigned i, const char *files, const char *ca,
                                const uint16_t *ports)
{
	char name[8];

	snprintf(name, sizeof name, "r%u", i);
	return start_named(w, i, name, files, ca, ports);
}

static uint16_t start(struct world *w, unsigned i, const uint16_t *ports)
{
	return peers_port(start_with(w, i, "nighd", "ca", ports));
}

static size_t heard_by(const struct world *w, unsigned i)
{
	struct peers_info info[VOTE_MOST_REPLICAS];
	const struct replica *r = &w->replica[i];
	size_t heard = 0;

	for (size_t n = 0, count = peers_list(r->peers, info); n < count; n++)
		heard += info[n].is_connected && vote_heard_ms(r->vote, info[n].number) != 0;
	return heard;
}

/* By what all others together say: none says the same as another here. */
static size_t down_at(const struct world *w, unsigned i)
{
	size_t down = 0;

	for (unsigned n = 0; n < VOTE_MOST_REPLICAS; n++)
		down += vote_tally(w->replica[i].vote, n).down;
	return down;
}

static const struct vote_key HOUSTON = {1, 2};

/* --- replicas among themselves --- */

static void test_what_one_sees_the_others_hear(void **state)
{
	struct world *w = *state;
	uint16_t ports[3] = {start(w, 0, NULL), 0, 0};

	ports[1] = start(w, 1, ports);
	(void)start(w, 2, ports);
	run_until(w, heard_by(w, 2) == 2 && heard_by(w, 0) >= 1 && heard_by(w, 1) == 2);
	assert_true(peers_tell(w->replica[0].peers, &HOUSTON, VOTE_DOWN));
	run_until(w, down_at(w, 1) == 1 && down_at(w, 2) == 1);
	assert_true(peers_tell(w->replica[0].peers, &HOUSTON, VOTE_UP));
	run_until(w, down_at(w, 1) == 0 && down_at(w, 2) == 0);
	assert_true(w->replica[1].changes > 0);
}

static void test_who_comes_later_hears_all(void **state)
{
	struct world *w = *state;
	uint16_t ports[2] = {start(w, 0, NULL), 0};
	struct vote_key key = {0, 9};
	uint64_t begun_ms;

	for (key.a = 0; key.a < MANY; key.a++)
		assert_true(peers_tell(w->replica[0].peers, &key, VOTE_DOWN));
	assert_false(peers_tell(w->replica[0].peers, &key, VOTE_DOWN));
	begun_ms = clock_monotonic_ms();
	(void)start(w, 1, ports);
	run_until(w, down_at(w, 1) == MANY);
	printf("  %d addresses told in %llu ms, the handshake with it\n", MANY,
	       (unsigned long long)(clock_monotonic_ms() - begun_ms));
	/* A beat each second keeps it heard. */
	run_for(w, 1500);
	assert_true(vote_voters(w->replica[1].vote) == 3);
}

static size_t count_of_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	size_t count = 0;

	assert_non_null(dir);
	while (readdir(dir) != NULL)
		count++;
	closedir(dir);
	return count;
}

static void test_of_two_connections_one_is_kept(void **state)
{
	struct world *w = *state;
	uint16_t ports[3] = {start(w, 0, NULL), 0, 0};
	struct peers_place places[2];
	struct peers_settings s = {
		.addr = LOOPBACK, .places = places, .place_count = 2, .name = "r0"};
	char path[3][128];
	struct reason why = {0};
	size_t before;

	ports[1] = start(w, 1, ports);
	before = count_of_descriptors();
	snprintf(path[0], sizeof path[0], "%s/nighd.crt", w->dir);
	snprintf(path[1], sizeof path[1], "%s/nighd.key", w->dir);
	snprintf(path[2], sizeof path[2], "%s/ca.crt", w->dir);
	s.certificate = path[0];
	s.key = path[1];
	s.ca = path[2];
	/* Itself is among them. */
	for (size_t i = 0; i < 2; i++)
		places[i] = (struct peers_place){LOOPBACK, ports[i], NULL};
	assert_int_equal(peers_configure(w->replica[0].peers, &s, &why), ERR_OK);
	run_until(w, heard_by(w, 0) == 1 && heard_by(w, 1) == 1);
	run_for(w, 1500);
	assert_int_equal(count_of_descriptors(), before + 2); /* both ends are here */
	assert_int_equal(heard_by(w, 0), 1);
	assert_int_equal(heard_by(w, 1), 1);
	assert_true(peers_tell(w->replica[0].peers, &HOUSTON, VOTE_DOWN));
	run_until(w, down_at(w, 1) == 1);
}

/* Where the machine's resolver finds them, as it does the pods of a headless Service. */
static void test_replicas_are_found_by_a_name(void **state)
{
	struct world *w = *state;
	char path[3][128];
	struct peers_place place = {.host = "localhost", .port = start(w, 0, NULL)};
	struct peers_settings s = {
		.addr = LOOPBACK, .places = &place, .place_count = 1, .name = "r1"};
	struct reason why = {0};

	(void)start(w, 1, NULL);
	snprintf(path[0], sizeof path[0], "%s/nighd.crt", w->dir);
	snprintf(path[1], sizeof path[1], "%s/nighd.key", w->dir);
	snprintf(path[2], sizeof path[2], "%s/ca.crt", w->dir);
	s.certificate = path[0];
	s.key = path[1];
	s.ca = path[2];
	assert_int_equal(heard_by(w, 0), 0);
	assert_int_equal(peers_configure(w->replica[1].peers, &s, &why), ERR_OK);
	run_until(w, heard_by(w, 0) == 1 && heard_by(w, 1) == 1);
	assert_true(peers_tell(w->replica[0].peers, &HOUSTON, VOTE_DOWN));
	run_until(w, down_at(w, 1) == 1);
}

static void test_who_ends_is_not_waited_for(void **state)
{
	struct world *w = *state;
	uint16_t ports[2] = {start(w, 0, NULL), 0};
	uint64_t begun_ms;

	(void)start(w, 1, ports);
	run_until(w, heard_by(w, 0) == 1 && heard_by(w, 1) == 1);
	assert_int_equal(vote_voters(w->replica[0].vote), 3);
	begun_ms = clock_monotonic_ms();
	stop(w, 1);
	run_until(w, vote_voters(w->replica[0].vote) == 1);
	assert_true(clock_monotonic_ms() - begun_ms < VOTE_HEARD_MS);
}

static unsigned voters_at(const struct world *w, unsigned i)
{
	return (unsigned)__builtin_popcountll(vote_voters(w->replica[i].vote));
}

/* As when a config was copied. */
static void test_two_of_one_name_have_one_vote(void **state)
{
	struct world *w = *state;
	uint16_t ports[3] = {start(w, 0, NULL), 0, 0};
	uint64_t end_ms;

	ports[1] = peers_port(start_named(w, 1, "twin", "nighd", "ca", ports));
	run_until(w, heard_by(w, 0) == 1 && voters_at(w, 0) == 2);
	(void)start_named(w, 2, "twin", "nighd", "ca", ports);
	run_until(w, heard_by(w, 0) == 2 && heard_by(w, 1) == 2 && heard_by(w, 2) == 2);
	end_ms = clock_monotonic_ms() + 2500;
	while (clock_monotonic_ms() < end_ms) {
		run(w);
		assert_true(voters_at(w, 0) <= 2);
	}
	/* To each of the two the other one is itself. */
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(voters_at(w, i), 2);
		assert_int_equal(peers_counts(w->replica[i].peers).doubles, 1);
	}
	/* Who is left has it. */
	stop(w, 1);
	run_until(w, peers_counts(w->replica[0].peers).doubles == 0 && voters_at(w, 0) == 2);
	run_until(w, voters_at(w, 2) == 2);
}

static void test_whether_sites_are_reached_is_told(void **state)
{
	struct world *w = *state;
	uint16_t ports[2] = {start(w, 0, NULL), 0};

	(void)start(w, 1, ports);
	run_until(w, vote_voters(w->replica[0].vote) == 3);
	peers_tell_reach(w->replica[1].peers, false);
	run_until(w, vote_voters(w->replica[0].vote) == 1);
	peers_tell_reach(w->replica[1].peers, true);
	run_until(w, vote_voters(w->replica[0].vote) == 3);
}

/* --- who may be one --- */

/* By 0, more often than that, and neither hears the other. */
static void expect_refused(struct world *w, uint64_t before)
{
	run_until(w, peers_counts(w->replica[0].peers).refused > before);
	assert_int_equal(heard_by(w, 0) + heard_by(w, 1), 0);
}

static void test_a_certificate_of_another_authority_is_refused(void **state)
{
	struct world *w = *state;
	char other[96];
	struct authority *a;
	uint16_t ports[2] = {start(w, 0, NULL), 0};

	snprintf(other, sizeof other, "%s/other", w->dir);
	assert_int_equal(mkdir(other, 0700), 0);
	a = authority_new(other);
	authority_issue_named(a, "nighd", "replica.nigh", DAY_S);
	authority_free(a);
	/* It would trust; it is not trusted. */
	(void)start_with(w, 1, "other/nighd", "ca", ports);
	expect_refused(w, 0);
	stop(w, 1);
	/* It is trusted; it does not trust. */
	(void)start_with(w, 1, "nighd", "other/ca", ports);
	expect_refused(w, 1);
}

static void test_a_certificate_of_another_name_is_refused(void **state)
{
	struct world *w = *state;
	uint16_t ports[2] = {start(w, 0, NULL), 0};

	authority_issue_named(w->authority, "web", "web.shop", DAY_S);
	(void)start_with(w, 1, "web", "ca", ports);
	expect_refused(w, 0);
}

static void test_a_certificate_that_has_ended_is_refused(void **state)
{
	struct world *w = *state;
	uint16_t ports[2] = {start(w, 0, NULL), 0};

	authority_issue_named(w->authority, "old", "replica.nigh", -60);
	(void)start_with(w, 1, "old", "ca", ports);
	expect_refused(w, 0);
}

static void test_files_are_read_again_when_they_change(void **state)
{
	struct world *w = *state;
	uint16_t ports[2] = {start(w, 0, NULL), 0};

	authority_issue_named(w->authority, "late", "web.shop", DAY_S);
	(void)start_with(w, 1, "late", "ca", ports);
	run_until(w, peers_counts(w->replica[0].peers).refused > 0);
	authority_issue_named(w->authority, "late", "replica.nigh", DAY_S);
	run_until(w, heard_by(w, 0) == 1 && heard_by(w, 1) == 1);
	assert_null(peers_error(w->replica[1].peers));
	authority_key(w->authority, "late");
	run_until(w, peers_error(w->replica[1].peers) != NULL);
	assert_non_null(strstr(peers_error(w->replica[1].peers), "late.key"));
	assert_int_equal(heard_by(w, 0), 1);
}

static void test_files_that_do_not_fit_are_said_so(void **state)
{
	struct world *w = *state;
	char file[128], key[128], ca[128];
	struct peers_tls *tls;
	struct reason why = {0};

	snprintf(file, sizeof file, "%s/nighd.crt", w->dir);
	snprintf(key, sizeof key, "%s/nighd.key", w->dir);
	snprintf(ca, sizeof ca, "%s/none.crt", w->dir);
	assert_int_equal(peers_tls_new(file, key, ca, &tls, &why), ERR_PARSE);
	assert_non_null(strstr(why.text, "none.crt"));
	assert_int_equal(peers_tls_new(key, key, file, &tls, &why), ERR_PARSE);
	assert_non_null(strstr(why.text, "nighd.key"));
	authority_key(w->authority, "nighd");
	assert_int_equal(peers_tls_new(file, key, file, &tls, &why), ERR_PARSE);
	assert_non_null(strstr(why.text, "it is not the key of"));
}

/* --- strangers, and replicas that have gone mad --- */

static int connect_to(uint16_t port)
{
	struct sockaddr_in at = {.sin_family = AF_INET,
	                         .sin_port = htons(port),
	                         .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof at), 0);
	return fd;
}

static void test_garbage_is_dropped(void **state)
{
	static const char garbage[] = "GET / HTTP/1.1\r\nHost: nigh\r\n\r\n";
	struct world *w = *state;
	uint16_t port = start(w, 0, NULL);
	int fd = connect_to(port);

	assert_true(write(fd, garbage, sizeof garbage - 1) > 0);
	run_until(w, peers_counts(w->replica[0].peers).refused == 1);
	close(fd);
}

static void test_many_that_say_nothing_keep_nobody_out(void **state)
{
	enum { SILENT = 100 };
	struct world *w = *state;
	uint16_t ports[2] = {start(w, 0, NULL), 0};
	int fd[SILENT];

	for (size_t i = 0; i < SILENT; i++) {
		fd[i] = connect_to(ports[0]);
		run(w);
	}
	assert_true(peers_counts(w->replica[0].peers).refused >= SILENT - 64);
	(void)start(w, 1, ports);
	run_until(w, heard_by(w, 0) == 1);
	for (size_t i = 0; i < SILENT; i++)
		close(fd[i]);
}

/* A connection with a good certificate, on which anything can be said. */
struct mad {
	struct world *world;
	struct peers_tls *tls;
	struct peers_link *link;
	bool is_open, is_closed, was_asked;
	unsigned views;
};

static void mad_opened(struct peers_link *l, void *arg)
{
	(void)l;
	((struct mad *)arg)->is_open = true;
}

static void mad_heard(struct peers_link *l, const struct peers_message *m, void *arg)
{
	struct mad *mad = arg;

	(void)l;
	mad->was_asked |= m->kind == PEERS_ASK;
	mad->views += m->kind == PEERS_VIEW;
}

static void mad_closed(struct peers_link *l, const char *why, void *arg)
{
	(void)l;
	(void)why;
	((struct mad *)arg)->is_closed = true;
}

static struct mad *mad_new_with(struct world *w, uint16_t port, const char *files)
{
	struct mad *mad = xcalloc(1, sizeof *mad);
	struct peers_link_events events = {mad_opened, mad_heard, mad_closed, mad};
	char file[128], key[128], ca[128];
	struct reason why = {0};

	mad->world = w;
	snprintf(file, sizeof file, "%s/%s.crt", w->dir, files);
	snprintf(key, sizeof key, "%s/%s.key", w->dir, files);
	snprintf(ca, sizeof ca, "%s/ca.crt", w->dir);
	assert_int_equal(peers_tls_new(file, key, ca, &mad->tls, &why), ERR_OK);
	mad->link = peers_link_dial(&w->loop, mad->tls, &LOOPBACK, port, &events);
	run_until(w, mad->is_open);
	return mad;
}

static struct mad *mad_new(struct world *w, uint16_t port)
{
	return mad_new_with(w, port, "nighd");
}

static void mad_free(struct mad *mad)
{
	if (!mad->is_closed)
		peers_link_close(mad->link);
	run_until(mad->world, mad->is_closed);
	peers_tls_free(mad->tls);
	free(mad);
}

static void say(struct mad *mad, struct peers_message m) { peers_link_send(mad->link, &m); }

static void say_hello(struct mad *mad, uint8_t id)
{
	say(mad, (struct peers_message){.kind = PEERS_HELLO, .id = {id}, .name = bytes_of("mad")});
}

static void test_who_does_not_say_hello_is_dropped(void **state)
{
	struct world *w = *state;
	struct mad *mad = mad_new(w, start(w, 0, NULL));

	say(mad, (struct peers_message){.kind = PEERS_BEAT, .reaches = true});
	run_until(w, mad->is_closed);
	assert_int_equal(peers_counts(w->replica[0].peers).dropped, 1);
	mad_free(mad);
}

static void test_who_says_hello_twice_is_dropped(void **state)
{
	struct world *w = *state;
	struct mad *mad = mad_new(w, start(w, 0, NULL));

	say_hello(mad, 1);
	say_hello(mad, 2);
	run_until(w, mad->is_closed);
	mad_free(mad);
}

static void say_hello_as(struct mad *mad, const struct peers *other, const char *name)
{
	struct peers_message m = {.kind = PEERS_HELLO, .name = bytes_of(name)};

	memcpy(m.id, peers_id(other), PEERS_ID);
	say(mad, m);
}

static void test_who_claims_to_be_another_takes_nobodys_place(void **state)
{
	static const struct {
		const char *files, *name;
	} claims[] = {{"other", "r1"}, {"nighd", "r2"}};
	struct world *w = *state;
	uint16_t ports[2] = {start(w, 0, NULL), 0};

	authority_issue_named(w->authority, "other", "replica.nigh", DAY_S);
	(void)start(w, 1, ports);
	run_until(w, heard_by(w, 0) == 1 && voters_at(w, 0) == 2);
	for (size_t i = 0; i < 2; i++) {
		struct mad *mad = mad_new_with(w, ports[0], claims[i].files);

		say_hello_as(mad, w->replica[1].peers, claims[i].name);
		run_until(w, mad->is_closed);
		assert_int_equal(peers_counts(w->replica[0].peers).claims, i + 1);
		assert_int_equal(heard_by(w, 0), 1);
		mad_free(mad);
	}
	assert_true(peers_tell(w->replica[1].peers, &HOUSTON, VOTE_DOWN));
	run_until(w, down_at(w, 0) == 1);
}

/* Nothing is left of what was begun (with sanitizers), and nothing has changed. */
static void test_settings_that_cannot_be_taken_up_change_nothing(void **state)
{
	struct world *w = *state;
	uint16_t ports[2] = {start(w, 0, NULL), 0};
	struct peers_place place = {.host = "localhost", .port = 1};
	char path[3][128];
	struct peers_settings s = {.addr = LOOPBACK,
	                           .places = &place,
	                           .place_count = 1,
	                           .name = "other",
	                           .certificate = path[0],
	                           .key = path[1],
	                           .ca = path[2]};
	struct peers *p = w->replica[0].peers, *none = p;
	struct reason why = {0};

	snprintf(path[0], sizeof path[0], "%s/nighd.crt", w->dir);
	snprintf(path[1], sizeof path[1], "%s/nighd.key", w->dir);
	for (size_t i = 0; i < 3; i++) {
		snprintf(path[2], sizeof path[2], "%s/%s", w->dir, i == 1 ? "nighd.key" : "none");
		assert_int_equal(peers_configure(p, &s, &why), ERR_PARSE);
	}
	/* All can be had but the address. */
	snprintf(path[2], sizeof path[2], "%s/ca.crt", w->dir);
	s.addr = (struct addr){ADDR_IPV4, {192, 0, 2, 1}};
	assert_int_equal(
		peers_new(&w->loop, &s, w->replica[0].vote, &(struct peers_events){0}, &none, &why),
		ERR_IO);
	assert_null(none);
	(void)start(w, 1, ports);
	run_until(w, heard_by(w, 0) == 1 && heard_by(w, 1) == 1);
}

static void test_a_gap_leads_to_a_whole_view(void **state)
{
	struct world *w = *state;
	struct mad *mad = mad_new(w, start(w, 0, NULL));
	struct buffer entries = {0};

	say_hello(mad, 1);
	say(mad, (struct peers_message){.kind = PEERS_BEAT, .to = 7, .reaches = true});
	run_until(w, mad->was_asked);
	/* Until it is whole it is no vote. */
	assert_int_equal(vote_voters(w->replica[0].vote), 1);
	peers_entry_put(&entries, &HOUSTON, VOTE_DOWN);
	say(mad, (struct peers_message){.kind = PEERS_VIEW,
	                                .to = 7,
	                                .reaches = true,
	                                .entries = {entries.data, entries.len}});
	run_until(w, vote_voters(w->replica[0].vote) == 3);
	assert_int_equal(down_at(w, 0), 1);
	mad->was_asked = false;
	say(mad, (struct peers_message){.kind = PEERS_CHANGES,
	                                .from = 8,
	                                .to = 9,
	                                .reaches = true,
	                                .entries = {entries.data, entries.len}});
	run_until(w, mad->was_asked);
	/* And an older one than that is not taken. */
	say(mad, (struct peers_message){.kind = PEERS_VIEW, .to = 6, .reaches = false});
	run_for(w, 100);
	assert_int_equal(down_at(w, 0), 1);
	buffer_fini(&entries);
	mad_free(mad);
}

static void test_who_sees_too_much_fills_nothing(void **state)
{
	struct world *w = *state;
	struct mad *mad = mad_new(w, start(w, 0, NULL));
	struct buffer entries = {0};

	say_hello(mad, 1);
	for (unsigned round = 0; round < 3; round++) {
		buffer_reset(&entries);
		for (uint64_t i = 0; i < MANY / 2; i++)
			peers_entry_put(&entries, &(struct vote_key){i, round}, VOTE_UP);
		say(mad, (struct peers_message){.kind = round == 0 ? PEERS_VIEW : PEERS_CHANGES,
		                                .from = round,
		                                .to = round + 1,
		                                .reaches = true,
		                                .entries = {entries.data, entries.len}});
	}
	run_until(w, peers_counts(w->replica[0].peers).untaken == MANY / 2);
	buffer_fini(&entries);
	mad_free(mad);
}

static void test_who_says_too_much_is_dropped(void **state)
{
	struct world *w = *state;
	struct mad *mad = mad_new(w, start(w, 0, NULL));
	struct buffer entries = {0};

	say_hello(mad, 1);
	/* That nothing is known of them costs the one that hears it least, so that a slow machine hears too much, too. */
	for (uint64_t i = 0; i < MANY; i++)
		peers_entry_put(&entries, &(struct vote_key){i, 0}, VOTE_UNKNOWN);
	for (uint64_t end_ms = clock_monotonic_ms() + PATIENCE_MS; !mad->is_closed; run(w)) {
		assert_true(clock_monotonic_ms() < end_ms);
		if (!peers_link_is_closing(mad->link) && !peers_link_is_busy(mad->link))
			say(mad, (struct peers_message){.kind = PEERS_VIEW,
			                                .to = 1,
			                                .reaches = true,
			                                .entries = {entries.data, entries.len}});
	}
	assert_true(peers_counts(w->replica[0].peers).dropped > 0);
	buffer_fini(&entries);
	mad_free(mad);
}

static void flood(struct world *w, struct mad *mad, struct peers_message m)
{
	say_hello(mad, 1);
	for (uint64_t end_ms = clock_monotonic_ms() + PATIENCE_MS; !mad->is_closed; run(w)) {
		assert_true(clock_monotonic_ms() < end_ms);
		for (int i = 0; i < 100 && !peers_link_is_closing(mad->link); i++)
			say(mad, m);
	}
	assert_int_equal(peers_counts(w->replica[0].peers).dropped, 1);
	assert_true(peers_counts(w->replica[0].peers).received < 2000);
	mad_free(mad);
}

static void test_a_flood_of_views_is_dropped(void **state)
{
	struct world *w = *state;

	flood(w, mad_new(w, start(w, 0, NULL)), (struct peers_message){.kind = PEERS_VIEW});
}

static void test_a_flood_of_small_messages_is_dropped(void **state)
{
	struct world *w = *state;

	flood(w, mad_new(w, start(w, 0, NULL)), (struct peers_message){.kind = PEERS_ASK});
}

static void test_who_falls_silent_votes_no_more(void **state)
{
	struct world *w = *state;
	struct mad *mad = mad_new(w, start(w, 0, NULL));
	uint64_t begun_ms = clock_monotonic_ms();

	say_hello(mad, 1);
	say(mad, (struct peers_message){.kind = PEERS_VIEW, .to = 1, .reaches = true});
	run_until(w, vote_voters(w->replica[0].vote) == 3);
	run_until(w, vote_voters(w->replica[0].vote) == 1);
	assert_true(clock_monotonic_ms() - begun_ms >= VOTE_HEARD_MS);
	run_until(w, mad->is_closed);
	mad_free(mad);
}

/* --- one that does not read: TLS without the loop --- */

static void pump(struct world *w, struct peers_session *s, int fd)
{
	struct buffer out = {0};
	struct pollfd look = {fd, POLLIN, 0};
	uint8_t room[4096];
	size_t len;

	(void)peers_session_read(s, room, sizeof room, &len);
	peers_session_take_output(s, &out);
	if (out.len > 0)
		assert_true(write(fd, out.data, out.len) == (ssize_t)out.len);
	buffer_fini(&out);
	run(w);
	if (!peers_session_is_open(s) && poll(&look, 1, 1) == 1) {
		ssize_t got = read(fd, room, sizeof room);

		assert_true(got > 0);
		peers_session_feed(s, (struct bytes){room, (size_t)got});
	}
}

static void test_who_does_not_read_is_dropped(void **state)
{
	struct world *w = *state;
	uint16_t port = start(w, 0, NULL);
	struct mad files = {0};
	int fd = connect_to(port), small = 4096;
	struct peers_session *s;
	struct buffer frames = {0};
	struct peers_message hello = {.kind = PEERS_HELLO, .id = {1}, .name = bytes_of("mad")};
	struct peers_message ask = {.kind = PEERS_ASK};
	char path[3][128];
	struct reason why = {0};
	struct vote_key key = {0, 9};

	for (key.a = 0; key.a < MANY; key.a++)
		assert_true(peers_tell(w->replica[0].peers, &key, VOTE_DOWN));
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small), 0);
	snprintf(path[0], sizeof path[0], "%s/nighd.crt", w->dir);
	snprintf(path[1], sizeof path[1], "%s/nighd.key", w->dir);
	snprintf(path[2], sizeof path[2], "%s/ca.crt", w->dir);
	assert_int_equal(peers_tls_new(path[0], path[1], path[2], &files.tls, &why), ERR_OK);
	s = peers_session_new(files.tls, true);
	run_until(w, (pump(w, s, fd), peers_session_is_open(s)));
	peers_message_print(&hello, &frames);
	assert_true(peers_session_write(s, (struct bytes){frames.data, frames.len}));
	buffer_reset(&frames);
	peers_message_print(&ask, &frames);
	/* It goes on talking, so that it is not dropped for its silence. */
	for (uint64_t end_ms = clock_monotonic_ms() + PATIENCE_MS, next_ms = 0;
	     peers_counts(w->replica[0].peers).dropped == 0; run(w)) {
		struct buffer out = {0};

		assert_true(clock_monotonic_ms() < end_ms);
		if (clock_monotonic_ms() < next_ms)
			continue;
		next_ms = clock_monotonic_ms() + 500;
		assert_true(peers_session_write(s, (struct bytes){frames.data, frames.len}));
		peers_session_take_output(s, &out);
		(void)send(fd, out.data, out.len, MSG_NOSIGNAL);
		buffer_fini(&out);
	}
	buffer_fini(&frames);
	peers_session_free(s);
	peers_tls_free(files.tls);
	close(fd);
}

#define peers_test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		peers_test(test_what_one_sees_the_others_hear),
		peers_test(test_who_comes_later_hears_all),
		peers_test(test_of_two_connections_one_is_kept),
		peers_test(test_replicas_are_found_by_a_name),
		peers_test(test_who_ends_is_not_waited_for),
		peers_test(test_two_of_one_name_have_one_vote),
		peers_test(test_who_claims_to_be_another_takes_nobodys_place),
		peers_test(test_settings_that_cannot_be_taken_up_change_nothing),
		peers_test(test_whether_sites_are_reached_is_told),
		peers_test(test_a_certificate_of_another_authority_is_refused),
		peers_test(test_a_certificate_of_another_name_is_refused),
		peers_test(test_a_certificate_that_has_ended_is_refused),
		peers_test(test_files_are_read_again_when_they_change),
		peers_test(test_files_that_do_not_fit_are_said_so),
		peers_test(test_garbage_is_dropped),
		peers_test(test_many_that_say_nothing_keep_nobody_out),
		peers_test(test_who_does_not_say_hello_is_dropped),
		peers_test(test_who_says_hello_twice_is_dropped),
		peers_test(test_a_gap_leads_to_a_whole_view),
		peers_test(test_who_sees_too_much_fills_nothing),
		peers_test(test_who_says_too_much_is_dropped),
		peers_test(test_a_flood_of_views_is_dropped),
		peers_test(test_a_flood_of_small_messages_is_dropped),
		peers_test(test_who_falls_silent_votes_no_more),
		peers_test(test_who_does_not_read_is_dropped),
	};

	(void)signal(SIGPIPE, SIG_IGN); /* as nighd does */
	return cmocka_run_group_tests_name("watcher/peers", tests, NULL, NULL);
}
