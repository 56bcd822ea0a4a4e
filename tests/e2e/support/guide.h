/* guide.h -- a guide of docs/ that is followed: its commands are run as they stand there, and none is left out.
 *
 * Its commands are the blocks between lines of three backquotes (those of ```yaml are files) below headings of two
 * hashes.  They run in a folder of their own, in which the checkout's deploy/ is, with a home whose
 * ~/.kube/config is given; kubectl and our own programs are in the PATH.  A fault ends the test.  One thread at a time.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_E2E_SUPPORT_GUIDE_H
#define TESTS_E2E_SUPPORT_GUIDE_H

#include <sys/types.h>

struct guide;

/* docs/NAME, followed in FOLDER/home; `kubeconfig` is what that home has.  The caller frees it. */
struct guide *guide_open(const char *name, const char *folder, const char *kubeconfig);
void guide_close(struct guide *g);

/* Runs the block number `which` (from 0) below the heading that begins with `heading`; each of its commands must succeed.  What
 * they said is good until the next call. */
const char *guide_follow(struct guide *g, const char *heading, unsigned which);
/* The same of a block that is one program which goes on: its process, its words at the end of `log`. */
pid_t guide_begin(struct guide *g, const char *heading, unsigned which, const char *log);

/* Fails the test if there is a block that was not followed, or a command in the text that is in no block. */
void guide_expect_all_followed(const struct guide *g);

#endif
