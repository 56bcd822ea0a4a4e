/* admission.h -- KubeFed's admission webhooks: an AdmissionReview in, an AdmissionReview out.
 *
 * Of admission.k8s.io/v1 and, as KubeFed's spoke, v1beta1.  Values in, values out; any thread.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROPAGATOR_ADMISSION_H
#define PROPAGATOR_ADMISSION_H

#include "base/bytes.h"
#include "base/text.h"

/* Many times what these objects are. */
enum { ADMISSION_BODY_MOST = 1 << 20 };

enum admission_verdict { ADMISSION_ALLOWED, ADMISSION_REFUSED, ADMISSION_MALFORMED };

/* One of the paths, and what was sent there.  ADMISSION_MALFORMED: it is no AdmissionReview, and nothing was added.  Else the
 * answer is: a refusal has the status 403 and all messages, or 400 when it brought no such object.  What these rules are
 * not about (another resource, a deletion) is allowed. */
enum admission_verdict admission_answer(const char *path, struct bytes review, struct text *out);

#endif
