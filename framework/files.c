/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Files as answers.
 *
 *     name in the path --> decoded --> looked up below the directory
 *                                          |
 *          .br or .gz beside it, if the client takes that
 *                                          |
 *          conditions: 304, 412      range: 206, 416      else 200
 *                                          |
 *     head and first bytes by the buffer, the rest by sendfile(2)
 *
 * Looking up and reading may wait for a disk, and the worker with them;
 * then a spare worker takes over (options.spares).
 */

#include "framework/file_open.h"
#include "framework/file_type.h"
#include "framework/landlock.h"
#include "framework/precondition.h"
#include "framework/request.h"
#include "framework/text.h"
#include "framework/urlcode.h"

#include "framework/http_date.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* This much of a file goes by the buffer, with the head. */
#define FIRST_PIECE 8192

#define ETAG_MAX 64

/* One spate_files(). */
struct sp_files {
	int directory;
	struct spate_files_options options; /* strings are behind this */
	struct sp_files *next;
};

/* A file that is open, in the form in which it will be sent. */
struct file {
	int fd;
	struct stat status;
	const char *type;   /* of the file itself */
	const char *coding; /* NULL: as it is */
};

struct spate_files_options
spate_files_options_default(void)
{
	return (struct spate_files_options){
		.size = sizeof(struct spate_files_options),
		.index = "index.html",
	};
}

/* ---------------------------------------------------------------- answer */

static int
answer_error(struct spate_req *req, int error)
{
	switch (error) {
	case -EACCES:
	case -EPERM:
		return spate_error(req, 403, NULL);
	case -EMFILE:
	case -ENFILE:
	case -ENOMEM:
		sp_log(req->server, SPATE_LOG_WARNING, "a file is not sent: %s",
		    spate_strerror(error));
		return spate_error(req, 503, NULL);
	case -EIO:
		return spate_error(req, 500, NULL);
	default:
		return spate_error(req, 404, NULL);
	}
}

static void
send_rest(struct spate_req *req, int fd, off_t offset)
{
	uint64_t left = req->out_left;
	off_t at = offset;
	int error = sp_req_flush(req);

	if (error != 0)
		return;
	error = sp_conn_sendfile(req->worker, req->pd, fd, &at, left,
	    req->server->options.write_timeout_ms, &req->stall);
	if (error == -ETIMEDOUT)
		sp_conn_give_up(req->worker, req->pd);
	req->out_left -= (uint64_t)(at - offset);
	req->error = error;
}

/* A file that gets shorter meanwhile leaves the answer short. */
static int
send_body(struct spate_req *req, int fd, const struct sp_range *range)
{
	char piece[FIRST_PIECE];
	size_t first = range->size < sizeof(piece) ? (size_t)range->size
						   : sizeof(piece);
	ssize_t n;

	if (!req->out_body || range->size == 0)
		return 0;
	do {
		n = pread(fd, piece, first, (off_t)range->first);
	} while (n < 0 && errno == EINTR);
	if (n <= 0)
		return 0;
	spate_write(req, piece, (size_t)n);

	/* Some file systems give less than there is; the end is where
	 * sendfile() says so.
	 */
	if (req->error == 0 && req->out_left != 0)
		send_rest(req, fd, (off_t)range->first + n);
	return req->error;
}

static int
add_fields(struct spate_req *req, const struct file *file, const char *etag,
    const struct spate_files_options *options)
{
	char modified[SP_HTTP_DATE + 1];
	int error;

	sp_http_date_format(modified, file->status.st_mtim.tv_sec);
	modified[SP_HTTP_DATE] = '\0';
	error = spate_add_header(req, "ETag", etag);
	if (error == 0)
		error = spate_add_header(req, "Last-Modified", modified);
	if (error == 0)
		error = spate_add_header(req, "Accept-Ranges", "bytes");
	if (error == 0)
		error = spate_add_header(
		    req, "X-Content-Type-Options", "nosniff");
	if (error == 0 && !options->no_variants)
		error = spate_add_header(req, "Vary", "Accept-Encoding");
	if (error == 0 && options->cache_control != NULL)
		error = spate_add_header(
		    req, "Cache-Control", options->cache_control);
	if (error == 0 && file->coding != NULL)
		error = spate_add_header(req, "Content-Encoding", file->coding);
	return error;
}

static int
add_content_range(
    struct spate_req *req, const struct sp_range *range, uint64_t size)
{
	char text[80];

	if (range == NULL)
		snprintf(text, sizeof(text), "bytes */%" PRIu64, size);
	else
		snprintf(text, sizeof(text),
		    "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64, range->first,
		    range->first + range->size - 1, size);
	return spate_add_header(req, "Content-Range", text);
}

