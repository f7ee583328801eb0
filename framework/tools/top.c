/* SPDX-License-Identifier: BSD-2-Clause */

#include "framework/tools/top.h"

#include <argp.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <spate.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sysexits.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define DEFAULT_ADDRESS "127.0.0.1:8080"
#define SECONDS_MIN 0.1
#define SECONDS_MAX 3600.0

static struct {
	struct sp_top_place place;
	const char *address;
	double seconds;
	unsigned long rounds; /* 0: without end */
	bool batch;
	char sort;
} top = { .address = DEFAULT_ADDRESS, .seconds = 2, .sort = 'r' };

static _Atomic(int) signalled; /* its number */

/* ------------------------------------------------------------------ flags */

static const struct argp_option flags[] = {
	{ "batch", 'b', NULL, 0, "Print text, without a terminal", 0 },
	{ "number", 'n', "N", 0, "End after N times", 0 },
	{ "delay", 'd', "SECONDS", 0, "Between two looks; 2, from 0.1 on", 0 },
	{ "sort", 's', "KEY", 0,
	    "Routes by r: requests, p: p99, m: mean, t: total, n: none of "
	    "these",
	    0 },
	{ NULL, 0, NULL, 0, NULL, 0 },
};

static void
on_delay(const char *text, struct argp_state *state)
{
	char *end;

	errno = 0;
	top.seconds = strtod(text, &end);
	if (*text == '\0' || *end != '\0' || errno != 0
	    || !(top.seconds >= SECONDS_MIN && top.seconds <= SECONDS_MAX))
		argp_error(state, "--delay is from 0.1 to 3600: %s", text);
}

static void
on_number(const char *text, struct argp_state *state)
{
	char *end;

	errno = 0;
	top.rounds = strtoul(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0
	    || top.rounds == 0)
		argp_error(state, "--number is from 1 on: %s", text);
}

static error_t
on_flag(int key, char *text, struct argp_state *state)
{
	switch (key) {
	case 'b':
		top.batch = true;
		return 0;
	case 'n':
		on_number(text, state);
		return 0;
	case 'd':
		on_delay(text, state);
		return 0;
	case 's':
		if (strlen(text) != 1 || strchr(SP_TOP_SORTS, *text) == NULL)
			argp_error(
			    state, "--sort is one of r, p, m, t, n: %s", text);
		top.sort = *text;
		return 0;
	case ARGP_KEY_ARG:
		if (state->arg_num != 0)
			return ARGP_ERR_UNKNOWN;
		top.address = text;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	.options = flags,
	.parser = on_flag,
	.args_doc = "[ADDRESS]",
	.doc = "What a running Spate server does, by its /stats."
	       "\vADDRESS is that of the server or of its admin listener, as "
	       "its log tells: 127.0.0.1:8080 if there is none, [::1]:8080, "
	       "unix:/run/my.sock, or http://127.0.0.1:8080/inside.\n\n"
	       "Keys: r p m t n sort, + and - change the delay, space looks "
	       "at once, q ends.\n\n"
	       "Status: 64 a bad flag, 69 the server cannot be reached, 76 it "
	       "has no /stats.",
};

/* --------------------------------------------------------------- terminal */

static struct termios before;
static bool drawing;

static void
enter_screen(void)
{
	struct termios raw = before;

	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
	fputs("\033[?1049h\033[?25l", stdout);
	fflush(stdout);
	drawing = true;
}

static void
leave_screen(void)
{
	if (!drawing)
		return;
	fputs("\033[?25h\033[?1049l", stdout);
	fflush(stdout);
	tcsetattr(STDIN_FILENO, TCSADRAIN, &before);
	drawing = false;
}

static void
on_signal(int number)
{
	signalled = number;
}

static void
watch_signals(void)
{
	static const int numbers[] = { SIGINT, SIGTERM, SIGHUP, SIGTSTP };
	struct sigaction action = { .sa_handler = on_signal };

	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
		sigaction(numbers[i], &action, NULL);
	action.sa_handler = SIG_IGN;
	sigaction(SIGPIPE, &action, NULL);
	/* A size that has changed ends the wait for a key, and that is all. */
	action.sa_handler = on_signal;
	sigaction(SIGWINCH, &action, NULL);
}

/* => Returns false: it is to end. */
static bool
obey_signal(void)
{
	int number = signalled;

	signalled = 0;
	if (number == SIGTSTP) {
		leave_screen();
		raise(SIGSTOP);
		enter_screen();
	}
	return number == 0 || number == SIGTSTP || number == SIGWINCH;
}

/* ------------------------------------------------------------------- keys */

/* => Returns false: it is to end. *at_once: do not wait any longer. */
static bool
on_key(char key, bool *at_once)
{
	if (key == 'q')
		return false;
	*at_once = true;
	if (key != '\0' && strchr(SP_TOP_SORTS, key) != NULL)
		top.sort = key;
	else if (key == '+' && top.seconds * 2 <= SECONDS_MAX)
		top.seconds *= 2;
	else if (key == '-' && top.seconds / 2 >= SECONDS_MIN)
		top.seconds /= 2;
	else if (key != ' ')
		*at_once = false;
	return true;
}

static int
ms_until(const struct timespec *end)
{
	struct timespec now;
	long ms;

	clock_gettime(CLOCK_MONOTONIC, &now);
	ms = (long)(end->tv_sec - now.tv_sec) * 1000
	     + (end->tv_nsec - now.tv_nsec) / 1000000;
	return ms > 0 ? (int)ms : 0;
}

/* A signal that comes after the look at what has come ends the wait as well. */
static int
wait_for_key(struct pollfd *input, int ms)
{
	struct timespec left = { ms / 1000, ms % 1000 * 1000000L };
	sigset_t all, allowed;
	int ready = 0;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &allowed);
	if (signalled == 0)
		ready = ppoll(input, 1, &left, &allowed);
	sigprocmask(SIG_SETMASK, &allowed, NULL);
	return ready;
}

