/* SPDX-License-Identifier: Apache-2.0 */
/* What wse_remote.sv calls in simulators with DPI-C. Its test runs in Verilator, which stands in
   for commercial simulators: with those it has not been run. */
#include <stdio.h>

#include "svdpi.h"
#include "wse_remote.h"

/* Some simulators compile C as C++. */
#ifdef __cplusplus
extern "C" {
#endif

int wse_remote_dpi_open(const char* path, int slots, const svBitVecVal* widths);
int wse_remote_dpi_setup(svBitVecVal* mutant);
int wse_remote_dpi_write(int index, svBitVecVal* write);
int wse_remote_dpi_exchange(const svBitVecVal* outputs, svBitVecVal* inputs);
int wse_remote_dpi_refuse(const char* reason);

static wse_remote remote;

static int lost(void) {
  fprintf(stderr, "wse_remote: %s\n", remote.reason);
  return -1;
}

int wse_remote_dpi_open(const char* path, int slots, const svBitVecVal* widths) {
  wse_remote_router router;
  router.slots = (uint32_t)slots;
  for (unsigned i = 0; i < WSE_REMOTE_PINS; ++i) {
    router.widths[i] = (uint16_t)(widths[i / 2] >> (16 * (i % 2)) & 0xffff);
  }
  if (path[0] == 0) {
    fprintf(stderr, "wse_remote: +wse_remote=PATH must be given\n");
    return -1;
  }
  return wse_remote_connect(&remote, path, &router) == 0 ? 0 : lost();
}

int wse_remote_dpi_setup(svBitVecVal* mutant) {
  mutant[0] = remote.mutant & 31;
  return (int)remote.count;
}

int wse_remote_dpi_write(int index, svBitVecVal* write) {
  const wse_remote_write* w = &remote.writes[index];
  write[0] = (w->kind & 7) | (w->color & 31) << 3 | w->value << 8;
  write[1] = w->value >> 24;
  return 0;
}

int wse_remote_dpi_exchange(const svBitVecVal* outputs, svBitVecVal* inputs) {
  uint8_t out[WSE_REMOTE_ROUTER_BYTES];
  uint8_t in[WSE_REMOTE_ROUTER_BYTES];
  for (unsigned i = 0; i < WSE_REMOTE_ROUTER_BYTES / 4; ++i)
    wse_remote_put(out + 4 * i, 4, outputs[i]);
  const int status = wse_remote_exchange(&remote, out, in);
  if (status < 0) return lost();
  if (status == 0) return 0;
  for (unsigned i = 0; i < WSE_REMOTE_ROUTER_BYTES / 4; ++i)
    inputs[i] = (svBitVecVal)wse_remote_get(in + 4 * i, 4);
  return status;
}

int wse_remote_dpi_refuse(const char* reason) {
  char text[200];
  snprintf(text, sizeof text, "%s, in clock %llu", reason, (unsigned long long)remote.clock);
  wse_remote_refuse(&remote, text);
  return lost();
}

#ifdef __cplusplus
}
#endif
