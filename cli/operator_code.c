#include "cli/operator_code.h"

#include "base/str.h"
#include "cli/db.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#define TEXT_SIZE 64

enum { KEY_INTERRUPT = 3, KEY_END = 4, KEY_BACKSPACE = 8, KEY_DELETE = 127 };

/* "123 456" as apps show it, and what stands around it. */
static bool take_digits(const char *text, char out[OPERATOR_CODE_SIZE])
{
    size_t n = 0;

    for (; *text != '\0'; text++) {
        if (strchr(" \t\r\n", *text) != NULL)
            continue;
        if (!char_is_digit(*text) || n == OPERATOR_CODE_SIZE - 1)
            break;
        out[n++] = *text;
    }
    out[n] = '\0';
    if (*text == '\0' && n == OPERATOR_CODE_SIZE - 1)
        return true;
    complain("a code has six digits");
    return false;
}

static bool read_fd(int fd, char *out)
{
    size_t n = 0;
    ssize_t got = 1;

    while (got != 0 && n < TEXT_SIZE - 1 && memchr(out, '\n', n) == NULL) {
        got = read(fd, out + n, TEXT_SIZE - 1 - n);
        if (got < 0 && errno != EINTR) {
            complain("--code-fd: %s", strerror(errno));
            return false;
        }
        n += got > 0 ? (size_t)got : 0;
    }
    out[n] = '\0';
    out[strcspn(out, "\n")] = '\0';
    return true;
}

/* Key by key, since no key may end us with the terminal left dumb. */
static bool read_keys(int tty, char *out)
{
    char key;
    size_t n = 0;

    for (;;) {
        ssize_t got = read(tty, &key, 1);

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0 || key == KEY_INTERRUPT || key == KEY_END)
            return false;
        if (key == '\r' || key == '\n')
            break;
        if (key == KEY_BACKSPACE || key == KEY_DELETE)
            n -= n > 0 ? 1 : 0;
        else if (n < TEXT_SIZE - 1)
            out[n++] = key;
    }
    out[n] = '\0';
    return true;
}

static bool ask(char *out)
{
    static const char prompt[] = "Code of your authenticator: ";
    struct termios was, silent;
    int tty = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
    bool good = false;

    if (tty < 0 || tcgetattr(tty, &was) != 0) {
        complain("there is no terminal to ask for a code on: say --code-file FILE or --code-fd N");
        if (tty >= 0)
            close(tty);
        return false;
    }
    silent = was;
    silent.c_lflag &= ~(tcflag_t)(ECHO | ICANON | ISIG);
    silent.c_cc[VMIN] = 1;
    silent.c_cc[VTIME] = 0;
    if (tcsetattr(tty, TCSAFLUSH, &silent) == 0) {
        good = write(tty, prompt, sizeof prompt - 1) > 0 && read_keys(tty, out);
        if (write(tty, "\n", 1) != 1)
            good = false;
        (void)tcsetattr(tty, TCSAFLUSH, &was);
    }
    close(tty);
    if (!good)
        complain("no code was given");
    return good;
}

bool operator_code_read(const struct args *args, char out[OPERATOR_CODE_SIZE])
{
    const char *file = args_get(args, "code-file");
    char text[TEXT_SIZE];
    long long fd = -1;
    bool good;

    if (file != NULL && args_has(args, "code-fd")) {
        complain("--code-file or --code-fd, not both");
        return false;
    }
    if (file != NULL)
        good = read_secret_file(file, text, sizeof text);
    else if (args_has(args, "code-fd"))
        good = args_int(args, "code-fd", 0, 1023, &fd) && read_fd((int)fd, text);
    else
        good = ask(text);
    good = good && take_digits(text, out);
    explicit_bzero(text, sizeof text);
    return good;
}
