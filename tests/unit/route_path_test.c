/* SPDX-License-Identifier: BSD-2-Clause */

/* Segments of paths, and patterns taken apart. */

#include "framework/route_path.h"

#include "tests/harness.h"

#include <errno.h>
#include <string.h>

static bool
segment_is(const struct sp_route_path *path, uint32_t i, const char *want)
{
	return sp_route_path_segment_size(path, i) == strlen(want)
	       && memcmp(sp_route_path_segment(path, i), want, strlen(want))
		      == 0;
}

/* The picture in the header. */
TEST(segments_lie_between_the_slashes)
{
	struct sp_route_path path;

	EXPECT_EQ(sp_route_path_split(&path, "/users/:id/", 11), 0);
	EXPECT_EQ(path.segments, 3);
	EXPECT_EQ(path.start[0], 1);
	EXPECT_EQ(path.start[1], 7);
	EXPECT_EQ(path.start[2], 11);
	EXPECT_EQ(path.start[3], 12);
	EXPECT(segment_is(&path, 0, "users"));
	EXPECT(segment_is(&path, 1, ":id"));
	EXPECT(segment_is(&path, 2, ""));

	EXPECT_EQ(sp_route_path_split(&path, "/", 1), 0);
	EXPECT_EQ(path.segments, 1);
	EXPECT(segment_is(&path, 0, ""));
	EXPECT_EQ(sp_route_path_split(&path, "//a", 3), 0);
	EXPECT(segment_is(&path, 0, "") && segment_is(&path, 1, "a"));
}

TEST(what_cannot_be_split)
{
	static char longest[SP_ROUTER_PATH + 1];
	struct sp_route_path path;

	EXPECT_EQ(sp_route_path_split(&path, "", 0), -EINVAL);
	EXPECT_EQ(sp_route_path_split(&path, "a", 1), -EINVAL);
	EXPECT_EQ(sp_route_path_split(&path, "/.", 2), -EINVAL);
	EXPECT_EQ(sp_route_path_split(&path, "/..", 3), -EINVAL);
	EXPECT_EQ(sp_route_path_split(&path, "/../a", 5), -EINVAL);
	EXPECT_EQ(sp_route_path_split(&path, "/a/./b", 6), -EINVAL);
	EXPECT_EQ(sp_route_path_split(&path, "/...", 4), 0);

	memset(longest, '/', sizeof(longest));
	EXPECT_EQ(sp_route_path_split(&path, longest, SP_ROUTER_SEGMENTS), 0);
	EXPECT_EQ(path.segments, SP_ROUTER_SEGMENTS);
	EXPECT_EQ(sp_route_path_split(&path, longest, SP_ROUTER_SEGMENTS + 1),
	    -EINVAL);
	memset(longest + 1, 'a', SP_ROUTER_PATH);
	EXPECT_EQ(sp_route_path_split(&path, longest, SP_ROUTER_PATH), 0);
	EXPECT_EQ(
	    sp_route_path_split(&path, longest, SP_ROUTER_PATH + 1), -EINVAL);
}

TEST(every_escape_is_normalised_once)
{
	static const char digits[] = "0123456789abcdefABCDEF";

	for (const char *high = digits; *high != '\0'; high++) {
		for (const char *low = digits; *low != '\0'; low++) {
			char in[4] = { '%', *high, *low }, out[3], again[3];
			ssize_t n, m;

			n = sp_route_path_normalise(in, 3, out, 3);
			EXPECT(n == 1 || n == 3);
			EXPECT(n == 3 || strchr("-._~", out[0]) != NULL
			       || (out[0] >= '0' && out[0] <= '9')
			       || (out[0] >= 'A' && out[0] <= 'Z')
			       || (out[0] >= 'a' && out[0] <= 'z'));
			EXPECT(
			    n == 1
			    || (out[0] == '%' && out[1] < 'a' && out[2] < 'a'));
			m = sp_route_path_normalise(out, (size_t)n, again, 3);
			EXPECT_EQ(m, n);
			EXPECT(memcmp(out, again, (size_t)n) == 0);
		}
	}
}

TEST(broken_escapes_and_small_buffers)
{
	char out[8];

	EXPECT_EQ(sp_route_path_normalise("%", 1, out, 8), -EINVAL);
	EXPECT_EQ(sp_route_path_normalise("a%4", 3, out, 8), -EINVAL);
	EXPECT_EQ(sp_route_path_normalise("%4g", 3, out, 8), -EINVAL);
	EXPECT_EQ(sp_route_path_normalise("%%41", 4, out, 8), -EINVAL);
	EXPECT_EQ(sp_route_path_normalise("%41", 3, out, 2), -ENOSPC);
	EXPECT_EQ(sp_route_path_normalise("%41%2f", 6, out, 6), 4);
	EXPECT(memcmp(out, "A%2F", 4) == 0);
}

TEST(a_pattern_knows_its_names_and_their_segments)
{
	static struct sp_route_pattern pattern;
	const char *given = "/%61/:one/b/*two";

	EXPECT_EQ(sp_route_pattern_parse(&pattern, given), 0);
	EXPECT_EQ(pattern.path.segments, 4);
	EXPECT(segment_is(&pattern.path, 0, "a"));
	EXPECT_EQ(pattern.kind[0], SP_SEGMENT_BYTES);
	EXPECT_EQ(pattern.kind[1], SP_SEGMENT_NAME);
	EXPECT_EQ(pattern.kind[2], SP_SEGMENT_BYTES);
	EXPECT_EQ(pattern.kind[3], SP_SEGMENT_REST);
	EXPECT(!pattern.by_bytes);
	EXPECT_EQ(pattern.params, 2);
	EXPECT_EQ(pattern.position[0], 1);
	EXPECT_EQ(pattern.position[1], 3);
	EXPECT(memcmp(given + pattern.name[0].offset, "one", 3) == 0);
	EXPECT(memcmp(given + pattern.name[1].offset, "two", 3) == 0);
	EXPECT_EQ(pattern.name[1].size, 3);

	EXPECT_EQ(sp_route_pattern_parse(&pattern, "/\xc3\xa9"), 0);
	EXPECT(pattern.by_bytes);
	EXPECT_EQ(pattern.size, 7);
	EXPECT(memcmp(pattern.text, "/%C3%A9", 7) == 0);
	EXPECT_EQ(sp_route_pattern_parse(&pattern, "/:\xc3\xa9"), -EINVAL);
}
