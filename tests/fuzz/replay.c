/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * A fuzzer without the fuzzing: gives each file of the folders named to the
 * target, once. Every build does that with the corpus, so that an input which
 * broke a parser once is tried under each compiler and sanitizer from then on.
 *
 * An input goes to a block of exactly its size, for AddressSanitizer to see
 * the first byte read beyond it.
 */

#include "tests/fuzz/fuzz.h"

#include <dirent.h>
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sysexits.h>

static void
replay_file(const char *path, size_t size)
{
	uint8_t *data = malloc(size ? size : 1);
	FILE *file = fopen(path, "rb");

	if (data == NULL || file == NULL)
		err(EX_NOINPUT, "%s", path);
	if (fread(data, 1, size, file) != size)
		errx(EX_IOERR, "%s: cannot read all of it", path);
	fclose(file);
	LLVMFuzzerTestOneInput(data, size);
	free(data);
}

static unsigned
replay_folder(const char *folder)
{
	unsigned count = 0;
	struct dirent *entry;
	DIR *dir = opendir(folder);

	if (dir == NULL)
		err(EX_NOINPUT, "%s", folder);
	while ((entry = readdir(dir)) != NULL) {
		struct stat st;
		char path[4096];
		int len = snprintf(
		    path, sizeof(path), "%s/%s", folder, entry->d_name);

		if (len >= (int)sizeof(path))
			errx(EX_NOINPUT, "%s: name too long", path);
		if (stat(path, &st) != 0)
			err(EX_NOINPUT, "%s", path);
		if (S_ISREG(st.st_mode)) {
			replay_file(path, (size_t)st.st_size);
			count++;
		}
	}
	closedir(dir);
	return count;
}

int
main(int argc, char **argv)
{
	unsigned count = 0;

	for (int i = 1; i < argc; i++)
		count += replay_folder(argv[i]);
	printf("%u inputs\n", count);
	if (count == 0)
		errx(EX_NOINPUT, "nothing to replay");
	return 0;
}
