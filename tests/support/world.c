/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/world_inside.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/xalloc.h"

enum {
	START_MS = 30000,
	STOP_MS = 15000,
	RUN_MS = 60000,
	LOG_SHOWN = 8000, /* bytes of its end */
	FLAGS_MOST = 16
};

const char *inside_program(const char *name, const char *fallback)
{
	const char *given = getenv(name);

	return given && *given ? given : fallback;
}

/* --- failing --- */

/* Not by cmocka's printing, which cuts long texts. */
static void show_log(struct world *w)
{
	const char *log = world_log(w);
	size_t len = strlen(log);

	fprintf(stderr, "--- nighd's words ---\n%s---\n",
	        len > LOG_SHOWN ? log + len - LOG_SHOWN : log);
}

void world_fail(struct world *w, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	show_log(w);
	fail();
	abort();
}

/* "exit status 0", "signal 11". */
static const char *ending(int status, char out[32])
{
	if (WIFSIGNALED(status))
		snprintf(out, 32, "signal %d", WTERMSIG(status));
	else
		snprintf(out, 32, "exit status %d", WEXITSTATUS(status));
	return out;
}

void inside_demand_alive(struct world *w)
{
	int status;
	char text[32];

	if (!w->pid || waitpid(w->pid, &status, WNOHANG) != w->pid)
		return;
	w->pid = 0;
	world_fail(w, "nighd ended by itself: %s", ending(status, text));
}

/* --- life --- */

struct world *world_new(void)
{
	struct world *w = xcalloc(1, sizeof(*w));
	const char *tmp = getenv("TMPDIR");

	snprintf(w->dir, sizeof(w->dir), "%s/nigh-world-XXXXXX", tmp && *tmp ? tmp : "/tmp");
	if (!mkdtemp(w->dir) || chmod(w->dir, 0755) != 0)
		fail_msg("cannot make %s: %s", w->dir, strerror(errno));
	world_folder(w, "manifests");
	return w;
}

static void forget(struct world *w)
{
	text_fini(&w->config);
	text_fini(&w->path);
	text_fini(&w->log);
	text_fini(&w->answer);
	text_fini(&w->body);
	text_fini(&w->output);
	free(w);
}

/* A fault of the ending must not keep the folder or the process. */
void world_free(struct world *w)
{
	bool was_well = true;
	int status = 0;
	char text[32];

	if (!w)
		return;
	if (w->pid) {
		struct deadline deadline = inside_deadline(STOP_MS);
		pid_t ended = 0;

		kill(w->pid, SIGTERM);
		while ((ended = waitpid(w->pid, &status, WNOHANG)) == 0 &&
		       inside_has_time(deadline))
			inside_rest();
		if (ended == 0) {
			kill(w->pid, SIGKILL);
			waitpid(w->pid, &status, 0);
		}
		was_well = WIFEXITED(status) && WEXITSTATUS(status) == 0;
		w->pid = 0;
	}
	if (!was_well) {
		fprintf(stderr, "nighd ended with %s\n", ending(status, text));
		show_log(w);
	}
	world_remove(w, "");
	forget(w);
	if (!was_well)
		fail_msg("nighd did not end well");
}

int world_setup(void **state)
{
	*state = world_new();
	return 0;
}

int world_teardown(void **state)
{
	world_free(*state);
	return 0;
}

int world_pid(const struct world *w) { return w->pid; }
unsigned world_dns_port(const struct world *w) { return w->dns_port; }
unsigned world_http_port(const struct world *w) { return w->http_port; }

/* --- nighd's words --- */

bool inside_read_file(const char *path, struct text *out)
{
	char buf[16384];
	ssize_t n;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	text_reset(out);
	text_add(out, "");
	if (fd < 0)
		return false;
	while ((n = read(fd, buf, sizeof(buf))) > 0)
		text_add_bytes(out, (struct bytes){(const uint8_t *)buf, (size_t)n});
	close(fd);
	return n == 0;
}

const char *world_log(struct world *w)
{
	inside_read_file(world_path(w, "nighd.log"), &w->log);
	return w->log.len > w->log_from ? w->log.data + w->log_from : "";
}

void world_expect_log(struct world *w, const char *text, unsigned within_ms)
{
	struct deadline deadline = inside_deadline(within_ms);

	while (!strstr(world_log(w), text)) {
		inside_demand_alive(w);
		if (!inside_has_time(deadline))
			world_fail(w, "nighd does not say '%s' within %u ms", text, within_ms);
		inside_rest();
	}
}

/* --- starting --- */