static int
answer_file(struct spate_req *req, const struct file *file,
    const struct spate_files_options *options)
{
	const struct stat *status = &file->status;
	struct sp_range range = { 0, (uint64_t)status->st_size };
	char etag[ETAG_MAX];
	struct sp_validator there = { .etag = etag,
		.modified = status->st_mtim.tv_sec,
		.now = time(NULL) };
	int verdict, error;

	snprintf(etag, sizeof(etag), "\"%jx-%jx-%jx.%lx\"",
	    (uintmax_t)status->st_ino, (uintmax_t)status->st_size,
	    (uintmax_t)status->st_mtim.tv_sec, status->st_mtim.tv_nsec);
	verdict = sp_precondition(&req->head, req->base, &there);
	if (verdict == 412)
		return spate_error(req, 412, NULL);
	if (verdict == 200)
		verdict = sp_range(&req->head, req->base, &there,
		    (uint64_t)status->st_size, &range);
	if (verdict == 416) {
		add_content_range(req, NULL, (uint64_t)status->st_size);
		return spate_error(req, 416, NULL);
	}
	error = add_fields(req, file, etag, options);
	if (error != 0)
		return error;
	if (verdict == 304)
		return spate_respond(req, 304, NULL, NULL, 0);
	if (verdict == 206)
		add_content_range(req, &range, (uint64_t)status->st_size);
	error = spate_begin(req, verdict, file->type, (int64_t)range.size);
	return error != 0 ? error : send_body(req, file->fd, &range);
}

/* --------------------------------------------------------------- look up */

/* Take a variant instead of the file, if there is one that is not older. */
static bool
take_variant(struct file *file, int directory, const char *name,
    const char *suffix, const char *coding)
{
	char variant[SP_FILE_NAME + 8];
	struct stat status;
	int fd;

	snprintf(variant, sizeof(variant), "%s%s", name, suffix);
	fd = sp_file_open(directory, variant, &status);
	if (fd < 0)
		return false;
	if (!S_ISREG(status.st_mode)
	    || status.st_mtim.tv_sec < file->status.st_mtim.tv_sec) {
		close(fd);
		return false;
	}
	close(file->fd);
	file->fd = fd;
	file->status = status;
	file->coding = coding;
	return true;
}

/* The one that the client likes best; of two as good, the shorter one. */
static void
choose_variant(
    struct spate_req *req, struct file *file, int directory, const char *name)
{
	unsigned br = sp_req_coding(req, "br");
	unsigned gzip = sp_req_coding(req, "gzip");

	if (br >= gzip) {
		if (br != 0 && take_variant(file, directory, name, ".br", "br"))
			return;
		br = 0;
	}
	if (gzip != 0 && take_variant(file, directory, name, ".gz", "gzip"))
		return;
	if (br != 0)
		take_variant(file, directory, name, ".br", "br");
}

/* => Returns 0, or -EISDIR, or why not; it is closed then. */
static int
open_regular(struct file *file, int directory, const char *name)
{
	int fd = sp_file_open(directory, name, &file->status);

	if (fd < 0)
		return fd;
	if (!S_ISREG(file->status.st_mode)) {
		close(fd);
		return S_ISDIR(file->status.st_mode) ? -EISDIR : -ENOENT;
	}
	file->fd = fd;
	return 0;
}

/* => Returns -EISDIR: it is a directory, and nothing was answered. */
static int
send_named(struct spate_req *req, int directory, const char *name,
    const struct spate_files_options *options)
{
	struct file file = { .type = sp_file_type(name) };
	int error = open_regular(&file, directory, name);

	if (error == -EISDIR)
		return error;
	if (error != 0)
		return answer_error(req, error);
	if (!options->no_variants)
		choose_variant(req, &file, directory, name);
	error = answer_file(req, &file, options);
	close(file.fd);
	return error;
}

int
spate_send_file(struct spate_req *req, int directory, const char *name,
    const struct spate_files_options *given)
{
	struct spate_files_options options = spate_files_options_default();
	size_t size = strlen(name);
	int error;

	if (given != NULL && given->size > sizeof(options))
		return -EINVAL;
	if (given != NULL)
		memcpy(&options, given, given->size);
	if (size == 0 || name[size - 1] == '/'
	    || !sp_file_name_ok(name, size, options.hidden))
		return spate_error(req, 404, NULL);
	error = send_named(req, directory, name, &options);
	return error == -EISDIR ? spate_error(req, 404, NULL) : error;
}

/* ----------------------------------------------------------------- routes */

static char *
location_of(struct spate_req *req, struct spate_str query)
{
	struct spate_str path = spate_path(req);

	return spate_printf(req, "%.*s/%s%.*s", (int)path.size, path.data,
	    query.data != NULL ? "?" : "", (int)query.size,
	    query.data != NULL ? query.data : "");
}

/*
 * Relative links in an index are meant from inside of the directory. A query
 * that there is no room for does without; nothing here looks at it.
 */
static int
redirect_inside(struct spate_req *req)
{
	char *location = location_of(req, spate_query(req));
	int error = -ENOMEM;

	if (location != NULL)
		error = spate_add_header(req, "Location", location);
	if (error == -ENOMEM) {
		location = location_of(req, (struct spate_str){ NULL, 0 });
		if (location != NULL)
			error = spate_add_header(req, "Location", location);
	}
	return error != 0 ? error : spate_text(req, 301, "%s\n", location);
}

