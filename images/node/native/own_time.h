/* The time that the main thread had: for which it computed, or waited for something else than a processor.
 *
 * On a busy node, or above its CPU limit, a thread that has much to do gets less of it than the clock says.
 * Whether it wants a processor is seen only when one looks, so that has to be often.
 */
#ifndef KUBELESS_OWN_TIME_H
#define KUBELESS_OWN_TIME_H

/* Milliseconds, as of the last look. */
struct own_time {
    double had, at, computed;
};

/* Called once, on the main thread. */
void own_time_of_this_thread(void);

struct own_time own_time_from_now(void);

/* Look, and say how much it is. */
double own_time_look(struct own_time *time);

/* The machine's monotonic clock in milliseconds. */
double now(void);

#endif
