/* policy_code.h -- the bytes of a traffic policy in its fact, and those of its check; private to records. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RECORDS_POLICY_CODE_H
#define RECORDS_POLICY_CODE_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "records/code.h"
#include "records/policy.h"

void policy_code_write(struct code_writer *w, const struct policy_value *p);
/* Strings are where they lie, lists in `a`.  The cursor turns bad when it is no policy; `out` is whole anyway. */
void policy_code_read(struct cursor *c, struct arena *a, struct policy_value *out);

/* The check alone: equal for equal checks. */
void policy_code_write_check(struct buffer *out, const struct policy_check *k);
bool policy_code_read_check(struct cursor *c, struct arena *a, struct policy_check *out);

#endif
