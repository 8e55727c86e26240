/* What JavaScript sees: map(descriptor, size), watch(board, settings) and trim(). */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "node_api.h"
#include "trim.h"
#include "watchdog.h"

static napi_value fail(napi_env env, const char *message) {
    napi_throw_error(env, NULL, message);
    return NULL;
}

/* The memory of a file as an ArrayBuffer, shared with every process that maps it. It stays. */
static napi_value js_map(napi_env env, napi_callback_info info) {
    napi_value arguments[2], result;
    size_t count = 2;
    double descriptor, size;
    if (napi_get_cb_info(env, info, &count, arguments, NULL, NULL) || count != 2
        || napi_get_value_double(env, arguments[0], &descriptor)
        || napi_get_value_double(env, arguments[1], &size)) {
        return fail(env, "expected a descriptor and a size");
    }
    if (ftruncate((int)descriptor, (off_t)size)) return fail(env, strerror(errno));
    void *memory =
        mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED, (int)descriptor, 0);
    if (memory == MAP_FAILED) return fail(env, strerror(errno));
    if (napi_create_external_arraybuffer(env, memory, (size_t)size, NULL, NULL, &result)) {
        return fail(env, "this Node.js takes no memory from outside");
    }
    return result;
}

/* Start the watchdog of this thread's isolate. */
static napi_value js_watch(napi_env env, napi_callback_info info) {
    napi_value arguments[2];
    size_t count = 2, board_size, settings_size;
    void *board, *memory;
    if (napi_get_cb_info(env, info, &count, arguments, NULL, NULL) || count != 2
        || napi_get_arraybuffer_info(env, arguments[0], &board, &board_size)
        || napi_get_arraybuffer_info(env, arguments[1], &memory, &settings_size)) {
        return fail(env, "expected two ArrayBuffers");
    }
    struct settings *settings = memory;
    if (settings_size != sizeof *settings || settings->size != sizeof(struct region)
        || settings->offset + settings->size > (double)board_size) {
        return fail(env, "board.js and board.h do not agree");
    }
    int failed = watch((struct region *)((char *)board + (size_t)settings->offset), settings);
    return failed ? fail(env, strerror(failed)) : NULL;
}

static napi_value js_trim(napi_env env, napi_callback_info info) {
    (void)env;
    (void)info;
    trim();
    return NULL;
}

static void export(napi_env env, napi_value exports, const char *name, napi_callback called) {
    napi_value function;
    napi_create_function(env, name, strlen(name), called, NULL, &function);
    napi_set_named_property(env, exports, name, function);
}

__attribute__((visibility("default"))) napi_value napi_register_module_v1(napi_env env, napi_value exports);

napi_value napi_register_module_v1(napi_env env, napi_value exports) {
    export(env, exports, "map", js_map);
    export(env, exports, "watch", js_watch);
    export(env, exports, "trim", js_trim);
    return exports;
}
