/* replay.c -- a main() for fuzz targets without libFuzzer: runs every file named once. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static int replay(const char *path)
{
	FILE *f = fopen(path, "rb");
	uint8_t *data = NULL;
	size_t len = 0, room = 0, got;

	if (f == NULL) {
		perror(path);
		return 1;
	}
	do {
		if (len == room) {
			room = room * 2 + 4096;
			data = realloc(data, room);
			if (data == NULL)
				abort();
		}
		got = fread(data + len, 1, room - len, f);
		len += got;
	} while (got > 0);
	fclose(f);
	/* An exact copy, so that reading one byte too far is seen. */
	uint8_t *exact = malloc(len > 0 ? len : 1);
	if (exact == NULL)
		abort();
	for (size_t i = 0; i < len; i++)
		exact[i] = data[i];
	free(data);
	LLVMFuzzerTestOneInput(exact, len);
	free(exact);
	return 0;
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (replay(argv[i]) != 0)
			return 1;
	printf("  %s: %d inputs\n", argv[0], argc - 1);
	return 0;
}
