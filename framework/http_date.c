/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Dates by arithmetic alone: strftime() would ask the locale for the names
 * of the days, and timegm() takes a lock.
 *
 * Years are counted from March here, so that the leap day is the last of its
 * year, and in eras of 400 years, which all have the same number of days.
 */

#include "framework/http_date.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#define DAY 86400
#define ERA_DAYS 146097
#define DAYS_BEFORE_1970 719468 /* since the 1st of March of the year 0 */

static const char day_names[7][4] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri",
	"Sat" };
static const char *const long_day_names[7] = { "Sunday", "Monday", "Tuesday",
	"Wednesday", "Thursday", "Friday", "Saturday" };
static const char month_names[12][4] = { "Jan", "Feb", "Mar", "Apr", "May",
	"Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };

struct date {
	int year, month, day; /* month from 0, day from 1 */
	int weekday;          /* Sunday is 0 */
	int hour, minute, second;
};

static int64_t
floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

static int64_t
days_of(int year, int month, int day)
{
	int64_t march_year = year - (month < 2);
	int64_t era = floor_div(march_year, 400);
	int64_t year_of_era = march_year - era * 400;
	int64_t day_of_year = (153 * ((month + 10) % 12) + 2) / 5 + day - 1;

	return era * ERA_DAYS + year_of_era * 365 + year_of_era / 4
	       - year_of_era / 100 + day_of_year - DAYS_BEFORE_1970;
}

static void
date_of(struct date *date, int64_t time)
{
	int64_t days = floor_div(time, DAY);
	int seconds = (int)(time - days * DAY);
	int64_t era = floor_div(days + DAYS_BEFORE_1970, ERA_DAYS);
	int day = (int)(days + DAYS_BEFORE_1970 - era * ERA_DAYS);
	int year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
	int month;

	date->weekday = (int)(days + 4 - floor_div(days + 4, 7) * 7);
	date->hour = seconds / 3600;
	date->minute = seconds / 60 % 60;
	date->second = seconds % 60;

	day -= 365 * year + year / 4 - year / 100;
	month = (5 * day + 2) / 153; /* from March */
	date->day = day - (153 * month + 2) / 5 + 1;
	date->month = (month + 2) % 12;
	date->year = (int)(era * 400) + year + (date->month < 2);
}

static void
put_2(char *out, int value)
{
	out[0] = (char)('0' + value / 10);
	out[1] = (char)('0' + value % 10);
}

void
sp_http_date_format(char out[SP_HTTP_DATE], int64_t time)
{
	struct date date;

	if (time < SP_HTTP_DATE_MIN)
		time = SP_HTTP_DATE_MIN;
	if (time > SP_HTTP_DATE_MAX)
		time = SP_HTTP_DATE_MAX;
	date_of(&date, time);
	memcpy(out, "Sun, 06 Nov 1994 08:49:37 GMT", SP_HTTP_DATE);
	memcpy(out, day_names[date.weekday], 3);
	put_2(out + 5, date.day);
	memcpy(out + 8, month_names[date.month], 3);
	put_2(out + 12, date.year / 100);
	put_2(out + 14, date.year % 100);
	put_2(out + 17, date.hour);
	put_2(out + 20, date.minute);
	put_2(out + 23, date.second);
}

/* Reading: each of these is false if the text is not as it should be. */
static bool
get_2(const char *at, int *out)
{
	if (at[0] < '0' || at[0] > '9' || at[1] < '0' || at[1] > '9')
		return false;
	*out = (at[0] - '0') * 10 + (at[1] - '0');
	return true;
}

static bool
get_year(const char *at, int *out)
{
	int high, low;

	if (!get_2(at, &high) || !get_2(at + 2, &low))
		return false;
	*out = high * 100 + low;
	return true;
}

static bool
get_name(const char *at, const char names[][4], int count, int *out)
{
	for (int i = 0; i < count; i++) {
		if (memcmp(at, names[i], 3) == 0) {
			*out = i;
			return true;
		}
	}
	return false;
}

/* 08:49:37 */
static bool
get_clock(const char *at, struct date *date)
{
	return get_2(at, &date->hour) && at[2] == ':'
	       && get_2(at + 3, &date->minute) && at[5] == ':'
	       && get_2(at + 6, &date->second);
}

/* Sun, 06 Nov 1994 08:49:37 GMT */
static bool
get_fixdate(const char *at, struct date *date)
{
	return get_name(at, day_names, 7, &date->weekday)
	       && memcmp(at + 3, ", ", 2) == 0 && get_2(at + 5, &date->day)
	       && at[7] == ' '
	       && get_name(at + 8, month_names, 12, &date->month)
	       && at[11] == ' ' && get_year(at + 12, &date->year)
	       && at[16] == ' ' && get_clock(at + 17, date)
	       && memcmp(at + 25, " GMT", 4) == 0;
}

/* Sun Nov  6 08:49:37 1994 */
static bool
get_asctime(const char *at, struct date *date)
{
	char day[2];

	memcpy(day, at + 8, 2);
	if (day[0] == ' ')
		day[0] = '0';
	return get_name(at, day_names, 7, &date->weekday) && at[3] == ' '
	       && get_name(at + 4, month_names, 12, &date->month)
	       && at[7] == ' ' && get_2(day, &date->day) && at[10] == ' '
	       && get_clock(at + 11, date) && at[19] == ' '
	       && get_year(at + 20, &date->year);
}

/* Sunday, 06-Nov-94 08:49:37 GMT */
static bool
get_rfc850(const char *at, size_t size, int64_t now, struct date *date)
{
	const size_t behind_name = 24;
	struct date today;
	size_t name_size;

	if (size < behind_name)
		return false;
	name_size = size - behind_name;
	date->weekday = 0;
	while (strlen(long_day_names[date->weekday]) != name_size
	       || memcmp(long_day_names[date->weekday], at, name_size) != 0) {
		if (++date->weekday == 7)
			return false;
	}
	at += name_size;
	if (memcmp(at, ", ", 2) != 0 || !get_2(at + 2, &date->day)
	    || at[4] != '-' || !get_name(at + 5, month_names, 12, &date->month)
	    || at[8] != '-' || !get_2(at + 9, &date->year) || at[11] != ' '
	    || !get_clock(at + 12, date) || memcmp(at + 20, " GMT", 4) != 0)
		return false;

	/* The last year with these digits that is at most 50 ahead. */
	date_of(&today, now);
	today.year += 50;
	date->year = today.year - (today.year - date->year) % 100;
	return true;
}

static bool
is_leap(int year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

/* Is there such a time, and is it on that day of the week? */
static bool
is_date(const struct date *date)
{
	static const char days[12] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31,
		30, 31 };
	int last = days[date->month]
		   + (date->month == 1 && is_leap(date->year));
	int64_t number = days_of(date->year, date->month, date->day);

	return date->year >= 1 && date->day >= 1 && date->day <= last
	       && date->hour < 24 && date->minute < 60 && date->second <= 60
	       && (number + 4 - date->weekday) % 7 == 0;
}

int
sp_http_date_parse(const char *text, size_t size, int64_t now, int64_t *out)
{
	struct date date;
	bool read;

	if (size == SP_HTTP_DATE && text[3] == ',')
		read = get_fixdate(text, &date);
	else if (size == 24)
		read = get_asctime(text, &date);
	else
		read = get_rfc850(text, size, now, &date);
	if (!read || !is_date(&date))
		return -EINVAL;
	*out = days_of(date.year, date.month, date.day) * DAY + date.hour * 3600
	       + date.minute * 60 + date.second;
	return 0;
}
