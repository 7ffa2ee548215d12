/* SPDX-License-Identifier: Apache-2.0 */
/* What wse_remote.sv calls in simulators that have VPI and no DPI-C: the same functions under the
   names $wse_remote_*. Its test runs in Icarus, which stands in for commercial simulators: with
   those it has not been run. */
#include <stdio.h>
#include <string.h>

#include "vpi_user.h"
#include "wse_remote.h"

#define WORDS (WSE_REMOTE_ROUTER_BYTES / 4)
#define MOST_ARGUMENTS 3

static wse_remote remote;

static int lost(void) {
  fprintf(stderr, "wse_remote: %s\n", remote.reason);
  return -1;
}

/* The arguments of the call that is being made, 0 where there is none. */
static void find_arguments(vpiHandle* arguments) {
  vpiHandle all = vpi_iterate(vpiArgument, vpi_handle(vpiSysTfCall, NULL));
  for (int i = 0; i < MOST_ARGUMENTS; ++i) {
    arguments[i] = all != NULL ? vpi_scan(all) : NULL;
    if (arguments[i] == NULL) all = NULL; /* the scan has freed it */
  }
  if (all != NULL) vpi_free_object(all);
}

static int integer_of(vpiHandle argument) {
  s_vpi_value value;
  value.format = vpiIntVal;
  vpi_get_value(argument, &value);
  return value.value.integer;
}

static const char* string_of(vpiHandle argument) {
  s_vpi_value value;
  value.format = vpiStringVal;
  vpi_get_value(argument, &value);
  return value.value.str != NULL ? value.value.str : "";
}

/* wse_remote.sv gives no x. */
static void words_of(vpiHandle argument, uint32_t* words, unsigned count) {
  s_vpi_value value;
  value.format = vpiVectorVal;
  vpi_get_value(argument, &value);
  for (unsigned i = 0; i < count; ++i) words[i] = (uint32_t)value.value.vector[i].aval;
}

static void put_words(vpiHandle argument, const uint32_t* words, unsigned count) {
  s_vpi_vecval vector[WORDS];
  s_vpi_value value;
  for (unsigned i = 0; i < count; ++i) {
    vector[i].aval = (PLI_INT32)words[i];
    vector[i].bval = 0;
  }
  value.format = vpiVectorVal;
  value.value.vector = vector;
  vpi_put_value(argument, &value, NULL, vpiNoDelay);
}

/* (path, slots, widths) */
static int open_model(vpiHandle* arguments) {
  wse_remote_router router;
  uint32_t widths[(WSE_REMOTE_PINS + 1) / 2];
  char path[256];
  snprintf(path, sizeof path, "%s", string_of(arguments[0]));
  router.slots = (uint32_t)integer_of(arguments[1]);
  words_of(arguments[2], widths, (WSE_REMOTE_PINS + 1) / 2);
  for (unsigned i = 0; i < WSE_REMOTE_PINS; ++i) {
    router.widths[i] = (uint16_t)(widths[i / 2] >> (16 * (i % 2)) & 0xffff);
  }
  if (path[0] == 0) {
    fprintf(stderr, "wse_remote: +wse_remote=PATH must be given\n");
    return -1;
  }
  return wse_remote_connect(&remote, path, &router) == 0 ? 0 : lost();
}

/* (mutant) */
static int setup(vpiHandle* arguments) {
  const uint32_t mutant = remote.mutant & 31;
  put_words(arguments[0], &mutant, 1);
  return (int)remote.count;
}

/* (index, write) */
static int give_write(vpiHandle* arguments) {
  const wse_remote_write* w = &remote.writes[integer_of(arguments[0])];
  const uint32_t words[2] = {(w->kind & 7) | (w->color & 31) << 3 | w->value << 8, w->value >> 24};
  put_words(arguments[1], words, 2);
  return 0;
}

/* (outputs, inputs) */
static int exchange(vpiHandle* arguments) {
  uint32_t words[WORDS];
  uint8_t out[WSE_REMOTE_ROUTER_BYTES];
  uint8_t in[WSE_REMOTE_ROUTER_BYTES];
  words_of(arguments[0], words, WORDS);
  for (unsigned i = 0; i < WORDS; ++i) wse_remote_put(out + 4 * i, 4, words[i]);
  const int status = wse_remote_exchange(&remote, out, in);
  if (status < 0) return lost();
  if (status == 0) return 0;
  for (unsigned i = 0; i < WORDS; ++i) words[i] = (uint32_t)wse_remote_get(in + 4 * i, 4);
  put_words(arguments[1], words, WORDS);
  return status;
}

/* (reason) */
static int refuse(vpiHandle* arguments) {
  char text[200];
  snprintf(text, sizeof text, "%s, in clock %llu", string_of(arguments[0]),
           (unsigned long long)remote.clock);
  wse_remote_refuse(&remote, text);
  return lost();
}

typedef struct function {
  const char* name;
  int (*call)(vpiHandle* arguments);
} function;

static function functions[] = {{"$wse_remote_open", open_model},
                               {"$wse_remote_setup", setup},
                               {"$wse_remote_write", give_write},
                               {"$wse_remote_exchange", exchange},
                               {"$wse_remote_refuse", refuse}};

static PLI_INT32 call(PLI_BYTE8* data) {
  vpiHandle arguments[MOST_ARGUMENTS];
  s_vpi_value value;
  find_arguments(arguments);
  value.format = vpiIntVal;
  value.value.integer = ((const function*)(void*)data)->call(arguments);
  vpi_put_value(vpi_handle(vpiSysTfCall, NULL), &value, NULL, vpiNoDelay);
  return 0;
}

static void add_functions(void) {
  for (unsigned i = 0; i < sizeof functions / sizeof functions[0]; ++i) {
    s_vpi_systf_data data;
    memset(&data, 0, sizeof data);
    data.type = vpiSysFunc;
    data.sysfunctype = vpiIntFunc;
    data.tfname = functions[i].name;
    data.calltf = call;
    data.user_data = (PLI_BYTE8*)(void*)&functions[i];
    vpi_register_systf(&data);
  }
}

void (*vlog_startup_routines[])(void) = {add_functions, 0};
