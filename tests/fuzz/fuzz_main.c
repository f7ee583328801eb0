/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Stands in for libFuzzer: runs a fuzz target over files, and over all files
 * of folders. What once crashed a target stays in its corpus.
 */

#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned files;

static void
run_file(const char *path, size_t size)
{
	uint8_t *data = malloc(size != 0 ? size : 1);
	FILE *file = fopen(path, "rb");

	if (file == NULL || data == NULL
	    || fread(data, 1, size, file) != size) {
		perror(path);
		exit(EXIT_FAILURE);
	}
	fclose(file);
	LLVMFuzzerTestOneInput(data, size);
	free(data);
	files++;
}

static void
run_path(const char *path)
{
	struct stat status;
	struct dirent *entry;
	char name[4096];
	DIR *dir;

	if (stat(path, &status) != 0) {
		perror(path);
		exit(EXIT_FAILURE);
	}
	if (!S_ISDIR(status.st_mode)) {
		run_file(path, (size_t)status.st_size);
		return;
	}
	dir = opendir(path);
	if (dir == NULL) {
		perror(path);
		exit(EXIT_FAILURE);
	}
	while ((entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
		run_path(name);
	}
	closedir(dir);
}

int
main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		run_path(argv[i]);
	printf("%u files\n", files);
	return files != 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
