/* SPDX-License-Identifier: Apache-2.0 */
#include "client/edgectl/view/screen.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/clock.h"

#define HIDE "\033[?25l\033[?7l" /* hides the cursor and turns off line wrap */
#define SHOW "\033[?25h\033[?7h"
#define HOME "\033[H"
#define CLEAR_LINE "\033[K"
#define CLEAR_REST "\033[J"

void screen_begin(struct screen *screen)
{
	sigset_t set;
	*screen = (struct screen){.terminal = isatty(STDOUT_FILENO), .keys = isatty(STDOUT_FILENO)};
	screen->keys = screen->keys && tcgetattr(STDIN_FILENO, &screen->before) == 0;
	if (screen->keys) {
		struct termios raw = screen->before;
		raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
		tcsetattr(STDIN_FILENO, TCSANOW, &raw);
	}
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, &screen->mask);
	screen->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (screen->signals < 0) {
		sigprocmask(SIG_SETMASK, &screen->mask, NULL);
	}
}

void screen_end(struct screen *screen)
{
	if (screen->terminal) {
		fputs(SHOW, stdout);
		fflush(stdout);
	}
	if (screen->keys) {
		tcsetattr(STDIN_FILENO, TCSANOW, &screen->before);
	}
	if (screen->signals >= 0) {
		struct signalfd_siginfo info;
		while (read(screen->signals, &info, sizeof(info)) == sizeof(info)) {
			/* discard signals that are already handled */
		}
		close(screen->signals);
		sigprocmask(SIG_SETMASK, &screen->mask, NULL);
	}
}

static unsigned int rows(void)
{
	struct winsize size;
	return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 ? size.ws_row : 24;
}

static void show_lines(const char *page, unsigned int most)
{
	fputs(HIDE HOME, stdout);
	for (unsigned int i = 0; i < most && *page; i++) {
		const size_t length = strcspn(page, "\n");
		const bool last = i + 1 == most || !page[length] || !page[length + 1];
		fwrite(page, 1, length, stdout);
		fputs(last ? CLEAR_LINE : CLEAR_LINE "\r\n", stdout);
		page += length + (page[length] != 0);
	}
	fputs(CLEAR_REST, stdout);
}

int screen_show(struct screen *screen, const char *page)
{
	if (screen->terminal) {
		show_lines(page, rows());
	} else {
		fputs(screen->shown ? "\n" : "", stdout);
		fputs(page, stdout);
	}
	screen->shown = true;
	return fflush(stdout) != 0 || ferror(stdout) ? -EIO : 0;
}

/* True if a key that ends the display was pressed. */
static bool ends(void)
{
	char keys[64];
	const ssize_t n = read(STDIN_FILENO, keys, sizeof(keys));
	return n <= 0 || memchr(keys, 'q', (size_t)n) || memchr(keys, 'Q', (size_t)n);
}

bool screen_wait(struct screen *screen, uint32_t ms)
{
	const uint64_t end_ns = clock_now_ns() + ms * NSEC_PER_MSEC;
	for (uint64_t now; (now = clock_now_ns()) < end_ns;) {
		struct pollfd wait[] = {{.fd = screen->signals, .events = POLLIN},
			{.fd = screen->keys ? STDIN_FILENO : -1, .events = POLLIN}};
		const int left =
			(int)((clock_left_ns(end_ns, now) + NSEC_PER_MSEC - 1) / NSEC_PER_MSEC);
		if (poll(wait, 2, left) < 0 && errno != EINTR) {
			return false;
		}
		if (wait[0].revents || (wait[1].revents && ends())) {
			return false;
		}
	}
	return true;
}
