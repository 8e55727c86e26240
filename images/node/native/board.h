/* One worker's part of the board, as ../server/board.js lays it out. */
#ifndef KUBELESS_BOARD_H
#define KUBELESS_BOARD_H

#include <stdint.h>

enum { SLOTS = 10000, BUCKETS = 16, METHODS = 8 };

/* What metrics.js counts of one method. */
struct counters {
    double buckets[BUCKETS + 1], seconds, failures;
};

struct region {
    /* The slot whose handler is on the stack, or -1. */
    int32_t current;
    /* Slots ever used. */
    int32_t used;
    int32_t unused[14];
    struct counters counters[METHODS];
    /* Milliseconds of the machine's monotonic clock; 0 for a free slot. */
    double deadlines[SLOTS];
    /* Where an answer could be written by force; -1 once one has begun. */
    int32_t descriptors[SLOTS];
    /* Indices of counters. */
    uint8_t methods[SLOTS];
};

#endif
