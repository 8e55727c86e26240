/* The thread that ends what the main thread can't end. */
#ifndef KUBELESS_WATCHDOG_H
#define KUBELESS_WATCHDOG_H

#include "board.h"

/* What the watchdog is told, as ../server/native.js lays it out. Times in milliseconds. */
struct settings {
    /* Where the region begins in the board, and how long its sender takes it for. */
    double offset, size;
    double timeout;
    /* The supervisor's descriptor. */
    double status;
    /* Upper bounds of the buckets, in seconds. */
    double bounds[BUCKETS];
};

/* Watch a region's deadlines from now on, for the isolate of this thread; 0 or an errno. */
int watch(struct region *region, const struct settings *settings);

#endif