static size_t
count_slashes(const char *text, size_t size)
{
	size_t n = 0;

	for (size_t i = 0; i < size; i++)
		n += text[i] == '/';
	return n;
}

/*
 * The name that the path ends in, with room for an index behind it. An
 * escaped slash is part of no name that a file can have.
 *
 * => Returns NULL: there is no such name, or no memory.
 */
static char *
name_of(struct spate_req *req, size_t *size, size_t room)
{
	const struct sp_span *span =
	    &req->match.param[req->match.route->params - 1];
	const char *raw = req->match.path + span->offset;
	char *name = sp_bump_alloc(&req->memory, span->size + room + 1);
	ssize_t n;

	if (name == NULL)
		return NULL;
	n = sp_url_decode(raw, span->size, name, span->size, SP_URL_NO_NUL);
	if (n < 0
	    || count_slashes(name, (size_t)n) != count_slashes(raw, span->size))
		return NULL;
	name[n] = '\0';
	*size = (size_t)n;
	return name;
}

static int
serve_files(struct spate_req *req, void *arg)
{
	const struct sp_files *files = arg;
	const struct spate_files_options *options = &files->options;
	size_t index_size = strlen(options->index), size;
	struct spate_str path = spate_path(req);
	char *name = name_of(req, &size, index_size);
	int error;

	if (name == NULL || !sp_file_name_ok(name, size, options->hidden))
		return spate_error(req, 404, NULL);
	if (size == 0 && path.data[path.size - 1] != '/')
		return redirect_inside(req);
	if (size == 0 || name[size - 1] == '/')
		memcpy(name + size, options->index, index_size + 1);
	error = send_named(req, files->directory, name, options);
	if (error != -EISDIR)
		return error;
	if (size == 0 || name[size - 1] == '/')
		return spate_error(req, 404, NULL);
	return redirect_inside(req);
}

/* Strings go behind the struct. */
static struct sp_files *
new_files(const struct spate_files_options *options)
{
	const char *index = options->index != NULL ? options->index
						   : "index.html";
	const char *control = options->cache_control;
	size_t index_size = strlen(index) + 1;
	size_t control_size = control != NULL ? strlen(control) + 1 : 0;
	struct sp_files *files = calloc(
	    1, sizeof(*files) + index_size + control_size);
	char *strings;

	if (files == NULL)
		return NULL;
	strings = (char *)(files + 1);
	files->options = *options;
	files->options.index = memcpy(strings, index, index_size);
	if (control != NULL)
		files->options.cache_control = memcpy(
		    strings + index_size, control, control_size);
	return files;
}

/* "/a/" + "*name" at the end; the router judges the rest. */
static bool
ends_in_rest(const char *path)
{
	const char *slash = path != NULL ? strrchr(path, '/') : NULL;

	return slash != NULL && slash[1] == '*';
}

static int
add_files(struct spate_server *server, struct spate_group *group,
    const char *path, const char *directory,
    const struct spate_files_options *given)
{
	struct spate_files_options options = spate_files_options_default();
	struct sp_files *files;

	if (given != NULL && given->size > sizeof(options))
		return sp_server_fail(server, -EINVAL, "options for files");
	if (given != NULL)
		memcpy(&options, given, given->size);
	if (!ends_in_rest(path) || directory == NULL)
		return sp_server_fail(server, -EINVAL, "a path for files");
	if (options.cache_control != NULL
	    && !sp_field_value_ok(
		options.cache_control, strlen(options.cache_control)))
		return sp_server_fail(server, -EINVAL, "options for files");
	files = new_files(&options);
	if (files == NULL)
		return sp_server_fail(server, -ENOMEM, "files");
	files->directory = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (files->directory < 0) {
		int error = -errno;

		free(files);
		return sp_server_fail(server, error, "a directory of files");
	}
	files->next = server->files;
	server->files = files;
	if (group != NULL)
		return spate_group_route(
		    group, "GET", path, serve_files, files);
	return spate_route(server, "GET", path, serve_files, files);
}

int
spate_files(struct spate_server *server, const char *path,
    const char *directory, const struct spate_files_options *options)
{
	if (server == NULL)
		return -ENOMEM;
	return add_files(server, NULL, path, directory, options);
}

int
spate_group_files(struct spate_group *group, const char *path,
    const char *directory, const struct spate_files_options *options)
{
	if (group == NULL)
		return -EINVAL;
	return add_files(group->server, group, path, directory, options);
}

int
sp_files_allow(const struct spate_server *server, struct sp_landlock *landlock)
{
	const struct sp_files *files = server->files;
	int error = 0;

	for (; files != NULL && error == 0; files = files->next)
		error = sp_landlock_allow(
		    landlock, files->directory, SP_LANDLOCK_READ);
	return error;
}

void
sp_files_free(struct spate_server *server)
{
	while (server->files != NULL) {
		struct sp_files *next = server->files->next;

		close(server->files->directory);
		free(server->files);
		server->files = next;
	}
}
