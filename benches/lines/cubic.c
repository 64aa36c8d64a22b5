// Preloaded into the programs: their sockets get CUBIC where they ask for BBR, so that the released
// programs can be measured as on a kernel without it. (The namespace's own default may only be set to
// what the machine allows everybody.)
#define _GNU_SOURCE
#include <dlfcn.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

int setsockopt(int socket, int level, int name, const void *value, socklen_t length) {
    static int (*next)(int, int, int, const void *, socklen_t);
    if (!next) {
        next = dlsym(RTLD_NEXT, "setsockopt");
    }
    if (level == IPPROTO_TCP && name == TCP_CONGESTION) {
        return next(socket, level, name, "cubic", 5);
    }
    return next(socket, level, name, value, length);
}
