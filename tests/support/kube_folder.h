/* kube_folder.h -- a temporary folder with the small files of a test: kubeconfigs, tokens, certificates. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_SUPPORT_KUBE_FOLDER_H
#define TESTS_SUPPORT_KUBE_FOLDER_H

/* One at a time. */
void kube_folder_make(void);
void kube_folder_remove(void); /* with what is in it */
const char *kube_folder(void);
/* Good for the next three calls. */
char *kube_folder_path(const char *name);
void kube_folder_put(const char *name, const char *text);

#endif
