/* Messages between two nighds: what is said is heard, and nothing else is. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "dnsd/sockets.h"
#include "dnsd/takeover_message.h"

static const struct takeover_item some[3] = {
	{SOCKETS_UDP, {.family = ADDR_IPV4, .bytes = {127, 0, 0, 1}}, 0, 5300, 10},
	{SOCKETS_TLS, {.family = ADDR_IPV6, .bytes = {[15] = 1}}, 853, 853, 11},
	{TAKEOVER_LOCK, {.family = ADDR_NONE}, 0, 0, 12},
};
static const int fds[TAKEOVER_ITEMS] = {10, 11, 12};

static struct takeover_message message(void)
{
	struct takeover_message m = {
		.word = TAKEOVER_HERE, .more = true, .instance = 0x0123456789abcdef, .count = 3};

	memcpy(m.item, some, sizeof some);
	return m;
}

/* From memory of exactly that length, so that ASan sees a byte too far. */
static enum err decode(const uint8_t *data, size_t len, size_t fd_count,
                       struct takeover_message *out)
{
	uint8_t *exact = malloc(len > 0 ? len : 1);
	enum err err;

	memcpy(exact, data, len);
	err = takeover_decode((struct bytes){exact, len}, fds, fd_count, out);
	free(exact);
	return err;
}

static void test_a_message_is_read_as_it_was_written(void **state)
{
	struct takeover_message m = message(), *read = malloc(sizeof *read);
	uint8_t data[TAKEOVER_MESSAGE];
	size_t len = takeover_encode(&m, data);

	(void)state;
	assert_int_equal(decode(data, len, 3, read), ERR_OK);
	assert_int_equal(read->word, TAKEOVER_HERE);
	assert_true(read->more);
	assert_true(read->instance == m.instance);
	assert_int_equal(read->count, 3);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(read->item[i].kind, some[i].kind);
		assert_true(addr_equal(&read->item[i].addr, &some[i].addr));
		assert_int_equal(read->item[i].asked, some[i].asked);
		assert_int_equal(read->item[i].port, some[i].port);
		assert_int_equal(read->item[i].fd, some[i].fd);
	}
	free(read);
}

static void test_every_cut_and_another_number_of_descriptors_is_refused(void **state)
{
	struct takeover_message m = message(), read;
	uint8_t data[TAKEOVER_MESSAGE + 1] = {0};
	size_t len = takeover_encode(&m, data);

	(void)state;
	for (size_t cut = 0; cut < len; cut++)
		assert_int_equal(decode(data, cut, 3, &read), ERR_PARSE);
	assert_int_equal(decode(data, len + 1, 3, &read), ERR_PARSE);
	assert_int_equal(decode(data, len, 2, &read), ERR_PARSE);
	assert_int_equal(decode(data, len, 4, &read), ERR_PARSE);
}

static void test_other_words_flags_families_and_counts_are_refused(void **state)
{
	static const struct {
		size_t at;
		uint8_t value;
	} wrong[] = {{0, 'N'}, {7, '2'}, {8, 0},  {8, 7},    {8, 9},
	             {9, 2},   {10, 2},  {10, 4}, {10, 255}, {TAKEOVER_HEADER + 1, 5}};
	struct takeover_message m = message(), read;
	uint8_t data[TAKEOVER_MESSAGE];
	size_t len = takeover_encode(&m, data);

	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		uint8_t before = data[wrong[i].at];

		data[wrong[i].at] = wrong[i].value;
		assert_int_equal(decode(data, len, 3, &read), ERR_PARSE);
		data[wrong[i].at] = before;
	}
	assert_int_equal(decode(data, len, 3, &read), ERR_OK);
}

static void test_any_bytes_are_a_message_or_refused(void **state)
{
	struct takeover_message m = message(), read;
	uint8_t data[TAKEOVER_MESSAGE];
	size_t len = takeover_encode(&m, data);

	(void)state;
	srand(1);
	for (unsigned i = 0; i < 200000; i++) {
		uint8_t mutated[TAKEOVER_MESSAGE];

		memcpy(mutated, data, len);
		for (unsigned k = (unsigned)rand() % 4; k < 4; k++)
			mutated[(unsigned)rand() % len] = (uint8_t)rand();
		if (decode(mutated, len, 3, &read) == ERR_OK)
			assert_int_equal(read.count, 3);
	}
}

