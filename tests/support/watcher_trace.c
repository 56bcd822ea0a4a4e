/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/watcher_trace.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/check.h"
#include "base/xalloc.h"
#include "tests/support/watcher_saved.h"

enum { MOST_FILES = 4096, MOST_NAMES = 64, MOST_TASKS = 64, NAME_SIZE = 64, PATH_SIZE = 512 };

/* The bytes of a file that would survive.  Inodes are used again: the newest file of one counts. */
struct synced {
	ino_t inode;
	uint8_t *data; /* NULL: none */
	size_t len;
};

struct name {
	char text[NAME_SIZE];
	const struct synced *file;
};

/* A thread of the child and the call it is in. */
struct task {
	pid_t id;
	uint64_t call, arg[3];
};

struct watcher_trace {
	const char *dir;
	struct synced synced[MOST_FILES];
	size_t synced_count;
	struct name name[MOST_NAMES]; /* of the directory when it was synced */
	size_t name_count;
	struct task task[MOST_TASKS];
	size_t task_count;
};

static struct synced *add_file(struct watcher_trace *t, ino_t inode)
{
	struct synced *s = &t->synced[t->synced_count++];

	CHECK(t->synced_count <= MOST_FILES);
	*s = (struct synced){.inode = inode};
	return s;
}

static struct synced *find_file(struct watcher_trace *t, ino_t inode)
{
	for (size_t i = t->synced_count; i-- > 0;)
		if (t->synced[i].inode == inode)
			return &t->synced[i];
	return add_file(t, inode);
}

