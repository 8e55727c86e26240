/* What is used of Node-API (nodejs.org/api/n-api.html), whose binary interface Node.js keeps across
 * versions, and of V8: no headers of one Node.js version are needed to build for all. */
#ifndef KUBELESS_NODE_API_H
#define KUBELESS_NODE_API_H

#include <stddef.h>
#include <stdint.h>

typedef struct napi_env__ *napi_env;
typedef struct napi_value__ *napi_value;
typedef struct napi_callback_info__ *napi_callback_info;
typedef napi_value (*napi_callback)(napi_env, napi_callback_info);
typedef void (*napi_finalize)(napi_env, void *data, void *hint);

/* All of them return 0 when they did what they say. */
int napi_get_cb_info(napi_env, napi_callback_info, size_t *count, napi_value *arguments, napi_value *self, void **data);
int napi_create_function(napi_env, const char *name, size_t length, napi_callback, void *data, napi_value *result);
int napi_set_named_property(napi_env, napi_value object, const char *name, napi_value value);
int napi_create_external_arraybuffer(napi_env, void *memory, size_t size, napi_finalize, void *hint, napi_value *result);
int napi_get_arraybuffer_info(napi_env, napi_value, void **memory, size_t *size);
int napi_get_value_double(napi_env, napi_value, double *result);
int napi_throw_error(napi_env, const char *code, const char *message);

/* v8::Isolate, by the names that the compiler gave its methods. */
typedef struct Isolate Isolate;
Isolate *isolate_get_current(void) __asm__("_ZN2v87Isolate10GetCurrentEv");
void isolate_request_interrupt(Isolate *, void (*)(Isolate *, void *), void *)
    __asm__("_ZN2v87Isolate16RequestInterruptEPFvPS0_PvES2_");
void isolate_terminate_execution(Isolate *) __asm__("_ZN2v87Isolate18TerminateExecutionEv");
void isolate_cancel_terminate_execution(Isolate *) __asm__("_ZN2v87Isolate24CancelTerminateExecutionEv");
void isolate_add_call_completed_callback(Isolate *, void (*)(Isolate *))
    __asm__("_ZN2v87Isolate24AddCallCompletedCallbackEPFvPS0_E");
void isolate_remove_call_completed_callback(Isolate *, void (*)(Isolate *))
    __asm__("_ZN2v87Isolate27RemoveCallCompletedCallbackEPFvPS0_E");
void isolate_add_microtasks_completed_callback(Isolate *, void (*)(Isolate *, void *), void *)
    __asm__("_ZN2v87Isolate30AddMicrotasksCompletedCallbackEPFvPS0_PvES2_");
void isolate_remove_microtasks_completed_callback(Isolate *, void (*)(Isolate *, void *), void *)
    __asm__("_ZN2v87Isolate33RemoveMicrotasksCompletedCallbackEPFvPS0_PvES2_");

#endif
