/* sandbox.h -- giving up what a running nighd does not need: the root user, and system calls.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DNSD_SANDBOX_H
#define DNSD_SANDBOX_H

#include <sys/types.h>

#include "base/err.h"

/* Is there such a user?  ERR_NOTFOUND. */
enum err sandbox_find_user(const char *user, struct reason *why) MUST_CHECK;
/* Who this process is after sandbox_drop_user(); `user` may be NULL. */
uid_t sandbox_user(const char *user);
/* Becomes `user` with its groups; started as root only, else nothing is done.
 * ERR_NOTFOUND: no such user; ERR_DENIED. */
enum err sandbox_drop_user(const char *user, struct reason *why) MUST_CHECK;

/* From here on, for all threads, a system call that an answering name server has no
 * use for (execve, ptrace, mount, ...) fails with EPERM.  Off in sanitizer builds and under valgrind,
 * which need more.  ERR_UNSUPPORTED: the kernel has no seccomp. */
enum err sandbox_enter(struct reason *why) MUST_CHECK;

#endif