/* In the child: dies with the test, also when the test is killed. */
static void become(const char *const *argv, int out, pid_t parent)
{
	signal(SIGPIPE, SIG_DFL);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(126);
	if (dup2(out, STDOUT_FILENO) < 0 || dup2(out, STDERR_FILENO) < 0)
		_exit(126);
	execvp(argv[0], (char *const *)(uintptr_t)argv);
	dprintf(STDERR_FILENO, "cannot run %s: %s\n", argv[0], strerror(errno));
	_exit(127);
}

pid_t inside_spawn(const char *const *argv, int out)
{
	pid_t parent = getpid(), child;

	fflush(NULL);
	child = fork();
	if (child == 0)
		become(argv, out, parent);
	if (child < 0)
		fail_msg("cannot fork: %s", strerror(errno));
	return child;
}

/* With our config, our flags and one more (NULL: none). */
static pid_t spawn_nighd(struct world *w, const char *flag)
{
	const char *nighd = inside_program("NIGHD", "build/bin/nighd");
	char config[256];
	const char *argv[FLAGS_MOST + 5] = {nighd, "-c", config};
	struct stat st;
	size_t used = 3;
	pid_t pid;
	int fd;

	for (size_t i = 0; w->flags && w->flags[i] && i < FLAGS_MOST; i++)
		argv[used++] = w->flags[i];
	argv[used] = flag;
	inside_write_config(w);
	snprintf(config, sizeof(config), "%s", world_path(w, "nighd.yaml"));
	fd = open(world_path(w, "nighd.log"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	if (fd < 0 || fstat(fd, &st) != 0)
		fail_msg("cannot write nighd.log: %s", strerror(errno));
	w->log_from = (size_t)st.st_size;
	pid = inside_spawn(argv, fd);
	close(fd);
	return pid;
}

static void launch(struct world *w)
{
	if (w->pid)
		world_fail(w, "nighd runs already");
	w->pid = spawn_nighd(w, NULL);
}

/* The port behind the first "WORD=ADDRESS:". */
static unsigned port_after(const char *line, const char *word)
{
	const char *at = strstr(line, word);
	size_t len;

	if (!at)
		return 0;
	at += strlen(word);
	len = strcspn(at, ", \n\"");
	while (len > 0 && at[len - 1] != ':')
		len--;
	return len > 0 ? (unsigned)strtoul(at + len, NULL, 10) : 0;
}

static void learn_ports(struct world *w)
{
	struct deadline deadline = inside_deadline(START_MS);
	const char *line;

	while (!(line = strstr(world_log(w), " listening dns=")) || !strchr(line, '\n')) {
		inside_demand_alive(w);
		if (!inside_has_time(deadline))
			world_fail(w, "nighd does not say where it listens within %d ms", START_MS);
		inside_rest();
	}
	w->dns_port = port_after(line, " dns=");
	w->http_port = port_after(line, " http=");
	if (!w->dns_port || !w->http_port)
		world_fail(w, "nighd does not say where it listens: %s", line);
}

static void expect_status(struct world *w, const char *path)
{
	struct deadline deadline = inside_deadline(START_MS);
	int status = 0;

	while (world_get(w, path, &status), status != 200) {
		if (!inside_has_time(deadline))
			world_fail(w, "%s is %d after %d ms: %s", path, status, START_MS,
			           w->body.data);
		inside_rest();
	}
}

void world_flags(struct world *w, const char *const *flags) { w->flags = flags; }

void world_start_unready(struct world *w)
{
	launch(w);
	learn_ports(w);
	expect_status(w, "/livez");
}

void world_start(struct world *w)
{
	launch(w);
	learn_ports(w);
	expect_status(w, "/readyz");
}

/* Waits for nighd's end; false when it does not end in time. */
static bool await_end(struct world *w, int *status)
{
	struct deadline deadline = inside_deadline(STOP_MS);

	while (waitpid(w->pid, status, WNOHANG) == 0) {
		if (!inside_has_time(deadline))
			return false;
		inside_rest();
	}
	w->pid = 0;
	return true;
}

void world_expect_end(struct world *w, int status)
{
	int got = 0;
	char how[32];

	if (!await_end(w, &got))
		world_fail(w, "nighd does not end within %d ms", STOP_MS);
	if (!WIFEXITED(got) || WEXITSTATUS(got) != status)
		world_fail(w, "nighd ended with %s, not exit status %d", ending(got, how), status);
}

void world_expect_start_fails(struct world *w, int status, const char *text)
{
	launch(w);
	world_expect_end(w, status);
	if (!strstr(world_log(w), text))
		world_fail(w, "nighd does not say '%s'", text);
}

/* --- one after the other --- */

int world_spawn_heir(struct world *w) { return spawn_nighd(w, "--takeover"); }

void world_expect_replaced(struct world *w, int heir)
{
	struct deadline deadline = inside_deadline(START_MS);

	while (!strstr(world_log(w), "taken over\n")) {
		if (!inside_has_time(deadline))
			world_fail(w, "nobody takes over within %d ms", START_MS);
		inside_rest();
	}
	world_expect_end(w, 0);
	world_expect_heir(w, heir);
}

void world_expect_heir(struct world *w, int heir)
{
	w->pid = heir;
	learn_ports(w);
}

void world_replace(struct world *w) { world_expect_replaced(w, world_spawn_heir(w)); }

void world_expect_replace_fails(struct world *w, int status, const char *text)
{
	pid_t before = w->pid;

	w->pid = world_spawn_heir(w);
	world_expect_end(w, status);
	w->pid = before;
	if (!strstr(world_log(w), text))
		world_fail(w, "nighd does not say '%s'", text);
}

/* --- ending --- */

void world_stop(struct world *w)
{
	inside_demand_alive(w);
	if (!w->pid)
		return;
	kill(w->pid, SIGTERM);
	world_expect_end(w, 0);
}

void world_kill(struct world *w)
{
	inside_demand_alive(w);
	if (!w->pid)
		return;
	kill(w->pid, SIGKILL);
	waitpid(w->pid, NULL, 0);
	w->pid = 0;
}

void world_signal(struct world *w, int signum)
{
	inside_demand_alive(w);
	if (w->pid)
		kill(w->pid, signum);
}

/* --- other programs --- */

/* Reads until the pipe ends; false when that takes too long. */
static bool drink(int fd, struct text *out)
{
	uint64_t deadline = inside_now_ms() + RUN_MS;
	struct pollfd p = {.fd = fd, .events = POLLIN};
	char buf[8192];
	ssize_t n = 1;

	while (n > 0) {
		uint64_t now = inside_now_ms();

		if (now >= deadline || poll(&p, 1, (int)(deadline - now)) == 0)
			return false;
		n = read(fd, buf, sizeof(buf));
		if (n > 0)
			text_add_bytes(out, (struct bytes){(const uint8_t *)buf, (size_t)n});
	}
	return true;
}

static const char *program_of(const char *word)
{
	if (strcmp(word, "$NIGHD") == 0)
		return inside_program("NIGHD", "build/bin/nighd");
	if (strcmp(word, "$NIGHCTL") == 0)
		return inside_program("NIGHCTL", "build/bin/nighctl");
	return word;
}

/* nighctl speaks to our nighd, and checks with it. */
static void set_surroundings(const struct world *w)
{
	char url[64];

	snprintf(url, sizeof(url), "http://127.0.0.1:%u", w->http_port);
	setenv("NIGH_SERVER", url, 1);
	setenv("NIGHD", inside_program("NIGHD", "build/bin/nighd"), 1);
}

int world_run(struct world *w, const char *const *argv, const char **out)
{
	const char *words[32] = {0};
	int pipe_fd[2], status = 0;
	pid_t child;

	for (size_t i = 0; argv[i] && i + 1 < sizeof(words) / sizeof(words[0]); i++)
		words[i] = program_of(argv[i]);
	set_surroundings(w);
	text_reset(&w->output);
	text_add(&w->output, "");
	if (pipe2(pipe_fd, O_CLOEXEC) != 0)
		fail_msg("cannot make a pipe: %s", strerror(errno));
	child = inside_spawn(words, pipe_fd[1]);
	close(pipe_fd[1]);
	if (!drink(pipe_fd[0], &w->output))
		kill(child, SIGKILL);
	close(pipe_fd[0]);
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	if (out)
		*out = w->output.data;
	if (!WIFEXITED(status))
		world_fail(w, "%s was ended by signal %d: %s", words[0], WTERMSIG(status),
		           w->output.data);
	return WEXITSTATUS(status);
}

const char *world_expect_run(struct world *w, const char *const *argv, int status, const char *text)
{
	const char *out;
	int got = world_run(w, argv, &out);

	if (got != status)
		world_fail(w, "%s %s: exit status %d, not %d:\n%s", argv[0], argv[1], got, status,
		           out);
	if (!strstr(out, text))
		world_fail(w, "%s %s does not say '%s' but:\n%s", argv[0], argv[1], text, out);
	return out;
}

/* --- this machine and build --- */

bool world_is_sanitized(void)
{
	return strstr(inside_program("NIGHD", "build/bin/nighd"), "/asan/") != NULL;
}

double world_sanitizer_bytes(void) { return world_is_sanitized() ? 512e6 : 0; }

unsigned world_descriptors(unsigned wanted)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		fail_msg("getrlimit: %s", strerror(errno));
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
		fail_msg("setrlimit: %s", strerror(errno));
	return limit.rlim_cur < wanted + 100 ? (unsigned)limit.rlim_cur - 100 : wanted;
}
