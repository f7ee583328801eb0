/* SPDX-License-Identifier: BSD-2-Clause */

/* Names of files, and what they must not lead to. */

#include "framework/file_open.h"

#include "framework/file_type.h"
#include "tests/harness.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool
ok(const char *name)
{
	return sp_file_name_ok(name, strlen(name), false);
}

TEST(names_stay_below_and_have_no_holes)
{
	EXPECT(ok(""));
	EXPECT(ok("a"));
	EXPECT(ok("a/b.c"));
	EXPECT(ok("a/b/"));
	EXPECT(!ok("/a"));
	EXPECT(!ok("a//b"));
	EXPECT(!ok("a//"));
	EXPECT(!ok("."));
	EXPECT(!ok(".."));
	EXPECT(!ok("a/../b"));
	EXPECT(!ok("a/.."));
	EXPECT(!sp_file_name_ok("a\0b", 3, true));
	EXPECT(!sp_file_name_ok("a/../b", 6, true));
}

TEST(hidden_names_are_asked_for)
{
	EXPECT(!ok(".git"));
	EXPECT(!ok("a/.env"));
	EXPECT(!ok("..."));
	EXPECT(ok(".well-known/x"));
	EXPECT(!ok(".well-known2"));
	EXPECT(sp_file_name_ok(".git", 4, true));
}

TEST(a_name_that_is_too_long_is_none)
{
	char name[SP_FILE_NAME];

	memset(name, 'a', sizeof(name));
	EXPECT(sp_file_name_ok(name, sizeof(name) - 1, false));
	EXPECT(!sp_file_name_ok(name, sizeof(name), false));
}

static void
put(int directory, const char *name, const char *text)
{
	int fd = openat(directory, name, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

	EXPECT(fd >= 0);
	EXPECT_EQ(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

/* A tree with every kind of way out. Returns its root's descriptor. */
static int
make_tree(char path[64])
{
	int top, root;

	strcpy(path, "/tmp/spate_file_openXXXXXX");
	EXPECT(mkdtemp(path) != NULL);
	top = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	put(top, "secret", "secret");
	EXPECT_EQ(mkdirat(top, "root", 0700), 0);
	root = openat(top, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
	EXPECT_EQ(mkdirat(root, "dir", 0700), 0);
	put(root, "plain", "plain");
	put(root, "dir/inner", "inner");
	EXPECT_EQ(symlinkat("../secret", root, "out"), 0);
	EXPECT_EQ(symlinkat("/etc/passwd", root, "absolute"), 0);
	EXPECT_EQ(symlinkat("..", root, "up"), 0);
	EXPECT_EQ(symlinkat("../plain", root, "dir/within"), 0);
	EXPECT_EQ(symlinkat("loop", root, "loop"), 0);
	EXPECT_EQ(symlinkat("/proc/self/cwd", root, "magic"), 0);
	EXPECT_EQ(mkfifoat(root, "fifo", 0600), 0);
	close(top);
	return root;
}

static void
remove_tree(const char *path, int root)
{
	static const char *const names[] = { "plain", "dir/inner", "out",
		"absolute", "up", "dir/within", "loop", "magic", "fifo" };
	char text[96];

	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		unlinkat(root, names[i], 0);
	unlinkat(root, "dir", AT_REMOVEDIR);
	close(root);
	snprintf(text, sizeof(text), "%s/root", path);
	rmdir(text);
	snprintf(text, sizeof(text), "%s/secret", path);
	unlink(text);
	EXPECT_EQ(rmdir(path), 0);
}

typedef int open_fn(int directory, const char *name, struct stat *status);

static int
result_of(open_fn *open_it, int root, const char *name)
{
	struct stat status;
	int fd = open_it(root, name, &status);

	if (fd >= 0)
		close(fd);
	return fd >= 0 ? 0 : fd;
}

static void
expect_kept_inside(open_fn *open_it, int root)
{
	struct stat status;
	int fd = open_it(root, "dir/inner", &status);

	EXPECT(fd >= 0);
	EXPECT_EQ(status.st_size, 5);
	close(fd);
	EXPECT_EQ(result_of(open_it, root, "plain"), 0);
	EXPECT_EQ(result_of(open_it, root, "dir"), 0);
	EXPECT_EQ(result_of(open_it, root, "fifo"), 0);
	EXPECT_EQ(result_of(open_it, root, "none"), -ENOENT);
	EXPECT_EQ(result_of(open_it, root, "dir/none"), -ENOENT);
	EXPECT_EQ(result_of(open_it, root, "plain/x"), -ENOTDIR);
	EXPECT(result_of(open_it, root, "out") < 0);
	EXPECT(result_of(open_it, root, "absolute") < 0);
	EXPECT(result_of(open_it, root, "up/secret") < 0);
	EXPECT(result_of(open_it, root, "loop") < 0);
	EXPECT(result_of(open_it, root, "magic/x") < 0);
}

TEST(no_name_leads_out_of_the_directory)
{
	char path[64];
	int root = make_tree(path);

	expect_kept_inside(sp_file_open, root);
	expect_kept_inside(sp_file_open_stepwise, root);
	EXPECT_EQ(result_of(sp_file_open_stepwise, root, "dir/within"), -ELOOP);
	remove_tree(path, root);
}

TEST(types_go_by_the_last_dot)
{
	EXPECT(strcmp(sp_file_type("a.b/x.HTML"), "text/html; charset=utf-8")
	       == 0);
	EXPECT(strcmp(sp_file_type("x.tar.gz"), "application/gzip") == 0);
	EXPECT(
	    strcmp(sp_file_type("a.png/x"), "application/octet-stream") == 0);
	EXPECT(strcmp(sp_file_type("png"), "application/octet-stream") == 0);
	EXPECT(
	    strcmp(sp_file_type("x.7z"), "application/x-7z-compressed") == 0);
	EXPECT(strcmp(sp_file_type("x.zst"), "application/zstd") == 0);
	EXPECT(strcmp(sp_file_type("x.jpg"), "image/jpeg") == 0);
	EXPECT(strcmp(sp_file_type("x.js"), "text/javascript; charset=utf-8")
	       == 0);
	EXPECT(strcmp(sp_file_type(""), "application/octet-stream") == 0);
}