/* --- over a socket --- */

static void open_pair(int pair[2])
{
	struct timeval patience = {.tv_usec = 100000};

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(
			setsockopt(pair[i], SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience),
			0);
}

static unsigned count_open(void)
{
	unsigned count = 0;

	for (int fd = 0; fd < 1024; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

static void test_descriptors_come_along_and_are_closed_on_exec(void **state)
{
	struct takeover_message m = {.word = TAKEOVER_HERE, .count = 1}, got;
	struct reason why = {0};
	struct buffer content = {0};
	int pair[2];

	(void)state;
	open_pair(pair);
	m.item[0].kind = TAKEOVER_ESTATE;
	assert_int_equal(takeover_store(bytes_of("what is known"), &m.item[0].fd, &why), ERR_OK);
	assert_int_equal(takeover_send(pair[0], &m, &why), ERR_OK);
	takeover_drop(&m);
	assert_int_equal(takeover_receive(pair[1], &got, &why), ERR_OK);
	assert_int_equal(fcntl(got.item[0].fd, F_GETFD), FD_CLOEXEC);
	assert_int_equal(takeover_fetch(got.item[0].fd, &content, &why), ERR_OK);
	assert_true(bytes_equal_text((struct bytes){content.data, content.len}, "what is known"));
	takeover_drop(&got);
	buffer_fini(&content);
	close(pair[0]);
	close(pair[1]);
}

static void test_descriptors_of_what_is_no_message_do_not_stay(void **state)
{
	struct takeover_message m = {.word = TAKEOVER_HERE, .count = 2}, got;
	struct reason why = {0};
	unsigned before;
	int pair[2];

	(void)state;
	open_pair(pair);
	before = count_open();
	m.item[0] = (struct takeover_item){.kind = TAKEOVER_LOCK, .addr.family = 9, .fd = pair[0]};
	m.item[1] = m.item[0];
	assert_int_equal(takeover_send(pair[0], &m, &why), ERR_OK);
	assert_int_equal(takeover_receive(pair[1], &got, &why), ERR_PARSE);
	assert_int_equal(count_open(), before);
	close(pair[0]);
	close(pair[1]);
}

static void test_silence_and_hanging_up_are_told_apart(void **state)
{
	struct takeover_message m = {.word = TAKEOVER_ASK}, got;
	struct reason why = {0};
	int pair[2];

	(void)state;
	open_pair(pair);
	assert_int_equal(takeover_receive(pair[1], &got, &why), ERR_TIMEOUT);
	close(pair[0]);
	assert_int_equal(takeover_receive(pair[1], &got, &why), ERR_GONE);
	assert_int_equal(takeover_send(pair[1], &m, &why), ERR_GONE);
	close(pair[1]);
}

static void test_the_address_follows_from_the_identity_alone(void **state)
{
	struct sockaddr_un a, b, c;
	unsigned len = takeover_address(bytes_of("state /var/lib/nighd"), &a);

	(void)state;
	assert_int_equal(takeover_address(bytes_of("state /var/lib/nighd"), &b), len);
	assert_memory_equal(&a, &b, len);
	assert_int_equal(a.sun_path[0], 0);
	assert_int_equal(takeover_address(bytes_of("state /var/lib/nighd2"), &c), len);
	assert_memory_not_equal(&a, &c, len);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_message_is_read_as_it_was_written),
		cmocka_unit_test(test_every_cut_and_another_number_of_descriptors_is_refused),
		cmocka_unit_test(test_other_words_flags_families_and_counts_are_refused),
		cmocka_unit_test(test_any_bytes_are_a_message_or_refused),
		cmocka_unit_test(test_descriptors_come_along_and_are_closed_on_exec),
		cmocka_unit_test(test_descriptors_of_what_is_no_message_do_not_stay),
		cmocka_unit_test(test_silence_and_hanging_up_are_told_apart),
		cmocka_unit_test(test_the_address_follows_from_the_identity_alone),
	};

	return cmocka_run_group_tests_name("dnsd/takeover_message", tests, NULL, NULL);
}