/* => Returns false: it is to end. */
static bool
wait_for_next(void)
{
	struct pollfd input = { top.batch ? -1 : STDIN_FILENO, POLLIN, 0 };
	struct timespec end;
	bool at_once = false;
	int left;

	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += (time_t)top.seconds;
	end.tv_nsec += (long)((top.seconds - (double)(time_t)top.seconds)
			      * 1e9);
	while (!at_once && (left = ms_until(&end)) > 0) {
		int ready = wait_for_key(&input, left);
		char key;

		if (signalled != 0) {
			if (!obey_signal())
				return false;
			at_once = true;
		} else if (ready > 0
			   && (read(STDIN_FILENO, &key, 1) != 1
			       || !on_key(key, &at_once))) {
			return false;
		}
	}
	return true;
}

/* -------------------------------------------------------------------- loop */

static void
draw(const json_t *old, const json_t *now, const char *note)
{
	struct sp_top_view view = {
		.bright = !top.batch, .sort = top.sort, .note = note
	};
	struct sp_top_figures figures;
	struct winsize size;

	if (!top.batch && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0) {
		view.width = size.ws_col;
		view.height = size.ws_row;
	}
	if (!sp_top_figures(&figures, old, now)) {
		leave_screen();
		fprintf(stderr, "spate-top: no memory\n");
		exit(EX_OSERR);
	}
	sp_top_draw(stdout, &figures, &view);
	sp_top_figures_free(&figures);
}

/*
 * Each round compares with the one before. On a terminal a server that is
 * gone may come back; in a batch nobody is there to wait for it.
 */
static int
look_again_and_again(json_t *old)
{
	unsigned long rounds = 0;
	char wrong[256], note[320];
	bool protocol;
	int status = 0;

	while ((top.rounds == 0 || rounds < top.rounds) && wait_for_next()) {
		json_t *now = sp_top_fetch(
		    &top.place, wrong, sizeof(wrong), &protocol);

		if (now == NULL && top.batch) {
			fprintf(
			    stderr, "spate-top: %s: %s\n", top.address, wrong);
			status = protocol ? EX_PROTOCOL : EX_UNAVAILABLE;
			break;
		}
		if (now == NULL) {
			snprintf(note, sizeof(note), "%s: %s; trying again",
			    top.address, wrong);
			draw(old, old, note);
			continue;
		}
		draw(sp_top_same_process(old, now) ? old : now, now, NULL);
		json_decref(old);
		old = now;
		rounds++;
		if (ferror(stdout))
			break;
	}
	json_decref(old);
	return status;
}

int
main(int argc, char **argv)
{
	static char version[64];
	char wrong[256];
	bool protocol;
	json_t *first;
	int status;

	snprintf(version, sizeof(version), "spate-top %s", spate_version());
	argp_program_version = version;
	argp_err_exit_status = EX_USAGE;
	argp_parse(&argp, argc, argv, 0, NULL, NULL);
	if (!sp_top_place(&top.place, top.address)) {
		fprintf(stderr, "spate-top: no address: %s\n", top.address);
		return EX_USAGE;
	}
	if (!top.batch
	    && (!isatty(STDOUT_FILENO)
		|| tcgetattr(STDIN_FILENO, &before) != 0)) {
		fprintf(stderr, "spate-top: no terminal; --batch does without"
				"\n");
		return EX_USAGE;
	}
	first = sp_top_fetch(&top.place, wrong, sizeof(wrong), &protocol);
	if (first == NULL) {
		fprintf(stderr, "spate-top: %s: %s\n", top.address, wrong);
		return protocol ? EX_PROTOCOL : EX_UNAVAILABLE;
	}
	watch_signals();
	if (!top.batch) {
		enter_screen();
		draw(first, first, NULL);
	}
	status = look_again_and_again(first);
	leave_screen();
	return status;
}