static size_t list_names(struct watcher_trace *t, struct name *out)
{
	DIR *d = opendir(t->dir);
	const struct dirent *entry;
	size_t count = 0;

	CHECK(d != NULL);
	while ((entry = readdir(d)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		CHECK(count < MOST_NAMES && strlen(entry->d_name) < NAME_SIZE);
		snprintf(out[count].text, NAME_SIZE, "%.63s", entry->d_name);
		out[count++].file = find_file(t, entry->d_ino);
	}
	closedir(d);
	return count;
}

static void note_sync(struct watcher_trace *t, const char *path)
{
	struct synced *s;
	struct stat st;

	if (strcmp(path, t->dir) == 0) {
		t->name_count = list_names(t, t->name);
		return;
	}
	CHECK(stat(path, &st) == 0);
	s = find_file(t, st.st_ino);
	free(s->data);
	s->data = watcher_saved_read(t->dir, path + strlen(t->dir) + 1, &s->len);
	CHECK(s->data != NULL);
}

/* An empty file that was opened to be made is a new one. */
static void note_open(struct watcher_trace *t, pid_t task, int64_t fd)
{
	char link[64];
	struct stat st;

	snprintf(link, sizeof(link), "/proc/%d/fd/%d", task, (int)fd);
	if (stat(link, &st) == 0 && st.st_size == 0)
		add_file(t, st.st_ino);
}

char *watcher_trace_dir(struct watcher_trace *t, enum watcher_trace_loss loss)
{
	struct name now[MOST_NAMES];
	const struct name *name = loss == WATCHER_TRACE_ALL ? t->name : now;
	size_t count = t->name_count;
	char *dir;

	if (loss == WATCHER_TRACE_KILL)
		return watcher_saved_copy_dir(t->dir);
	if (loss == WATCHER_TRACE_BYTES)
		count = list_names(t, now);
	dir = watcher_saved_dir();
	for (size_t i = 0; i < count; i++) {
		const struct synced *s = name[i].file;

		watcher_saved_write(dir, name[i].text, s->data ? (const void *)s->data : "",
		                    s->len);
	}
	return dir;
}

/* --- the child --- */

static struct task *task_of(struct watcher_trace *t, pid_t id)
{
	for (size_t i = 0; i < t->task_count; i++)
		if (t->task[i].id == id)
			return &t->task[i];
	CHECK(t->task_count < MOST_TASKS);
	t->task[t->task_count].id = id;
	return &t->task[t->task_count++];
}

/* What the descriptor stands for; "" when it is not in the directory. */
static void path_of(const struct watcher_trace *t, pid_t task, uint64_t fd, char out[PATH_SIZE])
{
	char link[64];
	ssize_t len;

	snprintf(link, sizeof(link), "/proc/%d/fd/%d", task, (int)fd);
	len = readlink(link, out, PATH_SIZE - 1);
	out[len > 0 ? len : 0] = '\0';
	if (strncmp(out, t->dir, strlen(t->dir)) != 0)
		out[0] = '\0';
}

/* True when the call that has just ended touched the directory. */
static bool note_call(struct watcher_trace *t, const struct task *task, int64_t result)
{
	char path[PATH_SIZE];

	path_of(t, task->id, task->arg[0], path);
	switch (task->call) {
	case SYS_fsync:
	case SYS_fdatasync:
		if (path[0])
			note_sync(t, path);
		return path[0] != '\0';
	case SYS_openat:
		if (!path[0] || !(task->arg[2] & O_CREAT))
			return false;
		note_open(t, task->id, result);
		return true;
	case SYS_write:
	case SYS_ftruncate:
	case SYS_unlinkat:
	case SYS_renameat:
	case SYS_renameat2:
		return path[0] != '\0';
	default:
		return false;
	}
}

/* True: a step. */
static bool at_call(struct watcher_trace *t, pid_t id)
{
	struct __ptrace_syscall_info info = {0};
	struct task *task = task_of(t, id);

	CHECK(ptrace(PTRACE_GET_SYSCALL_INFO, id, sizeof(info), &info) > 0);
	if (info.op == PTRACE_SYSCALL_INFO_ENTRY) {
		task->call = info.entry.nr;
		for (int i = 0; i < 3; i++)
			task->arg[i] = info.entry.args[i];
		return false;
	}
	return info.op == PTRACE_SYSCALL_INFO_EXIT && !info.exit.is_error &&
	       note_call(t, task, info.exit.rval);
}

static void follow(struct watcher_trace *t, pid_t child,
                   void (*on_step)(struct watcher_trace *t, void *arg), void *arg)
{
	int status;
	pid_t id;

	while ((id = waitpid(-1, &status, __WALL)) > 0) {
		int signal = WIFSTOPPED(status) ? WSTOPSIG(status) : 0;

		if (!WIFSTOPPED(status)) {
			if (id == child)
				CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
			continue;
		}
		if (signal == (SIGTRAP | 0x80)) {
			if (at_call(t, id))
				on_step(t, arg);
			signal = 0;
		} else if (signal == SIGTRAP || signal == SIGSTOP) {
			signal = 0; /* a thread begins */
		}
		ptrace(PTRACE_SYSCALL, id, NULL, signal);
	}
}

bool watcher_trace_run(const char *dir, void (*work)(void *arg),
                       void (*on_step)(struct watcher_trace *t, void *arg), void *arg)
{
	struct watcher_trace *t = xcalloc(1, sizeof(*t));
	pid_t child = fork();
	int status;

	CHECK(child >= 0);
	t->dir = dir;
	if (child == 0) {
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0)
			_exit(1);
		raise(SIGSTOP);
		work(arg);
		_exit(0);
	}
	CHECK(waitpid(child, &status, 0) == child);
	if (WIFSTOPPED(status)) {
		CHECK(ptrace(PTRACE_SETOPTIONS, child, NULL,
		             PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_EXITKILL) == 0);
		CHECK(ptrace(PTRACE_SYSCALL, child, NULL, 0) == 0);
		follow(t, child, on_step, arg);
	}
	for (size_t i = 0; i < t->synced_count; i++)
		free(t->synced[i].data);
	free(t);
	return WIFSTOPPED(status);
}
